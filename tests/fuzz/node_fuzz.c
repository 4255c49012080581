/* node_fuzz.c - a whole core, on a real directory, with members that say anything in any order:
 * HELLO to CNONE, true and false contents, links that come and go, while users and workers go
 * on.
 *
 * The node drops them or goes on; no text of its user is lost, whatever they say; what it
 * stored opens as the same. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/folder.h"
#include "support/member.h"
#include "support/node_world.h"
#include "support/speech.h"
#include "support/user_files.h"

#define STEPS_MAX  120u
#define PEERS      2u
#define LINKS      (2 * PEERS) /* of each peer one that it dialled, and one that the node did */
#define ASKED_MAX  32u
#define TEXTS_MAX  16u
#define TEXT_BYTES 24u

typedef struct run {
    nw_world_t world;
    nw_node_t *node;
    speech_t speech;
    bool up[LINKS + 1], dropped[LINKS + 1];
    cs_name_t
        asked[ASKED_MAX]; /* names that the node wanted, and contents it asked the map of */
    size_t asked_count;
    unsigned writes;
    char text[TEXTS_MAX][TEXT_BYTES]; /* what its user wrote and did not replace himself */
    char path[TEXTS_MAX][8];
} run_t;

/* --- others, who know more than the node; made once */

enum { ENTRIES = 10, LARGE_BYTES = 900000 };
static const uint8_t secret[CS_SECRET_BYTES] = {7}; /* of nw_open */
static const char *const names[] = {"a", "d/b", "c.txt", "link", "large", "d", "e"};
static member_t others;
static cs_buf_t entries[ENTRIES];

static void others_end(void)
{
    for (size_t i = 0; i < ENTRIES; i++)
        cs_buf_fini(&entries[i]);
    member_fini(&others);
}

static void others_begin(void)
{
    if (others.table != NULL) return;
    member_init(&others, secret, 0x60);
    atexit(others_end);
    cs_buf_t large = {0};
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    for (size_t i = 0; i < LARGE_BYTES / 8; i++)
        cs_buf_put_u64(&large, cs_prng_u64(&prng));
    for (size_t i = 0; i < ENTRIES; i++) {
        const char *name = names[i % CS_COUNT_OF(names)];
        if (strcmp(name, "large") == 0) {
            member_write(&others, name, cs_buf_slice(&large));
        } else if (strcmp(name, "link") == 0) {
            member_link(&others, name, cs_slice_text("../nowhere/at/all"));
        } else if (i == 8) {
            member_remove(&others, name);
        } else {
            char text[16];
            snprintf(text, sizeof text, "theirs %zu", i);
            member_write(&others, name, cs_slice_text(text));
        }
        member_entry(others.replica, &others.keys, name, &entries[i]);
    }
    cs_buf_fini(&large);
}

/* --- links */

static cs_key_t key_of(cs_link_t link)
{
    return nw_key(1 + (link - 1) / 2 % PEERS);
}

static void set_link(run_t *run, cs_link_t link, bool up)
{
    if (run->up[link] == up) return;
    run->up[link] = up;
    run->dropped[link] = false;
    cs_event_t event = {.kind = up ? CS_EV_LINK_UP : CS_EV_LINK_DOWN,
                        .link = link,
                        .key = key_of(link),
                        .outgoing = link % 2 == 0};
    nw_event(run->node, &event);
}

static void remember(run_t *run, cs_slice_t packed)
{
    const uint8_t *name;
    while (cs_name_next(&packed, &name)) {
        memcpy(run->asked[run->asked_count++ % ASKED_MAX].b, name, CS_NAME_BYTES);
    }
}

/* What the node says can be read, and goes to who is there. */
static void on_told(void *arg, cs_link_t link, cs_slice_t header, cs_slice_t payload)
{
    run_t *run = arg;
    cs_msg_t msg = {0};
    require(link >= 1 && link <= LINKS && run->up[link] && !run->dropped[link]);
    require(cs_msg_decode(&msg, header, payload) == CS_OK);
    nw_trace(&run->world, "told %u: %s", link, cs_msg_type_name(msg.type));
    if (msg.type == CS_MSG_CWANT) {
        remember(run, msg.u.cwant.contents);
        remember(run, msg.u.cwant.chunks);
    }
    if (msg.type == CS_MSG_NWANT) remember(run, msg.u.nwant.packed);
    if (msg.type == CS_MSG_MAP) remember(run, cs_slice(msg.u.map.content, CS_NAME_BYTES));
    if (msg.xid != 0 && msg.xid != run->speech.xid) run->speech.seq = 0;
    if (msg.xid != 0) run->speech.xid = msg.xid;
    cs_msg_fini(&msg);
}

