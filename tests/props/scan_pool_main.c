/* scan_pool_main.c - a scan by several threads reports what one thread does. A program of its
 * own, so that the thread sanitizer can watch it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/scan_pool.h"
#include "support/folder.h"
#include "support/scanned.h"
#include "support/seed.h"

#define FILES 600

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

static void build(cs_test_scanned_t *t, cs_prng_t *prng)
{
    char path[64];
    for (int i = 0; i < FILES; i++) {
        uint64_t large = cs_prng_below(prng, 100);
        size_t len = large == 0   ? 3u << 20
                     : large < 10 ? 70000
                                  : (size_t)cs_prng_below(prng, 200);
        char *text = cs_malloc(len + 1);
        for (size_t k = 0; k < len; k++)
            text[k] = (char)(1 + cs_prng_below(prng, 255));
        text[len] = '\0';
        snprintf(path, sizeof path, "d%" PRIu64 "/f%d", cs_prng_below(prng, 9), i);
        cs_test_scanned_old(t, path, text);
        cs_free(text);
        if (cs_prng_chance(prng, 1, 3)) cs_test_scanned_accept(t, path);
        if (cs_prng_chance(prng, 1, 9)) cs_test_scanned_old(t, path, "another");
        if (cs_prng_chance(prng, 1, 9)) cs_test_unlink(t->dir, path);
    }
}

/* The report of a scan; ends with its statistics. */
static char *report(cs_test_scanned_t *t, size_t threads)
{
    cs_buf_t text = {0};
    t->threads = threads;
    cs_test_scanned_clear(t);
    must(cs_test_scanned_run(t) == CS_OK, "scan");
    char *seen = cs_test_scanned_text(t);
    cs_buf_printf(&text, "%s\n", seen);
    cs_free(seen);
    for (size_t i = 0; i < t->len; i++) {
        char hex[2 * CS_HASH_BYTES + 1];
        cs_hex(hex, t->seen[i].sighting.content.hash, CS_HASH_BYTES);
        cs_buf_printf(&text, "%s\n", hex);
    }
    const cs_scan_stats_t *stats = &t->stats;
    cs_buf_printf(&text,
                  "%zu rows, %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                  t->rows, stats->files, stats->bytes, stats->unchanged, stats->hashed_files,
                  stats->hashed_bytes);
    cs_buf_put_u8(&text, 0);
    return (char *)text.data;
}

typedef struct stopper {
    int left;
} stopper_t;

static bool count_down(void *arg)
{
    return --((stopper_t *)arg)->left < 0;
}

static bool sighting_until(void *arg, const cs_sighting_t *sighting)
{
    (void)sighting;
    return --((stopper_t *)arg)->left >= 0;
}

static void no_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    (void)arg;
    (void)path;
    (void)trouble;
}

static void check_stopping(cs_test_scanned_t *t)
{
    for (int left = 0; left < 350; left += 97) {
        stopper_t stopper = {left};
        cs_scan_stats_t stats;
        cs_scan_sink_t sink = {
            .arg = &stopper, .sighting = sighting_until, .trouble = no_trouble};
        must(cs_scan_pool_run(&t->config, &sink, 2, &stats) == CS_ERR_AGAIN,
             "the sink stops it");
        stopper.left = left;
        sink.cancelled = count_down;
        must(cs_scan_pool_run(&t->config, &sink, 2, &stats) == CS_ERR_AGAIN, "it is cancelled");
    }
}

int main(void)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("scan_pool"));
    cs_test_scanned_t t;
    cs_test_scanned_init(&t);
    build(&t, &prng);
    char *alone = report(&t, 0);
    must(t.rows > 0 && t.len > FILES / 2, "there is something to see");
    for (size_t threads = 1; threads <= 4; threads++) {
        char *together = report(&t, threads);
        must(strcmp(alone, together) == 0, "several threads report the same");
        cs_free(together);
    }
    cs_free(alone);
    check_stopping(&t);
    cs_test_scanned_fini(&t);
    return 0;
}
