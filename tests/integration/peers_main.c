/* peers_main.c - a member that is hostile, broken or absent, on real nodes: the node stays up,
 * its memory stays bounded, its other peers do not notice, and one line of the log names the
 * culprit.
 *
 *   peers [SCENE]...     default: all, on one and the same pair of nodes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/lies.h"
#include "support/onlooker.h"
#include "support/relay.h"

#define MEMORY_MIB 256 /* limits.memory-mib as it comes */

static cluster_t c;
static hostile_t h;
static void pass(void *arg)
{
    (void)arg;
    hostile_run(&h, 5);
}

static void others(const char *what)
{
    others_do_not_notice(&c, what, pass, NULL);
}

/* One line or a few about the member of this scene. */
static void said(const char *what, const char *event)
{
    expect_lines(&c.node[0], what, event, h.id, pass, NULL);
}

/* Ends its links, and dials anew at once. */
static void come_again(void)
{
    unsigned ups = h.ups;
    uint8_t key[CS_KEY_BYTES];
    if (!cs_unhex(key, sizeof key, cs_slice_text(c.node[0].id))) abort();
    cs_net_undial(h.net, key);
    hostile_run(&h, 20);
    hostile_dial(&h, &c.node[0]);
    hostile_await_up(&h);
    if (h.ups == ups) test_fail("no new link");
}

static bool is_down(void *arg)
{
    (void)arg;
    return h.link == 0;
}

/* --- malformed, oversized */

static void expect_end(const char *what, cs_slice_t header, const cs_buf_t *payload)
{
    come_again();
    hostile_say_bytes(&h, header, payload);
    if (!hostile_await(&h, is_down, NULL)) test_fail("%s: the link stays", what);
}

static void malformed(void)
{
    static const uint8_t noise[64] = {0xff, 0xff, 0xff, 0xff, 0x0f, 7};
    for (size_t len = 2; len < CS_FRAME_HEADER_BYTES; len += 6)
        expect_end("a cut header", cs_slice(noise, len), NULL);
    for (uint8_t type = CS_MSG_HELLO; type < CS_MSG_TYPE_END; type += 3) {
        cs_buf_t frame = lies_frame(&h, CS_PROTOCOL_VERSION, type, noise, sizeof noise);
        expect_end("noise", cs_buf_slice(&frame), NULL);
        cs_buf_fini(&frame);
    }
    cs_buf_t later = lies_frame(&h, CS_PROTOCOL_VERSION + 1, CS_MSG_HELLO, noise, 5);
    expect_end("another version", cs_buf_slice(&later), NULL);
    cs_buf_t chunk = lies_frame(&h, CS_PROTOCOL_VERSION, CS_MSG_CHUNK, NULL, 0), payload = {0};
    cs_buf_put(&payload, noise, sizeof noise);
    expect_end("half a chunk", cs_buf_slice(&chunk), &payload);
    cs_buf_fini(&later);
    cs_buf_fini(&chunk);
    cs_buf_fini(&payload);
    others("malformed");
    said("malformed", "peer.dropped");
}

static void oversized(void)
{
    cs_buf_t frame = lies_frame(&h, CS_PROTOCOL_VERSION, CS_MSG_CHUNK, NULL, 0), payload = {0};
    cs_buf_reserve(&payload, CS_MESSAGE_BYTES_MAX + 200);
    memset(payload.data, 0, CS_MESSAGE_BYTES_MAX + 200);
    payload.len = CS_MESSAGE_BYTES_MAX + 200;
    for (unsigned i = 0; i < 12; i++) /* more than enough, if not each end is one of a peer's */
        expect_end("oversized", cs_buf_slice(&frame), &payload);
    cs_buf_fini(&frame);
    cs_buf_fini(&payload);
    others("oversized");
    said("oversized", "peer.restless");
}

/* --- out of order, replayed */

static bool has_text(void *text)
{
    return node_reads(&c.node[1], "doc", text);
}

