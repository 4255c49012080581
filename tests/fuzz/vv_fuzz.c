/* vv_fuzz.c - bytes from outside as a version vector: refused, or what encodes to them. */
#include "crdt/vv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_vv_t vv = {0}, merged = {0};
    cs_reader_t reader = cs_reader(cs_slice(data, size));
    cs_vv_decode(&reader, &vv);
    if (reader.err == CS_OK) {
        cs_buf_t again = {0};
        cs_vv_encode(&vv, &again);
        CS_ASSERT(cs_slice_eq(cs_buf_slice(&again), cs_slice(data, again.len)));
        CS_ASSERT(again.len + cs_reader_left(&reader) == size);
        cs_buf_fini(&again);

        cs_err_t err = cs_vv_merge(&merged, &vv);
        CS_ASSERT(err == CS_OK);
        CS_ASSERT(cs_vv_eq(&merged, &vv) && cs_vv_covers(&vv, &merged));
    } else {
        CS_ASSERT(vv.len == 0);
    }
    cs_vv_fini(&vv);
    cs_vv_fini(&merged);
    return 0;
}
