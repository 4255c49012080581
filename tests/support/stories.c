/* stories.c - see stories.h. */
#include "support/stories.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/trash.h"

/* --- before */

static void one_file(duet_t *d)
{
    duet_write(d, 0, "f");
}

static void two_files(duet_t *d)
{
    duet_write(d, 0, "f");
    duet_write(d, 0, "g");
}

static void in_directory(duet_t *d)
{
    duet_write(d, 0, "d/f");
}

static void in_directories(duet_t *d)
{
    duet_write(d, 0, "D/1");
    duet_write(d, 0, "D/s/2");
}

static void one_link(duet_t *d)
{
    duet_link(d, 0, "f");
    duet_write(d, 0, "g");
}

/* --- there */

static void nothing(duet_t *d)
{
    (void)d;
}

static void creates(duet_t *d)
{
    duet_write(d, 1, "e/new");
}

static void edits(duet_t *d)
{
    duet_write(d, 1, "f");
}

static void edits_below(duet_t *d)
{
    duet_write(d, 1, "d/f");
}

static void copies(duet_t *d)
{
    char from[DUET_PATH], to[DUET_PATH], text[DUET_TEXT] = "";
    duet_destroy(d, 1, "f");
    int in = open(duet_path(d, 1, "g", from), O_RDONLY | O_CLOEXEC);
    int out = open(duet_path(d, 1, "f", to), O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (in < 0 || out < 0) abort();
    ssize_t len = read(in, text, sizeof text);
    if (len <= 0 || write(out, text, (size_t)len) != len) abort();
    close(in);
    close(out);
}

static void deletes(duet_t *d)
{
    duet_remove(d, 1, "f");
}

static void deletes_below(duet_t *d)
{
    duet_remove(d, 1, "d/f");
    duet_remove(d, 1, "d");
}

static void moves(duet_t *d)
{
    duet_rename(d, 1, "f", "e/moved");
    duet_mode(d, 1, "e/moved", 0600);
}

static void moves_over(duet_t *d)
{
    duet_rename(d, 1, "f", "g");
}

static void moves_below_itself(duet_t *d)
{
    duet_rename(d, 1, "f", "aside");
    duet_rename(d, 1, "aside", "f/x");
}

static void moves_over_its_directory(duet_t *d)
{
    duet_rename(d, 1, "d/f", "aside");
    duet_remove(d, 1, "d");
    duet_rename(d, 1, "aside", "d");
}

static void moves_directory(duet_t *d)
{
    duet_rename(d, 1, "D", "E");
}

static void swaps(duet_t *d)
{
    duet_rename(d, 1, "f", "aside");
    duet_rename(d, 1, "g", "f");
    duet_rename(d, 1, "aside", "g");
}

static void chmods(duet_t *d)
{
    duet_mode(d, 1, "f", 0755);
}

static void links_and_unlinks(duet_t *d)
{
    duet_remove(d, 1, "f");
    duet_write(d, 1, "f");
    duet_remove(d, 1, "g");
    duet_link(d, 1, "g");
}

static void makes_directories(duet_t *d)
{
    duet_remove(d, 1, "f");
    duet_mkdir(d, 1, "f");
    duet_mkdir(d, 1, "e");
}

/* --- here */

static void edits_here(duet_t *d)
{
    duet_write(d, 0, "f");
}

static void creates_here(duet_t *d)
{
    duet_write(d, 0, "d/new");
}

static void moves_here(duet_t *d)
{
    duet_rename(d, 0, "d/f", "g");
}

static void moves_directory_here(duet_t *d)
{
    duet_rename(d, 0, "D", "E");
}

static void deletes_here(duet_t *d)
{
    duet_remove(d, 0, "f");
    duet_mkdir(d, 0, "e");
}

/* --- work */

static void apply(duet_t *d)
{
    site_work(&d->sites.site[0]);
}

static void scan(duet_t *d)
{
    site_scan(&d->sites.site[0]);
}

static void scan_file(duet_t *d)
{
    site_scan_path(&d->sites.site[0], "f");
}

static void scan_directory(duet_t *d)
{
    site_scan_path(&d->sites.site[0], "d");
}

static void sweep(duet_t *d)
{
    site_t *site = &d->sites.site[0];
    if (site->spy.crashed) return;
    if (cs_trash_sweep(&site->config, NULL) != CS_OK && !site->spy.crashed) abort();
    if (!site->spy.crashed) site_scan(site);
}

/* There is no room in the trash. */
static void apply_and_drop(duet_t *d)
{
    site_t *site = &d->sites.site[0];
    site_work(site);
    site->config.trash_bytes_max = 0;
    sweep(d);
    site->config.trash_bytes_max = UINT64_MAX;
}

static void start(duet_t *d)
{
    site_restart(&d->sites.site[0]);
    site_work(&d->sites.site[0]);
}

/* A program had the file open while it was replaced, and writes afterwards. */
static void writes_late(duet_t *d)
{
    char path[DUET_PATH];
    int fd = open(duet_path(d, 0, "f", path), O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    site_work(&d->sites.site[0]);
    duet_destroy_open(d, fd);
    const char *text = duet_new_text(d);
    if (pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) abort();
    close(fd);
}

const story_t stories[] = {
    {"apply a new file", one_file, creates, NULL, apply, {"e/new", "e", "f"}},
    {"apply an edit", one_file, edits, NULL, apply, {"f"}},
    {"apply an edit below", in_directory, edits_below, NULL, apply, {"d/f", "d"}},
    {"apply a copy", two_files, copies, NULL, apply, {"f", "g"}},
    {"apply a deletion", one_file, deletes, NULL, apply, {"f"}},
    {"apply rm -r", in_directory, deletes_below, NULL, apply, {"d/f", "d/more", "d"}},
    {"apply a move", one_file, moves, NULL, apply, {"f", "e/moved", "e"}},
    {"apply a move over", two_files, moves_over, NULL, apply, {"f", "g"}},
    {"apply a move below itself", one_file, moves_below_itself, NULL, apply, {"f", "f/x"}},
    {"apply a move over its directory",
     in_directory,
     moves_over_its_directory,
     NULL,
     apply,
     {"d/f", "d", "d/more"}},
    {"apply a directory's move",
     in_directories,
     moves_directory,
     NULL,
     apply,
     {"D/1", "D/s/2", "E/1", "D/more", "D"}},
    {"apply a swap", two_files, swaps, NULL, apply, {"f", "g"}},
    {"apply a mode", one_file, chmods, NULL, apply, {"f"}},
    {"apply links", one_link, links_and_unlinks, NULL, apply, {"f", "g"}},
    {"apply directories", one_file, makes_directories, NULL, apply, {"f", "f/x", "e"}},
    {"apply over an edit", one_file, edits, edits_here, apply, {"f"}},
    {"scan at rest", in_directory, edits_below, NULL, scan, {"d/f", "d/more"}},
    {"scan an edit", one_file, edits, edits_here, scan, {"f"}},
    {"scan an edit of a deleted file", one_file, deletes, edits_here, scan, {"f"}},
    {"scan a new file", in_directory, nothing, creates_here, scan, {"d/new", "d/f"}},
    {"scan a move", in_directory, edits_below, moves_here, scan, {"d/f", "g"}},
    {"scan a directory's move",
     in_directories,
     nothing,
     moves_directory_here,
     scan,
     {"D/1", "E/1", "E/s/2", "E"}},
    {"scan a deletion", one_file, edits, deletes_here, scan, {"f", "e", "e/x"}},
    {"scan one file", two_files, edits, edits_here, scan_file, {"f", "g"}},
    {"scan one directory",
     in_directory,
     edits_below,
     creates_here,
     scan_directory,
     {"d/new", "d/f", "d"}},
    {"sweep what was written late", one_file, edits, writes_late, sweep, {"f"}},
    {"sweep what was written late and is gone", one_file, deletes, writes_late, sweep, {"f"}},
    {"apply an edit without a trash", one_file, edits, NULL, apply_and_drop, {"f"}},
    {"apply a deletion without a trash", one_file, deletes, NULL, apply_and_drop, {"f"}},
    {"start after a late write", one_file, edits, writes_late, start, {"f"}},
    {"start with work", two_files, swaps, NULL, start, {"f", "g"}},
};

const size_t story_count = CS_COUNT_OF(stories);

void story_begin(const story_t *story, duet_t *duet)
{
    duet_open(duet);
    story->before(duet);
    duet_rest(duet);
    story->there(duet);
    site_scan(&duet->sites.site[1]);
    cs_peer_exchange(&duet->sites.site[0].peer, &duet->sites.site[1].peer, true);
    if (story->here != NULL) story->here(duet);
}
