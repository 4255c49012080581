/* sparse_main.c - holes stay holes, and what did not change is on the disk once: files that are
 * larger than the disk they lie on, and a file system whose files can share bytes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "support/mishap.h"

#define HUGE_BYTES  (UINT64_C(100) << 30)
#define EDIT_AT     (UINT64_C(70) << 30)
#define EDIT_BYTES  4096
#define WIRE_BYTES  (1u << 20) /* for one changed chunk, by the figures to reach */
#define DISK_BYTES  (8u << 20) /* for a few chunks with data */
#define XFS_MIB     400        /* mkfs.xfs refuses less than 300 */
#define SHARED_MIB  64
#define SHARED_COST (16u << 20) /* for a few changed chunks, and what the file system notes */

/* --- a file of 100 GiB, nearly all of it holes */

static int open_file(const cluster_node_t *node, const char *name, int flags)
{
    char path[512];
    node_path(node, name, path, sizeof path);
    int fd = open(path, flags | O_CLOEXEC, 0644);
    if (fd < 0) test_fail("%s cannot be opened", path);
    return fd;
}

static void put_at(const cluster_node_t *node, const char *name, uint64_t at, char with)
{
    char bytes[EDIT_BYTES];
    memset(bytes, with, sizeof bytes);
    int fd = open_file(node, name, O_WRONLY | O_CREAT);
    if (pwrite(fd, bytes, sizeof bytes, (off_t)at) != EDIT_BYTES) test_fail("pwrite %s", name);
    close(fd);
}

static bool has_at(const cluster_node_t *node, const char *name, uint64_t at, char what)
{
    char bytes[EDIT_BYTES];
    int fd = open_file(node, name, O_RDONLY);
    bool right = pread(fd, bytes, sizeof bytes, (off_t)at) == EDIT_BYTES;
    close(fd);
    for (size_t i = 0; right && i < sizeof bytes; i++)
        right = bytes[i] == what;
    return right;
}

static uint64_t blocks_of(const cluster_node_t *node, const char *name, uint64_t *ret_size)
{
    struct stat st;
    int fd = open_file(node, name, O_RDONLY);
    if (fstat(fd, &st) != 0) test_fail("fstat %s", name);
    close(fd);
    *ret_size = (uint64_t)st.st_size;
    return (uint64_t)st.st_blocks * 512;
}

static void arrives_sparse(cluster_t *c, const char *what)
{
    uint64_t size, before = cluster_bytes_out(c, 0);
    double begin = test_now();
    cluster_do(c, 0, NULL, "scan %s", c->folder);
    printf("sparse: %s: scanned in %.1f s\n", what, test_now() - begin);
    cluster_settle(c, SETTLE_S);
    printf("sparse: %s: settled after %.1f s\n", what, test_now() - begin);
    uint64_t sent = cluster_bytes_out(c, 0) - before;
    uint64_t blocks = blocks_of(&c->node[1], "huge", &size);
    printf("sparse: %s: %llu bytes sent, %llu on the disk\n", what, (unsigned long long)sent,
           (unsigned long long)blocks);
    if (size != HUGE_BYTES) test_fail("%s: its size is %llu", what, (unsigned long long)size);
    if (sent > WIRE_BYTES) test_fail("%s: %llu bytes sent", what, (unsigned long long)sent);
    if (blocks > DISK_BYTES)
        test_fail("%s: %llu bytes on disk", what, (unsigned long long)blocks);
}

static void hundred_gibibytes(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    int fd = open_file(&c.node[0], "huge", O_WRONLY | O_CREAT);
    if (ftruncate(fd, (off_t)HUGE_BYTES) != 0) test_fail("a file of 100 GiB is refused");
    close(fd);
    put_at(&c.node[0], "huge", 12345, 'a');
    put_at(&c.node[0], "huge", HUGE_BYTES - EDIT_BYTES, 'z');
    arrives_sparse(&c, "new");
    put_at(&c.node[0], "huge", EDIT_AT, 'e');
    arrives_sparse(&c, "one chunk changed");
    if (!has_at(&c.node[1], "huge", 12345, 'a') || !has_at(&c.node[1], "huge", EDIT_AT, 'e') ||
        !has_at(&c.node[1], "huge", HUGE_BYTES - EDIT_BYTES, 'z') ||
        !has_at(&c.node[1], "huge", EDIT_AT + EDIT_BYTES, 0))
        test_fail("it has other bytes");
    cluster_verify(&c, 0, "sparse");
    cluster_verify(&c, 1, "sparse");
    cluster_destroy(&c);
}

/* --- a file system that can share */

static uint64_t used(const cluster_node_t *node)
{
    struct statvfs st;
    test_shell("sync -f %s", node->root);
    if (statvfs(node->root, &st) != 0) test_fail("statvfs %s", node->root);
    return (uint64_t)(st.f_blocks - st.f_bfree) * st.f_frsize;
}

/* A large file is changed in a few places. What it was goes into the trash, and most of it is
 * there at no cost; a copy of it costs nothing either. */
static void shared_bytes(void)
{
    cluster_t c;
    mishap_pair(&c);
    cluster_setting(&c, "trash-mib", "300"); /* or the disk is too small for it */
    const cluster_node_t *node = &c.node[1];
    test_shell("truncate -s %dM %s/disk && mkfs.xfs -q %s/disk && cp -a %s %s/was && "
               "mount -o loop %s/disk %s && cp -a %s/was/. %s",
               XFS_MIB, c.dir, c.dir, node->root, c.dir, c.dir, node->root, c.dir, node->root);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    mishap_random_file(&c.node[0], "large", SHARED_MIB << 10);
    cluster_do(&c, 0, NULL, "scan %s", c.folder);
    mishap_agree(&c, "new");
    uint64_t before = used(node);
    put_at(&c.node[0], "large", 5 << 20, 'x');
    put_at(&c.node[0], "large", 40 << 20, 'y');
    cluster_do(&c, 0, NULL, "scan %s", c.folder);
    mishap_agree(&c, "changed");
    test_shell("cp %s/large %s/copy", c.node[0].root, c.node[0].root);
    cluster_do(&c, 0, NULL, "scan %s", c.folder);
    mishap_agree(&c, "copied");
    uint64_t cost = used(node) - before;
    printf("sparse: shared: two versions and a copy of %d MiB cost %llu bytes\n", SHARED_MIB,
           (unsigned long long)cost);
    if (cost > SHARED_COST) test_fail("it took %llu bytes more", (unsigned long long)cost);
    test_shell("$CRDTSYNC_BIN trash --home %s | grep large", node->home);
    cluster_stop(&c, 1);
    mishap_unmount(node->root);
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"a hundred gibibytes of holes", hundred_gibibytes, false, false},
        {"shared bytes", shared_bytes, true, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
