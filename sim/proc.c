/* proc.c - a node's process: the engine's core, a store, a folder; it starts, steps and dies.
 */
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/mem.h"
#include "crdt/replica_i.h"
#include "disk/scan.h"
#include "sim/coverage.h"
#include "sim/load.h"
#include "sim/notice.h"
#include "sim/recon_limits.h"
#include "sim/scheme.h"
#include "sim/world.h"

#define STORE_MAX_US                                                        \
    2000u /* a synced batch: 0.2 ms at the median (limits.md 4), 3 at worst \
           */
#define TRASH_BYTES (1u << 30)

uint64_t cs_sim_who(const cs_sim_node_t *node)
{
    return (node->index & 0xff) | ((uint64_t)node->life << 8) |
           ((uint64_t)(node->index >> 8) << 56);
}

/* --- effects */

static void add_write(cs_sim_node_t *node, cs_effect_t *effect)
{
    cs_sim_t *sim = node->sim;
    cs_sim_write_t *write = cs_calloc(1, sizeof *write);
    write->token = effect->token;
    write->batch = effect->batch;
    write->local = node->local;
    effect->batch = (cs_batch_t){0};
    bool first = node->writes == NULL;
    cs_sim_write_t **at = &node->writes;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = write;
    if (!first) return;
    cs_sim_ev_t *ev = cs_sim_push(
        sim, CS_SIM_EV_STORED,
        50 + cs_sim_draw(sim, CS_DRAW_STORE, node->index, node->writes_made++, STORE_MAX_US));
    ev->node = (uint16_t)node->index;
    ev->life = node->life;
}

static void on_reply(cs_sim_node_t *node, const cs_effect_t *effect)
{
    node->answered++;
    node->last_answer = effect->err;
    cs_sim_line(node->sim, node->index, "answers a scan: %s", cs_err_name(effect->err));
}

/* Nobody lies here, and frames are never altered: who blames a peer is wrong. */
static void check_drop(cs_sim_node_t *node, const char *why)
{
    static const cs_err_t blames[] = {CS_ERR_MALFORMED, CS_ERR_LIMIT, CS_ERR_MISMATCH};
    for (size_t i = 0; i < CS_COUNT_OF(blames); i++) {
        if (strcmp(why, cs_err_text(blames[i])) != 0) continue;
        cs_sim_fail(node->sim, "%c drops a peer, and none lies: %s", 'A' + node->index, why);
    }
}

/* An exchange that ends well is nothing that a story has to tell. */
static void show_note(cs_sim_node_t *node, const cs_effect_t *effect)
{
    bool well = effect->note == CS_NOTE_EXCHANGE && strcmp(effect->text, "done") == 0;
    if (well) return;
    const char *what = effect->note == CS_NOTE_EXCHANGE ? "exchange" : "note";
    cs_sim_line(node->sim, node->index, "%s %s %s %s", what, effect->text,
                effect->path != NULL ? effect->path->data : "", cs_err_name(effect->err));
}

static void perform(cs_sim_node_t *node, cs_effect_t *effect)
{
    cs_sim_t *sim = node->sim;
    switch (effect->kind) {
    case CS_FX_SEND:
        cs_sim_net_send(node, effect);
        break;
    case CS_FX_DROP:
        cs_sim_line(sim, node->index, "drops a peer: %s", effect->text);
        check_drop(node, effect->text);
        cs_sim_net_drop(node, effect->link);
        break;
    case CS_FX_STORE:
        add_write(node, effect);
        break;
    case CS_FX_JOB:
        cs_sim_job_start(node, effect);
        break;
    case CS_FX_CREDIT:
        cs_sim_job_credit(node, effect->token);
        break;
    case CS_FX_REPLY:
        on_reply(node, effect);
        break;
    case CS_FX_MEMBER:
    case CS_FX_STANDING:    /* removals are each node's own here */
    case CS_FX_SCAN_CANCEL: /* nobody gives up here */
    case CS_FX_ADDRESS:     /* nobody has one */
    case CS_FX_NEIGHBOUR:   /* links are the world's */
    case CS_FX_LEFT:        /* all are members from the first day, and none leaves the folder */
        break;
    case CS_FX_REPLICA:
        node->incarnations++;
        if (sim->setup.coverage != NULL) cs_coverage_renamed(sim->setup.coverage, effect->text);
        cs_sim_line(sim, node->index, "new incarnation: %s", effect->text);
        break;
    case CS_FX_NOTE:
        show_note(node, effect);
        break;
    }
}

