"""Kill -9 of each program in mid-flow: the totals are those that the guests' own hypervisor counts, to the unit, and no
archive step is missing.

    test_crash.py embedded|kafka
"""
import os
import random
import signal
import sys
import time
import unittest

from world import SKIPPED, Skip, World, until

GUESTS = [("squall", "0b1d0000-0000-4000-8000-000000000001", "meadow"),
          ("gust", "0b1d0000-0000-4000-8000-000000000002", "orchard")]
ROUNDS = int(os.environ.get("ROUNDS", "4"))
COUNTERS = {"disk.device.read.bytes": "block.0.rd.bytes", "disk.device.read.requests": "block.0.rd.reqs",
            "disk.device.write.bytes": "block.0.wr.bytes", "disk.device.write.requests": "block.0.wr.reqs",
            "network.outgoing.bytes": "net.0.tx.bytes", "network.incoming.bytes": "net.0.rx.bytes"}


def done(name):
    """What libvirt counts of a guest that rests."""
    lines = world.host.virsh("domstats", name).splitlines()
    figures = dict(line.strip().split("=", 1) for line in lines if "=" in line)
    return {meter: int(figures[key]) for meter, key in COUNTERS.items()}


class Crash(unittest.TestCase):
    def setUp(self):
        for name, _, _ in GUESTS:
            world.host.order(name, "work", 40, 40, 20)

    def flow(self):
        """Some moment in which records are on their way."""
        before = world.used(GUESTS[0][1], "disk.device.write.bytes")
        until("usage to flow", lambda: world.used(GUESTS[0][1], "disk.device.write.bytes") > before)
        time.sleep(dice.uniform(0, 0.8))  # where in the cycle it hits is the point, not a wait

    def settle(self):
        for name, _, _ in GUESTS:
            world.host.order(name, "ping")
        for name, uuid, _ in GUESTS:
            world.await_used(uuid, done(name))
        world.audit()

    def test_1_the_poller_is_killed(self):
        for _ in range(ROUNDS):
            self.flow()
            world.poller.kill()
            world.poller.start()
        self.settle()

    def test_2_the_collector_is_killed(self):
        for _ in range(ROUNDS):
            self.flow()
            world.collector.kill()
            world.start_collector()
        self.settle()

    def test_3_both_are_killed_at_once(self):
        for _ in range(ROUNDS):
            self.flow()
            world.collector.kill()
            world.poller.kill()
            world.poller.start()
            world.start_collector()
        self.settle()

    def test_4_the_broker_is_killed(self):
        if not world.broker:
            self.skipTest("the embedded broker lives in the collector, and was killed with it")
        for _ in range(ROUNDS):
            self.flow()
            world.broker("kill")
            world.broker("start")
        self.settle()

    def test_5_the_brokers_log_loses_its_tail_and_fills_up_again(self):
        if not world.broker:
            self.skipTest("the embedded broker has no log that outlives it")
        self.flow()
        world.collector.signal(signal.SIGSTOP)
        time.sleep(3)  # records that the ledger has not read
        world.broker("kill")
        for partition in range(4):
            size = int(world.broker("bytes", "otlp_metrics", partition))
            world.broker("lose-tail", "otlp_metrics", partition, size // 2)
        world.broker("start")
        time.sleep(8)  # the poller fills it up again
        world.collector.signal(signal.SIGCONT)
        self.settle()

    def test_6_the_broker_is_another_one_with_an_empty_log(self):
        if not world.broker:
            self.skipTest("each start of the collector has had another embedded broker")
        self.flow()
        world.broker("kill")
        world.broker("wipe")
        world.broker("start")
        self.settle()

    def test_7_no_archive_step_is_missing(self):
        self.settle()
        for name, uuid, _ in GUESTS:
            for meter in ("disk.device.write.bytes", "disk.device.read.requests"):
                booked = done(name)[meter]

                def whole():
                    points = world.get(f"/v1/series/{uuid}-vda/{meter}", from_="-1h", step="5s")["points"]
                    values = [p["value"] for p in points]
                    known = [i for i, v in enumerate(values) if v is not None]
                    self.gaps = [points[i]["time"] for i in range(known[0], known[-1]) if values[i] is None] if known else ["all"]
                    self.area = sum(values[i] for i in known)
                    return not self.gaps and abs(self.area - booked) <= 1e-9 * booked
                until(lambda: f"{name} {meter}: {self.area} of {booked}, missing {self.gaps}", whole)


if __name__ == "__main__":
    seed = int(os.environ.get("SEED", time.time()))
    dice = random.Random(seed)
    print("SEED =", seed, file=sys.stderr)
    try:
        world = World(kafka=sys.argv.pop() == "kafka")
    except Skip as why:
        print("SKIPPED:", why)
        sys.exit(SKIPPED)
    try:
        for guest, uuid, project in GUESTS:
            world.guest(guest, uuid, project)
        failed = not unittest.main(exit=False, verbosity=2, failfast="KEEP" in os.environ).result.wasSuccessful()
    finally:
        world.end()
    sys.exit(failed)
