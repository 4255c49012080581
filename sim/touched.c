/* touched.c - see touched.h. Users know few names, so a list that is searched does. */
#include "sim/touched.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define MARK ".conflict-"

void cs_touched_fini(cs_touched_t *touched)
{
    cs_buf_fini(&touched->paths);
}

void cs_touched_clear(cs_touched_t *touched)
{
    cs_buf_clear(&touched->paths);
    touched->all = false;
}

/* How much of a name all siblings have: up to the mark, or to the extension. */
static size_t stem_of(const char *name, size_t len)
{
    size_t dot = len;
    for (size_t i = 1; i < len; i++) {
        if (name[i] != '.') continue;
        if (len - i >= sizeof MARK - 1 && memcmp(name + i, MARK, sizeof MARK - 1) == 0) {
            return i;
        }
        dot = i;
    }
    return dot;
}

/* ret: as long as path, and a NUL. */
static void family_of(cs_slice_t path, char *ret)
{
    const char *at = (const char *)path.data, *end = at + path.len;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t len = slash != NULL ? (size_t)(slash - at) : (size_t)(end - at);
        size_t stem = stem_of(at, len);
        memcpy(ret, at, stem);
        ret += stem;
        at += len;
        if (at < end) *ret++ = *at++;
    }
    *ret = '\0';
}

static bool is_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool is_known(const cs_touched_t *touched, const char *family, bool exactly)
{
    const char *at = (const char *)touched->paths.data, *end = at + touched->paths.len;
    for (; at < end; at += strlen(at) + 1) {
        if (strcmp(at, family) == 0) return true;
        if (!exactly && (is_below(at, family) || is_below(family, at))) return true;
    }
    return false;
}

void cs_touched_add(cs_touched_t *touched, const char *path)
{
    char family[CS_PATH_MAX + 1];
    family_of(cs_slice_text(path), family);
    if (is_known(touched, family, true)) return;
    cs_buf_put_slice(&touched->paths, cs_slice(family, strlen(family) + 1));
}

bool cs_touched_has(const cs_touched_t *touched, cs_slice_t path)
{
    return touched->all || cs_touched_names(touched, path);
}

bool cs_touched_names(const cs_touched_t *touched, cs_slice_t path)
{
    char family[CS_PATH_MAX + 1];
    CS_ASSERT(path.len <= CS_PATH_MAX);
    family_of(path, family);
    return is_known(touched, family, false);
}

void cs_touched_act(cs_touched_t *touched, const cs_act_t *act)
{
    char aside[CS_ACT_PATH_BYTES + 8];
    uint32_t needs = cs_act_needs(act->kind);
    if (act->kind == CS_ACT_TOUCH) return;
    if (needs & CS_ACT_PATH) cs_touched_add(touched, act->path);
    if (needs & CS_ACT_OTHER) cs_touched_add(touched, act->other);
    if (act->kind == CS_ACT_SAVE_NEW || act->kind == CS_ACT_SAVE_OLD) {
        bool is_new = act->kind == CS_ACT_SAVE_NEW;
        snprintf(aside, sizeof aside, "%.80s%s", act->path, is_new ? ".tmp" : "~");
        cs_touched_add(touched, aside);
    }
}
