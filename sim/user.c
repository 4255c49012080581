/* user.c - what users and their programs do to files, as programs do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/world.h"

#define LARGE_BYTES 400000u /* several chunks */

static cs_slice_t slice_of(const char *path)
{
    return cs_slice(path, strlen(path));
}

static void make_parents(cs_sim_node_t *node, const char *path)
{
    for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
        cs_err_t err = cs_mem_user_mkdir(node->volume, cs_slice(path, (size_t)(slash - path)));
        (void)err; /* it is there, or something else is */
    }
}

/* Programs that write what must last flush it. */
static bool put(cs_sim_node_t *node, const char *path, const void *data, size_t len)
{
    cs_mem_fd_t *fd;
    make_parents(node, path);
    if (cs_mem_user_open(node->volume, slice_of(path),
                         CS_MEM_O_WRITE | CS_MEM_O_CREATE | CS_MEM_O_TRUNC, 0644,
                         &fd) != CS_OK) {
        return false;
    }
    bool ok = cs_mem_user_pwrite(fd, 0, data, len) == CS_OK && cs_mem_user_fsync(fd) == CS_OK;
    cs_mem_user_close(&fd);
    return ok;
}

/* In the place of whatever file is there. On a full disk its bytes may go all the same. */
static bool put_over(cs_sim_node_t *node, const char *path, const void *data, size_t len)
{
    uint32_t old = cs_sim_user_text(node, path, true);
    bool ok = put(node, path, data, len);
    if (ok || cs_sim_user_text(node, path, false) != old) cs_sim_user_removed(node, old);
    return ok;
}

static bool is_file(cs_sim_node_t *node, const char *path)
{
    cs_stat_t st;
    return cs_mem_user_stat(node->volume, slice_of(path), &st) == CS_OK &&
           st.type == CS_NODE_FILE;
}

static bool is_free(cs_sim_node_t *node, const char *path)
{
    cs_stat_t st;
    return cs_mem_user_stat(node->volume, slice_of(path), &st) != CS_OK;
}

static void save(cs_sim_node_t *node, const char *path, uint64_t number)
{
    char bytes[CS_TEXT_BYTES];
    size_t len = cs_text_print(number, bytes);
    if (!is_file(node, path) && !is_free(node, path)) return;
    if (put_over(node, path, bytes, len)) cs_texts_written(node->sim->texts, (uint32_t)number);
}

/* --- names */

static bool rename_to(cs_sim_node_t *node, const char *from, const char *to)
{
    if (strcmp(from, to) == 0 || is_free(node, from)) return false;
    make_parents(node, to);
    uint32_t old = cs_sim_user_text(node, to, true);
    cs_sim_user_moves(node, from);
    if (cs_mem_user_rename(node->volume, slice_of(from), slice_of(to), CS_RENAME_REPLACE) !=
        CS_OK) {
        return false;
    }
    cs_sim_user_removed(node, old);
    return true;
}

static void swap(cs_sim_node_t *node, const char *a, const char *b)
{
    cs_sim_user_moves(node, a);
    cs_sim_user_moves(node, b);
    cs_err_t err =
        cs_mem_user_rename(node->volume, slice_of(a), slice_of(b), CS_RENAME_EXCHANGE);
    (void)err; /* one of them is not there */
}

static void save_new(cs_sim_node_t *node, const char *path, uint64_t number)
{
    char fresh[CS_ACT_PATH_BYTES];
    if (!is_file(node, path) && !is_free(node, path)) return;
    snprintf(fresh, sizeof fresh, "%.80s.tmp", path);
    save(node, fresh, number);
    (void)rename_to(node, fresh, path);
}

static void save_old(cs_sim_node_t *node, const char *path, uint64_t number)
{
    char backup[CS_ACT_PATH_BYTES];
    if (!is_file(node, path)) return;
    snprintf(backup, sizeof backup, "%.80s~", path);
    (void)rename_to(node, path, backup);
    save(node, path, number);
}

