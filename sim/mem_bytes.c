/* mem_bytes.c - what is in a file. Space is taken by all bytes up to the last one written, gaps
 * included; a tail that truncate added takes none. */
#include <string.h>

#include "base/mem.h"
#include "sim/mem_fs_i.h"

void cs__mem_bytes_unref(cs__bytes_t **bytes_p)
{
    cs__bytes_t *bytes = *bytes_p;
    *bytes_p = NULL;
    if (bytes != NULL && --bytes->refs == 0) cs_free(bytes);
}

/* Makes the inode the sole owner of a buffer that holds `need` bytes. */
static void own(cs__inode_t *inode, uint64_t need)
{
    cs__bytes_t *old = inode->bytes;
    if (old != NULL && old->refs == 1 && old->cap >= need) return;
    size_t cap =
        old == NULL || old->cap >= need ? (size_t)need : cs_grow(old->cap, (size_t)need);
    cs__bytes_t *bytes = cs_malloc(sizeof *bytes + cap);
    *bytes = (cs__bytes_t){.refs = 1, .cap = cap};
    if (old != NULL) memcpy(bytes->data, old->data, (size_t)inode->filled);
    cs__mem_bytes_unref(&inode->bytes);
    inode->bytes = bytes;
}

void cs__mem_put(cs__inode_t *inode, uint64_t offset, const void *data, size_t len)
{
    if (len == 0) return;
    uint64_t end = offset + len;
    own(inode, end > inode->filled ? end : inode->filled);
    if (offset > inode->filled) {
        memset(inode->bytes->data + inode->filled, 0, (size_t)(offset - inode->filled));
    }
    memcpy(inode->bytes->data + offset, data, len);
    if (end > inode->filled) inode->filled = end;
    if (end > inode->size) inode->size = end;
}

void cs__mem_cut(cs__inode_t *inode, uint64_t size, uint64_t filled)
{
    CS_ASSERT(filled <= inode->filled);
    CS_ASSERT(filled <= size);
    inode->filled = filled;
    inode->size = size;
    if (filled == 0) cs__mem_bytes_unref(&inode->bytes);
}

size_t cs__mem_read(const cs__inode_t *inode, uint64_t offset, void *data, size_t len)
{
    if (offset >= inode->size) return 0;
    if (len > inode->size - offset) len = (size_t)(inode->size - offset);
    size_t there = 0;
    if (offset < inode->filled) {
        uint64_t left = inode->filled - offset;
        there = left < len ? (size_t)left : len;
        memcpy(data, inode->bytes->data + offset, there);
    }
    if (there < len) memset((uint8_t *)data + there, 0, len - there);
    return len;
}

/* How many of the bytes fit. */
static size_t fitting(const cs_mem_volume_t *volume, const cs__inode_t *inode, uint64_t offset,
                      size_t len)
{
    if (offset > CS__MEM_FILE_BYTES_MAX) return 0;
    uint64_t capacity = volume->config.capacity;
    uint64_t room = capacity > volume->used_bytes ? capacity - volume->used_bytes : 0;
    uint64_t end = inode->filled + room;
    if (end > CS__MEM_FILE_BYTES_MAX) end = CS__MEM_FILE_BYTES_MAX;
    if (offset >= end) return 0;
    return len < end - offset ? len : (size_t)(end - offset);
}

cs_err_t cs__mem_write(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                       const void *data, size_t len)
{
    if (len == 0) return CS_OK;
    size_t fits = fitting(volume, inode, offset, len);
    if (fits > 0) {
        cs__mem_begin(volume);
        cs__mem_note_write(volume, inode, offset, fits);
        uint64_t before = inode->filled;
        cs__mem_put(inode, offset, data, fits);
        volume->used_bytes += inode->filled - before;
        inode->attrs.mtime_ns = inode->attrs.ctime_ns = volume->now_ns;
    }
    return fits == len ? CS_OK : CS_ERR_NOSPACE;
}

cs_err_t cs__mem_poke(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                      const void *data, size_t len)
{
    if (offset > inode->size || len > inode->size - offset) return CS_ERR_IO;
    cs__attrs_t attrs = inode->attrs;
    cs_err_t err = cs__mem_write(volume, inode, offset, data, len);
    if (err != CS_OK) return CS_ERR_IO; /* a hole that cannot be filled: SIGBUS as well */
    if (inode->poked == volume->flushes) inode->attrs = attrs; /* the page was dirty already */
    inode->poked = volume->flushes;
    return CS_OK;
}

cs_err_t cs__mem_truncate(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t size)
{
    if (size > CS__MEM_FILE_BYTES_MAX) return CS_ERR_NOSPACE;
    cs__mem_begin(volume);
    cs__mem_note_truncate(volume, inode, size);
    uint64_t filled = size < inode->filled ? size : inode->filled;
    volume->used_bytes -= inode->filled - filled;
    cs__mem_cut(inode, size, filled);
    inode->attrs.mtime_ns = inode->attrs.ctime_ns = volume->now_ns;
    return CS_OK;
}

void cs__mem_set_meta(cs_mem_volume_t *volume, cs__inode_t *inode, const uint16_t *mode,
                      const int64_t *mtime_ns)
{
    cs__mem_begin(volume);
    cs__mem_note_attrs(volume, inode);
    if (mode != NULL && !volume->config.no_modes) inode->attrs.mode = *mode & 0777;
    if (mtime_ns != NULL) inode->attrs.mtime_ns = cs__mem_time(volume, *mtime_ns);
    inode->attrs.ctime_ns = volume->now_ns;
}
