/* scene.c - see scene.h. */
#include "support/scene.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fs_linux.h"
#include "support/folder.h"
#include "support/scanned.h"

#define LINK_MARK "-> "

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "scene: %s\n", what);
    abort();
}

void scene_open(scene_t *scene)
{
    umask(022);
    *scene = (scene_t){.dir = cs_test_dir_new()};
    cs_test_mkdir(scene->dir, ".crdtsync/tmp");
    cs_test_mkdir(scene->dir, ".crdtsync/trash");
    must(cs_fs_linux_open(scene->dir, &scene->real) == CS_OK, "open");
    static const uint8_t secret[CS_SECRET_BYTES] = {7};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    scene->table = cs_chunker_table_new(&keys);
    spy_fs_init(&scene->spy, scene->real);
    scene->config = (cs_apply_config_t){.fs = &scene->spy.fs,
                                        .table = scene->table,
                                        .modes = CS_MODES_ALL,
                                        .trash_bytes_max = 1u << 20};
}

void scene_close(scene_t *scene)
{
    cs_steps_fini(&scene->steps);
    cs_chunker_table_destroy(&scene->table);
    scene->real->ops->close_fs(&scene->real);
    cs_test_dir_remove(&scene->dir);
}

static void full_path(const scene_t *scene, const char *path, char ret[512])
{
    snprintf(ret, 512, "%s/%s", scene->dir, path);
}

static bool is_link(const char *text)
{
    return strncmp(text, LINK_MARK, strlen(LINK_MARK)) == 0;
}

void scene_file(scene_t *scene, const char *path, const char *text)
{
    cs_test_write(scene->dir, path, is_link(text) ? "" : text);
    if (!is_link(text)) return;
    char full[512];
    full_path(scene, path, full);
    must(unlink(full) == 0 && symlink(text + strlen(LINK_MARK), full) == 0, path);
}

void scene_pass_tick(scene_t *scene)
{
    char full[512];
    full_path(scene, ".crdtsync/tick", full);
    cs_test_pass_tick(full);
}

void scene_age(scene_t *scene, const char *path)
{
    char full[512];
    const struct timespec times[2] = {{.tv_sec = 1500000000}, {.tv_sec = 1500000000}};
    full_path(scene, path, full);
    must(utimensat(AT_FDCWD, full, times, AT_SYMLINK_NOFOLLOW) == 0, path);
    scene_pass_tick(scene);
}

char *scene_read(const scene_t *scene, const char *path)
{
    char full[512], text[1024];
    full_path(scene, path, full);
    struct stat st;
    if (lstat(full, &st) != 0) return NULL;
    ssize_t len = -1;
    if (S_ISLNK(st.st_mode)) {
        memcpy(text, LINK_MARK, strlen(LINK_MARK));
        len = readlink(full, text + strlen(LINK_MARK), sizeof text - strlen(LINK_MARK) - 1);
        if (len >= 0) len += (ssize_t)strlen(LINK_MARK);
    } else if (S_ISREG(st.st_mode)) {
        int fd = open(full, O_RDONLY | O_CLOEXEC);
        must(fd >= 0, full);
        len = read(fd, text, sizeof text - 1);
        close(fd);
    }
    if (len < 0) return NULL;
    text[len] = '\0';
    return cs_strdup(text);
}

bool scene_holds(const scene_t *scene, const char *path, const char *text)
{
    char *found = scene_read(scene, path);
    bool ret = found != NULL && strcmp(found, text) == 0;
    cs_free(found);
    return ret;
}

bool scene_has(const scene_t *scene, const char *path)
{
    char full[512];
    full_path(scene, path, full);
    struct stat st;
    return lstat(full, &st) == 0;
}

