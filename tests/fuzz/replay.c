/* replay.c - runs a fuzz target over files and folders of inputs, where libFuzzer is absent. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        exit(1);
    }
    unsigned long count = 0;
    if (S_ISDIR(st.st_mode)) {
        DIR *dir = opendir(path);
        if (dir == NULL) exit(1);
        for (struct dirent *item; (item = readdir(dir)) != NULL;) {
            char below[4096];
            if (item->d_name[0] == '.') continue;
            snprintf(below, sizeof below, "%s/%s", path, item->d_name);
            count += replay(below);
        }
        closedir(dir);
        return count;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(1);
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size + 1);
    if (data == NULL || fread(data, 1, size, file) != size) exit(1);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    fclose(file);
    return 1;
}

int main(int argc, char **argv)
{
    unsigned long count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    printf("%lu inputs replayed\n", count);
    return count == 0; /* an empty corpus tests nothing */
}
