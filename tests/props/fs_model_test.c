/* fs_model_test.c - the file system of the simulator answers as the real one does: the same
 * random calls on both, of the engine and of a user with descriptors, and after each the same
 * error, the same stat, and now and then the same tree. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/prng.h"
#include "io/fs_linux.h"
#include "sim/mem_fs.h"
#include "support/folder.h"
#include "support/seed.h"

#define HISTORIES 60
#define CALLS     300
#define FILES     4

typedef struct sides {
    cs_prng_t prng;
    char *dir;
    cs_mem_volume_t *volume;
    cs_fs_t *real, *model;
    cs_file_t *real_file[FILES], *model_file[FILES];
    uint64_t seed;
    char trace[1400]; /* the last call */
} sides_t;

static const char *pick_name(cs_prng_t *prng)
{
    static const char *const common[] = {"a", "b", "c", "d"};
    static const char *const odd[] = {".", "..", "", "a.b", ".crdtsync", "\xff"};
    if (cs_prng_chance(prng, 1, 12)) return odd[cs_prng_below(prng, CS_COUNT_OF(odd))];
    return common[cs_prng_below(prng, CS_COUNT_OF(common))];
}

/* At most three components; sometimes an odd one, a slash at an end, or a name that is too
 * long. */
static void pick_path(cs_prng_t *prng, char *ret, size_t cap)
{
    size_t depth = 1 + cs_prng_below(prng, 3), len = 0;
    ret[0] = '\0';
    if (cs_prng_chance(prng, 1, 60)) return;
    for (size_t i = 0; i < depth; i++) {
        len +=
            (size_t)snprintf(ret + len, cap - len, "%s%s", i > 0 ? "/" : "", pick_name(prng));
    }
    if (cs_prng_chance(prng, 1, 60)) {
        memset(ret + len, 'n', 256);
        ret[len + 256] = '\0';
    }
}

static void expect_equal(const sides_t *s, cs_err_t real, cs_err_t model)
{
    cr_assert_eq(real, model, "%s: real %s, model %s", s->trace, cs_err_name(real),
                 cs_err_name(model));
}

/* The engine never asks for such a path (cs_path_check): at the root the real one looks at what
 * is around the folder. */
static bool ends_in_parent(cs_slice_t path)
{
    return path.len >= 2 && memcmp(path.data + path.len - 2, "..", 2) == 0;
}

static void expect_stat(const sides_t *s, const cs_stat_t *real, const cs_stat_t *model)
{
    cr_assert_eq(real->type, model->type, "%s", s->trace);
    cr_assert_eq(real->mode, model->mode, "%s: %o %o", s->trace, real->mode, model->mode);
    if (real->type == CS_NODE_DIR) return;
    cr_assert_eq(real->nlink, model->nlink, "%s", s->trace);
    cr_assert_eq(real->print.size, model->print.size, "%s", s->trace);
}

static void call_look(sides_t *s, cs_slice_t path)
{
    cs_stat_t real = {0}, model = {0};
    cs_err_t err = s->real->ops->stat(s->real, path, &real);
    expect_equal(s, err, s->model->ops->stat(s->model, path, &model));
    if (err == CS_OK && !ends_in_parent(path)) expect_stat(s, &real, &model);
    cs_buf_t a = {0}, b = {0};
    err = s->real->ops->readlink(s->real, path, &a);
    expect_equal(s, err, s->model->ops->readlink(s->model, path, &b));
    cr_assert(cs_slice_eq(cs_buf_slice(&a), cs_buf_slice(&b)));
    cs_buf_fini(&a);
    cs_buf_fini(&b);
}

static void call_names(sides_t *s, unsigned kind, cs_slice_t path, cs_slice_t to)
{
    cs_fs_t *real = s->real, *model = s->model;
    cs_rename_mode_t mode = (cs_rename_mode_t)(kind % 3);
    switch (kind / 3) {
    case 0:
        expect_equal(s, real->ops->mkdir(real, path), model->ops->mkdir(model, path));
        break;
    case 1:
        expect_equal(s, real->ops->rmdir(real, path), model->ops->rmdir(model, path));
        break;
    case 2:
        expect_equal(s, real->ops->unlink(real, path), model->ops->unlink(model, path));
        break;
    case 3:
        expect_equal(s, real->ops->link(real, path, to), model->ops->link(model, path, to));
        break;
    case 4:
        expect_equal(s, real->ops->symlink(real, to, path),
                     model->ops->symlink(model, to, path));
        break;
    default:
        expect_equal(s, real->ops->rename(real, path, to, mode),
                     model->ops->rename(model, path, to, mode));
        break;
    }
}

