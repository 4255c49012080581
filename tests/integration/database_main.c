/* database_main.c - homes whose database is lost, repaired, or from another
 * time: no file is lost, what was deleted long ago stays so, and what is equal is no conflict.
 */
#include <leveldb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/past.h"

/* --- lost */

static void lost(void)
{
    cluster_t c;
    past_begin(&c);
    test_shell("rm -r %s/db", c.node[1].home);
    past_edit(&c, 1);
    cluster_start(&c, 1);
    past_check(&c, 1, "the database was deleted");
    past_siblings(&c, "the database was deleted");
    cluster_destroy(&c);
}

/* LevelDB goes on with what it has open, until it needs a new file. */
static void deleted_under_the_node(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    test_shell("rm -r %s/db", c.node[1].home);
    for (int i = 0; i < 9000; i++) { /* more than one log takes: 4 MiB */
        char path[32];
        snprintf(path, sizeof path, "dir/%d", i);
        node_text(&c.node[0], path, path);
    }
    /* A command that is under way then would have to be given again. */
    cluster_do(&c, 0, NULL, "scan %s", c.folder);
    mishap_await_log(&c.node[1], "db.gone");
    mishap_await_ping(&c, 1, true);
    mishap_agree(&c, "the database was deleted under the node");
    node_text(&c.node[1], "two", "edited");
    mishap_agree(&c, "and it goes on");
    cluster_stop(&c, 1);
    cluster_start(&c, 1);
    mishap_agree(&c, "and starts again");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* --- from another time */

/* The home of a week ago: what it said since is known to others. */
static void old_copy(void)
{
    cluster_t c;
    past_begin(&c);
    test_shell("cp -a %s %s/old", c.node[1].home, c.dir);
    node_text(&c.node[1], "dir1/7", "an edit that the old home does not know");
    cluster_start(&c, 1);
    mishap_agree(&c, "an ordinary day");
    cluster_stop(&c, 1);
    test_shell("rm -r %s && cp -a %s/old %s", c.node[1].home, c.dir, c.node[1].home);
    test_shell("rm %s/doomed", c.node[0].root);
    past_edit(&c, 1);
    cluster_start(&c, 1);
    past_check(&c, 1, "an old copy of the home");
    if (!mishap_logged(&c.node[1], "incarnation")) test_fail("the old copy was not noticed");
    if (!node_reads(&c.node[0], "dir1/7", "an edit that the old home does not know"))
        test_fail("an old copy undid an edit");
    if (node_has(&c.node[0], "doomed")) test_fail("an old copy undid a deletion");
    past_siblings(&c, "an old copy of the home");
    cluster_destroy(&c);
}

/* LevelDB's own repair forgets which rows were deleted, and may lose some. */
static void repaired(void)
{
    cluster_t c;
    char dir[300];
    past_begin(&c);
    snprintf(dir, sizeof dir, "%s/db", c.node[1].home);
    leveldb_options_t *options = leveldb_options_create();
    char *error = NULL;
    leveldb_repair_db(options, dir, &error);
    if (error != NULL) test_fail("repair: %s", error);
    leveldb_options_destroy(options);
    test_shell("rm %s/doomed", c.node[0].root);
    past_edit(&c, 1);
    cluster_start(&c, 1);
    past_check(&c, 1, "repaired");
    if (node_has(&c.node[0], "doomed")) test_fail("a repair undid a deletion");
    past_siblings(&c, "repaired");

    /* Without the newest table, as after a damage that the repair could not read. */
    cluster_stop(&c, 1);
    test_shell("cd %s && rm -f $(ls *.ldb | tail -1)", dir);
    options = leveldb_options_create();
    leveldb_repair_db(options, dir, &error);
    if (error != NULL) test_fail("repair: %s", error);
    leveldb_options_destroy(options);
    past_edit(&c, 2);
    cluster_start(&c, 1);
    past_check(&c, 2, "repaired without a table");
    past_siblings(&c, "repaired without a table");
    cluster_destroy(&c);
}

/* --- what a node that ends leaves for the next one */

static bool has_symbols(const cluster_node_t *node)
{
    char dir[300], *error = NULL;
    snprintf(dir, sizeof dir, "%s/db", node->home);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_readoptions_t *read = leveldb_readoptions_create();
    leveldb_t *db = leveldb_open(options, dir, &error);
    if (error != NULL) test_fail("%s: %s", dir, error);
    leveldb_iterator_t *iter = leveldb_create_iterator(db, read);
    bool found = false;
    for (leveldb_iter_seek_to_first(iter); leveldb_iter_valid(iter); leveldb_iter_next(iter)) {
        size_t len;
        const char *key = leveldb_iter_key(iter, &len);
        found = found || (len == 13 && memcmp(key + 4, "m/symbols", 9) == 0);
    }
    leveldb_iter_destroy(iter);
    leveldb_close(db);
    leveldb_readoptions_destroy(read);
    leveldb_options_destroy(options);
    return found;
}

static void symbols_kept(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    cluster_stop(&c, 1);
    if (!has_symbols(&c.node[1])) test_fail("no symbols for the next start");
    node_text(&c.node[0], "one", "edited meanwhile");
    cluster_start(&c, 1);
    mishap_agree(&c, "a start with symbols");
    char out[CLUSTER_TEXT];
    if (mishap_ask(&c, 1, out, "check") != 0) test_fail("after it: %s", out);
    cluster_destroy(&c);
}

/* --- of another program, machine, process */

static void put_format(const cluster_node_t *node, char format)
{
    char dir[300], value[4] = {format}, *error = NULL;
    snprintf(dir, sizeof dir, "%s/db", node->home);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_writeoptions_t *write = leveldb_writeoptions_create();
    leveldb_t *db = leveldb_open(options, dir, &error);
    if (error == NULL) leveldb_put(db, write, "node/format", 11, value, sizeof value, &error);
    if (error != NULL) test_fail("%s: %s", dir, error);
    leveldb_close(db);
    leveldb_writeoptions_destroy(write);
    leveldb_options_destroy(options);
}

static void refused(cluster_t *c, const char *what)
{
    char out[CLUSTER_TEXT];
    if (mishap_ask(c, 1, out, "node") != 1 || strstr(out, what) == NULL ||
        strstr(out, c->node[1].home) == NULL)
        test_fail("a database of %s version: %s", what, out);
    if (mishap_ask(c, 1, out, "scan") != 1 || strstr(out, what) == NULL)
        test_fail("a scan with a database of %s version: %s", what, out);
}

static void other_version(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    cluster_stop(&c, 1);
    put_format(&c.node[1], 3);
    refused(&c, "a newer");
    put_format(&c.node[1], 1); /* numbers were not signed yet */
    refused(&c, "an older");
    test_shell("test ! -e %s/db.bad-1", c.node[1].home);
    put_format(&c.node[1], 2);
    cluster_start(&c, 1);
    mishap_agree(&c, "a database of this version");
    cluster_destroy(&c);
}

static void two_on_one_home(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT], pid[32];
    mishap_start_pair(&c);
    snprintf(pid, sizeof pid, "process %d", (int)c.node[1].pid);
    if (mishap_ask(&c, 1, out, "node") != 1 || strstr(out, pid) == NULL)
        test_fail("a second node on one home: %s", out);
    mishap_agree(&c, "a second node was refused");
    cluster_destroy(&c);
}

