/* entry_codec_test.c - the byte table of proto/ENTRY.md: golden vectors, and all that is
 * refused. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "support/entries.h"

/* Pieces of hex; clang-format off keeps a field a literal. */
/* clang-format off */
#define BUCKET "00112233445566778899aabbccddeeff"
#define R1     "0100000000000000"
#define R2     "0200000000000000"
#define AA8    "aaaaaaaaaaaaaaaa"
#define HASH   AA8 AA8 AA8 AA8
#define ZERO8  "0000000000000000"
#define FILE5  "01" HASH "05"                                /* kind, hash, size */
#define K11    R1 "01" "00" "01" FILE5 "a401" "00" ZERO8 "01" "72"
#define L12    R1 "02" "01" "01" "01" "01" "01" "72" "00"
#define A13    R1 "03" "01" "01" "01" "ed01" "00"
#define CTX3   "01" R1 "03"
#define FILE_R BUCKET "01" L12 "01" K11 "01" A13 CTX3
/* clang-format on */

static cs_buf_t from_hex(const char *hex)
{
    cs_buf_t bytes = {0};
    cs_slice_t text = cs_slice_text(hex);
    cs_buf_reserve(&bytes, text.len / 2 + 1);
    cr_assert(cs_unhex(bytes.data, text.len / 2, text), "%s", hex);
    bytes.len = text.len / 2;
    return bytes;
}

static cs_err_t decode_hex(const char *hex, cs_entry_t *ret)
{
    cs_buf_t bytes = from_hex(hex);
    cs_err_t err = cs_entry_decode(cs_buf_slice(&bytes), ret);
    cs_buf_fini(&bytes);
    return err;
}

static void init_entry(cs_entry_t *ret)
{
    cs_bucket_t bucket;
    cr_assert(cs_unhex(bucket.b, sizeof bucket.b, cs_slice_text(BUCKET)));
    cs_entry_init(ret, &bucket);
}

static cs_kval_t kval_r(void)
{
    cs_kval_t k = test_kval((cs_dot_t){1, 1}, (cs_dot_t){1, 1}, "r");
    memset(k.content.hash, 0xaa, sizeof k.content.hash);
    return k;
}

static void make_file_r(cs_entry_t *ret)
{
    init_entry(ret);
    cs_kval_t k = kval_r();
    cs_lval_t l = test_lval((cs_dot_t){1, 2}, k.lin, "r");
    cs_aval_t a = test_aval((cs_dot_t){1, 3}, k.lin, 0755);
    cr_assert_eq(cs_entry_add_a(ret, &a), CS_OK);
    cr_assert_eq(cs_entry_add_l(ret, &l), CS_OK);
    cr_assert_eq(cs_entry_add_k(ret, &k), CS_OK);
}

/* Encodes to hex, and hex decodes to it. */
static void expect_golden(cs_entry_t *entry, const char *hex)
{
    cs_buf_t have = {0}, want = from_hex(hex);
    cs_entry_encode(entry, &have);
    char *text = cs_malloc(2 * have.len + 1);
    cs_hex(text, have.data, have.len);
    cr_expect_str_eq(text, hex);
    cs_free(text);

    cs_entry_t again = {0};
    cr_expect_eq(cs_entry_decode(cs_buf_slice(&want), &again), CS_OK);
    cr_expect(cs_entry_live_eq(entry, &again));
    cr_expect(cs_vv_eq(&entry->ctx, &again.ctx));
    cs_entry_fini(&again);
    cs_entry_fini(entry);
    cs_buf_fini(&have);
    cs_buf_fini(&want);
}

Test(entry_codec, golden_tombstone)
{
    cs_entry_t entry;
    init_entry(&entry);
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){1, 4}), CS_OK);
    expect_golden(&entry, BUCKET "000000"
                                 "01" R1 "04");
}

Test(entry_codec, golden_file)
{
    cs_entry_t entry;
    make_file_r(&entry);
    expect_golden(&entry, FILE_R);
}

