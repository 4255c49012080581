/* notice.c - see notice.h. */
#include "sim/notice.h"

#include "base/mem.h"

#define PROMPT_US 3000u    /* a notice comes within */
#define LATE_US   5000000u /* one in eight does not */

struct cs_sim_notice {
    cs_dirty_kind_t kind;
    cs_str_t *path, *to; /* owned; path empty: all; to NULL: no rename */
};

void cs_sim_notice_free(cs_sim_notice_t *notice)
{
    if (notice == NULL) return;
    cs_str_unref(&notice->path);
    cs_str_unref(&notice->to);
    cs_free(notice);
}

/* --- from the user's call to the queue */

/* What is drawn for a notice: its fault, and of each of up to two copies the delay and, LATE
 * further on, whether that is a long one. */
enum { FAULT, DELAY, AGAIN, LATE = 2, DRAWN_MAX = 8 };

static uint64_t draw(const cs_sim_node_t *node, unsigned what, uint64_t bound)
{
    return cs_draw_below(node->sim->options.seed, CS_DRAW_NOTICE, node->index,
                         node->notices * DRAWN_MAX + what, bound);
}

/* what: DELAY or AGAIN. path empty: the queue was full. */
static void send(cs_sim_node_t *node, unsigned what, cs_dirty_kind_t kind, cs_slice_t path,
                 cs_slice_t to)
{
    bool late = node->sim->options.watch == 2 && draw(node, what + LATE, 8) == 0;
    cs_sim_notice_t *notice = cs_calloc(1, sizeof *notice);
    *notice = (cs_sim_notice_t){.kind = kind, .path = cs_str_new(path.data, path.len)};
    if (to.len > 0) notice->to = cs_str_new(to.data, to.len);
    cs_sim_ev_t *ev =
        cs_sim_push(node->sim, CS_SIM_EV_NOTICE, draw(node, what, late ? LATE_US : PROMPT_US));
    ev->node = (uint16_t)node->index;
    ev->life = node->life;
    ev->notice = notice;
}

static void noticed(void *arg, cs_dirty_kind_t kind, cs_slice_t path, cs_slice_t to)
{
    cs_sim_node_t *node = arg;
    if (!node->up) return;
    node->notices++;
    bool faulty = node->sim->options.watch == 2;
    uint64_t fault = faulty ? draw(node, FAULT, 24) : UINT64_MAX;
    if (fault < 3) return; /* lost */
    if (fault == 3) path = to = cs_slice_text("");
    send(node, DELAY, kind, path, to);
    if (faulty && fault < 7) send(node, AGAIN, kind, path, to);
}

/* --- from the queue to a scan */

static void look_when_due(cs_sim_node_t *node)
{
    uint64_t due_ms = cs_dirty_due(node->dirty), now_us = node->sim->now_us;
    if (due_ms == UINT64_MAX || node->look_ms == due_ms) return;
    node->look_ms = due_ms;
    uint64_t at_us = due_ms * 1000;
    cs_sim_ev_t *ev =
        cs_sim_push(node->sim, CS_SIM_EV_LOOK, at_us > now_us ? at_us - now_us : 0);
    ev->node = (uint16_t)node->index;
    ev->life = node->life;
}

void cs_sim_notice_comes(cs_sim_node_t *node, cs_sim_notice_t *notice)
{
    uint64_t now_ms = node->sim->now_us / 1000;
    if (notice->path->len == 0) {
        cs_dirty_add_all(node->dirty, now_ms);
    } else if (notice->to != NULL) {
        cs_dirty_move(node->dirty, cs_slice_str(notice->path), cs_slice_str(notice->to),
                      now_ms);
    } else {
        cs_dirty_add(node->dirty, cs_slice_str(notice->path), notice->kind, false, now_ms);
    }
    cs_sim_notice_free(notice);
    look_when_due(node);
}

void cs_sim_notice_look(cs_sim_node_t *node)
{
    cs_dirty_batch_t batch;
    node->look_ms = 0;
    if (cs_dirty_take(node->dirty, node->sim->now_us / 1000, &batch)) {
        cs_slice_t *paths = cs_calloc(batch.count + 1, sizeof *paths);
        for (size_t i = 0; i < batch.count; i++) {
            paths[i] = cs_slice_str(batch.path[i]);
        }
        node->looks++;
        cs_event_t event = {.kind = CS_EV_SCAN,
                            .folder = CS_SIM_FOLDER,
                            .paths = paths,
                            .path_count = batch.all ? 0 : batch.count};
        cs_sim_line(node->sim, node->index, "looks at %s and so %zu paths",
                    batch.all ? "everything" : batch.path[0]->data, batch.count);
        cs_sim_node_event(node, &event);
        cs_free(paths);
        cs_dirty_batch_fini(&batch);
    }
    look_when_due(node);
}

/* --- life */

void cs_sim_notice_start(cs_sim_node_t *node)
{
    if (node->sim->options.watch == 0) return;
    node->dirty = cs_dirty_new();
    node->look_ms = 0;
    cs_mem_volume_watch(node->volume, noticed, node);
}

void cs_sim_notice_end(cs_sim_node_t *node)
{
    cs_mem_volume_watch(node->volume, NULL, NULL);
    cs_dirty_destroy(&node->dirty);
}