/* Both machines have the same key, and different edits under what were the same numbers. */
static void copied_home(void)
{
    cluster_t c;
    past_begin(&c);
    cluster_node_t *twin = &c.node[2];
    *twin = c.node[1];
    snprintf(twin->home, sizeof twin->home, "%s/home2", c.dir);
    snprintf(twin->root, sizeof twin->root, "%s/root2", c.dir);
    snprintf(twin->log, sizeof twin->log, "%s/log2", c.dir);
    twin->port = free_port();
    test_shell("cp -a %s %s && cp -a %s %s && cd %s && sed -i s/root1/root2/ folders/* && "
               "sed -i s/%d/%d/ config",
               c.node[1].home, twin->home, c.node[1].root, twin->root, twin->home,
               c.node[1].port, twin->port);
    c.count = 3;
    node_text(&c.node[0], "dir0/2", "of the first");
    node_text(&c.node[1], "dir0/3", "of the second");
    node_text(twin, "dir0/4", "of the twin");
    node_text(&c.node[1], "dir0/5", "an edit");
    node_text(twin, "dir0/5", "another edit");
    cluster_start(&c, 1);
    cluster_start(&c, 2);
    double end = test_now() + SETTLE_S;
    char why[1024] = "";
    for (bool differ = true; differ && test_now() < end;) {
        for (int i = 0; i < 3; i++)
            cluster_do(&c, i, NULL, "scan");
        differ = tree_differs(c.node[0].root, c.node[1].root, why, sizeof why) ||
                 tree_differs(c.node[0].root, twin->root, why, sizeof why);
    }
    if (tree_differs(c.node[0].root, c.node[1].root, why, sizeof why) ||
        tree_differs(c.node[0].root, twin->root, why, sizeof why))
        test_fail("twins: %s", why);
    if (!mishap_logged(twin, "the home was copied")) test_fail("the copy was not noticed");
    if (!mishap_logged(&c.node[0], "a home was copied"))
        test_fail("the twins were not noticed");
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"repaired", repaired, false, false},
        {"lost", lost, false, false},
        {"deleted under the node", deleted_under_the_node, false, true},
        {"old copy", old_copy, false, false},
        {"copied home", copied_home, false, false},
        {"symbols kept", symbols_kept, false, false},
        {"another version", other_version, false, false},
        {"two on one home", two_on_one_home, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
