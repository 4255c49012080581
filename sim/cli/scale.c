/* scale.c - how changes spread among many nodes: numbers of nodes one after the other, each in
 * a process of its own. */
#include "sim/cli/scale.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sim/cli/chart.h"

#define MESH_MAX      64u /* unless a mesh is asked for: core.md 7.4 has one up to 32 members */
#define LATENCY_MS    50u
#define GAP_MS        10u
#define DEFAULT_NODES "10..200"

const char *const cs_scale_part_name[CS_SCALE_PARTS] = {
    "hello: who is there", "have: digests, marks", "entries: pushed at once", "exchanges",
    "content"};

cs_scale_part_t cs_scale_part_of(unsigned type)
{
    if (type == CS_MSG_HAVE || type == CS_MSG_MARKS) return CS_SCALE_HAVE;
    if (type == CS_MSG_ENTRIES) return CS_SCALE_ENTRIES;
    if (type == CS_MSG_HELLO || type == CS_MSG_PEX || type == CS_MSG_ERROR ||
        type == CS_MSG_STANDINGS) {
        return CS_SCALE_HELLO;
    }
    return type >= CS_MSG_NWANT ? CS_SCALE_CONTENT : CS_SCALE_EXCHANGE;
}

void cs_scale_parts_of(const cs_scale_window_t *window, double ret[CS_SCALE_PARTS])
{
    memset(ret, 0, CS_SCALE_PARTS * sizeof *ret);
    for (unsigned type = 0; type < CS_MSG_TYPE_END; type++) {
        ret[cs_scale_part_of(type)] += (double)window->type[type].bytes;
    }
}

const char *cs_scale_topology(const cs_scale_config_t *config)
{
    return config->mesh ? "mesh" : "eight";
}

/* --- what is asked for */

typedef struct wanted {
    unsigned nodes[CS_SCALE_POINTS_MAX];
    size_t len;
} wanted_t;

static bool want(wanted_t *wanted, unsigned long count)
{
    if (count < 2 || count > CS_SCALE_NODES_MAX || wanted->len == CS_SCALE_POINTS_MAX) {
        return false;
    }
    if (wanted->len == 0 || wanted->nodes[wanted->len - 1] != count) {
        wanted->nodes[wanted->len++] = (unsigned)count;
    }
    return true;
}

/* 10..2000: the ends, and 1, 2, 5 times powers of ten; 10..100/30: in steps of 30. */
static bool want_range(wanted_t *wanted, unsigned long low, unsigned long high,
                       unsigned long step)
{
    static const unsigned long nice[] = {10, 20, 50, 100, 200, 500, 1000, 2000};
    if (low > high || !want(wanted, low)) return false;
    for (unsigned long at = low + step; step > 0 && at < high; at += step) {
        if (!want(wanted, at)) return false;
    }
    for (size_t i = 0; step == 0 && i < CS_COUNT_OF(nice); i++) {
        if (nice[i] > low && nice[i] < high && !want(wanted, nice[i])) return false;
    }
    return want(wanted, high);
}

static bool read_nodes(const char *text, wanted_t *ret)
{
    char *end;
    for (const char *at = text;; at = end + 1) {
        unsigned long low = strtoul(at, &end, 10), high = low, step = 0;
        if (end == at || *at < '0' || *at > '9') return false;
        if (strncmp(end, "..", 2) == 0) high = strtoul(end + 2, &end, 10);
        if (*end == '/') step = strtoul(end + 1, &end, 10);
        if (!(low == high ? want(ret, low) : want_range(ret, low, high, step))) return false;
        if (*end == '\0') return true;
        if (*end != ',') return false;
    }
}

static bool read_topology(const cs_sim_args_t *args, bool ret_use[2])
{
    uint32_t given = args->options.topology;
    ret_use[0] = ret_use[1] = true;
    if (!cs_sim_args_given(args, "topology")) return true;
    if (given != 0 && given != CS_SIM_TOPOLOGY_BOUNDED) {
        cs_sim_complain("--topology: scale has 0, all linked to all, and 4, eight of all");
        return false;
    }
    ret_use[given != 0] = true;
    ret_use[given == 0] = false;
    return true;
}

static bool read_members(const cs_sim_args_t *args, bool *ret_neighbours)
{
    const char *members = args->members != NULL ? args->members : "all";
    *ret_neighbours = strcmp(members, "neighbours") == 0;
    if (*ret_neighbours || strcmp(members, "all") == 0) return true;
    cs_sim_complain("--members: %s is neither all nor neighbours", members);
    return false;
}

