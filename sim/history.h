/* history.h - what users do and what breaks: a list, drawn from a seed or read from a file.
 *
 * The list is data. Which way messages and jobs go meanwhile follows from the seed and from
 * what happens (draw.h), so a part of a history is a history, and a short one that fails is a
 * test.
 *
 *   crdtsync-sim history 1
 *   option seed=7
 *   option nodes=2
 *   120.500 B save path=d/x number=4
 *   121.000 A move path=d/x other=q calls=3      before the third call A's engine makes then
 *   900.000 - rest                               faults end, all must become equal */
#ifndef CS_SIM_HISTORY_H
#define CS_SIM_HISTORY_H

#include "sim/options.h"

#define CS_ACT_PATH_BYTES 96u /* of a path in an action, with its NUL */
/* In a history: beside ops, rests, and what begins and ends a burst. */
#define CS_HISTORY_ACTS_MAX (2 * CS_SIM_OPS_MAX + 10u * (2 * CS_SIM_NODES_MAX + 20))
#define CS_TEXT_COMMON      8u /* bytes with lower numbers are written by several users */

/* What an action needs: a path, another one, a number, another node. */
#define CS_ACT_PATH   1u
#define CS_ACT_OTHER  2u
#define CS_ACT_NUMBER 4u
#define CS_ACT_PEER   8u
#define CS_ACT_WORLD  16u /* happens to no one node */

#define CS_ACT_MAP(X)                                                                        \
    X(REST, "rest", CS_ACT_WORLD, "faults end; all become equal, and are judged")            \
    X(SAVE, "save", CS_ACT_PATH | CS_ACT_NUMBER, "bytes number, written in place")           \
    X(SAVE_NEW, "save-new", CS_ACT_PATH | CS_ACT_NUMBER, "to a new file, renamed over path") \
    X(SAVE_OLD, "save-old", CS_ACT_PATH | CS_ACT_NUMBER, "path renamed to path~ before")     \
    X(LARGE, "large", CS_ACT_PATH | CS_ACT_NUMBER, "a file of several chunks")               \
    X(COPY, "copy", CS_ACT_PATH | CS_ACT_OTHER, "other becomes a copy of path")              \
    X(MOVE, "move", CS_ACT_PATH | CS_ACT_OTHER, "path, a directory with all, to other")      \
    X(SWAP, "swap", CS_ACT_PATH | CS_ACT_OTHER, "path and other change places")              \
    X(REMOVE, "remove", CS_ACT_PATH, "a file, or a directory with all that is in it")        \
    X(MKDIR, "mkdir", CS_ACT_PATH, "a directory")                                            \
    X(RMDIR, "rmdir", CS_ACT_PATH, "an empty directory goes")                                \
    X(CHMOD, "chmod", CS_ACT_PATH | CS_ACT_NUMBER, "permissions become number")              \
    X(LINK, "link", CS_ACT_PATH | CS_ACT_NUMBER, "a symbolic link to number")                \
    X(TOUCH, "touch", CS_ACT_PATH, "its time becomes now")                                   \
    X(HOLD, "hold", CS_ACT_PATH, "a program opens path and keeps it open")                   \
    X(LATE, "late", CS_ACT_NUMBER, "that program writes, and closes it")                     \
    X(SCAN, "scan", CS_ACT_PATH, "of path, or of everything: .")                             \
    X(PAUSE, "pause", 0, "the folder rests")                                                 \
    X(RESUME, "resume", 0, "it goes on")                                                     \
    X(CUT, "cut", CS_ACT_PEER, "the connection to peer ends")                                \
    X(PART, "part", CS_ACT_PEER | CS_ACT_NUMBER, "none to peer for number ms")               \
    X(STALL, "stall", CS_ACT_PEER | CS_ACT_NUMBER, "what it sends to peer waits number ms")  \
    X(STOP, "stop", CS_ACT_NUMBER, "the node ends cleanly; back in number ms")               \
    X(KILL, "kill", CS_ACT_NUMBER, "the node dies; back in number ms")                       \
    X(FULL, "full", CS_ACT_NUMBER, "its disk has no room for number ms")                     \
    X(FAIL, "fail", CS_ACT_NUMBER, "each call fails, one in five, for number ms")            \
    X(UNMOUNT, "unmount", CS_ACT_NUMBER, "the folder is not mounted for number ms")          \
    X(CLOCK, "clock", CS_ACT_NUMBER, "its wall clock jumps to number")                       \
    X(BACKUP, "backup", 0, "an image of its home is kept")                                   \
    X(RESTORE, "restore", CS_ACT_NUMBER, "the home is that image; number 1: unnoticed")      \
    X(LOSE, "lose", CS_ACT_NUMBER, "rows of its database vanish; it starts anew")            \
    X(RETIRE, "retire", CS_ACT_PEER, "peer is no member any more, for this node")            \
    X(ADMIT, "admit", CS_ACT_PEER, "it is one again")

typedef enum cs_act_kind {
#define X(name, word, needs, text) CS_ACT_##name,
    CS_ACT_MAP(X)
#undef X
        CS_ACT_COUNT
} cs_act_kind_t;

typedef struct cs_act {
    uint64_t at_us; /* virtual time since the beginning, or since the last rest */
    cs_act_kind_t kind;
    uint16_t node, peer; /* index */
    uint32_t calls;      /* 0: at once; n: before the n-th call of its engine from then on */
    uint64_t number;     /* bytes to write, mode, ms, place in the past */
    char path[CS_ACT_PATH_BYTES], other[CS_ACT_PATH_BYTES];
} cs_act_t;

typedef struct cs_history {
    cs_sim_options_t options;
    cs_act_t *act; /* owned; times do not go back between two rests */
    size_t len, cap;
} cs_history_t;

/* That of the options: always the same. ret: zero. */
void cs_history_draw(const cs_sim_options_t *options, cs_history_t *ret);
cs_act_t *cs_history_add(cs_history_t *history, const cs_act_t *act);
void cs_history_copy(cs_history_t *to, const cs_history_t *from); /* `to`: zero */
void cs_history_fini(cs_history_t *history);

uint32_t cs_act_needs(cs_act_kind_t kind);
const char *cs_act_word(cs_act_kind_t kind);
void cs_act_print(const cs_act_t *act, cs_buf_t *ret); /* a line, without its end */
void cs_history_print(const cs_history_t *history, cs_buf_t *ret);
/* ret: zero. CS_ERR_MALFORMED, CS_ERR_LIMIT: *ret_line is the line, from 1, *ret_why what is
 * wrong with it (static); ret stays zero. */
CS_MUST_USE cs_err_t cs_history_read(cs_slice_t text, cs_history_t *ret, size_t *ret_line,
                                     const char **ret_why);

#endif
