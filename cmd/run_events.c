/* run_events.c - events: a line each, until the node or the reader goes away. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "cmd/show.h"

#define TIME_AT  11 /* of the clock in "2024-05-06T07:08:09.123Z" */
#define TIME_LEN 8

/* " 12 files, 3.4 MiB to come, 5 s left" */
static void print_left(const json_t *event)
{
    uint64_t files = cs_number_of(event, "needed_files"),
             seconds = cs_number_of(event, "seconds_left");
    if (files == 0) return;
    cs_buf_t text = {0};
    cs_buf_printf(&text, " %llu file%s, ", (unsigned long long)files, files == 1 ? "" : "s");
    cs_put_size(&text, cs_number_of(event, "needed_bytes"));
    cs_buf_printf(&text, " to come");
    if (seconds > 0) cs_buf_printf(&text, ", %llu s left", (unsigned long long)seconds);
    fwrite(text.data, 1, text.len, stdout);
    cs_buf_fini(&text);
}

/* " laptop done, 3 in, 1 out, 1.2 KiB, 2 round trips" */
static void print_exchange(const json_t *event)
{
    const char *end = cs_text_of(event, "end");
    if (end[0] == '\0') return;
    unsigned long long trips = cs_number_of(event, "round_trips");
    cs_buf_t text = {0};
    cs_buf_put_u8(&text, ' ');
    cs_put_visible(&text, cs_text_of(event, "peer"));
    cs_buf_printf(&text, " %s, %llu in, %llu out, ", end,
                  (unsigned long long)cs_number_of(event, "entries_in"),
                  (unsigned long long)cs_number_of(event, "entries_out"));
    cs_put_size(&text, cs_number_of(event, "bytes_in") + cs_number_of(event, "bytes_out"));
    cs_buf_printf(&text, ", %llu round trip%s", trips, trips == 1 ? "" : "s");
    fwrite(text.data, 1, text.len, stdout);
    cs_buf_fini(&text);
}

/* The clock in UTC, as in the log. */
static void print_event(void *arg, const json_t *event)
{
    (void)arg;
    static const char *const counts[] = {"added", "changed", "moved", "removed"};
    const char *time = cs_text_of(event, "time");
    if (strlen(time) > TIME_AT + TIME_LEN) printf("%.*s ", TIME_LEN, time + TIME_AT);
    printf("%llu %s", (unsigned long long)cs_number_of(event, "seq"),
           cs_text_of(event, "type"));
    const char *const words[] = {cs_text_of(event, "folder"), cs_text_of(event, "state"),
                                 cs_text_of(event, "path"), cs_text_of(event, "text")};
    for (size_t i = 0; i < CS_COUNT_OF(words); i++) {
        if (words[i][0] == '\0') continue;
        putchar(' ');
        cs_print_visible(words[i]);
    }
    for (size_t i = 0; i < CS_COUNT_OF(counts); i++) {
        uint64_t count = cs_number_of(event, counts[i]);
        if (count > 0) printf(" %llu %s", (unsigned long long)count, counts[i]);
    }
    print_exchange(event);
    print_left(event);
    putchar('\n');
}

int cs_run_events(cs_run_t *run)
{
    const char *since = cs_args_value(&run->args, "since");
    json_t *request = cs_request_new(run, "events", 0);
    if (since != NULL) {
        char *end;
        errno = 0;
        long long number = strtoll(since, &end, 10);
        bool good = end != since && *end == '\0' && errno == 0 && number >= 0;
        if (!good) {
            cs_complain("wrong usage: --since '%s' is no number of an event; give the last one "
                        "that was seen, or 0",
                        since);
            json_decref(request);
            return CS_EXIT_USAGE;
        }
        json_object_set_new(request, "since", json_integer(number));
    }
    cs_show_t show = {.item = print_event, .live = true};
    return cs_client_ask(run, &request, CS_NEEDS_NODE, &show);
}
