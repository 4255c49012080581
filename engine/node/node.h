/* node.h - the core of a node: an event goes in, a list of effects comes out.
 *
 * Everything a node decides is decided here: what to tell whom (gossip), what to fetch (fetch),
 * what to do on disk and in which order (folder). It never calls the OS, reads a clock or draws
 * entropy; it reads the store through its interface. The daemon (engine/io) performs effects
 * with ZeroMQ, LevelDB and Linux; a simulator may do so with models.
 *
 *   STORE  -> write the batch, synced, in order      -> STORED
 *   JOB    -> cs_job_run in a worker                 -> RECORDS* (scan), JOB_DONE
 *   SEND   -> queue on the link                      -> SENT once it is not in memory any more
 *   DROP   -> end the links of a peer                -> LINK_DOWN
 *   REPLY  -> a command's ticket is answered
 *   LEFT   -> nothing of a folder is used any more, and its rows may go
 *   ADDRESS -> keep, and perhaps dial
 *   NEIGHBOUR -> dial, or end its links
 *   MEMBER, STANDING, INCARNATION, NOTE: keep, log, show */
#ifndef CS_NODE_NODE_H
#define CS_NODE_NODE_H

#include "node/gossip.h"
#include "node/job.h"
#include "node/rate.h"
#include "node/standing.h"

CS_HEADER_BEGIN

#define CS_FOLDER_ID_MAX 64u

typedef struct cs_node cs_node_t;
typedef uint32_t cs_link_t; /* the shell's handle of a connection, > 0, never used again */

typedef struct cs_folder_config {
    char id[CS_FOLDER_ID_MAX + 1];
    uint32_t number; /* prefix of its keys in the store */
    uint8_t secret[CS_SECRET_BYTES];
    cs_modes_t modes;
    uint8_t marker[16];
    cs_durability_t durability;
    uint64_t trash_bytes_max;
    uint32_t brake_files;   /* 0: off */
    uint32_t brake_percent; /* of the base table */
    bool paused;
    bool on_request;                     /* scans when asked, not by itself */
    uint64_t fresh_rid;                  /* random, non-zero */
    uint64_t seed, stamp;                /* cs_gossip_config_t */
    const struct cs_recon_limits *recon; /* same */
    const cs_member_t *members;          /* borrowed during the call; without this node */
    size_t member_count;
    const cs_standing_t *standings; /* likewise; of those that were removed, too */
    size_t standing_count;
} cs_folder_config_t;

typedef enum cs_event_kind {
    CS_EV_TICK,        /* time passed; also after cs_node_deadline */
    CS_EV_LINK_UP,     /* link, key, outgoing */
    CS_EV_LINK_DOWN,   /* link */
    CS_EV_MESSAGE,     /* link, header bytes, payload blob or NULL */
    CS_EV_SENT,        /* link, bytes of payloads of SEND that are in memory no more */
    CS_EV_STORED,      /* token, err */
    CS_EV_RECORDS,     /* job id, records of a running scan */
    CS_EV_JOB_DONE,    /* job, owned by the core from here */
    CS_EV_SCAN,        /* folder, ticket (0: nobody asks), paths, full */
    CS_EV_UNSCAN,      /* ticket: who asked for the scan waits no more */
    CS_EV_PAUSE,       /* folder, on */
    CS_EV_REINCARNATE, /* folder, number: a fresh rid; text: why */
    CS_EV_RELEASE,     /* folder, ticket: what the brake holds may pass; scans again */
    CS_EV_REJECT,      /* folder, ticket: what the brake holds is undone on disk; scans again */
    CS_EV_SETTINGS,  /* folder, settings: durability, trash and brake of it count from now on */
    CS_EV_LIMITS,    /* limits: in force from now on */
    CS_EV_ALLOW,     /* folder (0: none), member: from now on spoken with; on: a user here says
                        so, and all members shall hear of it */
    CS_EV_ADDRESSES, /* key, texts: where it listens; of this node itself, or as was kept; text:
                        one that a user gave, or NULL */
    CS_EV_DENY,      /* key: a member of nothing, whatever others say, until it is allowed; on:
                        as above */
    CS_EV_LEAVE      /* folder: it ends; LEFT follows once its jobs and batches are back */
} cs_event_kind_t;

