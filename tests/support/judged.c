/* judged.c - see judged.h. */
#include "support/judged.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/seal.h"
#include "support/entries.h"

static void must(cs_err_t err)
{
    CS_ASSERT(err == CS_OK);
}

static void bucket_of(const jd_world_t *w, unsigned file, char ret_path[4], cs_bucket_t *ret)
{
    snprintf(ret_path, 4, "f%u", file % 10);
    cs_bucket_of(&w->keys, cs_slice_text(ret_path), ret);
}

void jd_init(jd_world_t *w)
{
    uint8_t secret[CS_SECRET_BYTES];
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    cs_oracle_config_t config = {
        .node_count = JD_NODES, .folder = JD_FOLDER, .secret = secret, .roots = true};
    *w = (jd_world_t){.oracle = cs_oracle_new(&config)};
    test_keys(&w->keys);
    for (unsigned i = 0; i < JD_NODES; i++) {
        w->node[i].rid = i + 1;
        for (unsigned file = 0; file < JD_FILES; file++) {
            char path[4];
            cs_bucket_t bucket;
            bucket_of(w, file, path, &bucket);
            cs_entry_init(&w->node[i].entry[file], &bucket);
        }
        jd_write(w, i, false);
    }
}

static void node_fini(jd_node_t *node)
{
    cs_vv_fini(&node->seen);
    for (unsigned file = 0; file < JD_FILES; file++)
        cs_entry_fini(&node->entry[file]);
}

void jd_fini(jd_world_t *w)
{
    for (unsigned i = 0; i < JD_NODES; i++)
        node_fini(&w->node[i]);
    cs_oracle_destroy(&w->oracle);
}

/* --- operations */

cs_dot_t jd_mint(jd_world_t *w, unsigned node)
{
    jd_node_t *n = &w->node[node];
    cs_dot_t dot = {n->rid, ++n->ctr};
    must(cs_vv_raise(&n->seen, dot));
    return dot;
}

void jd_create(jd_world_t *w, unsigned node, unsigned file)
{
    char path[4];
    cs_bucket_t bucket;
    bucket_of(w, file, path, &bucket);
    cs_entry_t *entry = &w->node[node].entry[file];
    cs_dot_t dot = jd_mint(w, node);
    cs_kval_t k = test_kval(dot, dot, path);
    k.mtime_ns = (int64_t)(node * 1000 + w->node[node].ctr);
    cs_lval_t l = test_lval(jd_mint(w, node), dot, path);
    must(cs_entry_add_k(entry, &k));
    must(cs_entry_add_l(entry, &l));
    w->node[node].dirty[file] = true;
}

void jd_remove(jd_world_t *w, unsigned node, unsigned file)
{
    cs_entry_t *entry = &w->node[node].entry[file];
    must(cs_entry_cover(entry, jd_mint(w, node)));
    while (entry->k_len > 0)
        cs_entry_remove(entry, CS_K, entry->k[0].dot);
    while (entry->l_len > 0)
        cs_entry_remove(entry, CS_L, entry->l[0].dot);
    w->node[node].dirty[file] = true;
}

void jd_fetch(jd_world_t *w, unsigned to, unsigned from, unsigned file)
{
    cs_entry_t *entry = &w->node[to].entry[file];
    cs_entry_fini(entry);
    cs_entry_copy(entry, &w->node[from].entry[file]);
    w->node[to].dirty[file] = true;
}

void jd_learn(jd_world_t *w, unsigned to, unsigned from)
{
    must(cs_vv_merge(&w->node[to].seen, &w->node[from].seen));
}

void jd_strip(jd_world_t *w, unsigned node, unsigned file)
{
    cs_entry_strip(&w->node[node].entry[file]);
    w->node[node].dirty[file] = true;
}

/* --- batches */

static void put(cs_batch_t *batch, const char *table, cs_slice_t rest, cs_buf_t *value)
{
    cs_buf_t key = {0};
    cs_buf_put_u32_be(&key, JD_FOLDER);
    cs_buf_put_slice(&key, cs_slice_text(table));
    cs_buf_put_slice(&key, rest);
    if (value->len > 0) {
        cs_seal_append(value, 0);
        cs_batch_put(batch, cs_buf_slice(&key), cs_buf_slice(value));
    } else {
        cs_batch_delete(batch, cs_buf_slice(&key));
    }
    cs_buf_fini(&key);
    cs_buf_clear(value);
}

static void put_entry(jd_node_t *n, unsigned file, cs_buf_t *value, cs_batch_t *batch)
{
    cs_entry_t *entry = &n->entry[file];
    bool empty = cs_entry_is_dead(entry) && entry->ctx.len == 0;
    if (!empty) cs_entry_encode(entry, value);
    put(batch, "e/", cs_slice(entry->bucket.b, CS_BUCKET_BYTES), value);
    n->dirty[file] = false;
}

