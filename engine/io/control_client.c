/* control_client.c - see control_client.h. */
#include "io/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/json_out.h"
#include "io/os_err.h"

#define READ_BYTES 65536u

cs_err_t cs_control_address(const char *socket_path, struct sockaddr_un *ret, int *ret_dir_fd)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    *ret_dir_fd = -1;
    size_t len = strlen(socket_path);
    if (len < sizeof ret->sun_path) {
        memcpy(ret->sun_path, socket_path, len + 1);
        return CS_OK;
    }
    const char *slash = strrchr(socket_path, '/');
    cs_buf_t dir = {0};
    if (slash == NULL) return CS_ERR_NAME;
    cs_buf_put(&dir, socket_path, (size_t)(slash - socket_path));
    cs_buf_put_u8(&dir, 0);
    int fd = open((const char *)dir.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    cs_buf_fini(&dir);
    if (fd < 0) return cs_os_err(error);
    snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%.32s", fd, slash + 1);
    *ret_dir_fd = fd;
    return CS_OK;
}

static cs_err_t dial(const char *socket_path, int *ret_fd)
{
    struct sockaddr_un address;
    int dir_fd;
    cs_err_t err = cs_control_address(socket_path, &address, &dir_fd);
    if (err != CS_OK) return err == CS_ERR_NOT_FOUND ? CS_ERR_OFFLINE : err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) error = errno;
    if (dir_fd >= 0) close(dir_fd);
    if (error == 0) {
        *ret_fd = fd;
        return CS_OK;
    }
    if (fd >= 0) close(fd);
    /* What a crash left behind refuses connections. */
    bool nobody = error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
    return nobody ? CS_ERR_OFFLINE : cs_os_err(error);
}

static cs_err_t send_all(int fd, cs_slice_t bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN ? CS_ERR_TIMEOUT : cs_os_err(errno);
        bytes = cs_slice(bytes.data + sent, bytes.len - (size_t)sent);
    }
    return CS_OK;
}

static bool read_end(cs_slice_t line, cs_control_answer_t *ret)
{
    cs_buf_t text = {0};
    cs_json_for_people(line, &text);
    json_t *end = json_loadb((const char *)text.data, text.len, 0, NULL);
    cs_buf_fini(&text);
    const json_t *code = json_object_get(end, "end");
    bool good = json_is_integer(code);
    if (good) {
        ret->exit_code = (int)json_integer_value(code);
        const char *error = json_string_value(json_object_get(end, "error"));
        if (error != NULL) cs_buf_put(&ret->error, error, strlen(error));
    }
    json_decref(end);
    return good;
}

typedef struct listener {
    const cs_control_taker_t *taker;
    bool ended;
} listener_t;

/* A data line is the document in a fixed wrapping, so that it needs no parsing here. */
static cs_err_t take_line(listener_t *listener, cs_slice_t line, cs_control_answer_t *ret)
{
    static const char wrap[] = "{\"data\":";
    cs_slice_t begin = cs_slice(wrap, sizeof wrap - 1);
    if (cs_slice_has_prefix(line, begin) && line.data[line.len - 1] == '}') {
        listener->taker->data(listener->taker->arg,
                              cs_slice(line.data + begin.len, line.len - begin.len - 1));
        return CS_OK;
    }
    listener->ended = read_end(line, ret);
    return listener->ended ? CS_OK : CS_ERR_IO;
}

static cs_err_t take_lines(listener_t *listener, cs_buf_t *in, cs_control_answer_t *ret)
{
    size_t from = 0;
    cs_err_t err = CS_OK;
    while (err == CS_OK && !listener->ended) {
        const uint8_t *line = in->data + from;
        const uint8_t *end = in->len > from ? memchr(line, '\n', in->len - from) : NULL;
        if (end == NULL) break;
        size_t len = (size_t)(end - line);
        err = take_line(listener, cs_slice(line, len), ret);
        from += len + 1;
    }
    if (from > 0) {
        memmove(in->data, in->data + from, in->len - from);
        in->len -= from;
    }
    return err;
}

/* False: something came, or time is up. A pipe or socket tells that its reader is gone by an
 * error, and only who polls hears it before the next write. */
static bool reader_is_gone(int fd)
{
    struct pollfd items[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    while (poll(items, 2, -1) < 0) {
        if (errno != EINTR) return false;
    }
    return items[0].revents == 0 && (items[1].revents & POLLERR) != 0;
}

static cs_err_t read_answer(int fd, listener_t *listener, cs_control_answer_t *ret)
{
    cs_buf_t in = {0};
    cs_err_t err = CS_OK;
    while (err == CS_OK && !listener->ended) {
        cs_buf_reserve(&in, READ_BYTES);
        if (listener->taker->to_stdout && reader_is_gone(fd)) {
            err = CS_ERR_REFUSED;
            break;
        }
        ssize_t got = recv(fd, in.data + in.len, READ_BYTES, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            err = got < 0 && errno == EAGAIN ? CS_ERR_TIMEOUT : CS_ERR_IO;
            break;
        }
        in.len += (size_t)got;
        /* The part of a long line that is already here has no end. */
        if (memchr(in.data + in.len - (size_t)got, '\n', (size_t)got) == NULL) continue;
        err = take_lines(listener, &in, ret);
    }
    cs_buf_fini(&in);
    return err;
}

cs_err_t cs_control_ask(const char *socket_path, cs_slice_t request, uint32_t timeout_ms,
                        const cs_control_taker_t *taker, cs_control_answer_t *ret)
{
    int fd = -1;
    cs_err_t err = dial(socket_path, &fd);
    if (err != CS_OK) return err;
    struct timeval limit = {.tv_sec = timeout_ms / 1000,
                            .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    if (timeout_ms > 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    *ret = (cs_control_answer_t){0};
    listener_t listener = {.taker = taker};
    cs_buf_t line = {0}; /* in one piece: the node looks at it once */
    cs_buf_put_slice(&line, request);
    cs_buf_put_u8(&line, '\n');
    err = send_all(fd, cs_buf_slice(&line));
    cs_buf_fini(&line);
    /* A node that refuses a request early says why, and may have closed meanwhile. */
    if (err != CS_ERR_TIMEOUT) err = read_answer(fd, &listener, ret);
    if (err != CS_OK) cs_control_answer_fini(ret);
    close(fd);
    return err;
}

void cs_control_answer_fini(cs_control_answer_t *answer)
{
    cs_buf_fini(&answer->error);
    *answer = (cs_control_answer_t){0};
}