typedef struct cs_event {
    cs_event_kind_t kind;
    uint64_t now_ms; /* monotonic */
    uint64_t number; /* random of the shell for what needs one: a fresh rid */
    cs_link_t link;
    cs_key_t key;
    bool outgoing, full, on;
    cs_slice_t bytes; /* borrowed */
    const char *text; /* static; NULL: somebody asked for it. ADDRESSES: borrowed */
    cs_blob_t *blob;  /* MESSAGE: one reference goes to the core */
    uint64_t token, ticket, size;
    cs_err_t err;
    cs_job_t *job;
    cs_scan_records_t *records; /* taken (emptied) */
    uint32_t folder;
    const cs_slice_t *paths; /* borrowed */
    cs_texts_t texts;        /* borrowed */
    size_t path_count;
    const cs_member_t *member;
    const cs_folder_config_t *settings; /* borrowed */
    const cs_limits_t *limits;          /* borrowed */
} cs_event_t;

typedef enum cs_effect_kind {
    CS_FX_SEND,   /* link, header, payload (may be empty) */
    CS_FX_DROP,   /* link, text: why */
    CS_FX_STORE,  /* folder, batch, token */
    CS_FX_JOB,    /* job */
    CS_FX_CREDIT, /* job id: one more batch of a scan's records may come; names may change */
    CS_FX_SCAN_CANCEL, /* job id: nobody wants it any more */
    CS_FX_REPLY,       /* ticket, folder, scan, err: a scan is done and durable */
    CS_FX_MEMBER,      /* folder, member: a new one was heard of; keep it and let its key in */
    CS_FX_STANDING,    /* folder, standing: keep it; out: its key is let in no more. own: by a
                          user here; lifted: it was out, and is a member again */
    CS_FX_REPLICA,     /* folder: its replica id changed, text says why */
    CS_FX_LEFT,        /* folder: it is unknown from now on */
    CS_FX_ADDRESS,     /* key, header: endpoints, each with its end; dial: try them now */
    CS_FX_NEIGHBOUR, /* key, dial: at all its addresses, from now on; or not any more, and what
                        links there are with it are to end */
    CS_FX_NOTE       /* folder, text (event name), path, err: for the log and `events`; of a
                        PEER: link, text */
} cs_effect_kind_t;

typedef struct cs_scan_report {
    cs_scan_result_t done;
    cs_scan_stats_t stats;
    cs_troubles_t troubles;
    uint64_t put_back; /* REJECT: files that disk and peers give back */
} cs_scan_report_t;

typedef enum cs_note_kind {
    CS_NOTE_LOG,      /* worth a line of the log */
    CS_NOTE_PATH,     /* a path was changed on disk: there may be thousands */
    CS_NOTE_SCAN,     /* scan.done: what a scan found and is durable */
    CS_NOTE_TROUBLE,  /* what a scan cannot take: one path, or how many more */
    CS_NOTE_EXCHANGE, /* with `key`, exchange: it is over, and text says how */
    CS_NOTE_PEER      /* a peer does what it should not, and need not be dropped for */
} cs_note_kind_t;

typedef struct cs_effect {
    cs_effect_kind_t kind;
    cs_note_kind_t note; /* NOTE */
    cs_link_t link;
    uint32_t folder;
    cs_buf_t header, payload; /* owned */
    cs_batch_t batch;         /* owned */
    uint64_t token, ticket;
    cs_job_t *job; /* owned */
    cs_scan_report_t scan;
    cs_exchange_facts_t exchange;
    cs_key_t key;
    bool dial;
    cs_member_t member;
    cs_standing_t standing;
    bool own, lifted; /* STANDING */
    cs_err_t err;
    const char *text; /* static */
    cs_str_t *path;   /* owned; may be NULL */
} cs_effect_t;

