/* world.h - many whole nodes in one process: the engine's own objects, everything around them a
 * model, and one queue of what happens next.
 *
 *        history ---> [ heap of events, virtual time ] ---> user.c    files change
 *                          |        |         |            fault.c   things break
 *                        net.c    proc.c    jobs.c
 *                       frames    steps     coroutines over mem_fs, batches over mem_store
 *
 * Every latency is drawn, so every order of events that threads, disks and networks may produce
 * comes up; equal seeds give equal runs. After a rest point's faults have ended, all nodes must
 * become equal within a bound of virtual time and of events, and are judged (judge.c). */
#ifndef CS_SIM_WORLD_H
#define CS_SIM_WORLD_H

#include "node/node.h"
#include "sim/coro.h"
#include "sim/draw.h"
#include "sim/history.h"
#include "sim/mem_fs.h"
#include "sim/mem_store.h"
#include "sim/oracle.h"
#include "sim/setup.h"
#include "sim/texts.h"
#include "sim/touched.h"
#include "sim/trace.h"

#define CS_SIM_FOLDER      1u
#define CS_SIM_LINKS_MAX   65535u /* numbers of links are u16 */
#define CS_SIM_NAME_BYTES  8u
#define CS_SIM_IMAGES_MAX  3u
#define CS_SIM_WHY_BYTES   512u
#define CS_SIM_DISK_BYTES  ((uint64_t)1 << 30)
#define CS_SIM_DISK_INODES 1000000u
#define CS_SIM_UMASK       022u
/* Of one connection: 100 MB/s. */
#define CS_SIM_BYTES_PER_MS 100000u
/* Virtual time within which all must be equal once faults have ended: HAVEs come once a minute,
 * a silent peer is passed over after two, what failed is tried again after four. */
#define CS_SIM_FAIR_US 1800000000u
/* Events within that time: what goes on for longer goes round in circles. */
#define CS_SIM_FAIR_EVENTS 400000u
/* The account of a node's memory (base/account.h). */
#define CS_SIM_ACCOUNT(node) ((node)->index + 1u)

typedef struct cs_sim cs_sim_t;
typedef struct cs_sim_node cs_sim_node_t;

typedef enum cs_sim_ev_kind {
    CS_SIM_EV_ACT,     /* the next action is due */
    CS_SIM_EV_LATE,    /* actions that waited for a call of node's engine wait no longer */
    CS_SIM_EV_FRAME,   /* `frame` arrives */
    CS_SIM_EV_SENT,    /* `number` bytes left the queue of end `life` of `link` */
    CS_SIM_EV_CONNECT, /* `link` is tried */
    CS_SIM_EV_CUT,     /* `link` ends */
    CS_SIM_EV_STORED,  /* the node's oldest batch */
    CS_SIM_EV_SLICE,   /* `job` goes on */
    CS_SIM_EV_TICK,
    CS_SIM_EV_SCAN,
    CS_SIM_EV_START,  /* the node is back */
    CS_SIM_EV_NOTICE, /* `notice` comes to the node's watcher */
    CS_SIM_EV_LOOK,   /* what it noticed may be due */
    CS_SIM_EV_MEND    /* what was full, failing or unmounted is as before */
} cs_sim_ev_kind_t;

struct cs_sim_frame;
struct cs_sim_job;
struct cs_sim_notice;

typedef struct cs_sim_ev {
    uint64_t at_us, seq; /* seq: of equal times, the one asked for first */
    cs_sim_ev_kind_t kind;
    uint16_t node, link;
    uint32_t life; /* of the node, or number of the connection: of another one, it is void */
    uint64_t number;
    struct cs_sim_frame *frame;   /* owned */
    struct cs_sim_job *job;       /* borrowed */
    struct cs_sim_notice *notice; /* owned */
} cs_sim_ev_t;

typedef struct cs_sim_heap {
    cs_sim_ev_t *ev;
    size_t len, cap;
    size_t work; /* of them, all but ticks and scans: what is left to happen by itself */
} cs_sim_heap_t;

