/* folder.h - temporary directories of real files. */
#ifndef CS_TESTS_FOLDER_H
#define CS_TESTS_FOLDER_H

#include "disk/fs.h"

/* A fresh directory under $TMPDIR or /tmp; the caller passes it to cs_test_dir_remove. */
char *cs_test_dir_new(void);
void cs_test_dir_remove(char **dir_p); /* with all that is in it */

/* path is relative to dir; missing parents are made. A failure stops the test. */
void cs_test_write(const char *dir, const char *path, const char *text);
void cs_test_mkdir(const char *dir, const char *path);
void cs_test_unlink(const char *dir, const char *path); /* a file or an empty directory */
void cs_test_rename(const char *dir, const char *from, const char *to);

#endif
