/* new_folder.c - see new_folder.h. */
#include "io/new_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/scan.h"
#include "io/claim.h"
#include "io/entropy.h"
#include "io/fs_linux.h"
#include "io/places.h"

/* --- the path */

/* Left by this very command, when it was killed. */
static bool is_unfinished(const cs_daemon_t *daemon, const char *id, const char *real)
{
    char claim[CS_CLAIM_CHARS + 1];
    cs_claim_of(daemon->public_key, id, real, claim);
    return cs_claim_holds(real, claim);
}

/* The marker of a folder, or a home, at the path or above it: also of homes that we do not
 * know. `unfinished`: the path's own is of no account. */
static cs_err_t check_above(const char *real, bool unfinished, cs_buf_t *ret_detail)
{
    char *dir = cs_strdup(real);
    cs_err_t err = CS_OK;
    for (size_t len = strlen(dir); err == CS_OK && len > 0;) {
        const char *what = NULL;
        bool is_own = unfinished && strcmp(dir, real) == 0;
        if (cs_has_entry(dir, CS_FOLDER_MARKER) && !is_own) what = "a folder already";
        if (cs_has_entry(dir, "identity") && cs_has_entry(dir, "folders") &&
            cs_has_entry(dir, "peers")) {
            what = "a home of crdtsync";
        }
        if (what != NULL) {
            cs_buf_printf(ret_detail,
                          "cannot use %s: %s is %s; use another path, or remove what is left "
                          "there if it is no longer used (%s)",
                          real, dir, what, CS_PRIVATE_DIR);
            err = CS_ERR_EXISTS;
        }
        while (len > 0 && dir[len - 1] != '/') {
            len--;
        }
        if (len > 0) len--;
        dir[len] = '\0';
    }
    cs_free(dir);
    return err;
}

static cs_err_t check_known(cs_daemon_t *daemon, const char *real, cs_buf_t *ret_detail)
{
    const char *home = cs_home_path(daemon->home);
    if (cs_is_in(home, real) || cs_is_in(real, home)) {
        cs_buf_printf(ret_detail,
                      "cannot use %s: the home %s lies in it, or it in the home; use another "
                      "path",
                      real, home);
        return CS_ERR_EXISTS;
    }
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const cs_folder_record_t *other = &daemon->folders[i].record;
        char *root = cs_real_path(other->path);
        const char *place = root != NULL ? root : other->path;
        bool apart = !cs_is_in(place, real) && !cs_is_in(real, place);
        cs_free(root);
        if (apart) continue;
        cs_buf_printf(ret_detail,
                      "cannot use %s: folder %s (%s) is there, in it or around it; use another "
                      "path",
                      real, other->id, other->path);
        return CS_ERR_EXISTS;
    }
    return CS_OK;
}

cs_err_t cs_new_folder_check(cs_daemon_t *daemon, const char *id, const char *path,
                             char **ret_real, cs_buf_t *ret_detail)
{
    const cs_mounted_t *old = cs_daemon_folder(daemon, id);
    if (old != NULL && old->leaving) {
        cs_buf_printf(ret_detail,
                      "cannot add folder %s: it is being removed; try again in a moment", id);
        return CS_ERR_EXISTS;
    }
    if (old != NULL) {
        cs_buf_printf(ret_detail,
                      "cannot add folder %s: this home has it already, at %s; "
                      "start the node to sync it, or give another --home",
                      id, old->record.path);
        return CS_ERR_EXISTS;
    }
    char *real = cs_real_path(path);
    if (real == NULL) {
        cs_buf_printf(ret_detail, "cannot use %s: %s; use another path", path, strerror(errno));
        return CS_ERR_IO;
    }
    struct stat st;
    cs_err_t err = CS_OK;
    if (stat(real, &st) == 0 && !S_ISDIR(st.st_mode)) {
        cs_buf_printf(ret_detail, "cannot use %s: it is not a directory; use another path",
                      real);
        err = CS_ERR_NOT_DIR;
    }
    if (err == CS_OK) err = check_known(daemon, real, ret_detail);
    if (err == CS_OK) err = check_above(real, is_unfinished(daemon, id, real), ret_detail);
    if (err == CS_OK) {
        *ret_real = real;
    } else {
        cs_free(real);
    }
    return err;
}

