/* commands_tree.c - ls and search: the replicated tree, from the index, as it is read.
 *
 * By effective path, in bytewise order; a sibling follows the path that it stands beside. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/wildmatch.h"
#include "io/commands_internal.h"

#define PATHS_AT_ONCE 16u /* about 10 us each, between two looks at the clock */

typedef struct listing {
    uint32_t *folder; /* owned; numbers */
    size_t count, at;
    cs_buf_t from;    /* in folder[at]: what comes next */
    cs_buf_t prefix;  /* of displayed paths */
    cs_buf_t pattern; /* search; empty: ls */
    bool glob;
    bool peers; /* also what is only on the disks of others */
} listing_t;

static void listing_free(void *state)
{
    listing_t *listing = state;
    cs_free(listing->folder);
    cs_buf_fini(&listing->from);
    cs_buf_fini(&listing->prefix);
    cs_buf_fini(&listing->pattern);
    cs_free(listing);
}

static bool on_disk(cs_replica_t *replica, const cs_item_t *item)
{
    cs_item_t row = {0};
    bool same = cs_replica_base(replica, cs_slice_str(item->path), &row) == CS_OK &&
                cs_content_eq(&row.content, &item->content);
    cs_item_fini(&row);
    return same;
}

static void put_item(const cs_item_t *item, bool here, cs_json_t *json)
{
    cs_json_put_path(json, "path", cs_slice_str(item->path));
    cs_json_put_text(json, "kind", cs__kind_text(item->content.kind));
    cs_json_put_u64(json, "size", item->content.size);
    cs__put_mode(json, item->content.kind, item->attr.mode);
    cs__put_content(json, &item->content);
    cs_json_put_bool(json, "on_disk", here);
}

/* --- search */

static bool contains(cs_slice_t text, cs_slice_t part)
{
    return part.len == 0 || memmem(text.data, text.len, part.data, part.len) != NULL;
}

static bool matches(const listing_t *listing, cs_slice_t path)
{
    cs_slice_t pattern = cs_buf_slice(&listing->pattern);
    if (!listing->glob) return contains(path, pattern);
    bool whole = memchr(pattern.data, '/', pattern.len) != NULL;
    return cs_wildmatch(pattern, whole ? path : cs_path_base(path));
}

/* Who is connected and surely has all that this index names: its index is equal, and it says
 * that everything is on its disk. */
static void put_peers(cs_daemon_t *daemon, uint32_t folder, cs_json_t *json)
{
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder, &count);
    cs_json_key(json, "peers");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        const cs_report_t *report = &reports[i];
        if (!report->connected || !report->equal || !report->applied) continue;
        char name[65];
        cs__peer_name(daemon, report->key.b, name);
        cs_json_text(json, name);
    }
    cs_json_end(json, ']');
    cs_free(reports);
}

/* --- both */

static void tell(cs_ask_t *ask, const listing_t *listing, const cs_mounted_t *folder,
                 cs_replica_t *replica, const cs_item_t *item)
{
    cs_slice_t path = cs_slice_str(item->path);
    bool search = listing->pattern.len > 0;
    if (!cs_slice_has_prefix(path, cs_buf_slice(&listing->prefix))) return;
    if (search && !matches(listing, path)) return;
    bool here = on_disk(replica, item);
    if (search && !here && !listing->peers) return;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    put_item(item, here, &json);
    if (listing->peers) put_peers(ask->daemon, folder->record.number, &json);
    cs_json_put_text(&json, "folder", folder->record.id);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

/* All that asks to be shown at the path `at`: the file, and its siblings. */
static cs_err_t tell_path(cs_ask_t *ask, const listing_t *listing, const cs_mounted_t *folder,
                          cs_replica_t *replica, cs_slice_t at)
{
    cs_items_t items = {0};
    cs_err_t err = cs_replica_project(replica, at, &items);
    for (uint32_t shown = 0; err == CS_OK && shown < 2; shown++) {
        for (uint32_t i = 0; i < items.len; i++) {
            const cs_item_t *item = &items.item[i];
            if (!cs_slice_eq(cs_slice_str(item->eff), at)) continue;
            bool is_shown = cs_str_eq(item->path, item->eff);
            if (is_shown == (shown == 0)) tell(ask, listing, folder, replica, item);
        }
    }
    cs_items_fini(&items);
    return err;
}

/* A sibling's name begins as its path does only up to the last directory. */
static cs_slice_t directory_of(cs_slice_t prefix)
{
    size_t len = prefix.len;
    while (len > 0 && prefix.data[len - 1] != '/') {
        len--;
    }
    return cs_slice(prefix.data, len);
}

/* CS_ERR_AGAIN: the turn is over. */
static cs_err_t tell_folder(cs_ask_t *ask, listing_t *listing, const cs_mounted_t *folder,
                            uint64_t until_ms)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, folder->record.number);
    cs_slice_t within = directory_of(cs_buf_slice(&listing->prefix));
    cs_buf_t path = {0};
    cs_err_t err = CS_OK;
    for (uint32_t looked = 1; err == CS_OK; looked++) {
        if (!cs_replica_next_path(replica, cs_buf_slice(&listing->from), within, &path)) break;
        err = tell_path(ask, listing, folder, replica, cs_buf_slice(&path));
        cs_buf_clear(&listing->from);
        cs_buf_put_slice(&listing->from, cs_buf_slice(&path));
        cs_buf_put_u8(&listing->from, 1); /* behind all rows of this path */
        bool over = looked % PATHS_AT_ONCE == 0 && cs__turn_is_over(until_ms);
        if (err == CS_OK && over) err = CS_ERR_AGAIN;
    }
    cs_buf_fini(&path);
    return err == CS_OK ? cs_replica_fault(replica) : err;
}

