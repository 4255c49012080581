/* gossip_pair.h - two nodes of gossip_node.h whose messages the test hands over itself. */
#ifndef CS_TESTS_GOSSIP_PAIR_H
#define CS_TESTS_GOSSIP_PAIR_H

#include "support/gossip_node.h"

typedef struct gp_pair {
    gn_world_t *world;
    gn_node_t *a, *b;          /* nodes 0 and 1; peers 1 and 2 */
    cs_msg_type_t heard[4096]; /* types of all frames that were delivered, in order */
    size_t heard_count;
    size_t queue_max; /* frames that waited on one link at once */
    uint64_t bytes;   /* of all frames that were delivered */
} gp_pair_t;

extern gp_pair_t gp;

void gp_init(void);              /* not connected yet */
void gp_init_of(unsigned nodes); /* with others beside the two, to be spoken for */
void gp_fini(void);
void gp_connect(void);
cs_msg_type_t gp_type(const gn_frame_t *frame);
bool gp_deliver(unsigned from); /* the next frame of node `from`; false: there is none */
void gp_drain(void);            /* all there are; no time passes */
void gp_pass(uint64_t ms);      /* time passes, in steps of 50 ms */
size_t gp_heard_count(cs_msg_type_t type);
bool gp_equal_roots(void);
void gp_say(cs_msg_t msg); /* a message of a's, made by hand, to b */

#endif
