/* save_crash_test.c - a user saves, which no program made durable; a scan sees it, others are
 * told and have it; then the power of the user's machine fails.
 *
 * What comes back after the start is older, empty, or nothing: no doing of the user, so it must
 * not go to the others as an edit or a deletion of what they have. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/calls.h"
#include "shim/undo.h"
#include "support/duet.h"

typedef struct save {
    const char *name;
    void (*by_user)(duet_t *duet);
} save_t;

static void in_place(duet_t *d)
{
    duet_write(d, 0, "d/f");
}

/* A text is not given up by whoever writes it again. */
static void with_the_same_bytes(duet_t *d)
{
    char path[DUET_PATH];
    const char *text = d->text[0];
    int fd = open(duet_path(d, 0, "d/f", path), O_WRONLY | O_TRUNC | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void by_rename(duet_t *d)
{
    duet_write(d, 0, "d/.f.new");
    duet_rename(d, 0, "d/.f.new", "d/f");
}

static void with_a_backup(duet_t *d)
{
    duet_rename(d, 0, "d/f", "d/f~");
    duet_write(d, 0, "d/f");
}

static void new_files(duet_t *d)
{
    duet_write(d, 0, "d/new");
    duet_write(d, 0, "e/e/new");
}

static void under_another_name(duet_t *d)
{
    duet_rename(d, 0, "d/f", "e/f");
    duet_write(d, 0, "e/f");
}

static void swapped(duet_t *d)
{
    duet_rename(d, 0, "d/f", "aside");
    duet_rename(d, 0, "d/g", "d/f");
    duet_rename(d, 0, "aside", "d/g");
}

static void as_a_link(duet_t *d)
{
    duet_remove(d, 0, "d/f");
    duet_link(d, 0, "d/f");
}

static const save_t saves[] = {
    {"in place", in_place},   {"with the same bytes", with_the_same_bytes},
    {"by rename", by_rename}, {"with a backup", with_a_backup},
    {"new files", new_files}, {"under another name", under_another_name},
    {"swapped", swapped},     {"as a link", as_a_link},
};

typedef struct way {
    const char *name;
    undo_how_t how;
} way_t;

static const way_t ways[] = {
    {"nothing survives", {0, UNDO_CUT_OFF, 0}},
    {"names survive, bytes do not", {256, UNDO_CUT_OFF, 0}},
    {"names and sizes survive, bytes do not", {256, UNDO_ZEROS, 0}},
    {"what was cut stays cut, no bytes survive", {256, UNDO_EMPTIED, 0}},
    {"half of the names survive, some bytes do", {128, UNDO_SOME, 0x5a5a}},
    {"bytes survive, names do not", {0, UNDO_NOTHING, 0}},
};

static bool note_before(const call_t *call)
{
    if (call->kind != CALL_LOOK) undo_before(call);
    return true;
}

static void note_after(const call_t *call, long result)
{
    if (call->kind != CALL_LOOK) undo_after(call, result);
}

static const calls_watcher_t watcher = {.before = note_before, .after = note_after};

static void power_cut(duet_t *duet, const save_t *save, const way_t *way)
{
    site_t *here = &duet->sites.site[0], *there = &duet->sites.site[1];
    char stash[DUET_PATH];
    snprintf(stash, sizeof stash, "%s-stash", here->dir);
    cr_assert_eq(mkdir(stash, 0700), 0);
    undo_begin(stash);
    here->spy.flushes = true;
    calls_add_root(here->dir);
    calls_watch(&watcher);
    save->by_user(duet);
    site_scan(here);
    cs_peer_exchange(&here->peer, &there->peer, true);
    site_work(there);
    calls_watch(NULL);
    calls_forget_roots();
    undo_cut(&way->how);
    undo_end();
    cr_assert_eq(rmdir(stash), 0);
    here->spy.flushes = false;
}

static void run(const save_t *save, const way_t *way)
{
    duet_t duet;
    duet_open(&duet);
    duet_write(&duet, 0, "d/f");
    duet_write(&duet, 0, "d/g");
    duet_rest(&duet);
    power_cut(&duet, save, way);
    site_restart(&duet.sites.site[0]);
    duet_settle(&duet);
    const char *fault = duet_fault(&duet);
    cr_assert_null(fault, "saved %s, %s: %s", save->name, way->name, fault);
    duet_close(&duet);
}

Test(save_crash, what_was_told_is_on_the_disk, .timeout = 300)
{
    for (size_t i = 0; i < CS_COUNT_OF(saves); i++) {
        for (size_t j = 0; j < CS_COUNT_OF(ways); j++) {
            run(&saves[i], &ways[j]);
        }
    }
}