/* What a scan saw may be committed in several batches, long after its job has ended. */
static bool is_scanning(cs_sim_node_t *node)
{
    cs_folder_status_t status;
    if (!cs_node_folder_status(node->node, CS_SIM_FOLDER, &status)) return false;
    return status.phase == CS_PHASE_SCANNING || status.busy || !status.durable;
}

static void want_tick(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    uint64_t at_ms = cs_node_deadline(node->node);
    if (at_ms == UINT64_MAX) return;
    uint64_t at_us = at_ms * 1000;
    if (at_us < sim->now_us) at_us = sim->now_us;
    if (node->tick_us != 0 && node->tick_us <= at_us) return; /* one comes before */
    node->tick_us = at_us;
    cs_sim_ev_t *ev = cs_sim_push(sim, CS_SIM_EV_TICK, at_us - sim->now_us);
    ev->node = (uint16_t)node->index;
    ev->life = node->life;
    ev->number = at_us;
}

/* For who watches. */
static void see_state(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    cs_folder_phase_t phase;
    if (sim->setup.watch.see == NULL) return;
    if (!cs_node_folder_phase(node->node, CS_SIM_FOLDER, &phase)) return;
    const uint8_t *root = cs_replica_state(cs_node_replica(node->node, CS_SIM_FOLDER))->root;
    bool changed = memcmp(node->root, root, CS_HASH_BYTES) != 0;
    bool idle = phase == CS_PHASE_IDLE;
    if (!changed && idle == node->idle) return;
    if (changed && node->deeper > node->depth) node->depth = node->deeper;
    memcpy(node->root, root, CS_HASH_BYTES);
    node->idle = idle;
    cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_STATE,
                                  .node = node->index,
                                  .number = node->depth,
                                  .root = node->root,
                                  .odd = !idle});
}

void cs_sim_node_event(cs_sim_node_t *node, cs_event_t *event)
{
    cs_sim_t *sim = node->sim;
    event->now_ms = sim->now_us / 1000;
    event->number =
        cs_draw(sim->options.seed, CS_DRAW_STEP, cs_sim_who(node), node->steps++) | 1;
    unsigned was = cs_account_use(CS_SIM_ACCOUNT(node));
    if (cs_node_step(node->node, event, &node->fx) != CS_OK) {
        cs_sim_fail(sim, "node %c: a step failed", 'A' + node->index);
    }
    cs_sim_load_memory(node);
    (void)cs_account_use(CS_ACCOUNT_NONE);
    see_state(node);
    /* What is performed may add no effect: steps begin with events only. */
    for (size_t i = 0; i < node->fx.len; i++) {
        perform(node, &node->fx.item[i]);
    }
    cs_effects_clear(&node->fx);
    if (node->local) node->local = is_scanning(node);
    want_tick(node);
    (void)cs_account_use(was);
}

void cs_sim_node_tick(cs_sim_node_t *node)
{
    if (node->tick_us > node->sim->now_us || node->tick_us == 0) return; /* a newer one comes */
    node->tick_us = 0;
    cs_event_t event = {.kind = CS_EV_TICK};
    cs_sim_node_event(node, &event);
}

/* --- the store */

