"""lines.py - what is measured: one class a line, one method `measure` that returns its figures.

A line is measured with one tool at a time, in directories of its own. Whatever waits for others
(writing the tree, starting daemons, connecting them) is done before the clock starts; the flush that
makes both ends durable is inside.
"""
import itertools
import os
import shutil
import statistics
import threading
import time

import peers
from world import Arrival, Failure, Measured, MemoryPeak, memory

MIB = 1 << 20
GIB = 1 << 30
REST_SECONDS = 8  # memory that work has freed is given back after five


class Figure:
    """One number: `goal` is what crdtsync must reach, times the reference's where there is one."""

    def __init__(self, title, unit, reference=None, goal=None, higher_is_better=False):
        self.title, self.unit, self.reference = title, unit, reference
        self.goal, self.higher_is_better = goal, higher_is_better


def seconds(title, reference=None, goal=None):
    return Figure(title + ": time", "s", reference, goal)


def traffic(title, goal=None):
    return Figure(title + ": bytes on the wire", "MB", None, goal)


def started(world, make, *tree):
    """A tool with both ends up and empty, and a tree that is not yet in its folder."""
    path = world.tree(*tree)
    tool = make(world)
    tool.start()
    return tool, path


def synced(world, make, *tree):
    """A tool of which both ends have the tree, as `tree`."""
    tool, path = started(world, make, *tree)
    path.rename(tool.a / "tree")
    tool.sync()
    return tool


class Line:
    """What `make` makes is stopped when `measure` has returned."""
    name, title, tools, figures = "", "", (), {}

    def measure(self, world, make):
        raise NotImplementedError


class FirstSync(Line):
    """A tree is moved into the empty folder in one step; until it is at the other end."""

    def __init__(self, name, title, tree, tools, reference, goal):
        self.name, self.title, self.tree, self.tools = name, title, tree, tools
        self.figures = {"time": seconds(title, reference, goal), "wire": traffic(title)}

    def measure(self, world, make):
        tool, tree = started(world, make, *self.tree)
        with Measured(world) as m:
            tree.rename(tool.a / "tree")
            tool.sync()
        check_same(tool)
        return {"time": m.seconds, "wire": m.bytes / 1e6}


class Memory(Line):
    name, title = "memory", "200,000 files of 1 KiB: memory of the receiver"
    tools = ("crdtsync", "syncthing")
    figures = {
        "rest": Figure("memory at rest, 200,000 files", "MiB", None, 32),
        "peak": Figure("memory while receiving them", "MiB", None, 96),
        "resident": Figure("resident, mapped files included, at most", "MiB", None, 128),
    }

    def measure(self, world, make):
        tool, tree = started(world, make, 200000, 1024, 100)
        with MemoryPeak(tool.receiver.pid) as peak:
            tree.rename(tool.a / "tree")
            tool.sync()
        time.sleep(REST_SECONDS)
        rest = memory(tool.receiver.pid)
        return {"rest": rest[0], "peak": peak.own, "resident": max(peak.resident, rest[1])}


