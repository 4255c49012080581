/* watch.c - see watch.h. */
#include "cmd/watch.h"

#include <stdio.h>
#include <string.h>

#include "cmd/show.h"
#include "io/json_out.h"

#define SMOOTH      0.3 /* weight of the newest rate: a jump has faded after some seconds */
#define RATE_MIN    1.0 /* a second; below there is nothing to say of the time left */
#define ERRORS_MAX  5u  /* lines of a folder */
#define BAR_MAX     40u /* characters */
#define BAR_MIN     10u /* a shorter one says nothing: left out */
#define NAME_WIDTH  12
#define STATE_WIDTH 9
#define NARROW      ((size_t)60) /* below, only what matters most */

static double smooth(double old, double now)
{
    return old + SMOOTH * (now - old);
}

/* --- what changed */

static cs_watch_work_t *work_of(cs_watch_t *watch, const char *id)
{
    for (size_t i = 0; i < CS_WATCH_FOLDERS_MAX; i++) {
        cs_watch_work_t *work = &watch->work[i];
        if (work->id[0] == '\0') snprintf(work->id, sizeof work->id, "%s", id);
        if (strcmp(work->id, id) == 0) return work;
    }
    return NULL;
}

static uint64_t less(uint64_t before, uint64_t now)
{
    return before > now ? before - now : 0;
}

static void take_folder(cs_watch_work_t *work, const json_t *folder, double seconds)
{
    uint64_t files = cs_number_of(folder, "needed_files");
    uint64_t bytes = cs_number_of(folder, "needed_bytes");
    bool guessed = cs_true_of(folder, "needed_bytes_estimated");
    bool comparable = !guessed && !work->guessed;
    if (work->known && seconds > 0) {
        uint64_t files_done = less(work->files, files),
                 bytes_done = comparable ? less(work->bytes, bytes) : 0;
        work->files_done += files_done;
        work->bytes_done += bytes_done;
        work->files_rate = smooth(work->files_rate, (double)files_done / seconds);
        work->bytes_rate = smooth(work->bytes_rate, (double)bytes_done / seconds);
    }
    if (files == 0) {
        work->files_done = work->bytes_done = 0;
        work->files_rate = work->bytes_rate = 0;
    }
    work->known = true;
    work->guessed = guessed;
    work->files = files;
    work->bytes = bytes;
}

static uint64_t sum_of(const json_t *peers, const char *key)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < json_array_size(peers); i++) {
        sum += cs_number_of(json_array_get(peers, i), key);
    }
    return sum;
}

void cs_watch_take(cs_watch_t *watch, const json_t *document, uint64_t now_ms)
{
    const json_t *folders = json_object_get(document, "folders");
    const json_t *peers = json_object_get(document, "peers");
    double seconds = watch->at_ms == 0 ? 0 : (double)(now_ms - watch->at_ms) / 1000;
    for (size_t i = 0; i < json_array_size(folders); i++) {
        const json_t *folder = json_array_get(folders, i);
        cs_watch_work_t *work = work_of(watch, cs_text_of(folder, "id"));
        if (work != NULL) take_folder(work, folder, seconds);
    }
    uint64_t in = sum_of(peers, "bytes_in"), out = sum_of(peers, "bytes_out");
    if (seconds > 0) {
        /* Sums fall when a peer goes: its bytes are no traffic backwards. */
        watch->in_rate = smooth(watch->in_rate, (double)less(in, watch->in) / seconds);
        watch->out_rate = smooth(watch->out_rate, (double)less(out, watch->out) / seconds);
    }
    watch->in = in;
    watch->out = out;
    watch->at_ms = now_ms;
}

/* --- text */

static const cs_watch_work_t *find(const cs_watch_t *watch, const char *id)
{
    static const cs_watch_work_t none = {.known = false};
    for (size_t i = 0; i < CS_WATCH_FOLDERS_MAX; i++) {
        if (strcmp(watch->work[i].id, id) == 0) return &watch->work[i];
    }
    return &none;
}

static double part(uint64_t done, uint64_t left)
{
    return done + left == 0 ? 0 : (double)done / (double)(done + left);
}

