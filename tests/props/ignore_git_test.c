/* ignore_git_test.c - ignore rules against git itself: random patterns on random trees. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "disk/ignore.h"
#include "io/fs_linux.h"
#include "support/folder.h"
#include "support/seed.h"

#define TREES  6
#define ROUNDS 25
#define PATHS  120

static const char *const names[] = {"a",  "b",        "ab",   "c.o", "d e", ".x", "a]b",
                                    "[",  "\xc3\xa9", "a\\b", "-",   "!a",  "#b", "A",
                                    "ba", "b.o",      "aa",   "*",   " ",   "a "};
static const char *const tokens[] = {
    "a",    "b",        "*",           "**",    "?",    "/",   "[ab]",
    "[!a]", "[a-c]",    "[[:alpha:]]", "\\",    "\\*",  " ",   "!",
    "#",    ".o",       "c",           "[",     "]",    "-",   "/**/",
    "**/",  "/**",      "\t",          "\r",    "[^/]", "d e", "[[:space:]-]",
    "*/",   "\xc3\xa9", "[]a]",        "[\\]]", "[a-"};

typedef struct tree {
    char *dir;
    char path[PATHS][256];
    bool is_dir[PATHS];
    int len;
} tree_t;

static void run(const char *dir, const char *command)
{
    char line[1024];
    snprintf(line, sizeof line, "cd '%s' && HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 %s", dir,
             command);
    int status = system(line);
    cr_assert(status == 0 || WEXITSTATUS(status) == 1, "%s", line); /* 1: nothing is ignored */
}

static void grow(tree_t *tree, cs_prng_t *prng)
{
    tree->dir = cs_test_dir_new();
    run(tree->dir, "git init -q .");
    tree->len = 0;
    while (tree->len < PATHS) {
        char *path = tree->path[tree->len];
        const char *name = names[cs_prng_below(prng, CS_COUNT_OF(names))];
        int parent =
            tree->len == 0 ? -1 : (int)cs_prng_below(prng, (uint64_t)tree->len + 4) - 4;
        if (parent >= 0 && (!tree->is_dir[parent] || strlen(tree->path[parent]) > 60)) continue;
        snprintf(path, sizeof tree->path[0], "%.100s%s%s", parent < 0 ? "" : tree->path[parent],
                 parent < 0 ? "" : "/", name);
        bool known = false;
        for (int i = 0; i < tree->len; i++)
            known |= strcmp(tree->path[i], path) == 0;
        if (known) continue;
        tree->is_dir[tree->len] = cs_prng_chance(prng, 1, 2);
        if (tree->is_dir[tree->len]) cs_test_mkdir(tree->dir, path);
        if (!tree->is_dir[tree->len]) cs_test_write(tree->dir, path, "");
        tree->len++;
    }
}

static void write_rules(const tree_t *tree, cs_prng_t *prng, const char *below)
{
    char text[1024] = "", name[256];
    uint64_t lines = 1 + cs_prng_below(prng, 8);
    while (lines-- > 0) {
        uint64_t len = 1 + cs_prng_below(prng, 5);
        if (cs_prng_chance(prng, 1, 6)) strcat(text, "!");
        while (len-- > 0)
            strcat(text, tokens[cs_prng_below(prng, CS_COUNT_OF(tokens))]);
        strcat(text, lines > 0 || cs_prng_chance(prng, 1, 2) ? "\n" : "");
    }
    snprintf(name, sizeof name, "%s%s.gitignore", below, *below == '\0' ? "" : "/");
    cs_test_write(tree->dir, name, text);
    snprintf(name, sizeof name, "%s%s" CS_IGNORE_FILE, below, *below == '\0' ? "" : "/");
    cs_test_write(tree->dir, name, text);
}

static void drop_rules(const tree_t *tree)
{
    run(tree->dir, "find . -name .gitignore -delete -o -name " CS_IGNORE_FILE " -delete");
}

/* Which paths does git ignore? */
static void ask_git(const tree_t *tree, bool *ret)
{
    char name[512];
    snprintf(name, sizeof name, "%s/.git/paths", tree->dir);
    FILE *file = fopen(name, "wb");
    for (int i = 0; i < tree->len; i++)
        fwrite(tree->path[i], 1, strlen(tree->path[i]) + 1, file);
    fclose(file);
    run(tree->dir, "git check-ignore --no-index --stdin -z <.git/paths >.git/ignored");
    snprintf(name, sizeof name, "%s/.git/ignored", tree->dir);
    file = fopen(name, "rb");
    static char data[PATHS * 256];
    size_t len = fread(data, 1, sizeof data - 1, file);
    fclose(file);
    for (int i = 0; i < tree->len; i++) {
        ret[i] = false;
        for (const char *at = data; at < data + len; at += strlen(at) + 1) {
            if (strcmp(at, tree->path[i]) == 0) ret[i] = true;
        }
    }
}

static void compare(const tree_t *tree, cs_ignore_t *ignore, uint64_t *ret_ignored)
{
    bool git[PATHS];
    ask_git(tree, git);
    cs_ignore_forget(ignore);
    for (int i = 0; i < tree->len; i++) {
        bool ours = false;
        cr_assert_eq(
            cs_ignore_matches(ignore, cs_slice_text(tree->path[i]), tree->is_dir[i], &ours),
            CS_OK);
        if (ours != git[i]) run(tree->dir, "tail -n 99 $(find . -name .gitignore) >&2");
        cr_assert_eq(ours, git[i], "%s: git says %d", tree->path[i], git[i]);
        *ret_ignored += ours;
    }
}

Test(ignore_git, agrees_with_git_on_random_patterns)
{
    if (system("git --version >/dev/null 2>&1") != 0) cr_skip("git is not installed");
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("ignore_git"));
    uint64_t ignored = 0;
    for (int t = 0; t < TREES; t++) {
        tree_t tree = {0};
        grow(&tree, &prng);
        cs_fs_t *fs = NULL;
        cr_assert_eq(cs_fs_linux_open(tree.dir, &fs), CS_OK);
        cs_ignore_t *ignore = cs_ignore_new(fs);
        for (int round = 0; round < ROUNDS; round++) {
            write_rules(&tree, &prng, "");
            for (int i = 0; i < 3; i++) {
                uint64_t at = cs_prng_below(&prng, PATHS);
                if (tree.is_dir[at]) write_rules(&tree, &prng, tree.path[at]);
            }
            compare(&tree, ignore, &ignored);
            drop_rules(&tree);
        }
        cs_ignore_destroy(&ignore);
        fs->ops->close_fs(&fs);
        cs_test_dir_remove(&tree.dir);
    }
    cr_assert_gt(ignored, 500); /* the generator does hit */
    cr_assert_lt(ignored, TREES * ROUNDS * PATHS * 9 / 10);
}
