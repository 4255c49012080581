/* store_fuzz.c - a database whose rows have right seals and say anything: it opens, or is
 * refused; whatever is then asked of the replica is answered or ends in its fault. What it
 * wrote itself opens as the same. */
#include <string.h>

#include "base/seal.h"
#include "crdt/replica.h"
#include "sim/mem_store.h"
#include "support/feed.h"

#define ROWS_MAX 64u
#define FOLDER   1u

static const cs_keys_t keys = {.bkt = {1}, .item = {2}};

/* u8 table, key, value; an entry is keyed by its bucket. Tables from `first` on. */
static void put_row(cs_reader_t *feed, uint8_t kind, cs_batch_t *batch)
{
    static const char tables[] = "mebpdthwg";
    char table = tables[kind % (sizeof tables - 1)];
    bool symbols = (kind & 0x40) != 0;
    cs_slice_t id = table != 'm' ? feed_bytes(feed)
                    : symbols    ? cs_slice_text("symbols")
                                 : cs_slice_text("state");
    cs_slice_t value = table == 'w' || table == 'g' ? cs_slice("", 0) : feed_bytes(feed);
    if (table == 'e' && id.len == 0) {
        id = cs_slice(value.data, value.len < CS_BUCKET_BYTES ? value.len : CS_BUCKET_BYTES);
    }
    cs_buf_t key = {0}, sealed = {0};
    cs_buf_put_u32_be(&key, FOLDER);
    cs_buf_put_u8(&key, (uint8_t)table);
    cs_buf_put_u8(&key, '/');
    cs_buf_put_slice(&key, id);
    cs_buf_put_slice(&sealed, value);
    if ((kind & 0x80) == 0) cs_seal_append(&sealed, 0);
    cs_batch_put(batch, cs_buf_slice(&key), cs_buf_slice(&sealed));
    cs_buf_fini(&key);
    cs_buf_fini(&sealed);
}

static bool none_is_hot(void *arg, const cs_bucket_t *bucket)
{
    (void)arg;
    (void)bucket;
    return false;
}

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    (void)err;
}

static void scan(cs_replica_t *replica, const cs_item_t *row)
{
    cs_sighting_t gone = {.what = CS_SAW_VANISHED};
    cs_sighting_t new = {.what = CS_SAW_APPEARED,
                         .path = cs_slice_text("new"),
                         .content = {.kind = CS_KIND_FILE, .hash = {9}, .size = 9},
                         .mode = 0644,
                         .print = {.dev = 1, .ino = 9, .mtime_ns = 9, .size = 9}};
    cs_item_t none = {0};
    bool stage_now;
    cs_scan_result_t result;
    if (cs_replica_base(replica, new.path, &none) == CS_OK) new.what = CS_SAW_MODIFIED;
    cs_replica_scan_begin(replica, refused, NULL);
    if (row != NULL && !cs_slice_eq(cs_slice_str(row->path), new.path)) {
        gone.path = cs_slice_str(row->path);
        (void)!cs_replica_scan_add(replica, &gone, &stage_now);
    }
    (void)!cs_replica_scan_add(replica, &new, &stage_now);
    (void)!cs_replica_scan_commit(replica, &result);
    cs_item_fini(&none);
}

static void settle(cs_replica_t *replica)
{
    cs_buf_t path = {0};
    for (unsigned i = 0;
         i < ROWS_MAX && cs_replica_pending(replica, cs_buf_slice(&path), &path); i++) {
        cs_items_t items = {0}, rows = {0};
        if (cs_replica_project(replica, cs_buf_slice(&path), &items) == CS_OK &&
            cs_replica_base_family(replica, cs_buf_slice(&path), &rows) == CS_OK) {
            for (uint32_t j = 0; j < rows.len; j++)
                cs_replica_vanished(replica, cs_slice_str(rows.item[j].path));
            for (uint32_t j = 0; j < items.len; j++)
                cs_replica_applied(replica, &items.item[j]);
            cs_replica_settle(replica, cs_buf_slice(&path));
        }
        cs_items_fini(&items);
        cs_items_fini(&rows);
        cs_buf_put_u8(&path, 0);
    }
    cs_buf_fini(&path);
}

