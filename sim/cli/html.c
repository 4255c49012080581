/* html.c - pages that need nothing else, and are well-formed XML as well. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/cli/chart.h"
#include "sim/cli/cli.h"

void cs_html_text(cs_buf_t *ret, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '<') {
            cs_buf_printf(ret, "&lt;");
        } else if (*c == '>') {
            cs_buf_printf(ret, "&gt;");
        } else if (*c == '&') {
            cs_buf_printf(ret, "&amp;");
        } else if (*c == '"') {
            cs_buf_printf(ret, "&quot;");
        } else if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127) {
            cs_buf_put_u8(ret, '?');
        } else {
            cs_buf_put_u8(ret, (uint8_t)*c);
        }
    }
}

void cs_html_element(cs_buf_t *ret, const char *open, const char *text, const char *close)
{
    cs_buf_put_slice(ret, cs_slice_text(open));
    cs_html_text(ret, text);
    cs_buf_put_slice(ret, cs_slice_text(close));
}

void cs_html_begin(cs_buf_t *ret, const char *title)
{
    cs_buf_printf(ret, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
                       "lang=\"en\">\n<head><meta charset=\"utf-8\"/><title>");
    cs_html_text(ret, title);
    cs_buf_printf(ret,
                  "</title>\n<style>\n"
                  "body { font: 15px/1.45 sans-serif; color: #1c1c1c; background: #fff; "
                  "margin: 24px; }\n"
                  "h1 { font-size: 22px; } h2 { font-size: 17px; margin-top: 28px; }\n"
                  "p { max-width: 760px; }\n"
                  "svg { display: block; margin: 14px 0; }\n"
                  "svg text { font: 13px sans-serif; fill: #1c1c1c; }\n"
                  "svg text.title { font-size: 15px; font-weight: bold; }\n"
                  "svg text.small { font-size: 11px; }\n"
                  "table { border-collapse: collapse; font-size: 14px; }\n"
                  "td, th { border: 1px solid #ccc; padding: 3px 9px; text-align: right; }\n"
                  "th { background: #f2f2f2; }\n"
                  ".failed { color: #a00000; font-weight: bold; }\n"
                  "code { background: #f2f2f2; padding: 1px 4px; }\n"
                  ".wide { overflow-x: auto; border: 1px solid #ddd; }\n"
                  "</style></head>\n<body>\n<h1>");
    cs_html_text(ret, title);
    cs_buf_printf(ret, "</h1>\n");
}

void cs_html_end(cs_buf_t *ret)
{
    cs_buf_printf(ret, "</body></html>\n");
}

bool cs_html_write(const char *path, const cs_buf_t *page)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(page->data, 1, page->len, file) == page->len;
    if (file != NULL) ok = fclose(file) == 0 && ok;
    if (!ok) cs_sim_complain("%s: the report cannot be written: %s", path, strerror(errno));
    return ok;
}
