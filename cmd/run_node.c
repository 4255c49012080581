/* run_node.c - node: serves until it is stopped, and rests while the disk of its home fails. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "cmd/client.h"
#include "cmd/own.h"
#include "io/control_client.h"
#include "io/daemon.h"
#include "io/service.h"

/* The config's level; --log-level, and then -v and -q, change it. */
static int choose_level(const cs_run_t *run, const cs_home_t *home, cs_log_level_t *ret)
{
    cs_config_t config = {0};
    cs_buf_t detail = {0};
    const char *name = cs_args_value(&run->args, "log-level");
    int exit_code = CS_EXIT_DONE;
    if (cs_home_config(home, &config, &detail) != CS_OK) {
        exit_code = cs_complain_buf(CS_EXIT_FAILED, &detail);
    } else {
        *ret = config.log_level;
        if (name != NULL && !cs_log_level_parse(name, ret)) {
            cs_complain(
                "wrong usage: --log-level '%s' is unknown; give error, warning, info or "
                "debug",
                name);
            exit_code = CS_EXIT_USAGE;
        }
    }
    int level = (int)*ret + run->loudness;
    if (level < CS_LOG_ERROR) level = CS_LOG_ERROR;
    if (level > CS_LOG_DEBUG) level = CS_LOG_DEBUG;
    *ret = (cs_log_level_t)level;
    cs_config_fini(&config);
    cs_buf_fini(&detail);
    return exit_code;
}

#define ROOM_WAIT_S 5

/* False: a signal says to stop. They are blocked since the first daemon. */
static bool wait_for_room(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    struct timespec pause = {.tv_sec = ROOM_WAIT_S};
    return sigtimedwait(&stop, NULL, &pause) < 0;
}

/* What ends when somebody mends the disk, makes room on it, or mounts it again. */
static bool may_pass(cs_err_t err)
{
    return err == CS_ERR_NOSPACE || err == CS_ERR_IO || err == CS_ERR_READ_ONLY ||
           err == CS_ERR_NOT_MOUNTED;
}

/* A database that met a full or failing disk has to be opened anew, when that is over. Until
 * then nothing can be promised, so nothing is served. *ret stays NULL if a signal came. */
static cs_err_t reopen(const cs_daemon_config_t *config, cs_err_t why, cs_daemon_t **ret,
                       cs_buf_t *ret_detail)
{
    cs_err_t err = why;
    char text[128];
    cs_complain("the node rests: the disk of the home %s: %s; %s, and it goes on by itself",
                cs_home_path(config->home), cs_err_text(why), cs_err_remedy(why));
    snprintf(text, sizeof text, "it rests: %s, of the home; %s", cs_err_text(why),
             cs_err_remedy(why));
    cs_home_lock_note(config->home, text);
    cs_service_status(why == CS_ERR_NOSPACE ? "resting: the disk of the home is full"
                                            : "resting: the disk of the home fails");
    while (may_pass(err)) {
        if (!wait_for_room()) return CS_OK;
        cs_buf_clear(ret_detail);
        err = cs_daemon_new(config, ret, ret_detail);
    }
    cs_home_lock_note(config->home, NULL);
    return err;
}

#define CORRUPT_MAX 3u /* databases found damaged in one run; more have another cause */

static int run_daemon(const cs_daemon_config_t *config)
{
    cs_daemon_t *daemon = NULL;
    cs_buf_t detail = {0};
    unsigned corrupt = 0;
    cs_err_t err = cs_daemon_new(config, &daemon, &detail);
    while (err == CS_OK && daemon != NULL) {
        err = cs_daemon_run(daemon);
        cs_daemon_destroy(&daemon);
        if (may_pass(err)) {
            err = reopen(config, err, &daemon, &detail);
        } else if (err == CS_ERR_CORRUPT && corrupt++ < CORRUPT_MAX) {
            err = cs_daemon_new(config, &daemon, &detail); /* the damaged one is set aside */
        } else if (err != CS_OK) {
            cs_buf_printf(&detail,
                          "the node stopped: %s; see what is wrong with the disk of the home, "
                          "and start it again",
                          cs_err_text(err));
        }
    }
    int exit_code = CS_EXIT_DONE;
    if (err != CS_OK) exit_code = cs_complain_buf(CS_EXIT_FAILED, &detail);
    cs_buf_fini(&detail);
    return exit_code;
}

#define PING_SILENCE_MS 1000u

static void ignore(void *arg, cs_slice_t document)
{
    (void)arg, (void)document;
}

/* Another node keeps the lock; a request that was made while none ran is soon done. */
static bool node_listens(void *arg)
{
    const cs_home_t *home = arg;
    static const cs_control_taker_t nobody = {.data = ignore};
    cs_control_answer_t answer = {0};
    cs_err_t err = cs_control_ask(cs_home_socket(home), cs_slice_text("{\"cmd\":\"ping\"}"),
                                  PING_SILENCE_MS, &nobody, &answer);
    cs_control_answer_fini(&answer);
    return err != CS_ERR_OFFLINE;
}

/* Buffers of a megabyte come and go. By itself glibc gives each back to the kernel and has it
 * cleared again, a page fault for every 4 KiB: a third of the time that 1 GiB took from node to
 * node. What is free is given back all the same, every other second (io/daemon_trim.c). */
#define MMAP_FROM (4 << 20) /* bytes: the longest message, and more */
#define KEEP_FREE (8 << 20) /* of each arena */
#define GROW_BY   (1 << 20)

static void keep_pages(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_FROM);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
    (void)mallopt(M_TOP_PAD, GROW_BY);
}

static int serve(cs_run_t *run, cs_home_t *home)
{
    cs_daemon_config_t config = {
        .home = home,
        .network = true,
        .control = true,
        .service = true,
        .log_level_given = cs_args_has(&run->args, "log-level") || run->loudness != 0,
        .log_json = cs_args_has(&run->args, "log-json"),
    };
    cs_buf_t detail = {0};
    int exit_code = choose_level(run, home, &config.log_level);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    keep_pages();
    cs_err_t err = cs_home_read_identity(home, &detail);
    if (err == CS_OK) err = cs_own_lock(home, node_listens, home, &detail);
    exit_code = err == CS_OK ? run_daemon(&config) : cs_complain_buf(CS_EXIT_FAILED, &detail);
    cs_buf_fini(&detail);
    return exit_code;
}

int cs_run_node(cs_run_t *run)
{
    cs_home_t *home = NULL;
    int exit_code = cs_client_home(run, &home);
    if (exit_code == CS_EXIT_DONE) exit_code = serve(run, home);
    cs_home_close(&home);
    return exit_code;
}
