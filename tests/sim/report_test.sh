#!/bin/sh
# report_test - the pages of crdtsync-sim are what they say: well-formed, self-contained, drawn.
#
# xmllint reads each page as XML and looks for what must be in it. Where a headless Chromium is
# installed it opens the pages, too: all that is drawn must lie within its picture, no text upon
# another one's, and nothing may be fetched.
set -eu
sim=${CRDTSYNC_SIM:?}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
fail() {
    echo "report_test: $*" >&2
    bad=1
}

count() { # FILE XPATH
    xmllint --nonet --xpath "count($2)" "$1"
}
at_least() { # FILE NUMBER XPATH WHAT
    got=$(count "$1" "$3")
    [ "$got" -ge "$2" ] || fail "$(basename "$1"): $got $4, expected $2 or more"
}
svg='//*[local-name()="svg"]'
text='//*[local-name()="text"]'

"$sim" scale --nodes 4,8 --changes 5 --report "$dir/scale.html" >"$dir/table"
"$sim" scale --nodes 4 --changes 5 --churn 50 --loss 20 --topology 4 --json >"$dir/json"
"$sim" run --seed 3 --nodes 4 --ops 25 --faults all --quiet --report "$dir/run.html"
"$sim" replay "$(dirname "$0")/save_in_tick_of_apply.history" --quiet --report "$dir/replay.html"

[ "$(grep -c ' mesh ' "$dir/table")" = 2 ] || fail "the table has not two rows of meshes"
[ "$(grep -c ' eight ' "$dir/table")" = 2 ] || fail "the table has not two rows of eight"
jq -e '.[0] | .ok and .nodes == 4 and .one.equal_us > 0 and .many.bytes > 0' "$dir/json" >/dev/null ||
    fail "the JSON of a lossy run does not say that all became equal"

refused() { # WORDS...
    if "$sim" scale "$@" >/dev/null 2>&1; then fail "scale $* was not refused"; fi
}
refused --nodes 1
refused --nodes 2001
refused --nodes 257 --topology 0
refused --nodes 10..4
refused --nodes 4 --topology 2
refused --nodes 4 --members some
"$sim" scale --nodes 12 --changes 3 --members neighbours --topology 4 --json >"$dir/json"
jq -e ".[0] | .ok and .members == \"neighbours\"" "$dir/json" >/dev/null || fail "neighbours only: not equal"

for page in scale run replay; do
    xmllint --noout --nonet "$dir/$page.html" || fail "$page: not well-formed"
    [ "$(count "$dir/$page.html" '//@src | //@href | //*[local-name()="script"]')" = 0 ] ||
        fail "$page: refers to something else"
done
at_least "$dir/scale.html" 7 "$svg" plots
at_least "$dir/scale.html" 8 '//*[local-name()="polyline"]' curves
at_least "$dir/scale.html" 4 "$text"'[contains(., "nodes (logarithmic)") or contains(., "% of nodes")]' axes
for page in run replay; do
    at_least "$dir/$page.html" 2 "$text"'[@class="title"]' lanes
    at_least "$dir/$page.html" 10 '//*[local-name()="rect"][contains(@fill, "hsl")]' digests
    at_least "$dir/$page.html" 10 '//*[local-name()="line"][contains(., "bytes")]' messages
done
at_least "$dir/run.html" 1 "$text"'[.="faults end"]' 'rest points'

browser=$(command -v chromium-headless-shell || command -v chromium || true)
if [ -z "$browser" ]; then
    echo "report_test: no chromium here: the pages were not opened"
    exit $bad
fi
# Measures, in the page itself: titles are tooltips, and lines may cross anything.
cat >"$dir/check.js" <<'EOF'
const problems = [];
for (const svg of document.querySelectorAll('svg')) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
    for (const [t, r] of texts) {
        if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 ||
            r.bottom > frame.bottom + 1) problems.push('outside: ' + t.textContent);
    }
    for (let i = 0; i < texts.length; i++) {
        for (let k = i + 1; k < texts.length; k++) {
            const a = texts[i][1], b = texts[k][1];
            if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 &&
                b.top < a.bottom - 2)
                problems.push('overlap: ' + texts[i][0].textContent + ' / ' + texts[k][0].textContent);
        }
    }
}
const drawn = document.querySelectorAll('svg text').length;
document.title = 'checked ' + drawn + ' texts, ' + problems.length + ' problems: ' + problems.slice(0, 5).join('; ');
EOF
for page in scale run replay; do
    { sed '$d' "$dir/$page.html"; echo "<script>"; cat "$dir/check.js"; echo "</script></body></html>"; } >"$dir/$page.checked.html"
    timeout 120 "$browser" --no-sandbox --headless --disable-gpu --user-data-dir="$dir/profile" --dump-dom \
        "file://$dir/$page.checked.html" 2>"$dir/err" >"$dir/dom" || fail "$page: the browser failed: $(tail -n 2 "$dir/err")"
    title=$(sed -n 's:.*<title>\(checked[^<]*\)</title>.*:\1:p' "$dir/dom" | head -n 1)
    case $title in
    *" 0 problems: ") echo "report_test: $page: $title" ;;
    *) fail "$page: ${title:-the page was not measured}" ;;
    esac
done
exit $bad
