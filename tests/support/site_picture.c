/* site_picture.c - a site's tree as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/site.h"

#define LINK_MARK "-> "

static int by_name(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_dirent_t *)a)->name, ((const cs_dirent_t *)b)->name);
}

static void describe(cs_fs_t *fs, const char *path, const cs_stat_t *st, cs_buf_t *ret)
{
    cs_buf_t bytes = {0};
    bool is_link = st->type == CS_NODE_SYMLINK;
    cs_err_t err =
        site_read(fs, cs_slice_text(path), is_link ? CS_KIND_SYMLINK : CS_KIND_FILE, &bytes);
    CS_ASSERT(err == CS_OK);
    cs_buf_printf(ret, "%s %o %s%.*s\n", path, is_link ? 0u : st->mode,
                  is_link ? LINK_MARK : "", (int)bytes.len, (const char *)bytes.data);
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
            describe(fs, path, &entry->stat, ret);
        }
    }
    cs_listing_fini(&listing);
}

char *site_picture(const site_t *site)
{
    cs_buf_t text = {0};
    draw(site->real, "", &text);
    cs_buf_put_u8(&text, '\0');
    char *ret = cs_strdup((const char *)text.data);
    cs_buf_fini(&text);
    return ret;
}

bool site_shows(const site_t *site, const char *path, const char *text)
{
    cs_stat_t st;
    if (site->real->ops->stat(site->real, cs_slice_text(path), &st) != CS_OK) {
        return text == NULL;
    }
    if (text == NULL || st.type == CS_NODE_DIR) return false;
    cs_buf_t line = {0}, want = {0};
    describe(site->real, path, &st, &line);
    cs_buf_printf(&want, "%s %o %s\n", path, st.type == CS_NODE_SYMLINK ? 0u : st.mode, text);
    bool ret = cs_slice_eq(cs_buf_slice(&line), cs_buf_slice(&want));
    cs_buf_fini(&line);
    cs_buf_fini(&want);
    return ret;
}

bool site_tree_holds(const site_t *site, const char *text)
{
    char *picture = site_picture(site), needle[256];
    snprintf(needle, sizeof needle, " %s\n", text);
    bool ret = strstr(picture, needle) != NULL;
    cs_free(picture);
    return ret;
}
