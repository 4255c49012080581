/* marks.c - see marks.h. */
#include "node/marks.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

struct cs_marks {
    const cs_keys_t *folder;
    const cs_scheme_t *scheme;
    uint8_t seed[CS_SEED_BYTES], signer[CS_KEY_BYTES];
    uint64_t own;           /* 0: none yet */
    cs_signed_mark_t *item; /* sorted by rid */
    size_t len, cap;
    cs_vv_t limit;               /* the counters of all, to compare with */
    const cs_vv_t *seen, *heard; /* borrowed; NULL: no number is held */
    uint64_t version, displaced;
    uint64_t saved_ctr; /* of this replica, as its row says */
    size_t hand;        /* where it is looked for one that may go */
};

/* --- life */

cs_marks_t *cs_marks_new(const cs_keys_t *folder, const cs_scheme_t *scheme,
                         const uint8_t seed[CS_SEED_BYTES])
{
    cs_marks_t *marks = cs_calloc(1, sizeof *marks);
    marks->folder = folder;
    marks->scheme = scheme != NULL ? scheme : &cs_ed25519;
    memcpy(marks->seed, seed, sizeof marks->seed);
    marks->scheme->signer(seed, marks->signer);
    return marks;
}

void cs_marks_destroy(cs_marks_t **marks_p)
{
    cs_marks_t *marks = *marks_p;
    *marks_p = NULL;
    if (marks == NULL) return;
    sodium_memzero(marks->seed, sizeof marks->seed);
    cs_free(marks->item);
    cs_vv_fini(&marks->limit);
    cs_free(marks);
}

/* --- ids and signatures */

static void hash_of(const cs_marks_t *marks, const cs_buf_t *text, uint8_t ret[CS_HASH_BYTES])
{
    cs_slice_t part = cs_buf_slice(text);
    cs_hash(ret, CS_HASH_BYTES, marks->folder->item, CS_KEY_BYTES, &part, 1);
}

static uint64_t rid_of(const cs_marks_t *marks, const uint8_t signer[CS_KEY_BYTES],
                       uint64_t nonce)
{
    cs_buf_t text = {0};
    cs_buf_put_slice(&text, cs_slice_text("replica"));
    cs_buf_put(&text, signer, CS_KEY_BYTES);
    cs_buf_put_u64(&text, nonce);
    uint8_t hash[CS_HASH_BYTES];
    hash_of(marks, &text, hash);
    cs_buf_fini(&text);
    cs_reader_t reader = cs_reader(cs_slice(hash, sizeof hash));
    uint64_t rid = cs_read_u64(&reader);
    return rid != 0 ? rid : 1;
}

static void digest_of(const cs_marks_t *marks, const uint8_t signer[CS_KEY_BYTES],
                      uint64_t nonce, uint64_t ctr, uint8_t ret[CS_HASH_BYTES])
{
    cs_buf_t text = {0};
    cs_buf_put_slice(&text, cs_slice_text("mark"));
    cs_buf_put(&text, signer, CS_KEY_BYTES);
    cs_buf_put_u64(&text, nonce);
    cs_buf_put_u64(&text, ctr);
    hash_of(marks, &text, ret);
    cs_buf_fini(&text);
}

/* --- the table */

