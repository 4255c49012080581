/* home_records.c - the files of a home other than its identity. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/home_internal.h"
#include "io/os_err.h"

/* One kind of record: a directory of files, each named by what the record says it is. */
typedef struct cs_kind {
    const char *dir;
    size_t bytes; /* of the struct */
    void (*load)(cs_slice_t text, void *record, cs_mistakes_t *mistakes);
    void (*fini)(void *record);
    void (*check)(const void *record, cs_mistakes_t *mistakes);
    void (*text)(const void *record, cs_buf_t *ret);
    void (*name)(const void *record, char ret[CS_KEY_TEXT]);
} cs_kind_t;

static void folder_load(cs_slice_t text, void *record, cs_mistakes_t *mistakes)
{
    cs_folder_record_load(text, record, mistakes);
}

static void folder_fini(void *record)
{
    cs_folder_record_fini(record);
}

static void folder_check(const void *record, cs_mistakes_t *mistakes)
{
    cs_folder_record_check(record, mistakes);
}

static void folder_text(const void *record, cs_buf_t *ret)
{
    cs_folder_record_text(record, ret);
}

static void folder_name(const void *record, char ret[CS_KEY_TEXT])
{
    const cs_folder_record_t *folder = record;
    memcpy(ret, folder->id, sizeof folder->id);
}

static void peer_load(cs_slice_t text, void *record, cs_mistakes_t *mistakes)
{
    cs_peer_record_load(text, record, mistakes);
}

static void peer_fini(void *record)
{
    cs_peer_record_fini(record);
}

static void peer_check(const void *record, cs_mistakes_t *mistakes)
{
    cs_peer_record_check(record, mistakes);
}

static void peer_text(const void *record, cs_buf_t *ret)
{
    cs_peer_record_text(record, ret);
}

static void peer_name(const void *record, char ret[CS_KEY_TEXT])
{
    cs_hex(ret, ((const cs_peer_record_t *)record)->key, CS_KEY_BYTES);
}

static void invite_load(cs_slice_t text, void *record, cs_mistakes_t *mistakes)
{
    cs_invite_record_load(text, record, mistakes);
}

static void invite_fini(void *record)
{
    (void)record; /* owns nothing */
}

static void invite_check(const void *record, cs_mistakes_t *mistakes)
{
    cs_invite_record_check(record, mistakes);
}

static void invite_text(const void *record, cs_buf_t *ret)
{
    cs_invite_record_text(record, ret);
}

static void invite_name(const void *record, char ret[CS_KEY_TEXT])
{
    cs_hex(ret, ((const cs_invite_record_t *)record)->key, CS_KEY_BYTES);
}

static const cs_kind_t folder_kind = {
    "folders",    sizeof(cs_folder_record_t),
    folder_load,  folder_fini,
    folder_check, folder_text,
    folder_name,
};
static const cs_kind_t peer_kind = {
    "peers", sizeof(cs_peer_record_t), peer_load, peer_fini, peer_check, peer_text, peer_name,
};
static const cs_kind_t invite_kind = {
    "invites",    sizeof(cs_invite_record_t),
    invite_load,  invite_fini,
    invite_check, invite_text,
    invite_name,
};

