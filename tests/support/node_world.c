/* node_world.c - what goes on: links, batches, jobs, time. */
#include "support/node_world.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define IDLE_TICKS_MAX 200u /* a node that asks for more without doing anything spins */
#define NESTED_STEPS   6u   /* things that happen while a job makes one call */

void nw_trace(const nw_world_t *world, const char *format, ...)
{
    if (!world->trace) return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%8llu ", (unsigned long long)world->now_ms);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

void nw_fail(nw_world_t *world, const char *why)
{
    nw_trace(world, "FAIL %s", why);
    if (world->failure == NULL) world->failure = why;
}

unsigned nw_pick(nw_world_t *world, unsigned bound)
{
    return (unsigned)cs_prng_below(&world->prng, bound);
}

cs_key_t nw_key(unsigned index)
{
    cs_key_t key = {{(uint8_t)(index + 1)}};
    return key;
}

/* --- links */

static void push(nw_queue_t *queue, nw_frame_t *frame)
{
    frame->next = NULL;
    if (queue->first == NULL) {
        queue->first = frame;
    } else {
        queue->last->next = frame;
    }
    queue->last = frame;
}

static nw_frame_t *pop(nw_queue_t *queue)
{
    nw_frame_t *frame = queue->first;
    if (frame != NULL) queue->first = frame->next;
    return frame;
}

static void frame_free(nw_frame_t *frame)
{
    cs_buf_fini(&frame->header);
    cs_buf_fini(&frame->payload);
    cs_free(frame);
}

static void drain(nw_queue_t *queue)
{
    for (nw_frame_t *frame; (frame = pop(queue)) != NULL;)
        frame_free(frame);
}

/* ret_end: which end `node` is. */
static nw_link_t *find_link(nw_node_t *node, cs_link_t id, unsigned *ret_end)
{
    nw_world_t *world = node->world;
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        nw_link_t *link = &world->link[i];
        for (unsigned end = 0; end < 2; end++) {
            *ret_end = end;
            if (link->up && link->node[end] == node->index && link->id[end] == id) return link;
        }
    }
    return NULL;
}

void nw_connect(nw_world_t *world, unsigned from, unsigned to)
{
    nw_link_t *link = &world->link[from * NW_NODES_MAX + to];
    if (from == to || link->up || !world->node[from].up || !world->node[to].up) return;
    *link = (nw_link_t){.up = true, .node = {from, to}};
    link->id[0] = ++world->last_link;
    link->id[1] = ++world->last_link;
    nw_trace(world, "link %u -> %u", from, to);
    for (unsigned end = 0; end < 2; end++) {
        cs_event_t event = {.kind = CS_EV_LINK_UP,
                            .link = link->id[end],
                            .key = nw_key(link->node[1 - end]),
                            .outgoing = end == 0};
        nw_event(&world->node[link->node[end]], &event);
    }
}

void nw_disconnect(nw_world_t *world, nw_link_t *link)
{
    if (!link->up) return;
    nw_trace(world, "link %u -> %u down", link->node[0], link->node[1]);
    link->up = false;
    for (unsigned end = 0; end < 2; end++)
        drain(&link->queue[end]);
    for (unsigned end = 0; end < 2; end++) {
        nw_node_t *node = &world->node[link->node[end]];
        cs_event_t event = {.kind = CS_EV_LINK_DOWN, .link = link->id[end]};
        if (node->up) nw_event(node, &event);
    }
}

void nw_connect_all(nw_world_t *world)
{
    for (unsigned a = 0; a < world->node_count; a++) {
        for (unsigned b = a + 1; b < world->node_count; b++)
            nw_connect(world, a, b);
    }
}

/* --- effects */

static void send_frame(nw_node_t *node, cs_effect_t *effect)
{
    unsigned end;
    nw_link_t *link = find_link(node, effect->link, &end);
    if (link == NULL) return;
    nw_frame_t *frame = cs_calloc(1, sizeof *frame);
    frame->header = effect->header;
    frame->payload = effect->payload;
    effect->header = effect->payload = (cs_buf_t){0};
    push(&link->queue[end], frame);
}

static void append_write(nw_node_t *node, cs_effect_t *effect)
{
    nw_write_t *write = cs_calloc(1, sizeof *write);
    write->token = effect->token;
    write->batch = effect->batch;
    effect->batch = (cs_batch_t){0};
    nw_write_t **at = &node->writes;
    while (*at != NULL)
        at = &(*at)->next;
    *at = write;
}

static void append_job(nw_node_t *node, cs_effect_t *effect)
{
    nw_job_t *job = cs_calloc(1, sizeof *job);
    job->job = effect->job;
    effect->job = NULL;
    job->snapshot = cs_store_snapshot(node->store);
    nw_job_t **at = &node->jobs;
    while (*at != NULL)
        at = &(*at)->next;
    *at = job;
}

