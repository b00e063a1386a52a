"""Ten thousand VMs on one host, read every ten seconds by one process: no cycle is late, and each VM's bill is exact.

VMS: how many (10000).
"""
import os
import sys
import unittest

from fleet import Fleet
from many_domains import WEIGHTS
from world import until

VMS = int(os.environ.get("VMS", "10000"))
INTERVAL_S = 10
QUIET_CYCLES = 2
RESET, STARTED_AGAIN, HUNG = range(0, VMS, 50), range(7, VMS, 50), (VMS // 3, VMS - 2)
GUESTS_OWN = {"memory.swap.in", "memory.swap.out"}  # what its kernel counts: from the first reading of each process on
SAMPLE = (1, VMS // 2 + 1, VMS - 1)  # of VMs to which nothing happens
MORE_TICKS = 4
# Beyond what an outbox drains by default: 4 kB of each VM every ten seconds.
CONFIG = "send: {rate: 64MiB}\n"


class ManyVms(unittest.TestCase):
    """In the order of their names."""

    def await_bill(self):
        """Each VM's, to the unit, and the sums over all."""
        fleet.many.freeze()
        for meter in ("cpu", "disk.device.write.bytes"):
            wanted = fleet.law(meter)

            def reached():
                have = fleet.of_each(meter)
                self.wrong = {uuid: (have.get(uuid), q) for uuid, q in wanted.items() if have.get(uuid) != q}
                return not self.wrong
            until(lambda: f"{meter}: {len(self.wrong)} wrong, {list(self.wrong.items())[:5]}", reached, 120)
        usage, sums = fleet.of_all(), WEIGHTS.keys() - GUESTS_OWN
        self.assertEqual({meter: usage[meter] for meter in sums}, {meter: sum(fleet.law(meter).values()) for meter in sums})
        for meter in GUESTS_OWN:
            self.judge_guests_own(fleet.of_each(meter), fleet.law(meter))
        fleet.audit()
        fleet.many.freeze(False)

    def judge_guests_own(self, used, wanted):
        restarted = {fleet.many.uuids[n] for n in (*RESET, *STARTED_AGAIN)}
        self.assertEqual([uuid for uuid in wanted if used.get(uuid) != wanted[uuid] and uuid not in restarted], [])
        self.assertEqual([uuid for uuid in restarted if not 0 < used[uuid] <= wanted[uuid]], [])

    def judge_times(self, since, late_s):
        """A reading in each interval: none is later than that."""
        for n in SAMPLE:
            times = [t for t in fleet.readings(n) if t >= since]
            pauses = [after - before for before, after in zip(times, times[1:])]
            self.assertTrue(pauses, times)
            self.assertLess(max(pauses), INTERVAL_S + late_s, f"VM {n}: {pauses}")

    def newest(self):
        return max(fleet.readings(SAMPLE[0]))

    def test_1_quiet_cycles_are_never_late_and_cost_a_fraction_of_a_processor(self):
        since, cpu_s = self.newest(), fleet.poller.cpu_s()
        fleet.poller.await_cycles(QUIET_CYCLES)
        cost = (fleet.poller.cpu_s() - cpu_s) / QUIET_CYCLES
        print(f"{VMS} VMs: {cost:.2f} CPU-s a cycle", fleet.poller.figures(), file=sys.stderr)
        self.judge_times(since, INTERVAL_S / 2)
        self.await_bill()

    def test_2_counters_that_restart_and_vms_that_hang_cost_nobody_a_cycle_or_a_unit(self):
        since = self.newest()
        fleet.poller.await_cycles(1)
        cycles = fleet.many.plan.cycles
        for n in RESET:
            fleet.many.reset(n)
        for n in STARTED_AGAIN:
            fleet.many.start_again(n, MORE_TICKS)
        for n in HUNG:
            fleet.many.hang(n)
        self.assertEqual(fleet.many.plan.cycles, cycles, "a cycle came in between")
        until(lambda: f"them to be found: {fleet.poller.figures()}",
              lambda: fleet.poller.figures()["hung_vms"] == len(HUNG), 60)
        fleet.poller.await_cycles(1)
        for n in HUNG:
            fleet.many.hang(n, False)
        until("them to go on", lambda: fleet.poller.figures()["hung_vms"] == 0, 60)
        fleet.poller.await_cycles(1)
        self.judge_times(since, INTERVAL_S)
        self.await_bill()
        self.assertGreaterEqual(fleet.poller.figures()["counter_falls"], len(RESET))

    def test_3_no_record_was_lost_on_the_way(self):
        figures = fleet.poller.figures()
        self.assertEqual([figures[name] for name in ("lost_records", "outbox_dropped", "outbox_thinned", "refused")], [0] * 4)


if __name__ == "__main__":
    fleet = Fleet(VMS, f"{INTERVAL_S}s", CONFIG)
    try:
        failed = not unittest.main(exit=False, verbosity=2, failfast="KEEP" in os.environ).result.wasSuccessful()
    finally:
        fleet.end()
    sys.exit(failed)
