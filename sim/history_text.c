/* history_text.c - histories as text, which people read, keep, and shorten by hand. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "sim/history.h"

static const struct {
    const char *word;
    uint32_t needs;
} acts[] = {
#define X(name, word, needs, text) {word, needs},
    CS_ACT_MAP(X)
#undef X
};

uint32_t cs_act_needs(cs_act_kind_t kind)
{
    return acts[kind].needs;
}

const char *cs_act_word(cs_act_kind_t kind)
{
    return acts[kind].word;
}

/* Bytes that would end a word are %XX. */
static void print_path(const char *key, const char *path, cs_buf_t *ret)
{
    cs_buf_printf(ret, " %s=", key);
    for (; *path != '\0'; path++) {
        unsigned char c = (unsigned char)*path;
        if (c <= ' ' || c == '%' || c >= 0x7f) {
            cs_buf_printf(ret, "%%%02x", c);
        } else {
            cs_buf_put_u8(ret, c);
        }
    }
}

void cs_act_print(const cs_act_t *act, cs_buf_t *ret)
{
    uint32_t needs = acts[act->kind].needs;
    cs_buf_printf(ret, "%" PRIu64 ".%03u ", act->at_us / 1000, (unsigned)(act->at_us % 1000));
    cs_buf_printf(ret, "%c %s", needs & CS_ACT_WORLD ? '-' : 'A' + act->node,
                  acts[act->kind].word);
    if (needs & CS_ACT_PATH) print_path("path", act->path, ret);
    if (needs & CS_ACT_OTHER) print_path("other", act->other, ret);
    if (needs & CS_ACT_NUMBER) cs_buf_printf(ret, " number=%" PRIu64, act->number);
    if (needs & CS_ACT_PEER) cs_buf_printf(ret, " peer=%c", 'A' + act->peer);
    if (act->calls > 0) cs_buf_printf(ret, " calls=%u", act->calls);
}

void cs_history_print(const cs_history_t *history, cs_buf_t *ret)
{
    cs_buf_t options = {0};
    cs_sim_options_print(&history->options, &options);
    cs_buf_put_u8(&options, '\0');
    cs_buf_printf(ret, "crdtsync-sim history 1\n");
    for (char *word = strtok((char *)options.data, " "); word != NULL;
         word = strtok(NULL, " ")) {
        cs_buf_printf(ret, "option %s\n", word);
    }
    cs_buf_fini(&options);
    for (size_t i = 0; i < history->len; i++) {
        cs_act_print(&history->act[i], ret);
        cs_buf_put_u8(ret, '\n');
    }
}

/* --- reading */

static cs_slice_t next_word(cs_slice_t *line)
{
    while (line->len > 0 && line->data[0] == ' ') {
        *line = cs_slice(line->data + 1, line->len - 1);
    }
    size_t len = 0;
    while (len < line->len && line->data[len] != ' ') {
        len++;
    }
    cs_slice_t word = cs_slice(line->data, len);
    *line = cs_slice(line->data + len, line->len - len);
    return word;
}

/* key=value; false: no "=". */
static bool split(cs_slice_t word, cs_slice_t *ret_key, cs_slice_t *ret_value)
{
    const uint8_t *equals = word.len > 0 ? memchr(word.data, '=', word.len) : NULL;
    if (equals == NULL) return false;
    size_t len = (size_t)(equals - word.data);
    *ret_key = cs_slice(word.data, len);
    *ret_value = cs_slice(equals + 1, word.len - len - 1);
    return true;
}

static bool read_u64(cs_slice_t text, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *ret > UINT64_MAX / 10 - 1) {
            return false;
        }
        *ret = *ret * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0;
}

/* "12.345": ms. */
static bool read_time(cs_slice_t text, uint64_t *ret_us)
{
    const uint8_t *dot = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    uint64_t ms, us;
    if (dot == NULL || text.len - (size_t)(dot - text.data) != 4) return false;
    if (!read_u64(cs_slice(text.data, (size_t)(dot - text.data)), &ms)) return false;
    if (!read_u64(cs_slice(dot + 1, 3), &us) || ms > UINT32_MAX) return false;
    *ret_us = ms * 1000 + us;
    return true;
}

static bool read_path(cs_slice_t text, char *ret)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            if (i + 2 >= text.len || !cs_unhex(&c, 1, cs_slice(text.data + i + 1, 2))) {
                return false;
            }
            i += 2;
        }
        if (c == '\0' || len + 1 >= CS_ACT_PATH_BYTES) return false;
        ret[len++] = (char)c;
    }
    ret[len] = '\0';
    return len > 0;
}

