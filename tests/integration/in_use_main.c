/* in_use_main.c - programs that use a file while the node replaces it, on real nodes: one
 * writes in place and slowly, one holds a descriptor open across the replacement, one maps the
 * file. What they wrote last is on both nodes in the end, and so is what the other user wrote
 * meanwhile. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/rounds.h"
#include "support/support.h"

#define PATH   "file"
#define LEN    4000u /* of a string that is written through a mapping */
#define PIECES 24u
#define ROUNDS 3
/* Files younger than two seconds are read again whatever their times say. */
#define DOUBT_MS 2100

static rounds_t rounds;

static int open_here(void)
{
    char path[512];
    node_path(&rounds.cluster.node[1], PATH, path, sizeof path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) test_fail("open %s", path);
    return fd;
}

static void scan(int node)
{
    cluster_do(&rounds.cluster, node, NULL, "scan %s", rounds.cluster.folder);
}

/* The other user saves, and here the file is another one from then on. */
static void replace(int fd)
{
    struct stat held, now;
    char path[512];
    node_path(&rounds.cluster.node[1], PATH, path, sizeof path);
    rounds_put(&rounds, 0, PATH, LEN);
    scan(0);
    double end = test_now() + 60;
    do {
        if (test_now() > end) test_fail("the file is not replaced (%s)", rounds.cluster.dir);
        poll(NULL, 0, 2);
        if (fstat(fd, &held) != 0) test_fail("fstat");
    } while (stat(path, &now) != 0 || now.st_ino == held.st_ino);
}

static void held_open(void)
{
    int fd = open_here();
    replace(fd);
    rounds_put_open(&rounds, fd);
    scan(1);
    rounds_put_open(&rounds, fd); /* once more, into what was given back */
    close(fd);
}

/* A new string through the mapping; what was there is the program's to destroy. */
static void put_mapped(char *map)
{
    uint32_t old = oracle_identify(rounds.oracle, map, LEN);
    if (old != ORACLE_NONE) oracle_replaced(rounds.oracle, old);
    uint32_t number = oracle_draw(rounds.oracle, LEN);
    oracle_bytes(rounds.oracle, number, map);
    oracle_saved(rounds.oracle, number, "through a mapping");
}

static char *map_file(int fd)
{
    char *map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) test_fail("mmap");
    return map;
}

static void mapped(void)
{
    int fd = open_here();
    char *map = map_file(fd);
    close(fd); /* the mapping lives on */
    fd = open_here();
    replace(fd);
    close(fd);
    put_mapped(map);
    scan(1);
    put_mapped(map);
    munmap(map, LEN);
}

/* Nobody replaces it; but the last write is into a page that was dirty when it was scanned. */
static void mapped_and_scanned(void)
{
    int fd = open_here();
    char *map = map_file(fd);
    close(fd);
    put_mapped(map);
    poll(NULL, 0, DOUBT_MS);
    scan(1);
    put_mapped(map);
    munmap(map, LEN);
}

/* In pieces, with scans in between, and the other user's save in the middle. */
static void slowly(void)
{
    int fd = open_here();
    char *bytes = malloc(LEN);
    if (bytes == NULL || pread(fd, bytes, LEN, 0) < 0) test_fail("read");
    uint32_t old = oracle_identify(rounds.oracle, bytes, LEN);
    if (old != ORACLE_NONE) oracle_replaced(rounds.oracle, old);
    uint32_t number = oracle_draw(rounds.oracle, LEN);
    oracle_bytes(rounds.oracle, number, bytes);
    if (ftruncate(fd, 0) != 0) test_fail("ftruncate");
    for (size_t i = 0; i < PIECES; i++) {
        size_t at = i * LEN / PIECES, end = (i + 1) * LEN / PIECES;
        if (pwrite(fd, bytes + at, end - at, (off_t)at) != (ssize_t)(end - at))
            test_fail("write");
        if (i % 6 == 3) scan(1);
        if (i != PIECES / 2) continue;
        rounds_put(&rounds, 0, PATH, LEN);
        scan(0);
    }
    close(fd);
    free(bytes);
    oracle_saved(rounds.oracle, number, "slowly");
}

static void play(const char *name, void (*program)(void))
{
    double begin = test_now();
    for (int i = 0; i < ROUNDS; i++) {
        rounds_put(&rounds, 0, PATH, LEN);
        rounds_settle(&rounds, name);
        program();
        scan(1); /* what was written into a replaced file is found by a scan */
        rounds_settle(&rounds, name);
    }
    printf("in use: %s: %.1f s\n", name, test_now() - begin);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool on_disk = tmp_on_disk();
    rounds_open(&rounds);
    cluster_start(&rounds.cluster, 0);
    cluster_start(&rounds.cluster, 1);
    play("held open", held_open);
    if (on_disk) {
        play("mapped", mapped);
        play("mapped and scanned", mapped_and_scanned);
    } else {
        printf("in use: /var/tmp is in memory: writes through a mapping are not tried\n");
    }
    play("written slowly", slowly);
    rounds_close(&rounds);
    return 0;
}
