/* differ.c - which way is asked for, and when another is taken. */
#include <string.h>

#include "base/mem.h"
#include "recon/merge.h"
#include "recon/part.h"
#include "recon/peel.h"

const cs_recon_limits_t cs_recon_defaults = {.symbols_max = CS_SYMBOLS_MAX,
                                             .symbols_min = CS_SYMBOLS_MIN,
                                             .symbols_first = CS_SYMBOLS_FIRST,
                                             .sample_bits = CS_PART_BITS_SAMPLE,
                                             .part_differences = CS_PART_DIFFERENCES,
                                             .list_percent = CS_LIST_PERCENT};

typedef enum stage { WHOLE, SAMPLE, PART, LIST } stage_t;

struct cs_differ {
    cs_recon_t recon;
    stage_t stage;
    uint32_t bits; /* of the part */
    uint64_t index;
    cs_symbols_t mine; /* of the part */
    cs_peel_t *peel;
    uint64_t n, n_all;        /* the peer's items, in the part and in all */
    uint64_t up_to, told_max; /* symbols asked for, and what the peer would tell */
    uint64_t bytes_left;      /* what all that was asked for may take on the wire */
    bool first;               /* none of this part came yet */
    bool decoded;
    size_t told; /* items of the peel that were yielded */
    cs_merge_t *merge;
    bool listing; /* a page was asked for */
    bool asking;
    cs_recon_ask_t ask;
    cs_differ_facts_t facts;
};

size_t cs_symbols_told(const cs_recon_limits_t *limits, uint64_t n)
{
    if (n > CS_ITEMS_MAX) n = CS_ITEMS_MAX;
    uint64_t count = n * limits->list_percent * 27 / 2000; /* 1.35 for each that may differ */
    if (count < limits->symbols_min) count = limits->symbols_min;
    return count < limits->symbols_max ? (size_t)count : limits->symbols_max;
}

/* --- transitions */

static void ask(cs_differ_t *differ, cs_recon_ask_t what)
{
    differ->ask = what;
    differ->asking = true;
}

static void drop_part(cs_differ_t *differ)
{
    cs_symbols_fini(&differ->mine);
    cs_peel_destroy(&differ->peel);
    differ->decoded = false;
    differ->told = 0;
}

static void ask_list(cs_differ_t *differ)
{
    if (differ->listing) return;
    differ->listing = true;
    ask(differ, (cs_recon_ask_t){.kind = CS_ASK_LIST, .after = cs_merge_resume(differ->merge)});
}

static void begin_list(cs_differ_t *differ)
{
    drop_part(differ);
    differ->stage = LIST;
    differ->facts.listed = true;
    differ->merge = cs_merge_new(&differ->recon.view);
    ask_list(differ);
}

/* The peer sends the first ones of the part without being asked for more. */
static void await_part(cs_differ_t *differ)
{
    differ->peel = cs_peel_new(differ->recon.key);
    differ->first = true;
    differ->up_to = differ->recon.limits->symbols_first;
    differ->bytes_left += differ->up_to * CS_SYMBOL_BYTES_MAX;
    ask(differ, (cs_recon_ask_t){.kind = CS_ASK_SYMBOLS,
                                 .part_bits = differ->bits,
                                 .part_index = differ->index});
}

static cs_err_t begin_part(cs_differ_t *differ, stage_t stage, uint32_t bits, uint64_t index)
{
    drop_part(differ);
    differ->stage = stage;
    differ->bits = bits;
    differ->index = index;
    differ->facts.parts++;
    uint64_t n;
    cs_err_t err = cs_part_encode(&differ->recon, bits, index, 0, &differ->mine, &n);
    if (err == CS_OK) await_part(differ);
    return err;
}

/* So much differs, by the sizes of the sets or by what the symbols say so far. */
static uint64_t least_difference(const cs_differ_t *differ)
{
    uint64_t mine = differ->recon.n, theirs = differ->n_all;
    uint64_t by_size = mine > theirs ? mine - theirs : theirs - mine;
    cs_peel_guess_t guess;
    if (!cs_peel_guess(differ->peel, &guess) || guess.least < by_size) return by_size;
    return guess.least;
}

/* A list is cheaper than so many symbols. */
static bool is_much(const cs_differ_t *differ, uint64_t differences)
{
    return differences > differ->n_all * differ->recon.limits->list_percent / 100;
}

