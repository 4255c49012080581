/* dirty.c - one ordered map: paths that wait, and those that rest after a hand-over. */
#include "node/dirty.h"

#include "base/mem.h"
#include "base/path.h"
#include "crdt/omap.h"

#define SLACK_MS 1u /* what is due so soon goes along */

typedef struct entry {
    uint64_t first_ms, due_ms; /* since when it waits, and until when */
    uint64_t taken_ms;         /* handed over last; 0: never */
    uint32_t rest_ms, long_ms;
    bool waits, is_new, made, writing;
    bool hurried; /* it changed again while it rested */
    bool tree;    /* stands for all that changed below it */
} entry_t;

struct cs_dirty {
    cs_omap_t map; /* path -> entry_t */
    size_t waiting, trees;
    bool all;
    uint64_t all_due_ms;
    uint64_t next_ms;  /* nothing is due before; may be early */
    uint64_t until_ms; /* nothing is handed over before */
};

cs_dirty_t *cs_dirty_new(void)
{
    cs_dirty_t *dirty = cs_calloc(1, sizeof *dirty);
    dirty->next_ms = UINT64_MAX;
    return dirty;
}

void cs_dirty_destroy(cs_dirty_t **dirty_p)
{
    cs_dirty_t *dirty = *dirty_p;
    if (dirty == NULL) return;
    cs_omap_fini(&dirty->map, cs_free);
    cs_free(dirty);
    *dirty_p = NULL;
}

static entry_t *find(const cs_dirty_t *dirty, cs_slice_t path)
{
    const cs_onode_t *node = cs_omap_find(&dirty->map, path);
    return node != NULL ? node->value : NULL;
}

static entry_t *entry_of(cs_dirty_t *dirty, cs_slice_t path)
{
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&dirty->map, path, &is_new);
    if (is_new) node->value = cs_calloc(1, sizeof(entry_t));
    return node->value;
}

static void remove_node(cs_dirty_t *dirty, cs_onode_t *node)
{
    cs_free(node->value);
    cs_omap_remove(&dirty->map, node);
}

static void stop_waiting(cs_dirty_t *dirty, entry_t *entry)
{
    if (!entry->waits) return;
    dirty->waiting--;
    if (entry->tree) dirty->trees--;
    entry->waits = entry->tree = entry->made = false;
}

/* The newest hint decides, within bounds that no number of hints can move. */
static uint64_t due_of(const entry_t *entry, cs_dirty_kind_t kind, uint64_t now_ms)
{
    uint64_t due = now_ms;
    switch (kind) {
    case CS_DIRTY_DONE:
    case CS_DIRTY_MADE:
        due = cs_min_u64(now_ms + CS_DIRTY_TOGETHER_MS, entry->first_ms + CS_DIRTY_GONE_MS);
        break;
    case CS_DIRTY_GONE:
        due = cs_min_u64(now_ms + CS_DIRTY_GONE_MS, entry->first_ms + CS_DIRTY_QUIET_MS);
        break;
    case CS_DIRTY_WRITING:
        due = cs_min_u64(now_ms + CS_DIRTY_QUIET_MS, entry->first_ms + entry->long_ms);
        break;
    }
    uint64_t rested = entry->taken_ms != 0 ? entry->taken_ms + entry->rest_ms : 0;
    return due > rested ? due : rested;
}

static entry_t *touch(cs_dirty_t *dirty, cs_slice_t path, cs_dirty_kind_t kind, uint64_t now_ms)
{
    entry_t *entry = entry_of(dirty, path);
    if (!entry->waits) {
        bool recent = entry->taken_ms != 0 && now_ms - entry->taken_ms < CS_DIRTY_RECENT_MS;
        if (!recent) *entry = (entry_t){0};
        if (entry->long_ms == 0) entry->long_ms = CS_DIRTY_LONG_MS;
        entry->waits = true;
        entry->hurried = recent && now_ms < entry->taken_ms + entry->rest_ms;
        entry->first_ms = now_ms;
        dirty->waiting++;
    }
    entry->writing = kind == CS_DIRTY_WRITING;
    entry->made = kind == CS_DIRTY_MADE;
    entry->due_ms = due_of(entry, kind, now_ms);
    dirty->next_ms = cs_min_u64(dirty->next_ms, entry->due_ms);
    return entry;
}

