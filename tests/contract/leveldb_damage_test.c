/* leveldb_damage_test.c - damaged database files give an error or all rows, never fewer rows.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/leveldb_store.h"
#include "support/support.h"

#define PATH_BYTES  512
#define NAMES_MAX   32u
#define ROWS        300u /* of each session */
#define VALUE_BYTES 40u
#define SESSIONS    3u  /* all but the last end up in tables, the last in the log */
#define EDGE_BYTES  80u /* at both ends of each file every byte is flipped */
#define SAMPLES     60u /* and so many in between */

typedef struct files {
    char name[NAMES_MAX][64];
    size_t count;
} files_t;

typedef struct fixture {
    tmp_t tmp;
    char good[PATH_BYTES]; /* an intact database, closed */
    char work[PATH_BYTES]; /* a copy to damage */
    files_t files;         /* of both */
} fixture_t;

static const char *join(char *ret, const char *dir, const char *name)
{
    snprintf(ret, PATH_BYTES, "%s/%s", dir, name);
    return ret;
}

static cs_store_t *open_good(const char *path)
{
    cs_store_t *store = NULL;
    cs_buf_t detail = {0};
    cs_err_t err = cs_leveldb_open(path, &store, &detail);
    cr_assert_eq(err, CS_OK, "%.*s", (int)detail.len, (const char *)detail.data);
    cs_buf_fini(&detail);
    return store;
}

static void put_rows(cs_store_t *store, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        cs_batch_t batch = {0};
        cs_buf_t key = {0};
        uint8_t value[VALUE_BYTES];
        memset(value, (int)(i & 0xff), sizeof value);
        cs_buf_put_u32_be(&key, i);
        cs_batch_put(&batch, cs_buf_slice(&key), cs_slice(value, sizeof value));
        cr_assert_eq(cs_store_write(store, &batch, i % 100 == 0), CS_OK);
        cs_buf_fini(&key);
        cs_batch_fini(&batch);
    }
}

static void list_files(const char *path, files_t *ret)
{
    ret->count = 0;
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        cr_assert_lt(ret->count, NAMES_MAX);
        snprintf(ret->name[ret->count++], sizeof ret->name[0], "%.60s", entry->d_name);
    }
    closedir(dir);
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    *ret_len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = cs_malloc(*ret_len + 1);
    cr_assert_eq(fread(bytes, 1, *ret_len, file), *ret_len);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    cr_assert_eq(fwrite(bytes, 1, len, file), len);
    cr_assert_eq(fclose(file), 0);
}

/* Makes `work` equal to `good`; the store's own files of an earlier try go. */
static void restore_work(fixture_t *fix)
{
    tmp_t work;
    snprintf(work.path, sizeof work.path, "%.250s", fix->work);
    if (access(fix->work, F_OK) == 0) tmp_remove(&work);
    cr_assert_eq(mkdir(fix->work, 0700), 0);
    for (size_t i = 0; i < fix->files.count; i++) {
        char path[PATH_BYTES];
        size_t len;
        uint8_t *bytes = read_file(join(path, fix->good, fix->files.name[i]), &len);
        write_file(join(path, fix->work, fix->files.name[i]), bytes, len);
        cs_free(bytes);
    }
}

static fixture_t fixture_new(void)
{
    fixture_t fix = {.tmp = tmp_new()};
    join(fix.good, fix.tmp.path, "good");
    join(fix.work, fix.tmp.path, "work");
    for (uint32_t session = 0; session < SESSIONS; session++) {
        cs_store_t *store = open_good(fix.good);
        put_rows(store, session * ROWS, ROWS);
        cs_store_close(&store);
    }
    list_files(fix.good, &fix.files);
    restore_work(&fix);
    return fix;
}

/* The first file whose name contains `part`. */
static const char *file_named(const fixture_t *fix, const char *part)
{
    for (size_t i = 0; i < fix->files.count; i++) {
        if (strstr(fix->files.name[i], part) != NULL) return fix->files.name[i];
    }
    cr_assert_fail("the database has no %s", part);
    return NULL;
}

