/* content.c - names of bytes, and the streaming hasher: chunks as they end. */
#include "xfer/content.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "xfer/chunker.h"
#include "xfer/list.h"

struct cs_chunker_table {
    uint64_t gear[256];
    uint8_t chunk_key[32], file_key[32], list_key[32];
    EVP_MD *sha256; /* fetched once: a fetch by name costs as much as hashing 4 KiB */
};

struct cs_content_hasher {
    const cs_chunker_table_t *table;
    cs_content_sink_t sink;
    EVP_MD_CTX *sha; /* of the current chunk */
    cs_chunker_t chunker;
    uint64_t size;  /* bytes so far */
    uint64_t start; /* offset of the current chunk */
    cs_list_t list;
    uint32_t zeros_len; /* of a chunk that is cut from many zeros; 0: not known yet */
    cs_name_t zeros;    /* its name */
};

#define ZEROS_BYTES (64u << 10) /* handed over at once */

cs_chunker_table_t *cs_chunker_table_new(const cs_keys_t *keys)
{
    cs_chunker_table_t *table = cs_calloc(1, sizeof *table);
    cs_gear_derive(keys->gear, table->gear);
    memcpy(table->chunk_key, keys->chunk, sizeof table->chunk_key);
    memcpy(table->file_key, keys->file, sizeof table->file_key);
    memcpy(table->list_key, keys->list, sizeof table->list_key);
    table->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    CS_ASSERT(table->sha256 != NULL);
    return table;
}

void cs_chunker_table_destroy(cs_chunker_table_t **table_p)
{
    cs_chunker_table_t *table = *table_p;
    *table_p = NULL;
    if (table == NULL) return;
    EVP_MD_free(table->sha256);
    sodium_memzero(table, sizeof *table);
    cs_free(table);
}

static void name_of_digest(const uint8_t *key, const uint8_t *digest, cs_name_t *ret)
{
    cs_slice_t part = cs_slice(digest, 32);
    cs_hash(ret->b, sizeof ret->b, key, 32, &part, 1);
}

static void name_of(const cs_chunker_table_t *table, const uint8_t *key, cs_slice_t bytes,
                    cs_name_t *ret)
{
    uint8_t digest[32];
    int ok = EVP_Digest(bytes.data, bytes.len, digest, NULL, table->sha256, NULL);
    CS_ASSERT(ok == 1);
    name_of_digest(key, digest, ret);
}

void cs_chunk_name(const cs_chunker_table_t *table, cs_slice_t bytes, cs_name_t *ret)
{
    name_of(table, table->chunk_key, bytes, ret);
}

void cs_node_name(const cs_chunker_table_t *table, cs_slice_t bytes, cs_name_t *ret)
{
    name_of(table, table->list_key, bytes, ret);
}

void cs_content_from_root(const cs_chunker_table_t *table, uint64_t size, const cs_name_t *root,
                          cs_content_t *ret)
{
    uint8_t size_le[8];
    for (size_t i = 0; i < sizeof size_le; i++) {
        size_le[i] = (uint8_t)(size >> (8 * i));
    }
    cs_slice_t parts[] = {cs_slice(size_le, sizeof size_le), cs_slice(root->b, sizeof root->b)};
    *ret = (cs_content_t){.kind = CS_KIND_FILE, .size = size};
    cs_hash(ret->hash, sizeof ret->hash, table->file_key, 32, parts, CS_COUNT_OF(parts));
}

void cs_content_of(const cs_chunker_table_t *table, cs_kind_t kind, cs_slice_t bytes,
                   cs_content_t *ret)
{
    CS_ASSERT(kind == CS_KIND_FILE || kind == CS_KIND_SYMLINK);
    if (kind == CS_KIND_SYMLINK) {
        *ret = (cs_content_t){.kind = CS_KIND_SYMLINK, .size = bytes.len};
        cs_hash(ret->hash, sizeof ret->hash, table->file_key, 32, &bytes, 1);
        return;
    }
    if (bytes.len <= CS_CHUNK_MIN) { /* never split: no need of a hasher */
        cs_name_t root;
        cs_chunk_name(table, bytes, &root);
        cs_content_from_root(table, bytes.len, &root, ret);
        return;
    }
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_update(hasher, bytes);
    cs_content_hasher_end(hasher, ret);
    cs_content_hasher_destroy(&hasher);
}

bool cs_content_is_small(const cs_content_t *content)
{
    return content->kind == CS_KIND_SYMLINK ||
           (content->kind == CS_KIND_FILE && content->size < CS_CHUNK_MIN);
}