/* Variants share most of their chunks. */
static void save_large(cs_sim_node_t *node, const char *path, uint64_t variant)
{
    if (!is_file(node, path) && !is_free(node, path)) return;
    uint8_t *bytes = cs_malloc(LARGE_BYTES);
    cs_prng_t prng;
    cs_prng_init(&prng, 42);
    cs_prng_fill(&prng, bytes, LARGE_BYTES);
    memset(bytes + variant * 40009u % (LARGE_BYTES - 8), (int)variant, 8);
    (void)put_over(node, path, bytes, LARGE_BYTES);
    cs_free(bytes);
}

static void copy(cs_sim_node_t *node, const char *from, const char *to)
{
    char bytes[CS_TEXT_BYTES];
    uint32_t number = cs_sim_user_text(node, from, false);
    if (number == CS_TEXT_NONE || strcmp(from, to) == 0) return;
    if (!is_file(node, to) && !is_free(node, to)) return;
    if (put_over(node, to, bytes, cs_text_print(number, bytes))) {
        cs_texts_copied(node->sim->texts, number, node->index);
    }
}

/* rm -r: every file of a directory, then the directories from below. */
static void remove_all(cs_sim_node_t *node, const char *path)
{
    cs_listing_t listing = {0};
    cs_stat_t st;
    if (cs_mem_user_stat(node->volume, slice_of(path), &st) != CS_OK) return;
    if (st.type != CS_NODE_DIR) {
        uint32_t old = cs_sim_user_text(node, path, true);
        if (cs_mem_user_unlink(node->volume, slice_of(path)) == CS_OK) {
            cs_sim_user_removed(node, old);
        }
        return;
    }
    if (cs_mem_user_list(node->volume, slice_of(path), &listing) == CS_OK) {
        for (size_t i = 0; i < listing.len; i++) {
            char below[CS_ACT_PATH_BYTES * 4];
            snprintf(below, sizeof below, "%s/%s", path, listing.item[i].name->data);
            remove_all(node, below);
        }
    }
    cs_listing_fini(&listing);
    cs_err_t err = cs_mem_user_rmdir(node->volume, slice_of(path));
    (void)err; /* somebody else was faster, or put something there */
}

/* A program opens the file, and writes later: by then its name may be another's. */
static void hold(cs_sim_node_t *node, const char *path)
{
    if (node->held != NULL) return;
    cs_err_t err =
        cs_mem_user_open(node->volume, slice_of(path), CS_MEM_O_WRITE, 0, &node->held);
    if (err != CS_OK) node->held = NULL;
}

/* The file that it writes to may have been moved, by whom it does not know. */
static void touch_held(void *arg, const cs_mem_item_t *item)
{
    cs_sim_node_t *node = arg;
    cs_stat_t held;
    char path[CS_ACT_PATH_BYTES];
    if (cs_mem_user_fstat(node->held, &held) != CS_OK) return;
    if (item->stat.print.ino != held.print.ino) return;
    snprintf(path, sizeof path, "%.*s", (int)item->path.len, (const char *)item->path.data);
    cs_touched_add(&node->touched, path);
}

static void write_late(cs_sim_node_t *node, uint64_t number)
{
    char bytes[CS_TEXT_BYTES + 1];
    if (node->held == NULL) return;
    cs_mem_volume_walk(node->volume, touch_held, node);
    size_t len = cs_text_print(number, bytes);
    bytes[len++] = '+'; /* within a tick of the clock only another length tells writes apart */
    uint32_t old = cs_sim_user_text_in(node->held);
    bool ok = cs_mem_user_ftruncate(node->held, 0) == CS_OK;
    if (ok) cs_sim_user_removed(node, old);
    ok = ok && cs_mem_user_pwrite(node->held, 0, bytes, len) == CS_OK &&
         cs_mem_user_fsync(node->held) == CS_OK;
    if (ok) cs_texts_written(node->sim->texts, (uint32_t)number);
    cs_sim_user_let_go(node);
}

static void make_link(cs_sim_node_t *node, const char *path, uint64_t number)
{
    char target[CS_TEXT_BYTES];
    size_t len = cs_text_print(number, target);
    if (!is_free(node, path)) return;
    make_parents(node, path);
    cs_err_t err = cs_mem_user_symlink(node->volume, cs_slice(target, len), slice_of(path));
    (void)err; /* a file is where a directory should be, or the disk is full */
}

