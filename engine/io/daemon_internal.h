/* daemon_internal.h - what a daemon consists of. Private to engine/io: daemon*.c, commands*.c.
 */
#ifndef CS_IO_DAEMON_INTERNAL_H
#define CS_IO_DAEMON_INTERNAL_H

#include <czmq.h>

#include "io/daemon.h"
#include "io/events.h"
#include "io/fs_linux.h"
#include "io/net.h"
#include "io/watch.h"
#include "node/node.h"

/* What a folder shows on this disk. */
typedef struct cs_tree_count {
    cs_tally_t tally;
    uint64_t conflicts; /* paths with untouched siblings */
    bool known;         /* counted once */
    uint64_t changes;   /* cs_replica_base_changes when that began */
    uint64_t at_ms, cost_ms;
} cs_tree_count_t;

/* What `progress` events say of a folder that is not idle. */
typedef struct cs_progress {
    bool known;              /* of what follows: there was one of this work */
    uint64_t at_ms;          /* of the last look at it; 0: it is idle */
    uint64_t files, bytes;   /* needed then */
    bool estimated;          /* bytes */
    double files_s, bytes_s; /* that come to be here in a second, smoothed */
} cs_progress_t;

/* A folder as the shell sees it. */
typedef struct cs_mounted {
    cs_folder_record_t record; /* owned; as in the home */
    cs_keys_t keys;            /* of its secret */
    cs_fs_t *fs;               /* open while jobs use it, else NULL */
    cs_fs_known_t fs_known;    /* of the last time it was */
    size_t fs_users;
    bool loaded;     /* the core knows it */
    bool leaving;    /* it was removed, and its jobs are not back yet */
    bool phase_told; /* there was an event of it */
    cs_folder_phase_t phase;
    cs_tree_count_t count; /* as of the last time it was asked for */
    cs_progress_t progress;
} cs_mounted_t;

/* A request that has not ended. */
typedef struct cs_pending {
    uint64_t handle;
    cs_reply_t reply;
    uint64_t ticket;      /* of a scan, 0: none */
    bool gives_up;        /* without the asker that scan is for nobody */
    uint64_t deadline_ms; /* UINT64_MAX: none */
    /* Asked after every step and at the deadline; ends the request by cs_pending_end. NULL:
     * only a scan's ticket ends it. */
    void (*check)(cs_daemon_t *daemon, struct cs_pending *pending, bool expired);
    /* Of each scan that its ticket is out for, instead of an answer by it. May be NULL. */
    void (*scanned)(cs_daemon_t *daemon, struct cs_pending *pending, uint32_t folder,
                    cs_err_t err);
    void *arg; /* of these; owned */
    void (*arg_free)(void *arg);
    size_t waiting; /* scans: tickets that are still out */
    int exit_code;  /* so far */
} cs_pending_t;

struct cs_daemon {
    cs_daemon_config_t config;
    cs_home_t *home;
    cs_store_t *store;
    cs_node_t *node;
    zloop_t *loop;
    cs_net_t *net;         /* NULL without network */
    cs_mounted_t *folders; /* owned; sorted by record.number */
    size_t folder_count, folder_cap;
    cs_pending_t **pending; /* owned, in order of their handles */
    size_t pending_count, pending_cap;
    uint64_t last_handle, last_ticket;
    uint8_t public_key[32];
    uint64_t started_ms;
    bool stopping;
    cs_err_t failed;
    cs_events_t *events;           /* NULL: no control socket, so that nobody could ask */
    uint64_t events_reserved;      /* numbers below are reserved on disk */
    struct cs_invites *invites;    /* open ones, and a join under way: invite.c's own */
    struct cs_daemon_shell *shell; /* threads, timers, queues: daemon.c's own */
};

/* Hand an event to the core and perform what it asks; now_ms and number are filled in. */
void cs_daemon_step(cs_daemon_t *daemon, cs_event_t *event);

