/* flush_test.c - what is flushed by name, and when all is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "disk/flush.h"

/* A file system that notes what it is to flush. */
static struct {
    char text[4096];
    unsigned calls;
    cs_err_t err;
} noted;

static cs_err_t note_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    (void)fs;
    noted.calls++;
    noted.text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(noted.text);
        snprintf(noted.text + len, sizeof noted.text - len, "%.*s|", (int)paths[i].len,
                 (const char *)paths[i].data);
    }
    return noted.err;
}

static const cs_fs_ops_t ops = {.sync = note_sync};
static cs_fs_t fs = {.ops = &ops};

Test(flush, a_file_and_its_name_are_named_once)
{
    cs_flush_t flush = {0};
    for (int i = 0; i < 2; i++) {
        cs_flush_add(&flush, cs_slice_text("a/b/c"));
        cs_flush_name(&flush, cs_slice_text("a/b/c"));
        cs_flush_name(&flush, cs_slice_text("a/d"));
    }
    cr_assert_eq(cs_flush_run(&flush, &fs), CS_OK);
    cr_assert_str_eq(noted.text, "a/b/c|a/b|a||");
    cr_assert(cs_flush_is_empty(&flush));
}

Test(flush, nothing_costs_nothing)
{
    cs_flush_t flush = {0};
    cr_assert_eq(cs_flush_run(&flush, &fs), CS_OK);
    cr_assert_eq(noted.calls, 0);
}

Test(flush, so_many_are_named_and_one_more_is_all)
{
    for (unsigned count = CS_FLUSH_PATHS_MAX; count <= CS_FLUSH_PATHS_MAX + 1; count++) {
        cs_flush_t flush = {0};
        for (unsigned i = 0; i < count; i++) {
            char path[16];
            int len = snprintf(path, sizeof path, "%u", i);
            cs_flush_add(&flush, cs_slice(path, (size_t)len));
        }
        cr_assert_eq(flush.all, count > CS_FLUSH_PATHS_MAX);
        cs_flush_name(&flush, cs_slice_text("a/b"));
        cr_assert_eq(cs_flush_run(&flush, &fs), CS_OK);
        cr_assert_str_eq(noted.text, "", "all");
    }
}

Test(flush, an_error_is_told_and_empties_it)
{
    cs_flush_t flush = {0};
    noted.err = CS_ERR_IO;
    cs_flush_all(&flush);
    cr_assert_eq(cs_flush_run(&flush, &fs), CS_ERR_IO);
    cr_assert(cs_flush_is_empty(&flush));
}
