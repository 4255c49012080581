/* trash_log.c - see trash_log.h. */
#include "disk/trash_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

#define MAGIC       "crdtsync trash 1\n"
#define GROUP_BYTES 8u

static void put_print(cs_buf_t *buf, const cs_print_t *print)
{
    cs_buf_put_u64(buf, print->dev);
    cs_buf_put_u64(buf, print->ino);
    cs_buf_put_u64(buf, (uint64_t)print->btime_ns);
    cs_buf_put_u64(buf, (uint64_t)print->mtime_ns);
    cs_buf_put_u64(buf, (uint64_t)print->ctime_ns);
    cs_buf_put_u64(buf, print->size);
}

static cs_print_t read_print(cs_reader_t *reader)
{
    cs_print_t print;
    print.dev = cs_read_u64(reader);
    print.ino = cs_read_u64(reader);
    print.btime_ns = (int64_t)cs_read_u64(reader);
    print.mtime_ns = (int64_t)cs_read_u64(reader);
    print.ctime_ns = (int64_t)cs_read_u64(reader);
    print.size = cs_read_u64(reader);
    return print;
}

static void put_path(cs_buf_t *buf, cs_slice_t path)
{
    cs_buf_put_varint(buf, path.len);
    cs_buf_put_slice(buf, path);
}

/* Files are moved to where a log says: a damaged one must not lead out of the folder. */
static cs_slice_t read_path(cs_reader_t *reader, bool may_lack)
{
    cs_slice_t path = cs_read_bytes(reader, (size_t)cs_read_count(reader, CS_PATH_MAX, 1));
    bool lacks = may_lack && path.len == 0;
    if (!lacks && cs_path_check(path) != CS_OK) cs_reader_fail(reader, CS_ERR_MALFORMED);
    return path;
}

void cs__trash_log_begin(cs_buf_t *log)
{
    cs_buf_clear(log);
    cs_buf_put(log, MAGIC, strlen(MAGIC));
}

void cs__trash_log_add(cs_buf_t *log, const cs_trash_record_t *record)
{
    cs_buf_put_varint(log, record->index);
    put_path(log, record->path);
    put_path(log, record->from);
    put_print(log, &record->expect);
    put_print(log, &record->staged);
}

void cs__trash_log_end(cs_buf_t *log)
{
    cs_seal_append(log, 0);
}

static cs_err_t decode_records(cs_trash_log_t *log, cs_slice_t payload)
{
    size_t cap = 0;
    cs_reader_t reader = cs_reader(payload);
    cs_read_bytes(&reader, strlen(MAGIC));
    while (cs_reader_left(&reader) > 0) {
        cs_trash_record_t record = {.index = (size_t)cs_read_varint(&reader)};
        record.path = read_path(&reader, false);
        record.from = read_path(&reader, true);
        record.expect = read_print(&reader);
        record.staged = read_print(&reader);
        if (log->len > 0 && record.index <= log->record[log->len - 1].index) {
            cs_reader_fail(&reader, CS_ERR_MALFORMED);
        }
        if (reader.err != CS_OK) return CS_ERR_CORRUPT;
        if (log->len == cap) {
            cap = cs_grow(cap, cap + 1);
            log->record = cs_realloc_array(log->record, cap, sizeof *log->record);
        }
        log->record[log->len++] = record;
    }
    return CS_OK;
}

cs_err_t cs__trash_log_decode(cs_trash_log_t *log)
{
    cs_slice_t payload;
    cs_err_t err = cs_seal_check(cs_buf_slice(&log->bytes), &payload);
    if (err != CS_OK) return err;
    if (!cs_slice_has_prefix(payload, cs_slice_text(MAGIC))) return CS_ERR_CORRUPT;
    err = decode_records(log, payload);
    if (err != CS_OK) log->len = 0;
    return err;
}

const cs_trash_record_t *cs__trash_log_find(const cs_trash_log_t *log, size_t index)
{
    size_t begin = 0, end = log->len;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (log->record[middle].index == index) return &log->record[middle];
        if (log->record[middle].index < index) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return NULL;
}

