/* bench_scan.c - seconds of a first scan, and of one that finds nothing new.
 *
 * usage: bench_scan DIR [FILES [THREADS]]   DIR: a fresh directory to be made; it is left for
 * `rm -r`. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/seal.h"
#include "disk/scan.h"
#include "io/fs_linux.h"
#include "io/leveldb_store.h"
#include "io/scan_pool.h"

#define FILES_PER_DIR 100
#define FILE_BYTES    64

typedef struct bench {
    cs_store_t *store;
    cs_batch_t batch;
    uint64_t sightings;
    size_t threads; /* beside the main one */
} bench_t;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(bool ok, const char *what)
{
    if (ok) return;
    perror(what);
    exit(1);
}

static void make_files(const char *dir, int files)
{
    char path[512], bytes[FILE_BYTES];
    must(mkdir(dir, 0777) == 0, dir);
    for (int i = 0; i < files; i++) {
        if (i % FILES_PER_DIR == 0) {
            snprintf(path, sizeof path, "%s/dir%06d", dir, i / FILES_PER_DIR);
            must(mkdir(path, 0777) == 0, path);
        }
        snprintf(path, sizeof path, "%s/dir%06d/file%06d.txt", dir, i / FILES_PER_DIR, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
        must(fd >= 0, path);
        memset(bytes, 'a', sizeof bytes);
        snprintf(bytes, sizeof bytes, "%d", i);
        must(write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes, path);
        close(fd);
    }
}

static void put_row(bench_t *bench, const cs_sighting_t *sighting)
{
    cs_buf_t key = {0}, value = {0};
    cs_item_t row = {.content = sighting->content,
                     .attr.mode = sighting->mode,
                     .mtime_ns = sighting->mtime_ns,
                     .print = sighting->print};
    row.path = row.eff = cs_str_new(sighting->path.data, sighting->path.len);
    cs_back_t back = {.lin = {1, 1}, .k = {1, 1}};
    row.back = &back;
    row.back_len = 1;
    cs_buf_put_u32_be(&key, 0);
    cs_buf_put_slice(&key, cs_slice_text("b/"));
    cs_buf_put_slice(&key, sighting->path);
    cs_base_encode(&row, &value);
    cs_seal_append(&value, 0);
    cs_batch_put(&bench->batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cs_str_unref(&row.path);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    bench_t *bench = arg;
    bench->sightings++;
    put_row(bench, sighting);
    if (bench->batch.count == CS_BATCH_OPS_MAX) {
        must(cs_store_write(bench->store, &bench->batch, true) == CS_OK, "store");
        cs_batch_clear(&bench->batch);
    }
    return true;
}

static void on_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    (void)arg;
    fprintf(stderr, "%.*s: %s\n", (int)path.len, (const char *)path.data,
            cs_trouble_text(trouble));
}

static void run(const char *what, const cs_scan_config_t *config, bench_t *bench)
{
    cs_scan_sink_t sink = {.arg = bench, .sighting = on_sighting, .trouble = on_trouble};
    cs_scan_stats_t stats = {0};
    bench->sightings = 0;
    double begin = now_s();
    must(cs_scan_pool_run(config, &sink, bench->threads, &stats) == CS_OK, "scan");
    double seconds = now_s() - begin;
    must(cs_store_write(bench->store, &bench->batch, true) == CS_OK, "store");
    cs_batch_clear(&bench->batch);
    printf("%-12s %8.3f s  %6.2f us a file  %" PRIu64 " files, %" PRIu64 " sightings\n", what,
           seconds, seconds * 1e6 / (double)(stats.files > 0 ? stats.files : 1), stats.files,
           bench->sightings);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    int files = argc > 2 ? atoi(argv[2]) : 200000;
    char folder[512], db[512];
    must(mkdir(argv[1], 0777) == 0, argv[1]);
    snprintf(folder, sizeof folder, "%s/folder", argv[1]);
    snprintf(db, sizeof db, "%s/db", argv[1]);
    make_files(folder, files);
    usleep(CS_RACY_NS / 1000 + 100000); /* until mtimes are proof */

    static const uint8_t secret[CS_SECRET_BYTES] = {1};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    cs_scan_config_t config = {.table = cs_chunker_table_new(&keys)};
    bench_t bench = {.threads = argc > 3 ? (size_t)atoi(argv[3]) : 0};
    cs_buf_t detail = {0};
    must(cs_fs_linux_open(folder, &config.fs) == CS_OK, folder);
    must(cs_leveldb_open(db, &config.store, &detail) == CS_OK, db);
    bench.store = config.store;
    must(cs_folder_mark(config.fs, config.marker) == CS_OK, folder);
    run("first", &config, &bench);
    for (int i = 0; i < 3; i++)
        run("no change", &config, &bench);

    cs_buf_fini(&detail);
    cs_batch_fini(&bench.batch);
    cs_store_close(&bench.store);
    config.fs->ops->close_fs(&config.fs);
    cs_chunker_table_t *table = (cs_chunker_table_t *)(uintptr_t)config.table;
    cs_chunker_table_destroy(&table);
    return 0;
}
