/* folder.h - one folder in the core: its replica, its conversations, its fetches, its disk.
 *
 * Private to engine/node. An event handler does its part, then cs_folder_settle starts whatever
 * has become possible and stages what changed. Order of precedence on disk: a wanted scan, then
 * the next group of steps; one job at a time, so the base table changes under neither. */
#ifndef CS_NODE_FOLDER_H
#define CS_NODE_FOLDER_H

#include "base/mutation.h"
#include "crdt/omap.h"
#include "node/outbox.h"
#include "node/peers.h"
#include "xfer/rows.h"

#define CS_SWEEP_ROWS 4096u /* looked at after a scan of everything: a few ms */
#define CS_RETRY_MS   5000u /* a disk that failed is tried again after this */
/* what nobody had is asked for again after this, then at twice the interval */
#define CS_MISSING_RETRY_MS     30000u
#define CS_MISSING_RETRY_MAX_MS 960000u
#define CS_SCAN_CREDITS         4u    /* batches of records in flight: 2,200 files */
#define CS_SERVE_PATIENCE_MS    3000u /* a peer whose request waits for a limit is told */
#define CS_SERVE_QUEUE_MAX      32u   /* requests of a peer that wait; honest ones keep to 8 */
/* Contents refused to peers, 120 bytes each: the wants of four. Beyond it all are forgotten:
 * those peers ask again by themselves, later. */
#define CS_VAIN_MAX          (4 * CS_FETCH_WANTS_MAX)
#define CS_PLAN_PATHS_MAX    4096u /* pending paths looked at in one step: tens of ms */
#define CS_PASS_PATHS_PER_MS 50u   /* a pass is followed by a rest of about its length */
#define CS_HEARD_MAX         1024u /* contents of which the first teller is remembered */
#define CS_FETCH_TICK_MS     1000u /* how late a dawdling peer is noticed */
#define CS_RACE_MS           50u   /* before a path that the user changes is tried again, ... */
#define CS_RACE_MAX_MS       5000u /* ... doubled each time that nothing else came of it */
#define CS_STUCK_MAX         1000u /* paths that failed, kept by name: as many as a scan's troubles */
#define CS_PLAN_WAIT_MS      50u /* so long staged contents gather into a group, while more come */

/* So long after the last failure a write still counts as failing: one retry and some. */
#define CS_FAILING_MS (2 * (uint64_t)CS_RETRY_MS)

/* When an error was logged last. */
typedef struct cs_said {
    uint64_t at_ms, pause_ms;
    uint32_t count; /* in that step; 0: never */
} cs_said_t;

/* A scan that somebody asked for. */
typedef struct cs_scan_wish {
    bool any, all, full;
    bool unasked;         /* somebody wants it who waits for no answer */
    bool release, reject; /* what the brake holds is let pass, or undone */
    cs_str_t **paths;     /* owned; unused if all */
    size_t path_count, path_cap;
    uint64_t *tickets; /* owned */
    size_t ticket_count, ticket_cap;
} cs_scan_wish_t;

/* A finished scan whose operations are not durable yet. */
typedef struct cs_scan_answer {
    uint64_t *tickets;
    size_t ticket_count;
    uint64_t wait;           /* stage that must be durable */
    cs_scan_report_t report; /* the first ticket takes the troubles, the others get a count */
    cs_err_t err;
} cs_scan_answer_t;

/* Contents that came, for a peer that was refused them. */
typedef struct cs_news {
    cs_peer_t peer;
    cs_buf_t names; /* owned, packed */
} cs_news_t;

typedef struct cs_serve_wait { /* a request of a peer that waits for its turn */
    cs_peer_t peer;
    cs_job_t *job;
    uint64_t told_ms; /* when its peer heard last that there is an answer to come */
} cs_serve_wait_t;

/* What a peer was told of members of this folder. */
typedef struct cs_told {
    cs_peer_t peer;
    uint32_t greetings; /* cs_gossip_greetings then */
    uint64_t pex;       /* lists of addresses up to this version */
    uint64_t standings; /* words about members that came up to then */
} cs_told_t;

