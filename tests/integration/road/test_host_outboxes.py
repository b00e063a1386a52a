"""A host has one outbox at a time: after its state folder was lost the next one waits for its turn, and what both say is
billed once.
"""
import json
import sys

from world import Scene, play, until

VM = "0c1d0000-0000-4000-8000-000000000001"
WRITTEN = "disk.device.write.bytes"
BLOCK = 512


class Hosts(Scene):
    def outboxes(self):
        """{outbox: its row} as the command line tells them."""
        done = self.world.command("host", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return {row["outbox"]: row for row in json.loads(done.stdout)["hosts"]}

    def work(self, blocks):
        """Orders that are billed from now on, whoever reads them."""
        self.world.poller.await_cycles(2)
        Hosts.due += blocks * BLOCK
        self.world.host.order("squall", "write", blocks)

    def settle(self):
        self.world.await_used(VM, {WRITTEN: self.due})
        self.world.audit()

    def begin_anew(self, name):
        """Another state folder; the one before is as it was when its poller was killed."""
        self.world.poller.kill()
        before = set(self.outboxes())
        self.world.pollers[0] = self.world.make_poller(name, self.world.host)
        self.world.poller.start()
        return before

    def test_1_the_only_one_is_current(self):
        self.world.guest("squall", VM, "meadow")
        Hosts.due = self.world.used(VM, WRITTEN)
        self.work(11)
        self.settle()
        rows = list(self.outboxes().values())
        self.assertEqual([row["state"] for row in rows], ["current"])
        self.assertEqual(rows[0]["host"], self.world.resources(kind="host")[0]["entity"])

    def test_2_the_next_one_waits_and_nothing_of_it_is_lost(self):
        before = self.begin_anew("anew")
        self.work(7)
        until("both to be listed", lambda: len(self.outboxes()) == 2)
        self.settle()
        rows = self.outboxes()
        for outbox, row in rows.items():
            self.assertEqual(row["state"], "waiting" if outbox in before else "current", rows)
        self.assertIn("takes over", self.world.collector.text())

    def test_3_the_first_one_comes_back_and_bills_nothing_again(self):
        first = next(outbox for outbox, row in self.outboxes().items() if row["state"] == "waiting")
        self.begin_anew("poller")
        until("the first one to be current", lambda: self.outboxes()[first]["state"] == "current")
        self.work(5)
        self.settle()
        self.assertEqual(len(self.outboxes()), 2)


if __name__ == "__main__":
    sys.exit(play())
