# table.sh - sourced: the table of commands as the program itself tells it, and how a test fails.
set -eu
B=${CRDTSYNC_BIN:?} BUILD=${CRDTSYNC_BUILD:?} SOURCE=${CRDTSYNC_SOURCE:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME="$tmp/user" LC_ALL=C.UTF-8
mkdir "$HOME"
unset XDG_STATE_HOME CRDTSYNC_HOME NOTIFY_SOCKET

bad=0
fail() {
    echo "FAILED: $*" >&2
    bad=1
}

# One command a line: "scan", "folder add".
commands() { "$B" --help | sed -n 's/^  \([a-z ]*[a-z]\)  .*/\1/p'; }
# The long options of a command, one a line, with their dashes.
options() {
    # shellcheck disable=SC2086
    "$B" $1 --help | sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p'
}

test "$(commands | wc -l)" -ge 20 || fail "the list of commands cannot be read"
test "$(options init | head -1)" = --name || fail "the list of options cannot be read"
