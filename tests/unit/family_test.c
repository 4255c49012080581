/* family_test.c - names of siblings, and that a family holds all that may compete for them. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/prng.h"
#include "crdt/family.h"

static cs_content_t content(uint8_t byte)
{
    cs_content_t c = {.kind = CS_KIND_FILE, .size = byte};
    memset(c.hash, byte, sizeof c.hash);
    return c;
}

static void expect_family(const char *path, const char *name)
{
    cs_family_t family;
    cs_buf_t got = {0};
    cs_family_of(cs_slice_text(path), &family);
    cs_family_path(&family, cs_slice_text(path), &got);
    cr_expect(cs_slice_eq(cs_buf_slice(&got), cs_slice_text(name)), "%s is in %.*s, not %s",
              path, (int)got.len, (char *)got.data, name);
    cs_buf_fini(&got);
}

Test(family, tags_are_removed_until_none_is_left)
{
    expect_family("r.txt", "r.txt");
    expect_family("d/r.conflict-0123abcd.txt", "d/r.txt");
    expect_family("r.txt.conflict-0123abcd", "r.txt");
    expect_family("README.conflict-0123abcd0123", "README");
    expect_family("r.conflict-0123abcd~12.txt", "r.txt");
    expect_family("r.conflict-0123abcd.conflict-ffffffff.txt", "r.txt");
    expect_family("r.conflict-0123abcd.txt.conflict-ffffffff", "r.txt");
}

Test(family, what_only_looks_like_a_tag_stays)
{
    expect_family("r.conflict-0123abc.txt", "r.conflict-0123abc.txt"); /* 7 digits */
    expect_family("r.conflict-0123456789abcdef01234.txt",
                  "r.conflict-0123456789abcdef01234.txt"); /* 21 */
    expect_family("r.conflict-0123ABCD.txt", "r.conflict-0123ABCD.txt");
    expect_family("r.conflict-0123abcd.tar.gz",
                  "r.conflict-0123abcd.tar.gz");               /* not before the extension */
    expect_family(".conflict-0123abcd", ".conflict-0123abcd"); /* nothing before it */
    expect_family("d.conflict-0123abcd/x",
                  "d.conflict-0123abcd/x"); /* directories keep theirs */
}

/* A walk over the prefixes, and the name itself where it is apart, meets each member once. */
Test(family, no_member_is_found_twice)
{
    static const char *const paths[] = {"r.txt",
                                        "r.conflict-0123abcd.txt",
                                        "r.txt.conflict-0123abcd",
                                        "README",
                                        "f.conflict-0123abcd~",
                                        "f.conflict-0123abcd~.conflict-89abcdef",
                                        "f.conflict-89abcdef.conflict-0123abcd~",
                                        "f.conflict-x"};
    for (size_t i = 0; i < CS_COUNT_OF(paths); i++) {
        cs_slice_t path = cs_slice_text(paths[i]);
        cs_family_t family;
        cs_buf_t text = {0};
        cs_family_of(path, &family);
        cs_family_path(&family, path, &text);
        int found = cs_family_name_is_apart(&family) && cs_slice_eq(path, cs_buf_slice(&text));
        cs_buf_clear(&text);
        for (uint32_t k = 0; cs_family_prefix(&family, k, &text); k++) {
            found += cs_slice_has_prefix(path, cs_buf_slice(&text));
            cs_buf_clear(&text);
        }
        cr_expect_eq(found, 1, "%s is found %d times", paths[i], found);
        cs_buf_fini(&text);
    }
}

