/* gen.h - the manual page and the completions, made of the table of commands when it is built.
 *
 * A template is copied line by line; a line "@NAME [ARGUMENT]" is replaced by what the
 * directive of that name prints about the table. What the table says is therefore written once.
 */
#ifndef CS_CMD_GEN_H
#define CS_CMD_GEN_H

#include "cmd/command.h"

/* What the directives of one format may read, and where they print. */
typedef struct cs_gen {
    cs_buf_t out;
    cs_slice_t notes; /* prose about single commands: "@NAME" lines, each with its text */
} cs_gen_t;

typedef struct cs_directive {
    const char *name; /* NULL ends a table */
    /* False: there is no such argument. */
    bool (*print)(cs_gen_t *gen, const char *argument);
} cs_directive_t;

extern const cs_directive_t cs_man_directives[];
extern const cs_directive_t cs_bash_directives[];
extern const cs_directive_t cs_zsh_directives[];
extern const cs_directive_t cs_fish_directives[];

/* --- synopsis.c: "[FOLDER] [PATH]... [--full]", word by word */

typedef enum cs_word_kind {
    CS_WORD_END,
    CS_WORD_OPEN,   /* [ */
    CS_WORD_CLOSE,  /* ] */
    CS_WORD_REPEAT, /* ... */
    CS_WORD_OPTION, /* --full */
    CS_WORD_VALUE,  /* of the option before it */
    CS_WORD_PLACE   /* an argument in its place */
} cs_word_kind_t;

typedef struct cs_word {
    cs_word_kind_t kind;
    cs_slice_t text; /* borrowed of the synopsis */
} cs_word_t;

/* *at_p is moved past the word. */
cs_word_t cs_synopsis_next(const cs_command_t *command, const char **at_p);

/* The arguments of a command that are no options: "FOLDER", "PATH". */
#define CS_PLACES_MAX 4u
typedef struct cs_places {
    char at[CS_PLACES_MAX][24];
    size_t count;
    bool repeated; /* the last one may come again */
} cs_places_t;

cs_places_t cs_synopsis_places(const cs_command_t *command);

/* What a word in capitals stands for, as far as a shell can complete it. */
typedef enum cs_completes {
    CS_COMPLETES_NOTHING,
    CS_COMPLETES_FOLDERS, /* ids of this home's folders, or paths in them */
    CS_COMPLETES_PEERS,
    CS_COMPLETES_FILES,
    CS_COMPLETES_DIRS,
    CS_COMPLETES_SETTINGS, /* scan=, brake=, ... */
    CS_COMPLETES_CHOICES   /* a|b */
} cs_completes_t;

cs_completes_t cs_word_completes(const char *word);
/* The words in small letters of "shown|SIBLING|all", blanks between. */
void cs_word_choices(cs_buf_t *out, const char *word);
/* The keys of `folder set`, each with its '='. */
void cs_word_settings(cs_buf_t *out);

/* --- names.c: groups */

/* True if `name` is the first of several words: "folder". */
bool cs_is_group(const char *name);
/* The next command of which `word` is the first word of two; NULL after the last. Begin with
 * NULL. */
const cs_command_t *cs_group_next(const char *group, const cs_command_t *after);
/* The second words of a group. */
void cs_group_words(cs_buf_t *out, const char *group, const char *gap);
/* Each first word once, in order; `ret_command` is the first command that has it. */
const char *cs_first_word(size_t index, const cs_command_t **ret_command);

#endif
