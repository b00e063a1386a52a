"""VMs whose storage answers slowly: the first reading gives up on their disks, soon one waits until it has them all."""
import os
import sys
import tempfile
import unittest

from fleet import ManyPoller
from many_domains import ManyDomains
from world import until

VMS, DELAY_MS = 20, 100
INTERVAL = "6s"  # half of it is enough for all; what is given before it is measured is not
NOBODY = "127.0.0.1:1"


class Slow(unittest.TestCase):
    def test_disks_are_read_once_a_reading_has_the_time_that_they_take(self):
        with tempfile.TemporaryDirectory() as folder:
            many = ManyDomains(os.path.join(folder, "many"), VMS)
            for vm in many.vms:
                vm.delay_us = DELAY_MS * 1000
            poller = ManyPoller(os.path.join(folder, "poller"), many, "--kafka", NOBODY, "--interval", INTERVAL)
            poller.start()
            try:
                poller.await_cycles(0)
                self.assertEqual(poller.figures()["unasked_vms"], VMS)
                until(lambda: f"all to be read: {poller.text()}{poller.figures()}",
                      lambda: poller.figures()["unasked_vms"] == 0, 60)
                poller.await_cycles(1)
                self.assertEqual([poller.figures()[name] for name in ("unasked_vms", "hung_vms")], [0, 0], poller.text())
            finally:
                poller.kill()


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, verbosity=2).result.wasSuccessful())
