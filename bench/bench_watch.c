/* bench_watch.c - how long a saved file takes from one folder to another, while both are
 * watched.
 *
 *   bench_watch A B COUNT [BYTES]    both folders are of running nodes
 *
 * Saves A/saved COUNT times, each when the one before is at B, and prints milliseconds from the
 * return of close to the moment in which B shows the bytes: median, 99th percentile, longest.
 * The directory B is watched by inotify meanwhile: a loop that looks would take a core from the
 * nodes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 100000000 /* between two saves: they are a person's, not a burst */
#define WAIT_MS  60000

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_watch: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void save(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0) fail(path);
}

static int shows(const char *path, const char *bytes, size_t len, char *scratch)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t got = read(fd, scratch, len + 1);
    close(fd);
    return got == (ssize_t)len && memcmp(scratch, bytes, len) == 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc < 4) return fprintf(stderr, "usage: bench_watch A B COUNT [BYTES]\n"), 2;
    size_t count = strtoul(argv[3], NULL, 10),
           len = argc > 4 ? strtoul(argv[4], NULL, 10) : 1024;
    double *took = calloc(count + 1, sizeof *took);
    char *bytes = calloc(len + 1, 1), *scratch = calloc(len + 2, 1), from[4096], to[4096];
    snprintf(from, sizeof from, "%s/saved", argv[1]);
    snprintf(to, sizeof to, "%s/saved", argv[2]);
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, argv[2], IN_MOVED_TO | IN_CREATE) < 0)
        fail(argv[2]);
    for (size_t i = 0; i < count; i++) {
        struct timespec pause = {.tv_nsec = PAUSE_NS};
        nanosleep(&pause, NULL);
        snprintf(bytes, len + 1, "save %zu of %d, at %f ", i, (int)getpid(), now_ms());
        save(from, bytes, len);
        double begin = now_ms();
        while (!shows(to, bytes, len, scratch)) {
            char events[4096];
            struct pollfd fd = {.fd = watch, .events = POLLIN};
            if (poll(&fd, 1, WAIT_MS) <= 0) fail("it does not come");
            while (read(watch, events, sizeof events) > 0)
                continue;
        }
        took[i] = now_ms() - begin;
    }
    qsort(took, count, sizeof *took, by_value);
    printf("%zu saves of %zu bytes: median %.1f ms, p99 %.1f ms, longest %.1f ms\n", count, len,
           took[count / 2], took[count * 99 / 100], took[count - 1]);
    return 0;
}
