/* doctor_folder.c - findings about a folder's file system, tried out in .crdtsync/tmp. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/path.h"
#include "disk/scan.h"
#include "io/doctor.h"
#include "io/fs_linux.h"

/* Names that no staged content has: those are 64 hex digits. */
#define CASE_LOWER "doctor-case"
#define CASE_UPPER "DOCTOR-CASE"
#define NOT_UTF8   "doctor-\xff"
#define LEASED     "doctor-lease"

#define FREE_MIN       (1ull << 30) /* bytes; less is soon full */
#define FREE_PERCENT   5u
#define STEP_COARSE_NS 10000000 /* coarser: what changes twice within is read again */

typedef struct kind {
    long magic;
    const char *name;
    bool remote;
} kind_t;

/* linux/magic.h, and those of FUSE, CIFS and 9p that it lacks. */
static const kind_t kinds[] = {
    {0xef53, "ext2/3/4", false},     {0x9123683e, "btrfs", false},
    {0x58465342, "xfs", false},      {0x01021994, "tmpfs", false},
    {0xf2f52010, "f2fs", false},     {0x2fc12fc1, "zfs", false},
    {0x794c7630, "overlay", false},  {0x4d44, "vfat", false},
    {0x2011bab0, "exfat", false},    {0x5346544e, "ntfs", false},
    {0x6969, "nfs", true},           {(long)0xff534d42, "cifs", true},
    {(long)0xfe534d42, "smb", true}, {0x65735546, "fuse", false},
    {0x01021997, "9p", true},
};

static void check_kind(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    struct statfs fs;
    char text[32] = "unknown";
    bool remote = false;
    if (statfs(about->path, &fs) != 0) return;
    snprintf(text, sizeof text, "type 0x%lx", (unsigned long)fs.f_type);
    for (size_t i = 0; i < CS_COUNT_OF(kinds); i++) {
        if (kinds[i].magic != (long)fs.f_type) continue;
        snprintf(text, sizeof text, "%s", kinds[i].name);
        remote = kinds[i].remote;
    }
    cs_finding_t *finding = cs_findings_add(
        ret, "file-system", remote ? CS_GRADE_WEAKER : CS_GRADE_GOOD, "%s%s", text,
        remote ? ": others write to it unseen, and a scan asks over the network" : "");
    if (remote) {
        cs_finding_remedy(finding,
                          "crdtsync invite %s    # and join on the machine that has "
                          "the disk",
                          about->id);
    }
}

/* A finding about something that is there, or is not, in which case `without` follows. */
static void offers(const cs_doctor_folder_t *about, const char *check, bool has,
                   const char *with, const char *without, cs_findings_t *ret)
{
    cs_finding_t *finding = cs_findings_add(ret, check, has ? CS_GRADE_GOOD : CS_GRADE_WEAKER,
                                            "%s", has ? with : without);
    if (has) return;
    cs_finding_remedy(finding,
                      "crdtsync folder remove %s && cp -a %s /ON/EXT4/OR/BTRFS/ && crdtsync "
                      "folder add /ON/EXT4/OR/BTRFS/... (by join, if others have it)",
                      about->id, about->quoted);
}

static void check_features(const cs_doctor_folder_t *about, const cs_fs_features_t *features,
                           cs_findings_t *ret)
{
    offers(
        about, "exchange", features->exchange,
        "renameat2 exchanges two names: no name is ever missing, no save is lost",
        "renameat2 cannot exchange two names: a file that is saved in the moment in which it "
        "is replaced is found in the trash later",
        ret);
    offers(about, "noreplace", features->noreplace,
           "renameat2 refuses to replace: a new file of yours is never overwritten",
           "renameat2 cannot refuse to replace: hard links are used where there are any", ret);
    offers(about, "modes", features->modes, "permission bits are kept",
           "permission bits are not kept: those of others stay in the index only", ret);
    offers(about, "symlinks", features->symlinks, "there are symbolic links",
           "there are no symbolic links: those of others stay in the index only", ret);
    offers(about, "birth-time", features->btime, "files have birth times: renames are seen",
           "files have no birth times: a rename is seen by content only, from 1 KiB on", ret);
    bool fine = features->mtime_step_ns <= STEP_COARSE_NS;
    char step[96];
    snprintf(step, sizeof step, "times of files have steps of %lld ns%s",
             (long long)features->mtime_step_ns,
             fine ? "" : ": young files are read twice to be sure");
    offers(about, "time-step", fine, step, step, ret);
}

/* Nobody's loss: without, bytes that a file has already are read and written. */
static void check_shares(const cs_fs_features_t *features, cs_findings_t *ret)
{
    cs_findings_add(
        ret, "reflinks", CS_GRADE_GOOD, "%s",
        features->shares
            ? "files can have bytes in common: what a large file keeps is not copied"
            : "files have no bytes in common: what a large file keeps is copied here");
}

/* Nobody's loss either: a hole stays one everywhere. */
static void check_holes(int root, cs_findings_t *ret)
{
    cs_findings_add(ret, "holes", CS_GRADE_GOOD, "%s",
                    cs_fs_linux_tells_holes(root)
                        ? "holes in files are known, and not read"
                        : "holes in files are found by reading them, as zeros");
}

