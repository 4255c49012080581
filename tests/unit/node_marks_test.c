/* node_marks_test.c - numbers that nobody signed are not taken, whoever says them, and what
 * others write is not killed by them (core.md 10 d). */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/member.h"
#include "support/node_world.h"

#define LIAR ((cs_link_t)4711)

static const uint8_t secret[CS_SECRET_BYTES] = {7};
static nw_world_t world;
static member_t liar; /* a member that is none of our program */
static cs_marks_t *marks;
static unsigned told_marks, dropped;

static void on_told(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload)
{
    (void)arg, (void)link, (void)payload;
    told_marks += header.data[1] == CS_MSG_MARKS;
}

static void on_dropped(void *arg, cs_link_t link)
{
    (void)arg, (void)link;
    dropped++;
}

static void say_bytes(cs_msg_t *msg)
{
    cs_buf_t header = {0}, none = {0};
    memcpy(msg->tag, liar.keys.tag, sizeof msg->tag);
    cs_msg_encode(msg, &header);
    nw_message(&world.node[0], LIAR, cs_buf_slice(&header), &none);
    cs_buf_fini(&header);
}

static void say_marks(uint64_t ctr)
{
    size_t count;
    cs_marks_vouch(marks, ctr);
    cs_msg_mark_t mark = cs_marks_msg(cs_marks_all(marks, &count));
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {&mark, 1}};
    say_bytes(&msg);
}

static void say_hello(uint64_t rid, const cs_vv_t *seen)
{
    static const uint8_t no_members[CS_HASH_BYTES];
    cs_buf_t bytes = {0};
    cs_vv_encode(seen, &bytes);
    cs_msg_t msg = {
        .type = CS_MSG_HELLO,
        .u.hello = {
            .rid = rid, .nonce = 1, .members_hash = no_members, .seen = cs_buf_slice(&bytes)}};
    say_bytes(&msg);
    cs_buf_fini(&bytes);
}

/* Its file at that path, and that it knew of these numbers when it wrote it. */
static void say_entry(const char *path, cs_dot_t knew)
{
    cs_buf_t bytes = {0}, packed = {0};
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){0});
    member_entry(liar.replica, &liar.keys, path, &bytes);
    cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &entry), CS_OK);
    if (knew.rid != 0) cr_assert_eq(cs_vv_raise(&entry.ctx, knew), CS_OK);
    cs_buf_clear(&bytes);
    cs_entry_encode(&entry, &bytes);
    cs_packed_put(&packed, cs_buf_slice(&bytes));
    cs_msg_t msg = {.type = CS_MSG_ENTRIES, .u.entries.entries = {1, cs_buf_slice(&packed)}};
    say_bytes(&msg);
    cs_entry_fini(&entry);
    cs_buf_fini(&bytes);
    cs_buf_fini(&packed);
}

static const cs_state_t *state_of(unsigned index)
{
    return cs_replica_state(cs_node_replica(world.node[index].node, NW_FOLDER));
}

static void liar_comes(void)
{
    cs_key_t key = {{9}};
    cs_member_t member = {.key = key};
    nw_event(&world.node[0],
             &(cs_event_t){.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member});
    nw_event(&world.node[0], &(cs_event_t){.kind = CS_EV_LINK_UP, .link = LIAR, .key = key});
}

static void write_and_pass(unsigned index, const char *path, const char *text)
{
    nw_write(&world.node[index], path, text);
    nw_scan(&world.node[index], path);
    nw_pass(&world, 300);
}

static void setup(void)
{
    nw_open(&world, 1, 3);
    world.depth = 2; /* nothing happens within jobs */
    world.stranger = (nw_stranger_t){.told = on_told, .dropped = on_dropped};
    cs_keys_derive(&liar.keys, secret);
    marks = cs_marks_new(&liar.keys, NULL, nw_seed(3));
    cs_marks_become(marks, 5);
    member_init(&liar, secret, cs_marks_rid(marks, 5));
    member_write(&liar, "f", cs_slice_text("f"));
    liar_comes();
}

static void teardown(void)
{
    cs_marks_destroy(&marks);
    member_fini(&liar);
    nw_close(&world);
}

TestSuite(node_marks, .init = setup, .fini = teardown);

/* C never meets A: what A wrote comes by way of B, with A's mark. */
Test(node_marks, of_a_stranger_are_passed_on)
{
    nw_connect(&world, 0, 1);
    write_and_pass(0, "a", "a");
    nw_disconnect_all(&world);
    nw_connect(&world, 1, 2);
    nw_pass(&world, 300);
    cr_assert_eq(state_of(2)->n, 1);
    /* Also after it was away, from rows. */
    nw_disconnect_all(&world);
    nw_restart(&world.node[2], false);
    nw_connect(&world, 2, 1);
    write_and_pass(1, "b", "b");
    cr_assert_eq(state_of(2)->n, 2);
    cr_assert_eq(world.drops, 0);
    cr_assert_eq(world.incarnations, 0);
}

