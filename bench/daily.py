"""daily.py - more of what is measured (lines.py): a folder of a million files, an archive that is
unpacked, a file that grows all the time. Folders are watched, as they are by default.
"""
import os
import statistics
import subprocess
import tarfile
import time

from lines import Figure, Line, REST_SECONDS, check_same, in_background, seconds
from world import Failure, MemoryPeak, memory, until

MILLION = 1000000
IDLE_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """Of all its threads, in the program and in the kernel."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Million(Line):
    """One node, one folder, nobody to talk with."""
    name, title = "million", "a folder of 1,000,000 files at rest"
    tools = ("crdtsync",)
    figures = {
        "rest": Figure("memory at rest, 1,000,000 files", "MiB", None, 48),
        "resident": Figure("resident at rest, mapped files included", "MiB", None, 128),
        "start": seconds("from the start of a node until it answers", None, 1),
        "digest": Figure("a digest, median", "ms", None, None),
        "scan": seconds("a scan of 1,000,000 files finds no change", None, 10),
        "more": Figure("memory that this scan takes beside that at rest", "MiB", None, 64),
        "idle": Figure("processor time between scans", "% of a core", None, 0.1),
    }

    def measure(self, world, make):
        tool = make(world)
        tool.node("a", tool.a)
        world.tree(MILLION, 16, 200).rename(tool.a / "tree")
        node = tool.up("a")
        tool.ask("a", "scan", "bench")
        tool.stop()  # what the first scan needed is of no interest
        begin = time.monotonic()
        node = tool.up("a")
        found = {"start": time.monotonic() - begin}
        tool.ask("a", "scan", "bench")
        time.sleep(REST_SECONDS)
        found["rest"], found["resident"] = memory(node.pid)
        took = []
        for _ in range(20):
            begin = time.monotonic()
            tool.ask("a", "digest", "bench")
            took.append((time.monotonic() - begin) * 1e3)
        found["digest"] = statistics.median(took)
        with MemoryPeak(node.pid) as peak:
            begin = time.monotonic()
            tool.scan()
            found["scan"] = time.monotonic() - begin
        found["more"] = max(peak.own - found["rest"], 0)
        time.sleep(REST_SECONDS)
        before = cpu_seconds(node.pid)
        time.sleep(IDLE_SECONDS)
        found["idle"] = (cpu_seconds(node.pid) - before) / IDLE_SECONDS * 100
        return found


class Unpack(Line):
    """tar writes into a watched folder; nobody tells the node."""
    name, title = "unpack", "an archive of 100,000 files of 1 KiB is unpacked into a watched folder"
    tools = ("crdtsync",)
    count = 100000
    figures = {
        "unpack": seconds("tar -x of 100,000 files"),
        "after": seconds("from its end until the other node has all"),
        "ratio": Figure("that, beside the time that tar took", "x", None, 1),
        "sender": Figure("memory of the sender meanwhile", "MiB", None, 128),
        "receiver": Figure("memory of the receiver meanwhile", "MiB", None, 128),
    }

    def measure(self, world, make):
        tree = world.tree(self.count, 1024, 100)
        archive = world.fresh("archive") / "tree.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, "tree")
        tool = make(world)
        tool.start()
        tool.sync()
        world.flush()
        with MemoryPeak(tool.daemons[0].pid) as sender, MemoryPeak(tool.receiver.pid) as receiver:
            begin = time.monotonic()
            subprocess.run(["tar", "-xf", archive, "-C", tool.a], check=True)
            unpacked = time.monotonic()
            last = tool.a / "tree" / "last"
            last.write_bytes(b"the last one")
            until("the last file", (tool.b / "tree" / "last").exists)
            tool.sync()
            end = time.monotonic()
        check_same(tool)
        return {"unpack": unpacked - begin, "after": end - unpacked,
                "ratio": (end - unpacked) / (unpacked - begin),
                "sender": sender.own, "receiver": receiver.own}


class Append(Line):
    """A line of a log, a hundred times a second for a minute; what B shows is always a beginning."""
    name, title = "append", "a file that is appended to 100 times a second for a minute"
    tools = ("crdtsync",)
    figures = {
        "sender": Figure("processor time of the sender", "% of a core", None, 5),
        "receiver": Figure("processor time of the receiver", "% of a core", None, 5),
        "after": seconds("from the last line until it is at the other node", None, 1),
        "seen": Figure("contents that the other node showed", "", None, None),
    }
    count, pause = 6000, 0.01
    line = b"%07d: a line of a log that grows all the time\n"

    def measure(self, world, make):
        tool = make(world)
        tool.start()
        tool.sync()
        whole = b"".join(self.line % i for i in range(self.count))
        pids = tool.daemons[0].pid, tool.receiver.pid
        before = [cpu_seconds(pid) for pid in pids]
        self.over, self.shown = False, set()
        watching = in_background(lambda: self.look(tool.b / "log"))
        begin = time.monotonic()
        with open(tool.a / "log", "ab", buffering=0) as log:
            for i in range(self.count):
                log.write(self.line % i)
                time.sleep(max(begin + (i + 1) * self.pause - time.monotonic(), 0))
        end = time.monotonic()
        until("the last line", lambda: self.read(tool.b / "log") == whole)
        after = time.monotonic() - end
        used = [cpu_seconds(pid) - was for pid, was in zip(pids, before)]
        self.over = True
        watching.join()
        for content in self.shown:
            if not whole.startswith(content) or len(content) % len(self.line % 0) != 0:
                raise Failure(f"the file never was what was shown: {content[-100:]}")
        return {"sender": used[0] / (end - begin) * 100, "receiver": used[1] / (end - begin) * 100,
                "after": after, "seen": len(self.shown)}

    @staticmethod
    def read(path):
        return path.read_bytes() if path.exists() else b""

    def look(self, path):
        while not self.over:
            time.sleep(0.05)
            self.shown.add(self.read(path))


LINES = {line.name: line for line in (Million(), Unpack(), Append())}
