/* control_client.h - asking a running node through its control.sock. */
#ifndef CS_IO_CONTROL_CLIENT_H
#define CS_IO_CONTROL_CLIENT_H

#include <sys/un.h>

#include "base/buf.h"

CS_HEADER_BEGIN

#define CS_CONTROL_REQUEST_MAX (4u << 20) /* bytes of a request: many paths to scan */

typedef struct cs_control_answer {
    int exit_code;
    cs_buf_t error; /* owned; empty unless exit_code is not 0 */
} cs_control_answer_t;

/* Who takes what comes. */
typedef struct cs_control_taker {
    void *arg;
    void (*data)(void *arg, cs_slice_t document); /* borrowed, without a line end */
    bool to_stdout; /* gives up once nobody reads the standard output, also while nothing comes
                     */
} cs_control_taker_t;

/* Sends the request (one line, without its end) and hands over each document until the end
 * came. timeout_ms: longest silence, 0: none. CS_ERR_OFFLINE: nobody listens, nothing was
 * asked. CS_ERR_TIMEOUT. CS_ERR_REFUSED: nobody reads the standard output. CS_ERR_IO: the node
 * went away, or speaks another language. */
CS_MUST_USE cs_err_t cs_control_ask(const char *socket_path, cs_slice_t request,
                                    uint32_t timeout_ms, const cs_control_taker_t *taker,
                                    cs_control_answer_t *ret);
void cs_control_answer_fini(cs_control_answer_t *answer);

/* The address of a path of any length: one that does not fit is reached through a descriptor of
 * its directory, ret_dir_fd, to be closed after use (-1: none). CS_ERR_IO, NOT_FOUND, ... */
CS_MUST_USE cs_err_t cs_control_address(const char *socket_path, struct sockaddr_un *ret,
                                        int *ret_dir_fd);

CS_HEADER_END

#endif