static void on_reply(nw_node_t *node, const cs_effect_t *effect)
{
    node->answered++;
    node->last_answer = effect->err;
    nw_trace(node->world, "%u answers %llu: %s", node->index,
             (unsigned long long)effect->ticket, cs_err_name(effect->err));
}

static void perform(nw_node_t *node, cs_effect_t *effect)
{
    nw_world_t *world = node->world;
    unsigned end;
    nw_link_t *link;
    switch (effect->kind) {
    case CS_FX_SEND:
        send_frame(node, effect);
        break;
    case CS_FX_DROP:
        nw_trace(world, "%u drops: %s", node->index, effect->text);
        world->drops++;
        link = find_link(node, effect->link, &end);
        if (link != NULL) link->dying = true;
        break;
    case CS_FX_STORE:
        append_write(node, effect);
        break;
    case CS_FX_JOB:
        append_job(node, effect);
        break;
    case CS_FX_SCAN_CREDIT:
        if (node->credited_job != effect->token) node->credits = 0;
        node->credited_job = effect->token;
        node->credits++;
        break;
    case CS_FX_REPLY:
        on_reply(node, effect);
        break;
    case CS_FX_MEMBER:
    case CS_FX_LEFT: /* no history here removes a folder */
        break;
    case CS_FX_REPLICA:
        nw_trace(world, "%u incarnation: %s", node->index, effect->text);
        world->incarnations++;
        break;
    case CS_FX_NOTE:
        nw_trace(world, "%u note %s %s %s", node->index, effect->text,
                 effect->path != NULL ? effect->path->data : "", cs_err_name(effect->err));
        break;
    }
}

void nw_event(nw_node_t *node, cs_event_t *event)
{
    nw_world_t *world = node->world;
    event->now_ms = world->now_ms;
    event->number = cs_prng_u64(&world->prng) | 1;
    if (cs_node_step(node->node, event, &node->fx) != CS_OK) nw_fail(world, "a step failed");
    for (size_t i = 0; i < node->fx.len; i++)
        perform(node, &node->fx.item[i]);
    if (node->fx.len > 0) world->idle_ticks = 0;
    cs_effects_clear(&node->fx);
}

/* --- what can go on at a node */

static bool write_next(nw_node_t *node)
{
    nw_write_t *write = node->writes;
    if (write == NULL) return false;
    node->writes = write->next;
    cs_err_t err = cs_store_write(node->store, &write->batch, true);
    cs_event_t event = {
        .kind = CS_EV_STORED, .folder = NW_FOLDER, .token = write->token, .err = err};
    cs_batch_fini(&write->batch);
    cs_free(write);
    nw_event(node, &event);
    return true;
}

typedef struct blob {
    cs_blob_t blob;
    cs_buf_t bytes;
} blob_t;

static void blob_free(cs_blob_t *blob)
{
    blob_t *owner = (blob_t *)blob;
    cs_buf_fini(&owner->bytes);
    cs_free(owner);
}

static void deliver(nw_world_t *world, nw_link_t *link, unsigned from_end)
{
    nw_frame_t *frame = pop(&link->queue[from_end]);
    nw_node_t *from = &world->node[link->node[from_end]];
    nw_node_t *to = &world->node[link->node[1 - from_end]];
    cs_blob_t *shared = NULL;
    uint64_t size = frame->payload.len;
    if (size > 0) {
        blob_t *blob = cs_calloc(1, sizeof *blob);
        blob->bytes = frame->payload;
        frame->payload = (cs_buf_t){0};
        blob->blob = (cs_blob_t){cs_buf_slice(&blob->bytes), 1, blob_free};
        shared = &blob->blob;
    }
    cs_event_t event = {.kind = CS_EV_MESSAGE,
                        .link = link->id[1 - from_end],
                        .bytes = cs_buf_slice(&frame->header),
                        .blob = shared};
    cs_link_t sender = link->id[from_end];
    nw_trace(world, "%u <- %u message %u", to->index, from->index,
             frame->header.len > 1 ? frame->header.data[1] : 0u);
    nw_event(to, &event);
    cs_blob_unref(&shared);
    frame_free(frame);
    cs_event_t sent = {.kind = CS_EV_SENT, .link = sender, .size = size};
    if (size > 0) nw_event(from, &sent);
}

