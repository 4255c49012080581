/* real_tree_main.c - a tree that was not made for us, to two other nodes in a chain.
 *
 *   node 0 --- node 1 --- node 2        node 2 knows only node 1
 *
 * The tree is what Debian packages installed on this machine, else packages fetched for the
 * purpose: at least 10,000 files and 300 MB, symbolic links among them; and names that are odd.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "support/cluster.h"

#define FILES_MIN 10000u
#define BYTES_MIN (300ull << 20)
#define SETTLE_S  240
#define TEXT      1024

/* Taken in this order until there is enough. */
static const char *const SOURCES[] = {
    "/usr/share/doc",    "/usr/share/icons",  "/usr/share/cmake-3.25", "/usr/share/perl",
    "/usr/share/vim",    "/usr/share/i18n",   "/usr/share/zoneinfo",   "/usr/include",
    "/usr/share/fpcsrc", "/usr/share/locale", "/usr/share/man",        "/usr/lib/python3.11",
    "/usr/lib/python3",  "/usr/lib/gcc",      "/usr/lib/llvm-14",      "/usr/share/fonts",
    "/usr/lib/git-core",
};
/* Large packages for all architectures, for a bare machine. */
static const char *const PACKAGES[] = {"fpc-source-3.2.2", "golang-1.19-src"};

typedef struct total {
    unsigned files, links;
    unsigned long long bytes;
} total_t;

static total_t total;

static int add_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)type;
    (void)ftw;
    if (S_ISREG(st->st_mode)) {
        total.files++;
        total.bytes += (unsigned long long)st->st_size;
    } else if (S_ISLNK(st->st_mode)) {
        total.links++;
    }
    return 0;
}

static total_t measure(const char *root)
{
    total = (total_t){0};
    if (nftw(root, add_one, 16, FTW_PHYS) != 0) test_fail("walk %s: %s", root, strerror(errno));
    return total;
}

static bool enough(const char *root)
{
    total_t now = measure(root);
    return now.files >= FILES_MIN && now.bytes >= BYTES_MIN;
}

static void copy_tree(const cluster_t *cluster)
{
    const char *root = cluster->node[0].root;
    for (size_t i = 0; i < CS_COUNT_OF(SOURCES) && !enough(root); i++) {
        if (access(SOURCES[i], R_OK) != 0) continue;
        /* What this user may not read is left out. */
        test_shell("cp -a --parents %s %s 2>/dev/null || true", SOURCES[i], root);
    }
    for (size_t i = 0; i < CS_COUNT_OF(PACKAGES) && !enough(root); i++) {
        test_shell("mkdir -p %s/debs && cd %s/debs && apt-get download -q %s >/dev/null && "
                   "dpkg-deb -x %s_*.deb %s",
                   cluster->dir, cluster->dir, PACKAGES[i], PACKAGES[i], root);
    }
    if (!enough(root)) test_fail("no tree of 10,000 files and 300 MB on this machine");
}

/* Names and kinds that a tree of packages rarely has. */
static void add_odd(const cluster_node_t *node)
{
    static const char *const names[] = {
        "odd/new\nline",
        "odd/\xff\xfe not utf-8",
        "odd/ leading and trailing ",
        "odd/-rf",
        "odd/\"quoted' $HOME",
        "odd/back\\slash",
        "odd/\x01\x7f",
        "odd/...",
        "odd/~",
        "odd/deep/er/.crdtsync/inner",
        "odd/*?[a]",
        "odd/e\xcc\x81",
        "odd/\xc3\xa9",
        "odd/CASE",
        "odd/case",
    };
    char path[8192];
    for (size_t i = 0; i < CS_COUNT_OF(names); i++)
        node_text(node, names[i], names[i]);
    char longest[4 + 256] = "odd/";
    memset(longest + 4, 'n', 255);
    node_text(node, longest, "the longest name");
    node_text(node, "odd/empty", "");
    node_text(node, "odd/sparse", "");
    node_path(node, "odd/sparse", path, sizeof path);
    if (truncate(path, 3 << 20) != 0) test_fail("truncate: %s", strerror(errno));

    static const struct {
        const char *name, *target;
    } links[] = {{"odd/dangling", "nowhere"},
                 {"odd/absolute", "/etc"},
                 {"odd/loop", "loop"},
                 {"odd/odd target", "\xff\n"},
                 {"odd/to-a-directory", "deep"}};
    for (size_t i = 0; i < CS_COUNT_OF(links); i++) {
        node_path(node, links[i].name, path, sizeof path);
        if (symlink(links[i].target, path) != 0) test_fail("symlink: %s", strerror(errno));
    }
    static const mode_t modes[] = {0400, 0600, 0640, 0666, 0700, 0755, 0777, 0444};
    for (size_t i = 0; i < CS_COUNT_OF(modes); i++) {
        char name[32];
        snprintf(name, sizeof name, "odd/mode-%o", (unsigned)modes[i]);
        node_text(node, name, "mode");
        node_path(node, name, path, sizeof path);
        if (chmod(path, modes[i]) != 0) test_fail("chmod: %s", strerror(errno));
    }
    node_path(node, "odd/empty directory", path, sizeof path);
    if (mkdir(path, 0755) != 0) test_fail("mkdir: %s", strerror(errno));
}

/* A scan of a tree that nobody touched finds nothing to do (GetPut, core.md 5). */
static void check_quiet(cluster_t *cluster, int node)
{
    static const char *const counts[] = {"added", "changed", "moved", "removed"};
    char out[CLUSTER_TEXT];
    cluster_do(cluster, node, out, "scan %s --full --json", cluster->folder);
    json_t *result = json_loads(out, 0, NULL);
    if (result == NULL) test_fail("scan --json printed: %s", out);
    for (size_t i = 0; i < CS_COUNT_OF(counts); i++) {
        const json_t *count = json_object_get(result, counts[i]);
        if (!json_is_integer(count) || json_integer_value(count) != 0)
            test_fail("node %d: a scan of an unchanged tree: %s", node, out);
    }
    json_decref(result);
}

int main(void)
{
    cluster_t cluster;
    setvbuf(stdout, NULL, _IOLBF, 0);
    cluster_new(&cluster, 3);
    cluster_pair(&cluster, 1, 0, 0);
    cluster_pair(&cluster, 2, 1, 0);
    double begin = test_now();
    copy_tree(&cluster);
    add_odd(&cluster.node[0]);
    total_t all = measure(cluster.node[0].root);
    printf("real_tree: %u files, %u links, %llu MB, made in %.1f s\n", all.files, all.links,
           all.bytes >> 20, test_now() - begin);

    begin = test_now();
    for (int i = 0; i < 3; i++)
        cluster_start(&cluster, i);
    cluster_settle(&cluster, SETTLE_S);
    printf("real_tree: on all three nodes after %.1f s\n", test_now() - begin);
    begin = test_now();
    cluster_check_equal(&cluster);
    total_t there = measure(cluster.node[2].root);
    if (there.files < all.files || there.links != all.links)
        test_fail("%u files, %u links arrived", there.files, there.links);
    printf("real_tree: equal, compared in %.1f s\n", test_now() - begin);
    begin = test_now();
    for (int i = 0; i < 3; i++)
        check_quiet(&cluster, i);
    cluster_check_equal(&cluster);
    printf("real_tree: nothing to do for scans, %.1f s\n", test_now() - begin);
    cluster_destroy(&cluster);
    return 0;
}
