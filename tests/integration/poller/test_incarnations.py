"""Whatever ends and begins: bytes and requests since Pluvio's first look are billed once, to the unit.

Acts are done to guests, one each, in every mode: with the poller there all the time, and restarted or away at every
moment that matters. What a process did after the last reading before its end is nobody's, so all work is billed before
the acts. FULL=1: all modes.
"""
import contextlib
import os
import signal
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from world import Scene, play, rows, run, until

FRAME = 600
BLOCK = 512
UPTIME_S = 100  # of the host, by the time that a poller looks at it after a boot
ANNOUNCEMENT, ANNOUNCEMENTS = 60, 5
WRITTEN, WRITES, SENT = "disk.device.write.bytes", "disk.device.write.requests", "network.outgoing.bytes"


def uuid_of(number):
    return f"1c1d0000-0000-4000-8000-{number:012d}"


def qcow2(path, size):
    """An empty image: header, refcount table, refcount block, first-level table."""
    cluster = 65536
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    with open(path, "wb") as file:
        for place, content in ((0, header), (1, struct.pack(">Q", 2 * cluster)), (2, struct.pack(">4H", 1, 1, 1, 1))):
            file.seek(place * cluster)
            file.write(content)
        file.truncate(4 * cluster)


class Guest:
    """One act's guest, and what it has done."""

    def __init__(self, world, number, act):
        self.world, self.host, self.act = world, world.host, act
        self.name, self.uuid, self.number = f"g{number}", uuid_of(number), number
        self.done = {WRITTEN: 0, WRITES: 0, SENT: 0}
        self.others = {}  # of UUIDs that it had before
        self.turn = 0
        self.sent_before = 0  # by earlier processes
        self.plugged = self.unseen = 0  # writes since the disk was plugged; before a plug that nobody saw
        self.make()

    def virsh(self, verb, *arguments):
        return self.host.virsh(verb, self.name, *arguments)

    def make(self):
        """Like all guests, but with a disk that internal snapshots fit in, where the act wants that."""
        self.host("guest", self.name, self.uuid, "--project", "meadow", "--no-start")
        if self.act == "snapshot_revert":
            qcow2(self.file("img"), 8 << 20)
            with open(self.file("xml")) as file:
                text = file.read().replace("name='qemu' type='raw'", "name='qemu' type='qcow2'")
            with open(self.file("xml"), "w") as file:
                file.write(text)
            self.host.virsh("define", self.file("xml"))
        self.host.virsh("start", self.name)

    def file(self, suffix):
        return self.world.path(f"host/{self.name}.{suffix}")

    def work(self, writes, sends):
        self.host.order(self.name, "write", writes)
        self.host.order(self.name, "send", sends, FRAME)
        self.done[WRITTEN] += writes * BLOCK
        self.done[WRITES] += writes
        self.plugged += writes
        self.done[SENT] += sends * FRAME

    def hear_announcements(self):
        """QEMU announces a guest that was loaded by some frames of 60 bytes, which are its own too."""
        sent = self.host.counted(self.name, sent="net.0.tx.bytes")["sent"] + self.sent_before
        more = sent - self.done[SENT]
        assert more % ANNOUNCEMENT == 0 and 0 <= more <= ANNOUNCEMENT * ANNOUNCEMENTS * self.turn, f"{self.name}: {more}"
        return sent

    # ---- acts: each leaves the guest running ----

    def reset(self):
        self.virsh("reset")

    def reboot(self):
        self.host.order(self.name, "reboot")

    def pause(self):
        self.virsh("suspend")
        self.virsh("resume")

    def save_and_restore(self):
        self.sent_before = self.hear_announcements()
        self.virsh("save", self.file("saved"))
        self.host.virsh("restore", self.file("saved"))

    def snapshot_revert(self):
        sent, pid = self.hear_announcements(), self.host("pid", self.name)
        self.virsh("snapshot-create-as", f"s{self.turn}")
        self.virsh("snapshot-revert", f"s{self.turn}")
        if self.host("pid", self.name) != pid:
            self.sent_before = sent

    def destroy_and_start(self):
        self.virsh("destroy")
        self.host.virsh("start", self.name)

    def crash(self):
        self.host.signal(self.name, signal.SIGKILL)
        self.await_end()
        self.host.virsh("start", self.name)

    def poweroff(self):
        self.host.order(self.name, "poweroff")
        self.await_end()
        self.host.virsh("start", self.name)

    def await_end(self):
        until(f"{self.name} to end", lambda: "shut off" in self.virsh("domstate"))

    def detach_disk(self):
        self.virsh("detach-disk", "vda")
        until("the disk to go", lambda: "vda" not in self.virsh("domblklist"))

    def attach_disk(self, image):
        self.virsh("attach-disk", image, "vda", "--driver", "qemu", "--subdriver", "raw", "--targetbus", "virtio",
                   "--serial", f"serial-{self.name}")

    def disk_replug(self):
        """Rule S4: of one that nobody saw, whose disk and serial are the same and whose counters are past the old ones
        when somebody looks again, nothing tells that it is no copy's pivot. It is billed once what the old plug had, not
        twice: that much is lost, no more."""
        self.detach_disk()
        self.attach_disk(self.file("img"))
        self.unseen, self.plugged = 0 if self.world.poller.process else self.plugged, 0

    def forget_unseen(self):
        if not self.unseen or self.plugged < self.unseen:
            return 0
        self.done[WRITTEN] -= self.unseen * BLOCK
        self.done[WRITES] -= self.unseen
        self.plugged -= self.unseen
        self.unseen = 0
        return 1

    def nic_replug(self):
        mac = f"52:54:00:{self.uuid[-6:-4]}:{self.uuid[-4:-2]}:{self.uuid[-2:]}"
        self.virsh("detach-interface", "bridge", "--mac", mac)
        until("the interface to go", lambda: mac not in self.virsh("domiflist"))
        self.virsh("attach-interface", "bridge", "br0", "--mac", mac, "--model", "virtio", "--target", f"tap-{self.name}")

    def snapshot(self):
        self.virsh("snapshot-create-as", "--disk-only", "--no-metadata", "--diskspec",
                   f"vda,file={self.file(f'top{self.turn}')}")

    def commit(self):
        self.snapshot()
        self.virsh("blockcommit", "vda", "--active", "--pivot", "--wait")

    def copy(self):
        self.virsh("blockcopy", "vda", "--dest", self.file(f"copy{self.turn}"), "--format", "raw", "--transient-job",
                   "--wait", "--pivot")

    def another_of_its_name(self):
        self.others[self.uuid] = self.done
        self.virsh("destroy")
        self.virsh("undefine")
        self.uuid = uuid_of(self.number + 100 * (self.turn + 1))
        self.done = {WRITTEN: 0, WRITES: 0, SENT: 0}
        self.host("guest", self.name, self.uuid, "--project", "meadow")

    def another_of_its_uuid(self):
        self.virsh("destroy")
        self.virsh("undefine")
        self.name = f"g{self.number}-{self.turn}"
        self.host("guest", self.name, self.uuid, "--project", "meadow")


