/* main.c - the command line's door. */
#include "cmd/command.h"

int main(int argc, char **argv)
{
    return cs_main(argc, argv);
}