bool cs_name_eq(const cs_name_t *a, const cs_name_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* --- streaming */

cs_content_hasher_t *cs_content_hasher_new(const cs_chunker_table_t *table)
{
    cs_content_hasher_t *hasher = cs_calloc(1, sizeof *hasher);
    hasher->table = table;
    hasher->sha = EVP_MD_CTX_new();
    CS_ASSERT(hasher->sha != NULL);
    cs_content_hasher_begin(hasher, NULL);
    return hasher;
}

void cs_content_hasher_destroy(cs_content_hasher_t **hasher_p)
{
    cs_content_hasher_t *hasher = *hasher_p;
    *hasher_p = NULL;
    if (hasher == NULL) return;
    EVP_MD_CTX_free(hasher->sha);
    cs_list_fini(&hasher->list);
    cs_free(hasher);
}

static void chunk_begin(cs_content_hasher_t *hasher)
{
    int ok = EVP_DigestInit_ex2(hasher->sha, hasher->table->sha256, NULL);
    CS_ASSERT(ok == 1);
    hasher->start = hasher->size;
}

void cs_content_hasher_begin(cs_content_hasher_t *hasher, const cs_content_sink_t *sink)
{
    hasher->sink = sink != NULL ? *sink : (cs_content_sink_t){0};
    hasher->chunker = (cs_chunker_t){0};
    hasher->size = 0;
    cs_list_begin(&hasher->list, hasher->table, hasher->sink.arg, hasher->sink.node);
    chunk_begin(hasher);
}

static void chunk_is(cs_content_hasher_t *hasher, const cs_name_t *name)
{
    uint32_t len = (uint32_t)(hasher->size - hasher->start);
    if (hasher->sink.chunk != NULL) {
        hasher->sink.chunk(hasher->sink.arg, name, hasher->start, len);
    }
    cs_list_add(&hasher->list, len, name);
}

static void chunk_end(cs_content_hasher_t *hasher, cs_name_t *ret)
{
    uint8_t digest[32];
    int ok = EVP_DigestFinal_ex(hasher->sha, digest, NULL);
    CS_ASSERT(ok == 1);
    name_of_digest(hasher->table->chunk_key, digest, ret);
    chunk_is(hasher, ret);
}

size_t cs_content_hasher_cut(cs_content_hasher_t *hasher, cs_slice_t bytes, bool *ret_cut)
{
    return cs_chunker_take(&hasher->chunker, hasher->table->gear, bytes.data, bytes.len,
                           ret_cut);
}

void cs_content_hasher_digest(cs_content_hasher_t *hasher, cs_slice_t bytes, bool cut)
{
    int ok = EVP_DigestUpdate(hasher->sha, bytes.data, bytes.len);
    CS_ASSERT(ok == 1);
    hasher->size += bytes.len;
    if (!cut) return;
    cs_name_t name;
    chunk_end(hasher, &name);
    chunk_begin(hasher);
}

/* Up to the end of the current chunk. Returns how many bytes were taken. */
static size_t take(cs_content_hasher_t *hasher, cs_slice_t bytes)
{
    bool cut;
    size_t taken = cs_content_hasher_cut(hasher, bytes, &cut);
    cs_content_hasher_digest(hasher, cs_slice(bytes.data, taken), cut);
    return taken;
}

void cs_content_hasher_update(cs_content_hasher_t *hasher, cs_slice_t bytes)
{
    while (bytes.len > 0) {
        size_t taken = take(hasher, bytes);
        bytes = cs_slice(bytes.data + taken, bytes.len - taken);
    }
}

uint32_t cs_zeros_chunk(const cs_chunker_table_t *table, cs_name_t *ret)
{
    uint8_t *zeros = cs_calloc(1, CS_CHUNK_MAX);
    cs_chunker_t chunker = {0};
    bool cut;
    size_t len = cs_chunker_take(&chunker, table->gear, zeros, CS_CHUNK_MAX, &cut);
    CS_ASSERT(cut);
    cs_chunk_name(table, cs_slice(zeros, len), ret);
    cs_free(zeros);
    return (uint32_t)len;
}

bool cs_chunk_is_whole(const cs_chunker_table_t *table, cs_slice_t bytes, bool last)
{
    cs_chunker_t chunker = {0};
    bool cut;
    size_t taken = cs_chunker_take(&chunker, table->gear, bytes.data, bytes.len, &cut);
    return taken == bytes.len && (cut || last);
}

/* Only what has that many zeros, or a chunk as long, needs to know. */
static void know_zeros(cs_content_hasher_t *hasher, uint64_t len)
{
    if (len < CS_CHUNK_MAX || hasher->zeros_len != 0) return;
    hasher->zeros_len = cs_zeros_chunk(hasher->table, &hasher->zeros);
}

static void zeros_chunk(cs_content_hasher_t *hasher)
{
    hasher->size += hasher->zeros_len;
    chunk_is(hasher, &hasher->zeros);
    if (hasher->sink.zeros != NULL) {
        hasher->sink.zeros(hasher->sink.arg, hasher->zeros_len);
    }
    hasher->start = hasher->size;
}

void cs_content_hasher_chunk(cs_content_hasher_t *hasher, const cs_name_t *name, uint32_t len)
{
    CS_ASSERT(hasher->size == hasher->start);
    know_zeros(hasher, len);
    if (len == hasher->zeros_len && cs_name_eq(name, &hasher->zeros)) {
        zeros_chunk(hasher);
        return;
    }
    hasher->size += len;
    chunk_is(hasher, name);
    hasher->start = hasher->size;
}

void cs_content_hasher_zeros(cs_content_hasher_t *hasher, uint64_t len)
{
    static const uint8_t zeros[ZEROS_BYTES];
    know_zeros(hasher, len);
    while (len > 0) {
        uint64_t taken = len < ZEROS_BYTES ? len : ZEROS_BYTES;
        bool whole = hasher->size == hasher->start && len >= CS_CHUNK_MAX;
        if (whole) {
            taken = hasher->zeros_len;
            zeros_chunk(hasher);
        } else {
            taken = take(hasher, cs_slice(zeros, (size_t)taken));
        }
        len -= taken;
    }
}

void cs_content_hasher_end(cs_content_hasher_t *hasher, cs_content_t *ret)
{
    cs_name_t name;
    if (hasher->size > hasher->start || hasher->size == 0) chunk_end(hasher, &name);
    uint32_t depth = cs_list_end(&hasher->list, &name);
    cs_content_from_root(hasher->table, hasher->size, &name, ret);
    if (hasher->sink.root != NULL) {
        hasher->sink.root(hasher->sink.arg, ret, &name, depth);
    }
}
