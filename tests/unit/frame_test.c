/* frame_test.c - messages as bytes: golden vectors both ways, and what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proto/frame.h"

#include "frame_samples.h"

#include "frame_vectors.h"

static void encode(const cs_msg_t *msg, cs_buf_t *ret)
{
    cs_msg_t copy = *msg;
    memcpy(copy.tag, "\1\2\3\4\5\6\7\10", CS_TAG_BYTES);
    cs_msg_encode(&copy, ret);
}

static cs_buf_t bytes_of_vector(size_t i)
{
    cs_buf_t ret = {0};
    size_t len = strlen(vectors[i]) / 2;
    cs_buf_reserve(&ret, len);
    cr_assert(cs_unhex(ret.data, len, cs_slice_text(vectors[i])));
    ret.len = len;
    return ret;
}

/* With CRDTSYNC_PRINT_VECTORS set, prints the table instead of comparing with it. */
Test(frame, encodes_the_golden_vectors)
{
    for (size_t i = 0; i < CS_COUNT_OF(samples); i++) {
        cs_buf_t buf = {0};
        encode(&samples[i], &buf);
        char *hex = cs_malloc(2 * buf.len + 1);
        cs_hex(hex, buf.data, buf.len);
        if (getenv("CRDTSYNC_PRINT_VECTORS") != NULL)
            printf("    \"%s\",\n", hex);
        else
            cr_expect_str_eq(hex, vectors[i], "%s: %s", cs_msg_type_name(samples[i].type), hex);
        cs_free(hex);
        cs_buf_fini(&buf);
    }
}

Test(frame, decodes_the_golden_vectors_to_what_was_encoded)
{
    for (size_t i = 0; i < CS_COUNT_OF(samples); i++) {
        cs_buf_t wire = bytes_of_vector(i), again = {0};
        cs_msg_t msg = {0};
        cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&wire), cs_slice(NULL, 0)), CS_OK);
        cr_assert_eq(msg.type, samples[i].type);
        cr_assert_eq(msg.xid, samples[i].xid);
        cr_assert_eq(msg.seq, samples[i].seq);
        cr_assert_eq(msg.flags, samples[i].flags);
        cs_msg_encode(&msg, &again);
        cr_expect(cs_slice_eq(cs_buf_slice(&wire), cs_buf_slice(&again)), "%s",
                  cs_msg_type_name(msg.type));
        cs_buf_fini(&again);
        cs_buf_fini(&wire);
        cs_msg_fini(&msg);
    }
}

static cs_buf_t hello_wire;
static cs_msg_t decoded;

static void decode_sample(size_t index)
{
    encode(&samples[index], &hello_wire);
    cr_assert_eq(cs_msg_decode(&decoded, cs_buf_slice(&hello_wire), cs_slice(NULL, 0)), CS_OK);
}

static void drop_sample(void)
{
    cs_msg_fini(&decoded);
    cs_buf_fini(&hello_wire);
}

Test(frame, decodes_the_fields_of_hello, .fini = drop_sample)
{
    decode_sample(1);
    const cs_msg_hello_t *hello = &decoded.u.hello;
    cr_assert_eq(hello->rid, 0x0102030405060708u);
    cr_assert_eq(hello->nonce, 9);
    cr_assert(hello->answer);
    cr_assert_eq(hello->members.count, 2);
    cr_assert_eq(hello->members.items[0].rid, 7);
    cr_assert(cs_slice_eq(hello->members.items[0].name, cs_slice_text("anna")));
    cr_assert(cs_slice_eq(hello->members.items[1].endpoints.items[1], endpoints[1]));
    cr_assert_arr_eq(hello->members.items[1].key, twos, 32);
    cr_assert(cs_slice_eq(hello->seen, cs_slice(seen_bytes, sizeof seen_bytes)));
}

Test(frame, decodes_a_snapshot_and_packed_entries, .fini = drop_sample)
{
    decode_sample(4);
    const cs_msg_entries_body_t *body = &decoded.u.entries;
    cr_assert(body->snap.present && body->last);
    cs_slice_t rest = body->entries.packed, entry;
    cr_assert(cs_packed_next(&rest, &entry) && cs_slice_eq(entry, cs_slice_text("abc")));
    cr_assert(cs_packed_next(&rest, &entry) && entry.len == 0);
    cr_assert(cs_packed_next(&rest, &entry) && cs_slice_eq(entry, cs_slice_text("z")));
    cr_assert_not(cs_packed_next(&rest, &entry));
}

