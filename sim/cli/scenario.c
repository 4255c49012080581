/* scenario.c - named histories, told so that a person can follow them.
 *
 * Of the trace that remains which somebody would tell who had been there: what users did, what
 * broke, what went over the wire of files and of their state, what changed on a disk, and the
 * tree that all had in the end. Times and sizes are left out, so that a story changes only if
 * the order of events does. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/suggest.h"
#include "sim/cli/cli.h"

#define NAME_COLUMNS 24
#define TIME_COLUMNS 14 /* of a line of the trace */
#define POINT_COLUMN 9
#define LINE_BYTES   512

/* What comes with every story and tells nothing about it. */
static const char *const dull[] = {
    " have,",       " hello,",        " marks,",        " credit,",        " cwant,",
    " want,",       " nwant,",        " is asked to",   " answers a scan", " scan.done",
    " ran scan",    " ran serve: ok", " ran stage: ok", " list,",          " list_req,",
    " map,",        " his own doing", " cnone,",        " recon_req,",     " syms,",
    " push_reply,", " fin,",          " ran apply: ok"};

static bool is_dull(const char *line)
{
    for (size_t i = 0; i < CS_COUNT_OF(dull); i++) {
        if (strstr(line, dull[i]) != NULL) return true;
    }
    return false;
}

/* "A * 10.000 A save path=x": the action says for itself when, and who. */
static void tell_act(const char *line)
{
    char *who;
    unsigned long ms = strtoul(strstr(line, "* ") + 2, &who, 10);
    who += strcspn(who, " ");
    printf("%6lu ms %s\n", ms, who);
}

/* "d 2 0 " of a tree is a directory. */
static void tell_item(const char *line)
{
    size_t len = strlen(line);
    if (len == 0) return;
    bool dir = len > 5 && strcmp(line + len - 5, " 2 0 ") == 0;
    printf("            %.*s%s\n", (int)(dir ? len - 5 : len), line, dir ? "/" : "");
}

static bool is_event(const char *line)
{
    return strlen(line) > TIME_COLUMNS && line[TIME_COLUMNS - 1] == ' ' &&
           strchr(line, '.') == line + POINT_COLUMN;
}

static void tell_often(const char *line, unsigned times)
{
    printf("          %.*s", (int)strcspn(line, ","), line);
    if (times > 1) printf(" (%u times)", times);
    putchar('\n');
}

/* How many lines in a row say the same as `line`, but for times and sizes; `rest` moves on. */
static unsigned count_same(const char *line, char **rest)
{
    unsigned times = 1;
    size_t len = strcspn(line, ",\n");
    for (; is_event(*rest); times++) {
        const char *next = *rest + TIME_COLUMNS;
        if (strcspn(next, ",\n") != len || memcmp(next, line, len) != 0) break;
        *rest = strchr(*rest, '\n') + 1;
    }
    return times;
}

static void drop_dull(const char *lines, char *ret)
{
    for (size_t len; *lines != '\0'; lines += len) {
        char line[LINE_BYTES];
        len = strcspn(lines, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, lines);
        len += lines[len] == '\n';
        if (is_event(line) && is_dull(line + TIME_COLUMNS)) continue;
        memmove(ret, lines, len); /* ret is at or before it */
        ret += len;
    }
    *ret = '\0';
}

static void tell_all(char *lines)
{
    drop_dull(lines, lines);
    for (char *line; *(line = lines) != '\0';) {
        lines += strcspn(lines, "\n");
        if (*lines != '\0') *lines++ = '\0';
        if (!is_event(line)) {
            tell_item(line);
        } else if (strncmp(line + TIME_COLUMNS + 1, " * ", 3) == 0) {
            tell_act(line + TIME_COLUMNS);
        } else {
            tell_often(line + TIME_COLUMNS, count_same(line + TIME_COLUMNS, &lines));
        }
    }
}

static int play(const cs_sim_args_t *args, const cs_history_t *history)
{
    cs_sim_result_t result;
    char *lines = NULL;
    size_t len;
    FILE *stream = open_memstream(&lines, &len);
    CS_ASSERT(stream != NULL);
    cs_sim_once(history, stream, &result);
    (void)fclose(stream);
    if (args->lines) {
        fputs(lines, stdout);
    } else if (!args->quiet && !args->json) {
        tell_all(lines);
    }
    free(lines);
    cs_sim_show(args, history, &result);
    return result.ok ? CS_EXIT_DONE : CS_EXIT_FAILED;
}

/* The first comment says what it is about. Owned. */
static char *about(const cs_scenario_t *scenario)
{
    const char *text = strstr(scenario->text, "\n# ");
    CS_ASSERT(text != NULL);
    size_t len = strcspn(text + 3, "\n");
    char *ret = cs_calloc(len + 1, 1);
    memcpy(ret, text + 3, len);
    return ret;
}

static int list(const cs_sim_args_t *args)
{
    json_t *all = json_array();
    for (size_t i = 0; i < cs_scenario_count; i++) {
        char *text = about(&cs_scenarios[i]);
        if (!args->json) printf("%-*s %s\n", NAME_COLUMNS, cs_scenarios[i].name, text);
        json_array_append_new(
            all, json_pack("{ss ss}", "name", cs_scenarios[i].name, "about", text));
        cs_free(text);
    }
    if (args->json) {
        json_dumpf(all, stdout, JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(all);
    return CS_EXIT_DONE;
}

static const cs_scenario_t *find(const char *name)
{
    for (size_t i = 0; i < cs_scenario_count; i++) {
        if (strcmp(cs_scenarios[i].name, name) == 0) return &cs_scenarios[i];
    }
    return NULL;
}

static void complain_of(const char *name)
{
    const char *names[64] = {NULL};
    for (size_t i = 0; i < cs_scenario_count && i + 1 < CS_COUNT_OF(names); i++) {
        names[i] = cs_scenarios[i].name;
    }
    const char *near = cs_suggest(name, names);
    cs_sim_complain("%s: no such scenario%s%s%s", name,
                    near != NULL ? "; did you mean " : "; crdtsync-sim scenario lists them",
                    near != NULL ? near : "", near != NULL ? "?" : "");
}

int cs_sim_cmd_scenario(const cs_sim_args_t *args)
{
    cs_history_t history = {0};
    size_t line;
    const char *why;
    if (args->rest_count == 0) return list(args);
    const cs_scenario_t *scenario = find(args->rest[0]);
    if (scenario == NULL) {
        complain_of(args->rest[0]);
        return CS_EXIT_USAGE;
    }
    cs_err_t err = cs_history_read(cs_slice_text(scenario->text), &history, &line, &why);
    CS_ASSERT(err == CS_OK); /* tests play them all */
    int code = play(args, &history);
    cs_history_fini(&history);
    return code;
}
