/* leveldb_mapped.h - how much of the process's memory the tables of a database take.
 *
 * LevelDB maps its tables, and a page that was read stays in VmRSS until its table is closed. A
 * few open tables would bound that, but then nearly each row of a large database costs an
 * opening (half a millisecond for an entry of a million, measured). So all tables may be open,
 * and when more bytes of files than cs__ldb_mapped_max() are in the process's memory, the pages
 * of tables are given back: they stay in the system's cache, and reading one again costs a
 * minor fault.
 *
 * What is given back is found in /proc/self/maps. Another thread must not close a table and get
 * other memory at its place in between, so munmap has to wait, and be the program's
 * (leveldb_store.h). Where it is not, few tables are open, and nothing is given back. */
#ifndef CS_IO_LEVELDB_MAPPED_H
#define CS_IO_LEVELDB_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

/* Resident pages of the process: a node that needs little itself may keep more of its tables.
 * Until somebody reads again, compaction may add 26 MiB, so that 128 MiB are kept. */
#define CS_LDB_RESIDENT_BYTES (84u << 20)
/* But so many of files at least, programs and libraries (12 MiB) included. */
#define CS_LDB_MAPPED_BYTES (40u << 20)

size_t cs__ldb_mapped_max(size_t own); /* own: bytes in memory that are of no file */

/* What a read adds to the count of its thread; after 512 it looks at memory. A look-up anywhere
 * may bring in 64 KiB at each of a few places (the system faults pages in around), a step to
 * the next row its own bytes. */
#define CS_LDB_LOOK_UP 8u
#define CS_LDB_STEP    1u

/* After reading. Any thread. */
void cs__ldb_mapped_read(unsigned weight);

bool cs__ldb_mapped_is_bounded(void); /* munmap waits */

/* Gives back all pages of tables that are mapped. Returns how many tables gave theirs. */
size_t cs__ldb_mapped_trim(void);

#endif
