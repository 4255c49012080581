/* fs_crash_test.c - what a power cut leaves of the simulator's volume.
 *
 * After each call of a random history the volume is described. A power cut must leave exactly
 * what was described after some call since the last flush: with ordered data in everything,
 * else in all but the bytes. And each of those moments must be met in some history. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/prng.h"
#include "sim/mem_fs.h"
#include "support/seed.h"

#define HISTORIES 400
#define CALLS     60
#define FDS       3

typedef struct run {
    cs_prng_t prng;
    uint64_t seed;
    bool ordered;
    cs_mem_volume_t *volume;
    cs_mem_fd_t *fd[FDS];
    cs_buf_t moment[CALLS + 2]; /* descriptions since the last flush */
    size_t moments;
    int64_t now_ns;
} run_t;

typedef struct describe {
    cs_buf_t *into;
    bool with_bytes;
} describe_t;

static void describe_item(void *arg, const cs_mem_item_t *item)
{
    describe_t *d = arg;
    cs_buf_put_slice(d->into, item->path);
    const cs_stat_t *st = &item->stat;
    cs_buf_printf(d->into, " %d %o %u %llu %llu %lld %lld\n", st->type, st->mode, st->nlink,
                  (unsigned long long)st->print.ino, (unsigned long long)st->print.size,
                  (long long)st->print.mtime_ns, (long long)st->print.ctime_ns);
    if (d->with_bytes || st->type == CS_NODE_SYMLINK) cs_buf_put_slice(d->into, item->bytes);
}

static void describe(const run_t *run, cs_buf_t *ret)
{
    describe_t d = {.into = ret, .with_bytes = run->ordered};
    cs_buf_clear(ret);
    cs_mem_volume_walk(run->volume, describe_item, &d);
}

static void forget_moments(run_t *run)
{
    for (size_t i = 0; i < run->moments; i++) {
        cs_buf_fini(&run->moment[i]);
    }
    run->moments = 0;
}

static void note_moment(run_t *run)
{
    describe(run, &run->moment[run->moments++]);
}

static void pick_path(cs_prng_t *prng, char *ret, size_t cap)
{
    int depth = 1 + (int)cs_prng_below(prng, 2);
    size_t len = 0;
    for (int i = 0; i < depth; i++) {
        len += (size_t)snprintf(ret + len, cap - len, "%s%c", i > 0 ? "/" : "",
                                (int)('a' + cs_prng_below(prng, 4)));
    }
}

/* True if all metadata is durable after it. */
static bool act_on_file(run_t *run, cs_slice_t path)
{
    size_t i = cs_prng_below(&run->prng, FDS);
    uint8_t data[40];
    cs_prng_fill(&run->prng, data, sizeof data);
    uint64_t drawn = cs_prng_below(&run->prng, 10), at = cs_prng_below(&run->prng, 60);
    if (run->fd[i] == NULL || drawn < 3) {
        cs_mem_user_close(&run->fd[i]);
        unsigned flags = CS_MEM_O_WRITE | CS_MEM_O_CREATE;
        if (drawn == 1) flags |= CS_MEM_O_TRUNC;
        (void)!cs_mem_user_open(run->volume, path, flags, 0644, &run->fd[i]);
        return false;
    }
    if (drawn == 3) return cs_mem_user_fsync(run->fd[i]) == CS_OK;
    if (drawn == 4) {
        (void)!cs_mem_user_ftruncate(run->fd[i], at);
    } else if (drawn == 5) {
        (void)!cs_mem_user_poke(run->fd[i], at / 2, data, 5);
    } else {
        (void)!cs_mem_user_pwrite(run->fd[i], at, data, cs_prng_below(&run->prng, 40));
    }
    return false;
}

static bool act(run_t *run)
{
    char a[16], b[16];
    pick_path(&run->prng, a, sizeof a);
    pick_path(&run->prng, b, sizeof b);
    cs_slice_t path = cs_slice_text(a), to = cs_slice_text(b);
    cs_mem_volume_set_time(run->volume, run->now_ns += 1000);
    uint64_t drawn = cs_prng_below(&run->prng, 20);
    switch (drawn) {
    case 0:
    case 1:
        (void)!cs_mem_user_mkdir(run->volume, path);
        return false;
    case 2:
        (void)!cs_mem_user_rmdir(run->volume, path);
        return false;
    case 3:
        (void)!cs_mem_user_unlink(run->volume, path);
        return false;
    case 4:
        (void)!cs_mem_user_link(run->volume, path, to);
        return false;
    case 5:
        (void)!cs_mem_user_symlink(run->volume, to, path);
        return false;
    case 6:
    case 7:
    case 8:
        (void)!cs_mem_user_rename(run->volume, path, to, (cs_rename_mode_t)(drawn - 6));
        return false;
    case 9:
        (void)!cs_mem_user_chmod(run->volume, path, (uint16_t)cs_prng_below(&run->prng, 512));
        return false;
    case 10:
        (void)!cs_mem_user_utimens(run->volume, path, (int64_t)drawn);
        return false;
    default:
        return act_on_file(run, path);
    }
}