static void use(cs_replica_t *replica, bool change)
{
    cs_items_t items = {0}, siblings = {0};
    cs_tally_t tally;
    cs_buf_t where = {0};
    (void)!cs_replica_tally(replica, &tally);
    (void)!cs_replica_siblings(replica, &siblings);
    (void)cs_replica_count_pending(replica, 1000);
    if (cs_replica_project_all(replica, &items) == CS_OK) {
        for (uint32_t i = 0; i < items.len; i++) {
            (void)!cs_replica_find_content(replica, &items.item[i].content, &where);
            (void)cs_replica_is_dir(replica, cs_slice_str(items.item[i].path));
        }
    }
    if (change) scan(replica, siblings.len > 0 ? &siblings.item[0] : NULL);
    if (change) settle(replica);
    while (cs_replica_gc(replica, 16, none_is_hot, NULL) && cs_replica_fault(replica) == CS_OK)
        continue;
    cs_items_fini(&items);
    cs_items_fini(&siblings);
    cs_buf_fini(&where);
}

static cs_replica_t *open(cs_store_t *store, cs_open_result_t *ret)
{
    cs_replica_config_t config = {
        .store = store, .folder = FOLDER, .keys = keys, .fresh_rid = 77};
    cs_replica_t *replica;
    cs_err_t err = cs_replica_open(&config, &replica, ret);
    require((err == CS_OK) == (replica != NULL));
    return replica;
}

/* False: it has a fault, and what it wrote says nothing. */
static bool store_all(cs_replica_t *replica, cs_store_t *store)
{
    cs_batch_t batch = {0};
    if (cs_replica_stage(replica, &batch)) {
        cs_err_t err = cs_store_write(store, &batch, true);
        require(err == CS_OK);
        cs_replica_staged_durable(replica);
    }
    cs_batch_fini(&batch);
    return cs_replica_fault(replica) == CS_OK;
}

static void live(cs_store_t *store, cs_reader_t *feed, uint8_t flags)
{
    cs_open_result_t result;
    cs_replica_t *replica = open(store, &result);
    bool sound = replica != NULL;
    if (sound) {
        if ((flags & 1) != 0) use(replica, (flags & 2) != 0);
        if ((flags & 8) != 0) cs_replica_keep_symbols(replica);
        sound = store_all(replica, store);
    }
    cs_replica_destroy(&replica);
    if (!sound) return;
    /* Tables that can be made anew may be wrong now, those that count are not. */
    cs_batch_t batch = {0};
    for (unsigned i = 0; i < ROWS_MAX && cs_reader_left(feed) > 0; i++)
        put_row(feed, (uint8_t)(3 + cs_read_u8(feed) % 5), &batch);
    cs_err_t err = cs_store_write(store, &batch, true);
    require(err == CS_OK);
    cs_batch_fini(&batch);
    replica = open(store, &result);
    require(replica == NULL || result == CS_OPEN_SAME);
    if (replica == NULL) return;
    use(replica, (flags & 4) != 0);
    (void)store_all(replica, store);
    cs_replica_destroy(&replica);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    cs_store_t *store = cs_mem_store_new();
    cs_batch_t batch = {0};
    uint8_t flags = cs_read_u8(&feed);
    for (unsigned i = flags >> 4; i > 0 && cs_reader_left(&feed) > 0; i--)
        put_row(&feed, cs_read_u8(&feed), &batch);
    cs_err_t err = cs_store_write(store, &batch, true);
    require(err == CS_OK);
    cs_batch_fini(&batch);
    live(store, &feed, flags);
    cs_store_close(&store);
    return 0;
}
