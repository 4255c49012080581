/* fault.c - what breaks.
 *
 * The fault model. The engine must survive, with nothing lost and all equal in the end:
 *
 *   links      connections end at any message, with what is on the way lost or, of a queue that
 *              outlived its connection, read in the next one; single messages vanish (a full
 *              queue) or come again later; one direction stands still; partitions of any shape.
 *              Frames are never altered: CURVE authenticates each, and a link that fails that
 *              is a link that ends. What a hostile member may say is fuzzed (tests/fuzz).
 *   processes  die at any call and between any two events, at a power cut together with what
 *              their disk had not flushed: metadata as a prefix in order, as journals keep it,
 *              data of each file for itself. A batch is durable as a whole or not at all, and
 *              every batch of the product is synced (core.md 6.5), so none is torn.
 *   disks      full; failing calls (one in five, nothing done); not mounted. Reads that return
 *              other bytes than were written are out of scope: nothing tells them from a user's
 *              edit but `check`. So is, on a file system without RENAME_EXCHANGE, the moment
 *              between apply's last look at a file and its replacement.
 *   databases  an old image is restored, noticed or not; rows of entries vanish. An unnoticed
 *              restore may run into the hole of core.md 15 (k), which the oracle knows; rows of
 *              the base table that vanish alone are out of scope: LevelDB loses whole tables
 *              with what else is in them, which the state record tells.
 *   clocks     wall clocks differ by years, and jump. Monotonic time is the process's own.
 *   watchers   lose, repeat, delay and so reorder what they notice, and their queue overflows
 *              (sim/notice.h): that costs time until the next scan of everything.
 *   members    are removed and readmitted, by anybody, at any time.
 *
 * At a rest point all of that ends. */
#include "base/mem.h"
#include "sim/world.h"

static void cut(cs_sim_node_t *node, const cs_act_t *act)
{
    cs_sim_t *sim = node->sim;
    cs_sim_link_t *link = cs_sim_net_between(sim, act->node, act->peer);
    if (link == NULL) return;
    uint64_t until_us = sim->now_us + act->number * 1000;
    if (act->kind == CS_ACT_STALL) {
        link->stalled_us[link->end[1] == act->node] = until_us;
        return;
    }
    if (act->kind == CS_ACT_PART) {
        link->blocked_us = until_us;
        cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_BLOCK,
                                      .node = act->node,
                                      .peer = act->peer,
                                      .then_us = until_us});
    }
    cs_sim_net_cut(sim, link);
}

/* Back `number` ms later; at once, if it is 0. */
static void die(cs_sim_node_t *node, const cs_act_t *act)
{
    if (!node->up) return;
    if (act->kind == CS_ACT_STOP) {
        cs_sim_node_stop(node);
    } else {
        cs_sim_node_kill(node, node->sim->options.power);
    }
    cs_sim_ev_t *ev = cs_sim_push(node->sim, CS_SIM_EV_START, act->number * 1000);
    ev->node = act->node;
    ev->life = node->life;
}

static void mend_in(cs_sim_node_t *node, uint64_t ms)
{
    cs_sim_push(node->sim, CS_SIM_EV_MEND, ms * 1000)->node = (uint16_t)node->index;
}

static void break_disk(cs_sim_node_t *node, const cs_act_t *act)
{
    uint64_t until_us = node->sim->now_us + act->number * 1000;
    mend_in(node, act->number);
    if (act->kind == CS_ACT_FAIL) node->fail_us = until_us;
    if (act->kind == CS_ACT_FULL) {
        node->full_us = until_us;
        cs_mem_volume_set_capacity(node->volume, 1, 1);
    }
    if (act->kind == CS_ACT_UNMOUNT) {
        node->unmounted_us = until_us;
        cs_mem_volume_unmount(node->volume, act->number % 2 == 0);
    }
}

void cs_sim_mend(cs_sim_node_t *node)
{
    uint64_t now_us = node->sim->now_us;
    if (node->full_us != 0 && node->full_us <= now_us) {
        node->full_us = 0;
        cs_mem_volume_set_capacity(node->volume, CS_SIM_DISK_BYTES, CS_SIM_DISK_INODES);
    }
    if (node->unmounted_us != 0 && node->unmounted_us <= now_us) {
        node->unmounted_us = 0;
        cs_mem_volume_mount(node->volume);
    }
}

/* --- homes */

static void back_up(cs_sim_node_t *node)
{
    unsigned at = node->image_count;
    if (at == CS_SIM_IMAGES_MAX) {
        /* the oldest goes */
        cs_mem_disk_destroy(&node->image[0].disk);
        cs_oracle_image_destroy(&node->image[0].known);
        for (unsigned i = 1; i < CS_SIM_IMAGES_MAX; i++) {
            node->image[i - 1] = node->image[i];
        }
        at = CS_SIM_IMAGES_MAX - 1;
    } else {
        node->image_count++;
    }
    node->image[at].disk = cs_mem_disk_copy(node->disk);
    node->image[at].known = cs_oracle_image(node->sim->oracle, node->index);
}

