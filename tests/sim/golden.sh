#!/bin/sh
# golden.sh SIM NAME GOLDEN [update] - the story of a scenario is the one that was kept, but for
# the hash in its last line. With `update` what is told now is kept from then on; for all of
# them: cmake --build --preset release --target golden, and then read the diff.
set -eu
sim=$1
name=$2
golden=$3
lines_max=60 # so that a person can read it

story=$("$sim" scenario "$name" | sed 's/, [0-9]* events, trace [0-9a-f]*//')
if [ "${4:-}" = update ]; then
    printf '%s\n' "$story" >"$golden"
fi
if ! printf '%s\n' "$story" | diff -u "$golden" -; then
    echo "golden: $name is told differently: see the comment of $0" >&2
    exit 1
fi
# What a story is about depends on moments, and those move when the engine does.
case $name in
power-cut) point='dies within apply' ;;
full-disk) point='apply.failed' ;;
restored-backup) point='new incarnation' ;;
two-edits | editor-saves | laptop-returns | file-against-directory) point='note conflict' ;;
file-along-a-chain) point='<- B parts' ;;
*) point=': ok' ;;
esac
if ! grep -q "$point" "$golden"; then
    echo "golden: $name does not show its point any more ($point): move its actions" >&2
    exit 1
fi
if [ "$(wc -l <"$golden")" -gt "$lines_max" ]; then
    echo "golden: $name has more than $lines_max lines" >&2
    exit 1
fi
