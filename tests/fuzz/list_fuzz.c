/* list_fuzz.c - chunk lists made up by whoever made the content: every node has the name that
 * was asked for, and may say anything. The fetch machine gets done or gives up. */
#include <string.h>

#include "base/mem.h"
#include "support/feed.h"
#include "xfer/fetch.h"

#define NODES_MAX  48u
#define CHUNKS     4u
#define ROUNDS_MAX 4000u
#define PEERS      2u

typedef struct made_node {
    cs_name_t name;
    cs_buf_t bytes;
} made_node_t;

typedef struct run {
    cs_fetch_t *fetch;
    made_node_t node[NODES_MAX];
    size_t nodes;
    cs_content_t content;
    uint32_t depth;
    uint8_t where; /* chunks that lie on the disk already, and what the disk fails */
    bool down[PEERS + 1];
} run_t;

static cs_chunker_table_t *table; /* made once, as the chunks */
static uint8_t *chunk[CHUNKS];
static cs_name_t chunk_name[CHUNKS];
static const uint32_t chunk_len[CHUNKS] = {CS_CHUNK_MIN, 1, 100000, CS_CHUNK_MAX};

static void make_chunks(void)
{
    static const cs_keys_t keys = {.list = {1}, .chunk = {2}, .file = {3}};
    if (table != NULL) return;
    table = cs_chunker_table_new(&keys);
    for (size_t i = 0; i < CHUNKS; i++) {
        chunk[i] = cs_calloc(chunk_len[i], 1);
        cs_chunk_name(table, cs_slice(chunk[i], chunk_len[i]), &chunk_name[i]);
    }
}

/* u8 items; of each u8 length and u8 name: a chunk's, or that of a node made before. */
static void make_node(run_t *run, cs_reader_t *feed)
{
    static const uint32_t lens[] = {0, 1, 2, CS_CHUNK_MAX + 1, UINT32_MAX};
    made_node_t *node = &run->node[run->nodes];
    size_t items = cs_read_u8(feed) % 24;
    size_t repeat = cs_read_u8(feed) % 64;
    for (size_t i = 0; i < items; i++) {
        uint8_t len = cs_read_u8(feed), name = cs_read_u8(feed);
        bool of_chunk = name < CHUNKS || run->nodes == 0;
        const cs_name_t *of =
            of_chunk ? &chunk_name[name % CHUNKS] : &run->node[name % run->nodes].name;
        uint32_t value = len < CS_COUNT_OF(lens) ? lens[len]
                         : of_chunk              ? chunk_len[name % CHUNKS]
                                                 : 0;
        for (size_t j = 0; j <= repeat; j++) {
            cs_buf_put_u32(&node->bytes, value);
            cs_buf_put(&node->bytes, of->b, sizeof of->b);
        }
    }
    if (items == 23) cs_buf_put_u8(&node->bytes, 0); /* no whole number of items */
    cs_node_name(table, cs_buf_slice(&node->bytes), &node->name);
    run->nodes++;
}

static void drop(run_t *run, cs_peer_t peer)
{
    run->down[peer] = true;
    cs_fetch_peer_down(run->fetch, peer);
}

static void answer_name(run_t *run, cs_fetch_kind_t kind, cs_peer_t peer, const cs_name_t *name)
{
    cs_err_t err = CS_ERR_NOT_FOUND;
    if (kind == CS_FETCH_ASK_MAP) {
        cs_content_map_t map = {.size = run->content.size,
                                .root = run->node[run->nodes - 1].name,
                                .depth = run->depth};
        err = cs_fetch_on_map(run->fetch, peer, name->b, &map, false);
    }
    for (size_t i = 0; kind == CS_FETCH_ASK_NODES && i < run->nodes; i++) {
        if (!cs_name_eq(&run->node[i].name, name)) continue;
        err = cs_fetch_on_node(run->fetch, peer, cs_buf_slice(&run->node[i].bytes));
        break;
    }
    for (size_t i = 0; kind == CS_FETCH_ASK_CHUNKS && i < CHUNKS; i++) {
        if (!cs_name_eq(&chunk_name[i], name)) continue;
        err = cs_fetch_on_data(run->fetch, peer, name, cs_slice(chunk[i], chunk_len[i]));
        break;
    }
    if (err == CS_ERR_NOT_FOUND) {
        cs_fetch_on_none(run->fetch, peer, name);
    } else if (err != CS_OK) {
        drop(run, peer);
    }
}