Test(entry_codec, golden_moved_file)
{
    cs_entry_t entry;
    init_entry(&entry);
    cs_kval_t k = kval_r();
    cs_lval_t l = test_lval((cs_dot_t){2, 300}, k.lin, "q");
    l.gen = 200;
    l.how = CS_MOVE;
    l.hint = k.content;
    l.hint_attr = (cs_attr_t){.mode = 0644, .tlv = cs_str_from("xy")};
    cr_assert_eq(cs_entry_add_k(&entry, &k), CS_OK);
    cr_assert_eq(cs_entry_add_l(&entry, &l), CS_OK);
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){1, 2}), CS_OK);
    expect_golden(&entry, BUCKET "01" R2 "ac02"
                                 "02" R1 "01"
                                 "c801"
                                 "00"
                                 "01"
                                 "71" FILE5 "a401"
                                 "02"
                                 "7879"
                                 "01" K11 "00"
                                 "02" R1 "02" R2 "ac02");
}

Test(entry_codec, golden_symlink_and_directory)
{
    cs_entry_t entry;
    init_entry(&entry);
    cs_kval_t link = kval_r(), dir = kval_r();
    link.content.kind = CS_KIND_SYMLINK;
    link.attr.mode = 0;
    link.mtime_ns = -1;
    dir.dot = (cs_dot_t){1, 2};
    dir.content = (cs_content_t){.kind = CS_KIND_DIR};
    dir.attr.mode = 0;
    cr_assert_eq(cs_entry_add_k(&entry, &link), CS_OK);
    cr_assert_eq(cs_entry_add_k(&entry, &dir), CS_OK);
    expect_golden(&entry, BUCKET "00"
                                 "02" R1 "01"
                                 "00"
                                 "01"
                                 "02" HASH "05"
                                 "ffffffffffffffff"
                                 "01"
                                 "72" R1 "02"
                                 "01"
                                 "01"
                                 "01"
                                 "03" ZERO8 ZERO8 ZERO8 ZERO8 "00" ZERO8 "01"
                                 "72"
                                 "00"
                                 "01" R1 "02");
}

Test(entry_codec, golden_digest)
{
    cs_keys_t keys;
    test_keys(&keys);
    cs_entry_t entry;
    make_file_r(&entry);
    cs_entry_digest_t digest, later;
    cs_entry_hash(&keys, &entry, &digest);
    char hex[2 * CS_HASH_BYTES + 1];
    cs_hex(hex, digest.term, sizeof digest.term);
    cr_expect_str_eq(hex, "b3a556acdb043cf97861329ec608fe62c16b1eea57193d5686910ec10e7569a7");
    cs_hex(hex, digest.item, sizeof digest.item);
    cr_expect_str_eq(hex, "373b053d45351c1ebe51461014edc610");
    cr_assert_eq(cs_entry_cover(&entry, (cs_dot_t){9, 9}), CS_OK);
    cs_entry_hash(&keys, &entry, &later);
    cr_expect_arr_eq(&digest, &later, sizeof digest, "ctx is not hashed");
    cs_entry_fini(&entry);
}

Test(entry_codec, golden_bucket)
{
    cs_keys_t keys;
    test_keys(&keys);
    cs_bucket_t bucket;
    cs_bucket_of(&keys, cs_slice_text("dir/r.txt"), &bucket);
    char hex[2 * CS_BUCKET_BYTES + 1];
    cs_hex(hex, bucket.b, sizeof bucket.b);
    cr_assert_str_eq(hex, "6fda2fc2f0fd23aba0e9ef658b871ec6");
}

typedef struct refused {
    const char *what;
    cs_err_t err;
    const char *hex;
} refused_t;

/* clang-format off */
/* L and K values with one field in the place of the good one. */
#define L_FIELDS(lin, gen, how, path, hint) BUCKET "01" R1 "02" lin gen how path hint "0000" CTX3
#define K_FIELDS(dot, lin, gen, content, attr, path) \
    BUCKET "0001" dot lin gen content attr ZERO8 path "00" CTX3
#define K_PATH(path)       K_FIELDS(R1 "01", "00", "01", FILE5, "a40100", path)
#define K_CONTENT(content) K_FIELDS(R1 "01", "00", "01", content, "", "0172")
#define K_ATTR(attr)       K_FIELDS(R1 "01", "00", "01", FILE5, attr, "0172")

