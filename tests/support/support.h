/* support.h - what the tests share. */
#ifndef CS_TESTS_SUPPORT_H
#define CS_TESTS_SUPPORT_H

#define TMP_PATH_BYTES 256

/* A directory of its own for each test that touches files. */
typedef struct tmp {
    char path[TMP_PATH_BYTES];
} tmp_t;

/* A fresh directory below $TMPDIR or /tmp; ends the program if it cannot be made. */
tmp_t tmp_new(void);
/* Removes it with everything in it. */
void tmp_remove(const tmp_t *tmp);

#endif
