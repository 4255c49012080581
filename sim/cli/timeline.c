/* timeline.c - see timeline.h. */
#include "sim/cli/timeline.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proto/frame.h"
#include "sim/cli/chart.h"

#define LEFT     46.0
#define TOP      66.0
#define LANE     74.0 /* from one to the next */
#define BAR      16.0
#define SPREAD   14.0    /* of a stretch e times as long as another one, in pixels */
#define WIDE_MAX 30000.0 /* pixels: beyond, browsers give up */
#define TICK     110.0   /* at least, from one written time to the next */

void cs_timeline_see(void *arg, const cs_sight_t *sight)
{
    cs_timeline_t *timeline = arg;
    if (timeline->len == CS_TIMELINE_SIGHTS_MAX) {
        timeline->left_out++;
        return;
    }
    if (timeline->len == timeline->cap) {
        timeline->cap = cs_grow(timeline->cap, timeline->len + 1);
        timeline->item =
            cs_realloc_array(timeline->item, timeline->cap, sizeof *timeline->item);
    }
    cs_timeline_sight_t *item = &timeline->item[timeline->len++];
    *item = (cs_timeline_sight_t){.sight = *sight};
    if (sight->root != NULL) memcpy(&item->digest, sight->root, sizeof item->digest);
    item->sight.root = NULL;
}

void cs_timeline_fini(cs_timeline_t *timeline)
{
    cs_free(timeline->item);
    *timeline = (cs_timeline_t){0};
}

/* --- from times to places */

typedef struct drawing {
    const cs_timeline_t *timeline;
    const cs_history_t *history;
    cs_buf_t *ret;
    uint64_t *time; /* of which something is drawn, ascending, each once */
    double *place;
    size_t count;
} drawing_t;

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* A minute of nothing is some times as wide as a millisecond, not sixty thousand times. */
static void place_times(drawing_t *draw)
{
    const cs_timeline_t *timeline = draw->timeline;
    uint64_t *time = cs_calloc(2 * timeline->len + 1, sizeof *time);
    size_t len = 0;
    for (size_t i = 0; i < timeline->len; i++) {
        const cs_sight_t *sight = &timeline->item[i].sight;
        time[len++] = sight->now_us;
        if (sight->kind == CS_SIGHT_FRAME || sight->kind == CS_SIGHT_LOST) {
            time[len++] = sight->then_us;
        }
    }
    if (len == 0) time[len++] = 0;
    qsort(time, len, sizeof *time, by_size);
    for (size_t i = 0; i < len; i++) {
        if (draw->count == 0 || time[draw->count - 1] != time[i]) time[draw->count++] = time[i];
    }
    draw->time = time;
    draw->place = cs_calloc(draw->count, sizeof *draw->place);
    double at = 0;
    for (size_t i = 1; i < draw->count; i++) {
        at += SPREAD * log1p((double)(time[i] - time[i - 1]) / 5000);
        draw->place[i] = at;
    }
    double scale = at > WIDE_MAX ? WIDE_MAX / at : 1;
    for (size_t i = 0; i < draw->count; i++) {
        draw->place[i] = LEFT + draw->place[i] * scale;
    }
}

static double x_of(const drawing_t *draw, uint64_t time_us)
{
    size_t low = 0, high = draw->count - 1;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (draw->time[mid] < time_us) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return draw->place[low];
}

static double y_of(unsigned node)
{
    return TOP + BAR / 2 + node * LANE;
}

/* --- lanes */

typedef struct lane {
    double from;
    uint32_t digest;
    bool up, idle;
} lane_t;

static void digest_colour(uint32_t digest, char ret[32])
{
    uint32_t mixed = digest * 2654435761u;
    snprintf(ret, 32, "hsl(%u,%u%%,%u%%)", mixed % 360, 45 + (mixed >> 12) % 40,
             38 + (mixed >> 20) % 22);
}

static void put_piece(const drawing_t *draw, unsigned node, lane_t *lane, double until)
{
    char colour[32];
    double y = y_of(node) - BAR / 2;
    digest_colour(lane->digest, colour);
    if (lane->up && until > lane->from) {
        cs_buf_printf(draw->ret,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" fill=\"%s\" "
                      "fill-opacity=\"%s\"><title>%c: digest %08x%s</title></rect>\n",
                      lane->from, y, until - lane->from, BAR, colour, lane->idle ? "1" : "0.4",
                      'A' + (int)node, lane->digest, lane->idle ? "" : ", not yet on disk");
    }
    lane->from = until;
}

