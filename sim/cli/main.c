/* main.c - crdtsync-sim: the simulator's door. */
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include "io/suggest.h"
#include "sim/cli/cli.h"

static const struct {
    const char *name, *args, *text;
    int (*run)(const cs_sim_args_t *args);
} commands[] = {
    {"run", "[--seed S] [OPTION]...", "one history, twice; a failure names what replays it",
     cs_sim_cmd_run},
    {"swarm", "--seconds T|--count N [--seed S] [--jobs J]", "one seed after the other",
     cs_sim_cmd_swarm},
    {"replay", "FILE", "a history from a file (--trace: what happens, line by line)",
     cs_sim_cmd_replay},
    {"shrink", "--seed S|FILE [--tries N]", "the shortest history that fails in the same way",
     cs_sim_cmd_shrink},
    {"scale", "--nodes 10..2000 [--topology 0|4] [--changes N] [--churn P] [--loss M]",
     "how changes spread among many nodes, counted", cs_sim_cmd_scale},
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

static int help(void)
{
    puts("crdtsync-sim - many nodes in one process, from one seed\n");
    for (size_t i = 0; i < CS_COUNT_OF(commands); i++)
        printf("  crdtsync-sim %s %s\n      %s\n", commands[i].name, commands[i].args,
               commands[i].text);
    puts("\nA history is drawn from its seed; what is given here takes the place of what it\n"
         "draws:\n");
    cs_sim_options_each(NULL, print_option);
    puts("  --faults       none, net, disk or all, at middling rates\n"
         "  --trace        print what happens (run, replay)\n"
         "  --report FILE  a page that draws it (run, replay, scale)\n"
         "  --changes      of scale: files saved, after one alone (100)\n"
         "  --churn        of scale: % of the nodes that die and come back\n"
         "  --members      of scale: all, or neighbours: whom a node knows\n"
         "  --json         print JSON\n"
         "  --quiet        print the result only\n\n"
         "Example: crdtsync-sim swarm --seconds 60 --jobs 2");
    return CS_EXIT_DONE;
}

int main(int argc, char **argv)
{
    const char *names[CS_COUNT_OF(commands) + 1] = {NULL};
    if (sodium_init() < 0) return CS_EXIT_FAILED;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return help();
    }
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < CS_COUNT_OF(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(names[i], name) != 0) continue;
        cs_sim_args_t args;
        if (!cs_sim_args_read(&args, argc, argv)) return CS_EXIT_USAGE;
        return commands[i].run(&args);
    }
    const char *near = cs_suggest(name, names);
    cs_sim_complain("%s: no such command%s%s%s", argc > 1 ? name : "(nothing)",
                    near != NULL ? "; did you mean " : "; see crdtsync-sim --help",
                    near != NULL ? near : "", near != NULL ? "?" : "");
    return CS_EXIT_USAGE;
}
