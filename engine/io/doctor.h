/* doctor.h - what this machine and a folder's file system offer: tried out, not guessed.
 *
 * Each finding is good, weaker (all works, something is slower or less sure, and what) or bad
 * (something does not work), with the command that mends it. Calls may block: for a worker. */
#ifndef CS_IO_DOCTOR_H
#define CS_IO_DOCTOR_H

#include "base/buf.h"
#include "io/watch.h"

typedef enum cs_grade { CS_GRADE_GOOD, CS_GRADE_WEAKER, CS_GRADE_BAD } cs_grade_t;

typedef struct cs_finding {
    const char *check; /* static: "open-files" */
    cs_grade_t grade;
    cs_buf_t found;  /* owned; NUL-terminated: what is, and what follows */
    cs_buf_t remedy; /* owned; NUL-terminated; empty: there is none, or none is needed */
} cs_finding_t;

typedef struct cs_findings {
    cs_finding_t *item; /* owned */
    size_t len, cap;
} cs_findings_t;

void cs_findings_fini(cs_findings_t *findings);
cs_finding_t *cs_findings_add(cs_findings_t *findings, const char *check, cs_grade_t grade,
                              const char *format, ...) CS_PRINTF(4, 5);
void cs_finding_remedy(cs_finding_t *finding, const char *format, ...) CS_PRINTF(2, 3);

/* One word of a shell, whatever is in it. Owned by the caller. */
char *cs_doctor_quote(const char *text);

typedef struct cs_doctor_machine {
    const char *home;    /* path */
    const char *quoted;  /* the same for a shell, cs_doctor_quote */
    uint32_t memory_mib; /* what a node may use */
    uint32_t peers_max;
    uint64_t directories; /* of all folders */
} cs_doctor_machine_t;
void cs_doctor_machine(const cs_doctor_machine_t *about, cs_findings_t *ret);

typedef struct cs_doctor_folder {
    const char *id, *path; /* of the root */
    const char *quoted;    /* the path for a shell */
    uint8_t marker[16];
    uint64_t bytes;  /* in it */
    uint64_t needed; /* that are to come */
    size_t replicas; /* replica ids that were ever heard of */
    uint64_t directories;
    bool node_runs;
    cs_watcher_state_t watch; /* of that node */
} cs_doctor_folder_t;
void cs_doctor_folder(const cs_doctor_folder_t *about, cs_findings_t *ret);
void cs_doctor_watch(const cs_doctor_folder_t *about, cs_findings_t *ret);

#endif
