/* smoke_main.c - two nodes: files, edits, moves, modes, deletions and a conflict travel both
 * ways. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

static void must_read(const cluster_node_t *node, const char *path, const char *text)
{
    if (!node_reads(node, path, text))
        test_fail("%s/%s should read \"%s\"", node->root, path, text);
}

static void agree(cluster_t *cluster, const char *what)
{
    printf("%s\n", what);
    cluster_settle(cluster, 30);
    cluster_check_equal(cluster);
}

int main(void)
{
    cluster_t c;
    cluster_new(&c, 2);
    cluster_node_t *a = &c.node[0];
    cluster_node_t *b = &c.node[1];
    cluster_pair(&c, 0, 1, 0);
    node_text(a, "hello.txt", "hello");
    node_text(a, "dir/sub/deep.txt", "deep");
    node_text(b, "other.txt", "other");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "first sync");
    must_read(b, "hello.txt", "hello");
    must_read(a, "other.txt", "other");

    char from[512];
    char to[512];
    node_text(b, "hello.txt", "hello again");
    node_path(a, "dir", from, sizeof from);
    node_path(a, "moved", to, sizeof to);
    if (rename(from, to) != 0) test_fail("rename");
    agree(&c, "an edit and a directory moved");
    must_read(a, "hello.txt", "hello again");
    must_read(b, "moved/sub/deep.txt", "deep");
    if (node_has(b, "dir")) test_fail("the old directory stayed");

    node_path(a, "hello.txt", from, sizeof from);
    if (chmod(from, 0755) != 0) test_fail("chmod");
    node_path(b, "other.txt", to, sizeof to);
    if (unlink(to) != 0) test_fail("unlink");
    agree(&c, "a chmod and a deletion");
    if (node_has(a, "other.txt")) test_fail("the deleted file stayed");

    cluster_stop(&c, 0);
    node_text(a, "hello.txt", "from a");
    node_text(b, "hello.txt", "from b");
    cluster_do(&c, 1, NULL, "scan");
    cluster_start(&c, 0);
    agree(&c, "a conflict");
    char out[CLUSTER_TEXT];
    cluster_do(&c, 0, out, "conflicts --json");
    printf("%s", out);
    cluster_destroy(&c);
    return 0;
}
