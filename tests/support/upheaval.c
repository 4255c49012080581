/* upheaval.c - by tar, git, renames and rm. */
#include "support/upheaval.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FILES 100u
#define PACKAGE   16u /* files of a package, about */

static void put_text(FILE *git, unsigned file, const char *branch)
{
    char line[64];
    int len = snprintf(line, sizeof line, "file %u of branch %s\n", file, branch);
    unsigned lines = file % 8 + 1;
    fprintf(git, "data %u\n", (unsigned)len * lines);
    for (unsigned i = 0; i < lines; i++)
        fputs(line, git);
}

#define GIT \
    "GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git -c gc.auto=0 --git-dir=%s/git "

/* Of eight files of the first branch the second one has one as it was, one under another name,
 * one not at all, and five with other bytes. */
void upheaval_prepare(const upheaval_t *up)
{
    char command[512];
    const char *dir = up->dir;
    test_shell(GIT "init -q", dir);
    snprintf(command, sizeof command, GIT "fast-import --quiet", dir);
    FILE *git = popen(command, "we");
    if (git == NULL) test_fail("%s", command);
    fputs("commit refs/heads/one\ncommitter A <a> 1 +0000\ndata 0\n", git);
    for (unsigned i = 0; i < up->files; i++) {
        fprintf(git, "M %o inline d%u/f%u\n", i % 50 == 0 ? 0100755u : 0100644u, i / DIR_FILES,
                i);
        put_text(git, i, "one");
    }
    fputs("commit refs/heads/two\ncommitter A <a> 2 +0000\ndata 0\nfrom refs/heads/one\n", git);
    for (unsigned i = 0; i < up->files; i++) {
        unsigned dir_of = i / DIR_FILES;
        if (i % 8 == 1) fprintf(git, "R d%u/f%u e%u/f%u\n", dir_of, i, dir_of, i);
        if (i % 8 == 2) fprintf(git, "D d%u/f%u\n", dir_of, i);
        if (i % 8 < 3) continue;
        fprintf(git, "M 100644 inline d%u/f%u\n", dir_of, i);
        put_text(git, i, "two");
    }
    if (pclose(git) != 0) test_fail("%s", command);
    test_shell(GIT "archive -o %s/tree.tar --prefix=tree/ one", dir, dir);
}

void upheaval_take_branch(const upheaval_t *up)
{
    test_shell(GIT "symbolic-ref HEAD refs/heads/one", up->dir);
    test_shell(GIT "--work-tree=%s/tree reset -q", up->dir, up->node->root);
}

void upheaval_unpack(const upheaval_t *up)
{
    test_shell("tar -C %s -xf %s/tree.tar", up->node->root, up->dir);
}

void upheaval_check_out(const upheaval_t *up)
{
    test_shell(GIT "--work-tree=%s/tree checkout -q two", up->dir, up->node->root);
}

static void make_package(const cluster_node_t *stage, unsigned number, unsigned version)
{
    char path[128], text[128];
    for (unsigned i = 0; i < PACKAGE; i++) {
        bool nested = number % 5 == 0 && i >= 12;
        snprintf(path, sizeof path, "p%u/%s%u.js", number,
                 nested ? "node_modules/inner/lib/" : "lib/", i);
        snprintf(text, sizeof text, "exports.n = %u * %u + %u\n", number, i, version);
        node_text(stage, path, text);
    }
    snprintf(path, sizeof path, "p%u/package.json", number);
    node_text(stage, path, "{}\n");
}

static void move(const char *from_dir, const char *from, const char *to_dir, const char *to)
{
    char a[512], b[512];
    snprintf(a, sizeof a, "%s/%s", from_dir, from);
    snprintf(b, sizeof b, "%s/%s", to_dir, to);
    if (rename(a, b) != 0) test_fail("rename %s to %s: %s", a, b, strerror(errno));
}

/* Made elsewhere and moved into place, then rewritten there; an older version steps aside. */
static void install_one(const upheaval_t *up, unsigned number, unsigned version)
{
    const cluster_node_t *a = up->node;
    cluster_node_t stage = {0};
    char modules[300], name[32], aside[32], path[512], text[64];
    snprintf(stage.root, sizeof stage.root, "%.100s/stage", up->dir);
    snprintf(modules, sizeof modules, "%s/app/node_modules", a->root);
    snprintf(name, sizeof name, "p%u", number);
    snprintf(aside, sizeof aside, ".p%u-old", number);
    make_package(&stage, number, version);
    if (version > 1) move(modules, name, modules, aside);
    move(stage.root, name, modules, name);
    snprintf(path, sizeof path, "app/node_modules/%s/package.json", name);
    snprintf(text, sizeof text, "{\"name\": \"%s\", \"version\": \"%u\"}\n", name, version);
    node_text(a, path, text);
    if (number % 20 == 0) node_text(a, "app/package-lock.json", text);
    snprintf(path, sizeof path, "%s/.bin/%s", modules, name);
    snprintf(text, sizeof text, "../%s/lib/0.js", name);
    if (version == 1 && symlink(text, path) != 0) test_fail("%s: %s", path, strerror(errno));
}

void upheaval_install(const upheaval_t *up)
{
    const char *root = up->node->root;
    unsigned packages = up->files / PACKAGE;
    test_shell("mkdir -p %s/stage %s/app/node_modules/.bin", up->dir, root);
    for (unsigned i = 0; i < packages; i++)
        install_one(up, i, 1);
    for (unsigned i = 0; i < packages; i += 10)
        install_one(up, i, 2);
    test_shell("rm -r %s/app/node_modules/.p*-old", root);
}

void upheaval_remove(const upheaval_t *up)
{
    test_shell("rm -r %s/tree %s/app", up->node->root, up->node->root);
}