typedef struct cs_effects {
    cs_effect_t *item; /* the caller's; emptied by it, reused from step to step */
    size_t len, cap;
} cs_effects_t;

cs_effect_t *cs_effects_add(cs_effects_t *effects, cs_effect_kind_t kind);
void cs_effect_fini(cs_effect_t *effect); /* releases what was not taken (nulled) */
void cs_effects_clear(cs_effects_t *effects);
void cs_effects_fini(cs_effects_t *effects);

typedef struct cs_node_config {
    cs_store_t *store; /* borrowed */
    cs_key_t self;
    char name[64];
    /* What the process is to take, at most; contents in flight get what CS_MEMORY_BASE_BYTES
     * leave of it. 0: each folder and peer has its own limit, and there is no common one. */
    uint64_t memory_bytes;
    bool no_finding; /* addresses of members are neither told nor taken */
    uint64_t number; /* random: for which neighbours are chosen (node/neighbours.h) */
    bool signs; /* there is a seed; else what users say of members is not passed on, numbers
                   of replicas are taken on trust, and those who sign take none of this one */
    uint8_t seed[CS_SEED_BYTES]; /* whose Ed25519 key has `self` for its Montgomery form */
    const cs_scheme_t *scheme;   /* of marks; NULL: Ed25519 */
    cs_all_fn *all;              /* cs_replica_config_t */
} cs_node_config_t;

cs_node_t *cs_node_new(const cs_node_config_t *config);
/* Jobs that are out must have come back. */
void cs_node_destroy(cs_node_t **node_p);
/* From now on no job is ordered and no message sent; what comes back is still recorded. */
void cs_node_stop(cs_node_t *node);

/* Load a folder's state. ret_open: what was found (core.md 6.4). Errors as cs_replica_open: the
 * folder is not added. */
CS_MUST_USE cs_err_t cs_node_add_folder(cs_node_t *node, const cs_folder_config_t *config,
                                        uint64_t now_ms, cs_open_result_t *ret_open);

/* One step. Never fails for what peers or disks do: those become effects. The only error is
 * LOCAL: the store cannot be read or written any more, and the node must stop (restart is 6.4).
 */
CS_MUST_USE cs_err_t cs_node_step(cs_node_t *node, const cs_event_t *event,
                                  cs_effects_t *effects);
/* When the next TICK is due; UINT64_MAX: not before something else happens. */
uint64_t cs_node_deadline(const cs_node_t *node);

/* --- looking */
typedef enum cs_folder_phase {
    CS_PHASE_IDLE,
    CS_PHASE_SCANNING,
    CS_PHASE_SYNCING,
    CS_PHASE_PAUSED,
    CS_PHASE_HELD,
    CS_PHASE_ERROR
} cs_folder_phase_t;
const char *cs_phase_text(cs_folder_phase_t phase);

typedef struct cs_folder_status {
    cs_folder_phase_t phase;
    cs_err_t err; /* ERROR: why */
    uint64_t files, dirs,
        bytes; /* on disk, as of the last full scan and what was applied since */
    uint64_t needed_files,
        needed_bytes;      /* pending paths (counted to 10,000), bytes of active wants */
    bool applied;          /* nothing pending: everything known is on this disk */
    bool busy;             /* a scan or apply runs or waits, or a stage is not durable */
    bool durable;          /* all that was asked for so far is on the disk of the home */
    uint64_t held_files;   /* HELD by what happened here: so many vanished or were rewritten */
    bool held_by_peer;     /* HELD: what a peer has would be deleted there in great number */
    cs_err_t failed;       /* the newest write failed, and is tried again: why */
    cs_str_t *failed_path; /* borrowed; NULL: about no path */
    cs_dot_t reused;       /* a number that two writings have, since the start; rid 0: none */
    const cs_troubles_t *troubles; /* borrowed until the next step */
    const cs_state_t *state;       /* root, n, seen: borrowed */
} cs_folder_status_t;

