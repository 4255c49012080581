/* burst_i.h - what burst.c and meeting.c share: a theme, and how its actions are added. */
#ifndef CS_SIM_BURST_I_H
#define CS_SIM_BURST_I_H

#include "sim/history_i.h"

#define THEME_NAMES        4u
#define THEME_MOST         3u /* of them are what single actions are about */
#define CS_BURST_STRANGERS 5u
/* Numbers of names of which none is in, or like, another. */
extern const uint32_t cs_burst_strangers[CS_BURST_STRANGERS];

typedef struct burst {
    cs_history_t *history;
    uint64_t at_us;
    uint32_t name[THEME_NAMES];                   /* what it is about, most of all the first */
    cs_act_kind_t kind[2];                        /* what is done, mostly */
    unsigned node, actors;                        /* that acted last; how many do, mostly */
    bool sibling;                                 /* of the first there is one */
    bool directory;                               /* the first is one, the others are in it */
    char at[CS_SIM_NODES_MAX][CS_ACT_PATH_BYTES]; /* where each node has the first */
} burst_t;

/* HERE: where this user has the first. CHILD: what makes of the second a directory. */
typedef enum place { NOWHERE, HERE, FIRST, SECOND, THIRD, FOURTH, CHILD } place_t;

typedef struct step {
    uint8_t kind, from, to;
    uint16_t number; /* 0: drawn */
} step_t;

/* All of what follows happens at burst->at_us. A rest begins with a scan of all nodes, and time
 * anew. */
void cs_burst_scan(burst_t *burst, unsigned node);
void cs_burst_rest(burst_t *burst);
/* The node is cut from all others. */
void cs_burst_part(cs_drawing_t *draw, burst_t *burst, unsigned node);
void cs_burst_step(cs_drawing_t *draw, burst_t *burst, unsigned node, const step_t *step);
/* Files that nobody has touched yet, in the place of what is there: as they begin in most of
 * the vectors. at: 0, 1 one; 2, 3 two; 4 one with a sibling; 5 one with a mode; 6 a directory;
 * 7 none; 8 two in a directory; 9 the first and the third. */
void cs_burst_ground(cs_drawing_t *draw, burst_t *burst, uint32_t at);
/* Every node has the theme's first file at its name. */
void cs_burst_begin(burst_t *burst);
/* A meeting, or not (0); ret: how many acts were drawn. */
uint32_t cs_burst_meeting(cs_drawing_t *draw, uint32_t first, burst_t *burst);

#endif
