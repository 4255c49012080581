/* options.c - see options.h. */
#include "sim/options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/draw.h"

/* One in `of` runs has the kind at all; then it is 1..most. */
static uint32_t sometimes(uint64_t seed, uint64_t which, uint32_t of, uint32_t most)
{
    if (cs_draw_below(seed, CS_DRAW_OPTIONS, which, 0, of) != 0) return 0;
    return 1 + (uint32_t)cs_draw_below(seed, CS_DRAW_OPTIONS, which, 1, most);
}

static uint32_t between(uint64_t seed, uint64_t which, uint32_t low, uint32_t high)
{
    return low + (uint32_t)cs_draw_below(seed, CS_DRAW_OPTIONS, which, 2, high - low + 1);
}

static uint32_t one_of(uint64_t seed, uint64_t which, const uint32_t *values, uint32_t count)
{
    return values[cs_draw_below(seed, CS_DRAW_OPTIONS, which, 3, count)];
}

#define NODES_DRAWN_MAX 5u

/* Most scans that come by themselves should have something to find: in the long run not more
 * of them than actions. */
static uint32_t scan_ms_least(const cs_sim_options_t *options)
{
    uint32_t gap_ms = options->bursts > 0 ? options->latency_ms / 4 : options->gap_ms;
    return NODES_DRAWN_MAX * gap_ms;
}

void cs_sim_options_draw(cs_sim_options_t *ret, uint64_t seed)
{
    static const uint32_t nodes[] = {2, 2, 3, 3, 3, 4, 5}, ops[] = {6, 12, 25, 50, 100},
                          gaps[] = {0, 2, 20, 200, 2000}, latencies[] = {1, 5, 50, 500, 5000},
                          scans[] = {0, 100, 1000, 60000}, batches[] = {0, 0, 1, 3},
                          names[] = {1, 2, 3, 5, 8, 16}, races[] = {0, 0, 30, 90};
#define ONE_OF(which, array) one_of(seed, which, array, CS_COUNT_OF(array))
    *ret = (cs_sim_options_t){
        .seed = seed,
        .nodes = ONE_OF(1, nodes),
        .ops = ONE_OF(2, ops),
        .phases = between(seed, 3, 1, 2),
        .topology = between(seed, 4, 0, 3),
        .names = ONE_OF(5, names),
        .gap_ms = ONE_OF(6, gaps),
        .latency_ms = ONE_OF(7, latencies),
        .scan_ms = ONE_OF(8, scans),
        .races = ONE_OF(9, races),
        .equal = sometimes(seed, 10, 2, 40),
        .large = sometimes(seed, 11, 6, 20),
        .net = sometimes(seed, 12, 2, 20),
        .loss = sometimes(seed, 13, 3, 50),
        .crashes = sometimes(seed, 14, 2, 10),
        .power = between(seed, 15, 0, 1),
        .disk = sometimes(seed, 16, 3, 10),
        .images = sometimes(seed, 17, 6, 5),
        .members = sometimes(seed, 18, 8, 5),
        .clocks = between(seed, 19, 0, 1),
        .grain = between(seed, 20, 0, 3),
        .plain = sometimes(seed, 21, 8, 3),
        .batch = ONE_OF(22, batches),
        .exec = sometimes(seed, 23, 6, 1),
        .recon = between(seed, 24, 0, 2),
        .memory = sometimes(seed, 27, 4, 1),
        .watch = sometimes(seed, 28, 2, 2),
    };
    if (cs_draw_below(seed, CS_DRAW_OPTIONS, 24, 0, 2) == 0) {
        ret->bursts = between(seed, 25, 2, 5);
        ret->phases = between(seed, 26, 2, 10);
        if (ret->ops < 50) ret->ops = 50;
    }
    uint32_t least = scan_ms_least(ret);
    if (ret->scan_ms > 0 && ret->scan_ms < least) ret->scan_ms = least;
#undef ONE_OF
}

static bool read_number(cs_slice_t text, uint64_t *ret)
{
    char digits[24] = "", *end;
    if (text.len == 0 || text.len >= sizeof digits || text.data[0] < '0' ||
        text.data[0] > '9') {
        return false;
    }
    memcpy(digits, text.data, text.len);
    *ret = strtoull(digits, &end, 10);
    return *end == '\0';
}

cs_err_t cs_sim_options_set(cs_sim_options_t *ret, cs_slice_t name, cs_slice_t value)
{
    uint64_t number = 0;
    bool is_number = read_number(value, &number);
    if (cs_slice_eq(name, cs_slice_text("seed"))) {
        if (!is_number) return CS_ERR_LIMIT;
        ret->seed = number;
        return CS_OK;
    }
#define X(field, key, low, high, text)                                         \
    if (cs_slice_eq(name, cs_slice_text(key))) {                               \
        if (!is_number || number + 1 < (uint64_t)(low) + 1 || number > (high)) \
            return CS_ERR_LIMIT;                                               \
        ret->field = (uint32_t)number;                                         \
        return CS_OK;                                                          \
    }
    CS_SIM_OPTION_MAP(X)
#undef X
    return CS_ERR_NOT_FOUND;
}

void cs_sim_options_print(const cs_sim_options_t *options, cs_buf_t *ret)
{
    cs_buf_printf(ret, "seed=%" PRIu64, options->seed);
#define X(field, key, low, high, text) cs_buf_printf(ret, " " key "=%u", options->field);
    CS_SIM_OPTION_MAP(X)
#undef X
}

void cs_sim_options_each(void *arg, void (*each)(void *arg, const char *name, const char *text,
                                                 uint32_t low, uint32_t high))
{
#define X(field, key, low, high, text) each(arg, key, text, low, high);
    CS_SIM_OPTION_MAP(X)
#undef X
}
