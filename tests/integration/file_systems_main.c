/* file_systems_main.c - a day of use of a folder on each file system that users have: on ext4,
 * XFS, btrfs and in memory nothing is weaker, on overlay and FUSE `doctor` says what is. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/mishap.h"
#include "support/workday.h"

#define FUSE_MAGIC 0x65735546
#define STEPS      4

/* A shell line in the cluster's directory, where the folder is root1; without it, why. */
typedef struct step {
    const char *line, *why;
} step_t;

typedef struct place {
    const char *name, *told; /* ours, and doctor's */
    const char *before;      /* what gets files before there is a folder: root1, or a layer */
    step_t step[STEPS];
    bool holes;         /* its word about them is believed */
    const char *server; /* of a FUSE file system; NULL: the steps mount it */
    const char *weaker; /* the checks of which doctor says so, each with a blank behind it */
} place_t;

#define NO_LOOP "no loop device, or not for this user, or the kernel does not know it"

static bool works(const cluster_t *c, const char *line)
{
    char command[1024];
    snprintf(command, sizeof command, "exec >/dev/null 2>&1; cd %s && %s", c->dir, line);
    return system(command) == 0;
}

static void not_tried(cluster_t *c, const place_t *place, const char *why)
{
    printf("%s: not tried: %s\n", place->name, why);
    cluster_destroy(c);
    fflush(NULL);
    _exit(MISHAP_SKIPPED); /* and with it the mounts */
}

static bool is_fuse(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == FUSE_MAGIC;
}

/* A child of ours, so that it ends with us; it would hold the namespace. 0: it did not mount.
 */
static pid_t serve(const cluster_t *c, const char *server)
{
    double end = test_now() + SOON_S;
    int mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    pid_t pid = fork();
    if (pid < 0) test_fail("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir(c->dir) == 0) execl("/bin/sh", "sh", "-c", server, NULL);
        _exit(127);
    }
    int ends = pidfd_open(pid, 0);
    if (mounts < 0 || ends < 0) test_fail("mountinfo, pidfd_open");
    struct pollfd item[] = {{.fd = mounts, .events = POLLPRI}, {.fd = ends, .events = POLLIN}};
    bool mounted = false;
    while (!(mounted = is_fuse(c->node[WORKDAY_THERE].root))) {
        if (waitpid(pid, NULL, WNOHANG) == pid) break;
        if (test_now() > end) test_fail("%s: nothing is mounted", server);
        (void)poll(item, 2, SOON_S * 1000);
    }
    close(mounts);
    close(ends);
    return mounted ? pid : 0;
}

/* Returns the server's process. */
static pid_t mount_place(workday_t *day, const place_t *place)
{
    cluster_t *c = &day->cluster;
    char before[256];
    pid_t server = 0;
    bool early = strcmp(place->before, "root1") != 0;
    cluster_new(c, 2);
    snprintf(before, sizeof before, "%s/%s", c->dir, place->before);
    test_shell("cd %s && mv root1 was && mkdir root1 lower upper work", c->dir);
    if (early) workday_before(before);
    for (size_t i = 0; i < STEPS && place->step[i].line != NULL; i++) {
        if (!works(c, place->step[i].line)) not_tried(c, place, place->step[i].why);
    }
    if (place->server != NULL && (server = serve(c, place->server)) == 0)
        not_tried(c, place, "its server does not start");
    if (!early) workday_before(before);
    test_shell("cd %s && cp -a was/. root1", c->dir);
    return server;
}

/* The checks that are not good, each with a blank behind it; the disk that a test has may be
 * full. */
static void weaker_checks(cluster_t *c, char *ret, size_t bytes)
{
    char out[CLUSTER_TEXT], begin[64];
    char *rest = NULL;
    snprintf(begin, sizeof begin, "weaker  %s: ", c->folder);
    cluster_do(c, WORKDAY_THERE, out, "doctor -q %s", c->folder);
    *ret = '\0';
    for (char *at = strtok_r(out, "\n", &rest); at != NULL; at = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(at, begin, strlen(begin)) != 0) continue;
        at += strlen(begin);
        size_t len = strcspn(at, ":"), used = strlen(ret);
        if (strncmp(at, "space", len) != 0)
            snprintf(ret + used, bytes - used, "%.*s ", (int)len, at);
    }
}

