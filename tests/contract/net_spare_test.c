/* net_spare_test.c - several addresses of one key: one link, and another one when that ends. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/net_rig.h"

#define SOON_MS 20000

typedef struct scene {
    zloop_t *loop;
    rig_node_t a, b;
    char other[64]; /* another name of a's address */
} scene_t;

static void begin(scene_t *s)
{
    *s = (scene_t){.loop = zloop_new()};
    rig_start(&s->a, s->loop, NULL, "tcp://127.0.0.1:*", 8);
    rig_start(&s->b, s->loop, NULL, NULL, 8);
    cs_net_allow(s->a.net, s->b.keys.public_key);
    snprintf(s->other, sizeof s->other, "tcp://localhost:%s",
             strrchr(rig_endpoint(&s->a), ':') + 1);
}

static void end(scene_t *s)
{
    rig_stop(&s->b);
    rig_stop(&s->a);
    zloop_destroy(&s->loop);
}

static bool is_linked(void *arg)
{
    scene_t *s = arg;
    return rig_links_up(&s->a) == 1 && rig_links_up(&s->b) == 1;
}

static bool was_replaced(void *arg)
{
    scene_t *s = arg;
    return s->a.link_count == 2 && is_linked(arg);
}

static bool is_second(void *arg)
{
    scene_t *s = arg;
    return s->a.link_count > 1 || s->b.link_count > 1;
}

static void dial(scene_t *s, const char *endpoint)
{
    cr_assert_eq(cs_net_dial_spare(s->b.net, s->a.keys.public_key, endpoint), CS_OK);
}

Test(net_spare, several_addresses_are_one_link, .timeout = 60)
{
    scene_t s;
    begin(&s);
    dial(&s, rig_endpoint(&s.a));
    dial(&s, s.other);
    dial(&s, "tcp://127.0.0.1:1"); /* nobody listens there */
    cr_assert(rig_await(s.loop, SOON_MS, is_linked, &s));
    cr_assert_not(rig_await(s.loop, 3000, is_second, &s), "one is enough");
    cs_net_close_link(s.a.net, rig_link(&s.a)->id);
    cr_assert(rig_await(s.loop, SOON_MS, was_replaced, &s));
    end(&s);
}

Test(net_spare, one_that_is_not_wanted_any_more_ends_with_its_link, .timeout = 60)
{
    scene_t s;
    begin(&s);
    dial(&s, s.other);
    cr_assert(rig_await(s.loop, SOON_MS, is_linked, &s));
    cs_net_undial_spare(s.b.net, s.a.keys.public_key, s.other);
    cr_assert_not(rig_await(s.loop, 500, is_second, &s));
    cr_assert(is_linked(&s), "what works is left alone");
    cs_net_close_link(s.a.net, rig_link(&s.a)->id);
    cr_assert_not(rig_await(s.loop, 3000, is_second, &s), "it is not dialled again");
    cr_assert_eq(rig_links_up(&s.b), 0);
    end(&s);
}

/* A dial that a user wants is tried in any case; a spare one beside it rests. */
Test(net_spare, rests_beside_another_dial, .timeout = 60)
{
    scene_t s;
    begin(&s);
    rig_dial(&s.b, &s.a);
    cr_assert(rig_await(s.loop, SOON_MS, is_linked, &s));
    dial(&s, s.other);
    cr_assert_not(rig_await(s.loop, 3000, is_second, &s));
    cs_net_undial(s.b.net, s.a.keys.public_key);
    end(&s);
}