/* On failure there is nothing in `ret` to free. */
static cs_err_t record_get(const cs_home_t *home, const cs_kind_t *kind, const char *name,
                           void *ret, cs_buf_t *ret_detail)
{
    char *path = cs__home_join(home->path, kind->dir, name);
    cs_buf_t text = {0};
    cs_err_t err = cs_file_read(path, &text, ret_detail);
    if (err != CS_OK) goto out;

    cs_mistakes_t mistakes = {0};
    char own_name[CS_KEY_TEXT];
    kind->load(cs_buf_slice(&text), ret, &mistakes);
    kind->name(ret, own_name);
    if (mistakes.count == 0 && strcmp(own_name, name) != 0) {
        cs_mistakes_add(&mistakes, 0, "it describes '%s', which is not the file's name",
                        own_name);
    }
    err = cs__home_report(path, &mistakes, ret_detail);
    if (err != CS_OK) kind->fini(ret);
out:
    cs__home_wipe(&text);
    cs_free(path);
    return err;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted. Names that begin with a dot are temporary files. */
static cs_err_t record_names(const cs_home_t *home, const cs_kind_t *kind, cs_strings_t *ret,
                             cs_buf_t *ret_detail)
{
    char *path = cs__home_join(home->path, NULL, kind->dir);
    DIR *dir = opendir(path);
    cs_err_t err = CS_OK;
    if (dir == NULL) {
        err = cs_os_err(errno);
        cs__home_detail(ret_detail,
                        "cannot read %s: %s; restore the directory, or make it with mode 700",
                        path, strerror(errno));
    } else {
        struct dirent *entry;
        while ((entry = readdir(dir)) != NULL) {
            if (entry->d_name[0] != '.') cs_strings_add(ret, entry->d_name);
        }
        closedir(dir);
        if (ret->count > 0) qsort(ret->at, ret->count, sizeof ret->at[0], compare_texts);
    }
    cs_free(path);
    return err;
}

static void records_free(const cs_kind_t *kind, uint8_t *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kind->fini(records + i * kind->bytes);
    }
    cs_free(records);
}

static cs_err_t record_list(const cs_home_t *home, const cs_kind_t *kind, void **ret,
                            size_t *ret_count, cs_buf_t *ret_detail)
{
    cs_strings_t names = {0};
    uint8_t *records = NULL;
    size_t count = 0;
    cs_err_t err = record_names(home, kind, &names, ret_detail);
    if (err == CS_OK) records = cs_calloc(names.count, kind->bytes);
    while (err == CS_OK && count < names.count) {
        err =
            record_get(home, kind, names.at[count], records + count * kind->bytes, ret_detail);
        if (err == CS_OK) count++;
    }
    cs_strings_fini(&names);
    if (err != CS_OK) {
        records_free(kind, records, count);
        return err;
    }
    *ret = records;
    *ret_count = count;
    return CS_OK;
}

static cs_err_t record_put(cs_home_t *home, const cs_kind_t *kind, const void *record,
                           cs_buf_t *ret_detail)
{
    CS_ASSERT(home->lock_fd >= 0);
    cs_mistakes_t mistakes = {0};
    kind->check(record, &mistakes);
    if (mistakes.count > 0) {
        cs__home_detail(ret_detail, "cannot write a record in %s/%s: %s; choose another value",
                        home->path, kind->dir, mistakes.at[0].text);
        cs_mistakes_fini(&mistakes);
        return CS_ERR_USAGE;
    }
    char name[CS_KEY_TEXT];
    kind->name(record, name);
    char *path = cs__home_join(home->path, kind->dir, name);
    cs_buf_t text = {0};
    kind->text(record, &text);
    cs_err_t err = cs_file_write(path, cs_buf_slice(&text), ret_detail);
    cs__home_wipe(&text);
    cs_free(path);
    return err;
}

static cs_err_t record_remove(cs_home_t *home, const cs_kind_t *kind, const char *name,
                              cs_buf_t *ret_detail)
{
    CS_ASSERT(home->lock_fd >= 0);
    char *path = cs__home_join(home->path, kind->dir, name);
    cs_err_t err = cs_file_remove(path, ret_detail);
    cs_free(path);
    return err;
}

/* A folder id from outside becomes a file's name, so it is checked before. */
static cs_err_t check_id(const char *id, cs_buf_t *ret_detail)
{
    const char *why = cs_check_folder_id(id);
    if (why == NULL) return CS_OK;
    cs__home_detail(ret_detail,
                    "cannot find the folder '%.100s': an id %s; see: crdtsync folder list", id,
                    why);
    return CS_ERR_USAGE;
}

cs_err_t cs_home_folders(const cs_home_t *home, cs_folder_record_t **ret, size_t *ret_count,
                         cs_buf_t *ret_detail)
{
    void *records = NULL;
    cs_err_t err = record_list(home, &folder_kind, &records, ret_count, ret_detail);
    if (err == CS_OK) *ret = records;
    return err;
}

