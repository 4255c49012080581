/* family.c - see family.h. */
#include "crdt/family.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define MARK       ".conflict-"
#define MARK_BYTES 10u
#define TAG_MIN    8u
#define TAG_MAX    20u
#define AGAIN_MAX  10u /* digits of the number behind '~' */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Where a tag that ends at `end` begins; `end` if there is none, or nothing before it. */
static size_t tag_start(const uint8_t *name, size_t end)
{
    size_t i = end;
    while (i > 0 && end - i < AGAIN_MAX && is_digit(name[i - 1])) {
        i--;
    }
    if (i > 0 && i < end && name[i - 1] == '~') {
        i--;
    } else {
        i = end;
    }
    size_t hex_end = i;
    while (i > 0 && is_hex(name[i - 1])) {
        i--;
    }
    size_t digits = hex_end - i;
    if (digits < TAG_MIN || digits > TAG_MAX || i <= MARK_BYTES) return end;
    i -= MARK_BYTES;
    return memcmp(name + i, MARK, MARK_BYTES) == 0 ? i : end;
}

/* Bytes before the extension. */
static size_t stem_of(const uint8_t *name, size_t len)
{
    for (size_t i = len; i > 1; i--) {
        if (len - i >= CS_EXT_MAX) break;
        if (name[i - 1] == '.') return i - 1;
    }
    return len;
}

static bool maybe_tagged(const uint8_t *name, size_t len)
{
    for (size_t i = 1; i + MARK_BYTES + TAG_MIN <= len; i++) {
        if (name[i] == '.' && memcmp(name + i, MARK, MARK_BYTES) == 0) return true;
    }
    return false;
}

/* Remove tags in place: at the end, else before the extension, until there is none. */
static size_t strip(uint8_t *name, size_t len)
{
    if (!maybe_tagged(name, len)) return len;
    for (;;) {
        size_t start = tag_start(name, len);
        if (start < len) {
            len = start;
            continue;
        }
        size_t stem = stem_of(name, len);
        start = tag_start(name, stem);
        if (start == stem) return len;
        memmove(name + start, name + stem, len - stem);
        len -= stem - start;
    }
}

static size_t base_start(cs_slice_t path)
{
    size_t i = path.len;
    while (i > 0 && path.data[i - 1] != '/') {
        i--;
    }
    return i;
}

bool cs_family_is_tagged(cs_slice_t path)
{
    size_t start = base_start(path), len = path.len - start;
    uint8_t name[CS_NAME_MAX];
    if (len > CS_NAME_MAX || !maybe_tagged(path.data + start, len)) return false;
    memcpy(name, path.data + start, len);
    return strip(name, len) < len;
}

void cs_family_of(cs_slice_t path, cs_family_t *ret)
{
    size_t start = base_start(path), len = path.len - start;
    if (len > CS_NAME_MAX) {
        len = CS_NAME_MAX; /* cs_path_check has refused such; be safe anyway */
    }
    ret->dir = cs_slice(path.data, start);
    if (len > 0) memcpy(ret->name, path.data + start, len);
    len = strip(ret->name, len);
    ret->is_long = len > CS_STEM_FULL;
    if (ret->is_long) len = CS_STEM_CUT;
    ret->name_len = (uint16_t)len;
    ret->stem_len = (uint16_t)(ret->is_long ? len : stem_of(ret->name, len));
}

bool cs_family_has(const cs_family_t *family, cs_slice_t path)
{
    cs_family_t other;
    cs_family_of(path, &other);
    return family->is_long == other.is_long && cs_slice_eq(family->dir, other.dir) &&
           cs_slice_eq(cs_slice(family->name, family->name_len),
                       cs_slice(other.name, other.name_len));
}

/* "f.conflict-01234567~" bears no tag, so that its extension is what looks like one: its name,
 * and what begins with it, begin with the first prefix as well. */
static bool ext_is_mark(const cs_family_t *family)
{
    return family->name_len - family->stem_len >= (int)MARK_BYTES &&
           memcmp(family->name + family->stem_len, MARK, MARK_BYTES) == 0;
}

bool cs_family_name_is_apart(const cs_family_t *family)
{
    return !family->is_long && !ext_is_mark(family);
}

bool cs_family_prefix(const cs_family_t *family, uint32_t i, cs_buf_t *ret)
{
    bool second = family->stem_len < family->name_len && cs_family_name_is_apart(family);
    if (i > (second ? 1u : 0u)) return false;
    cs_buf_put_slice(ret, family->dir);
    cs_buf_put(ret, family->name, i == 0 ? family->stem_len : family->name_len);
    if (!family->is_long) cs_buf_put(ret, MARK, MARK_BYTES);
    return true;
}

