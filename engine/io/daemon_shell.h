/* daemon_shell.h - the daemon's threads, links, jobs and timers. Private to daemon*.c. */
#ifndef CS_IO_DAEMON_SHELL_H
#define CS_IO_DAEMON_SHELL_H

#include <stdatomic.h>

#include "io/daemon_internal.h"
#include "io/pool.h"
#include "io/store_thread.h"
#include "node/cron.h"

/* Threads that wait for the disk: one walks and hashes, CS_FETCH_LOOKS_MAX look for chunks, and
 * one is left for what is short, staging and serving. */
#define CS_WORKERS (CS_FETCH_LOOKS_MAX + 2u)
#define CS_LINK_QUEUE_BYTES                                                    \
    (64u << 20) /* a link whose other end takes nothing is ended here: several \
                   times what honest exchange and credit windows allow */

/* A message that a full link could not take. */
typedef struct cs_queued {
    cs_buf_t header, payload;
} cs_queued_t;

typedef struct cs_shell_link {
    cs_link_t link;
    cs_key_t key;
    bool outgoing;
    bool known;         /* the core was told: not an invite's */
    cs_queued_t *queue; /* [first, len) */
    size_t first, len, cap;
    uint64_t bytes; /* queued */
} cs_shell_link_t;

/* A job under way, from its effect to its event. */
typedef struct cs_shell_job {
    struct cs_shell_job *next; /* of all under way */
    cs_daemon_t *daemon;
    cs_job_t *job;
    uint64_t id;
    uint32_t folder;
    cs_fs_t *fs; /* NULL: the folder's path could not be opened */
    cs_err_t fs_err;
    cs_snapshot_t *snapshot;
    cs_gate_t *gate; /* SCAN: a credit is a batch of records; APPLY: the names; else NULL */
    atomic_bool cancelled;
    atomic_uint_fast64_t looked; /* SCAN: at so many files and directories so far */
} cs_shell_job_t;

typedef struct cs_shell_schedule cs_shell_schedule_t; /* daemon_place.c */
/* CS_ERR_VERSION: rows of a newer program. */
CS_MUST_USE cs_err_t cs__daemon_check_format(cs_daemon_t *daemon, cs_buf_t *ret_detail);
bool cs__daemon_was_moved(cs_daemon_t *daemon); /* the store is open, nothing is loaded yet */
void cs__daemon_settle_place(cs_daemon_t *daemon, bool moved); /* all folders are loaded */

/* schedule.c */

typedef struct cs_daemon_shell {
    cs_pool_t *pool;
    cs_store_thread_t *writer;
    cs_effects_t fx; /* those not performed yet: [fx_next, len) */
    size_t fx_next;
    bool performing;
    int timer; /* zloop id, -1: none */
    uint64_t timer_at_ms;
    cs_strings_t own; /* where this node was last told to listen */
    cs_shell_link_t *links;
    size_t link_count, link_cap;
    cs_shell_job_t *jobs;
    struct cs_dial_state {
        cs_key_t key;
        cs_err_t err; /* of the last attempt */
    } * dials;        /* peers that we dial */
    size_t dial_count, dial_cap;
    bool journal;  /* takes what is logged */
    int signal_fd; /* -1: signals are not ours */
    int interrupt_fd;
    cs_shell_schedule_t *schedule;
    struct cs_shell_watches *watches; /* daemon_watch.c's own */
    struct cs_control *control;
    cs_config_t settings;      /* owned; in force */
    cs_limits_t limits;        /* in force: those of settings at this time of day */
    int rate_timer;            /* zloop id, -1: none */
    int trim_timer;            /* the same: daemon_trim.c's */
    uint64_t worked_ms;        /* when a job last ended */
    struct cs_peer_talk *talk; /* lines about peers: daemon_peer_log.c's own */
    size_t talk_count;
    struct cs_forget *forget; /* folders whose rows go: daemon_forget.c's own */
    size_t forget_count, forget_cap;
} cs_daemon_shell_t;

/* daemon_effects.c */
void cs__daemon_perform(cs_daemon_t *daemon, cs_effect_t *effect);