static cs_scale_config_t config_of(const cs_sim_args_t *args, uint64_t seed, unsigned nodes)
{
    const cs_sim_options_t *options = &args->options;
    return (cs_scale_config_t){
        .seed = seed,
        .nodes = nodes,
        .changes = (unsigned)args->changes,
        .churn = (unsigned)args->churn,
        .loss = options->loss,
        .gap_ms = cs_sim_args_given(args, "gap-ms") ? options->gap_ms : GAP_MS,
        .latency_ms = cs_sim_args_given(args, "latency-ms") ? options->latency_ms : LATENCY_MS,
    };
}

static bool plan(const cs_sim_args_t *args, cs_scale_points_t *ret)
{
    wanted_t wanted = {.len = 0};
    bool use[2], neighbours;
    uint64_t seed = args->has_seed ? args->seed : 1;
    const char *nodes = args->nodes != NULL ? args->nodes : DEFAULT_NODES;
    if (!read_topology(args, use) || !read_members(args, &neighbours)) return false;
    if (!read_nodes(nodes, &wanted)) {
        cs_sim_complain("--nodes: %s: give numbers of 2 to %u: 100, or 10,50, or 10..2000, or "
                        "10..100/30",
                        nodes, CS_SCALE_NODES_MAX);
        return false;
    }
    unsigned mesh_max = use[1] ? MESH_MAX : CS_SCALE_MESH_MAX;
    for (size_t topology = 0; topology < 2; topology++) {
        for (size_t i = 0; use[topology] && i < wanted.len; i++) {
            cs_scale_config_t config = config_of(args, seed, wanted.nodes[i]);
            config.mesh = topology == 0;
            config.neighbours = neighbours || config.nodes > CS_MEMBERS_MAX;
            if (config.mesh && config.nodes > mesh_max) continue;
            ret->item[ret->len++].config = config;
        }
    }
    if (ret->len == 0) {
        cs_sim_complain("--topology 0: all linked to all goes up to %u nodes", mesh_max);
    }
    return ret->len > 0;
}

/* --- running */

static void run_apart(cs_scale_point_t *point)
{
    struct rusage usage = {0};
    int status = 0;
    uint64_t began_ms = cs_sim_clock_ms();
    cs_scale_result_t *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CS_ASSERT(shared != MAP_FAILED);
    fflush(NULL);
    pid_t child = fork();
    CS_ASSERT(child >= 0);
    if (child == 0) {
        cs_scale_run(&point->config, shared);
        _exit(0);
    }
    pid_t got = wait4(child, &status, 0, &usage);
    point->result = *shared;
    munmap(shared, sizeof *shared);
    if (got != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        point->result.ok = false;
        snprintf(point->result.why, sizeof point->result.why,
                 "the process died: an assertion, or memory");
    }
    point->real_s = (double)(cs_sim_clock_ms() - began_ms) / 1000;
    point->memory_mib = (double)usage.ru_maxrss / 1024;
}

/* --- showing */

static void print_head(const cs_scale_config_t *config)
{
    printf("sim: seed %" PRIu64 ", latency up to %u ms, loss %u per mille, churn %u %%; first "
           "one change alone,\nsim: then %u; a change is one small file\n\n",
           config->seed, config->latency_ms, config->loss, config->churn, config->changes);
    printf("nodes        | one: rounds   equal  on disk  msgs/  KiB/  | many:  equal  on disk  "
           "msgs/  KiB/ | rest  |  real    MiB\n");
    printf("             |  mean  max       s        s   node  node  |            s        s  "
           "node*change | B/s   |     s       \n");
}

static void print_point(const cs_scale_point_t *point)
{
    const cs_scale_result_t *result = &point->result;
    const cs_scale_window_t *one = &result->one, *many = &result->many;
    double nodes = point->config.nodes, each = nodes * point->config.changes;
    if (!result->ok) {
        printf("%5u %-6s | FAILED: %s\n", point->config.nodes,
               cs_scale_topology(&point->config), result->why);
        return;
    }
    printf("%5u %-6s | %5.1f %4u %7.2f  %7.2f %6.1f %5.1f  |      %7.2f  %7.2f %6.1f %5.1f | "
           "%5.0f | %5.1f %6.0f\n",
           point->config.nodes, cs_scale_topology(&point->config), one->rounds_mean,
           one->rounds_max, (double)one->equal_us / 1e6, (double)one->disk_us / 1e6,
           (double)one->all.messages / nodes, (double)one->all.bytes / nodes / 1024,
           (double)many->equal_us / 1e6, (double)many->disk_us / 1e6,
           (double)many->all.messages / each, (double)many->all.bytes / each / 1024,
           (double)result->rest.bytes / nodes / CS_SCALE_REST_S, point->real_s,
           point->memory_mib);
    fflush(stdout);
}

