/* editor.c - see editor.h. */
#include "support/editor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

#define OUTSIDE "not in the folder"
#define LEN     (strlen("text 00000."))

const char *edit_name(edit_t edit)
{
    static const char *const names[] = {"rewritten in place",
                                        "truncated and written",
                                        "written slowly",
                                        "renamed over",
                                        "saved with a backup",
                                        "deleted",
                                        "renamed away",
                                        "chmod",
                                        "made a directory",
                                        "its parent swapped for a link",
                                        "written through a descriptor",
                                        "written through a mapping",
                                        "written through a mapping again"};
    return names[edit];
}

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "editor: ");
    perror(what);
    abort();
}

static char *full(const editor_t *editor, const char *path, char ret[DUET_PATH])
{
    return duet_path(editor->duet, 0, path, ret);
}

/* A directory as the parent of the path is, with a file of that name. */
static void make_outside(editor_t *editor)
{
    char path[DUET_PATH + 64];
    snprintf(editor->outside, DUET_PATH, "%s" DUET_OUTSIDE, editor->duet->sites.site[0].dir);
    must(mkdir(editor->outside, 0700) == 0, editor->outside);
    snprintf(path, sizeof path, "%s/%s", editor->outside, strrchr(editor->path, '/') + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, OUTSIDE, strlen(OUTSIDE)) == (ssize_t)strlen(OUTSIDE), path);
    close(fd);
}

static void write_through(editor_t *editor)
{
    if (editor->fd < 0) return;
    duet_destroy_open(editor->duet, editor->fd);
    const char *text = duet_new_text(editor->duet);
    if (editor->map != NULL) {
        memcpy(editor->map, text, LEN);
    } else {
        must(pwrite(editor->fd, text, LEN, 0) == (ssize_t)LEN, editor->path);
    }
}

void editor_open(editor_t *editor, duet_t *duet, edit_t edit, const char *path)
{
    char at[DUET_PATH];
    *editor = (editor_t){.duet = duet, .edit = edit, .path = path, .fd = -1};
    full(editor, path, at);
    bool maps = edit == EDIT_MAPPED || edit == EDIT_MAPPED_AGAIN;
    bool through = maps || edit == EDIT_HELD;
    if (through) editor->fd = open(at, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (maps && editor->fd >= 0) {
        editor->map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, editor->fd, 0);
        must(editor->map != MAP_FAILED, "mmap");
    }
    if (edit == EDIT_MAPPED_AGAIN) write_through(editor);
    if (edit == EDIT_SWAP_PARENT && strchr(path, '/') != NULL) make_outside(editor);
}

/* --- saves */

