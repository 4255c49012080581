"""world.py - what every line of the bench needs: fresh directories, clocks, counters, memory.

Times are seconds of the monotonic clock. Bytes on the wire are what the loopback device of this
network namespace carried, headers and acknowledgements included, in both directions: the same for
every tool. Nothing is removed before the very end, or until there is no room for more, because
file systems are slow to create for minutes after much was deleted.
"""
import ctypes
import os
import pathlib
import select
import shutil
import subprocess
import threading
import time

IN_MOVED_TO, IN_CLOSE_WRITE = 0x80, 0x08
POLL_SECONDS = 0.005  # how often a peer that can only be asked is asked
WAIT_SECONDS = 1800
ROOM_BYTES = 12 << 30  # what one run of a line may need


class Failure(Exception):
    """A tool did not do its work: the line is reported as failed, with this text."""


def run(*argv, **options):
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, argv))}: {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def until(what, test, seconds=WAIT_SECONDS):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(POLL_SECONDS)


def devices():
    """{name of a network device of this namespace: bytes that it has received}"""
    found = {}
    with open("/proc/net/dev") as table:
        for line in table:
            name, colon, counters = line.partition(":")
            if colon:
                found[name.strip()] = int(counters.split()[0])
    return found


def wire_bytes():
    """Bytes that loopback has carried. Control sockets of all tools are Unix sockets."""
    return devices()["lo"]


class World:
    def __init__(self, root, make_tree):
        self.root = pathlib.Path(root)
        self.make_tree = make_tree
        self.count = 0

    def fresh(self, name):
        self.count += 1
        path = self.root / f"{self.count:04d}-{name}"
        path.mkdir()
        return path

    def tree(self, count, size, per_dir=200):
        """A new tree of random files, flushed, so that nobody pays for its writing."""
        path = self.fresh("tree") / "tree"
        run(self.make_tree, path, count, size, per_dir)
        self.flush()
        return path

    def make_room(self):
        """False: there was not enough left, and what earlier runs wrote has been removed."""
        if shutil.disk_usage(self.root).free >= ROOM_BYTES:
            return True
        for path in self.root.iterdir():
            shutil.rmtree(path, ignore_errors=True)
        self.flush()
        return False

    def flush(self):
        run("sync", "-f", self.root)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Measured:
    """with Measured(world) as m: ...   then m.seconds, flush included, and m.bytes."""

    def __init__(self, world):
        self.world = world

    def __enter__(self):
        self.world.flush()
        self.before = wire_bytes()
        self.begin = time.monotonic()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.world.flush()
            self.seconds = time.monotonic() - self.begin
            self.bytes = wire_bytes() - self.before


def process_tree(pid):
    pids = [pid]
    for at in pids:
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                pids += map(int, open(f"/proc/{at}/task/{task}/children").read().split())
        except OSError:
            pass
    return pids


def memory(pid):
    """MiB of a process and its children: (RssAnon + RssShmem, VmRSS)."""
    own = resident = 0
    for at in process_tree(pid):
        try:
            for line in open(f"/proc/{at}/status"):
                key, _, value = line.partition(":")
                if key in ("RssAnon", "RssShmem"):
                    own += int(value.split()[0])
                elif key == "VmRSS":
                    resident += int(value.split()[0])
        except OSError:
            pass
    return own / 1024, resident / 1024


class MemoryPeak:
    """with MemoryPeak(pid) as peak: ...   then peak.own, peak.resident in MiB."""

    def __init__(self, pid):
        self.pid, self.own, self.resident = pid, 0.0, 0.0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self):
        while not self.stop.wait(0.1):
            own, resident = memory(self.pid)
            self.own, self.resident = max(self.own, own), max(self.resident, resident)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Arrival:
    """Waits for a file to show given bytes, by inotify: a loop that looks would take a core."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        watched = os.fsencode(self.path.parent)
        if self.libc.inotify_add_watch(self.fd, watched, IN_MOVED_TO | IN_CLOSE_WRITE) < 0:
            raise Failure(f"cannot watch {self.path.parent}")

    def wait(self, content, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                if self.path.read_bytes() == content:
                    return
            except FileNotFoundError:
                pass
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Failure(f"{self.path}: did not come within {seconds} s")
            os.read(self.fd, 65536)

    def close(self):
        os.close(self.fd)
