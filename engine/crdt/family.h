/* family.h - names of siblings, and the paths that may compete for them (core.md 4, sib()).
 *
 *   basename - conflict tags  =  stem + ext
 *   r.conflict-0123abcd.txt  ->  r.txt  ->  r, .txt
 *
 * A sibling's name has the same stem and extension as the path it stands for, and so has every
 * path that may be in its way. So the projection falls apart into families: paths in one
 * directory with one stem and extension. Tags are removed until none is left, which makes this
 * exact: a sibling's name is always in the family of its path. Names above CS_STEM_FULL bytes,
 * whose stem may have to be cut, form a family with all long names that begin alike. */
#ifndef CS_CRDT_FAMILY_H
#define CS_CRDT_FAMILY_H

#include "base/limits.h"
#include "crdt/entry.h"

#define CS_EXT_MAX 64u /* bytes; a longer tail after the last dot is part of the stem */
#define CS_STEM_FULL \
    160u /* bytes of a basename without tags that are never cut, with room to spare */
#define CS_STEM_CUT \
    100u /* bytes that all long names of a family share; every cut leaves more */

typedef struct cs_family {
    cs_slice_t dir;            /* with its '/'; borrowed from the path */
    uint8_t name[CS_NAME_MAX]; /* basename without tags; of a long one the first CS_STEM_CUT
                                  bytes */
    uint16_t name_len, stem_len;
    bool is_long;
} cs_family_t;

void cs_family_of(cs_slice_t path, cs_family_t *ret);
bool cs_family_is_tagged(cs_slice_t path); /* its basename has a conflict tag */
bool cs_family_has(const cs_family_t *family, cs_slice_t path);

/* Appends the i-th prefix (0..) that members of the family begin with, all but `dir name`
 * itself if that is apart; false: there is no further one. No path begins with two of them. */
bool cs_family_name_is_apart(const cs_family_t *family);
bool cs_family_prefix(const cs_family_t *family, uint32_t i, cs_buf_t *ret);

/* The path that stands for the family: without tags. Of a long name, `path` itself. Replaces
 * ret. */
void cs_family_path(const cs_family_t *family, cs_slice_t path, cs_buf_t *ret);

/* A key equal for all members of a family, different between families. Replaces ret. */
void cs_family_key(const cs_family_t *family, cs_buf_t *ret);

/* sib(path, content, digits), with "~again" behind the tag if again > 0. The tag of a content
 * costs a hash; a name made of it does not. */
cs_str_t *cs_sibling_name(cs_slice_t path, const cs_content_t *content, uint32_t digits,
                          uint32_t again);
#define CS_SIBLING_TAG_BYTES 16u
void cs_sibling_tag(const cs_content_t *content, uint8_t ret[CS_SIBLING_TAG_BYTES]);
cs_str_t *cs_sibling_tagged(cs_slice_t path, const uint8_t tag[CS_SIBLING_TAG_BYTES],
                            uint32_t digits, uint32_t again);

#endif
