/* entry_fuzz.c - bytes from outside as an entry: refused, or exactly what encodes to them. */
#include "base/digest.h"
#include "crdt/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_join(const cs_entry_t *entry)
{
    cs_entry_t joined = {0}, stripped = {0};
    cs_dot_t reuse;
    cs_err_t err = cs_entry_join(entry, NULL, entry, NULL, &joined, &reuse);
    CS_ASSERT(err == CS_OK);
    CS_ASSERT(cs_dot_is_null(reuse));
    CS_ASSERT(cs_entry_live_eq(entry, &joined) && cs_vv_eq(&entry->ctx, &joined.ctx));

    cs_entry_copy(&stripped, entry);
    cs_entry_strip(&stripped);
    err = cs_entry_join(&stripped, &entry->ctx, entry, NULL, &joined, NULL);
    CS_ASSERT(err == CS_OK);
    CS_ASSERT(cs_entry_live_eq(entry, &joined));
    cs_entry_fini(&stripped);
    cs_entry_fini(&joined);
}

static void check_encoding(const cs_entry_t *entry, cs_slice_t bytes)
{
    cs_buf_t again = {0};
    cs_entry_encode(entry, &again);
    CS_ASSERT(cs_slice_eq(cs_buf_slice(&again), bytes));
    CS_ASSERT(cs_entry_fits(entry));
    cs_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const cs_keys_t keys;
    cs_entry_t entry = {0};
    if (cs_entry_decode(cs_slice(data, size), &entry) == CS_OK) {
        cs_entry_digest_t digest;
        cs_entry_hash(&keys, &entry, &digest);
        check_encoding(&entry, cs_slice(data, size));
        check_join(&entry);
    } else {
        CS_ASSERT(cs_entry_is_dead(&entry) && entry.ctx.len == 0);
    }
    cs_entry_fini(&entry);
    return 0;
}
