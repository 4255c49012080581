/* serve.c - answers of bounded size from verified bytes. */
#include "disk/serve.h"

#include <string.h>

#include "base/limits.h"
#include "disk/local.h"
#include "disk/part.h"

#define CHUNK_HEAD (sizeof(cs_name_t) + 4u) /* bytes of a record before its own */

/* What a request has been given so far. */
typedef struct answer {
    const cs_serve_t *serve;
    const cs_serve_sink_t *sink;
    cs_local_t local;
    cs_buf_t payload, bytes;
    size_t total; /* bytes handed out and in `payload` */
} answer_t;

static void answer_begin(answer_t *answer, const cs_serve_t *serve, const cs_serve_sink_t *sink)
{
    *answer = (answer_t){.serve = serve, .sink = sink};
    cs_local_init(&answer->local, serve->fs, serve->table, &serve->rows);
}

static void flush(answer_t *answer)
{
    if (answer->payload.len > 0) {
        answer->sink->payload(answer->sink->arg, &answer->payload);
    }
    cs_buf_clear(&answer->payload);
}

static void answer_end(answer_t *answer)
{
    flush(answer);
    cs_local_fini(&answer->local);
    cs_buf_fini(&answer->payload);
    cs_buf_fini(&answer->bytes);
}

/* answer->bytes are the wanted ones if err is CS_OK. name: written before the bytes; NULL: not.
 */
static void put(answer_t *answer, cs_err_t err, const cs_name_t *name, bool with_name)
{
    size_t record = answer->bytes.len + 4 + (with_name ? sizeof name->b : 0);
    if (err != CS_OK || answer->total + record > CS_SERVE_BYTES_MAX) {
        answer->sink->missing(answer->sink->arg, name);
        return;
    }
    if (answer->payload.len + record > CS_BUNDLE_BYTES) flush(answer);
    if (with_name) cs_buf_put(&answer->payload, name->b, sizeof name->b);
    cs_buf_put_u32(&answer->payload, (uint32_t)answer->bytes.len);
    cs_buf_put_slice(&answer->payload, cs_buf_slice(&answer->bytes));
    answer->total += record;
}

static bool is_full(const answer_t *answer)
{
    return answer->total >= CS_SERVE_BYTES_MAX;
}

/* Behind what is in the payload. A request with places names chunks of a part: those are
 * nowhere else, or seldom. */
static cs_err_t read_chunk(answer_t *answer, const cs_serve_chunks_t *chunks, size_t i)
{
    const cs_serve_t *serve = answer->serve;
    cs_buf_t *ret = &answer->payload;
    cs_err_t err = CS_ERR_NOT_FOUND;
    if (chunks->content != NULL) {
        cs_part_place_t place = {&chunks->names[i], chunks->offsets[i], chunks->lens[i]};
        err = cs_part_read(serve->fs, serve->table, chunks->content, &place, ret);
    }
    if (err == CS_OK) return CS_OK;
    return cs_local_chunk(&answer->local, &chunks->names[i], ret);
}

/* What lies behind `from` goes with the next payload. */
static void flush_until(answer_t *answer, size_t from)
{
    cs_buf_t rest = {0};
    cs_buf_put(&rest, answer->payload.data + from, answer->payload.len - from);
    answer->payload.len = from;
    flush(answer);
    cs_buf_fini(&answer->payload);
    answer->payload = rest;
}

static void set_len(cs_buf_t *payload, size_t at, uint32_t len)
{
    size_t end = payload->len;
    payload->len = at;
    cs_buf_put_u32(payload, len);
    payload->len = end;
}

/* Most of what is sent are chunks: they are read into their payload. */
static void put_chunk(answer_t *answer, const cs_serve_chunks_t *chunks, size_t i)
{
    const cs_name_t *name = &chunks->names[i];
    cs_buf_t *payload = &answer->payload;
    size_t expected = CHUNK_HEAD + (chunks->lens != NULL ? chunks->lens[i] : 0);
    if (payload->len + expected > CS_BUNDLE_BYTES) flush(answer);
    size_t from = payload->len;
    if (from == 0 && payload->cap < expected) {
        cs_buf_fini(payload);
        *payload = cs_buf_of(expected);
    }
    cs_buf_put(payload, name->b, sizeof name->b);
    cs_buf_put_u32(payload, 0);
    cs_err_t err = is_full(answer) ? CS_ERR_LIMIT : read_chunk(answer, chunks, i);
    size_t record = payload->len - from;
    if (err != CS_OK || answer->total + record > CS_SERVE_BYTES_MAX) {
        payload->len = from;
        answer->sink->missing(answer->sink->arg, name);
        return;
    }
    set_len(payload, from + sizeof name->b, (uint32_t)(record - CHUNK_HEAD));
    if (from > 0 && payload->len > CS_BUNDLE_BYTES) flush_until(answer, from);
    answer->total += record;
}

void cs_serve_data(const cs_serve_t *serve, const cs_name_t *contents, size_t content_count,
                   const cs_serve_chunks_t *chunks, const cs_serve_sink_t *sink)
{
    answer_t answer;
    answer_begin(&answer, serve, sink);
    for (size_t i = 0; i < content_count; i++) {
        cs_err_t err = CS_ERR_LIMIT;
        cs_buf_clear(&answer.bytes);
        if (!is_full(&answer)) {
            err = cs_local_small(&answer.local, contents[i].b, &answer.bytes);
        }
        put(&answer, err, &contents[i], true);
    }
    for (size_t i = 0; chunks != NULL && i < chunks->count; i++) {
        put_chunk(&answer, chunks, i);
    }
    answer_end(&answer);
}

static cs_err_t read_node(answer_t *answer, const cs_name_t *name)
{
    cs_err_t err = cs_rows_node(&answer->serve->rows, name, &answer->bytes);
    if (err != CS_OK) return err;
    cs_name_t found;
    cs_node_name(answer->serve->table, cs_buf_slice(&answer->bytes), &found);
    return cs_name_eq(&found, name) ? CS_OK : CS_ERR_NOT_FOUND;
}

void cs_serve_nodes(const cs_serve_t *serve, const cs_name_t *names, size_t count,
                    const cs_serve_sink_t *sink)
{
    answer_t answer;
    answer_begin(&answer, serve, sink);
    for (size_t i = 0; i < count; i++) {
        put(&answer, is_full(&answer) ? CS_ERR_LIMIT : read_node(&answer, &names[i]), &names[i],
            false);
    }
    answer_end(&answer);
}

cs_err_t cs_serve_map(const cs_serve_t *serve, const uint8_t hash[CS_HASH_BYTES], uint64_t size,
                      cs_content_map_t *ret)
{
    cs_content_map_t map;
    cs_content_t content;
    cs_err_t err = cs_rows_map(&serve->rows, hash, &map);
    if (err != CS_OK) return err;
    cs_content_from_root(serve->table, map.size, &map.root, &content);
    if (map.size != size || memcmp(content.hash, hash, CS_HASH_BYTES) != 0) {
        return CS_ERR_NOT_FOUND;
    }
    cs_local_t local;
    cs_local_init(&local, serve->fs, serve->table, &serve->rows);
    bool here = cs_local_has(&local, hash, size);
    cs_local_fini(&local);
    if (!here) return CS_ERR_NOT_FOUND;
    *ret = map;
    return CS_OK;
}
