/* control_fuzz.c - askers at the control socket, several at once: requests in pieces, without
 * an end, too long, with more behind them; askers that do not read, that leave in the middle.
 * Each that stays gets JSON lines, one end, and is hung up on. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/control.h"
#include "io/control_client.h"
#include "support/feed.h"
#include "support/lone.h"

#define INPUTS_MAX 256u /* then a fresh node: invites and jobs add up */
#define ASKERS     4u
#define STEPS_MAX  40u

typedef struct asker {
    int fd;          /* -1: none */
    bool asked;      /* a whole line was sent, or more than may be */
    cs_buf_t sent;   /* until then */
    cs_buf_t answer; /* what was read */
} asker_t;

static lone_t lone;
static cs_control_t *control;
static unsigned inputs;
static asker_t askers[ASKERS];

static void stop(void)
{
    cs_control_destroy(&control);
    lone_stop(&lone);
}

static const char *socket_path(void)
{
    static char path[TMP_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/asked.sock", lone.tmp.path);
    return path;
}

static void begin(void)
{
    if (inputs++ % INPUTS_MAX != 0 && cs_daemon_folder(lone.node, "docs") != NULL) return;
    stop();
    lone_start(&lone);
    cs_buf_t detail = {0};
    cs_err_t err = cs_control_new(lone.node, lone.node->loop, socket_path(), &control, &detail);
    require(err == CS_OK);
    if (inputs == 1) atexit(stop); /* registered after those of CZMQ, so run before */
}

static void come(asker_t *asker)
{
    struct sockaddr_un address;
    int dir_fd;
    cs_err_t err = cs_control_address(socket_path(), &address, &dir_fd);
    require(err == CS_OK);
    asker->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = connect(asker->fd, (struct sockaddr *)&address, sizeof address);
    require(rc == 0 || errno == EAGAIN);
    if (dir_fd >= 0) close(dir_fd);
}

static void leave(asker_t *asker)
{
    if (asker->fd >= 0) close(asker->fd);
    cs_buf_fini(&asker->sent);
    cs_buf_fini(&asker->answer);
    *asker = (asker_t){.fd = -1};
}

/* What the node would do in earnest must stay within its directory. */
static bool may_be_asked(const asker_t *asker, cs_slice_t more)
{
    cs_buf_t line = {0};
    json_error_t error;
    cs_buf_put_slice(&line, cs_buf_slice(&asker->sent));
    cs_buf_put_slice(&line, more);
    const uint8_t *end = line.len == 0 ? NULL : memchr(line.data, '\n', line.len);
    size_t len = end == NULL ? 0 : (size_t)(end - line.data);
    json_t *json = json_loadb((const char *)line.data, len, 0, &error);
    bool may = json == NULL || lone_is_harmless(&lone, json);
    json_decref(json);
    cs_buf_fini(&line);
    return may;
}

static void tell(asker_t *asker, cs_slice_t bytes)
{
    if (bytes.len == 0 || (!asker->asked && !may_be_asked(asker, bytes))) return;
    ssize_t sent = send(asker->fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0 || asker->asked) return;
    cs_buf_put(&asker->sent, bytes.data, (size_t)sent);
    asker->asked = memchr(bytes.data, '\n', (size_t)sent) != NULL;
}

static void tell_too_much(asker_t *asker)
{
    static char block[1u << 16];
    memset(block, ' ', sizeof block);
    for (unsigned i = 0; i < 2 * CS_CONTROL_REQUEST_MAX / sizeof block; i++) {
        if (send(asker->fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) <= 0) {
            lone_run(&lone, 1);
        }
    }
    asker->asked = true;
}

/* False: the node hung up. */
static bool hear(asker_t *asker)
{
    uint8_t bytes[4096];
    for (;;) {
        ssize_t got = recv(asker->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        cs_buf_put(&asker->answer, bytes, (size_t)got);
    }
}

/* Those that left may not have been missed yet: then one more than the node takes is told so at
 * once. */
static bool is_turned_away(const asker_t *asker)
{
    static const char why[] = "too many are under way";
    const cs_buf_t *answer = &asker->answer;
    return answer->len > 0 && memmem(answer->data, answer->len, why, sizeof why - 1) != NULL;
}

/* given_up: we hung up before its end. */
static void check_answer(const asker_t *asker, bool given_up)
{
    cs_slice_t rest = cs_buf_slice(&asker->answer);
    unsigned ends = 0;
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        require(end != NULL && ends == 0);
        size_t len = (size_t)(end - rest.data);
        cs_buf_t shown = {0}; /* bytes that are no UTF-8 are escaped in a way of their own */
        cs_json_for_people(cs_slice(rest.data, len), &shown);
        json_error_t error;
        json_t *json = json_loadb((const char *)shown.data, shown.len,
                                  JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
        require(json_is_object(json));
        ends += json_object_get(json, "end") != NULL;
        json_decref(json);
        cs_buf_fini(&shown);
        rest = cs_slice(end + 1, rest.len - len - 1);
    }
    bool answered = asker->asked || is_turned_away(asker);
    require(ends == (answered ? 1 : 0) || (given_up && ends == 0));
}

static void step(cs_reader_t *feed)
{
    uint8_t what = cs_read_u8(feed);
    asker_t *asker = &askers[what % ASKERS];
    if (asker->fd < 0) come(asker);
    switch (what / ASKERS % 8) {
    case 0:
        leave(asker);
        break;
    case 1:
        shutdown(asker->fd, SHUT_WR);
        break;
    case 2:
        lone_run(&lone, 0);
        break;
    case 3:
        if (what >= 250 && !asker->asked) tell_too_much(asker);
        break;
    case 4:
        if (hear(asker)) break;
        check_answer(asker, false);
        leave(asker);
        break;
    case 5:
        tell(asker, cs_slice_text("\n"));
        break;
    default:
        tell(asker, feed_bytes(feed));
        break;
    }
}

/* False: it is not over yet. */
static bool is_over(asker_t *asker, bool given_up)
{
    for (unsigned i = 0; i < 25; i++) {
        lone_run(&lone, 0);
        if (hear(asker)) continue;
        check_answer(asker, given_up);
        return true;
    }
    return false;
}

/* Those whose requests last, as one that waits for a scan of another's, are given up; the
 * others are answered in full. */
static void finish(asker_t *asker)
{
    static const char wait_end[] = "{\"cmd\":\"nothing\"}\n";
    if (asker->fd < 0) return;
    tell(asker, cs_slice_text(wait_end));
    if (!is_over(asker, false)) {
        shutdown(asker->fd, SHUT_WR);
        (void)is_over(asker, asker->asked);
    }
    leave(asker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    for (unsigned i = 0; i < ASKERS; i++)
        askers[i] = (asker_t){.fd = -1};
    for (unsigned i = 0; i < STEPS_MAX && cs_reader_left(&feed) > 0; i++)
        step(&feed);
    for (unsigned i = 0; i < ASKERS; i++)
        finish(&askers[i]);
    lone_run(&lone, 0);
    return 0;
}
