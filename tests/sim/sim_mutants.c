/* sim_mutants.c - the simulator must find every deliberate mistake (base/mutation.h) within a
 * stated number of seeds, and nothing without one. A test of the tests.
 *
 *   sim_mutants [--part I/N]         all, or one of N parts of them
 *   sim_mutants [--seeds N] [--with OPTIONS] NAME...    these, NONE among them
 *   sim_mutants --rate SEEDS NAME...                    how many of so many seeds find it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/account.h"
#include "base/mutation.h"
#include "sim/draw.h"
#include "sim/run.h"

#define SEEDS      60u /* unless the table says otherwise */
#define SEED_S_MAX 60u /* of real time: whoever needs more goes round in circles */

/* Where to look: options in place of those that the seed draws. */
#define PLAIN  ""
#define IMAGES "nodes=2 ops=25 images=25 net=0 loss=0 crashes=0 disk=0 members=0 large=0"
#define LOSSES                                                                          \
    "nodes=2 ops=40 images=35 net=0 loss=0 crashes=0 disk=0 members=0 large=0 names=2 " \
    "gap-ms=200 bursts=0 races=0"
#define NET   "nodes=4 ops=50 net=25 loss=50 images=5 disk=0 large=0 names=3 gap-ms=200"
#define POWER "nodes=2 ops=25 crashes=20 power=1 images=0 disk=0 members=0 net=0 loss=0"
#define RACES \
    "nodes=3 ops=50 races=90 gap-ms=2 latency-ms=1 scan-ms=0 names=3 images=0 disk=0 large=0"

/* Two nodes, and a user who acts between any two calls of A's engine. All happens within one
 * tick of the clock, and texts have one size, so that only bytes tell writes apart. */
#define CLOSE                                                                          \
    "nodes=2 topology=0 latency-ms=1 scan-ms=0 grain=3 clocks=0 plain=0 net=0 loss=0 " \
    "crashes=0 "                                                                       \
    "disk=0 images=0 members=0 batch=0"
#define BEGIN "9000.000 A save path=a number=10\n9001.000 A scan path=.\n"
static const char over[] =
    BEGIN "9200.000 B save path=a number=11\n9201.000 B scan path=.\n9201.000 A scan path=.\n"
          "9201.000 A save path=a number=12 calls=$\n13000.000 - rest\n";
static const char away[] =
    BEGIN "9200.000 B remove path=a\n9201.000 B scan path=.\n9201.000 A scan path=.\n"
          "9201.000 A save path=a number=12 calls=$\n13000.000 - rest\n";
static const char late[] =
    BEGIN "9300.000 A hold path=a\n9301.000 B save path=a number=11\n9302.000 B scan path=.\n"
          "12000.000 A late number=12\n14000.000 A scan path=.\n15000.000 - rest\n";
static const char dies[] =
    BEGIN "9200.000 B save path=a number=11\n9201.000 B scan path=.\n9201.000 A scan path=.\n"
          "9201.000 A kill number=10 calls=$\n13000.000 - rest\n";
static const char same_tick[] = BEGIN "9300.000 B save path=a number=11\n18000.000 - rest\n";
static const char twice[] = BEGIN "9100.000 A save path=a number=11\n18000.000 - rest\n";
static const char large[] = "9000.000 A large path=a number=1\n9001.000 A scan path=.\n"
                            "9002.000 A large path=a number=2 calls=$\n13000.000 - rest\n";
static const char looks[] = "9000.000 A save path=a number=10\n12000.000 - rest\n"
                            "3000.000 A touch path=a\n3001.000 A scan path=.\n"
                            "9000.000 - rest\n";
/* A, B and C, slow lines between them. */
#define THREE                                                            \
    "nodes=3 scan-ms=0 grain=0 clocks=0 plain=0 net=0 crashes=0 disk=0 " \
    "images=0 members=0 batch=0 recon=0 topology=0 latency-ms=300 loss=0"
/* While A compares itself with B, which knows that a file of C is gone, C's push of that file
 * arrives, late. */
static const char third[] =
    "8000.000 B save path=b number=10\n8001.000 B scan path=.\n"
    "19000.000 A part number=2000 peer=B\n19001.000 C stall number=3050 peer=A\n"
    "19002.000 C save path=a number=11\n19003.000 C scan path=.\n"
    "20390.000 B part number=20000 peer=C\n20400.000 B remove path=a\n"
    "20401.000 B save path=b number=12\n20402.000 B scan path=.\n20700.000 B kill "
    "number=10\n60000.000 - rest\n";
