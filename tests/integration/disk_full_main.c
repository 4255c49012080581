/* disk_full_main.c - disks that are full or read-only, under the folder and under the home.
 * What waits goes on by itself when there is room again, and what failed is named meanwhile. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support/mishap.h"

#define MANY 300

static void many_files(const cluster_node_t *node, const char *dir, bool own_dirs)
{
    for (int i = 0; i < MANY; i++) {
        char path[64];
        snprintf(path, sizeof path, own_dirs ? "%s/%d/file" : "%s/%d", dir, i);
        node_text(node, path, path);
    }
}

/* Bytes do not fit: one large file is too much, a small one beside it arrives all the same. */
static void full_while_staging(void)
{
    cluster_t c;
    mishap_pair(&c);
    mishap_small_disk(c.node[1].root, "size=12m");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    mishap_random_file(&c.node[0], "large", 20 << 10);
    mishap_random_file(&c.node[0], "fits", 2 << 10);
    cluster_do(&c, 0, NULL, "scan");
    mishap_await(&c, 1, "status --json", "no space left");
    mishap_await(&c, 1, "ls shared fits --json", "\"on_disk\":true");
    if (!node_has(&c.node[1], "fits")) test_fail("what fits did not arrive");
    mishap_remount(c.node[1].root, 0, "size=64m");
    mishap_agree(&c, "the folder's disk grew");
    /* It was tried again and again, and said once, with the name; and that it is over. */
    test_shell("test $(grep -c 'part.failed.*path=\"large\"' %s) -ge 1", c.node[1].log);
    test_shell("test $(grep -c 'no space left' %s) -le 3", c.node[1].log);
    test_shell("test $(grep -c 'writes.recovered' %s) = 1", c.node[1].log);
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].root);
    cluster_destroy(&c);
}

/* Directories and names do not fit: the disk has no inode left in the middle of it. */
static void full_while_naming(void)
{
    cluster_t c;
    mishap_pair(&c);
    mishap_small_disk(c.node[1].root, "size=12m,nr_inodes=400");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    many_files(&c.node[0], "dirs", true);
    cluster_do(&c, 0, NULL, "scan");
    mishap_await(&c, 1, "status --json", "no space left");
    mishap_remount(c.node[1].root, 0, "size=12m,nr_inodes=4000");
    mishap_agree(&c, "the folder's disk has inodes again");
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].root);
    cluster_destroy(&c);
}

/* A directory cannot take another name: renames into it fail, as on a full ext4. */
static void full_while_renaming(void)
{
    cluster_t c;
    mishap_pair(&c);
    faults_t *faults = mishap_faults(&c, 1);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    mishap_fail(faults, FAULT_RENAME, ENOSPC, "/dir/1");
    many_files(&c.node[0], "dir", false);
    node_text(&c.node[0], "one", "newer");
    cluster_do(&c, 0, NULL, "scan");
    mishap_await(&c, 1, "status --json", "no space left");
    mishap_await(&c, 1, "status --json", "dir/1");
    if (!node_reads(&c.node[1], "one", "newer"))
        mishap_await(&c, 1, "ls shared one --json", "true");
    mishap_heal(faults);
    mishap_agree(&c, "the directory takes names again");
    cluster_destroy(&c);
}

static void full_home(void)
{
    cluster_t c;
    mishap_pair(&c);
    mishap_small_disk(c.node[1].home, "size=12m");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    test_shell("cat /dev/zero > %s/fill 2>&- || true", c.node[1].home);
    many_files(&c.node[0], "dir", false);
    cluster_do(&c, 0, NULL, "scan");
    mishap_await_log(&c.node[1], "no space left");
    test_shell("$CRDTSYNC_BIN status --home %s 2>&1 | grep 'it rests.*make room there'",
               c.node[1].home);
    test_shell("rm %s/fill", c.node[1].home);
    mishap_await_ping(&c, 1, true);
    mishap_agree(&c, "the home has room again");
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].home);
    cluster_destroy(&c);
}

