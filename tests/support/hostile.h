/* hostile.h - a member of a cluster's folder that is none of our program: it speaks through
 * io/net and the codec, and says what the test wants, true or not.
 *
 * It lives in the test's own thread: it hears and answers while the test waits in hostile_await
 * or hostile_run. */
#ifndef CS_TESTS_HOSTILE_H
#define CS_TESTS_HOSTILE_H

#include "node/marks.h"
#include "proto/frame.h"
#include "support/cluster.h"
#include "support/member.h"
#include "support/net_rig.h"

#define HOSTILE_KEPT 64u

typedef struct hostile {
    zloop_t *loop;
    cs_net_t *net;
    rig_keys_t keys;
    char id[65];
    member_t member;
    cs_marks_t *marks; /* it signs for what it counts, like an honest one */
    cs_vv_t others;    /* numbers that the node spoke of */
    cs_link_t link;    /* the newest that is up; 0: none */
    unsigned ups, downs, refused;
    unsigned heard[CS_MSG_TYPE_END]; /* by type */
    uint32_t xid;                    /* of the newest exchange that the node began */
    bool serves;                     /* answers what it is asked for, as far as it has it */
    cs_buf_t kept[HOSTILE_KEPT];     /* what it said last, for saying it again */
    size_t kept_count;
} hostile_t;

/* With keys of its own. Nobody knows it yet. */
void hostile_new(hostile_t *hostile, const cluster_t *cluster, uint64_t number);
void hostile_destroy(hostile_t *hostile);
/* The node takes it as a member, and it dials. */
void hostile_join(hostile_t *hostile, cluster_t *cluster, int node);
void hostile_dial(hostile_t *hostile, const cluster_node_t *node);

bool hostile_await(hostile_t *hostile, bool (*goal)(void *arg), void *arg); /* a minute */
void hostile_run(hostile_t *hostile, int ms);
void hostile_await_up(hostile_t *hostile); /* a link, or the test fails */

/* Bytes as they are; payload: NULL for none. Dropped without a word if the link is full or
 * gone. */
void hostile_say_bytes(hostile_t *hostile, cs_slice_t header, const cs_buf_t *payload);
/* With the folder's tag. */
void hostile_say(hostile_t *hostile, cs_msg_t *msg, const cs_buf_t *payload);
void hostile_greet(hostile_t *hostile); /* HELLO with its true seen */
void hostile_push(hostile_t *hostile, const char *const *paths, size_t count); /* ENTRIES */
void hostile_repeat(hostile_t *hostile); /* all that it kept, once more */

#endif
