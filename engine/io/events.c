/* events.c - see events.h. */
#include "io/events.h"

#include "base/mem.h"
#include "io/clock.h"

struct cs_events {
    cs_buf_t line[CS_EVENTS_MAX]; /* of number n at n % CS_EVENTS_MAX */
    uint64_t first, next;         /* kept: [first, next) */
    uint64_t bytes;               /* of their lines */
};

cs_events_t *cs_events_new(uint64_t first_seq)
{
    cs_events_t *events = cs_calloc(1, sizeof *events);
    events->first = events->next = first_seq;
    return events;
}

static cs_buf_t *line_of(cs_events_t *events, uint64_t seq)
{
    return &events->line[seq % CS_EVENTS_MAX];
}

static void drop_first(cs_events_t *events)
{
    cs_buf_t *line = line_of(events, events->first++);
    events->bytes -= line->len;
    cs_buf_fini(line);
}

void cs_events_destroy(cs_events_t **events_p)
{
    cs_events_t *events = *events_p;
    *events_p = NULL;
    if (events == NULL) return;
    while (events->first < events->next) {
        drop_first(events);
    }
    cs_free(events);
}

void cs_events_begin(cs_events_t *events, const char *type, cs_json_t *ret)
{
    char time[25];
    cs_clock_format(cs_clock_wall_ms(), time);
    cs_json_begin(ret, '{');
    cs_json_put_u64(ret, "seq", events->next);
    cs_json_put_text(ret, "time", time);
    cs_json_put_text(ret, "type", type);
}

void cs_events_add(cs_events_t *events, cs_json_t *event_p)
{
    cs_json_end(event_p, '}');
    if (events->next - events->first == CS_EVENTS_MAX) drop_first(events);
    cs_slice_t line = cs_json_line(event_p);
    cs_buf_put_slice(line_of(events, events->next++), line);
    events->bytes += line.len;
    cs_json_fini(event_p);
    while (events->bytes > CS_EVENTS_BYTES_MAX && events->next - events->first > 1) {
        drop_first(events);
    }
}

uint64_t cs_events_next_seq(const cs_events_t *events)
{
    return events->next;
}

bool cs_events_after(const cs_events_t *events, uint64_t after, uint64_t *ret_seq,
                     cs_slice_t *ret_line, uint64_t *ret_gap)
{
    uint64_t seq = after + 1;
    *ret_gap = 0;
    if (seq < events->first) {
        *ret_gap = events->first - seq;
        seq = events->first;
    }
    if (seq >= events->next) return false;
    *ret_seq = seq;
    *ret_line = cs_buf_slice(&events->line[seq % CS_EVENTS_MAX]);
    return true;
}
