/* watch_text_test.c - the live screen as text: progress, rates, widths, what is said of what
 * waits. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/table.h"
#include "cmd/watch.h"

static json_t *status(unsigned files, unsigned bytes, unsigned in)
{
    return json_pack("{s:{s:s,s:s},s:[{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:[{s:s,s:s,s:s,s:[s]}]}],s:"
                     "[{s:s,s:s,s:s,"
                     "s:i,s:i,s:{s:b}}]}",
                     "node", "name", "laptop", "id", "5ae1", "folders", "id", "docs", "state",
                     files > 0 ? "syncing" : "idle", "files", 10, "bytes", 2048, "conflicts", 1,
                     "needed_files", (int)files, "needed_bytes", (int)bytes, "errors", "path",
                     "d\xc3\xa9j\xc3\xa0/vu", "reason", "missing content", "by", "bob", "from",
                     "carol", "peers", "id", "77aa", "name", "desk", "state", "connected",
                     "bytes_in", (int)in, "bytes_out", 0, "equal", "docs", 0);
}

static char *draw(const cs_watch_t *watch, const json_t *document, size_t width, size_t height,
                  bool color)
{
    static char text[65536];
    cs_buf_t buf = {0};
    const cs_watch_view_t view = {width, height, color, "12:34:56"};
    cs_watch_draw(watch, document, &view, &buf);
    cr_assert_lt(buf.len, sizeof text);
    memcpy(text, buf.data, buf.len);
    text[buf.len] = '\0';
    cs_buf_fini(&buf);
    return text;
}

static void has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "no '%s' in: %s", part, text);
}

/* 100 files of 1,000,000 bytes; after 10 s of even work half are there. */
static void work(cs_watch_t *watch)
{
    for (unsigned i = 0; i <= 10; i++) {
        json_t *document = status(100 - 5 * i, 1000000 - 50000 * i, 60000 * i);
        cs_watch_take(watch, document, 1000 + 1000 * i);
        json_decref(document);
    }
}

Test(watch, shows_progress_rate_and_time_left)
{
    static cs_watch_t watch;
    work(&watch);
    json_t *document = status(50, 500000, 600000);
    const char *text = draw(&watch, document, 100, 24, false);
    has(text, "node laptop   in ");
    has(text, "12:34:56");
    has(text, "docs         syncing   [############-------------]  50 %  ");
    has(text, " s left, ");
    has(text, " KiB/s, 50 files, 488.3 KiB");
    has(text, "  missing content: d\xc3\xa9j\xc3\xa0/vu waits for carol\n");
    has(text, "desk         connected differs in docs\n");
    cr_assert_null(strchr(text, '\033'));
    has(draw(&watch, document, 100, 24, true), "\033[33mdocs ");
    json_decref(document);
}

Test(watch, shows_each_large_file_that_comes)
{
    static cs_watch_t watch;
    work(&watch);
    json_t *document = status(50, 500000, 600000);
    json_t *folder = json_array_get(json_object_get(document, "folders"), 0);
    json_object_set_new(folder, "transfers",
                        json_pack("[{s:s,s:i,s:i,s:i,s:i},{s:s,s:i,s:i}]", "path",
                                  "big/one.iso", "bytes", 3 << 20, "size", 4 << 20, "rate",
                                  1 << 20, "seconds_left", 1, "path", "rests", "bytes", 0,
                                  "size", 0));
    const char *text = draw(&watch, document, 100, 24, false);
    has(text, "  [##################-------]  75 %  1 s left, 1.0 MiB/s, 3.0 MiB of 4.0 MiB  "
              "big/one.iso\n");
    has(text, "  [-------------------------]   0 %  0 B of 0 B  rests\n");
    json_decref(document);
}

Test(watch, shows_how_far_a_scan_is)
{
    static cs_watch_t watch;
    json_t *document = status(0, 0, 0);
    json_t *folder = json_array_get(json_object_get(document, "folders"), 0);
    json_object_set_new(folder, "state", json_string("scanning"));
    json_object_set_new(folder, "scan", json_pack("{s:i,s:i}", "looked_at", 7, "of", 10));
    has(draw(&watch, document, 100, 24, false), "docs         scanning  7 looked at of 10\n");
    json_object_set_new(folder, "scan", json_pack("{s:i}", "looked_at", 11));
    has(draw(&watch, document, 100, 24, false), "docs         scanning  11 looked at\n");
    json_decref(document);
}

