/* item.c - displayed paths and base rows as values, and the encoding of a base row. */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <string.h>

#define BACKS_MAX \
    (UINT64_C(2) * CS_DOTS_MAX) /* entries collapse into one item rarely, and few */

void cs__back_fini(cs_back_t *back)
{
    cs_free(back->l_dots);
    cs_free(back->a_dots);
    memset(back, 0, sizeof *back);
}

void cs_item_fini(cs_item_t *item)
{
    cs_str_unref(&item->path);
    cs_str_unref(&item->eff);
    cs_attr_fini(&item->attr);
    for (uint32_t i = 0; i < item->back_len; i++) {
        cs__back_fini(&item->back[i]);
    }
    cs_free(item->back);
    memset(item, 0, sizeof *item);
}

static cs_dot_t *dots_copy(const cs_dot_t *dots, uint32_t len)
{
    return len == 0 ? NULL : cs_memdup(dots, len * sizeof *dots);
}

void cs_item_copy(cs_item_t *to, const cs_item_t *from)
{
    cs_item_t copy = *from;
    cs_str_ref(copy.path);
    cs_str_ref(copy.eff);
    copy.attr = (cs_attr_t){0};
    cs_attr_copy(&copy.attr, &from->attr);
    copy.back = NULL;
    if (from->back_len > 0) {
        copy.back = cs_memdup(from->back, from->back_len * sizeof *from->back);
    }
    for (uint32_t i = 0; i < from->back_len; i++) {
        copy.back[i].l_dots = dots_copy(from->back[i].l_dots, from->back[i].l_len);
        copy.back[i].a_dots = dots_copy(from->back[i].a_dots, from->back[i].a_len);
    }
    cs_item_fini(to);
    *to = copy;
}

void cs_items_fini(cs_items_t *items)
{
    for (uint32_t i = 0; i < items->len; i++) {
        cs_item_fini(&items->item[i]);
    }
    cs_free(items->item);
    memset(items, 0, sizeof *items);
}

int cs__back_cmp(const cs_back_t *a, const cs_back_t *b)
{
    int order = memcmp(a->bucket.b, b->bucket.b, CS_BUCKET_BYTES);
    if (order == 0) order = cs_dot_cmp(a->lin, b->lin);
    return order != 0 ? order : cs_dot_cmp(a->k, b->k);
}

static void put_dot(cs_buf_t *ret, cs_dot_t dot)
{
    cs_buf_put_u64(ret, dot.rid);
    cs_buf_put_varint(ret, dot.ctr);
}

static cs_dot_t read_dot(cs_reader_t *reader)
{
    cs_dot_t dot = {.rid = cs_read_u64(reader)};
    dot.ctr = cs_read_varint(reader);
    return dot;
}

static void put_dots(cs_buf_t *ret, const cs_dot_t *dots, uint32_t len)
{
    cs_buf_put_varint(ret, len);
    for (uint32_t i = 0; i < len; i++) {
        put_dot(ret, dots[i]);
    }
}

static cs_dot_t *read_dots(cs_reader_t *reader, uint32_t *ret_len)
{
    uint32_t len = (uint32_t)cs_read_count(reader, CS_DOTS_MAX, 9);
    *ret_len = len;
    if (len == 0) return NULL;
    cs_dot_t *dots = cs_calloc(len, sizeof *dots);
    for (uint32_t i = 0; i < len; i++) {
        dots[i] = read_dot(reader);
    }
    return dots;
}

static void put_print(cs_buf_t *ret, const cs_print_t *print)
{
    cs_buf_put_u64(ret, print->dev);
    cs_buf_put_u64(ret, print->ino);
    cs_buf_put_u64(ret, (uint64_t)print->btime_ns);
    cs_buf_put_u64(ret, (uint64_t)print->mtime_ns);
    cs_buf_put_u64(ret, (uint64_t)print->ctime_ns);
    cs_buf_put_u64(ret, print->size);
}

static void read_print(cs_reader_t *reader, cs_print_t *ret)
{
    ret->dev = cs_read_u64(reader);
    ret->ino = cs_read_u64(reader);
    ret->btime_ns = (int64_t)cs_read_u64(reader);
    ret->mtime_ns = (int64_t)cs_read_u64(reader);
    ret->ctime_ns = (int64_t)cs_read_u64(reader);
    ret->size = cs_read_u64(reader);
}

void cs_base_encode(const cs_item_t *row, cs_buf_t *ret)
{
    put_print(ret, &row->print); /* this much is read by cs_base_peek */
    cs_content_encode(&row->content, ret);
    cs_attr_encode(&row->attr, ret);
    bool same = cs_str_eq(row->path, row->eff);
    cs_buf_put_varint(ret, same ? 0 : row->eff->len);
    if (!same) cs_buf_put_slice(ret, cs_slice_str(row->eff));
    cs_buf_put_u64(ret, (uint64_t)row->mtime_ns);
    cs_buf_put_varint(ret, row->rank);
    cs_buf_put_varint(ret, row->agen);
    cs_buf_put_varint(ret, row->back_len);
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        cs_buf_put(ret, back->bucket.b, CS_BUCKET_BYTES);
        put_dot(ret, back->lin);
        put_dot(ret, back->k);
        put_dots(ret, back->l_dots, back->l_len);
        put_dots(ret, back->a_dots, back->a_len);
    }
}

static void read_backs(cs_reader_t *reader, cs_item_t *item)
{
    uint32_t count = (uint32_t)cs_read_count(reader, BACKS_MAX, CS_BUCKET_BYTES + 20);
    item->back = cs_calloc(count, sizeof *item->back);
    item->back_len = count;
    for (uint32_t i = 0; i < count; i++) {
        cs_back_t *back = &item->back[i];
        cs_read_copy(reader, back->bucket.b, CS_BUCKET_BYTES);
        back->lin = read_dot(reader);
        back->k = read_dot(reader);
        back->l_dots = read_dots(reader, &back->l_len);
        back->a_dots = read_dots(reader, &back->a_len);
    }
}

cs_err_t cs_base_decode(cs_slice_t path, cs_slice_t value, cs_item_t *ret)
{
    cs_reader_t reader = cs_reader(value);
    cs_item_t item = {.path = cs_str_new(path.data, path.len)};
    read_print(&reader, &item.print);
    cs_content_decode(&reader, &item.content);
    cs_attr_decode(&reader, &item.attr);
    size_t eff_len = (size_t)cs_read_count(&reader, CS_PATH_MAX, 1);
    cs_slice_t eff = eff_len == 0 ? path : cs_read_bytes(&reader, eff_len);
    item.eff = cs_str_new(eff.data, eff.len);
    item.mtime_ns = (int64_t)cs_read_u64(&reader);
    item.rank = (uint32_t)cs_read_varint(&reader);
    item.agen = (uint32_t)cs_read_varint(&reader);
    read_backs(&reader, &item);
    cs_err_t err = cs_reader_end(&reader);
    if (err != CS_OK) {
        cs_item_fini(&item);
        return err;
    }
    cs_item_fini(ret);
    *ret = item;
    return CS_OK;
}
