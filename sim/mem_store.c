/* mem_store.c - a disk is a list of versions: durable, then one for each unsynced batch. */
#include "sim/mem_store.h"

#include "base/mem.h"
#include "sim/mem_tree.h"

typedef struct cs_mem_store {
    cs_store_t base;
    cs_mem_disk_t *disk; /* borrowed, unless owns_disk */
    bool owns_disk;
    cs_err_t write_err; /* CS_OK, or what every write gets until the store is closed */
} cs_mem_store_t;

struct cs_mem_disk {
    cs_mem_node_t *now;       /* what readers see */
    cs_mem_node_t *durable;   /* as of the last synced batch */
    cs_mem_node_t **unsynced; /* the state after each batch since; the last equals `now` */
    size_t unsynced_count, unsynced_cap;
    cs_mem_store_t *open;   /* borrowed; NULL: none */
    bool fails;             /* an injected failure is armed */
    uint32_t writes_before; /* it */
    cs_err_t fail_err;
};

typedef struct cs_mem_snapshot {
    cs_mem_node_t *tree;
    uint32_t *open; /* iterators of it, as many as may be */
} cs_mem_snapshot_t;

typedef struct cs_mem_iter {
    cs_iter_t base;
    cs_mem_walk_t walk;
    uint32_t *open; /* of its snapshot; NULL: of the newest state */
} cs_mem_iter_t;

static const cs_store_ops_t mem_ops;

cs_mem_disk_t *cs_mem_disk_new(void)
{
    return cs_calloc(1, sizeof(cs_mem_disk_t));
}

static void forget_unsynced(cs_mem_disk_t *disk)
{
    for (size_t i = 0; i < disk->unsynced_count; i++) {
        cs_mem_tree_unref(&disk->unsynced[i]);
    }
    disk->unsynced_count = 0;
}

static void make_durable(cs_mem_disk_t *disk)
{
    forget_unsynced(disk);
    cs_mem_tree_unref(&disk->durable);
    disk->durable = cs_mem_tree_ref(disk->now);
}

void cs_mem_disk_destroy(cs_mem_disk_t **disk_p)
{
    cs_mem_disk_t *disk = *disk_p;
    *disk_p = NULL;
    if (disk == NULL) return;
    CS_ASSERT(disk->open == NULL);
    forget_unsynced(disk);
    cs_free(disk->unsynced);
    cs_mem_tree_unref(&disk->now);
    cs_mem_tree_unref(&disk->durable);
    cs_free(disk);
}

cs_err_t cs_mem_store_open(cs_mem_disk_t *disk, cs_store_t **ret_store)
{
    if (disk->open != NULL) return CS_ERR_BUSY;
    cs_mem_store_t *mem = cs_calloc(1, sizeof *mem);
    mem->base.ops = &mem_ops;
    mem->disk = disk;
    disk->open = mem;
    *ret_store = &mem->base;
    return CS_OK;
}

cs_store_t *cs_mem_store_new(void)
{
    cs_store_t *store = NULL;
    cs_err_t err = cs_mem_store_open(cs_mem_disk_new(), &store);
    CS_ASSERT(err == CS_OK);
    ((cs_mem_store_t *)store)->owns_disk = true;
    return store;
}

void cs_mem_disk_crash(cs_mem_disk_t *disk, uint64_t random)
{
    size_t kept = (size_t)(random % (disk->unsynced_count + 1));
    cs_mem_node_t *survivor = kept == 0 ? disk->durable : disk->unsynced[kept - 1];
    cs_mem_tree_ref(survivor);
    cs_mem_tree_unref(&disk->now);
    disk->now = survivor;
    make_durable(disk);
    if (disk->open != NULL) disk->open->write_err = CS_ERR_IO;
}

cs_mem_disk_t *cs_mem_disk_copy(const cs_mem_disk_t *disk)
{
    cs_mem_disk_t *copy = cs_mem_disk_new();
    copy->now = cs_mem_tree_ref(disk->durable);
    copy->durable = cs_mem_tree_ref(disk->durable);
    return copy;
}

void cs_mem_disk_lose_prefix(cs_mem_disk_t *disk, cs_slice_t prefix)
{
    cs_mem_tree_delete_prefix(&disk->now, prefix);
    cs_mem_tree_delete_prefix(&disk->durable, prefix);
    for (size_t i = 0; i < disk->unsynced_count; i++) {
        cs_mem_tree_delete_prefix(&disk->unsynced[i], prefix);
    }
}

void cs_mem_disk_fail_writes(cs_mem_disk_t *disk, uint32_t count, cs_err_t err)
{
    disk->fails = true;
    disk->writes_before = count;
    disk->fail_err = err;
}

static cs_mem_node_t *tree_of(const cs_store_t *store, const cs_snapshot_t *snapshot)
{
    if (snapshot != NULL) return ((const cs_mem_snapshot_t *)snapshot)->tree;
    return ((const cs_mem_store_t *)store)->disk->now;
}

static cs_err_t mem_get(cs_store_t *store, const cs_snapshot_t *snapshot, cs_slice_t key,
                        cs_buf_t *ret)
{
    cs_slice_t value;
    bool found = cs_mem_tree_get(tree_of(store, snapshot), key, &value);
    cs_buf_clear(ret);
    if (!found) return CS_ERR_NOT_FOUND;
    cs_buf_put_slice(ret, value);
    return CS_OK;
}

