/* fs.c - the values that cross the file system interface. */
#include "disk/fs.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static bool print_is_known(const cs_print_t *print)
{
    static const cs_print_t unknown;
    return memcmp(print, &unknown, sizeof unknown) != 0;
}

bool cs_print_eq_but_ctime(const cs_print_t *a, const cs_print_t *b)
{
    return print_is_known(a) && a->dev == b->dev && a->ino == b->ino &&
           a->btime_ns == b->btime_ns && a->mtime_ns == b->mtime_ns && a->size == b->size;
}

bool cs_print_eq(const cs_print_t *a, const cs_print_t *b)
{
    return a->ctime_ns == b->ctime_ns && cs_print_eq_but_ctime(a, b);
}

int64_t cs_fs_tick_ns(const cs_fs_t *fs)
{
    int64_t step_ns = fs->features.mtime_step_ns;
    return step_ns > CS_TICK_NS ? step_ns : CS_TICK_NS;
}

cs_dirent_t *cs_listing_add(cs_listing_t *listing, cs_slice_t name)
{
    if (listing->len == listing->cap) {
        listing->cap = cs_grow(listing->cap, listing->len + 1);
        listing->item = cs_realloc_array(listing->item, listing->cap, sizeof *listing->item);
    }
    cs_dirent_t *entry = &listing->item[listing->len++];
    *entry = (cs_dirent_t){.name = cs_str_new(name.data, name.len)};
    return entry;
}

void cs_listing_fini(cs_listing_t *listing)
{
    for (size_t i = 0; i < listing->len; i++) {
        cs_str_unref(&listing->item[i].name);
    }
    cs_free(listing->item);
    *listing = (cs_listing_t){0};
}
