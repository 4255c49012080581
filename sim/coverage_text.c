/* coverage_text.c - the text of a pattern: the least of those that all orders give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/coverage_i.h"

#define OPS_MAX   8u
#define LANES_MAX 3u
#define NAMES_MAX 40u

typedef struct lanes {
    const cov_op_t *op[LANES_MAX][OPS_MAX];
    unsigned len[LANES_MAX], count;
} lanes_t;

typedef struct text {
    const lanes_t *lanes;
    char *at;
    size_t len;
    const cov_place_t *place[NAMES_MAX]; /* whose path has the state, in order of names */
    char name[NAMES_MAX][CS_ACT_PATH_BYTES * 2];
    unsigned name_count;
    uint8_t content[NAMES_MAX][COV_NAME_BYTES];
    unsigned content_count;
} text_t;

static void put(text_t *text, const char *what)
{
    size_t len = strlen(what);
    if (text->len + len >= CS_COVERAGE_TEXT_BYTES) return;
    memcpy(text->at + text->len, what, len + 1);
    text->len += len;
}

static void put_number(text_t *text, unsigned number)
{
    char digits[12];
    snprintf(digits, sizeof digits, "%u", number + 1);
    put(text, digits);
}

static unsigned name_of(text_t *text, const char *path, size_t len)
{
    unsigned i = 0;
    while (i < text->name_count &&
           (strlen(text->name[i]) != len || memcmp(text->name[i], path, len) != 0)) {
        i++;
    }
    if (i == text->name_count && i < NAMES_MAX) {
        memcpy(text->name[i], path, len);
        text->name[i][len] = '\0';
        text->place[i] = NULL;
        text->name_count++;
    }
    return i;
}

typedef struct below {
    const char *prefix;
    size_t len;
    const char *first; /* of the paths below it */
    bool is_path, several, all;
} below_t;

static void see(below_t *below, const cov_place_t *place)
{
    const char *path = place->path;
    if (path[0] == '\0') return;
    if (strncmp(path, below->prefix, below->len) != 0 ||
        (path[below->len] != '/' && path[below->len] != '\0')) {
        below->all = false;
        return;
    }
    if (path[below->len] == '\0') below->is_path = true;
    if (below->first != NULL && strcmp(below->first, path) != 0) below->several = true;
    if (below->first == NULL) below->first = path;
}

/* A directory counts if something happened to itself, or if it holds several of the paths, but
 * not all: then it is like the root. */
static bool counts(const text_t *text, const char *prefix, size_t len)
{
    below_t below = {.prefix = prefix, .len = len, .all = true};
    for (unsigned lane = 0; lane < text->lanes->count; lane++) {
        for (unsigned i = 0; i < text->lanes->len[lane]; i++) {
            see(&below, &text->lanes->op[lane][i]->at);
            see(&below, &text->lanes->op[lane][i]->from);
        }
    }
    return below.is_path || (below.several && !below.all);
}

/* "1/2": a number for each prefix that counts. */
static void put_place(text_t *text, const cov_place_t *place)
{
    unsigned number = 0;
    size_t len = 0;
    do {
        len += len > 0;
        len += strcspn(place->path + len, "/");
        if (!counts(text, place->path, len)) continue;
        number = name_of(text, place->path, len);
        put_number(text, number);
        if (place->path[len] == '/') put(text, "/");
    } while (place->path[len] == '/');
    if (number < NAMES_MAX && text->place[number] == NULL) text->place[number] = place;
    if (place->sibling) put(text, "s");
}

static void put_content(text_t *text, const uint8_t *content)
{
    unsigned i = 0;
    while (i < text->content_count && memcmp(text->content[i], content, COV_NAME_BYTES) != 0) {
        i++;
    }
    if (i == text->content_count && i < NAMES_MAX) {
        memcpy(text->content[text->content_count++], content, COV_NAME_BYTES);
    }
    char letter[2] = {(char)('a' + i % 26), '\0'};
    put(text, letter);
}

