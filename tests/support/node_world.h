/* node_world.h - nodes of one folder in one process: the whole core on real directories, with a
 * model of everything around it.
 *
 * The shell of each node is a few queues: batches to be written, jobs to be run, messages on
 * links. The world draws which of them goes on, so every order of events that threads and
 * networks may produce is a legal history, and equal seeds draw equal ones (but for what the
 * file system's clock adds). While a job runs, messages arrive and users act between its calls.
 * Time is a number that moves when nothing else does. */
#ifndef CS_TESTS_NODE_WORLD_H
#define CS_TESTS_NODE_WORLD_H

#include "base/prng.h"
#include "node/node.h"
#include "sim/mem_store.h"
#include "support/spy_fs.h"

#define NW_NODES_MAX 4u
#define NW_LINKS_MAX (NW_NODES_MAX * NW_NODES_MAX)
#define NW_FOLDER    1u

#define NW_TEXT_BYTES 16u
#define NW_NO_TEXT    UINT32_MAX

struct nw_world;
typedef struct nw_text nw_text_t;

typedef struct nw_frame {
    struct nw_frame *next;
    cs_buf_t header, payload;
} nw_frame_t;

typedef struct nw_queue {
    nw_frame_t *first, *last;
} nw_queue_t;

/* One connection: end 0 dialled. */
typedef struct nw_link {
    bool up, dying;
    unsigned node[2];
    cs_link_t id[2];     /* as each end knows it */
    nw_queue_t queue[2]; /* sent by that end */
} nw_link_t;

typedef struct nw_write {
    struct nw_write *next;
    uint64_t token;
    cs_batch_t batch;
} nw_write_t;

typedef struct nw_job {
    struct nw_job *next;
    cs_job_t *job;
    cs_snapshot_t *snapshot;
} nw_job_t;

typedef struct nw_node {
    struct nw_world *world;
    unsigned index;
    bool up, paused;
    char *dir;
    cs_fs_t *real;
    spy_fs_t spy;
    cs_mem_disk_t *disk;
    cs_store_t *store;
    cs_node_t *node;
    cs_effects_t fx;
    nw_write_t *writes;
    nw_job_t *jobs;
    int held; /* a file that the user keeps open; -1: none */
    uint64_t credits, credited_job;
    uint64_t lives, asked, answered; /* tickets */
    unsigned scans, applies;         /* jobs run */
    unsigned dressed;                /* contents staged as the file that waited will be */
    unsigned early_applies;          /* names changed while a batch was to be written */
    uint64_t applying;               /* the job that does, 0: none */
    bool ending;                     /* it stops: what waits for a credit gets none */
    cs_err_t last_answer;
    unsigned cancels;   /* scans that nobody wanted any more */
    unsigned addresses; /* of members, that it was told to keep or dial; the last: */
    cs_key_t address_of;
    char address[128];                    /* the first of the list */
    cs_standing_t standing[NW_NODES_MAX]; /* kept, and there again in the next life */
    size_t standing_count;
    unsigned words, members_heard; /* effects */
    bool dial;
} nw_node_t;

/* Whoever is at the other end of links that the world knows nothing of; each may be NULL. */
typedef struct nw_stranger {
    void *arg;
    void (*told)(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload);
    void (*dropped)(void *arg, cs_link_t link);
} nw_stranger_t;

typedef struct nw_world {
    cs_prng_t prng;
    uint64_t now_ms, steps;
    unsigned node_count;
    uint64_t seed;
    bool trace, chaos; /* chaos: users act and links fail while jobs run */
    bool crashes;      /* nodes die while jobs run */
    bool crowded;      /* few names */
    bool trusts;       /* see nw_open_trusting */
    unsigned depth;    /* of steps within jobs */
    nw_node_t node[NW_NODES_MAX];
    nw_link_t link[NW_LINKS_MAX];
    cs_link_t last_link;
    nw_stranger_t stranger;
    unsigned idle_ticks; /* in a row, without anything else */
    const char *failure; /* the first */
    unsigned drops, incarnations, crashed;
    nw_text_t *text;
    size_t text_count, text_cap;
} nw_world_t;