/* Reads all rows by walk and by get: CS_OK means that `ret_count` rows exist, and no gap. */
static cs_err_t count_rows(cs_store_t *store, uint32_t *ret_count)
{
    *ret_count = 0;
    cs_iter_t *iter = cs_store_iter(store, NULL);
    bool gap = false;
    for (cs_iter_seek(iter, cs_slice(NULL, 0)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_reader_t key = cs_reader(cs_iter_key(iter));
        gap = gap || cs_read_u32_be(&key) != *ret_count;
        (*ret_count)++;
    }
    cs_err_t err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    if (err == CS_OK) cr_assert_not(gap, "rows are missing, and no error");
    return err;
}

static cs_err_t get_rows(cs_store_t *store, uint32_t count)
{
    cs_err_t err = CS_OK;
    cs_buf_t key = {0}, value = {0};
    for (uint32_t i = 0; i < count && err == CS_OK; i++) {
        cs_buf_clear(&key);
        cs_buf_put_u32_be(&key, i);
        err = cs_store_get(store, NULL, cs_buf_slice(&key), &value);
        cr_assert_neq(err, CS_ERR_NOT_FOUND, "row %u is missing, and no error", i);
    }
    cs_buf_fini(&key);
    cs_buf_fini(&value);
    return err;
}

/* Opens `work` and reads everything: the first error, or CS_OK. */
static cs_err_t try_work(const fixture_t *fix, uint32_t *ret_count)
{
    *ret_count = 0;
    cs_store_t *store = NULL;
    cs_buf_t detail = {0};
    cs_err_t err = cs_leveldb_open(fix->work, &store, &detail);
    cr_assert_eq(err == CS_OK, detail.len == 0);
    cs_buf_fini(&detail);
    if (err != CS_OK) return err;
    err = count_rows(store, ret_count);
    cs_err_t get_err = get_rows(store, *ret_count);
    if (err == CS_OK) err = get_err;
    cs_store_close(&store);
    return err;
}

static void expect_work(const fixture_t *fix, cs_err_t want)
{
    uint32_t count;
    cs_err_t err = try_work(fix, &count);
    cr_assert_eq(err, want, "%s", cs_err_name(err));
    if (err == CS_OK) cr_assert_eq(count, SESSIONS * ROWS);
}

static void cut_work(const fixture_t *fix, const char *name, off_t bytes)
{
    char path[PATH_BYTES];
    struct stat st;
    cr_assert_eq(stat(join(path, fix->work, name), &st), 0);
    cr_assert_gt(st.st_size, bytes);
    cr_assert_eq(truncate(path, st.st_size - bytes), 0);
}

static void remove_work(const fixture_t *fix, const char *name)
{
    char path[PATH_BYTES];
    cr_assert_eq(unlink(join(path, fix->work, name)), 0);
}

Test(leveldb_damage, copied_database_is_intact)
{
    fixture_t fix = fixture_new();
    file_named(&fix, ".ldb");
    file_named(&fix, ".log");
    expect_work(&fix, CS_OK);
    tmp_remove(&fix.tmp);
}

static void flip_and_try(fixture_t *fix, const char *name, size_t at, uint8_t mask)
{
    restore_work(fix);
    char path[PATH_BYTES];
    size_t len;
    uint8_t *bytes = read_file(join(path, fix->work, name), &len);
    bytes[at] ^= mask;
    write_file(path, bytes, len);
    cs_free(bytes);

    uint32_t count;
    cs_err_t err = try_work(fix, &count);
    cr_assert(err == CS_OK || err == CS_ERR_CORRUPT, "%s at %zu ^ %02x: %s", name, at, mask,
              cs_err_name(err));
    if (err == CS_OK) {
        cr_assert_eq(count, SESSIONS * ROWS, "%s at %zu ^ %02x: %u rows, and no error", name,
                     at, mask, count);
    }
}

static void flip_file(fixture_t *fix, const char *name, cs_prng_t *prng)
{
    char path[PATH_BYTES];
    struct stat st;
    cr_assert_eq(stat(join(path, fix->good, name), &st), 0);
    size_t len = (size_t)st.st_size;
    for (size_t at = 0; at < len; at++) {
        bool edge = at < EDGE_BYTES || len - at <= EDGE_BYTES;
        if (!edge && !cs_prng_chance(prng, SAMPLES, len)) continue;
        flip_and_try(fix, name, at, (uint8_t)(1u << cs_prng_below(prng, 8)));
    }
}

static void flip_files_with(const char *part)
{
    uint64_t seed = (uint64_t)time(NULL);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    fixture_t fix = fixture_new();
    flip_file(&fix, file_named(&fix, part), &prng);
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, flipped_byte_of_a_table_is_noticed)
{
    flip_files_with(".ldb");
}

Test(leveldb_damage, flipped_byte_of_the_log_is_noticed)
{
    flip_files_with(".log");
}

Test(leveldb_damage, flipped_byte_of_the_manifest_is_noticed)
{
    flip_files_with("MANIFEST");
}

Test(leveldb_damage, flipped_byte_of_current_is_noticed)
{
    flip_files_with("CURRENT");
}

/* LevelDB takes a record that claims more than is there for a torn one, and ends there. */
Test(leveldb_damage, damaged_record_length_is_no_torn_tail)
{
    static const char *const names[] = {".log", "MANIFEST"};
    fixture_t fix = fixture_new();
    for (size_t i = 0; i < CS_COUNT_OF(names); i++) {
        for (uint8_t mask = 0x80; mask >= 0x20; mask >>= 1) {
            restore_work(&fix);
            char path[PATH_BYTES];
            size_t len;
            uint8_t *bytes = read_file(join(path, fix.work, file_named(&fix, names[i])), &len);
            size_t block = len - len % 32768;
            cr_assert_gt(len - block, 7);
            bytes[block + 5] ^= mask; /* the high byte of the length */
            write_file(path, bytes, len);
            cs_free(bytes);
            expect_work(&fix, CS_ERR_CORRUPT);
        }
    }
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, torn_log_tail_loses_the_last_batch_only)
{
    fixture_t fix = fixture_new();
    for (off_t bytes = 1; bytes < (off_t)VALUE_BYTES + 20; bytes += 3) {
        restore_work(&fix);
        cut_work(&fix, file_named(&fix, ".log"), bytes);
        uint32_t count;
        cr_assert_eq(try_work(&fix, &count), CS_OK);
        cr_assert_eq(count, SESSIONS * ROWS - 1, "%ld bytes off: %u rows", (long)bytes, count);
    }
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, missing_files_are_noticed)
{
    static const char *const names[] = {"CURRENT", "MANIFEST", ".log", ".ldb"};
    fixture_t fix = fixture_new();
    for (size_t i = 0; i < CS_COUNT_OF(names); i++) {
        restore_work(&fix);
        remove_work(&fix, file_named(&fix, names[i]));
        expect_work(&fix, CS_ERR_CORRUPT);
    }
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, table_cut_short_is_noticed)
{
    fixture_t fix = fixture_new();
    static const off_t cuts[] = {1, 8, 48, 100, 5000};
    for (size_t i = 0; i < CS_COUNT_OF(cuts); i++) {
        restore_work(&fix);
        cut_work(&fix, file_named(&fix, ".ldb"), cuts[i]);
        expect_work(&fix, CS_ERR_CORRUPT);
    }
    tmp_remove(&fix.tmp);
}

/* The writer would otherwise go on beside rows that nobody can read. */
Test(leveldb_damage, a_damaged_row_that_was_read_ends_all_writing)
{
    fixture_t fix = fixture_new();
    char path[PATH_BYTES];
    size_t len;
    uint8_t *bytes = read_file(join(path, fix.work, file_named(&fix, ".ldb")), &len);
    bytes[len / 3] ^= 1;
    write_file(path, bytes, len);
    cs_free(bytes);
    cs_store_t *store = open_good(fix.work);
    put_rows(store, SESSIONS * ROWS, 1);
    cr_expect_eq(cs_leveldb_err(store), CS_OK);
    uint32_t count;
    cr_expect_eq(count_rows(store, &count), CS_ERR_CORRUPT);
    cr_expect_eq(cs_leveldb_err(store), CS_ERR_CORRUPT);
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text("key"), cs_slice_text("value"));
    cr_expect_eq(cs_store_write(store, &batch, true), CS_ERR_CORRUPT);
    cs_batch_fini(&batch);
    cs_store_close(&store);
    tmp_remove(&fix.tmp);
}

