/* control.h - control.sock: how commands reach a running node (cli.md, "A home").
 *
 * AF_UNIX stream, NDJSON: one request object a line; answers are lines {"data": ...} and, last,
 * {"end": exit code, "error": text or null}. One request a connection. */
#ifndef CS_IO_CONTROL_H
#define CS_IO_CONTROL_H

#include <czmq.h>

#include "io/daemon.h"

typedef struct cs_control cs_control_t;

/* Listens on `path` (0600); a socket that a crash left behind is replaced (the home's lock is
 * ours). */
CS_MUST_USE cs_err_t cs_control_new(cs_daemon_t *daemon, zloop_t *loop, const char *path,
                                    cs_control_t **ret, cs_buf_t *ret_detail);
void cs_control_destroy(cs_control_t **control_p); /* removes the socket */

#endif
