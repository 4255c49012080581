/* watch.h - what `status --watch` shows: progress since work began, rates, time left, who waits
 * for what. Makes text of status documents; knows of no terminal and no clock. */
#ifndef CS_CMD_WATCH_H
#define CS_CMD_WATCH_H

#include <jansson.h>

#include "base/buf.h"

#define CS_WATCH_FOLDERS_MAX 256u /* whose progress is kept; others are shown without */

/* A folder's work since it was idle. */
typedef struct cs_watch_work {
    char id[65];
    bool known;
    bool guessed;                    /* bytes: not to be compared with the last document's */
    uint64_t files, bytes;           /* needed, as of the last document */
    uint64_t files_done, bytes_done; /* since it was idle */
    double files_rate, bytes_rate;   /* a second, smoothed */
} cs_watch_work_t;

typedef struct cs_watch {
    cs_watch_work_t work[CS_WATCH_FOLDERS_MAX];
    uint64_t at_ms;   /* of the last document; 0: none yet */
    uint64_t in, out; /* bytes of all peers */
    double in_rate, out_rate;
} cs_watch_t;

/* A new document; now_ms is monotonic and greater than the last time. */
void cs_watch_take(cs_watch_t *watch, const json_t *document, uint64_t now_ms);

typedef struct cs_watch_view {
    size_t width, height; /* of the screen, in characters */
    bool color;
    const char *clock; /* shown in the corner; may be NULL */
} cs_watch_view_t;

/* The screen, lines ended by '\n', none wider and not more than the view has. ret is replaced.
 */
void cs_watch_draw(const cs_watch_t *watch, const json_t *document, const cs_watch_view_t *view,
                   cs_buf_t *ret);
/* One line for each folder without its end, for a log; NULL: there is no folder of that index.
 * ret is replaced. */
bool cs_watch_line(const cs_watch_t *watch, const json_t *document, size_t index,
                   cs_buf_t *ret);

#endif
