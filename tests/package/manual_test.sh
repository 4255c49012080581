#!/bin/sh
# manual_test.sh - the manual pages name every command and option, and are clean.
. "$(dirname "$0")/table.sh"
page=$BUILD/docs/crdtsync.1
config=$SOURCE/docs/man/crdtsync-config.5

for file in "$page" "$config"; do
    # Pages of other packages need not be installed.
    mandoc -T lint -W style "$file" 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db' >&2 &&
        fail "mandoc does not like $file"
    complaints=$(groff -mandoc -ww -Tutf8 -z "$file" 2>&1)
    test -z "$complaints" || fail "groff does not like $file: $complaints"
done

mandoc -T ascii -O width=500 "$page" | sed 's/.\x08//g' >"$tmp/page"
commands >"$tmp/commands"
while read -r command; do
    grep -qE "^ +$command( |\$)" "$tmp/page" || fail "the page lacks the command $command"
    grep -qF "crdtsync $command" "$tmp/page" || fail "the page lacks an example of $command"
    options "$command" >"$tmp/options"
    sed -n "/^     $command\( \|\$\)/,/crdtsync $command/p" "$tmp/page" >"$tmp/part"
    sed -n '/^OPTIONS/,/^COMMANDS/p' "$tmp/page" >>"$tmp/part"
    while read -r option; do
        grep -qE "^ +(-., )?$option( |\$)" "$tmp/part" || fail "the page lacks $option of $command"
    done <"$tmp/options"
done <"$tmp/commands"

# The keys of a configuration and of a folder's settings are those that the program knows.
mandoc -T ascii "$config" | sed 's/.\x08//g' >"$tmp/config"
"$B" init >/dev/null
section=
while read -r word rest; do
    case $rest in
    '='*) grep -qE "^ +$section / $word\$" "$tmp/config" || fail "the page lacks the key $section/$word" ;;
    *) section=$word ;;
    esac
done <<EOF
$(grep -v '^#' "$HOME/.local/state/crdtsync/config")
EOF
mkdir "$tmp/folder"
"$B" folder add "$tmp/folder" --id f >/dev/null
settings=$("$B" folder set f no-such=1 2>&1 | sed 's/.*there are //; s/,//g; s/ and / /')
test "$(echo "$settings" | wc -w)" -ge 5 || fail "the list of settings cannot be read: $settings"
for setting in $settings; do
    grep -qE "^ +$setting( |\$)" "$tmp/config" || fail "the page lacks the setting $setting"
done
exit $bad
