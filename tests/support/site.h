/* site.h - a whole replica without network and threads: a real folder, scan, replica on a store
 * in memory, plan, apply. Sites exchange entries and bytes by function calls. */
#ifndef CS_TESTS_SITE_H
#define CS_TESTS_SITE_H

#include "disk/apply.h"
#include "disk/scan.h"
#include "sim/mem_store.h"
#include "support/peer.h"
#include "support/spy_fs.h"

#define SITES_MAX 4

typedef struct sites sites_t;

typedef struct site_took {
    cs_str_t *path;
    cs_print_t print;
} site_took_t;

typedef struct site {
    sites_t *all;
    char *dir;
    cs_fs_t *real;
    spy_fs_t spy;
    cs_mem_disk_t *disk;
    cs_peer_t peer; /* replica and store; its tree is not used */
    cs_chunker_table_t *table;
    cs_apply_config_t config;
    cs_trash_count_t trash;
    cs_str_t **changed; /* paths to be scanned */
    size_t changed_len, changed_cap;
    size_t done[CS_STEP_VERIFY + 1], failed; /* steps performed */
    bool got_bytes;
    cs_flush_t flush;  /* what the running scan saw */
    site_took_t *took; /* by apply, before a crash */
    size_t took_len;
} site_t;

struct sites {
    site_t site[SITES_MAX];
    size_t len;
};

void sites_open(sites_t *sites, size_t len);
void sites_close(sites_t *sites);

/* The full path; good until the call after the next. */
const char *site_at(const site_t *site, const char *path);
void site_write(const site_t *site, const char *path, const char *text); /* as a user does */

void site_scan(site_t *site); /* everything */
void site_scan_path(site_t *site, const char *path);
/* Plan, fetch, perform, record and scan what changed, until nothing is left or can be done. */
void site_work(site_t *site);
/* One plan and what it says. False: nothing to do. The spy may act or crash. */
bool site_step(site_t *site);
/* The process died: the replica as of the last durable moment, cleaned up and scanned. */
void site_restart(site_t *site);
/* Scan, exchange and work until all are equal; a failure to become so stops the test. */
void sites_settle(sites_t *sites);

/* Owned by the caller. */
char *site_picture(const site_t *site);
bool site_shows(const site_t *site, const char *path,
                const char *text); /* "-> t": a link; NULL: nothing */
bool site_tree_holds(const site_t *site, const char *text);

#endif
