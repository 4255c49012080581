#!/bin/sh
# scripts/bench tells what it measures, refuses what it does not know, and draws what it found; the
# measuring itself is its user's business.
. "$(dirname "$0")/table.sh"
export PYTHONDONTWRITEBYTECODE=1

"$SOURCE/scripts/bench" --list >"$tmp/list"
grep -q '^small .*crdtsync' "$tmp/list" || fail "no line small in the list"
refused() { # refused WORDS ARGS...: ends with 2 and says so
    words=$1 code=0
    shift
    python3 "$SOURCE/bench/bench.py" --binary none --make-tree none "$@" 2>"$tmp/error" || code=$?
    [ "$code" = 2 ] && grep -q -e "$words" "$tmp/error" || fail "not refused with '$words': $*"
}
: >"$tmp/file"
refused 'no line smal' smal
refused 'no tool rsink' small --tools rsink
refused 'at least 1' small --runs 0
refused '--dir .*/none: no directory to write in' small --dir "$tmp/none" --out "$tmp/out"
refused '--dir .*/file: no directory to write in' small --dir "$tmp/file" --out "$tmp/out"
refused '--out .*/file' small --dir "$tmp" --out "$tmp/file"

cd "$SOURCE/bench"
python3 - "$tmp" <<'PY'
import pathlib, sys
import bench, draw, lines

line = lines.LINES["small"]
results = {"time": {"crdtsync": [3.0, 1.0, 2.0], "cp -a": [0.5, 0.5, 0.9]}}
rows = bench.record(line, results)
time = next(row for row in rows if row["key"] == "time")
assert time["median"] == {"crdtsync": 2.0, "cp -a": 0.5} and time["value"] == 4.0, time
assert time["reached"] is False, "2.5 times cp is the goal"
assert next(row for row in rows if row["key"] == "wire")["reached"] is None, "nothing measured"
gain = lines.LINES["sources"]
rows += bench.record(gain, {"gain": {"crdtsync": [1.9]}})
assert rows[-1]["reached"] is True, "more is better there"
about = {"commit": "x<y", "date": "2026-01-01", "cores": 2, "cpu": "a & b", "kernel": "6",
         "tools": {"crdtsync": "1"}}
text = bench.text(about, rows, ["small, unison: not installed (unison)"])
assert "NOT reached" in text and "0.25 x crdtsync" in text and "not installed" in text, text
pathlib.Path(sys.argv[1], "page.svg").write_text(draw.page(about, rows))
PY
xmllint --noout "$tmp/page.svg" || fail "the page of plots is no XML"
exit $bad
