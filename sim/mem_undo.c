/* mem_undo.c - what a power cut takes back.
 *
 * A record holds the other side of a change: swapped with what is there, it undoes it, and
 * swapped once more does it again. A crash undoes all of them, newest first, and then does
 * those again that are to survive, oldest first:
 *
 *   names, modes, times, sizes   those of the first so many operations, in order (a journal)
 *   bytes of a write             write by write: all, none, or the first so many. Without the
 *                                size that belongs to them, those beyond it are lost; with it
 *                                and without the bytes there are zeros, or the old ones
 *
 * After an fsync only writes to other files are left, with sizes that are durable. Their
 * records then move sizes back and forth, so that the bytes find their places, but not the
 * times. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "sim/mem_fs_i.h"

typedef enum undo_kind { UNDO_ATTRS, UNDO_NAME, UNDO_WRITE, UNDO_TRUNCATE } undo_kind_t;

struct cs__undo {
    undo_kind_t kind;
    bool durable; /* but for the bytes */
    uint64_t op;
    cs__inode_t *inode; /* a reference; of a NAME: the directory */
    cs__attrs_t attrs;
    cs_str_t *name;        /* NAME: owned */
    cs__inode_t *child;    /* NAME: a reference; NULL: nothing is there */
    uint64_t offset;       /* WRITE; of a TRUNCATE: the new size */
    uint64_t size, filled; /* before */
    size_t len;            /* WRITE: bytes */
    cs_buf_t bytes;        /* that are not in the file now */
};

void cs__mem_begin(cs_mem_volume_t *volume)
{
    volume->op++;
}

static cs__undo_t *note(cs_mem_volume_t *volume, undo_kind_t kind, cs__inode_t *inode)
{
    if (volume->undo_len == volume->undo_cap) {
        volume->undo_cap = cs_grow(volume->undo_cap, volume->undo_len + 1);
        volume->undo = cs_realloc_array(volume->undo, volume->undo_cap, sizeof *volume->undo);
    }
    cs__undo_t *undo = &volume->undo[volume->undo_len++];
    *undo = (cs__undo_t){.kind = kind,
                         .op = volume->op,
                         .inode = cs__mem_ref(inode),
                         .attrs = inode->attrs,
                         .size = inode->size,
                         .filled = inode->filled};
    return undo;
}

void cs__mem_note_attrs(cs_mem_volume_t *volume, cs__inode_t *inode)
{
    if (volume->config.power_cuts) note(volume, UNDO_ATTRS, inode);
}

void cs__mem_note_name(cs_mem_volume_t *volume, cs__inode_t *dir, cs_slice_t name)
{
    if (!volume->config.power_cuts) return;
    cs__undo_t *undo = note(volume, UNDO_NAME, dir);
    undo->name = cs_str_new(name.data, name.len);
    undo->child = cs__mem_child(dir, name);
    if (undo->child != NULL) cs__mem_ref(undo->child);
}

/* Keeps the file's bytes from..to, as far as there are any. */
static void keep(cs__undo_t *undo, uint64_t from, uint64_t to)
{
    const cs__inode_t *inode = undo->inode;
    if (to > inode->filled) to = inode->filled;
    cs_buf_clear(&undo->bytes);
    if (from < to) cs_buf_put(&undo->bytes, inode->bytes->data + from, (size_t)(to - from));
}

void cs__mem_note_write(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                        size_t len)
{
    if (!volume->config.power_cuts) return;
    cs__undo_t *undo = note(volume, UNDO_WRITE, inode);
    undo->offset = offset;
    undo->len = len;
    keep(undo, offset, offset + len);
}

void cs__mem_note_truncate(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t size)
{
    if (!volume->config.power_cuts) return;
    cs__undo_t *undo = note(volume, UNDO_TRUNCATE, inode);
    undo->offset = size;
    keep(undo, size, inode->filled);
}

static void undo_fini(cs__undo_t *undo)
{
    cs__mem_unref(&undo->inode);
    cs__mem_unref(&undo->child);
    cs_str_unref(&undo->name);
    cs_buf_fini(&undo->bytes);
}

