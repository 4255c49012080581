/* places.h - where homes and folders lie, and which of them lies in which. */
#ifndef CS_IO_PLACES_H
#define CS_IO_PLACES_H

#include "base/buf.h"
#include "base/path.h"

#define CS_FOLDER_MARKER CS_PRIVATE_DIR "/id" /* below a folder's root */

/* Links resolved as far as the path exists; the rest as it is. Owned; NULL: errno. */
char *cs_real_path(const char *path);
/* `path` is `dir` or below it; both absolute, without a '/' at the end. */
bool cs_is_in(const char *path, const char *dir);
bool cs_has_entry(const char *dir, const char *name);

/* A home must not lie in a folder, of whatever node: its secret key would be sent to others,
 * and each scan would find that the database has changed. CS_ERR_EXISTS with a text that names
 * both. */
CS_MUST_USE cs_err_t cs_check_home_place(const char *home, cs_buf_t *ret_detail);

#endif
