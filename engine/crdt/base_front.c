/* base_front.c - the part of a base row that a scan looks at for every file there is. */
#include "base/seal.h"
#include "crdt/replica.h"

cs_err_t cs_base_peek(cs_slice_t value, cs_base_front_t *ret)
{
    cs_slice_t payload;
    cs_err_t err = cs_seal_check(value, &payload);
    if (err != CS_OK) return err;
    cs_reader_t reader = cs_reader(payload);
    cs_base_front_t front = {0};
    front.print.dev = cs_read_u64(&reader);
    front.print.ino = cs_read_u64(&reader);
    front.print.btime_ns = (int64_t)cs_read_u64(&reader);
    front.print.mtime_ns = (int64_t)cs_read_u64(&reader);
    front.print.ctime_ns = (int64_t)cs_read_u64(&reader);
    front.print.size = cs_read_u64(&reader);
    cs_content_decode(&reader, &front.content);
    front.mode = cs_read_u16(&reader); /* attr begins with it */
    if (reader.err != CS_OK || front.mode > CS_MODE_MAX) return CS_ERR_CORRUPT;
    *ret = front;
    return CS_OK;
}

void cs_base_key(uint32_t folder, cs_slice_t path, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, folder);
    cs_buf_put_slice(ret, cs_slice_text("b/"));
    cs_buf_put_slice(ret, path);
}
