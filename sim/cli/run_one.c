/* run_one.c - run, replay, shrink: one history at a time. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "sim/cli/chart.h"
#include "sim/cli/cli.h"
#include "sim/cli/timeline.h"
#include "sim/shrink.h"

static void print_options(const cs_history_t *history)
{
    cs_buf_t line = {0};
    cs_sim_options_print(&history->options, &line);
    printf("sim: %.*s\n", (int)line.len, (const char *)line.data);
    cs_buf_fini(&line);
}

static void show_json(const cs_history_t *history, const cs_sim_result_t *result,
                      const char *trace, const char *replay)
{
    json_t *json = json_pack(
        "{sI sI sI sI sI sI sb sb ss}", "seed", (json_int_t)history->options.seed, "nodes",
        (json_int_t)history->options.nodes, "events", (json_int_t)result->events, "messages",
        (json_int_t)result->frames, "message_bytes", (json_int_t)result->frame_bytes,
        "virtual_ms", (json_int_t)(result->virtual_us / 1000), "ok", result->ok, "hole",
        result->hole, "trace", trace);
    json_object_set_new(json, "crashes", json_integer((json_int_t)result->crashes));
    json_object_set_new(json, "incarnations", json_integer((json_int_t)result->incarnations));
    if (!result->ok) {
        json_object_set_new(json, "violation", json_string(result->why));
        json_object_set_new(json, "replay", json_string(replay));
    }
    json_dumpf(json, stdout, JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(json);
}

/* The one command that runs it again, with its NUL. */
static void put_replay(const cs_sim_args_t *args, const cs_history_t *history, cs_buf_t *ret)
{
    if (args->rest_count > 0) {
        cs_buf_printf(ret, "crdtsync-sim %s %s", args->command, args->rest[0]);
    } else {
        cs_sim_args_replay(args, history->options.seed, ret);
    }
    cs_buf_put_u8(ret, '\0');
}

void cs_sim_show(const cs_sim_args_t *args, const cs_history_t *history,
                 const cs_sim_result_t *result)
{
    char trace[65];
    cs_buf_t replay = {0};
    cs_hex(trace, result->trace, sizeof result->trace);
    put_replay(args, history, &replay);
    const char *command = (const char *)replay.data;
    if (args->json) {
        show_json(history, result, trace, command);
    } else if (result->ok) {
        printf("sim: seed %" PRIu64 ": %u nodes, %" PRIu64 " events, trace %s: ok%s\n",
               history->options.seed, history->options.nodes, result->events, trace,
               result->hole ? " (ended in the hole of core.md 15 k)" : "");
    } else {
        printf("sim: seed %" PRIu64 ": FAILED: %s\n", history->options.seed, result->why);
        if (result->act < history->len) {
            cs_buf_t act = {0};
            cs_act_print(&history->act[result->act], &act);
            printf("sim: after: %.*s\n", (int)act.len, (const char *)act.data);
            cs_buf_fini(&act);
        }
        printf("sim: replay: %s\n", command);
    }
    cs_buf_fini(&replay);
}

/* Once more, with somebody who looks on. In this process: of one that dies there is none. */
static bool draw(const cs_sim_args_t *args, const cs_history_t *history)
{
    cs_timeline_t timeline = {0};
    cs_sim_result_t result;
    cs_buf_t page = {0}, replay = {0};
    if (args->report == NULL) return true;
    cs_sim_setup_t setup = {.watch = {&timeline, cs_timeline_see}};
    cs_sim_watched(history, &setup, &result);
    put_replay(args, history, &replay);
    cs_timeline_page(&timeline, history, &result, (const char *)replay.data, &page);
    bool ok = cs_html_write(args->report, &page);
    cs_buf_fini(&page);
    cs_buf_fini(&replay);
    cs_timeline_fini(&timeline);
    return ok;
}

static int run(const cs_sim_args_t *args, const cs_history_t *history)
{
    cs_sim_result_t result;
    if (!args->json && !args->quiet) print_options(history);
    fflush(stdout);
    if (args->lines) {
        cs_sim_once(history, stdout, &result);
    } else {
        cs_sim_apart(history, true, &result);
    }
    cs_sim_show(args, history, &result);
    bool drawn = draw(args, history);
    return result.ok && drawn ? CS_EXIT_DONE : CS_EXIT_FAILED;
}

