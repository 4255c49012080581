"""peers.py - the tools that the bench compares, each as two ends on this machine.

A tool is made with a World; `start()` leaves two empty folders `a` and `b` that it keeps the same,
with its daemons up and connected where it has any; `sync(sub)` makes b what a is after something
under `sub` has changed at a, and returns when the tool says that it has arrived. Nobody watches:
each tool is told when there is something to do. Every daemon listens on loopback only, inside the
namespace that the bench runs in.
"""
import http.client
import itertools
import json
import os
import pwd
import re
import shutil
import socket
import subprocess

from world import Failure, run, until

ports = itertools.count(22100)


class Tool:
    name = "?"
    needs = ()  # programs
    watched = False  # it notices by itself what changes, if it can be told to

    def __init__(self, world, label=""):
        self.world = world
        self.home = world.fresh(self.name.replace(" ", "-") + label)
        self.a, self.b = self.home / "a", self.home / "b"
        self.a.mkdir()
        self.b.mkdir()
        self.daemons = []

    @classmethod
    def missing(cls):
        return [p for p in cls.needs if shutil.which(p) is None]

    @classmethod
    def version(cls):
        return ""

    def spawn(self, *argv, env=None):
        log = open(self.home / "log", "ab")
        process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, env={**os.environ, **(env or {})})
        log.close()
        self.daemons.append(process)
        return process

    def start(self):
        pass

    def scan(self):
        """One pass over a that finds nothing to do, where the tool has such a thing."""
        self.sync()

    def stop(self):
        for process in self.daemons:
            process.terminate()
        for process in self.daemons:
            process.wait()
        self.daemons = []


class Crdtsync(Tool):
    name = "crdtsync"
    binary = "crdtsync"  # set by bench.py
    settings = {}  # of the nodes that are started from now on

    @classmethod
    def version(cls):
        return run(cls.binary, "--version").strip()

    def ask(self, end, *argv):
        return run(self.binary, "--home", self.home / f"{end}.home", *argv)

    def node(self, end, folder, key=None):
        port = next(ports)
        self.ask(end, "init", "--listen", f"tcp://127.0.0.1:{port}")
        self.ask(end, "folder", "add", folder, "--id", "bench", *(["--key-file", key] if key else []))
        return port

    def up(self, end):
        process = self.spawn(self.binary, "--home", self.home / f"{end}.home", "node",
                             "--log-level", "error", env=self.settings)
        until("crdtsync node", lambda: self.answers(end), 60)
        return process

    def answers(self, end):
        try:
            self.ask(end, "ping")
            return True
        except Failure:
            return False

    def introduce(self, dials, end, port):
        """Makes `dials` and `end` members of each other's folder; `dials` knows the address."""
        self.ask(dials, "peer", "add", self.ask(end, "id").strip(), f"tcp://127.0.0.1:{port}",
                 "--folder", "bench")
        self.ask(end, "peer", "add", self.ask(dials, "id").strip(), "--folder", "bench")

    def key(self):
        path = self.home / "key"
        path.touch(mode=0o600)
        path.write_text(self.ask("a", "folder", "key", "bench"))
        return path

    def start(self):
        self.node("a", self.a)
        port_b = self.node("b", self.b, self.key())
        self.introduce("a", "b", port_b)
        self.up("a")
        self.receiver = self.up("b")
        self.equal()

    def equal(self, end="a", peers=1):
        self.ask(end, "wait", "bench", "--peers", peers, "--timeout", 1800)

    def tell(self, sub):
        self.ask("a", "scan", self.a / sub)

    def sync(self, sub=None):
        self.ask("a", "scan", "bench") if sub is None else self.tell(sub)
        self.equal()

    def scan(self):
        self.ask("a", "scan", "bench")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=1800)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


