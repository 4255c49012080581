/* site.c - see site.h. */
#include "support/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "disk/trash.h"
#include "io/fs_linux.h"
#include "support/folder.h"
#include "support/picture.h"

#define FOLDER     7u /* as cs_peer_init says */
#define ROUNDS_MAX 60

static const uint8_t marker[16] = {1, 2, 3};

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "site: %s\n", what);
    abort();
}

static void open_site(sites_t *sites, site_t *site, uint64_t rid)
{
    *site = (site_t){.all = sites, .dir = cs_test_dir_new(), .disk = cs_mem_disk_new()};
    must(cs_fs_linux_open(site->dir, &site->real) == CS_OK, "open");
    must(cs_folder_mark(site->real, marker) == CS_OK, "mark");
    spy_fs_init(&site->spy, site->real);
    cs_store_t *store = NULL;
    must(cs_mem_store_open(site->disk, &store) == CS_OK, "store");
    cs_peer_init(&site->peer, rid, store);
    site->table = cs_chunker_table_new(&site->peer.replica->keys);
    site->config = (cs_apply_config_t){.fs = &site->spy.fs,
                                       .table = site->table,
                                       .trash_bytes_max = UINT64_MAX,
                                       .trash = &site->trash};
    site->trash.bytes = CS_TRASH_UNCOUNTED;
}

void sites_open(sites_t *sites, size_t len)
{
    umask(022);
    sites->len = len;
    for (size_t i = 0; i < len; i++) {
        open_site(sites, &sites->site[i], 100 + i);
    }
}

static void forget_changed(site_t *site)
{
    for (size_t i = 0; i < site->changed_len; i++) {
        cs_str_unref(&site->changed[i]);
    }
    site->changed_len = 0;
}

void sites_close(sites_t *sites)
{
    for (size_t i = 0; i < sites->len; i++) {
        site_t *site = &sites->site[i];
        forget_changed(site);
        cs_free(site->changed);
        cs_chunker_table_destroy(&site->table);
        cs_peer_fini(&site->peer);
        cs_mem_disk_destroy(&site->disk);
        site->real->ops->close_fs(&site->real);
        cs_test_dir_remove(&site->dir);
    }
}

/* --- scan */

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    site_t *site = arg;
    bool stage_now;
    cs_sighting_flush(sighting, &site->flush);
    must(cs_replica_scan_add(site->peer.replica, sighting, &stage_now) == CS_OK, "scan_add");
    return true;
}

static void on_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    (void)arg;
    (void)path;
    (void)trouble;
}

static void tell_took(void *arg, cs_slice_t path, const cs_print_t *print)
{
    site_t *site = arg;
    site->took = cs_realloc_array(site->took, site->took_len + 1, sizeof *site->took);
    site->took[site->took_len++] =
        (site_took_t){.path = cs_str_new(path.data, path.len), .print = *print};
}

static void use_took(site_t *site)
{
    for (size_t i = 0; i < site->took_len; i++) {
        site_took_t *took = &site->took[i];
        cs_replica_scan_took(site->peer.replica, cs_slice_str(took->path), &took->print);
        cs_str_unref(&took->path);
    }
    cs_free(site->took);
    site->took = NULL;
    site->took_len = 0;
}

static void scan(site_t *site, const cs_slice_t *paths, size_t len)
{
    cs_peer_persist(&site->peer, false);
    cs_snapshot_t *snapshot = cs_store_snapshot(site->peer.store);
    cs_scan_config_t config = {.fs = &site->spy.fs,
                               .store = site->peer.store,
                               .snapshot = snapshot,
                               .folder = FOLDER,
                               .table = site->table,
                               .paths = paths,
                               .path_count = len};
    memcpy(config.marker, marker, sizeof marker);
    cs_scan_sink_t sink = {.arg = site, .sighting = on_sighting, .trouble = on_trouble};
    cs_scan_stats_t stats;
    cs_scan_result_t result;
    cs_replica_scan_begin(site->peer.replica, NULL, NULL);
    cs_err_t err = cs_scan(&config, &sink, &stats);
    if (err == CS_OK) err = cs_flush_run(&site->flush, &site->spy.fs);
    cs_flush_fini(&site->flush);
    cs_store_release(site->peer.store, &snapshot);
    if (site->spy.crashed) {
        cs_replica_scan_abort(site->peer.replica);
        return;
    }
    must(err == CS_OK, "scan");
    use_took(site);
    must(cs_replica_scan_commit(site->peer.replica, &result) == CS_OK, "commit");
    cs_peer_persist(&site->peer, false);
}

