/* scan_judge.c - clean, touched, chmodded, modified, appeared, or trouble. */
#include "disk/scan_judge.h"

#include <string.h>

#include "base/limits.h"
#include "base/mutation.h"

#define AHEAD_NS \
    86400000000000ll     /* a day: no scan takes that long, so the clock was set back */
#define PLAIN_MODE 0644u /* of a new file where the file system keeps no modes */

const char *cs_trouble_text(cs_trouble_t trouble)
{
    switch (trouble) {
    case CS_TROUBLE_UNREADABLE:
        return "unreadable";
    case CS_TROUBLE_CHANGING:
        return "changing";
    case CS_TROUBLE_SOCKET:
        return "socket";
    case CS_TROUBLE_FIFO:
        return "fifo";
    case CS_TROUBLE_DEVICE:
        return "device";
    case CS_TROUBLE_NAME:
        return "not representable";
    case CS_TROUBLE_MOUNT:
        return "mount";
    case CS_TROUBLE_TOO_MANY_VERSIONS:
        return "too many versions";
    }
    CS_ASSERT(false);
    return "";
}

const char *cs_trouble_remedy(cs_trouble_t trouble)
{
    switch (trouble) {
    case CS_TROUBLE_UNREADABLE:
        return "check its owner and mode, and the disk";
    case CS_TROUBLE_CHANGING:
        return "it is read when it rests";
    case CS_TROUBLE_SOCKET:
    case CS_TROUBLE_FIFO:
    case CS_TROUBLE_DEVICE:
        return "only files, directories and symbolic links are shared; name it in "
               ".crdtsyncignore";
    case CS_TROUBLE_NAME:
        return "give it a shorter path";
    case CS_TROUBLE_MOUNT:
        return "unmount it, or make it (or the subvolume) a folder of its own";
    case CS_TROUBLE_TOO_MANY_VERSIONS:
        return "edit it, or delete some of its siblings";
    }
    CS_ASSERT(false);
    return "";
}

uint16_t cs_mode_norm(cs_modes_t modes, uint16_t mode)
{
    if (modes == CS_MODES_ALL) return mode & CS_MODE_MAX;
    return (mode & 0100) != 0 ? 0755 : 0644;
}

uint16_t cs_mode_on_disk(const cs_fs_t *fs, cs_modes_t modes, uint16_t mode)
{
    mode = cs_mode_norm(modes, mode);
    return modes == CS_MODES_EXEC ? (uint16_t)(mode & ~fs->umask) : mode;
}

static cs_kind_t kind_of(cs_node_type_t type)
{
    return type == CS_NODE_FILE ? CS_KIND_FILE : CS_KIND_SYMLINK;
}

static uint16_t mode_seen(const cs_observer_t *o, const cs_candidate_t *c,
                          const cs_stat_t *stat)
{
    if (stat->type != CS_NODE_FILE) return 0;
    if (o->keeps_modes) return cs_mode_norm(o->modes, stat->mode);
    bool has_mode = c->has_row && c->row.content.kind == CS_KIND_FILE;
    return cs_mode_norm(o->modes, has_mode ? c->row.mode : PLAIN_MODE);
}

static bool is_chmodded(const cs_observer_t *o, const cs_candidate_t *c, uint16_t mode)
{
    return c->row.content.kind == CS_KIND_FILE && mode != cs_mode_norm(o->modes, c->row.mode);
}

/* Core.md 5.2: an mtime this close to the scan's start proves nothing. Where a ctime does, it
 * is enough: no row has one that could be that of a later write, too. */
static bool is_racy(const cs_observer_t *o, int64_t mtime_ns)
{
    return o->doubts && o->has_start && mtime_ns > o->start_ns - CS_RACY_NS &&
           mtime_ns < o->start_ns + CS_RACY_NS;
}

bool cs_judge_is_young(const cs_observer_t *o, const cs_stat_t *stat)
{
    int64_t ctime_ns = stat->print.ctime_ns;
    bool is_ahead = ctime_ns > o->start_ns + AHEAD_NS;
    return o->has_start && !is_ahead && ctime_ns > o->start_ns - o->tick_ns;
}

/* The print to record: without a ctime if the file may be written again in the same tick. Every
 * write moves ctime, and nobody can set it, unlike mtime. */
static cs_print_t print_seen(const cs_observer_t *o, const cs_stat_t *stat)
{
    cs_print_t print = stat->print;
    if ((cs_judge_is_young(o, stat) || o->blind) && !CS_MUT(NO_RACY)) print.ctime_ns = 0;
    return print;
}

static void see(const cs_observer_t *o, const cs_candidate_t *c, const cs_stat_t *stat,
                cs_seen_kind_t what, cs_judgement_t *ret)
{
    ret->sighted = true;
    ret->sighting = (cs_sighting_t){.what = what,
                                    .path = c->path,
                                    .mode = mode_seen(o, c, stat),
                                    .mtime_ns = stat->print.mtime_ns,
                                    .print = print_seen(o, stat)};
}

