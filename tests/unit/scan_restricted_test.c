/* scan_restricted_test.c - scans of single files and subtrees. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/ignore.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t t;

static void setup(void)
{
    cs_test_scanned_init(&t);
}

static void teardown(void)
{
    cs_test_scanned_fini(&t);
}

TestSuite(scan_restricted, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const char *wanted)
{
    char *found = cs_test_scanned_look(&t);
    cr_expect_str_eq(found, wanted);
    cs_free(found);
}

static void restrict_to(const char *a, const char *b, const char *c)
{
    static cs_slice_t paths[3];
    const char *const names[] = {a, b, c};
    t.config.paths = paths;
    t.config.path_count = 0;
    for (size_t i = 0; i < 3 && names[i] != NULL; i++) {
        paths[t.config.path_count++] = cs_slice_text(names[i]);
    }
}

Test(scan_restricted, it_looks_at_nothing_else)
{
    cs_test_write(t.dir, "a/x", "1");
    cs_test_write(t.dir, "a/y", "1");
    cs_test_write(t.dir, "b", "1");
    const char *const gone[] = {"a-b", "a/gone", "c/d/e", "z"};
    for (size_t i = 0; i < 4; i++) {
        cs_test_write(t.dir, gone[i], "1");
        cs_test_scanned_accept(&t, gone[i]);
        cs_test_unlink(t.dir, gone[i]);
    }
    restrict_to("a/x", NULL, NULL);
    expect("appeared a/x");
    restrict_to("a", "a/x", NULL);
    expect("vanished a/gone,appeared a/x,appeared a/y");
    restrict_to("a", "a-b", "a/x");
    expect("vanished a-b,vanished a/gone,appeared a/x,appeared a/y");
    restrict_to("none", NULL, NULL);
    expect("");
    restrict_to(".crdtsync", ".crdtsync/id", NULL);
    expect("");
    restrict_to("", NULL, NULL);
    expect("vanished a-b,vanished a/gone,appeared a/x,appeared a/y,appeared b,empty c/d,"
           "vanished c/d/e,vanished z");
}

Test(scan_restricted, it_sees_the_directory_that_was_left_empty)
{
    cs_test_write(t.dir, "d/e/x", "1");
    cs_test_write(t.dir, "d/e/y", "1");
    cs_test_scanned_accept(&t, "d/e/x");
    cs_test_scanned_accept(&t, "d/e/y");
    cs_test_unlink(t.dir, "d/e/x");
    restrict_to("d/e/x", NULL, NULL);
    expect("vanished d/e/x");
    cs_test_unlink(t.dir, "d/e/y");
    restrict_to("d/e/x", "d/e/y", NULL);
    expect("empty d/e,vanished d/e/x,vanished d/e/y");
    cs_test_unlink(t.dir, "d/e");
    expect("empty d,vanished d/e/x,vanished d/e/y");
    restrict_to("d/e", NULL, NULL);
    expect("empty d,vanished d/e/x,vanished d/e/y");
}

Test(scan_restricted, it_knows_the_rules_above)
{
    cs_test_write(t.dir, CS_IGNORE_FILE, "ig/\n*.o\n");
    cs_test_write(t.dir, "ig/a", "1");
    cs_test_write(t.dir, "d/x.o", "1");
    cs_test_scanned_accept(&t, "d/x.o");
    cs_test_unlink(t.dir, "d/x.o");
    restrict_to("d/x.o", "ig/a", NULL);
    expect("empty d");
}

Test(scan_restricted, a_path_behind_a_symbolic_link_is_not_there)
{
    cs_test_write(t.dir, "real/f", "1");
    cs_test_scanned_accept(&t, "real/f");
    cs_test_rename(t.dir, "real", "moved");
    cr_assert_eq(t.fs->ops->symlink(t.fs, cs_slice_text("moved"), cs_slice_text("real")),
                 CS_OK);
    restrict_to("real/f", NULL, NULL);
    expect("vanished real/f");
}
