/* net_test.c - what io/net promises of admission, identity and the life of links. */
#include <criterion/criterion.h>
#include <signal.h>

#include "support/net_rig.h"

#define ANY_PORT "tcp://127.0.0.1:*"
#define SOON_MS  10000 /* far more than anything here takes; only a failure waits that long */

typedef struct scene {
    zloop_t *loop;
    rig_node_t a, b, c; /* a listens */
} scene_t;

static scene_t scene(void)
{
    scene_t s = {.loop = NULL};
    zsys_handler_set(NULL);
    s.loop = zloop_new();
    return s;
}

static void scene_end(scene_t *s)
{
    rig_stop(&s->a);
    rig_stop(&s->b);
    rig_stop(&s->c);
    zloop_destroy(&s->loop);
}

#define AWAIT(s, goal) cr_assert(rig_await((s)->loop, SOON_MS, goal, s), #goal)

static bool both_up(void *arg)
{
    scene_t *s = arg;
    return rig_link(&s->a) != NULL && rig_link(&s->b) != NULL;
}

static bool both_down(void *arg)
{
    scene_t *s = arg;
    return rig_link(&s->a) == NULL && rig_link(&s->b) == NULL;
}

static bool a_empty(void *arg)
{
    return rig_link(&((scene_t *)arg)->a) == NULL;
}

static bool b_empty(void *arg)
{
    return rig_link(&((scene_t *)arg)->b) == NULL;
}

static bool a_has_a_message(void *arg)
{
    rig_link_t *link = rig_link(&((scene_t *)arg)->a);
    return link != NULL && link->messages > 0;
}

static bool b_has_a_message(void *arg)
{
    rig_link_t *link = rig_link(&((scene_t *)arg)->b);
    return link != NULL && link->messages > 0;
}

static bool b_refused(void *arg)
{
    return ((scene_t *)arg)->b.refused > 0;
}

static bool b_offline(void *arg)
{
    return ((scene_t *)arg)->b.offline > 0;
}

/* a listens and allows b; b dials; both are up. */
static void connect_two(scene_t *s)
{
    rig_start(&s->a, s->loop, NULL, ANY_PORT, 10);
    rig_start(&s->b, s->loop, NULL, NULL, 10);
    cs_net_allow(s->a.net, s->b.keys.public_key);
    rig_dial(&s->b, &s->a);
    AWAIT(s, both_up);
}

Test(net, a_link_carries_the_proven_keys_and_messages_both_ways)
{
    scene_t s = scene();
    connect_two(&s);
    rig_link_t *at_a = rig_link(&s.a), *at_b = rig_link(&s.b);
    cr_assert(!at_a->outgoing && at_b->outgoing);
    cr_assert_arr_eq(at_a->key, s.b.keys.public_key, 32);
    cr_assert_arr_eq(at_b->key, s.a.keys.public_key, 32);
    cs_buf_t payload = {0};
    cs_buf_put(&payload, "1234", 4);
    cr_assert_eq(cs_net_send(s.b.net, at_b->id, cs_slice_text("from b"), &payload), CS_OK);
    cr_assert_null(payload.data, "it is taken");
    cr_assert_eq(rig_say(&s.a, at_a->id, "from a"), CS_OK);
    AWAIT(&s, a_has_a_message);
    AWAIT(&s, b_has_a_message);
    cr_assert_str_eq(at_a->last, "from b");
    cr_assert_eq(at_a->bytes, 6 + 4);
    cr_assert_str_eq(at_b->last, "from a");
    cr_assert_eq(at_a->messages, 1, "keep-alives stay below");
    scene_end(&s);
}

Test(net, a_key_that_is_not_allowed_is_refused_and_gets_in_once_it_is)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    rig_dial(&s.b, &s.a);
    AWAIT(&s, b_refused);
    cr_assert_eq(s.a.link_count, 0);
    cr_assert_eq(s.b.link_count, 0);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    AWAIT(&s, both_up);
    scene_end(&s);
}

/* Nobody runs the reactor before the handshake: what it would allow then comes too late. */
Test(net, a_key_given_at_the_start_is_never_refused)
{
    scene_t s = scene();
    rig_keys_t keys = rig_keys();
    rig_start_knowing(&s.a, s.loop, NULL, ANY_PORT, 10, (const uint8_t(*)[32])keys.public_key);
    rig_start(&s.b, s.loop, &keys, NULL, 10);
    rig_dial(&s.b, &s.a);
    AWAIT(&s, both_up);
    cr_assert_eq(s.b.refused, 0);
    scene_end(&s);
}

