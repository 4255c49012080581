/* frame.h - a message: fixed header, one protobuf body, sometimes raw bytes (PROTOCOL.md).
 *
 *   header part   u8 ver | u8 type | u16 flags | u32 xid | u32 seq | 8 B folder tag | body
 *   payload part  only CHUNK: records {32 B name, u32 len, bytes}
 *
 * Decoded messages are views: slices point into the received bytes or into the message's arena,
 * valid until cs_msg_fini. Lists of packed records (entries, digests, names) stay packed
 * slices; their readers are below. Every count and length is checked before anything is
 * allocated.
 *
 * To send: zero-initialise, set type, tag and the fields of u.<type>; everything is borrowed.
 * Pointers to fixed-size bytes (key, root, ...) are never NULL in a decoded message, unless
 * said. */
#ifndef CS_PROTO_FRAME_H
#define CS_PROTO_FRAME_H

#include "crdt/entry.h"

CS_HEADER_BEGIN

#define CS_PROTOCOL_VERSION   1u
#define CS_FRAME_HEADER_BYTES 20u
#define CS_TAG_BYTES          8u
#define CS_DIGEST_BYTES       16u /* of an entry: the item of cs_entry_digest_t */
#define CS_NAME_BYTES         32u /* of contents, chunks and nodes */
#define CS_KEY_BYTES          32u /* CURVE public key */
#define CS_SIGNATURE_BYTES    64u /* Ed25519 */
#define CS_PLACE_BYTES        12u /* of a chunk: u64 offset, u32 length */

typedef enum cs_msg_type {
    CS_MSG_ERROR = 1,
    CS_MSG_HELLO,
    CS_MSG_HAVE,
    CS_MSG_ENTRIES,
    CS_MSG_RECON_REQ,
    CS_MSG_SYMS,
    CS_MSG_CREDIT,
    CS_MSG_WANT,
    CS_MSG_PUSH,
    CS_MSG_PUSH_REPLY,
    CS_MSG_GONE,
    CS_MSG_FIN,
    CS_MSG_LIST_REQ,
    CS_MSG_LIST,
    CS_MSG_PEX,
    CS_MSG_NWANT,
    CS_MSG_NODE,
    CS_MSG_MAP,
    CS_MSG_CWANT,
    CS_MSG_CHUNK,
    CS_MSG_CNONE,
    CS_MSG_JOIN, /* invites: the tag is zero */
    CS_MSG_WELCOME,
    CS_MSG_CHAVE,
    CS_MSG_PARTS,
    CS_MSG_STANDINGS,
    CS_MSG_MARKS,
    CS_MSG_TYPE_END /* the first number without a meaning */
} cs_msg_type_t;

/* --- parts of several messages */

/* An array of borrowed texts: no NUL inside, not NUL-terminated. */
typedef struct cs_texts {
    const cs_slice_t *items;
    size_t count;
} cs_texts_t;

typedef struct cs_msg_member {
    const uint8_t *key;   /* CS_KEY_BYTES */
    cs_slice_t name;      /* <= CS_MEMBER_NAME_MAX, decoration */
    uint64_t rid;         /* 0: unknown */
    cs_texts_t endpoints; /* where it listens, if known */
} cs_msg_member_t;

typedef struct cs_msg_members {
    const cs_msg_member_t *items;
    size_t count; /* <= CS_MEMBERS_MAX */
} cs_msg_members_t;

typedef struct cs_msg_report {
    const uint8_t *key;  /* CS_KEY_BYTES: whose state */
    uint64_t stamp;      /* of that member's own counting; the newest wins */
    const uint8_t *root; /* CS_HASH_BYTES */
    uint64_t n;
    bool applied; /* that root is on its disk */
} cs_msg_report_t;

/* A snapshot of a replica: root, n and seen belong together. */
typedef struct cs_msg_snap {
    bool present;        /* false: the other fields are zero */
    const uint8_t *root; /* CS_HASH_BYTES */
    uint64_t n;
    cs_slice_t seen; /* cs_vv_encode */
} cs_msg_snap_t;

