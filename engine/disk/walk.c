/* walk.c - a stack of sorted listings. */
#include "disk/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"

typedef struct item {
    cs_str_t *name; /* borrowed from the listing */
    uint32_t index; /* in the listing */
    bool below;     /* sorts as name + "/" */
} item_t;

typedef struct frame {
    cs_listing_t listing; /* top frame of given paths: names are whole paths */
    item_t *item;         /* owned; sorted */
    uint8_t *pruned;      /* owned; by index in the listing */
    size_t len, at;
    size_t dir_len; /* bytes of the directory in walk->path */
    bool top;
} frame_t;

struct cs_walk {
    cs_fs_t *fs;
    frame_t *frame;
    size_t len, cap;
    cs_buf_t path;
    const item_t *last; /* of the last ENTRY or BELOW */
    cs_listing_t ahead; /* listed early, to see whether it is empty */
    cs_buf_t ahead_path;
    bool has_ahead;
    size_t parents_from; /* in the top listing: from here on, `parent` entries */
};

cs_walk_t *cs_walk_new(cs_fs_t *fs)
{
    cs_walk_t *walk = cs_calloc(1, sizeof *walk);
    walk->fs = fs;
    return walk;
}

static void frame_fini(frame_t *frame)
{
    cs_listing_fini(&frame->listing);
    cs_free(frame->item);
    cs_free(frame->pruned);
}

void cs_walk_destroy(cs_walk_t **walk_p)
{
    cs_walk_t *walk = *walk_p;
    if (walk == NULL) return;
    while (walk->len > 0) {
        frame_fini(&walk->frame[--walk->len]);
    }
    cs_free(walk->frame);
    cs_listing_fini(&walk->ahead);
    cs_buf_fini(&walk->ahead_path);
    cs_buf_fini(&walk->path);
    cs_free(walk);
    *walk_p = NULL;
}

/* The next byte of what an item sorts as, -1 at its end. */
static int byte_at(const item_t *item, size_t at)
{
    if (at < item->name->len) return (uint8_t)item->name->data[at];
    return item->below && at == item->name->len ? '/' : -1;
}

static int item_cmp(const void *a_raw, const void *b_raw)
{
    const item_t *a = a_raw, *b = b_raw;
    size_t len = a->name->len < b->name->len ? a->name->len : b->name->len;
    int order = memcmp(a->name->data, b->name->data, len);
    if (order != 0) return order;
    for (size_t at = len;; at++) {
        int left = byte_at(a, at), right = byte_at(b, at);
        if (left != right) return left - right;
        if (left < 0) {
            return a->index < b->index ? -1 : a->index > b->index; /* twins of a given path */
        }
    }
}

/* Takes the listing. Only directories, and what could not be looked at, can have rows below. */
static void push(cs_walk_t *walk, cs_listing_t *listing_p, size_t dir_len, bool top)
{
    frame_t frame = {.listing = *listing_p, .dir_len = dir_len, .top = top};
    *listing_p = (cs_listing_t){0};
    frame.item = cs_calloc(2 * frame.listing.len, sizeof *frame.item);
    frame.pruned = cs_calloc(frame.listing.len, 1);
    for (size_t i = 0; i < frame.listing.len; i++) {
        const cs_dirent_t *entry = &frame.listing.item[i];
        frame.item[frame.len++] = (item_t){entry->name, (uint32_t)i, false};
        bool has_below = top ? i < walk->parents_from
                             : entry->err != CS_OK || entry->stat.type == CS_NODE_DIR;
        if (has_below) frame.item[frame.len++] = (item_t){entry->name, (uint32_t)i, true};
    }
    qsort(frame.item, frame.len, sizeof *frame.item, item_cmp);
    if (walk->len == walk->cap) {
        walk->cap = cs_grow(walk->cap, walk->len + 1);
        walk->frame = cs_realloc_array(walk->frame, walk->cap, sizeof *walk->frame);
    }
    walk->frame[walk->len++] = frame;
    walk->last = NULL;
}

static void drop_private_dir(cs_listing_t *listing)
{
    for (size_t i = 0; i < listing->len; i++) {
        if (strcmp(listing->item[i].name->data, CS_PRIVATE_DIR) != 0) continue;
        cs_str_unref(&listing->item[i].name);
        listing->item[i] = listing->item[--listing->len];
        return;
    }
}

cs_err_t cs_walk_begin_all(cs_walk_t *walk)
{
    CS_ASSERT(walk->len == 0);
    cs_listing_t listing = {0};
    cs_err_t err = walk->fs->ops->list(walk->fs, cs_slice(NULL, 0), &listing);
    if (err != CS_OK) return err;
    drop_private_dir(&listing);
    push(walk, &listing, 0, false);
    return CS_OK;
}

static bool is_gone(cs_err_t err)
{
    return err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES;
}

static void add_given(cs_walk_t *walk, cs_listing_t *listing, cs_slice_t path)
{
    cs_stat_t st = {0};
    cs_err_t err = walk->fs->ops->stat(walk->fs, path, &st);
    cs_dirent_t *entry = cs_listing_add(listing, path);
    entry->err = err;
    entry->stat = st;
}

