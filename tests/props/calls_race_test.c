/* calls_race_test.c - a user's program saves right before or right after any system call of
 * scan, apply, trash and start, and the other user changed the same path.
 *
 * A story is run once to count the system calls about the folder, then once for each of them,
 * each kind of save and each path: the save takes place before the call, and, as "after the
 * last call", once more at the end. (After one call is before the next: nothing lies between
 * them but the engine's own memory.) In the end both trees are equal, hold every text that
 * nobody destroyed himself, and nothing that nobody wrote. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/calls.h"
#include "support/editor.h"
#include "support/seed.h"
#include "support/stories.h"
#include "support/support.h"

/* One of so many runs is done, another one for each commit (all of them with
 * CRDTSYNC_EVERY_CALL set, for scripts/test --long). With sanitizers, and on a disk, a run
 * takes ten times as long. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 29u
#else
#define STRIDE 5u
#endif
#define STRIDE_ON_DISK 29u

static struct {
    size_t calls, at;
    editor_t *editor;
} watch;

static bool count_and_save(const call_t *call)
{
    (void)call;
    watch.calls++;
    if (watch.editor != NULL && watch.calls >= watch.at) editor_act(watch.editor);
    return true;
}

static const calls_watcher_t watcher = {.before = count_and_save};

static void work(const story_t *story, duet_t *duet)
{
    watch.calls = 0;
    calls_add_root(duet->sites.site[0].dir);
    calls_watch(&watcher);
    story->work(duet);
    calls_watch(NULL);
    calls_forget_roots();
}

static size_t count_calls(const story_t *story)
{
    duet_t duet;
    story_begin(story, &duet);
    watch.editor = NULL;
    work(story, &duet);
    duet_close(&duet);
    return watch.calls;
}

static void race(const story_t *story, edit_t edit, const char *path, size_t at)
{
    duet_t duet;
    editor_t editor;
    story_begin(story, &duet);
    editor_open(&editor, &duet, edit, path);
    watch.at = at;
    watch.editor = &editor;
    work(story, &duet);
    const char *fault = editor_close(&editor);
    duet_settle(&duet);
    if (fault == NULL) fault = duet_fault(&duet);
    if (fault != NULL) {
        cr_assert_fail("%s: %s %s before call %zu: %s", story->name, path, edit_name(edit), at,
                       fault);
    }
    duet_close(&duet);
}

static void race_at_every(edit_t edit, size_t stride)
{
    size_t runs = 0, done = 0;
    if (getenv("CRDTSYNC_EVERY_CALL") != NULL) stride = 1;
    size_t which = (size_t)(test_seed(edit_name(edit)) % stride);
    for (size_t i = 0; i < story_count; i++) {
        const story_t *story = &stories[i];
        size_t calls = count_calls(story);
        cr_assert_gt(calls, 3, "%s: nothing is watched", story->name);
        for (size_t j = 0; j < CS_COUNT_OF(story->paths) && story->paths[j] != NULL; j++) {
            for (size_t at = 1; at <= calls + 1; at++, runs++) {
                if (runs % stride != which) continue;
                race(story, edit, story->paths[j], at);
                done++;
            }
        }
    }
    fprintf(stderr, "%s: %zu of %zu saves\n", edit_name(edit), done, runs);
}

static void race_everywhere(edit_t edit)
{
    race_at_every(edit, STRIDE);
}

Test(calls_race, in_place, .timeout = 900)
{
    race_everywhere(EDIT_IN_PLACE);
}

Test(calls_race, truncated, .timeout = 900)
{
    race_everywhere(EDIT_TRUNCATE);
}

Test(calls_race, slowly, .timeout = 900)
{
    race_everywhere(EDIT_SLOWLY);
}

Test(calls_race, renamed_over, .timeout = 900)
{
    race_everywhere(EDIT_RENAME_OVER);
}

Test(calls_race, with_a_backup, .timeout = 900)
{
    race_everywhere(EDIT_BACKUP);
}

Test(calls_race, deleted, .timeout = 900)
{
    race_everywhere(EDIT_DELETE);
}

Test(calls_race, renamed_away, .timeout = 900)
{
    race_everywhere(EDIT_RENAME_AWAY);
}

Test(calls_race, chmod, .timeout = 900)
{
    race_everywhere(EDIT_CHMOD);
}

Test(calls_race, made_a_directory, .timeout = 900)
{
    race_everywhere(EDIT_MKDIR);
}

Test(calls_race, parent_swapped_for_a_link, .timeout = 900)
{
    race_everywhere(EDIT_SWAP_PARENT);
}

Test(calls_race, through_a_descriptor, .timeout = 900)
{
    race_everywhere(EDIT_HELD);
}

Test(calls_race, through_a_mapping, .timeout = 900)
{
    race_everywhere(EDIT_MAPPED);
}

Test(calls_race, through_a_mapping_again, .timeout = 900)
{
    if (!tmp_on_disk()) {
        fprintf(stderr, "/var/tmp is in memory: writes through a mapping are not tried\n");
        return;
    }
    race_at_every(EDIT_MAPPED_AGAIN, STRIDE_ON_DISK);
}