static void replayed(void)
{
    static const char *const doc[] = {"doc"};
    char one[] = "one", two[] = "two";
    come_again();
    h.serves = true;
    hostile_greet(&h);
    member_write(&h.member, "doc", cs_slice_text("one"));
    hostile_push(&h, doc, 1);
    if (!hostile_await(&h, has_text, one)) test_fail("the first text does not arrive");
    member_write(&h.member, "doc", cs_slice_text("two"));
    hostile_push(&h, doc, 1);
    if (!hostile_await(&h, has_text, two)) test_fail("the second text does not arrive");
    for (unsigned i = 0; i < 10; i++) {
        hostile_repeat(&h);
        lies_out_of_order(&h);
        hostile_run(&h, 50);
    }
    others("out of order and replayed");
    said("out of order and replayed", "peer.frames");
    char out[CLUSTER_TEXT];
    for (int node = 0; node < 2; node++) {
        if (!node_reads(&c.node[node], "doc", "two")) test_fail("an old text came back");
        cluster_do(&c, node, out, "conflicts %s --json", c.folder);
        if (strstr(out, "doc") != NULL) test_fail("a conflict out of nothing: %s", out);
    }
}

/* --- never answers, one byte a second */

#define SILENT 50u

static void name_silent(unsigned i, char ret[24])
{
    snprintf(ret, 24, "silent/%u", i);
}

static void push_silent(void)
{
    char path[24];
    const char *const paths[] = {path};
    for (unsigned i = 0; i < SILENT; i++) {
        name_silent(i, path);
        hostile_push(&h, paths, 1);
        hostile_run(&h, 1);
    }
}

static bool has_silent(void *arg)
{
    char path[24];
    (void)arg;
    for (unsigned i = 0; i < SILENT; i++) {
        name_silent(i, path);
        if (!node_reads(&c.node[1], path, path)) return false;
    }
    return true;
}

static void silent(void)
{
    char path[24];
    come_again();
    h.serves = false;
    hostile_greet(&h);
    for (unsigned i = 0; i < SILENT; i++) {
        name_silent(i, path);
        member_write(&h.member, path, cs_slice_text(path));
    }
    push_silent();
    others("never answers");
    said("never answers", "peer.silent");
    h.serves = true; /* before the first question on the new link */
    come_again();
    hostile_greet(&h);
    push_silent();
    if (!hostile_await(&h, has_silent, NULL))
        test_fail("its files do not come when it answers");
    others("answers at last");
}

static void slow(void)
{
    relay_t *relay = relay_new(c.node[0].port);
    cluster_node_t by_relay = c.node[0];
    uint8_t key[CS_KEY_BYTES];
    by_relay.port = relay_port(relay);
    if (!cs_unhex(key, sizeof key, cs_slice_text(c.node[0].id))) abort();
    cs_net_undial(h.net, key);
    if (!hostile_await(&h, is_down, NULL)) test_fail("still up");
    hostile_dial(&h, &by_relay);
    hostile_await_up(&h);
    relay_set(relay, RELAY_SLOW);
    h.serves = true;
    hostile_greet(&h);
    member_write(&h.member, "slow", cs_slice_text("slow"));
    hostile_push(&h, (const char *const[]){"slow"}, 1);
    others("one byte a second");
    said("one byte a second", "peer.late");
    others("one byte a second, for a while");
    relay_destroy(&relay);
}

/* --- claims everything, asks for everything */

#define CLAIMS 6000u /* more than the wants that a node keeps at a time */

/* Half of CLAIMS: some are on their way. */
static bool needs_them(void *arg)
{
    char out[CLUSTER_TEXT];
    (void)arg;
    cluster_do(&c, 0, out, "status --json");
    const char *at = strstr(out, "\"needed_files\":");
    return at != NULL && strtoul(at + strlen("\"needed_files\":"), NULL, 10) >= CLAIMS / 2;
}

static void claims_everything(void)
{
    come_again();
    h.serves = false;
    hostile_greet(&h);
    lies_histories(&h);
    lies_files(&h, CLAIMS, UINT64_C(1) << 40);
    others("claims everything");
    if (!hostile_await(&h, needs_them, NULL)) test_fail("its claims did not arrive");
    said("claims everything", "peer.silent");
}

static bool are_missing(void *arg)
{
    char out[CLUSTER_TEXT];
    (void)arg;
    cluster_do(&c, 0, out, "status --json");
    return strstr(out, "missing content") != NULL;
}

/* Each of them could be asked for in a moment, and nobody else has them. */
static void claims_small(void)
{
    come_again();
    h.serves = false;
    hostile_greet(&h);
    lies_files(&h, CLAIMS, 1);
    others("claims many small files");
    said("claims many small files", "peer.silent");
    h.serves = true; /* that it has none of them */
    come_again();
    hostile_greet(&h);
    if (!hostile_await(&h, are_missing, NULL)) test_fail("nobody says that they are missing");
    others("has nothing of what it claims");
}

