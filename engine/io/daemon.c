/* daemon.c - the reactor: events are handed to the core, its effects performed in order. */
#include "io/daemon.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <sodium.h>

#include "base/mem.h"
#include "io/control.h"
#include "io/daemon_shell.h"
#include "io/invite.h"
#include "io/leveldb_store.h"
#include "io/places.h"
#include "io/service.h"
#include "io/threads.h"

static uint64_t now_ms(void)
{
    return (uint64_t)zclock_mono();
}

/* --- the step */

static int on_timer(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop;
    (void)timer_id;
    cs_daemon_t *daemon = arg;
    daemon->shell->timer = -1;
    cs_event_t event = {.kind = CS_EV_TICK};
    cs_daemon_step(daemon, &event);
    return daemon->stopping ? -1 : 0;
}

static void arm_timer(cs_daemon_t *daemon)
{
    cs_daemon_shell_t *shell = daemon->shell;
    uint64_t due = cs_node_deadline(daemon->node);
    uint64_t pending = cs_commands_deadline(daemon);
    if (pending < due) due = pending;
    if (shell->timer >= 0 && shell->timer_at_ms == due) return;
    if (shell->timer >= 0) zloop_timer_end(daemon->loop, shell->timer);
    shell->timer = -1;
    if (due == UINT64_MAX) return;
    uint64_t now = now_ms();
    shell->timer_at_ms = due;
    shell->timer =
        zloop_timer(daemon->loop, due > now ? (size_t)(due - now) : 0, 1, on_timer, daemon);
}

void cs_daemon_step(cs_daemon_t *daemon, cs_event_t *event)
{
    cs_daemon_shell_t *shell = daemon->shell;
    event->now_ms = now_ms();
    do {
        randombytes_buf(&event->number, sizeof event->number);
    } while (event->number == 0);

    cs_err_t err = cs_node_step(daemon->node, event, &shell->fx);
    if (err == CS_OK) err = cs_leveldb_err(daemon->store);
    if (err != CS_OK && daemon->failed == CS_OK) {
        daemon->failed = err;
        cs__daemon_log(daemon, CS_LOG_ERROR, "store.failed", NULL, cs_slice_text(""),
                       cs_err_text(err));
        cs_daemon_stop(daemon);
    }
    if (shell->performing) {
        return; /* an effect caused this event: its own effects come after it */
    }

    shell->performing = true;
    while (shell->fx_next < shell->fx.len) {
        cs_effect_t effect = shell->fx.item[shell->fx_next];
        memset(&shell->fx.item[shell->fx_next], 0, sizeof effect);
        shell->fx_next++;
        cs__daemon_perform(daemon, &effect);
        cs_effect_fini(&effect);
    }
    cs_effects_clear(&shell->fx);
    shell->fx_next = 0;
    shell->performing = false;

    cs__daemon_event_states(daemon);
    uint64_t now = now_ms();
    cs__daemon_event_progress(daemon, now);
    cs_commands_check(daemon, now);
    arm_timer(daemon);
}

static void on_written(void *arg, uint32_t folder, uint64_t token, cs_err_t err)
{
    cs_event_t event = {.kind = CS_EV_STORED, .folder = folder, .token = token, .err = err};
    cs_daemon_step(arg, &event);
    cs__daemon_forget_written(arg, folder);
}

/* --- signals */

/* event: what is logged of it; NULL: nothing. */
static void tell_ready(cs_daemon_t *daemon, const char *event)
{
    const char *endpoint = daemon->net != NULL ? cs_net_endpoint(daemon->net, 0) : NULL;
    char status[512];
    snprintf(status, sizeof status, "%zu folder%s, listening on %s", daemon->folder_count,
             daemon->folder_count == 1 ? "" : "s", endpoint != NULL ? endpoint : "nothing");
    if (event != NULL) {
        cs__daemon_log(daemon, CS_LOG_INFO, event, NULL, cs_slice_text(""), status);
    }
    cs_service_ready(status);
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    cs_daemon_t *daemon = arg;
    struct signalfd_siginfo info;
    if (read(item->fd, &info, sizeof info) != (ssize_t)sizeof info) return 0;
    if (info.ssi_signo == SIGHUP) {
        cs_service_reloading();
        cs__daemon_reload(daemon);
        tell_ready(daemon, NULL);
        cs_daemon_taken(daemon); /* for those who listen to events */
        return 0;
    }
    cs_service_stopping("told to stop");
    cs_daemon_stop(daemon);
    return -1;
}