static void order(run_t *run, const cs_fetch_action_t *action)
{
    cs_fetch_result_t result = {.has_bytes = run->where & 1};
    uint64_t found[CS_NODE_ITEMS_MAX];
    if (action->kind == CS_FETCH_LOCAL && (run->where & 2) != 0) {
        for (size_t i = 0; i < action->count && i < CS_COUNT_OF(found); i++) {
            if ((action->offsets[i] / CS_CHUNK_MIN) % 3 != 0) continue;
            found[result.found_count++] = action->offsets[i];
        }
        result.found = found;
    }
    bool fails = !action->proved || (run->where & 4) != 0;
    if (action->kind == CS_FETCH_FINISH && fails) result.err = CS_ERR_MISMATCH;
    if (action->kind == CS_FETCH_WRITE) {
        require(action->offset + action->bytes.len <= run->content.size);
        if ((run->where & 8) != 0) result.err = CS_ERR_NOSPACE;
    }
    cs_fetch_done(run->fetch, action->ticket, &result);
}

/* Names are copied: answers change the machine that lent them. */
static void perform(run_t *run, const cs_fetch_action_t *action)
{
    if (action->kind >= CS_FETCH_OPEN) {
        order(run, action);
        return;
    }
    if (action->kind > CS_FETCH_ASK_CHUNKS) return; /* nobody has a part */
    cs_name_t *names = cs_memdup(action->names, action->count * sizeof *names);
    for (size_t i = 0; i < action->count && !run->down[action->peer]; i++) {
        answer_name(run, action->kind, action->peer, &names[i]);
        cs_fetch_action_t next; /* the bytes of a chunk are lent for now only */
        while (cs_fetch_next(run->fetch, 0, &next)) {
            if (next.kind >= CS_FETCH_OPEN) order(run, &next);
            /* Requests are never answered here: their peer is late. */
        }
    }
    cs_free(names);
}

static void fetch(run_t *run)
{
    cs_fetch_action_t action;
    unsigned rounds = 0;
    cs_err_t err = cs_fetch_want(run->fetch, &run->content, 1);
    require(err == CS_OK);
    for (cs_peer_t peer = 1; peer <= PEERS; peer++)
        cs_fetch_peer_up(run->fetch, peer);
    for (uint64_t now_ms = 0; now_ms < 400000 && rounds < ROUNDS_MAX; now_ms += 50000) {
        while (rounds < ROUNDS_MAX && cs_fetch_next(run->fetch, now_ms, &action)) {
            perform(run, &action);
            rounds++;
        }
        cs_fetch_tick(run->fetch, now_ms);
    }
    cs_fetch_stats_t stats;
    cs_fetch_stats(run->fetch, &stats);
    require(stats.bytes_asked + stats.bytes_to_disk <= CS_FETCH_MEMORY_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_chunks();
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    run_t run = {.fetch = cs_fetch_new(table, NULL, size)};
    run.where = cs_read_u8(&feed);
    run.depth = cs_read_u8(&feed) % (CS_LIST_DEPTH_MAX + 2);
    uint64_t bytes = cs_read_u32(&feed);
    if ((run.where & 0x80) != 0) bytes <<= 31;
    if (bytes < CS_CHUNK_MIN) bytes += CS_CHUNK_MIN;
    do
        make_node(&run, &feed);
    while (run.nodes < NODES_MAX && cs_reader_left(&feed) > 0);
    cs_content_from_root(table, bytes, &run.node[run.nodes - 1].name, &run.content);
    fetch(&run);
    cs_fetch_destroy(&run.fetch);
    for (size_t i = 0; i < run.nodes; i++)
        cs_buf_fini(&run.node[i].bytes);
    return 0;
}
