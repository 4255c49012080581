/* doctor_watch.c - findings about how a folder is watched, and which limit is in the way. */
#include "io/doctor.h"

/* Twice what is used, and room to grow: half of all watches is for other programs. */
static unsigned long long ample(const cs_doctor_folder_t *about)
{
    unsigned long long need = about->watch.watched + about->watch.missed;
    if (need < about->directories) need = about->directories;
    return 4 * (need + 1024);
}

static void sysctl_remedy(cs_finding_t *finding, const char *key, unsigned long long value)
{
    cs_finding_remedy(
        finding,
        "echo %s=%llu | sudo tee -a /etc/sysctl.d/60-crdtsync.conf && sudo sysctl "
        "-p /etc/sysctl.d/60-crdtsync.conf",
        key, value);
}

static void missing(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    const cs_watcher_state_t *state = &about->watch;
    cs_finding_t *finding = cs_findings_add(
        ret, "watching", CS_GRADE_WEAKER,
        "%zu directories are watched, %zu are not, for %s: in those changes are found by scans",
        state->watched, state->missed,
        state->why == CS_ERR_NOSPACE ? "fs.inotify.max_user_watches is reached"
                                     : cs_err_text(state->why));
    if (state->why == CS_ERR_NOSPACE) {
        sysctl_remedy(finding, "fs.inotify.max_user_watches", ample(about));
    } else {
        cs_finding_remedy(finding, "find %s -type d ! -readable    # and chmod u+r them",
                          about->quoted);
    }
}

static void off(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    if (about->watch.why == CS_ERR_LIMIT) {
        cs_finding_t *finding =
            cs_findings_add(ret, "watching", CS_GRADE_WEAKER,
                            "fs.inotify.max_user_instances is reached: nothing is watched, "
                            "changes are found by scans");
        sysctl_remedy(finding, "fs.inotify.max_user_instances", 1024);
        return;
    }
    cs_finding_t *finding = cs_findings_add(
        ret, "watching", CS_GRADE_WEAKER, "nothing is watched%s%s: changes are found by scans",
        about->watch.why != CS_OK ? ", " : "",
        about->watch.why != CS_OK ? cs_err_text(about->watch.why) : "");
    cs_finding_remedy(finding, "crdtsync folder set %s watch=auto", about->id);
}

void cs_doctor_watch(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    const cs_watcher_state_t *state = &about->watch;
    if (!about->node_runs) return; /* nobody watches, and nobody should */
    if (state->by == CS_WATCH_OFF) {
        off(about, ret);
    } else if (state->missed > 0) {
        missing(about, ret);
    } else if (state->remote) {
        cs_findings_add(ret, "watching", CS_GRADE_WEAKER,
                        "only what this machine changes is noticed: what others write to this "
                        "file system is found by scans");
    } else {
        cs_findings_add(ret, "watching", CS_GRADE_GOOD, "every change is noticed, by %s",
                        state->by == CS_WATCH_FANOTIFY ? "fanotify" : "inotify");
    }
}