static void watch_signals(cs_daemon_t *daemon)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread exists */
    daemon->shell->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    zmq_pollitem_t item = {.fd = daemon->shell->signal_fd, .events = ZMQ_POLLIN};
    zloop_poller(daemon->loop, &item, on_signal, daemon);
    zloop_poller_set_tolerant(daemon->loop, &item);
}

/* --- other threads */

static int on_interrupt(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    cs_daemon_stop(arg);
    return -1;
}

static void watch_interrupts(cs_daemon_t *daemon)
{
    daemon->shell->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    zmq_pollitem_t item = {.fd = daemon->shell->interrupt_fd, .events = ZMQ_POLLIN};
    zloop_poller(daemon->loop, &item, on_interrupt, daemon);
    zloop_poller_set_tolerant(daemon->loop, &item);
}

void cs_daemon_interrupt(cs_daemon_t *daemon)
{
    uint64_t one = 1;
    ssize_t written = write(daemon->shell->interrupt_fd, &one, sizeof one);
    (void)written; /* full: it was interrupted often enough */
}

/* --- life */

/* An empty mount point is no home: a database in it would be a second one. */
static cs_err_t check_home(const cs_home_t *home, cs_buf_t *ret_detail)
{
    const char *path = cs_home_path(home);
    if (cs_has_entry(path, "identity")) return cs_check_home_place(path, ret_detail);
    cs_buf_clear(ret_detail);
    cs_buf_printf(ret_detail, "cannot use the home %s: it is gone, or not mounted; put it back",
                  path);
    return CS_ERR_NOT_MOUNTED;
}

static cs_err_t daemon_new(const cs_daemon_config_t *config, cs_daemon_t **ret,
                           cs_buf_t *ret_detail)
{
    zsys_init();
    zsys_handler_set(NULL); /* signals are ours */
    cs_daemon_t *daemon = cs_calloc(1, sizeof *daemon);
    daemon->config = *config;
    daemon->home = config->home;
    daemon->shell = cs_calloc(1, sizeof *daemon->shell);
    daemon->shell->timer = daemon->shell->signal_fd = daemon->shell->interrupt_fd = -1;
    daemon->shell->rate_timer = daemon->shell->trim_timer = -1;
    daemon->started_ms = now_ms();
    memcpy(daemon->public_key, cs_home_identity(config->home)->public_key,
           sizeof daemon->public_key);

    cs_config_t *settings = &daemon->shell->settings;
    cs_err_t err = cs_home_config(config->home, settings, ret_detail);
    if (err != CS_OK) goto out;
    daemon->loop = zloop_new();
    zloop_set_verbose(daemon->loop, false);
    watch_interrupts(daemon);
    if (config->service) watch_signals(daemon);
    daemon->shell->journal = config->service && cs_service_has_journal();
    err = check_home(config->home, ret_detail);
    if (err == CS_OK) err = cs__daemon_open_store(daemon, ret_detail);
    if (err == CS_OK) err = cs__daemon_check_format(daemon, ret_detail);
    if (err != CS_OK) goto out;

    if (config->control) cs__daemon_events_start(daemon);
    cs_node_config_t node = {.store = daemon->store,
                             .memory_bytes = (uint64_t)settings->memory_mib << 20,
                             .no_finding = settings->no_finding,
                             .all = cs_all_on_threads};
    memcpy(node.self.b, daemon->public_key, sizeof node.self.b);
    const cs_identity_t *identity = cs_home_identity(daemon->home);
    node.signs = true;
    randombytes_buf(&node.number, sizeof node.number);
    memcpy(node.seed, identity->seed, sizeof node.seed);
    snprintf(node.name, sizeof node.name, "%s", settings->node_name);
    daemon->node = cs_node_new(&node);
    sodium_memzero(node.seed, sizeof node.seed);
    daemon->shell->pool = cs_pool_new(daemon->loop, CS_WORKERS);
    daemon->shell->writer =
        cs_store_thread_new(daemon->loop, daemon->store, on_written, daemon);

    bool moved = cs__daemon_was_moved(daemon);
    if (config->network) err = cs__daemon_listen(daemon, settings, ret_detail);
    if (err == CS_OK) cs__daemon_pex_own(daemon);
    if (err == CS_OK) err = cs__daemon_mount_all(daemon, ret_detail);
    if (err == CS_OK) cs__daemon_settle_place(daemon, moved);
    if (err == CS_OK && config->network) cs__daemon_rates(daemon);
    if (err == CS_OK && config->control) {
        cs__daemon_forget_resume(daemon);
        cs__schedule_start(daemon);
        cs__watch_start(daemon);
        err = cs_control_new(daemon, daemon->loop, cs_home_socket(config->home),
                             &daemon->shell->control, ret_detail);
    }
out:
    if (err != CS_OK) {
        daemon->failed = err;
        cs_daemon_destroy(&daemon);
    }
    *ret = daemon;
    return err;
}

