/* disk_gone_main.c - a folder that is unmounted, empty, or another one; a mount inside of it;
 * directories that may not be entered. Nothing is deleted anywhere, and the folder goes on by
 * itself when the cause is gone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mishap.h"

static void error_state(cluster_t *c, const char *word)
{
    char out[CLUSTER_TEXT];
    cluster_run(c, 1, NULL, "scan");
    mishap_await(c, 1, "status --json", "\"state\":\"error\"");
    mishap_await(c, 1, "status --json", word);
    int code = mishap_ask(c, 1, out, "scan");
    if (code != 1 || strstr(out, c->node[1].root) == NULL)
        test_fail("scan of a folder that is gone: %d, %s", code, out);
}

static void both_there(cluster_t *c, const char *what)
{
    mishap_agree(c, what);
    if (!node_has(&c->node[1], "one") || !node_has(&c->node[1], "two"))
        test_fail("%s: files are gone", what);
}

/* The mount point is an empty directory then. */
static void unmounted(void)
{
    cluster_t c;
    char disk[300];
    mishap_pair(&c);
    cluster_node_t *node = &c.node[1];
    snprintf(disk, sizeof disk, "%s/disk", c.dir);
    test_shell("mkdir %s && cp -a %s/. %s/ && rm -r %s && mkdir %s", disk, node->root, disk,
               node->root, node->root);
    if (mount(disk, node->root, NULL, MS_BIND, NULL) != 0)
        test_fail("mount: %s", strerror(errno));
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    mishap_unmount(node->root);
    error_state(&c, "not mounted");
    node_text(&c.node[0], "three", "3");
    cluster_do(&c, 0, NULL, "scan");
    test_shell("test -z \"$(ls -A %s)\"", node->root); /* nothing is put into the mount point */
    if (mount(disk, node->root, NULL, MS_BIND, NULL) != 0)
        test_fail("mount: %s", strerror(errno));
    both_there(&c, "mounted again");

    /* Another file system is mounted over it: it has no marker, or that of another folder. */
    if (mount("over", node->root, "tmpfs", 0, "size=1m") != 0) test_fail("mount");
    error_state(&c, "not mounted");
    test_shell("test -z \"$(ls -A %s)\"", node->root);
    mishap_unmount(node->root);
    both_there(&c, "what was mounted over it is gone");
    cluster_stop(&c, 1);
    mishap_unmount(node->root);
    cluster_destroy(&c);
}

static void replaced(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    cluster_node_t *node = &c.node[1];
    test_shell("mv %s %s.aside", node->root, node->root);
    error_state(&c, "not mounted");
    test_shell("mkdir %s", node->root);
    error_state(&c, "not mounted");
    test_shell("mkdir %s/.crdtsync && echo 00112233445566778899aabbccddeeff > %s/.crdtsync/id",
               node->root, node->root);
    error_state(&c, "not mounted");
    test_shell("rm -r %s && echo a file > %s", node->root, node->root);
    error_state(&c, "not mounted");
    test_shell("rm %s && mv %s.aside %s", node->root, node->root, node->root);
    both_there(&c, "the folder is back");
    cluster_destroy(&c);
}

static void private_directories_cleared(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    test_shell("rm -r %s/.crdtsync/tmp %s/.crdtsync/trash", c.node[1].root, c.node[1].root);
    node_text(&c.node[0], "one", "newer");
    node_text(&c.node[0], "three", "3");
    both_there(&c, "tmp and trash were cleared away");
    cluster_destroy(&c);
}

