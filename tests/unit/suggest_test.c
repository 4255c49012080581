/* suggest_test.c - what a mistyped word was meant to be. */
#include <criterion/criterion.h>
#include <string.h>

#include "io/suggest.h"

static const char *const words[] = {"status", "scan", "wait", "ls", "folder", NULL};

Test(suggest, counts_each_kind_of_slip_once)
{
    cr_assert_eq(cs_edit_distance("scan", "scan"), 0);
    cr_assert_eq(cs_edit_distance("scan", "scna"), 1, "swapped");
    cr_assert_eq(cs_edit_distance("scan", "can"), 1, "left out");
    cr_assert_eq(cs_edit_distance("scan", "sscan"), 1, "doubled");
    cr_assert_eq(cs_edit_distance("scan", "scam"), 1, "replaced");
    cr_assert_eq(cs_edit_distance("", "abc"), 3);
    cr_assert_eq(cs_edit_distance("ca", "abc"), 3, "a swapped pair is not edited again");
}

Test(suggest, names_the_nearest)
{
    cr_assert_str_eq(cs_suggest("stauts", words), "status");
    cr_assert_str_eq(cs_suggest("scna", words), "scan");
    cr_assert_str_eq(cs_suggest("l", words), "ls");
    cr_assert_str_eq(cs_suggest("foldre", words), "folder");
}

Test(suggest, names_nothing_that_is_far)
{
    cr_assert_null(cs_suggest("xyzzy", words));
    char letters[200];
    memset(letters, 'a', sizeof letters - 1);
    letters[sizeof letters - 1] = '\0';
    cr_assert_null(cs_suggest(letters, words));
}
