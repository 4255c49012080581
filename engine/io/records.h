/* records.h - what a home remembers of folders, peers and open invites, as structs and as ZPL.
 *
 * Pure: text in, text out. home.h keeps them in files. The fini functions wipe secrets. */
#ifndef CS_IO_RECORDS_H
#define CS_IO_RECORDS_H

#include "base/digest.h"
#include "io/strings.h"
#include "io/zpl.h"

CS_HEADER_BEGIN

#define CS_KEY_BYTES    32u /* of a CURVE key */
#define CS_KEY_TEXT     65u /* as hex with its NUL */
#define CS_MARKER_BYTES 16u /* tells a folder's own root from an empty mount point */
#define CS_ID_TEXT      65u /* a folder's id with its NUL */

/* What `folder set` sets; each is kept as text, and absent means the default. */
#define CS_SETTING_MAP(X)     \
    X(SCAN, "scan")           \
    X(VERIFY, "verify")       \
    X(PAUSE, "pause")         \
    X(RESUME, "resume")       \
    X(WATCH, "watch")         \
    X(BRAKE, "brake")         \
    X(TRASH_MIB, "trash-mib") \
    X(DURABILITY, "durability")

typedef enum cs_setting {
#define X(name, key) CS_SETTING_##name,
    CS_SETTING_MAP(X)
#undef X
        CS_SETTING_COUNT
} cs_setting_t;

typedef struct cs_folder_record {
    char id[CS_ID_TEXT];
    uint32_t number; /* > 0, begins its keys in the store; never used again */
    char *path;      /* owned; absolute; any bytes but NUL */
    uint8_t secret[CS_SECRET_BYTES];
    uint8_t marker[CS_MARKER_BYTES];
    bool modes_exec; /* modes: only the executable bit is replicated */
    bool paused;
    char *setting[CS_SETTING_COUNT]; /* owned; NULL: default */
} cs_folder_record_t;

typedef struct cs_peer_record {
    uint8_t key[CS_KEY_BYTES]; /* the peer's id */
    char *name;                /* owned; NULL: none */
    char *endpoint;            /* owned; NULL: it only dials in */
    cs_strings_t heard;        /* endpoints, as it or others told */
    cs_strings_t folders;      /* ids it is authorised for */
    bool removed;              /* not let in, whoever of the members speaks for it */
    bool cut_off; /* others removed it: not let in until something is shared with it again */
    cs_strings_t standings; /* of each folder what members say of it (standing_text.h) */
} cs_peer_record_t;

typedef struct cs_invite_record {
    uint8_t key[CS_KEY_BYTES]; /* public half of the one-time key */
    char folder[CS_ID_TEXT];
    uint32_t uses_left; /* > 0 */
} cs_invite_record_t;

/* Replaces ret; mistakes are added, and ret is usable only if there are none. fini in any case.
 */
void cs_folder_record_load(cs_slice_t text, cs_folder_record_t *ret, cs_mistakes_t *mistakes);
void cs_peer_record_load(cs_slice_t text, cs_peer_record_t *ret, cs_mistakes_t *mistakes);
void cs_invite_record_load(cs_slice_t text, cs_invite_record_t *ret, cs_mistakes_t *mistakes);

/* Adds a mistake (line 0) for each field that must not be written. */
void cs_folder_record_check(const cs_folder_record_t *record, cs_mistakes_t *mistakes);
void cs_peer_record_check(const cs_peer_record_t *record, cs_mistakes_t *mistakes);
void cs_invite_record_check(const cs_invite_record_t *record, cs_mistakes_t *mistakes);

/* Replaces ret; the record has passed its check. */
void cs_folder_record_text(const cs_folder_record_t *record, cs_buf_t *ret);
void cs_peer_record_text(const cs_peer_record_t *record, cs_buf_t *ret);
void cs_invite_record_text(const cs_invite_record_t *record, cs_buf_t *ret);

void cs_folder_record_copy(cs_folder_record_t *to,
                           const cs_folder_record_t *from); /* to: empty */
void cs_folder_record_fini(cs_folder_record_t *record);
/* A user's: nothing is shared with it any more, and it is not let in. */
void cs_peer_record_remove(cs_peer_record_t *record);
bool cs_peer_record_is_out(const cs_peer_record_t *record); /* it is not let in */
/* It is let in, and shares this folder if one is given. */
void cs_peer_record_admit(cs_peer_record_t *record, const char *folder);
void cs_peer_record_fini(cs_peer_record_t *record);

/* CS_SETTING_COUNT if there is no such key. */
cs_setting_t cs_setting_find(const char *key);
const char *cs_setting_key(cs_setting_t setting);
/* NULL, or why the value is refused. Schedules are only looked at for being text: cron is
 * the scheduler's. */
const char *cs_setting_check(cs_setting_t setting, const char *value);

CS_HEADER_END

#endif
