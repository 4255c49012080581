/* watch_backend_test.c - what a watcher tells of a real directory, by inotify and by fanotify.
 *
 * Nothing here waits for a time: what must be told is awaited, and what must not be told is
 * looked for after a later event was. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "support/watched.h"

TestSuite(watch_backend, .timeout = 120);

/* By each backend that may be used here; inotify always may. */
#define BACKENDS(name)                                                             \
    static void name(cs_watcher_by_t by);                                          \
    Test(watch_backend, name##_by_inotify)                                         \
    {                                                                              \
        name(CS_WATCH_INOTIFY);                                                    \
    }                                                                              \
    Test(watch_backend, name##_by_fanotify)                                        \
    {                                                                              \
        if (!watched_has_fanotify()) cr_skip_test("fanotify needs CAP_SYS_ADMIN"); \
        name(CS_WATCH_FANOTIFY);                                                   \
    }                                                                              \
    static void name(cs_watcher_by_t by)

BACKENDS(tells_of_saved_chmodded_and_deleted_files)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "echo 1 >a; mkdir d; echo 1 >d/b; ln -s a l; ln a h");
    watched_until_told(&self, "a");
    watched_until_told(&self, "d/b");
    watched_until_told(&self, "l");
    watched_until_told(&self, "h");
    watched_forget(&self);
    watched_shell(&self, "chmod 600 d/b; rm a");
    watched_until_told(&self, "d/b");
    watched_until_told(&self, "a");
    watched_close(&self);
}

BACKENDS(tells_of_what_came_into_a_new_directory_before_it_was_watched)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "mkdir -p 1/2/3/4/5; for i in 1 2 3 4 5; do echo x >1/2/3/f$i; done; "
                         "echo x >1/2/3/4/5/deep; mkdir empty");
    watched_until_told(&self, "1/2/3/4/5/deep");
    for (int i = 1; i <= 5; i++) {
        char path[32];
        snprintf(path, sizeof path, "1/2/3/f%d", i);
        watched_until_told(&self, path);
    }
    watched_until_told(&self, "empty");
    watched_close(&self);
}

BACKENDS(tells_both_names_of_a_renamed_directory_at_once)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "mkdir -p a/x/y to; echo 1 >a/x/y/f");
    watched_until_told(&self, "a/x/y/f");
    watched_flush(&self, "settled");
    watched_forget(&self);
    watched_shell(&self, "mv a to/b");
    watched_until_told(&self, "to/b");
    cr_assert_eq(watched_batch_of(&self, "a"), watched_batch_of(&self, "to/b"));
    watched_forget(&self);
    /* What is below is known by its new path. */
    watched_shell(&self, "echo 2 >to/b/x/y/f");
    watched_until_told(&self, "to/b/x/y/f");
    watched_close(&self);
}

BACKENDS(tells_of_a_tree_that_is_moved_in_and_of_changes_in_it)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "mkdir -p ../out/x/y; echo 1 >../out/x/y/f; mv ../out in");
    watched_until_told(&self, "in");
    watched_flush(&self, "settled");
    watched_forget(&self);
    watched_shell(&self, "echo 2 >in/x/y/f");
    watched_until_told(&self, "in/x/y/f");
    watched_forget(&self);
    watched_shell(&self, "mv in ../out");
    watched_until_told(&self, "in");
    watched_forget(&self);
    watched_shell(&self, "echo 3 >../out/x/y/f");
    watched_flush(&self, "after");
    cr_assert_eq(watched_batch_of(&self, "in/x/y/f"), 0u, "it is not in the folder");
    watched_close(&self);
}

BACKENDS(never_tells_of_what_is_private_or_in_an_ignored_directory)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    size_t alls = self.alls;
    watched_shell(&self, "mkdir -p .crdtsync/tmp; echo build/ >.crdtsyncignore");
    watched_until_all(&self, alls + 1);
    watched_shell(&self, "mkdir -p build/o");
    watched_flush(&self, "made");
    watched_forget(&self);
    watched_shell(&self, "echo 1 >.crdtsync/tmp/f; echo 1 >build/o/f; echo 1 >build/g");
    watched_flush(&self, "after");
    cr_assert_eq(watched_batch_of(&self, ".crdtsync"), 0u);
    cr_assert_eq(watched_batch_of(&self, "build/o/f"), 0u);
    cr_assert_eq(watched_batch_of(&self, "build/g"), 0u);
    watched_close(&self);
}

