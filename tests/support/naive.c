/* naive.c - see naive.h. Everything is compared with everything; nothing is shared with view.c
 * but the spelling of sibling names. */
#include "support/naive.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define THINGS_MAX 512

typedef struct thing {
    const cs_entry_t *entry;
    const char *path;
    const cs_content_t *content;
    cs_dot_t lin, k;
    uint32_t rank, attr_gen;
    uint16_t mode;
    bool explicit;
    int group;
} thing_t;

typedef struct pile {
    thing_t thing[THINGS_MAX];
    int len;
    int group_len;
    struct {
        int first, index; /* a thing of it; order within its path */
        uint32_t rank;
        char shown[256];
    } group[THINGS_MAX];
} pile_t;

static bool l_before(const cs_lval_t *a, const cs_lval_t *b)
{
    if (a->gen != b->gen) return a->gen > b->gen;
    if (a->how != b->how) return a->how == CS_MOVE;
    int order = strcmp(a->path->data, b->path->data);
    return order != 0 ? order < 0 : cs_dot_cmp(a->dot, b->dot) < 0;
}

static const cs_lval_t *first_l(const cs_entry_t *e, cs_dot_t lin, bool with_hint)
{
    const cs_lval_t *best = NULL;
    for (uint32_t i = 0; i < e->l_len; i++) {
        const cs_lval_t *l = &e->l[i];
        if (l->lin.rid != lin.rid || l->lin.ctr != lin.ctr) continue;
        if (with_hint && l->hint.kind == CS_KIND_NONE) continue;
        if (best == NULL || l_before(l, best)) best = l;
    }
    return best;
}

static cs_dot_t lineage_of(const cs_entry_t *e, const cs_kval_t *k)
{
    return first_l(e, k->dot, false) != NULL ? k->dot : k->lin;
}

static bool attr_before(bool ax, uint32_t ag, uint16_t am, bool bx, uint32_t bg, uint16_t bm)
{
    if (ax != bx) return ax;
    return ag != bg ? ag > bg : am < bm;
}

static void attr(thing_t *t, uint32_t gen, uint16_t own)
{
    if (t->content->kind != CS_KIND_FILE) return;
    t->mode = own;
    t->attr_gen = gen;
    for (uint32_t i = 0; i < t->entry->a_len; i++) {
        const cs_aval_t *a = &t->entry->a[i];
        if (!cs_dot_eq(a->lin, t->lin)) continue;
        if (!attr_before(true, a->gen, a->attr.mode, t->explicit, t->attr_gen, t->mode))
            continue;
        t->explicit = true;
        t->mode = a->attr.mode;
        t->attr_gen = a->gen;
    }
}

static void candidates(pile_t *p, const cs_entry_t *e)
{
    for (uint32_t i = 0; i < e->k_len; i++) {
        const cs_kval_t *k = &e->k[i];
        cs_dot_t lin = lineage_of(e, k);
        const cs_lval_t *l = first_l(e, lin, false);
        thing_t t = {
            .entry = e, .content = &k->content, .lin = lin, .k = k->dot, .rank = k->gen};
        t.path = l != NULL ? l->path->data : k->path->data;
        if (l != NULL && l->gen > t.rank) t.rank = l->gen;
        attr(&t, k->gen, k->attr.mode);
        p->thing[p->len++] = t;
    }
    for (uint32_t i = 0; i < e->l_len; i++) {
        const cs_lval_t *l = &e->l[i], *hinted = first_l(e, l->lin, true);
        bool owns = false;
        for (uint32_t j = 0; j < e->k_len; j++)
            owns = owns || cs_dot_eq(lineage_of(e, &e->k[j]), l->lin);
        if (owns || hinted == NULL || first_l(e, l->lin, false) != l) continue;
        thing_t t = {.entry = e, .content = &hinted->hint, .lin = l->lin, .rank = l->gen};
        t.path = l->path->data;
        attr(&t, l->gen, hinted->hint_attr.mode);
        p->thing[p->len++] = t;
    }
}

