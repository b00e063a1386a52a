"""Ten guests, and something of them or of libvirtd that hangs: who is not concerned is read completely and on time.

FULL=1: all rows.
"""
import contextlib
import glob
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import time

from world import Scene, play, rows, run, seconds, until

INTERVAL_S = 2
STEP_S = 5     # of the archive
LATE_S = 1.0   # at most, of the first reading
USUAL_S = 0.3  # of the median
EARLY_S = 0.5  # the grid is known so well
TAKEN_FOR_HUNG_S = 0.2  # who has no processor for so long cannot be told from one that hangs
COUNTERS = {"disk.device.read.bytes": "block.0.rd.bytes", "disk.device.read.requests": "block.0.rd.reqs",
            "disk.device.write.bytes": "block.0.wr.bytes", "disk.device.write.requests": "block.0.wr.reqs",
            "network.outgoing.bytes": "net.0.tx.bytes", "network.incoming.bytes": "net.0.rx.bytes"}
NEEDS_NO_MONITOR = {"power.state", "cpu", "instance", "network.incoming.bytes", "network.outgoing.bytes"}
NEEDS_MONITOR = {"disk.device.read.bytes", "disk.device.write.requests", "disk.device.capacity"}
GUESTS = {f"h{n}": f"0e1d0000-0000-4000-8000-{n:012d}" for n in range(10)}
NAMES = {uuid: name for name, uuid in GUESTS.items()}


