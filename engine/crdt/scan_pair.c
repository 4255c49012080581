/* scan_pair.c - which vanished path became which appeared one (core.md 5.2). */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

typedef struct cs_end {
    const cs_content_t *content;
    const cs_print_t *print;
    const cs_str_t *path;
    cs_sight_t *sight;
    bool made; /* it appeared, rather than vanished */
} cs_end_t;

/* What a row said of a file that vanished. */
typedef struct cs_gone {
    cs_content_t content;
    cs_print_t print;
} cs_gone_t;

static int cmp_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int inode_cmp(const cs_print_t *a, const cs_print_t *b)
{
    int order = cmp_u64(a->dev, b->dev);
    if (order == 0) order = cmp_u64(a->ino, b->ino);
    return order != 0 ? order : cmp_u64((uint64_t)a->btime_ns, (uint64_t)b->btime_ns);
}

static int by_inode(const void *x, const void *y)
{
    const cs_end_t *a = x, *b = y;
    int order = inode_cmp(a->print, b->print);
    return order != 0 ? order : cs_str_cmp(a->path, b->path);
}

static int by_content(const void *x, const void *y)
{
    const cs_end_t *a = x, *b = y;
    int order = cs_content_cmp(a->content, b->content);
    return order != 0 ? order : cs_str_cmp(a->path, b->path);
}

bool cs__same_inode(const cs_print_t *a, const cs_print_t *b)
{
    return inode_cmp(a, b) == 0;
}

static bool is_known(const cs_print_t *print)
{
    return print->dev != 0 || print->ino != 0;
}

static void pair(cs_end_t *from, cs_end_t *to)
{
    from->sight->to = to->sight;
    from->sight->acts ^= CS_ACT_DELETE | CS_ACT_MOVE;
    to->sight->acts ^= CS_ACT_CREATE;
    to->sight->paired = true;
}

static void pair_inodes(cs_end_t *gone, uint32_t gone_len, cs_end_t *made, uint32_t made_len)
{
    qsort(gone, gone_len, sizeof *gone, by_inode);
    qsort(made, made_len, sizeof *made, by_inode);
    for (uint32_t i = 0, j = 0; i < gone_len && j < made_len;) {
        int order = inode_cmp(gone[i].print, made[j].print);
        if (order == 0 && is_known(gone[i].print)) pair(&gone[i], &made[j]);
        if (order <= 0) i++;
        if (order >= 0) j++;
    }
}

static bool may_pair(const cs_end_t *end)
{
    return end->content->kind == CS_KIND_FILE && end->content->size >= CS_PAIR_BYTES_MIN;
}

static uint32_t run_of(const cs_end_t *end, uint32_t first, uint32_t len)
{
    uint32_t i = first + 1;
    while (i < len && cs_content_eq(end[i].content, end[first].content)) {
        i++;
    }
    return i;
}

static bool same_base(const cs_end_t *a, const cs_end_t *b)
{
    return cs_slice_eq(cs_path_base(cs_slice_str(a->path)),
                       cs_path_base(cs_slice_str(b->path)));
}

static int by_base(const void *x, const void *y)
{
    const cs_end_t *a = x, *b = y;
    int order =
        cs_slice_cmp(cs_path_base(cs_slice_str(a->path)), cs_path_base(cs_slice_str(b->path)));
    return order != 0 ? order : cs_str_cmp(a->path, b->path);
}

static uint32_t unpaired(cs_end_t *end, uint32_t len)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < len; i++) {
        bool done = end[i].made ? end[i].sight->paired : end[i].sight->to != NULL;
        if (!done) end[kept++] = end[i];
    }
    return kept;
}

/* Equal bytes on both sides: equal basenames first, then as they come. */
static void pair_run(cs_end_t *gone, uint32_t gone_len, cs_end_t *made, uint32_t made_len)
{
    qsort(gone, gone_len, sizeof *gone, by_base);
    qsort(made, made_len, sizeof *made, by_base);
    for (uint32_t i = 0, j = 0; i < gone_len && j < made_len;) {
        if (same_base(&gone[i], &made[j])) {
            pair(&gone[i++], &made[j++]);
            continue;
        }
        if (by_base(&gone[i], &made[j]) < 0) {
            i++;
        } else {
            j++;
        }
    }
    gone_len = unpaired(gone, gone_len);
    made_len = unpaired(made, made_len);
    qsort(gone, gone_len, sizeof *gone, by_content);
    qsort(made, made_len, sizeof *made, by_content);
    for (uint32_t i = 0; i < gone_len && i < made_len; i++) {
        pair(&gone[i], &made[i]);
    }
}

