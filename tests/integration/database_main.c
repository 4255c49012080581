/* database_main.c - homes whose database is lost, cut short, damaged, repaired, or from another
 * time: no file is lost, what was deleted long ago stays so, and what is equal is no conflict.
 */
#include <dirent.h>
#include <leveldb/c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mishap.h"

#define FILES 40
#define HISTORY                                                                  \
    3 /* sessions: rows are in tables, in a log, and moved from one to the other \
       */

/* Two nodes with a past: files, edits, moves, deletions, all of them known to both. */
static void start_history(cluster_t *c)
{
    mishap_pair(c);
    cluster_start(c, 0);
    for (int session = 0; session < HISTORY; session++) {
        cluster_start(c, 1);
        for (int i = 0; i < FILES; i++) {
            char path[64], text[64];
            snprintf(path, sizeof path, "dir%d/%d", session, i);
            snprintf(text, sizeof text, "%s of session %d", path, session);
            node_text(&c->node[i % 2], path, text);
        }
        node_text(&c->node[1], "edited", session == 0 ? "a" : session == 1 ? "b" : "c");
        node_text(&c->node[0], "gone", "soon");
        node_text(&c->node[0], "doomed", "later");
        cluster_settle(c, SETTLE_S);
        test_shell("rm %s/gone && mv %s/dir%d/1 %s/moved%d", c->node[0].root, c->node[0].root,
                   session, c->node[0].root, session);
        cluster_settle(c, SETTLE_S);
        cluster_stop(c, 1);
    }
}

/* What happens while node 1 is down, on both sides. */
static void edit_meanwhile(cluster_t *c, int round)
{
    char text[32];
    snprintf(text, sizeof text, "round %d", round);
    node_text(&c->node[0], "dir0/0", text);
    node_text(&c->node[1], "dir1/5", text);
    node_text(&c->node[1], "new", text);
    cluster_do(c, 0, NULL, "scan");
}

/* What was written while it was down is there, shown or as a sibling; nothing came back. */
static void check_round(cluster_t *c, int round, const char *what)
{
    mishap_agree(c, what);
    test_shell("cd %s && grep -qx 'round %d' dir1/5* && grep -qx 'round %d' dir0/0* && "
               "grep -qx 'round %d' new*",
               c->node[0].root, round, round, round);
    if (node_has(&c->node[0], "gone") || node_has(&c->node[0], "dir0/1"))
        test_fail("%s: a deleted file came back", what);
    if (!node_reads(&c->node[0], "moved1", "dir1/1 of session 1") ||
        !node_reads(&c->node[1], "edited", "c"))
        test_fail("%s: a file is lost", what);
    test_shell("test $(find %s/dir? -type f ! -name '*conflict*' | wc -l) = %d",
               c->node[0].root, HISTORY * (FILES - 1));
}

/* Only what was edited on either side since may have two versions: which of them is the older
 * one is what the database knew. What is equal, and that is 120 files, is no conflict. */
#define EDITED 3

static void check_siblings(cluster_t *c, const char *what)
{
    char out[CLUSTER_TEXT];
    int count = 0;
    cluster_do(c, 0, out, "conflicts --json");
    for (const char *at = out; (at = strstr(at, "\"siblings\"")) != NULL; at++)
        count++;
    if (count > EDITED) test_fail("%s: %d conflicts: %s", what, count, out);
    test_shell("find %s -name '*conflict*' -delete", c->node[0].root);
    mishap_agree(c, "siblings removed");
}

/* The newest file of the database whose name contains `part`; false: there is none. */
static bool find_file(const cluster_node_t *node, const char *part, char *ret, size_t bytes)
{
    char dir[300], newest[64] = "";
    snprintf(dir, sizeof dir, "%s/db", node->home);
    DIR *stream = opendir(dir);
    if (stream == NULL) test_fail("opendir %s", dir);
    for (struct dirent *item; (item = readdir(stream)) != NULL;) {
        if (strstr(item->d_name, part) == NULL || strcmp(item->d_name, newest) < 0) continue;
        snprintf(newest, sizeof newest, "%.63s", item->d_name);
    }
    closedir(stream);
    snprintf(ret, bytes, "%s/%s", dir, newest);
    return newest[0] != '\0';
}

/* --- lost */

static void lost(void)
{
    cluster_t c;
    start_history(&c);
    test_shell("rm -r %s/db", c.node[1].home);
    edit_meanwhile(&c, 1);
    cluster_start(&c, 1);
    check_round(&c, 1, "the database was deleted");
    check_siblings(&c, "the database was deleted");
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

/* --- damaged: each file of the database in turn */

static off_t size_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) test_fail("stat %s", path);
    return st.st_size;
}

static void flip(const char *path, off_t at)
{
    FILE *file = fopen(path, "r+b");
    uint8_t byte = 0;
    bool good =
        file != NULL && fseeko(file, at, SEEK_SET) == 0 && fread(&byte, 1, 1, file) == 1;
    byte ^= 0x10;
    good = good && fseeko(file, at, SEEK_SET) == 0 && fwrite(&byte, 1, 1, file) == 1;
    if (!good || fclose(file) != 0) test_fail("cannot damage %s", path);
}

typedef enum harm { CUT_TO_NOTHING, CUT_IN_HALF, CUT_ONE_BYTE, FLIP, HARMS } harm_t;