static void on_dropped(void *arg, cs_link_t link)
{
    run_t *run = arg;
    require(link >= 1 && link <= LINKS && run->up[link]);
    run->dropped[link] = true;
}

/* --- messages about contents */

static const uint8_t *some_name(run_t *run)
{
    static uint8_t made_up[CS_NAME_BYTES];
    uint8_t which = cs_read_u8(&run->speech.feed);
    size_t asked = run->asked_count < ASKED_MAX ? run->asked_count : ASKED_MAX;
    if (which < 160 && asked > 0) return run->asked[which % asked].b;
    if (which < 250) return others.bytes[which % others.bytes_count].name.b;
    memset(made_up, which, sizeof made_up);
    return made_up;
}

static cs_slice_t some_names(run_t *run, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    for (unsigned i = 1 + cs_read_u8(&run->speech.feed) % 6; i > 0; i--) {
        cs_buf_put(ret, some_name(run), CS_NAME_BYTES);
    }
    return cs_buf_slice(ret);
}

/* Right for the name, unless there are no such or the input says otherwise. */
static cs_slice_t some_bytes(run_t *run, const uint8_t *name)
{
    const member_bytes_t *found = member_find(&others, name);
    bool lie = cs_read_u8(&run->speech.feed) >= 224;
    return found == NULL || lie ? feed_bytes(&run->speech.feed) : cs_buf_slice(&found->bytes);
}

static void fill_map(run_t *run, cs_msg_map_t *map)
{
    map->content = some_name(run);
    const member_content_t *found = member_map(&others, map->content);
    uint8_t how = cs_read_u8(&run->speech.feed);
    map->answer = how % 4 != 0;
    map->size = found != NULL && how < 224 ? found->id.size : cs_read_u32(&run->speech.feed);
    map->root = found != NULL && how < 240 ? found->root.b : map->content;
    map->depth = found != NULL && how < 248 ? found->depth : how % 8;
    if (!map->answer) map->root = NULL;
}

/* Of each chunk asked for: anywhere in a file that may be here in part. */
static void some_places(run_t *run, cs_msg_cwant_t *cwant, cs_buf_t *ret)
{
    cwant->size = 1u << 20;
    for (size_t i = 0; i < cwant->chunks.len / CS_NAME_BYTES; i++) {
        cs_buf_put_u64(ret, cs_read_u8(&run->speech.feed) * 64u);
        cs_buf_put_u32(ret, 1 + cs_read_u8(&run->speech.feed) * 1000u);
    }
    cwant->places = cs_buf_slice(ret);
}

static void fill_parts(run_t *run, cs_msg_parts_t *parts)
{
    static uint8_t bits[2];
    parts->content = some_name(run);
    const member_content_t *found = member_map(&others, parts->content);
    uint8_t how = cs_read_u8(&run->speech.feed);
    parts->answer = how % 4 != 0;
    parts->size = found != NULL ? found->id.size : cs_read_u32(&run->speech.feed);
    parts->from = how < 200 ? 0 : cs_read_u32(&run->speech.feed);
    parts->count = how % 16;
    bits[0] = cs_read_u8(&run->speech.feed);
    if (parts->answer) parts->bits = parts->coming = cs_slice(bits, how % 3);
}

