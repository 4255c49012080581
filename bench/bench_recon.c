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
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "io/leveldb_store.h"
#include "node/gossip.h"
#include "trie.h"

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

static uint64_t host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    side_t *side = arg;
    (void)peer;
    frame_t *frame = cs_calloc(1, sizeof *frame);
    cs_msg_encode(msg, &frame->bytes);
    count(msg, frame->bytes.len);
    *side->last = frame;
    side->last = &frame->next;
    return frame->bytes.len;
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
    cs_gossip_host_t host = {.arg = side,
                             .send = host_send,
                             .drop = host_drop,
                             .snapshot = host_snapshot,
                             .reincarnate = host_reincarnate,
                             .member = host_member,
                             .alarm = host_alarm,
                             .changed = host_changed,
                             .peer_has_more = host_more};
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

/* --- cases */

static void run_case(side_t *a, uint64_t modified, uint64_t entries)
{
    side_t *b = a->other;
    if (modified > 0) scan(b, CS_SAW_MODIFIED, modified, entries / modified, NULL);
    uint64_t trie = modified == 0 ? CS_ITEM_BYTES : trie_bytes(a->store, b->store, FOLDER);
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

static cs_store_t *open_store(const char *dir, const char *name)
{
    char path[512];
    cs_store_t *store;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    must(cs_leveldb_open(path, &store, NULL) == CS_OK, path);
    return store;
}

/* As crdtsync-node has it. */
int munmap(void *addr, size_t len)
{
    return cs_leveldb_munmap(addr, len);
}

int main(int argc, char **argv)
{
    static const uint64_t cases[] = {0, 1, 10, 100, 1000, 10000};
    must(argc >= 2 && argv[1][0] != '-', "usage: bench_recon DIR [ENTRIES]");
    uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    cs_leveldb_use_munmap(munmap);
    must(mkdir(argv[1], 0700) == 0, argv[1]);
    cs_keys_derive(&keys, (const uint8_t *)"a secret of thirty-two bytes ...");
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
    side_t *sides[] = {&a, &b};
    for (int i = 0; i < 2; i++) {
        cs_gossip_destroy(&sides[i]->gossip);
        cs_replica_destroy(&sides[i]->replica);
        cs_store_close(&sides[i]->store);
    }
    return 0;
}
