/* main.c - the command line's door, of both programs. */
#include "cmd/own.h"

int main(int argc, char **argv)
{
    cs_own_begin(argv);
    return cs_main(argc, argv);
}
