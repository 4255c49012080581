/* main.c - the command line's door, of crdtsync-node. */
#include <sys/mman.h>

#include "cmd/command.h"
#include "io/entropy.h"
#include "io/leveldb_store.h"

/* In place of the C library's, for all libraries of this process (leveldb_store.h). */
int munmap(void *addr, size_t len)
{
    return cs_leveldb_munmap(addr, len);
}

int main(int argc, char **argv)
{
    cs_entropy_init();
    cs_leveldb_use_munmap(munmap);
    return cs_main(argc, argv);
}
