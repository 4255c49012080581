/* receive.c - entries of peers, and what they prove (core.md 3, 6.1, 6.4). */
#include "crdt/replica_i.h"

#include <string.h>

bool cs__live_eq(const cs_entry_t *a, const cs_entry_t *b)
{
    if (!CS_MUT(A_ENC)) return cs_entry_live_eq(a, b);
    if (a->l_len != b->l_len || a->k_len != b->k_len) return false;
    for (uint32_t i = 0; i < a->l_len; i++) {
        if (!cs_dot_eq(a->l[i].dot, b->l[i].dot)) return false;
    }
    for (uint32_t i = 0; i < a->k_len; i++) {
        if (!cs_dot_eq(a->k[i].dot, b->k[i].dot)) return false;
    }
    return true;
}

cs_err_t cs_replica_get(cs_replica_t *replica, const cs_bucket_t *bucket, cs_entry_t *ret)
{
    cs__trim(replica);
    const cs_cell_t *cell = cs__cell_get(replica, bucket);
    if (replica->ws.fault != CS_OK) return replica->ws.fault;
    if (cell != NULL) {
        cs_entry_copy(ret, &cell->entry);
    } else {
        cs_entry_fini(ret);
        cs_entry_init(ret, bucket);
    }
    return CS_OK;
}

/* A dead entry that `seen` covers is what an absent one means (core.md 6.1). */
static bool is_needless(const cs_replica_t *r, const cs_entry_t *entry)
{
    return cs_entry_is_dead(entry) && cs_vv_covers(&r->state.seen, &entry->ctx);
}

cs_err_t cs_replica_join(cs_replica_t *replica, const cs_entry_t *received, const cs_vv_t *ib,
                         cs_entry_t *ret_entry, cs_join_result_t *ret)
{
    const cs_bucket_t *bucket = &received->bucket;
    cs__trim(replica);
    cs_cell_t *cell = cs__cell_get(replica, bucket);
    if (replica->ws.fault != CS_OK) return replica->ws.fault;
    cs_entry_t none;
    cs_entry_init(&none, bucket);
    const cs_entry_t *mine = cell != NULL ? &cell->entry : &none;
    const cs_vv_t *ia = CS_MUT(NO_IMPLICIT) ? NULL : &replica->state.seen;

    cs_join_result_t result = {0};
    cs_err_t err = cs_entry_join(mine, ia, received, ib, ret_entry, &result.reuse);
    if (err != CS_OK) goto out;
    cs__hear(&replica->heard, received);
    result.changed = !cs_entry_live_eq(ret_entry, mine);
    result.differs = !cs__live_eq(ret_entry, received);
    bool store = result.changed || !cs_vv_eq(&ret_entry->ctx, &mine->ctx);
    if (cell == NULL && is_needless(replica, ret_entry)) store = false;
    if (store) {
        cell = cs__cell_make(replica, bucket);
        cs__cell_open(replica, cell);
        cs_entry_copy(&cell->entry, ret_entry);
        cs__cell_changed(replica, cell);
        cs__settle_dirty(replica);
    }
    if (CS_MUT(OVERCLAIM)) err = cs_vv_merge(&replica->state.seen, &received->ctx);
    *ret = result;
out:
    cs_entry_fini(&none);
    return err;
}

/* Beyond the limit a number is not remembered: one check of others' restored images less. */
void cs__hear(cs_vv_t *heard, const cs_entry_t *entry)
{
    if (cs_vv_covers(heard, &entry->ctx)) return;
    (void)!cs_vv_merge(heard, &entry->ctx);
}

const cs_vv_t *cs_replica_heard(const cs_replica_t *replica)
{
    return &replica->heard;
}

cs_err_t cs_replica_claim(cs_replica_t *replica, const cs_vv_t *peer_seen)
{
    if (cs_vv_covers(&replica->state.seen, peer_seen)) return CS_OK;
    cs_err_t err = cs_vv_merge(&replica->state.seen, peer_seen);
    if (err == CS_OK) replica->state_dirty = true;
    return err;
}

static bool names_above(const cs_dot_t dot, uint64_t rid, uint64_t limit)
{
    return dot.rid == rid && dot.ctr > limit;
}

bool cs_replica_regressed(const cs_replica_t *replica, const cs_vv_t *vv,
                          const cs_entry_t *entry)
{
    uint64_t me = replica->state.rid, limit = replica->state.exposed;
    if (CS_MUT(RESTORE_RID)) return false;
    if (CS_MUT(EXPOSED_CTR)) limit = replica->state.ctr;
    if (vv != NULL && cs_vv_get(vv, me) > limit) return true;
    if (entry == NULL || CS_MUT(EXPOSED_SEEN)) return false;
    if (cs_vv_get(&entry->ctx, me) > limit) return true;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        if (names_above(entry->l[i].dot, me, limit)) return true;
    }
    for (uint32_t i = 0; i < entry->k_len; i++) {
        if (names_above(entry->k[i].dot, me, limit)) return true;
    }
    for (uint32_t i = 0; i < entry->a_len; i++) {
        if (names_above(entry->a[i].dot, me, limit)) return true;
    }
    return false;
}
