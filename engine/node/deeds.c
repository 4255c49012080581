/* deeds.c - a map from names to how often each may still come and go. */
#include "node/deeds.h"

#include "base/mem.h"
#include "base/path.h"
#include "crdt/omap.h"

typedef struct deed {
    uint32_t comes, goes;
    bool leaves;
    cs_left_t left; /* if so */
} deed_t;

struct cs_deeds {
    cs_omap_t map; /* path -> deed_t */
};

static deed_t *deed_of(cs_deeds_t *deeds, const cs_str_t *path)
{
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&deeds->map, cs_slice_str(path), &is_new);
    if (is_new) node->value = cs_calloc(1, sizeof(deed_t));
    return node->value;
}

static void leave(deed_t *deed, const cs_step_t *step, int64_t mtime_ns)
{
    deed->leaves = true;
    deed->left = (cs_left_t){.is_file = step->item.content.kind == CS_KIND_FILE,
                             .mode = step->item.attr.mode,
                             .mtime_ns = mtime_ns};
}

/* What is replaced is exchanged: the new name comes, then the old file goes by the same. */
static void note(cs_deeds_t *deeds, const cs_step_t *step)
{
    deed_t *deed = deed_of(deeds, step->item.path);
    switch (step->kind) {
    case CS_STEP_MOVE:
        deed_of(deeds, step->from)->goes++;
        deed->comes++;
        if (step->replaces) deed->goes++;
        leave(deed, step, step->from_print.mtime_ns);
        break;
    case CS_STEP_WRITE:
        leave(deed, step, step->item.mtime_ns);
        deed->comes++;
        if (step->replaces) deed->goes++;
        break;
    case CS_STEP_DELETE:
    case CS_STEP_RMDIR:
        deed->goes++;
        break;
    case CS_STEP_MKDIR:
        deed->comes++;
        break;
    case CS_STEP_CHMOD:
        leave(deed, step, step->expect.mtime_ns);
        break;
    case CS_STEP_VERIFY:
        break;
    }
}

cs_deeds_t *cs_deeds_new(const cs_steps_t *steps)
{
    cs_deeds_t *deeds = cs_calloc(1, sizeof *deeds);
    for (size_t i = 0; i < steps->len; i++) {
        note(deeds, &steps->item[i]);
    }
    return deeds;
}

void cs_deeds_destroy(cs_deeds_t **deeds_p)
{
    cs_deeds_t *deeds = *deeds_p;
    if (deeds == NULL) return;
    cs_omap_fini(&deeds->map, cs_free);
    cs_free(deeds);
    *deeds_p = NULL;
}

static bool leads_to_one(const cs_deeds_t *deeds, cs_slice_t dir)
{
    cs_buf_t below = {0};
    cs_buf_put_slice(&below, dir);
    cs_buf_put_u8(&below, '/');
    const cs_onode_t *node = cs_omap_seek(&deeds->map, cs_buf_slice(&below));
    bool leads = node != NULL && cs_path_is_below(cs_onode_key(node), dir);
    cs_buf_fini(&below);
    return leads;
}

bool cs_deeds_leads(const cs_deeds_t *deeds, cs_slice_t path)
{
    if (deeds == NULL) return false;
    return cs_omap_find(&deeds->map, path) != NULL || leads_to_one(deeds, path);
}

bool cs_deeds_left(const cs_deeds_t *deeds, cs_slice_t path, const cs_left_t *now)
{
    const cs_onode_t *node = deeds != NULL ? cs_omap_find(&deeds->map, path) : NULL;
    const deed_t *deed = node != NULL ? node->value : NULL;
    if (deed == NULL) return false;
    if (now == NULL || !deed->leaves) return now == NULL && !deed->leaves;
    bool same_mode =
        (now->mode & ~deed->left.mode) == 0 && ((now->mode ^ deed->left.mode) & 0100) == 0;
    return now->is_file && deed->left.is_file && now->mtime_ns == deed->left.mtime_ns &&
           same_mode;
}

static bool take_one(uint32_t *left)
{
    if (*left == 0) return false;
    (*left)--;
    return true;
}

bool cs_deeds_take(cs_deeds_t *deeds, cs_slice_t path, cs_deed_t what, bool is_dir)
{
    if (deeds == NULL) return false;
    const cs_onode_t *node = cs_omap_find(&deeds->map, path);
    deed_t *deed = node != NULL ? node->value : NULL;
    switch (what) {
    case CS_DEED_COME:
        if (deed != NULL && take_one(&deed->comes)) return true;
        return is_dir && leads_to_one(deeds, path);
    case CS_DEED_GO:
        return deed != NULL && take_one(&deed->goes);
    }
    return false;
}