ACTS = ["reset", "reboot", "pause", "save_and_restore", "snapshot_revert", "destroy_and_start", "crash", "poweroff",
        "disk_replug", "nic_replug", "snapshot", "commit", "copy", "another_of_its_name", "another_of_its_uuid"]
LOADED = {"save_and_restore", "snapshot_revert"}
FEW, MORE = (3, 2), (400, 90)
MODES = [
    ("nothing_else_happens", "With the poller there all the time.", ["act"], MORE),
    ("the_poller_restarts_meanwhile", "The poller is killed and started again and again.", ["act_among_restarts"], FEW),
    ("the_poller_is_away", "The poller is killed, all is done, and it is started when new counters are past the old ones.",
     ["kill", "act"], MORE),
    ("libvirtd_restarts", "libvirtd and the poller are killed, and domain ids begin again.",
     ["act", "repeat_id", "restart"], MORE),
    ("the_host_boots", "After a power cut all of them are started, and the poller last.", ["kill", "boot"], MORE),
]
FULL_MODES = [
    ("the_poller_restarts_before", "The poller is killed and started before it.", ["restart", "act"], FEW),
    ("the_poller_restarts_after", "The poller is killed and started after it.", ["act", "restart"], MORE),
    ("the_poller_is_away_for_little", "Also where new counters are below the old ones.", ["kill", "act"], FEW),
    ("libvirtd_alone_restarts", "Only libvirtd is killed.", ["act", "repeat_id"], FEW),
]


