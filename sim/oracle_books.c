/* oracle_books.c - numbers, dots, removals, rows: the bookkeeping without judgement. */
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

/* --- numbers */

void or_numbers_push(or_numbers_t *numbers, or_number_t number)
{
    if (numbers->len == numbers->cap) {
        numbers->cap = cs_grow(numbers->cap, numbers->len + 1);
        numbers->at = cs_realloc_array(numbers->at, numbers->cap, sizeof *numbers->at);
    }
    numbers->at[numbers->len++] = number;
}

static or_number_t *number_at(const or_numbers_t *numbers, uint64_t index)
{
    return index < numbers->len ? &numbers->at[index] : NULL;
}

or_number_t *or_number(const cs_oracle_t *o, const or_node_t *node, uint32_t rid, uint64_t ctr)
{
    CS_ASSERT(ctr > 0);
    if (rid == node->rid && ctr > node->exposed) {
        return number_at(&node->local, ctr - node->exposed - 1);
    }
    return number_at(&o->rid[rid].given, ctr - 1);
}

/* A number that was given away by two histories of one replica. */
static void given_twice(cs_oracle_t *o, unsigned index, uint64_t ctr)
{
    or_node_t *node = &o->node[index];
    or_rid_t *rid = &o->rid[node->rid];
    if (!node->doubtful) {
        or_fail(o, index, OR_NONE, "I8: number %llx:%llx was given away twice",
                (unsigned long long)rid->rid, (unsigned long long)ctr);
        return;
    }
    o->hole = true;
    if (rid->taint_from > ctr) rid->taint_from = ctr;
}

static void expose_log(or_log_t *log, uint64_t ctr)
{
    while (log->exposed < log->len && log->at[log->exposed].first <= ctr) {
        log->at[log->exposed++].exposed = true;
    }
}

void or_give(cs_oracle_t *o, unsigned index, uint64_t ctr)
{
    or_node_t *node = &o->node[index];
    if (node->rid == OR_NONE || ctr <= node->exposed) return;
    or_numbers_t *given = &o->rid[node->rid].given;
    uint64_t count = ctr - node->exposed;
    CS_ASSERT(count <= node->local.len);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = node->exposed + 1 + i;
        if (number > given->len) {
            or_numbers_push(given, node->local.at[i]);
        } else if (given->at[number - 1].mint != node->local.at[i].mint) {
            given_twice(o, index, number);
        }
    }
    node->local.len -= (size_t)count;
    memmove(node->local.at, node->local.at + count, node->local.len * sizeof *node->local.at);
    node->exposed = ctr;
    expose_log(&node->log, ctr);
}

/* --- dots */

bool or_is_removed(const or_dot_t *dot)
{
    return (dot->removed_by | dot->maybe_by) != 0;
}

bool or_is_tainted(const cs_oracle_t *o, uint32_t rid, uint64_t ctr)
{
    return ctr >= o->rid[rid].taint_from;
}

bool or_is_owed(const cs_oracle_t *o, uint32_t id)
{
    const or_dot_t *dot = &o->dot[id];
    if (or_is_removed(dot) || or_is_tainted(o, dot->rid, dot->ctr)) return false;
    return dot->live_at != 0 || !dot->orphan;
}

void or_list(cs_oracle_t *o, uint32_t id)
{
    or_dot_t *dot = &o->dot[id];
    or_bucket_t *bucket = &o->bucket[dot->bucket];
    if (dot->listed) return;
    if (bucket->len == bucket->cap) {
        bucket->cap = cs_grow(bucket->cap, bucket->len + 1);
        bucket->dots = cs_realloc_array(bucket->dots, bucket->cap, sizeof *bucket->dots);
    }
    bucket->dots[bucket->len++] = id;
    dot->listed = true;
}

uint32_t or_dot_make(cs_oracle_t *o, uint32_t rid, uint64_t ctr, uint32_t bucket, uint8_t store)
{
    if (o->dot_len == o->dot_cap) {
        o->dot_cap = cs_grow(o->dot_cap, o->dot_len + 1);
        o->dot = cs_realloc_array(o->dot, o->dot_cap, sizeof *o->dot);
    }
    uint32_t id = (uint32_t)o->dot_len++;
    o->dot[id] = (or_dot_t){
        .rid = rid, .ctr = ctr, .bucket = bucket, .store = store, .renamed = OR_NONE};
    or_list(o, id);
    return id;
}

/* --- removals */

void or_log_push(or_log_t *log, or_event_t event)
{
    if (log->len == log->cap) {
        log->cap = cs_grow(log->cap, log->len + 1);
        log->at = cs_realloc_array(log->at, log->cap, sizeof *log->at);
    }
    log->at[log->len++] = event;
}