static const refused_t refused[] = {
    /* frame of the entry */
    {"nothing", CS_ERR_MALFORMED, ""},
    {"half a bucket", CS_ERR_MALFORMED, "0011223344556677"},
    {"no ctx", CS_ERR_MALFORMED, BUCKET "000000"},
    {"trailing byte", CS_ERR_MALFORMED, FILE_R "00"},
    {"a count without its values", CS_ERR_MALFORMED, BUCKET "8008" "0000" "00"},
    {"CS_DOTS_MAX + 1 in L", CS_ERR_LIMIT, BUCKET "8108" "0000" "00"},
    {"CS_DOTS_MAX + 1 in K", CS_ERR_LIMIT, BUCKET "00" "8108" "00" "00"},
    {"CS_DOTS_MAX + 1 in A", CS_ERR_LIMIT, BUCKET "0000" "8108" "00"},
    {"CS_REPLICAS_MAX + 1 in ctx", CS_ERR_LIMIT, BUCKET "000000" "8120"},
    {"padded count", CS_ERR_MALFORMED, BUCKET "8000" "0000" "00"},
    {"a huge count", CS_ERR_LIMIT, BUCKET "ffffffffffffffffff01" "0000" "00"},
    /* order */
    {"L out of order", CS_ERR_MALFORMED,
     BUCKET "02" R1 "03" "01010101017200" L12 "0000" CTX3},
    {"K twice the same dot", CS_ERR_MALFORMED, BUCKET "00" "02" K11 K11 "00" CTX3},
    {"A out of order by rid", CS_ERR_MALFORMED,
     BUCKET "0000" "02" R2 "01" "0001" "ed0100" A13 "02" R1 "03" R2 "01"},
    {"ctx out of order", CS_ERR_MALFORMED, BUCKET "000000" "02" R2 "01" R1 "01"},
    {"ctx with counter zero", CS_ERR_MALFORMED, BUCKET "000000" "01" R1 "00"},
    /* invariant W */
    {"ctx one short of K", CS_ERR_MALFORMED, BUCKET "0001" K11 "00" "00"},
    {"ctx one short of L", CS_ERR_MALFORMED, BUCKET "01" L12 "0000" "01" R1 "01"},
    {"ctx one short of A", CS_ERR_MALFORMED, BUCKET "000001" A13 "01" R1 "02"},
    {"ctx of another replica", CS_ERR_MALFORMED, BUCKET "0001" K11 "00" "01" R2 "03"},
    /* dots and lineages */
    {"replica zero", CS_ERR_MALFORMED, K_FIELDS(ZERO8 "01", "00", "01", FILE5, "a40100", "0172")},
    {"counter zero", CS_ERR_MALFORMED, K_FIELDS(R1 "00", "00", "01", FILE5, "a40100", "0172")},
    {"lin of unknown form", CS_ERR_MALFORMED,
     K_FIELDS(R1 "01", "03", "01", FILE5, "a40100", "0172")},
    {"lin 1 that is the dot", CS_ERR_MALFORMED, L_FIELDS("0102", "01", "01", "0172", "00")},
    {"lin 1 with counter zero", CS_ERR_MALFORMED, L_FIELDS("0100", "01", "01", "0172", "00")},
    {"lin 2 of the dot's replica", CS_ERR_MALFORMED,
     L_FIELDS("02" R1 "01", "01", "01", "0172", "00")},
    {"lin 2 of replica zero", CS_ERR_MALFORMED,
     L_FIELDS("02" ZERO8 "01", "01", "01", "0172", "00")},
    {"gen CS_GEN_MAX + 1", CS_ERR_MALFORMED,
     L_FIELDS("0101", "8080808008", "01", "0172", "00")},
    {"gen 2^32 + 1", CS_ERR_MALFORMED, L_FIELDS("0101", "8180808010", "01", "0172", "00")},
    {"how 2", CS_ERR_MALFORMED, L_FIELDS("0101", "01", "02", "0172", "00")},
    /* paths; tests/unit/path_test.c has more */
    {"empty path", CS_ERR_MALFORMED, K_PATH("00")},
    {"NUL in a path", CS_ERR_MALFORMED, K_PATH("03" "610062")},
    {"leading slash", CS_ERR_MALFORMED, K_PATH("02" "2f61")},
    {"trailing slash", CS_ERR_MALFORMED, K_PATH("02" "612f")},
    {"double slash", CS_ERR_MALFORMED, K_PATH("04" "612f2f62")},
    {"dot component", CS_ERR_MALFORMED, K_PATH("03" "612f2e")},
    {"way out", CS_ERR_MALFORMED, K_PATH("04" "2e2e2f61")},
    {"the private directory", CS_ERR_MALFORMED, K_PATH("09" "2e6372647473796e63")},
    {"in the private directory", CS_ERR_MALFORMED, K_PATH("0b" "2e6372647473796e632f61")},
    {"path longer than what is left", CS_ERR_MALFORMED, K_PATH("7f" "61")},
    {"path of CS_PATH_MAX + 1", CS_ERR_LIMIT, K_PATH("8120" "61")},
    {"bad path in L", CS_ERR_MALFORMED, L_FIELDS("0101", "01", "01", "022f61", "00")},
    /* contents */
    {"K without content", CS_ERR_MALFORMED, K_CONTENT("00")},
    {"kind 4", CS_ERR_MALFORMED, K_CONTENT("04" HASH "05")},
    {"hint of kind 4", CS_ERR_MALFORMED, L_FIELDS("0101", "01", "01", "0172", "04" HASH "05")},
    {"directory with a hash", CS_ERR_MALFORMED, K_CONTENT("03" HASH "00")},
    {"directory with a size", CS_ERR_MALFORMED, K_CONTENT("03" ZERO8 ZERO8 ZERO8 ZERO8 "01")},
    {"link of CS_PATH_MAX + 1", CS_ERR_LIMIT, K_CONTENT("02" HASH "8120")},
    {"file of 2^63 bytes", CS_ERR_LIMIT,
     K_CONTENT("01" HASH "80808080808080808001" "a40100")},
    {"content cut off", CS_ERR_MALFORMED, BUCKET "0001" R1 "01" "0001" "01" AA8},
    /* attributes */
    {"mode 01000", CS_ERR_MALFORMED, K_ATTR("000200")},
    {"setuid", CS_ERR_MALFORMED, K_ATTR("ed0900")},
    {"A with mode 0xffff", CS_ERR_MALFORMED, BUCKET "0000" "01" R1 "03" "0101" "01" "ffff00" CTX3},
    {"TLV of CS_TLV_BYTES_MAX + 1", CS_ERR_LIMIT, K_ATTR("a401" "8120")},
    {"TLV longer than what is left", CS_ERR_MALFORMED, K_ATTR("a401" "8020")},
};