/* Packed entries: varint length, enc(e); cs_packed_next. */
typedef struct cs_msg_entries {
    uint32_t count;
    cs_slice_t packed;
} cs_msg_entries_t;

/* --- bodies */
typedef struct cs_msg_error {
    uint32_t code; /* cs_err_t of the sender, for people only */
    cs_slice_t text;
} cs_msg_error_t;

typedef struct cs_msg_hello {
    uint64_t rid;
    uint32_t nonce;              /* random */
    uint32_t caps;               /* CS_CAP_*; unknown bits are ignored */
    const uint8_t *members_hash; /* CS_HASH_BYTES */
    cs_slice_t seen;             /* cs_vv_encode; own slot = exposed */
    cs_slice_t heard; /* cs_vv_encode: slots known to be higher than in seen; empty: none */
    cs_msg_members_t members;
    bool answer; /* please send yours */
} cs_msg_hello_t;

#define CS_CAP_LIST    1u /* reconciles by LIST */
#define CS_CAP_SYMBOLS 2u /* ... and by SYMS */

typedef struct cs_msg_have {
    const uint8_t *root; /* CS_HASH_BYTES */
    uint64_t n;
    const uint8_t *seen_hash; /* 16 B: BLAKE2b-128(k_item, cs_vv_encode(seen)) */
    cs_slice_t delta; /* cs_vv_encode: slots that changed since the last HELLO or HAVE */
    bool applied;
    uint64_t stamp; /* orders the sender's own reports */
    uint64_t taken; /* packed bytes of eager ENTRIES since the receiver's HELLO */
    const cs_msg_report_t *reports;
    size_t report_count; /* <= CS_REPORTS_MAX */
} cs_msg_have_t;

typedef struct cs_msg_entries_body {
    cs_msg_entries_t entries;
    uint32_t hops;      /* eager pushes; 0 in an exchange */
    bool last;          /* answer to RECON_REQ for everything: no more pages follow */
    cs_msg_snap_t snap; /* same, first page: X's snapshot */
} cs_msg_entries_body_t;

typedef enum cs_recon_method {
    CS_RECON_SYMBOLS,   /* X answers with SYMS */
    CS_RECON_LIST,      /* X answers with LIST */
    CS_RECON_EVERYTHING /* I has nothing: X answers with ENTRIES */
} cs_recon_method_t;

typedef struct cs_msg_recon_req {
    cs_msg_snap_t snap; /* of the first frame; not present in later ones */
    uint32_t method;    /* cs_recon_method_t; an unknown one is answered by FIN with REFUSED */
    uint32_t part_bits; /* symbols of the items whose top bits are part_index */
    uint64_t part_index;
} cs_msg_recon_req_t;

typedef struct cs_msg_syms {
    uint64_t start;     /* index of the first symbol */
    uint64_t n;         /* with start 0: items in the part */
    cs_slice_t symbols; /* cs_symbols_encode */
    cs_msg_snap_t snap; /* first frame of X */
} cs_msg_syms_t;

typedef struct cs_msg_credit {
    uint64_t up_to; /* symbols, or pages of ENTRIES, the sender may reach in total */
    bool stop;
} cs_msg_credit_t;

/* WANT, GONE, LIST: packed digests of CS_DIGEST_BYTES each; LIST_REQ: one, or empty = from the
 * start. NWANT, CNONE, CHAVE: packed names of CS_NAME_BYTES each. */
typedef struct cs_msg_packed {
    cs_slice_t packed;
} cs_msg_packed_t;

typedef struct cs_msg_list {
    cs_slice_t digests; /* sorted */
    bool last;
    cs_msg_snap_t snap; /* first page */
} cs_msg_list_t;

typedef enum cs_fin_status { CS_FIN_DONE, CS_FIN_REFUSED, CS_FIN_ABORTED } cs_fin_status_t;

