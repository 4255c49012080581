/* path_test.c - which paths may enter a folder, and their pieces. */
#include <criterion/criterion.h>

#include "base/limits.h"
#include "base/path.h"

static bool text_eq(cs_slice_t slice, const char *text)
{
    return cs_slice_eq(slice, cs_slice_text(text));
}

Test(path, check_accepts_any_other_bytes)
{
    static const char *const paths[] = {
        "a",     "a/b",   "...", ".a", "a/.crdtsync", "a b\n", "\xff\xfe", ".crdtsyncx/a",
        ".crdt", "a./b.", "~",   "\\", "a/..b",       "-rf"};
    for (size_t i = 0; i < CS_COUNT_OF(paths); i++) {
        cr_expect_eq(cs_path_check(cs_slice_text(paths[i])), CS_OK, "%s", paths[i]);
    }
}

Test(path, check_refuses_what_leads_elsewhere)
{
    static const char *const paths[] = {
        "",    "/",   "/a",   "a/",   "a//b",   ".",         "..",
        "a/.", "./a", "../a", "a/..", "a/../b", ".crdtsync", ".crdtsync/tmp/x"};
    for (size_t i = 0; i < CS_COUNT_OF(paths); i++) {
        cr_expect_eq(cs_path_check(cs_slice_text(paths[i])), CS_ERR_MALFORMED, "%s", paths[i]);
    }
    cr_expect_eq(cs_path_check(cs_slice("a\0b", 3)), CS_ERR_MALFORMED, "NUL");
}

Test(path, check_knows_the_limits)
{
    char path[CS_PATH_MAX + 2];
    memset(path, 'p', sizeof path);
    cr_expect_eq(cs_path_check(cs_slice(path, CS_NAME_MAX)), CS_OK);
    cr_expect_eq(cs_path_check(cs_slice(path, CS_NAME_MAX + 1)), CS_ERR_LIMIT);
    for (size_t i = CS_NAME_MAX; i < sizeof path; i += CS_NAME_MAX + 1) {
        path[i] = '/';
    }
    path[CS_PATH_MAX - 2] = '/';
    path[CS_PATH_MAX - 1] = 'p';
    cr_expect_eq(cs_path_check(cs_slice(path, CS_PATH_MAX)), CS_OK);
    cr_expect_eq(cs_path_check(cs_slice(path, CS_PATH_MAX + 1)), CS_ERR_LIMIT);
    path[0] = '/';
    cr_expect_eq(cs_path_check(cs_slice(path, CS_PATH_MAX)), CS_ERR_MALFORMED);
}

Test(path, pieces)
{
    cr_expect(text_eq(cs_path_parent(cs_slice_text("a/b/c")), "a/b"));
    cr_expect(text_eq(cs_path_parent(cs_slice_text("a")), ""));
    cr_expect(text_eq(cs_path_base(cs_slice_text("a/b/c")), "c"));
    cr_expect(text_eq(cs_path_base(cs_slice_text("a")), "a"));
}

Test(path, below_is_a_matter_of_components)
{
    cr_expect(cs_path_is_below(cs_slice_text("a/b"), cs_slice_text("a")));
    cr_expect(cs_path_is_below(cs_slice_text("a/b/c"), cs_slice_text("a")));
    cr_expect(cs_path_is_below(cs_slice_text("a"), cs_slice_text("")));
    cr_expect(!cs_path_is_below(cs_slice_text("a"), cs_slice_text("a")));
    cr_expect(!cs_path_is_below(cs_slice_text("ab"), cs_slice_text("a")));
    cr_expect(!cs_path_is_below(cs_slice_text("a"), cs_slice_text("a/b")));
    cr_expect(!cs_path_is_below(cs_slice_text(""), cs_slice_text("")));
    cr_expect(cs_path_is_within(cs_slice_text("a"), cs_slice_text("a")));
    cr_expect(cs_path_is_within(cs_slice_text("a/b"), cs_slice_text("a")));
    cr_expect(!cs_path_is_within(cs_slice_text("ab"), cs_slice_text("a")));
    cr_expect(cs_path_is_private(cs_slice_text(".crdtsync/tmp/x")));
    cr_expect(!cs_path_is_private(cs_slice_text(".crdtsyncignore")));
}
