#!/bin/sh
# cli.sh SIM - the simulator's command line: exit codes, what a failure says, help, typing errors.
set -eu
sim=$(realpath "$1")
data=$(cd "$(dirname "$0")/cli" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

with= # a command that runs it

# check WHAT EXIT-CODE WORDS ARGUMENT... - runs it; the output, stderr as well, has the words.
check() {
    what=$1 expected=$2 words=$3
    shift 3
    code=0
    $with "$sim" "$@" >"$scratch/out" 2>&1 || code=$?
    if [ "$code" -ne "$expected" ]; then
        echo "cli: $what: exit code $code, not $expected:" >&2
        cat "$scratch/out" >&2
        exit 1
    fi
    if ! grep -q -e "$words" "$scratch/out"; then
        echo "cli: $what: nothing says \"$words\":" >&2
        cat "$scratch/out" >&2
        exit 1
    fi
}

small="--nodes 2 --ops 10"

check "a good seed" 0 '^sim: seed 1: 2 nodes, .* trace [0-9a-f]\{64\}: ok' run --seed 1 $small
check "as JSON" 0 '^{"seed": 1, "nodes": 2, .*"ok": true' run --seed 1 $small --json
check "a trace" 0 ' A starts' run --seed 1 $small --trace
check "a few seeds" 0 '^sim: swarm: 3 seeds from 5 to 7: ok' swarm --count 3 --seed 5 $small
check "sums as JSON" 0 '^{"seeds": 3, .*"ok": true' swarm --count 3 --seed 5 $small --json
check "nothing to shrink" 1 'does not fail' shrink --seed 1 $small

slow=$data/too_slow.history
check "a failure" 1 'FAILED: not settled within' replay "$slow"
check "what replays it" 1 "^sim: replay: crdtsync-sim replay $slow" replay "$slow"
check "the same as JSON" 1 '"violation": "not settled' replay "$slow" --json
check "that command" 1 'FAILED: not settled within' replay "$slow" --quiet

printf 'crdtsync-sim history 1\noption nodes=2\n1.000 A svae path=a number=1\n' >"$scratch/bad"
check "a malformed line" 2 'bad, line 3: an unknown action' replay "$scratch/bad"
echo hello >"$scratch/bad"
check "no history" 2 'bad, line 1: not a history' replay "$scratch/bad"
check "no such file" 2 'cannot be read' replay "$scratch/none"
check "no file" 2 'one file is expected' replay

check "a wrong command" 2 'did you mean replay' relpay
check "a wrong option" 2 'did you mean --nodes' run --seed 1 --ndoes 2
check "a short option" 2 '-x: no such option' run -x
check "a value out of range" 2 'not a number in its range' run --nodes 99
check "a value that is missing" 2 'its value is missing' run --seed
check "a group of faults" 2 'none of none, net, disk, all' run --faults nets
check "one argument too many" 2 'one argument too many' run 7
with='timeout --preserve-status -s INT 2'
check "a swarm that is interrupted" 130 '^sim: swarm: [1-9][0-9]* seeds from 1 to [0-9]*: ok' \
    swarm --count 100000000 --seed 1 --jobs 2 $small
with=

check "a swarm without end" 2 'until when' swarm
check "a wrong scenario" 2 'did you mean two-edits' scenario two-edit

check "help" 0 'crdtsync-sim COMMAND --help' --help
for command in run swarm replay shrink scenario; do
    check "help on $command" 0 "^crdtsync-sim $command " "$command" --help
    check "its example" 0 "^Example: crdtsync-sim $command " "$command" --help
    check "its exit codes" 0 '^Exit code: 0 ' "$command" --help
done
check "the list" 0 '^two-edits  *Two people' scenario
check "the list as JSON" 0 '^\[{"name": "editor-saves", "about": "An editor' scenario --json
cd / # scenarios are in the program
check "a scenario" 0 ': ok$' scenario two-edits
check "as JSON" 0 '"ok": true' scenario two-edits --json