void jd_write(jd_world_t *w, unsigned node, bool local)
{
    jd_node_t *n = &w->node[node];
    cs_batch_t batch = {0};
    cs_buf_t value = {0};
    uint8_t root[CS_HASH_BYTES] = {0};
    uint64_t live = 0;
    for (unsigned file = 0; file < JD_FILES; file++) {
        if (n->dirty[file]) put_entry(n, file, &value, &batch);
        if (cs_entry_is_dead(&n->entry[file])) continue;
        cs_entry_digest_t digest;
        cs_entry_hash(&w->keys, &n->entry[file], &digest);
        cs_sum_add(root, digest.term);
        live++;
    }
    root[0] ^= w->lie;
    w->lie = false;
    cs_buf_put_u64(&value, n->rid);
    cs_buf_put_varint(&value, n->ctr);
    cs_buf_put_varint(&value, n->exposed);
    cs_buf_put_varint(&value, live);
    cs_buf_put(&value, root, sizeof root);
    cs_vv_encode(&n->seen, &value);
    put(&batch, "m/state", cs_slice_text(""), &value);
    cs_oracle_wrote(w->oracle, node, &batch, local);
    cs_buf_fini(&value);
    cs_batch_fini(&batch);
}

void jd_expose(jd_world_t *w, unsigned node)
{
    w->node[node].exposed = w->node[node].ctr;
    jd_write(w, node, false);
}

void jd_share(jd_world_t *w, unsigned node, unsigned file)
{
    jd_create(w, node, file);
    jd_write(w, node, true);
    jd_expose(w, node);
    for (unsigned i = 0; i < JD_NODES; i++) {
        if (i == node) continue;
        jd_fetch(w, i, node, file);
        jd_learn(w, i, node);
        jd_write(w, i, false);
    }
}

static cs_dot_t renamed(const jd_node_t *n, uint64_t rid, cs_dot_t dot)
{
    bool mine = dot.rid == n->rid && dot.ctr > n->exposed;
    return mine ? (cs_dot_t){rid, dot.ctr - n->exposed} : dot;
}

static void rename_vv(const jd_node_t *n, uint64_t rid, cs_vv_t *vv)
{
    uint64_t ctr = cs_vv_get(vv, n->rid);
    if (ctr <= n->exposed) return;
    must(cs_vv_cut(vv, n->rid, n->exposed));
    must(cs_vv_raise(vv, (cs_dot_t){rid, ctr - n->exposed}));
}

void jd_reborn(jd_world_t *w, unsigned node, uint64_t rid)
{
    jd_node_t *n = &w->node[node];
    for (unsigned file = 0; file < JD_FILES; file++) {
        cs_entry_t *entry = &n->entry[file];
        for (uint32_t i = 0; i < entry->k_len; i++) { /* the order stays: see the tests */
            entry->k[i].dot = renamed(n, rid, entry->k[i].dot);
            entry->k[i].lin = renamed(n, rid, entry->k[i].lin);
        }
        for (uint32_t i = 0; i < entry->l_len; i++) {
            entry->l[i].dot = renamed(n, rid, entry->l[i].dot);
            entry->l[i].lin = renamed(n, rid, entry->l[i].lin);
        }
        rename_vv(n, rid, &entry->ctx);
        n->dirty[file] = true;
    }
    rename_vv(n, rid, &n->seen);
    n->ctr -= n->exposed;
    n->rid = rid;
    n->exposed = 0;
}

/* --- images */

static jd_node_t node_copy(const jd_node_t *node)
{
    jd_node_t copy = *node;
    copy.seen = (cs_vv_t){0};
    cs_vv_copy(&copy.seen, &node->seen);
    for (unsigned file = 0; file < JD_FILES; file++) {
        cs_entry_init(&copy.entry[file], &node->entry[file].bucket);
        cs_entry_copy(&copy.entry[file], &node->entry[file]);
    }
    return copy;
}

jd_image_t jd_save(const jd_world_t *w, unsigned node)
{
    return (jd_image_t){node_copy(&w->node[node]), cs_oracle_image(w->oracle, node)};
}

void jd_restore(jd_world_t *w, unsigned node, const jd_image_t *image)
{
    node_fini(&w->node[node]);
    w->node[node] = node_copy(&image->node);
    cs_oracle_restored(w->oracle, node, image->known);
}

void jd_copy(jd_world_t *w, unsigned to, unsigned from)
{
    node_fini(&w->node[to]);
    w->node[to] = node_copy(&w->node[from]);
    cs_oracle_copied(w->oracle, to, from);
}

void jd_image_fini(jd_image_t *image)
{
    node_fini(&image->node);
    cs_oracle_image_destroy(&image->known);
}

/* --- answers */

bool jd_rests(jd_world_t *w)
{
    static const bool all[JD_NODES] = {true, true, true};
    return cs_oracle_check_rest(w->oracle, all, NULL);
}

bool jd_says(const jd_world_t *w, const char *what)
{
    const char *failure = cs_oracle_failure(w->oracle);
    return failure != NULL && strstr(failure, what) != NULL;
}
