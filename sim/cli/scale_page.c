/* scale_page.c - the page that draws what `scale` counted. */
#include "base/mem.h"
#include "sim/cli/chart.h"
#include "sim/cli/scale.h"

typedef double value_t(const cs_scale_point_t *point);

static double node_count(const cs_scale_point_t *point)
{
    return point->config.nodes;
}

static double mean_rounds(const cs_scale_point_t *point)
{
    return point->result.one.rounds_mean;
}

static double max_rounds(const cs_scale_point_t *point)
{
    return point->result.one.rounds_max;
}

static double one_equal_s(const cs_scale_point_t *point)
{
    return (double)point->result.one.equal_us / 1e6;
}

static double many_disk_s(const cs_scale_point_t *point)
{
    return (double)point->result.many.disk_us / 1e6;
}

static double one_kib(const cs_scale_point_t *point)
{
    return (double)point->result.one.all.bytes / node_count(point) / 1024;
}

static double many_kib(const cs_scale_point_t *point)
{
    return (double)point->result.many.all.bytes / node_count(point) / point->config.changes /
           1024;
}

/* A line over the numbers of nodes of one topology. */
typedef struct line {
    const char *name, *colour;
    value_t *value;
    bool mesh;
} line_t;

static size_t fill(const cs_scale_points_t *points, const line_t *line, double *x, double *y)
{
    size_t len = 0;
    for (size_t i = 0; i < points->len; i++) {
        const cs_scale_point_t *point = &points->item[i];
        if (point->config.mesh != line->mesh || !point->result.ok) continue;
        x[len] = node_count(point);
        y[len++] = line->value(point);
    }
    return len;
}

static void put_growth(const cs_scale_points_t *points, const char *title, const char *y_label,
                       const line_t *lines, size_t count, cs_buf_t *ret)
{
    double x[4][CS_SCALE_POINTS_MAX], y[4][CS_SCALE_POINTS_MAX];
    cs_chart_series_t series[4];
    cs_chart_t chart = {.title = title,
                        .x_label = "nodes (logarithmic)",
                        .y_label = y_label,
                        .log_x = true,
                        .series = series};
    for (size_t i = 0; i < count; i++) {
        size_t len = fill(points, &lines[i], x[i], y[i]);
        if (len == 0) continue;
        series[chart.series_count++] = (cs_chart_series_t){.name = lines[i].name,
                                                           .colour = lines[i].colour,
                                                           .x = x[i],
                                                           .y = y[i],
                                                           .count = len,
                                                           .dots = true,
                                                           .dashed = lines[i].mesh};
    }
    cs_chart_print(&chart, ret);
}

/* How many nodes had it when: a line per number of nodes. */
static void put_curves(const cs_scale_points_t *points, bool mesh, bool many, cs_buf_t *ret)
{
    double percent[CS_SCALE_POINTS];
    double(*at)[CS_SCALE_POINTS] = cs_calloc(CS_SCALE_POINTS_MAX, sizeof *at);
    char name[CS_SCALE_POINTS_MAX][32], colour[CS_SCALE_POINTS_MAX][24], title[160];
    cs_chart_series_t series[CS_SCALE_POINTS_MAX];
    size_t len = 0, count = 0;
    for (size_t i = 0; i < points->len; i++) {
        count += points->item[i].config.mesh == mesh && points->item[i].result.ok;
    }
    for (size_t i = 0; i < CS_SCALE_POINTS; i++) {
        percent[i] = (double)i;
    }
    for (size_t i = 0; i < points->len; i++) {
        const cs_scale_point_t *point = &points->item[i];
        if (point->config.mesh != mesh || !point->result.ok) continue;
        const cs_scale_window_t *window = many ? &point->result.many : &point->result.one;
        for (size_t k = 0; k < CS_SCALE_POINTS; k++) {
            at[len][k] = (double)(many ? window->disk_at[k] : window->equal_at[k]) / 1e6;
        }
        snprintf(name[len], sizeof name[len], "%u nodes", point->config.nodes);
        cs_chart_colour(len, count, colour[len]);
        series[len] = (cs_chart_series_t){.name = name[len],
                                          .colour = colour[len],
                                          .x = at[len],
                                          .y = percent,
                                          .count = CS_SCALE_POINTS};
        len++;
    }
    snprintf(title, sizeof title, "Convergence: %s, %s",
             many ? "many changes, on disk" : "one change",
             mesh ? "all linked to all" : "eight neighbours");
    cs_chart_t chart = {.title = title,
                        .x_label = many ? "virtual seconds since the first change"
                                        : "virtual seconds since the change",
                        .y_label = "% of nodes with the final state",
                        .y_max = 100,
                        .series = series,
                        .series_count = len};
    if (len > 0) cs_chart_print(&chart, ret);
    cs_free(at);
}

