/* job_content.c - the worker's side of content: partial files, and what peers asked for. */
#include <string.h>

#include "base/mem.h"
#include "disk/part.h"
#include "disk/serve.h"
#include "node/job_internal.h"
#include "proto/frame.h"
#include "xfer/pack.h"

static cs_rows_view_t view_of(const cs_job_t *job, const cs_job_env_t *env)
{
    return (cs_rows_view_t){
        .store = env->store, .snapshot = env->snapshot, .folder = job->folder};
}

void cs__job_run_part(cs_job_t *job, const cs_job_env_t *env)
{
    cs_job_part_t *part = &job->u.part;
    cs_rows_view_t view = view_of(job, env);
    cs_part_chunks_t chunks = {part->names, part->offsets, part->lens, part->name_count};

    if (part->what == CS_FETCH_OPEN) {
        job->err = cs_part_open(env->fs, &part->content, part->need, &part->has_bytes);
    } else if (part->what == CS_FETCH_LOCAL) {
        job->err = cs_part_fill(env->fs, job->table, &view, &part->content, &chunks,
                                &part->found_count);
    } else if (part->what == CS_FETCH_WRITE) {
        job->err =
            cs_part_write(env->fs, job->table, &part->content, part->offset, part->bytes);
    } else if (part->what == CS_FETCH_DISCARD) {
        job->err = cs_part_discard(env->fs, &part->content);
    } else {
        job->err = cs_part_finish(env->fs, &part->content, part->proved);
    }
}

/* --- serve */

typedef struct server {
    cs_job_serve_t *serve;
    cs_packer_t *packer; /* made when first needed */
} server_t;

static cs_payload_t *add_payload(cs_job_serve_t *serve)
{
    serve->payloads =
        cs_realloc_array(serve->payloads, serve->payload_count + 1, sizeof *serve->payloads);
    cs_payload_t *kept = &serve->payloads[serve->payload_count++];
    *kept = (cs_payload_t){0};
    return kept;
}

static bool pack(server_t *server, cs_slice_t payload, cs_payload_t *ret)
{
    if (!server->serve->packs) return false;
    if (server->packer == NULL) server->packer = cs_packer_new();
    if (!cs_pack(server->packer, payload, &ret->bytes)) return false;
    ret->unpacked = (uint32_t)payload.len;
    return true;
}

/* Taken, unless much of the buffer is empty. */
static void keep_payload(void *arg, cs_buf_t *payload)
{
    server_t *server = arg;
    cs_payload_t *kept = add_payload(server->serve);
    if (pack(server, cs_buf_slice(payload), kept)) return;
    cs_buf_clear(&kept->bytes);
    if (payload->len < payload->cap - payload->cap / 4) {
        cs_buf_put_slice(&kept->bytes, cs_buf_slice(payload));
        return;
    }
    cs_buf_fini(&kept->bytes);
    kept->bytes = *payload;
    *payload = (cs_buf_t){0};
}

/* Nodes come with fixed lengths; the message packs them with varints. */
static void keep_nodes(void *arg, cs_buf_t *payload)
{
    server_t *server = arg;
    cs_buf_t *packed = &add_payload(server->serve)->bytes;
    cs_reader_t reader = cs_reader(cs_buf_slice(payload));
    while (cs_reader_left(&reader) > 0) {
        cs_slice_t node = cs_read_bytes(&reader, cs_read_u32(&reader));
        cs_packed_put(packed, node);
    }
    CS_ASSERT(reader.err == CS_OK); /* made in this process */
}

static void keep_missing(void *arg, const cs_name_t *name)
{
    cs_job_serve_t *serve = ((server_t *)arg)->serve;
    serve->missing =
        cs_realloc_array(serve->missing, serve->missing_count + 1, sizeof *serve->missing);
    serve->missing[serve->missing_count++] = *name;
}

void cs__job_run_serve(cs_job_t *job, const cs_job_env_t *env)
{
    cs_job_serve_t *serve = &job->u.serve;
    cs_serve_t reader = {.fs = env->fs, .table = job->table, .rows = view_of(job, env)};
    server_t server = {.serve = serve};
    cs_serve_sink_t sink = {.arg = &server, .payload = keep_payload, .missing = keep_missing};

    if (serve->type == CS_MSG_CWANT) {
        cs_serve_chunks_t chunks = {.names = serve->names,
                                    .count = serve->name_count,
                                    .content = serve->offsets != NULL ? &serve->content : NULL,
                                    .offsets = serve->offsets,
                                    .lens = serve->lens};
        cs_serve_data(&reader, serve->contents, serve->content_count, &chunks, &sink);
    } else if (serve->type == CS_MSG_NWANT) {
        sink.payload = keep_nodes;
        cs_serve_nodes(&reader, serve->names, serve->name_count, &sink);
    } else {
        const cs_content_t *content = &serve->content;
        cs_err_t err = cs_serve_map(&reader, content->hash, content->size, &serve->map);
        serve->map_found = err == CS_OK;
    }
    cs_packer_destroy(&server.packer);
}