class Workers:
    """What libvirtd's workers do, as it says itself."""

    def __init__(self, host):
        self.uri = f"libvirtd:///system?socket={host.folder}/run/libvirt-admin-sock"

    def ask(self, *words):
        done = run("virt-admin", "-q", "-c", self.uri, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def busy(self):
        pool = dict(re.findall(r"(\w+)\s*: (\d+)", self.ask("server-threadpool-info", "libvirtd")))
        return int(pool["nWorkers"]) - int(pool["freeWorkers"]) + int(pool["jobQueueDepth"])

    def clients(self):
        return len(self.ask("client-list", "libvirtd").split("\n")) - 1


class Starvation:
    """For how long those who must be quick have waited for a processor that something else had."""

    def __init__(self, world):
        many = [world.poller.process.pid, world.host.daemon()]  # all their threads; of a guest only who serves its monitor
        self.files = [file for pid in many for file in glob.glob(f"/proc/{pid}/task/*/schedstat")]
        self.files += [f"/proc/{world.host('pid', name)}/schedstat" for name in GUESTS]
        self.before = self.total()

    def total(self):
        waited = 0
        for file in self.files:
            with contextlib.suppress(FileNotFoundError), open(file) as text:
                waited += int(text.read().split()[1])
        return waited / 1e9

    def seconds(self):
        return self.total() - self.before


class Reading:
    """One record of a VM: when it was read, and what of it."""

    def __init__(self, record):
        points = record["points"]
        self.time = max((seconds(p["time"]) for p in points if p["meter"] == "power.state"), default=0)
        self.meters = {p["meter"] for p in points}


class Hung(Scene):
    grid = complete = None

    def read_topic(self):
        """{guest: its readings in order}; closing records tell no power.state."""
        found = {name: [] for name in GUESTS}
        for record in self.world.records():
            reading = Reading(record) if record.get("entity") in NAMES else None
            if reading and reading.time:
                found[NAMES[record["entity"]]].append(reading)
        return {name: sorted(of_one, key=lambda reading: reading.time) for name, of_one in found.items()}

    def quiet(self):
        """Some cycles in which nothing is wrong tell the grid of cycles, which stays, and what is complete."""
        if Hung.grid:
            return
        self.world.poller.await_cycles(4)
        calm = self.read_topic()["h0"][-3:]
        Hung.grid = min(r.time - round((r.time - calm[-1].time) / INTERVAL_S) * INTERVAL_S for r in calm)
        Hung.complete = calm[-1].meters
        self.assertLessEqual(NEEDS_MONITOR | NEEDS_NO_MONITOR, self.complete)

    def cycles(self, name, readings, since, count):
        """The reading of each of the first @count cycles since then: none is missing, and all are on time."""
        first = math.ceil((since - self.grid) / INTERVAL_S)
        times = [round(r.time - self.grid, 2) for r in readings]
        found, late = [], []
        for n in range(first, first + count):
            due = self.grid + n * INTERVAL_S
            inside = [r for r in readings if due - EARLY_S <= r.time < due + INTERVAL_S - EARLY_S]
            self.assertTrue(inside, f"{name}: none in cycle {n}, {n * INTERVAL_S} in {times}")
            found.append(inside[0])
            late.append(inside[0].time - due)
        first, usual = LATE_S + self.starved[0], USUAL_S + self.starved[1]
        self.assertLessEqual(late[0], first, f"{name}: first one since {since - self.grid} in {times}")
        self.assertLessEqual(statistics.median(late), usual, f"{name}: {late}")
        return found

    def pass_cycles(self, count, each=lambda: None):
        """So many, and one more; tells how long a busy machine has kept us waiting in the first and on average."""
        starvation = Starvation(self.world)
        for number in range(count + 1):
            self.world.poller.await_cycles(1)
            first = starvation.seconds() if number == 0 else first
            each()
        self.starved = first, starvation.seconds() / count
        self.excused = int(starvation.seconds() / TAKEN_FOR_HUNG_S)

    def judge(self, hung, since, count):
        """Those who do not hang are complete in every cycle; those who do say what they can, and leave the rest out."""
        partial = []
        for name, readings in self.read_topic().items():
            for number, reading in enumerate(self.cycles(name, readings, since, count)):
                self.assertLessEqual(NEEDS_NO_MONITOR, reading.meters, f"{name}, cycle {number}")
                if name in hung:
                    self.assertFalse(NEEDS_MONITOR & reading.meters, f"{name}, cycle {number}")
                elif not self.complete <= reading.meters:
                    partial.append(f"{name} in cycle {number}: {self.complete - reading.meters}")
        self.assertLessEqual(len(partial), self.excused, partial)

    def judge_names(self, hung, log):
        """Figures, host record and log say who hangs; the log once."""
        until("only them to hang", lambda: self.world.poller.figures()["hung_vms"] == len(hung))
        figures = self.world.poller.figures()
        host = self.world.records(self.world.resources(kind="host")[0]["entity"])[-1]
        told = {p["meter"]: p["value"] for p in host["points"]}
        self.assertEqual(told["pluvio.poller.hung_vms"], len(hung))
        for name in hung:
            self.assertEqual(figures[f'hung_vm{{vm="{GUESTS[name]}"}}'], 1)
            self.assertIn(GUESTS[name], host["attributes"]["pluvio.poller.hung"])
            lines = [line for line in log().splitlines() if GUESTS[name] in line and "does not answer" in line]
            self.assertEqual(len(lines), 1, log())

    def settle(self):
        """Everybody rests and is billed to the unit; then all work again."""
        for name in GUESTS:
            self.world.host.order(name, "ping")
        for name, uuid in GUESTS.items():
            self.world.await_used(uuid, self.world.host.counted(name, **COUNTERS))
        self.world.audit()
        until("nobody to hang", lambda: self.world.poller.figures()["hung_vms"] == 0)
        for name in GUESTS:
            self.world.host.order(name, "work", 3, 3, 5)

    def act(self, what, *arguments):
        getattr(self, what)(*arguments)

    def since_now(self):
        before = len(self.world.poller.text())
        return lambda: self.world.poller.text()[before:]

    # ---- guests that hang ----

    def hang(self, hung, count):
        workers, log, busy = Workers(self.world.host), self.since_now(), []
        self.quiet()
        clients = workers.clients()
        since = time.time()
        for name in hung:
            self.world.host.signal(name, signal.SIGSTOP)
        try:
            self.pass_cycles(count, lambda: busy.append(workers.busy()))
            self.judge(hung, since, count)
            self.judge_names(hung, log)
            self.assertLessEqual(max(busy), len(hung) + 1, busy)
            self.assertLessEqual(workers.clients(), clients + len(hung) + 1)
        finally:
            end = time.time()
            for name in hung:
                self.world.host.signal(name, signal.SIGCONT)
        self.settle()
        again = [line for line in log().splitlines() if "answers again" in line]
        self.assertTrue(all(any(GUESTS[name] in line for line in again) for name in hung), log())
        self.assertLessEqual(len(again), len(hung) + self.excused, log())
        for name in hung:
            self.judge_archive(name, since, end)

    def five_hang(self, count):
        """Then nobody's monitor is asked, and all else goes on: libvirtd has no worker more to wait for."""
        hung, workers, log = ["h1", "h2", "h4", "h6", "h8"], Workers(self.world.host), self.since_now()
        self.quiet()
        for name in hung:
            self.world.host.signal(name, signal.SIGSTOP)
        try:
            until(log, lambda: "no VM's monitor is asked" in log())
            self.assertGreater(self.world.poller.figures()["unasked_vms"], 0)
            since = time.time()
            self.pass_cycles(count, lambda: self.assertLessEqual(workers.busy(), 5))
            for name, readings in self.read_topic().items():
                for reading in self.cycles(name, readings, since, count):
                    self.assertLessEqual(NEEDS_NO_MONITOR, reading.meters, name)
            self.assertLessEqual(self.world.poller.figures()["calls"], 4 + 3 * len(GUESTS))  # no description is among them
        finally:
            for name in hung:
                self.world.host.signal(name, signal.SIGCONT)
        self.settle()
        until(log, lambda: "monitors are asked again" in log() and self.world.poller.figures()["unasked_vms"] == 0)
        self.assertEqual(log().count("no VM's monitor is asked"), 1, log())

    def judge_archive(self, name, since, end):
        """What was not read is unknown there, not zero; what was read before and afterwards is known. A step that is
        still open when reading goes on gets its share of what is read then."""
        def known_again():
            answer = self.world.get(f"/v1/series/{GUESTS[name]}-vda/disk.device.write.bytes", from_="-5min", step=f"{STEP_S}s")
            self.points = [(seconds(p["time"]), p["value"]) for p in answer["points"]]
            return [start for start, value in self.points if start > end and value is not None]
        until(lambda: f"{name} to be known again: {self.points}", known_again)
        gap = [value for start, value in self.points if since <= start <= end - 2 * STEP_S]
        self.assertTrue(gap, self.points)
        self.assertEqual(set(gap), {None}, self.points)
        self.assertTrue([value for start, value in self.points if start < since and value is not None], self.points)

    # ---- guests that libvirt is busy with ----

    def busy(self, begin, count):
        self.quiet()
        end, since = getattr(self, begin)(), time.time()
        try:
            self.pass_cycles(count)
            self.judge([], since, count)
        finally:
            end()
        self.settle()

    def incoming_migration(self):
        """Its source stops in the middle, so that it is under way for as long as that."""
        other = self.world.add_host() if len(self.world.hosts) == 1 else self.world.hosts[1]
        other("guest", "guest-to-be", "0e1d0000-0000-4000-8000-0000000000ff")
        moving = subprocess.Popen([other.script, "migrate", other.folder, "guest-to-be", self.world.host.folder],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the destination to be there", lambda: os.path.exists(self.world.path("host/run/qemu/guest-to-be.pid")))
        other.signal("guest-to-be", signal.SIGSTOP)
        self.assertIn("paused", self.world.host.virsh("domstate", "guest-to-be"))

        def end():
            other.signal("guest-to-be", signal.SIGCONT)
            self.assertEqual(moving.wait(60), 0)
            self.world.host.virsh("destroy", "guest-to-be")
        return end

    def long_blockcommit(self):
        self.world.host.virsh("snapshot-create-as", "h3", "--disk-only", "--no-metadata", "--diskspec",
                              f"vda,file={self.world.path('host/h3.top')}")
        self.world.host.order("h3", "write", 120, 65536)
        self.world.host.order("h3", "work", 3, 3, 5)
        self.world.host.virsh("blockcommit", "h3", "vda", "--active", "--bandwidth", 524288, "--bytes")

        def left():
            job = dict(line.strip().split("=") for line in self.world.host.virsh("blockjob", "h3", "vda", "--raw").splitlines())
            return int(job["end"]) - int(job["cur"])

        def end():
            self.assertGreater(left(), 0)
            self.world.host.virsh("blockjob", "h3", "vda", "--bandwidth", 0)
            until("the commit", lambda: left() == 0)
            self.world.host.virsh("blockjob", "h3", "vda", "--pivot")
        return end

    # ---- libvirtd ----

    def libvirtd(self, fault, lines):
        """Everybody is whole again within two cycles, and the log has not been flooded."""
        self.log, self.failed = self.since_now(), self.world.poller.figures()["failed_cycles"]
        getattr(self, fault)()
        since = time.time()
        self.world.poller.await_cycles(2)
        for name, readings in self.read_topic().items():
            self.assertTrue([r for r in readings if r.time > since - EARLY_S and NEEDS_MONITOR <= r.meters], name)
        self.settle()
        self.assertLessEqual(len(self.log().splitlines()), lines, self.log())

    def await_failures(self, count):
        until("the figures to say so", lambda: self.world.poller.figures()["failed_cycles"] >= self.failed + count)

    def stopped_by_a_signal(self):
        daemon = self.world.host.daemon()
        os.kill(daemon, signal.SIGSTOP)
        try:
            self.await_failures(3)
            self.assertIn("trying on", self.log())
        finally:
            os.kill(daemon, signal.SIGCONT)

    def killed(self):
        self.world.host("restart")

    def killed_in_the_middle_of_a_call(self):
        os.kill(self.world.host.daemon(), signal.SIGSTOP)
        self.await_failures(1)  # that call is still there
        self.world.host("restart")

    def away_for_a_while(self):
        self.world.host("stop-daemon")
        self.await_failures(3)
        self.assertIn("connection lost", self.log())
        self.world.host("start-daemon")

    def killed_while_a_guest_hangs(self):
        self.world.host.signal("h5", signal.SIGSTOP)
        try:
            until("it to hang", lambda: self.world.poller.figures()["hung_vms"] == 1)
            since = time.time()
            os.kill(self.world.host.daemon(), signal.SIGKILL)
            until("the others to be complete", lambda: all(
                [r for r in readings if r.time > since and NEEDS_MONITOR <= r.meters]
                for name, readings in self.read_topic().items() if name != "h5"))
        finally:
            self.world.host.signal("h5", signal.SIGCONT)


FAULTS = [
    ("one_guest_is_stopped", "One guest under SIGSTOP for 30 cycles costs its own disks and nothing else.",
     "hang", ["h4"], 30),
    ("two_guests_are_stopped", "Two guests at once do so too.", "hang", ["h0", "h7"], 7),
    ("five_guests_are_stopped", "A fifth one costs all others their disks' figures until one goes on.", "five_hang", 4),
    ("a_guest_arrives", "An incoming migration that takes long costs nobody a reading.", "busy", "incoming_migration", 5),
    ("a_disk_is_committed", "A guest in a long blockcommit is read like all others, and so are they.",
     "busy", "long_blockcommit", 5),
    ("libvirtd_is_stopped", "While libvirtd is under SIGSTOP the poller waits, says so once, and goes on.",
     "libvirtd", "stopped_by_a_signal", 4),
    ("libvirtd_is_killed_in_a_call", "Killed while the poller waits for it, libvirtd comes back to the same streams.",
     "libvirtd", "killed_in_the_middle_of_a_call", 5),
    ("libvirtd_is_away", "While there is no libvirtd the poller says so once and tries on.",
     "libvirtd", "away_for_a_while", 5),
    ("libvirtd_is_killed_while_a_guest_hangs", "A libvirtd that starts while a guest hangs gives all others.",
     "libvirtd", "killed_while_a_guest_hangs", 7),
]
FULL_FAULTS = [
    ("libvirtd_is_killed", "After kill -9 of libvirtd the same streams go on.", "libvirtd", "killed", 4),
]


def setUpModule():
    for name, uuid in GUESTS.items():
        Scene.world.guest(name, uuid, "meadow", "--order", "work 3 3 5")


rows(FAULTS + FULL_FAULTS if os.environ.get("FULL") else FAULTS, "act")(Hung)

if __name__ == "__main__":
    sys.exit(play(interval=f"{INTERVAL_S}s"))
