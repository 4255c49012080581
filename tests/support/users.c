/* users.c - the actions of one user. */
#include "support/users.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prng.h"
#include "support/cluster.h"
#include "support/user_files.h"

#define SIBLING_MARK ".conflict-"
#define LATE_MS_MAX  300u
#define SMALL_MAX    4000u
#define LARGE_MAX    (600u << 10) /* several chunks */
#define EQUAL_LEN    100u         /* of every other string: sizes tell nothing */

struct user {
    user_plan_t plan;
    oracle_t *oracle;
    cs_prng_t prng;
    pthread_t thread;
    atomic_bool stop;
    atomic_ulong actions;
    unsigned names; /* used so far for files of its own */
    file_list_t files;
};

static const char *const DIRS[] = {"d0", "d1", "d2", "d0/e0", "d1/e1", "d2/e0/g0"};
static const char *const NAMES[] = {"f0.txt", "f1.txt",    "f2",
                                    "f3.c",   "f4.tar.gz", "\xc3\xa4 5"};

static unsigned below(user_t *user, unsigned bound)
{
    return (unsigned)cs_prng_below(&user->prng, bound);
}

static void random_dir(user_t *user, char *ret)
{
    snprintf(ret, FILE_PATH_BYTES, "%s/%s", user->plan.root,
             DIRS[below(user, CS_COUNT_OF(DIRS))]);
}

/* A path that may or may not exist; one in four lies in the root. */
static void random_path(user_t *user, char *ret)
{
    char dir[FILE_PATH_BYTES];
    snprintf(dir, sizeof dir, "%s", user->plan.root);
    if (below(user, 4) != 0) random_dir(user, dir);
    snprintf(ret, FILE_PATH_BYTES, "%.900s/%s", dir, NAMES[below(user, CS_COUNT_OF(NAMES))]);
}

/* A file or link that was there a moment ago. */
static const char *random_file(user_t *user)
{
    return user->files.count == 0 ? NULL
                                  : user->files.at[below(user, (unsigned)user->files.count)];
}

static void away_path(user_t *user, char *ret)
{
    snprintf(ret, FILE_PATH_BYTES, "%s/%u", user->plan.away, user->names++);
}

/* The one way in which this user deletes. */
static bool take_away(user_t *user, const char *path)
{
    char away[FILE_PATH_BYTES];
    away_path(user, away);
    return file_move(path, away);
}

static uint32_t draw(user_t *user)
{
    if (below(user, 2) == 0) return oracle_draw(user->oracle, EQUAL_LEN);
    unsigned most = below(user, 20) == 0 ? LARGE_MAX : SMALL_MAX;
    return oracle_draw(user->oracle, ORACLE_STRING_MIN + below(user, most));
}

/* Writes the string through fd, at times in two pieces with a pause, and tells the oracle.
 * Closes fd. */
static void save_through(user_t *user, int fd, uint32_t number, const char *how,
                         const char *path)
{
    size_t len = oracle_len(user->oracle, number);
    char *bytes = malloc(len);
    if (bytes == NULL) abort();
    oracle_bytes(user->oracle, number, bytes);
    bool late = !file_is_at(fd, path);
    if (ftruncate(fd, 0) != 0) test_fail("ftruncate %s: %s", path, strerror(errno));
    size_t first = below(user, 4) == 0 ? len / 2 : len;
    file_write(fd, bytes, first, 0);
    if (first < len) poll(NULL, 0, (int)below(user, 20));
    late = late || !file_is_at(fd, path);
    file_write(fd, bytes + first, len - first, first);
    late = late || !file_is_at(fd, path);
    free(bytes);

    char where[120];
    snprintf(where, sizeof where, "%.3f %s %s", test_now(), how,
             path + strlen(user->plan.root) + 1);
    if (late) {
        oracle_saved_late(user->oracle, number, where);
    } else {
        oracle_saved(user->oracle, number, where);
    }
    close(fd);
}

static bool create(user_t *user, const char *how, const char *path)
{
    file_make_parents(path, user->plan.root);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    save_through(user, fd, draw(user), how, path);
    return true;
}

static bool act_create(user_t *user)
{
    char path[FILE_PATH_BYTES];
    random_path(user, path);
    return create(user, "create", path);
}

/* What was read through this file is what the write destroys: nothing but this user writes into
 * it. */
