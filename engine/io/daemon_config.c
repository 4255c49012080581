/* daemon_config.c - SIGHUP: the whole config is read again; what can change while a node runs
 * does, and one line of the log says what cannot. */
#include <string.h>

#include "io/daemon_shell.h"

static const char *level_text(cs_log_level_t level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return names[level];
}

static void put(cs_buf_t *list, const char *text)
{
    cs_buf_printf(list, "%s%s", list->len > 0 ? ", " : "", text);
}

static void take_level(cs_daemon_t *daemon, const cs_config_t *fresh, cs_buf_t *changed,
                       cs_buf_t *waiting)
{
    if (fresh->log_level == daemon->config.log_level) return;
    if (daemon->config.log_level_given) {
        put(waiting, "log level (the command line gave another)");
        return;
    }
    daemon->config.log_level = fresh->log_level;
    put(changed, "log level ");
    cs_buf_printf(changed, "%s", level_text(fresh->log_level));
}

/* No limit may be said, or not. */
static bool same_rate(const cs_rate_plan_t *a, const cs_rate_plan_t *b)
{
    if (a->count == 0 && b->count == 0) return a->kib == b->kib;
    return strcmp(a->text, b->text) == 0;
}

static void take_rates(cs_daemon_t *daemon, const cs_config_t *fresh, cs_buf_t *changed)
{
    static const char *const keys[] = {"up-kib", "down-kib", "peer-up-kib", "peer-down-kib"};
    cs_config_t *old = &daemon->shell->settings;
    bool any = false;
    for (size_t i = 0; i < CS_RATE_COUNT; i++) {
        if (same_rate(&fresh->rate[i], &old->rate[i])) continue;
        old->rate[i] = fresh->rate[i];
        put(changed, keys[i]);
        cs_buf_printf(changed, " %s",
                      fresh->rate[i].text[0] != '\0' ? fresh->rate[i].text : "0");
        any = true;
    }
    if (any && daemon->net != NULL) cs__daemon_rates(daemon);
}

/* `fresh` is compared with what is in force, and becomes that where it can. */
static void take(cs_daemon_t *daemon, const cs_config_t *fresh, cs_buf_t *ret_text)
{
    cs_config_t *old = &daemon->shell->settings;
    cs_buf_t changed = {0}, waiting = {0};
    take_level(daemon, fresh, &changed, &waiting);
    if (fresh->peers_max != old->peers_max) {
        old->peers_max = fresh->peers_max;
        if (daemon->net != NULL) cs_net_set_links_max(daemon->net, fresh->peers_max);
        put(&changed, "max-peers ");
        cs_buf_printf(&changed, "%u", fresh->peers_max);
    }
    take_rates(daemon, fresh, &changed);
    if (strcmp(fresh->node_name, old->node_name) != 0) put(&waiting, "name");
    if (!cs_strings_eq(&fresh->listen, &old->listen)) put(&waiting, "listen");
    if (fresh->memory_mib != old->memory_mib) put(&waiting, "memory-mib");
    if (fresh->no_finding != old->no_finding) put(&waiting, "find-peers");

    cs_buf_printf(ret_text, "config read again: ");
    if (changed.len + waiting.len == 0) cs_buf_printf(ret_text, "nothing changed");
    if (changed.len > 0) {
        cs_buf_put_slice(ret_text, cs_buf_slice(&changed));
        cs_buf_printf(ret_text, " from now on");
    }
    if (waiting.len > 0) {
        cs_buf_printf(ret_text, "%safter a restart only: ", changed.len > 0 ? "; " : "");
        cs_buf_put_slice(ret_text, cs_buf_slice(&waiting));
    }
    cs_buf_fini(&changed);
    cs_buf_fini(&waiting);
}

/* A config with mistakes changes nothing. */
void cs__daemon_reload(cs_daemon_t *daemon)
{
    cs_config_t fresh = {0};
    cs_buf_t text = {0};
    cs_err_t err = cs_home_config(daemon->home, &fresh, &text);
    if (err == CS_OK) take(daemon, &fresh, &text);
    cs_buf_put_u8(&text, 0);
    cs__daemon_log(daemon, err == CS_OK ? CS_LOG_INFO : CS_LOG_ERROR, "node.reload", NULL,
                   cs_slice_text(""), (const char *)text.data);
    cs_config_fini(&fresh);
    cs_buf_fini(&text);
}
