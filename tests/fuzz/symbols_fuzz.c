/* symbols_fuzz.c - symbols from a peer that says anything: refused, never complete, or peeled
 * within bounds; what is read is written as the same bytes. */
#include "recon/peel.h"
#include "support/feed.h"

#define TURNS 8u

static const uint8_t key[CS_SYM_KEY_BYTES] = {1};

/* My own set: a few items, so that what comes cancels at times. */
static void make_mine(cs_symbols_t *ret)
{
    cs_symbols_init(ret, 256);
    for (uint8_t i = 0; i < 8; i++) {
        uint8_t item[CS_ITEM_BYTES] = {i};
        cs_symbols_put(ret, key, item);
    }
}

static bool turn(cs_peel_t *peel, const cs_symbols_t *mine, cs_slice_t bytes, uint64_t n)
{
    cs_symbols_t theirs = {0};
    size_t at = cs_peel_symbols(peel);
    cs_err_t err = cs_symbols_decode(bytes, at, n, mine->count - at, &theirs);
    if (err != CS_OK) return false;
    cs_buf_t again = {0};
    cs_symbols_encode(theirs.at, theirs.count, at, n, &again);
    require(cs_slice_eq(cs_buf_slice(&again), bytes));
    err = cs_peel_add(peel, theirs.at, mine->at + at, theirs.count);
    cs_buf_fini(&again);
    cs_symbols_fini(&theirs);
    size_t count;
    cs_peel_items(peel, &count);
    require(count <= 2 * cs_peel_symbols(peel));
    return err == CS_OK && !cs_peel_is_complete(peel);
}

/* u8 n, then per turn u16 length and so many bytes. An empty turn: the peer's honest symbols of
 * items 4..11. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    cs_symbols_t mine, theirs;
    make_mine(&mine);
    cs_symbols_init(&theirs, mine.count);
    for (uint8_t i = 4; i < 12; i++) {
        uint8_t item[CS_ITEM_BYTES] = {i};
        cs_symbols_put(&theirs, key, item);
    }
    cs_peel_t *peel = cs_peel_new(key);
    uint64_t n = cs_read_u8(&feed);
    if (n == 255) n = UINT64_MAX;
    bool more = true;
    for (unsigned i = 0; more && i < TURNS && cs_reader_left(&feed) > 0; i++) {
        size_t len = cs_read_u16(&feed) % 4096;
        if (len > cs_reader_left(&feed)) len = cs_reader_left(&feed);
        cs_slice_t bytes = cs_read_bytes(&feed, len);
        cs_buf_t honest = {0};
        size_t at = cs_peel_symbols(peel);
        if (len == 0 && at + 8 <= theirs.count) {
            cs_symbols_encode(theirs.at + at, 8, at, n <= CS_ITEMS_MAX ? n : 8, &honest);
            bytes = cs_buf_slice(&honest);
        }
        more = turn(peel, &mine, bytes, n);
        cs_buf_fini(&honest);
    }
    cs_peel_destroy(&peel);
    cs_symbols_fini(&mine);
    cs_symbols_fini(&theirs);
    return 0;
}
