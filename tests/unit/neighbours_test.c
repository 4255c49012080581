/* neighbours_test.c - up to 32 members a mesh, above it a net of few links that holds together.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "node/neighbours.h"
#include "node/peers.h"
#include "support/seed.h"

#define NODES_MAX 100u
#define MINUTE_MS 60000u
#define STEP_MS   1000u
#define STRIDE_MS 10000u /* where hours pass */

typedef struct net net_t;

typedef struct net_node {
    net_t *net;
    unsigned index;
    bool on; /* it runs, and can be reached */
    cs_neighbours_t neighbours;
    unsigned ended; /* links, by its own word */
    bool lost;      /* one, by another's word: it looks at once */
} net_node_t;

/* Who dialled a link that is up: from index to index; since when. */
struct net {
    unsigned count;
    uint64_t now_ms, step_ms;
    cs_member_t member[NODES_MAX];
    net_node_t node[NODES_MAX];
    uint64_t up_ms[NODES_MAX][NODES_MAX]; /* 0: no link */
    bool dialled[NODES_MAX][NODES_MAX];   /* [a][b]: a did */
    size_t small;                         /* members of a second folder, of all; 0: none */

    unsigned near; /* whom all reach soonest; NODES_MAX: nobody */
    bool star;     /* only the first one can be reached */
    bool both;     /* each of two dials the other */
};

static net_t net;

static cs_key_t key_of(unsigned index)
{
    cs_key_t key = {{(uint8_t)(index >> 8), (uint8_t)index, 1}};
    return key;
}

static unsigned index_of(const cs_key_t *key)
{
    return (unsigned)key->b[0] << 8 | key->b[1];
}

static const cs_member_t *members(void *arg, size_t folder, size_t *ret_count)
{
    (void)arg;
    *ret_count = folder == 0 ? net.count : net.small;
    return net.member;
}

static cs_neighbour_link_t link_of(void *arg, const cs_key_t *key)
{
    const net_node_t *node = arg;
    unsigned other = index_of(key);
    uint64_t up_ms = net.up_ms[node->index][other];
    bool outgoing = net.dialled[node->index][other] && !net.dialled[other][node->index];
    return (cs_neighbour_link_t){.up = up_ms > 0,
                                 .outgoing = outgoing,
                                 .dialable = !net.star || other == 0,
                                 .up_ms = up_ms,
                                 .way_ms = up_ms == 0          ? 0
                                           : other == net.near ? 1
                                                               : 20};
}

static void set_link(unsigned a, unsigned b, bool up)
{
    net.up_ms[a][b] = net.up_ms[b][a] = up ? net.now_ms : 0;
    net.dialled[a][b] = up;
    net.dialled[b][a] = up && net.both;
}

static void want(void *arg, const cs_key_t *key, bool on)
{
    net_node_t *node = arg;
    unsigned other = index_of(key);
    cr_assert_eq(cs_neighbours_wants(&node->neighbours, key), on);
    if (on || net.up_ms[node->index][other] == 0) return;
    node->ended++;
    net.node[other].lost = true;
    set_link(node->index, other, false);
}

static void choose(net_node_t *node)
{
    cs_key_t self = key_of(node->index);
    cs_neighbour_view_t view = {.arg = node,
                                .folder_count = net.small > 0 ? 2 : 1,
                                .members = members,
                                .link = link_of,
                                .want = want};
    cs_neighbours_choose(&node->neighbours, &self, &view, net.now_ms);
}

/* Each looks at its links, then dials those it wants. */
static void step(void)
{
    net.now_ms += net.step_ms;
    for (unsigned a = 0; a < net.count; a++) {
        if (net.node[a].on) choose(&net.node[a]);
    }
    for (unsigned a = 0; a < net.count; a++) {
        if (!net.node[a].lost) continue;
        net.node[a].lost = false;
        if (net.node[a].on) choose(&net.node[a]);
    }
    for (unsigned a = 0; a < net.count; a++) {
        for (unsigned b = 0; b < net.count; b++) {
            cs_key_t key = key_of(b);
            if (a == b || !net.node[a].on || !net.node[b].on || net.up_ms[a][b] > 0) continue;
            bool may = !net.star || b == 0;
            if (net.node[a].net == NULL) continue;
            if (may && cs_neighbours_wants(&net.node[a].neighbours, &key)) set_link(a, b, true);
        }
    }
}

static void pass(unsigned minutes)
{
    for (uint64_t end_ms = net.now_ms + (uint64_t)minutes * MINUTE_MS; net.now_ms < end_ms;)
        step();
}

