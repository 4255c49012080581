/* ignore_fuzz.c - rule files and paths; small patterns against a matcher too simple to be
 * wrong. */
#include <stdlib.h>
#include <string.h>

#include "disk/ignore.h"
#include "disk/wildmatch.h"

#define NAIVE_MAX 16u /* bytes: the recursion is exponential */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Without sets and backslashes. `begin`: two stars here would fill a component. */
static bool naive(const uint8_t *p, size_t p_len, const uint8_t *t, size_t t_len, bool begin)
{
    if (p_len == 0) return t_len == 0;
    if (*p == '*') {
        size_t stars = 1;
        while (stars < p_len && p[stars] == '*')
            stars++;
        bool last = stars == p_len;
        bool dirs = begin && stars >= 2 && (last || p[stars] == '/');
        if (dirs && !last && naive(p + stars + 1, p_len - stars - 1, t, t_len, true))
            return true;
        for (size_t i = 0; i <= t_len; i++) {
            if (naive(p + stars, p_len - stars, t + i, t_len - i, false)) return true;
            if (i < t_len && t[i] == '/' && !dirs) return false;
        }
        return false;
    }
    if (t_len == 0 || (*p == '?' ? *t == '/' : *p != *t)) return false;
    return naive(p + 1, p_len - 1, t + 1, t_len - 1, *p == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
    if (nul == NULL || nul + 1 == data + size) return 0;
    cs_slice_t text = cs_slice(data, (size_t)(nul - data));
    cs_slice_t path = cs_slice(nul + 1, size - text.len - 1);
    if (memchr(path.data, '\0', path.len) != NULL) return 0;
    cs_rules_t *rules = cs_rules_parse(text);
    cs_verdict_t as_dir = cs_rules_match(rules, path, true);
    cs_verdict_t as_file = cs_rules_match(rules, path, false);
    if (as_file != CS_VERDICT_NONE && as_dir == CS_VERDICT_NONE) abort();
    cs_rules_destroy(&rules);

    bool match = cs_wildmatch(text, path);
    if (text.len == 0 || text.len > NAIVE_MAX || path.len > NAIVE_MAX) return 0;
    if (memchr(text.data, '[', text.len) != NULL || memchr(text.data, '\\', text.len) != NULL)
        return 0;
    if (match != naive(text.data, text.len, path.data, path.len, true)) abort();
    return 0;
}