typedef struct cs_sim_frame {
    cs_buf_t header, payload;
    uint16_t link, from; /* end that sent it */
    uint32_t conn;
    uint64_t number;
    uint64_t sent_us;
    uint32_t depth; /* of its sender */
    bool again;     /* a copy, or one of an old connection that is read after all */
} cs_sim_frame_t;

/* A connection that node `end[0]` keeps dialling. */
typedef struct cs_sim_link {
    uint16_t end[2];
    bool wanted, up;
    uint32_t conn; /* the how-manyth connection */
    cs_link_t id[2];
    uint64_t sent[2], arrives_us[2], stalled_us[2]; /* of what that end sends */
    uint64_t queued[2], bytes[2];                   /* queued: not yet on the way */
    uint64_t way[2];     /* bytes of this connection that were sent and have not arrived */
    uint64_t blocked_us; /* no connection before */
} cs_sim_link_t;

typedef struct cs_sim_write {
    struct cs_sim_write *next;
    uint64_t token;
    cs_batch_t batch;
    bool local;
} cs_sim_write_t;

typedef struct cs_sim_job {
    struct cs_sim_job *next;
    cs_sim_node_t *node;
    cs_job_t *job;
    cs_snapshot_t *snapshot;
    cs_coro_t *coro;
    uint64_t number, slices, id;
    uint64_t credits; /* batches of records that it may hand over */
    uint32_t budget;  /* calls until it gives way */
    bool waiting;     /* for credit */
    bool begun;
} cs_sim_job_t;

typedef struct cs_sim_image {
    cs_mem_disk_t *disk;
    cs_oracle_image_t *known;
} cs_sim_image_t;

struct cs_sim_node {
    cs_sim_t *sim;
    unsigned index;
    cs_mem_volume_t *volume;
    cs_fs_t *fs; /* open while jobs run; else NULL */
    cs_mem_disk_t *disk;
    cs_store_t *store;
    cs_node_t *node;
    cs_effects_t fx;
    bool up, paused;
    bool stopping, dying; /* cleanly: jobs come back; or not: their calls fail */
    uint32_t life;
    uint64_t steps, calls, jobs_made, writes_made;
    cs_sim_write_t *writes;
    cs_sim_job_t *jobs, *running;
    bool local;                /* results of a scan go into its batches */
    uint64_t tick_us, scan_us; /* the next one's */
    unsigned idle_scans;       /* since the last action */
    uint64_t asked, answered;
    cs_err_t last_answer;
    cs_mem_fd_t *held; /* what a program of the user keeps open; NULL: nothing */
    cs_touched_t touched;
    cs_dirty_t *dirty; /* owned; what its watcher noticed; NULL: there is none */
    uint64_t look_ms, notices, looks;
    int64_t wall_ns;                                  /* wall clock minus virtual time */
    uint64_t full_us, fail_us, unmounted_us, down_us; /* until when */
    bool *denied;                                     /* owned; of each node */
    uint16_t *links; /* owned; numbers of its links, ascending */
    cs_link_t *ids;  /* owned; what the node calls each of them, 0: it is down */
    size_t link_count;
    cs_sim_image_t image[CS_SIM_IMAGES_MAX];
    unsigned image_count;
    /* actions that wait for a call: indexes into the history, with the number of the call */
    struct {
        size_t act;
        uint64_t call;
    } waiting[16];
    unsigned waiting_count;
    unsigned incarnations, crashes;
    struct {
        uint64_t since_us, applies;
    } second;        /* of applying: load.h */
    size_t held_max; /* bytes of memory, at most so far */
    /* for who watches: messages in the longest chain, each of which changed a state, up to
     * ours; what it is after the message in progress; state after the last step */
    uint32_t depth, deeper;
    uint8_t root[CS_HASH_BYTES];
    bool idle;
};

