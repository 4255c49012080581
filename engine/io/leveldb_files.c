/* leveldb_files.c - formats: LevelDB's doc/log_format.md and doc/table_format.md. */
#include "io/leveldb_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/os_err.h"

#define LOG_BLOCK_BYTES   32768u
#define LOG_HEADER_BYTES  7u /* crc u32, length u16, type u8 */
#define TABLE_FOOTER      48u
#define TABLE_HANDLES     40u /* two block handles of two varints each, padded */
#define BLOCK_TRAILER     5u  /* compression type, crc */
#define TABLE_MAGIC       0xdb4775248b80fb57ull
#define NAME_OF_FIRST     "MANIFEST-000001\n" /* written before the first log exists */
#define CRC32C_POLYNOMIAL 0x82f63b78u         /* reflected */

typedef struct cs_census {
    bool has_current, has_log, has_table;
} cs_census_t;

static uint32_t crc32c_step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ ((crc & 1u) != 0 ? CRC32C_POLYNOMIAL : 0);
    }
    return crc;
}

/* LevelDB stores checksums rotated, as data may contain checksums itself. */
static uint32_t crc32c_mask(uint32_t crc)
{
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);
    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

bool cs__leveldb_is_table(const char *name)
{
    return has_suffix(name, ".ldb") || has_suffix(name, ".sst");
}

static cs_err_t read_failed(cs_buf_t *ret_reason, const char *name)
{
    int error = errno;
    cs_buf_printf(ret_reason, "%s cannot be read: %s", name, strerror(error));
    return cs_os_err(error);
}

