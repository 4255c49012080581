/* coverage.c - is every vector of core.md 11 found by the generator, and after how many seeds?
 *
 *   coverage [--long | SEEDS [JOBS [FIRST]]]
 *
 * The script of a vector (support/vectors.c) is played in the simulator with all connections
 * cut, so that what its users do is concurrent, and the patterns of that (sim/coverage.h) are
 * what seeds must show: all of them, but those of making the base. A few vectors depend on what
 * is between a join and apply, or on an old image; theirs are written down here. Ends with 0 if
 * each vector was found but those out of reach, and in a short run the late ones: all named. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "coverage_script.h"
#include "sim/coverage.h"
#include "support/vectors.h"

#define SEEDS_SHORT  2500u
#define SEEDS_LONG   60000u /* more than the worst of those demanded took */
#define JOBS         2u
#define PATTERNS_MAX 6u
#define VECTORS_MAX  80u

typedef struct wanted {
    int number;
    const char *what, *out_of_reach; /* why; NULL: it must be found */
    unsigned count;
    char pattern[PATTERNS_MAX][CS_COVERAGE_TEXT_BYTES];
} wanted_t;

/* Shared by the processes: the seed after which it was found, counted from 1; 0: not yet. */
typedef struct found {
    volatile uint64_t at[VECTORS_MAX][PATTERNS_MAX];
    volatile uint64_t seeds, failed;
} found_t;

static const struct {
    int number;
    const char *patterns[3], *out_of_reach;
} by_hand[] = {
    {36, {CS_COVERAGE_RESTORED}, NULL},
    {37, {"e1=a=b | 'e1=a=c @ f"}, NULL},
    {38, {NULL}, "prevented: a number is never used twice (core.md 6.4)"},
    {41, {"e1=a=b | e?1=a=c @ f"}, NULL},
    {56, {"e?1=a=b | p1:755 @ f"}, NULL},
    {57, {"e1=a=b | p?1:755 @ f"}, NULL},
    {60, {CS_COVERAGE_UNAPPLIED}, NULL},
    {66, {"e1=a=b | e?1=a=c @ f"}, NULL},
};

/* Demanded of a long run only. */
static const int late[] = {10, 12, 15, 16, 26, 28, 29, 30, 31, 37, 40,
                           45, 49, 50, 54, 55, 56, 57, 59, 62, 63, 67};

static bool is_among(const int *list, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == number) return true;
    }
    return false;
}

static bool is_demanded(int number, uint64_t seeds)
{
    return seeds >= SEEDS_LONG || !is_among(late, CS_COUNT_OF(late), number);
}

/* --- what is wanted */

typedef struct taking {
    wanted_t *wanted;
    unsigned skip; /* patterns of making the base */
} taking_t;

static void take(void *arg, const char *pattern)
{
    taking_t *taking = arg;
    wanted_t *wanted = taking->wanted;
    if (taking->skip > 0) {
        taking->skip--;
        return;
    }
    for (unsigned i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->pattern[i], pattern) == 0) return;
    }
    if (wanted->count < PATTERNS_MAX)
        snprintf(wanted->pattern[wanted->count++], CS_COVERAGE_TEXT_BYTES, "%s", pattern);
}

static void count(void *arg, const char *pattern)
{
    (void)pattern;
    ++*(unsigned *)arg;
}

/* The base alone has so many patterns. */
static unsigned count_base(cs_coverage_t *coverage, const cs_history_t *history,
                           const char *text)
{
    cs_history_t first = {.options = history->options};
    cs_sim_result_t result;
    unsigned patterns = 0;
    if (strncmp(text, "base", 4) != 0) return 0;
    for (size_t i = 0; history->act[i].kind != CS_ACT_REST; i++)
        cs_history_add(&first, &history->act[i]);
    cs_history_add(&first, &(cs_act_t){.at_us = 1000000, .kind = CS_ACT_REST});
    cs_coverage_run(coverage, &first, &result);
    cs_coverage_each(coverage, &patterns, count);
    cs_history_fini(&first);
    return patterns;
}

static bool want(cs_coverage_t *coverage, const cs_vector_t *vector, wanted_t *ret)
{
    *ret = (wanted_t){.number = vector->number, .what = vector->what};
    for (size_t i = 0; i < CS_COUNT_OF(by_hand); i++) {
        if (by_hand[i].number != vector->number) continue;
        ret->out_of_reach = by_hand[i].out_of_reach;
        for (const char *const *p = by_hand[i].patterns; *p != NULL; p++)
            snprintf(ret->pattern[ret->count++], CS_COVERAGE_TEXT_BYTES, "%s", *p);
        return true;
    }
    cs_history_t history;
    cs_sim_result_t result;
    cs_coverage_script(vector->script, &history);
    taking_t taking = {ret, count_base(coverage, &history, vector->script)};
    cs_coverage_run(coverage, &history, &result);
    if (result.ok) cs_coverage_each(coverage, &taking, take);
    if (!result.ok) fprintf(stderr, "coverage: vector %d: %s\n", ret->number, result.why);
    if (ret->count == 0) fprintf(stderr, "coverage: vector %d has no pattern\n", ret->number);
    cs_history_fini(&history);
    return result.ok && ret->count > 0;
}