static void open_net(unsigned count)
{
    net.count = count;
    net.now_ms = MINUTE_MS;
    net.step_ms = STEP_MS;
    net.near = NODES_MAX;
    uint64_t seed = test_seed("neighbours");
    for (unsigned i = 0; i < count; i++) {
        cs_key_t key = key_of(i);
        net.member[i] = (cs_member_t){.key = key};
        net.node[i] = (net_node_t){.net = &net, .index = i, .on = true};
        cs_neighbours_init(&net.node[i].neighbours, &key, seed);
    }
}

static void close_net(void)
{
    for (unsigned i = 0; i < net.count; i++)
        cs_neighbours_fini(&net.node[i].neighbours);
    memset(&net, 0, sizeof net);
}

TestSuite(neighbours, .fini = close_net);

static unsigned links_of(unsigned a)
{
    unsigned count = 0;
    for (unsigned b = 0; b < net.count; b++)
        count += net.up_ms[a][b] > 0;
    return count;
}

/* Without those that will perhaps be ended at the next look. */
static unsigned old_links_of(unsigned a)
{
    unsigned count = 0;
    uint64_t since_ms = net.now_ms - CS_NEIGHBOUR_GREET_MS - net.step_ms;
    for (unsigned b = 0; b < net.count; b++)
        count += net.up_ms[a][b] > 0 && net.up_ms[a][b] < since_ms;
    return count;
}

static void reach(unsigned a, bool reached[NODES_MAX])
{
    reached[a] = true;
    for (unsigned b = 0; b < net.count; b++) {
        if (net.up_ms[a][b] > 0 && !reached[b]) reach(b, reached);
    }
}

/* All that run hear of what one of them says. */
static bool holds_together(void)
{
    bool reached[NODES_MAX] = {false};
    unsigned first = 0;
    while (!net.node[first].on)
        first++;
    reach(first, reached);
    for (unsigned i = 0; i < net.count; i++) {
        if (net.node[i].on && !reached[i]) return false;
    }
    return true;
}

static void turn_off(unsigned a)
{
    net.node[a].on = false;
    for (unsigned b = 0; b < net.count; b++)
        if (net.up_ms[a][b] > 0) set_link(a, b, false);
}

static void expect_degrees(unsigned low, unsigned high)
{
    for (unsigned i = 0; i < net.count; i++) {
        unsigned links = links_of(i), old = old_links_of(i);
        if (net.node[i].on)
            cr_expect(links >= low && old <= high, "node %u has %u links", i, links);
    }
}

Test(neighbours, thirty_two_are_a_mesh_and_thirty_three_are_not)
{
    open_net(CS_MESH_MEMBERS_MAX);
    net.step_ms = STRIDE_MS;
    pass(90);
    expect_degrees(CS_MESH_MEMBERS_MAX - 1, CS_MESH_MEMBERS_MAX - 1);
    close_net();
    open_net(CS_MESH_MEMBERS_MAX + 1);
    pass(5);
    expect_degrees(CS_NEIGHBOURS_WANTED, CS_NEIGHBOURS_MAX);
    cr_assert(holds_together());
}

/* All have the address of the first one, and nobody any other: as with one inviter. */
Test(neighbours, one_more_than_sixteen_is_turned_away)
{
    open_net(100);
    for (unsigned i = 1; i < net.count; i++)
        set_link(i, 0, true);
    cr_assert_eq(links_of(0), 99);
    step();
    cr_assert_eq(links_of(0), 99, "they hear first who else there is");
    pass(10);
    cr_assert_leq(links_of(0), CS_NEIGHBOURS_MAX);
    expect_degrees(CS_NEIGHBOURS_WANTED, CS_NEIGHBOURS_MAX);
    cr_assert(holds_together());
}

Test(neighbours, a_third_of_them_may_go)
{
    open_net(NODES_MAX);
    pass(3);
    expect_degrees(CS_NEIGHBOURS_WANTED, CS_NEIGHBOURS_MAX);
    for (unsigned i = 0; i < net.count; i += 3)
        turn_off(i);
    pass(8);
    cr_assert(holds_together());
    expect_degrees(CS_NEIGHBOURS_WANTED, CS_NEIGHBOURS_MAX);
}

/* A machine that was asleep finds some of the others within the time of an attempt, however
 * long it tried in vain. */
Test(neighbours, who_was_alone_is_not_for_long)
{
    open_net(40);
    for (unsigned i = 1; i < net.count; i++)
        net.node[i].on = false;
    pass(20);
    cr_assert_eq(links_of(0), 0);
    for (unsigned i = 1; i < net.count; i++)
        net.node[i].on = true;
    step();
    cr_assert_geq(links_of(0), 1);
    pass(1);
    cr_assert_geq(links_of(0), CS_NEIGHBOURS_WANTED);
}

