/* entry_codec.c - the canonical encoding of entries (proto/ENTRY.md): equal states, equal
 * bytes. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "crdt/dots.h"

static const cs_dotstore_t order[CS_DOTSTORE_COUNT] = {CS_L, CS_K, CS_A};

/* How a value names its lineage; the first that applies. */
enum { LIN_DOT = 0, LIN_SAME_REPLICA = 1, LIN_OTHER = 2 };

/* --- contents and attributes */

void cs_content_encode(const cs_content_t *content, cs_buf_t *ret)
{
    cs_buf_put_u8(ret, content->kind);
    if (content->kind == CS_KIND_NONE) return;
    cs_buf_put(ret, content->hash, sizeof content->hash);
    cs_buf_put_varint(ret, content->size);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

void cs_content_decode(cs_reader_t *reader, cs_content_t *ret)
{
    *ret = (cs_content_t){.kind = cs_read_u8(reader)};
    if (ret->kind > CS_KIND_DIR) cs_reader_fail(reader, CS_ERR_MALFORMED);
    if (ret->kind == CS_KIND_NONE || reader->err != CS_OK) return;
    cs_read_copy(reader, ret->hash, sizeof ret->hash);
    ret->size = cs_read_varint(reader);
    if (ret->kind == CS_KIND_DIR && !(ret->size == 0 && is_zero(ret->hash, sizeof ret->hash))) {
        cs_reader_fail(reader, CS_ERR_MALFORMED);
    }
    if (ret->kind == CS_KIND_SYMLINK && ret->size > CS_PATH_MAX) {
        cs_reader_fail(reader, CS_ERR_LIMIT);
    }
    if (ret->size > INT64_MAX) cs_reader_fail(reader, CS_ERR_LIMIT); /* no file is that long */
}

void cs_attr_encode(const cs_attr_t *attr, cs_buf_t *ret)
{
    cs_buf_put_u16(ret, attr->mode);
    cs_slice_t tlv = attr->tlv == NULL ? cs_slice(NULL, 0) : cs_slice_str(attr->tlv);
    cs_buf_put_varint(ret, tlv.len);
    cs_buf_put_slice(ret, tlv);
}

void cs_attr_decode(cs_reader_t *reader, cs_attr_t *ret)
{
    *ret = (cs_attr_t){.mode = cs_read_u16(reader)};
    if (ret->mode > CS_MODE_MAX) cs_reader_fail(reader, CS_ERR_MALFORMED);
    cs_slice_t tlv = cs_read_bytes(reader, cs_read_count(reader, CS_TLV_BYTES_MAX, 1));
    if (tlv.len > 0) ret->tlv = cs_str_new(tlv.data, tlv.len);
}

/* A content and the attributes that go with it: only a file has any. */
static void put_content_attr(const cs_content_t *content, const cs_attr_t *attr, cs_buf_t *ret)
{
    cs_content_encode(content, ret);
    if (content->kind == CS_KIND_FILE) {
        cs_attr_encode(attr, ret);
    } else {
        CS_ASSERT(attr->mode == 0 && attr->tlv == NULL);
    }
}

static void read_content_attr(cs_reader_t *reader, cs_content_t *ret, cs_attr_t *ret_attr)
{
    cs_content_decode(reader, ret);
    if (ret->kind == CS_KIND_FILE) cs_attr_decode(reader, ret_attr);
}

/* --- paths */

static void put_path(const cs_str_t *path, cs_buf_t *ret)
{
    cs_buf_put_varint(ret, path->len);
    cs_buf_put_slice(ret, cs_slice_str(path));
}

/* The values of an entry mostly name one path: it is shared with `near_path` (may be NULL). */
static cs_str_t *read_path(cs_reader_t *reader, cs_str_t *near_path)
{
    cs_slice_t path = cs_read_bytes(reader, cs_read_count(reader, CS_PATH_MAX, 1));
    if (reader->err != CS_OK) return NULL;
    if (near_path != NULL && cs_slice_eq(cs_slice_str(near_path), path)) {
        return cs_str_ref(near_path);
    }
    cs_err_t err = cs_path_check(path);
    if (err != CS_OK) {
        cs_reader_fail(reader, err);
        return NULL;
    }
    return cs_str_new(path.data, path.len);
}

/* --- what follows dot, lin and gen in a value of each store */

void cs__lval_encode(const void *value, cs_buf_t *ret)
{
    const cs_lval_t *l = value;
    cs_buf_put_u8(ret, l->how);
    put_path(l->path, ret);
    put_content_attr(&l->hint, &l->hint_attr, ret);
}

void cs__lval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret)
{
    cs_lval_t *l = ret;
    l->how = cs_read_u8(reader);
    if (l->how > CS_STAY) cs_reader_fail(reader, CS_ERR_MALFORMED);
    l->path = read_path(reader, near_path);
    read_content_attr(reader, &l->hint, &l->hint_attr);
}

