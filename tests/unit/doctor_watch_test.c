/* doctor_watch_test.c - which limit is in the way, and the command that raises it. */
#include <criterion/criterion.h>
#include <string.h>

#include "io/doctor.h"

static cs_doctor_folder_t about_docs(void)
{
    return (cs_doctor_folder_t){.id = "docs",
                                .path = "/d",
                                .quoted = "/d",
                                .node_runs = true,
                                .directories = 100,
                                .watch = {.by = CS_WATCH_INOTIFY, .started = true}};
}

static void says(const cs_doctor_folder_t *about, cs_grade_t grade, const char *found,
                 const char *remedy)
{
    cs_findings_t findings = {0};
    cs_doctor_watch(about, &findings);
    cr_assert_eq(findings.len, 1u);
    const cs_finding_t *finding = &findings.item[0];
    cr_assert_eq(finding->grade, grade);
    cr_assert_not_null(strstr((const char *)finding->found.data, found), "%s",
                       (const char *)finding->found.data);
    cr_assert_not_null(strstr((const char *)finding->remedy.data, remedy), "%s",
                       (const char *)finding->remedy.data);
    cs_findings_fini(&findings);
}

Test(doctor_watch, all_is_well_where_everything_is_watched)
{
    cs_doctor_folder_t about = about_docs();
    says(&about, CS_GRADE_GOOD, "every change is noticed, by inotify", "");
    about.watch.by = CS_WATCH_FANOTIFY;
    says(&about, CS_GRADE_GOOD, "by fanotify", "");
}

Test(doctor_watch, the_limit_of_watches_is_raised_for_all_directories)
{
    cs_doctor_folder_t about = about_docs();
    about.watch.watched = 4000;
    about.watch.missed = 2000;
    about.watch.why = CS_ERR_NOSPACE;
    /* Half of the limit is for others: 4 x (6000 + 1024) leaves room to grow. */
    says(&about, CS_GRADE_WEAKER, "4000 directories are watched, 2000 are not",
         "echo fs.inotify.max_user_watches=28096 | sudo tee");
    about.directories = 10000; /* a scan saw more than the watcher did */
    says(&about, CS_GRADE_WEAKER, "fs.inotify.max_user_watches is reached",
         "fs.inotify.max_user_watches=44096");
}

Test(doctor_watch, unreadable_directories_are_no_matter_of_limits)
{
    cs_doctor_folder_t about = about_docs();
    about.watch.missed = 1;
    about.watch.why = CS_ERR_DENIED;
    says(&about, CS_GRADE_WEAKER, "permission denied", "find /d -type d ! -readable");
}

Test(doctor_watch, the_limit_of_instances_is_named)
{
    cs_doctor_folder_t about = about_docs();
    about.watch.by = CS_WATCH_OFF;
    about.watch.why = CS_ERR_LIMIT;
    says(&about, CS_GRADE_WEAKER, "max_user_instances is reached",
         "echo fs.inotify.max_user_instances=1024 | sudo tee");
}

Test(doctor_watch, a_folder_that_is_not_watched_may_be)
{
    cs_doctor_folder_t about = about_docs();
    about.watch = (cs_watcher_state_t){.by = CS_WATCH_OFF};
    says(&about, CS_GRADE_WEAKER, "nothing is watched", "crdtsync folder set docs watch=auto");
}

Test(doctor_watch, what_others_write_to_a_network_is_found_by_scans)
{
    cs_doctor_folder_t about = about_docs();
    about.watch.remote = true;
    says(&about, CS_GRADE_WEAKER, "only what this machine changes is noticed", "");
}

Test(doctor_watch, without_a_node_nobody_should_watch)
{
    cs_findings_t findings = {0};
    cs_doctor_folder_t about = about_docs();
    about.node_runs = false;
    cs_doctor_watch(&about, &findings);
    cr_assert_eq(findings.len, 0u);
    cs_findings_fini(&findings);
}