/* --- seeds */

typedef struct looking {
    const wanted_t *wanted;
    size_t count;
    found_t *found;
    uint64_t seed;
} looking_t;

static void look(void *arg, const char *pattern)
{
    const looking_t *looking = arg;
    if (getenv("COVERAGE_ALL") != NULL) printf("%lu %s\n", looking->seed, pattern);
    for (size_t i = 0; i < looking->count; i++) {
        for (unsigned k = 0; k < looking->wanted[i].count; k++) {
            volatile uint64_t *at = &looking->found->at[i][k];
            if (*at != 0 && *at <= looking->seed) continue;
            if (strcmp(looking->wanted[i].pattern[k], pattern) == 0) *at = looking->seed;
        }
    }
}

static void search(looking_t *looking, uint64_t first, uint64_t seeds, uint64_t job,
                   uint64_t jobs)
{
    cs_coverage_t *coverage = cs_coverage_new();
    for (uint64_t i = job; i < seeds; i += jobs) {
        cs_sim_options_t options;
        cs_history_t history = {0};
        cs_sim_result_t result;
        cs_sim_options_draw(&options, first + i);
        options.memory = options.watch = 0;
        cs_history_draw(&options, &history);
        cs_coverage_run(coverage, &history, &result);
        looking->seed = i + 1;
        if (result.ok) cs_coverage_each(coverage, looking, look);
        if (!result.ok) looking->found->failed++;
        if (!result.ok && getenv("COVERAGE_ALL") != NULL)
            printf("seed %lu: %s\n", first + i, result.why);
        cs_history_fini(&history);
    }
    cs_coverage_destroy(&coverage);
}

static int report(const wanted_t *wanted, size_t count, const found_t *found, uint64_t seeds)
{
    unsigned missing = 0, seldom = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t worst = 0;
        bool all = true;
        for (unsigned k = 0; k < wanted[i].count; k++) {
            all = all && found->at[i][k] != 0;
            if (found->at[i][k] > worst) worst = found->at[i][k];
        }
        if (wanted[i].out_of_reach != NULL) {
            printf("%3d  out of reach     %s: %s\n", wanted[i].number, wanted[i].what,
                   wanted[i].out_of_reach);
            continue;
        }
        if (worst > last) last = worst;
        if (all) {
            printf("%3d  after %6lu seeds %s\n", wanted[i].number, worst, wanted[i].what);
            continue;
        }
        bool demanded = is_demanded(wanted[i].number, seeds);
        missing += demanded;
        seldom += !demanded;
        printf("%3d  %s %s\n", wanted[i].number,
               demanded ? "NOT FOUND       " : "not demanded    ", wanted[i].what);
        for (unsigned k = 0; k < wanted[i].count; k++)
            printf("       %6lu %s\n", found->at[i][k], wanted[i].pattern[k]);
    }
    printf("coverage: %lu seeds, %u vectors not found, %u others not found, the last after %lu "
           "seeds, %lu histories failed\n",
           seeds, missing, seldom, last, found->failed);
    return missing == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static wanted_t wanted[VECTORS_MAX];
    bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
    uint64_t seeds = is_long    ? SEEDS_LONG
                     : argc > 1 ? strtoull(argv[1], NULL, 10)
                                : SEEDS_SHORT;
    uint64_t jobs = argc > 2 ? strtoull(argv[2], NULL, 10) : JOBS;
    uint64_t first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (sodium_init() < 0 || cs_vector_count > VECTORS_MAX) return 2;
    found_t *found =
        mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) return 2;
    cs_coverage_t *coverage = cs_coverage_new();
    bool ok = true;
    for (size_t i = 0; i < cs_vector_count; i++)
        ok = want(coverage, &cs_vectors[i], &wanted[i]) && ok;
    cs_coverage_destroy(&coverage);
    looking_t looking = {.wanted = wanted, .count = cs_vector_count, .found = found};
    fflush(NULL);
    for (uint64_t job = 0; job < jobs; job++) {
        pid_t pid = fork();
        if (pid < 0) return 2;
        if (pid > 0) continue;
        search(&looking, first, seeds, job, jobs);
        fflush(NULL);
        _exit(0);
    }
    for (int status; wait(&status) > 0;)
        ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    int code = report(wanted, cs_vector_count, found, seeds);
    munmap(found, sizeof *found);
    return ok ? code : 1;
}
