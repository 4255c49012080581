/* daemon_fuzz.c - what comes to a node from its control socket and from who holds an invite: a
 * request is answered with JSON lines and at most one end, a JOIN is taken or turned away. */
#include <string.h>

#include "io/home.h"
#include "support/feed.h"
#include "support/lone.h"

#define INPUTS_MAX 256u /* then a fresh node: invites, peers and jobs add up */
#define LINK       7u   /* that the network knows nothing of: answers go nowhere */

static lone_t lone;
static unsigned inputs;
static const uint8_t one_time_key[CS_KEY_BYTES] = {9};

static void stop(void)
{
    lone_stop(&lone);
}

static void request(cs_slice_t line)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)line.data, line.len, 0, &error);
    if (json_is_object(json) && lone_is_harmless(&lone, json)) {
        uint64_t handle = lone_ask(&lone, json);
        if (handle != 0) cs_daemon_forget(lone.node, handle);
    }
    json_decref(json);
}

static void join(cs_slice_t frame)
{
    cs_buf_t detail = {0};
    cs_invite_record_t invite = {.folder = "docs", .uses_left = 1 + frame.len % 2};
    memcpy(invite.key, one_time_key, sizeof invite.key);
    cs_err_t err = cs_home_invite_put(lone.home, &invite, &detail);
    require(err == CS_OK);
    cs_daemon_invites_changed(lone.node);
    require(cs_invite_owns(lone.node, one_time_key, false));
    cs_invite_link_up(lone.node, LINK, one_time_key, false);
    cs_invite_message(lone.node, LINK, frame);
    cs_invite_message(lone.node, LINK, frame); /* one JOIN a link */
    cs_err_t left = cs_home_invite_get(lone.home, one_time_key, &invite, &detail);
    require(left == CS_OK || frame.len % 2 == 0);
    cs_invite_link_down(lone.node, LINK);
    cs_buf_fini(&detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (inputs % INPUTS_MAX == 0 || cs_daemon_folder(lone.node, "docs") == NULL) {
        stop();
        lone_start(&lone);
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
