/* user_files.h - what a user's programs do with files: nothing that loses bytes unseen. */
#ifndef CS_TESTS_USER_FILES_H
#define CS_TESTS_USER_FILES_H

#include <sys/types.h>

#include "support/oracle.h"

#define FILE_PATH_BYTES 1024

typedef struct file_list {
    char **at; /* full paths of files and links */
    size_t count, cap;
} file_list_t;

/* Replaces the list by what is below `root` now, without the private directory. Longer paths
 * than FILE_PATH_BYTES are left out. */
void file_list(const char *root, file_list_t *ret);
void file_list_fini(file_list_t *list);

/* Directories above `path` that are missing below `root`; it may fail, as it may in life. */
void file_make_parents(const char *path, const char *root);

/* renameat2 with NOREPLACE, with EXCHANGE. */
bool file_move(const char *from, const char *to);
bool file_exchange(const char *a, const char *b);

/* The whole file, from the heap. */
char *file_read(int fd, size_t *ret_len);
void file_write(int fd, const char *bytes, size_t len, size_t offset);
/* A new file with this string; false if the name exists or its directory does not. */
bool file_create(oracle_t *oracle, uint32_t number, const char *path);
/* Is the open file the one that this path names? */
bool file_is_at(int fd, const char *path);
/* Of a file; never of what a link points to. */
bool file_chmod(const char *path, mode_t mode);

#endif
