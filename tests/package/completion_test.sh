#!/bin/sh
# completion_test.sh - bash, zsh and fish complete every command, every option, and what is in a
# home.
. "$(dirname "$0")/table.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$tmp"

# What a shell offers for the last word of a line, one candidate a line, sorted.
offers() {
    case $1 in
    bash) bash --norc "$here/complete.bash" "$BUILD/docs/crdtsync.bash" "$2" ;;
    zsh) zsh -f "$here/complete.zsh" "$BUILD/docs/crdtsync.zsh" "$2" ;;
    fish) fish --no-config -c "source $BUILD/docs/crdtsync.fish; complete -C '$2'" | cut -f 1 ;;
    esac | sort -u
}

# expect SHELL LINE WORD...: just those are offered.
expect() {
    shell=$1 line=$2
    shift 2
    printf '%s\n' "$@" | sed '/^$/d' | sort -u >"$tmp/$shell.wanted"
    offers "$shell" "$line" >"$tmp/$shell.offered"
    cmp -s "$tmp/$shell.wanted" "$tmp/$shell.offered" ||
        fail "$shell: '$line' offers '$(paste -sd ' ' "$tmp/$shell.offered")', not '$(paste -sd ' ' "$tmp/$shell.wanted")'"
}

"$B" init >/dev/null
"$B" init --home "$tmp/other" >/dev/null
mkdir "$tmp/photos" "$tmp/papers" "$tmp/elsewhere"
"$B" folder add photos --id photos >/dev/null
"$B" folder add papers --id papers >/dev/null
"$B" --home other folder add elsewhere --id elsewhere >/dev/null
peer=$("$B" --home other id)
"$B" peer add "$peer" >/dev/null
commands >"$tmp/commands"

check() {
    shell=$1
    # shellcheck disable=SC2046
    expect $shell 'crdtsync ' help $(cut -d ' ' -f 1 "$tmp/commands")
    while read -r command; do
        # shellcheck disable=SC2046
        expect $shell "crdtsync $command --" $(options "$command")
    done <"$tmp/commands"
    expect $shell 'crdtsync fo' folder
    # shellcheck disable=SC2046
    expect $shell 'crdtsync peer ' $(sed -n 's/^peer //p' "$tmp/commands")
    expect $shell 'crdtsync folder add --modes ' all exec
    expect $shell 'crdtsync node --log-level w' warning
    expect $shell 'crdtsync wait p' photos papers
    expect $shell 'crdtsync -q wait --peers 2 p' photos papers
    expect $shell "crdtsync --home $tmp/other digest " elsewhere
    expect $shell 'crdtsync digest --home other ' elsewhere
    expect $shell 'crdtsync folder set photos br' brake=
    expect $shell 'crdtsync folder set photos scan=@hourly tra' trash-mib=
    # Where nothing is left, zsh reminds of the options.
    test $shell = zsh || expect $shell 'crdtsync wait photos ' ''
    offers $shell 'crdtsync join TOKEN el' | grep -qxE 'elsewhere/?' || fail "$shell: no directories"
    return $bad
}

# All at once: a shell takes a while to start.
pids=
for shell in bash zsh fish; do
    check $shell &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || bad=1
done
exit $bad
