/* large_main.c - large files between real nodes: whole, edited in the middle, interrupted, from
 * two sources at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "support/cluster.h"

#define LARGE (60u << 20)

static void agree(cluster_t *cluster, const char *what)
{
    double begin = test_now();
    cluster_settle(cluster, 60);
    cluster_check_equal(cluster);
    printf("%s: %.2f s\n", what, test_now() - begin);
    fflush(stdout);
}

int main(void)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    uint8_t *bytes = cs_malloc(LARGE + 1000);
    cs_prng_fill(&prng, bytes, LARGE + 1000);

    cluster_t c;
    cluster_new(&c, 3);
    cluster_node_t *a = &c.node[0];
    cluster_pair(&c, 0, 1, 0);
    cluster_pair(&c, 0, 2, 0);
    cluster_pair(&c, 1, 2, 0);
    const size_t sizes[] = {65535, 65536, 65537, 262144, 1048576, 1048577, 5000000, LARGE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char path[32];
        snprintf(path, sizeof path, "file%zu", i);
        node_write(a, path, bytes, sizes[i]);
    }
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "files of many sizes");

    memmove(bytes + LARGE / 2 + 100, bytes + LARGE / 2, LARGE / 2); /* an insertion */
    node_write(a, "file7", bytes, LARGE + 100);
    agree(&c, "an edit in the middle");

    cluster_start(&c, 2); /* both others have everything */
    agree(&c, "a third node");

    cs_prng_fill(&prng, bytes, LARGE);
    node_write(a, "another", bytes, LARGE);
    cluster_do(&c, 0, NULL, "scan");
    cluster_kill(&c, 2); /* somewhere in the middle of it */
    cluster_start(&c, 2);
    agree(&c, "killed on the way");

    cluster_destroy(&c);
    cs_free(bytes);
    return 0;
}
