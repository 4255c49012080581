/* node_reuse_test.c - two writings that have one number: it is said, and nobody goes on with
 * the number of a replica that somebody else uses, too. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/member.h"
#include "support/node_world.h"

#define LINK 1u

static const uint8_t secret[CS_SECRET_BYTES] = {7}; /* of nw_open */

static nw_world_t world;

static cs_folder_status_t status(void)
{
    cs_folder_status_t ret;
    cr_assert(cs_node_folder_status(world.node[0].node, NW_FOLDER, &ret));
    return ret;
}

static void say(cs_msg_t *msg, const member_t *member)
{
    cs_buf_t header = {0}, none = {0};
    memcpy(msg->tag, member->keys.tag, sizeof msg->tag);
    cs_msg_encode(msg, &header);
    nw_message(&world.node[0], LINK, cs_buf_slice(&header), &none);
    nw_finish_jobs(&world.node[0]);
    cs_buf_fini(&header);
}

/* The node tells of itself from then on, so that its numbers are out. */
static void say_hello(void)
{
    static const uint8_t no_seen[1], no_members[CS_HASH_BYTES];
    member_t member;
    member_init(&member, secret, 0x70);
    cs_msg_t msg = {.type = CS_MSG_HELLO};
    msg.u.hello = (cs_msg_hello_t){
        .rid = 0x70, .nonce = 1, .members_hash = no_members, .seen = {no_seen, 1}};
    say(&msg, &member);
    member_fini(&member);
    for (unsigned i = 0; i < 10 && status().state->exposed == 0; i++) {
        nw_pass_time(&world);
        nw_finish_jobs(&world.node[0]);
    }
}

/* A member of this replica id wrote this text to "a", as the first thing that it did. */
static void say_writing(uint64_t rid, const char *text)
{
    member_t member;
    cs_buf_t entry = {0}, packed = {0};
    member_init(&member, secret, rid);
    member_write(&member, "a", cs_slice_text(text));
    member_entry(member.replica, &member.keys, "a", &entry);
    cs_packed_put(&packed, cs_buf_slice(&entry));
    cs_msg_t msg = {.type = CS_MSG_ENTRIES, .u.entries.entries = {1, cs_buf_slice(&packed)}};
    say(&msg, &member);
    cs_buf_fini(&entry);
    cs_buf_fini(&packed);
    member_fini(&member);
}

static void on_told(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload)
{
    (void)arg, (void)link, (void)header, (void)payload;
}

static void setup(void)
{
    nw_open_trusting(&world, 1, 1);
    world.depth = 2; /* nothing happens within jobs */
    world.stranger = (nw_stranger_t){.told = on_told};
    cs_key_t key = {{9}};
    cs_member_t member = {.key = key};
    nw_event(&world.node[0],
             &(cs_event_t){.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member});
    nw_event(&world.node[0],
             &(cs_event_t){.kind = CS_EV_LINK_UP, .link = LINK, .key = key, .outgoing = true});
}

static void teardown(void)
{
    nw_close(&world);
}

TestSuite(node_reuse, .init = setup, .fini = teardown);

Test(node_reuse, of_another_is_told)
{
    uint64_t rid = status().state->rid;
    say_writing(0x60, "one");
    cr_assert_eq(status().reused.rid, 0);
    say_writing(0x60, "one");
    cr_assert_eq(status().reused.rid, 0, "the same once more");
    say_writing(0x60, "two");
    cr_assert(status().reused.rid == 0x60 && status().reused.ctr == 1);
    cr_assert_eq(status().state->rid, rid, "our own numbers are ours");
    cr_assert_eq(world.incarnations, 0);
}

Test(node_reuse, of_our_own_makes_us_take_new_ones)
{
    char path[300];
    uint64_t rid = status().state->rid;
    snprintf(path, sizeof path, "%s/a", world.node[0].dir);
    FILE *file = fopen(path, "w");
    cr_assert(file != NULL && fputs("mine", file) >= 0 && fclose(file) == 0);
    nw_scan(&world.node[0], NULL);
    nw_finish_jobs(&world.node[0]);
    cr_assert_eq(status().state->n, 1);
    say_hello();
    cr_assert_eq(status().state->exposed, status().state->ctr);
    say_writing(rid, "yours");
    cr_assert(status().reused.rid == rid && status().reused.ctr == 1);
    cr_assert_eq(world.incarnations, 1);
    cr_assert_neq(status().state->rid, rid);
}
