/* trash_sweep.c - the trash between runs: give back what is a user's, drop the oldest of the
 * rest. */
#include <string.h>

#include "base/mem.h"
#include "crdt/family.h"
#include "disk/scan.h"
#include "disk/trash_log.h"

#define TAG_DIGITS_MIN 8u /* core.md 4 */
#define TAG_DIGITS_MAX 20u
#define TAG_AGAIN_MAX  1000u

typedef struct cs_sweep {
    const cs_apply_config_t *config;
    cs_fs_t *fs;
    const cs_cleanup_sink_t *sink; /* NULL: nobody wants to know */
    bool is_start;                 /* see cs__trash_sweep */
    bool is_newest;                /* the group: of the last run before a start */
    uint64_t bytes;                /* kept so far */
    uint64_t files;
    uint64_t over; /* files beyond the bounds, which go: what is older than one of them, too */
    uint64_t dropped; /* or looked at to be */
    bool after_run;   /* what it added has to find room */
    bool gave_back;   /* and is not flushed yet */
} cs_sweep_t;

/* A name beside `path`, like that of a sibling with these bytes. What cannot be read has a name
 * too. */
static cs_err_t give_beside(cs_sweep_t *sweep, cs_slice_t entry, cs_slice_t path, cs_buf_t *ret)
{
    cs_content_t content = {.kind = CS_KIND_FILE};
    cs_stat_t st;
    if (cs_hash_path(sweep->fs, sweep->config->table, entry, NULL, &content, &st) != CS_OK) {
        content = (cs_content_t){.kind = CS_KIND_FILE};
    }
    cs_err_t err = CS_ERR_EXISTS;
    uint32_t digits = TAG_DIGITS_MIN, again = 0;
    while (err == CS_ERR_EXISTS && again < TAG_AGAIN_MAX) {
        cs_str_t *name = cs_sibling_name(path, &content, digits, again);
        err = cs__apply_rename_new(sweep->fs, entry, cs_slice_str(name));
        cs_buf_clear(ret);
        cs_buf_put_slice(ret, cs_slice_str(name));
        cs_str_unref(&name);
        if (digits < TAG_DIGITS_MAX) {
            digits += 2;
        } else {
            again++;
        }
    }
    return err;
}

/* To its own name if nothing is there, or beside what is: perhaps beside a file that has taken
 * the place of its directory. */
static void give_back(cs_sweep_t *sweep, cs_slice_t entry, cs_slice_t path)
{
    cs_buf_t at = {0};
    cs_buf_put_slice(&at, path);
    cs_err_t err = cs__apply_rename_new(sweep->fs, entry, path);
    for (cs_slice_t taken = path; taken.len > 0;) {
        if (err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES) {
            taken = cs_path_parent(taken);
        } else if (err != CS_ERR_EXISTS) {
            break;
        }
        if (taken.len == 0) break;
        err = give_beside(sweep, entry, taken, &at);
        if (err == CS_ERR_EXISTS) break; /* no name is free */
    }
    const cs_cleanup_sink_t *sink = sweep->sink;
    if (err == CS_OK) sweep->gave_back = true;
    if (err == CS_OK && sink != NULL && sink->late != NULL) {
        sink->late(sink->arg, path, cs_buf_slice(&at));
    }
    cs_buf_fini(&at);
}

/* A file that was to move below its own name, which was made a directory for it. */
static void clear_way_back(cs_sweep_t *sweep, const cs_trash_record_t *record)
{
    cs_slice_t dir = cs_path_parent(record->path);
    while (cs_path_is_within(dir, record->from)) {
        (void)sweep->fs->ops->rmdir(sweep->fs, dir); /* only if it is empty */
        dir = cs_path_parent(dir);
    }
}

/* A file that is replaced leaves its name empty for a moment: only there (apply_put.c). */
static bool leaves_holes(const cs_fs_t *fs)
{
    return !fs->features.exchange && !fs->features.links;
}

typedef enum cs_fate { CS_KEEP, CS_DROP, CS_BACK_TO_PATH, CS_BACK_TO_FROM } cs_fate_t;

static cs_fate_t fate_of(cs_sweep_t *sweep, const cs_trash_record_t *record,
                         const cs_stat_t *st, cs_trash_mark_t mark)
{
    if (mark == CS_TRASH_USERS) return CS_BACK_TO_PATH;
    bool staged = cs_print_eq_but_ctime(&record->staged, &st->print);
    if (mark == CS_TRASH_TAKEN || (staged && record->from.len > 0)) return CS_BACK_TO_FROM;
    if (staged) return CS_DROP; /* bytes on their way to a path: they will come again */
    bool expected = cs_print_eq_but_ctime(&record->expect, &st->print);
    bool maybe_hole = sweep->is_start && sweep->is_newest && record->staged.ino != 0 &&
                      leaves_holes(sweep->fs);
    if (expected && st->nlink == 1 && !maybe_hole) return CS_KEEP;

    cs_stat_t now;
    cs_err_t err = sweep->fs->ops->stat(sweep->fs, record->path, &now);
    if (err == CS_OK && now.print.dev == st->print.dev && now.print.ino == st->print.ino) {
        return CS_DROP; /* a second name of what is at the path */
    }
    if (!expected) return CS_BACK_TO_PATH;
    return maybe_hole && err == CS_ERR_NOT_FOUND ? CS_BACK_TO_PATH : CS_KEEP;
}

