/* bench_recon.c - what it takes two replicas of one folder to find out what differs: bytes,
 * round trips, CPU; beside a Merkle trie of fanout 16 over the same entries.
 *
 * usage: bench_recon DIR [ENTRIES]     DIR: a fresh directory to be made; it is left for `rm
 * -r`
 *
 * The codec, the gossip machine and LevelDB are the real ones; messages go from hand to hand.
 * Bytes are application payload, headers of messages included. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "base/prng.h"
#include "base/seal.h"
#include "io/leveldb_store.h"
#include "node/gossip.h"
#include "recon/recon.h"

#define FOLDER        1u
#define FILES_PER_DIR 100u

typedef struct frame {
    struct frame *next;
    cs_buf_t bytes;
} frame_t;

typedef struct side {
    const char *name;
    cs_store_t *store;
    cs_replica_t *replica;
    cs_gossip_t *gossip;
    struct side *other;
    frame_t *first, **last; /* on their way to the other */
    double cpu_s;           /* of the machine and the replica, since the case began */
} side_t;

/* Of one case. */
typedef struct tally {
    uint64_t have, finding, entries; /* bytes: the first HAVE; asks and answers; the rest */
    unsigned trips, symbols, lists;
} tally_t;

static cs_keys_t keys;
static tally_t tally;
static uint64_t now_ms = 1000, edits;

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "bench_recon: %s\n", what);
    exit(1);
}

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the host of a machine */

static void count(const cs_msg_t *msg, size_t bytes)
{
    bool asks = msg->type == CS_MSG_CREDIT && (msg->flags & CS_FLAG_INITIATOR) != 0;
    if (msg->type == CS_MSG_HAVE) {
        if (tally.have == 0) tally.have = bytes;
    } else if (asks || msg->type == CS_MSG_RECON_REQ || msg->type == CS_MSG_SYMS ||
               msg->type == CS_MSG_LIST_REQ || msg->type == CS_MSG_LIST) {
        tally.finding += bytes;
        bool answers = msg->type == CS_MSG_SYMS || msg->type == CS_MSG_LIST;
        bool stops = msg->type == CS_MSG_CREDIT && msg->u.credit.stop;
        tally.trips += !answers && !stops;
        tally.lists += msg->type == CS_MSG_LIST;
        if (msg->type == CS_MSG_SYMS)
            tally.symbols += (unsigned)(msg->u.syms.symbols.len / CS_SYMBOL_BYTES_MIN);
    } else {
        tally.entries += bytes;
    }
}

static void host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    side_t *side = arg;
    (void)peer;
    frame_t *frame = cs_calloc(1, sizeof *frame);
    cs_msg_encode(msg, &frame->bytes);
    count(msg, frame->bytes.len);
    *side->last = frame;
    side->last = &frame->next;
}

static void host_drop(void *arg, cs_peer_t peer, const char *reason)
{
    (void)arg;
    (void)peer;
    must(false, reason);
}

static cs_snapshot_t *host_snapshot(void *arg)
{
    side_t *side = arg;
    return cs_store_snapshot(side->store);
}

static void host_reincarnate(void *arg, const char *reason)
{
    (void)arg;
    must(false, reason);
}

static bool host_member(void *arg, const cs_member_t *member)
{
    (void)arg;
    (void)member;
    return true;
}

static void host_alarm(void *arg, const char *what, cs_dot_t dot)
{
    (void)arg;
    (void)dot;
    must(false, what);
}

static void host_changed(void *arg)
{
    (void)arg;
}

static void host_more(void *arg, cs_peer_t peer)
{
    (void)arg;
    (void)peer;
}

/* --- entries */

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    must(err == CS_OK, "a scan refused a path");
}

/* Twice: both replicas are given the same rows at first. */
static void flush(side_t *side, cs_store_t *too)
{
    cs_batch_t batch = {0};
    double before = cpu_now();
    cs_replica_expose(side->replica);
    bool any = cs_replica_stage(side->replica, &batch);
    side->cpu_s += cpu_now() - before;
    if (any) {
        must(cs_store_write(side->store, &batch, too == NULL) == CS_OK, "write");
        if (too != NULL) must(cs_store_write(too, &batch, false) == CS_OK, "write");
        cs_replica_staged_durable(side->replica);
    }
    cs_batch_fini(&batch);
}