SYNCTHING = """<configuration version="36">
 <folder id="bench" path="{folder}" rescanIntervalS="0"
   fsWatcherEnabled="{watched}" fsWatcherDelayS="1">
  <device id="{ids[0]}"></device><device id="{ids[1]}"></device>
 </folder>
 <device id="{ids[0]}" name="a"><address>tcp://127.0.0.1:{ports[0]}</address></device>
 <device id="{ids[1]}" name="b"><address>tcp://127.0.0.1:{ports[1]}</address></device>
 <gui enabled="true" tls="false"><address>{gui}</address><apikey>bench</apikey></gui>
 <options>
  <listenAddress>tcp://127.0.0.1:{port}</listenAddress>
  <globalAnnounceEnabled>false</globalAnnounceEnabled>
  <localAnnounceEnabled>false</localAnnounceEnabled>
  <relaysEnabled>false</relaysEnabled>
  <natEnabled>false</natEnabled>
  <stunKeepaliveStartS>0</stunKeepaliveStartS>
  <startBrowser>false</startBrowser>
  <urAccepted>-1</urAccepted>
  <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
  <crashReportingEnabled>false</crashReportingEnabled>
  <reconnectionIntervalS>1</reconnectionIntervalS>
  <setLowPriority>false</setLowPriority>
 </options>
</configuration>
"""


class Syncthing(Tool):
    name = "syncthing"
    needs = ("syncthing",)
    gui = {}  # of each end: the path of its socket

    @classmethod
    def version(cls):
        return " ".join(run("syncthing", "--version").split()[:2])

    def start(self):
        # A Unix socket's path has 108 bytes.
        self.gui = {end: f"/tmp/crdtsync-bench-{os.getpid()}-{next(ports)}" for end in "ab"}
        found = (next(ports), next(ports))
        ids = []
        for end in "ab":
            run("syncthing", "generate", "--home", self.home / f"{end}.home")
            ids.append(run("syncthing", "--home", self.home / f"{end}.home", "--device-id").strip())
        self.ids = dict(zip("ab", ids))
        for end, folder, port in zip("ab", (self.a, self.b), found):
            text = SYNCTHING.format(folder=folder, ids=ids, ports=found, port=port,
                                    gui=self.gui[end], watched=str(self.watched).lower())
            (self.home / f"{end}.home" / "config.xml").write_text(text)
            process = self.spawn("syncthing", "--home", self.home / f"{end}.home", "--no-browser",
                                 "--no-restart", env={"STNOUPGRADE": "1", "STNORESTART": "1"})
        self.receiver = process
        self.links = {}
        until("syncthing: both connected", self.connected, 120)
        self.wait()

    def ask(self, end, method, path):
        if end not in self.links:
            self.links[end] = UnixConnection(self.gui[end])
        try:
            self.links[end].request(method, path, headers={"X-API-Key": "bench"})
            return json.loads(self.links[end].getresponse().read() or "{}")
        except (OSError, ValueError, http.client.HTTPException):
            del self.links[end]
            raise

    def connected(self):
        try:
            links = self.ask("a", "GET", "/rest/system/connections")["connections"]
            return links[self.ids["b"]]["connected"]
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return False

    def has_all(self):
        of_b = self.ask("a", "GET", f"/rest/db/completion?folder=bench&device={self.ids['b']}")
        here = self.ask("a", "GET", "/rest/db/status?folder=bench")
        there = self.ask("b", "GET", "/rest/db/status?folder=bench")
        same = all(here[k] == there[k] for k in ("globalFiles", "globalBytes", "globalDeleted",
                                                 "globalDirectories"))
        return (of_b["needItems"] == 0 and of_b["needDeletes"] == 0 and same
                and there["needTotalItems"] == 0 and there["state"] == "idle")

    def wait(self):
        until("syncthing: b has everything", self.has_all)

    def tell(self, sub):
        self.ask("a", "POST", f"/rest/db/scan?folder=bench&sub={sub}")

    def sync(self, sub=None):
        self.scan() if sub is None else self.tell(sub)
        self.wait()

    def scan(self):
        self.ask("a", "POST", "/rest/db/scan?folder=bench")

    def stop(self):
        super().stop()
        for path in self.gui.values():
            if os.path.exists(path):
                os.unlink(path)