static size_t place_of(const cs_marks_t *marks, uint64_t rid)
{
    size_t low = 0, high = marks->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (marks->item[mid].rid < rid) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static cs_signed_mark_t *find(const cs_marks_t *marks, uint64_t rid)
{
    size_t at = place_of(marks, rid);
    return at < marks->len && marks->item[at].rid == rid ? &marks->item[at] : NULL;
}

static void set_limit(cs_marks_t *marks, uint64_t rid, uint64_t ctr)
{
    cs_err_t err = cs_vv_cut(&marks->limit, rid, ctr);
    CS_ASSERT(err == CS_OK); /* as many as there are items at most */
    marks->version++;
}

void cs_marks_hold(cs_marks_t *marks, const cs_vv_t *seen, const cs_vv_t *heard)
{
    marks->seen = seen;
    marks->heard = heard;
}

bool cs_marks_is_held(const cs_marks_t *marks, const cs_signed_mark_t *mark)
{
    if (mark->kept || mark->rid == marks->own) return true;
    if (marks->seen == NULL) return false;
    /* Beyond the limit nobody notes what was heard of. */
    return marks->heard->len >= CS_REPLICAS_MAX || cs_vv_get(marks->seen, mark->rid) > 0 ||
           cs_vv_get(marks->heard, mark->rid) > 0;
}

/* One that may go; marks->len: there is none. */
static size_t find_idle(const cs_marks_t *marks)
{
    for (size_t i = 0; i < marks->len; i++) {
        size_t at = (marks->hand + i) % marks->len;
        if (!cs_marks_is_held(marks, &marks->item[at])) return at;
    }
    return marks->len;
}

bool cs_marks_have_room(const cs_marks_t *marks)
{
    return marks->len < CS_REPLICAS_MAX || find_idle(marks) < marks->len;
}

static bool make_room(cs_marks_t *marks)
{
    size_t at = find_idle(marks);
    if (at == marks->len) return false;
    cs_signed_mark_t *mark = &marks->item[at];
    set_limit(marks, mark->rid, 0);
    memmove(mark, mark + 1, (--marks->len - at) * sizeof *mark);
    marks->hand = at + 1;
    marks->displaced++;
    return true;
}

uint64_t cs_marks_displaced(const cs_marks_t *marks)
{
    return marks->displaced;
}

/* The mark of that id, a new one if need be; NULL: there are too many. */
static cs_signed_mark_t *make(cs_marks_t *marks, const uint8_t signer[CS_KEY_BYTES],
                              uint64_t nonce, uint64_t rid)
{
    cs_signed_mark_t *known = find(marks, rid);
    if (known != NULL) return known;
    if (marks->len >= CS_REPLICAS_MAX && !make_room(marks)) return NULL;
    if (marks->len == marks->cap) {
        marks->cap = cs_grow(marks->cap, marks->len + 1);
        marks->item = cs_realloc_array(marks->item, marks->cap, sizeof *marks->item);
    }
    size_t at = place_of(marks, rid);
    cs_signed_mark_t *mark = &marks->item[at];
    memmove(mark + 1, mark, (marks->len - at) * sizeof *mark);
    marks->len++;
    *mark = (cs_signed_mark_t){.rid = rid, .nonce = nonce};
    memcpy(mark->signer, signer, CS_KEY_BYTES);
    return mark;
}

uint64_t cs_marks_rid(const cs_marks_t *marks, uint64_t nonce)
{
    return rid_of(marks, marks->signer, nonce);
}

void cs_marks_become(cs_marks_t *marks, uint64_t nonce)
{
    marks->own = cs_marks_rid(marks, nonce);
    marks->saved_ctr = 0;
    const cs_signed_mark_t *mark = make(marks, marks->signer, nonce, marks->own);
    CS_ASSERT(mark != NULL); /* there is room */
}

/* Of this replica. */
static void sign(const cs_marks_t *marks, const cs_signed_mark_t *mark, uint64_t ctr,
                 uint8_t ret[CS_SIGNATURE_BYTES])
{
    uint8_t digest[CS_HASH_BYTES];
    digest_of(marks, mark->signer, mark->nonce, ctr, digest);
    marks->scheme->sign(marks->seed, marks->signer, digest, ret);
}

void cs_marks_vouch(cs_marks_t *marks, uint64_t ctr)
{
    cs_signed_mark_t *mark = find(marks, marks->own);
    if (mark == NULL || mark->ctr >= ctr) return;
    sign(marks, mark, ctr, mark->signature);
    mark->ctr = ctr;
    mark->unsaved = true;
    set_limit(marks, mark->rid, ctr);
}

cs_err_t cs_marks_learn(cs_marks_t *marks, const cs_msg_mark_t *mark, uint64_t *ret_rid)
{
    uint8_t digest[CS_HASH_BYTES];
    *ret_rid = rid_of(marks, mark->signer, mark->nonce);
    cs_signed_mark_t *known = find(marks, *ret_rid);
    if (known != NULL && known->ctr >= mark->ctr) return CS_OK;
    digest_of(marks, mark->signer, mark->nonce, mark->ctr, digest);
    if (!marks->scheme->check(mark->signer, digest, mark->signature)) return CS_ERR_UNSIGNED;
    known = make(marks, mark->signer, mark->nonce, *ret_rid);
    if (known == NULL) return CS_ERR_LIMIT;
    /* Who makes ids by the billion finds two that are the same: all of one mark goes together.
     */
    known->nonce = mark->nonce;
    memcpy(known->signer, mark->signer, CS_KEY_BYTES);
    memcpy(known->signature, mark->signature, CS_SIGNATURE_BYTES);
    known->ctr = mark->ctr;
    known->unsaved = true;
    set_limit(marks, known->rid, known->ctr);
    return CS_OK;
}

bool cs_marks_cover(const cs_marks_t *marks, const cs_vv_t *vv)
{
    return cs_vv_covers(&marks->limit, vv);
}

bool cs_marks_cover_dot(const cs_marks_t *marks, cs_dot_t dot)
{
    return dot.ctr <= cs_vv_get(&marks->limit, dot.rid);
}

bool cs_marks_cover_entry(const cs_marks_t *marks, const cs_entry_t *entry)
{
    if (!cs_vv_covers(&marks->limit, &entry->ctx)) return false;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        if (!cs_marks_cover_dot(marks, entry->l[i].dot)) return false;
    }
    for (uint32_t i = 0; i < entry->k_len; i++) {
        if (!cs_marks_cover_dot(marks, entry->k[i].dot)) return false;
    }
    for (uint32_t i = 0; i < entry->a_len; i++) {
        if (!cs_marks_cover_dot(marks, entry->a[i].dot)) return false;
    }
    return true;
}

