/* pack_test.c - what shrinks is packed, and comes out as it was; what others pack is not
 * trusted. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/hashed.h"
#include "xfer/pack.h"

#define BYTES (256u << 10)

static cs_packer_t *packer;
static cs_buf_t packed, out;
static uint8_t *bytes;

static void set_up(void)
{
    packer = cs_packer_new();
    bytes = test_random_bytes(5, BYTES);
}

static void tear_down(void)
{
    cs_packer_destroy(&packer);
    cs_buf_fini(&packed);
    cs_buf_fini(&out);
    cs_free(bytes);
}

TestSuite(pack, .init = set_up, .fini = tear_down);

static bool comes_back(size_t len)
{
    cr_assert_eq(cs_unpack(cs_buf_slice(&packed), len, &out), CS_OK);
    return cs_slice_eq(cs_buf_slice(&out), cs_slice(bytes, len));
}

static void make_text(void)
{
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (uint8_t)("abcdefgh"[bytes[i] % 8]);
    }
}

Test(pack, text_shrinks_and_comes_back)
{
    make_text();
    cr_assert(cs_pack(packer, cs_slice(bytes, BYTES), &packed));
    cr_assert_lt(packed.len, BYTES / 2);
    cr_assert(comes_back(BYTES));
    cr_assert(cs_pack(packer, cs_slice(bytes, CS_PACK_MIN), &packed));
    cr_assert(comes_back(CS_PACK_MIN));
}

Test(pack, what_is_short_or_random_goes_as_it_is)
{
    cr_assert_not(cs_pack(packer, cs_slice(bytes, BYTES), &packed));
    make_text();
    cr_assert_not(cs_pack(packer, cs_slice(bytes, CS_PACK_MIN - 1), &packed));
    cr_assert_not(cs_pack(packer, cs_slice(bytes, 0), &packed));
}

Test(pack, a_sample_is_of_all_of_it)
{
    memset(bytes, 'x', BYTES / 2); /* random in the second half */
    cr_assert(cs_pack(packer, cs_slice(bytes, BYTES), &packed));
    cr_assert(comes_back(BYTES));
}

Test(pack, what_does_not_come_out_as_said_is_malformed)
{
    make_text();
    cr_assert(cs_pack(packer, cs_slice(bytes, BYTES), &packed));
    cs_slice_t whole = cs_buf_slice(&packed);
    cr_assert_eq(cs_unpack(whole, BYTES - 1, &out), CS_ERR_MALFORMED);
    cr_assert_eq(cs_unpack(whole, BYTES + 1, &out), CS_ERR_MALFORMED);
    cr_assert_eq(cs_unpack(cs_slice(whole.data, whole.len - 1), BYTES, &out), CS_ERR_MALFORMED);
    cr_assert_eq(cs_unpack(cs_slice(bytes, 100), 100, &out), CS_ERR_MALFORMED);
    cr_assert_eq(cs_unpack(cs_slice(NULL, 0), 1, &out), CS_ERR_MALFORMED);
}
