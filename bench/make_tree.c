/* make_tree.c - `make_tree DIR COUNT BYTES [PER_DIR]`: files of random bytes, 200 to a
 * directory if not told otherwise. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILES_PER_DIR 200u
#define PIECE         (1u << 20)

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: make_tree DIR COUNT BYTES [PER_DIR]\n");
        return 2;
    }
    unsigned long count = strtoul(argv[2], NULL, 10);
    unsigned long bytes = strtoul(argv[3], NULL, 10);
    unsigned long per_dir = argc == 5 ? strtoul(argv[4], NULL, 10) : FILES_PER_DIR;
    if (per_dir == 0) per_dir = FILES_PER_DIR;
    static uint64_t piece[PIECE / sizeof(uint64_t)];
    mkdir(argv[1], 0755);
    for (unsigned long i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/d%04lu", argv[1], i / per_dir);
        mkdir(path, 0755);
        snprintf(path, sizeof path, "%s/d%04lu/f%06lu", argv[1], i / per_dir, i);
        FILE *file = fopen(path, "wb");
        if (file == NULL) {
            perror(path);
            return 1;
        }
        for (unsigned long left = bytes; left > 0;) {
            size_t now = left < PIECE ? left : PIECE;
            for (size_t k = 0; k < (now + 7) / 8; k++)
                piece[k] = next();
            if (fwrite(piece, 1, now, file) != now) return 1;
            left -= now;
        }
        if (fclose(file) != 0) return 1;
    }
    return 0;
}