static void tree_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_mem_tree_put(arg, key, value);
}

static void tree_delete(void *arg, cs_slice_t key)
{
    cs_mem_tree_delete(arg, key);
}

static void remember_unsynced(cs_mem_disk_t *disk)
{
    if (disk->unsynced_count == disk->unsynced_cap) {
        disk->unsynced_cap = cs_grow(disk->unsynced_cap, disk->unsynced_count + 1);
        disk->unsynced = cs_realloc_array(disk->unsynced, disk->unsynced_cap, sizeof(void *));
    }
    disk->unsynced[disk->unsynced_count++] = cs_mem_tree_ref(disk->now);
}

static cs_err_t mem_write(cs_store_t *store, const cs_batch_t *batch, bool sync)
{
    cs_mem_store_t *mem = (cs_mem_store_t *)store;
    cs_mem_disk_t *disk = mem->disk;
    if (disk->fails && disk->writes_before == 0) mem->write_err = disk->fail_err;
    if (mem->write_err != CS_OK) return mem->write_err;
    if (disk->fails) disk->writes_before--;

    cs_batch_each(batch, &disk->now, tree_put, tree_delete);
    if (sync) {
        make_durable(disk);
    } else {
        remember_unsynced(disk);
    }
    return CS_OK;
}

static cs_snapshot_t *mem_snapshot(cs_store_t *store)
{
    cs_mem_snapshot_t *snapshot = cs_malloc(sizeof *snapshot);
    snapshot->tree = cs_mem_tree_ref(((cs_mem_store_t *)store)->disk->now);
    snapshot->open = cs_calloc(1, sizeof *snapshot->open);
    return (cs_snapshot_t *)snapshot;
}

static void mem_release(cs_store_t *store, cs_snapshot_t **snapshot_p)
{
    (void)store;
    cs_mem_snapshot_t *snapshot = (cs_mem_snapshot_t *)*snapshot_p;
    *snapshot_p = NULL;
    if (snapshot == NULL) return;
    CS_ASSERT(*snapshot->open == 0);
    cs_mem_tree_unref(&snapshot->tree);
    cs_free(snapshot->open);
    cs_free(snapshot);
}

static cs_iter_t *mem_iter(cs_store_t *store, const cs_snapshot_t *snapshot)
{
    cs_mem_iter_t *iter = cs_malloc(sizeof *iter);
    iter->base.ops = &mem_ops;
    iter->open = snapshot == NULL ? NULL : ((const cs_mem_snapshot_t *)snapshot)->open;
    CS_ASSERT(iter->open == NULL || *iter->open < CS_SNAPSHOT_ITERS);
    if (iter->open != NULL) ++*iter->open;
    cs_mem_walk_init(&iter->walk, tree_of(store, snapshot));
    return &iter->base;
}

static void mem_iter_seek(cs_iter_t *iter, cs_slice_t key)
{
    cs_mem_walk_seek(&((cs_mem_iter_t *)iter)->walk, key);
}

static void mem_iter_next(cs_iter_t *iter)
{
    cs_mem_walk_next(&((cs_mem_iter_t *)iter)->walk);
}

static bool mem_iter_valid(const cs_iter_t *iter)
{
    return cs_mem_walk_valid(&((const cs_mem_iter_t *)iter)->walk);
}

static cs_slice_t mem_iter_key(const cs_iter_t *iter)
{
    return cs_mem_walk_key(&((const cs_mem_iter_t *)iter)->walk);
}

static cs_slice_t mem_iter_value(const cs_iter_t *iter)
{
    return cs_mem_walk_value(&((const cs_mem_iter_t *)iter)->walk);
}

static cs_err_t mem_iter_err(const cs_iter_t *iter)
{
    (void)iter; /* memory has no bad blocks; lost rows are what lose_prefix is for */
    return CS_OK;
}

static void mem_iter_destroy(cs_iter_t **iter_p)
{
    cs_mem_iter_t *iter = (cs_mem_iter_t *)*iter_p;
    *iter_p = NULL;
    if (iter == NULL) return;
    cs_mem_walk_fini(&iter->walk);
    if (iter->open != NULL) --*iter->open;
    cs_free(iter);
}

static void mem_close(cs_store_t **store_p)
{
    cs_mem_store_t *mem = (cs_mem_store_t *)*store_p;
    *store_p = NULL;
    if (mem == NULL) return;
    mem->disk->open = NULL;
    mem->disk->fails = false;
    if (mem->owns_disk) cs_mem_disk_destroy(&mem->disk);
    cs_free(mem);
}

static const cs_store_ops_t mem_ops = {
    .get = mem_get,
    .write = mem_write,
    .snapshot = mem_snapshot,
    .release = mem_release,
    .iter = mem_iter,
    .iter_seek = mem_iter_seek,
    .iter_next = mem_iter_next,
    .iter_valid = mem_iter_valid,
    .iter_key = mem_iter_key,
    .iter_value = mem_iter_value,
    .iter_err = mem_iter_err,
    .iter_destroy = mem_iter_destroy,
    .close = mem_close,
};