int cs_sim_cmd_run(const cs_sim_args_t *args)
{
    cs_history_t history = {0};
    cs_sim_args_history(args, args->has_seed ? args->seed : cs_sim_fresh_seed(), &history);
    int code = run(args, &history);
    cs_history_fini(&history);
    return code;
}

/* --- files */

static bool read_whole(const char *path, cs_buf_t *ret)
{
    FILE *file = fopen(path, "rb");
    uint8_t block[4096];
    if (file == NULL) return false;
    for (size_t len; (len = fread(block, 1, sizeof block, file)) > 0;) {
        cs_buf_put(ret, block, len);
    }
    bool ok = ferror(file) == 0;
    (void)fclose(file);
    return ok;
}

static bool read_history(const cs_sim_args_t *args, cs_history_t *ret)
{
    cs_buf_t text = {0};
    size_t line;
    const char *why = "cannot be read";
    if (args->rest_count != 1) {
        cs_sim_complain("%s: one file is expected: crdtsync-sim %s FILE", args->command,
                        args->command);
        return false;
    }
    bool ok = read_whole(args->rest[0], &text);
    if (!ok) {
        cs_sim_complain("%s: it cannot be read; give the path of a history", args->rest[0]);
    } else if (cs_history_read(cs_buf_slice(&text), ret, &line, &why) != CS_OK) {
        cs_sim_complain("%s, line %zu: %s", args->rest[0], line, why);
        ok = false;
    }
    cs_buf_fini(&text);
    return ok;
}

int cs_sim_cmd_replay(const cs_sim_args_t *args)
{
    cs_history_t history = {0};
    if (!read_history(args, &history)) return CS_EXIT_USAGE;
    int code = run(args, &history);
    cs_history_fini(&history);
    return code;
}

/* --- shrink */

typedef struct shrinking {
    const cs_sim_args_t *args;
    char kind[24]; /* how the failure begins: another one is not what is looked for */
} shrinking_t;

static bool fails(void *arg, const cs_history_t *history)
{
    const shrinking_t *shrinking = arg;
    cs_sim_result_t result;
    cs_sim_apart(history, false, &result);
    return !result.ok && strncmp(result.why, shrinking->kind, strlen(shrinking->kind)) == 0;
}

static void shorter(void *arg, const cs_history_t *history)
{
    const shrinking_t *shrinking = arg;
    if (!shrinking->args->quiet) {
        fprintf(stderr, "sim: %zu actions, %u nodes\n", history->len, history->options.nodes);
    }
}

int cs_sim_cmd_shrink(const cs_sim_args_t *args)
{
    cs_history_t history = {0}, least = {0};
    cs_sim_result_t result;
    if (args->rest_count > 0) {
        if (!read_history(args, &history)) return CS_EXIT_USAGE;
    } else if (args->has_seed) {
        cs_sim_args_history(args, args->seed, &history);
    } else {
        cs_sim_complain("shrink: what? give --seed S, or a FILE");
        return CS_EXIT_USAGE;
    }
    cs_sim_apart(&history, false, &result);
    if (result.ok) {
        cs_sim_complain("shrink: this history does not fail");
        cs_history_fini(&history);
        return CS_EXIT_FAILED;
    }
    shrinking_t shrinking = {.args = args};
    size_t same = strcspn(result.why, "0123456789:");
    snprintf(shrinking.kind, sizeof shrinking.kind, "%.*s", (int)same, result.why);
    cs_shrink_t shrink = {.arg = &shrinking,
                          .fails = fails,
                          .shorter = shorter,
                          .tries_max = (uint32_t)args->tries};
    cs_shrink_history(&shrink, &history, &least);
    cs_sim_apart(&least, false, &result);
    cs_buf_t text = {0};
    cs_history_print(&least, &text);
    printf("%.*s# %s\n", (int)text.len, (const char *)text.data, result.why);
    cs_buf_fini(&text);
    cs_history_fini(&history);
    cs_history_fini(&least);
    return CS_EXIT_DONE;
}
