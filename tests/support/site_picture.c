/* site_picture.c - what a site's tree shows. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/picture.h"
#include "support/site.h"

char *site_picture(const site_t *site)
{
    return tree_picture(site->real);
}

bool site_shows(const site_t *site, const char *path, const char *text)
{
    cs_stat_t st;
    if (site->real->ops->stat(site->real, cs_slice_text(path), &st) != CS_OK) {
        return text == NULL;
    }
    if (text == NULL || st.type == CS_NODE_DIR) return false;
    cs_buf_t line = {0}, want = {0};
    tree_line(site->real, path, &st, &line);
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