/* One part told how much differs in all. */
static cs_err_t choose_parts(cs_differ_t *differ)
{
    size_t count;
    cs_peel_items(differ->peel, &count);
    uint64_t differences = (uint64_t)count << differ->bits;
    uint64_t least = differ->recon.limits->symbols_max / 2;
    if (is_much(differ, differences)) {
        begin_list(differ);
        return CS_OK;
    }
    if (differences < least) differences = least; /* so many symbols did not do */
    uint32_t bits = 1;
    while (bits < CS_PART_BITS_MAX &&
           differences >> bits > differ->recon.limits->part_differences) {
        bits++;
    }
    return begin_part(differ, PART, bits, 0);
}

static cs_err_t begin_sample(cs_differ_t *differ)
{
    return begin_part(differ, SAMPLE, differ->recon.limits->sample_bits, 0);
}

/* All that would be told was told, and it was not enough. */
static cs_err_t give_up_part(cs_differ_t *differ)
{
    differ->facts.nonsense = cs_peel_is_stuck(differ->peel);
    bool many = differ->told_max >= differ->recon.limits->symbols_max;
    if (differ->stage == WHOLE && many && !differ->facts.nonsense) {
        return begin_sample(differ);
    }
    begin_list(differ);
    return CS_OK;
}

static cs_err_t decoded(cs_differ_t *differ)
{
    if (differ->stage == SAMPLE) return choose_parts(differ);
    differ->decoded = true;
    if (differ->stage == WHOLE) ask(differ, (cs_recon_ask_t){.kind = CS_ASK_STOP});
    return CS_OK;
}

/* --- what the peer says */

static cs_err_t note_first(cs_differ_t *differ, uint64_t n)
{
    if (n > CS_ITEMS_MAX) return CS_ERR_MALFORMED;
    if (differ->mine.count == 0) { /* no prefix was given */
        uint64_t rows;
        cs_err_t err = cs_part_encode(&differ->recon, 0, 0, 0, &differ->mine, &rows);
        if (err != CS_OK) return err;
    }
    differ->first = false;
    differ->n = n;
    if (differ->stage == WHOLE) differ->n_all = n;
    differ->told_max = cs_symbols_told(differ->recon.limits, n);
    if (differ->told_max > differ->mine.count) differ->told_max = differ->mine.count;
    if (differ->up_to > differ->told_max) differ->up_to = differ->told_max;
    return CS_OK;
}

/* Twice as many, or as few as will do by what the counts tell; an eighth more if that was
 * already tried. */
static uint64_t more_than(const cs_differ_t *differ, uint64_t before)
{
    uint64_t more = 2 * before, step = before + before / 8 + 1;
    cs_peel_guess_t guess;
    if (cs_peel_guess(differ->peel, &guess) && guess.enough < more) more = guess.enough;
    if (more < step) more = step;
    return more < differ->told_max ? more : differ->told_max;
}

/* Asks for more once all came that were asked for: as many round trips as with a window, and
 * nothing is on its way when it is enough. */
static cs_err_t go_on(cs_differ_t *differ)
{
    if (cs_peel_is_complete(differ->peel)) return decoded(differ);
    if (differ->stage == WHOLE) {
        uint64_t least = least_difference(differ);
        if (is_much(differ, least)) {
            begin_list(differ);
            return CS_OK;
        }
        if (least > differ->recon.limits->symbols_max) return begin_sample(differ);
    }
    uint64_t before = differ->up_to;
    if (cs_peel_symbols(differ->peel) < before) return CS_OK;
    if (before >= differ->told_max) return give_up_part(differ);
    differ->up_to = more_than(differ, before);
    differ->bytes_left += (differ->up_to - before) * CS_SYMBOL_BYTES_MAX;
    ask(differ, (cs_recon_ask_t){.kind = CS_ASK_MORE, .up_to = differ->up_to});
    return CS_OK;
}

static cs_err_t take_symbols(cs_differ_t *differ, const cs_recon_answer_t *answer)
{
    size_t at = cs_peel_symbols(differ->peel);
    if (answer->start != at) return CS_ERR_MALFORMED;
    cs_err_t err = differ->first ? note_first(differ, answer->n) : CS_OK;
    if (err != CS_OK) return err;
    cs_symbols_t theirs = {0};
    size_t most = (size_t)differ->up_to - at;
    err = cs_symbols_decode(answer->bytes, at, differ->n, most, &theirs);
    if (err != CS_OK) return err;
    differ->facts.symbols += theirs.count;
    err = cs_peel_add(differ->peel, theirs.at, differ->mine.at + at, theirs.count);
    cs_symbols_fini(&theirs);
    if (err == CS_OK) return go_on(differ);
    differ->facts.nonsense = true;
    begin_list(differ);
    return CS_OK;
}

