/* welcome_fuzz.c - what an inviter may answer to a join that is under way: the folder is there
 * afterwards and the command done, or nothing is and it failed, or it goes on waiting. */
#include <string.h>

#include "io/token.h"
#include "support/feed.h"
#include "support/lone.h"

#define INPUTS_MAX 256u /* then a fresh node: peers' records add up */
#define LINK       7u   /* that the network knows nothing of: what we say goes nowhere */
#define ENDPOINT   "tcp://127.0.0.1:1"

static lone_t lone;
static unsigned inputs;

static void stop(void)
{
    lone_stop(&lone);
}

static void begin(void)
{
    if (inputs % INPUTS_MAX != 0 && cs_daemon_folder(lone.node, "joined") == NULL) return;
    stop();
    lone_start(&lone);
    if (inputs == 0) atexit(stop); /* registered after those of CZMQ, so run before */
}

static uint64_t ask(const uint8_t *inviter)
{
    cs_token_t token = {.secret = {5}, .folder = "joined"};
    cs_buf_t text = {0};
    memcpy(token.server_key, inviter, sizeof token.server_key);
    cs_strings_add(&token.endpoints, ENDPOINT);
    cs_token_encode(&token, &text);
    cs_buf_put_u8(&text, 0);
    char *hex = lone_hex_path(&lone, "joined");
    json_t *request = json_pack("{s:s, s:[{s:s, s:s, s:s}], s:s}", "cmd", "join", "args", "raw",
                                hex, "abs", hex, "real", hex, "token", (const char *)text.data);
    uint64_t handle = lone_ask(&lone, request);
    require(handle != 0);
    json_decref(request);
    free(hex);
    cs_buf_fini(&text);
    cs_token_fini(&token);
    return handle;
}

/* Messages, each with its length before it (u16). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t inviter[CS_KEY_BYTES] = {9};
    begin();
    inputs++;
    uint64_t handle = ask(inviter);
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    require(cs_invite_owns(lone.node, inviter, true));
    cs_invite_link_up(lone.node, LINK, inviter, true);
    for (unsigned i = 0; i < 8 && cs_reader_left(&feed) > 0; i++) {
        size_t len = cs_read_u16(&feed);
        if (len > cs_reader_left(&feed)) len = cs_reader_left(&feed);
        cs_invite_message(lone.node, LINK, cs_read_bytes(&feed, len));
    }
    bool joined = cs_daemon_folder(lone.node, "joined") != NULL;
    require(joined == (lone.ended && lone.exit_code == 0));
    cs_invite_link_down(lone.node, LINK);
    if (!lone.ended) cs_daemon_forget(lone.node, handle);
    require(!cs_invite_owns(lone.node, inviter, true));
    lone_run(&lone, 1); /* the dial is ended there */
    return 0;
}
