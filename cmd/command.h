/* command.h - a subcommand, and the run of one. */
#ifndef CS_CMD_COMMAND_H
#define CS_CMD_COMMAND_H

#include <jansson.h>

#include "cmd/options.h"
#include "io/exit_codes.h"

typedef struct cs_run cs_run_t;

/* What a command is for: lists of commands are printed by section. */
typedef enum cs_section {
    CS_SETUP,
    CS_RUNNING,
    CS_LOOKING,
    CS_SECTIONS /* how many */
} cs_section_t;

/* The one source of --help, the manual page and the completions. They read the words in
 * capitals: FOLDER, PATH, FILE, DIR, PEER and a|b are completed; in a synopsis, as in an
 * option's `arg`. */
typedef struct cs_command {
    cs_section_t section;
    const char *name;           /* "scan", "folder add"; NULL ends the table */
    const char *synopsis;       /* what follows the name */
    const char *summary;        /* lists show it up to the first ':' or ';' */
    const cs_option_t *options; /* NULL: only the common ones */
    const char *example;        /* what follows "crdtsync " */
    size_t args_min, args_max;
    int (*run)(cs_run_t *run); /* the exit code */
} cs_command_t;

#define CS_ARGS_ANY SIZE_MAX

struct cs_run {
    const cs_command_t *command;
    cs_args_t args; /* with the options before the subcommand */
    bool json;
    int loudness; /* -v: 1 and more, -q: -1 and less */
};

extern const cs_command_t cs_commands[];
extern const char *const cs_section_titles[CS_SECTIONS];
/* How long the part of its summary is that lists show. */
size_t cs_command_short_len(const cs_command_t *command);

/* argv as of main. Prints, and returns the exit code. */
int cs_main(int argc, char **argv);

/* --- help.c */
void cs_print_overview(void);
void cs_print_version(void);
void cs_print_group(const char *group); /* "folder": its subcommands */
void cs_print_help(const cs_command_t *command);

/* --- errors */
/* "crdtsync: what failed: why; what to do" on stderr, with what a terminal must not see made
 * visible. */
void cs_complain(const char *format, ...) CS_PRINTF(1, 2);
int cs_complain_buf(int exit_code, const cs_buf_t *detail); /* returns exit_code */
bool cs_wants_color(int fd);

/* --- the subcommands */
int cs_run_init(cs_run_t *run);
int cs_run_id(cs_run_t *run);
int cs_run_config_check(cs_run_t *run);
int cs_run_node(cs_run_t *run); /* own.h */
int cs_run_ping(cs_run_t *run);
int cs_run_folder_add(cs_run_t *run);
int cs_run_folder_list(cs_run_t *run);
int cs_run_folder_key(cs_run_t *run);
int cs_run_folder_set(cs_run_t *run);
int cs_run_peer_add(cs_run_t *run);
int cs_run_peer_list(cs_run_t *run);
int cs_run_invite(cs_run_t *run);
int cs_run_invite_list(cs_run_t *run);
int cs_run_invite_revoke(cs_run_t *run);
int cs_run_join(cs_run_t *run);
int cs_run_scan(cs_run_t *run);
int cs_run_wait(cs_run_t *run);
int cs_run_held(cs_run_t *run);
int cs_run_held_accept(cs_run_t *run);
int cs_run_held_reject(cs_run_t *run);
int cs_run_sync(cs_run_t *run);
int cs_run_trash(cs_run_t *run);
int cs_run_trash_restore(cs_run_t *run);
int cs_run_pause(cs_run_t *run);
int cs_run_resume(cs_run_t *run);
int cs_run_reincarnate(cs_run_t *run);
int cs_run_folder_remove(cs_run_t *run);
int cs_run_peer_remove(cs_run_t *run);
int cs_run_status(cs_run_t *run);
int cs_run_digest(cs_run_t *run);
int cs_run_conflicts(cs_run_t *run);
int cs_run_ls(cs_run_t *run);
int cs_run_search(cs_run_t *run);
int cs_run_events(cs_run_t *run);
int cs_run_watch(cs_run_t *run); /* status --watch */
int cs_run_explain(cs_run_t *run);
int cs_run_resolve(cs_run_t *run);
int cs_run_check(cs_run_t *run);
int cs_run_doctor(cs_run_t *run);
int cs_run_demo(cs_run_t *run);

#endif