/* B is put back to before an edit that A got as a push: A knows its number from the entry only,
 * as it has never been equal with B since. */
static const char pushed[] =
    "8000.000 B save path=a number=10\n8001.000 B scan path=.\n19000.000 B backup\n"
    "19100.000 A save path=b number=11\n19101.000 A scan path=.\n"
    "19102.000 B save path=a number=12\n19103.000 B scan path=.\n"
    "19350.000 B restore number=1\n60000.000 - rest\n";
#define DRAWN_MAX 150u /* calls */

typedef struct focus {
    const char *options;
    uint32_t seeds;
    const char *script; /* of actions, "$" drawn from the seed; NULL: drawn, too */
    bool hole; /* ending in the hole of core.md 15 (k) is a find, unless it does anyway */
} focus_t;

static const focus_t focuses[CS_MUT_COUNT] = {
    [CS_MUT_FULL_CTX] = {PLAIN, 60},
    [CS_MUT_NO_IMPLICIT] = {PLAIN, 60},
    [CS_MUT_OVERCLAIM] = {PLAIN, 30},
    [CS_MUT_EARLY_GC] = {PLAIN, 60},
    [CS_MUT_D_NO_MARK] = {PLAIN, 60},
    [CS_MUT_D_KEEP] = {PLAIN, 60},
    [CS_MUT_STALE_ROOT] = {PLAIN, 30},
    [CS_MUT_GC_EARLY] = {PLAIN, 30},
    [CS_MUT_SPLIT_BATCH] = {PLAIN, 30},
    [CS_MUT_CTX_OFF_BY_ONE] = {PLAIN, 30},
    [CS_MUT_DONE_DROPPED] = {PLAIN, 30},
    [CS_MUT_CLAIM_EXCHANGE] = {THREE, 150, third},
    [CS_MUT_HAVE_NO_CHECK] = {NET, 400},
    [CS_MUT_STALE_BASE] = {NET, 400},
    [CS_MUT_IB_NEWER] = {NET, 60},
    [CS_MUT_IB_EAGER] = {NET, 60},
    [CS_MUT_SNAP_SEEN] = {NET, 60},
    [CS_MUT_NO_REPLACE] = {RACES, 40},
    [CS_MUT_NO_SYNC] = {POWER, 40},
    [CS_MUT_APPLY_NO_FLUSH] = {POWER, 40},
    [CS_MUT_EXPOSED_CTR] = {IMAGES, 40, .hole = true},
    [CS_MUT_EXPOSED_SEEN] = {THREE, 60, pushed, .hole = true},
    [CS_MUT_HELLO_EXPOSES] = {PLAIN, 30},
    [CS_MUT_RESTORE_RID] = {IMAGES, 40, .hole = true},
    [CS_MUT_NO_RENAME] = {IMAGES, 40},
    [CS_MUT_KEEP_SEEN] = {IMAGES, 40},
    [CS_MUT_KEEP_CTX] = {IMAGES, 40},
    [CS_MUT_KEEP_BASE] = {LOSSES, 60},
    [CS_MUT_KEEP_ROWS] = {IMAGES, 40},
    [CS_MUT_APPLY_NO_SYNC] = {CLOSE " crashes=1 power=1", 600, dies},
    [CS_MUT_EXCHANGE_BLIND] = {CLOSE, 150, over},
    [CS_MUT_EXCHANGE_KEPT] = {CLOSE, 150, over},
    [CS_MUT_DELETE_BLIND] = {CLOSE, 200, away},
    [CS_MUT_NO_TRASH_LOG] = {CLOSE, 10, late},
    [CS_MUT_NO_VOUCH] = {CLOSE, 10, same_tick},
    [CS_MUT_NO_RACY] = {CLOSE, 10, twice},
    [CS_MUT_LOCAL_BLIND] = {CLOSE, 30, large},
    [CS_MUT_PEER_LEAK] = {PLAIN, 10},
    [CS_MUT_IDLE_RMDIR] = {"nodes=5 ops=200", 100},
    [CS_MUT_TOUCH_EDITS] = {CLOSE, 10, looks},
    [CS_MUT_REPLY_AFTER_GC] = {NET, 800},
};

