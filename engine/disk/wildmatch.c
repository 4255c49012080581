/* wildmatch.c - two remembered places to go back to instead of recursion. */
#include "disk/wildmatch.h"

#include <string.h>

typedef struct glob {
    const uint8_t *p, *p_end;       /* pattern: what comes next */
    const uint8_t *t, *t_end;       /* text */
    const uint8_t *star_p, *star_t; /* after the last star, and where its match ends; or NULL */
    const uint8_t *dirs_p, *dirs_t; /* likewise of the last two stars */
} glob_t;

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Is c in the POSIX class of that name (ASCII)? *ret_known: false if there is no such class. */
static bool in_named_class(cs_slice_t name, uint8_t c, bool *ret_known)
{
    bool graph = c > ' ' && c < 0x7f;
    const struct {
        const char *name;
        bool in;
    } classes[] = {
        {"alnum", is_alpha(c) || is_digit(c)},
        {"alpha", is_alpha(c)},
        {"blank", c == ' ' || c == '\t'},
        {"cntrl", c < ' ' || c == 0x7f},
        {"digit", is_digit(c)},
        {"graph", graph},
        {"lower", c >= 'a' && c <= 'z'},
        {"print", graph || c == ' '},
        {"punct", graph && !is_alpha(c) && !is_digit(c)},
        {"space", is_space(c)},
        {"upper", c >= 'A' && c <= 'Z'},
        {"xdigit", is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')},
    };
    for (size_t i = 0; i < CS_COUNT_OF(classes); i++) {
        if (!cs_slice_eq(name, cs_slice_text(classes[i].name))) continue;
        *ret_known = true;
        return classes[i].in;
    }
    *ret_known = false;
    return false;
}

/* At "[:" of a set: the end of the name, or NULL if no ":]" closes it. */
static const uint8_t *named_class_end(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *close = memchr(p + 2, ']', (size_t)(end - (p + 2)));
    if (close == NULL || close == p + 2 || close[-1] != ':') return NULL;
    return close - 1;
}

/* One member of a set at *p_at: a character, a range, a named class. prev: the character
 * before, -1 if it cannot begin a range. False: the set is malformed. */
static bool set_member(const uint8_t **p_at, const uint8_t *end, uint8_t c, int *prev,
                       bool *matched)
{
    const uint8_t *p = *p_at;
    if (*p == '-' && *prev >= 0 && end - p >= 2 && p[1] != ']') {
        p++;
        if (*p == '\\' && ++p == end) return false;
        if (c >= *prev && c <= *p) *matched = true;
        *prev = -1;
    } else if (*p == '[' && end - p >= 2 && p[1] == ':' &&
               memchr(p + 2, ']', (size_t)(end - (p + 2))) == NULL) {
        return false;
    } else if (*p == '[' && end - p >= 2 && p[1] == ':' && named_class_end(p, end) != NULL) {
        const uint8_t *name_end = named_class_end(p, end);
        bool known;
        if (in_named_class(cs_slice(p + 2, (size_t)(name_end - (p + 2))), c, &known)) {
            *matched = true;
        }
        if (!known) return false;
        p = name_end + 1;
        *prev = -1;
    } else {
        if (*p == '\\' && ++p == end) return false;
        if (*p == c) *matched = true;
        *prev = *p;
    }
    *p_at = p + 1;
    return true;
}

/* At '[' of the pattern: does the set hold c? On return *p_at is behind it. A malformed set
 * holds nothing. */
static bool match_set(const uint8_t **p_at, const uint8_t *end, uint8_t c)
{
    const uint8_t *p = *p_at + 1;
    bool negated = p < end && (*p == '!' || *p == '^'), matched = false;
    int prev = -1;
    if (negated) p++;
    do { /* a ']' that comes first is a member */
        if (p == end || !set_member(&p, end, c, &prev, &matched)) return false;
        if (p == end) return false;
    } while (*p != ']');
    *p_at = p + 1;
    return matched != negated && c != '/';
}

/* One character of the text against one item of the pattern that is no star. */
static bool match_one(glob_t *g)
{
    uint8_t c = *g->t;
    const uint8_t *p = g->p;
    switch (*p) {
    case '?':
        if (c == '/') return false;
        p++;
        break;
    case '[':
        if (!match_set(&p, g->p_end, c)) return false;
        break;
    case '\\':
        if (++p == g->p_end || *p != c) return false;
        p++;
        break;
    default:
        if (*p != c) return false;
        p++;
        break;
    }
    g->p = p;
    g->t++;
    return true;
}

/* Let the last star, or else the last two stars, match more. False: nothing more to try. */
static bool go_back(glob_t *g)
{
    if (g->star_p != NULL && g->star_t < g->t_end && *g->star_t != '/') {
        g->t = ++g->star_t;
        g->p = g->star_p;
        return true;
    }
    g->star_p = NULL;
    if (g->dirs_p == NULL) return false;
    const uint8_t *slash = memchr(g->dirs_t, '/', (size_t)(g->t_end - g->dirs_t));
    if (slash == NULL) return false;
    g->t = g->dirs_t = slash + 1;
    g->p = g->dirs_p;
    return true;
}

/* At a star. True: go on with the state as left; *ret_done: the rest matches. */
static bool meet_star(glob_t *g, const uint8_t *p_begin, bool *ret_done)
{
    const uint8_t *begin = g->p, *p = begin;
    while (p < g->p_end && *p == '*') {
        p++;
    }
    bool escaped = g->p_end - p >= 2 && p[0] == '\\' && p[1] == '/';
    bool dirs = p - begin >= 2 && (begin == p_begin || begin[-1] == '/') &&
                (p == g->p_end || *p == '/' || escaped);
    if (p == g->p_end) {
        *ret_done = dirs || memchr(g->t, '/', (size_t)(g->t_end - g->t)) == NULL;
        return *ret_done || go_back(g);
    }
    g->p = p;
    if (!dirs) {
        g->star_p = p;
        g->star_t = g->t;
        return true;
    }
    g->star_p = NULL;
    g->dirs_p = g->p = p + (escaped ? 2 : 1);
    g->dirs_t = g->t;
    return escaped ? go_back(g) : true; /* an escaped slash asks for one directory at least */
}

bool cs_wildmatch(cs_slice_t pattern, cs_slice_t text)
{
    glob_t g = {.p = pattern.data,
                .p_end = pattern.data + pattern.len,
                .t = text.data,
                .t_end = text.data + text.len};
    for (;;) {
        bool done = false;
        if (g.p < g.p_end && *g.p == '*') {
            if (!meet_star(&g, pattern.data, &done)) return false;
            if (done) return true;
        } else if (g.p == g.p_end && g.t == g.t_end) {
            return true;
        } else if (g.t == g.t_end) {
            return false; /* going back would leave even less text */
        } else if (g.p == g.p_end || !match_one(&g)) {
            if (!go_back(&g)) return false;
        }
    }
}

size_t cs_wildmatch_literal_len(cs_slice_t pattern)
{
    size_t len = 0;
    while (len < pattern.len && strchr("*?[\\", pattern.data[len]) == NULL) {
        len++;
    }
    return len;
}
