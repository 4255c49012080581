/* folder_trouble.c - what scans could not take: kept for status, and told once while it lasts.
 */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "node/folder.h"

#define TOLD_AT_ONCE 10u /* paths named after one scan; of the rest the number is */

static bool is_scanned(const cs_job_scan_t *scan, cs_slice_t path)
{
    for (size_t i = 0; i < scan->path_count; i++) {
        cs_slice_t top = cs_slice_str(scan->paths[i]);
        if (cs_path_is_within(path, top)) return true;
    }
    return false;
}

/* What this scan looked at again; too many versions are told while it runs. */
static void forget_scanned(cs_troubles_t *troubles, const cs_job_scan_t *scan)
{
    size_t kept = 0;
    for (size_t i = 0; i < troubles->len; i++) {
        cs_trouble_item_t *item = &troubles->item[i];
        bool again = item->trouble != CS_TROUBLE_TOO_MANY_VERSIONS &&
                     is_scanned(scan, cs_slice_str(item->path));
        if (again) {
            cs_str_unref(&item->path);
        } else {
            troubles->item[kept++] = *item;
        }
    }
    troubles->total -= troubles->len - kept;
    troubles->len = kept;
}

/* A file that changes is read when it rests: nobody need do anything. */
static bool is_worth_a_line(const cs_trouble_item_t *item)
{
    return item->trouble != CS_TROUBLE_CHANGING;
}

static cs_slice_t key_of(cs_folder_t *folder, const cs_trouble_item_t *item)
{
    cs_buf_clear(&folder->scratch);
    cs_buf_put_slice(&folder->scratch, cs_slice_str(item->path));
    cs_buf_put_u8(&folder->scratch, 0);
    cs_buf_put_u8(&folder->scratch, (uint8_t)item->trouble);
    return cs_buf_slice(&folder->scratch);
}

static cs_effect_t *note(cs_folder_t *folder)
{
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->note = CS_NOTE_TROUBLE;
    effect->text = "scan.trouble";
    return effect;
}

void cs_folder_tell_troubles(cs_folder_t *folder)
{
    cs_omap_t told = {0};
    uint64_t fresh = 0;
    bool is_new;
    for (size_t i = 0; i < folder->troubles.len; i++) {
        const cs_trouble_item_t *item = &folder->troubles.item[i];
        cs_slice_t key = key_of(folder, item);
        cs_omap_insert(&told, key, &is_new);
        if (!is_new || !is_worth_a_line(item)) continue;
        if (cs_omap_find(&folder->told, key) != NULL || fresh++ >= TOLD_AT_ONCE) continue;
        cs_troubles_add(&note(folder)->scan.troubles, cs_slice_str(item->path), item->trouble);
    }
    if (fresh > TOLD_AT_ONCE) note(folder)->scan.troubles.total = fresh - TOLD_AT_ONCE;
    cs_omap_fini(&folder->told, NULL);
    folder->told = told;
}

void cs_folder_take_troubles(cs_folder_t *folder, const cs_job_scan_t *scan)
{
    if (!folder->running_wish.all) forget_scanned(&folder->troubles, scan);
    for (size_t i = 0; i < scan->troubles.len; i++) {
        const cs_trouble_item_t *item = &scan->troubles.item[i];
        cs_troubles_add(&folder->troubles, cs_slice_str(item->path), item->trouble);
    }
}