static void say_content(run_t *run, cs_link_t link, uint8_t type)
{
    cs_msg_t msg = {.type = (cs_msg_type_t)(CS_MSG_NWANT + type % 8), .xid = type / 128u};
    if (msg.type > CS_MSG_CNONE) msg.type = type % 8 == 6 ? CS_MSG_CHAVE : CS_MSG_PARTS;
    cs_buf_t first = {0}, second = {0}, third = {0}, payload = {0}, header = {0};
    memcpy(msg.tag, others.keys.tag, sizeof msg.tag);
    if (msg.type == CS_MSG_NWANT || msg.type == CS_MSG_CNONE || msg.type == CS_MSG_CHAVE) {
        msg.u.nwant.packed = some_names(run, &first);
    } else if (msg.type == CS_MSG_CWANT) {
        msg.u.cwant.contents = some_names(run, &first);
        msg.u.cwant.chunks = some_names(run, &second);
        msg.u.cwant.content = some_name(run);
        if (type % 3 == 0) some_places(run, &msg.u.cwant, &third);
    } else if (msg.type == CS_MSG_MAP) {
        fill_map(run, &msg.u.map);
    } else if (msg.type == CS_MSG_PARTS) {
        fill_parts(run, &msg.u.parts);
    } else {
        for (unsigned i = 1 + cs_read_u8(&run->speech.feed) % 4; i > 0; i--) {
            const uint8_t *name = some_name(run);
            cs_slice_t bytes = some_bytes(run, name);
            if (msg.type == CS_MSG_CHUNK) cs_chunk_put(&payload, name, bytes);
            if (msg.type == CS_MSG_NODE) cs_packed_put(&first, bytes);
        }
        msg.u.node.packed = cs_buf_slice(&first);
    }
    cs_msg_encode(&msg, &header);
    nw_message(run->node, link, cs_buf_slice(&header), &payload);
    cs_buf_fini(&header);
    cs_buf_fini(&payload);
    cs_buf_fini(&first);
    cs_buf_fini(&second);
    cs_buf_fini(&third);
}

static void say_gossip(run_t *run, cs_link_t link, uint8_t type)
{
    cs_msg_t msg;
    cs_buf_t header = {0}, none = {0};
    uint8_t how = cs_read_u8(&run->speech.feed);
    run->speech.replica = cs_node_replica(run->node->node, NW_FOLDER);
    speech_make(&run->speech, (cs_msg_type_t)(CS_MSG_HELLO + type % (CS_MSG_LIST - 1)), how,
                &msg);
    cs_msg_encode(&msg, &header);
    nw_message(run->node, link, cs_buf_slice(&header), &none);
    cs_buf_fini(&header);
}

/* Any type, with the folder's tag or another, and a body of the input's. */
static void say_bytes(run_t *run, cs_link_t link)
{
    cs_buf_t header = {0}, payload = {0};
    uint8_t how = cs_read_u8(&run->speech.feed);
    cs_buf_put_u8(&header, how < 250 ? CS_PROTOCOL_VERSION : how);
    cs_buf_put_u8(&header, how % (CS_MSG_TYPE_END + 2));
    cs_buf_put_u16(&header, how % 2);
    cs_buf_put_u32(&header, how % 3 == 0 ? run->speech.xid : 0);
    cs_buf_put_u32(&header, ++run->speech.seq);
    cs_buf_put(&header, how < 240 ? others.keys.tag : secret, CS_TAG_BYTES);
    cs_buf_put_slice(&header, feed_bytes(&run->speech.feed));
    if (how % 5 == 0) cs_buf_put_slice(&payload, feed_bytes(&run->speech.feed));
    nw_message(run->node, link, cs_buf_slice(&header), &payload);
    cs_buf_fini(&header);
    cs_buf_fini(&payload);
}

static void say(run_t *run, uint8_t what)
{
    cs_link_t link = 1 + what % LINKS;
    uint8_t type = cs_read_u8(&run->speech.feed);
    if (!run->up[link] || run->dropped[link]) return;
    if (what % 16 == 15) {
        say_bytes(run, link);
    } else if (what / LINKS % 2 == 0) {
        say_gossip(run, link, type);
    } else {
        say_content(run, link, type);
    }
}

/* --- what else happens */

static void read_text(const char *path, char ret[TEXT_BYTES])
{
    memset(ret, 0, TEXT_BYTES);
    FILE *file = fopen(path, "re");
    if (file == NULL) return; /* a dangling link */
    size_t len = fread(ret, 1, TEXT_BYTES - 1, file);
    fclose(file);
    require(len < TEXT_BYTES);
}

static void user_acts(run_t *run, uint8_t what)
{
    static const char *const paths[] = {"a", "d/b", "c.txt", "mine"};
    unsigned at = run->writes % TEXTS_MAX;
    const char *path = paths[what / 4 % CS_COUNT_OF(paths)];
    if (run->writes >= TEXTS_MAX) return;
    for (unsigned i = 0; i < run->writes; i++) {
        if (strcmp(run->path[i], path) == 0) run->text[i][0] = '\0'; /* his own doing */
    }
    run->writes++;
    snprintf(run->path[at], sizeof run->path[at], "%s", path);
    snprintf(run->text[at], TEXT_BYTES, "the user's text %u", at);
    nw_write(run->node, path, run->text[at]);
    char full[FILE_PATH_BYTES], there[TEXT_BYTES];
    snprintf(full, sizeof full, "%s/%s", run->node->dir, path);
    read_text(full, there);
    if (strcmp(there, run->text[at]) != 0)
        run->text[at][0] = '\0'; /* a directory is in the way */
    nw_scan(run->node, what % 2 == 0 ? path : NULL);
}

