/* oracle.c - the oracle's life, its indices, and how it says what is wrong. */
#include <stdarg.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

#define CHUNK_BYTES (64u << 10)
#define ROWS_MIN    64u /* of an index */

cs_oracle_t *cs_oracle_new(const cs_oracle_config_t *config)
{
    CS_ASSERT(config->node_count > 0);
    CS_ASSERT(config->node_count <= CS_ORACLE_NODES_MAX);
    cs_oracle_t *o = cs_calloc(1, sizeof *o);
    o->config = *config;
    o->config.secret = NULL;
    int failed = crypto_kdf_derive_from_key(o->key_item, sizeof o->key_item, 2, "crdtsync",
                                            config->secret);
    CS_ASSERT(failed == 0);
    o->node = cs_calloc(config->node_count, sizeof *o->node);
    for (unsigned i = 0; i < config->node_count; i++) {
        o->node[i].rid = OR_NONE;
    }
    return o;
}

void cs_oracle_destroy(cs_oracle_t **oracle_p)
{
    cs_oracle_t *o = *oracle_p;
    *oracle_p = NULL;
    if (o == NULL) return;
    for (unsigned i = 0; i < o->config.node_count; i++) {
        cs_free(o->node[i].local.at);
        cs_free(o->node[i].seen);
        cs_free(o->node[i].log.at);
    }
    for (size_t i = 0; i < o->bucket_len * o->config.node_count; i++) {
        or_entry_unref(&o->entry[i]);
    }
    for (size_t i = 0; i < o->bucket_len; i++) {
        cs_free(o->bucket[i].dots);
    }
    for (size_t i = 0; i < o->rid_len; i++) {
        cs_free(o->rid[i].given.at);
        cs_free(o->rid[i].purges.at);
    }
    for (size_t i = 0; i < o->chunk_len; i++) {
        cs_free(o->chunk[i]);
    }
    void *owned[] = {o->node,   o->rid,      o->bucket,      o->dot,   o->entry,
                     o->chunk,  o->rids.row, o->buckets.row, o->touch, o->values.at,
                     o->ctx.at, o->seen.at,  o->seen_new};
    for (size_t i = 0; i < CS_COUNT_OF(owned); i++) {
        cs_free(owned[i]);
    }
    cs_buf_fini(&o->failure);
    cs_free(o);
}

/* --- failure */

const char *cs_oracle_failure(const cs_oracle_t *oracle)
{
    return or_failed(oracle) ? (const char *)oracle->failure.data : NULL;
}

bool or_failed(const cs_oracle_t *o)
{
    return o->failure.len > 0;
}

bool cs_oracle_hole(const cs_oracle_t *oracle)
{
    return oracle->hole;
}

/* The path in the first bytes of a bucket's values that have one. */
static cs_slice_t some_path(const cs_oracle_t *o, uint32_t bucket)
{
    for (unsigned node = 0; node < o->config.node_count; node++) {
        or_entry_t *entry = *or_entry_at(o, bucket, node);
        if (entry == NULL) continue;
        or_values_t values = {0};
        or_slots_t ctx = {0};
        size_t live;
        cs_slice_t path = {0};
        bool read = or_read_entry(cs_slice(entry->bytes, entry->all_len), &values, &ctx, &live);
        for (size_t i = 0; read && i < values.len && path.len == 0; i++) {
            path = values.at[i].path;
        }
        cs_free(values.at);
        cs_free(ctx.at);
        if (path.len > 0) return path;
    }
    return (cs_slice_t){0};
}

void or_bucket_name(const cs_oracle_t *o, uint32_t bucket, char ret[OR_NAME])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < OR_BUCKET; i++) {
        ret[2 * i] = digits[o->bucket[bucket].id[i] >> 4];
        ret[2 * i + 1] = digits[o->bucket[bucket].id[i] & 15];
    }
    ret[OR_NAME - 1] = '\0';
}

static void say_dot(cs_oracle_t *o, const or_dot_t *dot)
{
    static const char *const names[OR_STORES] = {"L", "K", "A"};
    char bucket[OR_NAME];
    or_bucket_name(o, dot->bucket, bucket);
    cs_buf_printf(&o->failure, ", dot %llx:%llx in %s, bucket %s",
                  (unsigned long long)o->rid[dot->rid].rid, (unsigned long long)dot->ctr,
                  names[dot->store], bucket);
    cs_slice_t path = some_path(o, dot->bucket);
    if (path.len > 0) {
        cs_buf_printf(&o->failure, ", path %.*s", (int)path.len, (const char *)path.data);
    }
    cs_buf_printf(&o->failure, "; live at %llx, removed by %llx, maybe by %llx",
                  (unsigned long long)dot->live_at, (unsigned long long)dot->removed_by,
                  (unsigned long long)dot->maybe_by);
}

void or_fail(cs_oracle_t *o, uint32_t node, uint32_t dot, const char *format, ...)
{
    if (or_failed(o)) return;
    va_list args;
    va_start(args, format);
    cs_buf_vprintf(&o->failure, format, args);
    va_end(args);
    if (node != OR_NONE) cs_buf_printf(&o->failure, ", node %u", (unsigned)node);
    if (dot != OR_NONE) say_dot(o, &o->dot[dot]);
}