/* A crash in a compaction leaves a table that nothing refers to. */
Test(leveldb_damage, unfinished_table_is_no_damage)
{
    fixture_t fix = fixture_new();
    char path[PATH_BYTES];
    size_t len;
    uint8_t *bytes = read_file(join(path, fix.work, file_named(&fix, ".ldb")), &len);
    write_file(join(path, fix.work, "000099.ldb"), bytes, len / 2);
    cs_free(bytes);
    expect_work(&fix, CS_OK);
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, creation_cut_short_is_finished)
{
    tmp_t tmp = tmp_new();
    char path[PATH_BYTES], file[PATH_BYTES];
    join(path, tmp.path, "db");
    cr_assert_eq(mkdir(path, 0700), 0);
    write_file(join(file, path, "MANIFEST-000001"), (const uint8_t *)"", 0);
    write_file(join(file, path, "LOCK"), (const uint8_t *)"", 0);
    cs_store_t *store = open_good(path);
    put_rows(store, 0, 1);
    cs_store_close(&store);
    tmp_remove(&tmp);
}

Test(leveldb_damage, quarantine_moves_aside_and_deletes_nothing)
{
    fixture_t fix = fixture_new();
    remove_work(&fix, "CURRENT");
    files_t before, after;
    list_files(fix.work, &before);
    cs_buf_t detail = {0};
    char want[PATH_BYTES + 16];

    for (unsigned number = 1; number <= 2; number++) {
        cr_assert_eq(cs_leveldb_quarantine(fix.work, &detail), CS_OK);
        snprintf(want, sizeof want, "%s.bad-%u", fix.work, number);
        cr_assert(cs_slice_eq(cs_buf_slice(&detail), cs_slice_text(want)));
        if (number == 1) {
            list_files(want, &after);
            cr_assert_eq(after.count, before.count);
        }
        cs_store_t *store = open_good(fix.work);
        put_rows(store, 0, 1);
        cr_assert_eq(cs_leveldb_quarantine(fix.work, &detail), CS_ERR_BUSY);
        cr_assert_gt(detail.len, 0);
        cs_store_close(&store);
    }
    cs_buf_fini(&detail);
    tmp_remove(&fix.tmp);
}

