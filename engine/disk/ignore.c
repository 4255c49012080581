/* ignore.c - the stack of rule files between the root and a directory. */
#include "disk/ignore.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"

typedef struct level {
    size_t dir_len;    /* of the directory in `dir` */
    cs_rules_t *rules; /* owned; NULL: none */
    size_t bytes;      /* of the rule file */
    bool ignored;      /* the directory itself is */
} level_t;

struct cs_ignore {
    cs_fs_t *fs;
    cs_buf_t dir; /* the directory of the last level */
    level_t *level;
    size_t len, cap;
    size_t bytes;      /* of all rule files together */
    size_t rule_files; /* levels with rules */
};

cs_ignore_t *cs_ignore_new(cs_fs_t *fs)
{
    cs_ignore_t *ignore = cs_calloc(1, sizeof *ignore);
    ignore->fs = fs;
    return ignore;
}

static void pop(cs_ignore_t *ignore)
{
    level_t *level = &ignore->level[--ignore->len];
    ignore->bytes -= level->bytes;
    if (level->rules != NULL) ignore->rule_files--;
    cs_rules_destroy(&level->rules);
}

void cs_ignore_forget(cs_ignore_t *ignore)
{
    while (ignore->len > 0) {
        pop(ignore);
    }
    cs_buf_clear(&ignore->dir);
}

void cs_ignore_destroy(cs_ignore_t **ignore_p)
{
    if (*ignore_p == NULL) return;
    cs_ignore_forget(*ignore_p);
    cs_buf_fini(&(*ignore_p)->dir);
    cs_free((*ignore_p)->level);
    cs_free(*ignore_p);
    *ignore_p = NULL;
}

static cs_err_t read_all(cs_fs_t *fs, cs_file_t *file, size_t max, cs_buf_t *ret)
{
    for (;;) {
        size_t got = 0;
        cs_buf_reserve(ret, max < 4096 ? max + 1 : 4096);
        cs_err_t err =
            fs->ops->read(file, ret->len, ret->data + ret->len, ret->cap - ret->len, &got);
        if (err != CS_OK) return err;
        if (got == 0) return CS_OK;
        ret->len += got;
        if (ret->len > max) return CS_ERR_LIMIT;
    }
}

/* ret stays empty where there are no rules. */
static cs_err_t read_rules(cs_ignore_t *ignore, cs_slice_t dir, cs_buf_t *ret)
{
    cs_file_t *file = NULL;
    cs_buf_t path = {0};
    cs_buf_put_slice(&path, dir);
    if (dir.len > 0) cs_buf_put_u8(&path, '/');
    cs_buf_put_slice(&path, cs_slice_text(CS_IGNORE_FILE));
    cs_err_t err = path.len > CS_PATH_MAX
                       ? CS_ERR_NOT_FOUND
                       : ignore->fs->ops->open_read(ignore->fs, cs_buf_slice(&path), &file);
    cs_buf_fini(&path);
    if (err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR || err == CS_ERR_IS_DIR ||
        err == CS_ERR_ESCAPES || err == CS_ERR_UNSUPPORTED) {
        return CS_OK;
    }
    if (err != CS_OK) return err;
    size_t left = CS_IGNORE_STACK_BYTES_MAX - ignore->bytes;
    err = read_all(ignore->fs, file, left < CS_IGNORE_BYTES_MAX ? left : CS_IGNORE_BYTES_MAX,
                   ret);
    ignore->fs->ops->close(&file);
    return err;
}

static cs_err_t push(cs_ignore_t *ignore, cs_slice_t dir)
{
    level_t level = {.dir_len = dir.len};
    cs_buf_t text = {0};
    cs_err_t err = CS_OK;
    level.ignored = dir.len > 0 && cs_ignore_has(ignore, dir, true);
    if (!level.ignored) err = read_rules(ignore, dir, &text);
    if (err == CS_OK && text.len > 0) {
        level.rules = cs_rules_parse(cs_buf_slice(&text));
        level.bytes = text.len;
    }
    cs_buf_fini(&text);
    if (err != CS_OK) return err;
    if (ignore->len == ignore->cap) {
        ignore->cap = cs_grow(ignore->cap, ignore->len + 1);
        ignore->level = cs_realloc_array(ignore->level, ignore->cap, sizeof *ignore->level);
    }
    ignore->level[ignore->len++] = level;
    ignore->bytes += level.bytes;
    if (level.rules != NULL) ignore->rule_files++;
    cs_buf_clear(&ignore->dir);
    cs_buf_put_slice(&ignore->dir, dir);
    return CS_OK;
}

