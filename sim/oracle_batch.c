/* oracle_batch.c - a batch that is durable: its state record, then its rows, then what `seen`
 * claims of all. */
#include <string.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

#define NUMBERS_MAX (1u << 20) /* minted in one batch: some for each of CS_BATCH_OPS_MAX */

/* --- what is in it */

static bool is_ours(const cs_oracle_t *o, cs_slice_t key, cs_slice_t *ret_rest)
{
    if (key.len < 4) return false;
    uint32_t folder = (uint32_t)key.data[0] << 24 | (uint32_t)key.data[1] << 16 |
                      (uint32_t)key.data[2] << 8 | key.data[3];
    *ret_rest = cs_slice(key.data + 4, key.len - 4);
    return folder == o->config.folder;
}

static void touch(cs_oracle_t *o, cs_slice_t rest, cs_slice_t value, bool deleted)
{
    if (rest.len != 2 + OR_BUCKET || rest.data[0] != 'e' || rest.data[1] != '/') return;
    uint32_t id = or_bucket_make(o, rest.data + 2);
    or_bucket_t *bucket = &o->bucket[id];
    if (bucket->stamp != o->batches) {
        if (o->touch_len == o->touch_cap) {
            o->touch_cap = cs_grow(o->touch_cap, o->touch_len + 1);
            o->touch = cs_realloc_array(o->touch, o->touch_cap, sizeof *o->touch);
        }
        bucket->stamp = o->batches;
        bucket->touched = o->touch_len++;
    }
    o->touch[bucket->touched] = (or_touch_t){id, deleted, value}; /* the last one counts */
}

static void on_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    or_batch_t *batch = arg;
    cs_slice_t rest;
    if (!is_ours(batch->o, key, &rest)) return;
    if (cs_slice_eq(rest, cs_slice_text("m/state"))) {
        batch->state_bytes = value;
    } else {
        touch(batch->o, rest, value, false);
    }
}

static void on_delete(void *arg, cs_slice_t key)
{
    or_batch_t *batch = arg;
    cs_slice_t rest;
    if (is_ours(batch->o, key, &rest)) touch(batch->o, rest, (cs_slice_t){0}, true);
}

/* --- a new replica id */

/* The rows are believed, what was known is not: numbers keep their names, the id retires. */
static void forget(or_batch_t *batch, uint32_t rid)
{
    or_node_t *node = batch->node;
    or_give(batch->o, batch->index, node->ctr);
    node->rid = rid;
    node->ctr = node->exposed = batch->ctr_before = 0;
    node->local.len = node->log.len = node->log.exposed = 0;
    if (node->seen_len > 0) memset(node->seen, 0, node->seen_len * sizeof *node->seen);
    node->doubtful = false;
}

/* (old, exposed + i) becomes (new, i). Who may know the old ones keeps them: a lost future. */
static void rename_numbers(or_batch_t *batch, uint32_t rid)
{
    cs_oracle_t *o = batch->o;
    or_node_t *node = batch->node;
    batch->old_rid = node->rid;
    batch->cut = node->exposed;
    for (size_t i = 0; i < node->local.len; i++) {
        uint32_t old = node->local.at[i].dot;
        node->local.at[i].dot = OR_NONE;
        if (old == OR_NONE || (o->dot[old].live_at & batch->bit) == 0) continue;
        uint32_t now = or_dot_make(o, rid, i + 1, o->dot[old].bucket, o->dot[old].store);
        o->dot[old].renamed = now;
        o->dot[now].renamed = old;
        node->local.at[i].dot = now;
    }
    for (size_t i = 0; i < node->log.len; i++) {
        or_event_t *event = &node->log.at[i];
        const or_dot_t *dot = &o->dot[event->dot];
        if (dot->rid == batch->old_rid && dot->ctr > batch->cut) {
            or_doubt(o, batch->index, event->dot);
            event->doubted = true;
        }
        if (i >= node->log.exposed) event->first -= batch->cut;
    }
    node->rid = rid;
    node->exposed = 0;
    node->ctr -= batch->cut;
    batch->ctr_before = node->ctr;
    node->doubtful = false;
}

