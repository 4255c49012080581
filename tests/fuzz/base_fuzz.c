/* base_fuzz.c - a value of b/ from a damaged disk: refused, or a row that keeps its encoding.
 */
#include <string.h>

#include "base/seal.h"
#include "crdt/replica.h"
#include "support/feed.h"

/* The front that a scan reads is that of the row. */
static void check_front(cs_slice_t value, const cs_item_t *row)
{
    cs_buf_t sealed = {0};
    cs_base_front_t front;
    cs_buf_put_slice(&sealed, value);
    cs_seal_append(&sealed, 0);
    require(cs_base_peek(cs_buf_slice(&sealed), &front) == CS_OK);
    require(memcmp(&front.print, &row->print, sizeof front.print) == 0);
    require(cs_content_eq(&front.content, &row->content));
    require(front.mode == row->attr.mode);
    cs_buf_fini(&sealed);
}

/* Not the first encoding: a value may spell out what is left unsaid. */
static void check_encoding(cs_slice_t path, const cs_item_t *row)
{
    cs_buf_t first = {0}, second = {0};
    cs_item_t again = {0}, copy = {0};
    cs_base_encode(row, &first);
    require(cs_base_decode(path, cs_buf_slice(&first), &again) == CS_OK);
    cs_item_copy(&copy, &again);
    cs_base_encode(&copy, &second);
    require(cs_slice_eq(cs_buf_slice(&first), cs_buf_slice(&second)));
    cs_item_fini(&again);
    cs_item_fini(&copy);
    cs_buf_fini(&first);
    cs_buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_reader_t feed = cs_reader(cs_slice(data, size));
    cs_slice_t path = feed_bytes(&feed);
    cs_slice_t value = cs_read_bytes(&feed, cs_reader_left(&feed));
    cs_base_front_t front;
    cs_item_t row = {0};
    (void)!cs_base_peek(value, &front);
    if (cs_base_decode(path, value, &row) == CS_OK) {
        check_front(value, &row);
        check_encoding(path, &row);
    } else {
        require(row.path == NULL && row.back == NULL);
    }
    cs_item_fini(&row);
    return 0;
}