static cs_err_t feed_symbols(cs_differ_t *differ, const cs_recon_answer_t *answer)
{
    if (answer->bytes.len > differ->bytes_left) return CS_ERR_MALFORMED;
    differ->bytes_left -= answer->bytes.len;
    bool awaited = differ->peel != NULL && !differ->decoded;
    if (awaited && (!differ->first || answer->start == 0)) return take_symbols(differ, answer);
    /* Late: asked for before it was enough, or before another part was asked for. */
    return answer->bytes.len >= CS_SYMBOL_BYTES_MIN ? CS_OK : CS_ERR_MALFORMED;
}

cs_err_t cs_differ_feed(cs_differ_t *differ, const cs_recon_answer_t *answer)
{
    if (answer->kind == CS_ANSWER_SYMBOLS) return feed_symbols(differ, answer);
    if (!differ->listing) return CS_ERR_MALFORMED;
    differ->listing = false;
    return cs_merge_list(differ->merge, answer->bytes, answer->last);
}

/* --- what it comes to */

static cs_err_t next_listed(cs_differ_t *differ, cs_diff_t *ret, cs_diff_item_t *ret_item)
{
    cs_err_t err = cs_merge_next(differ->merge, ret, ret_item);
    if (err == CS_OK && *ret == CS_DIFF_MORE) ask_list(differ);
    return err;
}

/* False: all were told. CS_ERR_NOT_FOUND: one that is said to be mine is not. */
static bool next_item(cs_differ_t *differ, cs_diff_t *ret, cs_diff_item_t *ret_item,
                      cs_err_t *ret_err)
{
    size_t count;
    const cs_peeled_t *items = cs_peel_items(differ->peel, &count);
    *ret_err = CS_OK;
    if (differ->told == count) return false;
    const cs_peeled_t *item = &items[differ->told++];
    *ret_item = (cs_diff_item_t){0};
    memcpy(ret_item->item, item->item, CS_ITEM_BYTES);
    *ret = item->negative ? CS_DIFF_MINE : CS_DIFF_THEIRS;
    if (item->negative) {
        *ret_err = cs_view_find(&differ->recon.view, item->item, &ret_item->bucket);
    }
    return true;
}

cs_err_t cs_differ_next(cs_differ_t *differ, cs_diff_t *ret, cs_diff_item_t *ret_item)
{
    cs_err_t err;
    if (differ->stage == LIST) return next_listed(differ, ret, ret_item);
    *ret = CS_DIFF_MORE;
    if (!differ->decoded) return CS_OK;
    if (next_item(differ, ret, ret_item, &err)) {
        if (err != CS_ERR_NOT_FOUND) return err;
        differ->facts.nonsense = true;
        begin_list(differ);
        *ret = CS_DIFF_MORE;
        return CS_OK;
    }
    if (differ->stage == PART && (differ->index + 1) >> differ->bits == 0) {
        return begin_part(differ, PART, differ->bits, differ->index + 1);
    }
    if (differ->stage == PART) ask(differ, (cs_recon_ask_t){.kind = CS_ASK_STOP});
    differ->stage = WHOLE; /* said once */
    *ret = CS_DIFF_END;
    return CS_OK;
}

/* --- life */

cs_differ_t *cs_differ_new(const cs_recon_t *recon, cs_differ_way_t way, cs_symbols_t *prefix)
{
    cs_differ_t *differ = cs_calloc(1, sizeof *differ);
    differ->recon = *recon;
    if (way == CS_BY_LIST) {
        begin_list(differ);
    } else {
        differ->mine = *prefix;
        *prefix = (cs_symbols_t){0};
        await_part(differ);
    }
    return differ;
}

void cs_differ_destroy(cs_differ_t **differ_p)
{
    cs_differ_t *differ = *differ_p;
    if (differ == NULL) return;
    drop_part(differ);
    if (differ->merge != NULL) cs_merge_destroy(&differ->merge);
    cs_free(differ);
    *differ_p = NULL;
}

bool cs_differ_ask(cs_differ_t *differ, cs_recon_ask_t *ret)
{
    if (!differ->asking) return false;
    *ret = differ->ask;
    differ->asking = false;
    return true;
}

const cs_differ_facts_t *cs_differ_facts(const cs_differ_t *differ)
{
    return &differ->facts;
}