static void finish_renames(or_batch_t *batch)
{
    cs_oracle_t *o = batch->o;
    for (size_t i = 0; batch->old_rid != OR_NONE && i < batch->ctr_before; i++) {
        uint32_t id = batch->node->local.at[i].dot;
        if (id == OR_NONE || o->dot[id].renamed == OR_NONE) continue;
        or_dot_t *now = &o->dot[id], *old = &o->dot[now->renamed];
        if ((old->live_at & batch->bit) != 0) {
            or_fail(o, batch->index, now->renamed, "a dot kept the name of an old incarnation");
        }
        now->renamed = old->renamed = OR_NONE;
        if (old->live_at == 0) old->orphan = true;
        if ((now->live_at & batch->bit) != 0 || or_is_removed(now)) continue;
        if (batch->operates) {
            or_removed(batch, id);
        } else {
            or_fail(o, batch->index, id, "I3: a dot was lost when it was renamed");
        }
    }
}

/* --- the state record */

static void check_succession(or_batch_t *batch, uint32_t known)
{
    cs_oracle_t *o = batch->o;
    const or_state_t *state = &batch->state;
    or_node_t *node = batch->node;
    bool same = known != OR_NONE && known == node->rid;
    if (state->exposed > state->ctr) or_fail(o, batch->index, OR_NONE, "I8: exposed > ctr");
    if (!same && known != OR_NONE) {
        or_fail(o, batch->index, OR_NONE, "I8: a new incarnation took a used id, %llx",
                (unsigned long long)state->rid);
    }
    if (!same) return;
    if (node->damaged) or_fail(o, batch->index, OR_NONE, "lost rows went unnoticed");
    if (state->ctr < node->ctr) or_fail(o, batch->index, OR_NONE, "I8: ctr went back");
    if (state->exposed < node->exposed) {
        or_fail(o, batch->index, OR_NONE, "I8: exposed went back");
    }
}

static void begin_state(or_batch_t *batch)
{
    cs_oracle_t *o = batch->o;
    or_node_t *node = batch->node;
    uint32_t known = or_rid_find(o, batch->state.rid);
    check_succession(batch, known);
    if (or_failed(o)) return;
    uint32_t rid = or_rid_make(o, batch->state.rid);
    batch->ctr_before = node->ctr;
    if (node->rid == OR_NONE) {
        node->rid = rid;
    } else if (node->rid != rid && node->damaged) {
        forget(batch, rid);
    } else if (node->rid != rid) {
        rename_numbers(batch, rid);
    }
    node->damaged = false;
    o->rid[rid].holder = batch->index;

    uint64_t ctr = batch->state.ctr;
    if (ctr < batch->ctr_before || ctr - batch->ctr_before > NUMBERS_MAX) {
        or_fail(o, batch->index, OR_NONE, "I8: ctr is %llu after %llu", (unsigned long long)ctr,
                (unsigned long long)batch->ctr_before);
    } else if (ctr > batch->ctr_before && !batch->local) {
        or_fail(o, batch->index, OR_NONE, "I8: numbers minted in a batch of no scan");
    }
    if (or_failed(o)) return;
    batch->operates = ctr > batch->ctr_before;
    for (uint64_t i = batch->ctr_before; i < ctr; i++) {
        or_numbers_push(&node->local, (or_number_t){++o->mints, OR_NONE});
    }
    node->minted += ctr - batch->ctr_before;
    node->ctr = ctr;
}

/* --- seen */

static void seen_reserve(cs_oracle_t *o, or_node_t *node)
{
    if (o->seen_new_cap < o->rid_len) {
        o->seen_new_cap = cs_grow(o->seen_new_cap, o->rid_len);
        o->seen_new = cs_realloc_array(o->seen_new, o->seen_new_cap, sizeof *o->seen_new);
    }
    memset(o->seen_new, 0, o->rid_len * sizeof *o->seen_new);
    if (node->seen_len == o->rid_len) return;
    node->seen = cs_realloc_array(node->seen, o->rid_len, sizeof *node->seen);
    memset(node->seen + node->seen_len, 0, (o->rid_len - node->seen_len) * sizeof *node->seen);
    node->seen_len = o->rid_len;
}

static void check_claim(const or_batch_t *batch, uint32_t rid, uint64_t from, uint64_t to)
{
    cs_oracle_t *o = batch->o;
    if (or_number(o, batch->node, rid, to) == NULL) {
        or_fail(o, batch->index, OR_NONE,
                "I8: seen names %llx:%llx, which was never given away",
                (unsigned long long)o->rid[rid].rid, (unsigned long long)to);
        return;
    }
    for (uint64_t ctr = from + 1; ctr <= to; ctr++) {
        uint32_t id = or_number(o, batch->node, rid, ctr)->dot;
        if (id == OR_NONE || (o->dot[id].live_at & batch->bit) != 0) continue;
        if (!or_is_owed(o, id)) continue;
        or_fail(o, batch->index, id, "overclaim: seen covers what is neither live nor removed");
        return;
    }
}