class Save(Line):
    """A file is written and the tool told; until the other end shows the bytes."""
    name, title = "save", "one saved file of 1 KiB"
    tools = ("crdtsync", "syncthing", "unison", "rsync over ssh")
    figures = {"median": Figure("a saved file of 1 KiB is there, median", "ms", None, 5),
               "p99": Figure("the same, 99th percentile", "ms")}
    # How many, and the seconds between two: a person saves, not a burst, and Syncthing sends
    # again after a quarter of a second only. rsync and Unison take a file of the same size
    # for the same if its time differs by less than a second, or two.
    pace = {"crdtsync": (40, 0.4), "syncthing": (40, 0.4)}
    watched = False  # the tool notices by itself

    def measure(self, world, make):
        tool = make(world)
        tool.watched = self.watched
        tool.start()
        (tool.a / "saved").write_bytes(b"first")
        tool.sync("saved")
        arrival, took = Arrival(tool.b / "saved"), []
        count, pause = self.pace.get(tool.name, (8, 2.1))
        for i in range(count):
            time.sleep(pause)
            content = (f"save {i} at {time.time()} ".encode() * 64)[:1024]
            with open(tool.a / "saved", "wb") as file:
                file.write(content)
            begin = time.monotonic()
            telling = in_background(lambda: self.tell(tool))
            arrival.wait(content)
            took.append((time.monotonic() - begin) * 1e3)
            telling.join()
        arrival.close()
        took.sort()
        return {"median": statistics.median(took), "p99": took[len(took) * 99 // 100]}

    @staticmethod
    def tell(tool):
        tool.tell("saved")


class Watched(Save):
    """The same, and nobody tells: both folders are watched, by crdtsync as they are by default, by
    Syncthing with the shortest delay that it takes."""
    name, title = "watched", "one saved file of 1 KiB, nobody tells the tool"
    tools = ("crdtsync", "syncthing")
    pace = {"crdtsync": (40, 0.4), "syncthing": (20, 2)}
    watched = True
    figures = {"median": Figure("a saved file of 1 KiB is there, untold: median", "ms"),
               "p99": Figure("the same, 99th percentile", "ms")}

    @staticmethod
    def tell(tool):
        pass


class SaveBusy(Save):
    """The same as `save`, while somebody copies large files to the disk of both folders."""
    name, title = "save_busy", "one saved file of 1 KiB, while large files are copied to the disk"
    tools = ("crdtsync", "syncthing", "unison")
    figures = {"median": Figure("a saved file of 1 KiB is there, on a busy disk: median", "ms"),
               "p99": Figure("the same, 99th percentile", "ms")}
    files, size = 4, 512 * MIB  # of which the disk has one to write at any time

    def measure(self, world, make):
        place = world.fresh("copies")
        (place / "film").write_bytes(os.urandom(MIB) * (self.size // MIB))
        over = threading.Event()
        copying = threading.Thread(target=self.copy, args=(place, over))
        copying.start()
        try:
            return super().measure(world, make)
        finally:
            over.set()
            copying.join()

    def copy(self, place, over):
        for i in itertools.count():
            if over.is_set():
                return
            shutil.copyfile(place / "film", place / f"copy-{i % self.files}")


class Edits(Line):
    name, title = "edits", "small changes of a file of 1 GiB"
    tools = ("crdtsync", "syncthing", "unison", "rsync over ssh")
    edits = {"overwrite": ("4 KiB overwritten", 0.7), "append": ("1 MiB appended", 1.7),
             "insert": ("1 byte inserted at the front", 0.7)}
    figures = {}
    for key, (what, megabytes) in edits.items():
        figures[key + "-wire"] = traffic(what, megabytes)
        figures[key + "-time"] = seconds(what, None, 2)

    def measure(self, world, make):
        tool = synced(world, make, 1, GIB)
        path, found = tool.a / "tree" / "d0000" / "f000000", {}
        for key in self.edits:
            self.edit(key, path)
            with Measured(world) as m:
                tool.sync()
            check_same(tool)
            found[key + "-wire"], found[key + "-time"] = m.bytes / 1e6, m.seconds
        return found

    @staticmethod
    def edit(key, path):
        if key == "insert":
            with open(path, "rb") as old, open(path.with_name(".new"), "wb") as new:
                new.write(b"!")
                while piece := old.read(MIB):
                    new.write(piece)
            path.with_name(".new").rename(path)
            return
        with open(path, "r+b") as file:
            file.seek(0 if key == "append" else GIB // 3, os.SEEK_END if key == "append" else 0)
            file.write(os.urandom(MIB if key == "append" else 4096))


class Rename(Line):
    name, title = "rename", "a directory with 1 GiB in 1,000 files is renamed"
    tools = ("crdtsync", "syncthing", "unison", "rsync over ssh")
    figures = {"time": seconds(title, None, 0.5), "wire": traffic(title, 0.4)}

    def measure(self, world, make):
        tool = synced(world, make, 1000, GIB // 1000)
        with Measured(world) as m:
            (tool.a / "tree").rename(tool.a / "renamed")
            tool.sync()
        check_same(tool)
        return {"time": m.seconds, "wire": m.bytes / 1e6}


class Scan(Line):
    name, title = "scan", "a scan of 200,000 files finds no change"
    tools = ("crdtsync", "find", "rsync daemon", "syncthing")
    figures = {"time": seconds(title, "find", 1.0)}

    def measure(self, world, make):
        tool, tree = started(world, make, 200000, 16, 100)
        tree.rename(tool.a / "tree")
        if tool.name != "find":
            tool.sync()
        tool.scan()  # so that names and inodes are in memory, for all alike
        begin = time.monotonic()
        tool.scan()
        took = time.monotonic() - begin
        return {"time": took}


class Sources(Line):
    """A third node takes 1 GiB from one member, then another one from two, 100 MB/s each."""
    name, title = "sources", "1 GiB from two sources, each limited to 100 MB/s"
    tools = ("crdtsync",)
    figures = {"one": seconds("1 GiB from one source of 100 MB/s"),
               "two": seconds("1 GiB from two sources of 100 MB/s each"),
               "gain": Figure("rate from two sources over the rate from one", "x", None, 1.8,
                              higher_is_better=True)}
    limit_kib = 100 * 1000 * 1000 // 1024

    def measure(self, world, make):
        took = [self.third(world, make, dials) for dials in (("a",), ("a", "b"))]
        return {"one": took[0], "two": took[1], "gain": took[0] / took[1]}

    def third(self, world, make, dials):
        tool = synced(world, make, 1, GIB)
        tool.stop()
        tool.settings = {"CRDTSYNC_LIMITS_UP_KIB": str(self.limit_kib),
                         "CRDTSYNC_NODE_FIND_PEERS": "no"}  # who is linked with whom is the line
        tool.up("a")
        tool.up("b")
        (tool.home / "c").mkdir()
        port = tool.node("c", tool.home / "c", tool.key())
        tool.up("c")
        with Measured(world) as m:
            for end in dials:
                tool.introduce(end, "c", port)
            tool.equal("c", len(dials))
        return m.seconds


class Swarm(Line):
    """One node has a file, and sends no more than 32 MB/s: to one other, to four, along a chain."""
    name, title = "swarm", "256 MiB from one source limited to 32 MB/s, to four nodes at once"
    tools = ("crdtsync",)
    figures = {"one": seconds("256 MiB from a source of 32 MB/s to one node"),
               "four": seconds("the same to four nodes at once"),
               "cost": Figure("four nodes at once, beside one", "x", None, None),
               "chain": Figure("the third of a chain of nodes of 32 MB/s, beside the second", "x",
                               None, None)}
    limit_kib = 32 * 1000 * 1000 // 1024
    size = 256 * MIB

    def measure(self, world, make):
        one = self.spread(world, make, {"b": "a"})
        four = self.spread(world, make, {"b": "a", "c": "ab", "d": "abc", "e": "abcd"})
        chain = self.spread(world, make, {"b": "a", "c": "b"})
        return {"one": one, "four": four, "cost": four / one, "chain": chain / one}

    def spread(self, world, make, dials):
        """dials: who is dialled by each node but the first."""
        tool = make(world)
        tool.settings = {"CRDTSYNC_LIMITS_UP_KIB": str(self.limit_kib),
                         "CRDTSYNC_NODE_FIND_PEERS": "no"}  # who is linked with whom is the line
        tool.node("a", tool.a)
        key = tool.key()
        ports = {}
        for end in dials:
            (tool.home / end).mkdir(exist_ok=True)
            ports[end] = tool.node(end, tool.home / end, key)
        for end, others in dials.items():
            for other in others:
                tool.introduce(other, end, ports[end])
        for end in ("a", *dials):
            tool.up(end)
        for end, others in dials.items():
            tool.equal(end, len(others))
        (tool.a / "file").write_bytes(os.urandom(self.size))
        with Measured(world) as m:
            tool.ask("a", "scan", "bench")
            for end, others in dials.items():
                tool.equal(end, len(others))
        tool.stop()
        return m.seconds


class Sparse(Line):
    name, title = "sparse", "one chunk changed in a file of 100 GiB that is nearly all holes"
    tools = ("crdtsync",)
    figures = {"wire": traffic(title, 1.0), "time": seconds(title)}

    def measure(self, world, make):
        tool = make(world)
        tool.start()
        with open(tool.a / "sparse", "wb") as file:
            file.truncate(100 * GIB)
            for at in range(0, 100, 10):
                file.seek(at * GIB)
                file.write(os.urandom(MIB))
        tool.sync()
        with open(tool.a / "sparse", "r+b") as file:
            file.seek(50 * GIB)
            file.write(os.urandom(4096))
        with Measured(world) as m:
            tool.sync()
        return {"wire": m.bytes / 1e6, "time": m.seconds}


def in_background(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def check_same(tool):
    """Sizes and names of both ends: a tool that has not finished has not won."""
    def listed(root):
        found = {}
        for at, dirs, files in os.walk(root):
            dirs[:] = [d for d in dirs if d not in (".crdtsync", ".stfolder")]
            for name in files:
                path = os.path.join(at, name)
                found[os.path.relpath(path, root)] = os.lstat(path).st_size
        found.pop(".crdtsyncignore", None)
        return found
    if listed(tool.a) != listed(tool.b):
        raise Failure(f"{tool.name} said that both ends are the same, and they are not")


LINES = {line.name: line for line in (
    FirstSync("small", "first sync of 10,000 files of 4 KiB", (10000, 4096),
              ("crdtsync", "syncthing", "unison", "rsync daemon --fsync", "cp -a"), "cp -a", 2.5),
    FirstSync("large", "first sync of one file of 1 GiB", (1, GIB),
              ("crdtsync", "syncthing", "unison", "rsync over ssh", "cp -a"),
              "rsync over ssh", 0.8),
    FirstSync("many", "first sync of 200,000 files of 1 KiB", (200000, 1024, 100),
              ("crdtsync", "syncthing", "unison", "rsync daemon"), "rsync daemon", 2.5),
    Save(), SaveBusy(), Watched(), Edits(), Rename(), Scan(), Memory(), Sources(), Swarm(), Sparse())}
assert all(tool in {t.name for t in peers.TOOLS} for line in LINES.values() for tool in line.tools)
