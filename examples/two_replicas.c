/* two_replicas.c - embeds crdtsync: two nodes in one process, each in a thread of its own, that
 * become replicas of one folder.
 *
 *     cc two_replicas.c $(pkg-config --cflags --libs crdtsync) -o two_replicas
 *     ./two_replicas EMPTY-DIRECTORY
 *
 * A node is a cs_daemon_t: it is made, run and destroyed by one thread. Everybody else talks to
 * it by requests, each a JSON object, through the socket in the node's home; the answer is any
 * number of JSON documents and an exit code. They are what the commands of crdtsync(1) send. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/mem.h>
#include <io/control_client.h>
#include <io/daemon.h>
#include <io/entropy.h>
#include <io/request.h>

#define TIMEOUT_MS 60000 /* of what waits for the other node */

typedef struct replica {
    const char *name;
    char home_path[4096], folder_path[4096];
    cs_home_t *home;
    pthread_t thread;
    sem_t started; /* posted when `daemon` is set */
    cs_daemon_t *daemon;
} replica_t;

static void die(const char *what, const cs_buf_t *detail)
{
    fprintf(stderr, "two_replicas: %s: %.*s\n", what, (int)detail->len,
            (const char *)detail->data);
    exit(1);
}

/* --- a node */

static void *live(void *arg)
{
    replica_t *replica = arg;
    cs_buf_t detail = {0};
    cs_daemon_config_t config = {
        .home = replica->home,
        .network = true,
        .control = true, /* requests come through its socket; signals stay ours */
        .log_level = CS_LOG_WARNING,
    };
    cs_daemon_t *daemon = NULL;
    if (cs_daemon_new(&config, &daemon, &detail) != CS_OK) die(replica->name, &detail);
    replica->daemon = daemon;
    sem_post(&replica->started);
    cs_err_t err = cs_daemon_run(daemon);
    if (err != CS_OK) fprintf(stderr, "%s: %s\n", replica->name, cs_err_text(err));
    cs_daemon_destroy(&daemon);
    cs_buf_fini(&detail);
    return NULL;
}

/* A fresh home below `dir`, listening on any free port of this machine, and its node. */
static void start(replica_t *replica, const char *dir, const char *name)
{
    cs_buf_t detail = {0};
    cs_strings_t listen = {0};
    memset(replica, 0, sizeof *replica);
    replica->name = name;
    snprintf(replica->home_path, sizeof replica->home_path, "%s/%s-home", dir, name);
    snprintf(replica->folder_path, sizeof replica->folder_path, "%s/%s", dir, name);
    cs_strings_add(&listen, "tcp://127.0.0.1:*");
    cs_err_t err = cs_home_init(replica->home_path, name, &listen, &detail);
    if (err == CS_OK) err = cs_home_open(replica->home_path, &replica->home, &detail);
    if (err == CS_OK) err = cs_home_lock(replica->home, 0, &detail);
    if (err != CS_OK) die("cannot make a home", &detail);
    cs_strings_fini(&listen);
    cs_buf_fini(&detail);

    sem_init(&replica->started, 0, 0);
    pthread_create(&replica->thread, NULL, live, replica);
    sem_wait(&replica->started);
}

static void stop(replica_t *replica)
{
    cs_daemon_interrupt(replica->daemon);
    pthread_join(replica->thread, NULL);
    sem_destroy(&replica->started);
    cs_home_close(&replica->home);
}

/* --- requests */

static void keep(void *arg, cs_slice_t document)
{
    json_t **answer = arg;
    json_decref(*answer);
    *answer = json_loadb((const char *)document.data, document.len, 0, NULL);
}

/* The value of `key` in the last document of the answer, to be freed; NULL: none is asked for.
 */
static char *ask(replica_t *replica, json_t *request, const char *key)
{
    json_t *answer = NULL;
    cs_control_answer_t end = {0};
    char *line = json_dumps(request, JSON_COMPACT);
    const cs_control_taker_t taker = {.arg = &answer, .data = keep};
    cs_err_t err =
        cs_control_ask(cs_home_socket(replica->home), cs_slice_text(line), 0, &taker, &end);
    if (err != CS_OK || end.exit_code != 0) {
        if (err != CS_OK) cs_buf_printf(&end.error, "%s", cs_err_text(err));
        die(line, &end.error);
    }
    const char *value = json_string_value(json_object_get(answer, key != NULL ? key : ""));
    char *copy = value != NULL ? cs_strdup(value) : NULL;
    cs_control_answer_fini(&end);
    json_decref(answer);
    json_decref(request);
    free(line);
    return copy;
}

static json_t *request_of(const char *cmd, const char *argument)
{
    return cs_request(cmd, &argument, argument != NULL);
}

/* --- the story */

static void write_file(const replica_t *replica, const char *name, const char *text)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", replica->folder_path, name);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) perror(path);
}

/* `to` becomes another replica of the folder that `from` has. */
static void share(replica_t *from, replica_t *to)
{
    char *token = ask(from, request_of("invite", NULL), "token");
    json_t *join = request_of("join", to->folder_path);
    json_object_set_new(join, "token", json_string(token));
    json_object_set_new(join, "timeout_ms", json_integer(TIMEOUT_MS));
    cs_free(ask(to, join, "id"));
    cs_free(token);
}

/* What is on this disk is on all. */
static void settle(replica_t *replica)
{
    json_t *wait = request_of("wait", NULL);
    json_object_set_new(wait, "timeout_ms", json_integer(TIMEOUT_MS));
    cs_free(ask(replica, request_of("scan", NULL), NULL));
    cs_free(ask(replica, wait, NULL));
}

int main(int argc, char **argv)
{
    replica_t desk, laptop;
    if (argc != 2) {
        fprintf(stderr, "usage: two_replicas EMPTY-DIRECTORY\n");
        return 2;
    }
    cs_entropy_init();
    start(&desk, argv[1], "desk");
    start(&laptop, argv[1], "laptop");

    mkdir(desk.folder_path, 0777);
    write_file(&desk, "hello.txt", "from the desk\n");
    json_t *add = request_of("folder add", desk.folder_path);
    json_object_set_new(add, "id", json_string("notes"));
    cs_free(ask(&desk, add, "id"));
    share(&desk, &laptop);
    settle(&laptop);

    write_file(&laptop, "reply.txt", "from the laptop\n");
    settle(&laptop);
    char *ours = ask(&desk, request_of("digest", "notes"), "digest");
    char *theirs = ask(&laptop, request_of("digest", "notes"), "digest");
    bool equal = strcmp(ours, theirs) == 0;
    printf("desk   %s\nlaptop %s\n%s\n", ours, theirs, equal ? "equal" : "different");

    cs_free(ours);
    cs_free(theirs);
    stop(&laptop);
    stop(&desk);
    return equal ? 0 : 1;
}
