/* node_ahead_test.c - small files that a user saves are with others before these ask. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "proto/frame.h"
#include "support/member.h"
#include "support/node_world.h"
#include "support/support.h"

#define LINK   1u
#define SEEDS  20u
#define RECORD (CS_NAME_BYTES + 4u) /* bytes of a record in a CHUNK beside its content */

/* --- who saves: two nodes, and all that is on its way between them */

typedef struct seen {
    unsigned ahead, chunks, asked; /* frames seen waiting */
} seen_t;

static nw_world_t world;
static seen_t seen;

static void look(void)
{
    for (size_t i = 0; i < 2 * (size_t)NW_LINKS_MAX; i++) {
        const nw_frame_t *frame = world.link[i / 2].queue[i % 2].first;
        for (; frame != NULL; frame = frame->next) {
            cs_msg_t msg = {0};
            cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&frame->header),
                                       cs_buf_slice(&frame->payload)),
                         CS_OK);
            bool is_chunk = msg.type == CS_MSG_CHUNK;
            bool is_ahead = is_chunk && (msg.flags & CS_FLAG_AHEAD) != 0;
            seen.ahead += is_ahead;
            seen.chunks += is_chunk && !is_ahead;
            seen.asked += msg.type == CS_MSG_CWANT;
            cs_msg_fini(&msg);
        }
    }
}

static void open_two(uint64_t seed)
{
    nw_open(&world, seed, 2);
    nw_connect(&world, 0, 1);
    nw_settle(&world);
    seen = (seen_t){0};
}

static void close_two(void)
{
    cr_assert_null(world.failure, "%s", world.failure);
    nw_close(&world);
}

/* Node 0 looks at `path`; then all there is to do is done. */
static void scan(const char *path)
{
    nw_scan(&world.node[0], path);
    for (unsigned quiet = 0; quiet < 20; quiet++) {
        while (nw_step(&world)) {
            look();
        }
        nw_pass_time(&world);
    }
    nw_settle(&world);
}

static void save(const char *name, size_t size, char fill)
{
    char *bytes = cs_malloc(size);
    memset(bytes, fill, size);
    char *path = NULL;
    cr_assert_geq(asprintf(&path, "%s/%s", world.node[0].dir, name), 0);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    free(path);
    cs_free(bytes);
}

static void make_dir(const char *name)
{
    char *path = NULL;
    cr_assert_geq(asprintf(&path, "%s/%s", world.node[0].dir, name), 0);
    cr_assert_eq(mkdir(path, 0755), 0);
    free(path);
}

Test(node_ahead, what_is_saved_needs_no_question)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        open_two(seed);
        save("saved", CS_AHEAD_FILE_MAX, 'x');
        scan("saved");
        cr_assert_gt(seen.ahead, 0);
        cr_assert_eq(seen.asked + seen.chunks, 0, "seed %u: it was asked for", (unsigned)seed);
        close_two();
    }
}

static void save_and_scan(size_t size, const char *path)
{
    open_two(1);
    save("saved", size, 'x');
    scan(path);
    cr_assert_eq(seen.ahead, 0);
    cr_assert_gt(seen.asked, 0);
    close_two();
}

Test(node_ahead, what_is_larger_is_asked_for)
{
    save_and_scan(CS_AHEAD_FILE_MAX + 1, "saved");
}

Test(node_ahead, a_scan_of_everything_sends_nothing_ahead)
{
    save_and_scan(100, NULL);
}

static void save_into(const char *dir, int count, size_t size, char first)
{
    make_dir(dir);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%d", dir, i);
        save(name, size, (char)(first + i));
    }
}

Test(node_ahead, so_much_and_not_more_goes_with_one_push)
{
    const size_t size = CS_AHEAD_BYTES_MAX / 4 - RECORD;
    open_two(1);
    save_into("four", 4, size, 'a');
    scan("four");
    cr_assert_gt(seen.ahead, 0);
    cr_assert_eq(seen.asked, 0);
    seen = (seen_t){0};
    save_into("five", 5, size, 'A');
    scan("five");
    cr_assert_eq(seen.ahead, 0);
    cr_assert_gt(seen.asked, 0);
    close_two();
}

Test(node_ahead, what_was_moved_is_not_sent)
{
    open_two(1);
    make_dir("dir");
    save("dir/old", 2000, 'x');
    scan("dir");
    seen = (seen_t){0};
    char from[256], to[256];
    snprintf(from, sizeof from, "%.200s/dir/old", world.node[0].dir);
    snprintf(to, sizeof to, "%.200s/dir/new", world.node[0].dir);
    cr_assert_eq(rename(from, to), 0);
    scan("dir");
    cr_assert_eq(seen.ahead + seen.chunks + seen.asked, 0);
    close_two();
}

/* --- who gets it: one node, and a member that says what it likes */

static const uint8_t secret[CS_SECRET_BYTES] = {7}; /* of nw_open */
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

static void run(void)
{
    for (unsigned quiet = 0; quiet < 20; quiet++) {
        while (nw_step(&world)) {
        }
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
    close_two();
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

Test(node_ahead, what_came_ahead_is_not_asked_for)
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

Test(node_ahead, what_names_other_bytes_is_a_lie)
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

Test(node_ahead, a_message_of_the_largest_size_is_kept)
{
    send_two(0);
    cr_assert_eq(asked, 0);
    close_one();
}

Test(node_ahead, a_larger_message_is_left)
{
    send_two(1);
    cr_assert_eq(asked, 2);
    close_one();
}

Test(node_ahead, the_newest_messages_are_kept)
{
    char name[CS_AHEAD_KEPT_MAX + 1][CS_NAME_BYTES], path[8], text[16];
    open_one();
    for (unsigned i = 0; i <= CS_AHEAD_KEPT_MAX; i++) {
        snprintf(path, sizeof path, "%u", i);
        snprintf(text, sizeof text, "text %u", i);
        write_file(path, cs_slice_text(text), name[i]);
        send_ahead(name[i], NULL);
    }
    snprintf(path, sizeof path, "%u", CS_AHEAD_KEPT_MAX);
    push(path);
    push("1");
    run();
    cr_assert(is_there(path));
    cr_assert_eq(asked, 0);
    push("0");
    run();
    cr_assert_eq(asked, 1, "the oldest one was forgotten");
    close_one();
}

Test(node_ahead, what_is_not_used_is_forgotten)
{
    char name[CS_NAME_BYTES];
    open_one();
    write_file("z", cs_slice_text("what was saved"), name);
    send_ahead(name, NULL);
    for (uint64_t end_ms = world.now_ms + CS_AHEAD_KEPT_MS; world.now_ms < end_ms;) {
        run();
    }
    push("z");
    run();
    cr_assert_eq(asked, 1);
    close_one();
}
