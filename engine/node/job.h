/* job.h - work on disk that the core orders and a worker performs.
 *
 * A job is made by the core, handed to the shell as an effect, run by cs_job_run in some worker
 * with the folder's cs_fs_t and a snapshot of its own, and comes back as an event. It borrows
 * nothing from the core but what is immutable (keys, chunker table) and shared blobs, which
 * only the core frees. */
#ifndef CS_NODE_JOB_H
#define CS_NODE_JOB_H

#include "disk/apply.h"
#include "disk/scan.h"
#include "xfer/fetch.h"

CS_HEADER_BEGIN

/* Bytes of a received message, shared by the jobs that write them. Counted by the core's
 * thread. */
typedef struct cs_blob {
    cs_slice_t bytes;
    uint32_t refs;
    void (*destroy)(struct cs_blob *blob);
} cs_blob_t;

cs_blob_t *cs_blob_new(cs_buf_t *bytes_p); /* takes them; one reference */
cs_blob_t *cs_blob_ref(cs_blob_t *blob);
void cs_blob_unref(cs_blob_t **blob_p);

typedef enum cs_job_kind {
    CS_JOB_SCAN,  /* walk, hash; streams sightings */
    CS_JOB_APPLY, /* perform steps */
    CS_JOB_STAGE, /* write small contents into .crdtsync/tmp */
    CS_JOB_PART,  /* one order about a partial file: open, local chunks, write, finish */
    CS_JOB_SERVE  /* read what a peer asked for */
} cs_job_kind_t;

/* What a scan tells as it goes: packed records, read by cs_scan_records_each. */
typedef struct cs_scan_records {
    cs_buf_t sightings; /* bytewise order of paths */
    cs_batch_t rows;    /* n/, c/, r/ of hashed files */
    cs_buf_t ahead;     /* records as in CHUNK: small files, where few were seen */
    size_t count;
} cs_scan_records_t;

#define CS_TROUBLES_MAX 1000u /* kept by path, per scan; beyond, only counted */

typedef struct cs_trouble_item {
    cs_str_t *path;
    cs_trouble_t trouble;
} cs_trouble_item_t;

typedef struct cs_troubles {
    cs_trouble_item_t *item; /* owned; the first CS_TROUBLES_MAX, in order of their paths */
    size_t len, cap;
    uint64_t total;
} cs_troubles_t;
void cs_troubles_add(cs_troubles_t *troubles, cs_slice_t path, cs_trouble_t trouble);
void cs_troubles_fini(cs_troubles_t *troubles);

typedef struct cs_job cs_job_t;

/* A group waits until the rows of the one before it are durable, so that one at most was
 * performed and not recorded. */
#define CS_TOOK_MAX ((size_t)2 * CS_GROUP_FILES_MAX)

typedef struct cs_took {
    cs_str_t *path; /* owned reference */
    cs_print_t print;
} cs_took_t;

typedef struct cs_job_scan {
    bool full;
    bool first;       /* since the start of the node: clean up what the last run left */
    bool background;  /* nobody waits for it: others' work on the disk goes first */
    bool unsure;      /* apply may have done what no row tells: find out what it took */
    cs_str_t **paths; /* owned; NULL: everything */
    size_t path_count;
    cs_content_t *missed; /* owned; contents that nobody has: perhaps the trash does */
    size_t missed_count;
    /* out */
    cs_scan_stats_t stats;
    cs_troubles_t troubles;
    cs_content_t *found; /* owned; staged now: large ones of an earlier run, missed ones */
    size_t found_count;
    cs_took_t *took; /* owned; unsure: the newest CS_TOOK_MAX files that apply took away */
    size_t took_count;
} cs_job_scan_t;

typedef struct cs_job_item { /* STAGE: one small content */
    uint64_t ticket;         /* of the fetch machine */
    cs_content_t content;
    bool is_awaited; /* by a file that gets this, but for policy and umask: */
    cs_dress_t dress;
    cs_slice_t bytes; /* in `blob` */
    cs_blob_t *blob;  /* one reference */
    cs_err_t err;     /* out */
} cs_job_item_t;