static int turn(cs_ask_t *ask, void *state, uint64_t until_ms)
{
    listing_t *listing = state;
    for (; listing->at < listing->count; listing->at++) {
        const cs_mounted_t *folder =
            cs__folder_numbered(ask->daemon, listing->folder[listing->at]);
        if (folder == NULL) continue; /* removed meanwhile */
        cs_err_t err = tell_folder(ask, listing, folder, until_ms);
        if (err == CS_ERR_AGAIN) return CS_TURN_MORE;
        if (err != CS_OK) return cs__index_failed(ask, folder, err);
        cs_buf_clear(&listing->from);
    }
    return CS_EXIT_DONE;
}

/* FOLDER, FOLDER PREFIX, or one path that says both. */
static int ls_prefix(cs_ask_t *ask, uint32_t number, cs_buf_t *ret)
{
    cs_arg_t arg;
    const cs_mounted_t *folder = cs__folder_numbered(ask->daemon, number);
    size_t last = cs__ask_arg_count(ask) - 1;
    if (!cs__ask_arg(ask, last, &arg)) return CS_EXIT_DONE;
    bool good = true;
    if (last > 0 && arg.raw[0] != '/') {
        cs_buf_put(ret, arg.raw, strlen(arg.raw)); /* as it is: "dir/" is a prefix, too */
    } else if (last > 0 || strchr(arg.raw, '/') != NULL) {
        good = cs__ask_path_in(ask, folder, &arg, ret);
    }
    cs__arg_fini(&arg);
    return good ? CS_EXIT_DONE : CS_EXIT_FAILED;
}

int cs__cmd_ls(cs_ask_t *ask)
{
    listing_t *listing = cs_calloc(1, sizeof *listing);
    int exit_code = cs__ask_folder_numbers(ask, &listing->folder, &listing->count);
    if (exit_code == CS_EXIT_DONE && cs__ask_arg_count(ask) > 0) {
        exit_code = ls_prefix(ask, listing->folder[0], &listing->prefix);
    }
    if (exit_code == CS_EXIT_DONE) return cs__ask_turns(ask, turn, listing, listing_free);
    listing_free(listing);
    return exit_code;
}

/* Folders that both share have one index once they are equal, so that the index here knows
 * what connected peers have; of others' folders nobody is told anything. */
int cs__cmd_search(cs_ask_t *ask)
{
    cs_arg_t arg;
    bool given = cs__ask_arg(ask, 0, &arg);
    if (!given || arg.raw[0] == '\0') {
        cs__arg_fini(&arg);
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot search: the pattern is empty; give a part of a path, or "
                            "a pattern as '*.jpg'");
    }
    listing_t *listing = cs_calloc(1, sizeof *listing);
    cs_daemon_t *daemon = ask->daemon;
    listing->folder = cs_calloc(daemon->folder_count + 1, sizeof *listing->folder);
    for (size_t i = 0; i < daemon->folder_count; i++) {
        listing->folder[listing->count++] = daemon->folders[i].record.number;
    }
    cs_buf_put(&listing->pattern, arg.raw, strlen(arg.raw));
    listing->glob = strpbrk(arg.raw, "*?[") != NULL;
    listing->peers = cs__ask_flag(ask, "peers");
    cs__arg_fini(&arg);
    return cs__ask_turns(ask, turn, listing, listing_free);
}
