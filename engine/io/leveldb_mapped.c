/* leveldb_mapped.c - see leveldb_mapped.h. */
#include "io/leveldb_mapped.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/leveldb_files.h"
#include "io/leveldb_store.h"

#define LOOK_AFTER 512u /* weights of reads of a thread between two looks */

static pthread_mutex_t unmapping = PTHREAD_MUTEX_INITIALIZER;

static void lock(void)
{
    pthread_mutex_lock(&unmapping);
}

static void unlock(void)
{
    pthread_mutex_unlock(&unmapping);
}

int cs_leveldb_munmap(void *addr, size_t len)
{
    lock();
    int ret = (int)syscall(SYS_munmap, addr, len);
    unlock();
    return ret;
}

/* The child of a fork has this thread only: nobody would let go for another one. */
static void prepare_forks(void)
{
    (void)pthread_atfork(lock, unlock, unlock);
}

static bool may_give_back;

/* A library that is loaded in an unusual way may find another one. */
void cs_leveldb_use_munmap(int (*program)(void *addr, size_t len))
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, prepare_forks);
    const void *found = dlsym(RTLD_DEFAULT, "munmap");
    may_give_back = memcmp(&found, &program, sizeof found) == 0;
}

bool cs__ldb_mapped_is_bounded(void)
{
    return may_give_back;
}

typedef struct memory {
    size_t own, files; /* bytes in memory; 0: not known */
} memory_t;

static memory_t memory_now(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return (memory_t){0};
    char line[128] = "", *at = line;
    bool said = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    (void)strtoull(at, &at, 10); /* what is mapped; then what of it is in memory, in pages */
    size_t all = strtoull(at, &at, 10), files = strtoull(at, &at, 10);
    if (!said || files > all) return (memory_t){0};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (memory_t){.own = (all - files) * page, .files = files * page};
}

size_t cs__ldb_mapped_max(size_t own)
{
    bool little = own + CS_LDB_MAPPED_BYTES < CS_LDB_RESIDENT_BYTES;
    return little ? CS_LDB_RESIDENT_BYTES - own : CS_LDB_MAPPED_BYTES;
}

/* With `unmapping` held. */
static size_t give_back(FILE *maps)
{
    size_t count = 0, cap = 0;
    char *line = NULL;
    while (getline(&line, &cap, maps) > 0) {
        char *end;
        uintptr_t from = strtoull(line, &end, 16);
        uintptr_t to = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
        line[strcspn(line, "\n")] = '\0';
        if (to <= from || !cs__leveldb_is_table(line)) continue;
        count += madvise((void *)from, to - from, MADV_DONTNEED) == 0;
    }
    free(line);
    return count;
}

size_t cs__ldb_mapped_trim(void)
{
    FILE *maps = may_give_back ? fopen("/proc/self/maps", "re") : NULL;
    if (maps == NULL) return 0;
    lock();
    size_t count = give_back(maps);
    unlock();
    (void)fclose(maps);
    return count;
}

/* What is left is other files: a program of many libraries must not look in vain each time. */
static void trim_if_much(void)
{
    static atomic_size_t others;
    memory_t memory = memory_now();
    size_t most = cs__ldb_mapped_max(memory.own);
    size_t beside = atomic_load(&others) + CS_LDB_MAPPED_BYTES / 2;
    if (memory.files <= most || memory.files <= beside) return;
    (void)cs__ldb_mapped_trim();
    atomic_store(&others, memory_now().files);
}

void cs__ldb_mapped_read(unsigned weight)
{
    static _Thread_local unsigned count; /* one that threads share costs more than a step */
    if (!may_give_back) return;
    count += weight;
    if (count < LOOK_AFTER) return;
    count = 0;
    trim_if_much();
}
