"""Many guests, a real Kafka, and whatever may happen to any of them, at random: what guests were told to do is what is
billed, to the unit, and the audit is clean.

SOAK_GUESTS (20) and SOAK_SECONDS (45) say how many and how long, SEED which dice. What a process or a device did after
the last reading before its end is nobody's: acts that end one wait until its work is billed.
"""
import collections
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from world import Scene, play, until

GUESTS = int(os.environ.get("SOAK_GUESTS", "20"))
SECONDS = int(os.environ.get("SOAK_SECONDS", "45"))
SEED = int(os.environ.get("SEED", time.time()))
INTERVAL_S = max(1, GUESTS // 40)
HANDS = 4  # that act at once
PROJECTS = ("meadow", "orchard", "heath")
BLOCK, FRAME = 512, 600
READ, READS, WRITTEN, WRITES = ("disk.device." + m for m in ("read.bytes", "read.requests", "write.bytes", "write.requests"))
SENT, FRAMES = "network.outgoing.bytes", "network.outgoing.packets"
METERS = (READ, READS, WRITTEN, WRITES, SENT, FRAMES)
PATIENCE_S = 180

DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{0}.img'/>
<target dev='vda' bus='virtio'/><serial>serial-{1}</serial></disk>"""
NIC = """<interface type='bridge'><mac address='{0}'/><source bridge='br0'/><target dev='tap-{1}'/>
<model type='virtio'/><rom enabled='no'/></interface>"""


class Guest:
    """What it has done, and what can be done to it. One act at a time; each leaves it running."""

    def __init__(self, world, number):
        self.world, self.host, self.lock = world, world.host, threading.Lock()
        self.name, self.uuid = f"s{number}", f"50a40000-0000-4000-8000-{number:012d}"
        self.project = PROJECTS[number % len(PROJECTS)]
        self.done = dict.fromkeys(METERS, 0)
        self.acts = []
        mac = f"52:54:00:{self.uuid[-6:-4]}:{self.uuid[-4:-2]}:{self.uuid[-2:]}"
        for kind, xml in (("disk", DISK.format(self.path(""), self.name)), ("nic", NIC.format(mac, self.name))):
            with open(self.path(f".{kind}.xml"), "w") as file:
                file.write(xml)
        self.host("guest", self.name, self.uuid, "--project", self.project)

    def path(self, suffix):
        return self.world.path(f"host/{self.name}{suffix}")

    def virsh(self, verb, *arguments):
        return self.host.virsh(verb, self.name, *arguments)

    def act(self, what, dice):
        self.acts.append(f"{time.strftime('%H:%M:%S')} {what}")
        getattr(self, what)(dice)

    def billed(self):
        rows = self.world.pages("/v1/usage", "usage", from_="2026-01-01", group="entity", entity=self.uuid)
        return {r["meter"]: int(r["quantity"]) for r in rows if r["meter"] in METERS}

    def is_billed(self):
        have = self.billed()
        for meter, done in self.done.items():
            assert have.get(meter, 0) <= done, f"{self.name}: {meter} {have[meter]} is more than {done}; {self.acts}"
        return {**dict.fromkeys(METERS, 0), **have} == self.done

    def await_billed(self):
        until(lambda: f"{self.name} to be billed: {self.billed()} of {self.done}; {self.acts}", self.is_billed, PATIENCE_S)

    # ---- acts ----

    def work(self, dice):
        reads, writes, sends = (dice.randint(1, 60) for _ in range(3))
        self.host.order(self.name, "read", reads)
        self.done[READS] += reads
        self.done[READ] += reads * BLOCK
        self.host.order(self.name, "write", writes)
        self.done[WRITES] += writes
        self.done[WRITTEN] += writes * BLOCK
        self.host.order(self.name, "send", sends, FRAME)
        self.done[FRAMES] += sends
        self.done[SENT] += sends * FRAME

    def reset(self, _):
        self.virsh("reset")

    def reboot(self, _):
        self.host.order(self.name, "reboot")

    def pause(self, dice):
        self.virsh("suspend")
        time.sleep(dice.uniform(0, 2))
        self.virsh("resume")

    def hang(self, dice):
        self.host.signal(self.name, signal.SIGSTOP)
        time.sleep(dice.uniform(0, 3 * INTERVAL_S + 2))
        self.host.signal(self.name, signal.SIGCONT)

    def destroy(self, _):
        self.await_billed()
        self.virsh("destroy")
        self.virsh("start")

    def crash(self, _):
        self.await_billed()
        self.host.signal(self.name, signal.SIGKILL)
        self.await_end()
        self.virsh("start")

    def poweroff(self, _):
        self.await_billed()
        self.host.order(self.name, "poweroff")
        self.await_end()
        self.virsh("start")

    def await_end(self):
        until(f"{self.name} to end", lambda: "shut off" in self.virsh("domstate"))

    def replug_disk(self, _):
        self.replug("disk", "vda", "domblklist")

    def replug_nic(self, _):
        self.replug("nic", "52:54:00", "domiflist")

    def replug(self, kind, sign, lister):
        self.host.order(self.name, "ping")  # one that starts does not hear of it
        self.await_billed()
        self.virsh("detach-device", self.path(f".{kind}.xml"))
        until(f"the {kind} of {self.name} to go: {self.acts}", lambda: sign not in self.virsh(lister))
        self.virsh("attach-device", self.path(f".{kind}.xml"))


ACTS = {"work": 20, "reset": 2, "reboot": 2, "pause": 2, "hang": 3, "destroy": 2, "crash": 2, "poweroff": 2, "replug_disk": 3,
        "replug_nic": 3}


class Soak(Scene):
    @classmethod
    def setUpClass(cls):
        with ThreadPoolExecutor(HANDS) as pool:
            cls.guests = list(pool.map(lambda n: Guest(cls.world, n), range(GUESTS)))
        until("all to be known", lambda: len(cls.world.resources(kind="instance")) == GUESTS, PATIENCE_S)

    def soon(self):
        return time.monotonic() < self.end and not self.stop

    def hand(self, number):
        """Does something to some guest, again and again."""
        dice = random.Random(f"{SEED} {number}")
        try:
            while self.soon():
                guest = dice.choice(self.guests)
                if not guest.lock.acquire(blocking=False):
                    continue
                try:
                    what = dice.choices(list(ACTS), list(ACTS.values()))[0]
                    guest.act(what, dice)
                    self.count[what] += 1
                finally:
                    guest.lock.release()
        except BaseException:
            self.stop = True
            raise

    def faults(self):
        """The poller is killed, the broker killed or stopped, and away for a while."""
        dice = random.Random(f"{SEED} faults")
        while self.soon():
            time.sleep(dice.uniform(2, 8))
            what = dice.choice(["kill_poller", "kill", "stop"])
            self.count[what] += 1
            if what == "kill_poller":
                self.world.poller.kill()
                time.sleep(dice.uniform(0, 3 * INTERVAL_S))
                self.world.poller.start()
            else:
                self.world.broker(what)
                time.sleep(dice.uniform(0, 5))
                self.world.broker("start")

    def test_what_guests_were_told_to_do_is_what_is_billed_whatever_happens(self):
        print(f"SEED={SEED} SOAK_GUESTS={GUESTS} SOAK_SECONDS={SECONDS}, every {INTERVAL_S} s", file=sys.stderr)
        self.count, self.stop, self.end = collections.Counter(), False, time.monotonic() + SECONDS
        with ThreadPoolExecutor(HANDS + 1) as pool:
            doing = [pool.submit(self.hand, n) for n in range(HANDS)] + [pool.submit(self.faults)]
        for one in doing:
            one.result()
        ended = time.monotonic()
        for guest in self.guests:
            guest.await_billed()
        print(f"settled after {time.monotonic() - ended:.1f} s; {dict(self.count)}; {self.world.poller.figures()}", file=sys.stderr)
        self.judge_projects()
        self.world.audit()
        self.assertEqual(self.world.poller.figures()["lost_records"], 0)

    def judge_projects(self):
        usage = self.world.usage()
        for project in PROJECTS:
            for meter in METERS:
                self.assertEqual(usage[project, meter], sum(g.done[meter] for g in self.guests if g.project == project))


if __name__ == "__main__":
    sys.exit(play(kafka=True, interval=f"{INTERVAL_S}s"))