static bool below_holds(const scene_t *scene, const char *dir, const char *text,
                        bool with_private)
{
    char full[512];
    full_path(scene, dir, full);
    DIR *stream = opendir(full);
    if (stream == NULL) return false;
    bool found = false;
    for (const struct dirent *entry; !found && (entry = readdir(stream)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (!with_private && strcmp(name, ".crdtsync") == 0) continue;
        char path[512];
        snprintf(path, sizeof path, "%s%s%s", dir, *dir == '\0' ? "" : "/", name);
        found = scene_holds(scene, path, text) || below_holds(scene, path, text, with_private);
    }
    closedir(stream);
    return found;
}

bool scene_tree_holds(const scene_t *scene, const char *text)
{
    return below_holds(scene, "", text, false);
}

bool scene_anywhere(const scene_t *scene, const char *text)
{
    return below_holds(scene, "", text, true);
}

size_t scene_count(const scene_t *scene, const char *dir)
{
    char full[512];
    full_path(scene, dir, full);
    DIR *stream = opendir(full);
    if (stream == NULL) return 0;
    size_t count = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(stream);
    return count;
}

bool scene_in_trash(const scene_t *scene, const char *text)
{
    return scene_anywhere(scene, text) && !scene_tree_holds(scene, text);
}

cs_stat_t scene_stat(const scene_t *scene, const char *path)
{
    cs_stat_t st = {0};
    must(scene->real->ops->stat(scene->real, cs_slice_text(path), &st) == CS_OK, path);
    return st;
}

static cs_slice_t bytes_of(const char *text)
{
    return cs_slice_text(is_link(text) ? text + strlen(LINK_MARK) : text);
}

cs_content_t scene_content(const scene_t *scene, const char *text)
{
    cs_content_t content;
    cs_content_of(scene->table, is_link(text) ? CS_KIND_SYMLINK : CS_KIND_FILE, bytes_of(text),
                  &content);
    return content;
}

void scene_stage(scene_t *scene, const char *text)
{
    cs_content_t content = scene_content(scene, text);
    must(cs_stage_small(scene->real, &content, bytes_of(text), NULL) == CS_OK, "stage");
}

/* The texts live as long as the test: leaked on purpose into a list that is freed at exit. */
static char *kept[4096];
static size_t kept_len;

static void free_kept(void)
{
    for (size_t i = 0; i < kept_len; i++) {
        cs_free(kept[i]);
    }
    kept_len = 0;
}

static const char *keep(char *text)
{
    if (text == NULL) return NULL;
    for (size_t i = 0; i < kept_len; i++) {
        if (strcmp(kept[i], text) != 0) continue;
        cs_free(text);
        return kept[i];
    }
    if (kept_len == 0) atexit(free_kept);
    must(kept_len < CS_COUNT_OF(kept), "texts");
    kept[kept_len++] = text;
    return text;
}

static cs_step_t *add(scene_t *scene, cs_step_kind_t kind, const char *path)
{
    size_t index = scene->steps.len;
    must(index < SCENE_STEPS_MAX, "steps");
    cs_step_t *step = cs_steps_add(&scene->steps, kind);
    step->item.path = cs_str_from(path);
    step->item.eff = cs_str_from(path);
    step->item.attr.mode = 0644;
    step->item.mtime_ns = 1500000000123456789;
    cs_stat_t st;
    bool exists = scene->real->ops->stat(scene->real, cs_slice_text(path), &st) == CS_OK;
    if (exists && st.type != CS_NODE_DIR) {
        step->replaces = true;
        step->expect_mode = st.type == CS_NODE_FILE ? st.mode : 0;
        step->expect = st.print;
        scene->old_text[index] = keep(scene_read(scene, path));
        step->expect_content = scene_content(scene, scene->old_text[index]);
    }
    return step;
}

cs_step_t *scene_write(scene_t *scene, const char *path, const char *text)
{
    cs_step_t *step = add(scene, CS_STEP_WRITE, path);
    step->item.content = scene_content(scene, text);
    if (is_link(text)) step->item.attr.mode = 0;
    scene->new_text[scene->steps.len - 1] = text;
    return step;
}

cs_step_t *scene_copy(scene_t *scene, const char *from, const char *path)
{
    const char *text = keep(scene_read(scene, from));
    cs_step_t *step = scene_write(scene, path, text);
    step->from = cs_str_from(from);
    return step;
}

cs_step_t *scene_move(scene_t *scene, const char *from, const char *path)
{
    const char *text = keep(scene_read(scene, from));
    cs_step_t *step = add(scene, CS_STEP_MOVE, path);
    cs_stat_t st;
    must(scene->real->ops->stat(scene->real, cs_slice_text(from), &st) == CS_OK, from);
    step->item.content = scene_content(scene, text);
    step->from = cs_str_from(from);
    step->from_print = st.print;
    step->from_mode = is_link(text) ? 0 : st.mode;
    step->item.attr.mode = step->from_mode;
    scene->new_text[scene->steps.len - 1] = text;
    return step;
}

cs_step_t *scene_delete(scene_t *scene, const char *path)
{
    return add(scene, CS_STEP_DELETE, path);
}

cs_step_t *scene_chmod(scene_t *scene, const char *path, uint16_t mode)
{
    cs_step_t *step = add(scene, CS_STEP_CHMOD, path);
    const char *text = scene->old_text[scene->steps.len - 1];
    step->item.content = scene_content(scene, text);
    step->item.attr.mode = mode;
    scene->new_text[scene->steps.len - 1] = text;
    return step;
}

cs_step_t *scene_mkdir(scene_t *scene, const char *path)
{
    cs_step_t *step = add(scene, CS_STEP_MKDIR, path);
    step->item.content = (cs_content_t){.kind = CS_KIND_DIR};
    step->item.attr.mode = 0;
    return step;
}

cs_step_t *scene_rmdir(scene_t *scene, const char *path)
{
    return add(scene, CS_STEP_RMDIR, path);
}

void scene_apply(scene_t *scene)
{
    cr_assert_eq(cs_apply(&scene->config, &scene->steps), CS_OK);
}

void scene_apply_all(scene_t *scene)
{
    scene_apply(scene);
    for (size_t i = 0; i < scene->steps.len; i++) {
        cr_assert_eq(scene->steps.item[i].err, CS_OK, "step %zu: %s", i,
                     cs_err_name(scene->steps.item[i].err));
    }
    cr_assert_eq(scene_count(scene, ".crdtsync/tmp"), 0);
}
