/* teller.c - answers about one snapshot, each paid for by what the other side may ask. */
#include <string.h>

#include "base/mem.h"
#include "recon/part.h"

/* Rows read for one exchange, in shares of all of them: everything once, all parts once, and
 * the sample with room to spare. Who asks for more wants our time. */
#define SHARES_ALL (1u << CS_PART_BITS_MAX)
#define SHARES_MAX (3u * SHARES_ALL)

struct cs_teller {
    cs_recon_t recon;
    cs_symbols_t prefix; /* until it was asked for */
    cs_symbols_t part;   /* what is told of, if streaming */
    uint64_t n;          /* items in it */
    uint64_t sent, up_to, told_max;
    bool streaming, streamed; /* a part is, was asked for */
    uint32_t shares;          /* used */
    uint64_t rows;
    bool listing, listed;
    uint8_t after[CS_ITEM_BYTES];
    size_t after_len;
    cs_buf_t bytes;
    cs_err_t err;
};

cs_teller_t *cs_teller_new(const cs_recon_t *recon, cs_symbols_t *prefix)
{
    cs_teller_t *teller = cs_calloc(1, sizeof *teller);
    teller->recon = *recon;
    teller->prefix = *prefix;
    *prefix = (cs_symbols_t){0};
    return teller;
}

static void stop(cs_teller_t *teller)
{
    cs_symbols_fini(&teller->part);
    cs_symbols_fini(&teller->prefix);
    teller->streaming = false;
}

void cs_teller_destroy(cs_teller_t **teller_p)
{
    cs_teller_t *teller = *teller_p;
    if (teller == NULL) return;
    stop(teller);
    cs_buf_fini(&teller->bytes);
    cs_free(teller);
    *teller_p = NULL;
}

static cs_err_t load_part(cs_teller_t *teller, uint32_t bits, uint64_t index)
{
    if (bits > 0 || teller->prefix.count == 0) {
        cs_err_t err =
            cs_part_encode(&teller->recon, bits, index, 0, &teller->part, &teller->n);
        teller->rows += teller->n;
        return err;
    }
    cs_symbols_fini(&teller->part);
    teller->part = teller->prefix; /* moved */
    teller->prefix = (cs_symbols_t){0};
    teller->n = teller->recon.n;
    return CS_OK;
}

static cs_err_t ask_symbols(cs_teller_t *teller, const cs_recon_ask_t *ask)
{
    if (ask->part_bits > CS_PART_BITS_MAX) return CS_ERR_MALFORMED;
    if (ask->part_index >> ask->part_bits != 0) return CS_ERR_MALFORMED;
    uint32_t share = SHARES_ALL >> ask->part_bits;
    if (share > SHARES_MAX - teller->shares) return CS_ERR_MALFORMED;
    teller->shares += share;
    cs_err_t err = load_part(teller, ask->part_bits, ask->part_index);
    if (err != CS_OK) return err;
    teller->told_max = cs_symbols_told(teller->recon.limits, teller->n);
    if (teller->told_max > teller->part.count) teller->told_max = teller->part.count;
    teller->sent = 0;
    teller->up_to = teller->recon.limits->symbols_first;
    if (teller->up_to > teller->told_max) teller->up_to = teller->told_max;
    teller->streaming = teller->streamed = true;
    return CS_OK;
}

static cs_err_t ask_more(cs_teller_t *teller, uint64_t up_to)
{
    if (!teller->streaming) return CS_ERR_MALFORMED;
    if (up_to > teller->told_max) up_to = teller->told_max;
    if (up_to > teller->up_to) teller->up_to = up_to;
    return CS_OK;
}

cs_err_t cs_teller_ask(cs_teller_t *teller, const cs_recon_ask_t *ask)
{
    switch (ask->kind) {
    case CS_ASK_SYMBOLS:
        return ask_symbols(teller, ask);
    case CS_ASK_MORE:
        return ask_more(teller, ask->up_to);
    case CS_ASK_STOP:
        if (!teller->streamed) return CS_ERR_MALFORMED;
        stop(teller);
        return CS_OK;
    case CS_ASK_LIST:
        stop(teller);
        if (ask->after.len > CS_ITEM_BYTES) return CS_ERR_MALFORMED;
        teller->after_len = ask->after.len;
        if (ask->after.len > 0) memcpy(teller->after, ask->after.data, ask->after.len);
        teller->listing = teller->listed = true;
        return CS_OK;
    }
    return CS_ERR_MALFORMED;
}

static bool tell_page(cs_teller_t *teller, cs_recon_answer_t *ret)
{
    bool last;
    teller->listing = false;
    teller->err = cs_view_list(&teller->recon.view, cs_slice(teller->after, teller->after_len),
                               CS_LIST_PAGE_ITEMS, &teller->bytes, &last);
    teller->rows += teller->bytes.len / CS_ITEM_BYTES;
    *ret = (cs_recon_answer_t){
        .kind = CS_ANSWER_LIST, .bytes = cs_buf_slice(&teller->bytes), .last = last};
    return teller->err == CS_OK;
}

bool cs_teller_next(cs_teller_t *teller, cs_recon_answer_t *ret)
{
    if (teller->listing) return tell_page(teller, ret);
    if (!teller->streaming || teller->sent == teller->up_to) return false;
    uint64_t count = teller->up_to - teller->sent;
    if (count > CS_SYMBOLS_FRAME) count = CS_SYMBOLS_FRAME;
    cs_buf_clear(&teller->bytes);
    cs_symbols_encode(teller->part.at + teller->sent, (size_t)count, teller->sent, teller->n,
                      &teller->bytes);
    *ret = (cs_recon_answer_t){.kind = CS_ANSWER_SYMBOLS,
                               .start = teller->sent,
                               .n = teller->n,
                               .bytes = cs_buf_slice(&teller->bytes)};
    teller->sent += count;
    return true;
}

cs_err_t cs_teller_err(const cs_teller_t *teller)
{
    return teller->err;
}

bool cs_teller_listed(const cs_teller_t *teller)
{
    return teller->listed;
}

uint64_t cs_teller_rows(const cs_teller_t *teller)
{
    return teller->rows;
}
