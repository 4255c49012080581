/* symbols.c - mapping of items, sums, and the wire form of symbols. */
#include "base/symbols.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"

#define SPREAD_FACTOR UINT64_C(0xda942042e4dd58b5) /* core.md 8.1 */
#define TWO_TO_32     4294967296.0

void cs_symbols_init(cs_symbols_t *symbols, size_t count)
{
    symbols->at = cs_calloc(count, sizeof *symbols->at);
    symbols->count = count;
}

void cs_symbols_fini(cs_symbols_t *symbols)
{
    cs_free(symbols->at);
    *symbols = (cs_symbols_t){0};
}

/* --- mapping */

static uint64_t read_le(const uint8_t bytes[8])
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

uint64_t cs_item_check(const uint8_t key[CS_SYM_KEY_BYTES], const uint8_t item[CS_ITEM_BYTES])
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, item, CS_ITEM_BYTES, key);
    return read_le(hash);
}

cs_spread_t cs_spread(uint64_t check)
{
    return (cs_spread_t){.state = check, .index = 0};
}

/* The nearest double of any of 2^64 values. Compilers test the highest bit, which is random
 * here, and a wrong guess costs more than the division below. Both halves are exact, the sum is
 * rounded once. */
static double nearest_double(uint64_t value)
{
    return (double)(uint32_t)(value >> 32) * TWO_TO_32 + (double)(uint32_t)value;
}

/* Doubles are exact up to 2^53, far beyond the last index. The step is 0 where the state is
 * within 2^10 of 2^64: without the 1 such an item would map to one index twice, and vanish. */
void cs_spread_next(cs_spread_t *spread)
{
    spread->state *= SPREAD_FACTOR;
    double root = sqrt(nearest_double(spread->state) + 1.0);
    double step = ((double)(int64_t)spread->index + 1.5) * (TWO_TO_32 / root - 1.0);
    if (step >= (double)CS_SYMBOL_INDEX_MAX) {
        spread->index = CS_SYMBOL_INDEX_MAX;
        return;
    }
    int64_t whole = (int64_t)step;
    if ((double)whole < step) whole++; /* ceil: a step is never negative */
    spread->index += whole > 0 ? (uint64_t)whole : 1;
}

/* --- sums */

void cs_symbol_mix(cs_symbol_t *symbol, const uint8_t item[CS_ITEM_BYTES], uint64_t check,
                   uint64_t by)
{
    uint64_t words[CS_ITEM_BYTES / 8];
    memcpy(words, item, sizeof words);
    symbol->sum[0] ^= words[0];
    symbol->sum[1] ^= words[1];
    symbol->check ^= check;
    symbol->count += by;
}

bool cs_symbol_is_zero(const cs_symbol_t *symbol)
{
    return (symbol->sum[0] | symbol->sum[1] | symbol->check | symbol->count) == 0;
}

static void mix_all(const cs_symbols_t *symbols, const uint8_t *key, const uint8_t *item,
                    uint64_t by)
{
    uint64_t check = cs_item_check(key, item);
    for (cs_spread_t at = cs_spread(check); at.index < symbols->count; cs_spread_next(&at)) {
        cs_symbol_mix(&symbols->at[at.index], item, check, by);
    }
}

void cs_symbols_put(const cs_symbols_t *symbols, const uint8_t key[CS_SYM_KEY_BYTES],
                    const uint8_t item[CS_ITEM_BYTES])
{
    mix_all(symbols, key, item, 1);
}

void cs_symbols_take(const cs_symbols_t *symbols, const uint8_t key[CS_SYM_KEY_BYTES],
                     const uint8_t item[CS_ITEM_BYTES])
{
    mix_all(symbols, key, item, UINT64_MAX);
}

void cs_symbols_merge(const cs_symbols_t *symbols, const cs_symbols_t *more)
{
    CS_ASSERT(symbols->count == more->count);
    for (size_t i = 0; i < symbols->count; i++) {
        cs_symbol_t *symbol = &symbols->at[i];
        symbol->sum[0] ^= more->at[i].sum[0];
        symbol->sum[1] ^= more->at[i].sum[1];
        symbol->check ^= more->at[i].check;
        symbol->count += more->at[i].count;
    }
}

size_t cs_symbols_kept(uint64_t n)
{
    size_t count = CS_SYMBOLS_MIN;
    while (count < CS_SYMBOLS_MAX && count < 2 * n) {
        count *= 2;
    }
    return count;
}

/* --- wire */

/* round(n / (1 + i/2)), halves up: what a symbol's count is on average. In integers, so that
 * both ends agree whatever their arithmetic. */
static uint64_t expected(uint64_t n, uint64_t index)
{
    return (4 * n + index + 2) / (2 * (index + 2));
}

static uint64_t zigzag(uint64_t value)
{
    return value << 1 ^ (uint64_t) - (value >> 63);
}

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (uint64_t) - (value & 1);
}

void cs_symbols_encode(const cs_symbol_t *symbols, size_t count, uint64_t start, uint64_t n,
                       cs_buf_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        cs_buf_put(ret, symbols[i].sum, sizeof symbols[i].sum);
        cs_buf_put_u64(ret, symbols[i].check);
        cs_buf_put_varint(ret, zigzag(symbols[i].count - expected(n, start + i)));
    }
}

static void decode_one(cs_reader_t *reader, uint64_t index, uint64_t n, cs_symbol_t *ret)
{
    cs_read_copy(reader, ret->sum, sizeof ret->sum);
    ret->check = cs_read_u64(reader);
    ret->count = unzigzag(cs_read_varint(reader)) + expected(n, index);
    if (ret->count > n) cs_reader_fail(reader, CS_ERR_MALFORMED);
}

cs_err_t cs_symbols_decode(cs_slice_t bytes, uint64_t start, uint64_t n, size_t max,
                           cs_symbols_t *ret)
{
    cs_symbols_fini(ret);
    size_t most = bytes.len / CS_SYMBOL_BYTES_MIN;
    if (most == 0 || n > CS_ITEMS_MAX || start >= CS_SYMBOL_INDEX_MAX) return CS_ERR_MALFORMED;
    cs_symbols_init(ret, most < max ? most : max);
    cs_reader_t reader = cs_reader(bytes);
    size_t count = 0;
    while (cs_reader_left(&reader) > 0 && reader.err == CS_OK) {
        if (count == ret->count) {
            cs_reader_fail(&reader, most > max ? CS_ERR_LIMIT : CS_ERR_MALFORMED);
            break;
        }
        decode_one(&reader, start + count, n, &ret->at[count]);
        count++;
    }
    cs_err_t err = cs_reader_end(&reader);
    if (err == CS_OK && count == 0) err = CS_ERR_MALFORMED;
    if (err != CS_OK) {
        cs_symbols_fini(ret);
    } else {
        ret->count = count;
    }
    return err;
}