struct cs_sim {
    cs_sim_options_t options; /* of the history */
    const cs_history_t *history;
    size_t next_act, act; /* act: in progress, for the report */
    cs_trace_t trace;
    uint8_t trees[CS_HASH_BYTES]; /* chained hash of what all had at each rest point */
    cs_sim_heap_t heap;
    uint64_t now_us, phase_us, seq;
    cs_coros_t *coros;
    cs_oracle_t *oracle; /* NULL: nobody judges */
    cs_texts_t *texts;
    unsigned node_count;
    cs_sim_node_t *node; /* owned */
    cs_sim_link_t *link; /* owned */
    size_t link_count, link_cap;
    cs_link_t last_link;
    bool fair;        /* faults have ended */
    bool forgot;      /* some node lost what it had told others */
    uint64_t rest_us; /* when they last ended */
    cs_sim_setup_t setup;
    char why[CS_SIM_WHY_BYTES];
    unsigned drops, rests;
    uint64_t frames, frame_bytes, lost;
    uint64_t rest_max, queue_max, way_max; /* bytes: of memory at rest, of a link (load.h) */
    uint64_t spins;                        /* steps in a row without an effect, at one time */
};

/* --- world.c */
/* history: borrowed until cs_sim_fini. setup: zero does. */
void cs_sim_init(cs_sim_t *sim, const cs_history_t *history, const cs_sim_setup_t *setup);
void cs_sim_fini(cs_sim_t *sim);
/* To the end of the history, or the first failure. False: why says what is wrong. */
CS_MUST_USE bool cs_sim_run(cs_sim_t *sim);
/* One event. False: there is none. */
bool cs_sim_step(cs_sim_t *sim);

void cs_sim_fail(cs_sim_t *sim, const char *format, ...) CS_PRINTF(2, 3);
bool cs_sim_failed(const cs_sim_t *sim);
void cs_sim_see(cs_sim_t *sim, const cs_sight_t *sight); /* now_us is filled in */
/* In `after_us` from now. The caller fills in what the kind needs before anything else is
 * pushed. */
cs_sim_ev_t *cs_sim_push(cs_sim_t *sim, cs_sim_ev_kind_t kind, uint64_t after_us);
/* Somebody acts at the node: its scans are close to each other again. */
void cs_sim_scan_soon(cs_sim_node_t *node);
/* Goes on with events until `done`, checked whenever nothing is under way; false: out of
 * bounds. */
bool cs_sim_until(cs_sim_t *sim, bool (*done)(cs_sim_t *sim), const char *what);
#define cs_sim_line(sim, who, ...) \
    cs_trace_line(&(sim)->trace, (sim)->now_us, (int)(who), __VA_ARGS__)
bool cs_sim_reads_lines(const cs_sim_t *sim);
uint64_t cs_sim_draw(cs_sim_t *sim, cs_draw_stream_t stream, uint64_t a, uint64_t b,
                     uint64_t bound);

/* --- machine.c: what processes run on */
extern const uint8_t cs_sim_marker[16]; /* of every folder */
extern const uint8_t cs_sim_secret[CS_SECRET_BYTES];
void cs_sim_node_init(cs_sim_t *sim, unsigned index);
void cs_sim_node_fini(cs_sim_node_t *node);
void cs_sim_node_set_clock(cs_sim_node_t *node); /* what its files get as their time */
/* From now on it shows another time, `seconds` after 1970 or a little less. */
void cs_sim_node_jump(cs_sim_node_t *node, uint64_t seconds);

/* --- proc.c: processes */
void cs_sim_node_end(cs_sim_node_t *node); /* with the simulation; it is up */
void cs_sim_node_start(cs_sim_node_t *node);
void cs_sim_node_stop(cs_sim_node_t *node);             /* cleanly */
void cs_sim_node_kill(cs_sim_node_t *node, bool power); /* power: its disk loses it, too */
void cs_sim_node_event(cs_sim_node_t *node, cs_event_t *event);
void cs_sim_node_tick(cs_sim_node_t *node);
void cs_sim_node_stored(cs_sim_node_t *node);
void cs_sim_node_scan(cs_sim_node_t *node, const char *path); /* ".": everything */
void cs_sim_node_pause(cs_sim_node_t *node, bool on);
/* A node in one of its lives, as a number to draw by. */
uint64_t cs_sim_who(const cs_sim_node_t *node);

