"""The last reading of a process that goes: between pause and end libvirt answers, so a save and a migration lose nothing
that was done before them, though the next cycle would come much too late. A destroy says nothing before.

How many were caught is printed: a busy machine may miss the moment, but never bills what was not done.
"""
import sys

from world import Scene, play, rows, until

WRITTEN = 100
TURNS = 4


class Last(Scene):
    count = 0

    def one(self, end):
        """A guest that works after its last reading and ends; what is billed of that."""
        Last.count += 1
        name, uuid = f"l{Last.count}", f"7a1d0000-0000-4000-8000-{Last.count:012d}"
        self.world.guest(name, uuid, "meadow", "--memory", "128")
        self.world.host.order(name, "ping")
        until("its start to be read", lambda: self.world.used(uuid, "cpu") > 0)
        self.world.host.order(name, "write", WRITTEN)
        getattr(self, end)(name)
        records = until("the end to be told", lambda: self.ended(uuid))
        streams = {}
        for point in (p for r in records for p in r["points"] if p["meter"] == "disk.device.write.requests"):
            streams[point["stream"]] = max(point["value"], streams.get(point["stream"], 0))
        self.world.await_used(uuid, {"disk.device.write.requests": sum(streams.values())})
        return sum(streams.values())

    def ended(self, uuid):
        records = self.world.records(uuid)
        return any(r.get("event") in ("stopped", "migrated") for r in records) and records

    def save(self, name):
        self.world.host.virsh("save", name, self.world.path(name + ".saved"))

    def migrate(self, name):
        self.world.host("migrate", name, self.world.hosts[1].folder)

    def end(self, end):
        billed = [self.one(end) for _ in range(TURNS)]
        caught = billed.count(WRITTEN)
        print(f"{end}: all of the last work in {caught} of {TURNS}", file=sys.stderr)
        self.assertLessEqual(max(billed), WRITTEN)
        self.assertGreater(caught, 0, billed)
        self.world.audit()


rows([("a_save", "A save tells all that was done before it.", "save"),
      ("a_migration", "So does a migration, at the host that is left.", "migrate")], "end")(Last)

if __name__ == "__main__":
    sys.exit(play(hosts=2, interval="30s"))