/* As the scanner asks for one (io/fs_linux_file.c). */
static void check_leases(const cs_doctor_folder_t *about, int tmp, cs_findings_t *ret)
{
    (void)unlinkat(tmp, LEASED, 0);
    int fd = openat(tmp, LEASED, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool leases = fd >= 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
    if (fd >= 0) close(fd); /* and with it the lease */
    (void)unlinkat(tmp, LEASED, 0);
    offers(about, "leases", leases, "there are leases: a file that somebody writes to is known",
           "there are no leases: that somebody writes to a file is told by its times alone",
           ret);
}

static bool make(int dir, const char *name)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static void check_names(const cs_doctor_folder_t *about, int tmp, cs_findings_t *ret)
{
    char longest[CS_NAME_MAX + 1];
    struct stat st;
    memset(longest, 'n', CS_NAME_MAX);
    longest[CS_NAME_MAX] = '\0';
    (void)unlinkat(tmp, CASE_LOWER, 0); /* of a doctor who was killed */
    bool folds = make(tmp, CASE_LOWER) && fstatat(tmp, CASE_UPPER, &st, 0) == 0;
    (void)unlinkat(tmp, CASE_LOWER, 0);
    offers(about, "case", !folds, "names that differ in case only are two",
           "names that differ in case only are one: of such files of others, one is not shown",
           ret);
    bool bytes = make(tmp, NOT_UTF8), full = make(tmp, longest);
    if (bytes) (void)unlinkat(tmp, NOT_UTF8, 0);
    if (full) (void)unlinkat(tmp, longest, 0);
    offers(about, "names", bytes && full, "names are bytes, up to 255",
           !full
               ? "names of 255 bytes are refused: such files of others stay in the index only"
               : "names must be text: files of others with other bytes in their names stay in "
                 "the index only",
           ret);
}

static void check_space(const cs_doctor_folder_t *about, cs_fs_t *fs, cs_findings_t *ret)
{
    uint64_t have = 0, total = 0;
    if (fs->ops->space(fs, &have, &total) != CS_OK) return;
    bool full = have < about->needed;
    bool little = have < FREE_MIN || have / 100 * 100 < total / 100 * FREE_PERCENT;
    cs_finding_t *finding = cs_findings_add(
        ret, "space",
        full     ? CS_GRADE_BAD
        : little ? CS_GRADE_WEAKER
                 : CS_GRADE_GOOD,
        "%llu of %llu MiB are free; %llu MiB are to come%s", (unsigned long long)(have >> 20),
        (unsigned long long)(total >> 20), (unsigned long long)(about->needed >> 20),
        full ? ", which do not fit" : "");
    if (full || little) {
        cs_finding_remedy(finding,
                          "crdtsync folder set %s trash-mib=0    # and: du -x -d 2 %s "
                          "| sort -n | tail",
                          about->id, about->quoted);
    }
}

static void check_replicas(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    bool many = about->replicas >= CS_REPLICAS_WARN;
    cs_finding_t *finding = cs_findings_add(
        ret, "replicas", many ? CS_GRADE_WEAKER : CS_GRADE_GOOD,
        "%zu replica ids were ever heard of, of at most %u%s", about->replicas, CS_REPLICAS_MAX,
        many ? ": the folder should be made anew before there are more" : "");
    if (many) {
        cs_finding_remedy(finding,
                          "crdtsync folder remove %s && crdtsync folder add %s    # on "
                          "every member",
                          about->id, about->quoted);
    }
}

void cs_doctor_folder(const cs_doctor_folder_t *about, cs_findings_t *ret)
{
    cs_fs_t *fs = NULL;
    cs_err_t err = cs_fs_linux_open(about->path, &fs); /* probes what it offers */
    if (err == CS_OK) err = cs_folder_check(fs, about->marker);
    if (err != CS_OK) {
        cs_finding_t *finding = cs_findings_add(
            ret, "root", CS_GRADE_BAD, "%s: %s", about->path,
            err == CS_ERR_DENIED ? cs_err_text(err) : cs_err_text(CS_ERR_NOT_MOUNTED));
        if (err == CS_ERR_DENIED) {
            cs_finding_remedy(finding, "chmod u+rwx %s", about->quoted);
        } else {
            cs_finding_remedy(finding, "mount %s", about->quoted);
        }
        if (fs != NULL) fs->ops->close_fs(&fs);
        return;
    }
    check_kind(about, ret);
    int root = open(about->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int tmp = root < 0 ? -1
                       : openat(root, CS_PRIVATE_DIR "/tmp",
                                O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tmp >= 0 && faccessat(tmp, ".", W_OK, 0) == 0) {
        check_features(about, &fs->features, ret);
        check_shares(&fs->features, ret);
        check_holes(tmp, ret);
        check_leases(about, tmp, ret);
        check_names(about, tmp, ret);
    } else {
        cs_finding_remedy(
            cs_findings_add(ret, "root", CS_GRADE_BAD,
                            "%s cannot be written to: nothing of others is shown", about->path),
            errno == EROFS ? "sudo mount -o remount,rw %s" : "sudo chown -R \"$USER\" %s",
            about->quoted);
    }
    if (tmp >= 0) close(tmp);
    if (root >= 0) close(root);
    check_space(about, fs, ret);
    check_replicas(about, ret);
    cs_doctor_watch(about, ret);
    fs->ops->close_fs(&fs);
}
