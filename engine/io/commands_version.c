/* commands_version.c - what commands say of a version of a file: kind, content, who wrote it.
 */
#include <stdio.h>
#include <string.h>

#include "io/commands_internal.h"
#include "io/daemon_shell.h"

const char *cs__kind_text(uint8_t kind)
{
    static const char *const text[] = {
        [CS_KIND_NONE] = "none",
        [CS_KIND_FILE] = "file",
        [CS_KIND_SYMLINK] = "symlink",
        [CS_KIND_DIR] = "dir",
    };
    return kind < CS_COUNT_OF(text) ? text[kind] : "none";
}

int cs__index_failed(cs_ask_t *ask, const cs_mounted_t *folder, cs_err_t err)
{
    return cs__ask_fail(ask, CS_EXIT_FAILED,
                        "cannot read the index of folder %s: %s; see the log of the node",
                        folder->record.id, cs_err_text(err));
}

void cs__put_content(cs_json_t *json, const cs_content_t *content)
{
    cs_json_key(json, "content");
    if (content->kind == CS_KIND_FILE || content->kind == CS_KIND_SYMLINK) {
        cs_json_hex(json, content->hash, CS_HASH_BYTES);
    } else {
        cs_json_text(json, NULL);
    }
}

void cs__put_mode(cs_json_t *json, uint8_t kind, uint16_t mode)
{
    char text[8];
    snprintf(text, sizeof text, "%04o", (unsigned)mode);
    cs_json_put_text(json, "mode", kind == CS_KIND_FILE ? text : NULL);
}

void cs__short_id(const uint8_t *key, char ret[CS_SHORT_ID_TEXT])
{
    cs_hex(ret, key, (CS_SHORT_ID_TEXT - 1) / 2);
}

void cs__peer_name(const cs_daemon_t *daemon, const uint8_t *key, char ret[65])
{
    cs_peer_record_t record = {0};
    cs_buf_t detail = {0};
    cs_err_t err = cs_home_peer_get(daemon->home, key, &record, &detail);
    if (err == CS_OK && record.name != NULL) {
        snprintf(ret, 65, "%s", record.name);
    } else {
        cs__short_id(key, ret);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}

static void name_of_key(const cs_daemon_t *daemon, const uint8_t *key, char ret[65])
{
    if (memcmp(key, daemon->public_key, CS_KEY_BYTES) != 0) {
        cs__peer_name(daemon, key, ret);
        return;
    }
    snprintf(ret, 65, "%s", daemon->shell->settings.node_name);
}

void cs__member_name(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t rid,
                     char ret[65])
{
    cs_key_t writer;
    size_t count = 0;
    const cs_member_t *members = cs_node_members(daemon->node, folder->record.number, &count);
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    for (size_t i = 0; rid != 0 && i < count; i++) {
        bool self = memcmp(members[i].key.b, daemon->public_key, CS_KEY_BYTES) == 0;
        if (rid != (self ? cs_replica_state(replica)->rid : members[i].rid)) continue;
        if (members[i].name[0] != '\0') {
            snprintf(ret, 65, "%s", members[i].name);
        } else {
            cs__peer_name(daemon, members[i].key.b, ret);
        }
        return;
    }
    if (cs_node_writer(daemon->node, folder->record.number, rid, &writer)) {
        name_of_key(daemon, writer.b, ret);
    } else {
        snprintf(ret, 65, "%016llx", (unsigned long long)rid);
    }
}

void cs__item_author(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_item_t *item,
                     char ret[65])
{
    ret[0] = '\0';
    for (uint32_t i = 0; i < item->back_len && ret[0] == '\0'; i++) {
        const cs_back_t *back = &item->back[i];
        cs__member_name(daemon, folder, back->k.rid != 0 ? back->k.rid : back->lin.rid, ret);
    }
}

void cs__put_version(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_item_t *item,
                     cs_json_t *json)
{
    char name[65];
    cs__item_author(daemon, folder, item, name);
    cs__put_content(json, &item->content);
    cs_json_put_u64(json, "size", item->content.size);
    cs_json_put_text(json, "by", name);
}

/* --- writings */

static void put_dot(cs_json_t *json, const char *key, cs_dot_t dot)
{
    char text[CS_DOT_TEXT];
    cs_dot_text(dot, text);
    cs_json_put_text(json, key, text);
}

static void put_by(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_dot_t dot,
                   cs_json_t *json)
{
    char name[65];
    cs__member_name(daemon, folder, dot.rid, name);
    cs_json_put_text(json, "by", name);
}

static const cs_lval_t *best_place(const cs_entry_t *entry, cs_dot_t lin)
{
    const cs_lval_t *best = NULL;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        const cs_lval_t *l = &entry->l[i];
        if (!cs_dot_eq(l->lin, lin) || l->how != CS_MOVE) continue;
        if (best == NULL || l->gen > best->gen) best = l;
    }
    return best;
}

/* What the entry knows of: a dot of it that is not live was superseded or removed. */
static void put_context(cs_json_t *json, const cs_vv_t *context)
{
    const cs_dot_t *slot = cs_vv_slots(context);
    cs_json_key(json, "context");
    cs_json_begin(json, '[');
    for (uint32_t i = 0; i < context->len; i++) {
        char text[CS_DOT_TEXT];
        cs_dot_text(slot[i], text);
        cs_json_text(json, text);
    }
    cs_json_end(json, ']');
}

void cs__put_writing(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_back_t *back,
                     cs_json_t *json)
{
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    cs_entry_t entry;
    cs_entry_init(&entry, &back->bucket);
    if (cs_replica_get(replica, &back->bucket, &entry) != CS_OK) return;
    const cs_kval_t *k = cs_entry_find_k(&entry, back->k);
    const cs_lval_t *move = best_place(&entry, back->lin);
    cs_dot_t dot = k != NULL ? k->dot : move != NULL ? move->dot : back->lin;
    cs_json_begin(json, '{');
    put_dot(json, "dot", dot);
    put_dot(json, "lineage", back->lin);
    put_by(daemon, folder, dot, json);
    if (k != NULL) {
        cs_json_put_u64(json, "height", k->gen);
        cs_json_put_path(json, "written_at", cs_slice_str(k->path));
    }
    if (move != NULL) {
        cs_json_key(json, "moved");
        cs_json_begin(json, '{');
        if (k != NULL && !cs_str_eq(k->path, move->path)) {
            cs_json_put_path(json, "from", cs_slice_str(k->path));
        }
        cs_json_put_path(json, "to", cs_slice_str(move->path));
        put_dot(json, "dot", move->dot);
        put_by(daemon, folder, move->dot, json);
        cs_json_put_u64(json, "height", move->gen);
        cs_json_end(json, '}');
    }
    put_context(json, &entry.ctx);
    cs_json_end(json, '}');
    cs_entry_fini(&entry);
}