void cs__mem_forget(cs_mem_volume_t *volume)
{
    for (size_t i = 0; i < volume->undo_len; i++) {
        undo_fini(&volume->undo[i]);
    }
    volume->undo_len = 0;
}

void cs_mem_volume_flush(cs_mem_volume_t *volume)
{
    cs__mem_forget(volume);
    volume->flushes++;
}

void cs__mem_fsync(cs_mem_volume_t *volume, cs__inode_t *inode)
{
    size_t kept = 0;
    for (size_t i = 0; i < volume->undo_len; i++) {
        cs__undo_t *undo = &volume->undo[i];
        bool has_bytes = undo->kind == UNDO_WRITE || undo->kind == UNDO_TRUNCATE;
        if (has_bytes && undo->inode != inode) {
            undo->durable = true;
            volume->undo[kept++] = *undo;
        } else {
            undo_fini(undo);
        }
    }
    volume->undo_len = kept;
    inode->poked = 0;
}

static void swap_attrs(cs__undo_t *undo)
{
    if (undo->durable) return;
    cs__attrs_t attrs = undo->inode->attrs;
    undo->inode->attrs = undo->attrs;
    undo->attrs = attrs;
}

static void swap_name(cs__undo_t *undo)
{
    cs__inode_t *former = cs__mem_swap(undo->inode, undo->name, undo->child);
    cs__mem_unref(&undo->child);
    undo->child = former;
}

static void take_back(cs__undo_t *undo)
{
    cs__inode_t *inode = undo->inode;
    cs_buf_t old = undo->bytes;
    swap_attrs(undo);
    switch (undo->kind) {
    case UNDO_ATTRS:
        break;
    case UNDO_NAME:
        swap_name(undo);
        break;
    case UNDO_WRITE:
        undo->bytes = (cs_buf_t){0};
        keep(undo, undo->offset, undo->offset + undo->len);
        cs__mem_put(inode, undo->offset, old.data, old.len);
        cs__mem_cut(inode, undo->size, undo->filled);
        cs_buf_fini(&old);
        break;
    case UNDO_TRUNCATE:
        cs__mem_put(inode, undo->offset, old.data, old.len);
        cs__mem_cut(inode, undo->size, undo->filled);
        break;
    }
    inode->frozen = false;
}

/* Writes the first bytes of the record, as far as the file's size goes. */
static void put_again(cs__undo_t *undo, size_t len)
{
    cs__inode_t *inode = undo->inode;
    if (undo->offset >= inode->size) return;
    uint64_t room = inode->size - undo->offset;
    cs__mem_put(inode, undo->offset, undo->bytes.data, room < len ? (size_t)room : len);
}

/* What becomes of the bytes: those of all writes, or of each by itself. */
typedef enum mood { MOOD_MIXED, MOOD_ALL, MOOD_NONE } mood_t;

static size_t surviving(cs_prng_t *prng, mood_t mood, size_t len)
{
    uint64_t drawn = cs_prng_below(prng, 4);
    uint64_t part = cs_prng_below(prng, (uint64_t)len + 1);
    if (mood == MOOD_ALL) return len;
    if (mood == MOOD_NONE || drawn == 0) return 0;
    return drawn == 1 ? (size_t)part : len;
}

static void do_again(cs__undo_t *undo, bool kept, size_t len)
{
    cs__inode_t *inode = undo->inode;
    if (kept) swap_attrs(undo);
    switch (undo->kind) {
    case UNDO_ATTRS:
        break;
    case UNDO_NAME:
        if (kept) swap_name(undo);
        break;
    case UNDO_WRITE:
        if (kept && undo->offset + undo->len > inode->size) {
            inode->size = undo->offset + undo->len;
        }
        if (!inode->frozen) put_again(undo, len);
        break;
    case UNDO_TRUNCATE:
        if (kept) {
            uint64_t size = undo->offset;
            cs__mem_cut(inode, size, size < inode->filled ? size : inode->filled);
        }
        /* Later writes went to new blocks, which nothing leads to. */
        inode->frozen = !kept;
        break;
    }
}

