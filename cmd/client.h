/* client.h - a subcommand's request: to the running node, or to the home itself. */
#ifndef CS_CMD_CLIENT_H
#define CS_CMD_CLIENT_H

#include "cmd/command.h"
#include "io/home.h"

/* How to show what comes, unless as JSON. */
typedef struct cs_show {
    void (*item)(void *arg, const json_t *document);
    void (*done)(void *arg); /* after the last one, if all went well; may be NULL */
    void *arg;
    bool live; /* each item is to be seen at once, also through a pipe */
} cs_show_t;

typedef enum cs_needs {
    CS_NEEDS_HOME,    /* a node if it runs, else the home */
    CS_NEEDS_NETWORK, /* the same, and a network where there is no node */
    CS_NEEDS_NODE
} cs_needs_t;

/* {"cmd": NAME, "args": [...]} of the run's command and arguments from `first` on. NULL: an
 * argument that cannot be; complained of. */
json_t *cs_request_new(const cs_run_t *run, const char *cmd, size_t first);
/* Adds an option's value under `key` if it is given. False: no text; complained of. */
CS_MUST_USE bool cs_request_option(const cs_run_t *run, json_t *request, const char *option,
                                   const char *key);
/* All values of an option that may be given several times, as an array. */
CS_MUST_USE bool cs_request_options(const cs_run_t *run, json_t *request, const char *option,
                                    const char *key);

/* It is not asked after all. The exit code. */
int cs_request_drop(json_t *request, int exit_code);

/* Seconds, perhaps with a fraction, as ms under "timeout_ms". */
CS_MUST_USE bool cs_request_timeout(const cs_run_t *run, json_t *request);

/* Sends the request, prints what comes, complains of its failure. The exit code. */
int cs_client_ask(const cs_run_t *run, json_t **request_p, cs_needs_t needs,
                  const cs_show_t *show);

/* Opens the home of the run; 0, or the exit code after a complaint. */
int cs_client_home(const cs_run_t *run, cs_home_t **ret);

#endif
