/* list.c - where nodes end, and the walk up to the root. */
#include "xfer/list.h"

#include <string.h>

void cs_list_begin(cs_list_t *list, const cs_chunker_table_t *table, void *arg,
                   void (*node)(void *arg, const cs_name_t *name, cs_slice_t bytes))
{
    list->table = table;
    list->arg = arg;
    list->node = node;
    for (size_t i = 0; i < CS_LIST_LEVELS_MAX; i++) {
        cs_buf_clear(&list->level[i].items);
        list->level[i].total = 0;
    }
}

void cs_list_fini(cs_list_t *list)
{
    for (size_t i = 0; i < CS_LIST_LEVELS_MAX; i++) {
        cs_buf_fini(&list->level[i].items);
    }
}

/* The pending items of a level become a node. */
static void node_end(cs_list_t *list, size_t index, cs_name_t *ret)
{
    cs_buf_t *items = &list->level[index].items;
    cs_node_name(list->table, cs_buf_slice(items), ret);
    if (list->node != NULL) list->node(list->arg, ret, cs_buf_slice(items));
    cs_buf_clear(items);
}

/* True if that completed a node, which is then an item of the level above. */
static bool level_add(cs_list_t *list, size_t index, uint32_t len, const cs_name_t *name,
                      cs_name_t *ret_node)
{
    cs_list_level_t *level = &list->level[index];
    cs_buf_put_u32(&level->items, len);
    cs_buf_put(&level->items, name->b, sizeof name->b);
    level->total++;
    size_t count = level->items.len / CS_NODE_ITEM_BYTES;
    /* Two items at least: else a level might be as long as the one below, for ever. */
    bool ends = count >= 2 && name->b[CS_HASH_BYTES - 1] == 0;
    if (!ends && count < CS_NODE_ITEMS_MAX) return false;
    node_end(list, index, ret_node);
    return true;
}

static void add_from(cs_list_t *list, size_t index, uint32_t len, const cs_name_t *name)
{
    cs_name_t item = *name, node;
    while (level_add(list, index, len, &item, &node)) {
        item = node;
        len = 0;
        index++;
        CS_ASSERT(index < CS_LIST_LEVELS_MAX);
    }
}

void cs_list_add(cs_list_t *list, uint32_t len, const cs_name_t *chunk)
{
    add_from(list, 0, len, chunk);
}

uint32_t cs_list_end(cs_list_t *list, cs_name_t *ret_root)
{
    uint32_t depth = 0;
    for (; list->level[depth].total > 1; depth++) { /* the root is the only item of its level */
        if (list->level[depth].items.len == 0) continue;
        cs_name_t node;
        node_end(list, depth, &node);
        add_from(list, depth + 1, 0, &node);
    }
    CS_ASSERT(list->level[depth].items.len == CS_NODE_ITEM_BYTES);
    memcpy(ret_root->b, list->level[depth].items.data + 4, sizeof ret_root->b);
    return depth;
}