static bool deliver_next(nw_world_t *world)
{
    size_t start = nw_pick(world, NW_LINKS_MAX);
    unsigned first_end = nw_pick(world, 2);
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        nw_link_t *link = &world->link[(start + i) % NW_LINKS_MAX];
        if (!link->up) continue;
        if (link->dying) {
            nw_disconnect(world, link);
            return true;
        }
        for (unsigned k = 0; k < 2; k++) {
            unsigned end = (first_end + k) % 2;
            if (link->queue[end].first == NULL) continue;
            deliver(world, link, end);
            return true;
        }
    }
    return false;
}

/* Messages, batches and users; no jobs: a worker runs one. */
void nw_happen(void *arg)
{
    nw_node_t *node = arg;
    nw_world_t *world = node->world;
    if (world->depth > 1) return;
    world->depth++;
    for (unsigned i = nw_pick(world, NESTED_STEPS); i > 0; i--) {
        if (nw_pick(world, 2) == 0) deliver_next(world);
        if (nw_pick(world, 2) == 0) write_next(&world->node[nw_pick(world, world->node_count)]);
    }
    if (world->chaos && nw_pick(world, 3) == 0) nw_user(node);
    world->depth--;
}

/* --- jobs */

static bool emit(void *arg, cs_job_t *job, cs_scan_records_t *records)
{
    nw_node_t *node = arg;
    nw_happen(node);
    while (node->credits == 0 || node->credited_job != job->id) {
        if (write_next(node)) continue;
        nw_fail(node->world, "a scan gets no credit");
        return false;
    }
    node->credits--;
    cs_event_t event = {.kind = CS_EV_RECORDS, .folder = NW_FOLDER, .records = records};
    nw_event(node, &event);
    return true;
}

static bool run_next(nw_node_t *node)
{
    nw_world_t *world = node->world;
    size_t count = 0;
    for (const nw_job_t *job = node->jobs; job != NULL; job = job->next)
        count++;
    if (count == 0) return false;
    nw_job_t **at = &node->jobs;
    for (unsigned i = nw_pick(world, (unsigned)count); i > 0; i--)
        at = &(*at)->next;
    nw_job_t *run = *at;
    *at = run->next;

    node->scans += run->job->kind == CS_JOB_SCAN;
    node->applies += run->job->kind == CS_JOB_APPLY;
    node->early_applies += run->job->kind == CS_JOB_APPLY && node->writes != NULL;
    node->spy.at = node->spy.calls + 1 + nw_pick(world, 60);
    cs_job_env_t env = {.fs = &node->spy.fs,
                        .store = node->store,
                        .snapshot = run->snapshot,
                        .emit = emit,
                        .arg = node};
    cs_job_run(run->job, &env);
    node->spy.at = 0;
    nw_trace(world, "%u ran job %d: %s", node->index, (int)run->job->kind,
             cs_err_name(run->job->err));
    cs_store_release(node->store, &run->snapshot);
    cs_event_t event = {.kind = CS_EV_JOB_DONE, .folder = NW_FOLDER, .job = run->job};
    cs_free(run);
    nw_event(node, &event);
    return true;
}

static bool tick(nw_node_t *node)
{
    nw_world_t *world = node->world;
    if (cs_node_deadline(node->node) > world->now_ms) return false;
    if (++world->idle_ticks > IDLE_TICKS_MAX) nw_fail(world, "a node spins");
    cs_event_t event = {.kind = CS_EV_TICK};
    nw_event(node, &event);
    return true;
}

bool nw_step(nw_world_t *world)
{
    world->steps++;
    bool (*const ways[])(nw_node_t *) = {write_next, run_next, tick, NULL};
    unsigned total = (unsigned)CS_COUNT_OF(ways) * world->node_count;
    unsigned start = nw_pick(world, total);
    unsigned stride = nw_pick(world, 2) == 0 ? 1 : total - 1; /* one way round or the other */
    for (unsigned i = 0; i < total; i++) {
        unsigned at = (start + i * stride) % total, way = at % CS_COUNT_OF(ways);
        nw_node_t *node = &world->node[at / CS_COUNT_OF(ways)];
        if (!node->up) continue;
        if (ways[way] != NULL ? ways[way](node) : deliver_next(world)) return true;
    }
    return false;
}

void nw_pass_time(nw_world_t *world)
{
    uint64_t due = UINT64_MAX;
    for (unsigned i = 0; i < world->node_count; i++) {
        nw_node_t *node = &world->node[i];
        uint64_t at = node->up ? cs_node_deadline(node->node) : UINT64_MAX;
        if (at < due) due = at;
    }
    if (due == UINT64_MAX || due <= world->now_ms) due = world->now_ms + 1000;
    world->now_ms = due;
    world->idle_ticks = 0;
}

void nw_finish_jobs(nw_node_t *node)
{
    while (node->jobs != NULL || node->writes != NULL) {
        if (!write_next(node)) run_next(node);
    }
}
