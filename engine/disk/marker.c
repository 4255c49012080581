/* marker.c - .crdtsync/id: whether the folder at the root's path is the one we mean. */
#include <string.h>

#include "base/digest.h"
#include "base/path.h"
#include "disk/apply_run.h"
#include "disk/scan.h"

#define MARKER_BYTES 16u
#define ID_PATH      CS_PRIVATE_DIR "/id"
#define NEW_PATH     CS_TMP_DIR "/id"

static cs_err_t make_dir(cs_fs_t *fs, const char *path)
{
    cs_err_t err = fs->ops->mkdir(fs, cs_slice_text(path));
    return err == CS_ERR_EXISTS ? CS_OK : err;
}

static cs_err_t make_rooms(cs_fs_t *fs)
{
    cs_err_t err = make_dir(fs, CS_TMP_DIR);
    return err == CS_OK ? make_dir(fs, CS_TRASH_DIR) : err;
}

cs_err_t cs_folder_check(cs_fs_t *fs, const uint8_t marker[16])
{
    cs_file_t *file = NULL;
    char text[2 * MARKER_BYTES];
    uint8_t found[MARKER_BYTES];
    size_t len = 0;
    cs_err_t err = fs->ops->refresh(fs);
    if (err == CS_OK) err = fs->ops->open_read(fs, cs_slice_text(ID_PATH), &file);
    if (err == CS_ERR_IO || err == CS_ERR_DENIED) return err; /* perhaps it is the right one */
    if (err != CS_OK) return CS_ERR_NOT_MOUNTED;
    err = fs->ops->read(file, 0, text, sizeof text, &len);
    fs->ops->close(&file);
    if (err != CS_OK) return err;
    if (len != sizeof text) return CS_ERR_NOT_MOUNTED;
    if (!cs_unhex(found, sizeof found, cs_slice(text, len))) return CS_ERR_NOT_MOUNTED;
    if (memcmp(found, marker, sizeof found) != 0) return CS_ERR_NOT_MOUNTED;
    /* Someone may have cleared them away. Where they cannot be made nothing can be applied
     * either, which will be said there: reading goes on. */
    err = make_rooms(fs);
    (void)err;
    return CS_OK;
}

static cs_err_t write_new(cs_fs_t *fs, const uint8_t *marker)
{
    char text[2 * MARKER_BYTES + 1];
    cs_file_t *file = NULL;
    cs_hex(text, marker, MARKER_BYTES);
    text[sizeof text - 1] = '\n';
    cs_err_t err = fs->ops->unlink(fs, cs_slice_text(NEW_PATH)); /* left by a crash */
    if (err != CS_OK && err != CS_ERR_NOT_FOUND) return err;
    err = fs->ops->create(fs, cs_slice_text(NEW_PATH), &file);
    if (err != CS_OK) return err;
    err = fs->ops->write(file, 0, text, sizeof text);
    fs->ops->close(&file);
    return err;
}

cs_err_t cs_folder_mark(cs_fs_t *fs, const uint8_t marker[16])
{
    cs_err_t err = fs->ops->refresh(fs);
    if (err == CS_OK) err = make_dir(fs, CS_PRIVATE_DIR);
    if (err == CS_OK) err = make_rooms(fs);
    if (err == CS_OK) err = write_new(fs, marker);
    if (err != CS_OK) return err;
    err =
        fs->ops->rename(fs, cs_slice_text(NEW_PATH), cs_slice_text(ID_PATH), CS_RENAME_REPLACE);
    return err == CS_OK ? fs->ops->sync(fs, NULL, 0) : err;
}

/* Failing is no harm: what is left is named when the path is to be a folder again. */
void cs_folder_unmark(cs_fs_t *fs, const uint8_t marker[16])
{
    cs_listing_t listing = {0};
    if (cs_folder_check(fs, marker) != CS_OK) return;
    if (fs->ops->unlink(fs, cs_slice_text(ID_PATH)) != CS_OK) return;
    if (fs->ops->list(fs, cs_slice_text(CS_TMP_DIR), &listing) == CS_OK) {
        for (size_t i = 0; i < listing.len; i++) {
            cs_buf_t path = {0};
            cs_buf_printf(&path, CS_TMP_DIR "/%s", listing.item[i].name->data);
            (void)fs->ops->unlink(fs, cs_buf_slice(&path));
            cs_buf_fini(&path);
        }
        cs_listing_fini(&listing);
    }
    (void)fs->ops->rmdir(fs, cs_slice_text(CS_TMP_DIR));
    (void)fs->ops->rmdir(fs, cs_slice_text(CS_TRASH_DIR)); /* unless something is in it */
    (void)fs->ops->rmdir(fs, cs_slice_text(CS_PRIVATE_DIR));
}
