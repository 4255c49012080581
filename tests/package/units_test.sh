#!/bin/sh
# units_test.sh - what the systemd units forbid, the program does not do: every system call of a
# demo (nodes, joins, scans, applying) is in the set that they allow.
. "$(dirname "$0")/table.sh"
watching='fanotify_init fanotify_mark open_by_handle_at'
allowed=$(sed -n 's/^SystemCallFilter=//p' "$SOURCE/packaging/systemd/crdtsync.service.in")
test "$allowed" = "@system-service $watching" || fail "the filter is '$allowed': make this test understand it"

# Sets within sets, until only names of calls are left.
expand() {
    systemd-analyze syscall-filter "$1" 2>/dev/null | sed -n 's/^ \+\([@a-z0-9_-]\+\)$/\1/p' |
        while read -r name; do
            case $name in
            @*) expand "$name" ;;
            *) echo "$name" ;;
            esac
        done
}
{ expand @system-service; expand @default; echo "$watching" | tr ' ' '\n'; } | sort -u >"$tmp/allowed"
test "$(wc -l <"$tmp/allowed")" -ge 200 || fail "systemd's list cannot be read"

strace -f -qq -c -U name -o "$tmp/calls" "$B" demo --nodes 2 >"$tmp/out" 2>&1 || fail "no demo: $(cat "$tmp/out")"
grep -oE '[a-z0-9_]+$' "$tmp/calls" | grep -vxE 'syscall|total' | sort -u >"$tmp/used"
test "$(wc -l <"$tmp/used")" -ge 50 || fail "strace's list cannot be read"
comm -13 "$tmp/allowed" "$tmp/used" >"$tmp/forbidden"
test ! -s "$tmp/forbidden" || fail "the units forbid: $(paste -sd ' ' "$tmp/forbidden")"

# Memory is never both writable and executable, and families of sockets are those listed.
strace -f -qq -e trace=mmap,mprotect,socket -o "$tmp/trace" "$B" demo --nodes 2 >/dev/null 2>&1
grep -E 'PROT_WRITE.*PROT_EXEC' "$tmp/trace" >&2 && fail "memory is writable and executable"
grep -oE 'socket\((AF_[A-Z0-9]+)' "$tmp/trace" | cut -d '(' -f 2 | sort -u >"$tmp/families"
while read -r family; do
    grep -qw "$family" "$SOURCE/packaging/systemd/crdtsync.service.in" || fail "the units forbid $family"
done <"$tmp/families"
test -s "$tmp/families" || fail "no socket was seen"
exit $bad
