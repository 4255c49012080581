/* swarm.c - one seed after the other, each with its own mix, on as many cores as asked for. */
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sim/cli/cli.h"

/* Written by one worker, read by whoever waits for it. */
typedef struct worker {
    pid_t pid;
    volatile uint64_t seed; /* in progress, or the last */
    volatile uint64_t done, holes, events, crashes, incarnations, drops;
    volatile bool failed;
    cs_sim_result_t result; /* of the failure */
} worker_t;

typedef struct swarm {
    const cs_sim_args_t *args;
    uint64_t first, until_ms;
    worker_t *worker;    /* shared */
    volatile bool *stop; /* shared */
} swarm_t;

static volatile bool *stop_all; /* for the handler */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
    *stop_all = true;
}

/* Whoever has had enough is told what was done until then. */
static void handle_signals(const swarm_t *swarm)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    stop_all = swarm->stop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void work(const swarm_t *swarm, worker_t *self, uint64_t index)
{
    const cs_sim_args_t *args = swarm->args;
    for (uint64_t at = index; at < args->count && !*swarm->stop; at += args->jobs) {
        if (swarm->until_ms != 0 && cs_sim_clock_ms() >= swarm->until_ms) break;
        cs_history_t history = {0};
        self->seed = swarm->first + at;
        cs_sim_args_history(args, self->seed, &history);
        cs_sim_check(&history, &self->result);
        cs_history_fini(&history);
        self->done++;
        self->holes += self->result.hole;
        self->events += self->result.events;
        self->crashes += self->result.crashes;
        self->incarnations += self->result.incarnations;
        self->drops += self->result.drops;
        if (self->result.ok) continue;
        self->failed = true;
        *swarm->stop = true;
    }
}

static uint64_t sum_done(const swarm_t *swarm)
{
    uint64_t done = 0;
    for (uint64_t i = 0; i < swarm->args->jobs; i++) {
        done += swarm->worker[i].done;
    }
    return done;
}

/* A worker that dies takes the others with it. */
static void wait_all(const swarm_t *swarm, uint64_t began_ms)
{
    bool show = isatty(STDERR_FILENO) && !swarm->args->quiet;
    for (uint64_t left = swarm->args->jobs; left > 0;) {
        int status;
        pid_t pid = waitpid(-1, &status, show ? WNOHANG : 0);
        if (pid == 0) {
            uint64_t ms = cs_sim_clock_ms() - began_ms + 1;
            fprintf(stderr, "\rsim: %" PRIu64 " seeds, %" PRIu64 " a second ", sum_done(swarm),
                    sum_done(swarm) * 1000 / ms);
            usleep(200000); /* of a screen that somebody looks at */
            continue;
        }
        if (pid < 0) break;
        left--;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
        *swarm->stop = true;
        for (uint64_t i = 0; i < swarm->args->jobs; i++) {
            worker_t *worker = &swarm->worker[i];
            if (worker->pid != pid) continue;
            worker->failed = true;
            snprintf(worker->result.why, sizeof worker->result.why,
                     "the process died: an assertion, or memory");
        }
    }
    if (show) fputc('\r', stderr);
}

static int report(const swarm_t *swarm)
{
    const cs_sim_args_t *args = swarm->args;
    uint64_t done = 0, holes = 0, events = 0, crashes = 0, incarnations = 0, drops = 0;
    int code = CS_EXIT_DONE;
    for (uint64_t i = 0; i < args->jobs; i++) {
        const worker_t *worker = &swarm->worker[i];
        done += worker->done;
        holes += worker->holes;
        events += worker->events;
        crashes += worker->crashes;
        incarnations += worker->incarnations;
        drops += worker->drops;
        if (!worker->failed) continue;
        cs_history_t history = {0};
        cs_sim_args_history(args, worker->seed, &history);
        cs_sim_result_t result = worker->result;
        result.ok = false;
        cs_sim_show(args, &history, &result);
        cs_history_fini(&history);
        code = CS_EXIT_FAILED;
    }
    uint64_t last = swarm->first + (done > 0 ? done - 1 : 0);
    const char *verdict = code == CS_EXIT_DONE ? "ok" : "FAILED";
    if (args->json) {
        printf("{\"seeds\": %" PRIu64 ", \"from\": %" PRIu64 ", \"to\": %" PRIu64
               ", \"events\": %" PRIu64 ", \"crashes\": %" PRIu64 ", \"incarnations\": %" PRIu64
               ", \"holes\": %" PRIu64 ", \"ok\": %s}\n",
               done, swarm->first, last, events, crashes, incarnations, holes,
               code == CS_EXIT_DONE ? "true" : "false");
        return code;
    }
    printf("sim: %" PRIu64 " events, %" PRIu64 " crashes, %" PRIu64 " incarnations, %" PRIu64
           " dropped peers, %" PRIu64 " histories ended in the hole of core.md 15 k\n",
           events, crashes, incarnations, drops, holes);
    printf("sim: swarm: %" PRIu64 " seeds from %" PRIu64 " to %" PRIu64 ": %s\n", done,
           swarm->first, last, verdict);
    return code;
}

int cs_sim_cmd_swarm(const cs_sim_args_t *args)
{
    size_t bytes = sizeof(worker_t) * args->jobs + sizeof(bool);
    swarm_t swarm = {.args = args, .first = args->has_seed ? args->seed : cs_sim_fresh_seed()};
    if (args->seconds == 0 && args->count == UINT64_MAX) {
        cs_sim_complain("swarm: until when? give --seconds T, or --count N");
        return CS_EXIT_USAGE;
    }
    uint64_t began_ms = cs_sim_clock_ms();
    if (args->seconds > 0) swarm.until_ms = began_ms + args->seconds * 1000;
    swarm.worker = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CS_ASSERT(swarm.worker != MAP_FAILED);
    swarm.stop = (bool *)(swarm.worker + args->jobs);
    handle_signals(&swarm);
    fflush(NULL);
    for (uint64_t i = 0; i < args->jobs; i++) {
        pid_t pid = fork();
        CS_ASSERT(pid >= 0);
        if (pid == 0) {
            work(&swarm, &swarm.worker[i], i);
            _exit(0);
        }
        swarm.worker[i].pid = pid;
    }
    wait_all(&swarm, began_ms);
    int code = report(&swarm);
    munmap(swarm.worker, bytes);
    if (interrupted != 0 && code == CS_EXIT_DONE) code = 128 + (int)interrupted;
    return code;
}
