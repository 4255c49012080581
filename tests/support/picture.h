/* picture.h - the tree of a folder as text, for comparing and for showing. */
#ifndef CS_TESTS_PICTURE_H
#define CS_TESTS_PICTURE_H

#include "disk/fs.h"

/* "path mode bytes" lines of all that is there but .crdtsync; owned by the caller. */
char *tree_picture(cs_fs_t *fs);
/* One such line, of a file or a link. */
void tree_line(cs_fs_t *fs, const char *path, const cs_stat_t *st, cs_buf_t *ret);
/* The beginning of a file, as much as a picture shows, or the target of a link. */
cs_err_t tree_read(cs_fs_t *fs, cs_slice_t path, uint8_t kind, cs_buf_t *ret);

#endif