static void drop_all(cs_dirty_t *dirty)
{
    cs_omap_fini(&dirty->map, cs_free);
    dirty->map = (cs_omap_t){0};
    dirty->waiting = dirty->trees = 0;
}

void cs_dirty_add_all(cs_dirty_t *dirty, uint64_t now_ms)
{
    if (dirty->all) return;
    drop_all(dirty);
    dirty->all = true;
    dirty->all_due_ms = now_ms + CS_DIRTY_QUIET_MS; /* a burst goes on for a while */
    dirty->next_ms = dirty->all_due_ms;
}

/* Every path that waits becomes its directory. */
static void widen(cs_dirty_t *dirty, uint64_t now_ms)
{
    cs_omap_t old = dirty->map;
    dirty->map = (cs_omap_t){0};
    dirty->waiting = dirty->trees = 0;
    for (cs_onode_t *node = cs_omap_first(&old); node != NULL && !dirty->all;
         node = node->next[0]) {
        const entry_t *entry = node->value;
        cs_slice_t dir = cs_path_parent(cs_onode_key(node));
        if (!entry->waits) continue;
        if (dir.len == 0) {
            cs_dirty_add_all(dirty, now_ms);
            break;
        }
        entry_t *tree = touch(dirty, dir, CS_DIRTY_GONE, now_ms);
        if (!tree->tree) dirty->trees++;
        tree->tree = true;
    }
    cs_omap_fini(&old, cs_free);
}

static bool is_covered(const cs_dirty_t *dirty, cs_slice_t path)
{
    if (dirty->trees == 0) return false;
    for (cs_slice_t dir = cs_path_parent(path); dir.len > 0; dir = cs_path_parent(dir)) {
        const entry_t *entry = find(dirty, dir);
        if (entry != NULL && entry->tree) return true;
    }
    return false;
}

/* Its directory is not empty, which is all that there was to say of it. */
static void forget_made_parent(cs_dirty_t *dirty, cs_slice_t path)
{
    cs_slice_t dir = cs_path_parent(path);
    cs_onode_t *node = dir.len > 0 ? cs_omap_find(&dirty->map, dir) : NULL;
    if (node == NULL || !((entry_t *)node->value)->made) return;
    stop_waiting(dirty, node->value);
    remove_node(dirty, node);
}

static void bound(cs_dirty_t *dirty, uint64_t now_ms)
{
    if (dirty->waiting <= CS_DIRTY_MAX) return;
    while (dirty->waiting > CS_DIRTY_MAX / 2 && !dirty->all) {
        widen(dirty, now_ms);
    }
}

void cs_dirty_add(cs_dirty_t *dirty, cs_slice_t path, cs_dirty_kind_t kind, bool is_new,
                  uint64_t now_ms)
{
    if (path.len == 0) cs_dirty_add_all(dirty, now_ms);
    if (dirty->all || is_covered(dirty, path)) return;
    if (kind != CS_DIRTY_GONE) forget_made_parent(dirty, path);
    entry_t *entry = touch(dirty, path, kind, now_ms);
    if (is_new) entry->is_new = true;
    bound(dirty, now_ms);
}

void cs_dirty_move(cs_dirty_t *dirty, cs_slice_t from, cs_slice_t to, uint64_t now_ms)
{
    const entry_t *source = dirty->all ? NULL : find(dirty, from);
    bool saved = source != NULL && source->waits && source->is_new;
    cs_dirty_kind_t kind = saved ? CS_DIRTY_DONE : CS_DIRTY_GONE;
    cs_dirty_add(dirty, from, kind, false, now_ms);
    cs_dirty_add(dirty, to, kind, false, now_ms);
    forget_made_parent(dirty, to);
    /* One of them may have to rest: the other waits for it. */
    entry_t *a = find(dirty, from), *b = find(dirty, to);
    if (a == NULL || b == NULL || !a->waits || !b->waits) return;
    a->due_ms = b->due_ms = a->due_ms > b->due_ms ? a->due_ms : b->due_ms;
}

