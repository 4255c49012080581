/* doctor.c - findings, and those about the machine. */
#include "io/doctor.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define FILES_PER_PEER 4u   /* descriptors: sockets of both directions, and their monitors */
#define FILES_BESIDE   256u /* the database's tables, workers, control connections */
#define HOME_FREE_MIN  (256ull << 20) /* bytes: a compaction of the database writes anew */
#define YEAR_OF_THIS   2024
#define MEMORY_FACTOR  2u /* of what a node may use should be free */

void cs_findings_fini(cs_findings_t *findings)
{
    for (size_t i = 0; i < findings->len; i++) {
        cs_buf_fini(&findings->item[i].found);
        cs_buf_fini(&findings->item[i].remedy);
    }
    cs_free(findings->item);
    *findings = (cs_findings_t){0};
}

CS_PRINTF(2, 0)
static void put(cs_buf_t *ret, const char *format, va_list args)
{
    char text[4096];
    vsnprintf(text, sizeof text, format, args);
    cs_buf_clear(ret);
    cs_buf_put(ret, text, strlen(text) + 1);
}

cs_finding_t *cs_findings_add(cs_findings_t *findings, const char *check, cs_grade_t grade,
                              const char *format, ...)
{
    if (findings->len == findings->cap) {
        findings->cap = cs_grow(findings->cap, findings->len + 1);
        findings->item =
            cs_realloc_array(findings->item, findings->cap, sizeof *findings->item);
    }
    cs_finding_t *finding = &findings->item[findings->len++];
    *finding = (cs_finding_t){.check = check, .grade = grade};
    va_list args;
    va_start(args, format);
    put(&finding->found, format, args);
    va_end(args);
    cs_buf_put_u8(&finding->remedy, 0);
    return finding;
}

void cs_finding_remedy(cs_finding_t *finding, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(&finding->remedy, format, args);
    va_end(args);
}

char *cs_doctor_quote(const char *text)
{
    cs_buf_t word = {0};
    cs_buf_put_u8(&word, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            cs_buf_printf(&word, "'\\''");
        } else {
            cs_buf_put_u8(&word, (uint8_t)*text);
        }
    }
    cs_buf_put_u8(&word, '\'');
    cs_buf_put_u8(&word, 0);
    return (char *)word.data;
}

/* --- the machine */

/* The number behind `key`, which begins a line of the file; 0: none. */
static uint64_t number_in(const char *path, const char *key)
{
    char line[160];
    uint64_t number = 0;
    size_t len = strlen(key);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, len) != 0) continue;
        number = strtoull(line + len, NULL, 10);
        break;
    }
    if (file != NULL) fclose(file);
    return number;
}

static void check_kernel(cs_findings_t *ret)
{
    struct utsname name;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    if (uname(&name) != 0) snprintf(name.release, sizeof name.release, "unknown");
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
    if (fd >= 0) {
        close(fd);
        cs_findings_add(ret, "kernel", CS_GRADE_GOOD, "Linux %s, with openat2", name.release);
        return;
    }
    cs_finding_remedy(cs_findings_add(ret, "kernel", CS_GRADE_BAD,
                                      "Linux %s has no openat2, or a sandbox forbids it: no "
                                      "folder can be opened safely",
                                      name.release),
                      "sudo apt-get install linux-image-amd64 && sudo reboot");
}

static void check_open_files(const cs_doctor_machine_t *about, cs_findings_t *ret)
{
    struct rlimit limit = {0};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t need = FILES_BESIDE + (uint64_t)about->peers_max * FILES_PER_PEER;
    uint64_t have = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
    cs_finding_t *finding =
        cs_findings_add(ret, "open-files", have >= need ? CS_GRADE_GOOD : CS_GRADE_WEAKER,
                        "%llu may be open at once; %u peers need up to %llu",
                        (unsigned long long)have, about->peers_max, (unsigned long long)need);
    if (have < need) {
        cs_finding_remedy(finding, "ulimit -n %llu", (unsigned long long)need);
    }
}

