/* commands_doctor.c - doctor: a worker looks at the machine, then at one folder after another.
 */
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/doctor.h"

typedef struct examined {
    char *id, *root, *quoted; /* owned */
    cs_doctor_folder_t about;
    cs_findings_t findings;
} examined_t;

typedef struct examination {
    char *home, *quoted; /* owned */
    cs_doctor_machine_t machine;
    cs_findings_t findings;
    examined_t *folder; /* owned */
    size_t count;
} examination_t;

static void examination_free(void *state)
{
    examination_t *examination = state;
    for (size_t i = 0; i < examination->count; i++) {
        examined_t *folder = &examination->folder[i];
        cs_free(folder->id);
        cs_free(folder->root);
        cs_free(folder->quoted);
        cs_findings_fini(&folder->findings);
    }
    cs_free(examination->folder);
    cs_free(examination->home);
    cs_free(examination->quoted);
    cs_findings_fini(&examination->findings);
    cs_free(examination);
}

static void run(void *state)
{
    examination_t *examination = state;
    cs_doctor_machine(&examination->machine, &examination->findings);
    for (size_t i = 0; i < examination->count; i++) {
        cs_doctor_folder(&examination->folder[i].about, &examination->folder[i].findings);
    }
}

/* True: one of them is bad. */
static bool tell(cs_ask_t *ask, const char *folder, const cs_findings_t *findings)
{
    static const char *const grades[] = {
        [CS_GRADE_GOOD] = "good", [CS_GRADE_WEAKER] = "weaker", [CS_GRADE_BAD] = "bad"};
    bool bad = false;
    for (size_t i = 0; i < findings->len; i++) {
        const cs_finding_t *finding = &findings->item[i];
        const char *remedy = (const char *)finding->remedy.data;
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", folder);
        cs_json_put_text(&json, "check", finding->check);
        cs_json_put_text(&json, "grade", grades[finding->grade]);
        cs_json_put_bytes(&json, "found", cs_slice_text((const char *)finding->found.data));
        cs_json_key(&json, "remedy");
        if (remedy[0] != '\0') {
            cs_json_bytes(&json, cs_slice_text(remedy));
        } else {
            cs_json_text(&json, NULL);
        }
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
        bad |= finding->grade == CS_GRADE_BAD;
    }
    return bad;
}

static int finish(cs_ask_t *ask, void *state)
{
    const examination_t *examination = state;
    bool bad = tell(ask, NULL, &examination->findings);
    for (size_t i = 0; i < examination->count; i++) {
        bad |= tell(ask, examination->folder[i].id, &examination->folder[i].findings);
    }
    if (!bad) return CS_EXIT_DONE;
    return cs__ask_fail(ask, CS_EXIT_FAILED,
                        "something does not work here: see what is bad, and its remedy");
}

static void add_folder(cs_daemon_t *daemon, const cs_mounted_t *folder, examined_t *ret)
{
    cs_folder_status_t status;
    ret->id = cs_strdup(folder->record.id);
    ret->root = cs_strdup(folder->record.path);
    ret->quoted = cs_doctor_quote(ret->root);
    ret->about = (cs_doctor_folder_t){.id = ret->id, .path = ret->root, .quoted = ret->quoted};
    memcpy(ret->about.marker, folder->record.marker, sizeof ret->about.marker);
    if (!cs_node_folder_status(daemon->node, folder->record.number, &status)) return;
    ret->about.bytes = status.bytes;
    ret->about.needed = status.needed_bytes;
    ret->about.replicas = status.state->seen.len;
    ret->about.directories = status.dirs;
    ret->about.node_runs = daemon->config.control;
    ret->about.watch = cs_daemon_watch_state(daemon, folder->record.number);
}

int cs__cmd_doctor(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    cs_config_t config = {0};
    int exit_code = cs__ask_folders(ask, &folders, &count);
    cs_err_t err = cs_home_config(daemon->home, &config, &ask->detail);
    if (exit_code != CS_EXIT_DONE || err != CS_OK) {
        cs_config_fini(&config);
        cs_free(folders);
        return CS_EXIT_FAILED;
    }
    examination_t *examination = cs_calloc(1, sizeof *examination);
    examination->home = cs_strdup(cs_home_path(daemon->home));
    examination->quoted = cs_doctor_quote(examination->home);
    examination->machine = (cs_doctor_machine_t){.home = examination->home,
                                                 .quoted = examination->quoted,
                                                 .memory_mib = config.memory_mib,
                                                 .peers_max = config.peers_max};
    examination->folder = cs_calloc(count + 1, sizeof *examination->folder);
    examination->count = count;
    for (size_t i = 0; i < count; i++) {
        cs_folder_status_t status;
        add_folder(daemon, folders[i], &examination->folder[i]);
        if (cs_node_folder_status(daemon->node, folders[i]->record.number, &status)) {
            examination->machine.directories += status.dirs;
        }
    }
    cs_config_fini(&config);
    cs_free(folders);
    const cs_work_t work = {examination, run, finish, examination_free};
    return cs__ask_work(ask, &work);
}
