/* main.c - crdtsync-sim: the simulator's door. */
#include <malloc.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include "base/account.h"
#include "io/suggest.h"
#include "sim/cli/cli.h"

#define HISTORY 1u /* the options that make a history may be given */

typedef struct command {
    const char *name, *args, *text, *options, *example;
    uint32_t takes;
    size_t rest_max; /* arguments that are no options */
    int (*run)(const cs_sim_args_t *args);
} command_t;

static const char traced[] = "  --trace        print what happens, a line per event\n"
                             "  --report FILE  a page that draws it\n"
                             "  --json         print the result as JSON\n"
                             "  --quiet        print the result only\n";

static const command_t commands[] = {
    {"run", "[--seed S] [OPTION]...", "one history, twice; a failure names what replays it",
     traced, "crdtsync-sim run --seed 7 --nodes 3 --faults net --trace", HISTORY, 0,
     cs_sim_cmd_run},
    {"swarm", "--seconds T|--count N [--seed S] [--jobs J] [OPTION]...",
     "one seed after the other, each with its own mix",
     "  --seconds      how long\n"
     "  --count        how many seeds\n"
     "  --jobs         how many at a time (1 to 64)\n"
     "  --json         print the sums as JSON\n"
     "  --quiet        print the result only\n",
     "crdtsync-sim swarm --seconds 60 --jobs 2", HISTORY, 0, cs_sim_cmd_swarm},
    {"replay", "FILE", "a history from a file", traced,
     "crdtsync-sim replay failure.history --trace", 0, 1, cs_sim_cmd_replay},
    {"shrink", "--seed S|FILE [--tries N] [OPTION]...",
     "the shortest history that fails in the same way, which replays",
     "  --tries        histories that are tried, at most (2000)\n"
     "  --quiet        do not tell how it goes\n",
     "crdtsync-sim shrink --seed 7 > shortest.history", HISTORY, 1, cs_sim_cmd_shrink},
    {"scenario", "[NAME]", "a named history, to be read; without NAME, which there are", traced,
     "crdtsync-sim scenario two-edits", 0, 1, cs_sim_cmd_scenario},
    {"scale", "--nodes 10..2000 [OPTION]...", "how changes spread among many nodes, counted",
     "  --nodes        how many: a number, a list, or a range with steps\n"
     "  --topology     0: all with all, 4: eight random neighbours each\n"
     "  --changes      files saved, after one alone (100)\n"
     "  --churn        % of the nodes that die and come back\n"
     "  --loss         per mille of messages that vanish\n"
     "  --members      all, or neighbours: whom a node knows\n"
     "  --report FILE  a page that draws it\n"
     "  --json         print the sums as JSON\n",
     "crdtsync-sim scale --nodes 10,100 --report scale.html", 0, 0, cs_sim_cmd_scale},
};

void cs_sim_complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("crdtsync-sim: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static void print_option(void *arg, const char *name, const char *text, uint32_t low,
                         uint32_t high)
{
    (void)arg;
    printf("  --%-12s %s (%u to %u)\n", name, text, low, high);
}

static void print_options(void)
{
    puts("\nA history is drawn from its seed; what is given takes the place of what it draws:\n"
         "  --seed         which (run, swarm: a fresh one)");
    cs_sim_options_each(NULL, print_option);
    puts("  --faults       none, net, disk or all, at middling rates");
}

static int help(void)
{
    puts("crdtsync-sim - many nodes in one process, from one seed\n");
    for (size_t i = 0; i < CS_COUNT_OF(commands); i++) {
        printf("  crdtsync-sim %s %s\n      %s\n", commands[i].name, commands[i].args,
               commands[i].text);
    }
    print_options();
    puts("\ncrdtsync-sim COMMAND --help tells more.\n\n"
         "Example: crdtsync-sim swarm --seconds 60 --jobs 2");
    return CS_EXIT_DONE;
}

static int help_on(const command_t *command)
{
    printf("crdtsync-sim %s %s\n\n%s\n\n%s", command->name, command->args, command->text,
           command->options);
    if (command->takes & HISTORY) print_options();
    printf("\nExit code: 0 all is well, 1 a failure was found, 2 wrong usage\n\nExample: %s\n",
           command->example);
    return CS_EXIT_DONE;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    }
    return false;
}

static int run(const command_t *command, int argc, char **argv)
{
    cs_sim_args_t args;
    if (!cs_sim_args_read(&args, argc, argv)) return CS_EXIT_USAGE;
    if (args.rest_count > command->rest_max) {
        cs_sim_complain("%s: %s is one argument too many; see crdtsync-sim %s --help",
                        command->name, args.rest[command->rest_max], command->name);
        return CS_EXIT_USAGE;
    }
    return command->run(&args);
}

#define HEAP_BYTES (64 << 20) /* more than most histories need */

/* A history ends with nearly all memory free, and the next one takes it again: what was given
 * back to the kernel in between would be cleared and mapped anew. */
static void keep_heap(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, 4 * HEAP_BYTES);
    (void)mallopt(M_TOP_PAD, HEAP_BYTES / 16);
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_BYTES);
}

int main(int argc, char **argv)
{
    const char *names[CS_COUNT_OF(commands) + 1] = {NULL};
    keep_heap();
    cs_account_begin();
    if (sodium_init() < 0) return CS_EXIT_FAILED;
    bool wants_help = asks_for_help(argc, argv);
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < CS_COUNT_OF(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(names[i], name) != 0) continue;
        return wants_help ? help_on(&commands[i]) : run(&commands[i], argc, argv);
    }
    if (wants_help && name[0] == '-') return help();
    const char *near = cs_suggest(name, names);
    cs_sim_complain("%s: no such command%s%s%s", argc > 1 ? name : "(nothing)",
                    near != NULL ? "; did you mean " : "; see crdtsync-sim --help",
                    near != NULL ? near : "", near != NULL ? "?" : "");
    return CS_EXIT_USAGE;
}