static void passes(run_t *run, uint64_t ms)
{
    run->world.now_ms += ms;
    run->world.idle_ticks = 0;
    cs_event_t event = {.kind = CS_EV_TICK};
    nw_event(run->node, &event);
}

static void step(run_t *run)
{
    uint8_t what = cs_read_u8(&run->speech.feed);
    cs_event_t event = {.folder = NW_FOLDER, .ticket = 0};
    if (what >= 64) {
        say(run, what);
    } else if (what < 20) {
        nw_step(&run->world);
    } else if (what < 32) {
        nw_finish_jobs(run->node);
    } else if (what < 40) {
        passes(run, cs_read_u16(&run->speech.feed));
    } else if (what < 52) {
        user_acts(run, what);
    } else if (what < 58) {
        cs_link_t link = 1 + what % LINKS;
        set_link(run, link, !run->up[link]);
    } else if (what == 58) {
        nw_pause(run->node, !run->node->paused);
    } else if (what == 59) {
        event.kind = CS_EV_RELEASE;
        nw_event(run->node, &event);
    } else if (what == 60) {
        event.kind = CS_EV_REINCARNATE;
        nw_event(run->node, &event);
    } else {
        event = (cs_event_t){.kind = CS_EV_SENT, .link = 1 + what % LINKS, .size = 1u << 20};
        nw_event(run->node, &event);
    }
    for (cs_link_t link = 1; link <= LINKS; link++) {
        if (run->dropped[link]) set_link(run, link, false);
    }
}

static void begin(run_t *run, const uint8_t *data, size_t size)
{
    others_begin();
    nw_open(&run->world, size, 1);
    run->world.trace = getenv("CRDTSYNC_TRACE") != NULL;
    run->world.depth = 2; /* nothing happens within jobs: the input says what does, and when */
    run->world.stranger = (nw_stranger_t){run, on_told, on_dropped};
    run->node = &run->world.node[0];
    run->speech = (speech_t){.feed = cs_reader(cs_slice(data, size)),
                             .keys = &others.keys,
                             .name = names,
                             .names = CS_COUNT_OF(names),
                             .own = "mine",
                             .entry = entries,
                             .entries = ENTRIES,
                             .seen = &cs_replica_state(others.replica)->seen};
    for (unsigned i = 1; i <= PEERS; i++) {
        cs_member_t member = {.key = nw_key(i)};
        cs_event_t event = {.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member};
        nw_event(run->node, &event);
        set_link(run, 2 * i - 1, true);
    }
}

/* --- the oracle */

static void strike(run_t *run, const char *path)
{
    char text[TEXT_BYTES];
    read_text(path, text);
    for (unsigned i = 0; text[0] != '\0' && i < run->writes; i++) {
        if (strcmp(run->text[i], text) == 0) run->text[i][0] = '\0';
    }
}

static void check_texts(run_t *run)
{
    static const char *const where[] = {"", "/.crdtsync/trash", "/.crdtsync/tmp"};
    for (size_t i = 0; i < CS_COUNT_OF(where); i++) {
        char root[FILE_PATH_BYTES];
        file_list_t list = {0};
        snprintf(root, sizeof root, "%s%s", run->node->dir, where[i]);
        file_list(root, &list);
        for (size_t k = 0; k < list.count; k++)
            strike(run, list.at[k]);
        file_list_fini(&list);
    }
    for (unsigned i = 0; i < run->writes; i++)
        require(run->text[i][0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t *run = cs_calloc(1, sizeof *run);
    begin(run, data, size);
    for (unsigned i = 0; i < STEPS_MAX && cs_reader_left(&run->speech.feed) > 0; i++) {
        step(run);
        require(run->world.failure == NULL);
    }
    for (cs_link_t link = 1; link <= LINKS; link++)
        set_link(run, link, false);
    nw_restart(run->node, size % 2 == 0);
    nw_finish_jobs(run->node);
    require(run->world.failure == NULL);
    check_texts(run);
    nw_close(&run->world);
    speech_fini(&run->speech);
    cs_free(run);
    return 0;
}
