/* daemon_fuzz.c - what comes to a node from its control socket and from who holds an invite: a
 * request is answered with JSON lines and at most one end, a JOIN is taken or turned away. */
#include <string.h>

#include "io/home.h"
#include "io/invite_internal.h"
#include "support/feed.h"
#include "support/support.h"

#define INPUTS_MAX 256u /* then a fresh node: invites, peers and jobs add up */
#define LINK       7u   /* that the network knows nothing of: answers go nowhere */

static tmp_t tmp;
static cs_home_t *home;
static cs_daemon_t *node;
static unsigned inputs;
static const uint8_t one_time_key[CS_KEY_BYTES] = {9};

typedef struct answer {
    unsigned ends;
} answer_t;

static void on_data(void *arg, cs_slice_t document)
{
    answer_t *answer = arg;
    cs_buf_t shown = {0};
    json_error_t error;
    require(answer->ends == 0);
    require(memchr(document.data, '\n', document.len) == NULL);
    cs_json_for_people(document, &shown);
    json_t *json = json_loadb((const char *)shown.data, shown.len,
                              JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    require(json != NULL);
    json_decref(json);
    cs_buf_fini(&shown);
}

static void on_end(void *arg, int exit_code, const char *error)
{
    answer_t *answer = arg;
    require(++answer->ends == 1);
    require((exit_code == 0) == (error == NULL));
}

static void ask(json_t *request)
{
    answer_t answer = {0};
    cs_reply_t reply = {.arg = &answer, .data = on_data, .end = on_end};
    uint64_t handle = cs_daemon_request(node, request, &reply);
    require((handle == 0) == (answer.ends == 1));
    if (handle != 0) cs_daemon_forget(node, handle);
}

static void stop(void)
{
    if (node == NULL) return;
    cs_daemon_destroy(&node);
    cs_home_close(&home);
    tmp_remove(&tmp);
}

static void add_folder(void)
{
    cs_buf_t path = {0};
    char hex[2 * TMP_PATH_BYTES + 32];
    cs_buf_printf(&path, "%s/folder", tmp.path);
    cs_hex(hex, path.data, path.len);
    json_t *request = json_pack("{s:s, s:[{s:s, s:s, s:s}], s:s}", "cmd", "folder add", "args",
                                "raw", hex, "abs", hex, "real", hex, "id", "docs");
    ask(request);
    json_decref(request);
    cs_buf_fini(&path);
    require(cs_daemon_folder(node, "docs") != NULL);
}

static void start(void)
{
    cs_buf_t path = {0}, detail = {0};
    cs_strings_t listen = {0};
    tmp = tmp_new();
    cs_buf_printf(&path, "%s/home", tmp.path);
    cs_buf_put_u8(&path, 0);
    cs_err_t err = cs_home_init((const char *)path.data, "fuzz", &listen, &detail);
    if (err == CS_OK) err = cs_home_open((const char *)path.data, &home, &detail);
    if (err == CS_OK) err = cs_home_lock(home, 0, &detail);
    cs_daemon_config_t config = {.home = home, .network = true, .log_level = CS_LOG_ERROR};
    if (err == CS_OK) err = cs_daemon_new(&config, &node, &detail);
    require(err == CS_OK);
    add_folder();
    cs_buf_fini(&path);
    cs_buf_fini(&detail);
}

/* Not those that make directories or dial wherever the input says. */
static bool is_harmless(const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "cmd"));
    return name == NULL || (strcmp(name, "folder add") != 0 && strcmp(name, "join") != 0 &&
                            strcmp(name, "peer add") != 0);
}

static void request(cs_slice_t line)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)line.data, line.len, 0, &error);
    if (json_is_object(json) && is_harmless(json)) ask(json);
    json_decref(json);
}

static void join(cs_slice_t frame)
{
    cs_buf_t detail = {0};
    cs_invite_record_t invite = {.folder = "docs", .uses_left = 1 + frame.len % 2};
    memcpy(invite.key, one_time_key, sizeof invite.key);
    cs_err_t err = cs_home_invite_put(home, &invite, &detail);
    require(err == CS_OK);
    cs_daemon_invites_changed(node);
    require(cs_invite_owns(node, one_time_key, false));
    cs_invite_link_up(node, LINK, one_time_key, false);
    cs_invite_message(node, LINK, frame);
    cs_invite_message(node, LINK, frame); /* one JOIN a link */
    cs_err_t left = cs_home_invite_get(home, one_time_key, &invite, &detail);
    require(left == CS_OK || frame.len % 2 == 0);
    cs_invite_link_down(node, LINK);
    cs_buf_fini(&detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (inputs % INPUTS_MAX == 0) {
        stop();
        start();
    }
    if (inputs++ == 0) atexit(stop); /* registered after those of CZMQ, so run before */
    if (size == 0) return 0;
    if (data[0] == '{') {
        request(cs_slice(data, size));
    } else {
        join(cs_slice(data, size));
    }
    return 0;
}
