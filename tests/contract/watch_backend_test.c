/* watch_backend_test.c - what a watcher tells of a real directory, by inotify and by fanotify.
 *
 * Nothing here waits for a time: what must be told is awaited, and what must not be told is
 * looked for after a later event was. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* A step that leaves a file: the shell gives it the same time and mode. */
static cs_step_t *write_step(cs_steps_t *steps, const char *path)
{
    cs_step_t *step = cs_steps_add(steps, CS_STEP_WRITE);
    step->item.path = cs_str_from(path);
    step->item.content.kind = CS_KIND_FILE;
    step->item.attr.mode = 0644;
    step->item.mtime_ns = 86400 * (int64_t)1000000000;
    return step;
}

static void expect(watched_t *self, cs_steps_t *steps)
{
    cs_deeds_t *deeds = cs_deeds_new(steps);
    cs_steps_fini(steps);
    cs_watcher_expect(self->watch, &deeds);
}

/* .crdtsync/1 and 2, as write_step says. */
static void stage(const watched_t *self)
{
    watched_shell(self, "mkdir .crdtsync; cd .crdtsync; echo new >1; echo new >2; "
                        "chmod 644 1 2; touch -d @86400 1 2");
}

/* As apply replaces a file: at no time is there none. */
static void exchange(const watched_t *self, const char *a, const char *b)
{
    char one[200], two[200];
    snprintf(one, sizeof one, "%s/%s", self->root, a);
    snprintf(two, sizeof two, "%s/%s", self->root, b);
    cr_assert_eq(syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, RENAME_EXCHANGE), 0);
}

BACKENDS(never_tells_what_apply_was_about_to_do)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    stage(&self);
    watched_shell(&self, "echo old >kept; echo old >gone");
    watched_flush(&self, "settled");
    watched_forget(&self);
    cs_steps_t steps = {0};
    write_step(&steps, "made/by/us");
    write_step(&steps, "kept")->replaces = true;
    cs_steps_add(&steps, CS_STEP_DELETE)->item.path = cs_str_from("gone");
    expect(&self, &steps);
    watched_shell(&self, "mkdir -p made/by; mv .crdtsync/1 made/by/us");
    exchange(&self, ".crdtsync/2", "kept");
    watched_shell(&self, "mv gone .crdtsync/gone");
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

/* Both at once, so that no event tells of what he does: he is done before it is watched. */
static void make_and_save(const watched_t *self, int number)
{
    char made[200], saved[200];
    snprintf(made, sizeof made, "%s/%d", self->root, number);
    snprintf(saved, sizeof saved, "%s/.crdtsync/%d", self->root, number);
    cr_assert_eq(mkdir(made, 0755), 0);
    snprintf(made, sizeof made, "%s/%d/dir", self->root, number);
    cr_assert_eq(rename(saved, made), 0);
}

BACKENDS(tells_of_a_save_to_what_apply_has_just_written)
{
    enum { DIRS = 200 };
    watched_t self = {.dir = ""};
    char path[32];
    watched_open(&self, by, 0);
    watched_shell(&self,
                  "for i in $(seq %d); do mkdir -p .crdtsync/$i; "
                  "echo two >.crdtsync/$i/file; done",
                  DIRS);
    cs_steps_t steps = {0};
    for (int i = 1; i <= DIRS; i++) {
        snprintf(path, sizeof path, "%d/dir/file", i);
        write_step(&steps, path);
    }
    expect(&self, &steps);
    for (int i = 1; i <= DIRS; i++) {
        make_and_save(&self, i);
    }
    for (int i = 1; i <= DIRS; i++) {
        snprintf(path, sizeof path, "%d/dir/file", i);
        watched_until_told(&self, path);
    }
    watched_close(&self);
}

/* In a directory that was there: the event would be ours, by its count. */
BACKENDS(tells_of_a_save_by_rename_that_comes_in_our_place)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    watched_shell(&self, "mkdir .crdtsync; echo two >.crdtsync/two");
    cs_steps_t steps = {0};
    write_step(&steps, "file");
    expect(&self, &steps);
    watched_shell(&self, "mv .crdtsync/two file");
    watched_until_told(&self, "file");
    watched_close(&self);
}

BACKENDS(tells_of_a_mode_that_is_not_ours)
{
    watched_t self = {.dir = ""};
    watched_open(&self, by, 0);
    stage(&self);
    /* One event each: a path that has changed twice is told of again after a rest. */
    watched_shell(&self, "mv .crdtsync/1 ours; mv .crdtsync/2 his");
    watched_flush(&self, "settled");
    watched_forget(&self);
    cs_steps_t steps = {0};
    const char *path[] = {"ours", "his"};
    for (size_t i = 0; i < 2; i++) {
        cs_step_t *step = write_step(&steps, path[i]);
        step->kind = CS_STEP_CHMOD;
        step->item.attr.mode = 0755;
        step->expect.mtime_ns = step->item.mtime_ns;
    }
    expect(&self, &steps);
    watched_shell(&self, "chmod 755 ours his; chmod 600 his");
    watched_until_told(&self, "his");
    watched_flush(&self, "after");
    cr_assert_eq(watched_batch_of(&self, "ours"), 0u);
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
