/* peer_exchange.c - what travels between peers. */
#include "base/mem.h"
#include "support/peer.h"

#include <string.h>

static const cs_entry_t *entry_of(cs_peer_t *peer, const cs_bucket_t *bucket)
{
    const cs_cell_t *cell = cs__cell_get(peer->replica, bucket);
    return cell == NULL ? NULL : &cell->entry;
}

bool cs_peer_send(cs_peer_t *from, cs_peer_t *to, const cs_bucket_t *bucket, const cs_vv_t *ib)
{
    const cs_entry_t *entry = entry_of(from, bucket);
    if (entry == NULL) return true;
    cs_entry_t joined;
    cs_join_result_t result = {0};
    cs_entry_init(&joined, bucket);
    cs_err_t err = cs_replica_join(to->replica, entry, ib, &joined, &result);
    cs_entry_fini(&joined);
    return err == CS_OK && cs_dot_is_null(result.reuse);
}

/* The join that travels back: always the result, never what the store kept (core.md 6.2). */
static void push_pull(cs_peer_t *from, cs_peer_t *to, const cs_entry_t *pushed,
                      const cs_vv_t *ib_from, const cs_vv_t *ib_to)
{
    cs_entry_t joined, back;
    cs_join_result_t result = {0};
    cs_entry_init(&joined, &pushed->bucket);
    cs_entry_init(&back, &pushed->bucket);
    cs_err_t err = cs_replica_join(to->replica, pushed, ib_from, &joined, &result);
    CS_ASSERT(err == CS_OK);
    if (!cs_dot_is_null(result.reuse)) to->reused = true;
    if (result.differs) {
        err = cs_replica_join(from->replica, &joined, ib_to, &back, &result);
        CS_ASSERT(err == CS_OK);
        if (!cs_dot_is_null(result.reuse)) from->reused = true;
    }
    cs_entry_fini(&joined);
    cs_entry_fini(&back);
}

static bool same_entry(cs_peer_t *a, cs_peer_t *b, const cs_bucket_t *bucket)
{
    cs_entry_t none;
    cs_entry_init(&none, bucket);
    const cs_entry_t *x = entry_of(a, bucket), *y = entry_of(b, bucket);
    return cs__live_eq(x != NULL ? x : &none, y != NULL ? y : &none);
}

static void exchange_bucket(cs_peer_t *a, cs_peer_t *b, const cs_bucket_t *bucket,
                            const cs_vv_t *ib_a, const cs_vv_t *ib_b)
{
    cs_entry_t x, y;
    cs_entry_init(&x, bucket);
    cs_entry_init(&y, bucket);
    if (entry_of(a, bucket) != NULL) cs_entry_copy(&x, entry_of(a, bucket));
    if (entry_of(b, bucket) != NULL) cs_entry_copy(&y, entry_of(b, bucket));
    if (!cs_entry_is_dead(&y)) push_pull(b, a, &y, ib_b, ib_a);
    if (!cs_entry_is_dead(&x)) push_pull(a, b, &x, ib_a, ib_b);
    cs_entry_fini(&x);
    cs_entry_fini(&y);
}

static uint32_t claim(cs_peer_t *peer, const cs_vv_t *seen)
{
    if (cs_vv_covers(&peer->replica->state.seen, seen)) return 0;
    cs_err_t err = cs_replica_claim(peer->replica, seen);
    CS_ASSERT(err == CS_OK);
    return 1;
}

/* Buckets where the two differ, cheaply where both live in memory. */
static void differing(cs_peer_t *a, cs_peer_t *b, cs_buckets_t *ret)
{
    cs_onode_t *x = cs_peer_first(a, CS_T_ENTRY), *y = cs_peer_first(b, CS_T_ENTRY);
    ret->len = 0;
    while (x != NULL || y != NULL) {
        const cs_entry_t *mine = x != NULL ? &((cs_cell_t *)x->value)->entry : NULL;
        const cs_entry_t *its = y != NULL ? &((cs_cell_t *)y->value)->entry : NULL;
        int order = x == NULL   ? 1
                    : y == NULL ? -1
                                : memcmp(&mine->bucket, &its->bucket, CS_BUCKET_BYTES);
        const cs_entry_t *first = order > 0 ? its : mine;
        cs_entry_t none;
        cs_entry_init(&none, &first->bucket);
        bool same = cs__live_eq(first, order == 0 ? its : &none);
        if (!same) {
            if (ret->len == ret->cap) {
                ret->cap = (uint32_t)cs_grow(ret->cap, ret->len + 8u);
                ret->at = cs_realloc_array(ret->at, ret->cap, sizeof *ret->at);
            }
            ret->at[ret->len++] = first->bucket;
        }
        if (order <= 0) x = cs_peer_next(x);
        if (order >= 0) y = cs_peer_next(y);
    }
}

uint32_t cs_peer_exchange(cs_peer_t *a, cs_peer_t *b, bool with_ib)
{
    static cs_buckets_t buckets;
    cs_vv_t seen_a = {0}, seen_b = {0};
    cs_vv_copy(&seen_a, &a->replica->state.seen);
    cs_vv_copy(&seen_b, &b->replica->state.seen);
    differing(a, b, &buckets);
    const cs_vv_t *ib_a = with_ib ? &seen_a : NULL, *ib_b = with_ib ? &seen_b : NULL;
    bool equal = true;
    uint32_t changes = buckets.len;
    for (uint32_t i = 0; i < buckets.len; i++) {
        exchange_bucket(a, b, &buckets.at[i], ib_a, ib_b);
        equal = equal && same_entry(a, b, &buckets.at[i]);
    }
    if (equal) changes += claim(a, &seen_b) + claim(b, &seen_a);
    cs_vv_fini(&seen_a);
    cs_vv_fini(&seen_b);
    return changes;
}

void cs_peer_exchange_all(cs_peer_t **peers, uint32_t len)
{
    uint32_t changes = 1;
    for (int round = 0; round < 6 && changes > 0; round++) {
        changes = 0;
        for (uint32_t i = 0; i < len; i++) {
            for (uint32_t j = i + 1; j < len; j++) {
                bool forth = ((uint32_t)round + i + j) % 2 == 0; /* either may begin */
                cs_peer_t *first = peers[forth ? i : j], *second = peers[forth ? j : i];
                changes += cs_peer_exchange(first, second, (i + j) % 2 == 0);
            }
        }
        for (uint32_t i = 0; i < len; i++)
            cs_replica_gc(peers[i]->replica, UINT32_MAX, NULL, NULL);
    }
}