static void call_chmod(sides_t *s, cs_slice_t path)
{
    cs_stat_t real = {0}, model = {0};
    if (s->real->ops->stat(s->real, path, &real) != CS_OK) return;
    expect_equal(s, CS_OK, s->model->ops->stat(s->model, path, &model));
    uint16_t mode = (uint16_t)cs_prng_below(&s->prng, 01000);
    cs_print_t other = real.print, another = model.print;
    if (cs_prng_chance(&s->prng, 1, 4)) other.size++, another.size++;
    cs_err_t err = s->real->ops->chmod(s->real, path, &other, mode, &real);
    expect_equal(s, err, s->model->ops->chmod(s->model, path, &another, mode, &model));
    if (err == CS_OK) expect_stat(s, &real, &model);
}

static void close_both(sides_t *s, size_t i)
{
    s->real->ops->close(&s->real_file[i]);
    s->model->ops->close(&s->model_file[i]);
}

static void call_open(sides_t *s, size_t i, cs_slice_t path)
{
    close_both(s, i);
    const cs_fs_ops_t *real = s->real->ops, *model = s->model->ops;
    switch (cs_prng_below(&s->prng, 5)) {
    case 0:
        expect_equal(s, real->open_read(s->real, path, &s->real_file[i]),
                     model->open_read(s->model, path, &s->model_file[i]));
        break;
    case 1:
        expect_equal(s, real->open_write(s->real, path, &s->real_file[i]),
                     model->open_write(s->model, path, &s->model_file[i]));
        break;
    default:
        expect_equal(s, real->create(s->real, path, &s->real_file[i]),
                     model->create(s->model, path, &s->model_file[i]));
        break;
    }
    cr_assert_eq(s->real_file[i] == NULL, s->model_file[i] == NULL);
}

static void expect_bytes(sides_t *s, cs_file_t *real, cs_file_t *model)
{
    uint8_t a[600], b[600];
    size_t a_len = 0, b_len = 0;
    uint64_t offset = cs_prng_below(&s->prng, 500);
    expect_equal(s, s->real->ops->read(real, offset, a, sizeof a, &a_len),
                 s->model->ops->read(model, offset, b, sizeof b, &b_len));
    cr_assert_eq(a_len, b_len, "%s", s->trace);
    cr_assert(memcmp(a, b, a_len) == 0, "%s", s->trace);
}

/* Below the size. */
static void expect_zeros(sides_t *s, cs_file_t *real, cs_file_t *model, uint64_t at, size_t len)
{
    cs_stat_t st = {0};
    if (s->real->ops->fstat(real, &st) != CS_OK || st.print.size == 0) return;
    at %= st.print.size;
    if (len == 0 || len > st.print.size - at) len = (size_t)(st.print.size - at);
    expect_equal(s, s->real->ops->write_zeros(real, at, len),
                 s->model->ops->write_zeros(model, at, len));
}

static void call_file(sides_t *s, size_t i)
{
    cs_file_t *real = s->real_file[i], *model = s->model_file[i];
    if (real == NULL) return;
    uint8_t data[300];
    uint64_t at = cs_prng_below(&s->prng, 400);
    size_t len = cs_prng_below(&s->prng, sizeof data);
    uint16_t mode = (uint16_t)cs_prng_below(&s->prng, 01000);
    cs_prng_fill(&s->prng, data, sizeof data);
    switch (cs_prng_below(&s->prng, 4)) {
    case 0:
        expect_equal(s, s->real->ops->truncate(real, at), s->model->ops->truncate(model, at));
        break;
    case 1:
        expect_equal(s, s->real->ops->set_meta(real, mode, (int64_t)at),
                     s->model->ops->set_meta(model, mode, (int64_t)at));
        break;
    case 2:
        expect_zeros(s, real, model, at, len);
        break;
    default:
        expect_equal(s, s->real->ops->write(real, at, data, len),
                     s->model->ops->write(model, at, data, len));
        break;
    }
    expect_bytes(s, real, model);
    cs_stat_t a = {0}, b = {0};
    expect_equal(s, s->real->ops->fstat(real, &a), s->model->ops->fstat(model, &b));
    expect_stat(s, &a, &b);
    cr_assert_eq(s->real->ops->in_use(real), s->model->ops->in_use(model), "%s", s->trace);
}

static int by_name(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_dirent_t *)a)->name, ((const cs_dirent_t *)b)->name);
}

static void expect_listing(sides_t *s, cs_slice_t path)
{
    cs_listing_t real = {0}, model = {0};
    cs_err_t err = s->real->ops->list(s->real, path, &real);
    expect_equal(s, err, s->model->ops->list(s->model, path, &model));
    cr_assert_eq(real.len, model.len, "%s", s->trace);
    if (real.len > 0) {
        qsort(real.item, real.len, sizeof *real.item, by_name);
        qsort(model.item, model.len, sizeof *model.item, by_name);
    }
    for (size_t i = 0; i < real.len; i++) {
        cr_assert(cs_str_eq(real.item[i].name, model.item[i].name), "%s", s->trace);
        expect_stat(s, &real.item[i].stat, &model.item[i].stat);
    }
    cs_listing_fini(&real);
    cs_listing_fini(&model);
}

