/* oracle_entry.c - one row of a batch against the one before: what appeared, what vanished,
 * what it claims to know. */
#include <string.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

static int live_order(const or_live_t *a, const or_live_t *b)
{
    if (a->store != b->store) return a->store < b->store ? -1 : 1;
    if (a->rid != b->rid) return a->rid < b->rid ? -1 : 1;
    return (a->ctr > b->ctr) - (a->ctr < b->ctr);
}

/* --- one dot */

/* Why nobody but its own replica could know it; dot of no record, so the number says it. */
static void fail_unknown(const or_batch_t *batch, const or_live_t *live, uint32_t rid)
{
    cs_oracle_t *o = batch->o;
    const char *why = "is of a replica that never was";
    if (rid != OR_NONE && rid == batch->node->rid) {
        why = "is beyond ctr";
    } else if (rid != OR_NONE) {
        const or_node_t *holder = &o->node[o->rid[rid].holder];
        bool minted = holder->rid == rid && live->ctr <= holder->ctr;
        why =
            minted ? "left before `exposed` covered it" : "was minted by a stranger, or never";
    }
    or_fail(o, batch->index, OR_NONE, "I8: a live dot %llx:%llx %s",
            (unsigned long long)live->rid, (unsigned long long)live->ctr, why);
}

static void check_same(const or_batch_t *batch, uint32_t id, const or_value_t *v,
                       uint32_t bucket)
{
    cs_oracle_t *o = batch->o;
    const or_dot_t *dot = &o->dot[id];
    if (or_is_tainted(o, dot->rid, dot->ctr)) return;
    bool same = dot->store == v->store && dot->bucket == bucket &&
                dot->value_len == v->bytes.len &&
                memcmp(dot->value, v->bytes.data, v->bytes.len) == 0;
    if (!same) or_fail(o, batch->index, id, "I7: a dot has another value here");
}

/* Known to the node before this batch, and not live. */
static bool was_dead(const or_batch_t *batch, const or_entry_t *old, const or_live_t *live,
                     uint32_t rid)
{
    if (rid == batch->node->rid && live->ctr > batch->ctr_before) return false;
    if (rid == batch->old_rid && live->ctr > batch->cut) return false; /* a lost future's */
    bool seen = rid < batch->node->seen_len && batch->node->seen[rid] >= live->ctr;
    return seen || or_ctx_of(old, live->rid) >= live->ctr;
}

static bool is_in(const or_value_t *v, uint64_t lin_rid, uint64_t lin_ctr)
{
    return v->lin_rid == lin_rid && v->lin_ctr == lin_ctr;
}

/* A value without a path, of a mode, is where its lineage is. A location loses its hint when
 * the file is edited where another location, of a concurrent move, shows it. What is split off,
 * because a mode that was given elsewhere is not its own, was of that lineage: see `split`. */
static bool is_of(const or_value_t *v, const or_value_t *split, const or_value_t *other)
{
    bool follows = v->path.len == 0 || (v->store == OR_L && v->kind == 0);
    return v == other || (follows && is_in(other, v->lin_rid, v->lin_ctr)) ||
           (follows && split != NULL && is_in(other, split->lin_rid, split->lin_ctr));
}

/* The content of which v made a lineage of its own. */
static const or_value_t *split_of(const cs_oracle_t *o, const or_value_t *v)
{
    for (size_t i = 0; i < o->values.len; i++) {
        const or_value_t *k = &o->values.at[i];
        bool own = k->rid == k->lin_rid && k->ctr == k->lin_ctr;
        if (k->store == OR_K && !own && k->rid == v->lin_rid && k->ctr == v->lin_ctr) return k;
    }
    return NULL;
}

/* Somebody took the file away from there: the user's disk shows it there still, and what he
 * does to it there gives their modes to the lineage's other files. */
static bool did_where_it_was(const or_batch_t *batch, uint32_t id, const or_value_t *v)
{
    const cs_oracle_t *o = batch->o;
    for (uint32_t i = 0; i < o->dot_len; i++) {
        const or_dot_t *dot = &o->dot[i];
        or_value_t was;
        bool places = dot->store != OR_A && dot->value != NULL;
        if (!places || dot->bucket != o->dot[id].bucket) continue;
        if (or_read_value(cs_slice(dot->value, dot->value_len), dot->store, &was) &&
            is_in(&was, v->lin_rid, v->lin_ctr) &&
            o->config.touched(o->config.arg, batch->index, was.path)) {
            return true;
        }
    }
    return false;
}

