/* node_offered_test.c - small files that come before they are asked for: one node, and a member
 * that says what it likes. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proto/frame.h"
#include "support/member.h"
#include "support/node_world.h"
#include "support/support.h"
#include "xfer/fetch.h"

#define LINK   1u
#define RECORD (CS_NAME_BYTES + 4u) /* bytes of a record in a CHUNK beside its content */

static const uint8_t secret[CS_SECRET_BYTES] = {7}; /* of nw_open */
static nw_world_t world;
static member_t member;
static unsigned asked; /* names */

static void on_told(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload)
{
    cs_msg_t msg = {0};
    (void)arg, (void)link;
    cr_assert_eq(cs_msg_decode(&msg, header, payload), CS_OK);
    if (msg.type == CS_MSG_CWANT) {
        asked += (unsigned)(msg.u.cwant.contents.len / CS_NAME_BYTES);
    }
    cs_msg_fini(&msg);
}

/* All that is to be done at this moment. */
static void steps(void)
{
    while (nw_step(&world)) {
    }
}

static void run(void)
{
    for (unsigned quiet = 0; quiet < 20; quiet++) {
        steps();
        nw_pass_time(&world);
    }
}

static void open_one(void)
{
    nw_open_trusting(&world, 1, 1);
    world.depth = 2; /* nothing happens within jobs */
    world.stranger = (nw_stranger_t){.told = on_told};
    member_init(&member, secret, 0x60);
    cs_member_t allowed = {.key = nw_key(1)};
    cs_event_t allow = {.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &allowed};
    nw_event(&world.node[0], &allow);
    cs_event_t up = {.kind = CS_EV_LINK_UP, .link = LINK, .key = allowed.key};
    nw_event(&world.node[0], &up);
    run(); /* the first scan */
    asked = 0;
}

static void close_one(void)
{
    member_fini(&member);
    cr_assert_null(world.failure, "%s", world.failure);
    nw_close(&world);
}

static void say(cs_msg_t *msg, cs_buf_t *payload)
{
    cs_buf_t header = {0};
    memcpy(msg->tag, member.keys.tag, sizeof msg->tag);
    cs_msg_encode(msg, &header);
    nw_message(&world.node[0], LINK, cs_buf_slice(&header), payload);
    cs_buf_fini(&header);
}

static void send_ahead(const char *name, const char *spoilt)
{
    cs_buf_t payload = {0};
    const member_bytes_t *found = member_find(&member, (const uint8_t *)name);
    cs_slice_t bytes = spoilt != NULL ? cs_slice_text(spoilt) : cs_buf_slice(&found->bytes);
    cs_chunk_put(&payload, (const uint8_t *)name, bytes);
    cs_msg_t msg = {.type = CS_MSG_CHUNK, .flags = CS_FLAG_AHEAD};
    say(&msg, &payload);
}

/* Its user saves the bytes; the name of the content. */
static void write_file(const char *path, cs_slice_t bytes, char ret[CS_NAME_BYTES])
{
    cs_content_t content;
    member_write(&member, path, bytes);
    cs_content_of(member.table, CS_KIND_FILE, bytes, &content);
    memcpy(ret, content.hash, CS_NAME_BYTES);
}

static void push_all(const char *const *paths, uint32_t count)
{
    cs_buf_t entry = {0}, packed = {0}, none = {0};
    for (uint32_t i = 0; i < count; i++) {
        member_entry(member.replica, &member.keys, paths[i], &entry);
        cs_packed_put(&packed, cs_buf_slice(&entry));
    }
    cs_msg_t msg = {.type = CS_MSG_ENTRIES,
                    .u.entries.entries = {count, cs_buf_slice(&packed)}};
    say(&msg, &none);
    cs_buf_fini(&entry);
    cs_buf_fini(&packed);
}

static void push(const char *path)
{
    push_all(&path, 1);
}

static bool is_there(const char *name)
{
    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%.200s/%s", world.node[0].dir, name);
    return stat(path, &st) == 0;
}

