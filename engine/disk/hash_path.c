/* hash_path.c - the stable-read rule. */
#include "disk/hash_path.h"

#include "base/limits.h"
#include "base/mem.h"
#include "disk/scan.h"

struct cs_path_hasher {
    cs_fs_t *fs;
    const cs_chunker_table_t *table;
    cs_content_hasher_t *content;
    uint8_t *data; /* CS_FILE_BUFFER_BYTES */
    cs_buf_t target;
    cs_cancelled_t cancelled;
    void *cancel_arg;
    cs_file_hash_t *hash_file;
};

cs_path_hasher_t *cs_path_hasher_new(cs_fs_t *fs, const cs_chunker_table_t *table)
{
    cs_path_hasher_t *hasher = cs_calloc(1, sizeof *hasher);
    hasher->fs = fs;
    hasher->table = table;
    hasher->content = cs_content_hasher_new(table);
    hasher->data = cs_malloc(CS_FILE_BUFFER_BYTES);
    hasher->hash_file = cs_file_hash;
    return hasher;
}

void cs_path_hasher_destroy(cs_path_hasher_t **hasher_p)
{
    cs_path_hasher_t *hasher = *hasher_p;
    if (hasher == NULL) return;
    cs_content_hasher_destroy(&hasher->content);
    cs_buf_fini(&hasher->target);
    cs_free(hasher->data);
    cs_free(hasher);
    *hasher_p = NULL;
}

void cs_path_hasher_set_cancel(cs_path_hasher_t *hasher, cs_cancelled_t cancelled, void *arg)
{
    hasher->cancelled = cancelled;
    hasher->cancel_arg = arg;
}

void cs_path_hasher_set_hash(cs_path_hasher_t *hasher, cs_file_hash_t *hash_file)
{
    hasher->hash_file = hash_file;
}

static cs_err_t hash_file(cs_path_hasher_t *hasher, cs_slice_t path,
                          const cs_content_sink_t *sink, cs_content_t *ret, cs_stat_t *ret_stat)
{
    cs_file_t *file = NULL;
    cs_stat_t before, after;
    cs_err_t err = hasher->fs->ops->open_read(hasher->fs, path, &file);
    if (err == CS_ERR_IS_DIR || err == CS_ERR_ESCAPES || err == CS_ERR_UNSUPPORTED) {
        return CS_ERR_CHANGED;
    }
    if (err != CS_OK) return err;
    cs_content_hasher_begin(hasher->content, sink);
    file->ops->settle(file);
    err = file->ops->fstat(file, &before);
    if (err == CS_OK) {
        cs_pass_t pass = {.file = file,
                          .size = before.print.size,
                          .buffer = hasher->data,
                          .cancelled = hasher->cancelled,
                          .cancel_arg = hasher->cancel_arg};
        err = hasher->hash_file(&pass, hasher->content);
    }
    if (err == CS_OK) err = file->ops->fstat(file, &after);
    file->ops->close(&file);
    if (err != CS_OK) return err;
    if (!cs_print_eq(&before.print, &after.print)) return CS_ERR_CHANGED;
    cs_content_hasher_end(hasher->content, ret);
    *ret_stat = after;
    return CS_OK;
}

static cs_err_t read_link(cs_path_hasher_t *hasher, cs_slice_t path, cs_stat_t *ret_before,
                          cs_stat_t *ret_after)
{
    const cs_fs_ops_t *ops = hasher->fs->ops;
    cs_err_t err = ops->stat(hasher->fs, path, ret_before);
    if (err == CS_OK) err = ops->readlink(hasher->fs, path, &hasher->target);
    if (err == CS_OK) err = ops->stat(hasher->fs, path, ret_after);
    return err;
}

/* A file system that remembers times for a while (FUSE) may know of a new ctime only once the
 * link is read: then it is read again. */
static cs_err_t hash_symlink(cs_path_hasher_t *hasher, cs_slice_t path, cs_content_t *ret,
                             cs_stat_t *ret_stat)
{
    cs_stat_t before, after;
    cs_err_t err = read_link(hasher, path, &before, &after);
    if (err == CS_OK && !cs_print_eq(&before.print, &after.print)) {
        err = read_link(hasher, path, &before, &after);
    }
    if (err != CS_OK) return err;
    if (after.type != CS_NODE_SYMLINK || !cs_print_eq(&before.print, &after.print)) {
        return CS_ERR_CHANGED;
    }
    cs_content_of(hasher->table, CS_KIND_SYMLINK, cs_buf_slice(&hasher->target), ret);
    *ret_stat = after;
    return CS_OK;
}

cs_err_t cs_path_hasher_run(cs_path_hasher_t *hasher, cs_slice_t path, cs_node_type_t type,
                            const cs_content_sink_t *sink, cs_content_t *ret,
                            cs_stat_t *ret_stat)
{
    CS_ASSERT(type == CS_NODE_FILE || type == CS_NODE_SYMLINK);
    if (type == CS_NODE_SYMLINK) return hash_symlink(hasher, path, ret, ret_stat);
    return hash_file(hasher, path, sink, ret, ret_stat);
}

cs_err_t cs_hash_path(cs_fs_t *fs, const cs_chunker_table_t *table, cs_slice_t path,
                      const cs_content_sink_t *sink, cs_content_t *ret, cs_stat_t *ret_stat)
{
    cs_stat_t st;
    cs_err_t err = fs->ops->stat(fs, path, &st);
    if (err != CS_OK) return err;
    if (st.type != CS_NODE_FILE && st.type != CS_NODE_SYMLINK) return CS_ERR_CHANGED;
    cs_path_hasher_t *hasher = cs_path_hasher_new(fs, table);
    err = cs_path_hasher_run(hasher, path, st.type, sink, ret, ret_stat);
    cs_path_hasher_destroy(&hasher);
    return err;
}
