/* content_rows.h - xfer/rows.h in the shape of a value. */
#ifndef CS_DISK_CONTENT_ROWS_H
#define CS_DISK_CONTENT_ROWS_H

#include "xfer/rows.h"

typedef struct cs_row_maker {
    uint32_t folder;
    void *arg;
    void (*row)(void *arg, cs_slice_t key, cs_slice_t value);
    cs_content_rows_t *rows; /* owned; zero-initialise */
} cs_row_maker_t;

static inline cs_content_sink_t cs_row_maker_begin(cs_row_maker_t *maker)
{
    if (maker->rows == NULL) {
        maker->rows = cs_content_rows_new(maker->folder, maker->arg, maker->row);
    }
    return *cs_content_rows_begin(maker->rows);
}

static inline void cs_row_maker_end(cs_row_maker_t *maker)
{
    cs_content_rows_end(maker->rows);
}

static inline void cs_row_maker_fini(cs_row_maker_t *maker)
{
    cs_content_rows_destroy(&maker->rows);
}

#endif