static void put_lanes(const drawing_t *draw, double end)
{
    lane_t lane[CS_SIM_NODES_MAX] = {{.from = LEFT}};
    unsigned count = draw->history->options.nodes;
    for (unsigned i = 0; i < count; i++) {
        lane[i].from = LEFT;
    }
    for (size_t i = 0; i < draw->timeline->len; i++) {
        const cs_sight_t *sight = &draw->timeline->item[i].sight;
        lane_t *at = &lane[sight->node];
        bool changes = sight->kind == CS_SIGHT_STATE || sight->kind == CS_SIGHT_START ||
                       sight->kind == CS_SIGHT_STOP || sight->kind == CS_SIGHT_KILL;
        if (!changes) continue;
        put_piece(draw, sight->node, at, x_of(draw, sight->now_us));
        at->up = sight->kind == CS_SIGHT_STATE || sight->kind == CS_SIGHT_START;
        if (sight->kind != CS_SIGHT_STATE) continue;
        at->digest = draw->timeline->item[i].digest;
        at->idle = !sight->odd;
    }
    for (unsigned i = 0; i < count; i++) {
        put_piece(draw, i, &lane[i], end);
        cs_buf_printf(draw->ret, "<text x=\"14\" y=\"%.1f\" class=\"title\">%c</text>\n",
                      y_of(i) + 5, 'A' + (int)i);
    }
}

/* --- messages */

static const struct {
    const char *name, *colour;
} groups[] = {{"HELLO, HAVE", "#9a9a9a"},
              {"ENTRIES", "#1f66b0"},
              {"exchange", "#2a8a4a"},
              {"content", "#d07a1a"},
              {"lost", "#c00000"}};

static unsigned group_of(const cs_sight_t *sight)
{
    if (sight->kind == CS_SIGHT_LOST) return 4;
    if (sight->type <= CS_MSG_HAVE || sight->type == CS_MSG_PEX) return 0;
    if (sight->type == CS_MSG_ENTRIES) return 1;
    return sight->type >= CS_MSG_NWANT ? 3 : 2;
}

static void put_frame(const drawing_t *draw, const cs_sight_t *sight)
{
    double x1 = x_of(draw, sight->then_us), x2 = x_of(draw, sight->now_us);
    double y1 = y_of(sight->peer), y2 = y_of(sight->node);
    double edge = y2 > y1 ? BAR / 2 : -BAR / 2;
    bool lost = sight->kind == CS_SIGHT_LOST;
    y1 += edge;
    y2 -= edge;
    if (lost && x2 <= x1) x2 = x1 + 4;
    if (lost) { /* it ends half way */
        x2 = (x1 + x2) / 2;
        y2 = (y1 + y2) / 2;
    }
    cs_buf_printf(draw->ret,
                  "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"%s>"
                  "<title>%c to %c: %s, %" PRIu64 " bytes%s%s</title></line>\n",
                  x1, y1, x2, y2, groups[group_of(sight)].colour,
                  sight->odd || lost ? " stroke-dasharray=\"3 2\"" : "", 'A' + (int)sight->peer,
                  'A' + (int)sight->node, cs_msg_type_name((cs_msg_type_t)sight->type),
                  sight->bytes, sight->odd ? ", stray" : "", lost ? ", lost" : "");
    if (lost) {
        cs_buf_printf(draw->ret,
                      "<path d=\"M%.1f %.1fl6 6m0 -6l-6 6\" stroke=\"%s\" fill=\"none\"/>\n",
                      x2 - 3, y2 - 3, groups[4].colour);
    }
}

/* --- marks */

static void put_act(const drawing_t *draw, const cs_sight_t *sight)
{
    cs_buf_t line = {0};
    const cs_act_t *act = &draw->history->act[sight->number];
    double x = x_of(draw, sight->now_us), y = y_of(sight->node) - BAR / 2;
    cs_act_print(act, &line);
    cs_buf_put_u8(&line, '\0');
    cs_buf_printf(draw->ret, "<path d=\"M%.1f %.1fl-4 -8h8z\" fill=\"%s\">", x, y,
                  act->kind == CS_ACT_SCAN ? "#8c8c8c" : "#1c1c1c");
    cs_html_element(draw->ret, "<title>", (const char *)line.data, "</title></path>\n");
    cs_buf_fini(&line);
}

static void put_death(const drawing_t *draw, const cs_sight_t *sight)
{
    double x = x_of(draw, sight->now_us), y = y_of(sight->node);
    bool stop = sight->kind == CS_SIGHT_STOP;
    cs_buf_printf(draw->ret,
                  "<path d=\"M%.1f %.1fl14 14m0 -14l-14 14\" stroke=\"%s\" stroke-width=\"3\" "
                  "fill=\"none\"><title>%c %s</title></path>\n",
                  x - 7, y - 7, stop ? "#606060" : "#c00000", 'A' + (int)sight->node,
                  stop ? "stops" : (sight->odd ? "loses power" : "is killed"));
}