const char *site_at(const site_t *site, const char *path)
{
    static char full[2][512];
    static int turn;
    turn = !turn;
    snprintf(full[turn], sizeof full[turn], "%s/%s", site->dir, path);
    return full[turn];
}

void site_write(const site_t *site, const char *path, const char *text)
{
    cs_test_write(site->dir, path, text);
}

void site_scan(site_t *site)
{
    scan(site, NULL, 0);
    forget_changed(site);
}

void site_scan_path(site_t *site, const char *path)
{
    cs_slice_t only = cs_slice_text(path);
    scan(site, &only, 1);
}

static void add_changed(void *arg, cs_slice_t path)
{
    site_t *site = arg;
    if (site->changed_len == site->changed_cap) {
        site->changed_cap = cs_grow(site->changed_cap, site->changed_len + 1);
        site->changed = cs_realloc_array(site->changed, site->changed_cap, sizeof(cs_str_t *));
    }
    site->changed[site->changed_len++] = cs_str_new(path.data, path.len);
}

static int by_path(const void *a, const void *b)
{
    return cs_slice_cmp(*(const cs_slice_t *)a, *(const cs_slice_t *)b);
}

static void scan_changed(site_t *site)
{
    if (site->changed_len == 0) return;
    cs_slice_t *paths = cs_calloc(site->changed_len, sizeof *paths);
    size_t len = 0;
    for (size_t i = 0; i < site->changed_len; i++) {
        paths[i] = cs_slice_str(site->changed[i]);
    }
    qsort(paths, site->changed_len, sizeof *paths, by_path);
    for (size_t i = 0; i < site->changed_len; i++) {
        if (len == 0 || !cs_slice_eq(paths[i], paths[len - 1])) paths[len++] = paths[i];
    }
    scan(site, paths, len);
    cs_free(paths);
    forget_changed(site);
}

/* --- bytes */

typedef struct search {
    const site_t *site;
    const cs_content_t *content;
    cs_buf_t bytes;
    bool found;
} search_t;

static bool try_path(void *arg, cs_slice_t path)
{
    search_t *search = arg;
    if (tree_read(search->site->real, path, search->content->kind, &search->bytes) != CS_OK) {
        return true;
    }
    cs_content_t found;
    cs_content_of(search->site->table, (cs_kind_t)search->content->kind,
                  cs_buf_slice(&search->bytes), &found);
    search->found = cs_content_eq(&found, search->content);
    return !search->found;
}

static void need(void *arg, const cs_item_t *item)
{
    site_t *site = arg;
    const cs_content_t *content = &item->content;
    cs_dress_t dress = {item->attr.mode, item->mtime_ns};
    for (size_t i = 0; i < site->all->len; i++) {
        const site_t *other = &site->all->site[i];
        if (other == site) continue;
        search_t search = {.site = other, .content = content};
        cs_replica_each_content(other->peer.replica, content, try_path, &search);
        if (search.found) {
            cs_err_t err =
                cs_stage_small(site->real, content, cs_buf_slice(&search.bytes), &dress);
            must(err == CS_OK || site->spy.crashed, "stage");
            site->got_bytes = true;
        }
        cs_buf_fini(&search.bytes);
        if (search.found) return;
    }
}

static bool is_staged(void *arg, const cs_content_t *content)
{
    site_t *site = arg;
    cs_buf_t path = {0};
    cs_staged_path(content, &path);
    cs_stat_t st;
    bool ret = site->real->ops->stat(site->real, cs_buf_slice(&path), &st) == CS_OK;
    cs_buf_fini(&path);
    return ret;
}

/* --- work */

/* Set when a plan seems to have no end: its last steps are shown. */
static bool complain;

static void show_step(const site_t *site, const cs_step_t *step)
{
    fprintf(stderr, "site %zu: step %d %s -> %s: %s\n", (size_t)(site - site->all->site),
            (int)step->kind, step->from != NULL ? step->from->data : "", step->item.path->data,
            cs_err_name(step->err));
}

