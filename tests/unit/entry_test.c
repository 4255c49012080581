/* entry_test.c - values added, removed and found; lineages; invariant W; limits. */
#include <criterion/criterion.h>
#include <signal.h>

#include "support/entries.h"

static void add_l(cs_entry_t *entry, cs_dot_t dot, cs_dot_t lin)
{
    cs_lval_t l = test_lval(dot, lin, "dir/r.txt");
    cr_assert_eq(cs_entry_add_l(entry, &l), CS_OK);
}

static void add_k(cs_entry_t *entry, cs_dot_t dot, cs_dot_t lin)
{
    cs_kval_t k = test_kval(dot, lin, "dir/r.txt");
    cr_assert_eq(cs_entry_add_k(entry, &k), CS_OK);
}

static void add_a(cs_entry_t *entry, cs_dot_t dot, cs_dot_t lin)
{
    cs_aval_t a = test_aval(dot, lin, 0755);
    cr_assert_eq(cs_entry_add_a(entry, &a), CS_OK);
}

static const cs_dot_t k11 = {1, 1}, l12 = {1, 2}, a13 = {1, 3}, k21 = {2, 1};

/* A file created by replica 1, with a chmod, and a concurrent content of replica 2. */
static cs_entry_t file(void)
{
    cs_entry_t entry = {0};
    add_k(&entry, k21, k11);
    add_k(&entry, k11, k11);
    add_l(&entry, l12, k11);
    add_a(&entry, a13, k11);
    return entry;
}

Test(entry, add_keeps_dots_sorted_and_raises_ctx)
{
    cs_entry_t entry = file();
    cr_assert_eq(entry.k_len, 2);
    cr_assert(cs_dot_eq(entry.k[0].dot, k11));
    cr_assert(cs_dot_eq(entry.k[1].dot, k21));
    cr_assert_eq(cs_vv_get(&entry.ctx, 1), 3);
    cr_assert_eq(cs_vv_get(&entry.ctx, 2), 1);
    cs_entry_fini(&entry);
}

Test(entry, find_knows_live_dots_of_its_store_only)
{
    cs_entry_t entry = file();
    cr_assert_eq(cs_entry_find_k(&entry, k21), &entry.k[1]);
    cr_assert_eq(cs_entry_find_l(&entry, l12), &entry.l[0]);
    cr_assert_eq(cs_entry_find_a(&entry, a13), &entry.a[0]);
    cr_assert_null(cs_entry_find_k(&entry, l12));
    cr_assert_null(cs_entry_find_l(&entry, a13));
    cr_assert_null(cs_entry_find_a(&entry, (cs_dot_t){1, 4}));
    cs_entry_fini(&entry);
}

Test(entry, adding_a_live_dot_again_is_a_bug_of_ours, .signal = SIGABRT)
{
    cs_entry_t entry = file();
    add_k(&entry, k11, k11);
}

Test(entry, remove_erases_and_leaves_ctx_to_tell)
{
    cs_entry_t entry = file();
    cr_assert(cs_entry_remove(&entry, CS_K, k11));
    cr_assert_null(cs_entry_find_k(&entry, k11));
    cr_assert_not_null(cs_entry_find_k(&entry, k21));
    cr_assert(cs_vv_has(&entry.ctx, k11));
    cr_assert(!cs_entry_remove(&entry, CS_K, k11), "it is dead by now");
    cr_assert(cs_entry_remove(&entry, CS_K, k21));
    cr_assert(cs_entry_remove(&entry, CS_L, l12));
    cr_assert(!cs_entry_is_dead(&entry), "an attribute is left");
    cr_assert(cs_entry_remove(&entry, CS_A, a13));
    cr_assert(cs_entry_is_dead(&entry));
    cr_assert_eq(entry.ctx.len, 2);
    cs_entry_fini(&entry);
}

Test(entry, remove_of_a_dot_stripped_from_ctx_covers_it_again)
{
    cs_entry_t entry = file();
    cr_assert(cs_entry_remove(&entry, CS_K, k21));
    cs_entry_strip(&entry);
    cr_assert(!cs_vv_has(&entry.ctx, k21));
    cr_assert(!cs_entry_remove(&entry, CS_K, k21));
    cr_assert(cs_vv_has(&entry.ctx, k21));
    cs_entry_fini(&entry);
}