/* A body by hand: what decoding says to it. */
static cs_err_t decode_raw(uint8_t version, uint8_t type, cs_slice_t body, cs_slice_t payload,
                           cs_msg_t *ret)
{
    cs_buf_t wire = {0};
    cs_buf_put_u8(&wire, version);
    cs_buf_put_u8(&wire, type);
    cs_buf_put_u16(&wire, 0);
    cs_buf_put_u64(&wire, 77);
    cs_buf_put_u64(&wire, 0);
    cs_buf_put_slice(&wire, body);
    cs_err_t err = cs_msg_decode(ret, cs_buf_slice(&wire), payload);
    cs_buf_fini(&wire);
    return err;
}

static cs_err_t refuse(uint8_t type, cs_slice_t body)
{
    cs_msg_t msg = {0};
    cs_err_t err = decode_raw(CS_PROTOCOL_VERSION, type, body, cs_slice(NULL, 0), &msg);
    cr_assert_null(msg.arena, "a refused message holds no memory");
    return err;
}

Test(frame, another_version_is_named_before_anything_else_is_read)
{
    cs_msg_t msg = {0};
    cs_slice_t none = cs_slice(NULL, 0);
    cr_assert_eq(decode_raw(2, 255, cs_slice_text("\xff"), none, &msg), CS_ERR_VERSION);
    cr_assert_eq(cs_msg_decode(&msg, cs_slice_text("\2"), none), CS_ERR_VERSION);
}

Test(frame, an_unknown_type_is_unsupported_and_keeps_its_xid)
{
    cs_msg_t msg = {0};
    cs_slice_t none = cs_slice(NULL, 0);
    cr_assert_eq(decode_raw(1, CS_MSG_TYPE_END, none, none, &msg), CS_ERR_UNSUPPORTED);
    cr_assert_eq(msg.xid, 77);
    cr_assert_eq(decode_raw(1, 0, none, none, &msg), CS_ERR_UNSUPPORTED);
    cr_assert_str_eq(cs_msg_type_name((cs_msg_type_t)200), "unknown");
}

Test(frame, an_unknown_field_is_counted)
{
    cs_msg_t msg = {0};
    cs_slice_t body = cs_slice_text("\x98\x06\x01\x08\x02"); /* field 99 = 1, status = 2 */
    cr_assert_eq(decode_raw(1, CS_MSG_FIN, body, cs_slice(NULL, 0), &msg), CS_OK);
    cr_assert_eq(msg.unknown_fields, 1);
    cr_assert_eq(msg.u.fin.status, 2);
    cs_msg_fini(&msg);
}

Test(frame, short_headers_are_malformed)
{
    cs_msg_t msg = {0};
    uint8_t wire[CS_FRAME_HEADER_BYTES] = {CS_PROTOCOL_VERSION, CS_MSG_FIN};
    for (size_t len = 0; len < sizeof wire; len++) {
        cr_assert_eq(cs_msg_decode(&msg, cs_slice(wire, len), cs_slice(NULL, 0)),
                     CS_ERR_MALFORMED);
    }
    cr_assert_eq(cs_msg_decode(&msg, cs_slice(wire, sizeof wire), cs_slice(NULL, 0)), CS_OK);
    cs_msg_fini(&msg);
}

Test(frame, wrong_lengths_and_counts_are_malformed)
{
    cr_assert_eq(refuse(CS_MSG_WANT, cs_slice_text("\x0a\x03"
                                                   "abc")),
                 CS_ERR_MALFORMED, "not a multiple of 16");
    cr_assert_eq(refuse(CS_MSG_CNONE, cs_slice_text("\x0a\x10"
                                                    "0123456789abcdef")),
                 CS_ERR_MALFORMED, "not a multiple of 32");
    cr_assert_eq(refuse(CS_MSG_PUSH, cs_slice_text("\x08\x02\x12\x02\x01"
                                                   "a")),
                 CS_ERR_MALFORMED, "two promised, one there");
    cr_assert_eq(refuse(CS_MSG_PUSH, cs_slice_text("\x08\x01\x12\x02\x05"
                                                   "a")),
                 CS_ERR_MALFORMED, "record longer than the field");
    cr_assert_eq(refuse(CS_MSG_HELLO, cs_slice(NULL, 0)), CS_ERR_MALFORMED, "no rid");
    cr_assert_eq(refuse(CS_MSG_RECON_REQ, cs_slice(NULL, 0)), CS_ERR_MALFORMED, "no snapshot");
    cr_assert_eq(refuse(CS_MSG_FIN, cs_slice_text("\xff\xff")), CS_ERR_MALFORMED);
}

Test(frame, an_empty_list_request_asks_from_the_start)
{
    cs_msg_t msg = {0};
    cs_slice_t none = cs_slice(NULL, 0);
    cr_assert_eq(decode_raw(1, CS_MSG_LIST_REQ, none, none, &msg), CS_OK);
    cr_assert_eq(msg.u.list_req.packed.len, 0);
    cs_msg_fini(&msg);
}