typedef struct cs_msg_fin {
    uint32_t status; /* cs_fin_status_t; unknown ones count as ABORTED */
} cs_msg_fin_t;

typedef struct cs_msg_pex_item {
    const uint8_t *key; /* CS_KEY_BYTES */
    cs_texts_t endpoints;
    uint32_t age_s;
} cs_msg_pex_item_t;

typedef struct cs_msg_pex {
    const cs_msg_pex_item_t *items;
    size_t count; /* <= CS_PEX_MAX */
} cs_msg_pex_t;

/* Who is a member and who is not any more, signed by the member who said so. */
typedef struct cs_msg_standing {
    const uint8_t *key; /* CS_KEY_BYTES: of whom */
    uint32_t version;   /* > 0 */
    bool out;
    const uint8_t *signer;    /* CS_KEY_BYTES, Ed25519 */
    const uint8_t *signature; /* CS_SIGNATURE_BYTES */
} cs_msg_standing_t;

typedef struct cs_msg_standings {
    const cs_msg_standing_t *items;
    size_t count; /* <= CS_STANDINGS_MAX */
} cs_msg_standings_t;

/* How far a replica has counted, signed by its node (core.md 10 d). */
typedef struct cs_msg_mark {
    uint64_t nonce;           /* of its id */
    uint64_t ctr;             /* > 0 */
    const uint8_t *signer;    /* CS_KEY_BYTES, Ed25519 */
    const uint8_t *signature; /* CS_SIGNATURE_BYTES */
} cs_msg_mark_t;

typedef struct cs_msg_marks {
    const cs_msg_mark_t *items;
    size_t count; /* <= CS_MARKS_MAX */
} cs_msg_marks_t;

/* Packed nodes: varint length, bytes; cs_packed_next. */
typedef struct cs_msg_node {
    cs_slice_t packed;
} cs_msg_node_t;

typedef struct cs_msg_map {
    const uint8_t *content; /* CS_NAME_BYTES */
    uint64_t size;
    bool answer;         /* false: a question, root and depth are unset */
    const uint8_t *root; /* CS_NAME_BYTES; NULL in a question */
    uint32_t depth;      /* levels of nodes above the chunks */
    uint64_t zeros;      /* bytes of the file that are holes: a hint, at most size */
    bool partial;        /* an answer: the sender has it in part, and is fetching the rest */
} cs_msg_map_t;

typedef struct cs_msg_cwant {
    cs_slice_t contents; /* packed content hashes: small contents, whole */
    cs_slice_t chunks;   /* packed chunk names */
    const uint8_t
        *content;  /* CS_NAME_BYTES: the file that the chunks are for; NULL: not said */
    uint64_t size; /* of that file */
    bool packs;    /* CHUNKs may be packed */
    /* Packed places of the chunks in that file, CS_PLACE_BYTES each; empty: not said. */
    cs_slice_t places;
} cs_msg_cwant_t;

/* Which chunks of a leaf of a chunk list are here already, of a file that is being fetched. */
typedef struct cs_msg_parts {
    const uint8_t *content; /* CS_NAME_BYTES */
    uint64_t size, from;    /* of the file; offset of the leaf's first chunk */
    uint32_t count;         /* chunks, at most CS_NODE_ITEMS_MAX */
    bool answer;
    /* An answer: at most CS_PARTS_BYTES each; empty: of this leaf nothing is known. coming:
     * what was asked of one that has the whole file. */
    cs_slice_t bits, coming;
} cs_msg_parts_t;

typedef struct cs_msg_chunk {
    uint32_t unpacked; /* the payload is packed (xfer/pack.h), from so many bytes of records, at
                          most CS_PACKED_BYTES_MAX; 0: it is the records */
} cs_msg_chunk_t;

typedef struct cs_msg_join {
    const uint8_t
        *key; /* CS_KEY_BYTES: the joiner's lasting key; the link is the one-time key's */
    cs_slice_t name;
    cs_texts_t endpoints;
} cs_msg_join_t;