static void touch(cs_sim_node_t *node, const char *path)
{
    int64_t now_ns = node->wall_ns + (int64_t)node->sim->now_us * 1000;
    cs_err_t err = cs_mem_user_utimens(node->volume, slice_of(path), now_ns);
    (void)err; /* nothing there */
}

static void make_dir(cs_sim_node_t *node, const char *path)
{
    make_parents(node, path);
    cs_err_t err = cs_mem_user_mkdir(node->volume, slice_of(path));
    (void)err;
}

/* --- by kind; the action's paths are resolved */

typedef void doing_t(cs_sim_node_t *node, const cs_act_t *act);

static void do_save(cs_sim_node_t *node, const cs_act_t *act)
{
    save(node, act->path, act->number);
}

static void do_save_new(cs_sim_node_t *node, const cs_act_t *act)
{
    save_new(node, act->path, act->number);
}

static void do_save_old(cs_sim_node_t *node, const cs_act_t *act)
{
    save_old(node, act->path, act->number);
}

static void do_large(cs_sim_node_t *node, const cs_act_t *act)
{
    save_large(node, act->path, act->number);
}

static void do_copy(cs_sim_node_t *node, const cs_act_t *act)
{
    copy(node, act->path, act->other);
}

static void do_move(cs_sim_node_t *node, const cs_act_t *act)
{
    (void)rename_to(node, act->path, act->other);
}

static void do_swap(cs_sim_node_t *node, const cs_act_t *act)
{
    swap(node, act->path, act->other);
}

static void do_remove(cs_sim_node_t *node, const cs_act_t *act)
{
    remove_all(node, act->path);
}

static void do_mkdir(cs_sim_node_t *node, const cs_act_t *act)
{
    make_dir(node, act->path);
}

static void do_rmdir(cs_sim_node_t *node, const cs_act_t *act)
{
    cs_err_t err = cs_mem_user_rmdir(node->volume, slice_of(act->path));
    (void)err; /* not there, or not empty */
}

static void do_chmod(cs_sim_node_t *node, const cs_act_t *act)
{
    if (!is_file(node, act->path)) return;
    cs_err_t err = cs_mem_user_chmod(node->volume, slice_of(act->path), (uint16_t)act->number);
    (void)err;
}

static void do_link(cs_sim_node_t *node, const cs_act_t *act)
{
    make_link(node, act->path, act->number);
}

static void do_touch(cs_sim_node_t *node, const cs_act_t *act)
{
    touch(node, act->path);
}

static void do_hold(cs_sim_node_t *node, const cs_act_t *act)
{
    hold(node, act->path);
}

static void do_late(cs_sim_node_t *node, const cs_act_t *act)
{
    write_late(node, act->number);
}

static doing_t *const doings[CS_ACT_COUNT] = {
    [CS_ACT_SAVE] = do_save,   [CS_ACT_SAVE_NEW] = do_save_new, [CS_ACT_SAVE_OLD] = do_save_old,
    [CS_ACT_LARGE] = do_large, [CS_ACT_COPY] = do_copy,         [CS_ACT_MOVE] = do_move,
    [CS_ACT_SWAP] = do_swap,   [CS_ACT_REMOVE] = do_remove,     [CS_ACT_MKDIR] = do_mkdir,
    [CS_ACT_RMDIR] = do_rmdir, [CS_ACT_CHMOD] = do_chmod,       [CS_ACT_LINK] = do_link,
    [CS_ACT_TOUCH] = do_touch, [CS_ACT_HOLD] = do_hold,         [CS_ACT_LATE] = do_late,
};

bool cs_sim_user(cs_sim_node_t *node, const cs_act_t *act)
{
    if (doings[act->kind] == NULL) return false;
    cs_act_t resolved = *act;
    uint32_t needs = cs_act_needs(act->kind);
    if ((needs & CS_ACT_PATH) && !cs_sim_user_path(node, act->path, resolved.path)) return true;
    if ((needs & CS_ACT_OTHER) && !cs_sim_user_path(node, act->other, resolved.other)) {
        return true;
    }
    if (node->unmounted_us != 0) return true; /* he looks, finds nothing, and waits */
    cs_sim_node_set_clock(node);
    cs_touched_act(&node->touched, &resolved);
    doings[act->kind](node, &resolved);
    return true;
}