static json_t *json_of_window(const cs_scale_window_t *window)
{
    json_t *types = json_object(), *equal = json_array(), *disk = json_array();
    for (unsigned i = 0; i < CS_MSG_TYPE_END; i++) {
        const cs_scale_count_t *count = &window->type[i];
        if (count->messages == 0) continue;
        json_object_set_new(types, cs_msg_type_name((cs_msg_type_t)i),
                            json_pack("{sI sI}", "messages", (json_int_t)count->messages,
                                      "bytes", (json_int_t)count->bytes));
    }
    for (size_t i = 0; i < CS_SCALE_POINTS; i++) {
        json_array_append_new(equal, json_integer((json_int_t)window->equal_at[i]));
        json_array_append_new(disk, json_integer((json_int_t)window->disk_at[i]));
    }
    return json_pack(
        "{sI sI sI sI sI sI sf so so so}", "equal_us", (json_int_t)window->equal_us, "disk_us",
        (json_int_t)window->disk_us, "messages", (json_int_t)window->all.messages, "bytes",
        (json_int_t)window->all.bytes, "rounds_max", (json_int_t)window->rounds_max,
        "rounds_median", (json_int_t)window->rounds_median, "rounds_mean", window->rounds_mean,
        "types", types, "equal_at_us", equal, "disk_at_us", disk);
}

static json_t *json_of(const cs_scale_point_t *point)
{
    const cs_scale_result_t *result = &point->result;
    const cs_scale_config_t *config = &point->config;
    json_t *ret = json_pack(
        "{sI sI ss ss sI sI sI sb sI sI sI sI sI sI}", "seed", (json_int_t)config->seed,
        "nodes", (json_int_t)config->nodes, "topology", cs_scale_topology(config), "members",
        config->neighbours ? "neighbours" : "all", "changes", (json_int_t)config->changes,
        "loss_per_mille", (json_int_t)config->loss, "churn_percent", (json_int_t)config->churn,
        "ok", result->ok, "links", (json_int_t)result->links, "crashes",
        (json_int_t)result->crashes, "start_messages", (json_int_t)result->start.messages,
        "start_bytes", (json_int_t)result->start.bytes, "rest_messages",
        (json_int_t)result->rest.messages, "rest_bytes", (json_int_t)result->rest.bytes);
    json_object_set_new(ret, "rest_s", json_integer((json_int_t)CS_SCALE_REST_S));
    if (!result->ok) json_object_set_new(ret, "why", json_string(result->why));
    json_object_set_new(ret, "one", json_of_window(&result->one));
    json_object_set_new(ret, "many", json_of_window(&result->many));
    json_object_set_new(ret, "real_s", json_real(point->real_s));
    json_object_set_new(ret, "memory_mib", json_real(point->memory_mib));
    return ret;
}

static bool write_report(const cs_sim_args_t *args, const cs_scale_points_t *points)
{
    cs_buf_t page = {0};
    if (args->report == NULL) return true;
    cs_scale_page(points, &page);
    bool ok = cs_html_write(args->report, &page);
    cs_buf_fini(&page);
    return ok;
}

int cs_sim_cmd_scale(const cs_sim_args_t *args)
{
    cs_scale_points_t points = {0};
    points.item = cs_calloc((size_t)2 * CS_SCALE_POINTS_MAX, sizeof *points.item);
    if (!plan(args, &points)) {
        cs_free(points.item);
        return CS_EXIT_USAGE;
    }
    bool ok = true;
    json_t *json = json_array();
    if (!args->json && !args->quiet) print_head(&points.item[0].config);
    for (size_t i = 0; i < points.len; i++) {
        run_apart(&points.item[i]);
        ok = ok && points.item[i].result.ok;
        if (args->json) {
            json_array_append_new(json, json_of(&points.item[i]));
        } else {
            print_point(&points.item[i]);
        }
    }
    if (args->json) {
        json_dumpf(json, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
        putchar('\n');
    }
    json_decref(json);
    ok = write_report(args, &points) && ok;
    cs_free(points.item);
    return ok ? CS_EXIT_DONE : CS_EXIT_FAILED;
}