/* daemon_jobs.c */
void cs__daemon_start_job(cs_daemon_t *daemon, cs_effect_t *effect);
void cs__daemon_job_credit(cs_daemon_t *daemon, uint64_t job_id);

/* Scans end early, and no names are changed where none was. */
void cs__daemon_cancel_jobs(cs_daemon_t *daemon, uint32_t folder);
void cs__daemon_cancel_job(cs_daemon_t *daemon, uint64_t job_id); /* a scan, likewise */
/* How far the scan of the folder is; false: none runs. */
bool cs__daemon_scan_looked(const cs_daemon_t *daemon, uint32_t folder, uint64_t *ret);

/* daemon_forget.c: folders that were removed */
void cs__daemon_left(cs_daemon_t *daemon, uint32_t number); /* nobody uses it any more */
void cs__daemon_forget_written(cs_daemon_t *daemon, uint32_t number);
void cs__daemon_forget_resume(cs_daemon_t *daemon); /* what the last run did not finish */
void cs__daemon_forget_fini(cs_daemon_t *daemon);

void cs__daemon_reload(cs_daemon_t *daemon); /* daemon_config.c */
void cs__daemon_works(cs_daemon_t *daemon);  /* daemon_trim.c: a job begins, or has ended */
void cs__daemon_rates(cs_daemon_t *daemon); /* daemon_rates.c: settings or time may be others */

/* daemon_links.c */
CS_MUST_USE cs_err_t cs__daemon_listen(cs_daemon_t *daemon, const cs_config_t *config,
                                       cs_buf_t *ret_detail);
void cs__daemon_send(cs_daemon_t *daemon, cs_effect_t *effect);
void cs__daemon_close_link(cs_daemon_t *daemon, cs_link_t link);
/* Its peer broke the protocol, as `why` says. */
void cs__daemon_drop_link(cs_daemon_t *daemon, cs_link_t link, const char *why);
/* It may stay; the event's name says what it does. */
void cs__daemon_note_peer(cs_daemon_t *daemon, cs_link_t link, const char *event);
void cs__daemon_links_fini(cs_daemon_t *daemon);

void cs__daemon_dialling(cs_daemon_t *daemon, const uint8_t key[32]); /* for status */

/* daemon_pex.c */
void cs__daemon_pex_own(cs_daemon_t *daemon); /* it listens, or its addresses may be others */
void cs__daemon_pex_known(cs_daemon_t *daemon, const cs_peer_record_t *record);
void cs__daemon_pex_heard(cs_daemon_t *daemon, const cs_effect_t *effect);
/* Links with it are wanted: in a large folder not all members are linked with all. */
bool cs__daemon_wants(const cs_daemon_t *daemon, const uint8_t *key);
void cs__daemon_neighbour(cs_daemon_t *daemon, const cs_effect_t *effect); /* that changed */

/* daemon_peer_log.c: few lines a minute of each kind and peer */
void cs__daemon_log_peer(cs_daemon_t *daemon, const char *event, const cs_key_t *key,
                         const char *what, const char *remedy);
void cs__daemon_log_link(cs_daemon_t *daemon, const char *event, const cs_key_t *key);
void cs__daemon_log_strangers(cs_daemon_t *daemon, cs_turned_away_t why);
void cs__daemon_log_manners(cs_daemon_t *daemon, const char *event, const cs_key_t *key);

/* daemon_folders.c */
CS_MUST_USE cs_err_t cs__daemon_open_store(cs_daemon_t *daemon, cs_buf_t *ret_detail);
void cs__daemon_set_aside(cs_daemon_t *daemon); /* the store is closed */
CS_MUST_USE cs_err_t cs__daemon_mount_all(cs_daemon_t *daemon, cs_buf_t *ret_detail);

