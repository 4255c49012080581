/* join.c - the join of two states of an entry (core.md 3): one merge of sorted arrays a store.
 */
#include "crdt/dots.h"

/* One side of a join. */
typedef struct cs_side {
    const cs_vv_t *ctx, *implicit; /* implicit may be NULL */
} cs_side_t;

/* True if the effective context, ctx joined with the implicit one, covers `dot`. */
static bool side_knows(cs_side_t side, cs_dot_t dot)
{
    return cs_vv_has(side.ctx, dot) || (side.implicit != NULL && cs_vv_has(side.implicit, dot));
}

/* Of two values of one dot the one whose encoding is larger bytewise, so that join commutes. */
static const void *larger(const cs_dottype_t *type, const void *a, const void *b)
{
    cs_buf_t x = {0}, y = {0};
    cs__value_encode(type, a, &x);
    cs__value_encode(type, b, &y);
    const void *winner = cs_slice_cmp(cs_buf_slice(&x), cs_buf_slice(&y)) >= 0 ? a : b;
    cs_buf_fini(&x);
    cs_buf_fini(&y);
    return winner;
}

/* Live in the join: what both have, and what only one has and the other does not know. */
static void join_store(cs_dots_t a, cs_side_t a_side, cs_dots_t b, cs_side_t b_side,
                       cs_dots_t *ret, cs_dot_t *ret_reuse)
{
    uint32_t i = 0, k = 0;
    while (i < a.len || k < b.len) {
        int order = i == a.len   ? 1
                    : k == b.len ? -1
                                 : cs_dot_cmp(cs__dots_dot(&a, i), cs__dots_dot(&b, k));
        if (order < 0) {
            if (!side_knows(b_side, cs__dots_dot(&a, i))) {
                cs__dots_push_ref(ret, cs__dots_at(&a, i));
            }
            i++;
        } else if (order > 0) {
            if (!side_knows(a_side, cs__dots_dot(&b, k))) {
                cs__dots_push_ref(ret, cs__dots_at(&b, k));
            }
            k++;
        } else {
            const void *value = cs__dots_at(&a, i), *twin = cs__dots_at(&b, k);
            if (!a.type->eq(value, twin)) {
                if (cs_dot_is_null(*ret_reuse)) *ret_reuse = cs__dots_dot(&a, i);
                value = larger(a.type, value, twin);
            }
            cs__dots_push_ref(ret, value);
            i++, k++;
        }
    }
}

cs_err_t cs_entry_join(const cs_entry_t *a, const cs_vv_t *ia, const cs_entry_t *b,
                       const cs_vv_t *ib, cs_entry_t *ret, cs_dot_t *ret_reuse)
{
    static const cs_dotstore_t stores[] = {CS_L, CS_K, CS_A};
    CS_ASSERT(ret != a && ret != b);
    cs_side_t a_side = {&a->ctx, ia}, b_side = {&b->ctx, ib};
    cs_dot_t reuse = {0};

    ret->bucket = a->bucket;
    cs_vv_copy(&ret->ctx, &a->ctx);
    /* W: this covers every dot of both, so that a kill by an implicit context becomes explicit.
     */
    cs_err_t err = cs_vv_merge(&ret->ctx, &b->ctx);
    for (size_t i = 0; i < CS_COUNT_OF(stores); i++) {
        cs_dots_t x = cs__dots_get(a, stores[i]), y = cs__dots_get(b, stores[i]);
        cs_dots_t joined = cs__dots_get(ret, stores[i]);
        cs__dots_clear(&joined);
        cs__dots_reserve(&joined, x.len + y.len);
        join_store(x, a_side, y, b_side, &joined, &reuse);
        cs__dots_set(ret, stores[i], joined);
    }
    if (err == CS_OK && !cs_entry_fits(ret)) err = CS_ERR_LIMIT;
    if (err != CS_OK) {
        cs_entry_fini(ret);
        reuse = (cs_dot_t){0};
    }
    if (ret_reuse != NULL) *ret_reuse = reuse;
    return err;
}
