/* net_echo_test.c - how long a peer takes to answer, and what its answers are worth. */
#include <criterion/criterion.h>

#include "support/net_rig.h"

#define ANY_PORT "tcp://127.0.0.1:*"
#define SOON_MS  10000 /* far more than anything here takes; only a failure waits that long */

typedef struct scene {
    zloop_t *loop;
    rig_node_t a, b; /* a listens */
    rig_client_t client;
    rig_keys_t client_keys;
} scene_t;

static void scene_begin(scene_t *s)
{
    *s = (scene_t){.loop = NULL};
    zsys_handler_set(NULL);
    s->loop = zloop_new();
    rig_start(&s->a, s->loop, NULL, ANY_PORT, 10);
}

static void scene_end(scene_t *s)
{
    rig_stop(&s->a);
    rig_stop(&s->b);
    zloop_destroy(&s->loop);
}

#define AWAIT(s, goal) cr_assert(rig_await((s)->loop, SOON_MS, goal, s), #goal)

static bool both_know(void *arg)
{
    scene_t *s = arg;
    return cs_net_rtt_us(s->a.net, s->b.keys.public_key) > 0 &&
           cs_net_rtt_us(s->b.net, s->a.keys.public_key) > 0;
}

static bool a_is_alone(void *arg)
{
    return rig_link(&((scene_t *)arg)->a) == NULL;
}

Test(net_echo, both_ends_know_the_round_trip_while_they_are_connected)
{
    scene_t s;
    scene_begin(&s);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    cr_assert_eq(cs_net_rtt_us(s.a.net, s.b.keys.public_key), 0);
    rig_dial(&s.b, &s.a);
    AWAIT(&s, both_know);
    cr_assert_lt(cs_net_rtt_us(s.a.net, s.b.keys.public_key), SOON_MS * 1000u);
    cr_assert_eq(rig_link(&s.a)->messages, 0, "they stay below");
    rig_stop(&s.b);
    AWAIT(&s, a_is_alone);
    cr_assert_eq(cs_net_rtt_us(s.a.net, s.b.keys.public_key), 0);
    scene_end(&s);
}

static void say(scene_t *s, uint8_t byte)
{
    cr_assert_eq(zmq_send(s->client.socket, &byte, 1, 0), 1);
}

static void connect_client(scene_t *s)
{
    s->client_keys = rig_keys();
    cs_net_allow(s->a.net, s->client_keys.public_key);
    s->client = rig_client(rig_endpoint(&s->a), s->a.keys.public_key, &s->client_keys, NULL);
}

/* Whether this byte is one of the messages that wait. */
static bool client_hears(scene_t *s, uint8_t wanted)
{
    bool found = false;
    uint8_t byte;
    while (zmq_recv(s->client.socket, &byte, 1, ZMQ_DONTWAIT) == 1)
        found = found || byte == wanted;
    return found;
}

static bool client_is_asked(void *arg)
{
    return client_hears(arg, 1);
}

static bool client_is_answered(void *arg)
{
    return client_hears(arg, 2);
}

Test(net_echo, a_question_is_answered)
{
    scene_t s;
    scene_begin(&s);
    connect_client(&s);
    say(&s, 1);
    AWAIT(&s, client_is_answered);
    rig_client_stop(&s.client);
    scene_end(&s);
}

static bool client_is_known(void *arg)
{
    scene_t *s = arg;
    return cs_net_rtt_us(s->a.net, s->client_keys.public_key) > 0;
}

static bool client_is_heard(void *arg)
{
    rig_link_t *link = rig_link(&((scene_t *)arg)->a);
    return link != NULL && link->messages > 0;
}

/* Everything but an answer, then an answer, then another one to no question. */
Test(net_echo, an_answer_without_a_question_measures_nothing)
{
    scene_t s;
    scene_begin(&s);
    connect_client(&s);
    for (unsigned i = 0; i < 256; i++) {
        if (i != 2) say(&s, (uint8_t)i);
    }
    cr_assert_eq(zmq_send(s.client.socket, "all", 3, 0), 3);
    AWAIT(&s, client_is_heard);
    AWAIT(&s, client_is_asked);
    cr_assert_eq(cs_net_rtt_us(s.a.net, s.client_keys.public_key), 0, "it never answered");
    say(&s, 2);
    AWAIT(&s, client_is_known);
    uint64_t before = cs_net_rtt_us(s.a.net, s.client_keys.public_key);
    say(&s, 2);
    cr_assert_eq(zmq_send(s.client.socket, "more", 4, 0), 4);
    rig_link(&s.a)->messages = 0;
    AWAIT(&s, client_is_heard);
    cr_assert_eq(cs_net_rtt_us(s.a.net, s.client_keys.public_key), before, "asked once");
    rig_client_stop(&s.client);
    scene_end(&s);
}
