/* entry_test.c - values added, removed and found; invariant W; limits. */
#include <criterion/criterion.h>

#include "crdt/entry.h"

static cs_kval_t content(cs_dot_t dot, cs_dot_t lin, const char *path)
{
    return (cs_kval_t){.dot = dot,
                       .lin = lin,
                       .gen = 1,
                       .content = {.kind = CS_KIND_FILE, .hash = {1, 2, 3}, .size = 5},
                       .attr = {.mode = 0644},
                       .path = cs_str_from(path)};
}

static cs_lval_t location(cs_dot_t dot, cs_dot_t lin, const char *path)
{
    return (cs_lval_t){
        .dot = dot, .lin = lin, .gen = 1, .how = CS_STAY, .path = cs_str_from(path)};
}

Test(entry, encodes_and_decodes_to_the_same_state)
{
    cs_entry_t entry = {0}, again = {0}, joined = {0};
    cs_dot_t k = {7, 1}, l = {7, 2};
    cs_kval_t kval = content(k, k, "dir/r.txt");
    cs_lval_t lval = location(l, k, "dir/r.txt");
    cr_assert_eq(cs_entry_add_k(&entry, &kval), CS_OK);
    cr_assert_eq(cs_entry_add_l(&entry, &lval), CS_OK);
    cs_buf_t bytes = {0};
    cs_entry_encode(&entry, &bytes);
    cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &again), CS_OK);
    cr_assert(cs_entry_live_eq(&entry, &again));
    cr_assert(cs_vv_eq(&entry.ctx, &again.ctx));
    cr_assert_eq(again.k[0].path, again.l[0].path, "the path is shared");
    cs_dot_t reuse;
    cr_assert_eq(cs_entry_join(&entry, NULL, &again, NULL, &joined, &reuse), CS_OK);
    cr_assert(cs_entry_live_eq(&entry, &joined));
    cr_assert(cs_dot_is_null(reuse));
    cr_assert(cs_entry_remove(&again, CS_K, k));
    cr_assert(!cs_entry_remove(&again, CS_K, k));
    cr_assert_eq(cs_entry_join(&entry, NULL, &again, NULL, &joined, NULL), CS_OK);
    cr_assert_eq(joined.k_len, 0);
    cr_assert_eq(joined.l_len, 1);
    cs_buf_fini(&bytes);
    cs_entry_fini(&entry);
    cs_entry_fini(&again);
    cs_entry_fini(&joined);
}