/* The same templates with good fields, and bounds: what makes the others bad is what they say. */
static const char *const accepted[] = {
    FILE_R,
    L_FIELDS("0101", "01", "01", "0172", "00"),
    L_FIELDS("02" R2 "01", "01", "00", "0172", "00"),
    L_FIELDS("00", "ffffffff07", "01", "0172", "00"),
    L_FIELDS("0101", "00", "01", "0172", "03" ZERO8 ZERO8 ZERO8 ZERO8 "00"),
    K_PATH("0172"),
    K_PATH("0a" "2e6372647473796e6378"),    /* .crdtsyncx */
    K_PATH("0b" "612f2e6372647473796e63"),  /* a/.crdtsync */
    K_PATH("03" "2e2e2e"),
    K_CONTENT("03" ZERO8 ZERO8 ZERO8 ZERO8 "00"),
    K_CONTENT("02" HASH "8020"),
    K_CONTENT("01" HASH "ffffffffffffffff7f" "a40100"),
    K_ATTR("ff0100"),
    K_ATTR("000000"),
    BUCKET "02" L12 R1 "03" "01010101017200" "0000" CTX3,
    BUCKET "0002" K11 R1 "02" "00" "01" FILE5 "a40100" ZERO8 "0172" "00" CTX3,
    BUCKET "0000" "02" A13 R2 "01" "0001" "ed0100" "02" R1 "03" R2 "01",
    BUCKET "000000" "00",
};
/* clang-format on */