/* Links change by the hour, and never so many at a time that the net falls apart. */
Test(neighbours, some_give_way_every_hour)
{
    static uint64_t before[NODES_MAX][NODES_MAX];
    open_net(60);
    net.step_ms = STRIDE_MS;
    pass(10);
    memcpy(before, net.up_ms, sizeof before);
    pass(45);
    cr_assert_arr_eq(before, net.up_ms, sizeof before, "no reason to change anything");
    unsigned ended = 0;
    for (unsigned minute = 0; minute < 180; minute++) {
        pass(1);
        cr_assert(holds_together(), "minute %u", minute);
    }
    for (unsigned i = 0; i < net.count; i++)
        ended += net.node[i].ended;
    cr_assert_geq(ended, net.count, "%u", ended);
    expect_degrees(CS_NEIGHBOURS_WANTED - 1, CS_NEIGHBOURS_MAX);
}

Test(neighbours, a_small_folder_stays_a_mesh_beside_a_large_one)
{
    open_net(80);
    net.step_ms = STRIDE_MS;
    net.small = 10;
    pass(130);
    for (unsigned a = 0; a < net.small; a++) {
        for (unsigned b = 0; b < net.small; b++)
            cr_expect(a == b || net.up_ms[a][b] > 0, "%u and %u", a, b);
    }
    cr_assert(holds_together());
}

/* Once it was met, it is the first to be dialled again. */
Test(neighbours, the_nearest_is_among_them)
{
    open_net(50);
    net.step_ms = STRIDE_MS;
    net.near = 17;
    pass(2);
    unsigned with = 0, other = net.near == 0 ? 1 : 0;
    set_link(other, net.near, true);
    pass(300);
    for (unsigned i = 0; i < net.count; i++)
        with += net.up_ms[i][net.near] > 0;
    cr_expect_geq(with, CS_NEIGHBOURS_WANTED);
}

Test(neighbours, who_is_no_member_any_more_is_forgotten)
{
    open_net(40);
    pass(2);
    cs_key_t gone = key_of(39);
    cr_assert_eq(net.node[0].neighbours.len, 39);
    net.count = 39;
    step();
    cr_assert_eq(net.node[0].neighbours.len, 38);
    cr_assert(cs_neighbours_wants(&net.node[0].neighbours, &gone), "as of anybody unknown");
    net.count = 40;
}

/* Behind walls of all but one nobody has anywhere else to go: the one has links with all. */
Test(neighbours, of_a_star_nobody_is_kept_out)
{
    open_net(40);
    net.star = true;
    pass(10);
    cr_assert(holds_together());
    expect_degrees(1, 39);
    pass(20);
    cr_assert(holds_together());
}

/* A mesh gets one member more: the links that are too many go one after the other, and the net
 * holds together all the time, whoever dialled. And back. */
static void one_more_and_back(void)
{
    net.count = CS_MESH_MEMBERS_MAX;
    pass(5);
    expect_degrees(CS_MESH_MEMBERS_MAX - 1, CS_MESH_MEMBERS_MAX - 1);
    net.count = CS_MESH_MEMBERS_MAX + 1;
    for (unsigned i = 0; i < 40; i++) {
        pass(1);
        cr_assert(holds_together(), "minute %u", i);
    }
    unsigned links = 0;
    for (unsigned i = 0; i < net.count; i++)
        links += links_of(i);
    cr_expect_leq(links, net.count * CS_NEIGHBOURS_MAX, "%u", links);
    expect_degrees(1, CS_MESH_MEMBERS_MAX);
    for (unsigned b = 0; b < net.count - 1; b++)
        if (net.up_ms[net.count - 1][b] > 0) set_link(net.count - 1, b, false);
    net.count--;
    pass(15);
    expect_degrees(CS_MESH_MEMBERS_MAX - 1, CS_MESH_MEMBERS_MAX - 1);
    net.count++;
}

Test(neighbours, a_mesh_that_grows_does_not_fall_apart)
{
    open_net(CS_MESH_MEMBERS_MAX + 1);
    one_more_and_back();
}

Test(neighbours, nor_where_each_dials_the_other)
{
    open_net(CS_MESH_MEMBERS_MAX + 1);
    net.both = true;
    one_more_and_back();
}

/* Away from the office, whose machines it was linked with: it tries the others as well. */
Test(neighbours, who_lost_all_finds_one_that_it_never_met)
{
    open_net(100);
    pass(3);
    unsigned stranger = 1;
    while (net.node[0].neighbours.item[stranger - 1].up_ms != 0)
        stranger++;
    for (unsigned i = 1; i < net.count; i++)
        if (i != stranger) turn_off(i);
    turn_off(stranger);
    net.node[stranger].on = true;
    net.node[stranger].net = NULL; /* it dials nobody */
    pass(15);
    cr_assert(net.up_ms[0][stranger] > 0);
}
