/* load.c - all rows of entries and of the base table are read back when a replica is opened, in
 * parts that may be read at the same time: a processor reads half a million files a second. */
#include "crdt/dots.h"
#include "crdt/replica_i.h"

#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

#define SPLIT_FROM  1000u /* entries: fewer are read before a thread has begun */
#define ENTRY_PARTS 4u    /* beside the base table, which takes about half as long as they do */

/* Rows whose keys begin with a byte from `first` to before `end`, and what was found in them.
 */
typedef struct part {
    const cs_replica_t *replica;
    cs_table_t table;
    unsigned first, end;
    cs_symbols_t symbols;
    cs_vv_t heard;
    cs_loaded_t found;
    bool tagged;
    int64_t born_max;
    cs_err_t err;
} part_t;

/* What is written of a live entry is what its digest is made of, and its context behind it. */
static bool take_entry(part_t *part, cs_slice_t key, cs_slice_t payload, cs_entry_t *entry)
{
    const cs_keys_t *keys = &part->replica->keys;
    size_t live;
    if (cs__entry_decode_live(payload, entry, &live) != CS_OK) return false;
    if (!cs_slice_eq(key, cs_slice(entry->bucket.b, CS_BUCKET_BYTES))) return false;
    cs__hear(&part->heard, entry);
    for (uint32_t i = 0; i < entry->l_len && !part->tagged; i++) {
        part->tagged = cs_family_is_tagged(cs_slice_str(entry->l[i].path));
    }
    for (uint32_t i = 0; i < entry->k_len && !part->tagged; i++) {
        part->tagged = cs_family_is_tagged(cs_slice_str(entry->k[i].path));
    }
    if (cs_entry_is_dead(entry)) return true;
    cs_entry_digest_t digest;
    cs__entry_hash_live(keys, cs_slice(payload.data, live), &digest);
    cs_sum_add(part->found.root, digest.term);
    part->found.n++;
    if (part->symbols.count > 0) cs_symbols_put(&part->symbols, keys->sym, digest.item);
    return true;
}

static bool take_row(part_t *part, cs_slice_t key, cs_slice_t payload)
{
    cs_print_t print;
    if (!part->tagged) part->tagged = cs_family_is_tagged(key);
    if (cs__base_check(payload, &print) != CS_OK) return false;
    if (print.btime_ns > part->born_max) part->born_max = print.btime_ns;
    return true;
}

static void read_part(void *arg, size_t at)
{
    part_t *part = (part_t *)arg + at;
    const cs_workset_t *ws = &part->replica->ws;
    cs_buf_t prefix = {0};
    cs_entry_t entry = {0};
    cs_workset_key(ws, cs__table_types[part->table].prefix, cs_slice(NULL, 0), &prefix);
    size_t prefix_len = prefix.len;
    if (part->first > 0) cs_buf_put_u8(&prefix, (uint8_t)part->first);
    cs_iter_t *iter = cs_store_iter(ws->store, NULL);
    cs_iter_seek(iter, cs_buf_slice(&prefix));
    for (prefix.len = prefix_len; cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter), payload;
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        key = cs_slice(key.data + prefix.len, key.len - prefix.len);
        if (key.len > 0 && key.data[0] >= part->end) break;
        part->found.rows++;
        bool read = cs_seal_check(cs_iter_value(iter), &payload) == CS_OK;
        if (read && part->table == CS_T_ENTRY) read = take_entry(part, key, payload, &entry);
        if (read && part->table == CS_T_BASE) read = take_row(part, key, payload);
        part->found.clean = part->found.clean && read;
    }
    part->err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    cs_entry_fini(&entry);
    cs_buf_fini(&prefix);
}

static void gather(cs_replica_t *r, part_t *part, cs_loaded_t *ret)
{
    cs_sum_add(ret->root, part->found.root);
    ret->n += part->found.n;
    ret->rows += part->found.rows;
    ret->clean = ret->clean && part->found.clean;
    (void)!cs_vv_merge(&r->heard, &part->heard);
    if (part->born_max > r->born_max) r->born_max = part->born_max;
    bool *tagged = part->table == CS_T_ENTRY ? &r->tagged_paths : &r->tagged_rows;
    *tagged = *tagged || part->tagged;
    if (part->symbols.count > 0) cs_symbols_merge(&r->prefix.symbols, &part->symbols);
}

cs_err_t cs__load(cs_replica_t *r, uint64_t n, cs_all_fn *all, cs_loaded_t *ret)
{
    part_t part[1 + ENTRY_PARTS];
    unsigned entry_parts = n < SPLIT_FROM ? 1 : ENTRY_PARTS, count = 1 + entry_parts;
    bool known = r->prefix.symbols.count > 0;
    if (!known) cs__prefix_init(&r->prefix, n);
    /* The largest first. */
    part[0] = (part_t){.replica = r, .table = CS_T_BASE, .end = 256, .found.clean = true};
    for (unsigned i = 0; i < entry_parts; i++) {
        part[1 + i] = (part_t){.replica = r,
                               .table = CS_T_ENTRY,
                               .first = 256 * i / entry_parts,
                               .end = 256 * (i + 1) / entry_parts,
                               .found.clean = true};
        if (!known) cs_symbols_init(&part[1 + i].symbols, r->prefix.symbols.count);
    }
    (all != NULL ? all : cs_all_in_turn)(read_part, part, count);
    cs_err_t err = CS_OK;
    *ret = (cs_loaded_t){.clean = true};
    for (unsigned i = 0; i < count; i++) {
        if (err == CS_OK) err = part[i].err;
        gather(r, &part[i], ret);
        cs_symbols_fini(&part[i].symbols);
        cs_vv_fini(&part[i].heard);
    }
    return err;
}