/* In a large folder not all members are linked with all (node/neighbours.h): is it one that is
 * dialled? */
bool cs_node_wants_link(const cs_node_t *node, const cs_key_t *key);
CS_MUST_USE bool cs_node_folder_status(cs_node_t *node, uint32_t number,
                                       cs_folder_status_t *ret);
cs_replica_t *cs_node_replica(cs_node_t *node,
                              uint32_t number); /* for ls, conflicts, explain; NULL unknown */
/* cs_gossip_members of the folder: this node included; borrowed until the next step. NULL:
 * unknown. */
const cs_member_t *cs_node_members(const cs_node_t *node, uint32_t number, size_t *ret_count);
/* Whose replica id this is, or was. False: nobody told. */
bool cs_node_writer(cs_node_t *node, uint32_t number, uint64_t rid, cs_key_t *ret);
/* cs_gossip_reports of the folder. */
cs_report_t *cs_node_reports(cs_node_t *node, uint32_t number, size_t *ret_count);

/* Why an item of the projection is not on the disk as it should be. */
typedef enum cs_why_kind {
    CS_WHY_HERE,   /* it is */
    CS_WHY_FOLDER, /* the folder is unusable: err */
    CS_WHY_HELD,   /* by a brake */
    CS_WHY_PAUSED,
    CS_WHY_IGNORED,
    CS_WHY_FAILED,   /* writing it failed, and is tried again: err */
    CS_WHY_CHANGING, /* somebody changes what is there: a scan looks first */
    CS_WHY_MISSING,  /* nobody who is connected has its bytes */
    CS_WHY_FETCHING, /* they are on their way */
    CS_WHY_QUEUED    /* they are here, its turn comes */
} cs_why_kind_t;
typedef struct cs_why {
    cs_why_kind_t kind;
    cs_err_t err;
    uint64_t bytes_here; /* FETCHING, QUEUED: of its content, verified and on this disk */
} cs_why_t;
/* CS_WHY_HERE also for a folder that is unknown. */
cs_why_t cs_node_why(cs_node_t *node, uint32_t number, const cs_item_t *item);

/* A large file on its way. */
typedef struct cs_transfer {
    cs_slice_t path;           /* one that waits for it; borrowed until the next step */
    uint64_t here, size, rate; /* bytes that are on this disk, of so many; bytes a second */
} cs_transfer_t;
size_t cs_node_transfers(cs_node_t *node, uint32_t number,
                         cs_transfer_t ret[CS_FETCH_FILES_MAX]);

/* Paths of peers' entries that were refused of late, for they have, with ours, too many
 * versions; calls `each` with up to `max` of them. Their number. */
uint64_t cs_node_refused(cs_node_t *node, uint32_t number, size_t max,
                         void (*each)(void *arg, cs_slice_t path), void *arg);

/* What is known of a member's having some content. */
typedef enum cs_holds { CS_HOLDS_UNKNOWN, CS_HOLDS_YES, CS_HOLDS_NO } cs_holds_t;
cs_holds_t cs_node_holds(cs_node_t *node, uint32_t number, const cs_report_t *report,
                         const cs_content_t *content);

typedef struct cs_peer_status {
    cs_key_t key;
    uint64_t bytes_in, bytes_out; /* payload since the node started */
} cs_peer_status_t;
/* False: unknown. */
bool cs_node_folder_phase(const cs_node_t *node, uint32_t number, cs_folder_phase_t *ret);
bool cs_node_peer_status(const cs_node_t *node, const cs_key_t *key,
                         cs_peer_status_t *ret); /* false: not connected */

CS_HEADER_END

#endif
