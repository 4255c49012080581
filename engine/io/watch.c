/* watch.c - the thread: it waits for events, for words of the reactor, and for what is due. */
#include "io/watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/watch_internal.h"

#define STATE_MS   200u /* between two words about how much is watched */
#define PAIR_MS    5u   /* for the second half of a rename: it follows at once, or never */
#define COSTLY_MS  50u  /* a scan that took longer is followed by a rest of its length */
#define MANY_PATHS 4u   /* a batch of so many is a part of something larger, */
#define MANY_MS    100u /* and what follows gathers for so long: each scan costs a flush */
#define READS_MAX  16u  /* of the queue between two looks at other things */
/* To be woken by each event costs whoever writes more than the event does: after so many turns
 * with events, one upon the other, the queue is left to fill for so long. */
#define BURST_TURNS 8u
#define BURST_MS    5u

bool cs_watcher_parse(const char *text, cs_watcher_by_t *ret)
{
    static const struct {
        const char *text;
        cs_watcher_by_t by;
    } known[] = {{"off", CS_WATCH_OFF},
                 {"auto", CS_WATCH_AUTO},
                 {"on", CS_WATCH_AUTO}, /* as records of older versions have it */
                 {"inotify", CS_WATCH_INOTIFY},
                 {"fanotify", CS_WATCH_FANOTIFY}};
    for (size_t i = 0; i < CS_COUNT_OF(known); i++) {
        if (strcmp(known[i].text, text) != 0) continue;
        *ret = known[i].by;
        return true;
    }
    return false;
}

bool cs_watcher_covers(const cs_watcher_state_t *state)
{
    return state->by != CS_WATCH_OFF && state->started && state->missed == 0 && !state->remote;
}

/* --- to the reactor */

typedef struct message {
    cs_watcher_t *watch;
    cs_dirty_batch_t batch; /* owned */
    bool is_state;
    cs_watcher_state_t state;
} message_t;

static void deliver(void *arg)
{
    message_t *message = arg;
    const cs_watcher_config_t *config = &message->watch->config;
    if (!message->watch->closing && message->is_state) {
        config->changed(config->arg, &message->state);
    } else if (!message->watch->closing) {
        config->look(config->arg, &message->batch);
    }
    cs_dirty_batch_fini(&message->batch);
    cs_free(message);
}

static void hand_over(cs_watcher_t *watch)
{
    cs_dirty_batch_t batch;
    cs_watch_thread_t *thread = &watch->thread;
    if (watch->in_flight || !cs_dirty_take(thread->dirty, thread->now_ms, &batch)) return;
    message_t *message = cs_calloc(1, sizeof *message);
    *message = (message_t){.watch = watch, .batch = batch};
    watch->in_flight = true;
    watch->handed_ms = thread->now_ms;
    watch->had_many = batch.count >= MANY_PATHS;
    cs_calls_post(watch->calls, deliver, message);
}

static void look_at_state(cs_watcher_t *watch)
{
    cs_watcher_state_t *state = &watch->thread.state;
    const cs_watch_backend_t *backend = watch->thread.backend;
    if (backend == NULL) return;
    backend->ops->count(backend, &state->watched, &state->missed, &state->why);
    state->all = state->watched == SIZE_MAX;
}

static bool state_differs(const cs_watcher_t *watch)
{
    const cs_watcher_state_t *a = &watch->thread.state, *b = &watch->told;
    return a->by != b->by || a->started != b->started || a->remote != b->remote ||
           a->all != b->all || a->watched != b->watched || a->missed != b->missed ||
           a->why != b->why || a->overflows != b->overflows;
}

static void tell_state(cs_watcher_t *watch)
{
    cs_watch_thread_t *thread = &watch->thread;
    bool decides = cs_watcher_covers(&thread->state) != cs_watcher_covers(&watch->told);
    if (!state_differs(watch)) return;
    if (!decides && thread->now_ms < watch->told_ms + STATE_MS) return;
    message_t *message = cs_calloc(1, sizeof *message);
    *message = (message_t){.watch = watch, .is_state = true, .state = thread->state};
    watch->told = thread->state;
    watch->told_ms = thread->now_ms;
    cs_calls_post(watch->calls, deliver, message);
}

/* --- from the reactor */

