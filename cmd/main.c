/* main.c - the command line's door. */
#include <stdio.h>

int main(void)
{
    printf("crdtsync %s\n", CRDTSYNC_VERSION);
    return 0;
}