typedef struct cs_job_part {
    cs_fetch_kind_t what; /* OPEN, LOCAL, WRITE, FINISH, DISCARD */
    uint64_t ticket;
    cs_content_t content;
    uint64_t need;     /* OPEN: bytes on the disk */
    cs_name_t *names;  /* owned copies, LOCAL */
    uint64_t *offsets; /* owned, as lens */
    uint32_t *lens;
    size_t name_count;
    uint64_t offset; /* WRITE */
    cs_slice_t bytes;
    cs_blob_t *blob;
    bool proved; /* FINISH */
    /* out */
    bool has_bytes;     /* OPEN */
    size_t found_count; /* LOCAL: [0..found_count) of the arrays are the found ones */
} cs_job_part_t;

typedef struct cs_payload {
    cs_buf_t bytes;
    uint32_t unpacked; /* as in CHUNK */
} cs_payload_t;

typedef struct cs_job_serve {
    cs_peer_t peer;
    uint32_t xid;
    uint64_t began;              /* the folder's stage that was durable then */
    uint8_t type;                /* cs_msg_type_t of the request: CWANT, NWANT, MAP */
    bool packs;                  /* CWANT: payloads may be packed */
    cs_name_t *contents, *names; /* owned */
    size_t content_count, name_count;
    cs_content_t content; /* MAP; CWANT with places: of `names` in it, which is here in part */
    uint64_t *offsets;    /* owned; NULL: no places */
    uint32_t *lens;       /* owned */
    /* out: replies in order */
    cs_payload_t *payloads; /* owned; each one CHUNK payload (CWANT) or NODE list (NWANT) */
    size_t payload_count;
    cs_name_t *missing; /* owned; CNONE */
    size_t missing_count;
    bool map_found;
    cs_content_map_t map;
} cs_job_serve_t;

struct cs_job {
    cs_job_kind_t kind;
    uint32_t folder; /* number */
    uint64_t id;
    const cs_keys_t *keys; /* borrowed, immutable */
    const cs_chunker_table_t *table;
    cs_modes_t modes;
    cs_durability_t durability;
    uint64_t trash_bytes_max; /* CS_TRASH_AUTO: by the file system's size */
    cs_trash_count_t trash;   /* in and out */
    uint8_t marker[16];       /* of the folder's root: checked before anything is changed */
    union {
        cs_job_scan_t scan;
        cs_steps_t apply;
        struct {
            cs_job_item_t *item; /* owned */
            size_t len, cap;
        } stage;
        cs_job_part_t part;
        cs_job_serve_t serve;
    } u;
    cs_err_t err; /* out: of the job as a whole; CS_ERR_AGAIN: it was not run */
};

/* What a worker lends to a job. */
typedef struct cs_job_env {
    cs_fs_t *fs;
    cs_store_t *store;
    const cs_snapshot_t *snapshot;
    /* SCAN: hand over records (taken), waiting while the core is behind; false: stop. */
    bool (*emit)(void *arg, cs_job_t *job, cs_scan_records_t *records);
    bool (*cancelled)(void *arg);
    bool (*go)(void *arg); /* APPLY: as in cs_apply_config_t */
    /* SCAN: cs_scan, or one by several threads that reports the same; NULL: cs_scan. */
    cs_err_t (*scan)(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                     cs_scan_stats_t *ret);
    cs_all_fn *all;            /* APPLY: as in cs_apply_config_t */
    void (*looked)(void *arg); /* SCAN: at one thing more; may be NULL */
    void *arg;
} cs_job_env_t;

cs_job_t *cs_job_new(cs_job_kind_t kind);
void cs_job_run(cs_job_t *job, const cs_job_env_t *env);
void cs_job_destroy(cs_job_t **job_p); /* on the core's thread */

void cs_scan_records_add(cs_scan_records_t *records, const cs_sighting_t *sighting);
/* Stops at the first false. */
bool cs_scan_records_each(const cs_scan_records_t *records, void *arg,
                          bool (*each)(void *arg, const cs_sighting_t *sighting));
bool cs_scan_records_full(const cs_scan_records_t *records); /* time to hand them over */
void cs_scan_records_fini(cs_scan_records_t *records);

CS_HEADER_END

#endif
