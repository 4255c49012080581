/* check_test.c - `check`: what is wrong is named, nothing is changed, and all is well else. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cluster.h"
#include "support/shell.h"

static shell_t *docs(void)
{
    shell_t *shell = shell_new();
    EXPECT(
        shell, 0, "docs",
        "$B init --home h --listen 'tcp://127.0.0.1:*' && mkdir -p r/sub r/empty && echo x "
        ">r/sub/f && echo y >\"r/b$(printf '\\377')d\" && head -c 300000 /dev/urandom >r/big "
        "&& ln -s f r/link && $B folder add r --id docs --home h");
    EXPECT(shell, 0, "5 added", "$B scan --home h");
    return shell;
}

/* One byte of a large file is another, and no time tells. */
#define DAMAGE                                                                    \
    "touch -r r/big ref && printf Z | dd of=r/big bs=1 seek=200000 conv=notrunc " \
    "2>/dev/null && touch -r ref r/big"

static void finds(shell_t *shell)
{
    EXPECT(shell, 0, "", "$B check --home h");
    cr_assert_str_eq(shell->out, "");
    EXPECT(shell, 0, "",
           "find r h/folders -printf '%%p %%i %%T@ %%C@ %%m\\n' | grep -v "
           "crdtsync/tmp | sort >before; $B check docs --home h && find r "
           "h/folders -printf '%%p %%i %%T@ %%C@ %%m\\n' | grep -v crdtsync/tmp | "
           "sort | diff - before");
    EXPECT(shell, 0, "", "cp -p r/big saved && " DAMAGE);
    EXPECT(shell, 1, "docs: big: its bytes are not those of the index, though its times are",
           "$B check --home h");
    EXPECT(shell, 1, "{\"path\":\"big\",\"problem\":\"its bytes are",
           "$B check --json --home h");
    EXPECT_ALSO(shell, "something is wrong");
    EXPECT(shell, 0, "", "cat saved >r/big && touch -r ref r/big && $B check --home h");
    EXPECT(shell, 1, "docs: sub/new: it is on this disk and not in the index",
           "echo n >r/sub/new; $B check --home h; s=$?; rm r/sub/new; exit $s");
    EXPECT(shell, 1, "docs: link: it is in the index as on this disk, and is not there",
           "rm r/link; $B check --home h; s=$?; ln -s f r/link; exit $s");
    EXPECT(shell, 1, "{\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\",\"problem\":\"its bytes",
           "echo z >\"r/b$(printf '\\377')d\"; $B check --json --home h; s=$?; echo y "
           ">\"r/b$(printf '\\377')d\"; exit $s");
    EXPECT(shell, 1, "docs: fifo: fifo",
           "mkfifo r/fifo; $B check --home h; s=$?; rm r/fifo; exit $s");
    EXPECT(shell, 0, "", "$B check --home h");
    EXPECT(shell, 1, "no such folder", "$B check dosc --home h");
}

Test(check, finds_what_is_wrong_on_the_disk, .timeout = 120)
{
    shell_t *shell = docs();
    finds(shell);
    EXPECT(shell, 1, "not mounted", "mv r away; $B check --home h; s=$?; mv away r; exit $s");
    shell_free(shell);
}

Test(check, finds_it_while_a_node_runs, .timeout = 120)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "", "$B folder set docs 'scan=0 0 1 1 *' --home h");
    EXPECT(shell, 0, "",
           "{ $B node --home h >log 2>&1 & } && echo $! >pid && until $B ping --home h "
           "2>/dev/null; do kill -0 $! || exit 9; done");
    finds(shell);
    EXPECT(shell, 0, "", "kill $(cat pid)");
    shell_free(shell);
}

/* Files come and go while it looks: what is right is not reported. */
Test(check, reports_nothing_that_only_moved_on, .timeout = 120)
{
    cluster_t cluster;
    char name[32], out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++) {
            snprintf(name, sizeof name, "d%d/f%d", round % 3, i);
            node_text(&cluster.node[0], name, name);
        }
        cluster_do(&cluster, 0, NULL, "scan");
    }
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 1, out, "check");
    cr_assert_str_eq(out, "", "%s", out);
    cluster_stop(&cluster, 0);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}
