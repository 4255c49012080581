/* trash_fuzz.c - the log of a trash group: refused, or records in order that say the same
 * again.
 */
#include <string.h>

#include "base/seal.h"
#include "disk/trash_log.h"
#include "support/feed.h"

static void check_group(cs_slice_t name)
{
    uint64_t number = cs__trash_group_number(name);
    if (number == 0) return;
    cs_buf_t path = {0};
    cs__trash_group_path(number, &path);
    require(path.len > name.len);
    cs_slice_t digits = cs_slice(path.data + path.len - name.len, name.len);
    require(cs__trash_group_number(digits) == number);
    cs_buf_fini(&path);
}

static void check_log(cs_trash_log_t *log)
{
    if (cs__trash_log_decode(log) != CS_OK) {
        require(log->len == 0);
        return;
    }
    cs_buf_t again = {0};
    cs__trash_log_begin(&again);
    for (size_t i = 0; i < log->len; i++) {
        require(cs__trash_log_find(log, log->record[i].index) == &log->record[i]);
        require(cs_path_check(log->record[i].path) == CS_OK);
        cs__trash_log_add(&again, &log->record[i]);
    }
    cs__trash_log_end(&again);
    require(cs_slice_eq(cs_buf_slice(&again), cs_buf_slice(&log->bytes)));
    cs_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_trash_log_t raw = {0}, sealed = {0};
    check_group(cs_slice(data, size));
    cs_buf_put(&raw.bytes, data, size);
    check_log(&raw);
    /* Records with the right frame: otherwise nothing would get past it. */
    cs__trash_log_begin(&sealed.bytes);
    cs_buf_put(&sealed.bytes, data, size);
    cs__trash_log_end(&sealed.bytes);
    check_log(&sealed);
    cs__trash_log_fini(&raw);
    cs__trash_log_fini(&sealed);
    return 0;
}