typedef struct cs_folder {
    cs_node_t *node;           /* borrowed */
    cs_folder_config_t config; /* members: NULL */
    cs_keys_t *keys;           /* own allocation: jobs borrow it */
    cs_chunker_table_t *table;
    cs_replica_t *replica;
    cs_gossip_t *gossip;
    cs_fetch_t *fetch;
    cs_outbox_t outbox;

    /* during a step */
    cs_effects_t *fx;
    uint64_t now_ms, number; /* number: the event's random one */
    cs_blob_t *blob;         /* payload being read */
    cs_job_t *stage_job;     /* contents of that payload */
    const char *reincarnate; /* why a new rid is wanted at the end of the step */

    size_t jobs;  /* handed out and not yet back */
    bool leaving; /* nothing is begun any more */
    uint64_t gossip_due_ms;

    /* durability */
    bool staged_by_replica;   /* the outstanding stage has changes of the replica in it */
    uint64_t staged, durable; /* stages numbered from 1; equal: none outstanding */
    cs_batch_t rows;          /* n/, c/, r/ rows that go with the next stage */
    cs_buf_t scratch;

    /* disk */
    uint64_t disk_job_id; /* the running scan or apply, 0: none */
    cs_job_kind_t disk_job_kind;
    uint64_t rows_stage; /* scans wait until this stage is durable */
    bool steps_void;     /* the replica id changed since the running steps were planned */
    bool steps_wait;     /* APPLY: names may not change until steps_stage is durable */
    uint64_t steps_stage;
    bool scanned_once;
    bool unsure;      /* apply may have done what no row tells: the next scan must be of all */
    bool scan_failed; /* the replica refused; drop the rest of this scan */
    bool scan_ahead;  /* of the records just read, some are operations */
    bool committing;  /* the walk is over, its operations are not all done */
    cs_scan_report_t scan_report;          /* of that scan, so far */
    uint32_t owed_credits, staged_credits; /* staged: for records of the outstanding stage */
    bool sweep_due;                        /* of rows that serve no content any more */
    cs_buf_t sweep_cursor;
    uint64_t scan_lost; /* for the brake */
    uint64_t brake_window[2], brake_since_ms;
    uint64_t held_files;           /* what is held */
    uint64_t held_row;             /* as in its row, 0: none */
    cs_scan_records_t reject_lost; /* what the running scan is to put back */
    cs_scan_wish_t wish, running_wish;
    cs_scan_answer_t *answers;
    size_t answer_count, answer_cap;
    cs_str_t **busy; /* paths a scan must see first; sorted by nothing: few */
    size_t busy_count, busy_cap;

    /* planning (folder_apply.c) */
    bool plan_due, again; /* a pass is wanted; another one after it */
    bool thorough_due;    /* the next one shall look at parked paths, too */
    bool thorough;        /* the one under way does */
    bool all_seen;        /* the last one did, and nothing was joined since */
    bool refill;          /* it goes on where the fetch machine had no room */
    cs_buf_t cursor;      /* of the pass under way; empty: at the beginning */
    size_t pass_size;     /* steps and contents it found */
    uint64_t pass_at_ms, rest_until_ms;
    uint32_t race_ms; /* 0: the last group was of use */
    cs_trash_count_t trash;
    cs_omap_t ignored; /* pending paths that are ignored here, as far as met */
    cs_omap_t refused; /* paths of entries with too many versions; epoch: when, in ms */
    cs_omap_t stuck;   /* paths that could not be written; epoch: why, a cs_err_t */
    cs_standings_t standings;
    cs_marks_t *marks;  /* owned; NULL: this node does not sign */
    cs_told_t *told_of; /* owned */
    size_t told_of_count, told_of_cap;
    /* All who listen were told of members up to these: cs_standings_t.newest, cs_pex_t.version.
     */
    uint64_t standings_told, pex_told, introductions;
    uint64_t reborn_ms; /* when a new id was taken because of one; 0: never */
    cs_dot_t reused;    /* the last dot that was seen with two values; rid 0: none was */
    cs_omap_t awaited;  /* content hash || path: contents asked for, and where they go, with
                           what mtime (epoch) and mode (mark) */
    cs_str_t **ready;   /* paths whose contents are staged */
    size_t ready_count, ready_cap;
    uint64_t ready_at_ms;                    /* 0: none */
    uint64_t retry_at_ms;                    /* 0: none */
    uint64_t missing_at_ms, missing_wait_ms; /* 0: nothing is missing */
    uint64_t missing_wants;                  /* how many there were at the last try */
    bool wants_full; /* no room for a small content: the pass pauses at `pause_at`, the first */
    cs_buf_t pause_at; /* path that found none */
    bool large_full;   /* none for a large one: the pass goes on with others */

    cs_omap_t heard; /* content hash; epoch: the peer that said it first */
    bool holds;      /* limits may have made the fetch machine hold peers back */
    cs_omap_t vain;  /* content hash || peer: who was refused what may come */
    cs_news_t *news;
    size_t news_count, news_cap;
    cs_omap_t fresh; /* contents whose rows a SERVE job may not have seen; epoch: their stage */
    cs_buf_t ahead, ahead_due; /* records as in CHUNK: of files that were just saved; of those,
                                  what entries name that are about to be pushed */
    cs_peer_t ahead_to[CS_FANOUT_MAX];
    size_t ahead_to_count;
    uint64_t ahead_ms;
    uint64_t ahead_ctr;  /* the replica's counter before they were recorded */
    uint64_t offered_ms; /* since when something may be staged that nobody wants; 0: nothing */
    cs_serve_wait_t *serve; /* waiting requests, in order */
    size_t serve_count, serve_cap;
    cs_peer_t *serving; /* peers with a SERVE job under way */
    size_t serving_count, serving_cap;

    /* what is shown */
    cs_err_t err; /* the folder is unusable: why */
    struct {
        cs_err_t err;   /* of the newest write that failed */
        bool lasts;     /* nobody said yet that it is over */
        cs_str_t *path; /* where it is about one; else NULL */
        uint64_t at_ms;
    } failed;
    cs_said_t said[CS_ERR_COUNT];
    bool held;
    bool applied;
    cs_scan_stats_t stats;  /* of the last full scan */
    cs_troubles_t troubles; /* of the last full scan and those of parts since */
    cs_omap_t told;         /* those of them that the log has: path, NUL, kind */
} cs_folder_t;

