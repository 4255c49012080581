/* crash_main.c - a node is killed before each of its changes of a file or directory, or loses
 * its power there; then it is started again, and nothing is lost.
 *
 *   crash [--all] [SCENE]      default: an even sample of every scene
 *
 * Each scene is lived once to count the changes (of the folder, of the home, of the database),
 * then again and again with an end before the first, the second, ... change, until it is lived
 * through. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/rounds.h"
#include "support/support.h"
#include "support/victim.h"

#define SAMPLE 6u /* ends of one scene, spread over its changes and the ways to end */

typedef struct world {
    rounds_t rounds;
    victim_t victim;
} world_t;

typedef struct scene {
    const char *name;
    /* What happens while the victim is down. */
    void (*prepare)(world_t *world);
    const char *command; /* what the victim is then; NULL: a node */
} scene_t;

static cluster_t *cluster_of(world_t *world)
{
    return &world->rounds.cluster;
}

static void scan_other(world_t *world)
{
    cluster_do(cluster_of(world), 0, NULL, "scan %s", cluster_of(world)->folder);
}

/* The victim lives for a while, and ends as it should. */
static void interlude(world_t *world)
{
    cluster_start(cluster_of(world), 1);
    cluster_settle(cluster_of(world), 60);
    cluster_stop(cluster_of(world), 1);
}

static void local_changes(world_t *world)
{
    rounds_tidy(&world->rounds, 1);
    rounds_change(&world->rounds, 1);
}

static void remote_changes(world_t *world)
{
    rounds_tidy(&world->rounds, 0);
    rounds_change(&world->rounds, 0);
    scan_other(world);
}

static void changes_on_both(world_t *world)
{
    local_changes(world);
    remote_changes(world);
}

/* So few that they are flushed by name, where the disk is busy: an edit, and a new file in new
 * directories. */
static void save_two(world_t *world, int node)
{
    char path[64];
    rounds_tidy(&world->rounds, node);
    rounds_put(&world->rounds, node, "saved", 900);
    snprintf(path, sizeof path, "new %d/%u/saved", node, world->rounds.count);
    rounds_put(&world->rounds, node, path, 900);
}

static void two_saved(world_t *world)
{
    save_two(world, 1);
}

static void two_come(world_t *world)
{
    save_two(world, 0);
    scan_other(world);
}

/* A program wrote into a file that had been replaced: it comes back from the trash. */
static void late_write(world_t *world)
{
    char path[512];
    node_path(&cluster_of(world)->node[1], "edited", path, sizeof path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    cluster_start(cluster_of(world), 1);
    remote_changes(world);
    cluster_settle(cluster_of(world), 60);
    cluster_stop(cluster_of(world), 1);
    if (fd < 0) return;
    rounds_put_open(&world->rounds, fd);
    close(fd);
}

static void lost_database(world_t *world)
{
    changes_on_both(world);
    test_shell("rm -rf %s/db", cluster_of(world)->node[1].home);
}

/* A backup of the home is put back: it forgot what it told the other node meanwhile. */
static void restored_home(world_t *world)
{
    const char *home = cluster_of(world)->node[1].home;
    test_shell("rm -rf %s.old && cp -a %s %s.old", home, home, home);
    local_changes(world);
    interlude(world);
    test_shell("rm -rf %s && mv %s.old %s", home, home, home);
    changes_on_both(world);
}

static const scene_t scenes[] = {
    {"scan", local_changes, NULL},
    {"apply", remote_changes, NULL},
    {"both", changes_on_both, NULL},
    {"two saved", two_saved, NULL},
    {"two come", two_come, NULL},
    {"trash", late_write, NULL},
    {"lost database", lost_database, NULL},
    {"restored home", restored_home, NULL},
    {"scan without a node", local_changes, "scan shared"},
    {"sync without a node", changes_on_both, "sync --once --timeout 20"},
    {"reincarnate", changes_on_both, "reincarnate shared"},
};

static bool run_command(world_t *world, const char *command, uint32_t at, unsigned way)
{
    int code = victim_run(&world->victim, at, way, "%s", command);
    if (code > 0) test_fail("%s: exit code %d", command, code);
    return code == -1;
}

/* True: the victim came to its end. */
static bool live_once(world_t *world, const scene_t *scene, uint32_t at, unsigned way)
{
    char what[256];
    snprintf(what, sizeof what, "%s, %s before change %u", scene->name, victim_way(way), at);
    scene->prepare(world);
    bool died = scene->command != NULL ? run_command(world, scene->command, at, way)
                                       : victim_live(&world->victim, at, way);
    if (getenv("CRASH_TRACE") != NULL) printf("%s: %s\n", what, world->victim.state->last);
    cluster_start(cluster_of(world), 1);
    rounds_check(&world->rounds, what);
    cluster_verify(cluster_of(world), 1, what);
    cluster_stop(cluster_of(world), 1);
    return died;
}

static unsigned live_all(world_t *world, const scene_t *scene, uint32_t changes)
{
    unsigned ends = 0;
    for (unsigned way = 0; way < VICTIM_WAYS; way++) {
        bool died = true;
        for (uint32_t at = 1; died || at < changes; at++) {
            died = live_once(world, scene, at, way);
            ends += died;
        }
    }
    return ends;
}

/* Kills and cuts in turn; the numbers move from scene to scene. */
static unsigned live_some(world_t *world, const scene_t *scene, uint32_t changes)
{
    unsigned ends = 0, offset = (unsigned)(scene - scenes);
    for (uint32_t i = 0; i < SAMPLE; i++) {
        uint32_t at = 1 + (i * changes + changes * (offset + 1) / 8) / SAMPLE;
        bool died = live_once(world, scene, at, (i + offset) % VICTIM_WAYS);
        if (!died) changes = world->victim.state->calls; /* no two lives are alike */
        ends += died;
    }
    return ends;
}

static void play(const scene_t *scene, bool all)
{
    world_t world;
    double begin = test_now();
    rounds_open(&world.rounds);
    victim_open(&world.victim, cluster_of(&world), 1);
    cluster_start(cluster_of(&world), 0);
    rounds_change(&world.rounds, 0);
    if (live_once(&world, scene, 0, 0)) test_fail("%s: it died unasked", scene->name);
    if (live_once(&world, scene, 0, 1)) test_fail("%s: it died unasked", scene->name);
    uint32_t changes = world.victim.state->calls;
    if (changes < 20) test_fail("%s: only %u changes are seen", scene->name, changes);
    unsigned ends = (all ? live_all : live_some)(&world, scene, changes);
    if (ends == 0) test_fail("%s: it never died", scene->name);
    printf("crash: %s: %u changes, %u ends, %.1f s\n", scene->name, changes, ends,
           test_now() - begin);
    victim_close(&world.victim);
    rounds_close(&world.rounds);
}

int main(int argc, char **argv)
{
    bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const char *only = argc > 1 + all ? argv[argc - 1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    tmp_in_memory(TMP_SMALL_MIB);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (*only == '\0' || strcmp(scenes[i].name, only) == 0) play(&scenes[i], all);
    }
    return 0;
}