BACKENDS(watches_what_is_ignored_no_longer)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    size_t alls = self.alls;
    watched_shell(&self, "echo build/ >.crdtsyncignore");
    watched_until_all(&self, alls + 1);
    watched_shell(&self, "mkdir -p build/o");
    watched_flush(&self, "made");
    alls = self.alls;
    watched_shell(&self, "rm .crdtsyncignore");
    watched_until_all(&self, alls + 1); /* what the rules kept out is to be found */
    watched_flush(&self, "settled");
    watched_forget(&self);
    watched_shell(&self, "echo 1 >build/o/f");
    watched_until_told(&self, "build/o/f");
    watched_close(&self);
}

BACKENDS(never_tells_what_apply_was_about_to_do)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self,
                  "mkdir .crdtsync; echo old >kept; echo old >gone; echo new >.crdtsync/1; "
                  "echo new >.crdtsync/2");
    watched_flush(&self, "settled");
    watched_forget(&self);
    cs_steps_t steps = {0};
    cs_steps_add(&steps, CS_STEP_WRITE)->item.path = cs_str_from("made/by/us");
    cs_step_t *replace = cs_steps_add(&steps, CS_STEP_WRITE);
    replace->item.path = cs_str_from("kept");
    replace->replaces = true;
    cs_steps_add(&steps, CS_STEP_DELETE)->item.path = cs_str_from("gone");
    cs_deeds_t *deeds = cs_deeds_new(&steps);
    cs_steps_fini(&steps);
    cs_watcher_expect(self.watch, &deeds);
    watched_shell(&self, "mkdir -p made/by; mv .crdtsync/1 made/by/us; mv kept .crdtsync/old; "
                         "mv .crdtsync/2 kept; mv gone .crdtsync/gone");
    watched_shell(&self, "echo user >made/by/user");
    cs_watcher_applied(self.watch);
    watched_until_told(&self, "made/by/user");
    watched_flush(&self, "after");
    cr_assert_eq(watched_batch_of(&self, "made/by/us"), 0u);
    cr_assert_eq(watched_batch_of(&self, "kept"), 0u);
    cr_assert_eq(watched_batch_of(&self, "gone"), 0u);
    /* Once it is over, the same is a user's. */
    watched_shell(&self, "mv kept .crdtsync/3");
    watched_until_told(&self, "kept");
    watched_close(&self);
}

static bool is_watching(const watched_t *self)
{
    return self->state.by != CS_WATCH_OFF && self->state.started;
}

static bool is_not_watching(const watched_t *self)
{
    return self->state.by == CS_WATCH_OFF;
}

BACKENDS(watches_anew_when_the_root_comes_back)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    size_t alls = self.alls;
    watched_shell(&self, "mv ../root ../elsewhere");
    watched_until(&self, is_not_watching);
    watched_until_all(&self, alls + 1); /* a scan finds out what that means */
    alls = self.alls;
    char command[400];
    snprintf(command, sizeof command, "mkdir -p %s/d", self.root);
    cr_assert_eq(system(command), 0);
    watched_until(&self, is_watching);
    watched_until_all(&self, alls + 1);
    watched_forget(&self);
    watched_shell(&self, "echo 1 >d/f");
    watched_until_told(&self, "d/f");
    watched_close(&self);
}

BACKENDS(a_save_by_rename_is_told_at_once_and_whole)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "echo 1 >f");
    watched_until_told(&self, "f");
    watched_forget(&self);
    for (int i = 0; i < 20; i++) {
        watched_shell(&self, "echo %d >.f.tmp && mv .f.tmp f", i);
    }
    watched_flush(&self, "after");
    watched_until_told(&self, "f");
    watched_close(&self);
}
