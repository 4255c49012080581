/* leveldb_fuzz.c - a log, a manifest and a table of any bytes: looked at without harm, and the
 * same answer comes twice. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/leveldb_files.h"
#include "support/feed.h"
#include "support/support.h"

#define BLOCK_BYTES 32768u /* of a log: what is before the last one is not looked at */

static tmp_t tmp;
static int dir_fd = -1;

static void clean_up(void)
{
    close(dir_fd);
    tmp_remove(&tmp);
}

static void open_dir(void)
{
    if (dir_fd >= 0) return;
    tmp = tmp_new();
    dir_fd = open(tmp.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(dir_fd >= 0);
    atexit(clean_up);
}

static void put_file(const char *name, cs_slice_t bytes, off_t at)
{
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(fd >= 0);
    require(pwrite(fd, bytes.data, bytes.len, at) == (ssize_t)bytes.len);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"000003.log", "MANIFEST-000002", "000005.ldb",
                                        "000004.sst", "CURRENT"};
    open_dir();
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    uint8_t which = cs_read_u8(&feed);
    const char *name = names[which % CS_COUNT_OF(names)];
    cs_slice_t bytes = cs_read_bytes(&feed, cs_reader_left(&feed));
    cs_buf_t reason = {0}, again = {0};
    put_file(name, bytes, (which & 0x80) != 0 ? (off_t)BLOCK_BYTES : 0);
    cs_err_t err = cs_leveldb_files_check(dir_fd, &reason);
    require((err == CS_OK) == (reason.len == 0));
    require(cs_leveldb_files_check(dir_fd, &again) == err);
    require(cs_slice_eq(cs_buf_slice(&reason), cs_buf_slice(&again)));
    require(unlinkat(dir_fd, name, 0) == 0);
    cs_buf_fini(&reason);
    cs_buf_fini(&again);
    return 0;
}
