/* watchers.c - what a watcher notices, loses or hears late decides when a folder is looked at,
 * and nothing else: with one that misses nothing, one that does, and none, the trees at each
 * rest point are the same.
 *
 *   watchers [SEEDS [FIRST]]
 *
 * One user at one node works among files that peers have, too: with several, which of two
 * changes was first seen where is a matter of when one looked, and others' conflicts come of
 * it. That those end well is what every seed with watchers shows (option watch). */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/history_i.h"
#include "sim/run.h"

/* Sanitizers take ten times as long; the release runs all. */
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 30u
#else
#define SEEDS 150u
#endif
#define KINDS 3u /* of watchers: the option's values */

static void draw(uint64_t seed, cs_history_t *ret)
{
    cs_sim_options_t options;
    cs_history_t all = {0};
    cs_sim_options_draw(&options, seed);
    options.bursts = options.races = options.scan_ms = options.large = 0;
    options.images = options.members = options.disk = options.crashes = options.clocks = 0;
    if (options.phases < 2) options.phases = 2;
    options.ops = 60 * options.nodes;
    cs_history_draw(&options, &all);
    ret->options = options;
    for (size_t i = 0; i < all.len; i++) {
        if (all.act[i].node == 0 || all.act[i].kind == CS_ACT_REST)
            cs_history_add(ret, &all.act[i]);
    }
    cs_history_fini(&all);
}

static unsigned try_seed(uint64_t seed, unsigned *looked)
{
    cs_history_t history = {0};
    cs_sim_result_t result[KINDS];
    unsigned bad = 0;
    draw(seed, &history);
    for (uint32_t watch = 0; watch < KINDS; watch++) {
        history.options.watch = watch;
        cs_sim_watched(&history, &(cs_sim_setup_t){.lines = NULL}, &result[watch]);
        const cs_sim_result_t *none = &result[0], *here = &result[watch];
        bool trees = memcmp(none->trees, here->trees, sizeof none->trees) == 0;
        *looked += here->looks > 0;
        if (trees && here->ok && (watch > 0) == (here->looks > 0)) continue;
        printf("seed %" PRIu64 ", watch %u:%s %" PRIu64 " looks %s\n", seed, watch,
               trees ? "" : " other trees,", here->looks, here->ok ? "" : here->why);
        bad++;
    }
    cs_history_fini(&history);
    return bad;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    unsigned bad = 0, looked = 0;
    if (sodium_init() < 0) return 2;
    for (uint64_t seed = first; seed < first + seeds; seed++) {
        bad += try_seed(seed, &looked);
    }
    printf("watchers: %" PRIu64
           " seeds, %u runs with one that saw something, %u are not as they "
           "should be\n",
           seeds, looked, bad);
    return bad > 0;
}
