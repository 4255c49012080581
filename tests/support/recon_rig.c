/* recon_rig.c - see recon_rig.h. */
#include "support/recon_rig.h"

#include <string.h>

#include "base/seal.h"
#include "recon/part.h"
#include "sim/mem_store.h"

#define FOLDER 3u

const cs_recon_limits_t rr_tiny = {.symbols_max = 16,
                                   .symbols_min = 8,
                                   .symbols_first = 4,
                                   .sample_bits = 1,
                                   .part_differences = 4,
                                   .list_percent = 200};

static void begin_side(rr_rig_t *rig, rr_side_t *side)
{
    side->store = cs_mem_store_new();
    side->recon = (cs_recon_t){.view = {.store = side->store, .folder = FOLDER},
                               .key = RR_KEY,
                               .limits = &rig->limits};
}

void rr_init(rr_rig_t *rig, const cs_recon_limits_t *limits)
{
    *rig = (rr_rig_t){.limits = *limits};
    begin_side(rig, &rig->mine);
    begin_side(rig, &rig->theirs);
}

void rr_fini(rr_rig_t *rig)
{
    cs_differ_destroy(&rig->differ);
    cs_teller_destroy(&rig->teller);
    cs_store_close(&rig->mine.store);
    cs_store_close(&rig->theirs.store);
}

/* One round of splitmix64 a half. */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void rr_item(uint64_t number, uint8_t ret[CS_ITEM_BYTES])
{
    uint64_t half[2] = {scramble(number + 1), scramble(~number)};
    memcpy(ret, half, sizeof half);
}

void rr_put(rr_side_t *side, uint64_t number)
{
    cs_buf_t key = {0}, value = {0};
    uint8_t bytes[CS_ITEM_BYTES];
    cs_buf_put_u32_be(&key, FOLDER);
    cs_buf_put(&key, "d/", 2);
    rr_item(number, bytes);
    cs_buf_put(&key, bytes, sizeof bytes);
    rr_item(~number, bytes);
    cs_buf_put(&value, bytes, sizeof bytes);
    cs_seal_append(&value, 0);
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cs_err_t err = cs_store_write(side->store, &batch, true);
    CS_ASSERT(err == CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
    side->recon.n++;
}

static cs_symbols_t prefix_of(const rr_side_t *side)
{
    cs_symbols_t prefix = {0};
    uint64_t n;
    size_t count = cs_symbols_kept(side->recon.n);
    if (count > side->recon.limits->symbols_max) count = side->recon.limits->symbols_max;
    cs_err_t err = cs_part_encode(&side->recon, 0, 0, count, &prefix, &n);
    CS_ASSERT(err == CS_OK && n == side->recon.n);
    return prefix;
}

void rr_begin(rr_rig_t *rig, cs_differ_way_t way, bool prefix)
{
    cs_symbols_t mine = {0}, theirs = {0};
    if (prefix) {
        mine = prefix_of(&rig->mine);
        theirs = prefix_of(&rig->theirs);
    }
    rig->differ = cs_differ_new(&rig->mine.recon, way, &mine);
    rig->teller = cs_teller_new(&rig->theirs.recon, &theirs);
    cs_symbols_fini(&mine); /* not taken over by a list */
}

static cs_err_t answer_all(rr_rig_t *rig)
{
    cs_recon_answer_t answer;
    while (cs_teller_next(rig->teller, &answer)) {
        rig->bytes += answer.bytes.len;
        rig->answers++;
        cs_err_t err = cs_differ_feed(rig->differ, &answer);
        if (err != CS_OK) return err;
    }
    return cs_teller_err(rig->teller);
}

cs_err_t rr_talk(rr_rig_t *rig)
{
    cs_recon_ask_t ask;
    cs_err_t err = CS_OK;
    while (err == CS_OK && cs_differ_ask(rig->differ, &ask)) {
        rig->asked[ask.kind]++;
        rig->parts += ask.kind == CS_ASK_SYMBOLS && ask.part_bits > 0;
        rig->rounds += ask.kind != CS_ASK_STOP;
        err = cs_teller_ask(rig->teller, &ask);
        if (err == CS_OK) err = answer_all(rig);
    }
    return err;
}

cs_err_t rr_run(rr_rig_t *rig, void *arg,
                void (*each)(void *arg, cs_diff_t what, const cs_diff_item_t *item))
{
    for (;;) {
        cs_diff_t what;
        cs_diff_item_t item;
        cs_err_t err = rr_talk(rig);
        if (err == CS_OK) err = cs_differ_next(rig->differ, &what, &item);
        if (err != CS_OK) return err;
        if (what == CS_DIFF_END) return rr_talk(rig);
        if (what != CS_DIFF_MORE) each(arg, what, &item);
    }
}