/* False: the file is too small for it. */
static bool do_harm(const char *path, harm_t harm)
{
    off_t size = size_of(path);
    if (size < 2) return false;
    switch (harm) {
    case CUT_TO_NOTHING:
        return truncate(path, 0) == 0;
    case CUT_IN_HALF:
        return truncate(path, size / 2) == 0;
    case CUT_ONE_BYTE:
        return truncate(path, size - 1) == 0;
    case FLIP:
        flip(path, size / 3);
        return true;
    case HARMS:
        break;
    }
    return false;
}

/* Every kind of file. A log becomes a table when the node starts again. */
static void harm_each(harm_t harm, const char *what)
{
    static const char *const parts[] = {".ldb", ".log", "MANIFEST-", "CURRENT"};
    cluster_t c;
    start_history(&c);
    for (int round = 1; round <= (int)(sizeof parts / sizeof parts[0]); round++) {
        char path[400], text[128];
        snprintf(text, sizeof text, "%s: %s", what, parts[round - 1]);
        while (!find_file(&c.node[1], parts[round - 1], path, sizeof path)) {
            cluster_start(&c, 1);
            cluster_stop(&c, 1);
        }
        if (!do_harm(path, harm)) test_fail("%s: too small", text);
        edit_meanwhile(&c, round);
        cluster_start(&c, 1);
        check_round(&c, round, text);
        check_siblings(&c, text);
        cluster_stop(&c, 1);
    }
    if (!mishap_logged(&c.node[1], "db.set-aside")) test_fail("%s: not noticed", what);
    test_shell("ls -d %s/db.bad-1 >/dev/null", c.node[1].home); /* kept, to be looked at */
    cluster_destroy(&c);
}

static void cut_to_nothing(void)
{
    harm_each(CUT_TO_NOTHING, "cut to nothing");
}

static void cut_in_half(void)
{
    harm_each(CUT_IN_HALF, "cut in half");
}

static void cut_by_a_byte(void)
{
    harm_each(CUT_ONE_BYTE, "one byte less");
}

static void flipped(void)
{
    harm_each(FLIP, "a flipped bit");
}

/* --- from another time */

/* The home of a week ago: what it said since is known to others. */
static void old_copy(void)
{
    cluster_t c;
    start_history(&c);
    test_shell("cp -a %s %s/old", c.node[1].home, c.dir);
    node_text(&c.node[1], "dir1/7", "an edit that the old home does not know");
    cluster_start(&c, 1);
    mishap_agree(&c, "an ordinary day");
    cluster_stop(&c, 1);
    test_shell("rm -r %s && cp -a %s/old %s", c.node[1].home, c.dir, c.node[1].home);
    test_shell("rm %s/doomed", c.node[0].root);
    edit_meanwhile(&c, 1);
    cluster_start(&c, 1);
    check_round(&c, 1, "an old copy of the home");
    if (!mishap_logged(&c.node[1], "incarnation")) test_fail("the old copy was not noticed");
    if (!node_reads(&c.node[0], "dir1/7", "an edit that the old home does not know"))
        test_fail("an old copy undid an edit");
    if (node_has(&c.node[0], "doomed")) test_fail("an old copy undid a deletion");
    check_siblings(&c, "an old copy of the home");
    cluster_destroy(&c);
}

/* LevelDB's own repair forgets which rows were deleted, and may lose some. */
static void repaired(void)
{
    cluster_t c;
    char dir[300];
    start_history(&c);
    snprintf(dir, sizeof dir, "%s/db", c.node[1].home);
    leveldb_options_t *options = leveldb_options_create();
    char *error = NULL;
    leveldb_repair_db(options, dir, &error);
    if (error != NULL) test_fail("repair: %s", error);
    leveldb_options_destroy(options);
    test_shell("rm %s/doomed", c.node[0].root);
    edit_meanwhile(&c, 1);
    cluster_start(&c, 1);
    check_round(&c, 1, "repaired");
    if (node_has(&c.node[0], "doomed")) test_fail("a repair undid a deletion");
    check_siblings(&c, "repaired");

    /* Without the newest table, as after a damage that the repair could not read. */
    cluster_stop(&c, 1);
    test_shell("cd %s && rm -f $(ls *.ldb | tail -1)", dir);
    options = leveldb_options_create();
    leveldb_repair_db(options, dir, &error);
    if (error != NULL) test_fail("repair: %s", error);
    leveldb_options_destroy(options);
    edit_meanwhile(&c, 2);
    cluster_start(&c, 1);
    check_round(&c, 2, "repaired without a table");
    check_siblings(&c, "repaired without a table");
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

static void newer_version(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    mishap_start_pair(&c);
    cluster_stop(&c, 1);
    put_format(&c.node[1], 2);
    if (mishap_ask(&c, 1, out, "node") != 1)
        test_fail("a database of a newer version: %s", out);
    if (strstr(out, "newer") == NULL || strstr(out, c.node[1].home) == NULL)
        test_fail("a database of a newer version: %s", out);
    if (mishap_ask(&c, 1, out, "scan") != 1 || strstr(out, "newer") == NULL)
        test_fail("a scan with a database of a newer version: %s", out);
    test_shell("test ! -e %s/db.bad-1", c.node[1].home);
    put_format(&c.node[1], 1);
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
    start_history(&c);
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
        {"cut to nothing", cut_to_nothing, false, false},
        {"cut in half", cut_in_half, false, false},
        {"cut by a byte", cut_by_a_byte, false, false},
        {"flipped", flipped, false, false},
        {"repaired", repaired, false, false},
        {"lost", lost, false, false},
        {"deleted under the node", deleted_under_the_node, false, true},
        {"old copy", old_copy, false, false},
        {"copied home", copied_home, false, false},
        {"newer version", newer_version, false, false},
        {"two on one home", two_on_one_home, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
