/* trash_list.c - the trash as people see it: what is in it, and taking something out again. */
#include <stdlib.h>

#include "base/mem.h"
#include "disk/trash_log.h"

typedef struct cs_walk_trash {
    cs_fs_t *fs;
    void *arg;
    bool (*each)(void *arg, const cs_trash_item_t *item);
} cs_walk_trash_t;

/* False: that was enough. */
static bool each_in_group(const cs_walk_trash_t *walk, cs_slice_t group)
{
    cs_listing_t listing = {0};
    cs_trash_log_t log = {0};
    if (walk->fs->ops->list(walk->fs, group, &listing) != CS_OK) return true;
    cs__trash_log_read(walk->fs, group, &log);
    cs_buf_t at = {0};
    bool go_on = true;
    for (size_t i = 0; go_on && i < listing.len; i++) {
        const cs_dirent_t *entry = &listing.item[i];
        size_t index;
        cs_trash_mark_t mark;
        if (entry->err != CS_OK || !cs__trash_read_name(entry->name, &index, &mark)) continue;
        const cs_trash_record_t *record =
            mark == CS_TRASH_TAKEN ? NULL : cs__trash_log_find(&log, index);
        if (record == NULL) continue; /* on its way to somewhere else, or nobody knows whence */
        cs_buf_clear(&at);
        cs_buf_put_slice(&at, group);
        cs_buf_printf(&at, "/%s", entry->name->data);
        cs_trash_item_t item = {
            .path = record->path, .at = cs_buf_slice(&at), .stat = entry->stat};
        go_on = walk->each(walk->arg, &item);
    }
    cs_buf_fini(&at);
    cs__trash_log_fini(&log);
    cs_listing_fini(&listing);
    return go_on;
}

cs_err_t cs_trash_each(cs_fs_t *fs, void *arg,
                       bool (*each)(void *arg, const cs_trash_item_t *item))
{
    cs_walk_trash_t walk = {.fs = fs, .arg = arg, .each = each};
    uint64_t *numbers = NULL;
    size_t len = 0;
    cs_err_t err = cs__trash_groups(fs, &numbers, &len);
    if (err != CS_OK) return err;
    cs_buf_t group = {0};
    bool go_on = true;
    for (size_t i = 0; go_on && i < len; i++) {
        cs__trash_group_path(numbers[i], &group);
        go_on = each_in_group(&walk, cs_buf_slice(&group));
    }
    cs_buf_fini(&group);
    cs_free(numbers);
    return CS_OK;
}

/* --- restoring */

typedef struct cs_pick {
    cs_slice_t what;
    cs_buf_t path, at;
    cs_stat_t stat;
    bool found;
} cs_pick_t;

static bool pick(void *arg, const cs_trash_item_t *item)
{
    cs_pick_t *pick = arg;
    if (!cs_slice_eq(item->path, pick->what) && !cs_slice_eq(item->at, pick->what)) return true;
    cs_buf_put_slice(&pick->path, item->path);
    cs_buf_put_slice(&pick->at, item->at);
    pick->stat = item->stat;
    pick->found = true;
    return false;
}

cs_err_t cs_trash_restore(cs_fs_t *fs, cs_slice_t what, cs_slice_t to, cs_buf_t *ret_to,
                          cs_stat_t *ret)
{
    cs_pick_t found = {.what = what};
    cs_err_t err = cs_trash_each(fs, &found, pick);
    if (err == CS_OK && !found.found) err = CS_ERR_NOT_FOUND;
    if (err == CS_OK) {
        cs_buf_clear(ret_to);
        cs_buf_put_slice(ret_to, to.len > 0 ? to : cs_buf_slice(&found.path));
        err = cs__apply_rename_new(fs, cs_buf_slice(&found.at), cs_buf_slice(ret_to));
        /* A scan takes it over: the name must not be lost after that, or it was deleted. */
        if (err == CS_OK) err = fs->ops->sync(fs, NULL, 0);
        *ret = found.stat;
    }
    cs_buf_fini(&found.path);
    cs_buf_fini(&found.at);
    return err;
}