/* What a scan mints is what its user did: at the place where the lineage is, or was. */
static void check_reason(const or_batch_t *batch, uint32_t id, const or_value_t *v)
{
    cs_oracle_t *o = batch->o;
    bool has_path = false;
    if (o->config.touched == NULL) return;
    const or_value_t *split = split_of(o, v);
    for (size_t i = 0; i < o->values.len; i++) {
        const or_value_t *other = &o->values.at[i];
        if (other->path.len == 0 || !is_of(v, split, other)) continue;
        if (o->config.touched(o->config.arg, batch->index, other->path)) return;
        has_path = true;
    }
    if (!has_path || (v->store == OR_A && did_where_it_was(batch, id, v))) return;
    or_fail(o, batch->index, id, "a scan minted what no user did");
}

static void appeared(or_batch_t *batch, const or_entry_t *old, uint32_t bucket, or_live_t *live,
                     const or_value_t *v)
{
    cs_oracle_t *o = batch->o;
    uint32_t rid = or_rid_find(o, live->rid);
    or_number_t *number = rid == OR_NONE ? NULL : or_number(o, batch->node, rid, live->ctr);
    if (number == NULL) {
        fail_unknown(batch, live, rid);
        return;
    }
    bool own = rid == batch->node->rid && live->ctr > batch->ctr_before;
    if (number->dot == OR_NONE) {
        number->dot = or_dot_make(o, rid, live->ctr, bucket, live->store);
        /* Removed in the batch that minted it, but a push of the time between got away. */
        if (!own) o->dot[number->dot].maybe_by |= 1ull << o->rid[rid].holder;
    }
    live->dot = number->dot;
    if (own) check_reason(batch, live->dot, v);
    or_dot_t *dot = &o->dot[live->dot];
    dot->live_at |= batch->bit;
    if (dot->value == NULL) or_dot_set_value(o, live->dot, v->bytes);
    check_same(batch, live->dot, v, bucket);
    if (!or_is_tainted(o, rid, live->ctr) && was_dead(batch, old, live, rid)) {
        or_fail(o, batch->index, live->dot, "I7: a dot that was dead here is live again");
    }
}

static void vanished(or_batch_t *batch, const or_live_t *live)
{
    cs_oracle_t *o = batch->o;
    or_dot_t *dot = &o->dot[live->dot];
    dot->live_at &= ~batch->bit;
    if (dot->renamed != OR_NONE) return; /* see finish_renames */
    if (batch->operates) {
        or_removed(batch, live->dot);
    } else if (!or_is_removed(dot) && !or_is_tainted(o, dot->rid, dot->ctr)) {
        or_fail(o, batch->index, live->dot, "I3: a dot vanished that nobody removed");
    }
}

static void compare_live(or_batch_t *batch, uint32_t bucket, const or_entry_t *old,
                         or_entry_t *now)
{
    uint32_t olds = old != NULL ? old->live_len : 0, news = now != NULL ? now->live_len : 0;
    uint32_t i = 0, k = 0;
    while (!or_failed(batch->o) && (i < olds || k < news)) {
        int order = i == olds ? 1 : k == news ? -1 : live_order(&old->live[i], &now->live[k]);
        if (order < 0) {
            vanished(batch, &old->live[i++]);
        } else if (order > 0) {
            appeared(batch, old, bucket, &now->live[k], &batch->o->values.at[k]);
            k++;
        } else if (batch->o->dot[old->live[i].dot].renamed != OR_NONE) {
            /* The node's own number, renamed in this batch; another future's came in its place.
             */
            vanished(batch, &old->live[i++]);
            appeared(batch, old, bucket, &now->live[k], &batch->o->values.at[k]);
            k++;
        } else {
            now->live[k].dot = old->live[i++].dot;
            check_same(batch, now->live[k].dot, &batch->o->values.at[k], bucket);
            k++;
        }
    }
}

/* --- what the row claims */

/* Names numbers that somebody may know, and covers what is live. */
static void check_ctx(const or_batch_t *batch, const or_entry_t *now)
{
    cs_oracle_t *o = batch->o;
    for (uint32_t i = 0; i < now->ctx_len; i++) {
        uint32_t rid = or_rid_find(o, now->ctx[i].rid);
        if (rid != OR_NONE && or_number(o, batch->node, rid, now->ctx[i].ctr) != NULL) continue;
        or_fail(o, batch->index, now->live_len > 0 ? now->live[0].dot : OR_NONE,
                "I8: ctx names %llx:%llx, which was never given away",
                (unsigned long long)now->ctx[i].rid, (unsigned long long)now->ctx[i].ctr);
        return;
    }
    for (uint32_t i = 0; i < now->live_len; i++) {
        const or_live_t *live = &now->live[i];
        if (or_ctx_of(now, live->rid) < live->ctr) {
            or_fail(o, batch->index, live->dot, "W: ctx does not cover a live dot");
        }
    }
}

