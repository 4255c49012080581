/* stage.c - verified contents in .crdtsync/tmp, named by their hash.
 *
 * A name of 64 digits stands for all of a content once the call that wrote it has returned.
 * Power may fail before the bytes are flushed, so after a start nothing is staged until
 * cs_apply_cleanup has read it. */
#include "disk/apply_run.h"

#include <string.h>

void cs_staged_path(const cs_content_t *content, cs_buf_t *ret)
{
    char hex[2 * CS_HASH_BYTES + 1];
    cs_hex(hex, content->hash, CS_HASH_BYTES);
    cs_buf_clear(ret);
    cs_buf_printf(ret, "%s/%s", CS_TMP_DIR, hex); /* with a NUL behind */
}

typedef struct staging {
    cs_fs_t *fs;
    cs_slice_t bytes;
    const cs_dress_t *dress; /* may be NULL */
} staging_t;

static cs_err_t write_new(const staging_t *staging, cs_slice_t path)
{
    cs_fs_t *fs = staging->fs;
    cs_slice_t bytes = staging->bytes;
    cs_file_t *file = NULL;
    cs_err_t err = fs->ops->create(fs, path, &file);
    if (err != CS_OK) return err;
    err = bytes.len > 0 ? file->ops->write(file, 0, bytes.data, bytes.len) : CS_OK;
    const cs_dress_t *dress = staging->dress;
    if (err == CS_OK && dress != NULL) { /* where that fails, apply says why */
        (void)file->ops->set_meta(file, dress->mode, dress->mtime_ns);
    }
    file->ops->close(&file);
    if (err != CS_OK) (void)fs->ops->unlink(fs, path);
    return err;
}

/* What a crash left under either name is replaced. */
static cs_err_t write_over(const staging_t *staging, cs_slice_t path)
{
    cs_fs_t *fs = staging->fs;
    cs_buf_t fresh = {0};
    cs_buf_put_slice(&fresh, path);
    cs_buf_printf(&fresh, ".new");
    cs_err_t err = write_new(staging, cs_buf_slice(&fresh));
    if (err == CS_ERR_EXISTS) {
        err = fs->ops->unlink(fs, cs_buf_slice(&fresh));
        if (err == CS_OK) err = write_new(staging, cs_buf_slice(&fresh));
    }
    if (err == CS_OK) {
        err = fs->ops->rename(fs, cs_buf_slice(&fresh), path, CS_RENAME_REPLACE);
    }
    cs_buf_fini(&fresh);
    return err;
}

/* A file that even its owner may not read or write gets such a mode when nothing is missing but
 * its name: until then it may be copied, or read after a crash. */
#define MODE_OPEN 0600

cs_err_t cs_stage_small(cs_fs_t *fs, const cs_content_t *content, cs_slice_t bytes,
                        const cs_dress_t *dress)
{
    bool now = dress != NULL && fs->features.modes && (dress->mode & MODE_OPEN) == MODE_OPEN;
    staging_t staging = {.fs = fs, .bytes = bytes, .dress = now ? dress : NULL};
    cs_buf_t path = {0};
    cs_staged_path(content, &path);
    cs_err_t err;
    if (content->kind == CS_KIND_SYMLINK) {
        err = fs->ops->symlink(fs, bytes, cs_buf_slice(&path));
        if (err == CS_ERR_EXISTS) err = CS_OK; /* the name says that it is the same */
    } else {
        err = write_new(&staging, cs_buf_slice(&path));
        if (err == CS_ERR_EXISTS) err = write_over(&staging, cs_buf_slice(&path));
    }
    cs_buf_fini(&path);
    return err;
}