static bool save_in_place(user_t *user, const char *path, unsigned pause_ms)
{
    if (path == NULL) return false;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    size_t len;
    char *old = file_read(fd, &len);
    uint32_t number = oracle_identify(user->oracle, old, len);
    free(old);
    if (pause_ms > 0) poll(NULL, 0, (int)below(user, pause_ms));
    if (number != ORACLE_NONE) oracle_replaced(user->oracle, number);
    save_through(user, fd, draw(user), pause_ms > 0 ? "held open" : "in place", path);
    return true;
}

static bool act_in_place(user_t *user)
{
    return save_in_place(user, random_file(user), 0);
}

static bool act_held_open(user_t *user)
{
    return save_in_place(user, random_file(user), LATE_MS_MAX);
}

/* Often of one length, within a tick of the clock. */
static bool act_in_place_twice(user_t *user)
{
    const char *path = random_file(user);
    return save_in_place(user, path, 0) && save_in_place(user, path, 0);
}

/* The new file is written beside the old one, or outside; what the exchange brings out goes to
 * the private directory. */
static bool save_by_rename(user_t *user, bool beside)
{
    char path[FILE_PATH_BYTES], temporary[FILE_PATH_BYTES];
    const char *old = random_file(user);
    if (old != NULL && below(user, 4) != 0) {
        snprintf(path, sizeof path, "%s", old);
    } else {
        random_path(user, path);
    }
    file_make_parents(path, user->plan.root);
    if (beside) {
        snprintf(temporary, sizeof temporary, "%.900s.tmp%u", path, user->names++);
    } else {
        away_path(user, temporary);
    }
    uint32_t number = draw(user);
    if (!file_create(user->oracle, number, temporary)) return false;
    bool exchanged = file_exchange(temporary, path);
    if (!exchanged && !file_move(temporary, path)) {
        take_away(user, temporary);
        return false;
    }
    char where[120];
    snprintf(where, sizeof where, "%.3f %s %s", test_now(), beside ? "rename" : "rename in",
             path + strlen(user->plan.root) + 1);
    oracle_saved(user->oracle, number, where);
    if (exchanged && beside) take_away(user, temporary);
    return true;
}

static bool act_rename_beside(user_t *user)
{
    return save_by_rename(user, true);
}

static bool act_rename_in(user_t *user)
{
    return save_by_rename(user, false);
}

static bool act_backup(user_t *user)
{
    char backup[FILE_PATH_BYTES];
    const char *path = random_file(user);
    if (path == NULL || strlen(path) > 900) return false;
    size_t len = strlen(path);
    if (path[len - 1] == '~') return false;
    snprintf(backup, sizeof backup, "%s~", path);
    if (!file_move(path, backup) && (!take_away(user, backup) || !file_move(path, backup)))
        return false;
    create(user, "backup", path);
    return true;
}

static bool act_delete(user_t *user)
{
    const char *path = random_file(user);
    return path != NULL && take_away(user, path);
}

static bool act_move(user_t *user)
{
    char to[FILE_PATH_BYTES];
    const char *from = random_file(user);
    random_path(user, to);
    file_make_parents(to, user->plan.root);
    return from != NULL && file_move(from, to);
}

static bool act_swap(user_t *user)
{
    const char *a = random_file(user);
    const char *b = random_file(user);
    return a != NULL && a != b && file_exchange(a, b);
}

/* A conflict is resolved by hand: the sibling takes the place of the other, which stays under
 * the sibling's name, or goes. */
static bool act_prefer_sibling(user_t *user)
{
    char path[FILE_PATH_BYTES];
    const char *sibling = NULL, *mark = NULL;
    for (size_t i = 0; i < user->files.count; i++) {
        const char *at = strstr(user->files.at[i], SIBLING_MARK);
        bool better = at != NULL && (sibling == NULL || below(user, 3) == 0);
        if (better) mark = at, sibling = user->files.at[i];
    }
    if (sibling == NULL) return false;
    const char *rest = mark + strlen(SIBLING_MARK);
    rest += strspn(rest, "0123456789abcdef");
    snprintf(path, sizeof path, "%.*s%s", (int)(mark - sibling), sibling, rest);
    if (!file_exchange(sibling, path)) return file_move(sibling, path);
    return below(user, 2) == 0 || take_away(user, sibling);
}