static void path_in(cs_slice_t group, const cs_dirent_t *entry, cs_buf_t *ret)
{
    cs_buf_put_slice(ret, group);
    cs_buf_printf(ret, "/%s", entry->name->data);
}

/* True if the entry is still there and may be dropped for want of room. */
static bool sweep_entry(cs_sweep_t *sweep, cs_slice_t group, const cs_trash_log_t *log,
                        const cs_dirent_t *entry)
{
    size_t index = 0;
    cs_trash_mark_t mark = CS_TRASH_OLD;
    if (!cs__trash_read_name(entry->name, &index, &mark) || entry->err != CS_OK) return false;
    const cs_trash_record_t *record = cs__trash_log_find(log, index);
    if (record == NULL) return true;

    cs_buf_t path = {0};
    path_in(group, entry, &path);
    cs_fate_t fate = fate_of(sweep, record, &entry->stat, mark);
    const cs_cleanup_sink_t *sink = sweep->sink;
    bool took = mark != CS_TRASH_USERS && record->expect.ino != 0 &&
                (fate == CS_KEEP || fate == CS_BACK_TO_PATH);
    if (took && sink != NULL && sink->took != NULL) {
        sink->took(sink->arg, record->path, &record->expect);
    }
    switch (fate) {
    case CS_KEEP:
        break;
    case CS_DROP:
        (void)sweep->fs->ops->unlink(sweep->fs, cs_buf_slice(&path));
        break;
    case CS_BACK_TO_PATH:
        give_back(sweep, cs_buf_slice(&path), record->path);
        break;
    case CS_BACK_TO_FROM:
        clear_way_back(sweep, record);
        give_back(sweep, cs_buf_slice(&path), record->from);
        break;
    }
    cs_buf_fini(&path);
    return fate == CS_KEEP;
}

static bool is_log(const cs_dirent_t *entry)
{
    return strcmp(entry->name->data, "log") == 0;
}

static void remove_entry(cs_fs_t *fs, cs_slice_t group, const cs_dirent_t *entry)
{
    cs_buf_t path = {0};
    path_in(group, entry, &path);
    (void)fs->ops->unlink(fs, cs_buf_slice(&path));
    cs_buf_fini(&path);
}

/* A program that has it open may write yet, or wrote since it was looked at: nobody would find
 * that. Whoever has not opened it by now never will. */
static bool may_be_written(cs_fs_t *fs, cs_slice_t path, const cs_stat_t *seen)
{
    cs_file_t *file = NULL;
    if (seen->type != CS_NODE_FILE || fs->ops->open_read(fs, path, &file) != CS_OK) {
        return false;
    }
    cs_stat_t now;
    bool ret = file->ops->in_use(file) || file->ops->fstat(file, &now) != CS_OK ||
               !cs_print_eq_but_ctime(&now.print, &seen->print);
    fs->ops->close(&file);
    return ret;
}

/* For want of room. False: it stays, for another sweep. */
static bool drop(cs_fs_t *fs, cs_slice_t group, const cs_dirent_t *entry)
{
    cs_buf_t path = {0};
    path_in(group, entry, &path);
    bool ret = !may_be_written(fs, cs_buf_slice(&path), &entry->stat) &&
               fs->ops->unlink(fs, cs_buf_slice(&path)) == CS_OK;
    cs_buf_fini(&path);
    return ret;
}

/* Removes the log with the last file, but not before that is where it was given back, whatever
 * a power cut takes with it. */
static void close_group(cs_sweep_t *sweep, cs_slice_t group)
{
    cs_fs_t *fs = sweep->fs;
    cs_listing_t listing = {0};
    if (fs->ops->list(fs, group, &listing) != CS_OK) return;
    bool any_left = false;
    for (size_t i = 0; i < listing.len; i++) {
        any_left = any_left || !is_log(&listing.item[i]);
    }
    if (!any_left && sweep->gave_back) sweep->gave_back = fs->ops->sync(fs, NULL, 0) != CS_OK;
    if (!any_left && !sweep->gave_back) {
        for (size_t i = 0; i < listing.len; i++) {
            remove_entry(fs, group, &listing.item[i]);
        }
        (void)fs->ops->rmdir(fs, group);
    }
    cs_listing_fini(&listing);
}