class OverSsh(Tool):
    """A tool whose other end is started by ssh: an sshd of its own, on loopback."""

    def start(self):
        self.port = next(ports)
        user, key = pwd.getpwuid(os.getuid()).pw_name, self.home / "key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
        os.makedirs("/run/sshd", exist_ok=True)
        config = self.home / "sshd_config"
        config.write_text(f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {key}\n"
                          f"AuthorizedKeysFile {key}.pub\nStrictModes no\nUsePAM no\n"
                          "PermitRootLogin yes\nPidFile none\nMaxStartups 100\n"
                          f"SetEnv UNISON={self.home}/archive.b\n")
        self.spawn(shutil.which("sshd", path="/usr/sbin:/sbin:" + os.environ["PATH"]), "-D", "-e",
                   "-f", config)
        self.ssh = (f"ssh -p {self.port} -i {key} -l {user} -o StrictHostKeyChecking=no "
                    f"-o UserKnownHostsFile={self.home}/known -o LogLevel=ERROR")
        until("sshd", self.answers, 60)

    def answers(self):
        try:
            run(*self.ssh.split(), "127.0.0.1", "true")
            return True
        except Failure:
            return False


class RsyncSsh(OverSsh):
    name = "rsync over ssh"
    needs = ("rsync", "ssh", "ssh-keygen")
    options = ("-a", "--delete")

    @classmethod
    def version(cls):
        return re.search(r"version (\S+)", run("rsync", "--version")).group(0)

    def sync(self, sub=None):
        run("rsync", *self.options, "-e", self.ssh, f"{self.a}/", f"127.0.0.1:{self.b}/")

    tell = sync


class RsyncDaemon(Tool):
    name = "rsync daemon"
    needs = ("rsync",)
    options = ("-a", "--delete")

    def start(self):
        self.port = next(ports)
        config = self.home / "rsyncd.conf"
        config.write_text(f"use chroot = no\naddress = 127.0.0.1\nport = {self.port}\n"
                          f"uid = {os.getuid()}\ngid = {os.getgid()}\n"
                          f"[b]\npath = {self.b}\nread only = no\n")
        self.spawn("rsync", "--daemon", "--no-detach", f"--config={config}")
        until("rsync daemon", self.answers, 60)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def sync(self, sub=None):
        run("rsync", *self.options, f"{self.a}/", f"rsync://127.0.0.1:{self.port}/b/")


class RsyncFsync(RsyncDaemon):
    name = "rsync daemon --fsync"
    options = ("-a", "--delete", "--fsync")


class Unison(OverSsh):
    name = "unison"
    needs = ("unison", "ssh", "ssh-keygen")

    @classmethod
    def version(cls):
        return run("unison", "-version").split("(")[0].strip()

    def start(self):
        super().start()
        self.sync()

    def sync(self, sub=None):
        program, _, options = self.ssh.partition(" ")
        run("unison", self.a, f"ssh://127.0.0.1//{self.b}", "-ui", "text", "-batch", "-silent",
            "-confirmbigdel=false", "-times", "-perms", "-1", "-sshcmd", program, "-sshargs",
            options, *(["-path", sub] if sub else []),
            env={**os.environ, "UNISON": str(self.home / "archive")})

    tell = sync


class Copy(Tool):
    name = "cp -a"
    needs = ("cp",)

    def sync(self, sub=None):
        run("cp", "-a", f"{self.a}/.", self.b)


class Find(Tool):
    name = "find"
    needs = ("find",)

    def scan(self):
        with open(os.devnull, "w") as null:
            subprocess.run(["find", self.a, "-printf", "%s %T@ %i\n"], stdout=null, check=True)


TOOLS = (Crdtsync, Syncthing, Unison, RsyncSsh, RsyncDaemon, RsyncFsync, Copy, Find)
