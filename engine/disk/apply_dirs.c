/* apply_dirs.c - a directory whose files all move alike is renamed as one.
 *
 * Only if nothing displays it any more (there is an RMDIR for it), if nothing else is in it,
 * and if there is nothing at the target. Whoever writes below it meanwhile is found by a second
 * look at each file; his go back one by one. */
#include <stdlib.h>

#include "base/mem.h"
#include "disk/apply_run.h"

typedef struct cs_moves {
    cs_run_t *run;
    size_t *index; /* of MOVE steps, by `from` */
    size_t len;
} cs_moves_t;

static const cs_step_t *step_at(const cs_moves_t *moves, size_t i)
{
    return &moves->run->steps->item[moves->index[i]];
}

/* Sorts pairs of (step, its index), as qsort has no argument of ours. */
typedef struct cs_move_key {
    const cs_step_t *step;
    size_t index;
} cs_move_key_t;

static int compare_keys(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_move_key_t *)a)->step->from,
                      ((const cs_move_key_t *)b)->step->from);
}

static void collect(cs_run_t *run, cs_moves_t *ret)
{
    cs_move_key_t *keys = cs_calloc(run->steps->len, sizeof *keys);
    size_t len = 0;
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->kind != CS_STEP_MOVE || step->err != CS_OK || step->replaces) continue;
        keys[len++] = (cs_move_key_t){step, i};
    }
    qsort(keys, len, sizeof *keys, compare_keys);
    *ret = (cs_moves_t){.run = run, .index = cs_calloc(len, sizeof(size_t)), .len = len};
    for (size_t i = 0; i < len; i++) {
        ret->index[i] = keys[i].index;
    }
    cs_free(keys);
}

/* Where the directory of the first `dir_len` bytes of move `i` would go; empty: nowhere. */
static cs_slice_t target_of(const cs_moves_t *moves, size_t i, size_t dir_len)
{
    cs_slice_t from = cs_slice_str(step_at(moves, i)->from);
    cs_slice_t to = cs_slice_str(step_at(moves, i)->item.path);
    cs_slice_t tail = cs_slice(from.data + dir_len, from.len - dir_len); /* with its '/' */
    if (to.len <= tail.len) return cs_slice(to.data, 0);
    size_t len = to.len - tail.len;
    bool alike = cs_slice_eq(cs_slice(to.data + len, tail.len), tail);
    return cs_slice(to.data, alike ? len : 0);
}

static bool all_alike(const cs_moves_t *moves, size_t begin, size_t end, size_t dir_len)
{
    cs_slice_t to = target_of(moves, begin, dir_len);
    cs_slice_t from = cs_slice(step_at(moves, begin)->from->data, dir_len);
    if (to.len == 0 || cs_path_is_below(to, from) || cs_path_is_below(from, to)) return false;
    for (size_t i = begin + 1; i < end; i++) {
        if (!cs_slice_eq(target_of(moves, i, dir_len), to)) return false;
    }
    return true;
}

static bool is_leaving(const cs_moves_t *moves, cs_slice_t dir)
{
    for (size_t i = 0; i < moves->run->steps->len; i++) {
        const cs_step_t *step = &moves->run->steps->item[i];
        if (step->kind == CS_STEP_RMDIR && cs_slice_eq(cs_slice_str(step->item.path), dir)) {
            return true;
        }
    }
    return false;
}

static bool is_expected(const cs_moves_t *moves, size_t i, const cs_stat_t *st, bool with_ctime)
{
    const cs_step_t *step = step_at(moves, i);
    return cs__apply_is(moves->run, st, step->item.content.kind, step->from_mode,
                        &step->from_print, with_ctime);
}

/* Whether move `path` is among them and its file untouched. */
static bool has_move(const cs_moves_t *moves, size_t begin, size_t end, cs_slice_t path,
                     const cs_stat_t *st)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        int order = cs_slice_cmp(path, cs_slice_str(step_at(moves, middle)->from));
        if (order == 0) return is_expected(moves, middle, st, true);
        if (order < 0) {
            end = middle;
        } else {
            begin = middle + 1;
        }
    }
    return false;
}