/* All nodes run, nobody is connected. */
void nw_open(nw_world_t *world, uint64_t seed, unsigned node_count);
/* None signs: so a test may make numbers up. */
void nw_open_trusting(nw_world_t *world, uint64_t seed, unsigned node_count);
void nw_close(nw_world_t *world);
void nw_trace(const nw_world_t *world, const char *format, ...) CS_PRINTF(2, 3);
void nw_fail(nw_world_t *world, const char *why);
unsigned nw_pick(nw_world_t *world, unsigned bound);

cs_key_t nw_key(unsigned index);
const uint8_t *nw_seed(unsigned index); /* of that key */
void nw_event(nw_node_t *node, cs_event_t *event);
/* One that comes on `link`. payload: taken. */
void nw_message(nw_node_t *node, cs_link_t link, cs_slice_t header, cs_buf_t *payload_p);
void nw_happen(void *node);           /* what may while a job runs */
void nw_finish_jobs(nw_node_t *node); /* and batches, in order */
void nw_end_jobs(nw_node_t *node);    /* as when a node stops: what was not begun is not run */
/* One thing that can go on does; false: nothing can before time passes. */
bool nw_step(nw_world_t *world);
void nw_pass_time(nw_world_t *world); /* to the next deadline */
/* So many steps; where there is none, time passes. */
void nw_pass(nw_world_t *world, unsigned steps);

/* `from` dials `to`, unless that connection is up. */
void nw_connect(nw_world_t *world, unsigned from, unsigned to);
void nw_disconnect(nw_world_t *world, nw_link_t *link); /* what is on the way is lost */
void nw_lose(nw_world_t *world);                        /* what is on the way, on all links */
void nw_link_send(nw_node_t *node, cs_effect_t *effect);
void nw_link_drop(nw_node_t *node, const cs_effect_t *effect);
bool nw_deliver_next(nw_world_t *world);
void nw_connect_all(nw_world_t *world);
void nw_disconnect_all(nw_world_t *world);

void nw_scan(nw_node_t *node, const char *path); /* NULL: everything; with a ticket */
void nw_pause(nw_node_t *node, bool on);
void nw_restart(nw_node_t *node, bool crash); /* crash: what was not durable is lost */

/* Every node has applied all there is, rests, and knows that the others have, too. */
bool nw_is_settled(nw_world_t *world);
/* Scans everywhere, then steps and time until all is settled; once more; then the trees are
 * equal and hold every text that is owed. */
void nw_settle(nw_world_t *world);

/* node_user.c: something happens to the folder's files. */
void nw_user(nw_node_t *node);
void nw_scan_some(nw_node_t *node); /* a path that he may have changed */
void nw_let_go(nw_node_t *node);    /* of the file held open */
void nw_write(nw_node_t *node, const char *path, const char *text);
void nw_unlink(nw_node_t *node, const char *path);
void nw_write_large(nw_node_t *node, const char *path, unsigned variant);

/* node_texts.c: what users wrote, and what of it is owed. Number and bytes of a text that
 * nobody wrote before; it is owed as soon as it was written. */
unsigned nw_text_new(nw_world_t *world, char ret[NW_TEXT_BYTES]);
void nw_text_written(nw_world_t *world, unsigned number);
unsigned nw_text_of(const nw_world_t *world, const char *bytes); /* NW_NO_TEXT: none */
/* The node's user took it from a file; NW_NO_TEXT: nothing. */
void nw_text_removed(nw_node_t *node, unsigned number);
void nw_text_copied(nw_node_t *node, unsigned number);
void nw_texts_moved(nw_node_t *node); /* any of those that he has */
void nw_texts_check(nw_world_t *world);

#endif
