/* net_flow_test.c - what io/net promises of full links and of messages at the limits. */
#include <criterion/criterion.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/net_rig.h"

#define SOON_MS 20000 /* far more than anything here takes; only a failure waits that long */
#define FLOOD   (64u << 10)
/* Queues of both sides and the kernel's buffers hold this many messages, generously. */
#define FLOOD_MESSAGES_MAX (3 * CS_HWM + 200)

typedef struct scene {
    zloop_t *loop;
    rig_node_t a, b; /* a listens */
    unsigned expected;
} scene_t;

#define AWAIT(s, goal) cr_assert(rig_await((s)->loop, SOON_MS, goal, s), #goal)

static void scene_begin(scene_t *s)
{
    zsys_handler_set(NULL);
    s->loop = zloop_new();
    rig_start(&s->a, s->loop, NULL, "tcp://127.0.0.1:*", 100);
    rig_start(&s->b, s->loop, NULL, NULL, 0);
}

static void scene_end(scene_t *s)
{
    rig_stop(&s->a);
    rig_stop(&s->b);
    zloop_destroy(&s->loop);
}

static bool both_up(void *arg)
{
    scene_t *s = arg;
    return rig_link_to(&s->a, s->b.keys.public_key) != NULL && rig_link(&s->b) != NULL;
}

static void connect_two(scene_t *s)
{
    scene_begin(s);
    cs_net_allow(s->a.net, s->b.keys.public_key);
    rig_dial(&s->b, &s->a);
    AWAIT(s, both_up);
}

static bool a_has_two(void *arg)
{
    return rig_links_up(&((scene_t *)arg)->a) == 2;
}

/* The third is no code of ours, and does what the test says. Returns a's link with it. */
static rig_link_t *connect_three(scene_t *s, rig_client_t *ret_client)
{
    connect_two(s);
    rig_keys_t keys = rig_keys();
    cs_net_allow(s->a.net, keys.public_key);
    *ret_client = rig_client(rig_endpoint(&s->a), s->a.keys.public_key, &keys, NULL);
    zmq_send(ret_client->socket, "hello", 5, 0);
    AWAIT(s, a_has_two);
    return rig_link_to(&s->a, keys.public_key);
}

static bool a_has_one(void *arg)
{
    return rig_links_up(&((scene_t *)arg)->a) == 1;
}

static cs_buf_t test_payload(char of, size_t len)
{
    cs_buf_t payload = {0};
    cs_buf_reserve(&payload, len);
    memset(payload.data, of, len);
    payload.len = len;
    return payload;
}

/* Sends until the link is full. */
static unsigned flood(rig_node_t *node, cs_link_t link)
{
    for (unsigned sent = 0; sent < FLOOD_MESSAGES_MAX; sent++) {
        cs_buf_t payload = test_payload('x', FLOOD);
        cs_err_t err = cs_net_send(node->net, link, cs_slice_text("flood"), &payload);
        if (err == CS_OK) continue;
        cr_assert_eq(err, CS_ERR_AGAIN);
        cr_assert_eq(payload.len, FLOOD, "what was not sent is still the caller's");
        cs_buf_fini(&payload);
        return sent;
    }
    cr_assert_fail("never full");
    return 0;
}

static bool b_is_writable(void *arg)
{
    rig_link_t *link = rig_link(&((scene_t *)arg)->b);
    return link != NULL && link->writables > 0;
}

static bool a_heard_it_all(void *arg)
{
    scene_t *s = arg;
    rig_link_t *link = rig_link_to(&s->a, s->b.keys.public_key);
    return link != NULL && link->messages == s->expected;
}

Test(net_flow, a_dialler_that_floods_is_stopped_and_loses_nothing)
{
    scene_t s = {.loop = NULL};
    connect_two(&s);
    s.expected =
        flood(&s.b, rig_link(&s.b)->id); /* the reactor does not run, so nobody reads */
    AWAIT(&s, b_is_writable);
    AWAIT(&s, a_heard_it_all);
    cr_assert_eq(rig_link(&s.b)->writables, 1);
    scene_end(&s);
}