static bool act_chmod(user_t *user)
{
    static const mode_t modes[] = {0644, 0755, 0600, 0640};
    const char *path = random_file(user);
    return path != NULL && file_chmod(path, modes[below(user, CS_COUNT_OF(modes))]);
}

static bool act_link(user_t *user)
{
    char path[FILE_PATH_BYTES], target[ORACLE_STRING_MIN + 200] = "";
    random_path(user, path);
    file_make_parents(path, user->plan.root);
    uint32_t number = oracle_draw(user->oracle, ORACLE_STRING_MIN + below(user, 100));
    oracle_bytes(user->oracle, number, target);
    if (symlink(target, path) != 0) return false;
    char where[120];
    snprintf(where, sizeof where, "%.3f link %s", test_now(),
             path + strlen(user->plan.root) + 1);
    oracle_saved(user->oracle, number, where);
    return true;
}

static bool act_move_dir(user_t *user)
{
    char from[FILE_PATH_BYTES], to[FILE_PATH_BYTES];
    random_dir(user, from);
    random_dir(user, to);
    file_make_parents(to, user->plan.root);
    return file_move(from, to);
}

static bool act_delete_dir(user_t *user)
{
    char dir[FILE_PATH_BYTES];
    random_dir(user, dir);
    return take_away(user, dir);
}

static bool act_make_dir(user_t *user)
{
    char dir[FILE_PATH_BYTES];
    random_dir(user, dir);
    file_make_parents(dir, user->plan.root);
    return mkdir(dir, 0755) == 0;
}

static bool act_remove_empty_dir(user_t *user)
{
    char dir[FILE_PATH_BYTES];
    random_dir(user, dir);
    return rmdir(dir) == 0;
}

typedef struct action {
    bool (*act)(user_t *user);
    unsigned weight;
} action_t;

static const action_t BUSY[] = {
    {act_create, 24},        {act_in_place, 16},      {act_held_open, 4},
    {act_rename_beside, 10}, {act_rename_in, 6},      {act_backup, 8},
    {act_delete, 8},         {act_move, 10},          {act_swap, 4},
    {act_chmod, 8},          {act_link, 3},           {act_move_dir, 4},
    {act_delete_dir, 1},     {act_make_dir, 2},       {act_remove_empty_dir, 1},
    {act_in_place_twice, 4}, {act_prefer_sibling, 6},
};
static const action_t TIDY[] = {{act_delete, 12}, {act_delete_dir, 1}, {act_in_place, 1}};

static bool act(user_t *user, const action_t *list, size_t count)
{
    unsigned total = 0;
    for (size_t i = 0; i < count; i++)
        total += list[i].weight;
    unsigned at = below(user, total);
    size_t i = 0;
    while (at >= list[i].weight)
        at -= list[i++].weight;
    return list[i].act(user);
}

static void *work(void *arg)
{
    user_t *user = arg;
    while (!atomic_load(&user->stop)) {
        file_list(user->plan.root, &user->files);
        bool many = user->files.count > (size_t)user->plan.files_max;
        bool done =
            many ? act(user, TIDY, CS_COUNT_OF(TIDY)) : act(user, BUSY, CS_COUNT_OF(BUSY));
        if (done) atomic_fetch_add(&user->actions, 1);
        poll(NULL, 0, (int)below(user, user->plan.pause_ms + 1));
    }
    file_list_fini(&user->files);
    return NULL;
}

user_t *user_start(oracle_t *oracle, const user_plan_t *plan)
{
    user_t *user = calloc(1, sizeof *user);
    if (user == NULL) abort();
    user->oracle = oracle;
    user->plan = *plan;
    cs_prng_init(&user->prng, plan->seed);
    if (mkdir(plan->away, 0700) != 0 && errno != EEXIST)
        test_fail("mkdir %s: %s", plan->away, strerror(errno));
    if (pthread_create(&user->thread, NULL, work, user) != 0) test_fail("user: no thread");
    return user;
}

void user_stop(user_t **user_p)
{
    user_t *user = *user_p;
    if (user == NULL) return;
    *user_p = NULL;
    atomic_store(&user->stop, true);
    pthread_join(user->thread, NULL);
    free(user);
}

unsigned long user_actions(const user_t *user)
{
    return atomic_load(&user->actions);
}