/* Before all else: what lies over it stays to be seen. */
static void put_block(const drawing_t *draw, const cs_sight_t *sight, double end)
{
    double x1 = x_of(draw, sight->now_us), x2 = x_of(draw, sight->then_us);
    unsigned low = sight->node < sight->peer ? sight->node : sight->peer;
    unsigned high = sight->node + sight->peer - low;
    if (x2 > end) x2 = end;
    if (x2 < x1 + 3) x2 = x1 + 3;
    cs_buf_printf(draw->ret,
                  "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#c00000\" "
                  "fill-opacity=\"0.10\" stroke=\"#c00000\" stroke-opacity=\"0.5\">"
                  "<title>no connection between %c and %c</title></rect>\n",
                  x1, y_of(low), x2 - x1, y_of(high) - y_of(low), 'A' + (int)low,
                  'A' + (int)high);
}

static void put_cut(const drawing_t *draw, const cs_sight_t *sight)
{
    double x = x_of(draw, sight->now_us), y1 = y_of(sight->node), y2 = y_of(sight->peer);
    bool up = sight->kind == CS_SIGHT_UP;
    cs_buf_printf(draw->ret,
                  "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                  "stroke-dasharray=\"1 4\" stroke-width=\"1.5\"><title>%c and %c: %s</title>"
                  "</line>\n",
                  x, y1, x, y2, up ? "#2a8a4a" : "#c00000", 'A' + (int)sight->node,
                  'A' + (int)sight->peer, up ? "connected" : "cut off");
}

static void put_rest(const drawing_t *draw, const cs_sight_t *sight, double bottom)
{
    double x = x_of(draw, sight->now_us);
    cs_buf_printf(draw->ret,
                  "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#1c1c1c\" "
                  "stroke-width=\"1.5\"/><text x=\"%.1f\" y=\"%.1f\">faults end</text>\n",
                  x, TOP - 24, x, bottom, x + 4, TOP - 14);
}

static void put_marks(const drawing_t *draw, double bottom)
{
    for (size_t i = 0; i < draw->timeline->len; i++) {
        const cs_sight_t *sight = &draw->timeline->item[i].sight;
        if (sight->kind == CS_SIGHT_ACT) put_act(draw, sight);
        if (sight->kind == CS_SIGHT_KILL || sight->kind == CS_SIGHT_STOP) {
            put_death(draw, sight);
        }
        if (sight->kind == CS_SIGHT_REST) put_rest(draw, sight, bottom);
    }
}

static void put_links(const drawing_t *draw, double end)
{
    for (size_t i = 0; i < draw->timeline->len; i++) {
        const cs_sight_t *sight = &draw->timeline->item[i].sight;
        if (sight->kind == CS_SIGHT_BLOCK) put_block(draw, sight, end);
        if (sight->kind == CS_SIGHT_UP || sight->kind == CS_SIGHT_DOWN) put_cut(draw, sight);
    }
    for (size_t i = 0; i < draw->timeline->len; i++) {
        const cs_sight_t *sight = &draw->timeline->item[i].sight;
        if (sight->kind == CS_SIGHT_FRAME || sight->kind == CS_SIGHT_LOST) {
            put_frame(draw, sight);
        }
    }
}

static void put_times(const drawing_t *draw, double bottom)
{
    double last = -TICK;
    for (size_t i = 0; i < draw->count; i++) {
        if (draw->place[i] < last + TICK) continue;
        last = draw->place[i];
        cs_buf_printf(draw->ret,
                      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                      "stroke=\"#e4e4e4\"/><text x=\"%.1f\" y=\"%.1f\">%.3f s</text>\n",
                      last, TOP - 30, last, bottom, last, bottom + 18,
                      (double)draw->time[i] / 1e6);
    }
    cs_buf_printf(draw->ret,
                  "<text x=\"%.1f\" y=\"%.1f\">virtual time; quiet stretches are drawn shorter "
                  "than they are</text>\n",
                  LEFT, bottom + 40);
}

/* --- the page */

