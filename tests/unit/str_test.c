/* str_test.c - shared strings, slices, and the table of errors. */
#include <criterion/criterion.h>

#include "base/err.h"
#include "base/str.h"

Test(str, lives_until_the_last_reference_goes)
{
    cs_str_t *a = cs_str_new("a\0b", 3), *b = cs_str_ref(a), *none = NULL;
    cr_assert_eq(a, b);
    cr_assert_eq(a->refs, 2);
    cs_str_unref(&a);
    cr_assert_null(a);
    cr_assert_eq(b->refs, 1);
    cr_assert_eq(b->len, 3);
    cr_assert_eq(memcmp(b->data, "a\0b", 4), 0, "with a NUL behind");
    cs_str_unref(&b);
    cs_str_unref(&none);
    cr_assert_null(cs_str_ref(NULL));
}

Test(str, order_is_bytewise_and_a_prefix_sorts_first)
{
    static const char *const sorted[] = {"", "A", "a", "a/b", "ab", "b", "\xc3\xa4"};
    for (size_t i = 0; i < CS_COUNT_OF(sorted); i++) {
        for (size_t k = 0; k < CS_COUNT_OF(sorted); k++) {
            cs_str_t *a = cs_str_from(sorted[i]), *b = cs_str_from(sorted[k]);
            int order = cs_str_cmp(a, b);
            cr_expect_eq((order > 0) - (order < 0), (i > k) - (i < k), "%s, %s", a->data,
                         b->data);
            cr_expect_eq(cs_str_eq(a, b), i == k);
            cs_str_unref(&a);
            cs_str_unref(&b);
        }
    }
    cr_expect(cs_str_eq(NULL, NULL));
}

Test(str, prefixes)
{
    cr_expect(cs_slice_has_prefix(cs_slice_text("abc"), cs_slice_text("ab")));
    cr_expect(cs_slice_has_prefix(cs_slice_text("abc"), cs_slice_text("")));
    cr_expect(cs_slice_has_prefix(cs_slice_text("abc"), cs_slice_text("abc")));
    cr_expect(!cs_slice_has_prefix(cs_slice_text("abc"), cs_slice_text("abcd")));
    cr_expect(!cs_slice_has_prefix(cs_slice_text("abc"), cs_slice_text("b")));
}

Test(err, every_error_has_a_name_and_a_clause_of_its_own)
{
    for (cs_err_t a = CS_OK; a < CS_ERR_COUNT; a++) {
        cr_expect_gt(strlen(cs_err_name(a)), 1);
        cr_expect_lt(strlen(cs_err_name(a)), 15, "%s is cut off", cs_err_name(a));
        cr_expect_gt(strlen(cs_err_text(a)), 3);
        for (cs_err_t b = CS_OK; b < a; b++) {
            cr_expect_neq(strcmp(cs_err_name(a), cs_err_name(b)), 0);
            cr_expect_neq(strcmp(cs_err_text(a), cs_err_text(b)), 0, "%s", cs_err_name(a));
        }
    }
    cr_expect_str_eq(cs_err_name(CS_ERR_NOT_FOUND), "not_found");
}
