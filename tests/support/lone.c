/* lone.c - see lone.h. */
#include "support/lone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/home.h"

static void must(bool condition)
{
    if (!condition) abort();
}

static void on_data(void *arg, cs_slice_t document)
{
    const lone_t *lone = arg;
    cs_buf_t shown = {0};
    json_error_t error;
    must(!lone->ended);
    must(memchr(document.data, '\n', document.len) == NULL);
    cs_json_for_people(document, &shown);
    json_t *json = json_loadb((const char *)shown.data, shown.len,
                              JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    must(json != NULL);
    json_decref(json);
    cs_buf_fini(&shown);
}

static void on_end(void *arg, int exit_code, const char *error)
{
    lone_t *lone = arg;
    must(!lone->ended);
    must((exit_code == 0) == (error == NULL));
    lone->ended = true;
    lone->exit_code = exit_code;
}

uint64_t lone_ask(lone_t *lone, json_t *request)
{
    cs_reply_t reply = {.arg = lone, .data = on_data, .end = on_end};
    lone->ended = false;
    uint64_t handle = cs_daemon_request(lone->node, request, &reply);
    must((handle == 0) == lone->ended);
    return handle;
}

char *lone_hex_path(const lone_t *lone, const char *path)
{
    cs_buf_t full = {0};
    cs_buf_printf(&full, "%s/%s", lone->tmp.path, path);
    char *hex = cs_malloc(2 * full.len + 1);
    cs_hex(hex, full.data, full.len);
    cs_buf_fini(&full);
    return hex;
}

static bool names_own_paths(const lone_t *lone, const json_t *value)
{
    const char *text = json_string_value(value), *key;
    bool good = true;
    size_t index;
    json_t *part;
    if (text != NULL && text[0] == '/') {
        good = strncmp(text, lone->tmp.path, strlen(lone->tmp.path)) == 0;
    } else if (text != NULL && strncmp(text, "2f", 2) == 0) {
        char *own = lone_hex_path(lone, "");
        good = strncmp(text, own, strlen(own)) == 0 && strstr(text, "2e2e") == NULL;
        cs_free(own);
    }
    json_array_foreach(value, index, part) good = good && names_own_paths(lone, part);
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
    {
        good = good && names_own_paths(lone, part);
    }
    return good;
}

bool lone_is_harmless(const lone_t *lone, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "cmd"));
    if (name == NULL) return true;
    bool dials = strcmp(name, "join") == 0 || strcmp(name, "peer add") == 0;
    return !dials && names_own_paths(lone, request);
}

static void add_folder(lone_t *lone)
{
    char *hex = lone_hex_path(lone, "folder");
    json_t *request = json_pack("{s:s, s:[{s:s, s:s, s:s}], s:s}", "cmd", "folder add", "args",
                                "raw", hex, "abs", hex, "real", hex, "id", "docs");
    must(lone_ask(lone, request) == 0 && lone->exit_code == 0);
    json_decref(request);
    cs_free(hex);
    must(cs_daemon_folder(lone->node, "docs") != NULL);
}

void lone_start(lone_t *lone)
{
    cs_buf_t path = {0}, detail = {0};
    cs_strings_t listen = {0};
    *lone = (lone_t){.tmp = tmp_new()};
    cs_buf_printf(&path, "%s/home", lone->tmp.path);
    cs_buf_put_u8(&path, 0);
    cs_err_t err = cs_home_init((const char *)path.data, "lone", &listen, &detail);
    if (err == CS_OK) err = cs_home_open((const char *)path.data, &lone->home, &detail);
    if (err == CS_OK) err = cs_home_lock(lone->home, 0, &detail);
    cs_daemon_config_t config = {
        .home = lone->home, .network = true, .log_level = CS_LOG_ERROR};
    if (err == CS_OK) err = cs_daemon_new(&config, &lone->node, &detail);
    if (err != CS_OK) {
        fprintf(stderr, "no node: %s: %.*s\n", cs_err_text(err), (int)detail.len,
                (const char *)detail.data);
    }
    must(err == CS_OK);
    add_folder(lone);
    cs_buf_fini(&path);
    cs_buf_fini(&detail);
}

void lone_stop(lone_t *lone)
{
    if (lone->node == NULL) return;
    cs_daemon_destroy(&lone->node);
    cs_home_close(&lone->home);
    tmp_remove(&lone->tmp);
}

static int on_time(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    unsigned *left = arg;
    return --*left == 0 ? -1 : 0;
}

void lone_run(lone_t *lone, unsigned ms)
{
    unsigned left = ms + 1;
    int timer = zloop_timer(lone->node->loop, 1, 0, on_time, &left);
    zloop_start(lone->node->loop);
    zloop_timer_end(lone->node->loop, timer);
}