static void put_mode(text_t *text, uint16_t mode)
{
    char digits[8];
    snprintf(digits, sizeof digits, "%o", mode);
    put(text, digits);
}

static void put_op(text_t *text, const cov_op_t *op)
{
    char kind[2] = {op->kind, '\0'};
    put(text, kind);
    if (op->behind) put(text, "?");
    if (op->forgotten) put(text, "!");
    if (op->ghost) put(text, "g");
    if (op->kind == 'm') {
        put_place(text, &op->from);
        put(text, ">");
    }
    put_place(text, &op->at);
    if (op->kind == 'e' || op->kind == 'r' || op->kind == 'm') {
        put(text, "=");
        put_content(text, op->was);
    }
    if (op->kind == 'e' || op->kind == 'c') {
        put(text, "=");
        put_content(text, op->is);
    }
    bool other = op->kind == 'c' ? op->is_mode != 0644 : op->is_mode != op->was_mode;
    if (op->kind != 'r' && other) {
        put(text, ":");
        put_mode(text, op->is_mode);
    }
}

/* Operations of one scan have no order but one: here that of their kinds, then this one or its
 * reverse. */
static void put_scan(text_t *text, const cov_op_t *const *ops, unsigned count, bool back)
{
    static const char kinds[] = "mecrpdDl";
    bool first = true;
    for (const char *kind = kinds; *kind != '\0'; kind++) {
        for (unsigned i = 0; i < count; i++) {
            const cov_op_t *op = ops[back ? count - 1 - i : i];
            if (op->kind != *kind) continue;
            if (!first) put(text, ",");
            put_op(text, op);
            first = false;
        }
    }
}

/* A replica id that follows another one of the same node has a mark. */
static bool is_second(const lanes_t *lanes, const unsigned *order, unsigned at)
{
    for (unsigned i = 0; i < at; i++) {
        if (lanes->op[order[i]][0]->node == lanes->op[order[at]][0]->node) return true;
    }
    return false;
}

static void print(text_t *text, const lanes_t *lanes, const unsigned *order, bool back)
{
    for (unsigned i = 0; i < lanes->count; i++) {
        const cov_op_t *const *ops = lanes->op[order[i]];
        unsigned len = lanes->len[order[i]], scan;
        if (i > 0) put(text, " | ");
        if (is_second(lanes, order, i)) put(text, "'");
        for (unsigned at = 0; at < len; at += scan) {
            for (scan = 1; at + scan < len && ops[at + scan]->batch == ops[at]->batch;) {
                scan++;
            }
            if (at > 0) put(text, ";");
            put_scan(text, ops + at, scan, back);
        }
    }
    put(text, " @");
    for (unsigned i = 0; i < text->name_count; i++) {
        put(text, " ");
        put(text, text->place[i] != NULL ? text->place[i]->state : ".");
    }
}

static bool sort_lanes(const cov_op_t *const *ops, size_t count, lanes_t *ret)
{
    if (count > OPS_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        unsigned lane = 0;
        while (lane < ret->count && ret->op[lane][0]->rid != ops[i]->rid) {
            lane++;
        }
        if (lane == LANES_MAX) return false;
        if (lane == ret->count) ret->count++;
        ret->op[lane][ret->len[lane]++] = ops[i];
    }
    return true;
}

bool cov_print(const cov_op_t *const *ops, size_t count, char ret[CS_COVERAGE_TEXT_BYTES])
{
    static const unsigned orders[][LANES_MAX] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1},
                                                 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const unsigned order_count[] = {0, 1, 2, 6};
    lanes_t lanes = {.count = 0};
    bool first = true;
    if (!sort_lanes(ops, count, &lanes)) return false;
    for (unsigned i = 0; i < 2 * order_count[lanes.count]; i++) {
        char bytes[CS_COVERAGE_TEXT_BYTES] = "";
        text_t text = {.lanes = &lanes, .at = bytes};
        print(&text, &lanes, orders[i / 2], i % 2 != 0);
        if (first || strcmp(bytes, ret) < 0) memcpy(ret, bytes, sizeof bytes);
        first = false;
    }
    return true;
}
