/* flush.c - see flush.h. */
#include "disk/flush.h"

#include "base/path.h"

void cs_flush_fini(cs_flush_t *flush)
{
    for (size_t i = 0; i < flush->len; i++) {
        cs_str_unref(&flush->path[i]);
    }
    *flush = (cs_flush_t){0};
}

void cs_flush_all(cs_flush_t *flush)
{
    cs_flush_fini(flush);
    flush->all = true;
}

void cs_flush_add(cs_flush_t *flush, cs_slice_t path)
{
    if (flush->all) return;
    for (size_t i = 0; i < flush->len; i++) {
        if (cs_slice_eq(cs_slice_str(flush->path[i]), path)) return;
    }
    if (flush->len == CS_FLUSH_PATHS_MAX) {
        cs_flush_all(flush);
        return;
    }
    flush->path[flush->len++] = cs_str_new(path.data, path.len);
}

void cs_flush_name(cs_flush_t *flush, cs_slice_t path)
{
    while (path.len > 0) {
        path = cs_path_parent(path);
        cs_flush_add(flush, path);
    }
}

bool cs_flush_is_empty(const cs_flush_t *flush)
{
    return !flush->all && flush->len == 0;
}

cs_err_t cs_flush_run(cs_flush_t *flush, cs_fs_t *fs)
{
    cs_slice_t path[CS_FLUSH_PATHS_MAX];
    for (size_t i = 0; i < flush->len; i++) {
        path[i] = cs_slice_str(flush->path[i]);
    }
    cs_err_t err = cs_flush_is_empty(flush) ? CS_OK : fs->ops->sync(fs, path, flush->len);
    cs_flush_fini(flush);
    return err;
}
