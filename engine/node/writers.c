/* writers.c - who had which replica id. For people only: dots name ids, and people want names,
 * also of members that are away, and of ids that a member gave up.
 *
 * A row m/by/<key> a member: its ids, 8 bytes each, the newest last. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

/* kept of one member; an id is given up with a database or a copied home */
#define IDS_MAX  32u
#define ID_BYTES sizeof(uint64_t)

static void row_key(const cs_folder_t *folder, cs_slice_t member, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, folder->config.number);
    cs_buf_printf(ret, "m/by/");
    cs_buf_put_slice(ret, member);
}

static bool has(cs_slice_t ids, uint64_t rid)
{
    cs_reader_t reader = cs_reader(ids);
    while (cs_reader_left(&reader) >= ID_BYTES) {
        if (cs_read_u64_be(&reader) == rid) return true;
    }
    return false;
}

void cs_folder_met(cs_folder_t *folder, const cs_key_t *key, uint64_t rid)
{
    cs_buf_t row = {0}, ids = {0};
    row_key(folder, cs_slice(key->b, sizeof key->b), &row);
    cs_err_t err = cs_store_get(folder->node->config.store, NULL, cs_buf_slice(&row), &ids);
    bool readable = err == CS_OK || err == CS_ERR_NOT_FOUND;
    if (rid != 0 && readable && !has(cs_buf_slice(&ids), rid)) {
        size_t drop = ids.len >= IDS_MAX * ID_BYTES ? ids.len - (IDS_MAX - 1) * ID_BYTES : 0;
        cs_buf_t kept = {0};
        if (ids.len > drop) cs_buf_put(&kept, ids.data + drop, ids.len - drop);
        cs_buf_put_u64_be(&kept, rid);
        cs_batch_put(&folder->rows, cs_buf_slice(&row), cs_buf_slice(&kept));
        cs_buf_fini(&kept);
    }
    cs_buf_fini(&row);
    cs_buf_fini(&ids);
}

bool cs_node_writer(cs_node_t *node, uint32_t number, uint64_t rid, cs_key_t *ret)
{
    const cs_folder_t *folder = cs__node_folder(node, number);
    if (folder == NULL || rid == 0) return false;
    cs_buf_t prefix = {0};
    row_key(folder, cs_slice_text(""), &prefix);
    cs_iter_t *iter = cs_store_iter(node->config.store, NULL);
    bool found = false;
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); !found && cs_iter_valid(iter);
         cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        found = key.len == prefix.len + sizeof ret->b && has(cs_iter_value(iter), rid);
        if (found) memcpy(ret->b, key.data + prefix.len, sizeof ret->b);
    }
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
    return found;
}
