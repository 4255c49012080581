/* control.c - the control socket: one request a connection, answers as they come.
 *
 * A connection is freed at the end of its own event, or after the end of its answer if no event
 * of it is being handled (busy); never between, where a request may still use it. */
#include "io/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/control_client.h"
#include "io/json_out.h"
#include "io/os_err.h"

#define CONNECTIONS_MAX 64u
#define BACKLOG         16
#define READ_BYTES      65536u
#define FLUSH_BYTES     65536u
/* An asker that does not read: a listing of a million files must fit, more is given up. */
#define ANSWER_BYTES_MAX (512u << 20)

typedef struct connection {
    cs_control_t *control;
    int fd;
    cs_buf_t in, out;
    size_t out_first;  /* [out_first, out.len) is not sent yet */
    short events;      /* watched now */
    uint64_t handle;   /* of a request under way */
    bool asked, ended; /* the request came; its end was answered */
    bool eof, broken;  /* no more input; nobody is there any more */
    bool busy;
} connection_t;

struct cs_control {
    cs_daemon_t *daemon;
    zloop_t *loop;
    char *path; /* owned */
    int fd;
    connection_t *at[CONNECTIONS_MAX]; /* owned */
    size_t count;
};

static int on_event(zloop_t *loop, zmq_pollitem_t *item, void *arg);

/* --- connections */

static void unwatch(connection_t *conn)
{
    zmq_pollitem_t item = {.fd = conn->fd};
    if (conn->events >= 0) zloop_poller_end(conn->control->loop, &item);
    conn->events = -1;
}

static void connection_free(connection_t *conn)
{
    cs_control_t *control = conn->control;
    for (size_t i = 0; i < control->count; i++) {
        if (control->at[i] != conn) continue;
        control->at[i] = control->at[--control->count];
        break;
    }
    unwatch(conn);
    close(conn->fd);
    cs_buf_fini(&conn->in);
    cs_buf_fini(&conn->out);
    cs_free(conn);
}