static bool put_text(editor_t *editor, const char *at, int flags)
{
    int fd = open(at, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return false;
    const char *text = duet_new_text(editor->duet);
    must(write(fd, text, LEN) == (ssize_t)LEN, at);
    close(fd);
    return true;
}

static void in_place(editor_t *editor, const char *at)
{
    int fd = open(at, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    duet_destroy_open(editor->duet, fd);
    must(pwrite(fd, duet_new_text(editor->duet), LEN, 0) == (ssize_t)LEN, at);
    close(fd);
}

static void truncate_and_write(editor_t *editor, const char *at)
{
    int fd = open(at, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) duet_destroy_open(editor->duet, fd);
    if (fd >= 0) close(fd);
    (void)put_text(editor, at, O_WRONLY | O_CREAT | O_TRUNC);
}

/* Two parts: cut, and some system call of the engine's later, written. */
static void slowly(editor_t *editor, const char *at)
{
    if (editor->acted == 0) {
        editor->fd = open(at, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (editor->fd < 0) return;
        duet_destroy_open(editor->duet, editor->fd);
        must(ftruncate(editor->fd, 0) == 0, at);
    } else if (editor->fd >= 0) {
        must(pwrite(editor->fd, duet_new_text(editor->duet), LEN, 0) == (ssize_t)LEN, at);
    }
}

static void rename_over(editor_t *editor, const char *at)
{
    char aside[DUET_PATH];
    full(editor, "aside", aside);
    struct stat st;
    if (lstat(at, &st) == 0 && S_ISDIR(st.st_mode)) return;
    must(put_text(editor, aside, O_WRONLY | O_CREAT | O_EXCL), aside);
    duet_destroy(editor->duet, 0, editor->path);
    (void)!rename(aside, at); /* no parent: it stays beside */
}

static void backup(editor_t *editor, const char *at)
{
    char to[DUET_PATH + 1];
    snprintf(to, sizeof to, "%s~", at);
    struct stat st;
    if (lstat(at, &st) == 0 && S_ISDIR(st.st_mode)) return;
    (void)!rename(at, to);
    (void)put_text(editor, at, O_WRONLY | O_CREAT | O_EXCL);
}

static void make_directory(editor_t *editor, const char *at)
{
    char inside[DUET_PATH + 8];
    duet_destroy(editor->duet, 0, editor->path);
    (void)!unlink(at);
    (void)!mkdir(at, 0755);
    snprintf(inside, sizeof inside, "%s/in it", at);
    (void)put_text(editor, inside, O_WRONLY | O_CREAT | O_EXCL);
}

static void swap_parent(const editor_t *editor, const char *at)
{
    char parent[DUET_PATH], aside[DUET_PATH];
    if (editor->outside[0] == '\0') return;
    snprintf(parent, sizeof parent, "%s", at);
    *strrchr(parent, '/') = '\0';
    full(editor, "aside", aside);
    if (rename(parent, aside) != 0) return;
    must(symlink(editor->outside, parent) == 0, parent);
}

static void remove_file(const editor_t *editor, const char *at)
{
    duet_destroy(editor->duet, 0, editor->path);
    (void)!unlink(at);
}

static void chmod_file(const char *at)
{
    struct stat st;
    if (lstat(at, &st) == 0 && S_ISREG(st.st_mode)) (void)!chmod(at, 0640);
}

void editor_act(editor_t *editor)
{
    char at[DUET_PATH], aside[DUET_PATH];
    full(editor, editor->path, at);
    if (editor->acted > (editor->edit == EDIT_SLOWLY ? 1 : 0)) return;
    switch (editor->edit) {
    case EDIT_IN_PLACE:
        in_place(editor, at);
        break;
    case EDIT_TRUNCATE:
        truncate_and_write(editor, at);
        break;
    case EDIT_SLOWLY:
        slowly(editor, at);
        break;
    case EDIT_RENAME_OVER:
        rename_over(editor, at);
        break;
    case EDIT_BACKUP:
        backup(editor, at);
        break;
    case EDIT_DELETE:
        remove_file(editor, at);
        break;
    case EDIT_RENAME_AWAY:
        (void)!rename(at, full(editor, "aside", aside));
        break;
    case EDIT_CHMOD:
        chmod_file(at);
        break;
    case EDIT_MKDIR:
        make_directory(editor, at);
        break;
    case EDIT_SWAP_PARENT:
        swap_parent(editor, at);
        break;
    case EDIT_HELD:
    case EDIT_MAPPED:
    case EDIT_MAPPED_AGAIN:
        write_through(editor);
        break;
    case EDIT_COUNT:
        break;
    }
    editor->acted++;
}

const char *editor_close(editor_t *editor)
{
    editor_act(editor);
    editor_act(editor);
    if (editor->map != NULL) munmap(editor->map, LEN);
    if (editor->fd >= 0) close(editor->fd);
    if (editor->outside[0] == '\0') return NULL;
    char path[DUET_PATH + 64], text[sizeof OUTSIDE] = "";
    snprintf(path, sizeof path, "%s/%s", editor->outside, strrchr(editor->path, '/') + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strcmp(text, OUTSIDE) == 0;
    if (fd >= 0) close(fd);
    (void)!unlink(path);
    return rmdir(editor->outside) == 0 && same ? NULL : "something was done outside";
}
