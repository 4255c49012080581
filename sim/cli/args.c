/* args.c - options of the simulator's command line: those of a history by its table, and a few
 * about the run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/suggest.h"
#include "sim/cli/cli.h"

typedef struct number {
    const char *name;
    size_t offset;
    uint64_t low, high;
} number_t;

static const number_t numbers[] = {
    {"seconds", offsetof(cs_sim_args_t, seconds), 1, 1000000},
    {"jobs", offsetof(cs_sim_args_t, jobs), 1, 64},
    {"count", offsetof(cs_sim_args_t, count), 1, UINT64_MAX},
    {"tries", offsetof(cs_sim_args_t, tries), 1, UINT32_MAX},
    {"changes", offsetof(cs_sim_args_t, changes), 1, 1000},
    {"churn", offsetof(cs_sim_args_t, churn), 0, 100},
};

static const char *const words[] = {
#define X(field, name, low, high, text) name,
    CS_SIM_OPTION_MAP(X)
#undef X
        "seed",
    "seconds",
    "jobs",
    "count",
    "tries",
    "changes",
    "churn",
    "report",
    "members",
    "faults",
    "json",
    "trace",
    "quiet",
    "help",
    NULL};

static bool read_u64(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool complain_number(const char *name, const char *value)
{
    cs_sim_complain("--%s: %s is not a number in its range; see crdtsync-sim --help", name,
                    value);
    return false;
}

static bool set_number(cs_sim_args_t *ret, const number_t *number, const char *value)
{
    uint64_t given;
    if (!read_u64(value, &given) || given < number->low || given > number->high) {
        return complain_number(number->name, value);
    }
    memcpy((char *)ret + number->offset, &given, sizeof given);
    return true;
}

static void give(cs_sim_args_t *ret, const char *name)
{
    for (size_t i = 0; i < CS_COUNT_OF(ret->given) && words[i] != NULL; i++) {
        if (strcmp(words[i], name) == 0) ret->given[i] = true;
    }
}

static bool set_option(cs_sim_args_t *ret, const char *name, const char *value)
{
    cs_err_t err = cs_sim_options_set(&ret->options, cs_slice_text(name), cs_slice_text(value));
    if (err == CS_OK) give(ret, name);
    if (err == CS_OK) return true;
    if (err != CS_ERR_NOT_FOUND) return complain_number(name, value);
    const char *near = cs_suggest(name, words);
    cs_sim_complain("--%s: no such option%s%s%s", name, near != NULL ? "; did you mean --" : "",
                    near != NULL ? near : "", near != NULL ? "?" : "; see crdtsync-sim --help");
    return false;
}

/* Groups of faults: what is not named is off. */
static bool set_faults(cs_sim_args_t *ret, const char *value)
{
    static const struct {
        const char *group, *name, *most;
    } groups[] = {{"net", "net", "15"},     {"net", "loss", "20"},  {"disk", "disk", "8"},
                  {"disk", "crashes", "5"}, {"disk", "power", "1"}, {"all", "images", "2"},
                  {"all", "members", "2"},  {"all", "clocks", "1"}};
    bool all = strcmp(value, "all") == 0, none = strcmp(value, "none") == 0;
    if (!all && !none && strcmp(value, "net") != 0 && strcmp(value, "disk") != 0) {
        cs_sim_complain("--faults: %s is none of none, net, disk, all", value);
        return false;
    }
    for (size_t i = 0; i < CS_COUNT_OF(groups); i++) {
        bool on = all || strcmp(groups[i].group, value) == 0;
        if (!set_option(ret, groups[i].name, on ? groups[i].most : "0")) return false;
    }
    return true;
}

static bool set_text(const char **ret, const char *name, const char *value)
{
    if (*value == '\0') {
        cs_sim_complain("--%s: a value is missing; see crdtsync-sim --help", name);
        return false;
    }
    *ret = value;
    return true;
}

static bool set(cs_sim_args_t *ret, const char *name, const char *value)
{
    for (size_t i = 0; i < CS_COUNT_OF(numbers); i++) {
        if (strcmp(numbers[i].name, name) == 0) return set_number(ret, &numbers[i], value);
    }
    if (strcmp(name, "report") == 0) return set_text(&ret->report, name, value);
    bool scale = strcmp(ret->command, "scale") == 0; /* its numbers of nodes are others */
    if (scale && strcmp(name, "nodes") == 0) return set_text(&ret->nodes, name, value);
    if (scale && strcmp(name, "members") == 0) return set_text(&ret->members, name, value);
    if (strcmp(name, "faults") == 0) return set_faults(ret, value);
    if (strcmp(name, "seed") != 0) return set_option(ret, name, value);
    if (!read_u64(value, &ret->seed)) return complain_number(name, value);
    ret->has_seed = true;
    return true;
}

static bool is_flag(cs_sim_args_t *ret, const char *name)
{
    if (strcmp(name, "json") == 0) {
        ret->json = true;
    } else if (strcmp(name, "trace") == 0) {
        ret->lines = true;
    } else if (strcmp(name, "quiet") == 0) {
        ret->quiet = true;
    } else {
        return false;
    }
    return true;
}

/* --name value, or --name=value. */
static bool read_option(cs_sim_args_t *ret, int argc, char **argv, int *at)
{
    char name[40] = "";
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    if (len < sizeof name) memcpy(name, word, len);
    if (equals == NULL && is_flag(ret, name)) return true;
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (value == NULL && *at + 1 < argc) value = argv[++*at];
    if (value != NULL) return set(ret, name, value);
    bool known = false;
    for (size_t i = 0; words[i] != NULL; i++) {
        known = known || strcmp(words[i], name) == 0;
    }
    if (!known) return set(ret, name, "");
    cs_sim_complain("--%s: its value is missing; see crdtsync-sim %s --help", name,
                    ret->command);
    return false;
}

bool cs_sim_args_read(cs_sim_args_t *ret, int argc, char **argv)
{
    *ret = (cs_sim_args_t){
        .command = argv[1], .jobs = 1, .tries = 2000, .count = UINT64_MAX, .changes = 100};
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            if (!read_option(ret, argc, argv, &i)) return false;
        } else if (argv[i][0] == '-') {
            cs_sim_complain("%s: no such option; see crdtsync-sim %s --help", argv[i],
                            ret->command);
            return false;
        } else if (ret->rest_count < CS_COUNT_OF(ret->rest)) {
            ret->rest[ret->rest_count++] = argv[i];
        }
    }
    return true;
}

bool cs_sim_args_given(const cs_sim_args_t *args, const char *name)
{
    for (size_t i = 0; i < CS_COUNT_OF(args->given) && words[i] != NULL; i++) {
        if (strcmp(words[i], name) == 0) return args->given[i];
    }
    return false;
}

void cs_sim_args_history(const cs_sim_args_t *args, uint64_t seed, cs_history_t *ret)
{
    cs_sim_options_t options;
    cs_sim_options_draw(&options, seed);
    size_t i = 0;
#define X(field, name, low, high, text) \
    if (args->given[i++]) options.field = args->options.field;
    CS_SIM_OPTION_MAP(X)
#undef X
    cs_history_draw(&options, ret);
}

void cs_sim_args_replay(const cs_sim_args_t *args, uint64_t seed, cs_buf_t *ret)
{
    cs_buf_printf(ret, "crdtsync-sim run --seed %llu", (unsigned long long)seed);
    size_t i = 0;
#define X(field, name, low, high, text) \
    if (args->given[i++]) cs_buf_printf(ret, " --" name " %u", args->options.field);
    CS_SIM_OPTION_MAP(X)
#undef X
}
