/* table.c - see table.h. */
#include "cmd/table.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "io/json_out.h"

#define GAP "  "

cs_table_t cs_table(const char *const *header, size_t columns)
{
    CS_ASSERT(columns > 0 && columns <= CS_COLUMNS_MAX);
    return (cs_table_t){.header = header, .columns = columns};
}

static void add_owned(cs_table_t *table, cs_buf_t *text_p)
{
    cs_buf_put_u8(text_p, 0);
    if (table->count == table->cap) {
        table->cap = cs_grow(table->cap, table->count + 1);
        table->cell = cs_realloc_array(table->cell, table->cap, sizeof(char *));
    }
    table->cell[table->count++] = (char *)text_p->data;
    *text_p = (cs_buf_t){0};
}

void cs_table_add(cs_table_t *table, const char *text)
{
    cs_buf_t buf = {0};
    cs_put_visible(&buf, text != NULL ? text : "");
    add_owned(table, &buf);
}

void cs_table_add_u64(cs_table_t *table, uint64_t value)
{
    cs_buf_t buf = {0};
    cs_buf_printf(&buf, "%llu", (unsigned long long)value);
    add_owned(table, &buf);
}

void cs_table_add_bytes(cs_table_t *table, uint64_t bytes)
{
    cs_buf_t buf = {0};
    cs_put_size(&buf, bytes);
    add_owned(table, &buf);
}

/* --- text */

void cs_put_visible(cs_buf_t *buf, const char *text)
{
    cs_slice_t rest = cs_slice_text(text);
    while (rest.len > 0) {
        size_t len = cs_utf8_next(rest);
        /* C1 controls are two bytes: c2 80 .. c2 9f. */
        bool control = (len == 1 && (rest.data[0] < 0x20 || rest.data[0] == 0x7f)) ||
                       (len == 2 && rest.data[0] == 0xc2 && rest.data[1] < 0xa0);
        if (len == 0 || control) {
            len = len == 0 ? 1 : len;
            for (size_t i = 0; i < len; i++) {
                cs_buf_printf(buf, "\\x%02x", (unsigned)rest.data[i]);
            }
        } else {
            cs_buf_put(buf, rest.data, len);
        }
        rest = cs_slice(rest.data + len, rest.len - len);
    }
}

void cs_put_size(cs_buf_t *buf, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        cs_buf_printf(buf, "%u B", (unsigned)bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < CS_COUNT_OF(units)) {
        value /= 1024;
        unit++;
    }
    cs_buf_printf(buf, "%.1f %s", value, units[unit]);
}

/* Reading the locale takes a tenth of the time that a short command takes: only where letters
 * ask for it. Numbers stay as they are. */
static int columns_of(wchar_t code)
{
    static bool is_set;
    if (code < 0x80) return 1;
    if (!is_set) setlocale(LC_CTYPE, "");
    is_set = true;
    return wcwidth(code);
}

/* Names are UTF-8 whatever the locale; where it cannot tell a width, one column. */
size_t cs_text_width(const char *text)
{
    cs_slice_t rest = cs_slice_text(text);
    size_t width = 0;
    while (rest.len > 0) {
        size_t len = cs_utf8_next(rest);
        if (len == 0) len = 1;
        static const uint8_t lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        wchar_t code = (wchar_t)(rest.data[0] & lead[len]);
        for (size_t i = 1; i < len; i++) {
            code = (wchar_t)((code << 6) | (rest.data[i] & 0x3f));
        }
        int columns = columns_of(code);
        width += columns >= 0 ? (size_t)columns : 1;
        rest = cs_slice(rest.data + len, rest.len - len);
    }
    return width;
}

/* --- printing */

static const char *header_text(const cs_table_t *table, size_t column)
{
    const char *text = table->header[column];
    return text[0] == '>' ? text + 1 : text;
}

static void put_row(const cs_table_t *table, const size_t *width, char *const *cells, FILE *out)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = cells != NULL ? cells[i] : header_text(table, i);
        size_t pad = width[i] - cs_text_width(text);
        bool right = table->header[i][0] == '>';
        bool last = i + 1 == table->columns;
        if (i > 0) fputs(GAP, out);
        if (right) fprintf(out, "%*s", (int)pad, "");
        fputs(text, out);
        if (!right && !last) fprintf(out, "%*s", (int)pad, "");
    }
}

void cs_table_print(const cs_table_t *table, FILE *out, bool bold_header)
{
    size_t width[CS_COLUMNS_MAX];
    CS_ASSERT(table->columns > 0);
    for (size_t i = 0; i < table->columns; i++) {
        width[i] = cs_text_width(header_text(table, i));
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        size_t own = cs_text_width(table->cell[i]);
        if (own > width[column]) width[column] = own;
    }
    if (bold_header) fputs("\033[1m", out);
    put_row(table, width, NULL, out);
    fputs(bold_header ? "\033[0m\n" : "\n", out);
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns) {
        put_row(table, width, table->cell + i, out);
        fputc('\n', out);
    }
}

void cs_table_fini(cs_table_t *table)
{
    for (size_t i = 0; i < table->count; i++) {
        cs_free(table->cell[i]);
    }
    cs_free(table->cell);
    *table = (cs_table_t){0};
}