Test(net, denying_a_connected_key_ends_its_link_and_keeps_it_out)
{
    scene_t s = scene();
    connect_two(&s);
    cr_assert_eq(rig_say(&s.b, rig_link(&s.b)->id, "late"), CS_OK);
    cs_net_deny(s.a.net, s.b.keys.public_key);
    cr_assert_eq(rig_say(&s.a, rig_link(&s.a)->id, "closed"), CS_ERR_OFFLINE);
    AWAIT(&s, both_down);
    AWAIT(&s, b_refused);
    cr_assert_eq(s.a.links[0].messages, 0);
    cr_assert_eq(s.a.link_count, 1);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    AWAIT(&s, both_up);
    scene_end(&s);
}

static bool spoofer_is_heard(void *arg)
{
    scene_t *s = arg;
    return s->a.link_count >= 2 && s->a.links[s->a.link_count - 1].messages > 0;
}

Test(net, a_routing_id_is_nobodys_identity)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    rig_keys_t first = rig_keys(), second = rig_keys();
    cs_net_allow(s.a.net, first.public_key);
    cs_net_allow(s.a.net, second.public_key);
    rig_client_t one = rig_client(rig_endpoint(&s.a), s.a.keys.public_key, &first, "same");
    cr_assert_eq(zmq_send(one.socket, "first", 5, 0), 5);
    AWAIT(&s, a_has_a_message);
    cr_assert_arr_eq(rig_link(&s.a)->key, first.public_key, 32);
    rig_client_t two = rig_client(rig_endpoint(&s.a), s.a.keys.public_key, &second, "same");
    zmq_send(two.socket, "second", 6, 0);
    cr_assert_eq(zmq_send(one.socket, "again", 5, 0), 5);
    cr_assert_not(rig_await(s.loop, 300, spoofer_is_heard, &s), "it took over the route");
    cr_assert_str_eq(s.a.links[0].last, "again");
    rig_client_stop(&one);
    AWAIT(&s, a_empty);
    rig_client_stop(&two);

    /* The same id again, once it is free: another key, so another link. */
    two = rig_client(rig_endpoint(&s.a), s.a.keys.public_key, &second, "same");
    zmq_send(two.socket, "second", 6, 0);
    AWAIT(&s, a_has_a_message);
    cr_assert_arr_eq(rig_link(&s.a)->key, second.public_key, 32);
    rig_client_stop(&two);
    scene_end(&s);
}

Test(net, reconnects_after_the_listener_restarts_on_its_port)
{
    scene_t s = scene();
    connect_two(&s);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", rig_endpoint(&s.a));
    cs_link_t before = rig_link(&s.b)->id;
    rig_keys_t keys = s.a.keys;
    rig_stop(&s.a);
    AWAIT(&s, b_empty);
    rig_start(&s.a, s.loop, &keys, endpoint, 10);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    AWAIT(&s, both_up);
    cr_assert_neq(rig_link(&s.b)->id, before);
    scene_end(&s);
}

Test(net, the_listener_notices_that_a_dialler_is_gone)
{
    scene_t s = scene();
    connect_two(&s);
    rig_stop(&s.b);
    int64_t start = zclock_mono();
    AWAIT(&s, a_empty);
    cr_assert_lt(zclock_mono() - start, 2000);
    scene_end(&s);
}

Test(net, dials_until_there_is_a_listener)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "%s", rig_endpoint(&s.a));
    rig_keys_t keys = s.a.keys;
    rig_stop(&s.a);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    cr_assert_eq(cs_net_dial(s.b.net, keys.public_key, endpoint), CS_OK);
    AWAIT(&s, b_offline);
    rig_start(&s.a, s.loop, &keys, endpoint, 10);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    AWAIT(&s, both_up);
    scene_end(&s);
}

static void expect_reachable(const char *listen, const char *host)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, listen, 10);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://%s%s", host, strrchr(rig_endpoint(&s.a), ':'));
    cr_assert_eq(cs_net_dial(s.b.net, s.a.keys.public_key, endpoint), CS_OK);
    AWAIT(&s, both_up);
    scene_end(&s);
}

Test(net, a_name_is_dialled_by_both_families)
{
    expect_reachable("tcp://127.0.0.1:*", "localhost");
    expect_reachable("tcp://*:*", "localhost");
    expect_reachable("tcp://*:*", "127.0.0.1");
}

Test(net, a_wrong_server_key_is_told)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    rig_keys_t other = rig_keys();
    cr_assert_eq(cs_net_dial(s.b.net, other.public_key, rig_endpoint(&s.a)), CS_OK);
    AWAIT(&s, b_refused);
    cr_assert_eq(s.a.link_count + s.b.link_count, 0);
    scene_end(&s);
}

Test(net, an_endpoint_that_is_none_is_an_error)
{
    scene_t s = scene();
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    cr_assert_eq(cs_net_dial(s.b.net, s.b.keys.public_key, "nowhere"), CS_ERR_USAGE);
    scene_end(&s);
}

