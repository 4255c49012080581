/* node_wants_test.c - what is asked for, and when: more contents are wanted than there is room
 * for, and nobody has most of them; some have come, and more are heard of. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/member.h"
#include "support/node_world.h"
#include "xfer/fetch.h"

#define CLAIMS     (3 * CS_FETCH_WANTS_MAX)
#define PUSHED     256u
#define LINK       1u
#define ROUNDS_MAX 200u
#define GROUPS     3u /* that have come, and are to be shown; requests for them go at once */

static const uint8_t secret[CS_SECRET_BYTES] = {7}; /* of nw_open */

typedef struct scene {
    nw_world_t world;
    member_t member;            /* has the bytes of "z" alone */
    cs_buf_t asked;             /* names that it was asked for, and has not answered */
    cs_buf_t none, have, chunk; /* what it was told, and given */
} scene_t;

static void on_told(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload)
{
    scene_t *s = arg;
    cs_msg_t msg = {0};
    (void)link;
    cr_assert_eq(cs_msg_decode(&msg, header, payload), CS_OK);
    cr_assert_eq(memcmp(msg.tag, s->member.keys.tag, sizeof msg.tag), 0);
    if (msg.type == CS_MSG_CWANT) cs_buf_put_slice(&s->asked, msg.u.cwant.contents);
    if (msg.type == CS_MSG_CNONE) cs_buf_put_slice(&s->none, msg.u.cnone.packed);
    if (msg.type == CS_MSG_CHAVE) cs_buf_put_slice(&s->have, msg.u.chave.packed);
    if (msg.type == CS_MSG_CHUNK) cs_buf_put_slice(&s->chunk, payload);
    cs_msg_fini(&msg);
}

static void say(scene_t *s, cs_msg_t *msg, cs_buf_t *payload)
{
    cs_buf_t header = {0};
    memcpy(msg->tag, s->member.keys.tag, sizeof msg->tag);
    cs_msg_encode(msg, &header);
    nw_message(&s->world.node[0], LINK, cs_buf_slice(&header), payload);
    cs_buf_fini(&header);
}

static void push(scene_t *s, cs_buf_t *packed, uint32_t count)
{
    cs_buf_t none = {0};
    cs_msg_t msg = {.type = CS_MSG_ENTRIES, .u.entries.entries = {count, cs_buf_slice(packed)}};
    say(s, &msg, &none);
    cs_buf_clear(packed);
}

static void push_path(scene_t *s, const char *path, cs_buf_t *packed)
{
    cs_buf_t entry = {0};
    member_entry(s->member.replica, &s->member.keys, path, &entry);
    cs_packed_put(packed, cs_buf_slice(&entry));
    cs_buf_fini(&entry);
}

static void push_all(scene_t *s)
{
    cs_buf_t packed = {0};
    for (uint32_t i = 0; i < CLAIMS; i++) {
        char path[32];
        snprintf(path, sizeof path, "claimed/%u", i);
        member_claim(&s->member, path, i + 1, 1);
        push_path(s, path, &packed);
        if (i % PUSHED == PUSHED - 1) push(s, &packed, PUSHED);
    }
    member_write(&s->member, "z", cs_slice_text("what is wanted"));
    push_path(s, "z", &packed);
    push(s, &packed, 1);
    cs_buf_fini(&packed);
}

/* True if "z" was among what it was asked for. */
static bool answer(scene_t *s)
{
    cs_buf_t missing = {0}, payload = {0}, none = {0}, asked = s->asked;
    cs_slice_t names = cs_buf_slice(&asked);
    const uint8_t *name;
    s->asked = (cs_buf_t){0};
    while (cs_name_next(&names, &name)) {
        const member_bytes_t *found = member_find(&s->member, name);
        if (found != NULL) cs_chunk_put(&payload, name, cs_buf_slice(&found->bytes));
        if (found == NULL) cs_buf_put(&missing, name, CS_NAME_BYTES);
    }
    bool found = payload.len > 0;
    cs_msg_t chunk = {.type = CS_MSG_CHUNK}, cnone = {.type = CS_MSG_CNONE};
    cnone.u.cnone.packed = cs_buf_slice(&missing);
    if (found) say(s, &chunk, &payload);
    if (missing.len > 0) say(s, &cnone, &none);
    cs_buf_fini(&missing);
    cs_buf_fini(&payload);
    cs_buf_fini(&asked);
    return found;
}

static scene_t s;

static void setup(void)
{
    nw_open_trusting(&s.world, 1, 1);
    s.world.depth = 2; /* nothing happens within jobs */
    s.world.stranger = (nw_stranger_t){.arg = &s, .told = on_told};
    member_init(&s.member, secret, 0x60);
    cs_member_t member = {.key = nw_key(1)};
    cs_event_t allow = {.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member};
    nw_event(&s.world.node[0], &allow);
    cs_event_t up = {.kind = CS_EV_LINK_UP, .link = LINK, .key = member.key};
    nw_event(&s.world.node[0], &up);
}

