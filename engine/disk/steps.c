/* steps.c - the list of steps between planner, executor and record. */
#include "base/mem.h"
#include "disk/apply.h"

cs_step_t *cs_steps_add(cs_steps_t *steps, cs_step_kind_t kind)
{
    if (steps->len == steps->cap) {
        steps->cap = cs_grow(steps->cap, steps->len + 1);
        steps->item = cs_realloc_array(steps->item, steps->cap, sizeof *steps->item);
    }
    cs_step_t *step = &steps->item[steps->len++];
    *step = (cs_step_t){.kind = kind};
    return step;
}

void cs_steps_fini(cs_steps_t *steps)
{
    for (size_t i = 0; i < steps->len; i++) {
        cs_item_fini(&steps->item[i].item);
        cs_str_unref(&steps->item[i].from);
        cs_item_fini(&steps->item[i].twin);
    }
    cs_free(steps->item);
    *steps = (cs_steps_t){0};
}