/* The accounts are those of what is there. */
static void expect_accounts(const run_t *run)
{
    cs_mem_volume_t *copy = cs_mem_volume_copy(run->volume);
    uint64_t bytes, inodes, copy_bytes, copy_inodes;
    cs_mem_volume_used(run->volume, &bytes, &inodes);
    cs_mem_volume_used(copy, &copy_bytes, &copy_inodes);
    cr_assert_eq(bytes, copy_bytes);
    cr_assert_eq(inodes, copy_inodes);
    cs_mem_volume_destroy(&copy);
}

/* Which moment it is; fails if none. */
static size_t expect_some_moment(const run_t *run)
{
    cs_buf_t now = {0};
    describe(run, &now);
    size_t i = run->moments;
    while (i > 0 && !cs_slice_eq(cs_buf_slice(&run->moment[i - 1]), cs_buf_slice(&now))) {
        i--;
    }
    cr_assert_gt(i, 0, "seed %llu: never was\n%.*s", (unsigned long long)run->seed,
                 (int)now.len, (const char *)now.data);
    cs_buf_fini(&now);
    return i - 1;
}

static void crash(run_t *run, unsigned *seen)
{
    cs_mem_volume_crash(run->volume, cs_prng_u64(&run->prng));
    size_t at = expect_some_moment(run);
    if (run->moments > 2) *seen |= at == 0 ? 1u : at + 1 == run->moments ? 4u : 2u;
    forget_moments(run);
    for (size_t i = 0; i < FDS; i++) {
        uint8_t byte;
        size_t len;
        if (run->fd[i] != NULL) {
            cr_assert_eq(cs_mem_user_pread(run->fd[i], 0, &byte, 1, &len), CS_ERR_IO);
        }
        cs_mem_user_close(&run->fd[i]);
    }
    expect_accounts(run);
}

/* ret: what is there at the end; may be NULL. */
static void history(uint64_t seed, bool ordered, unsigned *seen, cs_buf_t *ret)
{
    run_t run = {.seed = seed, .ordered = ordered};
    cs_prng_init(&run.prng, seed);
    cs_mem_config_t config = {.umask = 022,
                              .power_cuts = true,
                              .ordered_data = ordered,
                              .reuse_inodes = cs_prng_chance(&run.prng, 1, 2)};
    run.volume = cs_mem_volume_new(&config);
    note_moment(&run);
    for (int i = 0; i < CALLS; i++) {
        if (act(&run)) forget_moments(&run);
        note_moment(&run);
        if (cs_prng_chance(&run.prng, 1, 30)) {
            cs_mem_volume_flush(run.volume);
            forget_moments(&run);
            note_moment(&run);
        }
        if (cs_prng_chance(&run.prng, 1, 20)) {
            crash(&run, seen);
            note_moment(&run);
        }
    }
    crash(&run, seen);
    if (ret != NULL) describe(&run, ret);
    cs_mem_volume_destroy(&run.volume);
}

static void histories(bool ordered)
{
    uint64_t seed = test_seed(ordered ? "fs_crash ordered" : "fs_crash");
    unsigned seen = 0;
    for (uint64_t i = 0; i < HISTORIES; i++) {
        history(seed + i, ordered, &seen, NULL);
    }
    cr_assert_eq(seen, 7, "the first moment, one in between, and the last were all met");
}

Test(fs_crash, leaves_what_was_at_some_moment_since_the_last_flush)
{
    histories(true);
}

Test(fs_crash, leaves_the_metadata_of_some_moment_where_bytes_are_on_their_own)
{
    histories(false);
}

/* Inode numbers and times too, whatever the addresses. */
Test(fs_crash, the_same_calls_give_the_same_volume)
{
    uint64_t seed = test_seed("fs_crash twice");
    for (uint64_t i = 0; i < HISTORIES / 4; i++) {
        unsigned seen = 0;
        cs_buf_t once = {0}, twice = {0};
        history(seed + i, true, &seen, &once);
        void *other_addresses = cs_malloc(100 + i * 16);
        history(seed + i, true, &seen, &twice);
        cs_free(other_addresses);
        cr_assert(cs_slice_eq(cs_buf_slice(&once), cs_buf_slice(&twice)));
        cs_buf_fini(&once);
        cs_buf_fini(&twice);
    }
}
