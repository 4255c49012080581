/* member.c - see member.h. */
#include "support/member.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void must(bool condition)
{
    if (!condition) abort();
}

void member_init(member_t *member, const uint8_t secret[CS_SECRET_BYTES], uint64_t rid)
{
    *member = (member_t){.writes = 1};
    cs_keys_derive(&member->keys, secret);
    member->table = cs_chunker_table_new(&member->keys);
    cs_replica_config_t config = {.keys = member->keys, .fresh_rid = rid};
    cs_open_result_t result;
    must(cs_replica_open(&config, &member->replica, &result) == CS_OK);
}

void member_fini(member_t *member)
{
    for (size_t i = 0; i < member->bytes_count; i++) {
        cs_buf_fini(&member->bytes[i].bytes);
    }
    cs_free(member->bytes);
    cs_free(member->content);
    cs_replica_destroy(&member->replica);
    cs_chunker_table_destroy(&member->table);
}

const member_bytes_t *member_find(const member_t *member, const uint8_t *name)
{
    for (size_t i = 0; i < member->bytes_count; i++) {
        if (memcmp(member->bytes[i].name.b, name, sizeof member->bytes[i].name.b) == 0)
            return &member->bytes[i];
    }
    return NULL;
}

const member_content_t *member_map(const member_t *member, const uint8_t *hash)
{
    for (size_t i = 0; i < member->content_count; i++) {
        if (memcmp(member->content[i].id.hash, hash, sizeof member->content[i].id.hash) == 0)
            return &member->content[i];
    }
    return NULL;
}

/* --- contents */

static void keep_bytes(member_t *member, const uint8_t *name, cs_slice_t bytes, bool node)
{
    if (member_find(member, name) != NULL) return;
    member->bytes =
        cs_realloc_array(member->bytes, member->bytes_count + 1, sizeof *member->bytes);
    member_bytes_t *kept = &member->bytes[member->bytes_count++];
    *kept = (member_bytes_t){.node = node};
    memcpy(kept->name.b, name, sizeof kept->name.b);
    cs_buf_put_slice(&kept->bytes, bytes);
}

typedef struct cut {
    member_t *member;
    cs_slice_t bytes;
} cut_t;

static void keep_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    const cut_t *cut = arg;
    keep_bytes(cut->member, name->b, cs_slice(cut->bytes.data + offset, len), false);
}

static void keep_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    const cut_t *cut = arg;
    keep_bytes(cut->member, name->b, bytes, true);
}

static void keep_root(void *arg, const cs_content_t *content, const cs_name_t *root,
                      uint32_t depth)
{
    member_t *member = ((const cut_t *)arg)->member;
    if (member_map(member, content->hash) != NULL) return;
    member->content =
        cs_realloc_array(member->content, member->content_count + 1, sizeof *member->content);
    member->content[member->content_count++] =
        (member_content_t){.id = *content, .root = *root, .depth = depth};
}

static void keep_content(member_t *member, cs_kind_t kind, cs_slice_t bytes, cs_content_t *ret)
{
    cs_content_of(member->table, kind, bytes, ret);
    if (cs_content_is_small(ret)) {
        keep_bytes(member, ret->hash, bytes, false);
        return;
    }
    cut_t cut = {member, bytes};
    cs_content_sink_t sink = {
        .arg = &cut, .chunk = keep_chunk, .node = keep_node, .root = keep_root};
    cs_content_hasher_t *hasher = cs_content_hasher_new(member->table);
    cs_content_t again;
    cs_content_hasher_begin(hasher, &sink);
    cs_content_hasher_update(hasher, bytes);
    cs_content_hasher_end(hasher, &again);
    cs_content_hasher_destroy(&hasher);
}

/* --- its user */

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    (void)err;
    abort();
}

static void scan(member_t *member, const char *path, const cs_content_t *content)
{
    cs_item_t row = {0};
    cs_sighting_t sighting = {.path = cs_slice_text(path), .mode = 0644};
    bool known = cs_replica_base(member->replica, sighting.path, &row) == CS_OK, stage_now;
    cs_item_fini(&row);
    sighting.what = content == NULL ? CS_SAW_VANISHED
                    : known         ? CS_SAW_MODIFIED
                                    : CS_SAW_APPEARED;
    if (content != NULL) {
        uint64_t number = ++member->writes;
        sighting.content = *content;
        sighting.print = (cs_print_t){.dev = 1, .ino = number, .size = content->size};
    }
    cs_scan_result_t result;
    cs_replica_scan_begin(member->replica, refused, NULL);
    must(cs_replica_scan_add(member->replica, &sighting, &stage_now) == CS_OK);
    must(cs_replica_scan_commit(member->replica, &result) == CS_OK);
}

void member_write(member_t *member, const char *path, cs_slice_t bytes)
{
    cs_content_t content;
    keep_content(member, CS_KIND_FILE, bytes, &content);
    scan(member, path, &content);
}

void member_link(member_t *member, const char *path, cs_slice_t target)
{
    cs_content_t content;
    keep_content(member, CS_KIND_SYMLINK, target, &content);
    scan(member, path, &content);
}

void member_claim(member_t *member, const char *path, uint64_t number, uint64_t size)
{
    cs_content_t content = {.kind = CS_KIND_FILE, .size = size};
    memcpy(content.hash, &number, sizeof number);
    scan(member, path, &content);
}

void member_remove(member_t *member, const char *path)
{
    scan(member, path, NULL);
}

void member_entry(cs_replica_t *replica, const cs_keys_t *keys, const char *path, cs_buf_t *ret)
{
    cs_bucket_t bucket;
    cs_entry_t entry;
    cs_bucket_of(keys, cs_slice_text(path), &bucket);
    cs_entry_init(&entry, &bucket);
    must(cs_replica_get(replica, &bucket, &entry) == CS_OK);
    cs_buf_clear(ret);
    cs_entry_encode(&entry, ret);
    cs_entry_fini(&entry);
}