CS_MUST_USE cs_err_t cs_folder_new(cs_node_t *node, const cs_folder_config_t *config,
                                   uint64_t now_ms, cs_folder_t **ret,
                                   cs_open_result_t *ret_open);
void cs_folder_destroy(cs_folder_t **folder_p);

/* Around every call below in a step. */
void cs_folder_enter(cs_folder_t *folder, const cs_event_t *event, cs_effects_t *effects);
CS_MUST_USE cs_err_t cs_folder_settle(cs_folder_t *folder);

bool cs_folder_has_member(const cs_folder_t *folder, const cs_key_t *key);
void cs_folder_add_member(cs_folder_t *folder, const cs_member_t *member);
void cs_folder_peer_up(cs_folder_t *folder, const cs_peer_entry_t *peer);
void cs_folder_peer_down(cs_folder_t *folder, cs_peer_t peer);
void cs_folder_message(cs_folder_t *folder, const cs_peer_entry_t *peer, const cs_msg_t *msg,
                       cs_blob_t *blob);
void cs_folder_stored(cs_folder_t *folder, uint64_t token);
uint64_t cs_folder_deadline(cs_folder_t *folder);
/* When limits let more be sent, or asked for; UINT64_MAX: they stop nothing. */
uint64_t cs_folder_serve_due(cs_folder_t *folder);
uint64_t cs_folder_fetch_due(cs_folder_t *folder);

/* It ends: tickets are answered, nothing new is begun. */
void cs_folder_leave(cs_folder_t *folder);
bool cs_folder_has_left(const cs_folder_t *folder); /* nobody uses it any more */

/* A new replica id, of a random number. CS_ERR_LIMIT: there are too many ids. */
CS_MUST_USE cs_err_t cs_folder_reincarnate(cs_folder_t *folder, uint64_t number);

/* writers.c: a member has, or had, this replica id; 0: not known. */
void cs_folder_met(cs_folder_t *folder, const cs_key_t *key, uint64_t rid);

/* folder_brake.c: the safety brake, and what is held by it */
void cs_folder_brake_load(cs_folder_t *folder);
void cs_folder_release(cs_folder_t *folder, uint64_t ticket); /* let pass what is held */
void cs_folder_reject(cs_folder_t *folder, uint64_t ticket);  /* undo what is held */
void cs_folder_brake_saw(cs_folder_t *folder, const cs_sighting_t *sighting);
/* True: the sighting is for the brake alone. */
bool cs_folder_brake_keeps(cs_folder_t *folder, const cs_sighting_t *sighting);
/* A scan came to its end: HELD, or what the replica makes of it. */
CS_MUST_USE cs_err_t cs_folder_commit_scan(cs_folder_t *folder, cs_scan_report_t *report);