static bool in_dirs(const pile_t *p, const char *path)
{
    size_t len = strlen(path);
    for (int i = 0; i < p->len; i++) {
        const thing_t *t = &p->thing[i];
        if (strncmp(t->path, path, len) == 0 && t->path[len] == '/') return true;
        if (t->content->kind == CS_KIND_DIR && strcmp(t->path, path) == 0) return true;
    }
    return false;
}

static bool taken(const pile_t *p, const char *name)
{
    if (in_dirs(p, name)) return true;
    for (int i = 0; i < p->len; i++) {
        if (strcmp(p->thing[i].path, name) == 0) return true;
    }
    for (int i = 0; i < p->group_len; i++) {
        if (strcmp(p->group[i].shown, name) == 0) return true;
    }
    return false;
}

static void group_all(pile_t *p)
{
    for (int i = 0; i < p->len; i++) {
        thing_t *t = &p->thing[i];
        t->group = -1;
        for (int j = 0; j < i; j++) {
            if (strcmp(p->thing[j].path, t->path) != 0) continue;
            if (cs_content_eq(p->thing[j].content, t->content)) t->group = p->thing[j].group;
        }
        if (t->group < 0) {
            t->group = p->group_len++;
            p->group[t->group].first = i;
            p->group[t->group].rank = 0;
            p->group[t->group].shown[0] = '\0';
        }
        if (t->rank > p->group[t->group].rank) p->group[t->group].rank = t->rank;
    }
}

/* Position in the order in which siblings get their names: path, then rank and content desc. */
static bool goes_first(const pile_t *p, int a, int b)
{
    const thing_t *x = &p->thing[p->group[a].first], *y = &p->thing[p->group[b].first];
    int order = strcmp(x->path, y->path);
    if (order != 0) return order < 0;
    if (p->group[a].rank != p->group[b].rank) return p->group[a].rank > p->group[b].rank;
    return cs_content_cmp(x->content, y->content) > 0;
}

static bool is_dir_group(const pile_t *p, int g)
{
    return p->thing[p->group[g].first].content->kind == CS_KIND_DIR;
}

