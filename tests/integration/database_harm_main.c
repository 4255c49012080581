/* database_harm_main.c - a database of which a file is cut short or has a flipped bit: it is
 * set aside and made anew, no file is lost, what was deleted long ago stays so, and what is
 * equal is no conflict.
 *
 *   database_harm          the newest file of each kind, one after the other
 *   database_harm --long   every file, each of a database that is whole but for it */
#include <dirent.h>
#include <leveldb/c.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/past.h"

/* LOCK is empty, and LOG is for people. */
static int is_file(const struct dirent *item)
{
    return item->d_name[0] != '.' && strncmp(item->d_name, "LO", 2) != 0;
}

/* The index-th newest file of the database whose name contains `part`; false: there is none. */
static bool find_file(const cluster_node_t *node, const char *part, int index, char *ret,
                      size_t bytes)
{
    char dir[300];
    struct dirent **items = NULL;
    bool found = false;
    snprintf(dir, sizeof dir, "%s/db", node->home);
    int count = scandir(dir, &items, is_file, alphasort);
    if (count < 0) test_fail("scandir %s", dir);
    for (int i = count - 1; i >= 0; i--) {
        if (!found && strstr(items[i]->d_name, part) != NULL && index-- == 0) {
            snprintf(ret, bytes, "%s/%.63s", dir, items[i]->d_name);
            found = true;
        }
        free(items[i]);
    }
    free(items);
    return found;
}

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
static const char *const harm_text[] = {"cut to nothing", "cut in half", "one byte less",
                                        "a flipped bit"};

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

/* Does the database know this table? One that was merged into others may be left over until the
 * next start. A copy is asked, for to open one changes it. */
static bool is_in_use(const cluster_node_t *node, const char *table)
{
    char copy[320], line[32], *error = NULL;
    snprintf(copy, sizeof copy, "%s/db-copy", node->home);
    test_shell("rm -rf %s && cp -a %s/db %s", copy, node->home, copy);
    leveldb_options_t *options = leveldb_options_create();
    leveldb_t *db = leveldb_open(options, copy, &error);
    if (db == NULL) test_fail("%s: %s", copy, error);
    char *tables = leveldb_property_value(db, "leveldb.sstables");
    snprintf(line, sizeof line, " %ld:", strtol(strrchr(table, '/') + 1, NULL, 10));
    bool found = tables != NULL && strstr(tables, line) != NULL;
    leveldb_free(tables);
    leveldb_close(db);
    leveldb_options_destroy(options);
    test_shell("rm -rf %s", copy);
    return found;
}

/* A log that ends early is what a power cut leaves, and so is the newest part of a manifest. */
static bool must_be_noticed(const cluster_node_t *node, const char *path, harm_t harm)
{
    if (strstr(path, ".log") != NULL) return false;
    if (strstr(path, ".ldb") != NULL) return is_in_use(node, path);
    if (strstr(path, "MANIFEST-") != NULL) return harm == CUT_TO_NOTHING || harm == FLIP;
    return true;
}

/* Harms the file while node 1 is down, and sees that nothing comes of it but a new database. */
static void harm_one(cluster_t *c, const char *path, harm_t harm, int round)
{
    const cluster_node_t *node = &c->node[1];
    char text[160];
    int before = mishap_log_lines(node, "db.set-aside");
    snprintf(text, sizeof text, "%s: %s", harm_text[harm], strrchr(path, '/') + 1);
    bool must = must_be_noticed(node, path, harm);
    if (!do_harm(path, harm)) test_fail("%s: too small", text);
    past_edit(c, round);
    cluster_start(c, 1);
    past_check(c, round, text);
    past_siblings(c, text);
    cluster_stop(c, 1);
    int lines = mishap_log_lines(node, "db.set-aside") - before;
    if (lines > 1 || (lines == 0 && must)) test_fail("%s: set aside %d times", text, lines);
    if (before + lines > 0) /* kept, to be looked at */
        test_shell("ls -d %s/db.bad-%d >/dev/null", node->home, before + lines);
}

/* Every kind of file. A log becomes a table when the node starts again. */
static void harm_each(harm_t harm)
{
    static const char *const parts[] = {".ldb", ".log", "MANIFEST-", "CURRENT"};
    cluster_t c;
    past_begin(&c);
    for (int round = 1; round <= (int)(sizeof parts / sizeof parts[0]); round++) {
        char path[400];
        while (!find_file(&c.node[1], parts[round - 1], 0, path, sizeof path)) {
            cluster_start(&c, 1);
            cluster_stop(&c, 1);
        }
        harm_one(&c, path, harm, round);
    }
    cluster_destroy(&c);
}

/* Every file, each of a database that is whole but for it. */
static void harm_all(harm_t harm)
{
    bool found = true;
    for (int index = 0; found; index++) {
        cluster_t c;
        char path[400];
        past_begin(&c);
        found = find_file(&c.node[1], "", index, path, sizeof path);
        if (found && size_of(path) >= 2) harm_one(&c, path, harm, 1);
        cluster_destroy(&c);
    }
}

#define HARM(name, harm)         \
    static void name(void)       \
    {                            \
        harm_each(harm);         \
    }                            \
    static void all_##name(void) \
    {                            \
        harm_all(harm);          \
    }
HARM(cut_to_nothing, CUT_TO_NOTHING)
HARM(cut_in_half, CUT_IN_HALF)
HARM(cut_by_a_byte, CUT_ONE_BYTE)
HARM(flipped, FLIP)

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"cut to nothing", cut_to_nothing, false, false},
        {"cut in half", cut_in_half, false, false},
        {"cut by a byte", cut_by_a_byte, false, false},
        {"flipped", flipped, false, false},
        {"all cut to nothing", all_cut_to_nothing, false, true},
        {"all cut in half", all_cut_in_half, false, true},
        {"all cut by a byte", all_cut_by_a_byte, false, true},
        {"all flipped", all_flipped, false, true},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
