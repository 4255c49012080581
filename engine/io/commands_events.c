/* commands_events.c - events: what happened since a number, and what happens from now on. */
#include "base/mem.h"
#include "io/commands_internal.h"

/* bytes said and not read: what follows waits in the ring, or is lost */
#define UNSENT_MAX (1u << 20)

typedef struct listener {
    uint64_t after; /* number of the last event that he was told */
} listener_t;

/* The line bears the number of the last one that is gone: who comes back asks from there on. */
static void tell_gap(const cs_reply_t *reply, uint64_t from, uint64_t to)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_u64(&json, "seq", to);
    cs_json_put_text(&json, "type", "gap");
    cs_json_put_u64(&json, "from", from);
    cs_json_put_u64(&json, "to", to);
    cs_json_put_text(&json, "text", "these are not kept any more");
    cs_json_end(&json, '}');
    reply->data(reply->arg, cs_json_line(&json));
    cs_json_fini(&json);
}

static void check(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    (void)expired;
    listener_t *listener = pending->arg;
    const cs_reply_t *reply = &pending->reply;
    cs_slice_t line;
    uint64_t seq, gap;
    while (reply->unsent == NULL || reply->unsent(reply->arg) <= UNSENT_MAX) {
        if (!cs_events_after(daemon->events, listener->after, &seq, &line, &gap)) return;
        if (gap > 0) tell_gap(reply, seq - gap, seq - 1);
        reply->data(reply->arg, line);
        listener->after = seq;
    }
}

int cs__cmd_events(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    if (daemon->events == NULL) {
        return cs__ask_fail(ask, CS_EXIT_NO_NODE,
                            "cannot listen to events: no node is running; start it with: "
                            "crdtsync node");
    }
    uint64_t last = cs_events_next_seq(daemon->events) - 1;
    listener_t *listener = cs_calloc(1, sizeof *listener);
    listener->after = cs__ask_u64(ask, "since", last);
    if (listener->after > last) {
        /* A number that this node never gave: its database and its clock were set back. */
        tell_gap(&ask->reply, last + 1, last);
        listener->after = last;
    }
    cs_pending_t *pending = cs__ask_pending(ask);
    pending->arg = listener;
    pending->arg_free = cs_free;
    pending->check = check;
    return CS_ASK_LATER; /* the step that follows tells what there is */
}
