/* command_table.c - every subcommand: its name, its options, its help. */
#include "cmd/command.h"

static const cs_option_t init_options[] = {
    {"name", 0, "NAME", "what others see (default: the host's name)"},
    {"listen", 0, "ENDPOINT", "where to listen, may be repeated (default: tcp://*:24242)"},
    {0},
};

static const cs_option_t folder_add_options[] = {
    {"id", 0, "NAME", "the folder's id on all nodes (default: a random one)"},
    {"modes", 0, "all|exec", "which permission bits are replicated (default: all)"},
    {"key-file", 0, "FILE", "be a replica of an existing folder: what `folder key` printed"},
    {0},
};

static const cs_option_t invite_options[] = {
    {"uses", 0, "N", "how many nodes may join with it (default: 1)"},
    {"endpoint", 0, "ENDPOINT", "where this node is reached, may be repeated"},
    {0},
};

static const cs_option_t join_options[] = {
    {"name", 0, "NAME", "what others see of this node"},
    {"timeout", 0, "SECONDS", "how long to try (default: 30)"},
    {0},
};

static const cs_option_t peer_add_options[] = {
    {"name", 0, "NAME", "what to call it"},
    {"folder", 0, "FOLDER", "a folder it may share, may be repeated"},
    {0},
};

static const cs_option_t node_options[] = {
    {"log-level", 0, "error|warning|info|debug", "how much to log (default: the config's)"},
    {"log-json", 0, NULL, "log one JSON object a line"},
    {0},
};

static const cs_option_t scan_options[] = {
    {"full", 0, NULL, "read every file again, whatever its times say"},
    {0},
};

static const cs_option_t wait_options[] = {
    {"peers", 0, "N",
     "how many others must have everything (default: all members); more than there are "
     "are refused after three seconds"},
    {"timeout", 0, "SECONDS", "give up after that (default: never)"},
    {0},
};

static const cs_option_t status_options[] = {
    {"watch", 0, NULL,
     "go on, live: a screen with progress on a terminal (q ends it), else a line a change"},
    {0},
};

static const cs_option_t events_options[] = {
    {"since", 0, "N", "begin behind that number; 0: with the oldest that is kept"},
    {0},
};

static const cs_option_t resolve_options[] = {
    {"keep", 0, "shown|all|SIBLING",
     "what stays: the file at PATH, everything, or that sibling"},
    {0},
};

static const cs_option_t search_options[] = {
    {"peers", 0, NULL,
     "also what is not on this disk, and which connected peers have all of it"},
    {0},
};

static const cs_option_t sync_options[] = {
    {"once", 0, NULL, "one time, then end"},
    {"timeout", 0, "SECONDS", "give up after that (default: never)"},
    {0},
};

static const cs_option_t trash_restore_options[] = {
    {"to", 0, "PATH", "where to put it (default: where it was)"},
    {0},
};

static const cs_option_t demo_options[] = {
    {"nodes", 0, "N", "how many nodes (default: 3)"},
    {0},
};

