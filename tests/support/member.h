/* member.h - a member made by hand: true entries and true bytes, to be told well or badly.
 *
 * It has a replica in memory and all bytes that its entries name, by their names. It runs no
 * machine of ours: what is said in its name is the test's own. */
#ifndef CS_TESTS_MEMBER_H
#define CS_TESTS_MEMBER_H

#include "crdt/replica.h"
#include "xfer/content.h"

typedef struct member_bytes { /* a small content, a chunk, or a node of a list */
    cs_name_t name;
    cs_buf_t bytes;
    bool node;
} member_bytes_t;

typedef struct member_content {
    cs_content_t id;
    cs_name_t root;
    uint32_t depth;
} member_content_t;

typedef struct member {
    cs_keys_t keys;
    cs_chunker_table_t *table;
    cs_replica_t *replica;
    member_bytes_t *bytes;
    size_t bytes_count;
    member_content_t *content;
    size_t content_count;
    uint64_t writes;
} member_t;

void member_init(member_t *member, const uint8_t secret[CS_SECRET_BYTES], uint64_t rid);
void member_fini(member_t *member);

/* Its user writes the file, makes it a link to the bytes, or removes it; scanned at once. */
void member_write(member_t *member, const char *path, cs_slice_t bytes);
void member_link(member_t *member, const char *path, cs_slice_t target);
/* Of bytes that nobody has, this member included. */
void member_claim(member_t *member, const char *path, uint64_t number, uint64_t size);
void member_remove(member_t *member, const char *path);

/* The entry of a path's bucket as it is now in the replica (empty, if there is none), encoded;
 * ret replaced. */
void member_entry(cs_replica_t *replica, const cs_keys_t *keys, const char *path,
                  cs_buf_t *ret);
const member_bytes_t *member_find(const member_t *member, const uint8_t *name);  /* NULL */
const member_content_t *member_map(const member_t *member, const uint8_t *hash); /* NULL */

#endif