cs_err_t cs_home_folder_get(const cs_home_t *home, const char *id, cs_folder_record_t *ret,
                            cs_buf_t *ret_detail)
{
    cs_err_t err = check_id(id, ret_detail);
    return err == CS_OK ? record_get(home, &folder_kind, id, ret, ret_detail) : err;
}

cs_err_t cs_home_folder_put(cs_home_t *home, const cs_folder_record_t *record,
                            cs_buf_t *ret_detail)
{
    return record_put(home, &folder_kind, record, ret_detail);
}

cs_err_t cs_home_folder_remove(cs_home_t *home, const char *id, cs_buf_t *ret_detail)
{
    cs_err_t err = check_id(id, ret_detail);
    return err == CS_OK ? record_remove(home, &folder_kind, id, ret_detail) : err;
}

void cs_home_folders_free(cs_folder_record_t **records_p, size_t count)
{
    records_free(&folder_kind, (uint8_t *)*records_p, count);
    *records_p = NULL;
}

cs_err_t cs_home_known(const cs_home_t *home, cs_peer_record_t **ret, size_t *ret_count,
                       cs_buf_t *ret_detail)
{
    void *records = NULL;
    cs_err_t err = record_list(home, &peer_kind, &records, ret_count, ret_detail);
    *ret = records;
    return err;
}

cs_err_t cs_home_peers(const cs_home_t *home, cs_peer_record_t **ret, size_t *ret_count,
                       cs_buf_t *ret_detail)
{
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_known(home, &peers, &count, ret_detail);
    if (err != CS_OK) return err;
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!cs_peer_record_is_out(&peers[i])) {
            peers[(*ret_count)++] = peers[i];
        } else {
            cs_peer_record_fini(&peers[i]);
        }
    }
    *ret = peers;
    return CS_OK;
}

cs_err_t cs_home_peer_get(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                          cs_peer_record_t *ret, cs_buf_t *ret_detail)
{
    char name[CS_KEY_TEXT];
    cs_hex(name, key, CS_KEY_BYTES);
    return record_get(home, &peer_kind, name, ret, ret_detail);
}

cs_err_t cs_home_peer_find(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                           cs_peer_record_t *ret, cs_buf_t *ret_detail)
{
    cs_err_t err = cs_home_peer_get(home, key, ret, ret_detail);
    if (err != CS_ERR_NOT_FOUND) return err;
    cs_buf_clear(ret_detail);
    memcpy(ret->key, key, sizeof ret->key);
    return CS_OK;
}

cs_err_t cs_home_peer_put(cs_home_t *home, const cs_peer_record_t *record, cs_buf_t *ret_detail)
{
    return record_put(home, &peer_kind, record, ret_detail);
}

void cs_home_peers_free(cs_peer_record_t **records_p, size_t count)
{
    records_free(&peer_kind, (uint8_t *)*records_p, count);
    *records_p = NULL;
}

cs_err_t cs_home_invites(const cs_home_t *home, cs_invite_record_t **ret, size_t *ret_count,
                         cs_buf_t *ret_detail)
{
    void *records = NULL;
    cs_err_t err = record_list(home, &invite_kind, &records, ret_count, ret_detail);
    if (err == CS_OK) *ret = records;
    return err;
}

cs_err_t cs_home_invite_get(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                            cs_invite_record_t *ret, cs_buf_t *ret_detail)
{
    char name[CS_KEY_TEXT];
    cs_hex(name, key, CS_KEY_BYTES);
    return record_get(home, &invite_kind, name, ret, ret_detail);
}

cs_err_t cs_home_invite_put(cs_home_t *home, const cs_invite_record_t *record,
                            cs_buf_t *ret_detail)
{
    return record_put(home, &invite_kind, record, ret_detail);
}

cs_err_t cs_home_invite_remove(cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                               cs_buf_t *ret_detail)
{
    char name[CS_KEY_TEXT];
    cs_hex(name, key, CS_KEY_BYTES);
    return record_remove(home, &invite_kind, name, ret_detail);
}

void cs_home_invites_free(cs_invite_record_t **records_p, size_t count)
{
    records_free(&invite_kind, (uint8_t *)*records_p, count);
    *records_p = NULL;
}
