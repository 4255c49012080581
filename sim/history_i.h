/* history_i.h - what draws a history: history.c, burst.c. */
#ifndef CS_SIM_HISTORY_I_H
#define CS_SIM_HISTORY_I_H

#include "base/mem.h"
#include "sim/history.h"

#define CS_DRAW_NAMES 16u
extern const char *const cs_draw_names[CS_DRAW_NAMES];

/* The numbers of one action: the same ones for the same seed and index. */
typedef struct cs_drawing {
    const cs_sim_options_t *options;
    uint64_t index; /* of the action */
    uint64_t used;  /* numbers drawn for it */
} cs_drawing_t;

typedef struct cs_weight {
    uint8_t kind, weight;
} cs_weight_t;

uint32_t cs_drawn_below(cs_drawing_t *draw, uint32_t bound);
cs_act_kind_t cs_drawn_kind(cs_drawing_t *draw, const cs_weight_t *weights, size_t count);
#define CS_DRAWN(draw, table) cs_drawn_kind(draw, table, CS_COUNT_OF(table))

void cs_draw_act(cs_drawing_t *draw, uint64_t at_us, cs_act_t *ret);
/* CS_ACT_PATH_BYTES. */
void cs_draw_path(cs_drawing_t *draw, char *ret);
uint64_t cs_draw_number(cs_drawing_t *draw, cs_act_kind_t kind);

void cs_draw_bursts(const cs_sim_options_t *options, cs_history_t *ret);

#endif