/* 0..1000 of what was to be done since the folder was idle: files and bytes count alike. */
static unsigned done_of(const cs_watch_work_t *work)
{
    double files = part(work->files_done, work->files);
    bool has_bytes = !work->guessed && work->bytes + work->bytes_done > 0;
    double done = has_bytes ? (files + part(work->bytes_done, work->bytes)) / 2 : files;
    return (unsigned)(1000 * done);
}

static void put_time(cs_buf_t *buf, double seconds)
{
    if (seconds < 60) {
        cs_buf_printf(buf, "%.0f s", seconds < 1 ? 1 : seconds);
    } else if (seconds < 3600) {
        cs_buf_printf(buf, "%.0f min", seconds / 60);
    } else if (seconds < 100 * 3600.0) {
        cs_buf_printf(buf, "%.0f h", seconds / 3600);
    } else {
        cs_buf_printf(buf, "days");
    }
}

static void put_rate(cs_buf_t *buf, double rate)
{
    cs_put_size(buf, rate < 0 ? 0 : (uint64_t)rate);
    cs_buf_printf(buf, "/s");
}

/* What matters most comes first, for a line may be cut: "3 s left, 1.2 MiB/s, 12 files, 3.4 MiB
 * to come". */
static void put_work(const cs_watch_work_t *work, cs_buf_t *buf)
{
    bool by_bytes = work->bytes > 0 && !work->guessed;
    double rate = by_bytes ? work->bytes_rate : work->files_rate;
    if (rate >= RATE_MIN) {
        put_time(buf, (double)(by_bytes ? work->bytes : work->files) / rate);
        cs_buf_printf(buf, " left, ");
        if (by_bytes) {
            put_rate(buf, rate);
        } else {
            cs_buf_printf(buf, "%.0f files/s", rate);
        }
        cs_buf_printf(buf, ", ");
    }
    cs_buf_printf(buf, "%llu file%s", (unsigned long long)work->files,
                  work->files == 1 ? "" : "s");
    if (work->bytes > 0) {
        cs_buf_printf(buf, work->guessed ? ", about " : ", ");
        cs_put_size(buf, work->bytes);
    }
    cs_buf_printf(buf, " to come");
}

static void put_idle(const json_t *folder, cs_buf_t *buf)
{
    if (cs_put_scan(folder, buf)) return;
    uint64_t conflicts = cs_number_of(folder, "conflicts");
    cs_buf_printf(buf, "%llu files, ", (unsigned long long)cs_number_of(folder, "files"));
    cs_put_size(buf, cs_number_of(folder, "bytes"));
    if (conflicts > 0) {
        cs_buf_printf(buf, ", %llu conflict%s", (unsigned long long)conflicts,
                      conflicts == 1 ? "" : "s");
    }
}

bool cs_watch_line(const cs_watch_t *watch, const json_t *document, size_t index, cs_buf_t *ret)
{
    const json_t *folder = json_array_get(json_object_get(document, "folders"), index);
    cs_buf_clear(ret);
    if (folder == NULL) return false;
    const cs_watch_work_t *work = find(watch, cs_text_of(folder, "id"));
    cs_buf_printf(ret, "%s %s: ", cs_text_of(folder, "id"), cs_text_of(folder, "state"));
    if (work->files > 0) {
        put_work(work, ret);
    } else {
        put_idle(folder, ret);
    }
    size_t errors = json_array_size(json_object_get(folder, "errors"));
    if (errors > 0) cs_buf_printf(ret, ", %zu error%s", errors, errors == 1 ? "" : "s");
    return true;
}

/* --- the screen */

typedef struct screen {
    const cs_watch_view_t *view;
    cs_buf_t *out;
    cs_buf_t line;
    size_t lines, left_out;
} screen_t;

/* As many characters as there is room for: the rest of a line would wrap. */
static void put_clipped(cs_buf_t *out, const cs_buf_t *line, size_t width)
{
    size_t at = 0, columns = 0;
    while (at < line->len) {
        size_t len = cs_utf8_next(cs_slice(line->data + at, line->len - at));
        if (len == 0) len = 1;
        char one[8] = "";
        memcpy(one, line->data + at, len);
        size_t wide = cs_text_width(one);
        if (columns + wide > width) return;
        cs_buf_put(out, line->data + at, len);
        columns += wide;
        at += len;
    }
}

