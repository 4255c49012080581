/* trash_find.c - what is wanted and nobody has may still be in our own trash.
 *
 * A file that was deleted here, and that a concurrent move brings back, is nowhere else. */
#include "base/mem.h"
#include "disk/hash_path.h"
#include "disk/scan.h"
#include "disk/trash_log.h"

typedef struct cs_find {
    cs_run_t run; /* of a copy: folder, buffers */
    cs_path_hasher_t *hasher;
    const cs_content_t *wanted;
    size_t count;
    void (*found)(void *arg, const cs_content_t *content);
    void *arg;
    bool *had; /* one a content */
} cs_find_t;

static bool may_be(const cs_content_t *content, const cs_stat_t *st)
{
    if (content->kind == CS_KIND_SYMLINK) return st->type == CS_NODE_SYMLINK;
    return st->type == CS_NODE_FILE && st->print.size == content->size;
}

static bool may_be_any(const cs_find_t *find, const cs_stat_t *st)
{
    for (size_t i = 0; i < find->count; i++) {
        if (!find->had[i] && may_be(&find->wanted[i], st)) return true;
    }
    return false;
}

/* A copy, so that a process that still writes to the file does not write to ours. */
static void take(cs_find_t *find, cs_slice_t path, size_t index)
{
    cs_buf_t staged = {0};
    cs_staged_path(&find->wanted[index], &staged);
    cs_err_t err =
        cs__apply_copy(&find->run, path, cs_buf_slice(&staged), &find->wanted[index]);
    cs_buf_fini(&staged);
    if (err != CS_OK) return;
    find->had[index] = true;
    find->found(find->arg, &find->wanted[index]);
}

/* Read once, however many of its size are wanted, and copied only if it is one of them. */
static void try_entry(cs_find_t *find, cs_slice_t path, const cs_stat_t *st)
{
    cs_content_t content = {0};
    cs_stat_t now;
    if (!may_be_any(find, st)) return;
    if (cs_path_hasher_run(find->hasher, path, st->type, NULL, &content, &now) != CS_OK) return;
    for (size_t i = 0; i < find->count; i++) {
        if (!find->had[i] && cs_content_eq(&find->wanted[i], &content)) take(find, path, i);
    }
}

static void find_in_group(cs_find_t *find, cs_slice_t group)
{
    cs_fs_t *fs = find->run.fs;
    cs_listing_t listing = {0};
    if (fs->ops->list(fs, group, &listing) != CS_OK) return;
    cs_buf_t path = {0};
    for (size_t i = 0; i < listing.len; i++) {
        if (listing.item[i].err != CS_OK) continue;
        cs_buf_clear(&path);
        cs_buf_put_slice(&path, group);
        cs_buf_printf(&path, "/%s", listing.item[i].name->data);
        try_entry(find, cs_buf_slice(&path), &listing.item[i].stat);
    }
    cs_buf_fini(&path);
    cs_listing_fini(&listing);
}

cs_err_t cs_trash_find(const cs_apply_config_t *config, const cs_content_t *wanted,
                       size_t count, void (*found)(void *arg, const cs_content_t *content),
                       void *arg)
{
    if (count == 0) return CS_OK;
    cs_fs_t *fs = config->fs;
    cs_listing_t listing = {0};
    cs_err_t err = fs->ops->list(fs, cs_slice_text(CS_TRASH_DIR), &listing);
    if (err != CS_OK) return err;
    cs_find_t find = {.run = {.config = config, .fs = fs},
                      .hasher = cs_path_hasher_new(fs, config->table),
                      .wanted = wanted,
                      .count = count,
                      .found = found,
                      .arg = arg,
                      .had = cs_calloc(count, sizeof(bool))};
    cs_buf_t group = {0};
    for (size_t i = 0; i < listing.len; i++) {
        uint64_t number = cs__trash_group_number(cs_slice_str(listing.item[i].name));
        if (number == 0) continue;
        cs__trash_group_path(number, &group);
        find_in_group(&find, cs_buf_slice(&group));
    }
    cs_buf_fini(&group);
    cs_listing_fini(&listing);
    cs_path_hasher_destroy(&find.hasher);
    cs_content_hasher_destroy(&find.run.hasher);
    cs_free(find.run.buffer);
    cs_free(find.had);
    return CS_OK;
}
