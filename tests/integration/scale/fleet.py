"""A poller with thousands of VMs that nobody runs (tests/support/many_domains), and a collector with its broker."""
import os
import sqlite3

from many_domains import FIRST_TICK, WEIGHTS, ManyDomains
from world import Poller, Program, World, until

ARCHIVES_AT_REST = "archive: {flush_rows: 1440, flush_age: 1d, memory: 2GiB}\n"  # thousands of files are not the point
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class ManyPoller(Poller):
    """That of a host without guests."""

    def __init__(self, folder, many, *options):
        self.state = folder
        Program.__init__(self, folder + ".log", "env", *many.environment, os.environ["POLLER"], "--state", folder,
                         "--libvirt", many.uri, *options)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


class Fleet(World):
    """One host of `count` VMs, read every `interval`. Until the first list is in the ledger their counters stand still:
    what they said then is nobody's."""

    def __init__(self, count, interval, poller=""):
        self.count = count
        super().__init__(hosts=0, interval=interval, poller=poller)

    def begin(self, poller):
        self.many = ManyDomains(self.path("many"), self.count)
        self.many.freeze()
        super().begin(poller)
        config = self.path("poller.yaml")
        with open(config, "w") as out:
            out.write(poller)
        self.pollers.append(ManyPoller(self.path("poller"), self.many, "--kafka", self.kafka, "--interval", self.interval,
                                       "--config", config))
        self.poller.start()
        until(lambda: f"the host to be known:\n{self.poller.text()}{self.poller.figures()}", lambda: self.resources(kind="host"), 240)
        until("figures", lambda: os.path.exists(self.path("poller/pluvio-poller.prom")))
        self.poller.await_cycles(1)
        self.many.freeze(False)

    def start_collector(self):
        with open(self.path("collector.yaml"), "w") as file:
            file.write(ARCHIVES_AT_REST)
        super().start_collector()

    # ---- what was to be billed, and is ----

    def law(self, meter):
        """{UUID of a VM: what it has used of that meter since the first list}"""
        ticks = self.many.plan.tick - FIRST_TICK
        return {uuid: WEIGHTS[meter] * vm.step * (ticks + self.many.extra.get(n, 0))
                for n, (uuid, vm) in enumerate(zip(self.many.uuids, self.many.vms))}

    def of_each(self, meter):
        rows = self.pages("/v1/usage", "usage", from_="2026-01-01", group="entity", meter=meter, limit=1000)
        return {r["entity"]: int(r["quantity"]) for r in rows}

    def of_all(self):
        """{meter: what all VMs together have used}"""
        usage = {}
        for (_, meter), quantity in self.usage().items():
            usage[meter] = usage.get(meter, 0) + quantity
        return usage

    # ---- what was done, and when ----

    def readings(self, n):
        """Times (s) of the records of VM n that the outbox has."""
        with sqlite3.connect(f"file:{self.poller.state}/outbox.db?mode=ro", uri=True, timeout=60) as db:
            rows = db.execute("SELECT DISTINCT time_ms FROM record WHERE key=? ORDER BY time_ms", (self.many.uuids[n],))
            return [time_ms / 1000 for (time_ms,) in rows]
