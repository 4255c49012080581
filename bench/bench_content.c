/* bench_content.c - MB/s of the chunker and hasher on pseudo-random bytes in memory. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/prng.h"
#include "xfer/chunker.h"
#include "xfer/content.h"

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(const char *what, size_t bytes, double seconds)
{
    printf("%-28s %8.0f MB/s\n", what, (double)bytes / 1e6 / seconds);
}

static double chunk_all(const uint64_t gear[256], const uint8_t *bytes, size_t len,
                        size_t *ret_chunks)
{
    double begin = now_s();
    cs_chunker_t chunker = {0};
    *ret_chunks = 0;
    for (size_t at = 0; at < len;) {
        bool cut;
        at += cs_chunker_take(&chunker, gear, bytes + at, len - at, &cut);
        if (cut) ++*ret_chunks;
    }
    return now_s() - begin;
}

int main(void)
{
    const size_t len = 256u << 20;
    uint8_t *bytes = cs_malloc(len);
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    cs_prng_fill(&prng, bytes, len);
    uint8_t secret[CS_SECRET_BYTES] = {7};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    uint64_t gear[256];
    cs_gear_derive(keys.gear, gear);

    size_t chunks;
    report("chunker alone", len, chunk_all(gear, bytes, len, &chunks));
    printf("%-28s %8zu KiB\n", "mean chunk", len / (chunks + 1) / 1024);

    cs_chunker_table_t *table = cs_chunker_table_new(&keys);
    cs_content_t content;
    double begin = now_s();
    cs_content_of(table, CS_KIND_FILE, cs_slice(bytes, len), &content);
    report("chunks, names, list, id", len, now_s() - begin);

    const size_t small = 4096;
    begin = now_s();
    for (size_t at = 0; at < len / 4; at += small) {
        cs_content_of(table, CS_KIND_FILE, cs_slice(bytes + at, small), &content);
    }
    report("4 KiB files", len / 4, now_s() - begin);
    cs_chunker_table_destroy(&table);
    cs_free(bytes);
    return 0;
}
