/* right_clocks.c - wall clocks that differ and jump by up to ten years change nothing: trees,
 * names and winners at each rest point, and the trace, times of files apart, are those of other
 * clocks.
 *
 *   right_clocks [SEEDS [FIRST]]
 *
 *   any     the mix of the seed: by years, and by a part of that: equal traces
 *   calm    some seconds between any two actions: by years, and not at all: equal trees and as
 *           many operations
 *
 * Not more: a scan reads a file again whose time is close to its own, which with right clocks
 * are those of others, too. That takes time of its own, and whatever runs beside it comes out
 * otherwise where it is a matter of milliseconds. Digests are hashed from times as well, and
 * how many symbols an exchange needs from digests: here they are sent all at once (recon=3). */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run.h"

/* Sanitizers take ten times as long; the release runs all. */
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 20u
#else
#define SEEDS 100u
#endif

static const uint64_t parts[] = {2, 5};

static void draw(uint64_t seed, bool calm, cs_history_t *ret)
{
    cs_sim_options_t options;
    cs_sim_options_draw(&options, seed);
    options.clocks = 1;
    options.recon = 3;
    if (calm) {
        options.bursts = options.races = options.loss = options.scan_ms = 0;
        options.gap_ms = 8000;
        options.latency_ms = 20;
        if (options.ops > 50) options.ops = 50;
    }
    cs_history_draw(&options, ret);
}

static void run(const cs_history_t *history, uint64_t clocks_by, cs_sim_result_t *ret)
{
    cs_sim_watched(history, &(cs_sim_setup_t){.clocks_by = clocks_by}, ret);
}

static unsigned compare(uint64_t seed, const char *what, const cs_sim_result_t *a,
                        const cs_sim_result_t *b, bool traces)
{
    bool trees = memcmp(a->trees, b->trees, sizeof a->trees) == 0;
    bool trace = !traces || memcmp(a->trace, b->trace, sizeof a->trace) == 0;
    bool minted = a->minted == b->minted, ok = a->ok && b->ok;
    if (trees && trace && minted && ok) return 0;
    printf("seed %" PRIu64 ", %s:%s%s%s %s\n", seed, what, trees ? "" : " other trees",
           minted ? "" : " other operations", trace ? "" : " another trace",
           a->ok ? b->why : a->why);
    return 1;
}

static unsigned any(uint64_t seed, unsigned *jumps)
{
    cs_history_t history = {0};
    cs_sim_result_t years, less;
    unsigned bad = 0;
    draw(seed, false, &history);
    run(&history, 1, &years);
    for (size_t i = 0; i < CS_COUNT_OF(parts); i++) {
        run(&history, parts[i], &less);
        bad += compare(seed, "any", &years, &less, true);
    }
    for (size_t i = 0; i < history.len; i++) {
        *jumps += history.act[i].kind == CS_ACT_CLOCK;
    }
    cs_history_fini(&history);
    return bad;
}

static unsigned calm(uint64_t seed)
{
    cs_history_t history = {0};
    cs_sim_result_t years, still;
    draw(seed, true, &history);
    run(&history, 1, &years);
    run(&history, CS_SIM_CLOCKS_STILL, &still);
    cs_history_fini(&history);
    return compare(seed, "calm", &years, &still, false);
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    unsigned bad = 0, jumps = 0;
    if (sodium_init() < 0) return 2;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        bad += any(seed, &jumps) + calm(seed);
    }
    printf("clocks: %" PRIu64
           " seeds, %u jumps in them, %u runs are not as with other clocks\n",
           seeds, jumps, bad);
    return bad > 0;
}
