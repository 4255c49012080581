/* bench_symbols.c - keeping symbols, and two folders that have nothing in common.
 *
 * usage: bench_symbols DIR [ENTRIES]   DIR: a fresh directory to be made; it is left for `rm
 * -r`
 *
 * Without entries: digests are random, as those of entries are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/prng.h"
#include "base/seal.h"
#include "io/leveldb_store.h"
#include "recon/recon.h"

#define FOLDER 1u

static cs_keys_t keys;

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "bench_symbols: %s\n", what);
    exit(1);
}

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_random(cs_store_t *store, uint64_t seed, uint64_t entries)
{
    cs_prng_t prng;
    cs_batch_t batch = {0};
    cs_prng_init(&prng, seed);
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
        must(cs_store_write(store, &batch, false) == CS_OK, "write");
        cs_batch_fini(&batch);
    }
}

static void never_met(cs_store_t *a, cs_store_t *b, uint64_t entries)
{
    put_random(a, 1, entries);
    put_random(b, 2, entries);
    cs_recon_t mine = {{a, NULL, FOLDER}, keys.sym, entries, &cs_recon_defaults};
    cs_recon_t theirs = {{b, NULL, FOLDER}, keys.sym, entries, &cs_recon_defaults};
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
    must(argc >= 2, "usage: bench_symbols DIR [ENTRIES]");
    uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    must(mkdir(argv[1], 0700) == 0, argv[1]);
    cs_keys_derive(&keys, (const uint8_t *)"a secret of thirty-two bytes ...");
    bench_update();
    cs_store_t *a = open_store(argv[1], "a"), *b = open_store(argv[1], "b");
    never_met(a, b, entries);
    cs_store_close(&a);
    cs_store_close(&b);
    return 0;
}