/* Ends the line that was put together. color: of an SGR sequence, NULL: plain. */
static void end_line(screen_t *screen, const char *color)
{
    /* The last line is left free, so that nothing scrolls; the one before may say "more". */
    if (screen->lines + 2 >= screen->view->height) {
        screen->left_out++;
    } else {
        bool colored = color != NULL && screen->view->color;
        if (colored) cs_buf_printf(screen->out, "\033[%sm", color);
        put_clipped(screen->out, &screen->line, screen->view->width);
        if (colored) cs_buf_printf(screen->out, "\033[0m");
        cs_buf_put_u8(screen->out, '\n');
        screen->lines++;
    }
    cs_buf_clear(&screen->line);
}

/* Flush left in so many columns. */
static void put_padded(cs_buf_t *line, const char *text, size_t width)
{
    cs_buf_t visible = {0};
    cs_put_visible(&visible, text);
    cs_buf_put_slice(line, cs_buf_slice(&visible));
    cs_buf_put_u8(&visible, 0);
    for (size_t have = cs_text_width((const char *)visible.data); have < width; have++) {
        cs_buf_put_u8(line, ' ');
    }
    cs_buf_put_u8(line, ' ');
    cs_buf_fini(&visible);
}

static void put_bar(const cs_watch_view_t *view, unsigned done, cs_buf_t *line)
{
    size_t room = view->width > 2 * NARROW ? BAR_MAX : view->width / 4;
    if (view->width < NARROW || room < BAR_MIN) return;
    size_t full = room * done / 1000;
    cs_buf_put_u8(line, '[');
    for (size_t i = 0; i < room; i++) {
        cs_buf_put_u8(line, i < full ? '#' : '-');
    }
    cs_buf_printf(line, "] ");
}

static void draw_errors(screen_t *screen, const json_t *folder)
{
    const json_t *errors = json_object_get(folder, "errors");
    size_t count = json_array_size(errors), shown = count < ERRORS_MAX ? count : ERRORS_MAX;
    for (size_t i = 0; i < shown; i++) {
        const json_t *error = json_array_get(errors, i);
        const json_t *from = json_object_get(error, "from");
        cs_buf_printf(&screen->line, "  %s: ", cs_text_of(error, "reason"));
        cs_put_visible(&screen->line, cs_text_of(error, "path"));
        if (from != NULL) {
            cs_buf_printf(&screen->line, " waits for ");
            const char *who = json_string_value(json_array_get(from, 0));
            cs_put_visible(&screen->line, who != NULL ? who : cs_text_of(error, "by"));
        }
        end_line(screen, "31");
    }
    uint64_t total = cs_number_of(folder, "errors_total");
    if (total < count) total = count;
    if (total > shown) {
        cs_buf_printf(&screen->line, "  and %llu more: crdtsync status -v",
                      (unsigned long long)(total - shown));
        end_line(screen, "31");
    }
}

/* Large files on their way, each with a bar of its own. */
static void draw_transfers(screen_t *screen, const json_t *folder)
{
    const json_t *transfers = json_object_get(folder, "transfers");
    for (size_t i = 0; i < json_array_size(transfers); i++) {
        const json_t *transfer = json_array_get(transfers, i);
        uint64_t here = cs_number_of(transfer, "bytes"), size = cs_number_of(transfer, "size");
        unsigned done = (unsigned)(1000 * part(here, size - here));
        double rate = (double)cs_number_of(transfer, "rate");
        cs_buf_t *line = &screen->line;
        cs_buf_printf(line, "  ");
        put_bar(screen->view, done, line);
        cs_buf_printf(line, "%3u %%  ", done / 10);
        if (rate >= RATE_MIN) {
            put_time(line, (double)cs_number_of(transfer, "seconds_left"));
            cs_buf_printf(line, " left, ");
            put_rate(line, rate);
            cs_buf_printf(line, ", ");
        }
        cs_put_size(line, here);
        cs_buf_printf(line, " of ");
        cs_put_size(line, size);
        cs_buf_printf(line, "  ");
        cs_put_visible(line, cs_text_of(transfer, "path"));
        end_line(screen, "33");
    }
}

