/* node_world.c - what goes on: batches, jobs, time. */
#include "support/node_world.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* In the order of the nodes: seeds are tried until the key begins with the node's number. */
static void derive(unsigned index, cs_key_t *ret, uint8_t seed[CS_SEED_BYTES])
{
    uint8_t signer[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    memset(seed, 0, CS_SEED_BYTES);
    for (unsigned n = 0; ret->b[0] != index + 1; n++) {
        memcpy(seed, &n, sizeof n);
        bool good = crypto_sign_seed_keypair(signer, secret, seed) == 0 &&
                    crypto_sign_ed25519_pk_to_curve25519(ret->b, signer) == 0;
        if (!good) ret->b[0] = 0;
    }
}

static const struct identity {
    cs_key_t key;
    uint8_t seed[CS_SEED_BYTES];
} * identity(unsigned index)
{
    static struct identity known[256];
    CS_ASSERT(index < CS_COUNT_OF(known) - 1);
    struct identity *ret = &known[index];
    if (ret->key.b[0] == 0) derive(index, &ret->key, ret->seed);
    return ret;
}

cs_key_t nw_key(unsigned index)
{
    return identity(index)->key;
}

const uint8_t *nw_seed(unsigned index)
{
    return identity(index)->seed;
}

/* --- effects */

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

static void on_address(nw_node_t *node, const cs_effect_t *effect)
{
    node->addresses++;
    node->address_of = effect->key;
    node->dial = effect->dial;
    snprintf(node->address, sizeof node->address, "%s", (const char *)effect->header.data);
}

static void on_standing(nw_node_t *node, const cs_effect_t *effect)
{
    size_t at = 0;
    const cs_standing_t *word = &effect->standing;
    while (at < node->standing_count && memcmp(&node->standing[at].key, &word->key, 32) != 0)
        at++;
    CS_ASSERT(at < CS_COUNT_OF(node->standing));
    if (at == node->standing_count) node->standing_count++;
    node->standing[at] = *word;
    node->words++;
}

static void perform(nw_node_t *node, cs_effect_t *effect)
{
    nw_world_t *world = node->world;
    switch (effect->kind) {
    case CS_FX_SEND:
        nw_link_send(node, effect);
        break;
    case CS_FX_DROP:
        nw_link_drop(node, effect);
        break;
    case CS_FX_STORE:
        append_write(node, effect);
        break;
    case CS_FX_JOB:
        append_job(node, effect);
        break;
    case CS_FX_CREDIT:
        if (node->credited_job != effect->token) node->credits = 0;
        node->credited_job = effect->token;
        node->credits++;
        break;
    case CS_FX_REPLY:
        on_reply(node, effect);
        break;
    case CS_FX_ADDRESS:
        on_address(node, effect);
        break;
    case CS_FX_NEIGHBOUR: /* there are too few of them */
        break;
    case CS_FX_SCAN_CANCEL:
        node->cancels++;
        break;
    case CS_FX_STANDING:
        on_standing(node, effect);
        break;
    case CS_FX_MEMBER:
        node->members_heard++;
        break;
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

/* Messages, batches and users; no jobs: a worker runs one. */
void nw_happen(void *arg)
{
    nw_node_t *node = arg;
    nw_world_t *world = node->world;
    if (world->depth > 1) return;
    world->depth++;
    for (unsigned i = nw_pick(world, NESTED_STEPS); i > 0; i--) {
        if (nw_pick(world, 2) == 0) nw_deliver_next(world);
        if (nw_pick(world, 2) == 0) write_next(&world->node[nw_pick(world, world->node_count)]);
    }
    if (world->chaos && nw_pick(world, 3) == 0) nw_user(node);
    world->depth--;
}

/* --- jobs */

static bool take_credit(nw_node_t *node, uint64_t job_id)
{
    while (node->credits == 0 || node->credited_job != job_id) {
        if (write_next(node)) continue;
        if (!node->ending) nw_fail(node->world, "a job gets no credit");
        return false;
    }
    node->credits--;
    return true;
}

static bool emit(void *arg, cs_job_t *job, cs_scan_records_t *records)
{
    nw_node_t *node = arg;
    if (node->spy.crashed) return false;
    nw_happen(node);
    if (!take_credit(node, job->id)) return false;
    cs_event_t event = {.kind = CS_EV_RECORDS, .folder = NW_FOLDER, .records = records};
    nw_event(node, &event);
    return true;
}

static bool go(void *arg)
{
    nw_node_t *node = arg;
    if (node->spy.crashed) return false;
    nw_happen(node);
    bool early = node->credits > 0 && node->credited_job == node->applying;
    node->early_applies += early && node->writes != NULL;
    return take_credit(node, node->applying);
}

static unsigned count_dressed(const cs_job_t *job)
{
    unsigned count = 0;
    for (size_t i = 0; job->kind == CS_JOB_STAGE && i < job->u.stage.len; i++) {
        const cs_job_item_t *item = &job->u.stage.item[i];
        count += item->is_awaited && item->dress.mtime_ns != 0 && item->dress.mode != 0;
    }
    return count;
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
    node->dressed += count_dressed(run->job);
    node->applying = run->job->kind == CS_JOB_APPLY ? run->job->id : 0;
    node->spy.at = node->spy.calls + 1 + nw_pick(world, 60);
    bool may_crash = world->crashes && world->depth == 0 && nw_pick(world, 6) == 0;
    node->spy.act = may_crash ? NULL : nw_happen;
    cs_job_env_t env = {.fs = &node->spy.fs,
                        .store = node->store,
                        .snapshot = run->snapshot,
                        .emit = emit,
                        .go = go,
                        .arg = node};
    cs_job_run(run->job, &env);
    node->spy.at = 0;
    nw_trace(world, "%u ran job %d: %s", node->index, (int)run->job->kind,
             cs_err_name(run->job->err));
    cs_store_release(node->store, &run->snapshot);
    if (node->spy.crashed) {
        world->crashed++;
        cs_job_destroy(&run->job);
        cs_free(run);
        nw_restart(node, true);
        return true;
    }
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
        if (ways[way] != NULL ? ways[way](node) : nw_deliver_next(world)) return true;
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

void nw_pass(nw_world_t *world, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        if (!nw_step(world)) nw_pass_time(world);
    }
}

/* A worker that ends takes no more of them: they come back as they went. */
static void return_next(nw_node_t *node)
{
    nw_job_t *job = node->jobs;
    if (job == NULL) return;
    node->jobs = job->next;
    nw_trace(node->world, "%u returns job %d", node->index, (int)job->job->kind);
    cs_store_release(node->store, &job->snapshot);
    cs_event_t event = {.kind = CS_EV_JOB_DONE, .folder = NW_FOLDER, .job = job->job};
    cs_free(job);
    nw_event(node, &event);
}

void nw_end_jobs(nw_node_t *node)
{
    node->ending = true;
    if (node->jobs != NULL && nw_pick(node->world, 2) == 0) run_next(node);
    while (node->jobs != NULL || node->writes != NULL) {
        if (!write_next(node)) return_next(node);
    }
    node->ending = false;
}

void nw_finish_jobs(nw_node_t *node)
{
    while (node->jobs != NULL || node->writes != NULL) {
        if (!write_next(node)) run_next(node);
    }
}