typedef struct count {
    sides_t *s;
    size_t seen;
    cs_buf_t last;
} count_t;

/* Each item of the walk is in the real folder, and the walk is in order. */
static void compare_item(void *arg, const cs_mem_item_t *item)
{
    count_t *count = arg;
    cr_assert_lt(cs_slice_cmp(cs_buf_slice(&count->last), item->path), 0);
    cs_buf_clear(&count->last);
    cs_buf_put_slice(&count->last, item->path);
    cs_stat_t real = {0};
    cs_fs_t *fs = count->s->real;
    cr_assert_eq(fs->ops->stat(fs, item->path, &real), CS_OK);
    expect_stat(count->s, &real, &item->stat);
    if (item->stat.type == CS_NODE_DIR) expect_listing(count->s, item->path);
    if (item->stat.type != CS_NODE_FILE) return;
    cs_file_t *file = NULL;
    uint8_t data[1000];
    size_t len = 0;
    cr_assert_eq(fs->ops->open_read(fs, item->path, &file), CS_OK);
    cr_assert_eq(fs->ops->read(file, 0, data, sizeof data, &len), CS_OK);
    fs->ops->close(&file);
    cr_assert(cs_slice_eq(cs_slice(data, len), item->bytes));
}

static void sides_init(sides_t *s, uint64_t seed)
{
    *s = (sides_t){.dir = cs_test_dir_new(), .seed = seed};
    cs_prng_init(&s->prng, seed);
    cs_mem_config_t config = {.umask = 022, .reuse_inodes = true, .power_cuts = true};
    s->volume = cs_mem_volume_new(&config);
    cr_assert_eq(cs_mem_user_mkdir(s->volume, cs_slice_text(".crdtsync")), CS_OK);
    cr_assert_eq(cs_mem_user_mkdir(s->volume, cs_slice_text(".crdtsync/tmp")), CS_OK);
    cs_test_mkdir(s->dir, ".crdtsync/tmp");
    chmod(s->dir, 0755);
    cr_assert_eq(cs_fs_linux_open(s->dir, &s->real), CS_OK);
    cr_assert_eq(cs_mem_fs_open(s->volume, NULL, &s->model), CS_OK);
    s->model->features.exchange = s->real->features.exchange;
    s->model->features.noreplace = s->real->features.noreplace;
}

static void sides_fini(sides_t *s)
{
    for (size_t i = 0; i < FILES; i++) {
        close_both(s, i);
    }
    s->real->ops->close_fs(&s->real);
    s->model->ops->close_fs(&s->model);
    cs_mem_volume_destroy(&s->volume);
    cs_test_dir_remove(&s->dir);
}

static void call_once(sides_t *s)
{
    char path[600], to[600];
    pick_path(&s->prng, path, 300);
    pick_path(&s->prng, to, 300);
    unsigned kind = (unsigned)cs_prng_below(&s->prng, 34);
    size_t i = cs_prng_below(&s->prng, FILES);
    snprintf(s->trace, sizeof s->trace, "seed %llu: kind %u of '%s', '%s'",
             (unsigned long long)s->seed, kind, path, to);
    cs_slice_t from = cs_slice_text(path);
    if (kind < 24) {
        call_names(s, kind, from, cs_slice_text(to));
    } else if (kind < 28) {
        call_open(s, i, from);
    } else if (kind < 30) {
        call_file(s, i);
    } else if (kind == 30) {
        call_chmod(s, from);
    } else if (kind == 31) {
        expect_listing(s, from);
    }
    call_look(s, from);
}

Test(fs_model, answers_as_the_real_one_does)
{
    umask(022);
    uint64_t seed = test_seed("fs_model");
    for (uint64_t i = 0; i < HISTORIES; i++) {
        sides_t s;
        sides_init(&s, seed + i);
        for (int k = 0; k < CALLS; k++) {
            call_once(&s);
        }
        count_t count = {.s = &s};
        expect_listing(&s, cs_slice_text(""));
        cs_mem_volume_walk(s.volume, compare_item, &count);
        cs_buf_fini(&count.last);
        sides_fini(&s);
    }
}

/* Seed 20587267: the system is not asked to write nothing, and so does not refuse it. */
Test(fs_model, no_bytes_go_to_a_file_that_is_only_read)
{
    sides_t s;
    sides_init(&s, 1);
    cs_slice_t path = cs_slice_text("a");
    expect_equal(&s, s.real->ops->create(s.real, path, &s.real_file[0]),
                 s.model->ops->create(s.model, path, &s.model_file[0]));
    close_both(&s, 0);
    expect_equal(&s, s.real->ops->open_read(s.real, path, &s.real_file[0]),
                 s.model->ops->open_read(s.model, path, &s.model_file[0]));
    for (size_t len = 0; len < 2; len++) {
        expect_equal(&s, s.real->ops->write(s.real_file[0], 0, "x", len),
                     s.model->ops->write(s.model_file[0], 0, "x", len));
    }
    sides_fini(&s);
}