static void draw_folder(screen_t *screen, const cs_watch_t *watch, const json_t *folder)
{
    const cs_watch_work_t *work = find(watch, cs_text_of(folder, "id"));
    const char *state = cs_text_of(folder, "state");
    bool bad = strcmp(state, "error") == 0 || strcmp(state, "held") == 0;
    cs_buf_t *line = &screen->line;
    put_padded(line, cs_text_of(folder, "id"), NAME_WIDTH);
    put_padded(line, state, STATE_WIDTH);
    if (work->files > 0) {
        unsigned done = done_of(work);
        put_bar(screen->view, done, line);
        cs_buf_printf(line, "%3u %%  ", done / 10);
        put_work(work, line);
    } else {
        put_idle(folder, line);
    }
    end_line(screen, bad ? "31" : work->files > 0 ? "33" : "32");
    if (cs_text_of(folder, "error")[0] != '\0') {
        const char *remedy = cs_text_of(folder, "remedy");
        cs_buf_printf(line, "  %s%s%s", cs_text_of(folder, "error"),
                      remedy[0] != '\0' ? "; " : "", remedy);
        end_line(screen, "31");
    }
    draw_transfers(screen, folder);
    draw_errors(screen, folder);
}

static void draw_peer(screen_t *screen, const json_t *peer)
{
    json_t *equal = json_object_get(peer, "equal"), *value;
    const json_t *folders = json_object_get(peer, "folders");
    const char *folder, *state = cs_text_of(peer, "state"), *name = cs_text_of(peer, "name");
    cs_buf_t *line = &screen->line;
    size_t behind = 0;
    put_padded(line, name[0] != '\0' ? name : cs_text_of(peer, "id"), NAME_WIDTH);
    put_padded(line, state, STATE_WIDTH);
    json_object_foreach(equal, folder, value)
    {
        if (json_is_true(value)) continue;
        cs_buf_printf(line, behind++ == 0 ? "differs in %s" : ", %s", folder);
        cs_put_shared(json_object_get(folders, folder), " (", ")", line);
    }
    if (behind == 0) cs_buf_printf(line, "equal");
    end_line(screen, strcmp(state, "connected") != 0 ? "2" : NULL);
}

static void draw_head(screen_t *screen, const cs_watch_t *watch, const json_t *document)
{
    const json_t *node = json_object_get(document, "node");
    cs_buf_t *line = &screen->line;
    cs_buf_printf(line, "node ");
    cs_put_visible(line, cs_text_of(node, "name"));
    cs_buf_printf(line, "   in ");
    put_rate(line, watch->in_rate);
    cs_buf_printf(line, "   out ");
    put_rate(line, watch->out_rate);
    if (screen->view->clock != NULL) cs_buf_printf(line, "   %s", screen->view->clock);
    end_line(screen, "1");
}

void cs_watch_draw(const cs_watch_t *watch, const json_t *document, const cs_watch_view_t *view,
                   cs_buf_t *ret)
{
    const json_t *folders = json_object_get(document, "folders");
    const json_t *peers = json_object_get(document, "peers");
    screen_t screen = {.view = view, .out = ret};
    cs_buf_clear(ret);
    draw_head(&screen, watch, document);
    end_line(&screen, NULL);
    for (size_t i = 0; i < json_array_size(folders); i++) {
        draw_folder(&screen, watch, json_array_get(folders, i));
    }
    if (json_array_size(peers) > 0) end_line(&screen, NULL);
    for (size_t i = 0; i < json_array_size(peers); i++) {
        draw_peer(&screen, json_array_get(peers, i));
    }
    if (screen.left_out > 0) {
        cs_buf_t more = {0};
        cs_buf_printf(&more, "and %zu lines more", screen.left_out);
        put_clipped(ret, &more, view->width);
        cs_buf_put_u8(ret, '\n');
        cs_buf_fini(&more);
    }
    cs_buf_fini(&screen.line);
}
