/* main.c - the command line's door, of crdtsync-node. */
#include "cmd/command.h"
#include "io/entropy.h"

int main(int argc, char **argv)
{
    cs_entropy_init();
    return cs_main(argc, argv);
}