Test(entry, strip_leaves_the_greatest_live_dots_in_ctx)
{
    cs_entry_t entry = file();
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){1, 9}), CS_OK);
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){3, 1}), CS_OK);
    cr_assert(cs_entry_remove(&entry, CS_A, a13));
    cs_entry_strip(&entry);
    cr_assert_eq(entry.ctx.len, 2);
    cr_assert_eq(cs_vv_get(&entry.ctx, 1), 2);
    cr_assert_eq(cs_vv_get(&entry.ctx, 2), 1);
    cr_assert(cs_entry_remove(&entry, CS_L, l12));
    cr_assert(cs_entry_remove(&entry, CS_K, k11));
    cr_assert(cs_entry_remove(&entry, CS_K, k21));
    cs_entry_strip(&entry);
    cr_assert_eq(entry.ctx.len, 0);
    cs_entry_fini(&entry);
}

Test(entry, a_content_is_its_own_lineage_once_a_location_says_so)
{
    cs_entry_t entry = file();
    cr_assert(cs_dot_eq(cs_entry_owner(&entry, &entry.k[0]), k11));
    cr_assert(cs_dot_eq(cs_entry_owner(&entry, &entry.k[1]), k11));
    cr_assert(!cs_entry_owns_any(&entry, k21));

    add_l(&entry, (cs_dot_t){1, 4}, k21); /* split */
    cr_assert(cs_dot_eq(cs_entry_owner(&entry, &entry.k[1]), k21));
    cr_assert(cs_entry_owns_any(&entry, k21));
    cr_assert(cs_entry_owns_any(&entry, k11));
    cr_assert(cs_entry_remove(&entry, CS_K, k11));
    cr_assert(!cs_entry_owns_any(&entry, k11));
    cs_entry_fini(&entry);
}

Test(entry, copy_is_equal_and_independent)
{
    cs_entry_t entry = file(), copy = {0};
    add_k(&copy, (cs_dot_t){8, 8}, k11); /* replaced */
    cs_entry_copy(&copy, &entry);
    cr_assert(cs_entry_live_eq(&entry, &copy));
    cr_assert(cs_vv_eq(&entry.ctx, &copy.ctx));
    cs_entry_copy(&copy, &copy);
    cr_assert(cs_entry_live_eq(&entry, &copy));
    cr_assert(cs_entry_remove(&copy, CS_K, k11));
    cr_assert_not_null(cs_entry_find_k(&entry, k11));
    cs_entry_fini(&entry);
    cr_assert_eq(strcmp(copy.k[0].path->data, "dir/r.txt"), 0, "strings live on");
    cs_entry_fini(&copy);
}

/* One field of one value changed at a time: all of them are part of the state. */
Test(entry, live_eq_sees_every_field)
{
    cs_entry_t entry = file(), other = file();
    cs_kval_t *k = &other.k[0];
    cs_lval_t *l = &other.l[0];
    cs_aval_t *a = &other.a[0];
    struct {
        uint8_t *byte;
        const char *what;
    } fields[] = {
        {&other.bucket.b[15], "bucket"},
        {(uint8_t *)&k->dot.ctr, "K dot"},
        {(uint8_t *)&k->lin.rid, "K lin"},
        {(uint8_t *)&k->gen, "K gen"},
        {&k->content.kind, "K kind"},
        {&k->content.hash[31], "K hash"},
        {(uint8_t *)&k->content.size, "K size"},
        {(uint8_t *)&k->attr.mode, "K mode"},
        {(uint8_t *)&k->mtime_ns, "K mtime"},
        {(uint8_t *)&k->path->data[0], "K path"},
        {(uint8_t *)&l->dot.ctr, "L dot"},
        {(uint8_t *)&l->lin.ctr, "L lin"},
        {(uint8_t *)&l->gen, "L gen"},
        {&l->how, "L how"},
        {(uint8_t *)&l->path->data[8], "L path"},
        {&l->hint.kind, "L hint"},
        {(uint8_t *)&l->hint_attr.mode, "L hint mode"},
        {(uint8_t *)&a->lin.ctr, "A lin"},
        {(uint8_t *)&a->gen, "A gen"},
        {(uint8_t *)&a->attr.mode, "A mode"},
    };
    for (size_t i = 0; i < CS_COUNT_OF(fields); i++) {
        *fields[i].byte ^= 4;
        cr_expect(!cs_entry_live_eq(&entry, &other), "%s", fields[i].what);
        *fields[i].byte ^= 4;
        cr_expect(cs_entry_live_eq(&entry, &other), "%s", fields[i].what);
    }
    a->attr.tlv = cs_str_from("x");
    cr_expect(!cs_entry_live_eq(&entry, &other), "A TLV");
    cs_entry_fini(&entry);
    cs_entry_fini(&other);
}