/* schedule.c: scans and pauses when their time has come */
void cs__schedule_start(cs_daemon_t *daemon);
void cs__schedule_stop(cs_daemon_t *daemon);
void cs__schedule_forget(cs_daemon_t *daemon, uint32_t folder);
void cs__schedule_folder(cs_daemon_t *daemon, cs_mounted_t *folder); /* new, or set anew */
/* Only when it is scanned: what watches it changed. */
void cs__schedule_scan(cs_daemon_t *daemon, const cs_mounted_t *folder);
bool cs__schedule_has(cs_setting_t setting); /* it is one of schedules */
/* cs_cron_parse, of one that this setting takes: pauses have times, not an interval. */
CS_MUST_USE cs_err_t cs__schedule_parse(cs_setting_t setting, const char *text, cs_cron_t *ret,
                                        cs_buf_t *ret_detail);

/* What scans a folder that sets nothing. */
const char *cs__schedule_default(const cs_daemon_t *daemon, const cs_mounted_t *folder);
/* When that is due next, wall clock; 0: it is not set, no node runs, or not within a month. */
int64_t cs__schedule_next_ms(const cs_daemon_t *daemon, const cs_mounted_t *folder,
                             cs_setting_t setting);
/* So often at least everything is scanned: seconds. */
uint32_t cs__schedule_period_s(const cs_daemon_t *daemon, const cs_mounted_t *folder);

/* daemon_watch.c: folders that are watched */
void cs__watch_start(cs_daemon_t *daemon);
void cs__watch_stop(cs_daemon_t *daemon);
void cs__watch_folder(cs_daemon_t *daemon, const cs_mounted_t *folder); /* new, or set anew */
void cs__watch_forget(cs_daemon_t *daemon, uint32_t folder);
bool cs__watch_scanned(cs_daemon_t *daemon, uint64_t ticket);      /* false: not a watcher's */
void cs__watch_job(cs_daemon_t *daemon, const cs_job_t *job);      /* is about to begin */
void cs__watch_job_done(cs_daemon_t *daemon, const cs_job_t *job); /* has ended */
void cs__watch_records(cs_daemon_t *daemon, uint32_t folder, const cs_scan_records_t *records);

/* daemon_links.c: its key is not let in any more, nor dialled. */
void cs__daemon_hang_up(cs_daemon_t *daemon, const uint8_t key[32]);
void cs__daemon_forget_dial(cs_daemon_t *daemon, const uint8_t key[32]); /* for status */
/* At the endpoint that a user gave. */
void cs__daemon_dial_given(cs_daemon_t *daemon, const cs_peer_record_t *record);

/* daemon_members.c: those that the home authorises for a folder, and what was said of them and
 * of others. */
typedef struct cs_member_list {
    cs_member_t *item; /* owned */
    size_t count;
    cs_standing_t *standing; /* owned */
    size_t standing_count;
} cs_member_list_t;
cs_err_t cs__daemon_members_of(cs_daemon_t *daemon, const char *folder, cs_member_list_t *ret,
                               cs_buf_t *ret_detail);
void cs__member_list_fini(cs_member_list_t *list);
void cs__daemon_member(cs_daemon_t *daemon, const cs_effect_t *effect);   /* MEMBER */
void cs__daemon_standing(cs_daemon_t *daemon, const cs_effect_t *effect); /* STANDING */

/* daemon_events.c */
void cs__daemon_events_start(cs_daemon_t *daemon);
void cs__daemon_event(cs_daemon_t *daemon, const char *type, const char *folder,
                      cs_slice_t path, const char *text);
/* One with keys of its own; false: nobody could ask. */
bool cs__daemon_event_begin(cs_daemon_t *daemon, const char *type, const char *folder,
                            cs_json_t *ret);
void cs__daemon_event_end(cs_daemon_t *daemon, cs_json_t *event_p);
/* An exchange is over: NOTE of that kind. */
void cs__daemon_event_exchange(cs_daemon_t *daemon, const char *folder,
                               const cs_effect_t *effect);
void cs__daemon_event_states(cs_daemon_t *daemon);                    /* after a step */
void cs__daemon_event_progress(cs_daemon_t *daemon, uint64_t now_ms); /* same */

/* daemon_log.c: also an event, unless it is only for debugging */
void cs__daemon_log(cs_daemon_t *daemon, cs_log_level_t level, const char *event,
                    const char *folder, cs_slice_t path, const char *text);

#endif
