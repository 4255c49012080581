/* net_attempts_test.c - attempts that fail or are given up never touch a link that works. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <unistd.h>

#include "support/net_rig.h"

#define SOON_MS 20000 /* far more than anything here takes; only a failure waits that long */
#define ROUNDS  150u
#define FAULTS  4u

typedef struct scene {
    zloop_t *loop;
    rig_node_t a, b; /* a listens, b dials it and others */
    rig_keys_t others[FAULTS];
    int deaf;             /* listens, and its queue is full: a SYN gets no answer */
    int queued[4];        /* what fills the queue */
    int closed, gone;     /* bound, not listening; listening, and soon closed */
    unsigned said, ended; /* messages of b, attempts that failed before this round */
} scene_t;

static int bound_socket(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static struct sockaddr_in address_of(int fd)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    return at;
}

static void dial(scene_t *s, unsigned other, int fd)
{
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", ntohs(address_of(fd).sin_port));
    cr_assert_eq(cs_net_dial(s->b.net, s->others[other].public_key, endpoint), CS_OK);
}

static bool a_heard_b(void *arg)
{
    scene_t *s = arg;
    rig_link_t *link = rig_link_to(&s->a, s->b.keys.public_key);
    return link != NULL && link->messages == s->said;
}

static bool both_up(void *arg)
{
    scene_t *s = arg;
    return rig_link(&s->a) != NULL && rig_link(&s->b) != NULL;
}

static bool some_ended(void *arg)
{
    scene_t *s = arg;
    return s->b.refused + s->b.offline >= s->ended + 3; /* all but the deaf one */
}

static void scene_begin(scene_t *s)
{
    zsys_handler_set(NULL);
    s->loop = zloop_new();
    rig_start(&s->a, s->loop, NULL, "tcp://127.0.0.1:*", 100);
    rig_start(&s->b, s->loop, NULL, NULL, 0);
    cs_net_allow(s->a.net, s->b.keys.public_key);
    rig_dial(&s->b, &s->a);
    cr_assert(rig_await(s->loop, SOON_MS, both_up, s));
    for (unsigned i = 0; i < FAULTS; i++)
        s->others[i] = rig_keys();
    s->closed = bound_socket();
    s->deaf = bound_socket();
    cr_assert_eq(listen(s->deaf, 0), 0);
    struct sockaddr_in at = address_of(s->deaf);
    for (size_t i = 0; i < sizeof s->queued / sizeof *s->queued; i++) {
        s->queued[i] = bound_socket();
        (void)connect(s->queued[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void scene_end(scene_t *s)
{
    for (size_t i = 0; i < sizeof s->queued / sizeof *s->queued; i++)
        close(s->queued[i]);
    close(s->deaf);
    close(s->closed);
    rig_stop(&s->a);
    rig_stop(&s->b);
    zloop_destroy(&s->loop);
}

static void dial_all(scene_t *s)
{
    s->gone = bound_socket();
    cr_assert_eq(listen(s->gone, 5), 0);
    s->ended = s->b.refused + s->b.offline;
    dial(s, 0, s->deaf);
    dial(s, 1, s->closed);
    dial(s, 2, s->gone);
    cr_assert_eq(cs_net_dial(s->b.net, s->others[3].public_key, rig_endpoint(&s->a)), CS_OK);
}

/* libzmq's one I/O thread serves all sockets of a node. Should it ever wait for a reader of
 * events that is gone (libzmq#3575), nothing of this node goes on. */
Test(net_attempts, failing_and_abandoned_ones_do_not_stop_a_link_that_works)
{
    scene_t s = {.loop = NULL};
    scene_begin(&s);
    for (unsigned round = 0; round < ROUNDS; round++) {
        dial_all(&s);
        if (round % 3 == 0) close(s.gone);
        s.said++;
        cr_assert_eq(rig_say(&s.b, rig_link_to(&s.b, s.a.keys.public_key)->id, "on"), CS_OK);
        cr_assert(rig_await(s.loop, SOON_MS, a_heard_b, &s), "round %u: b is mute", round);
        if (round % 3 != 0) close(s.gone);
        if (round % 3 == 2) {
            cr_assert(rig_await(s.loop, SOON_MS, some_ended, &s), "round %u", round);
        }
        for (unsigned i = 0; i < FAULTS; i++)
            cs_net_undial(s.b.net, s.others[i].public_key);
    }
    cr_assert_eq(rig_links_up(&s.a), 1);
    cr_assert_eq(s.a.link_count, 1, "its link never ended");
    scene_end(&s);
}
