/* daemon.h - a node on this machine: performs the core's effects with ZeroMQ, LevelDB and
 * Linux.
 *
 * `crdtsync node` runs one with network and control socket until a signal; any other command
 * that finds no node running opens the home itself, makes one request of the same daemon
 * without network, and closes it. One reactor thread (the caller's) owns it all. */
#ifndef CS_IO_DAEMON_H
#define CS_IO_DAEMON_H

#include <jansson.h>

#include "base/buf.h"
#include "io/home.h"

CS_HEADER_BEGIN

typedef struct cs_daemon cs_daemon_t;

typedef struct cs_daemon_config {
    cs_home_t *home; /* borrowed; locked by the caller */
    bool network;    /* listen and dial */
    bool control;    /* serve control.sock, run schedules */
    bool service;    /* this process is the node: watch its signals, tell the service manager */
    bool log_json;
    cs_log_level_t log_level;
    bool log_level_given; /* by who starts it: the config does not change it */
} cs_daemon_config_t;

/* ret_detail: "what failed: why; what to do". */
CS_MUST_USE cs_err_t cs_daemon_new(const cs_daemon_config_t *config, cs_daemon_t **ret,
                                   cs_buf_t *ret_detail);
void cs_daemon_destroy(cs_daemon_t **daemon_p); /* waits for jobs under way */

/* Until it is stopped, or told so by a signal. An error: the store failed, the node must
 * restart.
 */
CS_MUST_USE cs_err_t cs_daemon_run(cs_daemon_t *daemon);
void cs_daemon_stop(cs_daemon_t *daemon); /* of the thread that runs it: out of a callback */
/* The same of any thread or signal handler, while cs_daemon_run is under way or about to be. */
void cs_daemon_interrupt(cs_daemon_t *daemon);

/* --- requests: how the command line talks to it, through control.sock or in one process.
 * A request is {"cmd": NAME, ...}. The answer is any number of data documents, then one end:
 * exit code (cli.md) and, unless 0, a sentence for people. */
typedef struct cs_reply {
    void *arg;
    void (*data)(void *arg, cs_slice_t document); /* one line of JSON (json_out.h); borrowed */
    void (*end)(void *arg, int exit_code,
                const char *error); /* error NULL if exit_code is 0; last call */
    size_t (*unsent)(void *arg);    /* bytes that the asker has not read yet; NULL: none */
} cs_reply_t;

/* May end before it returns, or later from the loop. Returns a handle, 0 if it has ended. */
uint64_t cs_daemon_request(cs_daemon_t *daemon, const json_t *request, const cs_reply_t *reply);
/* The asker went away: no callback any more. */
void cs_daemon_forget(cs_daemon_t *daemon, uint64_t handle);
/* An asker has read something of what was unsent: more may be said to him. */
void cs_daemon_taken(cs_daemon_t *daemon);

CS_HEADER_END

#endif