/* --- making it */

static cs_err_t make_dirs(const char *path, cs_buf_t *ret_detail)
{
    char *part = cs_strdup(path);
    cs_err_t err = CS_OK;
    for (size_t i = 1; err == CS_OK; i++) {
        char byte = part[i];
        if (byte != '/' && byte != '\0') continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            cs_buf_printf(ret_detail, "cannot make %s: %s; check the path above it", part,
                          strerror(errno));
            err = CS_ERR_IO;
        }
        part[i] = byte;
        if (byte == '\0') break;
    }
    cs_free(part);
    return err;
}

static cs_err_t claim(const cs_daemon_t *daemon, const cs_folder_record_t *record,
                      cs_buf_t *ret_detail)
{
    char text[CS_CLAIM_CHARS + 1];
    cs_claim_of(daemon->public_key, record->id, record->path, text);
    return cs_claim_write(record->path, text, ret_detail);
}

static cs_err_t mark(const char *path, const uint8_t *marker, cs_buf_t *ret_detail)
{
    cs_fs_t *fs = NULL;
    cs_err_t err = cs_fs_linux_open(path, &fs);
    if (err == CS_OK) {
        err = cs_folder_mark(fs, marker);
        fs->ops->close_fs(&fs);
    }
    if (err != CS_OK) {
        cs_buf_printf(ret_detail, "cannot make %s/%s: %s; check the rights to that directory",
                      path, CS_PRIVATE_DIR, cs_err_text(err));
    }
    return err;
}

static void unmark(const char *path)
{
    cs_fs_t *fs = NULL;
    if (cs_fs_linux_open(path, &fs) != CS_OK) return;
    cs_err_t err = fs->ops->unlink(fs, cs_slice_text(CS_FOLDER_MARKER));
    (void)err; /* then the next attempt names it */
    fs->ops->close_fs(&fs);
}

static cs_err_t keep(cs_daemon_t *daemon, cs_folder_record_t *record, cs_buf_t *ret_detail)
{
    cs_err_t err = cs_home_folder_number(daemon->home, &record->number, ret_detail);
    if (err == CS_OK) err = cs_home_folder_put(daemon->home, record, ret_detail);
    if (err != CS_OK) return err;
    err = cs_daemon_mount(daemon, record, ret_detail);
    if (err == CS_OK) return CS_OK;
    cs_buf_t ignored = {0};
    cs_err_t undone = cs_home_folder_remove(daemon->home, record->id, &ignored);
    (void)undone; /* the first error is the one to tell */
    cs_buf_fini(&ignored);
    return err;
}

cs_err_t cs_new_folder_make(cs_daemon_t *daemon, const cs_new_folder_t *folder,
                            cs_buf_t *ret_detail)
{
    cs_folder_record_t record = {.modes_exec = folder->modes_exec};
    cs_err_t err =
        cs_new_folder_check(daemon, folder->id, folder->path, &record.path, ret_detail);
    if (err != CS_OK) return err;
    snprintf(record.id, sizeof record.id, "%s", folder->id);
    memcpy(record.secret, folder->secret, sizeof record.secret);
    cs_entropy_fill(record.marker, sizeof record.marker);
    err = make_dirs(record.path, ret_detail);
    if (err == CS_OK) err = claim(daemon, &record, ret_detail);
    if (err == CS_OK) err = mark(record.path, record.marker, ret_detail);
    if (err == CS_OK) {
        err = keep(daemon, &record, ret_detail);
        if (err != CS_OK) unmark(record.path);
        cs_claim_remove(record.path);
    }
    cs_folder_record_fini(&record);
    return err;
}
