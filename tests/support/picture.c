/* picture.c - a tree as text. */
#include "support/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define LINK_MARK "-> "
#define BYTES_MAX 4096u
#define SHOWN_MAX 80u /* of a line */

cs_err_t tree_read(cs_fs_t *fs, cs_slice_t path, uint8_t kind, cs_buf_t *ret)
{
    if (kind == CS_KIND_SYMLINK) return fs->ops->readlink(fs, path, ret);
    cs_file_t *file = NULL;
    cs_err_t err = fs->ops->open_read(fs, path, &file);
    if (err != CS_OK) return err;
    cs_buf_clear(ret);
    cs_buf_reserve(ret, BYTES_MAX);
    err = file->ops->read(file, 0, ret->data, BYTES_MAX, &ret->len);
    file->ops->close(&file);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_dirent_t *)a)->name, ((const cs_dirent_t *)b)->name);
}

void tree_line(cs_fs_t *fs, const char *path, const cs_stat_t *st, cs_buf_t *ret)
{
    cs_buf_t bytes = {0};
    bool is_link = st->type == CS_NODE_SYMLINK;
    cs_err_t err =
        tree_read(fs, cs_slice_text(path), is_link ? CS_KIND_SYMLINK : CS_KIND_FILE, &bytes);
    CS_ASSERT(err == CS_OK);
    cs_buf_printf(
        ret, "%s %o %s%.*s\n", path, is_link ? 0u : st->mode, is_link ? LINK_MARK : "",
        (int)(bytes.len < SHOWN_MAX ? bytes.len : SHOWN_MAX), (const char *)bytes.data);
    cs_buf_fini(&bytes);
}

static void draw(cs_fs_t *fs, const char *dir, cs_buf_t *ret)
{
    cs_listing_t listing = {0};
    cs_err_t err = fs->ops->list(fs, cs_slice_text(dir), &listing);
    CS_ASSERT(err == CS_OK);
    if (listing.len > 1) qsort(listing.item, listing.len, sizeof *listing.item, by_name);
    for (size_t i = 0; i < listing.len; i++) {
        const cs_dirent_t *entry = &listing.item[i];
        if (strcmp(entry->name->data, ".crdtsync") == 0) continue;
        char path[512];
        snprintf(path, sizeof path, "%s%s%s", dir, *dir == '\0' ? "" : "/", entry->name->data);
        if (entry->stat.type == CS_NODE_DIR) {
            cs_buf_printf(ret, "%s/\n", path);
            draw(fs, path, ret);
        } else {
            tree_line(fs, path, &entry->stat, ret);
        }
    }
    cs_listing_fini(&listing);
}

char *tree_picture(cs_fs_t *fs)
{
    cs_buf_t text = {0};
    draw(fs, "", &text);
    cs_buf_put_u8(&text, '\0');
    char *ret = cs_strdup((const char *)text.data);
    cs_buf_fini(&text);
    return ret;
}