void cs__trash_log_read(cs_fs_t *fs, cs_slice_t group, cs_trash_log_t *ret)
{
    cs_buf_t path = {0};
    cs_buf_put_slice(&path, group);
    cs_buf_printf(&path, "/log");
    cs_file_t *file = NULL;
    cs_stat_t st = {0};
    cs_err_t err = fs->ops->open_read(fs, cs_buf_slice(&path), &file);
    if (err == CS_OK) err = file->ops->fstat(file, &st);
    if (err == CS_OK && st.print.size > CS_TRASH_LOG_BYTES_MAX) err = CS_ERR_CORRUPT;
    if (err == CS_OK) {
        cs_buf_reserve(&ret->bytes, (size_t)st.print.size);
        err = file->ops->read(file, 0, ret->bytes.data, (size_t)st.print.size, &ret->bytes.len);
    }
    if (err == CS_OK) err = cs__trash_log_decode(ret);
    if (err != CS_OK) cs__trash_log_fini(ret);
    if (file != NULL) fs->ops->close(&file);
    cs_buf_fini(&path);
}

void cs__trash_log_fini(cs_trash_log_t *log)
{
    cs_buf_fini(&log->bytes);
    cs_free(log->record);
    *log = (cs_trash_log_t){0};
}

void cs__trash_group_path(uint64_t number, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_printf(ret, "%s/%016llx", CS_TRASH_DIR, (unsigned long long)number);
}

uint64_t cs__trash_group_number(cs_slice_t name)
{
    uint8_t bytes[GROUP_BYTES];
    if (name.len != 2 * sizeof bytes || !cs_unhex(bytes, sizeof bytes, name)) return 0;
    cs_reader_t reader = cs_reader(cs_slice(bytes, sizeof bytes));
    return cs_read_u64_be(&reader);
}

cs_err_t cs__trash_last(cs_fs_t *fs, uint64_t *ret)
{
    cs_listing_t listing = {0};
    cs_err_t err = fs->ops->list(fs, cs_slice_text(CS_TRASH_DIR), &listing);
    if (err != CS_OK) return err;
    uint64_t last = 0;
    for (size_t i = 0; i < listing.len; i++) {
        uint64_t number = cs__trash_group_number(cs_slice_str(listing.item[i].name));
        if (number > last) last = number;
    }
    cs_listing_fini(&listing);
    *ret = last;
    return CS_OK;
}

static int compare_newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

cs_err_t cs__trash_groups(cs_fs_t *fs, uint64_t **ret, size_t *ret_len)
{
    cs_listing_t listing = {0};
    cs_err_t err = fs->ops->list(fs, cs_slice_text(CS_TRASH_DIR), &listing);
    if (err != CS_OK) return err;
    *ret = cs_calloc(listing.len, sizeof **ret);
    *ret_len = 0;
    for (size_t i = 0; i < listing.len; i++) {
        uint64_t number = cs__trash_group_number(cs_slice_str(listing.item[i].name));
        if (number != 0) (*ret)[(*ret_len)++] = number;
    }
    cs_listing_fini(&listing);
    qsort(*ret, *ret_len, sizeof **ret, compare_newest_first);
    return CS_OK;
}

bool cs__trash_read_name(const cs_str_t *name, size_t *ret_index, cs_trash_mark_t *ret_mark)
{
    size_t index = 0, i = 0;
    while (i < name->len && name->data[i] >= '0' && name->data[i] <= '9' &&
           index < CS_TRASH_LOG_BYTES_MAX) {
        index = index * 10 + (size_t)(name->data[i++] - '0');
    }
    *ret_index = index;
    char mark = CS_TRASH_OLD;
    if (i < name->len) mark = name->data[i];
    bool known = mark == CS_TRASH_OLD || mark == CS_TRASH_TAKEN || mark == CS_TRASH_USERS;
    *ret_mark = known ? (cs_trash_mark_t)mark : CS_TRASH_OLD;
    return i > 0 && known && i + (mark != CS_TRASH_OLD) == name->len;
}