static void asks_for_everything(void)
{
    uint8_t names[CS_NAME_BYTES * 256];
    come_again();
    h.serves = false;
    hostile_greet(&h);
    member_write(&h.member, "asked", cs_slice_text("asked"));
    for (size_t i = 0; i < sizeof names / CS_NAME_BYTES; i++) {
        const member_bytes_t *some = &h.member.bytes[i % h.member.bytes_count];
        memcpy(names + i * CS_NAME_BYTES, some->name.b, CS_NAME_BYTES);
    }
    cs_msg_t want = {.type = CS_MSG_CWANT};
    want.u.cwant.contents = want.u.cwant.chunks = cs_slice(names, sizeof names);
    for (unsigned i = 0; i < 2000; i++)
        hostile_say(&h, &want, NULL); /* and reads nothing: its loop stands still */
    others("asks for everything");
    said("asks for everything", "peer.dropped");
}

/* --- names numbers that nobody signed */

static bool have_both(void *arg)
{
    (void)arg;
    return node_reads(&c.node[0], "yours", "x") && node_reads(&c.node[1], "mine", "x");
}

static bool knows_others(void *arg)
{
    (void)arg;
    return h.others.len >= 2; /* both of the pair have written */
}

static bool has_forged(void *arg)
{
    (void)arg;
    return node_reads(&c.node[0], "forged", "by the other one") &&
           node_reads(&c.node[1], "forged", "by the other one");
}

static void forges_numbers(void)
{
    for (int node = 0; node < 2; node++) {
        node_write(&c.node[node], node == 0 ? "mine" : "yours", "x", 1);
        cluster_do(&c, node, NULL, "scan");
    }
    if (!hostile_await(&h, have_both, NULL)) test_fail("the pair's own files do not arrive");
    come_again();
    hostile_greet(&h);
    if (!hostile_await(&h, knows_others, NULL)) test_fail("the node tells of no numbers");
    for (unsigned i = 0; i < 3; i++) {
        lies_numbers(&h, "forged");
        hostile_run(&h, 50);
    }
    others("names numbers that nobody signed");
    node_write(&c.node[1], "forged", "by the other one", 16);
    cluster_do(&c, 1, NULL, "scan");
    if (!hostile_await(&h, has_forged, NULL))
        test_fail("a forged number killed what came later");
    said("names numbers that nobody signed", "peer.unsigned");
}

/* --- removed while it is connected */

static bool is_refused(void *arg)
{
    (void)arg;
    return h.link == 0 && h.refused > 0;
}

static void removed(void)
{
    come_again();
    h.refused = 0;
    cluster_do(&c, 0, NULL, "peer remove %s", h.id);
    if (!hostile_await(&h, is_refused, NULL)) test_fail("it is removed, and still let in");
    others("removed while connected");
    expect_lines(&c.node[0], "removed", "peer.refused", "crdtsync peer add", pass, NULL);
}

/* Each by a member of its own: what the log says of it is about this scene alone. */
static void play(size_t index, void (*scene)(void))
{
    hostile_new(&h, &c, 0x666 + index);
    hostile_join(&h, &c, 0);
    scene();
    hostile_destroy(&h);
}

typedef struct scene {
    const char *name;
    void (*play)(void);
} scene_t;

static const scene_t scenes[] = {
    {"malformed", malformed},
    {"oversized", oversized},
    {"replayed", replayed},
    {"silent", silent},
    {"slow", slow},
    {"claims", claims_everything},
    {"small", claims_small},
    {"asks", asks_for_everything},
    {"forges", forges_numbers},
    {"removed", removed},
};

static bool is_chosen(const scene_t *scene, int argc, char **argv)
{
    bool chosen = argc == 1;
    for (int i = 1; i < argc; i++)
        chosen = chosen || strcmp(argv[i], scene->name) == 0;
    return chosen;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    cluster_new(&c, 2);
    cluster_pair(&c, 0, 1, 0);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, 60);
    for (size_t i = 0; i < CS_COUNT_OF(scenes); i++) {
        if (!is_chosen(&scenes[i], argc, argv)) continue;
        play(i, scenes[i].play);
        check_memory(&c.node[0], scenes[i].name, MEMORY_MIB);
    }
    cluster_destroy(&c);
    return 0;
}