static void write_first(cs_sim_node_t *node, uint64_t *ret_token, cs_err_t *ret_err)
{
    cs_sim_write_t *write = node->writes;
    node->writes = write->next;
    *ret_token = write->token;
    if (node->sim->setup.coverage != NULL) {
        cs_coverage_batch(node->sim->setup.coverage, node, &write->batch, write->local);
    }
    *ret_err = cs_store_write(node->store, &write->batch, true);
    cs_trace_event(&node->sim->trace, 3, node->sim->now_us, node->index, write->batch.count);
    if (*ret_err == CS_OK && node->sim->oracle != NULL) {
        cs_oracle_wrote(node->sim->oracle, node->index, &write->batch, write->local);
    }
    cs_batch_fini(&write->batch);
    cs_free(write);
}

void cs_sim_node_stored(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    if (node->writes == NULL) return;
    cs_event_t event = {.kind = CS_EV_STORED, .folder = CS_SIM_FOLDER};
    write_first(node, &event.token, &event.err);
    if (node->writes != NULL) {
        cs_sim_ev_t *ev = cs_sim_push(sim, CS_SIM_EV_STORED,
                                      50 + cs_sim_draw(sim, CS_DRAW_STORE, node->index,
                                                       node->writes_made++, STORE_MAX_US));
        ev->node = (uint16_t)node->index;
        ev->life = node->life;
    }
    cs_sim_node_event(node, &event);
}

/* --- life and death */

static void folder_config(cs_sim_node_t *node, cs_member_t *members, cs_folder_config_t *ret)
{
    cs_sim_t *sim = node->sim;
    uint64_t who = cs_sim_who(node);
    *ret = (cs_folder_config_t){
        .id = "sim",
        .number = CS_SIM_FOLDER,
        .modes = sim->options.exec ? CS_MODES_EXEC : CS_MODES_ALL,
        .trash_bytes_max = TRASH_BYTES,
        .fresh_rid = cs_draw(sim->options.seed, CS_DRAW_LIFE, who, 0) | 1,
        .seed = cs_draw(sim->options.seed, CS_DRAW_LIFE, who, 1),
        .stamp = (uint64_t)node->life << 32,
        .members = members,
        .member_count = cs_sim_members(node, members),
        .recon = cs_sim_recon_limits(sim->options.recon),
    };
    memcpy(ret->secret, cs_sim_secret, sizeof cs_sim_secret);
    memcpy(ret->marker, cs_sim_marker, sizeof cs_sim_marker);
}

void cs_sim_node_start(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    cs_folder_config_t folder;
    cs_open_result_t opened;
    node->life++;
    node->up = true;
    node->paused = node->local = false;
    node->asked = node->answered = node->tick_us = 0;
    cs_sim_line(sim, node->index, "starts, life %u", node->life);
    cs_trace_event(&sim->trace, 4, sim->now_us, node->index, node->life);
    cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_START, .node = node->index});
    cs_err_t err = cs_mem_store_open(node->disk, &node->store);
    CS_ASSERT(err == CS_OK);
    cs_node_config_t config = {.store = node->store,
                               .self = cs_sim_key(node->index),
                               .memory_bytes = sim->options.memory == 1 ? 1 : 0,
                               .signs = true,
                               .seed = {(uint8_t)node->index},
                               .scheme = &cs_sim_scheme};
    cs_sim_name(node->index, config.name);
    (void)cs_account_use(CS_SIM_ACCOUNT(node));
    node->node = cs_node_new(&config);
    cs_member_t *members = cs_calloc(sim->node_count, sizeof *members);
    folder_config(node, members, &folder);
    if (cs_node_add_folder(node->node, &folder, sim->now_us / 1000, &opened) != CS_OK) {
        cs_sim_fail(sim, "node %c cannot open its state", 'A' + node->index);
    }
    (void)cs_account_use(CS_ACCOUNT_NONE);
    cs_free(members);
    if (opened == CS_OPEN_AMNESIA) cs_sim_line(sim, node->index, "remembers nothing for sure");
    if (sim->options.batch > 0) {
        cs_node_replica(node->node, CS_SIM_FOLDER)->batch_max = sim->options.batch;
    }
    cs_sim_notice_start(node);
    cs_event_t event = {.kind = CS_EV_TICK};
    cs_sim_node_event(node, &event);
    if (sim->setup.neighbours) cs_sim_deny_others(node);
    cs_sim_net_join(node);
}

