/* apply_race_test.c - a user acts between any two calls of cs_apply.
 *
 * Each scene is a small folder with steps. It is run once to count the calls, then once for
 * each call, action and path. Afterwards: no byte string is lost but what the user himself
 * overwrote; his own bytes are in the tree; a step that says CS_OK vouches for the right bytes
 * only; and what failed still stands as it was. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/trash.h"
#include "support/folder.h"
#include "support/tales.h"

#define MINE "the user's own bytes"

typedef enum action {
    WRITE_IN_PLACE,
    WRITE_OPEN, /* through a descriptor from before the run */
    RENAME_OVER,
    UNLINK,
    CHMOD,
    REPLACE_BY_DIR,
    MOVE_AWAY,
    ACTION_COUNT
} action_t;

/* --- the user */

typedef struct user {
    scene_t *scene;
    action_t action;
    const char *path;
    int fd;          /* WRITE_OPEN */
    char *opened;    /* what `fd` held */
    char *destroyed; /* overwritten or removed by him */
    bool wrote;      /* MINE should be somewhere */
} user_t;

static void full_path(const scene_t *scene, const char *path, char ret[512])
{
    snprintf(ret, 512, "%s/%s", scene->dir, path);
}

static bool put_text(const char *full, int flags)
{
    int fd = open(full, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return false;
    cr_assert_eq(write(fd, MINE, strlen(MINE)), (ssize_t)strlen(MINE));
    close(fd);
    return true;
}

static void act(void *arg)
{
    user_t *user = arg;
    char full[512], aside[512], inside[520];
    full_path(user->scene, user->path, full);
    full_path(user->scene, "aside", aside);
    char *before = scene_read(user->scene, user->path);
    bool destroyed = false;
    switch (user->action) {
    case WRITE_IN_PLACE:
        user->wrote = destroyed = put_text(full, O_WRONLY | O_CREAT | O_TRUNC);
        break;
    case WRITE_OPEN:
        if (user->fd < 0) break;
        cr_assert_eq(ftruncate(user->fd, 0), 0);
        cr_assert_eq(pwrite(user->fd, MINE, strlen(MINE), 0), (ssize_t)strlen(MINE));
        cs_free(before);
        before = user->opened;
        user->opened = NULL;
        user->wrote = destroyed = true;
        break;
    case RENAME_OVER:
        cr_assert(put_text(aside, O_WRONLY | O_CREAT | O_EXCL));
        user->wrote = destroyed = rename(aside, full) == 0;
        if (!user->wrote) cr_assert_eq(unlink(aside), 0);
        break;
    case UNLINK:
        destroyed = unlink(full) == 0;
        break;
    case CHMOD:
        if (before != NULL && before[0] != '-') chmod(full, 0640);
        break;
    case REPLACE_BY_DIR:
        destroyed = unlink(full) == 0;
        if (mkdir(full, 0755) != 0) break;
        snprintf(inside, sizeof inside, "%s/in it", full);
        user->wrote = put_text(inside, O_WRONLY | O_CREAT | O_EXCL);
        break;
    case MOVE_AWAY:
        (void)!rename(full, aside);
        break;
    case ACTION_COUNT:
        break;
    }
    user->destroyed = destroyed ? before : NULL;
    if (!destroyed) cs_free(before);
}

/* --- what must hold */

typedef struct run {
    const tale_t *tale;
    action_t action;
    const char *path;
    size_t at;
} run_t;

static void fail(const run_t *run, const char *what, const char *detail)
{
    cr_assert_fail("%s: action %d on %s before call %zu: %s: %s", run->tale->name,
                   (int)run->action, run->path != NULL ? run->path : "-", run->at, what,
                   detail);
}

static bool matters(const user_t *user, const char *text)
{
    return text != NULL && (user->destroyed == NULL || strcmp(text, user->destroyed) != 0);
}

/* A print that a base row would hold is one that the next scan takes for these bytes. */
static void check_vouch(const run_t *run, const scene_t *scene, size_t i)
{
    const cs_step_t *step = &scene->steps.item[i];
    const char *path = step->item.path->data;
    cs_stat_t st;
    if (step->kind == CS_STEP_MKDIR || step->kind == CS_STEP_RMDIR) return;
    if (scene->real->ops->stat(scene->real, cs_slice_text(path), &st) != CS_OK) return;
    bool done = step->err == CS_OK && step->kind != CS_STEP_DELETE;
    const cs_print_t *print = done ? &step->print : &step->expect;
    if (!cs_print_eq(&st.print, print)) return;
    const char *text = done ? scene->new_text[i] : scene->old_text[i];
    if (!scene_holds(scene, path, text)) fail(run, "vouched for other bytes", path);
    uint16_t mode = done ? step->item.attr.mode : step->expect_mode;
    if (st.type == CS_NODE_FILE && st.mode != mode) fail(run, "vouched for another mode", path);
}

static void check_bytes(const run_t *run, const scene_t *scene, const user_t *user)
{
    for (size_t i = 0; i < scene->steps.len; i++) {
        const cs_step_t *step = &scene->steps.item[i];
        if (matters(user, scene->old_text[i]) && !scene_anywhere(scene, scene->old_text[i])) {
            fail(run, "old bytes lost", scene->old_text[i]);
        }
        bool was_here = step->from != NULL;
        if (was_here && matters(user, scene->new_text[i]) &&
            !scene_anywhere(scene, scene->new_text[i])) {
            fail(run, "moved bytes lost", scene->new_text[i]);
        }
    }
    if (user->wrote && !scene_tree_holds(scene, MINE)) {
        fail(run, "the user's bytes are not in the tree", MINE);
    }
}

/* Where he wrote, or where the file that he wrote to belongs; not in some copy beside it. */
static void check_place(const run_t *run, const scene_t *scene, const user_t *user)
{
    bool by_path = run->action == WRITE_IN_PLACE || run->action == RENAME_OVER;
    if (!user->wrote || !by_path || scene_holds(scene, run->path, MINE)) return;
    for (size_t i = 0; i < scene->steps.len; i++) {
        const cs_step_t *step = &scene->steps.item[i];
        if (scene_holds(scene, step->item.path->data, MINE)) return;
        if (step->from != NULL && scene_holds(scene, step->from->data, MINE)) return;
    }
    if (scene_holds(scene, "E/new", MINE)) return; /* created as its directory was renamed */
    fail(run, "the user's bytes are out of place", MINE);
}

static void race(const run_t *run)
{
    scene_t scene;
    scene_open(&scene);
    run->tale->build(&scene);
    user_t user = {.scene = &scene, .action = run->action, .path = run->path, .fd = -1};
    char full[512];
    full_path(&scene, run->path, full);
    if (run->action == WRITE_OPEN) {
        user.fd = open(full, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        user.opened = scene_read(&scene, run->path);
    }
    scene.spy.at = run->at;
    scene.spy.act = act;
    scene.spy.arg = &user;
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_OK);
    if (scene.spy.calls < scene.spy.at) act(&user); /* after the last one */
    scene.spy.at = 0;
    for (size_t i = 0; i < scene.steps.len; i++) {
        check_vouch(run, &scene, i);
    }
    check_place(run, &scene, &user);
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    check_bytes(run, &scene, &user);
    if (user.fd >= 0) close(user.fd);
    cs_free(user.opened);
    cs_free(user.destroyed);
    scene_close(&scene);
}

static void race_everywhere(action_t action)
{
    for (size_t i = 0; i < tale_count; i++) {
        size_t calls = tale_count_calls(&tales[i], NOTHING);
        for (size_t j = 0; j < CS_COUNT_OF(tales[i].paths) && tales[i].paths[j] != NULL; j++) {
            for (size_t at = 1; at <= calls + 1; at++) {
                race(&(run_t){&tales[i], action, tales[i].paths[j], at});
            }
        }
    }
}

Test(apply_race, user_writes_in_place)
{
    race_everywhere(WRITE_IN_PLACE);
}

Test(apply_race, user_writes_to_a_file_he_holds_open)
{
    race_everywhere(WRITE_OPEN);
}

Test(apply_race, user_renames_over)
{
    race_everywhere(RENAME_OVER);
}

Test(apply_race, user_deletes)
{
    race_everywhere(UNLINK);
}

Test(apply_race, user_changes_a_mode)
{
    race_everywhere(CHMOD);
}

Test(apply_race, user_puts_a_directory_in_the_way)
{
    race_everywhere(REPLACE_BY_DIR);
}

Test(apply_race, user_moves_away)
{
    race_everywhere(MOVE_AWAY);
}