Test(family, a_sibling_takes_stem_and_extension)
{
    cs_content_t c = content(7);
    static const struct {
        const char *path, *before, *after;
    } cases[] = {
        {"r.txt", "r.conflict-", ".txt"},
        {"d/r.tar.gz", "d/r.tar.conflict-", ".gz"},
        {".bashrc", ".bashrc.conflict-", ""},
        {"r.conflict-0123abcd.txt", "r.conflict-", ".txt"},
        {"Makefile", "Makefile.conflict-", ""},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        cs_str_t *name = cs_sibling_name(cs_slice_text(cases[i].path), &c, 8, 0);
        size_t before = strlen(cases[i].before), after = strlen(cases[i].after);
        cr_expect_eq(name->len, before + 8 + after, "%s", name->data);
        cr_expect_eq(strncmp(name->data, cases[i].before, before), 0, "%s", name->data);
        cr_expect_str_eq(name->data + before + 8, cases[i].after);
        cs_str_unref(&name);
    }
}

Test(family, a_long_stem_is_cut_at_a_character)
{
    char path[256];
    cs_content_t c = content(9);
    for (int i = 0; i < 125; i++)
        memcpy(path + 2 * i, "\xc3\xa4", 2);
    memcpy(path + 250, ".odt", 5);
    cs_str_t *name = cs_sibling_name(cs_slice_text(path), &c, 8, 0);
    cr_expect_leq(name->len, 255);
    cr_expect_geq(name->len, 253);
    cr_expect_str_eq(name->data + name->len - 4, ".odt");
    size_t stem = strstr(name->data, ".conflict-") == NULL
                      ? 1
                      : (size_t)(strstr(name->data, ".conflict-") - name->data);
    cr_expect_eq(stem % 2, 0, "cut inside a character");
    cs_str_unref(&name);
}

/* A random basename made of what is awkward here. */
static size_t random_name(cs_prng_t *prng, char *ret)
{
    static const char *const parts[] = {".conflict-",
                                        "0123abcd",
                                        "~1",
                                        ".txt",
                                        "a",
                                        ".",
                                        "conflict",
                                        "\xc3\xa4",
                                        ".conflict-deadbeef",
                                        ".conflict-0123456789ab~3",
                                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};
    size_t len = 0, want = cs_prng_chance(prng, 1, 3) ? 230 : 1 + cs_prng_below(prng, 60);
    while (len < want) {
        const char *part = parts[cs_prng_below(prng, CS_COUNT_OF(parts))];
        if (len + strlen(part) > 255) break;
        memcpy(ret + len, part, strlen(part));
        len += strlen(part);
    }
    ret[len] = '\0';
    return len;
}

static bool is_reachable(const cs_family_t *family, const char *path)
{
    cs_buf_t prefix = {0};
    cs_family_path(family, cs_slice_text(path), &prefix);
    bool found = cs_slice_eq(cs_buf_slice(&prefix), cs_slice_text(path));
    for (uint32_t i = 0; !found; i++) {
        cs_buf_clear(&prefix);
        if (!cs_family_prefix(family, i, &prefix)) break;
        found = cs_slice_has_prefix(cs_slice_text(path), cs_buf_slice(&prefix));
    }
    cs_buf_fini(&prefix);
    return found;
}

Test(family, a_siblings_name_is_in_the_family_and_found_by_its_prefixes)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 4711);
    for (int i = 0; i < 300000; i++) {
        char path[300] = "dir/";
        random_name(&prng, path + 4);
        cs_content_t c = content((uint8_t)cs_prng_below(&prng, 200));
        uint32_t digits = 8 + 2 * (uint32_t)cs_prng_below(&prng, 7),
                 again = (uint32_t)cs_prng_below(&prng, 3);
        cs_str_t *name = cs_sibling_name(cs_slice_text(path), &c, digits, again);
        cs_family_t family;
        cs_family_of(cs_slice_text(path), &family);
        cr_assert_leq(name->len, 4 + 255);
        cr_assert(cs_family_has(&family, cs_slice_str(name)), "%s is not in the family of %s",
                  name->data, path);
        cr_assert(is_reachable(&family, path), "%s is not found", path);
        cr_assert(is_reachable(&family, name->data), "%s, sibling of %s, is not found",
                  name->data, path);
        cs_str_unref(&name);
    }
}
