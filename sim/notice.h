/* notice.h - a watcher of a simulated folder: it notices what users do, and says where to look
 * (node/dirty.h, as the product's). option watch: 0 there is none, 1 it misses nothing, 2 it
 * loses, repeats, delays and so reorders notices, and its queue overflows.
 *
 * What a node itself does it is not told of: the product knows its own deeds. */
#ifndef CS_SIM_NOTICE_H
#define CS_SIM_NOTICE_H

#include "sim/world.h"

typedef struct cs_sim_notice cs_sim_notice_t;

void cs_sim_notice_start(cs_sim_node_t *node); /* with its process */
void cs_sim_notice_end(cs_sim_node_t *node);   /* so */
void cs_sim_notice_free(cs_sim_notice_t *notice);
/* EV_NOTICE, taken; EV_LOOK. */
void cs_sim_notice_comes(cs_sim_node_t *node, cs_sim_notice_t *notice);
void cs_sim_notice_look(cs_sim_node_t *node);

#endif