static void put_legend(cs_buf_t *ret)
{
    cs_buf_printf(ret, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1000\" "
                       "height=\"76\" viewBox=\"0 0 1000 76\">\n");
    for (size_t i = 0; i < CS_COUNT_OF(groups); i++) {
        double x = LEFT + 130 * (double)i;
        cs_buf_printf(ret,
                      "<line x1=\"%.0f\" y1=\"16\" x2=\"%.0f\" y2=\"16\" stroke=\"%s\" "
                      "stroke-width=\"3\"/><text x=\"%.0f\" y=\"20\">%s</text>\n",
                      x, x + 24, groups[i].colour, x + 30, groups[i].name);
    }
    cs_buf_printf(
        ret,
        "<path d=\"M50 36l-4 -8h8z\" transform=\"translate(8 8)\" fill=\"#1c1c1c\"/>"
        "<text x=\"76\" y=\"46\">user or fault</text>"
        "<path d=\"M180 36l-4 -8h8z\" transform=\"translate(8 8)\" fill=\"#8c8c8c\"/>"
        "<text x=\"206\" y=\"46\">scan</text>"
        "<path d=\"M310 34l14 14m0 -14l-14 14\" stroke=\"#c00000\" stroke-width=\"3\"/>"
        "<text x=\"336\" y=\"46\">killed (grey: stopped)</text>"
        "<rect x=\"500\" y=\"34\" width=\"24\" height=\"14\" fill=\"#c00000\" "
        "fill-opacity=\"0.10\" stroke=\"#c00000\" stroke-opacity=\"0.5\"/>"
        "<text x=\"532\" y=\"46\">partition</text>"
        "<line x1=\"632\" y1=\"42\" x2=\"656\" y2=\"42\" stroke=\"#c00000\" "
        "stroke-dasharray=\"1 4\" stroke-width=\"2\"/>"
        "<text x=\"664\" y=\"46\">cut off</text>"
        "<line x1=\"742\" y1=\"42\" x2=\"766\" y2=\"42\" stroke=\"#2a8a4a\" "
        "stroke-dasharray=\"1 4\" stroke-width=\"2\"/>"
        "<text x=\"774\" y=\"46\">connected</text>"
        "<rect x=\"46\" y=\"58\" width=\"24\" height=\"14\" fill=\"hsl(210,60%%,45%%)\"/>"
        "<text x=\"78\" y=\"70\">digest: one colour, one state</text>"
        "<rect x=\"310\" y=\"58\" width=\"24\" height=\"14\" fill=\"hsl(210,60%%,45%%)\" "
        "fill-opacity=\"0.4\"/><text x=\"342\" y=\"70\">not yet on its disk</text>\n</svg>\n");
}

static void put_picture(drawing_t *draw)
{
    place_times(draw);
    double end = draw->place[draw->count - 1] + 6;
    double bottom = y_of(draw->history->options.nodes - 1) + BAR + 16;
    cs_buf_printf(draw->ret,
                  "<div class=\"wide\"><svg xmlns=\"http://www.w3.org/2000/svg\" "
                  "width=\"%.0f\" height=\"%.0f\">\n",
                  end + 120, bottom + 56);
    put_times(draw, bottom);
    put_links(draw, end);
    put_lanes(draw, end);
    put_marks(draw, bottom);
    cs_buf_printf(draw->ret, "</svg></div>\n");
    cs_free(draw->time);
    cs_free(draw->place);
}

void cs_timeline_page(const cs_timeline_t *timeline, const cs_history_t *history,
                      const cs_sim_result_t *result, const char *replay, cs_buf_t *ret)
{
    char title[80];
    cs_buf_t options = {0};
    snprintf(title, sizeof title, "crdtsync-sim: seed %" PRIu64 ", %s", history->options.seed,
             result->ok ? "ok" : "FAILED");
    cs_html_begin(ret, title);
    cs_sim_options_print(&history->options, &options);
    cs_buf_put_u8(&options, '\0');
    if (!result->ok) cs_html_element(ret, "<p class=\"failed\">", result->why, "</p>\n");
    cs_buf_printf(ret,
                  "<p>%s. %" PRIu64 " events in %.3f s of virtual time, %" PRIu64
                  " messages, %" PRIu64 " crashes. Again: ",
                  (const char *)options.data, result->events, (double)result->virtual_us / 1e6,
                  result->frames, result->crashes);
    cs_html_element(ret, "<code>", replay, "</code></p>\n");
    if (timeline->left_out > 0) {
        cs_buf_printf(ret, "<p>%zu events after the first %u are left out.</p>\n",
                      timeline->left_out, CS_TIMELINE_SIGHTS_MAX);
    }
    put_legend(ret);
    put_picture(&(drawing_t){.timeline = timeline, .history = history, .ret = ret});
    cs_html_end(ret);
    cs_buf_fini(&options);
}