void cs__kval_encode(const void *value, cs_buf_t *ret)
{
    const cs_kval_t *k = value;
    put_content_attr(&k->content, &k->attr, ret);
    cs_buf_put_u64(ret, (uint64_t)k->mtime_ns);
    put_path(k->path, ret);
}

void cs__kval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret)
{
    cs_kval_t *k = ret;
    read_content_attr(reader, &k->content, &k->attr);
    if (k->content.kind == CS_KIND_NONE) cs_reader_fail(reader, CS_ERR_MALFORMED);
    k->mtime_ns = (int64_t)cs_read_u64(reader);
    k->path = read_path(reader, near_path);
}

void cs__aval_encode(const void *value, cs_buf_t *ret)
{
    const cs_aval_t *a = value;
    cs_attr_encode(&a->attr, ret);
}

void cs__aval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret)
{
    (void)near_path; /* attributes have no path */
    cs_aval_t *a = ret;
    cs_attr_decode(reader, &a->attr);
}

/* --- values */

static void put_dot(cs_dot_t dot, cs_buf_t *ret)
{
    cs_buf_put_u64(ret, dot.rid);
    cs_buf_put_varint(ret, dot.ctr);
}

static cs_dot_t read_dot(cs_reader_t *reader)
{
    cs_dot_t dot = {.rid = cs_read_u64(reader)};
    dot.ctr = cs_read_varint(reader);
    if (dot.rid == 0 || dot.ctr == 0) cs_reader_fail(reader, CS_ERR_MALFORMED);
    return dot;
}

static void put_lin(cs_dot_t dot, cs_dot_t lin, cs_buf_t *ret)
{
    if (cs_dot_eq(dot, lin)) {
        cs_buf_put_u8(ret, LIN_DOT);
    } else if (dot.rid == lin.rid) {
        cs_buf_put_u8(ret, LIN_SAME_REPLICA);
        cs_buf_put_varint(ret, lin.ctr);
    } else {
        cs_buf_put_u8(ret, LIN_OTHER);
        put_dot(lin, ret);
    }
}

static cs_dot_t read_lin(cs_reader_t *reader, cs_dot_t dot)
{
    cs_dot_t lin = dot;
    uint8_t form = cs_read_u8(reader);
    if (form == LIN_SAME_REPLICA) {
        lin.ctr = cs_read_varint(reader);
        if (lin.ctr == 0 || lin.ctr == dot.ctr) cs_reader_fail(reader, CS_ERR_MALFORMED);
    } else if (form == LIN_OTHER) {
        lin = read_dot(reader);
        if (lin.rid == dot.rid) cs_reader_fail(reader, CS_ERR_MALFORMED);
    } else if (form != LIN_DOT) {
        cs_reader_fail(reader, CS_ERR_MALFORMED);
    }
    return lin;
}

void cs__value_encode(const cs_dottype_t *type, const void *value, cs_buf_t *ret)
{
    cs_dotted_t head = cs__dotted_get(value);
    put_dot(head.dot, ret);
    put_lin(head.dot, head.lin, ret);
    cs_buf_put_varint(ret, head.gen);
    type->encode(value, ret);
}

static void value_decode(cs_reader_t *reader, const cs_dottype_t *type, cs_str_t *near_path,
                         void *ret)
{
    memset(ret, 0, type->bytes);
    cs_dotted_t head = {.dot = read_dot(reader)};
    head.lin = read_lin(reader, head.dot);
    uint64_t gen = cs_read_varint(reader);
    if (gen > CS_GEN_MAX) cs_reader_fail(reader, CS_ERR_MALFORMED);
    head.gen = (uint32_t)gen;
    cs__dotted_set(ret, head);
    type->decode(reader, near_path, ret);
}