/* Counts the files below `dir`, if they are all to be moved and no directory is empty; else 0.
 */
static size_t count_moved(const cs_moves_t *moves, size_t begin, size_t end, cs_slice_t dir)
{
    cs_listing_t listing = {0};
    if (moves->run->fs->ops->list(moves->run->fs, dir, &listing) != CS_OK) return 0;
    size_t count = 0;
    cs_buf_t path = {0};
    for (size_t i = 0; i < listing.len; i++) {
        const cs_dirent_t *entry = &listing.item[i];
        cs_buf_clear(&path);
        cs_buf_put_slice(&path, dir);
        cs_buf_put_u8(&path, '/');
        cs_buf_put_slice(&path, cs_slice_str(entry->name));
        size_t more = 0;
        if (entry->err == CS_OK && entry->stat.type == CS_NODE_DIR) {
            more = count_moved(moves, begin, end, cs_buf_slice(&path));
        } else if (entry->err == CS_OK) {
            more = has_move(moves, begin, end, cs_buf_slice(&path), &entry->stat) ? 1 : 0;
        }
        count = more == 0 ? 0 : count + more;
        if (more == 0) break;
    }
    cs_buf_fini(&path);
    cs_listing_fini(&listing);
    return count;
}

static void look_again(const cs_moves_t *moves, size_t i)
{
    cs_run_t *run = moves->run;
    size_t index = moves->index[i];
    cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    cs_slice_t to = cs_slice_str(step->item.path);
    cs_err_t err = run->fs->ops->stat(run->fs, to, &work->staged);
    if (err == CS_OK && is_expected(moves, i, &work->staged, false)) {
        work->done = true;
        cs__apply_settle(run, index);
        return;
    }
    if (err == CS_OK) (void)cs__apply_rename_new(run->fs, to, cs_slice_str(step->from));
    step->err = cs__apply_raced(err == CS_OK ? CS_ERR_CHANGED : err);
}

static bool move_dir(const cs_moves_t *moves, size_t begin, size_t end, size_t dir_len)
{
    cs_fs_t *fs = moves->run->fs;
    cs_slice_t from = cs_slice(step_at(moves, begin)->from->data, dir_len);
    if (!all_alike(moves, begin, end, dir_len) || !is_leaving(moves, from)) return false;
    cs_slice_t to = target_of(moves, begin, dir_len);
    if (count_moved(moves, begin, end, from) != end - begin) return false;
    if (cs__apply_rename_new(fs, from, to) != CS_OK) return false;
    for (size_t i = begin; i < end; i++) {
        look_again(moves, i);
    }
    return true;
}

/* End of the directory at or behind offset `at` of move `i`; 0: the rest is a file's name. */
static size_t next_dir(const cs_moves_t *moves, size_t i, size_t at)
{
    const cs_str_t *from = step_at(moves, i)->from;
    while (at < from->len && from->data[at] != '/') {
        at++;
    }
    return at < from->len ? at : 0;
}

/* The greatest directories first, among moves that share the first `at` bytes. */
static void move_dirs(const cs_moves_t *moves, size_t begin, size_t end, size_t at)
{
    while (begin < end) {
        size_t dir_len = next_dir(moves, begin, at), stop = begin + 1;
        if (dir_len > 0) {
            cs_slice_t dir = cs_slice(step_at(moves, begin)->from->data, dir_len);
            while (stop < end &&
                   cs_path_is_below(cs_slice_str(step_at(moves, stop)->from), dir)) {
                stop++;
            }
            if (!move_dir(moves, begin, stop, dir_len)) {
                move_dirs(moves, begin, stop, dir_len + 1);
            }
        }
        begin = stop;
    }
}

void cs__apply_move_dirs(cs_run_t *run)
{
    cs_moves_t moves;
    collect(run, &moves);
    move_dirs(&moves, 0, moves.len, 0);
    cs_free(moves.index);
}
