/* users_main.c - what people do to their folders: everything deleted, rewritten, moved, renamed
 * by case, edited by ten at once, and folders and homes put into each other. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/mishap.h"

#define MANY 1300 /* more than the brake lets pass without a question: 1,000 */
#define DIRS 26

static void many_files(const cluster_node_t *node, int count)
{
    for (int i = 0; i < count; i++) {
        char path[64], text[64];
        snprintf(path, sizeof path, "tree/%d/%d", i % DIRS, i);
        snprintf(text, sizeof text, "text of %s", path);
        node_text(node, path, text);
    }
}

static void start_with_many(cluster_t *c)
{
    mishap_pair(c);
    many_files(&c->node[0], MANY);
    cluster_start(c, 0);
    cluster_start(c, 1);
    cluster_settle(c, SETTLE_S);
}

static void expect_files(const cluster_node_t *node, const char *dir, int count)
{
    test_shell("test $(find %s/%s -type f 2>/dev/null | wc -l) = %d", node->root, dir, count);
}

/* The scan says what is held and what to do; nothing reaches the others. */
static void is_held(cluster_t *c)
{
    char out[CLUSTER_TEXT];
    int code = mishap_ask(c, 1, out, "scan");
    if (code != 5 || strstr(out, "held") == NULL || strstr(out, "shared") == NULL)
        test_fail("a brake: exit code %d: %s", code, out);
    mishap_await(c, 1, "status --json", "\"state\":\"held\"");
    mishap_await(c, 1, "held", "shared");
}

/* --- everything deleted */

static void delete_all(cluster_t *c)
{
    test_shell("rm -rf %s/tree", c->node[1].root);
    is_held(c);
    expect_files(&c->node[0], "tree", MANY);
}

static void deleted_and_accepted(void)
{
    cluster_t c;
    start_with_many(&c);
    delete_all(&c);
    cluster_stop(&c, 1); /* a restart is no answer */
    cluster_start(&c, 1);
    is_held(&c);
    node_text(&c.node[0], "later", "an edit on the other side");
    cluster_do(&c, 0, NULL, "scan");
    expect_files(&c.node[0], "tree", MANY);
    cluster_do(&c, 1, NULL, "held accept shared");
    mishap_agree(&c, "accepted");
    expect_files(&c.node[0], "tree", 0);
    if (!node_has(&c.node[1], "later")) test_fail("an edit did not arrive");
    cluster_destroy(&c);
}

static void deleted_and_rejected(void)
{
    cluster_t c;
    start_with_many(&c);
    delete_all(&c);
    cluster_do(&c, 1, NULL, "held reject shared");
    mishap_agree(&c, "rejected");
    expect_files(&c.node[0], "tree", MANY);
    expect_files(&c.node[1], "tree", MANY);
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* --- everything rewritten */

static void rewrite_all(cluster_t *c)
{
    test_shell("find %s/tree -type f -exec sh -c 'for f; do echo pay >> \"$f\"; done' sh {} +",
               c->node[1].root);
    is_held(c);
    if (!node_reads(&c->node[0], "tree/0/0", "text of tree/0/0"))
        test_fail("a rewrite of everything was passed on");
}

static void rewritten_and_rejected(void)
{
    cluster_t c;
    start_with_many(&c);
    rewrite_all(&c);
    cluster_do(&c, 1, NULL, "held reject shared");
    mishap_agree(&c, "rejected");
    if (!node_reads(&c.node[1], "tree/0/0", "text of tree/0/0"))
        test_fail("the former text did not come back");
    expect_files(&c.node[1], "tree", MANY);
    cluster_destroy(&c);
}

static void rewritten_and_accepted(void)
{
    cluster_t c;
    start_with_many(&c);
    rewrite_all(&c);
    cluster_do(&c, 1, NULL, "held accept shared");
    mishap_agree(&c, "accepted");
    if (!node_reads(&c.node[0], "tree/0/0", "text of tree/0/0pay\n"))
        test_fail("the rewrite did not arrive");
    expect_files(&c.node[0], "tree", MANY);
    cluster_destroy(&c);
}

/* --- moved */

/* What is moved is no loss, and no bytes travel again. */
static void tree_moved(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT], id[64];
    start_with_many(&c);
    mishap_random_file(&c.node[1], "tree/large", 4 << 10);
    cluster_settle(&c, SETTLE_S);
    node_path(&c.node[0], "tree/large", id, sizeof id);
    test_shell("ls -i %s/tree/large | cut -d' ' -f1 > %s/inode", c.node[0].root, c.dir);
    test_shell("mkdir %s/far && mv %s/tree %s/far/away", c.node[1].root, c.node[1].root,
               c.node[1].root);
    cluster_do(&c, 1, out, "scan --json");
    char want[32];
    snprintf(want, sizeof want, "\"moved\":%d,\"removed\":0", MANY + 1);
    if (strstr(out, want) == NULL) test_fail("a moved tree: %s", out);
    mishap_agree(&c, "a tree was moved");
    expect_files(&c.node[0], "far/away", MANY + 1);
    expect_files(&c.node[0], "tree", 0);
    test_shell("test $(ls -i %s/far/away/large | cut -d' ' -f1) = $(cat %s/inode)",
               c.node[0].root, c.dir);
    cluster_destroy(&c);
}

