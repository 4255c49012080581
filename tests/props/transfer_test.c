/* transfer_test.c - whole files from one real folder to another: fetch, serve and partial files
 * together, with what lies between them (node, network, threads) left out. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "disk/apply.h"
#include "disk/part.h"
#include "disk/serve.h"
#include "support/hashed.h"
#include "support/seed.h"
#include "xfer/fetch.h"

#define PEER 5u

static test_hashed_t from, to;
static cs_fetch_t *fetch;
static uint64_t now_ms;
static uint64_t asked_bytes; /* of chunks and small contents that were sent */

static void keep_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(arg, key, value);
}

static cs_err_t read_node(void *arg, const cs_name_t *name, cs_buf_t *ret)
{
    (void)arg;
    return cs_rows_node(&to.view, name, ret);
}

/* A machine that has just been started. */
static void new_machine(void)
{
    cs_fetch_rows_t rows = {
        .folder = TEST_FOLDER, .arg = &to.batch, .node = read_node, .row = keep_row};
    cs_fetch_destroy(&fetch);
    fetch = cs_fetch_new(to.table, &rows, 1);
    cs_fetch_peer_up(fetch, PEER);
}

static void set_up(void)
{
    test_hashed_init(&from);
    test_hashed_init(&to);
    new_machine();
}

static void tear_down(void)
{
    cs_fetch_destroy(&fetch);
    test_hashed_fini(&from);
    test_hashed_fini(&to);
}

TestSuite(transfer, .init = set_up, .fini = tear_down);

/* --- the disk of `to`: orders are done when the machine has nothing more to say */

typedef struct order {
    cs_fetch_kind_t kind;
    uint64_t ticket, offset, size;
    cs_content_t content;
    cs_part_chunks_t chunks; /* owned */
    uint8_t *bytes;          /* owned */
    size_t len;
    bool proved;
} order_t;

static order_t orders[4096];
static size_t order_count;

static void perform(order_t *order)
{
    cs_fetch_result_t result = {0};
    cs_slice_t bytes = cs_slice(order->bytes, order->len);
    const cs_content_t *content = &order->content;
    if (order->kind == CS_FETCH_OPEN) {
        result.err = cs_part_open(to.fs, content, order->size, &result.has_bytes);
    } else if (order->kind == CS_FETCH_STAGE) {
        result.err = cs_stage_small(to.fs, content, bytes, NULL);
    } else if (order->kind == CS_FETCH_LOCAL) {
        result.err = cs_part_fill(to.fs, to.table, &to.view, content, &order->chunks,
                                  &result.found_count);
        result.found = order->chunks.offsets;
    } else if (order->kind == CS_FETCH_WRITE) {
        result.err = cs_part_write(to.fs, to.table, content, order->offset, bytes);
    } else if (order->kind == CS_FETCH_FINISH) {
        result.err = cs_part_finish(to.fs, content, order->proved);
    } else {
        result.err = cs_part_discard(to.fs, content);
    }
    cr_assert(result.err == CS_OK, "order %d: %s", (int)order->kind, cs_err_text(result.err));
    cs_fetch_done(fetch, order->ticket, &result);
    cs_free(order->chunks.names);
    cs_free(order->chunks.offsets);
    cs_free(order->chunks.lens);
    cs_free(order->bytes);
}

static void take_order(const cs_fetch_action_t *action)
{
    cr_assert(order_count < CS_COUNT_OF(orders));
    order_t *order = &orders[order_count++];
    *order = (order_t){.kind = action->kind,
                       .ticket = action->ticket,
                       .offset = action->offset,
                       .size = action->size,
                       .proved = action->proved};
    order->content = action->content;
    order->bytes = cs_memdup(action->bytes.data, action->bytes.len);
    order->len = action->bytes.len;
    if (action->kind != CS_FETCH_LOCAL) return;
    size_t n = action->count;
    order->chunks.names = cs_memdup(action->names, n * sizeof action->names[0]);
    order->chunks.offsets = cs_memdup(action->offsets, n * sizeof action->offsets[0]);
    order->chunks.lens = cs_memdup(action->lens, n * sizeof action->lens[0]);
    order->chunks.count = n;
}

/* --- the peer: `from` */

static struct {
    cs_fetch_kind_t kind;
    cs_content_t content;
    cs_name_t *names; /* owned */
    size_t count;
} requests[64];
static size_t request_count;

static void pump(void)
{
    cs_fetch_action_t action;
    while (cs_fetch_next(fetch, now_ms, &action)) {
        if (action.kind > CS_FETCH_ASK_CHUNKS && action.kind < CS_FETCH_OPEN) continue;
        if (action.kind >= CS_FETCH_OPEN) {
            take_order(&action);
            continue;
        }
        cr_assert(request_count < CS_COUNT_OF(requests));
        requests[request_count].kind = action.kind;
        requests[request_count].content = action.content;
        requests[request_count].names =
            cs_memdup(action.names, action.count * sizeof action.names[0]);
        requests[request_count++].count = action.count;
    }
}

