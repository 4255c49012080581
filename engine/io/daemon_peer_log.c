/* daemon_peer_log.c - what a peer did, in words that name it and say what can be done.
 *
 * A peer may do the same again as often as it likes: of each kind only so many lines a minute
 * are written, and the next one tells how many were not. */
#include <string.h>

#include "base/mem.h"
#include "io/daemon_shell.h"

#define WINDOW_MS  60000u
#define KEYS_MAX   256u /* of which lines are counted; beyond, the oldest is forgotten */
#define NAME_BYTES 64

struct cs_peer_talk {
    cs_key_t key;
    const char *kind;  /* static */
    uint64_t since_ms; /* of the window */
    uint32_t lines, left_out;
};

static struct cs_peer_talk *talk_of(cs_daemon_shell_t *shell, const cs_key_t *key,
                                    const char *kind)
{
    struct cs_peer_talk *oldest = NULL;
    for (size_t i = 0; i < shell->talk_count; i++) {
        struct cs_peer_talk *talk = &shell->talk[i];
        bool same = strcmp(talk->kind, kind) == 0;
        if (same && memcmp(talk->key.b, key->b, sizeof key->b) == 0) return talk;
        if (oldest == NULL || talk->since_ms < oldest->since_ms) oldest = talk;
    }
    if (shell->talk_count == KEYS_MAX) {
        *oldest = (struct cs_peer_talk){.key = *key, .kind = kind};
        return oldest;
    }
    if (shell->talk == NULL) shell->talk = cs_calloc(KEYS_MAX, sizeof *shell->talk);
    struct cs_peer_talk *fresh = &shell->talk[shell->talk_count++];
    *fresh = (struct cs_peer_talk){.key = *key, .kind = kind};
    return fresh;
}

/* Which line of the minute it may be, from 1; 0: one too many. ret_left_out: how many were
 * since the last one that was not. */
static uint32_t may_talk(cs_daemon_shell_t *shell, const cs_key_t *key, const char *kind,
                         uint32_t lines_max, uint32_t *ret_left_out)
{
    struct cs_peer_talk *talk = talk_of(shell, key, kind);
    uint64_t now_ms = (uint64_t)zclock_mono();
    if (talk->lines == 0 || now_ms - talk->since_ms >= WINDOW_MS) {
        talk->since_ms = now_ms;
        talk->lines = 0;
    }
    if (talk->lines == lines_max) {
        talk->left_out++;
        return 0;
    }
    talk->lines++;
    *ret_left_out = talk->left_out;
    talk->left_out = 0;
    return talk->lines;
}

static void name_of(const cs_daemon_t *daemon, const cs_key_t *key, char ret[NAME_BYTES])
{
    cs_peer_record_t peer = {0};
    cs_buf_t detail = {0};
    ret[0] = '\0';
    if (cs_home_peer_get(daemon->home, key->b, &peer, &detail) == CS_OK && peer.name != NULL) {
        snprintf(ret, NAME_BYTES, "%s", peer.name);
    }
    cs_peer_record_fini(&peer);
    cs_buf_fini(&detail);
}

static void put_left_out(cs_buf_t *text, uint32_t left_out)
{
    if (left_out > 0) {
        cs_buf_printf(text, " (%u more times since the last such line)", left_out);
    }
    cs_buf_put_u8(text, 0);
}

static void write_line(cs_daemon_t *daemon, cs_log_level_t level, const char *event,
                       cs_buf_t *text)
{
    cs__daemon_log(daemon, level, event, NULL, cs_slice_text(""), (const char *)text->data);
    cs_buf_fini(text);
}

void cs__daemon_log_peer(cs_daemon_t *daemon, const char *event, const cs_key_t *key,
                         const char *what, const char *remedy)
{
    uint32_t left_out;
    if (may_talk(daemon->shell, key, what, 1, &left_out) == 0) return;
    char hex[CS_KEY_TEXT], name[NAME_BYTES];
    cs_buf_t text = {0};
    cs_hex(hex, key->b, sizeof key->b);
    name_of(daemon, key, name);
    cs_buf_printf(&text, "peer '%s' (%s): %s; %s, or: crdtsync peer remove %s", name, hex, what,
                  remedy, hex);
    put_left_out(&text, left_out);
    write_line(daemon, CS_LOG_WARNING, event, &text);
}

static const struct {
    const char *event, *what, *remedy;
} manners[] = {
    {"peer.silent", "it does not answer what it is asked for, and others are asked instead",
     "see whether it still runs and its disk works"},
    {"peer.frames",
     "messages of a comparison are missing or out of order, and it is begun anew",
     "see which version it runs"},
    {"peer.vain",
     "it says that it has something else, and comparing finds nothing; it is compared ever "
     "less "
     "often",
     "see which version it runs"},
    {"peer.unsigned", "it names numbers that their replica did not sign, and is not believed",
     "see which version it runs"},
    {"peer.late", "it takes longer than 10 s to answer, and waits",
     "see whether it still runs and its network works"},
    {"peer.restless", "its link ends again and again",
     "see what its own log says, which version it runs, and whether its network works"},
};

void cs__daemon_log_manners(cs_daemon_t *daemon, const char *event, const cs_key_t *key)
{
    for (size_t i = 0; i < CS_COUNT_OF(manners); i++) {
        if (strcmp(manners[i].event, event) != 0) continue;
        cs__daemon_log_peer(daemon, event, key, manners[i].what, manners[i].remedy);
    }
}

#define LINK_LINES_MAX 20u /* a minute: a link that comes and goes need not fill the disk */
#define RESTLESS_ENDS  5u  /* in a minute: it is no restart and no broken cable */

void cs__daemon_log_link(cs_daemon_t *daemon, const char *event, const cs_key_t *key)
{
    uint32_t left_out;
    uint32_t line = may_talk(daemon->shell, key, event, LINK_LINES_MAX, &left_out);
    if (line == 0) return;
    char hex[CS_KEY_TEXT];
    cs_hex(hex, key->b, sizeof key->b);
    cs__daemon_log(daemon, CS_LOG_INFO, event, NULL, cs_slice_text(""), hex);
    bool restless = line == RESTLESS_ENDS && strcmp(event, "peer.down") == 0;
    if (restless) cs__daemon_log_manners(daemon, "peer.restless", key);
}

static const struct {
    const char *event, *text;
} strangers[] = {
    [CS_TURNED_KEY] = {"peer.refused", "somebody was turned away whose key is not known here; "
                                       "if it is a node of yours: crdtsync peer add ID"},
    [CS_TURNED_FULL] = {"peer.full", "somebody was turned away, for there are as many links as "
                                     "there may be; raise limits.max-peers in the config"},
    [CS_TURNED_HANDSHAKE] = {"peer.garbled",
                             "somebody was turned away who does not speak the protocol, or "
                             "broke off before he had said who he is; if no node of yours "
                             "should be heard from there: close the port in the firewall"},
};

void cs__daemon_log_strangers(cs_daemon_t *daemon, cs_turned_away_t why)
{
    static const cs_key_t nobody;
    uint32_t left_out;
    const char *event = strangers[why].event;
    if (may_talk(daemon->shell, &nobody, event, 1, &left_out) == 0) return;
    cs_buf_t text = {0};
    cs_buf_printf(&text, "%s", strangers[why].text);
    put_left_out(&text, left_out);
    write_line(daemon, CS_LOG_WARNING, event, &text);
}
