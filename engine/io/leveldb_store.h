/* leveldb_store.h - the store of base/store.h on LevelDB, and what to do when its files are
 * damaged.
 *
 * LevelDB alone overlooks some damage: a database without CURRENT is made anew over the old
 * tables, a log record with a damaged length ends the log without a word, and a damaged table
 * footer ends the process. cs_leveldb_open looks for these first (leveldb_files.h). Everything
 * else is found by checksums, at open or when the rows are read: never by missing rows alone.
 *
 * After a failed write, and after a read that found damage or a failing disk, the store refuses
 * every later write with the same error until it is closed and opened again: LevelDB would
 * append after the torn record, and the log behind it be lost. */
#ifndef CS_IO_LEVELDB_STORE_H
#define CS_IO_LEVELDB_STORE_H

#include "base/store.h"

CS_HEADER_BEGIN

/* Opens the database directory `path`, and makes it if it does not exist (its parent must).
 * CS_ERR_BUSY: open already, here or in another process. CS_ERR_CORRUPT: see quarantine.
 * Other errors as the file system gives them.
 * ret_detail: on failure "what failed: why; what to do" (cleared first), else untouched. */
CS_MUST_USE cs_err_t cs_leveldb_open(const char *path, cs_store_t **ret_store,
                                     cs_buf_t *ret_detail);

/* CS_OK, or why it refuses writes; from any thread. */
cs_err_t cs_leveldb_err(const cs_store_t *store);

/* Moves the directory of a closed database aside, to `path`.bad-1 or the next free number, so
 * that a new one can be made; deletes nothing. ret_detail: on success the new path, on failure
 * as above. CS_ERR_BUSY: it is open here. */
CS_MUST_USE cs_err_t cs_leveldb_quarantine(const char *path, cs_buf_t *ret_detail);

/* For a program that lets all tables of a database stay open, which makes look-ups among many
 * rows four times as fast (leveldb_mapped.h says why it needs this): it defines
 *
 *     int munmap(void *addr, size_t len) { return cs_leveldb_munmap(addr, len); }
 *
 * and says so at its start, before a database is open and there are threads. Not said, or where
 * its libraries find another munmap, few tables stay open. The call does what munmap(2) does,
 * and waits while memory of tables is given back; it may come from any thread, but from no
 * handler of signals. */
int cs_leveldb_munmap(void *addr, size_t len);
void cs_leveldb_use_munmap(int (*program)(void *addr, size_t len));

CS_HEADER_END

#endif