class Incarnations(Scene):
    guests = []

    @classmethod
    def setUpClass(cls):
        with ThreadPoolExecutor(4) as pool:
            cls.guests += pool.map(lambda n: Guest(cls.world, n, ACTS[n]), range(len(ACTS)))
            list(pool.map(lambda guest: guest.work(*FEW), cls.guests))

    def in_each(self, what):
        """Do it to all guests, some at a time; who fails is told by name."""
        with ThreadPoolExecutor(4) as pool:
            for guest, done in [(g, pool.submit(what, g)) for g in self.guests]:
                with self.subTest(guest.act):
                    done.result()

    def expected(self):
        for guest in self.guests:
            sent = guest.hear_announcements() if guest.act in LOADED else guest.done[SENT]
            yield guest, guest.uuid, {**guest.done, SENT: sent}
            for uuid, done in guest.others.items():
                yield guest, uuid, done

    def settle(self):
        """Everything is billed, once."""
        def reached():
            rows = self.world.pages("/v1/usage", "usage", from_="2026-01-01", group="entity")
            used = {(r["entity"], r["meter"]): int(r["quantity"]) for r in rows}
            self.wrong = []
            for guest, uuid, done in self.expected():
                have = {meter: used.get((uuid, meter), 0) for meter in done}
                if have != done:
                    self.wrong.append(f"{guest.act} ({guest.name}, {uuid}): billed {have} of {done}")
            return not self.wrong
        until(lambda: "\n".join(self.wrong), reached, 20)
        self.world.audit()

    def act(self):
        self.in_each(lambda guest: getattr(guest, guest.act)())
        for guest in self.guests:
            guest.turn += 1

    def act_among_restarts(self):
        with ThreadPoolExecutor(1) as pool:
            acting = pool.submit(self.act)
            while not acting.done():
                self.restart()
                until("a reading, or the end", lambda: acting.done() or self.has_read())
        acting.result()

    def has_read(self):
        with contextlib.suppress(FileNotFoundError, KeyError):
            return self.world.poller.figures()["cycles"] > 0
        return False

    def repeat_id(self):
        """The newest guest has the highest domain id, and gets it again from a libvirtd that starts without it."""
        newest = self.begin_another()
        newest.work(*FEW)
        self.settle()
        number = newest.virsh("domid")
        newest.virsh("destroy")
        self.world.host("restart")
        self.world.host.virsh("start", newest.name)
        self.assertEqual(newest.virsh("domid"), number)

    def boot(self):
        """Another boot id, nothing runs that ran, and for the poller the clock since boot begins again."""
        for guest in self.guests:
            guest.sent_before = guest.hear_announcements() if guest.act in LOADED else 0
        self.world.host("down")
        self.world.host("up")
        command = self.world.poller.command
        with open(self.world.path("host/keeper.pid")) as file:
            command[command.index("-t") + 1] = file.read().strip()
        offset = UPTIME_S - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        command[:0] = ["unshare", "-T", "--boottime", str(offset), "--fork", "--kill-child"]
        self.in_each(lambda guest: self.world.host.virsh("start", guest.name))

    def kill(self):
        self.world.poller.kill()

    def restart(self):
        self.world.poller.kill()
        self.world.poller.start()

    def begin_another(self):
        self.guests.append(Guest(self.world, 50 + len(self.guests), "pause"))
        return self.guests[-1]

    def mode(self, steps, work):
        self.settle()
        for step in steps:
            getattr(self, step)()
        self.begin_another()
        self.in_each(lambda guest: guest.work(*work))
        unseen = sum(guest.forget_unseen() for guest in self.guests)
        if not self.world.poller.process:
            self.world.poller.start()
        self.settle()
        if unseen:  # and the copy beside it
            self.assertGreaterEqual(self.world.poller.figures()["ambiguous_plugs"], unseen + 1)


rows(FULL_MODES + MODES if os.environ.get("FULL") else MODES, "mode")(Incarnations)

if __name__ == "__main__":
    sys.exit(play())
