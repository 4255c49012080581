/* calls_crash_test.c - the process dies, or the power fails, before any system call of scan,
 * apply, trash and start that changes something.
 *
 * A power cut takes back what was not flushed, in several ways (shim/undo.h); the store keeps
 * what was made durable before. After a start, which may be cut short itself, both trees become
 * equal and hold every text that nobody destroyed himself; nothing is torn. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/calls.h"
#include "support/stories.h"
#include "support/victim.h"

#ifdef __SANITIZE_ADDRESS__
#define STRIDE 7u /* every so many runs only: one run takes ten times as long */
#else
#define STRIDE 1u
#endif

static struct {
    size_t calls, at;
    unsigned way;
    bool dead;
    duet_t *duet;
} watch;

static bool count_and_die(const call_t *call)
{
    if (watch.dead) return false;
    if (call->kind == CALL_LOOK) return true;
    if (++watch.calls == watch.at) {
        if (watch.way > 0) undo_cut(victim_how(watch.way));
        watch.dead = true;
        watch.duet->sites.site[0].spy.crashed = true;
        return false;
    }
    if (watch.way > 0) undo_before(call);
    return true;
}

static void note(const call_t *call, long result)
{
    if (call->kind != CALL_LOOK && watch.way > 0) undo_after(call, result);
}

static const calls_watcher_t watcher = {.before = count_and_die, .after = note};

/* False: it died only when all was done, and what was done was durable. */
static bool work(const story_t *story, duet_t *duet, size_t at, unsigned way)
{
    site_t *site = &duet->sites.site[0];
    char stash[DUET_PATH];
    snprintf(stash, sizeof stash, "%s-stash", site->dir);
    cr_assert_eq(mkdir(stash, 0700), 0);
    undo_begin(stash);
    watch.calls = 0;
    watch.at = at;
    watch.way = way;
    watch.dead = false;
    watch.duet = duet;
    site->spy.flushes = true;
    calls_add_root(site->dir);
    calls_watch(&watcher);
    story->work(duet);
    calls_watch(NULL);
    calls_forget_roots();
    if (!watch.dead && way > 0) undo_cut(victim_how(way));
    undo_end();
    cr_assert_eq(rmdir(stash), 0);
    site->spy.flushes = false;
    return watch.dead;
}

static bool crash(const story_t *story, size_t at, unsigned way)
{
    duet_t duet;
    story_begin(story, &duet);
    bool died = work(story, &duet, at, way);
    site_restart(&duet.sites.site[0]);
    duet_settle(&duet);
    const char *fault = duet_fault(&duet);
    if (fault != NULL) {
        cr_assert_fail("%s: %s before change %zu: %s", story->name, victim_way(way), at, fault);
    }
    duet_close(&duet);
    return died;
}

static void crash_everywhere(unsigned way)
{
    size_t runs = 0;
    for (size_t i = 0; i < story_count; i++) {
        bool died = true;
        for (size_t at = 1; died; at++, runs++) {
            if (runs % STRIDE == 0) died = crash(&stories[i], at, way);
        }
    }
    fprintf(stderr, "%s: %zu times\n", victim_way(way), runs);
}

Test(calls_crash, killed, .timeout = 900)
{
    crash_everywhere(0);
}

Test(calls_crash, nothing_survives, .timeout = 900)
{
    crash_everywhere(1);
}

Test(calls_crash, names_survive, .timeout = 900)
{
    crash_everywhere(2);
}

Test(calls_crash, names_and_sizes_survive, .timeout = 900)
{
    crash_everywhere(3);
}

Test(calls_crash, some_survive, .timeout = 900)
{
    crash_everywhere(4);
}

Test(calls_crash, bytes_survive, .timeout = 900)
{
    crash_everywhere(5);
}
