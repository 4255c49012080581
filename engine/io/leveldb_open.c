/* leveldb_open.c - opening, closing, and moving aside. */
#include "io/leveldb_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/leveldb_files.h"
#include "io/leveldb_internal.h"
#include "io/leveldb_mapped.h"
#include "io/os_err.h"

#define BLOOM_BITS         10
#define CACHE_BYTES        (8u << 20)
#define WRITE_BUFFER_BYTES (4u << 20)
#define OPEN_FILES_MAX     1010 /* LevelDB maps 1,000 tables, and keeps 10 for itself */
#define OPEN_FILES_FEW     74   /* where what was read of one counts until it is closed */
#define TABLE_BYTES_MAX    (1u << 20)
#define QUARANTINE_MAX     1000u /* more damaged copies than that have another cause */

/* A second open in one process would drop the first one's file lock (POSIX: closing any
 * descriptor of a file drops the locks on it), so it must not get as far as LevelDB. */
static pthread_mutex_t open_mutex = PTHREAD_MUTEX_INITIALIZER;
static cs_ldb_t *open_stores;

static const char *remedy(cs_err_t err)
{
    if (err == CS_ERR_BUSY) return "stop the process that has it open";
    if (err == CS_ERR_CORRUPT) return "it is to be moved aside and rebuilt from the files";
    if (err == CS_ERR_NOSPACE) return "make room on the file system";
    if (err == CS_ERR_READ_ONLY) return "remount the file system for writing";
    if (err == CS_ERR_DENIED) return "check the owner and mode of its files";
    return "check the disk and the directory above";
}

static cs_err_t open_failed(cs_buf_t *ret_detail, const char *path, cs_err_t err,
                            const char *why)
{
    cs_buf_clear(ret_detail);
    cs_buf_printf(ret_detail, "cannot open the database %s: %s; %s", path, why, remedy(err));
    return err;
}

/* The open store of the directory, or NULL; with open_mutex held. */
static cs_ldb_t *find_open(const struct stat *st)
{
    for (cs_ldb_t *ldb = open_stores; ldb != NULL; ldb = ldb->next) {
        if (ldb->dev == st->st_dev && ldb->ino == st->st_ino) return ldb;
    }
    return NULL;
}

/* Checks the files while holding LevelDB's own lock: another process may be writing them. */
static cs_err_t check_files(int dir_fd, cs_buf_t *ret_reason)
{
    int lock_fd = openat(dir_fd, "LOCK", O_RDWR | O_CLOEXEC);
    if (lock_fd >= 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(lock_fd, F_SETLK, &lock) != 0) {
            close(lock_fd);
            cs_buf_printf(ret_reason, "another process has it open");
            return CS_ERR_BUSY;
        }
    }
    cs_err_t err = cs_leveldb_files_check(dir_fd, ret_reason);
    if (lock_fd >= 0) close(lock_fd);
    return err;
}

static void ldb_free(cs_ldb_t *ldb)
{
    if (ldb->db != NULL) leveldb_close(ldb->db);
    leveldb_options_destroy(ldb->options);
    leveldb_cache_destroy(ldb->cache);
    leveldb_filterpolicy_destroy(ldb->bloom);
    leveldb_readoptions_destroy(ldb->read_options);
    leveldb_writeoptions_destroy(ldb->sync_options);
    leveldb_writeoptions_destroy(ldb->async_options);
    pthread_mutex_destroy(&ldb->moments_lock);
    cs_free(ldb);
}

static cs_ldb_t *ldb_new(const struct stat *st)
{
    cs_ldb_t *ldb = cs_calloc(1, sizeof *ldb);
    ldb->base.ops = &cs__ldb_ops;
    (void)pthread_mutex_init(&ldb->moments_lock, NULL);
    ldb->dev = st->st_dev;
    ldb->ino = st->st_ino;
    ldb->cache = leveldb_cache_create_lru(CACHE_BYTES);
    ldb->bloom = leveldb_filterpolicy_create_bloom(BLOOM_BITS);
    ldb->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(ldb->options, 1);
    leveldb_options_set_paranoid_checks(ldb->options, 1);
    leveldb_options_set_compression(ldb->options, leveldb_no_compression); /* rows are hashes */
    leveldb_options_set_cache(ldb->options, ldb->cache);
    leveldb_options_set_filter_policy(ldb->options, ldb->bloom);
    leveldb_options_set_write_buffer_size(ldb->options, WRITE_BUFFER_BYTES);
    leveldb_options_set_max_open_files(
        ldb->options, cs__ldb_mapped_is_bounded() ? OPEN_FILES_MAX : OPEN_FILES_FEW);
    leveldb_options_set_max_file_size(ldb->options, TABLE_BYTES_MAX);
    ldb->read_options = cs__ldb_read_options_new(NULL);
    ldb->sync_options = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(ldb->sync_options, 1);
    ldb->async_options = leveldb_writeoptions_create();
    return ldb;
}