/* Is one of the sorted `paths` a directory above path? */
static bool is_covered(const cs_slice_t *paths, size_t count, cs_slice_t path)
{
    for (cs_slice_t dir = cs_path_parent(path); dir.len > 0; dir = cs_path_parent(dir)) {
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (cs_slice_cmp(paths[middle], dir) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < count && cs_slice_eq(paths[low], dir)) return true;
    }
    return false;
}

/* A directory that lost its last file is to be kept: look at the nearest one that is there. */
static void add_parent(cs_walk_t *walk, cs_listing_t *listing, cs_slice_t path)
{
    cs_stat_t st = {0};
    cs_err_t err = CS_ERR_NOT_FOUND;
    while (is_gone(err)) {
        path = cs_path_parent(path);
        if (path.len == 0) return;
        err = walk->fs->ops->stat(walk->fs, path, &st);
    }
    cs_str_t *last = listing->item[listing->len - 1].name;
    if (listing->len > walk->parents_from && cs_slice_eq(cs_slice_str(last), path)) return;
    cs_dirent_t *entry = cs_listing_add(listing, path);
    entry->err = err;
    entry->stat = st;
}

void cs_walk_begin_paths(cs_walk_t *walk, const cs_slice_t *paths, size_t count)
{
    CS_ASSERT(walk->len == 0);
    cs_listing_t listing = {0};
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && cs_slice_eq(paths[i], paths[i - 1])) continue;
        if (cs_path_is_private(paths[i])) {
            continue;
        }
        if (!is_covered(paths, count, paths[i])) add_given(walk, &listing, paths[i]);
    }
    walk->parents_from = listing.len;
    for (size_t i = 0; i < walk->parents_from; i++) {
        cs_str_t *name = listing.item[i].name;
        if (is_gone(listing.item[i].err)) add_parent(walk, &listing, cs_slice_str(name));
    }
    push(walk, &listing, 0, true);
}

static void set_path(cs_walk_t *walk, const frame_t *frame, const cs_str_t *name)
{
    walk->path.len = frame->dir_len;
    if (frame->dir_len > 0) cs_buf_put_u8(&walk->path, '/');
    cs_buf_put_slice(&walk->path, cs_slice_str(name));
}

void cs_walk_next(cs_walk_t *walk, cs_walk_event_t *ret)
{
    *ret = (cs_walk_event_t){.what = CS_WALK_END};
    if (walk->len == 0) return;
    frame_t *frame = &walk->frame[walk->len - 1];
    if (frame->at == frame->len) {
        ret->what = frame->top ? CS_WALK_END : CS_WALK_LEAVE;
        walk->path.len = frame->dir_len;
        ret->path = cs_buf_slice(&walk->path);
        frame_fini(frame);
        walk->len--;
        walk->last = NULL;
        return;
    }
    const item_t *item = &frame->item[frame->at++];
    const cs_dirent_t *entry = &frame->listing.item[item->index];
    walk->last = item;
    set_path(walk, frame, item->name);
    ret->what = item->below ? CS_WALK_BELOW : CS_WALK_ENTRY;
    ret->path = cs_buf_slice(&walk->path);
    ret->err = walk->path.len > CS_PATH_MAX ? CS_ERR_NAME : entry->err;
    ret->stat = entry->stat;
    ret->pruned = frame->pruned[item->index] != 0;
    ret->top = frame->top;
    ret->parent = frame->top && item->index >= walk->parents_from;
}

void cs_walk_prune(cs_walk_t *walk)
{
    CS_ASSERT(walk->last != NULL && !walk->last->below);
    walk->frame[walk->len - 1].pruned[walk->last->index] = 1;
}

cs_err_t cs_walk_is_empty(cs_walk_t *walk, bool *ret)
{
    walk->has_ahead = false;
    cs_err_t err = walk->fs->ops->list(walk->fs, cs_buf_slice(&walk->path), &walk->ahead);
    if (err != CS_OK) return err;
    cs_buf_clear(&walk->ahead_path);
    cs_buf_put_slice(&walk->ahead_path, cs_buf_slice(&walk->path));
    walk->has_ahead = true;
    *ret = walk->ahead.len == 0;
    return CS_OK;
}

cs_err_t cs_walk_enter(cs_walk_t *walk)
{
    CS_ASSERT(walk->last != NULL && walk->last->below);
    cs_listing_t listing = {0};
    cs_slice_t path = cs_buf_slice(&walk->path);
    if (walk->has_ahead && cs_slice_eq(path, cs_buf_slice(&walk->ahead_path))) {
        listing = walk->ahead;
        walk->ahead = (cs_listing_t){0};
        walk->has_ahead = false;
    } else {
        cs_err_t err = walk->fs->ops->list(walk->fs, path, &listing);
        if (err != CS_OK) return err;
    }
    push(walk, &listing, walk->path.len, false);
    return CS_OK;
}
