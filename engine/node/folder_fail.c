/* folder_fail.c - writes that fail: shown at once, tried again, and logged without repeating
 * themselves: the first time, then at growing intervals, and once when it is over. */
#include "base/mem.h"
#include "node/folder.h"

#define SAY_AGAIN_MS     60000u   /* after the first time ... */
#define SAY_AGAIN_MAX_MS 3600000u /* ... doubled each time, up to this */
#define SAY_AT_ONCE      3u       /* paths named by one step: a full disk fails them all */

/* Each kind of error has intervals of its own: what is new is said though another one lasts. */
static bool is_to_be_said(cs_folder_t *folder, cs_err_t err)
{
    cs_said_t *said = &folder->said[err];
    if (said->count > 0 && said->at_ms == folder->now_ms) return said->count++ < SAY_AT_ONCE;
    if (said->count > 0 && folder->now_ms < said->at_ms + said->pause_ms) return false;
    uint64_t longer_ms = said->count == 0 ? SAY_AGAIN_MS : 2 * said->pause_ms;
    said->pause_ms = longer_ms < SAY_AGAIN_MAX_MS ? longer_ms : SAY_AGAIN_MAX_MS;
    said->at_ms = folder->now_ms;
    said->count = 1;
    return true;
}

void cs_folder_failed(cs_folder_t *folder, const char *what, cs_slice_t path, cs_err_t err)
{
    CS_ASSERT(err < CS_ERR_COUNT);
    if (is_to_be_said(folder, err)) cs_folder_note(folder, what, path, err);
    cs_str_unref(&folder->failed.path);
    if (path.len > 0) folder->failed.path = cs_str_new(path.data, path.len);
    folder->failed.err = err;
    folder->failed.lasts = true;
    folder->failed.at_ms = folder->now_ms;
    folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
}

bool cs_folder_is_failing(const cs_folder_t *folder)
{
    return !folder->applied && folder->failed.lasts &&
           folder->now_ms < folder->failed.at_ms + CS_FAILING_MS;
}

void cs_folder_tell_recovery(cs_folder_t *folder)
{
    if (!folder->failed.lasts || cs_folder_is_failing(folder)) return;
    folder->failed.lasts = false;
    for (size_t i = 0; i < CS_ERR_COUNT; i++) {
        folder->said[i] = (cs_said_t){0};
    }
    cs_folder_note(folder, "writes.recovered", cs_slice_text(""), CS_OK);
}

uint64_t cs_folder_recovery_due(const cs_folder_t *folder)
{
    return folder->failed.lasts ? folder->failed.at_ms + CS_FAILING_MS : UINT64_MAX;
}