static void add_deeds(cs_watch_thread_t *thread, cs_deeds_t *deeds)
{
    cs_watch_deeds_t **at = &thread->deeds;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = cs_calloc(1, sizeof **at);
    (*at)->deeds = deeds;
}

static void end_deeds(cs_watch_thread_t *thread)
{
    cs_watch_deeds_t *at = thread->deeds;
    while (at != NULL && at->ended) {
        at = at->next;
    }
    if (at != NULL) at->ended = true;
}

/* All events there were are told. */
static void drop_deeds(cs_watch_thread_t *thread, bool all)
{
    while (thread->deeds != NULL && (all || thread->deeds->ended)) {
        cs_watch_deeds_t *first = thread->deeds;
        thread->deeds = first->next;
        cs_deeds_destroy(&first->deeds);
        cs_free(first);
    }
}

static void looked(cs_watcher_t *watch)
{
    cs_watch_thread_t *thread = &watch->thread;
    uint64_t cost_ms = thread->now_ms - watch->handed_ms;
    watch->in_flight = false;
    uint64_t rest_ms = cost_ms > COSTLY_MS ? cost_ms : 0;
    if (watch->had_many && rest_ms < MANY_MS) rest_ms = MANY_MS;
    if (rest_ms > 0) cs_dirty_rest_until(thread->dirty, thread->now_ms + rest_ms);
}

static void take_words(void *arg)
{
    cs_watcher_t *watch =
        (cs_watcher_t *)(void *)((char *)arg - offsetof(cs_watcher_t, thread));
    cs_watch_thread_t *thread = arg;
    cs_watch_note_t *next = NULL;
    for (cs_watch_note_t *note = cs__watch_inbox_take(&watch->inbox); note != NULL;
         note = next) {
        next = note->next;
        switch (note->word) {
        case CS_WORD_STOP:
            watch->stopping = true;
            break;
        case CS_WORD_LOOKED:
            looked(watch);
            break;
        case CS_WORD_EXPECT:
            add_deeds(thread, note->deeds);
            note->deeds = NULL;
            break;
        case CS_WORD_APPLIED:
            end_deeds(thread);
            break;
        case CS_WORD_WARM:
            if (thread->backend == NULL) break;
            thread->backend->ops->warm(thread->backend, cs_slice_str(note->dir),
                                       thread->now_ms);
            break;
        }
        cs__watch_note_free(note);
    }
}

/* --- the loop */

static bool rests(const cs_watcher_t *watch)
{
    return watch->thread.now_ms < watch->rest_until_ms;
}

static void note_events(cs_watcher_t *watch)
{
    uint64_t now_ms = watch->thread.now_ms;
    watch->streak = now_ms <= watch->events_ms + BURST_MS + 1 ? watch->streak + 1 : 0;
    watch->events_ms = now_ms;
    bool patient = watch->thread.backend->ops->patient;
    if (patient && watch->streak >= BURST_TURNS) watch->rest_until_ms = now_ms + BURST_MS;
}

static int timeout_ms(const cs_watcher_t *watch, bool more)
{
    const cs_watch_thread_t *thread = &watch->thread;
    if (more || thread->gone) return 0;
    uint64_t at = watch->root_ms + CS_WATCH_ROOT_MS;
    if (!watch->in_flight) at = cs_min_u64(at, cs_dirty_due(thread->dirty));
    if (thread->from.waits) at = cs_min_u64(at, thread->from.at_ms + PAIR_MS);
    if (state_differs(watch)) at = cs_min_u64(at, watch->told_ms + STATE_MS);
    if (rests(watch)) at = cs_min_u64(at, watch->rest_until_ms);
    return at > thread->now_ms ? (int)(at - thread->now_ms) : 0;
}

/* Reads what waits; true: perhaps not all. */
static bool read_events(cs_watcher_t *watch, bool ready)
{
    cs_watch_thread_t *thread = &watch->thread;
    cs_watch_backend_t *backend = thread->backend;
    bool more = ready;
    for (unsigned i = 0; more && i < READS_MAX; i++) {
        more = backend->ops->read(backend, thread->now_ms);
        if (more && i == 0) note_events(watch);
    }
    if (thread->root_fd >= 0) close(thread->root_fd);
    thread->root_fd = -1;
    return more;
}