/* With open_mutex held, for an existing directory. */
static cs_err_t open_dir(const char *path, int dir_fd, cs_store_t **ret_store,
                         cs_buf_t *ret_detail)
{
    struct stat st;
    if (fstat(dir_fd, &st) != 0) {
        return open_failed(ret_detail, path, cs_os_err(errno), strerror(errno));
    }
    if (find_open(&st) != NULL) {
        return open_failed(ret_detail, path, CS_ERR_BUSY, "this process has it open already");
    }

    cs_buf_t reason = {0};
    cs_err_t err = check_files(dir_fd, &reason);
    if (err != CS_OK) {
        cs_buf_put_u8(&reason, '\0');
        open_failed(ret_detail, path, err, (const char *)reason.data);
    }
    cs_buf_fini(&reason);
    if (err != CS_OK) return err;

    cs_ldb_t *ldb = ldb_new(&st);
    char *text = NULL;
    ldb->db = leveldb_open(ldb->options, path, &text);
    if (text != NULL) {
        err = open_failed(ret_detail, path, cs__ldb_translate(text), text);
        leveldb_free(text);
        ldb_free(ldb);
        return err;
    }
    ldb->next = open_stores;
    open_stores = ldb;
    *ret_store = &ldb->base;
    return CS_OK;
}

cs_err_t cs_leveldb_open(const char *path, cs_store_t **ret_store, cs_buf_t *ret_detail)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST) {
        return open_failed(ret_detail, path, cs_os_err(errno), strerror(errno));
    }
    cs_err_t err = made ? cs_file_sync_parent(path, ret_detail) : CS_OK;
    if (err != CS_OK) return err;
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) return open_failed(ret_detail, path, cs_os_err(errno), strerror(errno));

    pthread_mutex_lock(&open_mutex);
    err = open_dir(path, dir_fd, ret_store, ret_detail);
    pthread_mutex_unlock(&open_mutex);
    close(dir_fd);
    return err;
}

static cs_err_t quarantine_failed(cs_buf_t *ret_detail, const char *path, cs_err_t err)
{
    cs_buf_clear(ret_detail);
    cs_buf_printf(ret_detail, "cannot move the database %s aside: %s; move it by hand", path,
                  cs_err_text(err));
    return err;
}

/* Renames to the first free number; `ret_aside` receives the name. */
static cs_err_t rename_aside(const char *path, cs_buf_t *ret_aside)
{
    for (unsigned number = 1; number <= QUARANTINE_MAX; number++) {
        cs_buf_clear(ret_aside);
        cs_buf_printf(ret_aside, "%s.bad-%u", path, number);
        cs_buf_put_u8(ret_aside, '\0');
        const char *aside = (const char *)ret_aside->data;
        struct stat st;
        if (lstat(aside, &st) == 0) continue; /* nobody makes it now: the home is locked */
        if (errno != ENOENT) return cs_os_err(errno);
        return rename(path, aside) == 0 ? CS_OK : cs_os_err(errno);
    }
    return CS_ERR_EXISTS;
}

cs_err_t cs_leveldb_quarantine(const char *path, cs_buf_t *ret_detail)
{
    struct stat st;
    if (stat(path, &st) != 0) return quarantine_failed(ret_detail, path, cs_os_err(errno));

    cs_buf_t aside = {0};
    pthread_mutex_lock(&open_mutex);
    cs_err_t err = find_open(&st) != NULL ? CS_ERR_BUSY : rename_aside(path, &aside);
    pthread_mutex_unlock(&open_mutex);
    if (err != CS_OK) {
        quarantine_failed(ret_detail, path, err);
    } else {
        err = cs_file_sync_parent(path, ret_detail);
    }
    if (err == CS_OK) {
        cs_buf_clear(ret_detail);
        cs_buf_put(ret_detail, aside.data, aside.len - 1);
    }
    cs_buf_fini(&aside);
    return err;
}

void cs__ldb_close(cs_store_t **store_p)
{
    cs_ldb_t *ldb = (cs_ldb_t *)*store_p;
    *store_p = NULL;
    if (ldb == NULL) return;
    pthread_mutex_lock(&open_mutex);
    cs_ldb_t **link = &open_stores;
    while (*link != ldb) {
        link = &(*link)->next;
    }
    *link = ldb->next;
    ldb_free(ldb);
    pthread_mutex_unlock(&open_mutex);
}