Test(entry, one_dot_too_many_leaves_it_unchanged)
{
    cs_entry_t entry = {0};
    for (uint64_t ctr = 1; ctr <= CS_DOTS_MAX; ctr++) {
        add_l(&entry, (cs_dot_t){1, ctr}, k11);
    }
    cs_lval_t l = test_lval((cs_dot_t){1, CS_DOTS_MAX + 1}, k11, "r");
    cr_assert_eq(cs_entry_add_l(&entry, &l), CS_ERR_LIMIT);
    cr_assert_eq(entry.l_len, CS_DOTS_MAX);
    cr_assert_eq(cs_vv_get(&entry.ctx, 1), CS_DOTS_MAX);
    add_a(&entry, (cs_dot_t){1, CS_DOTS_MAX + 1}, k11); /* another store has room */
    cs_entry_fini(&entry);
}

Test(entry, one_replica_too_many_leaves_it_unchanged)
{
    cs_entry_t entry = {0};
    for (uint64_t rid = 1; rid <= CS_REPLICAS_MAX; rid++) {
        cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){rid, 1}), CS_OK);
    }
    cs_dot_t dot = {CS_REPLICAS_MAX + 1, 1};
    cs_kval_t k = test_kval(dot, dot, "r");
    cr_assert_eq(cs_entry_add_k(&entry, &k), CS_ERR_LIMIT);
    cr_assert(cs_entry_is_dead(&entry));
    cr_assert_eq(cs_entry_cover(&entry, dot), CS_ERR_LIMIT);
    cr_assert(!cs_entry_remove(&entry, CS_K, dot));
    cr_assert_eq(entry.ctx.len, CS_REPLICAS_MAX);
    cs_entry_fini(&entry);
}

static size_t encoded_len(const cs_entry_t *entry)
{
    cs_buf_t bytes = {0};
    cs_entry_encode(entry, &bytes);
    size_t len = bytes.len;
    cs_buf_fini(&bytes);
    return len;
}

static cs_err_t add_tlv(cs_entry_t *entry, uint64_t ctr, size_t len)
{
    static const uint8_t zeros[CS_TLV_BYTES_MAX];
    cs_aval_t a = test_aval((cs_dot_t){1, ctr}, k11, 0755);
    a.attr.tlv = cs_str_new(zeros, len);
    return cs_entry_add_a(entry, &a);
}

Test(entry, holds_exactly_the_bytes_of_the_limit)
{
    cs_entry_t entry = {0}, again = {0};
    uint64_t ctr = 1;
    while (encoded_len(&entry) + 4000 < CS_ENTRY_BYTES_MAX) {
        cr_assert_eq(add_tlv(&entry, ctr++, 1990), CS_OK);
    }
    /* What one more value takes without its TLV, measured: lengths of 128 and more are 2 bytes.
     */
    cr_assert_eq(add_tlv(&entry, ctr, 1000), CS_OK);
    size_t left = CS_ENTRY_BYTES_MAX - encoded_len(&entry);
    cr_assert(cs_entry_remove(&entry, CS_A, (cs_dot_t){1, ctr}));
    cr_assert_leq(1000 + left, CS_TLV_BYTES_MAX);

    size_t before = encoded_len(&entry);
    cr_assert_eq(add_tlv(&entry, ctr + 1, 1000 + left + 1), CS_ERR_LIMIT);
    cr_assert_eq(encoded_len(&entry), before);
    cr_assert_eq(cs_vv_get(&entry.ctx, 1), ctr, "a value refused is not one removed");
    cr_assert_eq(add_tlv(&entry, ctr, 1000 + left), CS_OK);
    cr_assert_eq(encoded_len(&entry), CS_ENTRY_BYTES_MAX);
    cr_assert(cs_entry_fits(&entry));
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){2, 1}), CS_ERR_LIMIT);
    cr_assert_eq(cs_vv_get(&entry.ctx, 2), 0);

    cs_buf_t bytes = {0};
    cs_entry_encode(&entry, &bytes);
    cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &again), CS_OK);
    cr_assert(cs_entry_live_eq(&entry, &again));
    cs_buf_fini(&bytes);
    cs_entry_fini(&entry);
    cs_entry_fini(&again);
}