bool site_step(site_t *site)
{
    cs_plan_query_t query = {.arg = site, .staged = is_staged, .need = need};
    cs_buf_t cursor = {0};
    cs_steps_t steps = {0};
    site->got_bytes = false;
    cs_peer_persist(&site->peer, false); /* what apply shows must be known after a crash */
    must(cs_plan(site->peer.replica, &query, SIZE_MAX, &cursor, &steps) == CS_OK, "plan");
    cs_buf_fini(&cursor);
    bool any = steps.len > 0 || site->got_bytes;
    cs_err_t err = steps.len > 0 ? cs_apply(&site->config, &steps) : CS_OK;
    if (!site->spy.crashed) {
        must(err == CS_OK, "apply");
        cs_record(site->peer.replica, &steps, add_changed, site);
        for (size_t i = 0; i < steps.len; i++) {
            if (complain) show_step(site, &steps.item[i]);
            if (steps.item[i].err == CS_OK) {
                site->done[steps.item[i].kind]++;
            } else {
                site->failed++;
            }
        }
    }
    cs_steps_fini(&steps);
    return any;
}

void site_work(site_t *site)
{
    int rounds = 0;
    while (site_step(site) && !site->spy.crashed) {
        scan_changed(site);
        cs_peer_persist(&site->peer, false);
        if (++rounds > ROUNDS_MAX - 3) complain = true;
        must(rounds < ROUNDS_MAX, "the plan never ends");
    }
}

static bool keep_whole(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)arg;
    (void)name;
    return content != NULL;
}

void site_restart(site_t *site)
{
    site->spy.crashed = false;
    site->spy.at = 0;
    site->trash.next = 0;
    forget_changed(site);
    cs_keys_t keys = site->peer.replica->keys;
    cs_replica_destroy(&site->peer.replica);
    cs_replica_config_t config = {
        .store = site->peer.store, .folder = FOLDER, .keys = keys, .fresh_rid = 999};
    cs_open_result_t result;
    must(cs_replica_open(&config, &site->peer.replica, &result) == CS_OK, "reopen");
    must(result != CS_OPEN_AMNESIA, "amnesia");
    cs_cleanup_sink_t sink = {.arg = site, .keep = keep_whole, .took = tell_took};
    must(cs_apply_cleanup(&site->config, &sink) == CS_OK || site->spy.crashed, "cleanup");
    site_scan(site);
}

void sites_settle(sites_t *sites)
{
    bool equal = false;
    for (int round = 0; round < ROUNDS_MAX && !equal; round++) {
        for (size_t i = 0; i < sites->len; i++) {
            must(cs_trash_sweep(&sites->site[i].config, NULL) == CS_OK, "sweep");
            site_scan(&sites->site[i]);
        }
        for (size_t i = 0; i < sites->len; i++) {
            for (size_t j = 0; j < sites->len; j++) {
                if (i != j) cs_peer_exchange(&sites->site[i].peer, &sites->site[j].peer, true);
            }
        }
        for (size_t i = 0; i < sites->len; i++) {
            site_work(&sites->site[i]);
        }
        char *first = site_picture(&sites->site[0]);
        equal = true;
        for (size_t i = 0; i < sites->len; i++) {
            char *other = site_picture(&sites->site[i]);
            if (strcmp(first, other) != 0) equal = false;
            cs_buf_t pending = {0};
            if (cs_replica_pending(sites->site[i].peer.replica, cs_slice(NULL, 0), &pending)) {
                equal = false;
            }
            cs_buf_fini(&pending);
            cs_free(other);
        }
        cs_free(first);
    }
    for (size_t i = 0; i < sites->len && !equal; i++) {
        char *picture = site_picture(&sites->site[i]);
        cs_buf_t shown = {0}, pending = {0};
        cs_items_t items = {0};
        (void)!cs_replica_project_all(sites->site[i].peer.replica, &items);
        for (uint32_t j = 0; j < items.len; j++) {
            cs_buf_printf(&shown, "%s ", items.item[j].path->data);
        }
        cs_replica_pending(sites->site[i].peer.replica, cs_slice(NULL, 0), &pending);
        fprintf(stderr, "site %zu (failed %zu, pending %.*s, shown %s):\n%s", i,
                sites->site[i].failed, (int)pending.len, (const char *)pending.data,
                shown.data != NULL ? (const char *)shown.data : "", picture);
        cs_free(picture);
        cs_items_fini(&items);
        cs_buf_fini(&shown);
        cs_buf_fini(&pending);
    }
    must(equal, "not equal at last");
}
