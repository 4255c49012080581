/* ignore_rules.c - one file of patterns: parsing, and the verdict on a path. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/ignore.h"
#include "disk/wildmatch.h"

typedef struct rule {
    cs_slice_t pattern; /* into the rules' text */
    cs_slice_t text;    /* the line that it is from */
    size_t line;        /* from 1 */
    size_t literal_len; /* of pattern, before the first wildcard */
    bool keep;          /* "!" */
    bool dirs_only;     /* ended in "/" */
    bool anchored;      /* has a "/": against the whole path, else against the last component */
} rule_t;

struct cs_rules {
    uint8_t *text; /* owned */
    rule_t *rule;  /* owned; in order of lines */
    size_t len, cap;
};

/* Spaces at the end count only behind a backslash. */
static size_t without_trailing_spaces(const uint8_t *line, size_t len)
{
    size_t end = len;
    bool in_spaces = false;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == ' ') {
            if (!in_spaces) end = i;
            in_spaces = true;
            continue;
        }
        if (line[i] == '\\' && ++i == len) return len;
        in_spaces = false;
        end = len;
    }
    return end;
}

static void add_line(cs_rules_t *rules, const uint8_t *line, size_t len, size_t number)
{
    if (len == 0 || line[0] == '#') return;
    if (line[len - 1] == '\r') len--;
    const uint8_t *nul = memchr(line, '\0', len);
    if (nul != NULL) len = (size_t)(nul - line);
    len = without_trailing_spaces(line, len);
    rule_t rule = {.text = cs_slice(line, len), .line = number};
    if (len > 0 && line[0] == '!') {
        rule.keep = true;
        line++;
        len--;
    }
    if (len > 0 && line[len - 1] == '/') {
        rule.dirs_only = true;
        len--;
    }
    if (len == 0) return; /* matches nothing */
    rule.anchored = memchr(line, '/', len) != NULL;
    if (line[0] == '/') {
        line++;
        len--;
    }
    rule.pattern = cs_slice(line, len);
    rule.literal_len = cs_wildmatch_literal_len(rule.pattern);
    if (rules->len == rules->cap) {
        rules->cap = cs_grow(rules->cap, rules->len + 1);
        rules->rule = cs_realloc_array(rules->rule, rules->cap, sizeof *rules->rule);
    }
    rules->rule[rules->len++] = rule;
}

cs_rules_t *cs_rules_parse(cs_slice_t text)
{
    static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
    cs_rules_t *rules = cs_calloc(1, sizeof *rules);
    rules->text = cs_memdup(text.data, text.len);
    size_t at = cs_slice_has_prefix(text, cs_slice(bom, sizeof bom)) ? sizeof bom : 0;
    for (size_t number = 1; at < text.len; number++) {
        const uint8_t *line = rules->text + at;
        const uint8_t *newline = memchr(line, '\n', text.len - at);
        size_t len = newline == NULL ? text.len - at : (size_t)(newline - line);
        add_line(rules, line, len, number);
        at += len + 1;
    }
    return rules;
}

void cs_rules_destroy(cs_rules_t **rules_p)
{
    if (*rules_p == NULL) return;
    cs_free((*rules_p)->text);
    cs_free((*rules_p)->rule);
    cs_free(*rules_p);
    *rules_p = NULL;
}

/* The literal beginning is compared first and then left out, as git does: two stars right
 * behind it count as at the beginning. */
static bool rule_matches(const rule_t *rule, cs_slice_t path, cs_slice_t base)
{
    cs_slice_t text = rule->anchored ? path : base, pattern = rule->pattern;
    size_t len = rule->literal_len;
    if (!cs_slice_has_prefix(text, cs_slice(pattern.data, len))) return false;
    if (len == pattern.len) return text.len == len;
    return cs_wildmatch(cs_slice(pattern.data + len, pattern.len - len),
                        cs_slice(text.data + len, text.len - len));
}

cs_verdict_t cs_rules_match(const cs_rules_t *rules, cs_slice_t path, bool is_dir)
{
    size_t line;
    cs_slice_t text;
    return cs_rules_find(rules, path, is_dir, &line, &text);
}

cs_verdict_t cs_rules_find(const cs_rules_t *rules, cs_slice_t path, bool is_dir,
                           size_t *ret_line, cs_slice_t *ret_text)
{
    cs_slice_t base = cs_path_base(path);
    *ret_line = 0;
    for (size_t i = rules->len; i > 0; i--) {
        const rule_t *rule = &rules->rule[i - 1];
        if (rule->dirs_only && !is_dir) continue;
        if (rule_matches(rule, path, base)) {
            *ret_line = rule->line;
            *ret_text = rule->text;
            return rule->keep ? CS_VERDICT_KEEP : CS_VERDICT_IGNORE;
        }
    }
    return CS_VERDICT_NONE;
}