static void renamed_by_case(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    node_text(&c.node[0], "Readme.TXT", "read me");
    node_text(&c.node[0], "Dir/Sub/file", "in it");
    cluster_settle(&c, SETTLE_S);
    test_shell("cd %s && mv Readme.TXT README.txt && mv Dir dir && mv dir/Sub dir/SUB",
               c.node[0].root);
    mishap_agree(&c, "names that differ by case");
    if (!node_reads(&c.node[1], "README.txt", "read me") ||
        node_has(&c.node[1], "Readme.TXT") ||
        !node_reads(&c.node[1], "dir/SUB/file", "in it") || node_has(&c.node[1], "Dir"))
        test_fail("a rename by case did not arrive");
    node_text(&c.node[1], "readme.txt", "another file");
    mishap_agree(&c, "both");
    if (!node_has(&c.node[0], "readme.txt") || !node_has(&c.node[0], "README.txt"))
        test_fail("two names became one");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* --- kinds that change */

static void file_and_directory(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    node_text(&c.node[0], "back", "the file");
    node_text(&c.node[0], "turned", "the file");
    node_text(&c.node[0], "made/file", "in a directory");
    cluster_settle(&c, SETTLE_S);
    /* Within one scan: there and back again, and there for good; meanwhile edited elsewhere. */
    const char *root = c.node[0].root;
    test_shell("cd %s && mv back aside && mkdir back && echo x > back/x && rm -r back && "
               "mv aside back",
               root);
    test_shell("cd %s && rm turned && mkdir turned && echo in > turned/in", root);
    test_shell("cd %s && rm -r made && echo file > made", root);
    node_text(&c.node[1], "back", "edited there");
    node_text(&c.node[1], "turned", "edited there");
    node_text(&c.node[1], "made/file", "edited there");
    mishap_agree(&c, "files and directories took turns");
    if (!node_reads(&c.node[0], "back", "edited there")) test_fail("the edit is lost");
    for (int i = 0; i < 2; i++) /* under whatever names */
        test_shell(
            "cd %s && test $(grep -rlx 'edited there' --exclude-dir=.crdtsync . | wc -l) "
            "= 3 && grep -qx in turned/in && grep -rqx file --exclude-dir=.crdtsync .",
            c.node[i].root);
    cluster_destroy(&c);
}

#define TEN 10

static void ten_edit_one_file(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    cluster_new(&c, TEN);
    for (int i = 1; i < TEN; i++)
        cluster_pair(&c, i, 0, 0);
    node_text(&c.node[0], "notes.txt", "in the beginning");
    for (int i = 0; i < TEN; i++)
        cluster_start(&c, i);
    mishap_agree(&c, "ten nodes");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TEN; i++) {
            char text[64];
            snprintf(text, sizeof text, "round %d of node %d\n", round, i);
            node_text(&c.node[i], "notes.txt", text);
        }
        mishap_agree(&c, "all edited one file");
        for (int i = 0; i < TEN; i++)
            test_shell("cat %s/notes* | grep -qx 'round %d of node %d'",
                       c.node[TEN - 1 - i].root, round, i);
    }
    cluster_do(&c, 3, out, "conflicts --json");
    if (strstr(out, "notes.txt") == NULL) test_fail("no conflicts: %s", out);
    cluster_destroy(&c);
}

/* --- put into each other */

static void refuses(cluster_t *c, int node, const char *what, const char *names)
{
    char out[CLUSTER_TEXT];
    int code = mishap_ask(c, node, out, "%s", what);
    if (code == 0 || strstr(out, names) == NULL)
        test_fail("%s: exit code %d, without %s: %s", what, code, names, out);
}

static void into_each_other(void)
{
    cluster_t c;
    char command[600];
    mishap_start_pair(&c);
    const cluster_node_t *node = &c.node[0];
    test_shell("mkdir %s/sub", node->root);
    snprintf(command, sizeof command, "folder add %s/sub", node->root);
    refuses(&c, 0, command, node->root);
    refuses(&c, 1, command, node->root); /* a folder that its home does not know */
    snprintf(command, sizeof command, "folder add %s", c.dir);
    refuses(&c, 0, command, "lies in it");
    snprintf(command, sizeof command, "folder add %s/new", node->home);
    refuses(&c, 0, command, node->home);
    snprintf(command, sizeof command, "--home %s/sub/home init", node->root);
    refuses(&c, 0, command, node->root);
    test_shell("test ! -e %s/sub/home", node->root);
    mishap_agree(&c, "nothing was made");
    if (!node_has(&c.node[1], "sub")) test_fail("an empty directory did not arrive");

    /* A home that was moved into its folder would send its secret key, and never rest. */
    cluster_stop(&c, 1);
    test_shell("mv %s %s/sub/", c.node[1].home, c.node[1].root);
    snprintf(command, sizeof command, "--home %s/sub/home1 node", c.node[1].root);
    refuses(&c, 1, command, "the home lies in");
    test_shell("mv %s/sub/home1 %s", c.node[1].root, c.dir);
    cluster_start(&c, 1);
    mishap_agree(&c, "the home was moved out");
    if (node_has(&c.node[0], "sub/home1")) test_fail("a home was sent");
    cluster_destroy(&c);
}

/* A copy of a whole folder, marker and all, is files like others. */
static void copied_into_itself(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    test_shell("cp -a %s %s/copy && mv %s/copy %s/", c.node[1].root, c.dir, c.dir,
               c.node[1].root);
    mishap_agree(&c, "a folder was copied into itself");
    if (!node_reads(&c.node[0], "copy/one", "1")) test_fail("the copy did not arrive");
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"ten edit one file", ten_edit_one_file, false, false},
        {"deleted and accepted", deleted_and_accepted, false, false},
        {"deleted and rejected", deleted_and_rejected, false, false},
        {"rewritten and accepted", rewritten_and_accepted, false, false},
        {"rewritten and rejected", rewritten_and_rejected, false, false},
        {"tree moved", tree_moved, false, false},
        {"renamed by case", renamed_by_case, false, false},
        {"file and directory", file_and_directory, false, false},
        {"into each other", into_each_other, false, false},
        {"copied into itself", copied_into_itself, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
