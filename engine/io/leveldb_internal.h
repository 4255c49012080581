/* leveldb_internal.h - what opening and using a LevelDB store share. */
#ifndef CS_IO_LEVELDB_INTERNAL_H
#define CS_IO_LEVELDB_INTERNAL_H

#include <leveldb/c.h>
#include <sys/types.h>

#include "io/leveldb_store.h"

typedef struct cs_ldb {
    cs_store_t base;
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *bloom;
    leveldb_readoptions_t *read_options; /* of the newest state */
    leveldb_writeoptions_t *sync_options, *async_options;
    _Atomic cs_err_t err; /* the first that makes the store of no use; any thread */
    dev_t dev;
    ino_t ino;           /* with dev: identifies the directory */
    struct cs_ldb *next; /* in open_stores */
} cs_ldb_t;

extern const cs_store_ops_t cs__ldb_ops;

/* LevelDB's message as our error. */
cs_err_t cs__ldb_translate(const char *text);

/* snapshot may be NULL. */
leveldb_readoptions_t *cs__ldb_read_options_new(const leveldb_snapshot_t *snapshot);

void cs__ldb_close(cs_store_t **store_p);

#endif
