/* scan_merge.c - which paths are new, old or gone; what must be read to know more.
 *
 * The iterator stands at the first row not dealt with. At an ENTRY all rows before it have
 * nothing on disk; they are below the directory the walk is in, so the ignore rules at hand are
 * theirs. */
#include "disk/scan_merge.h"

#include <string.h>

#include "base/path.h"
#include "disk/ignore.h"
#include "disk/scan_moved.h"
#include "disk/walk.h"

typedef struct merge {
    const cs_scan_config_t *config;
    const cs_observer_t *observer;
    const cs_merge_sink_t *sink;
    cs_scan_stats_t *stats;
    cs_walk_t *walk;
    cs_ignore_t *ignore;
    cs_moved_t *moved;
    uint64_t dev; /* of the root */
    cs_iter_t *iter;
    cs_buf_t key; /* scratch */
    bool has_row;
    cs_slice_t row_path; /* borrowed from the iterator */
    cs_base_front_t row;
} merge_t;

static void set_key(merge_t *m, cs_slice_t path, const char *suffix)
{
    cs_buf_clear(&m->key);
    cs_base_key(m->config->folder, path, &m->key);
    cs_buf_put_slice(&m->key, cs_slice_text(suffix));
}

static cs_err_t load_row(merge_t *m)
{
    m->has_row = false;
    if (!cs_iter_valid(m->iter)) return cs_iter_err(m->iter);
    cs_slice_t key = cs_iter_key(m->iter);
    if (key.len < CS_BASE_KEY_BYTES || memcmp(key.data, m->key.data, CS_BASE_KEY_BYTES) != 0) {
        return CS_OK;
    }
    cs_err_t err = cs_base_peek(cs_iter_value(m->iter), &m->row);
    if (err != CS_OK) return err;
    m->row_path = cs_slice(key.data + CS_BASE_KEY_BYTES, key.len - CS_BASE_KEY_BYTES);
    m->has_row = true;
    return CS_OK;
}

static cs_err_t seek_row(merge_t *m, cs_slice_t path, const char *suffix)
{
    set_key(m, path, suffix);
    cs_iter_seek(m->iter, cs_buf_slice(&m->key));
    return load_row(m);
}

static cs_err_t next_row(merge_t *m)
{
    cs_iter_next(m->iter);
    return load_row(m);
}

static cs_err_t judged(merge_t *m, cs_slice_t path, const cs_judgement_t *judgement)
{
    return m->sink->judged(m->sink->arg, path, judgement) ? CS_OK : CS_ERR_AGAIN;
}

static cs_err_t trouble(merge_t *m, cs_slice_t path, cs_trouble_t what)
{
    return judged(m, path, &(cs_judgement_t){.troubled = true, .trouble = what});
}

static cs_err_t sight(merge_t *m, cs_slice_t path, cs_seen_kind_t what, const cs_stat_t *stat)
{
    cs_judgement_t found = {.sighted = true, .sighting = {.what = what, .path = path}};
    if (stat != NULL) {
        found.sighting.mtime_ns = stat->print.mtime_ns;
        found.sighting.print = stat->print;
    }
    return judged(m, path, &found);
}

/* The current row has nothing on disk, unless it is ignored: then nobody looked. */
static cs_err_t row_vanished(merge_t *m)
{
    bool is_dir = m->row.content.kind == CS_KIND_DIR;
    if (!cs_ignore_has(m->ignore, m->row_path, is_dir)) {
        cs_err_t err = sight(m, m->row_path, CS_SAW_VANISHED, NULL);
        if (err != CS_OK) return err;
    }
    return next_row(m);
}

/* Rows before `path` (of "path/", if below). */
static cs_err_t vanish_before(merge_t *m, cs_slice_t path, bool below)
{
    cs_err_t err = CS_OK;
    while (err == CS_OK && m->has_row) {
        size_t len = m->row_path.len < path.len ? m->row_path.len : path.len;
        int order = memcmp(m->row_path.data, path.data, len);
        if (order > 0) break;
        if (order == 0 && m->row_path.len >= path.len) {
            if (!below || (m->row_path.len > path.len && m->row_path.data[path.len] >= '/')) {
                break;
            }
        }
        err = row_vanished(m);
    }
    return err;
}

/* All rows below `dir` that are left. */
static cs_err_t vanish_below(merge_t *m, cs_slice_t dir)
{
    cs_err_t err = CS_OK;
    while (err == CS_OK && m->has_row && cs_path_is_below(m->row_path, dir)) {
        err = row_vanished(m);
    }
    return err;
}

/* Leave the rows below `dir` alone: '0' is the byte after '/'. */
static cs_err_t pass_below(merge_t *m, cs_slice_t dir)
{
    if (!m->has_row || !cs_path_is_below(m->row_path, dir)) return CS_OK;
    return seek_row(m, dir, "0");
}

