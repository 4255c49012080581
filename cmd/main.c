/* main.c - the command line's door, of crdtsync-node. */
#include "cmd/command.h"

int main(int argc, char **argv)
{
    return cs_main(argc, argv);
}
