/* fetch_fuzz.c - any sequence of wants, answers, lies and disk errors leaves the fetch machine
 * sound: its own assertions about credit, memory and orders are what is tested. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "support/contents.h"
#include "xfer/fetch.h"

#define ASKS_MAX 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct ask {
    cs_fetch_kind_t kind;
    cs_peer_t peer;
    cs_name_t name;
} ask_t;

typedef struct run {
    cs_fetch_t *fetch;
    uint64_t now_ms;
    ask_t ask[ASKS_MAX]; /* some of the open ones; the others are never answered */
    size_t asks;
    uint64_t ticket[ASKS_MAX];
    cs_fetch_kind_t order[ASKS_MAX];
    size_t orders;
} run_t;

static test_contents_t all; /* made once */

static void make_contents(void)
{
    if (all.table != NULL) return;
    test_contents_init(&all, 1);
    for (size_t i = 0; i < 4; i++) {
        test_contents_small(&all, 100 * i);
        test_contents_link(&all, 1 + i);
        test_contents_chunk(&all, CS_CHUNK_MIN + i);
        test_contents_large(&all, 3 + 10 * i, 2);
    }
}

/* Every other chunk, or all. */
static void say_parts(run_t *run, cs_peer_t peer, const cs_content_t *content, uint64_t from,
                      size_t len)
{
    uint8_t bits[CS_PARTS_BYTES];
    memset(bits, run->now_ms % 2 == 0 ? 0x55 : 0xff, sizeof bits);
    cs_fetch_on_parts(run->fetch, peer, content, from, cs_slice(bits, len),
                      cs_slice(bits, len / 2));
}

static void drain(run_t *run)
{
    cs_fetch_action_t action;
    while (cs_fetch_next(run->fetch, run->now_ms, &action)) {
        if (action.kind >= CS_FETCH_OPEN) {
            if (run->orders == ASKS_MAX) abort(); /* more than wants and slots explain */
            run->order[run->orders] = action.kind;
            run->ticket[run->orders++] = action.ticket;
            continue;
        }
        if (action.kind == CS_FETCH_ASK_PARTS && run->now_ms % 3 != 0) {
            say_parts(run, action.peer, &action.content, action.offset, CS_PARTS_BYTES);
        }
        if (action.kind > CS_FETCH_ASK_CHUNKS) continue;
        for (size_t i = 0; i < action.count && run->asks < ASKS_MAX; i++) {
            run->ask[run->asks++] = (ask_t){action.kind, action.peer, action.names[i]};
        }
    }
}

static cs_err_t answer(run_t *run, const ask_t *ask, bool lie)
{
    const test_content_t *content = test_contents_find(&all, ask->name.b);
    if (ask->kind == CS_FETCH_ASK_MAP) {
        cs_content_map_t map = {.size = content->id.size,
                                .root = content->root,
                                .depth = content->depth + (lie ? 1 : 0)};
        return cs_fetch_on_map(run->fetch, ask->peer, ask->name.b, &map, false);
    }
    const test_blob_t *blob = ask->kind == CS_FETCH_ASK_NODES
                                  ? test_contents_node_named(&all, &ask->name)
                                  : test_contents_chunk_named(&all, &ask->name);
    bool small = ask->kind == CS_FETCH_ASK_SMALL;
    if (!small && blob == NULL) {
        cs_fetch_on_none(run->fetch, ask->peer, &ask->name);
        return CS_OK;
    }
    cs_slice_t bytes =
        small ? cs_slice(content->bytes, content->id.size) : cs_slice(blob->bytes, blob->len);
    if (lie && bytes.len > 0) bytes.len--;
    cs_err_t err = ask->kind == CS_FETCH_ASK_NODES
                       ? cs_fetch_on_node(run->fetch, ask->peer, bytes)
                       : cs_fetch_on_data(run->fetch, ask->peer, &ask->name, bytes);
    drain(run);
    return err;
}

static void answer_one(run_t *run, uint8_t pick, uint8_t how)
{
    if (run->asks == 0) return;
    size_t i = pick % run->asks;
    ask_t ask = run->ask[i];
    run->ask[i] = run->ask[--run->asks];
    if (how % 4 == 0) {
        cs_fetch_on_none(run->fetch, ask.peer, &ask.name);
        return;
    }
    cs_err_t err = answer(run, &ask, how % 4 == 1);
    if (err != CS_OK) cs_fetch_peer_down(run->fetch, ask.peer);
}