static void turn(cs_watcher_t *watch, bool *more)
{
    cs_watch_thread_t *thread = &watch->thread;
    cs_watch_backend_t *backend = thread->backend;
    bool rested = rests(watch);
    struct pollfd fds[] = {
        {.fd = watch->inbox.fd, .events = POLLIN},
        {.fd = backend != NULL && !rested ? backend->ops->fd(backend) : -1, .events = POLLIN}};
    (void)poll(fds, 2, timeout_ms(watch, *more));
    thread->now_ms = cs_clock_mono_ms();
    bool ready = *more || (fds[1].revents & POLLIN) != 0 || (rested && !rests(watch));
    take_words(thread);
    *more = false;
    if (backend != NULL) {
        bool ending = thread->deeds != NULL && thread->deeds->ended;
        *more = read_events(watch, ready || ending);
        *more = backend->ops->work(backend, thread->now_ms) || *more;
        /* What stands in a new directory is told by the work, not by events. */
        if (!*more && ending) drop_deeds(thread, false);
        if (thread->now_ms >= thread->from.at_ms + PAIR_MS) cs__watch_end_pair(thread);
    } else {
        drop_deeds(thread, true);
    }
    cs__watch_check_root(watch, take_words);
    look_at_state(watch);
    hand_over(watch);
    tell_state(watch);
}

static void *run(void *arg)
{
    cs_watcher_t *watch = arg;
    sigset_t all;
    bool more = false;
    sigfillset(&all); /* signals are for the main thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    watch->thread.now_ms = cs_clock_mono_ms();
    cs__watch_open(watch, take_words);
    while (!watch->stopping) {
        turn(watch, &more);
    }
    if (watch->thread.backend != NULL) {
        watch->thread.backend->ops->destroy(watch->thread.backend);
    }
    drop_deeds(&watch->thread, true);
    return NULL;
}

/* --- the reactor's side */

cs_watcher_t *cs_watcher_new(zloop_t *loop, const cs_watcher_config_t *config)
{
    CS_ASSERT(config->by != CS_WATCH_OFF);
    cs_watcher_t *watch = cs_calloc(1, sizeof *watch);
    watch->config = *config;
    watch->calls = cs_calls_new(loop);
    cs__watch_inbox_init(&watch->inbox);
    watch->thread.root = cs_strdup(config->root);
    watch->thread.root_fd = -1;
    watch->thread.dirty = cs_dirty_new();
    int rc = pthread_create(&watch->pthread, NULL, run, watch);
    CS_ASSERT(rc == 0); /* as with memory: the machine has none left */
    return watch;
}

static void say(cs_watcher_t *watch, cs_watch_word_t word, cs_deeds_t *deeds, cs_str_t *dir)
{
    cs_watch_note_t *note = cs_calloc(1, sizeof *note);
    *note = (cs_watch_note_t){.word = word, .deeds = deeds, .dir = dir};
    cs__watch_inbox_put(&watch->inbox, note);
}

void cs_watcher_destroy(cs_watcher_t **watch_p)
{
    cs_watcher_t *watch = *watch_p;
    if (watch == NULL) return;
    *watch_p = NULL;
    watch->closing = true;
    say(watch, CS_WORD_STOP, NULL, NULL);
    pthread_join(watch->pthread, NULL);
    cs_calls_destroy(&watch->calls);
    cs__watch_inbox_fini(&watch->inbox);
    cs_dirty_destroy(&watch->thread.dirty);
    cs_buf_fini(&watch->thread.from.path);
    cs_free(watch->thread.root);
    cs_free(watch);
}

void cs_watcher_looked(cs_watcher_t *watch)
{
    say(watch, CS_WORD_LOOKED, NULL, NULL);
}

void cs_watcher_expect(cs_watcher_t *watch, cs_deeds_t **deeds_p)
{
    say(watch, CS_WORD_EXPECT, *deeds_p, NULL);
    *deeds_p = NULL;
}

void cs_watcher_applied(cs_watcher_t *watch)
{
    say(watch, CS_WORD_APPLIED, NULL, NULL);
}

void cs_watcher_warm(cs_watcher_t *watch, cs_slice_t dir)
{
    say(watch, CS_WORD_WARM, NULL, cs_str_new(dir.data, dir.len));
}