/* Core.md 12, I8: what somebody removed who had it in `seen`, by a number that is covered, is
 * not live here. */
static void check_purges(const or_batch_t *batch, uint32_t rid, uint64_t from, uint64_t to)
{
    cs_oracle_t *o = batch->o;
    const or_purges_t *purges = &o->rid[rid].purges;
    for (size_t i = purges->len; i-- > 0;) {
        const or_purge_t *purge = &purges->at[i];
        const or_dot_t *dot = &o->dot[purge->dot];
        if (purge->ctr <= from || purge->ctr > to) continue;
        if ((dot->live_at & batch->bit) == 0 || dot->removed_by == 0) continue;
        const or_number_t *number = or_number(o, batch->node, rid, purge->ctr);
        if (number == NULL || number->mint != purge->mint) continue; /* another future's */
        if (or_is_tainted(o, dot->rid, dot->ctr)) continue;
        or_fail(o, batch->index, purge->dot,
                "overclaim: seen covers %llx:%llx, which removed what is live",
                (unsigned long long)o->rid[rid].rid, (unsigned long long)purge->ctr);
        return;
    }
}

static void check_seen(or_batch_t *batch)
{
    cs_oracle_t *o = batch->o;
    or_node_t *node = batch->node;
    seen_reserve(o, node);
    for (size_t i = 0; i < o->seen.len; i++) {
        uint32_t rid = or_rid_find(o, o->seen.at[i].rid);
        if (rid == OR_NONE) {
            or_fail(o, batch->index, OR_NONE, "I8: seen names a replica that never was");
        } else {
            o->seen_new[rid] = o->seen.at[i].ctr;
        }
    }
    if (!or_failed(o) && o->seen_new[node->rid] != node->ctr) {
        or_fail(o, batch->index, OR_NONE, "seen of one's own is not ctr");
    }
    for (uint32_t rid = 0; rid < o->rid_len && !or_failed(o); rid++) {
        uint64_t was = node->seen[rid], is = o->seen_new[rid];
        bool renamed = rid == batch->old_rid && is >= batch->cut;
        if (is < was && !renamed) {
            or_fail(o, batch->index, OR_NONE, "I7: seen of %llx shrank",
                    (unsigned long long)o->rid[rid].rid);
        }
        if (is > was) check_claim(batch, rid, was, is);
        if (is > was && rid != node->rid && !or_failed(o)) check_purges(batch, rid, was, is);
        node->seen[rid] = is;
    }
}

static void check_sums(const or_batch_t *batch)
{
    or_node_t *node = batch->node;
    node->n = batch->state.n;
    memcpy(node->root, batch->state.root, OR_HASH);
    if (node->n != node->live) {
        or_fail(batch->o, batch->index, OR_NONE, "I1: n is %llu of %llu live entries",
                (unsigned long long)node->n, (unsigned long long)node->live);
    }
    if (batch->o->config.roots && memcmp(node->root, node->sum, OR_HASH) != 0) {
        or_fail(batch->o, batch->index, OR_NONE, "I1: root is not the sum of the entries");
    }
}

/* --- the batch */

static void judge(or_batch_t *batch)
{
    cs_oracle_t *o = batch->o;
    cs_slice_t bytes;
    if (batch->state_bytes.data == NULL) {
        if (o->touch_len > 0) {
            or_fail(o, batch->index, OR_NONE, "rows of e/ without the state record");
        }
        return;
    }
    if (!or_unseal(batch->state_bytes, &bytes) ||
        !or_read_state(bytes, &batch->state, &o->seen)) {
        or_fail(o, batch->index, OR_NONE, "m/state cannot be read");
        return;
    }
    begin_state(batch);
    for (size_t i = 0; i < o->touch_len && !or_failed(o); i++) {
        or_entry_changed(batch, &o->touch[i]);
    }
    if (!or_failed(o)) finish_renames(batch);
    if (!or_failed(o)) check_seen(batch);
    if (!or_failed(o)) check_sums(batch);
    if (!or_failed(o)) or_give(o, batch->index, batch->state.exposed);
}

void cs_oracle_wrote(cs_oracle_t *oracle, unsigned node, const cs_batch_t *batch, bool local)
{
    CS_ASSERT(node < oracle->config.node_count);
    if (or_failed(oracle)) return;
    or_batch_t work = {.o = oracle,
                       .node = &oracle->node[node],
                       .index = node,
                       .bit = 1ull << node,
                       .local = local,
                       .old_rid = OR_NONE};
    oracle->batches++;
    oracle->touch_len = 0;
    cs_batch_each(batch, &work, on_put, on_delete);
    judge(&work);
}