Test(net, an_address_in_use_is_explained)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    const char *taken = rig_endpoint(&s.a);
    cs_net_config_t config = {.loop = s.loop, .listen = &taken, .listen_count = 1};
    rig_keys_t keys = rig_keys();
    memcpy(config.public_key, keys.public_key, 32);
    memcpy(config.secret_key, keys.secret_key, 32);
    cs_net_handler_t handler = {.arg = NULL};
    cs_net_t *net = NULL;
    cs_buf_t detail = {0};
    cr_assert_eq(cs_net_new(&config, &handler, &net, &detail), CS_ERR_BUSY);
    cr_assert_null(net);
    cs_buf_put_u8(&detail, 0);
    cr_assert_not_null(strstr((char *)detail.data, taken));
    cs_buf_fini(&detail);
    scene_end(&s);
}

static bool a_has_two(void *arg)
{
    return rig_links_up(&((scene_t *)arg)->a) == 2;
}

Test(net, two_connections_of_the_same_keys_are_two_links)
{
    scene_t s = scene();
    connect_two(&s);
    rig_node_t twin;
    rig_start(&twin, s.loop, &s.b.keys, NULL, 10);
    rig_dial(&twin, &s.a);
    AWAIT(&s, a_has_two);
    cr_assert_arr_eq(s.a.links[0].key, s.a.links[1].key, 32);
    cs_net_deny(s.a.net, s.b.keys.public_key);
    AWAIT(&s, a_empty);
    rig_stop(&twin);
    scene_end(&s);
}

Test(net, a_one_time_key_is_the_identity_of_that_dial_alone)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 10);
    rig_start(&s.b, s.loop, NULL, NULL, 10);
    rig_keys_t once = rig_keys();
    cs_net_allow(s.a.net, once.public_key);
    cr_assert_eq(cs_net_dial_as(s.b.net, s.a.keys.public_key, rig_endpoint(&s.a),
                                once.public_key, once.secret_key),
                 CS_OK);
    AWAIT(&s, both_up);
    cr_assert_arr_eq(rig_link(&s.a)->key, once.public_key, 32);
    cs_net_undial(s.b.net, s.a.keys.public_key);
    AWAIT(&s, both_down);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    rig_dial(&s.b, &s.a);
    AWAIT(&s, both_up);
    cr_assert_arr_eq(rig_link(&s.a)->key, s.b.keys.public_key, 32);
    scene_end(&s);
}

static bool c_refused_and_b_up(void *arg)
{
    scene_t *s = arg;
    return s->c.refused > 0 && rig_link(&s->b) != NULL;
}

static bool c_up_alone(void *arg)
{
    scene_t *s = arg;
    return rig_link_to(&s->a, s->c.keys.public_key) != NULL && rig_link(&s->c) != NULL &&
           rig_links_up(&s->a) == 1;
}

Test(net, beyond_links_max_others_wait_for_a_place)
{
    scene_t s = scene();
    rig_start(&s.a, s.loop, NULL, ANY_PORT, 1);
    rig_start(&s.b, s.loop, NULL, NULL, 1);
    rig_start(&s.c, s.loop, NULL, NULL, 1);
    cs_net_allow(s.a.net, s.b.keys.public_key);
    cs_net_allow(s.a.net, s.c.keys.public_key);
    rig_dial(&s.b, &s.a);
    AWAIT(&s, both_up);
    rig_dial(&s.c, &s.a);
    AWAIT(&s, c_refused_and_b_up);
    cr_assert_eq(s.a.link_count, 1);
    rig_stop(&s.b);
    AWAIT(&s, c_up_alone);
    scene_end(&s);
}

Test(net, closing_a_link_ends_it_on_both_sides_and_it_may_come_again)
{
    scene_t s = scene();
    connect_two(&s);
    cs_net_close_link(s.a.net, rig_link(&s.a)->id);
    cr_assert_not_null(rig_link(&s.a), "down() never comes out of a call");
    AWAIT(&s, both_down);
    AWAIT(&s, both_up);
    cs_net_close_link(s.b.net, rig_link(&s.b)->id);
    AWAIT(&s, both_down);
    AWAIT(&s, both_up);
    scene_end(&s);
}

static volatile sig_atomic_t terminated;

static void on_sigterm(int number)
{
    terminated = number;
}

Test(net, leaves_signals_to_the_daemon)
{
    struct sigaction action = {.sa_handler = on_sigterm};
    sigaction(SIGTERM, &action, NULL);
    scene_t s = scene();
    connect_two(&s);
    raise(SIGTERM);
    cr_assert_eq(terminated, SIGTERM);
    cr_assert_eq(zsys_interrupted, 0);
    scene_end(&s);
}