static void on_records(void *arg, cs_buf_t *payload)
{
    (void)arg;
    cs_reader_t reader = cs_reader(cs_buf_slice(payload));
    while (cs_reader_left(&reader) > 0) {
        cs_name_t name;
        cs_read_copy(&reader, name.b, sizeof name.b);
        uint32_t len = cs_read_u32(&reader);
        cr_assert(cs_fetch_on_data(fetch, PEER, &name, cs_read_bytes(&reader, len)) == CS_OK);
        asked_bytes += len;
        pump();
    }
}

static void on_nodes(void *arg, cs_buf_t *payload)
{
    (void)arg;
    cs_reader_t reader = cs_reader(cs_buf_slice(payload));
    while (cs_reader_left(&reader) > 0) {
        uint32_t len = cs_read_u32(&reader);
        cr_assert(cs_fetch_on_node(fetch, PEER, cs_read_bytes(&reader, len)) == CS_OK);
    }
}

static void on_missing(void *arg, const cs_name_t *name)
{
    (void)arg;
    cs_fetch_on_none(fetch, PEER, name);
}

static void answer(size_t i)
{
    cs_serve_t serve = {.fs = from.fs, .table = from.table, .rows = from.view};
    cs_serve_sink_t sink = {NULL, on_records, on_missing};
    const cs_content_t *content = &requests[i].content;
    cs_name_t *names = requests[i].names;
    if (requests[i].kind == CS_FETCH_ASK_SMALL) {
        cs_serve_data(&serve, names, requests[i].count, NULL, &sink);
    } else if (requests[i].kind == CS_FETCH_ASK_CHUNKS) {
        cs_serve_chunks_t chunks = {.names = names, .count = requests[i].count};
        cs_serve_data(&serve, NULL, 0, &chunks, &sink);
    } else if (requests[i].kind == CS_FETCH_ASK_NODES) {
        sink.payload = on_nodes;
        cs_serve_nodes(&serve, names, requests[i].count, &sink);
    } else {
        cs_content_map_t map;
        if (cs_serve_map(&serve, content->hash, content->size, &map) != CS_OK) {
            cs_fetch_on_none(fetch, PEER, &names[0]);
        } else {
            cr_assert(cs_fetch_on_map(fetch, PEER, content->hash, &map, false) == CS_OK);
        }
    }
    cs_free(names);
}

/* `steps` answers at most; all if 0. */
static void run(size_t steps)
{
    size_t answered = 0;
    for (pump(); request_count > 0 || order_count > 0; pump()) {
        if (request_count > 0 && (steps == 0 || answered++ < steps)) {
            answer(0);
            memmove(&requests[0], &requests[1], --request_count * sizeof requests[0]);
        } else if (order_count == 0) {
            break;
        }
        while (order_count > 0) {
            order_t order = orders[0];
            memmove(&orders[0], &orders[1], --order_count * sizeof orders[0]);
            perform(&order);
        }
        now_ms++;
    }
}

static void forget_requests(void)
{
    while (request_count > 0) {
        cs_free(requests[--request_count].names);
    }
}

static bool arrived(const cs_content_t *content, cs_slice_t bytes)
{
    cs_buf_t path = {0};
    cs_staged_path(content, &path);
    bool same = cs_fetch_is_staged(fetch, content) &&
                test_hashed_is(&to, (const char *)path.data, bytes);
    cs_buf_fini(&path);
    return same;
}

Test(transfer, files_of_many_sizes)
{
    const size_t sizes[] = {0,       1,        1000,     65535,    65536,
                            65537,   300000,   1048576,  1048577,  5000000,
                            9000000, 12345678, 20000000, 25165824, 40000000};
    uint64_t seed = test_seed("transfer");
    cs_content_t content[CS_COUNT_OF(sizes)];
    uint8_t *bytes[CS_COUNT_OF(sizes)];
    for (size_t i = 0; i < CS_COUNT_OF(sizes); i++) {
        char path[8] = {'f', (char)('a' + i)};
        bytes[i] = test_random_bytes(seed + i, sizes[i]);
        test_hashed_add(&from, path, cs_slice(bytes[i], sizes[i]), &content[i]);
        cr_assert(cs_fetch_want(fetch, &content[i], PEER) == CS_OK);
    }
    run(0);
    for (size_t i = 0; i < CS_COUNT_OF(sizes); i++) {
        cr_assert(arrived(&content[i], cs_slice(bytes[i], sizes[i])), "%zu bytes", sizes[i]);
        cs_free(bytes[i]);
    }
}