Test(node_offered, what_came_ahead_is_not_asked_for)
{
    char name[CS_NAME_BYTES];
    open_one();
    write_file("z", cs_slice_text("what was saved"), name);
    send_ahead(name, NULL);
    push("z");
    run();
    cr_assert(is_there("z"));
    cr_assert_eq(asked, 0);
    close_one();
}

Test(node_offered, what_names_other_bytes_is_a_lie)
{
    char name[CS_NAME_BYTES];
    open_one();
    write_file("z", cs_slice_text("what was saved"), name);
    send_ahead(name, "what was not");
    push("z");
    run();
    cr_assert_not(is_there("z"));
    cr_assert_eq(world.drops, 1);
    close_one();
}

/* Two contents of one message, that is as large as may be, or larger by a byte. */
static void send_two(size_t more)
{
    size_t size = CS_AHEAD_BYTES_MAX / 2 - RECORD;
    static const char *const path[] = {"a", "b"};
    char name[2][CS_NAME_BYTES];
    cs_buf_t payload = {0};
    char *bytes = cs_malloc(size + 1);
    open_one();
    for (int i = 0; i < 2; i++) {
        memset(bytes, 'a' + i, size + 1);
        cs_slice_t content = cs_slice(bytes, size + (i == 1 ? more : 0));
        write_file(path[i], content, name[i]);
        cs_chunk_put(&payload, (const uint8_t *)name[i], content);
    }
    cs_free(bytes);
    cs_msg_t msg = {.type = CS_MSG_CHUNK, .flags = CS_FLAG_AHEAD};
    say(&msg, &payload);
    push_all(path, 2);
    run();
    cr_assert_eq(is_there("a") && is_there("b"), asked == 0);
}

Test(node_offered, a_message_of_the_largest_size_is_kept)
{
    send_two(0);
    cr_assert_eq(asked, 0);
    close_one();
}

Test(node_offered, a_larger_message_is_left)
{
    send_two(1);
    cr_assert_eq(asked, 2);
    close_one();
}

/* Files in .crdtsync/tmp. */
static unsigned staged(void)
{
    char path[256];
    unsigned count = 0;
    snprintf(path, sizeof path, "%.200s/.crdtsync/tmp", world.node[0].dir);
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    for (const struct dirent *at; (at = readdir(dir)) != NULL;) {
        count += at->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

/* Its entry is not there yet. */
static void open_with_one_ahead(void)
{
    char name[CS_NAME_BYTES];
    open_one();
    write_file("z", cs_slice_text("what was saved"), name);
    send_ahead(name, NULL);
    steps();
    cr_assert_eq(staged(), 1);
}

Test(node_offered, what_came_ahead_is_on_disk_before_its_entry_comes)
{
    open_with_one_ahead();
    push("z");
    run();
    cr_assert(is_there("z") && asked == 0);
    cr_assert_eq(staged(), 0);
    close_one();
}

Test(node_offered, more_than_some_is_asked_for)
{
    char name[CS_FETCH_OFFERS_MAX + 1][CS_NAME_BYTES], path[8], text[16];
    open_one();
    for (unsigned i = 0; i <= CS_FETCH_OFFERS_MAX; i++) {
        snprintf(path, sizeof path, "%u", i);
        snprintf(text, sizeof text, "text %u", i);
        write_file(path, cs_slice_text(text), name[i]);
        send_ahead(name[i], NULL);
        steps();
    }
    cr_assert_eq(staged(), CS_FETCH_OFFERS_MAX);
    for (unsigned i = 0; i <= CS_FETCH_OFFERS_MAX; i++) {
        snprintf(path, sizeof path, "%u", i);
        push(path);
    }
    run();
    cr_assert(is_there("0"));
    cr_assert_eq(asked, 1, "the last one was one too many");
    close_one();
}

static void pass(uint64_t ms)
{
    for (uint64_t end_ms = world.now_ms + ms; world.now_ms < end_ms;) {
        run();
    }
}

Test(node_offered, what_no_entry_names_is_removed)
{
    open_with_one_ahead();
    pass(CS_AHEAD_KEPT_MS);
    cr_assert_eq(staged(), 0);
    push("z");
    run();
    cr_assert_eq(asked, 1);
    close_one();
}