/* Reads `len` bytes at `offset`; fewer at the end of the file. -1 with errno on failure. */
static ssize_t read_at(int fd, uint8_t *ret, size_t len, off_t offset)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, ret + done, len - done, offset + (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

/* True if the record that claims more than the block's `len` bytes is complete with another
 * length: its checksum fits. A torn record's checksum covers bytes that never got here. */
static bool is_whole_record(const uint8_t *record, size_t len)
{
    cs_reader_t reader = cs_reader(cs_slice(record, LOG_HEADER_BYTES));
    uint32_t want = cs_read_u32(&reader);
    uint32_t crc = crc32c_step(UINT32_MAX, record[LOG_HEADER_BYTES - 1]);
    for (size_t i = LOG_HEADER_BYTES; i <= len; i++) {
        if (crc32c_mask(~crc) == want) return true;
        if (i < len) crc = crc32c_step(crc, record[i]);
    }
    return false;
}

/* Walks the records of a log's last, partial block. */
static bool is_tail_damaged(const uint8_t *block, size_t len)
{
    size_t at = 0;
    while (len - at >= LOG_HEADER_BYTES) {
        size_t claimed = (size_t)block[at + 4] | (size_t)block[at + 5] << 8;
        size_t next = at + LOG_HEADER_BYTES + claimed;
        if (next > LOG_BLOCK_BYTES) return true; /* no record crosses a block */
        if (next > len) return is_whole_record(block + at, len - at);
        at = next;
    }
    return false;
}

static cs_err_t check_log(int fd, off_t size, const char *name, cs_buf_t *ret_reason)
{
    uint8_t block[LOG_BLOCK_BYTES];
    off_t start = size - size % (off_t)sizeof block;
    ssize_t len = read_at(fd, block, sizeof block, start);
    if (len < 0) return read_failed(ret_reason, name);
    if (!is_tail_damaged(block, (size_t)len)) return CS_OK;
    cs_buf_printf(ret_reason, "%s has a record of damaged length", name);
    return CS_ERR_CORRUPT;
}

/* A footer without the magic is a table cut short: LevelDB reports it where it is in use, and a
 * crash leaves such files behind that are not. */
static cs_err_t check_table(int fd, off_t size, const char *name, cs_buf_t *ret_reason)
{
    uint8_t footer[TABLE_FOOTER];
    if (size < (off_t)sizeof footer) return CS_OK;
    ssize_t len = read_at(fd, footer, sizeof footer, size - (off_t)sizeof footer);
    if (len < 0) return read_failed(ret_reason, name);

    cs_reader_t tail =
        cs_reader(cs_slice(footer + TABLE_HANDLES, sizeof footer - TABLE_HANDLES));
    if (cs_read_u64(&tail) != TABLE_MAGIC) return CS_OK;

    cs_reader_t handles = cs_reader(cs_slice(footer, TABLE_HANDLES));
    uint64_t limit = (uint64_t)size, at[4];
    bool sane = true;
    for (size_t i = 0; i < CS_COUNT_OF(at); i++) {
        at[i] = cs_read_varint(&handles);
        sane = sane && at[i] < limit; /* so that the sums below cannot overflow */
    }
    /* The metaindex, the index and the footer follow one another at the end of the file. */
    sane = sane && handles.err == CS_OK && at[0] + at[1] + BLOCK_TRAILER == at[2] &&
           at[2] + at[3] + BLOCK_TRAILER + TABLE_FOOTER == limit;
    if (sane) return CS_OK;
    cs_buf_printf(ret_reason, "%s has a damaged footer", name);
    return CS_ERR_CORRUPT;
}

static cs_err_t check_file(int dir_fd, const char *name, cs_buf_t *ret_reason)
{
    bool table = cs__leveldb_is_table(name);
    if (!table && !has_suffix(name, ".log") && strncmp(name, "MANIFEST-", 9) != 0) return CS_OK;

    int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return read_failed(ret_reason, name);
    cs_err_t err = CS_OK;
    struct stat st;
    if (fstat(fd, &st) != 0) {
        err = read_failed(ret_reason, name);
    } else if (table) {
        err = check_table(fd, st.st_size, name, ret_reason);
    } else {
        err = check_log(fd, st.st_size, name, ret_reason);
    }
    close(fd);
    return err;
}

/* True if CURRENT names the manifest that is written before anything else. */
static bool is_newborn(int dir_fd)
{
    char text[sizeof NAME_OF_FIRST];
    int fd = openat(dir_fd, "CURRENT", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t len = read_at(fd, (uint8_t *)text, sizeof text, 0);
    close(fd);
    return len == (ssize_t)(sizeof text - 1) && memcmp(text, NAME_OF_FIRST, (size_t)len) == 0;
}

static cs_err_t check_census(int dir_fd, const cs_census_t *census, cs_buf_t *ret_reason)
{
    if (!census->has_current && (census->has_log || census->has_table)) {
        cs_buf_printf(ret_reason, "CURRENT is missing");
        return CS_ERR_CORRUPT;
    }
    if (census->has_current && !census->has_log && !is_newborn(dir_fd)) {
        cs_buf_printf(ret_reason, "the log is missing");
        return CS_ERR_CORRUPT;
    }
    return CS_OK;
}

cs_err_t cs_leveldb_files_check(int dir_fd, cs_buf_t *ret_reason)
{
    int list_fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list_fd < 0) return read_failed(ret_reason, "the directory");
    DIR *dir = fdopendir(list_fd);
    if (dir == NULL) {
        close(list_fd);
        return read_failed(ret_reason, "the directory");
    }

    cs_census_t census = {0};
    cs_err_t err = CS_OK;
    struct dirent *entry;
    while (err == CS_OK && (entry = readdir(dir)) != NULL) {
        census.has_current = census.has_current || strcmp(entry->d_name, "CURRENT") == 0;
        census.has_log = census.has_log || has_suffix(entry->d_name, ".log");
        census.has_table = census.has_table || cs__leveldb_is_table(entry->d_name);
        err = check_file(dir_fd, entry->d_name, ret_reason);
    }
    closedir(dir);
    return err != CS_OK ? err : check_census(dir_fd, &census, ret_reason);
}
