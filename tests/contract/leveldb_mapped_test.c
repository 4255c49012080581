/* leveldb_mapped_test.c - tables take no more memory than they may, however much is read, and
 * nobody reads anything else when their pages are given back. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/leveldb_internal.h"
#include "io/leveldb_mapped.h"
#include "support/folder.h"

#define ROWS_MAX    (120u << 10) /* of 1 KiB: more than may be in memory */
#define VALUE_BYTES 1024u
#define BATCH       512u

static cs_store_t *store;
static char *dir;

int munmap(void *addr, size_t len)
{
    return cs_leveldb_munmap(addr, len);
}

static int another_munmap(void *addr, size_t len)
{
    return munmap(addr, len);
}

static void setup(void)
{
    cs_buf_t detail = {0};
    cs_leveldb_use_munmap(munmap);
    dir = cs_test_dir_new();
    cr_assert_eq(cs_leveldb_open(dir, &store, &detail), CS_OK);
    cs_buf_fini(&detail);
}

static void teardown(void)
{
    cs_store_close(&store);
    cs_test_dir_remove(&dir);
}

TestSuite(leveldb_mapped, .init = setup, .fini = teardown);

static void value_of(uint32_t row, uint32_t round, uint8_t ret[VALUE_BYTES])
{
    uint64_t x = ((uint64_t)round << 32 | row) + 1;
    for (size_t i = 0; i < VALUE_BYTES; i += sizeof x) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        memcpy(ret + i, &x, sizeof x);
    }
}

static void put_rows(uint32_t count, uint32_t round)
{
    uint8_t value[VALUE_BYTES], key[4];
    for (uint32_t i = 0; i < count; i += BATCH) {
        cs_batch_t batch = {0};
        for (uint32_t row = i; row < i + BATCH; row++) {
            value_of(row, round, value);
            for (int k = 0; k < 4; k++) {
                key[k] = (uint8_t)(row >> (24 - 8 * k));
            }
            cs_batch_put(&batch, cs_slice(key, sizeof key), cs_slice(value, sizeof value));
        }
        cr_assert_eq(cs_store_write(store, &batch, false), CS_OK);
        cs_batch_fini(&batch);
    }
}

/* From the tables, not from what was written last. */
static void compact(void)
{
    leveldb_compact_range(((cs_ldb_t *)store)->db, NULL, 0, NULL, 0);
}

typedef struct memory {
    size_t own, files, tables; /* bytes in memory; tables are files */
} memory_t;

static memory_t memory_now(void)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    cr_assert_not_null(file);
    memory_t ret = {0};
    char line[512];
    bool is_file = false, is_table = false;
    size_t kib;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strchr(line, '-') != NULL && strstr(line, "kB") == NULL) {
            is_file = strchr(line, '/') != NULL;
            is_table = strstr(line, ".ldb\n") != NULL;
        } else if (sscanf(line, "Rss: %zu kB", &kib) == 1) {
            *(is_file ? &ret.files : &ret.own) += kib << 10;
            if (is_table) ret.tables += kib << 10;
        }
    }
    cr_assert_eq(fclose(file), 0);
    return ret;
}

static void check_rows(uint32_t count, uint32_t round)
{
    uint8_t value[VALUE_BYTES];
    cs_iter_t *iter = cs_store_iter(store, NULL);
    uint32_t row = 0;
    for (cs_iter_seek(iter, cs_slice(NULL, 0)); cs_iter_valid(iter); cs_iter_next(iter)) {
        value_of(row++, round, value);
        cr_assert(cs_slice_eq(cs_iter_value(iter), cs_slice(value, sizeof value)), "%u", row);
    }
    cr_assert_eq(cs_iter_err(iter), CS_OK);
    cr_assert_eq(row, count);
    cs_iter_destroy(&iter);
}

Test(leveldb_mapped, pages_are_given_back_and_read_again)
{
    put_rows(8 * BATCH, 1);
    compact();
    check_rows(8 * BATCH, 1);
    cr_assert_geq(memory_now().tables, 8 * BATCH * VALUE_BYTES);
    cr_expect_gt(cs__ldb_mapped_trim(), 0);
    cr_assert_eq(memory_now().tables, 0);
    check_rows(8 * BATCH, 1);
}

