/* scanned.c - see scanned.h. */
#include "support/scanned.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/seal.h"
#include "io/fs_linux.h"
#include "io/scan_pool.h"
#include "sim/mem_store.h"
#include "support/folder.h"

#define FOLDER 3u

static void must(bool ok)
{
    CS_ASSERT(ok);
}

void cs_test_scanned_init(cs_test_scanned_t *t)
{
    static const uint8_t secret[CS_SECRET_BYTES] = {7};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    *t = (cs_test_scanned_t){.dir = cs_test_dir_new()};
    must(cs_fs_linux_open(t->dir, &t->fs) == CS_OK);
    t->store = cs_mem_store_new();
    t->table = cs_chunker_table_new(&keys);
    t->config = (cs_scan_config_t){.fs = t->fs,
                                   .store = t->store,
                                   .folder = FOLDER,
                                   .table = t->table,
                                   .marker = {1, 2, 3}};
    must(cs_folder_mark(t->fs, t->config.marker) == CS_OK);
}

void cs_test_scanned_clear(cs_test_scanned_t *t)
{
    for (size_t i = 0; i < t->len; i++)
        cs_free(t->seen[i].path);
    t->len = t->rows = 0;
}

void cs_test_scanned_fini(cs_test_scanned_t *t)
{
    cs_test_scanned_clear(t);
    cs_free(t->seen);
    cs_chunker_table_destroy(&t->table);
    cs_store_close(&t->store);
    t->fs->ops->close_fs(&t->fs);
    cs_test_dir_remove(&t->dir);
}

void cs_test_scanned_old(cs_test_scanned_t *t, const char *path, const char *text)
{
    cs_file_t *file = NULL;
    cs_test_write(t->dir, path, text);
    must(t->fs->ops->open_write(t->fs, cs_slice_text(path), &file) == CS_OK);
    must(t->fs->ops->set_meta(file, 0644, 1000000000000000000) == CS_OK);
    t->fs->ops->close(&file);
}

static void set_key(cs_buf_t *key, const char *path)
{
    cs_buf_put_u32_be(key, FOLDER);
    cs_buf_put_slice(key, cs_slice_text("b/"));
    cs_buf_put_slice(key, cs_slice_text(path));
}

static void write_row(cs_test_scanned_t *t, const char *path, const cs_buf_t *value)
{
    cs_batch_t batch = {0};
    cs_buf_t key = {0};
    set_key(&key, path);
    if (value != NULL) cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(value));
    if (value == NULL) cs_batch_delete(&batch, cs_buf_slice(&key));
    must(cs_store_write(t->store, &batch, false) == CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
}

void cs_test_scanned_put_row(cs_test_scanned_t *t, const char *path, const cs_base_front_t *row)
{
    const cs_print_t *print = &row->print;
    cs_buf_t value = {0};
    cs_buf_put_u64(&value, print->dev);
    cs_buf_put_u64(&value, print->ino);
    cs_buf_put_u64(&value, (uint64_t)print->btime_ns);
    cs_buf_put_u64(&value, (uint64_t)print->mtime_ns);
    cs_buf_put_u64(&value, (uint64_t)print->ctime_ns);
    cs_buf_put_u64(&value, print->size);
    cs_content_encode(&row->content, &value);
    cs_attr_encode(&(cs_attr_t){.mode = row->mode}, &value);
    cs_seal_append(&value, 0);
    write_row(t, path, &value);
    cs_buf_fini(&value);
}

void cs_test_scanned_drop_row(cs_test_scanned_t *t, const char *path)
{
    write_row(t, path, NULL);
}

bool cs_test_scanned_row_of(cs_test_scanned_t *t, const char *path, cs_base_front_t *ret)
{
    cs_stat_t st;
    *ret = (cs_base_front_t){0};
    if (t->fs->ops->stat(t->fs, cs_slice_text(path), &st) != CS_OK) return false;
    ret->print = st.print;
    if (st.type == CS_NODE_DIR) {
        ret->content.kind = CS_KIND_DIR;
        return true;
    }
    if (st.type == CS_NODE_FILE) ret->mode = cs_mode_norm(t->config.modes, st.mode);
    return cs_hash_path(t->fs, t->table, cs_slice_text(path), NULL, &ret->content, &st) ==
           CS_OK;
}

void cs_test_scanned_accept(cs_test_scanned_t *t, const char *path)
{
    cs_base_front_t row;
    must(cs_test_scanned_row_of(t, path, &row));
    cs_test_scanned_put_row(t, path, &row);
}

static cs_test_seen_t *add(cs_test_scanned_t *t, cs_slice_t path)
{
    if (t->len == t->cap) {
        t->cap = cs_grow(t->cap, t->len + 1);
        t->seen = cs_realloc_array(t->seen, t->cap, sizeof *t->seen);
    }
    cs_test_seen_t *seen = &t->seen[t->len++];
    *seen = (cs_test_seen_t){.path = cs_malloc(path.len + 1)};
    memcpy(seen->path, path.data, path.len);
    seen->path[path.len] = '\0';
    return seen;
}

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    cs_test_seen_t *seen = add(arg, sighting->path);
    seen->sighting = *sighting;
    seen->sighting.path = cs_slice_text(seen->path);
    return true;
}

static void on_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    cs_test_seen_t *seen = add(arg, path);
    seen->is_trouble = true;
    seen->trouble = trouble;
}

static void on_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_test_scanned_t *t = arg;
    must(key.len > 6 && value.len > CS_SEAL_BYTES);
    t->rows++;
}

cs_err_t cs_test_scanned_run(cs_test_scanned_t *t)
{
    cs_scan_sink_t sink = {
        .arg = t, .sighting = on_sighting, .trouble = on_trouble, .row = on_row};
    return cs_scan_pool_run(&t->config, &sink, t->threads, &t->stats);
}

char *cs_test_scanned_text(const cs_test_scanned_t *t)
{
    static const char *const names[] = {"appeared", "modified", "chmodded",
                                        "touched",  "vanished", "empty"};
    cs_buf_t text = {0};
    for (size_t i = 0; i < t->len; i++) {
        const cs_test_seen_t *seen = &t->seen[i];
        const char *name =
            seen->is_trouble ? cs_trouble_text(seen->trouble) : names[seen->sighting.what];
        cs_buf_printf(&text, "%s%s %s", i > 0 ? "," : "", name, seen->path);
    }
    cs_buf_put_u8(&text, 0);
    char *copy = cs_memdup(text.data, text.len);
    cs_buf_fini(&text);
    return copy;
}

char *cs_test_scanned_look(cs_test_scanned_t *t)
{
    cs_test_scanned_clear(t);
    t->stats = (cs_scan_stats_t){0};
    must(cs_test_scanned_run(t) == CS_OK);
    return cs_test_scanned_text(t);
}

static int64_t written_ns(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "t", 1) != 1 || fstat(fd, &st) != 0) {
        perror(path);
        abort();
    }
    close(fd);
    return st.st_ctim.tv_sec * 1000000000ll + st.st_ctim.tv_nsec;
}

void cs_test_pass_tick(const char *path)
{
    int64_t before_ns = written_ns(path);
    while (written_ns(path) <= before_ns + CS_TICK_NS) {
        sched_yield(); /* a clock tick is a few milliseconds */
    }
    unlink(path);
}

void cs_test_scanned_pass_tick(const cs_test_scanned_t *t)
{
    char path[512];
    snprintf(path, sizeof path, "%s/.crdtsync/tick", t->dir);
    cs_test_pass_tick(path);
}
