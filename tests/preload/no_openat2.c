/* no_openat2.c - preloaded under valgrind (scripts/memcheck), whose 3.19 knows no openat2: a
 * plain openat instead. What openat2 refuses on top of it is not what is tried there. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The only system call that the program makes by its number. */
long syscall(long number, ...)
{
    va_list rest;
    va_start(rest, number);
    int dir = va_arg(rest, int);
    const char *path = va_arg(rest, const char *);
    const struct open_how *how = va_arg(rest, const struct open_how *);
    va_end(rest);
    if (number != SYS_openat2) return -1;
    return openat(dir, path, (int)how->flags | O_NOFOLLOW, (mode_t)how->mode);
}