/* The same files on another device: nothing has changed, and all prints have. */
static void on_another_device(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    mishap_start_pair(&c);
    mishap_small_disk(c.node[1].root, "size=12m");
    cluster_do(&c, 1, out, "scan --json");
    if (strstr(out, "\"added\":0,\"changed\":0") == NULL) test_fail("another device: %s", out);
    node_text(&c.node[0], "one", "newer");
    both_there(&c, "on another device");
    mishap_no_conflicts(&c);
    cluster_stop(&c, 1);
    mishap_unmount(c.node[1].root);
    cluster_start(&c, 1);
    both_there(&c, "on the former device again");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* What lies in it is neither read nor written, and named; the files under it are not deleted.
 */
static void mount_inside(void)
{
    cluster_t c;
    char inside[300];
    mishap_pair(&c);
    node_text(&c.node[0], "in/file", "1");
    node_text(&c.node[0], "in/side/file", "2");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    snprintf(inside, sizeof inside, "%s/in", c.node[1].root);
    if (mount("inside", inside, "tmpfs", 0, "size=1m") != 0) test_fail("mount");
    node_text(&c.node[1], "in/other", "of another file system");
    cluster_do(&c, 1, NULL, "scan");
    mishap_await(&c, 1, "status --json", "{\"path\":\"in\",\"reason\":\"mount\"");
    cluster_do(&c, 1, NULL, "scan shared %s/side/file %s/file %s/other", inside, inside,
               inside);
    cluster_do(&c, 0, NULL, "scan");
    node_text(&c.node[0], "in/file", "newer");
    node_text(&c.node[0], "out", "arrives");
    cluster_do(&c, 0, NULL, "scan");
    mishap_await(&c, 1, "ls shared out --json", "\"on_disk\":true");
    if (!node_reads(&c.node[0], "in/file", "newer") ||
        !node_reads(&c.node[0], "in/side/file", "2"))
        test_fail("a mount deleted the files of others");
    if (!node_reads(&c.node[1], "in/other", "of another file system") ||
        node_has(&c.node[1], "in/file"))
        test_fail("something was written into a mount");
    if (node_has(&c.node[0], "in/other")) test_fail("another file system's file was sent");
    mishap_unmount(inside);
    mishap_agree(&c, "nothing is mounted inside any more");
    if (!node_reads(&c.node[1], "in/file", "newer")) test_fail("the edit did not arrive");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

static void own(cluster_t *c, int node)
{
    c->node[node].uid = STRANGER_ID;
    test_shell("chmod 755 %s && chown -R %d:%d %s %s", c->dir, STRANGER_ID, STRANGER_ID,
               c->node[node].home, c->node[node].root);
}

static void chmod_of(const cluster_node_t *node, const char *path, mode_t mode)
{
    char full[512];
    node_path(node, path, full, sizeof full);
    if (chmod(full, mode) != 0) test_fail("chmod %s: %s", full, strerror(errno));
}

/* Directories and files that the node's user may not read, or not write. */
static void without_permission(void)
{
    cluster_t c;
    if (getuid() != 0) {
        printf("not root: permissions are not tried\n");
        return;
    }
    mishap_pair(&c);
    node_text(&c.node[0], "closed/file", "1");
    node_text(&c.node[0], "fixed/file", "1");
    own(&c, 1);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    node_text(&c.node[1], "secret", "of root");
    chmod_of(&c.node[1], "secret", 0600);
    chmod_of(&c.node[1], "closed", 0);
    chmod_of(&c.node[1], "fixed", 0555);
    cluster_do(&c, 1, NULL, "scan");
    mishap_await(&c, 1, "status --json", "{\"path\":\"secret\",\"reason\":\"unreadable\"");
    mishap_await(&c, 1, "status --json", "{\"path\":\"closed\",\"reason\":\"unreadable\"");
    node_text(&c.node[0], "closed/file", "newer");
    node_text(&c.node[0], "fixed/new", "new");
    node_text(&c.node[0], "fixed/file", "newer");
    node_text(&c.node[0], "out", "arrives");
    cluster_do(&c, 0, NULL, "scan");
    mishap_await(&c, 1, "ls shared out --json", "\"on_disk\":true");
    mishap_await(&c, 1, "status --json", "permission denied");
    if (node_has(&c.node[0], "secret")) test_fail("a file that cannot be read was sent");
    if (!node_reads(&c.node[0], "closed/file", "newer") ||
        !node_reads(&c.node[0], "fixed/file", "newer"))
        test_fail("a directory that cannot be read deleted files");
    chmod_of(&c.node[1], "secret", 0644);
    chmod_of(&c.node[1], "closed", 0755);
    chmod_of(&c.node[1], "fixed", 0755);
    mishap_agree(&c, "everything may be read and written again");
    if (!node_has(&c.node[0], "secret") || !node_reads(&c.node[1], "closed/file", "newer"))
        test_fail("something did not arrive");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"unmounted", unmounted, true, false},
        {"replaced", replaced, false, false},
        {"private directories cleared", private_directories_cleared, false, false},
        {"on another device", on_another_device, true, false},
        {"mount inside", mount_inside, true, false},
        {"without permission", without_permission, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
