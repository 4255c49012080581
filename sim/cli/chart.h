/* chart.h - line charts and stacked bars as SVG, for pages that stand alone. */
#ifndef CS_SIM_CHART_H
#define CS_SIM_CHART_H

#include "base/buf.h"

typedef struct cs_chart_series {
    const char *name;
    const char *colour;
    const double *x, *y; /* borrowed; x ascending */
    size_t count;
    bool dashed, dots;
} cs_chart_series_t;

typedef struct cs_chart {
    const char *title, *x_label, *y_label;
    bool log_x;
    double y_max; /* 0: what is needed */
    const cs_chart_series_t *series;
    size_t series_count;
} cs_chart_t;

/* Appends an <svg> element. */
void cs_chart_print(const cs_chart_t *chart, cs_buf_t *ret);

/* A bar per name, of `part_count` parts, each of its colour. */
typedef struct cs_bars {
    const char *title, *x_label, *y_label;
    const char *const *names; /* of bars */
    size_t count;
    const char *const *parts, *const *colours;
    size_t part_count;
    const double *value; /* rows of part_count */
} cs_bars_t;

void cs_bars_print(const cs_bars_t *bars, cs_buf_t *ret);

/* Text with what XML reads as its own written otherwise. */
void cs_html_text(cs_buf_t *ret, const char *text);
/* Such text between tags. */
void cs_html_element(cs_buf_t *ret, const char *open, const char *text, const char *close);
/* All of a page up to its body, and what closes it. */
void cs_html_begin(cs_buf_t *ret, const char *title);
void cs_html_end(cs_buf_t *ret);
/* False: it was complained of. */
CS_MUST_USE bool cs_html_write(const char *path, const cs_buf_t *page);

/* The i-th of `count` colours in order, dark enough on white. */
void cs_chart_colour(size_t i, size_t count, char ret[24]);

#endif