void cs_dirty_rest_until(cs_dirty_t *dirty, uint64_t at_ms)
{
    dirty->until_ms = at_ms;
}

uint64_t cs_dirty_due(const cs_dirty_t *dirty)
{
    if (dirty->waiting == 0 && !dirty->all) return UINT64_MAX;
    return dirty->next_ms > dirty->until_ms ? dirty->next_ms : dirty->until_ms;
}

size_t cs_dirty_count(const cs_dirty_t *dirty)
{
    return dirty->waiting;
}

size_t cs_dirty_memory(const cs_dirty_t *dirty)
{
    return dirty->map.len;
}

void cs_dirty_batch_fini(cs_dirty_batch_t *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        cs_str_unref(&batch->path[i]);
    }
    cs_free(batch->path);
    *batch = (cs_dirty_batch_t){0};
}

/* It rests now, longer than the last time if that was too short for it. */
static void hand_over(cs_dirty_t *dirty, entry_t *entry, uint64_t now_ms)
{
    if (!entry->hurried) {
        entry->rest_ms = CS_DIRTY_REST_MS;
    } else if (2 * entry->rest_ms <= CS_DIRTY_REST_MAX_MS) {
        entry->rest_ms *= 2;
    } else {
        entry->rest_ms = CS_DIRTY_REST_MAX_MS;
    }
    bool more = entry->writing && 2 * entry->long_ms <= CS_DIRTY_LONG_MAX_MS;
    entry->long_ms = !entry->writing ? CS_DIRTY_LONG_MS
                     : more          ? 2 * entry->long_ms
                                     : CS_DIRTY_LONG_MAX_MS;
    stop_waiting(dirty, entry);
    entry->is_new = false;
    entry->taken_ms = now_ms;
}

static bool take_all(cs_dirty_t *dirty, uint64_t now_ms, cs_dirty_batch_t *ret)
{
    if (dirty->all_due_ms > now_ms) return false;
    dirty->all = false;
    dirty->next_ms = UINT64_MAX;
    ret->all = true;
    return true;
}

static bool is_resting(const cs_dirty_t *dirty, const entry_t *entry, uint64_t now_ms)
{
    bool many = dirty->map.len - dirty->waiting > CS_DIRTY_RESTING_MAX;
    return now_ms - entry->taken_ms < CS_DIRTY_RECENT_MS && !many;
}

bool cs_dirty_take(cs_dirty_t *dirty, uint64_t now_ms, cs_dirty_batch_t *ret)
{
    *ret = (cs_dirty_batch_t){0};
    if (now_ms < dirty->until_ms || now_ms < dirty->next_ms) return false;
    if (dirty->all) return take_all(dirty, now_ms, ret);
    ret->path = cs_calloc(dirty->waiting, sizeof(cs_str_t *));
    dirty->next_ms = UINT64_MAX;
    cs_onode_t *next = NULL;
    for (cs_onode_t *node = cs_omap_first(&dirty->map); node != NULL; node = next) {
        next = node->next[0];
        entry_t *entry = node->value;
        if (entry->waits && entry->due_ms <= now_ms + SLACK_MS) {
            cs_slice_t path = cs_onode_key(node);
            ret->path[ret->count++] = cs_str_new(path.data, path.len);
            hand_over(dirty, entry, now_ms);
        } else if (entry->waits) {
            dirty->next_ms = cs_min_u64(dirty->next_ms, entry->due_ms);
            continue;
        }
        if (!is_resting(dirty, entry, now_ms)) remove_node(dirty, node);
    }
    if (ret->count > 0) return true;
    cs_dirty_batch_fini(ret);
    return false;
}