/* --- jobs.c: work on disk */
void cs_sim_job_start(cs_sim_node_t *node, cs_effect_t *effect);
void cs_sim_job_slice(cs_sim_job_t *job);
void cs_sim_job_credit(cs_sim_node_t *node, uint64_t id);
void cs_sim_jobs_end(cs_sim_node_t *node); /* of one that stops, or dies */
cs_err_t cs_sim_gate(void *arg, cs_mem_call_t *call);
/* Actions whose call has come, or `all` that wait. */
void cs_sim_act_waiting(cs_sim_node_t *node, bool all);

/* --- topology.c */
void cs_sim_net_init(cs_sim_t *sim);
cs_sim_link_t *cs_sim_net_between(cs_sim_t *sim, unsigned a, unsigned b); /* NULL: none */
cs_key_t cs_sim_key(unsigned index);
/* "A" to "Z", then "n26" and so on. */
void cs_sim_name(unsigned index, char ret[CS_SIM_NAME_BYTES]);
/* Whom the node is configured with, itself left out. ret: room for all nodes. */
size_t cs_sim_members(cs_sim_node_t *node, cs_member_t *ret);
/* Lists of members spread by HELLO: whom neighbours name and we have no link to is refused. */
void cs_sim_deny_others(cs_sim_node_t *node);

/* --- net.c */
void cs_sim_net_send(cs_sim_node_t *node, cs_effect_t *effect);
void cs_sim_net_drop(cs_sim_node_t *node, cs_link_t id);
void cs_sim_net_frame(cs_sim_t *sim, cs_sim_frame_t *frame); /* taken */
void cs_sim_net_frame_free(cs_sim_frame_t *frame);
void cs_sim_net_sent(cs_sim_t *sim, const cs_sim_ev_t *ev);
void cs_sim_net_connect(cs_sim_t *sim, cs_sim_link_t *link);
void cs_sim_net_cut(cs_sim_t *sim, cs_sim_link_t *link);
void cs_sim_net_leave(cs_sim_node_t *node); /* all its connections end */
void cs_sim_net_join(cs_sim_node_t *node);  /* they are tried */
uint16_t cs_sim_net_index(const cs_sim_t *sim, const cs_sim_link_t *link);

/* --- act.c, user.c, fault.c: what the history says */
void cs_sim_act(cs_sim_t *sim, const cs_act_t *act);
/* False: it is no such action. */
bool cs_sim_user(cs_sim_node_t *node, const cs_act_t *act);
/* The path that is meant (ret: CS_ACT_PATH_BYTES). False: there is no such sibling. */
bool cs_sim_user_path(cs_sim_node_t *node, const char *path, char *ret);
void cs_sim_user_let_go(cs_sim_node_t *node);
/* user_text.c; CS_TEXT_NONE: of no text. The text of a file; if `leaves`, its user is about to
 * take it away, and does not write to it any more either. */
uint32_t cs_sim_user_text(cs_sim_node_t *node, const char *path, bool leaves);
uint32_t cs_sim_user_text_in(cs_mem_fd_t *fd);
/* To be told after the file went. */
void cs_sim_user_removed(cs_sim_node_t *node, uint32_t number);
/* Before it goes elsewhere, with all that is in it. */
void cs_sim_user_moves(cs_sim_node_t *node, const char *path);
bool cs_sim_fault(cs_sim_node_t *node, const cs_act_t *act);
void cs_sim_mend(cs_sim_node_t *node); /* whose time has come */
void cs_sim_heal(cs_sim_t *sim);       /* all faults end */

/* --- judge.c: rest points */
void cs_sim_rest(cs_sim_t *sim);
void cs_sim_check_index(cs_sim_node_t *node);
bool cs_sim_is_settled(cs_sim_t *sim);

#endif
