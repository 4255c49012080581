/* daemon_folders.c - the database, the folders of the home, and those who share them. */
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "io/daemon_shell.h"
#include "io/leveldb_store.h"

/* A damaged database is set aside, never deleted: a new one is filled by scans and peers (6.4).
 */
static cs_err_t set_aside(cs_daemon_t *daemon, cs_buf_t *ret_detail)
{
    cs_err_t err = cs_leveldb_quarantine(cs_home_db(daemon->home), ret_detail);
    if (err != CS_OK) return err;
    cs__daemon_log(daemon, CS_LOG_WARNING, "db.set-aside", NULL, cs_buf_slice(ret_detail),
                   "a new one is made of the files, and of what the peers know");
    cs_buf_clear(ret_detail);
    return CS_OK;
}

void cs__daemon_set_aside(cs_daemon_t *daemon)
{
    cs_buf_t detail = {0};
    cs_err_t err = set_aside(daemon, &detail);
    if (err == CS_ERR_NOT_FOUND) {
        cs__daemon_log(daemon, CS_LOG_WARNING, "db.gone", NULL,
                       cs_slice_text(cs_home_db(daemon->home)),
                       "it was deleted under the node; a new one is made of the files, and of "
                       "what the peers know");
    } else if (err != CS_OK) {
        cs_buf_put_u8(&detail, 0);
        cs__daemon_log(daemon, CS_LOG_ERROR, "db.corrupt", NULL, cs_slice_text(""),
                       (const char *)detail.data);
    }
    cs_buf_fini(&detail);
}

cs_err_t cs__daemon_open_store(cs_daemon_t *daemon, cs_buf_t *ret_detail)
{
    const char *path = cs_home_db(daemon->home);
    cs_err_t err = cs_leveldb_open(path, &daemon->store, ret_detail);
    if (err != CS_ERR_CORRUPT) return err;
    cs__daemon_log(daemon, CS_LOG_ERROR, "db.corrupt", NULL, cs_slice_text(path),
                   (const char *)ret_detail->data);
    cs_buf_clear(ret_detail);
    err = set_aside(daemon, ret_detail);
    return err == CS_OK ? cs_leveldb_open(path, &daemon->store, ret_detail) : err;
}

static uint64_t fresh_number(void)
{
    uint64_t number = 0;
    while (number == 0) {
        randombytes_buf(&number, sizeof number);
    }
    return number;
}

/* 2^STAMP_SHIFT reports fit between the numbers of two starts. */
#define STAMP_SHIFT 20

/* Greater at every start; orders this node's reports, nothing else. The clock is for a home
 * that lost its database or got back an old one: the others remember the greatest they heard.
 */
static uint64_t next_stamp(cs_daemon_t *daemon)
{
    static const char key[] = "node/starts";
    cs_buf_t value = {0};
    uint64_t start = (uint64_t)zclock_time();
    if (cs_store_get(daemon->store, NULL, cs_slice_text(key), &value) == CS_OK &&
        value.len == 8) {
        cs_reader_t reader = cs_reader(cs_buf_slice(&value));
        uint64_t next = cs_read_u64(&reader) + 1;
        if (start < next) start = next;
    }
    cs_buf_clear(&value);
    cs_buf_put_u64(&value, start);
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text(key), cs_buf_slice(&value));
    cs_err_t err = cs_store_write(daemon->store, &batch, true);
    if (err != CS_OK) {
        cs__daemon_log(daemon, CS_LOG_ERROR, "db.write", NULL, cs_slice_text(""),
                       cs_err_text(err));
    }
    cs_batch_fini(&batch);
    cs_buf_fini(&value);
    return start << STAMP_SHIFT;
}

cs_mounted_t *cs_daemon_folder(cs_daemon_t *daemon, const char *id)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        if (strcmp(daemon->folders[i].record.id, id) == 0) return &daemon->folders[i];
    }
    return NULL;
}

cs_mounted_t *cs_daemon_folder_by_number(const cs_daemon_t *daemon, uint32_t number)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        if (daemon->folders[i].record.number == number) return &daemon->folders[i];
    }
    return NULL;
}