Test(transfer, an_edit_costs_a_few_chunks)
{
    const size_t len = 30u << 20;
    uint64_t seed = test_seed("transfer");
    uint8_t *bytes = test_random_bytes(seed, len + 100);
    cs_content_t before, after;
    test_hashed_add(&to, "old", cs_slice(bytes, len), &before);
    size_t at = len / 3;
    memmove(bytes + at + 100, bytes + at, len - at); /* an insertion: all offsets move */
    test_hashed_add(&from, "new", cs_slice(bytes, len + 100), &after);
    cr_assert(cs_fetch_want(fetch, &after, PEER) == CS_OK);
    run(0);
    cr_assert(arrived(&after, cs_slice(bytes, len + 100)));
    cr_assert(asked_bytes > 0 && asked_bytes < 4u << 20, "%zu bytes", (size_t)asked_bytes);
    cs_free(bytes);
}

Test(transfer, a_restart_goes_on_where_it_stopped)
{
    const size_t len = 30u << 20;
    uint64_t seed = test_seed("transfer");
    uint8_t *bytes = test_random_bytes(seed, len);
    cs_content_t content;
    test_hashed_add(&from, "file", cs_slice(bytes, len), &content);
    cr_assert(cs_fetch_want(fetch, &content, PEER) == CS_OK);
    run(16);
    forget_requests();
    cr_assert(!cs_fetch_is_staged(fetch, &content));
    uint64_t first = asked_bytes;
    cr_assert(first > len / 5, "%zu bytes", (size_t)first);
    new_machine();
    cr_assert(cs_fetch_want(fetch, &content, PEER) == CS_OK);
    run(0);
    cr_assert(arrived(&content, cs_slice(bytes, len)));
    cr_assert(asked_bytes == len, "%zu bytes", (size_t)asked_bytes); /* none of them twice */
    cs_free(bytes);
}

/* The sender has read the file, the receiver has only put it together. */
static void is_as_of_the_scan(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_buf_t scanned = {0};
    cr_assert(cs_store_get(from.store, NULL, key, &scanned) == CS_OK);
    cr_assert(cs_slice_eq(cs_buf_slice(&scanned), value));
    cs_buf_fini(&scanned);
    ++*(size_t *)arg;
}

Test(transfer, what_arrived_can_be_served)
{
    const size_t len = 5u << 20;
    uint8_t *bytes = test_random_bytes(test_seed("transfer"), len);
    cs_content_t content;
    test_hashed_add(&from, "file", cs_slice(bytes, len), &content);
    cr_assert(cs_fetch_want(fetch, &content, PEER) == CS_OK);
    run(0);
    cr_assert(arrived(&content, cs_slice(bytes, len)));
    size_t rows = 0;
    cs_batch_each(&to.batch, &rows, is_as_of_the_scan, NULL);
    cr_assert(rows > len / CS_CHUNK_MAX);
    cr_assert(cs_store_write(to.store, &to.batch, false) == CS_OK);
    cs_batch_clear(&to.batch);
    cs_serve_t serve = {.fs = to.fs, .table = to.table, .rows = to.view};
    cs_content_map_t map; /* not applied yet: served from where it is staged */
    cr_assert(cs_serve_map(&serve, content.hash, len, &map) == CS_OK);
    cs_free(bytes);
}

Test(transfer, zeros_are_not_sent)
{
    const size_t len = 64u << 20;
    uint8_t *bytes = cs_calloc(1, len);
    memset(bytes + len / 2, 7, 5000);
    cs_content_t content;
    test_hashed_add(&from, "sparse", cs_slice(bytes, len), &content);
    cr_assert(cs_fetch_want(fetch, &content, PEER) == CS_OK);
    run(0);
    cr_assert(arrived(&content, cs_slice(bytes, len)));
    cr_assert(asked_bytes < 4u << 20, "%zu bytes", (size_t)asked_bytes);
    cs_free(bytes);
}

Test(transfer, a_source_that_is_edited_meanwhile)
{
    const size_t len = 10u << 20;
    uint8_t *bytes = test_random_bytes(test_seed("transfer"), len);
    cs_content_t content;
    test_hashed_add(&from, "file", cs_slice(bytes, len), &content);
    cr_assert(cs_fetch_want(fetch, &content, PEER) == CS_OK);
    run(6);
    memset(bytes + len / 2, 1, len / 4);
    test_hashed_write(&from, "file", cs_slice(bytes, len));
    run(0);
    cs_fetch_stats_t stats;
    cs_fetch_stats(fetch, &stats);
    cr_assert(!cs_fetch_is_staged(fetch, &content) && stats.sleeping == 1);
    cs_fetch_unwant(fetch, &content);
    run(0);
    cs_fetch_stats(fetch, &stats);
    cr_assert(stats.wants == 0 && stats.bytes_asked == 0 && stats.bytes_to_disk == 0);
    cs_free(bytes);
}
