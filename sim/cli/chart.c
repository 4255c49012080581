/* chart.c - see chart.h. */
#include "sim/cli/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH  760.0
#define HEIGHT 400.0
#define LEFT   78.0 /* room for the numbers of the y axis, and what they mean */
#define RIGHT  200.0
#define TOP    44.0
#define BOTTOM 58.0
#define TICKS  6.0  /* about */
#define LEGEND 20.0 /* a line */

typedef struct frame {
    double x_low, x_high, y_high;
    bool log_x;
} frame_t;

static double place_x(const frame_t *frame, double x)
{
    double low = frame->x_low, high = frame->x_high;
    if (frame->log_x) {
        x = log(x);
        low = log(low);
        high = log(high);
    }
    double part = high > low ? (x - low) / (high - low) : 0.5;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double place_y(const frame_t *frame, double y)
{
    return HEIGHT - BOTTOM - y / frame->y_high * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten. */
static double nice_step(double range)
{
    double step = pow(10, floor(log10(range / TICKS)));
    if (range / step > TICKS * 5) return step * 10;
    if (range / step > TICKS * 2.5) return step * 5;
    return range / step > TICKS * 1.2 ? step * 2 : step;
}

static void put_text(cs_buf_t *ret, double x, double y, const char *anchor, const char *text)
{
    cs_buf_printf(ret, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    cs_html_text(ret, text);
    cs_buf_printf(ret, "</text>\n");
}

static void put_line(cs_buf_t *ret, double x1, double y1, double x2, double y2)
{
    cs_buf_printf(
        ret, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d8d8d8\"/>\n", x1,
        y1, x2, y2);
}

static void put_title(cs_buf_t *ret, const char *title, const char *x_label,
                      const char *y_label)
{
    double middle = LEFT + (WIDTH - LEFT - RIGHT) / 2;
    cs_buf_printf(ret,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                  "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n",
                  WIDTH, HEIGHT, WIDTH, HEIGHT);
    cs_buf_printf(ret, "<text x=\"%.1f\" y=\"22\" class=\"title\">", LEFT);
    cs_html_text(ret, title);
    cs_buf_printf(ret, "</text>\n");
    put_text(ret, middle, HEIGHT - 14, "middle", x_label);
    cs_buf_printf(ret,
                  "<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">",
                  TOP + (HEIGHT - TOP - BOTTOM) / 2);
    cs_html_text(ret, y_label);
    cs_buf_printf(ret, "</text>\n");
}

static void put_y_axis(cs_buf_t *ret, frame_t *frame)
{
    double step = nice_step(frame->y_high);
    frame->y_high = ceil(frame->y_high / step - 1e-9) * step;
    size_t ticks = (size_t)(frame->y_high / step + 0.5);
    for (size_t i = 0; i <= ticks; i++) {
        double at = (double)i * step;
        char text[32];
        snprintf(text, sizeof text, "%g", at);
        put_line(ret, LEFT, place_y(frame, at), WIDTH - RIGHT, place_y(frame, at));
        put_text(ret, LEFT - 8, place_y(frame, at) + 4, "end", text);
    }
}

static void put_x_tick(cs_buf_t *ret, const frame_t *frame, double at)
{
    char text[32];
    snprintf(text, sizeof text, "%g", at);
    put_line(ret, place_x(frame, at), TOP, place_x(frame, at), HEIGHT - BOTTOM);
    put_text(ret, place_x(frame, at), HEIGHT - BOTTOM + 18, "middle", text);
}

static void put_x_axis(cs_buf_t *ret, const frame_t *frame)
{
    if (frame->log_x) {
        double decade = 1;
        while (decade <= frame->x_high) {
            const double steps[] = {1, 2, 5};
            for (size_t i = 0; i < CS_COUNT_OF(steps); i++) {
                double at = decade * steps[i];
                if (at >= frame->x_low && at <= frame->x_high) put_x_tick(ret, frame, at);
            }
            decade *= 10;
        }
        return;
    }
    double step = nice_step(frame->x_high - frame->x_low);
    size_t ticks = (size_t)((frame->x_high - frame->x_low) / step + 1e-3);
    for (size_t i = 0; i <= ticks; i++) {
        put_x_tick(ret, frame, frame->x_low + (double)i * step);
    }
}

static void put_series(cs_buf_t *ret, const frame_t *frame, const cs_chart_series_t *series)
{
    cs_buf_printf(ret, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s points=\"",
                  series->colour, series->dashed ? " stroke-dasharray=\"6 4\"" : "");
    for (size_t i = 0; i < series->count; i++) {
        cs_buf_printf(ret, "%.1f,%.1f ", place_x(frame, series->x[i]),
                      place_y(frame, series->y[i]));
    }
    cs_buf_printf(ret, "\"/>\n");
    for (size_t i = 0; series->dots && i < series->count; i++) {
        cs_buf_printf(ret,
                      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\">"
                      "<title>%g: %g</title></circle>\n",
                      place_x(frame, series->x[i]), place_y(frame, series->y[i]),
                      series->colour, series->x[i], series->y[i]);
    }
}

static frame_t frame_of(const cs_chart_t *chart)
{
    frame_t ret = {.x_low = chart->log_x ? INFINITY : 0, .log_x = chart->log_x};
    for (size_t i = 0; i < chart->series_count; i++) {
        const cs_chart_series_t *series = &chart->series[i];
        for (size_t k = 0; k < series->count; k++) {
            ret.x_low = fmin(ret.x_low, series->x[k]);
            ret.x_high = fmax(ret.x_high, series->x[k]);
            ret.y_high = fmax(ret.y_high, series->y[k]);
        }
    }
    if (chart->y_max > 0) ret.y_high = chart->y_max;
    if (ret.y_high <= 0) ret.y_high = 1;
    if (ret.x_high <= 0) ret.x_high = 1;
    if (ret.x_low > ret.x_high) ret.x_low = ret.x_high;
    return ret;
}

void cs_chart_print(const cs_chart_t *chart, cs_buf_t *ret)
{
    frame_t frame = frame_of(chart);
    put_title(ret, chart->title, chart->x_label, chart->y_label);
    put_y_axis(ret, &frame);
    put_x_axis(ret, &frame);
    for (size_t i = 0; i < chart->series_count; i++) {
        const cs_chart_series_t *series = &chart->series[i];
        double y = TOP + 10 + (double)i * LEGEND, x = WIDTH - RIGHT + 16;
        put_series(ret, &frame, series);
        cs_buf_printf(ret,
                      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
                      "stroke-width=\"3\"%s/>\n",
                      x, y, x + 24, y, series->colour,
                      series->dashed ? " stroke-dasharray=\"6 4\"" : "");
        put_text(ret, x + 32, y + 4, "start", series->name);
    }
    cs_buf_printf(ret, "</svg>\n");
}

void cs_bars_print(const cs_bars_t *bars, cs_buf_t *ret)
{
    frame_t frame = {.y_high = 0};
    for (size_t i = 0; i < bars->count; i++) {
        double sum = 0;
        for (size_t k = 0; k < bars->part_count; k++) {
            sum += bars->value[i * bars->part_count + k];
        }
        frame.y_high = fmax(frame.y_high, sum);
    }
    if (frame.y_high <= 0) frame.y_high = 1;
    put_title(ret, bars->title, bars->x_label, bars->y_label);
    put_y_axis(ret, &frame);
    double slot = (WIDTH - LEFT - RIGHT) / (double)bars->count, width = fmin(slot * 0.7, 60);
    for (size_t i = 0; i < bars->count; i++) {
        double x = LEFT + ((double)i + 0.5) * slot, sum = 0;
        put_text(ret, x, HEIGHT - BOTTOM + 18, "middle", bars->names[i]);
        for (size_t k = 0; k < bars->part_count; k++) {
            double value = bars->value[i * bars->part_count + k];
            double y = place_y(&frame, sum + value);
            cs_buf_printf(ret,
                          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                          "fill=\"%s\"><title>%s: %.3g</title></rect>\n",
                          x - width / 2, y, width, place_y(&frame, sum) - y, bars->colours[k],
                          bars->parts[k], value);
            sum += value;
        }
    }
    for (size_t k = 0; k < bars->part_count; k++) {
        double y = TOP + 4 + (double)(bars->part_count - 1 - k) * LEGEND;
        double x = WIDTH - RIGHT + 16;
        cs_buf_printf(ret,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"14\" fill=\"%s\"/>\n",
                      x, y, bars->colours[k]);
        put_text(ret, x + 22, y + 12, "start", bars->parts[k]);
    }
    cs_buf_printf(ret, "</svg>\n");
}

/* From blue over green to red. */
void cs_chart_colour(size_t i, size_t count, char ret[24])
{
    double part = count > 1 ? (double)i / (double)(count - 1) : 0;
    snprintf(ret, 24, "hsl(%.0f,70%%,%.0f%%)", 230 - 230 * part, 42 - 8 * sin(part * 3.14));
}
