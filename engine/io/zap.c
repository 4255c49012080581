/* zap.c - the ZAP handler: a REP socket in a thread of its own, fed by acknowledged commands.
 */
#include "io/zap.h"

#include <czmq.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>

#include "base/mem.h"

#define ZAP_ENDPOINT  "inproc://zeromq.zap.01"
#define ZAP_FRAMES    7 /* version, request id, domain, address, routing id, mechanism, key */
#define COMMAND_BYTES (1 + CS_CURVE_KEY_BYTES)

enum command { COMMAND_ALLOW = 1, COMMAND_DENY, COMMAND_FULL, COMMAND_ROOM };

struct cs_zap {
    zactor_t *actor;
};

/* Read by the actor until it first signals. */
typedef struct start {
    void *context;
    bool ready; /* out: the handler stands */
} start_t;

/* Lives in the actor's thread. */
typedef struct judge {
    void *replier;
    cs_keyset_t allowed;
    bool full;
} judge_t;

static bool frame_is(zframe_t *frame, const char *text)
{
    return frame != NULL && zframe_streq(frame, text);
}

/* The status for a request; ret_user is set to the key in hex with 200 only. */
static const char *verdict(const judge_t *judge, zframe_t *const *frames, size_t count,
                           char ret_user[2 * CS_CURVE_KEY_BYTES + 1])
{
    ret_user[0] = '\0';
    if (count != ZAP_FRAMES || !frame_is(frames[0], "1.0")) return "500";
    zframe_t *key = frames[ZAP_FRAMES - 1];
    if (!frame_is(frames[2], CS_ZAP_DOMAIN) || !frame_is(frames[5], "CURVE") ||
        zframe_size(key) != CS_CURVE_KEY_BYTES ||
        !cs_keyset_has(&judge->allowed, zframe_data(key))) {
        return "400";
    }
    if (judge->full) return "400";
    sodium_bin2hex(ret_user, 2 * CS_CURVE_KEY_BYTES + 1, zframe_data(key), CS_CURVE_KEY_BYTES);
    return "200";
}

static void answer(judge_t *judge)
{
    zmsg_t *request = zmsg_recv(judge->replier);
    if (request == NULL) return;
    zframe_t *frames[ZAP_FRAMES] = {NULL};
    size_t count = zmsg_size(request);
    zframe_t *frame = zmsg_first(request);
    for (size_t i = 0; i < ZAP_FRAMES && frame != NULL; i++, frame = zmsg_next(request)) {
        frames[i] = frame;
    }
    char user[2 * CS_CURVE_KEY_BYTES + 1];
    const char *status = verdict(judge, frames, count, user);
    zmsg_t *reply = zmsg_new();
    zmsg_addstr(reply, "1.0");
    zmsg_addmem(reply, frames[1] == NULL ? NULL : zframe_data(frames[1]),
                frames[1] == NULL ? 0 : zframe_size(frames[1]));
    zmsg_addstr(reply, status);
    zmsg_addstr(reply, "");
    zmsg_addstr(reply, user);
    zmsg_addmem(reply, NULL, 0); /* no metadata */
    if (zmsg_send(&reply, judge->replier) != 0) zmsg_destroy(&reply);
    zmsg_destroy(&request);
}

/* False: the actor is to end. */
static bool obey(judge_t *judge, zsock_t *pipe)
{
    zframe_t *frame = zframe_recv(pipe);
    if (frame == NULL || zframe_size(frame) != COMMAND_BYTES) { /* interrupted, or $TERM */
        zframe_destroy(&frame);
        return false;
    }
    const uint8_t *key = zframe_data(frame) + 1;
    switch ((enum command)zframe_data(frame)[0]) {
    case COMMAND_ALLOW:
        cs_keyset_add(&judge->allowed, key);
        break;
    case COMMAND_DENY:
        cs_keyset_remove(&judge->allowed, key);
        break;
    case COMMAND_FULL:
    case COMMAND_ROOM:
        judge->full = zframe_data(frame)[0] == COMMAND_FULL;
        break;
    }
    zframe_destroy(&frame);
    zsock_signal(pipe, 0);
    return true;
}

static bool listen_for_requests(judge_t *judge, void *context)
{
    const int linger = 0;
    judge->replier = zmq_socket(context, ZMQ_REP);
    return judge->replier != NULL &&
           zmq_setsockopt(judge->replier, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_bind(judge->replier, ZAP_ENDPOINT) == 0;
}

static void run(zsock_t *pipe, void *arg)
{
    start_t *start = arg;
    judge_t judge = {.replier = NULL};
    bool ready = listen_for_requests(&judge, start->context);
    start->ready = ready;
    zsock_signal(pipe, 0);
    zmq_pollitem_t items[] = {{.socket = zsock_resolve(pipe), .events = ZMQ_POLLIN},
                              {.socket = judge.replier, .events = ZMQ_POLLIN}};
    while (zmq_poll(items, ready ? 2 : 1, -1) >= 0) {
        /* Commands first: an acknowledged one is in force for whatever is judged later. */
        if ((items[0].revents & ZMQ_POLLIN) != 0 && !obey(&judge, pipe)) break;
        if ((items[1].revents & ZMQ_POLLIN) != 0) answer(&judge);
    }
    if (judge.replier != NULL) zmq_close(judge.replier);
    cs_keyset_fini(&judge.allowed);
}

static void command(cs_zap_t *zap, enum command what, const uint8_t *key)
{
    uint8_t bytes[COMMAND_BYTES] = {(uint8_t)what};
    if (key != NULL) memcpy(bytes + 1, key, CS_CURVE_KEY_BYTES);
    zframe_t *frame = zframe_new(bytes, sizeof bytes);
    int rc = zframe_send(&frame, zap->actor, 0);
    CS_ASSERT(rc == 0);
    while (zsock_wait(zap->actor) != 0) {
        CS_ASSERT(errno == EINTR);
    }
}

/* A signal would end czmq's wait for the actor: it would be taken for one that failed, or for
 * ended while it runs. The actor's thread has the mask of who starts it: signals are for the
 * main thread. */
static sigset_t block_signals(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    return before;
}

static void unblock_signals(sigset_t before)
{
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

cs_zap_t *cs_zap_new(void *context)
{
    cs_zap_t *zap = cs_calloc(1, sizeof *zap);
    start_t start = {.context = context};
    sigset_t before = block_signals();
    zap->actor = zactor_new(run, &start);
    unblock_signals(before);
    if (zap->actor == NULL || !start.ready) cs_zap_destroy(&zap);
    return zap;
}

void cs_zap_destroy(cs_zap_t **zap_p)
{
    if (*zap_p == NULL) return;
    sigset_t before = block_signals();
    zactor_destroy(&(*zap_p)->actor);
    unblock_signals(before);
    cs_free(*zap_p);
    *zap_p = NULL;
}

void cs_zap_allow(cs_zap_t *zap, const uint8_t key[CS_CURVE_KEY_BYTES])
{
    command(zap, COMMAND_ALLOW, key);
}

void cs_zap_deny(cs_zap_t *zap, const uint8_t key[CS_CURVE_KEY_BYTES])
{
    command(zap, COMMAND_DENY, key);
}

void cs_zap_set_full(cs_zap_t *zap, bool full)
{
    command(zap, full ? COMMAND_FULL : COMMAND_ROOM, NULL);
}
