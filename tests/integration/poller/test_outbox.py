"""The outbox when brokers, disks, files, ledgers and clocks fail: nothing is lost or billed twice, each drop counted.

One world with a real broker for all rows, in order. Its poller's clocks can be set (clock_shim). Beside it run pollers
of VMs without guests (many_domains), whose usage is known by law.
"""
import errno
import itertools
import mmap
import os
import shutil
import sqlite3
import struct
import sys
import time

from many_domains import FIRST_TICK, WEIGHTS, ManyDomains
from world import Poller, Program, Scene, Skip, play, rows, run, seconds, until

RATE = 20_000  # bytes a second that an outbox may drain with
CONFIG = f"send: {{rate: {RATE}}}\n"
OUTAGE = 5     # readings between the poller's ends
SLACK_S = 2.0  # that a reading or an event may take on a busy machine
HOLD_S = 1.5   # how long states last; it is what is measured, not a wait for anything
HOUR_S = 3600
BLOCK = 512
WRITTEN, WRITES = "disk.device.write.bytes", "disk.device.write.requests"


class Guest:
    def __init__(self, world, number):
        self.world, self.name, self.uuid = world, f"o{number}", f"6b1d0000-0000-4000-8000-{number:012d}"
        self.done = {WRITTEN: 0, WRITES: 0}
        world.guest(self.name, self.uuid, "meadow")

    def work(self, writes=10):
        self.world.host.order(self.name, "write", writes)
        self.done[WRITES] += writes
        self.done[WRITTEN] += writes * BLOCK

    def settle(self):
        self.world.await_used(self.uuid, self.done)


class Clock:
    """What a poller takes for the time: the machine's, and so much."""

    def __init__(self, path):
        with open(path, "w+b") as file:
            file.truncate(16)
            self.map = mmap.mmap(file.fileno(), 16)
        self.wall_s = self.boot_s = 0
        self.environment = ["LD_PRELOAD=" + os.environ["CLOCK_SHIM_LIBRARY"], "CLOCK_SHIM=" + path,
                            "ASAN_OPTIONS=verify_asan_link_order=0"]

    def step(self, wall_s, boot_s=0):
        self.wall_s, self.boot_s = self.wall_s + wall_s, self.boot_s + boot_s
        self.map[:] = struct.pack("=qq", self.wall_s * 10**9, self.boot_s * 10**9)


class FleetPoller(Poller):
    """That of VMs without guests."""

    def __init__(self, world, name, many, kafka, config="", before=()):
        self.state, file = world.path(name), world.path(name + ".yaml")
        with open(file, "w") as out:
            out.write(config)
        Program.__init__(self, self.state + ".log", *before, "env", *many.environment, os.environ["POLLER"], "--config",
                         file, "--state", self.state, "--libvirt", many.uri, "--kafka", kafka, "--interval", "1s")


class Fleet:
    """VMs without guests. Their counters stand still but while a poller reads them."""
    VMS = 30

    def __init__(self, world):
        self.world, self.many = world, ManyDomains(world.path("fleet"), self.VMS)
        self.many.freeze()

    def start(self, poller):
        """What stands in its counters at the first list is nobody's."""
        poller.start()
        self.await_cycles(2)
        self.many.freeze(False)

    def await_cycles(self, count):
        before = self.many.plan.cycles
        until("readings of VMs", lambda: self.many.plan.cycles >= before + count)

    def settle(self, *numbers):
        """Nothing is done any more, and what was is billed."""
        self.many.freeze()
        for n in numbers:
            done = WEIGHTS[WRITTEN] * self.many.vms[n].step * (self.many.plan.tick - FIRST_TICK)
            self.world.await_used(self.many.uuids[n], {WRITTEN: done})


def start(poller):
    """Again, until it has read its host."""
    figures = os.path.join(poller.state, "pluvio-poller.prom")
    os.remove(figures)
    poller.start()
    until("its first reading", lambda: os.path.exists(figures))