/* Sends what the socket takes. */
static void flush(connection_t *conn)
{
    while (!conn->broken && conn->out_first < conn->out.len) {
        ssize_t sent = send(conn->fd, conn->out.data + conn->out_first,
                            conn->out.len - conn->out_first, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (sent < 0) {
            conn->broken = true;
        } else {
            conn->out_first += (size_t)sent;
        }
    }
    if (conn->out_first == conn->out.len) {
        conn->out_first = 0;
        cs_buf_clear(&conn->out);
    }
    if (conn->out.len - conn->out_first > ANSWER_BYTES_MAX) {
        conn->broken = true;
        (void)shutdown(conn->fd, SHUT_RDWR); /* an event follows, and frees it */
    }
}

/* What the connection waits for now. */
static void watch(connection_t *conn)
{
    bool unsent = conn->out_first < conn->out.len;
    /* Even with no events asked for, poll tells that the other end hung up. */
    short events = (short)((conn->eof ? 0 : ZMQ_POLLIN) | (unsent ? ZMQ_POLLOUT : 0));
    if (events == conn->events) return;
    unwatch(conn);
    zmq_pollitem_t item = {.fd = conn->fd, .events = events};
    zloop_poller(conn->control->loop, &item, on_event, conn);
    zloop_poller_set_tolerant(conn->control->loop, &item);
    conn->events = events;
}

static void settle(connection_t *conn)
{
    if (conn->busy) return;
    bool unsent = conn->out_first < conn->out.len;
    bool useless = conn->eof && !conn->asked;
    if (!conn->broken && !useless && (!conn->ended || unsent)) {
        watch(conn);
        return;
    }
    if (conn->handle != 0) cs_daemon_forget(conn->control->daemon, conn->handle);
    connection_free(conn);
}

/* --- answers */

static void on_data(void *arg, cs_slice_t document)
{
    connection_t *conn = arg;
    if (conn->broken) return;
    static const char wrap[] = "{\"data\":";
    cs_buf_put(&conn->out, wrap, sizeof wrap - 1);
    cs_buf_put_slice(&conn->out, document);
    cs_buf_put(&conn->out, "}\n", 2);
    /* Small documents leave together, from the loop. */
    if (conn->out.len - conn->out_first >= FLUSH_BYTES) flush(conn);
    watch(conn); /* never freed here: the request goes on */
}

static size_t unsent(void *arg)
{
    const connection_t *conn = arg;
    return conn->out.len - conn->out_first;
}

static void on_end(void *arg, int exit_code, const char *error)
{
    connection_t *conn = arg;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_u64(&json, "end", (uint64_t)exit_code);
    cs_json_put_text(&json, "error", error);
    cs_json_end(&json, '}');
    cs_buf_put_slice(&conn->out, cs_json_line(&json));
    cs_buf_put_u8(&conn->out, '\n');
    cs_json_fini(&json);
    conn->handle = 0;
    conn->ended = true;
    flush(conn);
    settle(conn);
}

/* --- requests */

static void ask(connection_t *conn, cs_slice_t line)
{
    cs_reply_t reply = {.arg = conn, .data = on_data, .end = on_end, .unsent = unsent};
    conn->asked = true;
    json_error_t error;
    json_t *request = json_loadb((const char *)line.data, line.len, 0, &error);
    if (!json_is_object(request)) {
        on_end(conn, 2, "cannot read the request: it is no JSON object; send one a line");
    } else {
        uint64_t handle = cs_daemon_request(conn->control->daemon, request, &reply);
        if (!conn->ended) conn->handle = handle;
    }
    json_decref(request);
}

static void take_input(connection_t *conn)
{
    cs_buf_reserve(&conn->in, READ_BYTES);
    ssize_t got = recv(conn->fd, conn->in.data + conn->in.len, READ_BYTES, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) conn->broken = true;
    if (got == 0) conn->eof = true;
    if (got <= 0) return;
    if (conn->asked) return; /* what follows a request is dropped */
    conn->in.len += (size_t)got;
    const uint8_t *end = memchr(conn->in.data + conn->in.len - (size_t)got, '\n', (size_t)got);
    if (end != NULL) {
        ask(conn, cs_slice(conn->in.data, (size_t)(end - conn->in.data)));
        cs_buf_fini(&conn->in);
    } else if (conn->in.len > CS_CONTROL_REQUEST_MAX) {
        conn->asked = true;
        cs_buf_fini(&conn->in);
        on_end(conn, 2, "cannot read the request: it is too long; ask for less at once");
    }
}

static int on_event(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    connection_t *conn = arg;
    short revents = item->revents;
    conn->busy = true;
    if ((revents & ZMQ_POLLIN) != 0) take_input(conn);
    if ((revents & ZMQ_POLLOUT) != 0) {
        flush(conn);
        if (conn->handle != 0 && !conn->broken) cs_daemon_taken(conn->control->daemon);
    }
    /* Hung up: input that is still there comes first. */
    if ((revents & ZMQ_POLLERR) != 0 && ((revents & ZMQ_POLLIN) == 0 || conn->eof)) {
        conn->broken = true;
    }
    conn->busy = false;
    settle(conn);
    return 0;
}

/* Those that have gone again make room. A loop looks at all of its pollers anew after each that
 * comes, from the first: while many connect, nobody else is heard. */
static void hear_all(cs_control_t *control)
{
    for (size_t i = control->count; i-- > 0;) {
        if (i >= control->count) continue; /* the last took the place of one that went */
        connection_t *conn = control->at[i];
        zmq_pollitem_t item = {.fd = conn->fd};
        if (conn->events > 0) item.events = conn->events;
        if (zmq_poll(&item, 1, 0) > 0) (void)on_event(control->loop, &item, conn);
    }
}

static int on_connect(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    cs_control_t *control = arg;
    if (control->count == CONNECTIONS_MAX) hear_all(control);
    int fd = accept4(item->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return 0;
    if (control->count == CONNECTIONS_MAX) {
        static const char full[] =
            "{\"end\":1,\"error\":\"cannot take the request: too many are under way; try "
            "again\"}\n";
        ssize_t sent = send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent;
        close(fd);
        return 0;
    }
    connection_t *conn = cs_calloc(1, sizeof *conn);
    conn->control = control;
    conn->fd = fd;
    conn->events = -1;
    control->at[control->count++] = conn;
    settle(conn);
    return 0;
}

/* --- the socket */

static cs_err_t listen_on(const char *path, int *ret_fd)
{
    struct stat st;
    bool stale = lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
    if (stale) (void)unlink(path);
    struct sockaddr_un address;
    int dir_fd;
    cs_err_t err = cs_control_address(path, &address, &dir_fd);
    if (err != CS_OK) return err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                chmod(path, 0600) == 0 && listen(fd, BACKLOG) == 0;
    int error = errno;
    if (dir_fd >= 0) close(dir_fd);
    if (good) {
        *ret_fd = fd;
        return CS_OK;
    }
    if (fd >= 0) close(fd);
    return cs_os_err(error);
}

cs_err_t cs_control_new(cs_daemon_t *daemon, zloop_t *loop, const char *path,
                        cs_control_t **ret, cs_buf_t *ret_detail)
{
    int fd = -1;
    cs_err_t err = listen_on(path, &fd);
    if (err != CS_OK) {
        cs_buf_printf(ret_detail, "cannot listen on %s: %s; look what is there, and remove it",
                      path, cs_err_text(err));
        return err;
    }
    cs_control_t *control = cs_calloc(1, sizeof *control);
    *control = (cs_control_t){.daemon = daemon, .loop = loop, .fd = fd};
    control->path = cs_strdup(path);
    zmq_pollitem_t item = {.fd = fd, .events = ZMQ_POLLIN};
    zloop_poller(loop, &item, on_connect, control);
    zloop_poller_set_tolerant(loop, &item);
    *ret = control;
    return CS_OK;
}

void cs_control_destroy(cs_control_t **control_p)
{
    cs_control_t *control = *control_p;
    *control_p = NULL;
    if (control == NULL) return;
    while (control->count > 0) {
        connection_t *conn = control->at[control->count - 1];
        if (conn->handle != 0) cs_daemon_forget(control->daemon, conn->handle);
        connection_free(conn);
    }
    zmq_pollitem_t item = {.fd = control->fd};
    zloop_poller_end(control->loop, &item);
    close(control->fd);
    (void)unlink(control->path);
    cs_free(control->path);
    cs_free(control);
}