/* folder_scan.c */
/* Who asked for it does not wait any more: a scan that is for nobody else is given up. */
void cs_folder_forget_scan(cs_folder_t *folder, uint64_t ticket);
void cs_folder_want_scan(cs_folder_t *folder, const cs_slice_t *paths, size_t count, bool full,
                         uint64_t ticket);
void cs_folder_records(cs_folder_t *folder, cs_scan_records_t *records);
void cs_folder_scanned(cs_folder_t *folder, cs_job_t *job);
void cs_folder_commit_more(cs_folder_t *folder); /* what a scan saw, once the last is durable */
bool cs_folder_scan_is_due(const cs_folder_t *folder);
bool cs_folder_start_scan(cs_folder_t *folder);   /* true: a job was started */
void cs_folder_answer_scans(cs_folder_t *folder); /* those that are durable */
void cs_folder_scan_fini(cs_folder_t *folder);
/* folder_trouble.c: what a scan could not take; at its end, what of that is new is noted */
void cs_folder_take_troubles(cs_folder_t *folder, const cs_job_scan_t *scan);
void cs_folder_tell_troubles(cs_folder_t *folder);

/* folder_apply.c */
void cs_folder_plan_soon(cs_folder_t *folder); /* of all that is pending */
void cs_folder_plan_more(cs_folder_t *folder); /* but for what waits for bytes already */
void cs_folder_plan_fini(cs_folder_t *folder);
bool cs_folder_has_pending(cs_folder_t *folder);                    /* but for ignored paths */
bool cs_folder_is_busy(const cs_folder_t *folder, cs_slice_t path); /* a scan looks first */
bool cs_folder_start_apply(cs_folder_t *folder);
void cs_folder_start_trim(cs_folder_t *folder);
/* Lets the worker change names, once what the steps follow from is durable. */
void cs_folder_release_steps(cs_folder_t *folder);
void cs_folder_performed(cs_folder_t *folder, cs_job_t *job);

/* folder_peers.c */
/* Where they listen, and who is one no more: each peer once, when it knows who they are. */
void cs_folder_tell_of_members(cs_folder_t *folder);
/* One that was not known is to be kept, and let in. */
void cs_folder_note_member(cs_folder_t *folder, const cs_member_t *member);

/* folder_pex.c */
void cs_folder_pex_tell(cs_folder_t *folder, const cs_peer_entry_t *peer, uint64_t *told);
void cs_folder_pex_take(cs_folder_t *folder, const cs_peer_entry_t *peer,
                        const cs_msg_pex_t *msg);

/* folder_standing.c: words about members */
/* As the home keeps them. */
void cs_folder_load_members(cs_folder_t *folder, const cs_folder_config_t *config);
/* A user here let it in, or removed it: a signed word of it, if that is news. */
void cs_folder_say(cs_folder_t *folder, const cs_key_t *key, bool out);
bool cs_folder_is_out(const cs_folder_t *folder, const cs_key_t *key);
void cs_folder_cut_off(cs_folder_t *folder, const cs_key_t *key); /* a member no more */
void cs_folder_standings_tell(cs_folder_t *folder, cs_peer_t peer, uint64_t *told);
void cs_folder_standings_take(cs_folder_t *folder, const cs_msg_standings_t *msg);

/* folder_wants.c */
void cs_folder_heard(cs_folder_t *folder, cs_peer_t peer, const cs_entry_t *entry, bool own);
void cs_folder_need(void *arg, const cs_item_t *item); /* of a plan */
/* A path that waits for the content, borrowed; empty: none does. */
cs_slice_t cs_folder_awaiting(const cs_folder_t *folder, const cs_content_t *content);
/* Mode (of the item) and mtime that go with that path; false: none does. */
bool cs_folder_dress(const cs_folder_t *folder, const cs_content_t *content, cs_dress_t *ret);
void cs_folder_content_staged(cs_folder_t *folder, const cs_content_t *content);
void cs_folder_go_on_if_room(cs_folder_t *folder);

