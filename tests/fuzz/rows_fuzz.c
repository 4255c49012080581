/* rows_fuzz.c - damaged rows about the insides of files (xfer/rows.h), with right seals: each
 * question is answered or refused, and sweeping them ends. */
#include <string.h>

#include "base/mem.h"
#include "base/seal.h"
#include "sim/mem_store.h"
#include "support/feed.h"
#include "xfer/rows.h"
#include "xfer/rows_key.h"

#define ROWS_MAX 64u
#define FOLDER   1u

static bool go_on_place(void *arg, const cs_chunk_place_t *place)
{
    (void)place;
    return ++*(unsigned *)arg < 1000;
}

static bool go_on_path(void *arg, cs_slice_t path)
{
    (void)path;
    return ++*(unsigned *)arg < 1000;
}

static void ask(const cs_rows_view_t *view, cs_slice_t id)
{
    cs_name_t name = {{0}};
    cs_content_map_t map;
    cs_buf_t node = {0};
    unsigned count = 0;
    if (id.len > 0) memcpy(name.b, id.data, id.len < sizeof name.b ? id.len : sizeof name.b);
    (void)!cs_rows_map(view, name.b, &map);
    cs_err_t err = cs_rows_node(view, &name, &node);
    require(err == CS_OK || node.len == 0);
    (void)!cs_rows_places(view, &name, &count, go_on_place);
    (void)!cs_rows_paths(view, name.b, &count, go_on_path);
    cs_buf_fini(&node);
}

/* u8 table and whether sealed, id, value; ids are short: the rest is zeros. */
static void put_row(cs_reader_t *feed, cs_batch_t *batch, cs_buf_t *ids)
{
    static const char tables[] = "rnclhb";
    static const uint8_t lengths[] = {16, 16, 16, 32, 20, 4};
    uint8_t kind = cs_read_u8(feed), id[64] = {0};
    cs_slice_t from = feed_bytes(feed), value = feed_bytes(feed);
    if (from.len > 0) memcpy(id, from.data, from.len < sizeof id ? from.len : sizeof id);
    size_t table = kind % (sizeof tables - 1);
    size_t len = (kind & 0x40) != 0 ? from.len : lengths[table];
    if (len > sizeof id) len = sizeof id;
    cs_buf_t key = {0}, sealed = {0};
    cs_row_key(FOLDER, tables[table], id, len, &key);
    cs_buf_put_slice(&sealed, value);
    if ((kind & 0x80) == 0) cs_seal_append(&sealed, 0);
    cs_batch_put(batch, cs_buf_slice(&key), cs_buf_slice(&sealed));
    cs_buf_put(ids, id, sizeof id);
    cs_buf_fini(&key);
    cs_buf_fini(&sealed);
}

static void sweep(const cs_rows_view_t *view, size_t step)
{
    cs_buf_t cursor = {0};
    unsigned rounds = 0;
    do {
        cs_batch_t batch = {0};
        cs_err_t err = cs_rows_sweep(view, step, &cursor, &batch);
        if (err == CS_OK) err = cs_store_write(view->store, &batch, true);
        cs_batch_fini(&batch);
        if (err != CS_OK) break;
        require(++rounds <= 8 * ROWS_MAX);
    } while (cursor.len > 0);
    cs_buf_fini(&cursor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    cs_rows_view_t view = {.store = cs_mem_store_new(), .folder = FOLDER};
    cs_batch_t batch = {0};
    cs_buf_t ids = {0};
    size_t step = 1 + cs_read_u8(&feed) % 16;
    for (unsigned i = 0; i < ROWS_MAX && cs_reader_left(&feed) > 0; i++)
        put_row(&feed, &batch, &ids);
    cs_err_t err = cs_store_write(view.store, &batch, true);
    require(err == CS_OK);
    for (size_t at = 0; at < ids.len; at += 64)
        ask(&view, cs_slice(ids.data + at, 64));
    sweep(&view, step);
    for (size_t at = 0; at < ids.len; at += 64)
        ask(&view, cs_slice(ids.data + at, 64));
    cs_batch_fini(&batch);
    cs_buf_fini(&ids);
    cs_store_close(&view.store);
    return 0;
}