typedef struct cs_msg_welcome {
    cs_slice_t folder_id;   /* 1..CS_FOLDER_ID_MAX bytes */
    const uint8_t *secret;  /* CS_SECRET_BYTES */
    uint32_t modes;         /* cs_modes_t */
    uint32_t flags;         /* reserved, 0; a joiner refuses bits that it does not know */
    cs_slice_t folder_name; /* proposal */
    cs_msg_members_t members;
    cs_texts_t endpoints; /* of the inviter */
} cs_msg_welcome_t;

/* flags */
#define CS_FLAG_INITIATOR 1u /* of an exchange: its initiator sends this */
#define CS_FLAG_AHEAD     2u /* CHUNK: not asked for; entries that name the contents follow */

typedef struct cs_msg {
    cs_msg_type_t type;
    uint16_t flags;    /* unknown bits are ignored */
    uint32_t xid, seq; /* 0: not part of an exchange */
    size_t wire_bytes; /* as it came; not set by others than the decoder */
    uint8_t tag[CS_TAG_BYTES];
    union {
        cs_msg_error_t error;
        cs_msg_hello_t hello;
        cs_msg_have_t have;
        cs_msg_entries_body_t entries;
        cs_msg_recon_req_t recon_req;
        cs_msg_syms_t syms;
        cs_msg_credit_t credit;
        cs_msg_packed_t want, gone, list_req, nwant, cnone, chave;
        cs_msg_entries_t push, push_reply;
        cs_msg_fin_t fin;
        cs_msg_list_t list;
        cs_msg_pex_t pex;
        cs_msg_standings_t standings;
        cs_msg_marks_t marks;
        cs_msg_node_t node;
        cs_msg_map_t map;
        cs_msg_cwant_t cwant;
        cs_msg_chunk_t chunk;
        cs_msg_parts_t parts;
        cs_msg_join_t join;
        cs_msg_welcome_t welcome;
    } u;
    cs_slice_t payload;      /* CHUNK: records, cs_chunk_next */
    uint32_t unknown_fields; /* decoded: fields that this version does not know */
    struct cs_arena *arena;  /* decoded: owned */
} cs_msg_t;

/* header: the first part; payload: the second one, or empty. Both must outlive ret, which must
 * not hold a decoded message (zero-initialise, or cs_msg_fini before). CS_ERR_VERSION: another
 * protocol; answer ERROR, then drop. CS_ERR_UNSUPPORTED: unknown type, to be counted and
 * ignored; xid, seq and tag are set. CS_ERR_MALFORMED, CS_ERR_LIMIT: drop the peer. */
CS_MUST_USE cs_err_t cs_msg_decode(cs_msg_t *ret, cs_slice_t header, cs_slice_t payload);
void cs_msg_fini(cs_msg_t *msg);

/* Appends the header part. The payload part is sent from where it is. */
void cs_msg_encode(const cs_msg_t *msg, cs_buf_t *ret);

const char *
cs_msg_type_name(cs_msg_type_t type); /* "hello"; "unknown" for numbers without meaning */

/* --- readers of packed lists: each takes the next record off *rest; false at the end. Lengths
 * and multiples were checked by cs_msg_decode. */
bool cs_packed_next(cs_slice_t *rest, cs_slice_t *ret);            /* entries, nodes */
bool cs_digest_next(cs_slice_t *rest, const uint8_t **ret_digest); /* CS_DIGEST_BYTES */
bool cs_name_next(cs_slice_t *rest, const uint8_t **ret_name);     /* CS_NAME_BYTES */
bool cs_chunk_next(cs_slice_t *rest, const uint8_t **ret_name, cs_slice_t *ret_bytes);

/* --- and writers */
void cs_packed_put(cs_buf_t *packed, cs_slice_t record);
void cs_chunk_put(cs_buf_t *payload, const uint8_t name[CS_NAME_BYTES], cs_slice_t bytes);

CS_HEADER_END

#endif