static cs_err_t decode_with_reports(size_t count)
{
    cs_msg_report_t many[CS_REPORTS_MAX + 1];
    for (size_t i = 0; i < count; i++)
        many[i] = reports[0];
    cs_msg_t msg = samples[2];
    msg.u.have.reports = many;
    msg.u.have.report_count = count;
    cs_buf_t wire = {0};
    encode(&msg, &wire);
    cs_msg_t ret = {0};
    cs_err_t err = cs_msg_decode(&ret, cs_buf_slice(&wire), cs_slice(NULL, 0));
    cs_msg_fini(&ret);
    cs_buf_fini(&wire);
    return err;
}

Test(frame, reports_are_bounded)
{
    cr_assert_eq(decode_with_reports(CS_REPORTS_MAX), CS_OK);
    cr_assert_eq(decode_with_reports(CS_REPORTS_MAX + 1), CS_ERR_LIMIT);
}

Test(frame, members_are_bounded_and_the_largest_list_fits)
{
    cs_msg_member_t *many = cs_calloc(CS_MEMBERS_MAX + 1, sizeof *many);
    for (size_t i = 0; i <= CS_MEMBERS_MAX; i++)
        many[i] = members[1];
    for (size_t over = 0; over < 2; over++) {
        cs_msg_t msg = samples[1], ret = {0};
        msg.u.hello.members = (cs_msg_members_t){many, CS_MEMBERS_MAX + over};
        cs_buf_t wire = {0};
        encode(&msg, &wire);
        cr_assert_eq(cs_msg_decode(&ret, cs_buf_slice(&wire), cs_slice(NULL, 0)),
                     over ? CS_ERR_LIMIT : CS_OK);
        cs_msg_fini(&ret);
        cs_buf_fini(&wire);
    }
    cs_free(many);
}

static cs_err_t decode_again(const cs_msg_t *msg)
{
    cs_buf_t wire = {0};
    cs_msg_t ret = {0};
    encode(msg, &wire);
    cs_err_t err = cs_msg_decode(&ret, cs_buf_slice(&wire), cs_slice(NULL, 0));
    cs_msg_fini(&ret);
    cs_buf_fini(&wire);
    return err;
}

Test(frame, a_packed_payload_has_a_limit_and_holes_are_no_larger_than_the_file)
{
    cs_msg_t chunk = {.type = CS_MSG_CHUNK, .u.chunk.unpacked = CS_PACKED_BYTES_MAX};
    cr_assert_eq(decode_again(&chunk), CS_OK);
    chunk.u.chunk.unpacked++;
    cr_assert_eq(decode_again(&chunk), CS_ERR_LIMIT);
    cs_msg_t map = {.type = CS_MSG_MAP, .u.map = {.content = ones, .size = 300, .zeros = 300}};
    cr_assert_eq(decode_again(&map), CS_OK);
    map.u.map.zeros++;
    cr_assert_eq(decode_again(&map), CS_ERR_LIMIT);
}

Test(frame, parts_are_of_one_leaf)
{
    static const uint8_t bits[CS_PARTS_BYTES + 1];
    cs_msg_t msg = {.type = CS_MSG_PARTS,
                    .u.parts = {.content = ones, .count = CS_NODE_ITEMS_MAX, .answer = true}};
    msg.u.parts.bits = cs_slice(bits, CS_PARTS_BYTES);
    cr_assert_eq(decode_again(&msg), CS_OK);
    msg.u.parts.bits.len++;
    cr_assert_eq(decode_again(&msg), CS_ERR_LIMIT);
    msg.u.parts.bits.len--;
    msg.u.parts.coming = cs_slice(bits, CS_PARTS_BYTES + 1);
    cr_assert_eq(decode_again(&msg), CS_ERR_LIMIT);
    msg.u.parts.coming.len--;
    cr_assert_eq(decode_again(&msg), CS_OK);
    msg.u.parts.count++;
    cr_assert_eq(decode_again(&msg), CS_ERR_LIMIT);
}

Test(frame, words_about_members_have_a_version_and_a_limit)
{
    cs_msg_standing_t items[CS_STANDINGS_MAX + 1];
    for (size_t i = 0; i < CS_COUNT_OF(items); i++)
        items[i] = standings[0];
    cs_msg_t msg = {.type = CS_MSG_STANDINGS, .u.standings = {items, CS_STANDINGS_MAX}};
    cr_assert_eq(decode_again(&msg), CS_OK);
    msg.u.standings.count++;
    cr_assert_eq(decode_again(&msg), CS_ERR_LIMIT);
    msg.u.standings.count = 1;
    items[0].version = 0;
    cr_assert_eq(decode_again(&msg), CS_ERR_MALFORMED);
}