Test(leveldb_mapped, a_walk_takes_no_more_than_it_may)
{
    put_rows(ROWS_MAX, 1);
    compact();
    uint8_t value[VALUE_BYTES];
    uint32_t row = 0;
    size_t most = 0, over = 0;
    cs_iter_t *iter = cs_store_iter(store, NULL);
    for (cs_iter_seek(iter, cs_slice(NULL, 0)); cs_iter_valid(iter); cs_iter_next(iter)) {
        value_of(row, 1, value);
        cr_assert(cs_slice_eq(cs_iter_value(iter), cs_slice(value, sizeof value)));
        if (++row % 1024 != 0) continue;
        memory_t memory = memory_now();
        size_t max = cs__ldb_mapped_max(memory.own);
        if (memory.files > max && memory.files - max > over) over = memory.files - max;
        if (memory.tables > most) most = memory.tables;
    }
    cs_iter_destroy(&iter);
    cr_assert_eq(row, ROWS_MAX);
    cr_expect_leq(over, 4u << 20, "%zu", over); /* read between two looks */
    cr_expect_gt(most, CS_LDB_MAPPED_BYTES / 4, "%zu", most);
    cr_expect_lt(most, ROWS_MAX * VALUE_BYTES, "%zu", most);
}

Test(leveldb_mapped, without_a_munmap_that_waits_nothing_is_given_back)
{
    put_rows(8 * BATCH, 1);
    compact();
    check_rows(8 * BATCH, 1);
    size_t before = memory_now().tables;
    cs_leveldb_use_munmap(another_munmap); /* which no library finds */
    cr_expect_not(cs__ldb_mapped_is_bounded());
    cr_expect_eq(cs__ldb_mapped_trim(), 0);
    cr_expect_eq(memory_now().tables, before);
}

Test(leveldb_mapped, who_needs_little_may_keep_more)
{
    const size_t all = CS_LDB_RESIDENT_BYTES, least = CS_LDB_MAPPED_BYTES;
    cr_expect_eq(cs__ldb_mapped_max(0), all);
    cr_expect_eq(cs__ldb_mapped_max(all - least - 1), least + 1);
    cr_expect_eq(cs__ldb_mapped_max(all - least), least);
    cr_expect_eq(cs__ldb_mapped_max(all + 1), least);
}

static atomic_bool done;

static void *trim_all_the_time(void *arg)
{
    size_t *ret = arg;
    while (!atomic_load(&done)) {
        *ret += cs__ldb_mapped_trim();
    }
    return NULL;
}

#define TABLE_BYTES (256u << 10)

/* As LevelDB does: a table is mapped, and when it is closed other memory comes to its place. */
static void *map_all_the_time(void *arg)
{
    bool *ret = arg;
    char path[300];
    snprintf(path, sizeof path, "%s/a.ldb", dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, TABLE_BYTES), 0);
    while (!atomic_load(&done)) {
        uint8_t *table = mmap(NULL, TABLE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
        if (table == MAP_FAILED) continue;
        (void)sched_yield();
        (void)munmap(table, TABLE_BYTES);
        uint8_t *at = mmap(table, TABLE_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (at == MAP_FAILED) continue;
        memset(at, 0x5a, TABLE_BYTES);
        (void)sched_yield();
        for (size_t i = 0; i < TABLE_BYTES; i += 512) {
            if (at[i] != 0x5a) *ret = true;
        }
        (void)munmap(at, TABLE_BYTES);
    }
    (void)close(fd);
    return NULL;
}

/* Whatever other threads were doing: the child does not wait for any of them. */
static void fork_and_unmap(void)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        (void)alarm(60);
        void *at = mmap(NULL, TABLE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        _exit(at == MAP_FAILED || munmap(at, TABLE_BYTES) != 0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

Test(leveldb_mapped, nobody_else_loses_memory_while_tables_come_and_go)
{
    pthread_t trimming, mapping;
    size_t trimmed = 0;
    bool lost = false;
    cr_assert_eq(pthread_create(&trimming, NULL, trim_all_the_time, &trimmed), 0);
    cr_assert_eq(pthread_create(&mapping, NULL, map_all_the_time, &lost), 0);
    for (uint32_t round = 1; round <= 6; round++) {
        put_rows(8 * BATCH, round);
        compact();
        check_rows(8 * BATCH, round);
        for (int i = 0; i < 20; i++) {
            fork_and_unmap();
        }
    }
    atomic_store(&done, true);
    cr_assert_eq(pthread_join(trimming, NULL), 0);
    cr_assert_eq(pthread_join(mapping, NULL), 0);
    cr_expect_gt(trimmed, 0);
    cr_expect_not(lost);
}