void cs_oracle_said(cs_oracle_t *oracle, unsigned node, uint64_t rid, uint64_t ctr)
{
    CS_ASSERT(node < oracle->config.node_count);
    const or_node_t *sender = &oracle->node[node];
    if (sender->rid == OR_NONE || oracle->rid[sender->rid].rid != rid) return;
    if (ctr <= sender->exposed) return;
    or_fail(oracle, node, OR_NONE, "I8: number %llx:%llx left, and only %llu is exposed",
            (unsigned long long)rid, (unsigned long long)ctr,
            (unsigned long long)sender->exposed);
}

/* --- indices */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ (b << 1)) * 0x9e3779b97f4a7c15ull;
    return h ^ (h >> 32);
}

/* The row of the key, or the free one where it belongs. */
static struct or_index_row *row_of(const or_index_t *index, uint64_t a, uint64_t b)
{
    size_t at = mix(a, b) & (index->cap - 1);
    for (;; at = (at + 1) & (index->cap - 1)) {
        struct or_index_row *row = &index->row[at];
        if (row->id == OR_NONE || (row->a == a && row->b == b)) return row;
    }
}

static uint32_t index_find(const or_index_t *index, uint64_t a, uint64_t b)
{
    return index->cap == 0 ? OR_NONE : row_of(index, a, b)->id;
}

static void index_grow(or_index_t *index)
{
    or_index_t old = *index;
    index->cap = old.cap == 0 ? ROWS_MIN : old.cap * 2;
    index->row = cs_malloc(index->cap * sizeof *index->row);
    for (size_t i = 0; i < index->cap; i++) {
        index->row[i].id = OR_NONE;
    }
    for (size_t i = 0; i < old.cap; i++) {
        if (old.row[i].id == OR_NONE) continue;
        *row_of(index, old.row[i].a, old.row[i].b) = old.row[i];
    }
    cs_free(old.row);
}

static void index_add(or_index_t *index, uint64_t a, uint64_t b, uint32_t id)
{
    if (index->len * 2 >= index->cap) index_grow(index);
    *row_of(index, a, b) = (struct or_index_row){a, b, id};
    index->len++;
}

uint32_t or_rid_find(const cs_oracle_t *o, uint64_t rid)
{
    return index_find(&o->rids, rid, 0);
}

uint32_t or_rid_make(cs_oracle_t *o, uint64_t rid)
{
    uint32_t id = or_rid_find(o, rid);
    if (id != OR_NONE) return id;
    id = (uint32_t)o->rid_len;
    if (o->rid_len == o->rid_cap) {
        o->rid_cap = cs_grow(o->rid_cap, o->rid_len + 1);
        o->rid = cs_realloc_array(o->rid, o->rid_cap, sizeof *o->rid);
    }
    o->rid[o->rid_len++] = (or_rid_t){.rid = rid, .taint_from = UINT64_MAX};
    index_add(&o->rids, rid, 0, id);
    return id;
}

uint32_t or_bucket_make(cs_oracle_t *o, const uint8_t *bytes)
{
    uint64_t a, b;
    memcpy(&a, bytes, sizeof a);
    memcpy(&b, bytes + sizeof a, sizeof b);
    uint32_t id = index_find(&o->buckets, a, b);
    if (id != OR_NONE) return id;
    id = (uint32_t)o->bucket_len;
    size_t nodes = o->config.node_count;
    if (o->bucket_len == o->bucket_cap) {
        o->bucket_cap = cs_grow(o->bucket_cap, o->bucket_len + 1);
        o->bucket = cs_realloc_array(o->bucket, o->bucket_cap, sizeof *o->bucket);
        o->entry = cs_realloc_array(o->entry, o->bucket_cap * nodes, sizeof(void *));
    }
    or_bucket_t *bucket = &o->bucket[o->bucket_len++];
    *bucket = (or_bucket_t){0};
    memcpy(bucket->id, bytes, OR_BUCKET);
    memset(&o->entry[id * nodes], 0, nodes * sizeof(void *));
    index_add(&o->buckets, a, b, id);
    return id;
}

or_entry_t **or_entry_at(const cs_oracle_t *o, uint32_t bucket, unsigned node)
{
    return &o->entry[(size_t)bucket * o->config.node_count + node];
}

/* --- values: they stay until the oracle ends */

static uint8_t *arena(cs_oracle_t *o, size_t bytes)
{
    if (o->chunk_len == 0 || o->chunk_used + bytes > CHUNK_BYTES) {
        if (o->chunk_len == o->chunk_cap) {
            o->chunk_cap = cs_grow(o->chunk_cap, o->chunk_len + 1);
            o->chunk = cs_realloc_array(o->chunk, o->chunk_cap, sizeof *o->chunk);
        }
        o->chunk[o->chunk_len++] = cs_malloc(bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES);
        o->chunk_used = 0;
    }
    uint8_t *at = o->chunk[o->chunk_len - 1] + o->chunk_used;
    o->chunk_used += bytes;
    return at;
}

void or_dot_set_value(cs_oracle_t *o, uint32_t dot, cs_slice_t bytes)
{
    uint8_t *copy = arena(o, bytes.len);
    memcpy(copy, bytes.data, bytes.len);
    o->dot[dot].value = copy;
    o->dot[dot].value_len = (uint32_t)bytes.len;
}

/* --- small answers */

uint64_t cs_oracle_minted(const cs_oracle_t *oracle)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < oracle->config.node_count; i++) {
        sum += oracle->node[i].minted;
    }
    return sum;
}

uint64_t cs_oracle_minted_by(const cs_oracle_t *oracle, unsigned node)
{
    CS_ASSERT(node < oracle->config.node_count);
    return oracle->node[node].minted;
}