cs_err_t cs_daemon_new(const cs_daemon_config_t *config, cs_daemon_t **ret,
                       cs_buf_t *ret_detail)
{
    cs_err_t err = daemon_new(config, ret, ret_detail);
    if (err != CS_ERR_CORRUPT) return err;
    cs_buf_clear(ret_detail); /* it was set aside, with a word in the log */
    return daemon_new(config, ret, ret_detail);
}

cs_err_t cs_daemon_run(cs_daemon_t *daemon)
{
    cs_event_t event = {.kind = CS_EV_TICK};
    cs_daemon_step(daemon, &event);
    if (daemon->config.service && !daemon->stopping) tell_ready(daemon, "node.ready");
    if (!daemon->stopping) zloop_start(daemon->loop);
    return daemon->failed;
}

void cs_daemon_stop(cs_daemon_t *daemon)
{
    daemon->stopping = true;
    zloop_timer(daemon->loop, 0, 1, on_timer, daemon); /* wakes the loop, which then ends */
}

/* What is written down for the next start. */
static void step_at_last(cs_daemon_t *daemon)
{
    cs_event_t event = {.kind = CS_EV_TICK};
    if (daemon->failed == CS_OK) cs_daemon_step(daemon, &event);
}

void cs_daemon_destroy(cs_daemon_t **daemon_p)
{
    cs_daemon_t *daemon = *daemon_p;
    *daemon_p = NULL;
    if (daemon == NULL) return;
    cs_daemon_shell_t *shell = daemon->shell;
    daemon->stopping = true;
    cs_control_destroy(&shell->control);
    cs__watch_stop(daemon);
    cs__schedule_stop(daemon);
    if (daemon->node != NULL) cs_node_stop(daemon->node);
    /* Links first: nothing new comes in. Then jobs, whose results may still be stored. */
    cs_net_destroy(&daemon->net);
    if (shell->pool != NULL) cs_pool_destroy(&shell->pool);
    cs_commands_fini(daemon); /* nobody is answered any more */
    if (shell->writer != NULL) step_at_last(daemon);
    if (shell->writer != NULL) cs_store_thread_destroy(&shell->writer);
    cs_invite_fini(daemon);
    cs_node_destroy(&daemon->node);
    cs_effects_fini(&shell->fx);
    cs__daemon_links_fini(daemon);
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_folder_record_fini(&daemon->folders[i].record);
    }
    cs_free(daemon->folders);
    cs_events_destroy(&daemon->events);
    bool was_open = daemon->store != NULL;
    if (was_open) cs_store_close(&daemon->store);
    if (was_open && daemon->failed == CS_ERR_CORRUPT) cs__daemon_set_aside(daemon);
    if (shell->signal_fd >= 0) close(shell->signal_fd);
    if (shell->interrupt_fd >= 0) close(shell->interrupt_fd);
    if (daemon->loop != NULL) zloop_destroy(&daemon->loop);
    cs__daemon_forget_fini(daemon);
    cs_config_fini(&shell->settings);
    cs_free(shell->dials);
    cs_free(shell);
    cs_free(daemon);
}