static void see(side_t *side, cs_seen_kind_t what, uint64_t file, cs_store_t *too)
{
    char path[64];
    uint64_t stamp = ++edits;
    snprintf(path, sizeof path, "dir%06" PRIu64 "/file%06" PRIu64 ".txt", file / FILES_PER_DIR,
             file);
    int64_t time = (int64_t)stamp;
    cs_sighting_t sighting = {.what = what,
                              .path = cs_slice_text(path),
                              .content = {.kind = CS_KIND_FILE, .size = 4096},
                              .mode = 0644,
                              .mtime_ns = time,
                              .print = {1, file + 1, time, time, time, 4096}};
    memcpy(sighting.content.hash, &stamp, sizeof stamp);
    bool stage_now;
    must(cs_replica_scan_add(side->replica, &sighting, &stage_now) == CS_OK, "scan");
    if (stage_now) flush(side, too);
}

static void scan(side_t *side, cs_seen_kind_t what, uint64_t files, uint64_t step,
                 cs_store_t *too)
{
    cs_scan_result_t result;
    cs_replica_scan_begin(side->replica, refused, NULL);
    for (uint64_t i = 0; i < files; i++)
        see(side, what, i * step, too);
    must(cs_replica_scan_commit(side->replica, &result) == CS_OK, "commit");
    flush(side, too);
}

/* --- life */

static void open_replica(side_t *side, uint64_t rid)
{
    cs_open_result_t result;
    cs_replica_config_t config = {
        .store = side->store, .folder = FOLDER, .keys = keys, .fresh_rid = rid};
    must(cs_replica_open(&config, &side->replica, &result) == CS_OK, "open");
    must(result != CS_OPEN_AMNESIA, "amnesia");
}

static void open_gossip(side_t *side, uint8_t key)
{
    cs_gossip_host_t host = {
        side,        host_send,  host_drop,    host_snapshot, host_reincarnate,
        host_member, host_alarm, host_changed, host_more,     NULL};
    cs_gossip_config_t config = {.replica = side->replica,
                                 .store = side->store,
                                 .folder = FOLDER,
                                 .keys = &keys,
                                 .self = {{key}},
                                 .seed = key,
                                 .stamp = 1};
    side->gossip = cs_gossip_new(&config, &host);
    side->last = &side->first;
}

static bool deliver(side_t *from)
{
    frame_t *frame = from->first;
    if (frame == NULL) return false;
    from->first = frame->next;
    if (from->first == NULL) from->last = &from->first;
    side_t *to = from->other;
    double before = cpu_now();
    cs_msg_t msg = {0};
    cs_err_t err = cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0));
    must(err == CS_OK, "decode");
    cs_gossip_message(to->gossip, 1, &msg, now_ms);
    cs_msg_fini(&msg);
    to->cpu_s += cpu_now() - before;
    flush(to, NULL);
    cs_buf_fini(&frame->bytes);
    cs_free(frame);
    return true;
}

static bool are_equal(const side_t *a)
{
    const cs_state_t *x = cs_replica_state(a->replica),
                     *y = cs_replica_state(a->other->replica);
    return x->n == y->n && memcmp(x->root, y->root, CS_HASH_BYTES) == 0;
}

static void pass(side_t *a, unsigned seconds, bool until_equal)
{
    for (unsigned i = 0; i < 10 * seconds; i++) {
        while (deliver(a) || deliver(a->other)) {
        }
        if (until_equal && are_equal(a)) return;
        now_ms += 100;
        side_t *sides[] = {a, a->other};
        for (int s = 0; s < 2; s++) {
            double before = cpu_now();
            (void)cs_gossip_tick(sides[s]->gossip, now_ms);
            sides[s]->cpu_s += cpu_now() - before;
            flush(sides[s], NULL);
        }
    }
}

/* --- the trie: keyed by bucket, a leaf is (bucket, digest) */

typedef struct leaf {
    uint8_t bucket[CS_BUCKET_BYTES], item[CS_ITEM_BYTES];
} leaf_t;

static int leaf_order(const void *a, const void *b)
{
    return memcmp(a, b, CS_BUCKET_BYTES);
}

static leaf_t *leaves_of(const side_t *side, size_t *ret_count)
{
    size_t cap = 1u << 20, len = 0;
    leaf_t *leaves = cs_malloc(cap * sizeof *leaves);
    cs_snapshot_t *snapshot = cs_store_snapshot(side->store);
    cs_view_t view = {.store = side->store, .snapshot = snapshot, .folder = FOLDER};
    cs_view_walk_t *walk = cs_view_walk_new(&view, CS_WALK_ITEMS, cs_slice(NULL, 0));
    cs_slice_t item, bucket;
    while (cs_view_walk_next(walk, &item, &bucket)) {
        if (len == cap) {
            cap *= 2;
            leaves = cs_realloc_array(leaves, cap, sizeof *leaves);
        }
        memcpy(leaves[len].item, item.data, CS_ITEM_BYTES);
        memcpy(leaves[len].bucket, bucket.data, CS_BUCKET_BYTES);
        len++;
    }
    must(cs_view_walk_err(walk) == CS_OK, "walk");
    cs_view_walk_destroy(&walk);
    cs_snapshot_t *done = snapshot;
    cs_store_release(side->store, &done);
    qsort(leaves, len, sizeof *leaves, leaf_order);
    *ret_count = len;
    return leaves;
}