/* Is the file still the one of the row? A new device number under the right marker is a reboot,
 * not an edit. */
static bool has_print_of(const cs_observer_t *o, const cs_stat_t *stat,
                         const cs_base_front_t *row)
{
    const cs_print_t *then = &row->print, *now = &stat->print;
    if (o->full || row->content.kind != kind_of(stat->type)) return false;
    if (then->ctime_ns == 0 || then->ctime_ns != now->ctime_ns ||
        then->mtime_ns != now->mtime_ns || then->size != now->size || then->ino != now->ino ||
        then->btime_ns != now->btime_ns) {
        return false;
    }
    return CS_MUT(NO_RACY) || !is_racy(o, now->mtime_ns);
}

bool cs_judge_moved(const cs_observer_t *o, const cs_candidate_t *c, const cs_base_front_t *row,
                    cs_judgement_t *ret)
{
    *ret = (cs_judgement_t){0};
    if (row->print.dev != c->stat.print.dev || !has_print_of(o, &c->stat, row)) return false;
    see(o, c, &c->stat, CS_SAW_APPEARED, ret);
    ret->sighting.content = row->content;
    return true;
}

bool cs_judge_stat(const cs_observer_t *o, const cs_candidate_t *c, cs_judgement_t *ret)
{
    *ret = (cs_judgement_t){0};
    const cs_print_t *row = &c->row.print, *now = &c->stat.print;
    if (!c->has_row || !has_print_of(o, &c->stat, &c->row)) return false;
    ret->unchanged = true;
    if (is_chmodded(o, c, mode_seen(o, c, &c->stat))) {
        ret->unchanged = false;
        see(o, c, &c->stat, CS_SAW_CHMODDED, ret);
    } else if (row->dev != now->dev) {
        see(o, c, &c->stat, CS_SAW_TOUCHED, ret);
    }
    return true;
}

/* Its bytes cannot be known, but count as unmodified; its mode is known. */
static void judge_unreadable(const cs_observer_t *o, const cs_candidate_t *c,
                             cs_judgement_t *ret)
{
    ret->troubled = true;
    ret->trouble = CS_TROUBLE_UNREADABLE;
    if (!c->has_row || c->stat.type != CS_NODE_FILE) return;
    if (!is_chmodded(o, c, mode_seen(o, c, &c->stat))) return;
    see(o, c, &c->stat, CS_SAW_CHMODDED, ret);
    /* To be read as soon as that is possible: nobody vouches for bytes that were not read. */
    ret->sighting.print.ctime_ns = 0;
    if (!cs_print_eq_but_ctime(&c->stat.print, &c->row.print)) {
        ret->sighting.print = (cs_print_t){0};
    }
}

static void judge_read(const cs_observer_t *o, const cs_candidate_t *c,
                       const cs_content_t *content, const cs_stat_t *stat, cs_judgement_t *ret)
{
    cs_print_t print = print_seen(o, stat);
    if (!c->has_row || c->row.content.kind == CS_KIND_DIR) {
        see(o, c, stat, CS_SAW_APPEARED, ret);
        ret->sighting.content = *content;
    } else if (!cs_content_eq(content, &c->row.content) ||
               (CS_MUT(TOUCH_EDITS) && print.mtime_ns != c->row.print.mtime_ns)) {
        see(o, c, stat, CS_SAW_MODIFIED, ret);
        ret->sighting.content = *content;
    } else if (is_chmodded(o, c, mode_seen(o, c, stat))) {
        see(o, c, stat, CS_SAW_CHMODDED, ret);
    } else {
        ret->unchanged = true;
        if (memcmp(&print, &c->row.print, sizeof print) != 0) {
            see(o, c, stat, CS_SAW_TOUCHED, ret);
            ret->sighting.rewritten =
                print.mtime_ns != c->row.print.mtime_ns || print.ino != c->row.print.ino;
        }
    }
}

void cs_judge_content(const cs_observer_t *o, const cs_candidate_t *c, cs_err_t err,
                      const cs_content_t *content, const cs_stat_t *stat, cs_judgement_t *ret)
{
    *ret = (cs_judgement_t){0};
    if (err == CS_OK) {
        judge_read(o, c, content, stat, ret);
    } else if (err == CS_ERR_CHANGED || err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR ||
               err == CS_ERR_ESCAPES) {
        ret->troubled = true;
        ret->trouble = CS_TROUBLE_CHANGING;
    } else if (err == CS_ERR_CROSS_DEVICE) {
        ret->troubled = true;
        ret->trouble = CS_TROUBLE_MOUNT;
    } else {
        judge_unreadable(o, c, ret);
    }
}