/* The kernel makes a disk that fails read-only, or says so at once: the node rests, too. */
static void failing_home(void)
{
    static const int errors[] = {EIO, EROFS};
    cluster_t c;
    mishap_pair(&c);
    faults_t *faults = mishap_faults(&c, 1);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    for (int i = 0; i < 2; i++) {
        char text[32];
        snprintf(text, sizeof text, "edit %d", i);
        mishap_fail(faults, FAULT_WRITE | FAULT_SYNC, errors[i], "/db/");
        node_text(&c.node[0], "one", text);
        cluster_do(&c, 0, NULL, "scan");
        mishap_await_log(&c.node[1],
                         errors[i] == EIO ? "input/output error; see" : "remount it");
        mishap_heal(faults);
        mishap_await_ping(&c, 1, true);
        mishap_agree(&c, "the home's disk works again");
    }
    test_shell("test ! -e %s/db.bad-1", c.node[1].home);
    cluster_destroy(&c);
}

#define RETRY_MS 6000 /* a node that rests looks again every 5 s, which nobody can see */

/* It does not make itself a new home in the mount point. */
static void unmounted_home(void)
{
    cluster_t c;
    char disk[300];
    mishap_pair(&c);
    const char *home = c.node[1].home;
    snprintf(disk, sizeof disk, "%s/disk", c.dir);
    test_shell("mv %s %s && mkdir -m 700 %s", home, disk, home);
    if (mount(disk, home, NULL, MS_BIND, NULL) != 0) test_fail("mount: %s", strerror(errno));
    faults_t *faults = mishap_faults(&c, 1);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    mishap_fail(faults, FAULT_WRITE | FAULT_SYNC, EIO, "/db/");
    node_text(&c.node[0], "one", "newer");
    cluster_do(&c, 0, NULL, "scan");
    mishap_await_log(&c.node[1], "the node rests");
    if (umount2(home, MNT_DETACH) != 0) test_fail("umount: %s", strerror(errno));
    mishap_heal(faults);
    poll(NULL, 0, RETRY_MS);
    test_shell("test -z \"$(ls -A %s)\"", home);
    if (mount(disk, home, NULL, MS_BIND, NULL) != 0) test_fail("mount: %s", strerror(errno));
    mishap_await_ping(&c, 1, true);
    mishap_agree(&c, "the home is mounted again");
    cluster_stop(&c, 1);
    mishap_unmount(home);
    cluster_destroy(&c);
}

/* What others change waits; what is read is known; the node stays up. */
static void read_only_folder(void)
{
    cluster_t c;
    mishap_pair(&c);
    mishap_small_disk(c.node[1].root, "size=12m");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    mishap_remount(c.node[1].root, MS_RDONLY, "size=12m");
    node_text(&c.node[0], "one", "newer");
    node_text(&c.node[0], "three", "3");
    cluster_do(&c, 0, NULL, "scan");
    cluster_do(&c, 1, NULL, "scan");
    mishap_await(&c, 1, "status --json", "read-only file system");
    if (!node_reads(&c.node[1], "one", "1")) test_fail("a read-only file changed");
    mishap_remount(c.node[1].root, 0, "size=12m");
    mishap_agree(&c, "the folder may be written again");
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].root);
    cluster_destroy(&c);
}

/* Without a database that can be written nothing may be said: the node rests, or refuses. */
static void read_only_home(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    mishap_pair(&c);
    mishap_small_disk(c.node[1].home, "size=64m");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    cluster_stop(&c, 1);
    mishap_remount(c.node[1].home, MS_RDONLY, "size=64m");
    if (mishap_ask(&c, 1, out, "node") != 1) test_fail("a node on a read-only home: %s", out);
    printf("%s", out);
    if (strstr(out, c.node[1].home) == NULL || strstr(out, "remount") == NULL)
        test_fail("what is read-only? %s", out);
    if (mishap_ask(&c, 1, out, "scan") != 1) test_fail("a scan on a read-only home: %s", out);
    mishap_remount(c.node[1].home, 0, "size=64m");
    cluster_start(&c, 1);
    node_text(&c.node[0], "one", "newer");
    mishap_agree(&c, "the home may be written again");
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].home);
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"full while staging", full_while_staging, true, false},
        {"full while naming", full_while_naming, true, false},
        {"full while renaming", full_while_renaming, false, false},
        {"full home", full_home, true, false},
        {"unmounted home", unmounted_home, true, false},
        {"failing home", failing_home, false, false},
        {"read only folder", read_only_folder, true, false},
        {"read only home", read_only_home, true, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
