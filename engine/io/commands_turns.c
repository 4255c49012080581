/* commands_turns.c - long answers, a few milliseconds of the reactor's time at once.
 *
 * A listing of a million files must neither stop the node nor fill its memory: between two
 * turns everything else gets its own, and no turn is taken while the asker has not read what
 * was said to him. What changes between two turns shows, or not: an answer is no snapshot. */
#include "base/mem.h"
#include "io/commands_internal.h"

#define TURN_MS    5u         /* so long nobody else is served */
#define REST_MS    1u         /* at least: what came meanwhile is served */
#define UNSENT_MAX (1u << 20) /* bytes said and not read, from where turns are skipped */

typedef struct turns {
    cs_turn_t *turn;
    void *state; /* owned */
    void (*state_free)(void *state);
    uint64_t next_ms;
} turns_t;

static void turns_free(void *arg)
{
    turns_t *turns = arg;
    turns->state_free(turns->state);
    cs_free(turns);
}

static bool asker_reads(const cs_reply_t *reply)
{
    return reply->unsent == NULL || reply->unsent(reply->arg) <= UNSENT_MAX;
}

static void check(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    turns_t *turns = pending->arg;
    uint64_t now = (uint64_t)zclock_mono();
    if (!expired && now < turns->next_ms) return;
    if (!asker_reads(&pending->reply)) {
        pending->deadline_ms = UINT64_MAX; /* a step follows when he has read */
        return;
    }
    cs_ask_t ask = {.daemon = daemon, .reply = pending->reply};
    int exit_code = turns->turn(&ask, turns->state, now + TURN_MS);
    if (exit_code == CS_TURN_MORE) {
        turns->next_ms = (uint64_t)zclock_mono() + REST_MS;
        pending->deadline_ms = turns->next_ms;
    } else {
        cs_buf_put_u8(&ask.detail, 0);
        cs_pending_end(daemon, pending, exit_code, (const char *)ask.detail.data);
    }
    cs_buf_fini(&ask.detail);
}

int cs__ask_turns(cs_ask_t *ask, cs_turn_t *turn, void *state, void (*state_free)(void *state))
{
    turns_t *turns = cs_calloc(1, sizeof *turns);
    *turns = (turns_t){.turn = turn, .state = state, .state_free = state_free};
    cs_pending_t *pending = cs__ask_pending(ask);
    pending->arg = turns;
    pending->arg_free = turns_free;
    pending->check = check;
    return CS_ASK_LATER; /* the step that follows takes the first turn */
}

bool cs__turn_is_over(uint64_t until_ms)
{
    return (uint64_t)zclock_mono() >= until_ms;
}

void cs_daemon_taken(cs_daemon_t *daemon)
{
    cs_event_t event = {.kind = CS_EV_TICK};
    cs_daemon_step(daemon, &event);
}
