/* speech.c - see speech.h. */
#include "support/speech.h"

#include <string.h>

#include "support/member.h"

void speech_fini(speech_t *speech)
{
    cs_buf_fini(&speech->packed);
    cs_buf_fini(&speech->vector);
    cs_buf_fini(&speech->heard);
    cs_buf_fini(&speech->digests);
    cs_buf_fini(&speech->symbols);
}

/* --- parts of messages */

static cs_slice_t seen_of(speech_t *speech)
{
    cs_vv_t vv = {0};
    cs_err_t err = CS_OK;
    uint8_t how = cs_read_u8(&speech->feed);
    cs_buf_clear(&speech->vector);
    if (how % 4 == 0) return feed_bytes(&speech->feed);
    if (how % 2 == 0) cs_vv_copy(&vv, &cs_replica_state(speech->replica)->seen);
    if (how % 4 != 2) err = cs_vv_merge(&vv, speech->seen);
    if (how >= 128 && err == CS_OK) {
        uint64_t rid = 1 + cs_read_u8(&speech->feed), ctr = 1 + cs_read_u8(&speech->feed);
        err = cs_vv_raise(&vv, (cs_dot_t){rid, ctr == 256 ? UINT64_MAX : ctr});
    }
    if (err == CS_OK) cs_vv_encode(&vv, &speech->vector);
    cs_vv_fini(&vv);
    return cs_buf_slice(&speech->vector);
}

static const uint8_t *root_of(speech_t *speech, uint64_t *ret_n)
{
    const cs_state_t *state = cs_replica_state(speech->replica);
    uint8_t how = cs_read_u8(&speech->feed);
    memset(speech->root, how < 128 ? 0 : how, sizeof speech->root);
    if (how % 4 == 1) memcpy(speech->root, state->root, sizeof speech->root);
    *ret_n = how % 4 == 1 ? state->n : how % 3 == 0 ? 0 : cs_read_u32(&speech->feed);
    return speech->root;
}

/* Entries of the pool, of this replica, and of the input. */
static cs_msg_entries_t entries_of(speech_t *speech)
{
    uint32_t count = cs_read_u8(&speech->feed) % 8;
    cs_buf_t own = {0};
    cs_buf_clear(&speech->packed);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t which = cs_read_u8(&speech->feed);
        cs_slice_t entry;
        if (which % 4 == 0) {
            entry = feed_bytes(&speech->feed);
        } else if (which % 4 == 1) {
            member_entry(speech->replica, speech->keys, speech->name[which % speech->names],
                         &own);
            entry = cs_buf_slice(&own);
        } else {
            entry = cs_buf_slice(&speech->entry[which % speech->entries]);
        }
        cs_packed_put(&speech->packed, entry);
    }
    cs_buf_fini(&own);
    return (cs_msg_entries_t){count, cs_buf_slice(&speech->packed)};
}

static void digest_of(const cs_keys_t *keys, cs_slice_t bytes, uint8_t ret[CS_DIGEST_BYTES])
{
    cs_entry_t entry = {0};
    cs_entry_digest_t digest = {{0}, {0}};
    if (cs_entry_decode(bytes, &entry) == CS_OK) cs_entry_hash(keys, &entry, &digest);
    memcpy(ret, digest.item, CS_DIGEST_BYTES);
    cs_entry_fini(&entry);
}

static int digest_order(const void *a, const void *b)
{
    return memcmp(a, b, CS_DIGEST_BYTES);
}

/* Mostly in order, as lists have to be. */
static cs_msg_packed_t digests_of(speech_t *speech, uint32_t max)
{
    uint8_t how = cs_read_u8(&speech->feed);
    uint32_t count = how % (max + 1);
    cs_buf_t own = {0};
    cs_buf_clear(&speech->digests);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t which = cs_read_u8(&speech->feed), digest[CS_DIGEST_BYTES];
        memset(digest, which, sizeof digest);
        if (which % 4 == 1) {
            member_entry(speech->replica, speech->keys,
                         which < 128 ? speech->own : speech->name[0], &own);
            digest_of(speech->keys, cs_buf_slice(&own), digest);
        } else if (which % 4 != 0) {
            digest_of(speech->keys, cs_buf_slice(&speech->entry[which % speech->entries]),
                      digest);
        }
        cs_buf_put(&speech->digests, digest, sizeof digest);
    }
    if (how < 200 && count > 1) {
        qsort(speech->digests.data, count, CS_DIGEST_BYTES, digest_order);
    }
    cs_buf_fini(&own);
    return (cs_msg_packed_t){cs_buf_slice(&speech->digests)};
}

static cs_msg_snap_t snap_of(speech_t *speech)
{
    cs_msg_snap_t snap = {.present = cs_read_u8(&speech->feed) % 2 == 1};
    if (!snap.present) return snap;
    snap.root = root_of(speech, &snap.n);
    snap.seen = seen_of(speech);
    return snap;
}

/* --- messages */

static void fill_hello(speech_t *speech, cs_msg_hello_t *hello)
{
    uint8_t *key = speech->key;
    uint64_t n;
    hello->rid = cs_read_u8(&speech->feed);
    hello->nonce = cs_read_u8(&speech->feed);
    uint8_t how = cs_read_u8(&speech->feed);
    hello->caps = CS_CAP_LIST | ((how & 16) != 0 ? 0 : CS_CAP_SYMBOLS);
    hello->answer = how % 2 == 1;
    if (how % 8 >= 6) {
        cs_buf_clear(&speech->heard);
        cs_vv_encode(speech->seen, &speech->heard);
        hello->heard = cs_buf_slice(&speech->heard);
    }
    hello->members_hash = root_of(speech, &n);
    hello->seen = seen_of(speech);
    key[0] = cs_read_u8(&speech->feed);
    speech->member = (cs_msg_member_t){.key = key, .name = cs_slice_text("x"), .rid = key[0]};
    hello->members = (cs_msg_members_t){&speech->member, key[0] % 2};
}