cs_mounted_t *cs_daemon_folder(cs_daemon_t *daemon, const char *id); /* NULL: unknown */
cs_mounted_t *cs_daemon_folder_by_number(const cs_daemon_t *daemon, uint32_t number);
cs_mounted_t *cs_daemon_folder_by_path(cs_daemon_t *daemon,
                                       const char *path); /* that contains it */

/* Make a record's folder run: open its path, give it to the core, allow its peers. Also after
 * `folder add` and `join`. A folder whose path is missing is loaded and shown as an error. */
CS_MUST_USE cs_err_t cs_daemon_mount(cs_daemon_t *daemon, const cs_folder_record_t *record,
                                     cs_buf_t *ret_detail);
/* Its record is gone: it ends, then its rows go (daemon_forget.c). */
void cs_daemon_leave(cs_daemon_t *daemon, cs_mounted_t *folder);
bool cs_daemon_is_leaving(const cs_daemon_t *daemon, uint32_t number); /* or its rows */
/* Its record has other settings: schedules, brake and trash follow. */
void cs_daemon_settings_changed(cs_daemon_t *daemon, cs_mounted_t *folder);
/* By a user or by its schedule; its record says so. */
CS_MUST_USE cs_err_t cs_daemon_set_paused(cs_daemon_t *daemon, cs_mounted_t *folder, bool on,
                                          cs_buf_t *ret_detail);
/* A peer's record is new or changed: let its key in, dial it, speak of its folders. */
void cs_daemon_peer_changed(cs_daemon_t *daemon, const cs_peer_record_t *record, bool by_user);
/* A peer is none any more: cut off at once, and no member's word brings it back. */
void cs_daemon_peer_removed(cs_daemon_t *daemon, const uint8_t key[32], bool by_user);
void cs_daemon_invites_changed(cs_daemon_t *daemon); /* invites are read again from the home */

/* Start a scan and get a ticket for it; the pending request's `waiting` is raised by the
 * caller. */
void cs_daemon_scan(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_slice_t *paths,
                    size_t count, bool full, uint64_t ticket);

/* How the folder is watched; by OFF: it is not. */
cs_watcher_state_t cs_daemon_watch_state(const cs_daemon_t *daemon, uint32_t folder);

/* --- commands.c */
void cs_commands_fini(cs_daemon_t *daemon); /* forgets all pending requests */
/* A scan that a pending request waits for is done. */
void cs_commands_scanned(cs_daemon_t *daemon, uint64_t ticket, uint32_t folder, cs_err_t err,
                         const cs_scan_report_t *report);
void cs_commands_check(cs_daemon_t *daemon, uint64_t now_ms); /* after every step */
uint64_t cs_commands_deadline(const cs_daemon_t *daemon);
cs_pending_t *cs_pending_find(const cs_daemon_t *daemon, uint64_t handle); /* NULL: ended */
cs_pending_t *cs_pending_new(cs_daemon_t *daemon, const cs_reply_t *reply);
void cs_pending_end(cs_daemon_t *daemon, cs_pending_t *pending, int exit_code,
                    const char *error);

/* State of a peer, for `status` and `peer list`. */
typedef enum cs_link_state {
    CS_LINK_OFFLINE,
    CS_LINK_CONNECTING,
    CS_LINK_CONNECTED,
    CS_LINK_REFUSED,
    CS_LINK_INDIRECT /* not linked with this node: others pass on (node/neighbours.h) */
} cs_link_state_t;
/* We dial it, and the last attempt failed; false also while the first one is under way. */
bool cs_daemon_is_unreachable(const cs_daemon_t *daemon, const uint8_t key[32]);
bool cs_daemon_dials(const cs_daemon_t *daemon, const uint8_t key[32]);
cs_link_state_t cs_daemon_link_state(const cs_daemon_t *daemon, const uint8_t key[32]);

#endif