/* folder_content.c */
void cs_folder_pump_fetch(cs_folder_t *folder);
cs_rows_view_t cs_folder_rows(const cs_folder_t *folder); /* as they are now */
/* For the fetch machine; arg: the folder. */
cs_err_t cs_folder_read_node(void *arg, const cs_name_t *name, cs_buf_t *ret);
void cs_folder_keep_row(void *arg, cs_slice_t key, cs_slice_t value);
void cs_folder_content_message(cs_folder_t *folder, const cs_peer_entry_t *peer,
                               const cs_msg_t *msg, cs_blob_t *blob);
void cs_folder_staged(cs_folder_t *folder, cs_job_t *job);
void cs_folder_part_done(cs_folder_t *folder, cs_job_t *job);

/* folder_ahead.c: small contents that are sent before they are asked for */
void cs_folder_ahead_saw(cs_folder_t *folder, const cs_buf_t *records); /* of a scan */
void cs_folder_ahead_pushes(cs_folder_t *folder, const cs_entry_t *entry);
void cs_folder_ahead_pushes_to(cs_folder_t *folder, const cs_peer_t *peers, size_t count);
/* After the rows were given to the disk: these have to wait for it, and the bytes do not. */
void cs_folder_ahead_send(cs_folder_t *folder);
void cs_folder_ahead_came(cs_folder_t *folder); /* and was given to the fetch machine */
void cs_folder_ahead_tick(cs_folder_t *folder); /* forgets what is old */
uint64_t cs_folder_ahead_due(const cs_folder_t *folder);
void cs_folder_ahead_fini(cs_folder_t *folder);

/* folder_serve.c */
void cs_folder_ask(cs_folder_t *folder, const cs_peer_entry_t *peer, const cs_msg_t *msg);
void cs_folder_served(cs_folder_t *folder, cs_job_t *job);
void cs_folder_pump_serve(cs_folder_t *folder);
/* folder_vain.c. Contents that this node did not have: who asked is told when they come.
 * began: the stage that was durable when they were looked for. */
void cs_folder_asked_in_vain(cs_folder_t *folder, cs_peer_t peer, cs_slice_t names,
                             uint64_t began);
/* It is on the disk; its row goes with the next stage. Then, after all of a group: */
void cs_folder_came(cs_folder_t *folder, const cs_content_t *content);
void cs_folder_came_in_part(cs_folder_t *folder, const cs_content_t *content); /* some of it */
/* The content that is a file of this hash and size. */
cs_content_t cs_folder_file(const uint8_t *hash, uint64_t size);
void cs_folder_tell_news(cs_folder_t *folder);
void cs_folder_vain_fini(cs_folder_t *folder);
void cs_folder_serve_down(cs_folder_t *folder, cs_peer_t peer);
/* Requests that wait are answered with nothing: who asked asks another, or later. */
void cs_folder_serve_refuse(cs_folder_t *folder);

/* folder_why.c */
void cs_folder_stuck(cs_folder_t *folder, cs_slice_t path, cs_err_t err); /* CS_OK: no more */
void cs_folder_refused(cs_folder_t *folder, cs_slice_t path);

/* shared */
cs_job_t *cs_folder_job(cs_folder_t *folder,
                        cs_job_kind_t kind); /* ids and what every job borrows */
void cs_folder_start(cs_folder_t *folder, cs_job_t **job_p); /* becomes an effect */
/* folder_fail.c. A write to the disk failed: it is noted, shown, and tried again. */
void cs_folder_failed(cs_folder_t *folder, const char *what, cs_slice_t path, cs_err_t err);
bool cs_folder_is_failing(const cs_folder_t *folder);
void cs_folder_tell_recovery(cs_folder_t *folder); /* once, when no write fails any more */
uint64_t cs_folder_recovery_due(const cs_folder_t *folder);
void cs_folder_note(cs_folder_t *folder, const char *what, cs_slice_t path, cs_err_t err);
/* Content messages need no durability: sent at once. payload (may be NULL) is taken. */
/* Leaves, in order, once all changes made so far are durable. */
void cs_folder_send_later(cs_folder_t *folder, cs_peer_t peer, cs_msg_t *msg);
void cs_folder_send(cs_folder_t *folder, cs_peer_t id, cs_msg_t *msg, cs_buf_t *payload);
void cs_folder_drop(cs_folder_t *folder, cs_peer_t id, const char *why);
/* The peer stays; what: an event's name, static. */
void cs_folder_note_peer(cs_folder_t *folder, cs_peer_t id, const char *what);
cs_peer_entry_t *cs_folder_peer(cs_folder_t *folder, cs_peer_t peer); /* NULL: gone */

#endif