/* ctx and seen together never know less than before. */
static void check_knowledge(const or_batch_t *batch, uint32_t bucket, const or_entry_t *old,
                            const or_entry_t *now)
{
    cs_oracle_t *o = batch->o;
    for (uint32_t i = 0; old != NULL && i < old->ctx_len; i++) {
        uint64_t rid = old->ctx[i].rid, need = old->ctx[i].ctr;
        if (or_ctx_of(now, rid) >= need || or_slot_of(&o->seen, rid) >= need) continue;
        bool renamed = batch->old_rid != OR_NONE && o->rid[batch->old_rid].rid == rid;
        if (renamed && need > batch->cut) continue;
        or_fail(o, batch->index,
                o->bucket[bucket].len > 0 ? o->bucket[bucket].dots[0] : OR_NONE,
                "I7: ctx of %llx:%llx is forgotten, and seen does not cover it",
                (unsigned long long)rid, (unsigned long long)need);
    }
}

/* Every dot of the bucket that is covered is live or removed. Where the row went and the batch
 * operates, `seen` may cover what was joined and removed in it. */
static void check_claims(or_batch_t *batch, uint32_t index, const or_entry_t *now)
{
    cs_oracle_t *o = batch->o;
    or_bucket_t *bucket = &o->bucket[index];
    for (size_t i = 0; i < bucket->len;) {
        uint32_t id = bucket->dots[i];
        or_dot_t *dot = &o->dot[id];
        if (or_is_removed(dot)) {
            dot->listed = false;
            bucket->dots[i] = bucket->dots[--bucket->len];
            continue;
        }
        i++;
        if ((dot->live_at & batch->bit) != 0 || !or_is_owed(o, id)) continue;
        uint64_t rid = o->rid[dot->rid].rid, known = or_ctx_of(now, rid);
        if (now == NULL && batch->operates) known = or_slot_of(&o->seen, rid);
        if (known < dot->ctr) continue;
        const or_number_t *number = or_number(o, batch->node, dot->rid, dot->ctr);
        if (number == NULL || number->dot != id) continue; /* another future's */
        if (batch->operates) {
            or_removed(batch, id);
        } else {
            or_fail(o, batch->index, id,
                    "overclaim: ctx covers what is neither live nor removed");
        }
    }
}

/* --- the row */

static or_entry_t *read_row(const or_batch_t *batch, const or_touch_t *touch)
{
    cs_oracle_t *o = batch->o;
    cs_slice_t bytes;
    size_t live;
    bool good = or_unseal(touch->value, &bytes) &&
                or_read_entry(bytes, &o->values, &o->ctx, &live) &&
                memcmp(bytes.data, o->bucket[touch->bucket].id, OR_BUCKET) == 0;
    if (good) return or_entry_new(&o->values, &o->ctx, bytes, live);
    or_fail(o, batch->index, OR_NONE, "a row of e/ cannot be read");
    return NULL;
}

static void count(const cs_oracle_t *o, or_node_t *node, or_entry_t *entry, bool add)
{
    if (entry == NULL || entry->live_len == 0) return;
    node->live = add ? node->live + 1 : node->live - 1;
    if (o->config.roots) or_sum(node->sum, or_entry_term(o, entry), add);
}

static bool same_bytes(const or_entry_t *a, const or_entry_t *b)
{
    return a != NULL && b != NULL && a->bytes_len == b->bytes_len &&
           memcmp(a->bytes, b->bytes, a->bytes_len) == 0;
}

void or_entry_changed(or_batch_t *batch, const or_touch_t *touch)
{
    cs_oracle_t *o = batch->o;
    or_entry_t **at = or_entry_at(o, touch->bucket, batch->index);
    or_entry_t *old = *at, *now = touch->deleted ? NULL : read_row(batch, touch);
    if (or_failed(o)) return;
    compare_live(batch, touch->bucket, old, now);
    if (!or_failed(o) && now != NULL) check_ctx(batch, now);
    if (!or_failed(o)) check_knowledge(batch, touch->bucket, old, now);
    if (!or_failed(o)) check_claims(batch, touch->bucket, now);
    if (!same_bytes(old, now)) {
        count(o, batch->node, old, false);
        count(o, batch->node, now, true);
    } else if (old->term_known) {
        now->term_known = true;
        memcpy(now->term, old->term, OR_HASH);
    }
    or_entry_unref(&old);
    *at = now;
}