cs_mounted_t *cs_daemon_folder_by_path(cs_daemon_t *daemon, const char *path)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const char *root = daemon->folders[i].record.path;
        size_t len = strlen(root);
        if (strncmp(root, path, len) == 0 && (path[len] == '\0' || path[len] == '/')) {
            return &daemon->folders[i];
        }
    }
    return NULL;
}

/* --- mounting */

#define BRAKE_DEFAULT_PERCENT CS_BRAKE_PERCENT

/* `brake`: off, a number of files, or a percentage. */
static void set_brake(const char *setting, cs_folder_config_t *config)
{
    config->brake_files = CS_BRAKE_FILES;
    config->brake_percent = BRAKE_DEFAULT_PERCENT;
    if (setting == NULL) return;
    size_t len = strlen(setting);
    char digits[16];
    if (strcmp(setting, "off") == 0) {
        config->brake_files = 0;
    } else if (len > 1 && len < sizeof digits && setting[len - 1] == '%') {
        memcpy(digits, setting, len - 1);
        digits[len - 1] = '\0';
        (void)cs_parse_u32(digits, 1, 100, &config->brake_percent);
        config->brake_files = 1; /* a share that was asked for is meant of small folders, too */
    } else {
        (void)cs_parse_u32(setting, 1, UINT32_MAX, &config->brake_files);
        config->brake_percent = 0;
    }
}

static uint64_t trash_bytes(const cs_folder_record_t *record)
{
    uint32_t mib;
    const char *setting = record->setting[CS_SETTING_TRASH_MIB];
    if (setting == NULL || !cs_parse_u32(setting, 0, UINT32_MAX, &mib)) return CS_TRASH_AUTO;
    return (uint64_t)mib << 20;
}

static cs_durability_t durability(const cs_folder_record_t *record)
{
    const char *setting = record->setting[CS_SETTING_DURABILITY];
    if (setting == NULL) return CS_DURABILITY_GROUP;
    if (strcmp(setting, "strict") == 0 || strcmp(setting, "file") == 0) {
        return CS_DURABILITY_STRICT;
    }
    return strcmp(setting, "none") == 0 ? CS_DURABILITY_NONE : CS_DURABILITY_GROUP;
}

static cs_mounted_t *insert(cs_daemon_t *daemon, const cs_folder_record_t *record)
{
    if (daemon->folder_count == daemon->folder_cap) {
        daemon->folder_cap = cs_grow(daemon->folder_cap, daemon->folder_count + 1);
        daemon->folders =
            cs_realloc_array(daemon->folders, daemon->folder_cap, sizeof *daemon->folders);
    }
    size_t i = daemon->folder_count++;
    for (; i > 0 && daemon->folders[i - 1].record.number > record->number; i--) {
        daemon->folders[i] = daemon->folders[i - 1];
    }
    daemon->folders[i] = (cs_mounted_t){0};
    cs_folder_record_copy(&daemon->folders[i].record, record);
    return &daemon->folders[i];
}

void cs_daemon_settings_changed(cs_daemon_t *daemon, cs_mounted_t *folder)
{
    cs_folder_config_t config = {.durability = durability(&folder->record),
                                 .trash_bytes_max = trash_bytes(&folder->record)};
    set_brake(folder->record.setting[CS_SETTING_BRAKE], &config);
    cs_event_t event = {
        .kind = CS_EV_SETTINGS, .folder = folder->record.number, .settings = &config};
    cs_daemon_step(daemon, &event);
    cs__watch_folder(daemon, folder);
    cs__schedule_folder(daemon, folder);
}

/* The record comes first: a folder that is paused stays so over a restart. */
cs_err_t cs_daemon_set_paused(cs_daemon_t *daemon, cs_mounted_t *folder, bool on,
                              cs_buf_t *ret_detail)
{
    if (folder->record.paused != on) {
        folder->record.paused = on;
        cs_err_t err = cs_home_folder_put(daemon->home, &folder->record, ret_detail);
        if (err != CS_OK) {
            folder->record.paused = !on;
            return err;
        }
    }
    cs_event_t event = {.kind = CS_EV_PAUSE, .folder = folder->record.number, .on = on};
    cs_daemon_step(daemon, &event);
    return CS_OK;
}