static size_t drain(rig_client_t *client)
{
    const int wait_ms = 1000;
    size_t messages = 0;
    zmq_setsockopt(client->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    for (zmsg_t *msg; (msg = zmsg_recv(client->socket)) != NULL;) {
        messages += zmsg_size(msg) == 2;
        zmsg_destroy(&msg);
    }
    return messages;
}

/* Said on the newest link but b's; `expected` times before. */
static bool has_room_again(void *arg)
{
    scene_t *s = arg;
    for (size_t i = 0; i < s->a.link_count; i++) {
        if (s->a.links[i].writables > s->expected) return true;
    }
    return false;
}

Test(net_flow, a_peer_that_does_not_read_is_full_alone_and_gets_all_once_it_reads)
{
    scene_t s = {.loop = NULL};
    rig_client_t mute;
    rig_link_t *at_a = connect_three(&s, &mute);
    cs_link_t link = at_a->id;
    /* The kernel's buffers go on filling for a while; then it stays full, however long we wait.
     */
    size_t sent = flood(&s.a, link);
    for (; rig_await(s.loop, 200, has_room_again, &s); s.expected++) {
        sent += flood(&s.a, link);
        cr_assert_leq(sent, FLOOD_MESSAGES_MAX);
    }
    cr_assert_eq(rig_say(&s.a, link, "full"), CS_ERR_AGAIN);
    cr_assert_eq(rig_say(&s.a, rig_link_to(&s.a, s.b.keys.public_key)->id, "to b"), CS_OK);
    cr_assert_eq(drain(&mute), sent);
    AWAIT(&s, has_room_again);
    cr_assert_eq(rig_say(&s.a, link, "room"), CS_OK);
    rig_client_stop(&mute);
    AWAIT(&s, a_has_one);
    scene_end(&s);
}

Test(net_flow, a_full_link_that_dies_goes_down)
{
    scene_t s = {.loop = NULL};
    rig_client_t mute;
    rig_link_t *at_a = connect_three(&s, &mute);
    flood(&s.a, at_a->id);
    rig_client_stop(&mute);
    AWAIT(&s, a_has_one);
    scene_end(&s);
}

static bool a_has_a_message(void *arg)
{
    scene_t *s = arg;
    rig_link_t *link = rig_link_to(&s->a, s->b.keys.public_key);
    return link != NULL && link->messages > 0;
}

static size_t total(const scene_t *s)
{
    return (size_t)s->expected * FLOOD;
}

static bool b_has_told_all(void *arg)
{
    scene_t *s = arg;
    rig_link_t *link = rig_link(&s->b);
    return link != NULL && link->gone == total(s);
}

Test(net_flow, payloads_count_until_they_are_on_their_way)
{
    scene_t s = {.loop = NULL};
    connect_two(&s);
    rig_link_t *link = rig_link(&s.b);
    s.expected = flood(&s.b, link->id);
    cr_assert_eq(link->gone, 0, "nothing is told out of a call");
    AWAIT(&s, b_has_told_all);
    scene_end(&s);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* What nobody reads fills the buffers of both ends, and the rest is known to be here. */
Test(net_flow, payloads_that_nobody_reads_are_not_told_to_be_gone)
{
    scene_t s = {.loop = NULL};
    rig_client_t mute;
    rig_link_t *link = connect_three(&s, &mute);
    unsigned sent = 0;
    for (cs_err_t err = CS_OK; err == CS_OK; sent++) {
        cs_buf_t payload = test_payload('x', 16 * FLOOD);
        err = cs_net_send(s.a.net, link->id, cs_slice_text("mute"), &payload);
        cs_buf_fini(&payload);
        cr_assert_lt(sent, 4 * CS_HWM, "never full");
    }
    s.expected = sent - 1;
    (void)rig_await(s.loop, 300, never, &s);
    cr_assert_leq(link->gone, total(&s) * 16 / 2, "most of it is here: nobody reads");
    rig_client_stop(&mute);
    AWAIT(&s, a_has_one);
    cr_assert_not(link->up, "what it had is freed, and need not be told");
    scene_end(&s);
}

Test(net_flow, a_payload_of_the_greatest_size_passes_in_both_directions)
{
    scene_t s = {.loop = NULL};
    connect_two(&s);
    cs_buf_t payload = test_payload('m', CS_MESSAGE_BYTES_MAX);
    cr_assert_eq(cs_net_send(s.b.net, rig_link(&s.b)->id, cs_slice_text("max"), &payload),
                 CS_OK);
    AWAIT(&s, a_has_a_message);
    cr_assert_eq(s.a.links[0].bytes, CS_MESSAGE_BYTES_MAX + 3);
    cr_assert_eq(rig_links_up(&s.a), 1);
    scene_end(&s);
}

/* A stranger sends what `send` sends; it alone is disconnected, and nothing of it is delivered.
 */
static void expect_thrown_out(void (*send)(void *socket))
{
    scene_t s = {.loop = NULL};
    rig_client_t stranger;
    rig_link_t *at_a = connect_three(&s, &stranger);
    cs_link_t link = at_a->id;
    send(stranger.socket);
    AWAIT(&s, a_has_one);
    cr_assert_eq(rig_say(&s.a, link, "gone"), CS_ERR_OFFLINE);
    cr_assert(both_up(&s));
    for (size_t i = 0; i < s.a.link_count; i++) {
        if (s.a.links[i].id == link) cr_assert_leq(s.a.links[i].messages, 1);
    }
    cr_assert_eq(rig_say(&s.b, rig_link(&s.b)->id, "still here"), CS_OK);
    AWAIT(&s, a_has_a_message);
    rig_client_stop(&stranger);
    scene_end(&s);
}

static void send_oversized(void *socket)
{
    size_t size = CS_MESSAGE_BYTES_MAX + 100;
    char *bytes = cs_calloc(1, size);
    zmq_send(socket, bytes, size, 0);
    cs_free(bytes);
}

static void send_three_parts(void *socket)
{
    zmq_send(socket, "one", 3, ZMQ_SNDMORE);
    zmq_send(socket, "two", 3, ZMQ_SNDMORE);
    zmq_send(socket, "three", 5, 0);
}

Test(net_flow, an_oversized_message_disconnects_its_sender_alone)
{
    expect_thrown_out(send_oversized);
}

Test(net_flow, a_message_of_three_parts_disconnects_its_sender_alone)
{
    expect_thrown_out(send_three_parts);
}

static bool all_up(void *arg)
{
    return rig_links_up(&((scene_t *)arg)->a) == 40;
}

static bool none_up(void *arg)
{
    return rig_links_up(&((scene_t *)arg)->a) == 0;
}

Test(net_flow, forty_dials_of_one_node_come_and_go)
{
    scene_t s = {.loop = NULL};
    scene_begin(&s);
    for (unsigned i = 0; i < 40; i++) {
        rig_keys_t keys = rig_keys();
        cs_net_allow(s.a.net, keys.public_key);
        cr_assert_eq(cs_net_dial_as(s.b.net, s.a.keys.public_key, rig_endpoint(&s.a),
                                    keys.public_key, keys.secret_key),
                     CS_OK);
    }
    AWAIT(&s, all_up);
    cs_net_undial(s.b.net, s.a.keys.public_key);
    AWAIT(&s, none_up);
    scene_end(&s);
}

/* --- messages that take long */

#define SLOW_MESSAGES 30u
#define SLOW_MS       10 /* each; all of them are there meanwhile */

typedef struct others {
    int fd;                    /* readable from the first message on */
    unsigned messages, before; /* before it was looked at */
    bool looked;
} others_t;

static void take_long(void *arg)
{
    others_t *others = arg;
    const uint64_t one = 1;
    int64_t until_ms = zclock_mono() + SLOW_MS;
    if (others->messages++ == 0)
        cr_assert_eq(write(others->fd, &one, sizeof one), (ssize_t)sizeof one);
    while (zclock_mono() < until_ms) {
    }
}

static int look(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    others_t *others = arg;
    zloop_poller_end(loop, item);
    others->before = others->messages;
    others->looked = true;
    return 0;
}

static bool all_taken(void *arg)
{
    const others_t *others = arg;
    return others->looked && others->messages == SLOW_MESSAGES;
}

static void expect_others_in_between(bool at_router)
{
    scene_t s = {.loop = NULL};
    connect_two(&s);
    others_t others = {.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    rig_node_t *to = at_router ? &s.a : &s.b, *from = at_router ? &s.b : &s.a;
    zmq_pollitem_t item = {.fd = others.fd, .events = ZMQ_POLLIN};
    cr_assert_eq(zloop_poller(s.loop, &item, look, &others), 0);
    to->busy = take_long;
    to->busy_arg = &others;
    for (unsigned i = 0; i < SLOW_MESSAGES; i++)
        cr_assert_eq(rig_say(from, rig_link(from)->id, "slow"), CS_OK);
    cr_assert(rig_await(s.loop, SOON_MS, all_taken, &others));
    cr_assert_lt(others.before, SLOW_MESSAGES, "the others waited for all of them");
    close(others.fd);
    scene_end(&s);
}

Test(net_flow, messages_that_take_long_let_others_in_between_at_the_router)
{
    expect_others_in_between(true);
}

Test(net_flow, messages_that_take_long_let_others_in_between_at_the_dealer)
{
    expect_others_in_between(false);
}
