"""Live migration between two libvirtds, a poller each and one collector: used once, held once, whoever looks and when.

What a guest does after the last reading at its source is nobody's, so it rests and is billed before it moves, but for
the row under load. QEMU announces it at its destination by some frames of 60 bytes, which it sends there.
"""
import sys
import time

from world import Scene, play, rows, until

FRAME, BLOCK = 600, 512
ANNOUNCEMENT, ANNOUNCEMENTS = 60, 5
WRITTEN, READS, SENT = "disk.device.write.bytes", "disk.device.read.requests", "network.outgoing.bytes"
COUNTERS = {WRITTEN: "block.0.wr.bytes", READS: "block.0.rd.reqs", SENT: "net.0.tx.bytes"}
CLOSE_MS = 4000
TURN = 40       # blocks written and read in each second of work
LOST_TURNS = 2  # an interval's, on a busy machine


class Traveller:
    """A guest that moves between the hosts, and what it has done."""

    def __init__(self, world, number):
        self.world, self.name, self.at, self.moves = world, f"t{number}", 0, 0
        self.uuid = f"3a1d0000-0000-4000-8000-{number:012d}"
        self.done = {WRITTEN: 0, READS: 0, SENT: 0}
        self.sent_before = 0
        self.since = time.time()
        world.guest(self.name, self.uuid, "meadow")

    @property
    def host(self):
        return self.world.hosts[self.at]

    def work(self):
        self.host.order(self.name, "write", 30)
        self.host.order(self.name, "read", 20)
        self.host.order(self.name, "send", 10, FRAME)
        self.done[WRITTEN] += 30 * BLOCK
        self.done[READS] += 20
        self.done[SENT] += 10 * FRAME

    def expected(self):
        """With the announcements, as its present host counts them."""
        sent = self.sent_before + self.host.counted(self.name, **COUNTERS)[SENT]
        more = sent - self.done[SENT]
        assert more % ANNOUNCEMENT == 0 and 0 <= more <= self.moves * ANNOUNCEMENTS * ANNOUNCEMENT, more
        return {**self.done, SENT: sent}

    def billed(self):
        return {meter: self.world.used(self.uuid, meter) for meter in self.done}

    def settle(self, *but):
        def reached():
            self.wanted, self.have = self.expected(), self.billed()
            return all(self.wanted[meter] == self.have[meter] for meter in self.wanted if meter not in but)
        until(lambda: f"wanted {self.wanted}, have {self.have}", reached)
        self.world.audit()

    def move(self):
        self.sent_before = self.expected()[SENT]
        self.move_on()

    def move_on(self):
        self.host("migrate", self.name, self.world.hosts[1 - self.at].folder)
        self.at, self.moves = 1 - self.at, self.moves + 1

    def judge_time(self, short_ms):
        """No more than there was, and little less than that."""
        self.world.pollers[self.at].await_cycles(2)
        held = sum(self.world.held(self.uuid).values())
        wall = (time.time() - self.since) * 1000
        assert held <= wall, f"{held} ms held in {wall:.0f} ms"
        assert held >= wall - short_ms, f"only {held} ms held in {wall:.0f} ms"


ROWS = [
    ("there_and_back", "There and back at rest.", ["settle", "move", "work", "settle", "move", "work", "settle"]),
    ("the_sources_poller_is_killed", "The source's poller is killed before and started after it.",
     ["settle", "kill 0", "move", "work", "start 0", "settle"]),
    ("the_sources_poller_restarts_at_once", "The source's poller is killed after it, before it has read its host again.",
     ["settle", "move", "kill 0", "start 0", "work", "settle"]),
    ("the_destinations_poller_comes_late", "The destination's poller was away when the guest came, and when it worked.",
     ["settle", "kill 1", "move", "work", "start 1", "settle"]),
    ("both_pollers_are_killed", "Nobody looks while it moves, works, comes back and works again.",
     ["settle", "kill 0", "kill 1", "move", "work", "start 0", "start 1", "settle", "move", "work", "settle"]),
    ("the_collector_is_killed", "The collector is killed meanwhile.",
     ["settle", "kill collector", "move", "work", "start collector", "settle"]),
    ("a_libvirtd_restarts_behind_it", "The libvirtd that it left is killed, and counts its domains anew.",
     ["settle", "move", "libvirtd 0", "work", "settle", "move", "work", "settle"]),
]


@rows(ROWS, "travel")
class Migration(Scene):
    count = 0

    def traveller(self):
        Migration.count += 1
        return Traveller(self.world, Migration.count)

    def tearDown(self):
        for program in self.world.pollers:
            if not program.process:
                program.start()

    def program(self, which):
        return self.world.collector if which == "collector" else self.world.pollers[int(which)]

    def travel(self, steps):
        guest, blind = self.traveller(), 0
        guest.work()
        for step in steps:
            verb, _, which = step.partition(" ")
            if verb == "kill":
                self.program(which).kill()
                blind += which != "collector"
            elif step == "start collector":
                self.world.start_collector()
            elif verb == "start":
                self.program(which).start()
            elif verb == "libvirtd":
                self.world.hosts[int(which)]("restart")
            else:
                getattr(guest, verb)()
        guest.judge_time(CLOSE_MS if not blind else 4 * CLOSE_MS)

    def test_90_there_and_back_at_once(self):
        """It is back before anybody has looked at the other host; its disk is billed to the unit."""
        guest = self.traveller()
        guest.work()
        guest.settle()
        guest.move()
        guest.move()
        guest.work()
        guest.settle(SENT)
        guest.judge_time(2 * CLOSE_MS)

    def test_91_under_load(self):
        """Never more than the guest itself says that it did, and less by what it did in an interval at most: what it did
        between a last reading and the end of its process."""
        guest = self.traveller()
        guest.host.order(guest.name, "work", TURN, 20, 50)
        until("work to be billed", lambda: guest.billed()[READS] > 2 * TURN)
        guest.move_on()
        until("work to be billed there", lambda: guest.billed()[READS] > 6 * TURN)
        done = TURN * int(guest.host.order(guest.name, "worked"))
        self.world.pollers[1].await_cycles(2)

        def billed():
            self.billed = guest.billed()
            counts = self.billed[READS], self.billed[WRITTEN] // BLOCK
            return all(done - LOST_TURNS * TURN <= count <= done for count in counts)
        until(lambda: f"billed {self.billed}, done {done}", billed)
        self.world.pollers[1].await_cycles(2)
        self.assertTrue(billed(), f"billed {self.billed}, done {done}")
        self.world.audit()
        guest.judge_time(CLOSE_MS)


if __name__ == "__main__":
    sys.exit(play(hosts=2))
