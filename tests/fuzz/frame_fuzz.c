/* frame_fuzz.c - any bytes are decoded or refused; what was decoded encodes to a fixed point.
 */
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_lists(const cs_msg_t *msg)
{
    cs_slice_t rest = msg->payload, bytes;
    const uint8_t *name;
    while (cs_chunk_next(&rest, &name, &bytes))
        CS_ASSERT(bytes.len <= CS_CHUNK_MAX);
    CS_ASSERT(rest.len == 0);
    if (msg->type != CS_MSG_PUSH) return;
    uint32_t count = 0;
    rest = msg->u.push.packed;
    while (cs_packed_next(&rest, &bytes))
        count++;
    CS_ASSERT(count == msg->u.push.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t payload = 0; /* of CHUNK, all behind the header */
    if (size > CS_FRAME_HEADER_BYTES && data[1] == CS_MSG_CHUNK)
        payload = size - CS_FRAME_HEADER_BYTES;
    cs_slice_t header = cs_slice(data, size - payload);
    cs_msg_t msg = {0}, again = {0};
    if (cs_msg_decode(&msg, header, cs_slice(data + size - payload, payload)) != CS_OK) {
        cs_msg_fini(&msg);
        return 0;
    }
    read_lists(&msg);
    cs_buf_t first = {0}, second = {0};
    cs_msg_encode(&msg, &first);
    cs_err_t err = cs_msg_decode(&again, cs_buf_slice(&first), msg.payload);
    CS_ASSERT(err == CS_OK);
    cs_msg_encode(&again, &second);
    CS_ASSERT(cs_slice_eq(cs_buf_slice(&first), cs_buf_slice(&second)));
    cs_buf_fini(&first);
    cs_buf_fini(&second);
    cs_msg_fini(&msg);
    cs_msg_fini(&again);
    return 0;
}