Test(node_marks, what_is_signed_is_taken_and_one_number_more_is_not)
{
    uint64_t own = cs_replica_state(liar.replica)->ctr;
    say_entry("f", (cs_dot_t){0});
    cr_assert_eq(state_of(0)->n, 0, "nothing was signed yet");
    say_marks(own);
    say_entry("f", (cs_dot_t){cs_replica_state(liar.replica)->rid, own + 1});
    cr_assert_eq(state_of(0)->n, 0);
    say_entry("f", (cs_dot_t){0});
    cr_assert_eq(state_of(0)->n, 1);
    cr_assert_eq(dropped, 0, "marks may get lost: it is asked for them");
}

/* The liar says that it saw all that B will ever write at "f" and removed it. */
Test(node_marks, a_forged_context_kills_nothing)
{
    nw_connect(&world, 0, 1);
    write_and_pass(1, "b", "b");
    uint64_t rid = state_of(1)->rid;
    say_marks(cs_replica_state(liar.replica)->ctr);
    say_entry("f", (cs_dot_t){rid, UINT64_MAX / 2});
    say_entry("f", (cs_dot_t){rid, state_of(1)->ctr + 1});
    write_and_pass(1, "f", "f of B");
    cr_assert_eq(state_of(0)->n, 2);
    cr_assert_eq(state_of(1)->n, 2);
    cr_assert_eq(world.incarnations, 0, "and its own replica has no reason to take a new id");
}

/* A number of its own that it did not give away would tell a node that it was put back to an
 * older state: who says so has to show its signature. */
Test(node_marks, a_made_up_future_is_no_reason_to_take_a_new_id)
{
    nw_connect(&world, 0, 1);
    write_and_pass(0, "a", "a");
    uint64_t rid = state_of(0)->rid;
    cs_vv_t seen = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){rid, state_of(0)->ctr + 1}), CS_OK);
    say_hello(cs_replica_state(liar.replica)->rid, &seen);
    say_hello(rid, &(cs_vv_t){0}); /* that it is its copy */
    say_marks(cs_replica_state(liar.replica)->ctr);
    say_entry("f", (cs_dot_t){rid, state_of(0)->ctr + 1});
    nw_pass(&world, 50);
    cr_assert_eq(state_of(0)->rid, rid);
    cr_assert_eq(world.incarnations, 0);
    cr_assert_eq(state_of(0)->n, 1);
    cs_vv_fini(&seen);
}

/* Eight times within ten minutes may be an accident. */
Test(node_marks, who_goes_on_is_dropped)
{
    cs_vv_t seen = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){77, 1}), CS_OK);
    for (unsigned i = 0; i < 8; i++)
        say_hello(cs_replica_state(liar.replica)->rid, &seen);
    cr_assert_eq(dropped, 0);
    say_hello(cs_replica_state(liar.replica)->rid, &seen);
    cr_assert_eq(dropped, 1);
    cs_vv_fini(&seen);
}

Test(node_marks, a_false_signature_is_no_accident)
{
    static const uint8_t no_signature[CS_SIGNATURE_BYTES];
    cs_msg_mark_t mark = {
        .nonce = 5, .ctr = 1, .signer = nw_seed(3), .signature = no_signature};
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {&mark, 1}};
    world.now_ms += 3600000; /* far from any other */
    say_bytes(&msg);
    cr_assert_eq(dropped, 1);
}

/* As many as one message holds, of ids that nobody uses. */
static void say_made_up(uint64_t first)
{
    cs_msg_mark_t items[CS_MARKS_MAX];
    size_t count;
    cs_marks_t *teller = cs_marks_new(&liar.keys, NULL, nw_seed(3));
    for (uint64_t i = 0; i < CS_MARKS_MAX; i++) {
        cs_marks_become(teller, first + i);
        cs_marks_vouch(teller, 1);
    }
    const cs_signed_mark_t *all = cs_marks_all(teller, &count);
    for (size_t i = 0; i < count; i++)
        items[i] = cs_marks_msg(&all[i]);
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {items, count}};
    say_bytes(&msg);
    cs_marks_destroy(&teller);
}