/* What nobody asked for, whole or cut short. */
static void offer(run_t *run, const test_content_t *content, bool lie)
{
    if (!cs_content_is_small(&content->id)) return;
    cs_name_t name;
    memcpy(name.b, content->id.hash, sizeof name.b);
    cs_slice_t bytes = cs_slice(content->bytes, content->id.size);
    bool is_lie = lie && bytes.len > 0;
    if (is_lie) bytes.len--;
    cs_err_t err = cs_fetch_offer(run->fetch, &name, bytes);
    if (err != (is_lie ? CS_ERR_MISMATCH : CS_OK)) abort();
    drain(run);
}

static void disk_one(run_t *run, uint8_t pick, uint8_t how)
{
    if (run->orders == 0) return;
    size_t i = pick % run->orders;
    uint64_t offset = (uint64_t)how * CS_CHUNK_MIN;
    cs_fetch_result_t result = {.found = &offset};
    if (run->order[i] == CS_FETCH_LOCAL) result.found_count = how % 2;
    if (how % 8 == 7) result.err = CS_ERR_NOSPACE;
    uint64_t ticket = run->ticket[i];
    run->orders--;
    run->ticket[i] = run->ticket[run->orders];
    run->order[i] = run->order[run->orders];
    cs_fetch_done(run->fetch, ticket, &result);
}

/* What another asks of it. */
static void ask_parts(const run_t *run, const cs_content_t *content, uint8_t a, uint8_t b)
{
    uint8_t bits[CS_PARTS_BYTES], coming[CS_PARTS_BYTES];
    cs_content_map_t map;
    uint32_t count = 1 + b * a % CS_NODE_ITEMS_MAX;
    size_t len = cs_fetch_parts(run->fetch, content, b * CS_CHUNK_MIN, count, bits, coming);
    if (len > (count + 7) / 8) abort();
    if (cs_fetch_partial_map(run->fetch, content, &map) && map.size != content->size) abort();
}

static void step(run_t *run, uint8_t op, uint8_t a, uint8_t b)
{
    const cs_content_t *content = &all.content[a % all.count].id;
    switch (op % 8) {
    case 0:
        if (cs_fetch_want(run->fetch, content, b % 5) != CS_OK) abort();
        break;
    case 1:
        if (b % 2 == 0) cs_fetch_unwant(run->fetch, content);
        if (b % 2 == 1) offer(run, &all.content[a % all.count], b % 16 == 15);
        break;
    case 2:
        cs_fetch_peer_up(run->fetch, 1 + a % 4);
        break;
    case 3:
        if (b % 4 == 0) cs_fetch_peer_down(run->fetch, 1 + a % 4);
        if (b % 4 == 1) cs_fetch_retry(run->fetch, a % 5);
        if (b % 4 == 2) cs_fetch_used(run->fetch, content);
        if (b % 4 == 3) say_parts(run, 1 + a % 4, content, b / 4 * CS_CHUNK_MIN, b % 8 / 4);
        break;
    case 4:
        run->now_ms += (uint64_t)a * b;
        cs_fetch_tick(run->fetch, run->now_ms);
        break;
    case 5:
    case 6:
        answer_one(run, a, b);
        break;
    default:
        ask_parts(run, content, a, b);
        disk_one(run, a, b);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_contents();
    run_t run = {.fetch = cs_fetch_new(all.table, NULL, size)};
    for (size_t i = 0; i + 3 <= size && i < 3000; i += 3) {
        step(&run, data[i], data[i + 1], data[i + 2]);
        if (data[i] < 200) drain(&run);
    }
    cs_fetch_stats_t stats;
    cs_fetch_stats(run.fetch, &stats);
    /* What silent ones owed is on top, once they speak again. */
    const uint64_t most =
        CS_FETCH_MEMORY_BYTES + (uint64_t)CS_FETCH_PEERS_MAX * CS_CREDIT_BYTES;
    if (stats.bytes_asked + stats.bytes_to_disk > most) abort();
    cs_fetch_destroy(&run.fetch);
    return 0;
}
