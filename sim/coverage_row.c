/* coverage_row.c - what a node's store says of a path. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/coverage_i.h"
#include "sim/oracle_i.h"

/* --- stores */

bool cov_get(cs_store_t *store, char table, cs_slice_t name, cs_buf_t *ret)
{
    cs_buf_t key = {0};
    cs_buf_put(&key, (const uint8_t[]){0, 0, 0, CS_SIM_FOLDER, (uint8_t)table, '/'}, 6);
    cs_buf_put_slice(&key, name);
    bool ok = cs_store_get(store, NULL, cs_buf_slice(&key), ret) == CS_OK;
    cs_buf_fini(&key);
    return ok;
}

bool cov_read_entry(cs_slice_t sealed, cs_entry_t *ret)
{
    cs_slice_t bytes;
    return or_unseal(sealed, &bytes) && cs_entry_decode(bytes, ret) == CS_OK;
}

bool cov_read_row(cs_slice_t path, cs_slice_t sealed, cs_item_t *ret)
{
    cs_slice_t bytes;
    return or_unseal(sealed, &bytes) && cs_base_decode(path, bytes, ret) == CS_OK;
}

bool cov_stored_entry(cs_store_t *store, const cs_bucket_t *bucket, cs_entry_t *ret)
{
    cs_buf_t value = {0};
    bool ok = cov_get(store, 'e', cs_slice(bucket->b, sizeof bucket->b), &value) &&
              cov_read_entry(cs_buf_slice(&value), ret);
    cs_buf_fini(&value);
    return ok;
}

bool cov_in_table(cs_slice_t key, char table, cs_slice_t *ret)
{
    if (key.len < 6 || key.data[3] != CS_SIM_FOLDER) return false;
    *ret = cs_slice(key.data + 6, key.len - 6);
    return key.data[4] == (uint8_t)table && key.data[5] == '/';
}

/* --- what stood there */

static char mode_letter(uint16_t mode)
{
    switch (mode) {
    case 0644:
        return '\0';
    case 0755:
        return '*';
    case 0600:
        return '_';
    default:
        return '%';
    }
}

static void add_letter(char *state, char letter)
{
    size_t len = strlen(state);
    if (letter == '\0' || len + 1 >= COV_STATE_BYTES) return;
    state[len] = letter;
    state[len + 1] = '\0';
}

static void print_main(const cs_coverage_t *coverage, const cs_item_t *row, char *state)
{
    static const char kinds[] = {
        [CS_KIND_FILE] = 'f', [CS_KIND_SYMLINK] = 'l', [CS_KIND_DIR] = 'd'};
    cs_bucket_t born;
    bool a_value = false;
    add_letter(state, kinds[row->content.kind]);
    if (row->content.kind == CS_KIND_FILE) add_letter(state, mode_letter(row->attr.mode));
    if (row->back_len > 1) add_letter(state, '2');
    for (uint32_t i = 0; i < row->back_len; i++) {
        a_value = a_value || row->back[i].a_len > 0;
    }
    if (a_value) add_letter(state, 'a');
    cs_bucket_of(&coverage->keys, cs_slice_str(row->eff), &born);
    if (row->back_len > 0 && memcmp(&born, &row->back[0].bucket, sizeof born) != 0) {
        add_letter(state, 'm');
    }
}

typedef struct around {
    cs_slice_t path;
    cs_item_t row; /* of the path itself */
    unsigned same, other;
    bool dir;
} around_t;

bool cov_is_lineage(const cs_item_t *a, const cs_item_t *b)
{
    return a->back_len > 0 && b->back_len > 0 &&
           memcmp(&a->back[0].bucket, &b->back[0].bucket, sizeof(cs_bucket_t)) == 0 &&
           cs_dot_eq(a->back[0].lin, b->back[0].lin);
}

static void each_row(cs_sim_node_t *node, void (*each)(void *arg, const cs_item_t *row),
                     void *arg)
{
    static const uint8_t prefix[] = {0, 0, 0, CS_SIM_FOLDER, 'b', '/'};
    cs_iter_t *iter = cs_store_iter(node->store, NULL);
    cs_iter_seek(iter, cs_slice(prefix, sizeof prefix));
    for (cs_slice_t path; cs_iter_valid(iter) && cov_in_table(cs_iter_key(iter), 'b', &path);
         cs_iter_next(iter)) {
        cs_item_t row = {0};
        if (cov_read_row(path, cs_iter_value(iter), &row)) each(arg, &row);
        cs_item_fini(&row);
    }
    cs_iter_destroy(&iter);
}