static void log_loaded(cs_daemon_t *daemon, const cs_folder_record_t *record, cs_err_t err,
                       cs_open_result_t opened)
{
    cs_folder_status_t status;
    if (err == CS_ERR_CORRUPT) {
        cs__daemon_log(daemon, CS_LOG_ERROR, "db.corrupt", record->id,
                       cs_slice_text(cs_home_db(daemon->home)), cs_err_text(err));
    }
    if (err != CS_OK) return;
    if (opened == CS_OPEN_AMNESIA) {
        cs__daemon_log(daemon, CS_LOG_WARNING, "incarnation", record->id, cs_slice_text(""),
                       "the database and its state record disagree");
    }
    bool held = cs_node_folder_status(daemon->node, record->number, &status) &&
                status.phase == CS_PHASE_HELD;
    if (held) {
        cs__daemon_log(daemon, CS_LOG_WARNING, "scan.held", record->id, cs_slice_text(""),
                       cs_err_text(CS_ERR_HELD));
    }
}

cs_err_t cs_daemon_mount(cs_daemon_t *daemon, const cs_folder_record_t *record,
                         cs_buf_t *ret_detail)
{
    cs_member_list_t members = {0};
    cs_err_t err = cs__daemon_members_of(daemon, record->id, &members, ret_detail);
    if (err != CS_OK) return err;

    cs_folder_config_t config = {
        .number = record->number,
        .modes = record->modes_exec ? CS_MODES_EXEC : CS_MODES_ALL,
        .durability = durability(record),
        .trash_bytes_max = trash_bytes(record),
        .paused = record->paused,
        .on_request = !daemon->config.control,
        .fresh_rid = fresh_number(),
        .seed = fresh_number(),
        .stamp = next_stamp(daemon),
        .members = members.item,
        .member_count = members.count,
        .standings = members.standing,
        .standing_count = members.standing_count,
    };
    snprintf(config.id, sizeof config.id, "%s", record->id);
    memcpy(config.secret, record->secret, sizeof config.secret);
    memcpy(config.marker, record->marker, sizeof config.marker);
    set_brake(record->setting[CS_SETTING_BRAKE], &config);

    cs_mounted_t *folder = insert(daemon, record);
    cs_keys_derive(&folder->keys, record->secret);
    cs_open_result_t opened;
    err = cs_node_add_folder(daemon->node, &config, (uint64_t)zclock_mono(), &opened);
    folder->loaded = err == CS_OK;
    log_loaded(daemon, record, err, opened);
    if (err != CS_OK) {
        cs_buf_printf(ret_detail, "cannot load folder %s: %s; move %s away and start again",
                      record->id, cs_err_text(err), cs_home_db(daemon->home));
    }
    cs__member_list_fini(&members);
    sodium_memzero(config.secret, sizeof config.secret);
    if (err == CS_OK) cs__schedule_folder(daemon, folder);
    if (err == CS_OK) cs__watch_folder(daemon, folder);
    return err;
}

cs_err_t cs__daemon_mount_all(cs_daemon_t *daemon, cs_buf_t *ret_detail)
{
    cs_folder_record_t *records = NULL;
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    size_t peer_count = 0;
    cs_err_t err = cs_home_folders(daemon->home, &records, &count, ret_detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        err = cs_daemon_mount(daemon, &records[i], ret_detail);
    }
    if (err == CS_OK) err = cs_home_known(daemon->home, &peers, &peer_count, ret_detail);
    for (size_t i = 0; err == CS_OK && i < peer_count; i++) {
        cs_daemon_peer_changed(daemon, &peers[i], false);
        if (peers[i].removed) cs_daemon_peer_removed(daemon, peers[i].key, false);
    }
    if (err == CS_OK) cs_daemon_invites_changed(daemon);
    cs_home_peers_free(&peers, peer_count);
    cs_home_folders_free(&records, count);
    return err;
}

void cs_daemon_scan(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_slice_t *paths,
                    size_t count, bool full, uint64_t ticket)
{
    cs_event_t event = {
        .kind = CS_EV_SCAN,
        .folder = folder->record.number,
        .paths = paths,
        .path_count = count,
        .full = full,
        .ticket = ticket,
    };
    cs_daemon_step(daemon, &event);
}
