/* mem_store.h - the store of base/store.h in memory, with the failures of a real one.
 *
 * A disk outlives the stores opened on it, as files do. It remembers the last durable state and
 * each unsynced batch since: a crash keeps a prefix of those. One thread, snapshots included:
 * the simulator interleaves coroutines, not threads. */
#ifndef CS_SIM_MEM_STORE_H
#define CS_SIM_MEM_STORE_H

#include "base/store.h"

typedef struct cs_mem_disk cs_mem_disk_t;

cs_mem_disk_t *cs_mem_disk_new(void);
/* No store may be open on it. */
void cs_mem_disk_destroy(cs_mem_disk_t **disk_p);

/* CS_ERR_BUSY: a store is open on it already. */
CS_MUST_USE cs_err_t cs_mem_store_open(cs_mem_disk_t *disk, cs_store_t **ret_store);

/* An empty store with a disk of its own, which ends with it. */
cs_store_t *cs_mem_store_new(void);

/* Power failure: synced batches stay (with all before them), and of the unsynced ones after
 * them as many, oldest first, as `random` says, which may be any number. An open store refuses
 * to write from now on (CS_ERR_IO); close it and open again. */
void cs_mem_disk_crash(cs_mem_disk_t *disk, uint64_t random);

/* A backup: a new disk with the durable state of this one. */
cs_mem_disk_t *cs_mem_disk_copy(const cs_mem_disk_t *disk);

/* Damage that no checksum tells: all rows whose keys begin with `prefix` are gone. Snapshots
 * and iterators taken before still see them. */
void cs_mem_disk_lose_prefix(cs_mem_disk_t *disk, cs_slice_t prefix);

/* After `count` more batches every write fails with `err`, until the store is closed. */
void cs_mem_disk_fail_writes(cs_mem_disk_t *disk, uint32_t count, cs_err_t err);

#endif