typedef struct range {
    const leaf_t *at;
    size_t len;
} range_t;

static range_t child(range_t node, unsigned depth, unsigned nibble)
{
    range_t ret = {node.at, 0};
    for (size_t i = 0; i < node.len; i++) {
        uint8_t byte = node.at[i].bucket[depth / 2];
        unsigned have = depth % 2 == 0 ? byte >> 4 : byte & 15u;
        if (have < nibble) ret.at = &node.at[i] + 1;
        if (have == nibble) ret.len++;
    }
    return ret;
}

/* Bytes to find what differs below a node whose hashes differ: the asker names the node (its
 * nibbles), the other answers with which children it has (2 B) and their hashes of 16 B each;
 * a child of one leaf is the leaf. Ranges that are equal have equal hashes. */
static uint64_t trie_bytes(range_t a, range_t b, unsigned depth)
{
    uint64_t bytes = 1 + (depth + 1) / 2 + 2;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        range_t x = child(a, depth, nibble), y = child(b, depth, nibble);
        if (y.len > 0) bytes += CS_ITEM_BYTES;
        bool equal = x.len == y.len && memcmp(x.at, y.at, x.len * sizeof *x.at) == 0;
        if (!equal && y.len > 1) bytes += trie_bytes(x, y, depth + 1);
    }
    return bytes;
}

/* --- cases */

static void run_case(side_t *a, uint64_t modified, uint64_t entries)
{
    side_t *b = a->other;
    if (modified > 0) scan(b, CS_SAW_MODIFIED, modified, entries / modified, NULL);
    size_t len[2];
    leaf_t *leaves[2] = {leaves_of(a, &len[0]), leaves_of(b, &len[1])};
    range_t mine = {leaves[0], len[0]}, theirs = {leaves[1], len[1]};
    uint64_t trie = modified == 0 ? CS_ITEM_BYTES : trie_bytes(mine, theirs, 0);
    cs_free(leaves[0]);
    cs_free(leaves[1]);
    tally = (tally_t){0};
    a->cpu_s = b->cpu_s = 0;
    if (modified == 0) {
        pass(a, 70, false);
    } else {
        pass(a, 100, true);
    }
    must(are_equal(a), "they are not equal");
    printf("%8" PRIu64 " | %9" PRIu64 " | %5u | %7u | %9" PRIu64 " | %5.1f | %9" PRIu64
           " | %6.2f %6.2f\n",
           modified, tally.have + tally.finding, tally.trips, tally.symbols, trie,
           (double)trie / (double)(tally.have + tally.finding), tally.entries, 1e3 * a->cpu_s,
           1e3 * b->cpu_s);
    fflush(stdout);
    pass(a, 100, false); /* claims, and HAVEs at their slowest */
}