typedef void cs_entry_fn(cs_sweep_t *sweep, cs_slice_t group, const cs_trash_log_t *log,
                         const cs_dirent_t *entry);

static void each_entry(cs_sweep_t *sweep, cs_slice_t group, cs_entry_fn *each)
{
    cs_listing_t listing = {0};
    if (sweep->fs->ops->list(sweep->fs, group, &listing) != CS_OK) return;
    cs_trash_log_t log = {0};
    cs__trash_log_read(sweep->fs, group, &log);
    for (size_t i = 0; i < listing.len; i++) {
        if (!is_log(&listing.item[i])) each(sweep, group, &log, &listing.item[i]);
    }
    cs__trash_log_fini(&log);
    cs_listing_fini(&listing);
    close_group(sweep, group);
}

/* Newest groups come first, so what is beyond the bounds is the oldest. */
static void count_entry(cs_sweep_t *sweep, cs_slice_t group, const cs_trash_log_t *log,
                        const cs_dirent_t *entry)
{
    if (!sweep_entry(sweep, group, log, entry)) return;
    sweep->bytes += entry->stat.print.size;
    sweep->files++;
    bool is_over = sweep->over > 0 || sweep->bytes > sweep->config->trash_bytes_max ||
                   sweep->files > CS_TRASH_FILES_MAX;
    sweep->over += is_over;
}

static bool must_trim(const cs_sweep_t *sweep)
{
    bool lacks_room = sweep->after_run && sweep->bytes > sweep->config->trash_bytes_max;
    return (sweep->over > 0 || lacks_room) && sweep->dropped < CS_TRASH_DROPS_MAX;
}

/* What a user's program still writes to is given back, as by a sweep; the rest is dropped until
 * there is room. */
static void trim_entry(cs_sweep_t *sweep, cs_slice_t group, const cs_trash_log_t *log,
                       const cs_dirent_t *entry)
{
    if (!must_trim(sweep)) return;
    sweep->dropped++;
    sweep->over -= sweep->over > 0; /* one that stays is for another sweep */
    bool is_kept = sweep_entry(sweep, group, log, entry);
    if (is_kept && !drop(sweep->fs, group, entry)) return;
    uint64_t bytes = entry->err == CS_OK ? entry->stat.print.size : 0;
    sweep->bytes -= bytes < sweep->bytes ? bytes : sweep->bytes;
}

/* The oldest first, down to the `least` newest groups. */
static void trim(cs_sweep_t *sweep, const uint64_t *numbers, size_t len, size_t least)
{
    cs_buf_t group = {0};
    sweep->sink = NULL;
    while (len > least && must_trim(sweep)) {
        cs__trash_group_path(numbers[--len], &group);
        each_entry(sweep, cs_buf_slice(&group), trim_entry);
    }
    if (len == least && must_trim(sweep)) sweep->over = 0; /* there is no more to be had */
    cs_buf_fini(&group);
}

static void count(const cs_sweep_t *sweep)
{
    cs_trash_count_t *trash = sweep->config->trash;
    if (trash == NULL) return;
    trash->bytes = sweep->bytes;
    trash->over = sweep->over;
}

cs_err_t cs__trash_sweep(const cs_apply_config_t *config, bool is_start,
                         const cs_cleanup_sink_t *sink)
{
    cs_sweep_t sweep = {.config = config, .fs = config->fs, .sink = sink, .is_start = is_start};
    uint64_t *numbers = NULL;
    size_t len = 0;
    cs_err_t err = cs__trash_groups(config->fs, &numbers, &len);
    if (err != CS_OK) return err;

    cs_buf_t group = {0};
    for (size_t i = 0; i < len; i++) {
        cs__trash_group_path(numbers[i], &group);
        sweep.is_newest = i == 0;
        each_entry(&sweep, cs_buf_slice(&group), count_entry);
    }
    cs_buf_fini(&group);
    sweep.is_newest = false;
    trim(&sweep, numbers, len, 0);
    cs_free(numbers);
    count(&sweep);
    return CS_OK;
}

void cs__trash_trim(const cs_apply_config_t *config)
{
    cs_sweep_t sweep = {.config = config,
                        .fs = config->fs,
                        .after_run = true,
                        .bytes = config->trash->bytes,
                        .over = config->trash->over};
    uint64_t *numbers = NULL;
    size_t len = 0;
    if (!must_trim(&sweep) || cs__trash_groups(config->fs, &numbers, &len) != CS_OK) return;
    trim(&sweep, numbers, len, 1);
    cs_free(numbers);
    count(&sweep);
}

cs_err_t cs_trash_sweep(const cs_apply_config_t *config, const cs_cleanup_sink_t *sink)
{
    return cs__trash_sweep(config, false, sink);
}
