/* path.c - checks and pieces of paths. */
#include "base/path.h"

#include <string.h>

#include "base/limits.h"

static bool is_dots(const uint8_t *name, size_t len)
{
    return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

cs_err_t cs_path_check(cs_slice_t path)
{
    if (path.len == 0) return CS_ERR_MALFORMED;
    if (path.len > CS_PATH_MAX) return CS_ERR_LIMIT;
    if (memchr(path.data, '\0', path.len) != NULL) return CS_ERR_MALFORMED;

    size_t start = 0;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.data[i] != '/') continue;
        size_t len = i - start;
        if (len == 0 || is_dots(path.data + start, len)) return CS_ERR_MALFORMED;
        if (len > CS_NAME_MAX) return CS_ERR_LIMIT;
        if (start == 0 &&
            cs_slice_eq(cs_slice(path.data, len), cs_slice_text(CS_PRIVATE_DIR))) {
            return CS_ERR_MALFORMED;
        }
        start = i + 1;
    }
    return CS_OK;
}

cs_slice_t cs_path_parent(cs_slice_t path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.data[i - 1] == '/') return cs_slice(path.data, i - 1);
    }
    return cs_slice(path.data, 0);
}

cs_slice_t cs_path_base(cs_slice_t path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.data[i - 1] == '/') return cs_slice(path.data + i, path.len - i);
    }
    return path;
}

bool cs_path_is_below(cs_slice_t path, cs_slice_t dir)
{
    if (dir.len == 0) return path.len > 0;
    return path.len > dir.len && path.data[dir.len] == '/' &&
           memcmp(path.data, dir.data, dir.len) == 0;
}

bool cs_path_is_within(cs_slice_t path, cs_slice_t top)
{
    return cs_slice_eq(path, top) || cs_path_is_below(path, top);
}

bool cs_path_is_private(cs_slice_t path)
{
    return cs_path_is_within(path, cs_slice_text(CS_PRIVATE_DIR));
}