static void pair_contents(cs_end_t *gone, uint32_t gone_len, cs_end_t *made, uint32_t made_len)
{
    qsort(gone, gone_len, sizeof *gone, by_content);
    qsort(made, made_len, sizeof *made, by_content);
    for (uint32_t i = 0, j = 0; i < gone_len && j < made_len;) {
        uint32_t i_end = run_of(gone, i, gone_len), j_end = run_of(made, j, made_len);
        int order = cs_content_cmp(gone[i].content, made[j].content);
        if (order == 0 && may_pair(&gone[i])) {
            pair_run(gone + i, i_end - i, made + j, j_end - j);
        }
        if (order <= 0) i = i_end;
        if (order >= 0) j = j_end;
    }
}

static uint32_t count(const cs_sights_t *sights, uint8_t act)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sights->len; i++) {
        count += (sights->item[i].acts & act) != 0;
    }
    return count;
}

/* The files that are gone; markers have no bytes to go by. */
static uint32_t list_gone(cs_replica_t *r, bool wanted, cs_gone_t *said, cs_end_t *ret)
{
    cs_sights_t *sights = &r->scan->sights;
    uint32_t len = 0;
    for (uint32_t i = 0; i < sights->len; i++) {
        cs_sight_t *sight = &sights->item[i];
        if ((sight->acts & CS_ACT_DELETE) == 0) continue;
        cs__trim(r);
        const cs_item_t *row = cs__row(r, cs_slice_str(sight->path));
        if (row == NULL || row->content.kind == CS_KIND_DIR) continue;
        if (wanted && cs__is_hollow(r, row)) continue; /* nothing that could move */
        said[len] = (cs_gone_t){row->content, row->print};
        ret[len] = (cs_end_t){&said[len].content, &said[len].print, sight->path, sight, false};
        len++;
    }
    return len;
}

static uint32_t list_made(cs_sights_t *sights, cs_end_t *ret)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < sights->len; i++) {
        cs_sight_t *sight = &sights->item[i];
        if ((sight->acts & CS_ACT_CREATE) == 0) continue;
        ret[len++] =
            (cs_end_t){&sight->seen.content, &sight->seen.print, sight->path, sight, true};
    }
    return len;
}

/* Where nothing appeared, the file may be back where it stood. */
static void pair_stands(cs_replica_t *r, cs_end_t *gone, uint32_t gone_len)
{
    for (uint32_t i = 0; i < gone_len; i++) {
        cs_sight_t *sight = gone[i].sight;
        cs__trim(r);
        const cs_item_t *row = cs__row(r, cs_slice_str(sight->path));
        if (row != NULL) sight->to = cs__stand_of(r, row);
        if (sight->to != NULL) sight->acts ^= CS_ACT_DELETE | CS_ACT_MOVE;
    }
}

void cs__pair_renames(cs_replica_t *r, bool wanted)
{
    cs_sights_t *sights = &r->scan->sights;
    uint32_t gone_len = count(sights, CS_ACT_DELETE), made_len = count(sights, CS_ACT_CREATE);
    if (gone_len == 0 || (made_len == 0 && !wanted)) return;
    cs_gone_t *said = cs_calloc(gone_len, sizeof *said);
    cs_end_t *gone = cs_calloc(gone_len, sizeof *gone),
             *made = cs_calloc(made_len, sizeof *made);
    gone_len = list_gone(r, wanted, said, gone);
    made_len = list_made(sights, made);
    if (gone_len > 0) {
        pair_inodes(gone, gone_len, made, made_len);
        gone_len = unpaired(gone, gone_len);
        if (wanted) pair_stands(r, gone, gone_len);
        gone_len = unpaired(gone, gone_len);
        pair_contents(gone, gone_len, made, unpaired(made, made_len));
    }
    cs_free(said);
    cs_free(gone);
    cs_free(made);
}
