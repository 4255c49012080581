/* node_ahead_test.c - small files that a user saves are sent before others ask for them: two
 * nodes, and all that is on its way between them. */
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

#define SEEDS  20u
#define RECORD (CS_NAME_BYTES + 4u) /* bytes of a record in a CHUNK beside its content */

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
    cr_assert_eq(world.node[1].dressed, 1, "whose file it is was known when it was asked for");
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