Test(entry_codec, well_formed_bytes_come_back_as_they_were)
{
    for (size_t i = 0; i < CS_COUNT_OF(accepted); i++) {
        cs_entry_t entry = {0};
        cs_buf_t bytes = from_hex(accepted[i]), again = {0};
        cr_expect_eq(cs_entry_decode(cs_buf_slice(&bytes), &entry), CS_OK, "%s", accepted[i]);
        cs_entry_encode(&entry, &again);
        cr_expect(cs_slice_eq(cs_buf_slice(&bytes), cs_buf_slice(&again)), "%s", accepted[i]);
        cs_buf_fini(&bytes);
        cs_buf_fini(&again);
        cs_entry_fini(&entry);
    }
}

Test(entry_codec, malformed_bytes_are_refused_and_leave_ret_empty)
{
    for (size_t i = 0; i < CS_COUNT_OF(refused); i++) {
        cs_entry_t entry;
        make_file_r(&entry);
        cr_expect_eq(decode_hex(refused[i].hex, &entry), refused[i].err, "%s", refused[i].what);
        cr_expect(cs_entry_is_dead(&entry), "%s", refused[i].what);
        cr_expect_eq(entry.ctx.len, 0, "%s", refused[i].what);
        cs_entry_fini(&entry);
    }
}

Test(entry_codec, every_prefix_is_refused)
{
    cs_buf_t bytes = from_hex(FILE_R);
    for (size_t len = 0; len < bytes.len; len++) {
        cs_entry_t entry = {0};
        cr_expect_eq(cs_entry_decode(cs_slice(bytes.data, len), &entry), CS_ERR_MALFORMED,
                     "%zu bytes", len);
    }
    cs_buf_fini(&bytes);
}

Test(entry_codec, values_at_their_bounds_are_accepted)
{
    cs_entry_t entry, again = {0};
    init_entry(&entry);
    cs_buf_t path = {0};
    while (path.len < CS_PATH_MAX) {
        cs_buf_put_u8(&path, path.len % 256 == 255 ? '/' : 'p');
    }
    path.data[CS_PATH_MAX - 1] = 'p'; /* not a slash at the end, */
    path.data[CS_PATH_MAX - 2] = '/'; /* nor a component of 256 bytes */
    cs_kval_t k = kval_r();
    cs_str_unref(&k.path);
    k.path = cs_str_new(path.data, path.len);
    k.content.size = INT64_MAX;
    k.gen = CS_GEN_MAX;
    k.attr.mode = CS_MODE_MAX;
    k.attr.tlv = cs_str_new(path.data, CS_TLV_BYTES_MAX);
    k.mtime_ns = INT64_MIN;
    k.dot = (cs_dot_t){UINT64_MAX, UINT64_MAX};
    k.lin = (cs_dot_t){UINT64_MAX, UINT64_MAX - 1};
    cr_assert_eq(cs_entry_add_k(&entry, &k), CS_OK);
    cs_buf_t bytes = {0};
    cs_entry_encode(&entry, &bytes);
    cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &again), CS_OK);
    cr_assert(cs_entry_live_eq(&entry, &again));
    cs_buf_fini(&path);
    cs_buf_fini(&bytes);
    cs_entry_fini(&entry);
    cs_entry_fini(&again);
}

Test(entry_codec, more_bytes_than_an_entry_may_have_are_refused_unread)
{
    cs_buf_t bytes = {0};
    cs_buf_reserve(&bytes, CS_ENTRY_BYTES_MAX + 1);
    memset(bytes.data, 0xff, CS_ENTRY_BYTES_MAX + 1);
    bytes.len = CS_ENTRY_BYTES_MAX + 1;
    cs_entry_t entry = {0};
    cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &entry), CS_ERR_LIMIT);
    cs_buf_fini(&bytes);
}

Test(entry_codec, equal_paths_of_an_entry_are_one_string)
{
    cs_entry_t entry = {0};
    cr_assert_eq(decode_hex(FILE_R, &entry), CS_OK);
    cr_assert_eq(entry.l[0].path, entry.k[0].path);
    cr_assert_eq(entry.k[0].path->refs, 2);
    cs_entry_fini(&entry);
}
