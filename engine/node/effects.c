/* effects.c - the list of what a step asks for. */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "node/node.h"

cs_effect_t *cs_effects_add(cs_effects_t *effects, cs_effect_kind_t kind)
{
    if (effects->len == effects->cap) {
        effects->cap = cs_grow(effects->cap, effects->len + 1);
        effects->item = cs_realloc_array(effects->item, effects->cap, sizeof *effects->item);
    }
    cs_effect_t *effect = &effects->item[effects->len++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

void cs_effect_fini(cs_effect_t *effect)
{
    cs_buf_fini(&effect->header);
    cs_buf_fini(&effect->payload);
    cs_batch_fini(&effect->batch);
    if (effect->job != NULL) cs_job_destroy(&effect->job);
    cs_troubles_fini(&effect->scan.troubles);
    cs_str_unref(&effect->path);
}

static void give_back(cs_effects_t *effects)
{
    cs_free(effects->item);
    *effects = (cs_effects_t){0};
}

void cs_effects_clear(cs_effects_t *effects)
{
    for (size_t i = 0; i < effects->len; i++) {
        cs_effect_fini(&effects->item[i]);
    }
    effects->len = 0;
    if (effects->cap > CS_EFFECTS_KEPT) give_back(effects);
}

void cs_effects_fini(cs_effects_t *effects)
{
    cs_effects_clear(effects);
    give_back(effects);
}