class Overflow:
    """An outbox that is too small, in the background: its broker is away all the time."""
    BYTES, NOWHERE = 1 << 20, "127.0.0.1:1"

    def __init__(self, world, fleet):
        self.world = world
        self.poller = FleetPoller(world, "overflow", fleet.many, self.NOWHERE, "outbox: {max_size: 1MiB}\n")
        fleet.start(self.poller)

    def table(self):
        """([(entity, time)], bytes, records ever made)"""
        with sqlite3.connect(f"file:{self.poller.state}/outbox.db?mode=ro", uri=True) as db:
            return (db.execute("SELECT key, time_ms FROM record ORDER BY id").fetchall(),
                    db.execute("SELECT total(length(payload)) FROM record").fetchone()[0],
                    db.execute("SELECT total(last) FROM lane").fetchone()[0])

    def connect(self):
        self.poller.command[self.poller.command.index(self.NOWHERE)] = self.world.kafka
        self.poller.start()


class Place(Scene):
    """What the rows share; the first of them makes it. Clocks come first: where an outbox was lost, what counters did
    before its newest reading, by the clock, is nobody's, and a clock that is set back makes that long."""
    guests = []

    @classmethod
    def setUpClass(cls):
        world = cls.world
        if Place.guests:
            return
        Place.clock = Clock(world.path("clock"))
        cls.clock.step(0)
        world.poller.kill()
        at = world.poller.command.index(os.environ["POLLER"])
        world.poller.command[at:at] = ["env", *cls.clock.environment]
        start(world.poller)
        Place.fleet = Fleet(world)
        Place.overflow = Overflow(world, cls.fleet)
        Place.guests += [Guest(world, n) for n in range(2)]

    def tearDown(self):
        self.world.audit()

    def work_and_settle(self):
        for guest in self.guests:
            guest.work()
        for guest in self.guests:
            guest.settle()


# None is ever ahead of the collector, which would not believe it.
STEPS = [
    ("back", "A clock set back by two hours.", (-2 * HOUR_S, 0), 0, 0, True),
    ("forward", "A clock set forward by an hour.", (HOUR_S, 0), 0, 0, True),
    ("leap_second", "A leap second.", (-1, 0), -1, 0, None),
    ("back_into_what_was_held", "A clock set back to when it ran already: that time is not held twice.",
     (-6, 0), -6, 0, True),
    ("suspended", "A host that was suspended for an hour: its VMs were there.",
     (HOUR_S, HOUR_S), HOUR_S, HOUR_S, False),
]


@rows(STEPS, "set_clock")
class Clocks(Place):
    """Usage is exact, and a VM is held for as long as it was there, whatever the host's clock does."""
    numbers = itertools.count(100)

    def set_clock(self, step, least_s, most_s, is_step):
        world, began = self.world, time.monotonic()
        guest = Guest(world, next(self.numbers))
        known = time.monotonic()
        Place.guests.append(guest)
        self.work_and_settle()
        time.sleep(HOLD_S)
        steps = world.poller.figures()["clock_steps"]
        self.clock.step(*step)
        self.work_and_settle()
        time.sleep(HOLD_S)
        if is_step is not None:
            self.assertEqual(world.poller.figures()["clock_steps"], steps + is_step)
        world.host.virsh("destroy", guest.name)
        ended = time.monotonic()
        until("its end", lambda: world.resources(entity=guest.uuid, kind="instance")[0]["state"] == "shutoff")
        held = sum(ms for state, ms in world.held(guest.uuid).items() if state != "shutoff") / 1000
        self.assertGreaterEqual(held, ended - known + least_s - SLACK_S)
        self.assertLessEqual(held, ended - began + most_s + SLACK_S)
        self.guests.remove(guest)