Test(node_marks, who_makes_up_ids_by_the_thousand_keeps_nobody_out)
{
    uint64_t first = 1;
    nw_connect(&world, 0, 1);
    write_and_pass(1, "b", "b");
    for (; first < CS_REPLICAS_MAX && dropped == 0; first += CS_MARKS_MAX)
        say_made_up(first);
    cr_assert_eq(dropped, 0, "so many there may be");
    write_and_pass(0, "a", "a");
    for (; first < 3 * CS_REPLICAS_MAX && dropped == 0; first += CS_MARKS_MAX)
        say_made_up(first);
    cr_assert_eq(dropped, 1, "and not so many more");
    write_and_pass(1, "b2", "b2");
    nw_connect(&world, 0, 2);
    write_and_pass(2, "c", "c");
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(state_of(i)->n, 4, "%u", i);
    cr_assert_eq(world.drops, 1);
}

/* Files that nobody was told of: a liar must not learn numbers that he can claim. */
Test(node_marks, numbers_not_given_away_are_not_signed_for_anybody)
{
    uint64_t rid = state_of(0)->rid;
    nw_pause(&world.node[0], true); /* so that nothing is pushed */
    nw_write(&world.node[0], "a", "a");
    nw_scan(&world.node[0], NULL);
    nw_finish_jobs(&world.node[0]);
    nw_pause(&world.node[0], false);
    cr_assert_gt(state_of(0)->ctr, state_of(0)->exposed);
    cs_vv_t seen = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){rid, state_of(0)->ctr}), CS_OK);
    told_marks = 0;
    say_hello(cs_replica_state(liar.replica)->rid, &seen);
    cr_assert_eq(told_marks, 0, "HELLO names none of them");
    cr_assert_eq(state_of(0)->rid, rid);
    nw_restart(&world.node[0], false);
    liar_comes();
    say_hello(cs_replica_state(liar.replica)->rid, &seen);
    cr_assert_eq(state_of(0)->rid, rid, "nor after a start, of what rows say");
    cr_assert_eq(world.incarnations, 0);
    cs_vv_fini(&seen);
}

static void lose_mark(uint64_t rid)
{
    cs_buf_t key = {0};
    cs_buf_put_u32_be(&key, NW_FOLDER);
    cs_buf_put_slice(&key, cs_slice_text("m/mark/"));
    cs_buf_put_u64_be(&key, rid);
    cs_mem_disk_lose_prefix(world.node[0].disk, cs_buf_slice(&key));
    cs_buf_fini(&key);
}

/* Who has it tells it again. */
Test(node_marks, of_another_id_a_lost_row_comes_back)
{
    nw_connect(&world, 0, 1);
    write_and_pass(1, "b", "b");
    nw_disconnect_all(&world);
    lose_mark(state_of(1)->rid);
    nw_restart(&world.node[0], true);
    cr_assert_eq(state_of(0)->n, 1);
    nw_connect(&world, 0, 1);
    write_and_pass(0, "a", "a");
    write_and_pass(1, "b2", "b2");
    nw_disconnect_all(&world);
    nw_connect(&world, 0, 2);
    nw_pass(&world, 300);
    cr_assert_eq(state_of(2)->n, 3, "and is told to others");
    cr_assert_eq(world.drops, 0);
}

/* Its own numbers it could never tell anybody: it is made anew of the disk and of peers. */
Test(node_marks, a_database_without_its_own_mark_is_none)
{
    nw_connect(&world, 0, 1);
    write_and_pass(0, "a", "a");
    nw_disconnect_all(&world);
    nw_restart(&world.node[0], true);
    cr_assert_eq(state_of(0)->n, 1, "after a crash all of it is there");
    lose_mark(state_of(0)->rid);
    cs_folder_config_t folder = {.id = "g", .number = NW_FOLDER, .secret = {7}, .fresh_rid = 9};
    cs_node_config_t config = {.store = world.node[0].store, .self = nw_key(0), .signs = true};
    memcpy(config.seed, nw_seed(0), sizeof config.seed);
    cs_node_t *again = cs_node_new(&config);
    cs_open_result_t opened;
    cr_assert_eq(cs_node_add_folder(again, &folder, 0, &opened), CS_ERR_CORRUPT);
    cs_node_destroy(&again);
}

/* Of a database that came with another home. */
Test(node_marks, an_id_that_it_cannot_sign_for_is_given_up)
{
    nw_connect(&world, 0, 1);
    write_and_pass(0, "a", "a");
    uint64_t rid = state_of(0)->rid;
    cs_folder_config_t folder = {.id = "g", .number = NW_FOLDER, .secret = {7}, .fresh_rid = 9};
    cs_node_config_t config = {.store = world.node[0].store, .self = nw_key(2), .signs = true};
    memcpy(config.seed, nw_seed(2), sizeof config.seed);
    cs_node_t *other = cs_node_new(&config);
    cs_open_result_t opened;
    cr_assert_eq(cs_node_add_folder(other, &folder, 0, &opened), CS_OK);
    cr_assert_neq(cs_replica_state(cs_node_replica(other, NW_FOLDER))->rid, rid);
    cs_node_destroy(&other);
}
