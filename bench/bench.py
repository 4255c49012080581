"""bench.py - runs the lines and writes what they found: see scripts/bench, which calls it."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile

import daily
import draw
import lines
import peers
from world import Failure, World, devices

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = {tool.name: tool for tool in peers.TOOLS}
LINES = {**lines.LINES, **daily.LINES}


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures crdtsync beside other tools, in one run.",
        epilog="example: scripts/bench small --runs 5 --dir /srv")
    parser.add_argument("lines", nargs="*", metavar="LINE", help="what to measure (default: all)")
    parser.add_argument("--list", action="store_true", help="print the lines, and end")
    parser.add_argument("--runs", type=int, default=3, help="of each line with each tool")
    parser.add_argument("--tools", default="", help="only these, comma between them")
    parser.add_argument("--dir", default=os.environ.get("TMPDIR", "/tmp"),
                        help="on the disk to measure: 12 GiB free at least, better 150")
    parser.add_argument("--out", default="bench-results", help="directory of the results")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--make-tree", required=True, help=argparse.SUPPRESS)
    found = parser.parse_args()
    for name in found.lines:
        if name not in LINES:
            parser.error(f"no line {name}; there are: {' '.join(LINES)}")
    for name in filter(None, found.tools.split(",")):
        if name not in TOOLS:
            parser.error(f"no tool {name}; there are: {', '.join(TOOLS)}")
    if found.runs < 1:
        parser.error("--runs: at least 1")
    if found.list:
        return found
    if not os.path.isdir(found.dir) or not os.access(found.dir, os.W_OK | os.X_OK):
        parser.error(f"--dir {found.dir}: no directory to write in: make it, or name another")
    try:
        pathlib.Path(found.out).mkdir(parents=True, exist_ok=True)  # before hours of measuring
    except OSError as error:
        parser.error(f"--out {found.out}: {error.strerror}")
    return found


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def machine():
    """What the figures are true of."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    git = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
            "commit": git.stdout.strip(), "date": datetime.date.today().isoformat(),
            "tools": {n: t.version() for n, t in TOOLS.items() if not t.missing() and t.version()}}


def measure_once(line, tool, world, results):
    made = []

    def make(of):
        made.append(tool(of))
        return made[-1]

    try:
        for key, value in line.measure(world, make).items():
            results.setdefault(key, {}).setdefault(tool.name, []).append(value)
        return None
    except (Failure, OSError, subprocess.SubprocessError) as failure:
        return f"{line.name}, {tool.name}: {failure}"
    finally:
        for tool_made in made:
            tool_made.stop()


def measure(line, tools, runs, world):
    """Every tool once, then every tool again: a slow minute of the machine hits all of them."""
    results, failures = {}, []
    for turn in range(runs):
        for name in line.tools:
            if tools and name not in tools:
                continue
            missing = TOOLS[name].missing()
            if missing:
                failures.append(f"{line.name}, {name}: not installed ({', '.join(missing)})")
                continue
            if not world.make_room():
                say("bench: no room: removed what was measured; the disk may be slow for a while")
            say(f"bench: {line.name}, {name}, run {turn + 1} of {runs}")
            failure = measure_once(line, TOOLS[name], world, results)
            if failure:
                failures.append(failure)
                say(f"bench: FAILED: {failure}")
    return results, sorted(set(failures))


def record(line, results):
    """[{figure, unit, reference, goal, samples, medians, reached}] of one line."""
    rows = []
    for key, figure in line.figures.items():
        samples = results.get(key, {})
        medians = {name: statistics.median(values) for name, values in samples.items()}
        row = {"line": line.name, "key": key, "title": figure.title, "unit": figure.unit,
               "reference": figure.reference, "goal": figure.goal, "samples": samples,
               "median": medians, "value": None, "reached": None}
        ours = medians.get("crdtsync")
        base = 1.0 if figure.reference is None else medians.get(figure.reference)
        if ours is not None and base:
            row["value"] = ours / base
            if figure.goal is not None:
                better = row["value"] >= figure.goal if figure.higher_is_better else \
                    row["value"] <= figure.goal
                row["reached"] = better
        rows.append(row)
    return rows


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def text(about, rows, failures):
    out = [f"crdtsync {about['commit']}, {about['date']}; {about['cores']} x {about['cpu']}, "
           f"Linux {about['kernel']}",
           "; ".join(f"{name}: {version}" for name, version in about["tools"].items()),
           "medians; in brackets the least and the most; both ends on this machine", ""]
    for row in rows:
        goal = "" if row["goal"] is None else \
            f"  (goal {row['goal']:g}" + (f" x {row['reference']}" if row["reference"] else "") + \
            {True: ", reached)", False: ", NOT reached)", None: ")"}[row["reached"]]
        out.append(f"{row['line']}: {row['title']} [{row['unit']}]{goal}")
        ours = row["median"].get("crdtsync")
        for name, values in row["samples"].items():
            beside = f"  {row['median'][name] / ours:8.2f} x crdtsync" \
                if ours and name != "crdtsync" else ""
            out.append(f"    {name:<22} {number(row['median'][name]):>8}  "
                       f"({number(min(values))} to {number(max(values))}){beside}")
    out += [""] + [f"failed: {failure}" for failure in failures] if failures else []
    return "\n".join(out) + "\n"


def main():
    asked = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # daemons end with us
    if asked.list:
        for line in LINES.values():
            print(f"{line.name:<9} {line.title}: {', '.join(line.tools)}")
        return 0
    if list(devices()) != ["lo"]:
        say("bench: this is not a network namespace of its own: start it by scripts/bench")
        return 2
    peers.Crdtsync.binary = asked.binary
    world = World(tempfile.mkdtemp(prefix="crdtsync-bench-", dir=asked.dir), asked.make_tree)
    tools, rows, failures = set(filter(None, asked.tools.split(","))), [], []
    out = pathlib.Path(asked.out)
    about = machine()
    try:
        for name in asked.lines or LINES:
            results, failed = measure(LINES[name], tools, asked.runs, world)
            rows += record(LINES[name], results)
            failures += failed
            (out / "bench.json").write_text(json.dumps(
                {"machine": about, "runs": asked.runs, "figures": rows, "failures": failures},
                indent=1) + "\n")
            (out / "bench.txt").write_text(text(about, rows, failures))
            (out / "bench.svg").write_text(draw.page(about, rows))
    except KeyboardInterrupt:
        say("bench: stopped; what was measured until now is in", out)
        return 130
    finally:
        world.remove()
    print(text(about, rows, failures), end="")
    say(f"bench: written: {out}/bench.txt, bench.json, bench.svg")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