static void teardown(void)
{
    cr_assert_null(s.world.failure, "%s", s.world.failure);
    cs_buf_fini(&s.asked);
    cs_buf_fini(&s.none);
    cs_buf_fini(&s.have);
    cs_buf_fini(&s.chunk);
    member_fini(&s.member);
    nw_close(&s.world);
}

TestSuite(node_wants, .init = setup, .fini = teardown);

static void run(void)
{
    while (nw_step(&s.world)) {
    }
}

Test(node_wants, what_nobody_has_does_not_keep_the_rest_waiting)
{
    push_all(&s);
    bool found = false;
    for (unsigned round = 0; round < ROUNDS_MAX && !found; round++) {
        run();
        found = answer(&s);
        if (!found) nw_pass_time(&s.world);
    }
    cr_assert(found, "it was never asked for");
    run();
}

static void push_z(void)
{
    cs_buf_t packed = {0};
    member_write(&s.member, "z", cs_slice_text("what is wanted"));
    push_path(&s, "z", &packed);
    push(&s, &packed, 1);
    cs_buf_fini(&packed);
}

static void await_asked(size_t names)
{
    run();
    for (unsigned i = 0; i < ROUNDS_MAX && s.asked.len < names * CS_NAME_BYTES; i++) {
        nw_pass_time(&s.world);
        run();
    }
    cr_assert_eq(s.asked.len, names * CS_NAME_BYTES, "%zu bytes", s.asked.len);
}

/* The node wants "z", and has asked for it. */
static cs_slice_t want_z(void)
{
    push_z();
    await_asked(1);
    return cs_buf_slice(&s.asked);
}

static void ask(cs_slice_t name)
{
    cs_buf_t none = {0};
    cs_msg_t msg = {.type = CS_MSG_CWANT, .u.cwant.contents = name};
    say(&s, &msg, &none);
    run();
}

Test(node_wants, who_asked_in_vain_is_told_when_it_has_come)
{
    uint8_t name[CS_NAME_BYTES];
    memcpy(name, want_z().data, sizeof name);
    ask(cs_slice(name, sizeof name));
    cr_assert(cs_slice_eq(cs_buf_slice(&s.none), cs_slice(name, sizeof name)));
    cr_assert_eq(s.have.len, 0);
    cr_assert(answer(&s));
    run();
    cr_assert(cs_slice_eq(cs_buf_slice(&s.have), cs_slice(name, sizeof name)));
    ask(cs_slice(name, sizeof name));
    cr_assert_eq(s.none.len, sizeof name, "it was refused again");
    cr_assert_neq(s.chunk.len, 0);
}

Test(node_wants, who_has_got_it_since_is_asked_again_at_once)
{
    cs_buf_t none = {0};
    uint8_t name[CS_NAME_BYTES];
    memcpy(name, want_z().data, sizeof name);
    cs_buf_clear(&s.asked);
    cs_msg_t msg = {.type = CS_MSG_CNONE};
    msg.u.cnone.packed = cs_slice(name, sizeof name);
    say(&s, &msg, &none);
    run();
    cr_assert_eq(s.asked.len, 0, "it said that it has it not");
    msg.type = CS_MSG_CHAVE;
    say(&s, &msg, &none);
    run();
    cr_assert(cs_slice_eq(cs_buf_slice(&s.asked), cs_slice(name, sizeof name)));
    cr_assert(answer(&s));
    run();
}

/* As many files as groups hold. */
static void push_groups(void)
{
    cs_buf_t packed = {0};
    for (unsigned i = 0; i < GROUPS * CS_GROUP_FILES_MAX; i++) {
        char path[32], text[32];
        snprintf(path, sizeof path, "came/%u", i);
        snprintf(text, sizeof text, "text %u", i);
        member_write(&s.member, path, cs_slice_text(text));
        push_path(&s, path, &packed);
        if (i % PUSHED == PUSHED - 1) push(&s, &packed, PUSHED);
    }
    push(&s, &packed, GROUPS * CS_GROUP_FILES_MAX % PUSHED);
    cs_buf_fini(&packed);
}

Test(node_wants, what_is_heard_of_is_asked_for_before_all_that_came_is_shown)
{
    nw_node_t *node = &s.world.node[0];
    push_groups();
    await_asked((size_t)GROUPS * CS_GROUP_FILES_MAX);
    unsigned shown = node->applies;
    cr_assert(answer(&s));
    push_z();
    for (unsigned i = 0; i < ROUNDS_MAX && s.asked.len == 0; i++) {
        nw_step(&s.world);
        nw_pass_time(&s.world); /* as it does while files are written */
    }
    cr_assert_eq(s.asked.len, CS_NAME_BYTES);
    cr_assert_lt(node->applies, shown + 2, "%u groups", node->applies - shown);
    cr_assert(answer(&s));
    run();
}