void cs_family_path(const cs_family_t *family, cs_slice_t path, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    if (family->is_long) {
        cs_buf_put_slice(ret, path);
        return;
    }
    cs_buf_put_slice(ret, family->dir);
    cs_buf_put(ret, family->name, family->name_len);
}

void cs_family_key(const cs_family_t *family, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_slice(ret, family->dir);
    cs_buf_put(ret, family->name, family->name_len);
    if (family->is_long) cs_buf_put_u8(ret, '/'); /* no path ends so */
}

static size_t utf8_len(const uint8_t *s, size_t left)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : (s[0] & 0xf0) == 0xe0       ? 3
               : (s[0] & 0xf8) == 0xf0       ? 4
                                             : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    return n;
}

static bool is_utf8(const uint8_t *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(s + i, len - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

#define CUT_TRIES 16u
#define FILLER \
    70u /* 'x' after CS_STEM_CUT bytes: more than an extension, and above CS_STEM_FULL */

/* Would name[0..cut) + ext still be in the family of the long name? A cut can make a tag of
 * what was none, or an extension of what was too long to be one. */
static bool keeps_family(const uint8_t *name, size_t cut, const uint8_t *ext, size_t ext_len)
{
    uint8_t copy[CS_NAME_MAX];
    memcpy(copy, name, cut);
    memcpy(copy + cut, ext, ext_len);
    return strip(copy, cut + ext_len) > CS_STEM_FULL && memcmp(copy, name, CS_STEM_CUT) == 0;
}

/* Cut the stem to at most `max` bytes, at a character. Returns its new length; *ext_len becomes
 * 0 if nothing simple will do: such names are made, not met, and get one that is safe by
 * construction. */
static size_t cut_stem(uint8_t *name, size_t stem, size_t *ext_len, size_t max)
{
    bool text = is_utf8(name, stem + *ext_len);
    for (size_t cut = max; cut + CUT_TRIES > max; cut--) {
        if (text && (name[cut] & 0xc0) == 0x80) continue;
        if (keeps_family(name, cut, name + stem, *ext_len)) return cut;
    }
    *ext_len = 0;
    memset(name + CS_STEM_CUT, 'x', FILLER);
    return CS_STEM_CUT + FILLER;
}

void cs_sibling_tag(const cs_content_t *content, uint8_t ret[CS_SIBLING_TAG_BYTES])
{
    cs_buf_t text = {0};
    cs_content_encode(content, &text);
    cs_slice_t part = cs_buf_slice(&text);
    cs_hash(ret, CS_SIBLING_TAG_BYTES, NULL, 0, &part, 1);
    cs_buf_fini(&text);
}

cs_str_t *cs_sibling_name(cs_slice_t path, const cs_content_t *content, uint32_t digits,
                          uint32_t again)
{
    uint8_t tag[CS_SIBLING_TAG_BYTES];
    cs_sibling_tag(content, tag);
    return cs_sibling_tagged(path, tag, digits, again);
}

cs_str_t *cs_sibling_tagged(cs_slice_t path, const uint8_t tag[CS_SIBLING_TAG_BYTES],
                            uint32_t digits, uint32_t again)
{
    size_t start = base_start(path), len = path.len - start;
    uint8_t name[CS_NAME_MAX] = {0};
    if (len > CS_NAME_MAX) len = CS_NAME_MAX;
    memcpy(name, path.data + start, len);
    len = strip(name, len);
    size_t stem = stem_of(name, len), ext = len - stem;

    char hex[2 * CS_SIBLING_TAG_BYTES + 1], more[12] = "";
    cs_hex(hex, tag, CS_SIBLING_TAG_BYTES);
    if (again > 0) snprintf(more, sizeof more, "~%u", again);

    size_t fixed = MARK_BYTES + digits + strlen(more) + ext, cut = stem;
    if (fixed + stem > CS_NAME_MAX) cut = cut_stem(name, stem, &ext, CS_NAME_MAX - fixed);
    cs_buf_t text = {0};
    cs_buf_put(&text, path.data, start);
    cs_buf_put(&text, name, cut);
    cs_buf_put(&text, MARK, MARK_BYTES);
    cs_buf_put(&text, hex, digits);
    cs_buf_put(&text, more, strlen(more));
    cs_buf_put(&text, name + stem, ext);
    cs_str_t *ret = cs_str_new(text.data, text.len);
    cs_buf_fini(&text);
    return ret;
}