static cs_err_t on_file(merge_t *m, const cs_candidate_t *candidate)
{
    cs_judgement_t found;
    m->stats->files++;
    if (candidate->stat.type == CS_NODE_FILE) m->stats->bytes += candidate->stat.print.size;
    bool known = cs_judge_stat(m->observer, candidate, &found);
    if (!known && !candidate->has_row) {
        const cs_base_front_t *row = cs_moved_find(m->moved, &candidate->stat);
        known = row != NULL && cs_judge_moved(m->observer, candidate, row, &found);
    }
    if (!known) {
        return m->sink->candidate(m->sink->arg, candidate) ? CS_OK : CS_ERR_AGAIN;
    }
    return judged(m, candidate->path, &found);
}

static cs_err_t on_dir(merge_t *m, const cs_candidate_t *candidate)
{
    if (candidate->stat.print.dev != m->dev) {
        cs_walk_prune(m->walk);
        return trouble(m, candidate->path, CS_TROUBLE_MOUNT);
    }
    m->stats->dirs++;
    if (candidate->has_row && candidate->row.content.kind == CS_KIND_DIR) return CS_OK;
    if (candidate->has_row) {
        cs_err_t err = sight(m, candidate->path, CS_SAW_VANISHED, NULL);
        if (err != CS_OK) return err;
    }
    bool empty = false;
    /* A failure shows again when the directory is entered. */
    if (cs_walk_is_empty(m->walk, &empty) != CS_OK || !empty) return CS_OK;
    return sight(m, candidate->path, CS_SAW_EMPTY_DIR, &candidate->stat);
}

static bool is_gone(cs_err_t err)
{
    return err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES;
}

static cs_trouble_t trouble_of(cs_err_t err)
{
    if (err == CS_ERR_CROSS_DEVICE) return CS_TROUBLE_MOUNT;
    return err == CS_ERR_NAME ? CS_TROUBLE_NAME : CS_TROUBLE_UNREADABLE;
}

/* Something is, or may be, at the path; the rows before it are dealt with. */
static cs_err_t on_something(merge_t *m, const cs_walk_event_t *event)
{
    cs_candidate_t found = {.path = event->path, .stat = event->stat};
    bool is_dir = event->err == CS_OK && event->stat.type == CS_NODE_DIR;
    found.has_row = m->has_row && cs_slice_eq(m->row_path, event->path);
    if (found.has_row) {
        found.row = m->row;
        cs_err_t err = next_row(m);
        if (err != CS_OK) return err;
    }
    bool was_dir =
        event->err != CS_OK && found.has_row && found.row.content.kind == CS_KIND_DIR;
    if (cs_ignore_has(m->ignore, event->path, is_dir || was_dir)) {
        if (event->err != CS_OK || is_dir) cs_walk_prune(m->walk);
        return CS_OK;
    }
    if (event->top && is_gone(event->err)) {
        return found.has_row ? sight(m, event->path, CS_SAW_VANISHED, NULL) : CS_OK;
    }
    if (event->err != CS_OK) {
        cs_walk_prune(m->walk);
        return trouble(m, event->path, trouble_of(event->err));
    }
    switch (event->stat.type) {
    case CS_NODE_FILE:
    case CS_NODE_SYMLINK:
        return on_file(m, &found);
    case CS_NODE_DIR:
        return on_dir(m, &found);
    case CS_NODE_SOCKET:
        return trouble(m, event->path, CS_TROUBLE_SOCKET);
    case CS_NODE_FIFO:
        return trouble(m, event->path, CS_TROUBLE_FIFO);
    case CS_NODE_DEVICE:
        return trouble(m, event->path, CS_TROUBLE_DEVICE);
    }
    CS_ASSERT(false);
    return CS_ERR_IO;
}

/* Rules that cannot be read might ignore anything here. */
static cs_err_t rules_unknown(merge_t *m, cs_slice_t dir)
{
    cs_buf_t path = {0};
    cs_buf_put_slice(&path, dir);
    if (dir.len > 0) cs_buf_put_u8(&path, '/');
    cs_buf_put_slice(&path, cs_slice_text(CS_IGNORE_FILE));
    cs_err_t err = trouble(m, cs_buf_slice(&path), CS_TROUBLE_UNREADABLE);
    cs_buf_fini(&path);
    return err;
}

static cs_err_t on_entry(merge_t *m, const cs_walk_event_t *event)
{
    if (!event->top) {
        cs_err_t err = vanish_before(m, event->path, false);
        return err == CS_OK ? on_something(m, event) : err;
    }
    cs_slice_t parent = cs_path_parent(event->path);
    if (cs_ignore_enter(m->ignore, parent) != CS_OK) {
        if (!event->parent) cs_walk_prune(m->walk);
        return rules_unknown(m, parent);
    }
    cs_err_t err = seek_row(m, event->path, "");
    if (err != CS_OK) return err;
    if (!event->parent) return on_something(m, event);
    /* Only whether it is empty: it was not asked for otherwise. */
    bool empty = false, has_row = m->has_row && cs_slice_eq(m->row_path, event->path);
    if (event->err != CS_OK || event->stat.type != CS_NODE_DIR || has_row) return CS_OK;
    if (event->stat.print.dev != m->dev || cs_ignore_has(m->ignore, event->path, true)) {
        return CS_OK;
    }
    if (cs_walk_is_empty(m->walk, &empty) != CS_OK || !empty) return CS_OK;
    return sight(m, event->path, CS_SAW_EMPTY_DIR, &event->stat);
}