Test(leveldb_damage, quarantine_of_nothing_fails_with_a_text)
{
    cs_buf_t detail = {0};
    cr_assert_eq(cs_leveldb_quarantine("/nonexistent/db", &detail), CS_ERR_NOT_FOUND);
    cr_assert_gt(detail.len, 0);
    cs_buf_fini(&detail);
}

/* In a child that was born before the parent opened the store: CS_OK if opening fails as it
 * must, and not by the registry of this process. */
static int open_as_stranger(const char *path, int go_fd)
{
    char byte;
    if (read(go_fd, &byte, 1) != 1) return 1;
    cs_store_t *store = NULL;
    cs_buf_t detail = {0};
    if (cs_leveldb_open(path, &store, &detail) != CS_ERR_BUSY) return 2;
    cs_buf_put_u8(&detail, '\0');
    bool named = strstr((const char *)detail.data, "another process") != NULL;
    cs_buf_fini(&detail);
    return named ? 0 : 3;
}

Test(leveldb_damage, another_process_finds_it_busy)
{
    tmp_t tmp = tmp_new();
    char path[PATH_BYTES];
    join(path, tmp.path, "db");
    int go[2];
    cr_assert_eq(pipe(go), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) _exit(open_as_stranger(path, go[0]));

    cs_store_t *store = open_good(path);
    put_rows(store, 0, 1);
    cr_assert_eq(write(go[1], "x", 1), 1);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
    put_rows(store, 1, 1);
    close(go[0]);
    close(go[1]);
    cs_store_close(&store);
    tmp_remove(&tmp);
}
