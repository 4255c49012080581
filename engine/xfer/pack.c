/* pack.c - see pack.h. */
#include "xfer/pack.h"

#include <string.h>
#include <zstd.h>

#include "base/mem.h"

#define LEVEL        1 /* about 400 MB/s a core; higher ones are slower than a gigabit link */
#define PIECES       4u
#define PIECE_BYTES  4096u
#define SAMPLE_BYTES ((size_t)PIECES * PIECE_BYTES)

struct cs_packer {
    ZSTD_CCtx *context;
    cs_buf_t sample;
};

cs_packer_t *cs_packer_new(void)
{
    cs_packer_t *packer = cs_calloc(1, sizeof *packer);
    packer->context = ZSTD_createCCtx();
    CS_ASSERT(packer->context != NULL); /* as cs_malloc: without memory there is no node */
    return packer;
}

void cs_packer_destroy(cs_packer_t **packer_p)
{
    cs_packer_t *packer = *packer_p;
    *packer_p = NULL;
    if (packer == NULL) return;
    ZSTD_freeCCtx(packer->context);
    cs_buf_fini(&packer->sample);
    cs_free(packer);
}

/* True: the bytes shrink by an eighth at least. */
static bool shrinks(cs_packer_t *packer, cs_slice_t bytes, cs_buf_t *ret)
{
    size_t most = bytes.len - bytes.len / 8;
    cs_buf_clear(ret);
    cs_buf_reserve(ret, most);
    size_t len =
        ZSTD_compressCCtx(packer->context, ret->data, most, bytes.data, bytes.len, LEVEL);
    if (ZSTD_isError(len)) return false; /* no room */
    ret->len = len;
    return true;
}

/* Pieces from all of it. */
static bool sample_shrinks(cs_packer_t *packer, cs_slice_t bytes, cs_buf_t *scratch)
{
    cs_buf_clear(&packer->sample);
    size_t step = (bytes.len - PIECE_BYTES) / (PIECES - 1);
    for (size_t i = 0; i < PIECES; i++) {
        cs_buf_put(&packer->sample, bytes.data + i * step, PIECE_BYTES);
    }
    return shrinks(packer, cs_buf_slice(&packer->sample), scratch);
}

bool cs_pack(cs_packer_t *packer, cs_slice_t bytes, cs_buf_t *ret)
{
    if (bytes.len < CS_PACK_MIN) return false;
    if (bytes.len > 2 * SAMPLE_BYTES && !sample_shrinks(packer, bytes, ret)) return false;
    return shrinks(packer, bytes, ret);
}

cs_err_t cs_unpack(cs_slice_t packed, size_t len, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_reserve(ret, len);
    size_t got = ZSTD_decompress(ret->data, len, packed.data, packed.len);
    if (ZSTD_isError(got) || got != len) return CS_ERR_MALFORMED;
    ret->len = len;
    return CS_OK;
}