static bool read_node(const cs_sim_options_t *options, cs_slice_t text, uint16_t *ret)
{
    if (text.len != 1 || text.data[0] < 'A') return false;
    *ret = (uint16_t)(text.data[0] - 'A');
    return *ret < options->nodes;
}

static const char *read_field(const cs_history_t *history, cs_slice_t word, cs_act_t *act)
{
    cs_slice_t key, value;
    uint64_t number;
    if (!split(word, &key, &value)) return "a word without \"=\"";
    if (cs_slice_eq(key, cs_slice_text("path"))) {
        return read_path(value, act->path) ? NULL : "a path that cannot be";
    }
    if (cs_slice_eq(key, cs_slice_text("other"))) {
        return read_path(value, act->other) ? NULL : "a path that cannot be";
    }
    if (cs_slice_eq(key, cs_slice_text("peer"))) {
        return read_node(&history->options, value, &act->peer) ? NULL : "no such node";
    }
    if (!read_u64(value, &number)) return "not a number";
    if (cs_slice_eq(key, cs_slice_text("number"))) {
        act->number = number;
        return NULL;
    }
    if (!cs_slice_eq(key, cs_slice_text("calls"))) return "an unknown key";
    if (number > UINT16_MAX) return "too many calls";
    act->calls = (uint32_t)number;
    return NULL;
}

static const char *read_act(cs_history_t *history, cs_slice_t line, uint64_t *last_us)
{
    cs_act_t act = {.kind = CS_ACT_COUNT};
    if (history->len == CS_HISTORY_ACTS_MAX) return "too many actions";
    if (!read_time(next_word(&line), &act.at_us)) return "not a time: 12.345 are ms and us";
    if (act.at_us < *last_us) return "a time before that of the line above";
    cs_slice_t node = next_word(&line), word = next_word(&line);
    for (unsigned i = 0; i < CS_ACT_COUNT; i++) {
        if (cs_slice_eq(word, cs_slice_text(acts[i].word))) act.kind = (cs_act_kind_t)i;
    }
    if (act.kind == CS_ACT_COUNT) return "an unknown action";
    uint32_t needs = acts[act.kind].needs;
    if (!(needs & CS_ACT_WORLD) && !read_node(&history->options, node, &act.node)) {
        return "no such node: A is the first";
    }
    for (word = next_word(&line); word.len > 0; word = next_word(&line)) {
        const char *why = read_field(history, word, &act);
        if (why != NULL) return why;
    }
    if ((needs & CS_ACT_PATH) && act.path[0] == '\0') return "path= is missing";
    if ((needs & CS_ACT_OTHER) && act.other[0] == '\0') return "other= is missing";
    *last_us = act.kind == CS_ACT_REST ? 0 : act.at_us;
    cs_history_add(history, &act);
    return NULL;
}

static const char *read_line(cs_history_t *history, cs_slice_t line, uint64_t *last_us)
{
    cs_slice_t rest = line, word = next_word(&rest), key, value;
    if (word.len == 0 || word.data[0] == '#') return NULL;
    if (!cs_slice_eq(word, cs_slice_text("option"))) return read_act(history, line, last_us);
    if (!split(next_word(&rest), &key, &value)) return "option NAME=NUMBER is expected";
    cs_err_t err = cs_sim_options_set(&history->options, key, value);
    if (err == CS_OK) return NULL;
    return err == CS_ERR_NOT_FOUND ? "an unknown option"
                                   : "not a number, or out of the option's range";
}

cs_err_t cs_history_read(cs_slice_t text, cs_history_t *ret, size_t *ret_line,
                         const char **ret_why)
{
    static const char first[] = "crdtsync-sim history 1";
    uint64_t last_us = 0;
    *ret_why = NULL;
    cs_sim_options_draw(&ret->options, 0);
    ret->options.watch = 0; /* there are histories from before there were watchers */
    for (*ret_line = 1; *ret_why == NULL && text.len > 0; (*ret_line)++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        cs_slice_t line = cs_slice(text.data, len);
        if (*ret_line == 1 && !cs_slice_eq(line, cs_slice_text(first))) {
            *ret_why = "not a history: it begins with \"crdtsync-sim history 1\"";
        } else if (*ret_line > 1) {
            *ret_why = read_line(ret, line, &last_us);
        }
        if (*ret_why != NULL) break;
        text = cs_slice(text.data + len, text.len - len);
        if (text.len > 0) text = cs_slice(text.data + 1, text.len - 1);
    }
    if (*ret_why == NULL && ret->len == 0) *ret_why = "no action";
    if (*ret_why == NULL) return CS_OK;
    cs_history_fini(ret);
    return CS_ERR_MALFORMED;
}