static void put_parts(const cs_scale_points_t *points, cs_buf_t *ret)
{
    static const char *const colours[CS_SCALE_PARTS] = {"#8a5a9e", "#8c8c8c", "#1f66b0",
                                                        "#2a8a4a", "#d07a1a"};
    char text[CS_SCALE_POINTS_MAX][16];
    const char *names[CS_SCALE_POINTS_MAX];
    double value[CS_SCALE_POINTS_MAX * CS_SCALE_PARTS];
    size_t len = 0;
    for (size_t i = 0; i < points->len && len < CS_SCALE_POINTS_MAX; i++) {
        const cs_scale_point_t *point = &points->item[i];
        if (point->config.mesh || !point->result.ok) continue;
        double *row = &value[len * CS_SCALE_PARTS];
        cs_scale_parts_of(&point->result.many, row);
        for (size_t k = 0; k < CS_SCALE_PARTS; k++) {
            row[k] /= node_count(point) * point->config.changes * 1024;
        }
        snprintf(text[len], sizeof text[len], "%u", point->config.nodes);
        names[len] = text[len];
        len++;
    }
    if (len == 0) return;
    cs_bars_print(&(cs_bars_t){.title = "What the bytes are: many changes, eight neighbours",
                               .x_label = "nodes",
                               .y_label = "KiB a node and change",
                               .names = names,
                               .count = len,
                               .parts = cs_scale_part_name,
                               .colours = colours,
                               .part_count = CS_SCALE_PARTS,
                               .value = value},
                  ret);
}

static void put_row(const cs_scale_point_t *point, cs_buf_t *ret)
{
    const cs_scale_result_t *result = &point->result;
    const cs_scale_config_t *config = &point->config;
    cs_buf_printf(ret, "<tr><td>%u</td><td>%s</td><td>%s</td>", config->nodes,
                  cs_scale_topology(config), config->neighbours ? "neighbours" : "all");
    if (!result->ok) {
        cs_html_element(ret, "<td colspan=\"10\" class=\"failed\">", result->why,
                        "</td></tr>\n");
        return;
    }
    cs_buf_printf(ret,
                  "<td>%.1f</td><td>%u</td><td>%.2f</td><td>%.1f</td><td>%.2f</td>"
                  "<td>%.1f</td><td>%.2f</td><td>%.0f</td><td>%.1f</td><td>%.0f</td></tr>\n",
                  mean_rounds(point), result->one.rounds_max, one_equal_s(point),
                  one_kib(point), many_disk_s(point),
                  (double)result->many.all.messages / config->nodes / config->changes,
                  many_kib(point), (double)result->rest.bytes / config->nodes / CS_SCALE_REST_S,
                  point->real_s, point->memory_mib);
}

static void put_table(const cs_scale_points_t *points, cs_buf_t *ret)
{
    cs_buf_printf(ret,
                  "<h2>Numbers</h2>\n<table><tr><th rowspan=\"2\">nodes</th>"
                  "<th rowspan=\"2\">links</th><th rowspan=\"2\">members</th>"
                  "<th colspan=\"4\">one change</th><th colspan=\"3\">%u changes</th>"
                  "<th rowspan=\"2\">at rest,<br/>B/s a node</th>"
                  "<th colspan=\"2\">the simulator</th></tr>\n"
                  "<tr><th>rounds,<br/>mean</th><th>rounds,<br/>max</th><th>equal, s</th>"
                  "<th>KiB<br/>a node</th><th>on disk, s</th><th>messages<br/>a node and change"
                  "</th><th>KiB<br/>a node and change</th><th>real s</th><th>MiB</th></tr>\n",
                  points->item[0].config.changes);
    for (size_t i = 0; i < points->len; i++) {
        put_row(&points->item[i], ret);
    }
    cs_buf_printf(ret, "</table>\n");
}

static void put_intro(const cs_scale_config_t *config, cs_buf_t *ret)
{
    cs_buf_printf(
        ret,
        "<p>The engine's own nodes over a simulated network: seed %llu, messages take "
        "up to %u ms, %u per mille of them are lost, %u %% of the nodes die and come "
        "back. All meet and rest for a minute; then one small file is saved; a minute "
        "later %u more, one every %u ms on average, at random nodes. "
        "<b>eight</b>: each node is linked to eight random others, sixteen at most; "
        "<b>mesh</b>: all are linked to all. <b>Rounds</b>: messages in the longest "
        "chain by which the change came to a node.</p>\n",
        (unsigned long long)config->seed, config->latency_ms, config->loss, config->churn,
        config->changes, config->gap_ms);
}

void cs_scale_page(const cs_scale_points_t *points, cs_buf_t *ret)
{
    static const char blue[] = "#1f66b0", red[] = "#b03030", green[] = "#2a8a4a",
                      brown[] = "#a06a10";
    static const line_t rounds[] = {{"eight, mean", blue, mean_rounds, false},
                                    {"eight, max", red, max_rounds, false},
                                    {"mesh, mean", blue, mean_rounds, true},
                                    {"mesh, max", red, max_rounds, true}};
    static const line_t times[] = {{"eight: one, equal", green, one_equal_s, false},
                                   {"eight: many, on disk", brown, many_disk_s, false},
                                   {"mesh: one, equal", green, one_equal_s, true},
                                   {"mesh: many, on disk", brown, many_disk_s, true}};
    static const line_t bytes[] = {{"eight: one alone", green, one_kib, false},
                                   {"eight: of many", brown, many_kib, false},
                                   {"mesh: one alone", green, one_kib, true},
                                   {"mesh: of many", brown, many_kib, true}};
    cs_html_begin(ret, "crdtsync-sim scale");
    put_intro(&points->item[0].config, ret);
    put_growth(points, "Rounds of one change, against log n", "rounds", rounds, 4, ret);
    put_growth(points, "Time until all are equal", "virtual seconds", times, 4, ret);
    for (unsigned i = 0; i < 4; i++) {
        put_curves(points, i % 2 == 1, i >= 2, ret);
    }
    put_growth(points, "Bytes per change", "KiB a node and change", bytes, 4, ret);
    put_parts(points, ret);
    put_table(points, ret);
    cs_html_end(ret);
}