const cs_signed_mark_t *cs_marks_all(const cs_marks_t *marks, size_t *ret_count)
{
    *ret_count = marks->len;
    return marks->item;
}

cs_msg_mark_t cs_marks_msg(const cs_signed_mark_t *mark)
{
    return (cs_msg_mark_t){.nonce = mark->nonce,
                           .ctr = mark->ctr,
                           .signer = mark->signer,
                           .signature = mark->signature};
}

uint64_t cs_marks_version(const cs_marks_t *marks)
{
    return marks->version;
}

/* --- rows: m/mark/<rid> = sealed nonce, ctr, signer, signature */

static void row_key(uint32_t folder, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, folder);
    cs_buf_printf(ret, "m/mark/");
}

static void load_row(cs_marks_t *marks, cs_slice_t value)
{
    cs_slice_t payload;
    if (cs_seal_check(value, &payload) != CS_OK) return;
    cs_reader_t reader = cs_reader(payload);
    cs_msg_mark_t mark = {.nonce = cs_read_u64(&reader), .ctr = cs_read_u64(&reader)};
    mark.signer = cs_read_bytes(&reader, CS_KEY_BYTES).data;
    mark.signature = cs_read_bytes(&reader, CS_SIGNATURE_BYTES).data;
    if (cs_reader_end(&reader) != CS_OK) return;
    uint64_t rid = rid_of(marks, mark.signer, mark.nonce);
    cs_signed_mark_t *to = make(marks, mark.signer, mark.nonce, rid);
    if (to == NULL) return;
    to->kept = true;
    to->ctr = mark.ctr;
    memcpy(to->signature, mark.signature, sizeof to->signature);
    set_limit(marks, rid, mark.ctr);
}

cs_err_t cs_marks_load(cs_marks_t *marks, cs_store_t *store, uint32_t folder)
{
    cs_buf_t prefix = {0};
    row_key(folder, &prefix);
    cs_iter_t *iter = cs_store_iter(store, NULL);
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        if (!cs_slice_has_prefix(cs_iter_key(iter), cs_buf_slice(&prefix))) break;
        load_row(marks, cs_iter_value(iter));
    }
    cs_err_t err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
    return err;
}

bool cs_marks_resume(cs_marks_t *marks, uint64_t rid, uint64_t exposed)
{
    cs_signed_mark_t *mark = find(marks, rid);
    if (mark == NULL || memcmp(mark->signer, marks->signer, CS_KEY_BYTES) != 0) return false;
    marks->own = rid;
    marks->saved_ctr = mark->ctr;
    if (mark->ctr <= exposed) return true;
    mark->ctr = exposed;
    sign(marks, mark, exposed, mark->signature);
    set_limit(marks, rid, exposed);
    return true;
}

static void save(const cs_signed_mark_t *mark, uint64_t ctr,
                 const uint8_t signature[CS_SIGNATURE_BYTES], uint32_t folder, cs_batch_t *ret)
{
    cs_buf_t key = {0}, value = {0};
    row_key(folder, &key);
    cs_buf_put_u64_be(&key, mark->rid);
    cs_buf_put_u64(&value, mark->nonce);
    cs_buf_put_u64(&value, ctr);
    cs_buf_put(&value, mark->signer, CS_KEY_BYTES);
    cs_buf_put(&value, signature, CS_SIGNATURE_BYTES);
    cs_seal_append(&value, 0);
    cs_batch_put(ret, cs_buf_slice(&key), cs_buf_slice(&value));
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

/* Its row covers what was not given away yet, too: after the state record was lost nobody knows
 * any more what was. */
static void save_own(cs_marks_t *marks, cs_signed_mark_t *mark, uint32_t folder, uint64_t ctr,
                     cs_batch_t *ret)
{
    uint8_t signature[CS_SIGNATURE_BYTES];
    if (ctr < mark->ctr) ctr = mark->ctr;
    if (mark->kept && marks->saved_ctr >= ctr) return;
    mark->kept = true;
    mark->unsaved = false;
    marks->saved_ctr = ctr;
    if (ctr > mark->ctr) {
        sign(marks, mark, ctr, signature);
        save(mark, ctr, signature, folder, ret);
    } else {
        save(mark, ctr, mark->signature, folder, ret);
    }
}

void cs_marks_save(cs_marks_t *marks, uint32_t folder, uint64_t ctr, cs_batch_t *ret)
{
    for (size_t i = 0; i < marks->len; i++) {
        cs_signed_mark_t *mark = &marks->item[i];
        if (mark->rid == marks->own) {
            save_own(marks, mark, folder, ctr, ret);
        } else if (mark->unsaved && cs_marks_is_held(marks, mark)) {
            mark->unsaved = false;
            mark->kept = true;
            save(mark, mark->ctr, mark->signature, folder, ret);
        }
    }
}
