/* item.c - displayed paths and base rows as values, and the encoding of a base row. */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <string.h>

#define BACKS_MAX \
    (UINT64_C(2) * CS_DOTS_MAX) /* entries collapse into one item rarely, and few */

cs_dot_t *cs__backs_new(cs_item_t *item, uint32_t backs, size_t dots)
{
    _Static_assert(sizeof(cs_back_t) % _Alignof(cs_dot_t) == 0, "dots may follow backs");
    item->back = cs_calloc(1, backs * sizeof *item->back + dots * sizeof(cs_dot_t));
    item->back_len = backs;
    return (cs_dot_t *)(item->back + backs);
}

void cs_item_fini(cs_item_t *item)
{
    cs_str_unref(&item->path);
    cs_str_unref(&item->eff);
    cs_attr_fini(&item->attr);
    cs_free(item->back);
    memset(item, 0, sizeof *item);
}

/* To *at, which moves behind them. */
static cs_dot_t *dots_copy(cs_dot_t **at, const cs_dot_t *dots, uint32_t len)
{
    if (len == 0) return NULL;
    cs_dot_t *copy = memcpy(*at, dots, len * sizeof *dots);
    *at += len;
    return copy;
}

static void backs_copy(cs_item_t *to, const cs_item_t *from)
{
    size_t dots = 0;
    for (uint32_t i = 0; i < from->back_len; i++) {
        dots += (size_t)from->back[i].l_len + from->back[i].a_len;
    }
    cs_dot_t *at = cs__backs_new(to, from->back_len, dots);
    for (uint32_t i = 0; i < from->back_len; i++) {
        const cs_back_t *back = &from->back[i];
        to->back[i] = *back;
        to->back[i].l_dots = dots_copy(&at, back->l_dots, back->l_len);
        to->back[i].a_dots = dots_copy(&at, back->a_dots, back->a_len);
    }
}

void cs_item_copy(cs_item_t *to, const cs_item_t *from)
{
    cs_item_t copy = *from;
    cs_str_ref(copy.path);
    cs_str_ref(copy.eff);
    copy.attr = (cs_attr_t){0};
    cs_attr_copy(&copy.attr, &from->attr);
    copy.back = NULL;
    if (from->back_len > 0) backs_copy(&copy, from);
    cs_item_fini(to);
    *to = copy;
}

void cs_items_clear(cs_items_t *items)
{
    for (uint32_t i = 0; i < items->len; i++) {
        cs_item_fini(&items->item[i]);
    }
    items->len = 0;
}

void cs_items_fini(cs_items_t *items)
{
    cs_items_clear(items);
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

/* To *at, which moves behind them; NULL: only to get past them. */
static uint32_t read_dots(cs_reader_t *reader, cs_dot_t **at, cs_dot_t **ret)
{
    uint32_t len = (uint32_t)cs_read_count(reader, CS_DOTS_MAX, 9);
    *ret = at != NULL && len > 0 ? *at : NULL;
    for (uint32_t i = 0; i < len; i++) {
        cs_dot_t dot = read_dot(reader);
        if (at != NULL) *(*at)++ = dot;
    }
    return len;
}

static void read_back(cs_reader_t *reader, cs_dot_t **at, cs_back_t *ret)
{
    cs_read_copy(reader, ret->bucket.b, CS_BUCKET_BYTES);
    ret->lin = read_dot(reader);
    ret->k = read_dot(reader);
    ret->l_len = read_dots(reader, at, &ret->l_dots);
    ret->a_len = read_dots(reader, at, &ret->a_dots);
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

/* All but the backing. Of what has memory of its own only the attributes, and where eff is:
 * empty if it is the path. */
static void read_fields(cs_reader_t *reader, cs_item_t *item, cs_slice_t *ret_eff)
{
    read_print(reader, &item->print);
    cs_content_decode(reader, &item->content);
    cs_attr_decode(reader, &item->attr);
    *ret_eff = cs_read_bytes(reader, cs_read_count(reader, CS_PATH_MAX, 1));
    item->mtime_ns = (int64_t)cs_read_u64(reader);
    item->rank = (uint32_t)cs_read_varint(reader);
    item->agen = (uint32_t)cs_read_varint(reader);
}

static uint32_t read_back_count(cs_reader_t *reader)
{
    return (uint32_t)cs_read_count(reader, BACKS_MAX, CS_BUCKET_BYTES + 20);
}

/* How many dots they have together. */
static size_t pass_backs(cs_reader_t *reader, uint32_t count)
{
    size_t dots = 0;
    for (uint32_t i = 0; i < count; i++) {
        cs_back_t back = {0};
        read_back(reader, NULL, &back);
        dots += (size_t)back.l_len + back.a_len;
    }
    return dots;
}

static void read_backs(cs_reader_t *reader, cs_item_t *item)
{
    uint32_t count = read_back_count(reader);
    cs_reader_t ahead = *reader;
    cs_dot_t *at = cs__backs_new(item, count, pass_backs(&ahead, count));
    for (uint32_t i = 0; i < count; i++) {
        read_back(reader, &at, &item->back[i]);
    }
}

cs_err_t cs_base_decode(cs_slice_t path, cs_slice_t value, cs_item_t *ret)
{
    cs_reader_t reader = cs_reader(value);
    cs_item_t item = {.path = cs_str_new(path.data, path.len)};
    cs_slice_t eff;
    read_fields(&reader, &item, &eff);
    item.eff = eff.len == 0 ? cs_str_ref(item.path) : cs_str_new(eff.data, eff.len);
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

cs_err_t cs__base_check(cs_slice_t value, cs_print_t *ret)
{
    cs_reader_t reader = cs_reader(value);
    cs_item_t item = {0};
    cs_slice_t eff;
    read_fields(&reader, &item, &eff);
    (void)pass_backs(&reader, read_back_count(&reader));
    *ret = item.print;
    cs_item_fini(&item);
    return cs_reader_end(&reader);
}