static void fill_have(speech_t *speech, cs_msg_have_t *have)
{
    uint8_t *key = speech->key;
    have->root = root_of(speech, &have->n);
    have->delta = seen_of(speech);
    memset(speech->hash, 0, sizeof speech->hash);
    if (cs_read_u8(&speech->feed) % 2 == 1) {
        cs_hash(speech->hash, CS_DIGEST_BYTES, speech->keys->item, sizeof speech->keys->item,
                &have->delta, 1);
    }
    have->seen_hash = speech->hash;
    have->stamp = cs_read_u8(&speech->feed);
    have->applied = have->stamp % 2 == 1;
    key[0] = cs_read_u8(&speech->feed) % 8;
    speech->report = (cs_msg_report_t){
        .key = key, .root = speech->report_root, .stamp = have->stamp, .n = key[0]};
    have->reports = &speech->report;
    have->report_count = have->stamp % 3 == 0 ? 1 : 0;
}

/* Those of a few digests, from the first on; or anything. */
static void fill_syms(speech_t *speech, cs_msg_syms_t *syms)
{
    uint8_t how = cs_read_u8(&speech->feed);
    syms->snap = snap_of(speech);
    syms->start = how % 8 < 6 ? 0 : 16;
    if (how % 2 == 0) {
        syms->n = cs_read_u8(&speech->feed);
        syms->symbols = feed_bytes(&speech->feed);
        return;
    }
    cs_slice_t digests = digests_of(speech, 8).packed;
    const uint8_t *digest;
    cs_symbols_t symbols;
    cs_symbols_init(&symbols, 32);
    syms->n = digests.len / CS_DIGEST_BYTES;
    while (cs_digest_next(&digests, &digest))
        cs_symbols_put(&symbols, speech->keys->sym, digest);
    cs_buf_clear(&speech->symbols);
    cs_symbols_encode(symbols.at + syms->start, 16, syms->start, syms->n, &speech->symbols);
    syms->symbols = cs_buf_slice(&speech->symbols);
    cs_symbols_fini(&symbols);
}

static void fill_exchange(speech_t *speech, cs_msg_t *msg)
{
    switch ((unsigned)msg->type) {
    case CS_MSG_RECON_REQ:
        msg->u.recon_req.method = cs_read_u8(&speech->feed) % 4;
        msg->u.recon_req.snap = snap_of(speech);
        if (msg->u.recon_req.method != CS_RECON_SYMBOLS) break;
        msg->u.recon_req.part_bits = cs_read_u8(&speech->feed) % 20;
        msg->u.recon_req.part_index = cs_read_u8(&speech->feed);
        break;
    case CS_MSG_CREDIT:
        msg->u.credit.up_to = cs_read_u8(&speech->feed);
        msg->u.credit.stop = cs_read_u8(&speech->feed) % 4 == 0;
        break;
    case CS_MSG_SYMS:
        fill_syms(speech, &msg->u.syms);
        break;
    case CS_MSG_WANT:
    case CS_MSG_GONE:
        msg->u.want = digests_of(speech, 8);
        break;
    case CS_MSG_LIST_REQ:
        msg->u.list_req = digests_of(speech, 1);
        break;
    case CS_MSG_FIN:
        msg->u.fin.status = cs_read_u8(&speech->feed) % 4;
        break;
    case CS_MSG_LIST:
        msg->u.list.last = cs_read_u8(&speech->feed) % 4 != 0;
        msg->u.list.snap = snap_of(speech);
        msg->u.list.digests = digests_of(speech, 8).packed;
        break;
    case CS_MSG_PUSH:
    case CS_MSG_PUSH_REPLY:
        msg->u.push = entries_of(speech);
        break;
    case CS_MSG_ENTRIES:
        msg->u.entries.hops = cs_read_u8(&speech->feed) % 8;
        msg->u.entries.last = cs_read_u8(&speech->feed) % 2 == 1;
        msg->u.entries.snap = snap_of(speech);
        msg->u.entries.entries = entries_of(speech);
        break;
    }
}

void speech_make(speech_t *speech, cs_msg_type_t type, uint8_t how, cs_msg_t *ret)
{
    *ret = (cs_msg_t){.type = type};
    memcpy(ret->tag, speech->keys->tag, sizeof ret->tag);
    if (type == CS_MSG_HELLO) {
        fill_hello(speech, &ret->u.hello);
    } else if (type == CS_MSG_HAVE) {
        fill_have(speech, &ret->u.have);
    } else {
        fill_exchange(speech, ret);
        if ((how & 2) != 0) ret->flags = CS_FLAG_INITIATOR;
        if ((how & 4) != 0 && type != CS_MSG_ENTRIES) {
            speech->xid = 7;
            speech->seq = 0;
        }
        ret->xid = (how & 8) != 0 ? 0 : speech->xid;
        ret->seq = (how & 16) != 0 ? cs_read_u8(&speech->feed) : ++speech->seq;
    }
}