static void find_main(void *arg, const cs_item_t *row)
{
    around_t *around = arg;
    if (cs_slice_eq(cs_slice_str(row->path), around->path)) cs_item_copy(&around->row, row);
    cs_slice_t path = cs_slice_str(row->path);
    size_t len = around->path.len;
    around->dir = around->dir || (path.len > len && path.data[len] == '/' &&
                                  memcmp(path.data, around->path.data, len) == 0);
}

static void count_sibling(void *arg, const cs_item_t *row)
{
    around_t *around = arg;
    if (!cs_slice_eq(cs_slice_str(row->eff), around->path)) return;
    if (cs_slice_eq(cs_slice_str(row->path), around->path)) return;
    bool same = around->row.path == NULL || cov_is_lineage(row, &around->row);
    around->same += same;
    around->other += !same;
}

static void print_state(const cs_coverage_t *coverage, cs_sim_node_t *node, const char *path,
                        char *ret)
{
    around_t around = {.path = cs_slice_text(path)};
    each_row(node, find_main, &around);
    each_row(node, count_sibling, &around);
    if (around.row.path != NULL) print_main(coverage, &around.row, ret);
    if (around.dir) add_letter(ret, 'D');
    for (unsigned i = 0; i < around.same; i++) {
        add_letter(ret, 's');
    }
    for (unsigned i = 0; i < around.other; i++) {
        add_letter(ret, 'o');
    }
    if (ret[0] == '\0') add_letter(ret, '-');
    cs_item_fini(&around.row);
}

void cov_set_place(const cs_coverage_t *coverage, cs_sim_node_t *node, const cs_item_t *row,
                   cov_place_t *ret)
{
    snprintf(ret->path, sizeof ret->path, "%s", row->eff->data);
    ret->sibling = cs_str_cmp(row->eff, row->path) != 0;
    print_state(coverage, node, ret->path, ret->state);
}

bool cov_is_behind(cs_sim_node_t *node, const cs_item_t *row)
{
    bool behind = false;
    for (uint32_t i = 0; i < row->back_len && !behind; i++) {
        const cs_back_t *back = &row->back[i];
        cs_entry_t entry;
        uint32_t a_len = 0;
        cs_entry_init(&entry, &back->bucket);
        bool there = cov_stored_entry(node->store, &back->bucket, &entry);
        behind =
            !there || (!cs_dot_is_null(back->k) && cs_entry_find_k(&entry, back->k) == NULL);
        for (uint32_t k = 0; k < back->l_len; k++) {
            behind = behind || cs_entry_find_l(&entry, back->l_dots[k]) == NULL;
        }
        for (uint32_t k = 0; k < entry.a_len; k++) {
            a_len += cs_dot_eq(entry.a[k].lin, back->lin);
        }
        behind = behind || a_len != back->a_len;
        cs_entry_fini(&entry);
    }
    return behind;
}

typedef struct looking {
    cs_coverage_t *coverage;
    cs_sim_node_t *node;
} looking_t;

static void is_unapplied(void *arg, const cs_item_t *row)
{
    const looking_t *looking = arg;
    cs_sim_node_t *node = looking->node;
    if (row->content.kind != CS_KIND_DIR || row->back_len != 1) return;
    cs_entry_t entry;
    cs_entry_init(&entry, &row->back[0].bucket);
    bool live = cov_stored_entry(node->store, &row->back[0].bucket, &entry) && entry.k_len > 0;
    cs_entry_fini(&entry);
    cs_stat_t st;
    if (live || cs_mem_user_stat(node->volume, cs_slice_str(row->path), &st) != CS_OK) return;
    looking->coverage->unapplied |= st.type == CS_NODE_DIR;
}

void cs_coverage_scanned(cs_coverage_t *coverage, cs_sim_node_t *node)
{
    looking_t looking = {coverage, node};
    each_row(node, is_unapplied, &looking);
}
