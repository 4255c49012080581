/* table.h - aligned columns for people. */
#ifndef CS_CMD_TABLE_H
#define CS_CMD_TABLE_H

#include <stdio.h>

#include "base/buf.h"

#define CS_COLUMNS_MAX 12u

typedef struct cs_table {
    const char *const *header; /* borrowed */
    size_t columns;
    char **cell; /* owned; row by row */
    size_t count, cap;
} cs_table_t;

/* A header that begins with '>' makes its column flush right; the '>' is not shown. */
cs_table_t cs_table(const char *const *header, size_t columns);
/* The next cell, made presentable by cs_put_visible. */
void cs_table_add(cs_table_t *table, const char *text);
void cs_table_add_u64(cs_table_t *table, uint64_t value);
void cs_table_add_bytes(cs_table_t *table, uint64_t bytes);
/* Only the header if there are no rows. */
void cs_table_print(const cs_table_t *table, FILE *out, bool bold_header);
void cs_table_fini(cs_table_t *table);

/* Text for a terminal: control characters and bytes that are not UTF-8 as \xHH. */
void cs_put_visible(cs_buf_t *buf, const char *text);
/* "512 B", "1.5 MiB" */
void cs_put_size(cs_buf_t *buf, uint64_t bytes);
/* Columns that it takes on a terminal. */
size_t cs_text_width(const char *text);

#endif