cs_err_t cs_ignore_enter(cs_ignore_t *ignore, cs_slice_t dir)
{
    while (ignore->len > 0) {
        ignore->dir.len = ignore->level[ignore->len - 1].dir_len;
        cs_slice_t here = cs_buf_slice(&ignore->dir);
        if (cs_path_is_within(dir, here)) break;
        pop(ignore);
    }
    cs_err_t err = ignore->len == 0 ? push(ignore, cs_slice(dir.data, 0)) : CS_OK;
    size_t end = ignore->dir.len;
    while (err == CS_OK && end < dir.len && !ignore->level[ignore->len - 1].ignored) {
        for (end = end == 0 ? 0 : end + 1; end < dir.len && dir.data[end] != '/';) {
            end++;
        }
        err = push(ignore, cs_slice(dir.data, end));
    }
    return err;
}

/* The verdict on one path whose parent directories are not ignored. */
static bool is_ignored(const cs_ignore_t *ignore, cs_slice_t path, bool is_dir)
{
    for (size_t i = ignore->len; i > 0; i--) {
        const level_t *level = &ignore->level[i - 1];
        if (level->rules == NULL) continue;
        size_t skip = level->dir_len == 0 ? 0 : level->dir_len + 1;
        cs_slice_t below = cs_slice(path.data + skip, path.len - skip);
        switch (cs_rules_match(level->rules, below, is_dir)) {
        case CS_VERDICT_NONE:
            break;
        case CS_VERDICT_IGNORE:
            return true;
        case CS_VERDICT_KEEP:
            return false;
        }
    }
    return false;
}

bool cs_ignore_has(const cs_ignore_t *ignore, cs_slice_t path, bool is_dir)
{
    if (ignore->len == 0) return false;
    if (ignore->level[ignore->len - 1].ignored) return true;
    if (ignore->rule_files == 0) return false;
    CS_ASSERT(cs_path_is_below(path, cs_buf_slice(&ignore->dir)));
    for (size_t i = ignore->dir.len == 0 ? 0 : ignore->dir.len + 1; i < path.len; i++) {
        if (path.data[i] == '/' && is_ignored(ignore, cs_slice(path.data, i), true)) {
            return true;
        }
    }
    return is_ignored(ignore, path, is_dir);
}

cs_err_t cs_ignore_matches(cs_ignore_t *ignore, cs_slice_t path, bool is_dir, bool *ret)
{
    cs_err_t err = cs_ignore_enter(ignore, cs_path_parent(path));
    if (err == CS_OK) *ret = cs_ignore_has(ignore, path, is_dir);
    return err;
}

/* --- why */

void cs_ignore_why_fini(cs_ignore_why_t *why)
{
    cs_buf_fini(&why->path);
    cs_buf_fini(&why->file);
    cs_buf_fini(&why->rule);
    *why = (cs_ignore_why_t){0};
}

/* The rule that decides about this very path; false: none does. */
static bool explain_one(const cs_ignore_t *ignore, cs_slice_t path, bool is_dir,
                        cs_ignore_why_t *ret)
{
    for (size_t i = ignore->len; i > 0; i--) {
        const level_t *level = &ignore->level[i - 1];
        if (level->rules == NULL || level->dir_len >= path.len) continue;
        size_t skip = level->dir_len == 0 ? 0 : level->dir_len + 1;
        cs_slice_t text, below = cs_slice(path.data + skip, path.len - skip);
        cs_verdict_t verdict = cs_rules_find(level->rules, below, is_dir, &ret->line, &text);
        if (verdict == CS_VERDICT_NONE) continue;
        ret->ignored = verdict == CS_VERDICT_IGNORE;
        cs_buf_put_slice(&ret->path, path);
        cs_buf_put(&ret->file, path.data, skip);
        cs_buf_put_slice(&ret->file, cs_slice_text(CS_IGNORE_FILE));
        cs_buf_put_slice(&ret->rule, text);
        return true;
    }
    return false;
}

cs_err_t cs_ignore_explain(cs_ignore_t *ignore, cs_slice_t path, bool is_dir,
                           cs_ignore_why_t *ret)
{
    cs_err_t err = cs_ignore_enter(ignore, cs_path_parent(path));
    if (err != CS_OK) return err;
    for (size_t i = 1; i < path.len; i++) {
        if (path.data[i] != '/') continue;
        if (explain_one(ignore, cs_slice(path.data, i), true, ret) && ret->ignored) {
            return CS_OK;
        }
        cs_ignore_why_fini(ret); /* taken back in: what is below is judged by itself */
    }
    (void)explain_one(ignore, path, is_dir, ret);
    return CS_OK;
}