Test(watch, shows_what_goes_on_with_a_peer)
{
    static cs_watch_t watch;
    json_t *document = status(50, 500000, 600000);
    json_t *peer = json_array_get(json_object_get(document, "peers"), 0);
    json_object_set_new(peer, "folders",
                        json_pack("{s:{s:s,s:{s:i,s:b,s:i,s:i}}}", "docs", "state",
                                  "exchanging", "exchange", "differences", 34, "found_all", 0,
                                  "entries_in", 7, "entries_out", 5));
    has(draw(&watch, document, 100, 24, false),
        "desk         connected differs in docs (exchanging, 12 of 34 differences found so "
        "far)\n");
    json_object_set_new(
        peer, "folders",
        json_pack("{s:{s:s,s:s}}", "docs", "state", "refused", "why", "it is busy"));
    has(draw(&watch, document, 100, 24, false),
        "desk         connected differs in docs (refused: it is busy)\n");
    json_decref(document);
}

Test(watch, begins_anew_when_all_is_done)
{
    static cs_watch_t watch;
    work(&watch);
    json_t *document = status(0, 0, 600000);
    cs_watch_take(&watch, document, 20000);
    has(draw(&watch, document, 100, 24, false),
        "docs         idle      10 files, 2.0 KiB, 1 conflict\n");
    json_decref(document);
    document = status(10, 100, 600000);
    cs_watch_take(&watch, document, 21000);
    has(draw(&watch, document, 100, 24, false), "]   0 %  10 files, 100 B to come\n");
    json_decref(document);
}

Test(watch, is_never_wider_nor_higher_than_the_screen)
{
    static cs_watch_t watch;
    work(&watch);
    json_t *document = status(50, 500000, 600000);
    for (size_t width = 1; width < 200; width++) {
        for (size_t height = 1; height < 12; height++) {
            char *text = draw(&watch, document, width, height, false);
            size_t lines = 0;
            for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
                cr_assert_leq(cs_text_width(line), width);
                lines++;
            }
            cr_assert_leq(lines, height < 2 ? 2 : height);
        }
    }
    has(draw(&watch, document, 100, 4, false), " lines more\n");
    /* On a narrow one, no bar, but how far it is. */
    const char *text = draw(&watch, document, 40, 24, false);
    cr_assert_null(strchr(text, '['));
    has(text, " 50 %");
    json_decref(document);
}

Test(watch, says_it_in_lines_for_a_log)
{
    static cs_watch_t watch;
    cs_buf_t line = {0};
    work(&watch);
    json_t *document = status(50, 500000, 600000);
    cr_assert(cs_watch_line(&watch, document, 0, &line));
    cs_buf_put_u8(&line, 0);
    has((const char *)line.data, "docs syncing: ");
    has((const char *)line.data, " KiB/s, 50 files, 488.3 KiB to come, 1 error");
    cr_assert_not(cs_watch_line(&watch, document, 1, &line));
    cs_buf_fini(&line);
    json_decref(document);
}

/* Where bytes are guessed, from some of very many files, their number tells how far it is. */
Test(watch, guesses_are_no_progress)
{
    static cs_watch_t watch;
    for (int i = 0; i <= 4; i++) {
        json_t *document = status((unsigned)(100 - 10 * i), i % 2 == 0 ? 900000 : 100000, 0);
        json_t *folder = json_array_get(json_object_get(document, "folders"), 0);
        json_object_set_new(folder, "needed_bytes_estimated", json_true());
        cs_watch_take(&watch, document, 1000 + 1000 * (uint64_t)i);
        if (i == 4) {
            has(draw(&watch, document, 120, 24, false), "]  40 %  ");
            has(draw(&watch, document, 120, 24, false), " files/s, 60 files, about 878.9 KiB");
        }
        json_decref(document);
    }
}