static void check_watches(const cs_doctor_machine_t *about, cs_findings_t *ret)
{
    uint64_t have = number_in("/proc/sys/fs/inotify/max_user_watches", "");
    uint64_t need =
                 2 * (about->directories + about->directories / 4 + 512), /* half are others' */
        ample = 2 * need;
    bool enough = have >= need;
    cs_finding_t *finding = cs_findings_add(
        ret, "watches", enough ? CS_GRADE_GOOD : CS_GRADE_WEAKER,
        "%llu directories may be watched one by one, there are %llu%s",
        (unsigned long long)have, (unsigned long long)about->directories,
        enough ? ""
               : ", of which crdtsync takes half: in some, changes are found by "
                 "scans, unless it runs as root");
    if (!enough) {
        cs_finding_remedy(finding,
                          "echo fs.inotify.max_user_watches=%llu | sudo tee -a "
                          "/etc/sysctl.d/60-crdtsync.conf && sudo sysctl -p "
                          "/etc/sysctl.d/60-crdtsync.conf",
                          (unsigned long long)ample);
    }
}

static void check_memory(const cs_doctor_machine_t *about, cs_findings_t *ret)
{
    uint64_t have = number_in("/proc/meminfo", "MemAvailable:") >> 10,
             need = (uint64_t)about->memory_mib * MEMORY_FACTOR;
    cs_finding_t *finding =
        cs_findings_add(ret, "memory", have >= need ? CS_GRADE_GOOD : CS_GRADE_WEAKER,
                        "%llu MiB are free, a node may use %u MiB", (unsigned long long)have,
                        about->memory_mib);
    if (have < need) {
        cs_finding_remedy(finding, "CRDTSYNC_LIMITS_MEMORY_MIB=64 crdtsync node --home %s",
                          about->quoted);
    }
}

/* Nothing of what is replicated depends on it: schedules, times of files and logs do. */
static void check_clock(cs_findings_t *ret)
{
    struct timex timex = {0};
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    bool sane = tm.tm_year + 1900 >= YEAR_OF_THIS;
    int state = adjtimex(&timex);
    bool synced = state >= 0 && state != TIME_ERROR && (timex.status & STA_UNSYNC) == 0;
    cs_finding_t *finding = cs_findings_add(
        ret, "clock", sane && synced ? CS_GRADE_GOOD : CS_GRADE_WEAKER,
        sane && synced ? "it is synchronised"
        : sane ? "it is not synchronised: schedules and times of files may be wrong, what is "
                 "replicated never depends on it"
               : "it is wrong by years: schedules and times of files are, too; what is "
                 "replicated never depends on it");
    if (!sane || !synced) cs_finding_remedy(finding, "sudo timedatectl set-ntp true");
}

static void check_home(const cs_doctor_machine_t *about, cs_findings_t *ret)
{
    struct statvfs vfs;
    if (statvfs(about->home, &vfs) != 0) return; /* it is open: cannot be */
    uint64_t have = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    bool read_only = (vfs.f_flag & ST_RDONLY) != 0;
    cs_grade_t grade = read_only              ? CS_GRADE_BAD
                       : have < HOME_FREE_MIN ? CS_GRADE_WEAKER
                                              : CS_GRADE_GOOD;
    cs_finding_t *finding = cs_findings_add(
        ret, "home", grade,
        read_only ? "%s is on a file system that is mounted read-only (%llu MiB free)"
                  : "%s: %llu MiB free for the index",
        about->home, (unsigned long long)(have >> 20));
    if (read_only) {
        cs_finding_remedy(finding,
                          "sudo mount -o remount,rw \"$(df --output=target %s | "
                          "tail -n 1)\"",
                          about->quoted);
    } else if (grade != CS_GRADE_GOOD) {
        cs_finding_remedy(finding,
                          "du -x -d 2 \"$(df --output=target %s | tail -n 1)\" | "
                          "sort -n | tail",
                          about->quoted);
    }
}

void cs_doctor_machine(const cs_doctor_machine_t *about, cs_findings_t *ret)
{
    check_kernel(ret);
    check_open_files(about, ret);
    check_watches(about, ret);
    check_memory(about, ret);
    check_clock(ret);
    check_home(about, ret);
}