static const struct {
    const char *name, *text;
} mutations[] = {{"NONE", "no mistake: must pass"},
#define X(name, text) {#name, text},
                 CS_MUTATION_MAP(X)
#undef X
};

static focus_t focus_of(int mutation)
{
    focus_t focus = focuses[mutation];
    if (focus.options == NULL) focus.options = PLAIN;
    if (focus.seeds == 0) focus.seeds = SEEDS;
    return focus;
}

/* --- one seed */

static void set_options(cs_sim_options_t *options, const char *text)
{
    char words[256];
    snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        CS_ASSERT(value != NULL);
        cs_slice_t name = cs_slice(word, (size_t)(value - word));
        cs_err_t err = cs_sim_options_set(options, name, cs_slice_text(value + 1));
        CS_ASSERT(err == CS_OK);
    }
}

static void read_script(const focus_t *focus, const cs_sim_options_t *options,
                        cs_history_t *ret)
{
    cs_buf_t text = {0};
    size_t line;
    const char *why = NULL;
    uint64_t drawn = 1 + cs_draw_below(options->seed, CS_DRAW_USER, 0, 0, DRAWN_MAX);
    cs_buf_printf(&text, "crdtsync-sim history 1\noption nodes=%" PRIu32 "\n", options->nodes);
    for (const char *at = focus->script; *at != '\0'; at++) {
        if (*at == '$') {
            cs_buf_printf(&text, "%" PRIu64, drawn);
        } else {
            cs_buf_put_u8(&text, (uint8_t)*at);
        }
    }
    cs_err_t err = cs_history_read(cs_buf_slice(&text), ret, &line, &why);
    if (err != CS_OK) fprintf(stderr, "line %zu: %s\n", line, why);
    CS_ASSERT(err == CS_OK);
    ret->options = *options;
    cs_buf_fini(&text);
}

static bool is_hole_anyway(const cs_history_t *history)
{
    cs_sim_result_t result;
    cs_mutation = CS_MUT_NONE;
    cs_sim_once(history, NULL, &result);
    return result.hole;
}

static void run(int mutation, const focus_t *focus, uint64_t seed, cs_sim_result_t *ret)
{
    cs_sim_options_t options;
    cs_history_t history = {0};
    cs_sim_options_draw(&options, seed);
    options.watch = options.memory = 0; /* what it slows down is found later, or not at all */
    set_options(&options, focus->options);
    if (focus->script != NULL) {
        read_script(focus, &options, &history);
    } else {
        cs_history_draw(&options, &history);
    }
    cs_mutation = (cs_mutation_t)mutation;
    cs_sim_once(&history, NULL, ret);
    if (ret->ok && ret->hole && focus->hole && !is_hole_anyway(&history)) {
        snprintf(ret->why, sizeof ret->why, "the hole of core.md 15 (k)");
        ret->ok = false;
    }
    cs_history_fini(&history);
}

/* In a process of its own: a mistake may well end in an assertion, or not at all. */
static bool is_found(int mutation, const focus_t *focus, uint64_t seed, cs_sim_result_t *shared)
{
    *shared = (cs_sim_result_t){.why = "an assertion, a sanitizer, or a loop without end"};
    fflush(stdout);
    pid_t child = fork();
    CS_ASSERT(child >= 0);
    if (child == 0) {
        cs_sim_result_t result;
        if (mutation != CS_MUT_NONE) fclose(stderr);
        alarm(SEED_S_MAX);
        run(mutation, focus, seed, &result);
        *shared = result;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return !shared->ok || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* --- all seeds */

/* The first seed that finds it; 0: none does. */
static uint32_t hunt(int mutation, const focus_t *focus, cs_sim_result_t *shared)
{
    for (uint32_t seed = 1; seed <= focus->seeds; seed++) {
        if (is_found(mutation, focus, seed, shared)) return seed;
    }
    return 0;
}

static bool kill_one(int mutation, const focus_t *focus, cs_sim_result_t *shared)
{
    uint32_t seed = hunt(mutation, focus, shared);
    printf("%-14s seed %u of %u%s%s: %s\n", mutations[mutation].name, seed, focus->seeds,
           focus->options[0] != '\0' ? " with " : "", focus->options,
           seed != 0 ? shared->why : "SURVIVED");
    fflush(stdout);
    if (seed == 0) printf("  %s\n", mutations[mutation].text);
    return seed != 0;
}

static bool survive(const focus_t *focus, cs_sim_result_t *shared)
{
    uint32_t seed = hunt(CS_MUT_NONE, focus, shared);
    printf("%-14s %u seeds%s%s: ", mutations[0].name, focus->seeds,
           focus->options[0] != '\0' ? " with " : "", focus->options);
    if (seed == 0) {
        printf("nothing found, as it should be\n");
    } else {
        printf("FOUND WITHOUT A MISTAKE at seed %u: %s\n", seed, shared->why);
    }
    return seed == 0;
}

static void rate(int mutation, const focus_t *focus, uint32_t seeds, cs_sim_result_t *shared)
{
    uint32_t found = 0;
    char why[CS_COUNT_OF(shared->why)] = "";
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        if (!is_found(mutation, focus, seed, shared)) continue;
        if (found++ == 0) snprintf(why, sizeof why, "%u: %s", seed, shared->why);
    }
    printf("%-14s %4u of %u %s; %s\n", mutations[mutation].name, found, seeds, focus->options,
           why);
    fflush(stdout);
}

static bool is_named(int mutation, char **names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], mutations[mutation].name) == 0) return true;
    }
    return count == 0;
}