const cs_command_t cs_commands[] = {
    {CS_SETUP, "init", "[--name NAME] [--listen ENDPOINT]...",
     "make this node's home: its identity and configuration", init_options,
     "init --name laptop --listen 'tcp://*:24242'", 0, 0, cs_run_init},
    {CS_SETUP, "id", "", "print the node id, which is its public key", NULL, "id", 0, 0,
     cs_run_id},
    {CS_SETUP, "folder add", "PATH [--id NAME] [--modes all|exec] [--key-file FILE]",
     "make PATH a replicated folder", folder_add_options, "folder add ~/photos --id photos", 1,
     1, cs_run_folder_add},
    {CS_SETUP, "folder list", "", "list the folders", NULL, "folder list", 0, 0,
     cs_run_folder_list},
    {CS_SETUP, "folder key", "FOLDER", "print a folder's secret, for folder add --key-file",
     NULL, "folder key photos > photos.key", 1, 1, cs_run_folder_key},
    {CS_SETUP, "folder set", "FOLDER KEY=VALUE...",
     "change settings: scan (cron, @hourly, @every 30s), verify (same, by reading every file), "
     "pause and resume (cron), watch (auto, inotify, fanotify, off), brake (off, 5000, 10%), "
     "trash-mib, durability (strict, group, none); an empty value is "
     "the default",
     NULL, "folder set photos 'scan=*/5 8-18 * * mon-fri'", 2, CS_ARGS_ANY, cs_run_folder_set},
    {CS_SETUP, "folder remove", "FOLDER",
     "forget a folder; its files stay where they are, its invites are revoked", NULL,
     "folder remove photos", 1, 1, cs_run_folder_remove},
    {CS_SETUP, "invite", "[FOLDER] [--uses N] [--endpoint ENDPOINT]...",
     "print a token with which another node joins a folder", invite_options, "invite photos", 0,
     1, cs_run_invite},
    {CS_SETUP, "invite list", "", "list the open invites", NULL, "invite list", 0, 0,
     cs_run_invite_list},
    {CS_SETUP, "invite revoke", "FOLDER", "let nobody in any more by the invites of a folder",
     NULL, "invite revoke photos", 1, 1, cs_run_invite_revoke},
    {CS_SETUP, "join", "TOKEN PATH [--name NAME] [--timeout SECONDS]",
     "become a replica of a folder, at PATH; the inviting node must be running", join_options,
     "join crdtsync1:AbC... ~/photos", 2, 2, cs_run_join},
    {CS_SETUP, "peer add", "ID [ENDPOINT] [--name NAME] [--folder FOLDER]...",
     "let a node in, dial it if its endpoint is given, and share folders with it",
     peer_add_options, "peer add 5ae1... tcp://desk.lan:24242 --folder photos", 1, 2,
     cs_run_peer_add},
    {CS_SETUP, "peer list", "", "list the other nodes", NULL, "peer list", 0, 0,
     cs_run_peer_list},
    {CS_SETUP, "peer remove", "PEER",
     "cut a node off, at all members; peer add or an invite lets it in again", NULL,
     "peer remove 5ae1...", 1, 1, cs_run_peer_remove},
    {CS_SETUP, "config check", "", "print every mistake in the configuration", NULL,
     "config check", 0, 0, cs_run_config_check},
    {CS_RUNNING, "node", "[--log-level error|warning|info|debug] [--log-json]",
     "run the node: serve, dial, scan and apply until SIGTERM or Ctrl-C", node_options, "node",
     0, 0, cs_run_node},
    {CS_RUNNING, "ping", "", "succeed if the node of this home runs", NULL, "ping", 0, 0,
     cs_run_ping},
    {CS_RUNNING, "scan", "[FOLDER] [PATH]... [--full]", "look for changes on disk now",
     scan_options, "scan photos", 0, CS_ARGS_ANY, cs_run_scan},
    {CS_RUNNING, "sync", "--once [--timeout SECONDS]",
     "scan, exchange with every peer that can be reached, apply, and end; for a machine "
     "without "
     "a node that stays",
     sync_options, "sync --once --timeout 600", 0, 0, cs_run_sync},
    {CS_RUNNING, "wait", "[FOLDER] [--peers N] [--timeout SECONDS]",
     "wait until everything is on this disk and on the others'", wait_options,
     "wait photos --peers 1 --timeout 60", 0, 1, cs_run_wait},
    {CS_RUNNING, "held", "[FOLDER]", "list the folders that a safety brake holds", NULL, "held",
     0, 1, cs_run_held},
    {CS_RUNNING, "held accept", "FOLDER", "let pass what a safety brake holds", NULL,
     "held accept photos", 1, 1, cs_run_held_accept},
    {CS_RUNNING, "held reject", "FOLDER",
     "put back what a safety brake holds; what was written instead goes to the trash", NULL,
     "held reject photos", 1, 1, cs_run_held_reject},
    {CS_RUNNING, "pause", "[FOLDER]",
     "stop exchanging and applying, until resumed; scans go on", NULL, "pause photos", 0, 1,
     cs_run_pause},
    {CS_RUNNING, "resume", "[FOLDER]", "go on exchanging and applying", NULL, "resume photos",
     0, 1, cs_run_resume},
    {CS_RUNNING, "trash", "[FOLDER]",
     "list what others' changes replaced or deleted: the oldest goes first, beyond trash-mib",
     NULL, "trash photos", 0, 1, cs_run_trash},
    {CS_RUNNING, "trash restore", "PATH [--to PATH]",
     "take a file out of the trash: the newest that was at PATH, or the FILE that trash names; "
     "never replaces anything",
     trash_restore_options, "trash restore ~/photos/2024/sea.jpg", 1, 1, cs_run_trash_restore},
    {CS_RUNNING, "reincarnate", "[FOLDER]",
     "take a fresh replica id; needed after the home was put back from a backup", NULL,
     "reincarnate photos", 0, 1, cs_run_reincarnate},
    {CS_LOOKING, "status", "[--watch]",
     "print how the node, its folders and its peers are: what is on disk, what is missing, and "
     "why",
     status_options, "status --watch", 0, 0, cs_run_status},
    {CS_LOOKING, "events", "[--since N]",
     "print what happens, a line an event, until it is stopped; with --since, also what "
     "happened "
     "after the one of that number, as far as it is kept: the newest 4096, or 1 MiB of them; a "
     "gap is said",
     events_options, "events --since 0 --json", 0, 0, cs_run_events},
    {CS_LOOKING, "digest", "[FOLDER]",
     "print the digest of a folder: equal digest, equal state", NULL, "digest photos", 0, 1,
     cs_run_digest},
    {CS_LOOKING, "ls", "[FOLDER] [PREFIX]",
     "list the replicated tree, also what is not on disk yet", NULL, "ls photos 2024/", 0, 2,
     cs_run_ls},
    {CS_LOOKING, "resolve", "PATH --keep shown|all|SIBLING",
     "end the conflict of PATH, as rm and mv would: delete its siblings, put SIBLING's bytes "
     "in "
     "its place, or give all of them ordinary names; what is replaced goes to the trash",
     resolve_options, "resolve ~/notes/todo.txt --keep shown", 1, 1, cs_run_resolve},
    {CS_LOOKING, "search", "PATTERN [--peers]",
     "list the paths that contain PATTERN; with one of * ? [ in it, it has to match the whole "
     "name, and with a / as well, the whole path",
     search_options, "search '*.jpg' --peers", 1, 1, cs_run_search},
    {CS_LOOKING, "explain", "PATH",
     "say why PATH looks as it does: its versions, who wrote them and the rule that orders "
     "them; "
     "whence it was moved, what is missing and who has it, the rule that ignores it",
     NULL, "explain ~/photos/cat.jpg", 1, 1, cs_run_explain},
    {CS_LOOKING, "conflicts", "[FOLDER]", "list the paths that have siblings", NULL,
     "conflicts photos", 0, 1, cs_run_conflicts},
    {CS_LOOKING, "check", "[FOLDER]",
     "verify the index against its digest, and every byte on disk against the index; change "
     "nothing; fail if anything is wrong",
     NULL, "check photos", 0, 1, cs_run_check},
    {CS_LOOKING, "doctor", "[FOLDER]",
     "try out what this machine and the file systems of folders offer: what is weaker, what "
     "follows from it, and the command that mends it (-q: only that)",
     NULL, "doctor photos", 0, 1, cs_run_doctor},
    {CS_RUNNING, "demo", "[--nodes N]",
     "show several nodes on this machine that agree, in a temporary directory", demo_options,
     "demo --nodes 4", 0, 0, cs_run_demo},
    {0},
};
