/* act.c - actions of a history, at once or before a call of the engine. */
#include "sim/world.h"

static void scan(cs_sim_node_t *node, const cs_act_t *act)
{
    /* "#1" names what stands there only for users: then it is a scan of everything. */
    bool plain = true;
    for (const char *c = act->path; *c != '\0'; c++) {
        plain = plain && *c != '#';
    }
    cs_sim_node_scan(node, plain ? act->path : ".");
}

static void print(cs_sim_t *sim, const cs_act_t *act)
{
    if (!cs_sim_reads_lines(sim)) return;
    cs_buf_t line = {0};
    cs_act_print(act, &line);
    cs_sim_line(sim, act->node, "* %.*s", (int)line.len, (const char *)line.data);
    cs_buf_fini(&line);
}

void cs_sim_act(cs_sim_t *sim, const cs_act_t *act)
{
    cs_sim_node_t *node = &sim->node[act->node];
    print(sim, act);
    cs_trace_event(&sim->trace, 0x200 + act->kind, sim->now_us, act->node, act->number);
    cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_ACT,
                                  .node = act->node,
                                  .peer = act->peer,
                                  .number = (uint64_t)(act - sim->history->act)});
    cs_sim_scan_soon(node);
    if (cs_sim_user(node, act) || cs_sim_fault(node, act) || !node->up) return;
    if (act->kind == CS_ACT_SCAN) scan(node, act);
    if (act->kind == CS_ACT_PAUSE || act->kind == CS_ACT_RESUME) {
        cs_sim_node_pause(node, act->kind == CS_ACT_PAUSE);
    }
}

void cs_sim_act_waiting(cs_sim_node_t *node, bool all)
{
    cs_sim_t *sim = node->sim;
    for (unsigned i = 0; i < node->waiting_count;) {
        if (!all && node->waiting[i].call > node->calls) {
            i++;
            continue;
        }
        size_t act = node->waiting[i].act;
        node->waiting_count--;
        for (unsigned k = i; k < node->waiting_count; k++) {
            node->waiting[k] = node->waiting[k + 1];
        }
        sim->act = act;
        cs_sim_act(sim, &sim->history->act[act]);
    }
}