typedef struct args {
    int part, parts;
    uint32_t seeds, rate;
    const char *options;
    char **names;
    int name_count;
} args_t;

static bool read_args(int argc, char **argv, args_t *ret)
{
    int at = 1;
    *ret = (args_t){.parts = 1};
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        const char *value = argv[at + 1];
        if (strcmp(argv[at], "--part") == 0) {
            char *slash;
            ret->part = (int)strtol(value, &slash, 10);
            if (*slash != '/') return false;
            ret->parts = (int)strtol(slash + 1, NULL, 10);
        } else if (strcmp(argv[at], "--seeds") == 0) {
            ret->seeds = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(argv[at], "--rate") == 0) {
            ret->rate = (uint32_t)strtoul(value, NULL, 10);
        } else if (strcmp(argv[at], "--with") == 0) {
            ret->options = value;
        } else {
            return false;
        }
    }
    ret->names = argv + at;
    ret->name_count = argc - at;
    return ret->parts > 0;
}

/* Of those that look in the same places the one that looks longest: nothing may be found there
 * without a mistake. */
static bool is_longest(int mutation)
{
    const focus_t *one = &focuses[mutation];
    for (int i = 0; i < CS_MUT_COUNT; i++) {
        const focus_t *other = &focuses[i];
        if (other->options == NULL || other->hole != one->hole) continue;
        if (strcmp(one->options, other->options) != 0 || one->script != other->script) continue;
        if (other->seeds > one->seeds || (other->seeds == one->seeds && i < mutation)) {
            return false;
        }
    }
    return true;
}

static int run_all(const args_t *args, cs_sim_result_t *shared)
{
    int missed = 0, number = 0;
    for (int i = 1; i < CS_MUT_COUNT; i++) {
        const focus_t *focus = &focuses[i];
        if (focus->options == NULL) continue;
        if (number++ % args->parts != args->part % args->parts) continue;
        missed += !kill_one(i, focus, shared);
        if (is_longest(i)) missed += !survive(focus, shared);
    }
    return missed;
}

static int run_named(const args_t *args, cs_sim_result_t *shared)
{
    int missed = 0;
    for (int i = 0; i < CS_MUT_COUNT; i++) {
        if (!is_named(i, args->names, args->name_count)) continue;
        focus_t focus = focus_of(i);
        if (args->options != NULL) focus.options = args->options;
        if (args->seeds != 0) focus.seeds = args->seeds;
        if (args->rate != 0) {
            rate(i, &focus, args->rate, shared);
        } else if (i == CS_MUT_NONE) {
            missed += !survive(&focus, shared);
        } else {
            missed += !kill_one(i, &focus, shared);
        }
    }
    return missed;
}

int main(int argc, char **argv)
{
    args_t args;
    cs_sim_result_t *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CS_ASSERT(shared != MAP_FAILED);
    if (!read_args(argc, argv, &args)) return 2;
    cs_account_begin();
    int missed = args.name_count > 0 ? run_named(&args, shared) : run_all(&args, shared);
    munmap(shared, sizeof *shared);
    return missed > 0;
}
