/* event_ring_test.c - the ring of events: numbers, bounds, gaps. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "io/events.h"

static void add(cs_events_t *events, size_t text_len)
{
    char text[5001];
    memset(text, 'x', sizeof text);
    text[text_len] = '\0';
    cs_json_t json = {0};
    cs_events_begin(events, "test", &json);
    cs_json_put_text(&json, "text", text);
    cs_events_add(events, &json);
}

/* Those after `after`, in order; their number. */
static uint64_t count_after(const cs_events_t *events, uint64_t after, uint64_t *ret_gap)
{
    uint64_t seq, gap, count = 0;
    cs_slice_t line;
    *ret_gap = 0;
    while (cs_events_after(events, after, &seq, &line, &gap)) {
        char head[32];
        snprintf(head, sizeof head, "{\"seq\":%llu,", (unsigned long long)seq);
        cr_assert(cs_slice_has_prefix(line, cs_slice_text(head)));
        cr_assert_eq(seq, after + gap + 1);
        cr_assert(gap == 0 || count == 0, "only before the first");
        *ret_gap += gap;
        after = seq;
        count++;
    }
    return count;
}

Test(events, are_numbered_from_where_they_were)
{
    uint64_t gap;
    cs_events_t *events = cs_events_new(1000);
    cr_assert_eq(count_after(events, 999, &gap), 0);
    add(events, 3);
    add(events, 3);
    cr_assert_eq(cs_events_next_seq(events), 1002);
    cr_assert_eq(count_after(events, 999, &gap), 2);
    cr_assert_eq(gap, 0);
    cr_assert_eq(count_after(events, 1000, &gap), 1);
    cr_assert_eq(count_after(events, 1001, &gap), 0);
    cr_assert_eq(count_after(events, 5000, &gap), 0);
    /* A number of an earlier life: what is between is gone. */
    cr_assert_eq(count_after(events, 7, &gap), 2);
    cr_assert_eq(gap, 992);
    cs_events_destroy(&events);
}

Test(events, the_oldest_are_dropped_beyond_their_number)
{
    uint64_t gap;
    cs_events_t *events = cs_events_new(1);
    for (uint32_t i = 0; i < CS_EVENTS_MAX; i++) {
        add(events, 1);
    }
    cr_assert_eq(count_after(events, 0, &gap), CS_EVENTS_MAX);
    cr_assert_eq(gap, 0);
    add(events, 1);
    cr_assert_eq(count_after(events, 0, &gap), CS_EVENTS_MAX);
    cr_assert_eq(gap, 1);
    cr_assert_eq(count_after(events, 1, &gap), CS_EVENTS_MAX);
    cr_assert_eq(gap, 0);
    cs_events_destroy(&events);
}

Test(events, the_oldest_are_dropped_beyond_their_bytes)
{
    uint64_t seq, gap, bytes = 0;
    cs_slice_t line;
    cs_events_t *events = cs_events_new(1);
    for (uint32_t i = 0; i < 1000; i++) {
        add(events, 5000);
    }
    for (uint64_t after = 0; cs_events_after(events, after, &seq, &line, &gap); after = seq) {
        bytes += line.len;
    }
    cr_assert_leq(bytes, CS_EVENTS_BYTES_MAX);
    cr_assert_gt(bytes + 6000, CS_EVENTS_BYTES_MAX);
    cs_events_destroy(&events);
}
