/* commands_shared.c - how a peer is with each folder that it shares, for `status` and `events`.
 */
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"

static const char *state_of(const cs_report_t *report, const cs_folder_status_t *status)
{
    if (report->exchanging) return "exchanging";
    if (report->known && report->equal) return "equal";
    if (!report->known) return "unknown";
    if (report->connected && status->held_by_peer) return "held";
    if (report->connected && report->ended && report->end == CS_EXCHANGE_REFUSED) {
        return "refused";
    }
    return "differs";
}

/* Of one that is connected and not equal, and does nothing about it; NULL: it will. */
static const char *why_not(const cs_report_t *report, const cs_folder_status_t *status)
{
    if (!report->connected || report->exchanging || (report->known && report->equal)) {
        return NULL;
    }
    if (status->held_by_peer) {
        return "too much of what peers have would be undone here; look, then: crdtsync held "
               "accept";
    }
    if (!report->ended) return NULL;
    switch (report->end) {
    case CS_EXCHANGE_REFUSED:
        return "it will not exchange for now: it is busy with others, holds the folder, or "
               "found nothing to exchange of late";
    case CS_EXCHANGE_BROKEN:
        return "the last exchange broke off, and is begun anew";
    case CS_EXCHANGE_SILENT:
        return "it fell silent within the last exchange, which is begun anew";
    case CS_EXCHANGE_PARTED:
    case CS_EXCHANGE_DONE:
        break;
    }
    return NULL;
}

static void put_facts(const cs_exchange_facts_t *facts, cs_json_t *json)
{
    cs_json_put_bool(json, "asked_here", facts->init);
    /* As the difference is found it is made up for: until all is found there may be more. */
    if (facts->differences > 0 || facts->found_all) {
        cs_json_put_u64(json, "differences", facts->differences);
        cs_json_put_bool(json, "found_all", facts->found_all);
    }
    cs_json_put_u64(json, "entries_in", facts->entries_in);
    cs_json_put_u64(json, "entries_out", facts->entries_out);
    cs_json_put_u64(json, "bytes_in", facts->bytes_in);
    cs_json_put_u64(json, "bytes_out", facts->bytes_out);
    cs_json_put_u64(json, "symbols", facts->symbols);
    cs_json_put_u64(json, "round_trips", facts->trips);
    cs_json_key(json, "seconds");
    cs_json_thousandths(json, facts->ms);
}

static void put_state(const cs_report_t *report, const cs_folder_status_t *status,
                      cs_json_t *json)
{
    const char *why = why_not(report, status);
    cs_json_begin(json, '{');
    cs_json_put_text(json, "state", state_of(report, status));
    if (why != NULL) cs_json_put_text(json, "why", why);
    if (report->exchanging) {
        cs_json_key(json, "exchange");
        cs_json_begin(json, '{');
        put_facts(&report->facts, json);
        cs_json_end(json, '}');
    }
    cs_json_end(json, '}');
}

typedef struct shared {
    const char *id; /* borrowed */
    cs_report_t report;
    cs_folder_status_t status;
} shared_t;

static size_t find_shared(cs_daemon_t *daemon, const uint8_t *key, shared_t *ret)
{
    size_t found = 0;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        size_t count = 0;
        const cs_folder_record_t *record = &daemon->folders[i].record;
        cs_report_t *reports = cs_node_reports(daemon->node, record->number, &count);
        for (size_t k = 0; k < count; k++) {
            if (memcmp(reports[k].key.b, key, CS_KEY_BYTES) != 0) continue;
            shared_t *shared = &ret[found];
            *shared = (shared_t){.id = record->id, .report = reports[k]};
            found += cs_node_folder_status(daemon->node, record->number, &shared->status);
        }
        cs_free(reports);
    }
    return found;
}

void cs__put_shared(cs_daemon_t *daemon, const uint8_t *key, cs_json_t *json)
{
    shared_t *shared = cs_calloc(daemon->folder_count + 1, sizeof *shared);
    size_t count = find_shared(daemon, key, shared);
    cs_json_key(json, "equal");
    cs_json_begin(json, '{');
    for (size_t i = 0; i < count; i++) {
        const cs_report_t *report = &shared[i].report;
        cs_json_put_bool(json, shared[i].id, report->known && report->equal);
    }
    cs_json_end(json, '}');
    cs_json_key(json, "folders");
    cs_json_begin(json, '{');
    for (size_t i = 0; i < count; i++) {
        cs_json_key(json, shared[i].id);
        put_state(&shared[i].report, &shared[i].status, json);
    }
    cs_json_end(json, '}');
    cs_free(shared);
}

void cs__daemon_event_exchange(cs_daemon_t *daemon, const char *folder,
                               const cs_effect_t *effect)
{
    cs_json_t json = {0};
    if (!cs__daemon_event_begin(daemon, "exchange", folder, &json)) return;
    char name[65];
    cs__peer_name(daemon, effect->key.b, name);
    cs_json_put_text(&json, "peer", name);
    cs_json_put_hex(&json, "peer_id", effect->key.b, sizeof effect->key.b);
    cs_json_put_text(&json, "end", effect->text);
    put_facts(&effect->exchange, &json);
    cs__daemon_event_end(daemon, &json);
}