static cs_err_t enter(merge_t *m, cs_slice_t dir)
{
    bool empty;
    cs_err_t err = cs_ignore_enter(m->ignore, dir);
    if (err != CS_OK) {
        bool listed = cs_walk_is_empty(m->walk, &empty) == CS_OK;
        err = listed ? rules_unknown(m, dir) : trouble(m, dir, CS_TROUBLE_UNREADABLE);
        return err == CS_OK ? pass_below(m, dir) : err;
    }
    err = cs_walk_enter(m->walk);
    if (err == CS_OK) return CS_OK;
    err = trouble(m, dir, is_gone(err) ? CS_TROUBLE_CHANGING : trouble_of(err));
    if (err == CS_OK) err = pass_below(m, dir);
    return err == CS_OK ? cs_ignore_enter(m->ignore, cs_path_parent(dir)) : err;
}

static cs_err_t on_below(merge_t *m, const cs_walk_event_t *event)
{
    cs_err_t err;
    if (event->top) {
        err = cs_ignore_enter(m->ignore, cs_path_parent(event->path));
        if (err != CS_OK) {
            return event->pruned ? CS_OK : rules_unknown(m, cs_path_parent(event->path));
        }
        err = seek_row(m, event->path, "/");
    } else {
        err = vanish_before(m, event->path, true);
    }
    if (err != CS_OK) return err;
    if (event->pruned) return pass_below(m, event->path);
    bool is_dir = event->err == CS_OK && event->stat.type == CS_NODE_DIR;
    return is_dir ? enter(m, event->path) : vanish_below(m, event->path);
}

static cs_err_t on_leave(merge_t *m, cs_slice_t dir)
{
    cs_err_t err = vanish_below(m, dir);
    return err == CS_OK ? cs_ignore_enter(m->ignore, cs_path_parent(dir)) : err;
}

static cs_err_t run(merge_t *m)
{
    for (;;) {
        cs_walk_event_t event;
        cs_err_t err = CS_OK;
        if (m->sink->cancelled != NULL && m->sink->cancelled(m->sink->arg)) return CS_ERR_AGAIN;
        cs_walk_next(m->walk, &event);
        switch (event.what) {
        case CS_WALK_ENTRY:
            if (m->config->looked != NULL) m->config->looked(m->config->looked_arg);
            err = on_entry(m, &event);
            break;
        case CS_WALK_BELOW:
            err = on_below(m, &event);
            break;
        case CS_WALK_LEAVE:
            err = on_leave(m, event.path);
            break;
        case CS_WALK_END:
            return CS_OK;
        }
        if (err != CS_OK) return err;
    }
}

static cs_err_t begin(merge_t *m)
{
    cs_slice_t root = cs_slice(NULL, 0);
    const cs_scan_config_t *config = m->config;
    bool all = config->paths == NULL || (config->path_count > 0 && config->paths[0].len == 0);
    cs_stat_t st;
    cs_err_t err = config->fs->ops->stat(config->fs, root, &st);
    if (err != CS_OK) return err;
    m->dev = st.print.dev;
    if (!all) {
        set_key(m, root, "");
        cs_walk_begin_paths(m->walk, config->paths, config->path_count);
        return CS_OK;
    }
    if (cs_ignore_enter(m->ignore, root) != CS_OK) {
        return rules_unknown(m, root); /* and no walk */
    }
    err = seek_row(m, root, "");
    return err == CS_OK ? cs_walk_begin_all(m->walk) : err;
}

cs_err_t cs_scan_merge(const cs_scan_config_t *config, const cs_observer_t *observer,
                       const cs_merge_sink_t *sink, cs_scan_stats_t *stats)
{
    merge_t m = {.config = config, .observer = observer, .sink = sink, .stats = stats};
    m.walk = cs_walk_new(config->fs);
    m.ignore = cs_ignore_new(config->fs);
    m.moved = cs_moved_new(config);
    m.iter = cs_store_iter(config->store, config->snapshot);
    cs_err_t err = begin(&m);
    if (err == CS_OK) err = run(&m);
    cs_iter_destroy(&m.iter);
    cs_ignore_destroy(&m.ignore);
    cs_moved_destroy(&m.moved);
    cs_walk_destroy(&m.walk);
    cs_buf_fini(&m.key);
    return err;
}