/* --- entries */

void cs_entry_encode_live(const cs_entry_t *entry, cs_buf_t *ret)
{
    cs_buf_put(ret, entry->bucket.b, CS_BUCKET_BYTES);
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t dots = cs__dots_get(entry, order[i]);
        cs_buf_put_varint(ret, dots.len);
        for (uint32_t k = 0; k < dots.len; k++) {
            cs__value_encode(dots.type, cs__dots_at(&dots, k), ret);
        }
    }
}

void cs_entry_encode(const cs_entry_t *entry, cs_buf_t *ret)
{
    cs_entry_encode_live(entry, ret);
    cs_vv_encode(&entry->ctx, ret);
}

/* Some path of the entry decoded so far, or NULL. */
static cs_str_t *some_path(const cs_entry_t *entry)
{
    if (entry->k_len > 0) return entry->k[entry->k_len - 1].path;
    if (entry->l_len > 0) return entry->l[entry->l_len - 1].path;
    return NULL;
}

static void decode_store(cs_reader_t *reader, cs_dotstore_t store, cs_entry_t *ret)
{
    cs_dots_t dots = cs__dots_get(ret, store);
    uint32_t len = (uint32_t)cs_read_count(reader, CS_DOTS_MAX, dots.type->encoded_min);
    cs__dots_fit(&dots, len);
    for (uint32_t i = 0; i < len && reader->err == CS_OK; i++) {
        value_decode(reader, dots.type, some_path(ret), cs__dots_at(&dots, i));
        dots.len = i + 1; /* even if it failed: what it holds is released with the entry */
        cs__dots_set(ret, store, dots);
        if (i > 0 && cs_dot_cmp(cs__dots_dot(&dots, i - 1), cs__dots_dot(&dots, i)) >= 0) {
            cs_reader_fail(reader, CS_ERR_MALFORMED);
        }
    }
    cs__dots_set(ret, store, dots);
}

/* Invariant W. */
static bool ctx_covers_live(const cs_entry_t *entry)
{
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t dots = cs__dots_get(entry, order[i]);
        for (uint32_t k = 0; k < dots.len; k++) {
            if (!cs_vv_has(&entry->ctx, cs__dots_dot(&dots, k))) return false;
        }
    }
    return true;
}

cs_err_t cs_entry_decode(cs_slice_t bytes, cs_entry_t *ret)
{
    size_t live;
    return cs__entry_decode_live(bytes, ret, &live);
}

cs_err_t cs__entry_decode_live(cs_slice_t bytes, cs_entry_t *ret, size_t *ret_live)
{
    cs__entry_clear(ret);
    if (bytes.len > CS_ENTRY_BYTES_MAX) return CS_ERR_LIMIT;
    cs_reader_t reader = cs_reader(bytes);
    cs_read_copy(&reader, ret->bucket.b, CS_BUCKET_BYTES);
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        decode_store(&reader, order[i], ret);
    }
    *ret_live = bytes.len - cs_reader_left(&reader);
    cs_vv_decode(&reader, &ret->ctx);

    cs_err_t err = cs_reader_end(&reader);
    if (err == CS_OK && !ctx_covers_live(ret)) err = CS_ERR_MALFORMED;
    if (err != CS_OK) cs_entry_fini(ret);
    return err;
}

void cs_entry_hash(const cs_keys_t *keys, const cs_entry_t *entry, cs_entry_digest_t *ret)
{
    cs_buf_t live = {0};
    cs_entry_encode_live(entry, &live);
    cs__entry_hash_live(keys, cs_buf_slice(&live), ret);
    cs_buf_fini(&live);
}

void cs__entry_hash_live(const cs_keys_t *keys, cs_slice_t live, cs_entry_digest_t *ret)
{
    uint8_t hash[64]; /* 16 bytes of it are not used */
    cs_hash(hash, sizeof hash, keys->item, sizeof keys->item, &live, 1);
    memcpy(ret->term, hash, sizeof ret->term);
    memcpy(ret->item, hash + sizeof ret->term, sizeof ret->item);
}