/* Two folders of as many entries that have nothing in common: the one beside random digests. */
static void never_met(const side_t *a, cs_store_t *other, uint64_t entries)
{
    cs_prng_t prng;
    cs_batch_t batch = {0};
    cs_prng_init(&prng, 1);
    for (uint64_t i = 0; i < entries; i++) {
        cs_buf_t key = {0}, value = {0};
        uint8_t bytes[32];
        cs_prng_fill(&prng, bytes, sizeof bytes);
        cs_buf_put_u32_be(&key, FOLDER);
        cs_buf_put(&key, "d/", 2);
        cs_buf_put(&key, bytes, 16);
        cs_buf_put(&value, bytes + 16, 16);
        cs_seal_append(&value, 0);
        cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
        cs_buf_fini(&key);
        cs_buf_fini(&value);
        if (i % 1000 != 999 && i + 1 != entries) continue;
        must(cs_store_write(other, &batch, false) == CS_OK, "write");
        cs_batch_fini(&batch);
    }
    cs_recon_t mine = {{a->store, NULL, FOLDER}, keys.sym, entries, &cs_recon_defaults};
    cs_recon_t theirs = {{other, NULL, FOLDER}, keys.sym, entries, &cs_recon_defaults};
    cs_symbols_t none = {0};
    cs_differ_t *differ = cs_differ_new(&mine, CS_BY_SYMBOLS, &none);
    cs_teller_t *teller = cs_teller_new(&theirs, &none);
    uint64_t bytes = 0, found = 0;
    unsigned trips = 0;
    cs_diff_t what = CS_DIFF_MORE;
    while (what != CS_DIFF_END) {
        cs_recon_ask_t ask;
        cs_recon_answer_t answer;
        cs_diff_item_t item;
        while (cs_differ_ask(differ, &ask)) {
            trips++;
            bytes += 44; /* what a RECON_REQ, CREDIT or LIST_REQ takes */
            must(cs_teller_ask(teller, &ask) == CS_OK, "ask");
            while (cs_teller_next(teller, &answer)) {
                bytes += 32 + answer.bytes.len;
                must(cs_differ_feed(differ, &answer) == CS_OK, "feed");
            }
        }
        must(cs_differ_next(differ, &what, &item) == CS_OK, "next");
        found += what != CS_DIFF_MORE && what != CS_DIFF_END;
    }
    must(found == 2 * entries, "not all were found");
    printf("nothing in common: %" PRIu64 " bytes, %u round trips\n", bytes, trips);
    cs_differ_destroy(&differ);
    cs_teller_destroy(&teller);
}

/* Root and prefix for one changed entry: one item goes, one comes. */
static void bench_update(void)
{
    enum { TURNS = 1000000 };
    cs_symbols_t symbols;
    uint8_t root[CS_HASH_BYTES] = {0};
    cs_entry_digest_t digest[256];
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    cs_prng_fill(&prng, digest, sizeof digest);
    cs_symbols_init(&symbols, CS_SYMBOLS_MAX);
    double before = cpu_now();
    for (unsigned i = 0; i < TURNS; i++) {
        cs_entry_digest_t *old = &digest[i % 256], *new = &digest[(i + 77) % 256];
        new->item[i % 16] ^= (uint8_t)(i >> 4); /* never the same item again */
        cs_sum_sub(root, old->term);
        cs_sum_add(root, new->term);
        cs_symbols_take(&symbols, keys.sym, old->item);
        cs_symbols_put(&symbols, keys.sym, new->item);
    }
    printf("update of root and %u symbols for one changed entry: %.2f us\n", CS_SYMBOLS_MAX,
           1e6 * (cpu_now() - before) / TURNS);
    cs_symbols_fini(&symbols);
}

static cs_store_t *open_store(const char *dir, const char *name)
{
    char path[512];
    cs_store_t *store;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    must(cs_leveldb_open(path, &store, NULL) == CS_OK, path);
    return store;
}

int main(int argc, char **argv)
{
    static const uint64_t cases[] = {0, 1, 10, 100, 1000, 10000};
    must(argc >= 2, "usage: bench_recon DIR [ENTRIES]");
    uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    must(mkdir(argv[1], 0700) == 0, argv[1]);
    cs_keys_derive(&keys, (const uint8_t *)"a secret of thirty-two bytes ...");
    bench_update();
    side_t a = {.name = "a"}, b = {.name = "b"};
    a.other = &b;
    b.other = &a;
    a.store = open_store(argv[1], "a");
    b.store = open_store(argv[1], "b");
    open_replica(&a, 1);
    scan(&a, CS_SAW_APPEARED, entries, 1, b.store);
    double before = cpu_now();
    open_replica(&b, 2);
    printf("open and verify %" PRIu64 " entries: %.2f s of CPU\n", entries, cpu_now() - before);
    must(cs_replica_reincarnate(b.replica, 2) == CS_OK, "reincarnate");
    flush(&b, NULL);
    open_gossip(&a, 1);
    open_gossip(&b, 2);
    cs_gossip_peer_up(a.gossip, 1, &(cs_key_t){{2}}, now_ms);
    cs_gossip_peer_up(b.gossip, 1, &(cs_key_t){{1}}, now_ms);
    pass(&a, 200, false);
    printf(
        "modified |     bytes | trips | symbols |      trie | ratio |   entries | ms of CPU\n");
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++)
        run_case(&a, cases[i], entries);
    cs_store_t *other = open_store(argv[1], "c");
    never_met(&a, other, entries);
    cs_store_close(&other);
    side_t *sides[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        cs_gossip_destroy(&sides[i]->gossip);
        cs_replica_destroy(&sides[i]->replica);
        cs_store_close(&sides[i]->store);
    }
    return 0;
}
