/* hand_over.c - see own.h: what this program has not, crdtsync-node has, and this process
 * becomes it. Nothing was printed yet, and no file is held: what is open is closed on the way.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/own.h"

#define SELF      "/proc/self/exe"
#define PROGRAM   "crdtsync-node"
#define PATH_SIZE 4096u

static char **arguments;

/* Returns if there is none. */
static void become(const char *dir, const char *below)
{
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s/%s", dir, below);
    if (len > 0 && (size_t)len < sizeof path) execv(path, arguments);
}

/* Beside this program in a build, below its prefix where it is installed. */
static int hand_over(void)
{
    char self[PATH_SIZE];
    ssize_t len = readlink(SELF, self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
        become(self, PROGRAM);
        become(self, CRDTSYNC_LIBEXEC "/" PROGRAM);
    }
    become(CRDTSYNC_LIBEXEC_FULL, PROGRAM);
    cs_complain("cannot run " PROGRAM ", which has to be at %s: %s; install crdtsync again",
                CRDTSYNC_LIBEXEC_FULL, strerror(errno));
    return CS_EXIT_FAILED;
}

int cs_own_ask(cs_asking_t *asking)
{
    (void)asking;
    return hand_over();
}

#define HANDED_OVER(command)   \
    int command(cs_run_t *run) \
    {                          \
        (void)run;             \
        return hand_over();    \
    }
HANDED_OVER(cs_run_node)
HANDED_OVER(cs_run_init)
HANDED_OVER(cs_run_id)
HANDED_OVER(cs_run_join)

int main(int argc, char **argv)
{
    arguments = argv;
    return cs_main(argc, argv);
}
