/* user_path.c - the names that users use: as they are, or "the first sibling of d/x". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int by_name(const void *a, const void *b)
{
    const cs_dirent_t *x = a, *y = b;
    return cs_slice_cmp(cs_slice_str(x->name), cs_slice_str(y->name));
}

/* The n-th sibling, from 1, of what `path` names. */
static bool find_sibling(cs_sim_node_t *node, const char *path, unsigned n, char *ret)
{
    char dir[CS_ACT_PATH_BYTES], stem[CS_ACT_PATH_BYTES + 16];
    const char *name = base_name(path), *dot = strrchr(name, '.');
    size_t dir_len = (size_t)(name - path), stem_len = strlen(name);
    if (dot != NULL && dot > name) stem_len = (size_t)(dot - name);
    snprintf(dir, sizeof dir, "%.*s", (int)(dir_len > 0 ? dir_len - 1 : 0), path);
    int len = snprintf(stem, sizeof stem, "%.*s.conflict-", (int)stem_len, name);
    cs_listing_t listing = {0};
    bool found = false;
    if (cs_mem_user_list(node->volume, cs_slice(dir, strlen(dir)), &listing) == CS_OK &&
        listing.len > 0) {
        qsort(listing.item, listing.len, sizeof listing.item[0], by_name);
        for (size_t i = 0; i < listing.len && !found; i++) {
            const cs_str_t *other = listing.item[i].name;
            if (strncmp(other->data, stem, (size_t)len) != 0) continue;
            found = --n == 0;
            if (found) {
                snprintf(ret, CS_ACT_PATH_BYTES, "%.*s%s", (int)dir_len, path, other->data);
            }
        }
    }
    cs_listing_fini(&listing);
    return found;
}

bool cs_sim_user_path(cs_sim_node_t *node, const char *path, char *ret)
{
    const char *mark = strrchr(path, '#');
    if (mark == NULL || mark[1] < '1' || mark[1] > '9' || mark[2] != '\0') {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", path);
        return true;
    }
    char of[CS_ACT_PATH_BYTES];
    snprintf(of, sizeof of, "%.*s", (int)(mark - path), path);
    return find_sibling(node, of, (unsigned)(mark[1] - '0'), ret);
}