static void name_all(pile_t *p)
{
    int order[THINGS_MAX], len = 0;
    for (int g = 0; g < p->group_len; g++) {
        const char *path = p->thing[p->group[g].first].path;
        if (is_dir_group(p, g)) {
            strcpy(p->group[g].shown, path);
            continue;
        }
        bool first = !in_dirs(p, path);
        for (int h = 0; h < p->group_len && first; h++) {
            bool same = h != g && !is_dir_group(p, h) &&
                        strcmp(p->thing[p->group[h].first].path, path) == 0;
            if (same && goes_first(p, h, g)) first = false;
        }
        if (first)
            strcpy(p->group[g].shown, path);
        else
            order[len++] = g;
    }
    for (int i = 0; i < len; i++) {
        for (int j = i + 1; j < len; j++) {
            if (!goes_first(p, order[j], order[i])) continue;
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        const thing_t *t = &p->thing[p->group[order[i]].first];
        for (uint32_t n = 8, again = 0;; n < 20 ? (n += 2) : again++) {
            cs_str_t *name = cs_sibling_name(cs_slice_text(t->path), t->content, n, again);
            bool is_taken = taken(p, name->data);
            if (!is_taken) strcpy(p->group[order[i]].shown, name->data);
            cs_str_unref(&name);
            if (!is_taken) break;
        }
    }
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_text(cs_buf_t *line, const char *text)
{
    cs_buf_put(line, text, strlen(text));
}

static void put_sorted(char **line, int len, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    qsort(line, (size_t)len, sizeof *line, by_line);
    for (int i = 0; i < len; i++) {
        put_text(ret, line[i]);
        cs_buf_put_u8(ret, '\n');
        cs_free(line[i]);
    }
}

/* In base 8, 10 or 16; printf would take a quarter of the time of a check. */
static void put_number(cs_buf_t *line, uint64_t number, unsigned base, char after)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = after;
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    cs_buf_put(line, at, (size_t)(digits + sizeof digits - at));
}

static void put_back(cs_buf_t *line, const cs_bucket_t *bucket, cs_dot_t lin, cs_dot_t k)
{
    char hex[9];
    cs_hex(hex, bucket->b, 4);
    put_text(line, hex);
    cs_buf_put_u8(line, '.');
    put_number(line, lin.rid, 16, ':');
    put_number(line, lin.ctr, 10, '.');
    put_number(line, k.rid, 16, ':');
    put_number(line, k.ctr, 10, ' ');
}

static void put_head(cs_buf_t *line, const char *shown, const char *eff,
                     const cs_content_t *content)
{
    put_text(line, shown);
    cs_buf_put_u8(line, '|');
    put_text(line, eff);
    cs_buf_put_u8(line, '|');
    put_number(line, content->kind, 10, ':');
    cs_buf_put(line, content->hash, (size_t)content->size);
    cs_buf_put_u8(line, '|');
}

static char *line_of(const pile_t *p, int g)
{
    cs_buf_t line = {0};
    const thing_t *first = &p->thing[p->group[g].first], *best = first;
    cs_back_t backs[64];
    int len = 0;
    for (int i = 0; i < p->len; i++) {
        const thing_t *t = &p->thing[i];
        if (t->group != g) continue;
        if (attr_before(t->explicit, t->attr_gen, t->mode, best->explicit, best->attr_gen,
                        best->mode))
            best = t;
        cs_back_t back = {.bucket = t->entry->bucket, .lin = t->lin, .k = t->k};
        int at = len++;
        for (; at > 0 && cs__back_cmp(&back, &backs[at - 1]) < 0; at--)
            backs[at] = backs[at - 1];
        backs[at] = back;
    }
    put_head(&line, p->group[g].shown, first->path, first->content);
    put_number(&line, best->mode, 8, '|');
    put_number(&line, p->group[g].rank, 10, '|');
    for (int i = 0; i < len; i++)
        put_back(&line, &backs[i].bucket, backs[i].lin, backs[i].k);
    cs_buf_put_u8(&line, 0);
    return (char *)line.data;
}

void cs_naive_project(cs_peer_t *peer, cs_buf_t *ret)
{
    static pile_t p;
    char *line[THINGS_MAX];
    cs_buckets_t buckets = {0};
    p.len = p.group_len = 0;
    cs_peer_buckets(peer, &buckets);
    for (uint32_t i = 0; i < buckets.len; i++)
        candidates(&p, &cs__cell_get(peer->replica, &buckets.at[i])->entry);
    free(buckets.at);
    group_all(&p);
    name_all(&p);
    for (int g = 0; g < p.group_len; g++)
        line[g] = line_of(&p, g);
    put_sorted(line, p.group_len, ret);
}

void cs_family_project(cs_peer_t *peer, cs_buf_t *ret)
{
    char *line[THINGS_MAX];
    cs_items_t items = {0};
    cs_err_t err = cs_replica_project_all(peer->replica, &items);
    CS_ASSERT(err == CS_OK);
    for (uint32_t i = 0; i < items.len; i++) {
        const cs_item_t *item = &items.item[i];
        cs_buf_t text = {0};
        put_head(&text, item->path->data, item->eff->data, &item->content);
        put_number(&text, item->attr.mode, 8, '|');
        put_number(&text, item->rank, 10, '|');
        for (uint32_t j = 0; j < item->back_len; j++) {
            put_back(&text, &item->back[j].bucket, item->back[j].lin, item->back[j].k);
        }
        cs_buf_put_u8(&text, 0);
        line[i] = (char *)text.data;
    }
    put_sorted(line, (int)items.len, ret);
    cs_items_fini(&items);
}