/* What the process had and its disk has not. */
static void forget(cs_sim_node_t *node)
{
    cs_sim_notice_end(node);
    for (cs_sim_write_t *write; (write = node->writes) != NULL;) {
        node->writes = write->next;
        cs_batch_fini(&write->batch);
        cs_free(write);
    }
    cs_effects_fini(&node->fx);
    cs_node_destroy(&node->node);
    cs_store_close(&node->store);
    if (!cs_sim_failed(node->sim)) cs_sim_load_end(node);
    node->up = node->dying = node->stopping = false;
    node->life++; /* what was to come for it is void */
}

void cs_sim_node_stop(cs_sim_node_t *node)
{
    if (!node->up) return;
    cs_sim_line(node->sim, node->index, "stops");
    cs_sim_see(node->sim, &(cs_sight_t){.kind = CS_SIGHT_STOP, .node = node->index});
    cs_node_stop(node->node);
    node->stopping = true;
    cs_sim_net_leave(node);
    cs_sim_jobs_end(node);
    cs_event_t last = {.kind = CS_EV_TICK};
    cs_sim_node_event(node, &last);
    while (node->writes != NULL) {
        cs_event_t event = {.kind = CS_EV_STORED, .folder = CS_SIM_FOLDER};
        write_first(node, &event.token, &event.err);
        cs_sim_node_event(node, &event);
    }
    cs_sim_check_index(node);
    forget(node);
}

void cs_sim_node_kill(cs_sim_node_t *node, bool power)
{
    cs_sim_t *sim = node->sim;
    if (!node->up) return;
    uint64_t draw = cs_draw(sim->options.seed, CS_DRAW_CRASH, node->index, node->life);
    cs_sim_line(sim, node->index, power ? "loses power" : "is killed");
    cs_trace_event(&sim->trace, 5, sim->now_us, node->index, power);
    cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_KILL, .node = node->index, .odd = power});
    node->crashes++;
    node->dying = true;
    cs_sim_net_leave(node);
    cs_sim_jobs_end(node);
    uint64_t token;
    cs_err_t err;
    if (node->writes != NULL && draw % 2 == 0) {
        write_first(node, &token, &err); /* it was done */
    }
    forget(node);
    /* What was not written, or flushed, may look like a user's doing. */
    node->touched.all = true;
    if (!power) return;
    cs_mem_disk_crash(node->disk, draw >> 1);
    cs_sim_user_let_go(node);
    cs_mem_volume_crash(node->volume, draw >> 7);
}

void cs_sim_node_scan(cs_sim_node_t *node, const char *path)
{
    bool all = strcmp(path, ".") == 0;
    cs_slice_t slice = cs_slice_text(path);
    cs_event_t event = {.kind = CS_EV_SCAN,
                        .folder = CS_SIM_FOLDER,
                        .ticket = ++node->asked,
                        .paths = &slice,
                        .path_count = !all};
    cs_sim_line(node->sim, node->index, "is asked to scan %s", path);
    cs_sim_node_event(node, &event);
}

void cs_sim_node_pause(cs_sim_node_t *node, bool on)
{
    cs_event_t event = {.kind = CS_EV_PAUSE, .folder = CS_SIM_FOLDER, .on = on};
    node->paused = on;
    cs_sim_node_event(node, &event);
}

void cs_sim_node_end(cs_sim_node_t *node)
{
    node->dying = true;
    cs_sim_jobs_end(node);
    forget(node);
}