Test(frame, marks_are_of_some_number_and_have_a_limit)
{
    cs_msg_mark_t items[CS_MARKS_MAX + 1];
    for (size_t i = 0; i < CS_COUNT_OF(items); i++)
        items[i] = marks[0];
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {items, CS_MARKS_MAX}};
    cr_assert_eq(decode_again(&msg), CS_OK);
    msg.u.marks.count++;
    cr_assert_eq(decode_again(&msg), CS_ERR_LIMIT);
    msg.u.marks.count = 1;
    items[0].ctr = 0;
    cr_assert_eq(decode_again(&msg), CS_ERR_MALFORMED);
}

static cs_err_t decode_place(uint64_t size, uint64_t offset, uint32_t len)
{
    cs_buf_t place = {0};
    cs_buf_put_u64(&place, offset);
    cs_buf_put_u32(&place, len);
    cs_msg_t msg = {.type = CS_MSG_CWANT,
                    .u.cwant = {.chunks = {twos, 32}, .content = ones, .size = size}};
    msg.u.cwant.places = cs_buf_slice(&place);
    cs_err_t err = decode_again(&msg);
    cs_buf_fini(&place);
    return err;
}

Test(frame, places_are_within_the_file_and_one_for_each_chunk)
{
    cr_assert_eq(decode_place(CS_CHUNK_MAX + 5u, 5, CS_CHUNK_MAX), CS_OK);
    cr_assert_eq(decode_place(CS_CHUNK_MAX + 5u, 6, CS_CHUNK_MAX), CS_ERR_MALFORMED);
    cr_assert_eq(decode_place(CS_CHUNK_MAX + 5u, UINT64_MAX, 1), CS_ERR_MALFORMED);
    cr_assert_eq(decode_place(CS_CHUNK_MAX + 5u, 0, CS_CHUNK_MAX + 1), CS_ERR_LIMIT);
    cr_assert_eq(decode_place(CS_CHUNK_MAX + 5u, 0, 0), CS_ERR_LIMIT);
    cs_msg_t msg = samples[CS_COUNT_OF(samples) - 1];
    cr_assert_eq(decode_again(&msg), CS_OK);
    msg.u.cwant.chunks = (cs_slice_t){NULL, 0};
    cr_assert_eq(decode_again(&msg), CS_ERR_MALFORMED);
    msg.u.cwant.chunks = (cs_slice_t){twos, 32};
    msg.u.cwant.content = NULL;
    cr_assert_eq(decode_again(&msg), CS_ERR_MALFORMED);
}

Test(frame, a_message_of_many_tiny_parts_fails_instead_of_growing)
{
    cs_buf_t body = {0};
    while (body.len < CS_MESSAGE_BYTES_MAX - 64)
        cs_buf_put(&body, "\x32\x00", 2); /* members */
    cs_err_t err = refuse(CS_MSG_HELLO, cs_buf_slice(&body));
    cr_assert(err == CS_ERR_MALFORMED || err == CS_ERR_LIMIT);
    cs_buf_fini(&body);
}

Test(frame, larger_messages_than_the_limit_are_refused)
{
    cs_msg_t msg = {0};
    uint8_t *zeros = cs_calloc(1, CS_MESSAGE_BYTES_MAX + 1);
    cs_slice_t big = cs_slice(zeros, CS_MESSAGE_BYTES_MAX + 1);
    cr_assert_eq(cs_msg_decode(&msg, big, cs_slice(NULL, 0)), CS_ERR_LIMIT);
    cs_free(zeros);
}

Test(frame, chunk_records_come_from_the_payload)
{
    cs_buf_t payload = {0};
    cs_chunk_put(&payload, ones, cs_slice_text("hello"));
    cs_chunk_put(&payload, twos, cs_slice(NULL, 0));
    cs_msg_t msg = {0};
    cs_slice_t none = cs_slice(NULL, 0);
    cr_assert_eq(decode_raw(1, CS_MSG_CHUNK, none, cs_buf_slice(&payload), &msg), CS_OK);
    cs_slice_t rest = msg.payload, bytes;
    const uint8_t *name;
    cr_assert(cs_chunk_next(&rest, &name, &bytes) &&
              cs_slice_eq(bytes, cs_slice_text("hello")));
    cr_assert_arr_eq(name, ones, 32);
    cr_assert(cs_chunk_next(&rest, &name, &bytes) && bytes.len == 0);
    cr_assert_not(cs_chunk_next(&rest, &name, &bytes));
    cs_msg_fini(&msg);
    cs_slice_t cut = cs_slice(payload.data, payload.len - 1);
    cr_assert_eq(decode_raw(1, CS_MSG_CHUNK, none, cut, &msg), CS_ERR_MALFORMED);
    cr_assert_eq(decode_raw(1, CS_MSG_FIN, none, cut, &msg), CS_ERR_MALFORMED);
    cs_buf_fini(&payload);
}
