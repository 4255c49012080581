/* apply_cleanup.c - after a start: what a crash left. */
#include "disk/scan.h"
#include "disk/trash_log.h"

/* Where the number of a copy begins in its name. */
#define COPY_DOT ((size_t)2 * CS_HASH_BYTES)

/* Whether all of a content is behind a name of 64 digits: power may have failed before it was
 * flushed. */
static bool is_complete(const cs_apply_config_t *config, cs_slice_t path, cs_slice_t name,
                        cs_content_t *ret)
{
    uint8_t hash[CS_HASH_BYTES];
    if (name.len != 2 * sizeof hash || !cs_unhex(hash, sizeof hash, name)) return false;
    cs_stat_t st;
    if (cs_hash_path(config->fs, config->table, path, NULL, ret, &st) != CS_OK) return false;
    return cs_slice_eq(cs_slice(ret->hash, sizeof ret->hash), cs_slice(hash, sizeof hash));
}

/* A copy that a step was to use, "<64 digits>.<step>", becomes a staged content: the file it
 * was made of may be in the trash by now. */
static cs_slice_t unnumber(cs_fs_t *fs, cs_slice_t name, cs_buf_t *path)
{
    if (name.len < COPY_DOT + 2 || name.data[COPY_DOT] != '.') return name;
    if (name.data[COPY_DOT + 1] < '0' || name.data[COPY_DOT + 1] > '9') return name;
    cs_slice_t old = cs_buf_slice(path);
    cs_slice_t fresh = cs_slice(old.data, old.len - (name.len - COPY_DOT));
    if (fs->ops->rename(fs, old, fresh, CS_RENAME_NOREPLACE) != CS_OK) return name;
    path->len = fresh.len;
    return cs_slice(name.data, COPY_DOT);
}

cs_err_t cs_apply_cleanup(const cs_apply_config_t *config, const cs_cleanup_sink_t *sink)
{
    cs_fs_t *fs = config->fs;
    cs_listing_t listing = {0};
    cs_err_t err = fs->ops->list(fs, cs_slice_text(CS_TMP_DIR), &listing);
    if (err != CS_OK) return err;
    cs_buf_t path = {0};
    for (size_t i = 0; i < listing.len; i++) {
        cs_slice_t name = cs_slice_str(listing.item[i].name);
        cs_buf_clear(&path);
        cs_buf_printf(&path, "%s/%s", CS_TMP_DIR, listing.item[i].name->data);
        name = unnumber(fs, name, &path);
        cs_content_t content;
        bool complete = is_complete(config, cs_buf_slice(&path), name, &content);
        bool kept =
            sink->keep != NULL && sink->keep(sink->arg, name, complete ? &content : NULL);
        if (!kept) (void)fs->ops->unlink(fs, cs_buf_slice(&path));
    }
    cs_buf_fini(&path);
    cs_listing_fini(&listing);
    return cs__trash_sweep(config, true, sink);
}
