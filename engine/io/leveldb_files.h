/* leveldb_files.h - damage to a closed database's files that LevelDB itself does not report. */
#ifndef CS_IO_LEVELDB_FILES_H
#define CS_IO_LEVELDB_FILES_H

#include "base/buf.h"

/* Looks at the files of the closed database in `dir_fd` without changing them. An empty
 * directory, and one whose creation was cut short, are fine. CS_ERR_CORRUPT, with the reason as
 * one clause in `ret_reason`:
 *   - CURRENT is missing although there are tables or logs (LevelDB would begin an empty
 * database);
 *   - there is no log although the database was in use (its last writes are gone);
 *   - the last block of a log or manifest holds a whole record whose length was damaged
 * (LevelDB takes it for a torn tail, and drops it and all that follow);
 *   - a table's footer points outside the table (LevelDB would allocate what it says). */
CS_MUST_USE cs_err_t cs_leveldb_files_check(int dir_fd, cs_buf_t *ret_reason);
bool cs__leveldb_is_table(const char *name); /* or a path that ends with one */

#endif