static void doctor_tells(cluster_t *c, const place_t *place)
{
    char out[CLUSTER_TEXT], text[128], weaker[256];
    cluster_do(c, WORKDAY_THERE, out, "doctor %s", c->folder); /* exit code 0: nothing is bad */
    snprintf(text, sizeof text, "  %s: file-system: %s\n", c->folder, place->told);
    if (strstr(out, text) == NULL) test_fail("%s: no %s in: %s", place->name, text, out);
    bool known = strstr(out, "holes in files are known") != NULL;
    bool read = strstr(out, "holes in files are found by reading") != NULL;
    if (known != place->holes || read == place->holes)
        test_fail("%s: holes: %s", place->name, out);
    weaker_checks(c, weaker, sizeof weaker);
    if (strcmp(weaker, place->weaker) != 0)
        test_fail("%s: doctor has \"%s\", not \"%s\"", place->name, weaker, place->weaker);
}

/* No event tells of it, as doctor says. */
static void what_others_write(workday_t *day)
{
    cluster_t *c = &day->cluster;
    test_shell("echo -n behind >%s/lower/behind", c->dir);
    cluster_do(c, WORKDAY_THERE, NULL, "scan %s", c->folder);
    workday_await_text(&c->node[WORKDAY_HERE], "behind", "behind");
    workday_agree(day, "written behind it");
}

static void use(const place_t *place)
{
    workday_t day = {.name = place->name};
    cluster_t *c = &day.cluster;
    pid_t server = mount_place(&day, place);
    day.relay = relay_new(c->node[WORKDAY_HERE].port);
    cluster_pair(c, WORKDAY_THERE, WORKDAY_HERE, relay_port(day.relay));
    workday_run(&day);
    doctor_tells(c, place);
    if (server != 0) what_others_write(&day);
    cluster_stop(c, WORKDAY_HERE);
    cluster_stop(c, WORKDAY_THERE);
    relay_destroy(&day.relay);
    mishap_unmount(c->node[WORKDAY_THERE].root);
    if (server != 0) waitpid(server, NULL, 0);
    cluster_destroy(c);
}

static void on_ext4(void)
{
    static const place_t place = {
        .name = "ext4",
        .holes = true,
        .told = "ext2/3/4",
        .before = "root1",
        .step = {{"truncate -s 2G disk && mkfs.ext4 -q disk", "mkfs.ext4 does not work here"},
                 {"mount -o loop disk root1", NO_LOOP}},
        .weaker = ""};
    use(&place);
}

static void on_xfs(void)
{
    static const place_t place = {
        .name = "xfs",
        .holes = true,
        .told = "xfs",
        .before = "root1",
        .step = {{"truncate -s 2G disk && mkfs.xfs -q disk", "mkfs.xfs does not work here"},
                 {"mount -o loop disk root1", NO_LOOP}},
        .weaker = ""};
    use(&place);
}

static void on_btrfs(void)
{
    static const place_t place = {
        .name = "btrfs",
        .holes = true,
        .told = "btrfs",
        .before = "root1",
        .step = {{"truncate -s 2G disk && mkfs.btrfs -q disk", "mkfs.btrfs does not work here"},
                 {"mount -o loop disk root1", NO_LOOP}},
        .weaker = ""};
    use(&place);
}

static void on_tmpfs(void)
{
    static const place_t place = {
        .name = "tmpfs",
        .holes = true,
        .told = "tmpfs",
        .before = "root1",
        .step = {{"mount -t tmpfs -o size=2G small root1", "it cannot be mounted"}},
        .weaker = ""};
    use(&place);
}

/* In a user namespace the layers' marks are attributes that users may write. */
static void on_overlay(void)
{
    static const place_t place = {
        .name = "overlay",
        .told = "overlay",
        .before = "lower",
        .step = {{"mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work$("
                  "grep -q 4294967295 /proc/self/uid_map || echo ,userxattr) over root1",
                  "the kernel, or the file system below, does not do it"}},
        .weaker = ""};
    use(&place);
}

static void on_fuse(void)
{
    static const place_t place = {
        .name = "fuse",
        .told = "fuse",
        .before = "lower",
        .step = {{"command -v bindfs", "there is no bindfs"},
                 {": <>/dev/fuse", "no /dev/fuse, or not for this user"}},
        .server = "exec bindfs -f lower root1",
        .weaker = "exchange noreplace birth-time watching "};
    use(&place);
}

int main(int argc, char **argv)
{
    static const mishap_t places[] = {
        {"ext4", on_ext4, true, false},       {"xfs", on_xfs, true, false},
        {"btrfs", on_btrfs, true, false},     {"tmpfs", on_tmpfs, true, false},
        {"overlay", on_overlay, true, false}, {"fuse", on_fuse, true, false},
    };
    int result = mishap_main(argc, argv, places, sizeof places / sizeof places[0]);
    if (result != MISHAP_SKIPPED || getuid() != 0) return result;
    fprintf(stderr, "FAILED: root, and none of them could be tried\n");
    return 1;
}