static void reincarnate(cs_sim_node_t *node)
{
    cs_event_t event = {.kind = CS_EV_REINCARNATE, .folder = CS_SIM_FOLDER};
    cs_sim_node_event(node, &event);
}

static void restore(cs_sim_node_t *node, bool unnoticed)
{
    if (node->image_count == 0) return;
    const cs_sim_image_t *image = &node->image[node->image_count - 1];
    node->sim->forgot = node->touched.all = true;
    cs_sim_node_kill(node, false);
    cs_mem_disk_destroy(&node->disk);
    node->disk = cs_mem_disk_copy(image->disk);
    cs_oracle_restored(node->sim->oracle, node->index, image->known);
    cs_sim_node_start(node);
    if (!unnoticed) reincarnate(node);
}

/* Every entry, or those whose names begin with one of two halves of a byte. */
static void lose(cs_sim_node_t *node, uint64_t what)
{
    uint8_t key[] = {0, 0, 0, CS_SIM_FOLDER, 'e', '/', 0};
    node->sim->forgot = node->touched.all = true;
    cs_sim_node_kill(node, false);
    for (unsigned i = 0; i < 256; i++) {
        bool all = what == 0;
        if (!all && i % 2 != what % 2) continue;
        key[6] = (uint8_t)i;
        cs_slice_t prefix = cs_slice(key, sizeof key - all);
        cs_mem_disk_lose_prefix(node->disk, prefix);
        cs_oracle_lost_rows(node->sim->oracle, node->index, prefix);
        if (all) break;
    }
    cs_sim_node_start(node);
}

/* --- members */

static void member(cs_sim_node_t *node, unsigned peer, bool denied)
{
    cs_sim_t *sim = node->sim;
    if (node->denied[peer] == denied) return;
    node->denied[peer] = denied;
    cs_member_t who = {.key = cs_sim_key(peer), .name = {(char)('A' + peer)}};
    cs_event_t event = {.kind = denied ? CS_EV_DENY : CS_EV_ALLOW,
                        .folder = CS_SIM_FOLDER,
                        .key = who.key,
                        .member = &who};
    if (node->up) cs_sim_node_event(node, &event);
    cs_sim_link_t *link = cs_sim_net_between(sim, node->index, peer);
    if (link == NULL) return;
    if (denied) {
        cs_sim_net_cut(sim, link);
    } else {
        cs_sim_push(sim, CS_SIM_EV_CONNECT, 0)->link = cs_sim_net_index(sim, link);
    }
}

/* --- by kind */

static void do_clock(cs_sim_node_t *node, const cs_act_t *act)
{
    cs_sim_node_jump(node, act->number);
}

static void do_backup(cs_sim_node_t *node, const cs_act_t *act)
{
    (void)act;
    back_up(node);
}

static void do_restore(cs_sim_node_t *node, const cs_act_t *act)
{
    restore(node, act->number == 1);
}

static void do_lose(cs_sim_node_t *node, const cs_act_t *act)
{
    lose(node, act->number);
}

static void do_member(cs_sim_node_t *node, const cs_act_t *act)
{
    member(node, act->peer, act->kind == CS_ACT_RETIRE);
}

static void (*const faults[CS_ACT_COUNT])(cs_sim_node_t *node, const cs_act_t *act) = {
    [CS_ACT_CUT] = cut,          [CS_ACT_PART] = cut,           [CS_ACT_STALL] = cut,
    [CS_ACT_STOP] = die,         [CS_ACT_KILL] = die,           [CS_ACT_FULL] = break_disk,
    [CS_ACT_FAIL] = break_disk,  [CS_ACT_UNMOUNT] = break_disk, [CS_ACT_CLOCK] = do_clock,
    [CS_ACT_BACKUP] = do_backup, [CS_ACT_RESTORE] = do_restore, [CS_ACT_LOSE] = do_lose,
    [CS_ACT_RETIRE] = do_member, [CS_ACT_ADMIT] = do_member,
};

bool cs_sim_fault(cs_sim_node_t *node, const cs_act_t *act)
{
    if (faults[act->kind] == NULL) return false;
    faults[act->kind](node, act);
    return true;
}

void cs_sim_heal(cs_sim_t *sim)
{
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_act_waiting(&sim->node[i], true);
    }
    sim->fair = true;
    for (size_t i = 0; i < sim->link_count; i++) {
        cs_sim_link_t *link = &sim->link[i];
        link->blocked_us = link->stalled_us[0] = link->stalled_us[1] = 0;
    }
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_t *node = &sim->node[i];
        if (node->full_us > 0) node->full_us = 1;
        if (node->unmounted_us > 0) node->unmounted_us = 1;
        node->fail_us = 0;
        cs_sim_mend(node);
        cs_sim_user_let_go(node);
        for (unsigned peer = 0; peer < sim->node_count; peer++) {
            member(node, peer, false);
        }
        if (!node->up) cs_sim_node_start(node);
        if (node->paused) cs_sim_node_pause(node, false);
    }
    for (size_t i = 0; i < sim->link_count; i++) {
        cs_sim_push(sim, CS_SIM_EV_CONNECT, 0)->link = (uint16_t)i;
    }
}
