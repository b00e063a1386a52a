"""What 200 VMs cost a poller: calls to libvirt, groups of statistics, memory. CPU time is the bench's (tests/bench)."""
import os
import signal
import statistics
import subprocess
import sys
import time
import unittest

from fleet import Fleet
from many_domains import BALLOON, BLOCK, CPU, INTERFACE, STATE, VCPU
from world import until

VMS = 200
QUIET_CYCLES = 4
MEMORY_KIB, SAMPLES = 5 * 1024, 9
EVERYTHING = STATE | CPU | BALLOON | VCPU | INTERFACE | BLOCK
ROWS = [  # meters; groups that are asked for
    ([], EVERYTHING),
    (["*", "!host.*", "!perf.*"], EVERYTHING),
    (["cpu"], STATE | CPU),
    (["cpu", "disk.device.*"], STATE | CPU | BLOCK),
    (["network.*", "memory", "vcpus"], STATE | INTERFACE | BALLOON | VCPU),
]


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(next(line for line in file if line.startswith("Pss:")).split()[1])


class Cost(unittest.TestCase):
    def configure(self, meters):
        """Another configuration for the poller that runs; when it returns all readings go by it."""
        with open(fleet.path("poller.yaml"), "w") as file:
            file.write(f"meters: {meters}\n" if meters else "")
        fleet.poller.signal(signal.SIGHUP)
        fleet.poller.await_cycles(2)

    def test_1_a_quiet_cycle_is_one_call_for_all_vms_and_asks_for_what_the_meters_need(self):
        for meters, groups in ROWS:
            with self.subTest(meters=meters):
                self.configure(meters)
                fleet.many.plan.groups_ever = 0
                before, cycles = fleet.many.calls(), fleet.many.plan.cycles
                until("quiet cycles", lambda: fleet.many.plan.cycles >= cycles + QUIET_CYCLES)
                fleet.poller.await_cycles(1)  # the last one's other calls are made
                cycles = fleet.many.plan.cycles - cycles
                made = {call: count - before[call] for call, count in fleet.many.calls().items() if count > before[call]}
                self.assertEqual(made.pop("all_stats"), cycles)
                self.assertEqual(made, {})
                self.assertEqual(fleet.many.plan.groups_ever, groups)

    def test_2_memory_is_that_of_the_libraries_and_5_mb(self):
        with open(f"/proc/{fleet.poller.process.pid}/maps") as file:
            if "libasan" in file.read():
                self.skipTest("sanitizers take more than all else")
        self.configure([])
        bare = subprocess.Popen(["env", *fleet.many.environment, os.environ["BARE_POLLER"], fleet.many.uri, self.brokers(),
                                 fleet.folder], stdout=subprocess.PIPE)
        try:
            bare.stdout.readline()
            fleet.poller.await_cycles(8)
            over = []
            while len(over) < SAMPLES:
                over.append(pss_kib(fleet.poller.process.pid) - pss_kib(bare.pid))
                time.sleep(0.3)  # some moment of a cycle
        finally:
            bare.kill()
            bare.wait()
            bare.stdout.close()
        print(f"{VMS} VMs: KiB over the libraries alone: {sorted(over)}", file=sys.stderr)
        self.assertLessEqual(statistics.median(over), MEMORY_KIB)

    def brokers(self):
        with open(fleet.path("collector/kafka")) as file:
            return file.read().strip()


if __name__ == "__main__":
    fleet = Fleet(VMS, "1s")
    try:
        failed = not unittest.main(exit=False, verbosity=2, failfast="KEEP" in os.environ).result.wasSuccessful()
    finally:
        fleet.end()
    sys.exit(failed)
