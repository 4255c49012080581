/* frame_samples.h - one message or more of each type; frame_vectors.h has their bytes. */
#include "proto/frame.h"

#define SIXTEEN(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
static const uint8_t ones[32] = {SIXTEEN(0x11), SIXTEEN(0x11)};
static const uint8_t twos[32] = {SIXTEEN(0x22), SIXTEEN(0x22)};
static const uint8_t seen_bytes[] = {1, 7, 0, 0, 0, 0, 0, 0, 0, 5};
static const uint8_t packed_bytes[] = {3, 'a', 'b', 'c', 0, 1, 'z'};
static const cs_slice_t endpoints[] = {{(const uint8_t *)"tcp://10.0.0.1:7", 16},
                                       {(const uint8_t *)"ipc://x", 7}};
/* clang-format off */
static const cs_msg_member_t members[] = {
    {.key = ones, .name = {(const uint8_t *)"anna", 4}, .rid = 7},
    {.key = twos, .name = {(const uint8_t *)"", 0}, .endpoints = {endpoints, 2}}};
static const cs_msg_report_t reports[] = {
    {.key = twos, .stamp = 300, .root = ones, .n = 2, .applied = true}};
static const uint8_t signature[CS_SIGNATURE_BYTES] = {SIXTEEN(0x33), SIXTEEN(0x44)};
static const cs_msg_standing_t standings[] = {
    {.key = twos, .version = 300, .out = true, .signer = ones, .signature = signature},
    {.key = ones, .version = 1, .signer = twos, .signature = signature}};
static const cs_msg_mark_t marks[] = {
    {.nonce = 7, .ctr = 300, .signer = ones, .signature = signature},
    {.nonce = UINT64_MAX, .ctr = 1, .signer = twos, .signature = signature}};
static const cs_msg_pex_item_t pex[] = {{.key = twos, .endpoints = {endpoints, 1}, .age_s = 9}};

/* Index 16 of a set of 9: one item of ones, check 0x1122334455667788, count 1 as expected. */
#define SYMBOL {(const uint8_t *)"\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11" \
                                 "\x11\x11\x11\x11\x88\x77\x66\x55\x44\x33\x22\x11\x00", 25}
#define SEEN  {seen_bytes, sizeof seen_bytes}
#define TWO16 {ones, 32}
#define PACKED {.count = 3, .packed = {packed_bytes, sizeof packed_bytes}}
/* 9 bytes from offset 260. */
#define PLACE {(const uint8_t *)"\4\1\0\0\0\0\0\0\11\0\0\0", 12}
#define SNAP  {.present = true, .root = ones, .n = 1, .seen = SEEN}
#define TEXT(t) {(const uint8_t *)(t), sizeof(t) - 1}