/* Nobody can conclude anything about a dot that the remover's own `seen` does not cover: it may
 * be dead there by an entry's context alone, and live at somebody who covers the number of the
 * removal by equality with one who never had it (core.md 6.1). */
static void purge_push(or_batch_t *batch, uint32_t id)
{
    cs_oracle_t *o = batch->o;
    or_node_t *node = batch->node;
    or_purges_t *purges = &o->rid[node->rid].purges;
    const or_dot_t *dot = &o->dot[id];
    if (node->local.len == 0) return;
    if (or_slot_of(&o->seen, o->rid[dot->rid].rid) < dot->ctr) return;
    if (purges->len == purges->cap) {
        purges->cap = cs_grow(purges->cap, purges->len + 1);
        purges->at = cs_realloc_array(purges->at, purges->cap, sizeof *purges->at);
    }
    uint32_t mint = node->local.at[node->local.len - 1].mint;
    purges->at[purges->len++] = (or_purge_t){node->ctr, mint, id};
}

void or_removed(or_batch_t *batch, uint32_t id)
{
    cs_oracle_t *o = batch->o;
    or_dot_t *dot = &o->dot[id];
    if (or_is_removed(dot)) { /* it may have heard of that by a join in the same batch */
        dot->maybe_by |= batch->bit;
        return;
    }
    dot->removed_by |= batch->bit;
    or_event_t event = {.id = ++o->events, .first = batch->ctr_before + 1, .dot = id};
    or_log_push(&batch->node->log, event);
    purge_push(batch, id);
}

void or_doubt(cs_oracle_t *o, unsigned node, uint32_t id)
{
    or_dot_t *dot = &o->dot[id];
    uint64_t bit = 1ull << node;
    if ((dot->removed_by & bit) == 0) return;
    dot->removed_by &= ~bit;
    dot->maybe_by |= bit;
}

/* --- rows */

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

or_entry_t *or_entry_new(const or_values_t *values, const or_slots_t *ctx, cs_slice_t bytes,
                         size_t live)
{
    size_t head = padded(sizeof(or_entry_t)), lives = values->len * sizeof(or_live_t);
    size_t slots = ctx->len * sizeof(or_slot_t);
    uint8_t *block = cs_malloc(head + lives + slots + bytes.len);
    or_entry_t *entry = (or_entry_t *)(void *)block;
    *entry = (or_entry_t){.refs = 1,
                          .live_len = (uint32_t)values->len,
                          .ctx_len = (uint32_t)ctx->len,
                          .bytes_len = live,
                          .live = (or_live_t *)(void *)(block + head),
                          .ctx = (or_slot_t *)(void *)(block + head + lives),
                          .bytes = block + head + lives + slots,
                          .all_len = bytes.len};
    for (size_t i = 0; i < values->len; i++) {
        const or_value_t *v = &values->at[i];
        entry->live[i] = (or_live_t){v->rid, v->ctr, OR_NONE, v->store};
    }
    if (ctx->len > 0) memcpy(entry->ctx, ctx->at, slots);
    memcpy(entry->bytes, bytes.data, bytes.len);
    return entry;
}

or_entry_t *or_entry_ref(or_entry_t *entry)
{
    if (entry != NULL) entry->refs++;
    return entry;
}

void or_entry_unref(or_entry_t **entry_p)
{
    or_entry_t *entry = *entry_p;
    *entry_p = NULL;
    if (entry != NULL && --entry->refs == 0) cs_free(entry);
}

const uint8_t *or_entry_term(const cs_oracle_t *o, or_entry_t *entry)
{
    uint8_t hash[64]; /* the second half names the entry in exchanges */
    if (entry->term_known) return entry->term;
    crypto_generichash(hash, sizeof hash, entry->bytes, entry->bytes_len, o->key_item,
                       sizeof o->key_item);
    memcpy(entry->term, hash, sizeof entry->term);
    entry->term_known = true;
    return entry->term;
}

void or_sum(uint8_t sum[OR_HASH], const uint8_t term[OR_HASH], bool add)
{
    int carry = 0;
    for (size_t i = 0; i < OR_HASH; i++) {
        int digit = add ? sum[i] + term[i] + carry : sum[i] - term[i] - carry;
        carry = add ? digit > 255 : digit < 0;
        sum[i] = (uint8_t)(digit & 255);
    }
}

uint64_t or_ctx_of(const or_entry_t *entry, uint64_t rid)
{
    for (uint32_t i = 0; entry != NULL && i < entry->ctx_len; i++) {
        if (entry->ctx[i].rid == rid) return entry->ctx[i].ctr;
    }
    return 0;
}