class Outbox(Place):
    def test_01_a_broker_that_was_away_long_is_not_flooded_and_nothing_is_lost(self):
        """The poller is killed, and stopped, in between; what waited comes in order, at a bounded rate."""
        world = self.world
        self.work_and_settle()
        there, known = len(self.times_and_sizes()), [len(world.records(guest.uuid)) for guest in self.guests]
        world.broker("kill")
        for again in (world.poller.kill, world.poller.stop):
            for guest in self.guests:
                guest.work()
            world.poller.await_cycles(OUTAGE)
            again()
            start(world.poller)
        for guest in self.guests:
            guest.work()
        world.poller.await_cycles(OUTAGE)
        world.broker("start")
        for guest in self.guests:
            guest.settle()
        self.judge_rate(self.times_and_sizes()[there:])
        for guest, before in zip(self.guests, known):
            self.judge_order(world.records(guest.uuid)[before:])
        with open(world.path("poller.yaml"), "w"):
            pass  # the next rows need not be slow

    def times_and_sizes(self):
        """Of all that is on the topic: when it was handed to the client, in ms, and how large it is."""
        done = run("kcat", "-C", "-e", "-q", "-b", self.world.kafka, "-t", "otlp_metrics", "-f", "%T %S\n")
        assert done.returncode == 0, done.stderr
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]

    def judge_rate(self, messages):
        """In no span of time came more than the rate allows, and what it allows in a second may be saved."""
        messages.sort()
        largest = max(size for _, size in messages)
        self.assertGreater(sum(size for _, size in messages), 5 * RATE)
        for first, (begin, _) in enumerate(messages):
            size = 0
            for end, more in messages[first:]:
                size += more
                self.assertLessEqual(size, RATE * (1 + (end - begin) / 1000) + 2 * largest, f"in {end - begin} ms")

    def judge_order(self, records):
        """Each reading, where it came first, is newer than those before it."""
        times = list(dict.fromkeys(max(seconds(p["time"]) for p in r["points"]) for r in records if r["points"]))
        self.assertEqual(times, sorted(times))
        self.assertGreater(len(times), 2 * OUTAGE)

    def test_02_an_outbox_that_is_too_small_is_thinned_evenly(self):
        """Three times what fits was made: of all that time readings are left, and each that went is counted."""
        overflow, poller = self.overflow, self.overflow.poller
        until(lambda: f"enough to go: {poller.figures()}",
              lambda: poller.figures()["outbox_thinned"] > 2 * poller.figures()["outbox_unreleased"])

        def counted():
            thinned, (self.left, self.size, made) = poller.figures()["outbox_thinned"], overflow.table()
            return len(self.left) + thinned == made
        until(lambda: f"all to be counted: {poller.figures()}, {len(self.left)} left", counted)
        poller.stop()
        self.assertEqual([poller.figures()[name] for name in ("outbox_dropped", "lost_records")], [0, 0])
        self.judge_holes(len(self.left) / self.size * overflow.BYTES)
        overflow.connect()
        self.fleet.settle(0, 1, self.fleet.VMS - 1)
        poller.stop()

    def judge_holes(self, fit):
        """Of each VM there is as much left as of all others, of all the time."""
        times = {uuid: [time_ms for key, time_ms in self.left if key == uuid] for uuid in self.fleet.many.uuids}
        begin, end = (choose(time_ms for _, time_ms in self.left) for choose in (min, max))
        even = (end - begin) * len(times) / fit
        for of_one in times.values():
            gaps = [b - a for a, b in zip([begin, *of_one], [*of_one, end])]
            self.assertLessEqual(max(gaps), 6 * even, gaps)

    def test_03_a_full_disk_keeps_records_in_memory_until_it_heals(self):
        """What is not stored is not sent, which is said once; nothing is lost."""
        poller = self.begin_on("full", "mount -t tmpfs -o size=16m none")
        filler = os.path.join(poller.state, "filler")
        self.fill(filler)
        self.judge_refusal(poller)
        self.assertIn("free some space on its disk", poller.text())
        os.remove(filler)
        self.fleet.settle(0, 1, self.fleet.VMS - 1)
        poller.await_cycles(1)
        figures = poller.figures()
        self.assertEqual([figures[name] for name in ("outbox_waiting", "outbox_dropped", "lost_records")], [0, 0, 0])
        poller.stop()

    def test_04_a_disk_that_turns_read_only_does_so_until_it_is_mounted_anew(self):
        """As Linux does it after an error of the file system; the next start's readings make good what waited."""
        image = self.world.path("image")
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        run("mkfs.ext4", "-q", image, check=True)
        mounted = run("unshare", "-m", "mount", "-o", "loop", image, "/mnt")
        if mounted.returncode:
            raise Skip(f"no loop device: {mounted.stderr.strip()}")
        poller = self.begin_on("read-only", f"mount -o loop,errors=remount-ro {image}")
        device = os.stat(poller.state).st_dev
        block = os.path.realpath(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
        with open(f"/sys/fs/ext4/{os.path.basename(block)}/trigger_fs_error", "w") as trigger:
            trigger.write("1")
        self.judge_refusal(poller)
        self.assertIn("(Read-only file system): the file or its folder cannot be written", poller.text())
        poller.stop()
        self.assertRegex(poller.text(), r"\d+ records wait in memory for the disk and end here")
        poller.start()
        self.fleet.settle(0, 1, self.fleet.VMS - 1)
        poller.stop()

    def begin_on(self, name, mount):
        """A poller whose state folder is a disk of its own."""
        folder, uuid = self.world.path(name), self.fleet.many.uuids[0]
        os.mkdir(folder)
        poller = FleetPoller(self.world, name, self.fleet.many, self.world.kafka,
                             before=["unshare", "-m", "sh", "-c", mount + ' "$0" && exec "$@"', folder])
        before = self.world.used(uuid, WRITTEN)
        self.fleet.start(poller)
        until("usage to flow", lambda: self.world.used(uuid, WRITTEN) > before)
        poller.state = f"/proc/{poller.process.pid}/root{folder}"
        return poller

    def judge_refusal(self, poller):
        until("it to be said", lambda: "records wait in memory" in poller.text())
        for _ in range(3):
            self.fleet.await_cycles(1)
            self.judge_sent(poller, self.fleet.many.uuids[0])
        self.assertEqual(poller.text().count("nothing is sent that is not stored"), 1)

    def judge_sent(self, poller, uuid):
        """Nothing of a VM is on the topic that is newer than what is stored."""
        sent = [seconds(p["time"]) for r in self.world.records(uuid) for p in r["points"] if p["meter"] == "cpu"]
        path = poller.command[poller.command.index("--state") + 1] + "/outbox.db"
        done = run("nsenter", "-m", "-r", "-t", poller.process.pid, "sqlite3", path,
                   f"SELECT max(time_ms) FROM record WHERE key = '{uuid}'")
        self.assertLessEqual(int(max(sent) * 1000), int(done.stdout), done.stderr)

    def fill(self, path):
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as why:
                self.assertEqual(why.errno, errno.ENOSPC)

    def test_05_a_damaged_file_is_set_aside_and_a_new_one_begun(self):
        """It is named, and usage goes on from the next reading: at once, or when the service manager starts it again."""
        for number, (table, is_ended) in enumerate([("record", False), ("incarnation", True)], 1):
            with self.subTest(table):
                self.judge_damage(table, is_ended, f"outbox.db.damaged-{number}")

    def judge_damage(self, table, is_ended, aside):
        world, poller = self.world, self.world.poller
        self.work_and_settle()
        poller.stop()
        path = os.path.join(poller.state, "outbox.db")
        with sqlite3.connect(path) as db:
            pages = [page for page, in db.execute("SELECT pageno FROM dbstat WHERE name = ?", (table,))]
        with open(path, "r+b") as file:
            for page in pages:
                file.seek((page - 1) * 4096)
                file.write(b"\xa5" * 4096)
        if is_ended:
            poller.start()
            self.assertNotEqual(poller.process.wait(20), 0)
        start(poller)
        self.assertIn(aside, poller.text())
        self.assertTrue(os.path.exists(os.path.join(poller.state, aside)))
        self.work_and_settle()

    def test_06_a_ledger_that_went_back_gets_again_what_it_lacks(self):
        """A copy of it, taken while the collector was stopped, takes its place; the broker has nothing of it either."""
        world = self.world
        self.work_and_settle()
        world.collector.stop()
        shutil.copytree(world.path("collector"), world.path("copy"))
        world.start_collector()
        for _ in range(2):
            self.work_and_settle()
        world.collector.stop()
        for verb in ("kill", "wipe", "start"):
            world.broker(verb)
        shutil.rmtree(world.path("collector"))
        os.rename(world.path("copy"), world.path("collector"))
        world.start_collector()
        self.work_and_settle()

    def test_07_a_second_poller_of_a_host_ends_at_once(self):
        """Whatever its state folder is; it names who reads the host, who goes on."""
        world = self.world
        second = world.make_poller("second", world.host)
        second.start()
        status = second.process.wait(20)
        second.process = None
        self.assertNotEqual(status, 0)
        self.assertIn(f"another pluvio-poller (pid {world.poller.process.pid})", second.text())
        self.work_and_settle()


if __name__ == "__main__":
    sys.exit(play(kafka=True, poller=CONFIG))