static const cs_msg_t samples[] = {
    {.type = CS_MSG_ERROR, .u.error = {.code = 3, .text = TEXT("no")}},
    {.type = CS_MSG_HELLO,
     .u.hello = {.rid = 0x0102030405060708, .nonce = 9, .caps = CS_CAP_LIST,
                 .members_hash = twos, .seen = SEEN, .members = {members, 2}, .answer = true}},
    {.type = CS_MSG_HAVE,
     .u.have = {.root = ones, .n = 300, .seen_hash = twos, .delta = SEEN, .applied = true,
                .stamp = 5, .reports = reports, .report_count = 1}},
    {.type = CS_MSG_ENTRIES, .u.entries = {.entries = PACKED, .hops = 2}},
    {.type = CS_MSG_ENTRIES, .xid = 4, .seq = 1,
     .u.entries = {.entries = PACKED, .last = true, .snap = SNAP}},
    {.type = CS_MSG_RECON_REQ, .xid = 0xaabbccdd, .seq = 1,
     .u.recon_req = {.snap = SNAP, .method = CS_RECON_LIST, .part_bits = 8, .part_index = 200}},
    {.type = CS_MSG_SYMS, .xid = 1, .seq = 1,
     .u.syms = {.start = 16, .n = 5, .symbols = TEXT("sym"), .snap = SNAP}},
    {.type = CS_MSG_CREDIT, .xid = 1, .seq = 2, .u.credit = {.up_to = 32, .stop = true}},
    {.type = CS_MSG_WANT, .xid = 1, .seq = 3, .u.want.packed = TWO16},
    {.type = CS_MSG_PUSH, .xid = 1, .seq = 4, .u.push = PACKED},
    {.type = CS_MSG_PUSH_REPLY, .xid = 1, .seq = 5, .u.push_reply = PACKED},
    {.type = CS_MSG_GONE, .xid = 1, .seq = 6, .u.gone.packed = TWO16},
    {.type = CS_MSG_FIN, .xid = 1, .seq = 7, .u.fin.status = CS_FIN_REFUSED},
    {.type = CS_MSG_LIST_REQ, .xid = 1, .seq = 8, .u.list_req.packed = {ones, 16}},
    {.type = CS_MSG_LIST, .xid = 1, .seq = 9,
     .u.list = {.digests = TWO16, .last = true, .snap = SNAP}},
    {.type = CS_MSG_PEX, .u.pex = {.items = pex, .count = 1}},
    {.type = CS_MSG_NWANT, .u.nwant.packed = {twos, 32}},
    {.type = CS_MSG_NODE, .u.node.packed = {packed_bytes, sizeof packed_bytes}},
    {.type = CS_MSG_MAP, .u.map = {.content = ones, .size = 300}},
    {.type = CS_MSG_MAP,
     .u.map = {.content = ones, .size = 300, .answer = true, .root = twos, .depth = 1}},
    {.type = CS_MSG_CWANT,
     .u.cwant = {.contents = {ones, 32}, .chunks = {twos, 32}, .content = ones, .size = 70000}},
    {.type = CS_MSG_CHUNK, .flags = 0x0102},
    {.type = CS_MSG_CNONE, .u.cnone.packed = {twos, 32}},
    {.type = CS_MSG_JOIN,
     .u.join = {.key = ones, .name = TEXT("ben"), .endpoints = {endpoints, 2}}},
    {.type = CS_MSG_WELCOME,
     .u.welcome = {.folder_id = TEXT("docs"), .secret = twos, .modes = 1,
                   .folder_name = TEXT("Docs"), .members = {members, 2},
                   .endpoints = {endpoints, 1}}},
    {.type = CS_MSG_RECON_REQ, .xid = 1, .seq = 3, .flags = CS_FLAG_INITIATOR,
     .u.recon_req = {.method = CS_RECON_SYMBOLS, .part_bits = 8, .part_index = 255}},
    {.type = CS_MSG_SYMS, .xid = 1, .seq = 2, .u.syms = {.start = 16, .symbols = SYMBOL}},
    {.type = CS_MSG_MAP,
     .u.map = {.content = ones, .size = 300, .answer = true, .root = twos, .zeros = 200}},
    {.type = CS_MSG_CWANT, .u.cwant = {.chunks = {twos, 32}, .packs = true}},
    {.type = CS_MSG_CHUNK, .u.chunk.unpacked = 300},
    {.type = CS_MSG_CHAVE, .u.chave.packed = {ones, 32}},
    {.type = CS_MSG_PARTS, .u.parts = {.content = ones, .size = 700000, .from = 300, .count = 9}},
    {.type = CS_MSG_PARTS,
     .u.parts = {.content = ones, .size = 700000, .from = 300, .count = 9, .answer = true,
                 .bits = TEXT("\x81\x01"), .coming = TEXT("\x02")}},
    {.type = CS_MSG_MAP,
     .u.map = {.content = ones, .size = 300, .answer = true, .root = twos, .partial = true}},
    {.type = CS_MSG_STANDINGS, .u.standings = {.items = standings, .count = 2}},
    {.type = CS_MSG_MARKS, .u.marks = {.items = marks, .count = 2}},
    {.type = CS_MSG_CWANT,
     .u.cwant = {.chunks = {twos, 32}, .content = ones, .size = 70000, .places = PLACE}},
};

/* clang-format on */