/* How many operations survive: often none or all, as the interesting ends. */
static uint64_t draw_kept(const cs_mem_volume_t *volume, cs_prng_t *prng)
{
    uint64_t count = 0, last = 0;
    for (size_t i = 0; i < volume->undo_len; i++) {
        const cs__undo_t *undo = &volume->undo[i];
        if (undo->durable || undo->op == last) continue;
        last = undo->op;
        count++;
    }
    uint64_t drawn = cs_prng_below(prng, 4);
    uint64_t part = cs_prng_below(prng, count + 1);
    return drawn == 0 ? 0 : drawn == 1 ? count : part;
}

static void survive(cs_mem_volume_t *volume, uint64_t random)
{
    cs_prng_t prng;
    cs_prng_init(&prng, random);
    for (size_t i = volume->undo_len; i > 0; i--) {
        take_back(&volume->undo[i - 1]);
    }
    uint64_t left = draw_kept(volume, &prng), last = 0;
    uint64_t drawn = cs_prng_below(&prng, 4);
    mood_t mood = drawn == 0 ? MOOD_ALL : drawn == 1 ? MOOD_NONE : MOOD_MIXED;
    bool kept = false;
    for (size_t i = 0; i < volume->undo_len; i++) {
        cs__undo_t *undo = &volume->undo[i];
        if (!undo->durable && undo->op != last) {
            last = undo->op;
            kept = left > 0;
            if (kept) left--;
        }
        bool stays = undo->durable || kept;
        size_t len = surviving(&prng, mood, undo->len);
        if (volume->config.ordered_data) len = stays ? undo->len : 0;
        do_again(undo, stays, len);
    }
}

/* Everybody's descriptors are gone; what has a name is what there is. */
static void recount(cs_mem_volume_t *volume, cs__inode_t *inode, cs_buf_t *numbers)
{
    inode->opens = inode->writers = 0;
    inode->frozen = false;
    inode->poked = 0;
    /* A file with several names is met at each; only what was counted in this pass is marked.
     */
    if (inode->twin == inode) return;
    inode->twin = inode;
    inode->counted = true;
    volume->used_inodes++;
    volume->used_bytes += inode->filled;
    cs_buf_put(numbers, &inode->ino, sizeof inode->ino);
    for (uint32_t i = 0; i < inode->len; i++) {
        recount(volume, inode->entry[i].inode, numbers);
    }
}

static void unmark(cs__inode_t *inode)
{
    inode->twin = NULL;
    for (uint32_t i = 0; i < inode->len; i++) {
        unmark(inode->entry[i].inode);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* numbers: those in use. */
static void find_free_numbers(cs_mem_volume_t *volume, cs_buf_t *numbers)
{
    size_t len = numbers->len / sizeof(uint64_t);
    uint64_t *used = (uint64_t *)(void *)numbers->data; /* malloc aligned it */
    CS_ASSERT(used != NULL);                            /* of the root, at least */
    qsort(used, len, sizeof *used, compare_numbers);
    volume->free_len = 0;
    for (uint64_t ino = volume->next_ino; ino-- > 1;) { /* descending: appended at the end */
        if (len > 0 && used[len - 1] == ino) {
            len--;
        } else {
            cs__mem_free_number(volume, ino);
        }
    }
}

static void recount_all(cs_mem_volume_t *volume)
{
    cs_buf_t numbers = {0};
    volume->used_inodes = volume->used_bytes = 0;
    recount(volume, volume->root, &numbers);
    if (volume->point != NULL) recount(volume, volume->point, &numbers);
    unmark(volume->root);
    if (volume->point != NULL) unmark(volume->point);

    if (volume->config.reuse_inodes) find_free_numbers(volume, &numbers);
    cs_buf_fini(&numbers);
}

void cs_mem_volume_crash(cs_mem_volume_t *volume, uint64_t random)
{
    survive(volume, random);
    cs_mem_volume_flush(volume);
    volume->boot++;
    recount_all(volume);
}
