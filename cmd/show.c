/* show.c - see show.h. */
#include "cmd/show.h"

#include <stdio.h>

const char *cs_text_of(const json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text != NULL ? text : "";
}

uint64_t cs_number_of(const json_t *document, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(document, key));
}

bool cs_true_of(const json_t *document, const char *key)
{
    return json_is_true(json_object_get(document, key));
}

void cs_print_visible(const char *text)
{
    cs_buf_t buf = {0};
    cs_put_visible(&buf, text);
    fwrite(buf.data, 1, buf.len, stdout);
    cs_buf_fini(&buf);
}

void cs_print_size(uint64_t bytes, int width)
{
    cs_buf_t buf = {0};
    cs_put_size(&buf, bytes);
    printf("%*.*s", width, (int)buf.len, (const char *)buf.data);
    cs_buf_fini(&buf);
}

void cs_short_of(const json_t *document, const char *key, char ret[CS_SHORT_HASH + 1])
{
    snprintf(ret, CS_SHORT_HASH + 1, "%s", cs_text_of(document, key));
}

static void put_exchange(const json_t *exchange, cs_buf_t *buf)
{
    unsigned long long done =
        cs_number_of(exchange, "entries_in") + cs_number_of(exchange, "entries_out");
    unsigned long long all = cs_number_of(exchange, "differences");
    cs_buf_printf(buf, "exchanging, ");
    if (all >= done && all > 0) {
        cs_buf_printf(buf, "%llu of %llu differences%s", done, all,
                      cs_true_of(exchange, "found_all") ? "" : " found so far");
    } else {
        cs_buf_printf(buf, "%llu entries so far", done);
    }
}

void cs_put_shared(const json_t *folder, const char *before, const char *after, cs_buf_t *buf)
{
    const json_t *exchange = json_object_get(folder, "exchange");
    const char *why = cs_text_of(folder, "why");
    if (exchange == NULL && why[0] == '\0') return;
    cs_buf_printf(buf, "%s", before);
    if (exchange != NULL) {
        put_exchange(exchange, buf);
    } else {
        cs_buf_printf(buf, "%s: %s", cs_text_of(folder, "state"), why);
    }
    cs_buf_printf(buf, "%s", after);
}

bool cs_put_scan(const json_t *folder, cs_buf_t *buf)
{
    const json_t *scan = json_object_get(folder, "scan");
    if (scan == NULL) return false;
    uint64_t all = cs_number_of(scan, "of");
    cs_buf_printf(buf, "%llu looked at", (unsigned long long)cs_number_of(scan, "looked_at"));
    if (all > 0) cs_buf_printf(buf, " of %llu", (unsigned long long)all);
    return true;
}
