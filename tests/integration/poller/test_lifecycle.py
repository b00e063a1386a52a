"""What happens to a VM between two readings: told at once, as a record of its own, so that usage splits when it happened.

A reading comes every twenty seconds and a whole life lasts less than that, so what was held in each state can only be
right if the events told it. Two hosts, a poller each.
"""
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from world import Scene, play, rows, seconds, until

INTERVAL_S = 20
HOLD_S = 2.5   # how long each state lasts; it is what is measured, not a wait for anything
SLACK_S = 1.5  # that an event or the look that it asks for may take, and what an act does on a machine that is busy
NOVA = "http://openstack.org/xmlns/libvirt/nova/"
CONFIG = """
projects: [{name: "web-*", project: shop}, {name: "web-7", project: never}]
project_metadata: {namespace: "urn:example:tenants", element: tenant}
labels: {cloud.region: north, rack: "12"}
"""


def uuid_of(number):
    return f"4e1d0000-0000-4000-8000-{number:012d}"


def nova(version, project, flavor, user="user-1"):
    return (f"<nova:instance xmlns:nova='{NOVA}{version}'><nova:name>a name</nova:name><nova:flavor name='{flavor}'/>"
            f"<nova:owner><nova:user uuid='{user}'>u</nova:user><nova:project uuid='{project}'>p</nova:project>"
            f"</nova:owner></nova:instance>")


def domain(name, number, metadata="", devices=""):
    return f"""<domain type='qemu'><name>{name}</name><uuid>{uuid_of(number)}</uuid><metadata>{metadata}</metadata>
<memory unit='MiB'>8</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices>{devices}</devices></domain>"""


def define(world, name, *arguments):
    """A domain that never runs."""
    file = world.path(name + ".xml")
    with open(file, "w") as out:
        out.write(domain(name, *arguments))
    world.host.virsh("define", file)


def another_reading(world):
    """By an event that asks for a look at the host."""
    before = world.poller.figures()["cycles"]
    define(world, "pulse", 99)
    until("another reading", lambda: world.poller.figures()["cycles"] > before)


class Life:
    """A guest, and when what was done to it."""

    def __init__(self, world, number, *options):
        self.world, self.host = world, world.host
        self.name, self.uuid = f"l{number}", uuid_of(number)
        self.options = options
        self.acts = []  # (value from then on, event, before, after)

    def do(self, act, value, event):
        before = time.time()
        getattr(self, act)()
        self.acts.append((value, event, before, time.time()))

    def live(self, acts):
        for act, value, event in acts:
            self.do(act, value, event)
            time.sleep(HOLD_S)
        return self

    def expected_ms(self, sizes):
        """{value: (least, most)} of what is held of each. While an act lasts, it may be in any state: a guest that is
        started is off, and paused, for a while."""
        bounds, acting_ms = {}, 1000 * sum(after - before for _, _, before, after in self.acts)
        for (value, _, before, after), (_, _, next_before, next_after) in zip(self.acts, self.acts[1:]):
            size = sizes.get(value, 1)
            least, most = bounds.get(value, (0, size * acting_ms))
            slack = SLACK_S + max(after - before, next_after - next_before)
            bounds[value] = (least + size * 1000 * max(next_before - after - slack, 0),
                             most + size * 1000 * (next_after - before + slack))
        return bounds

    # ---- acts ----

    def define(self):
        self.host("guest", self.name, self.uuid, "--project", "meadow", "--no-start", *self.options)

    def start(self):
        self.host.virsh("start", self.name)

    def boot(self):
        self.define()
        self.start()

    def suspend(self):
        self.host.virsh("suspend", self.name)

    def resume(self):
        self.host.virsh("resume", self.name)

    def destroy(self):
        self.host.virsh("destroy", self.name)

    def undefine(self):
        self.host.virsh("undefine", self.name)

    def poweroff(self):
        self.host.order(self.name, "poweroff")
        until("it to be off", lambda: "shut off" in self.host.virsh("domstate", self.name))

    def crash(self):
        self.host.signal(self.name, signal.SIGKILL)
        until("it to be off", lambda: "shut off" in self.host.virsh("domstate", self.name))

    def set_metadata(self, text):
        """As nova does at run time."""
        text = text.replace("nova:", "").replace("xmlns:nova", "xmlns")
        self.host.virsh("metadata", self.name, "--live", "--config", "--uri", NOVA + "1.1", "--key", "nova", "--set", text)

    def another_flavor(self):
        self.set_metadata(nova("1.1", "meadow", "m1.big"))

    def another_project(self):
        self.set_metadata(nova("1.1", "orchard", "m1.test"))

    def resize(self):
        """As nova does: defined anew while it is off."""
        self.host("guest", self.name, self.uuid, "--project", "meadow", "--no-start", "--memory", 24, "--flavor", "m1.big")

    def kill_process(self):
        self.host.signal(self.name, signal.SIGKILL)

    def migrate(self):
        self.host("migrate", self.name, self.world.hosts[1].folder)
        self.host = self.world.hosts[1]


LIVES = [
    ("states", "Started, paused, resumed, stopped and deleted.", "state", "instance", {},
     [("define", "shutoff", None), ("start", "running", "started"), ("suspend", "paused", "paused"),
      ("resume", "running", "resumed"), ("destroy", "shutoff", "stopped"), ("undefine", None, "undefined")]),
    ("poweroff", "It powers itself off.", "state", "instance", {},
     [("boot", "running", None), ("poweroff", "shutoff", "stopped"), ("undefine", None, "undefined")]),
    ("crash", "Its process is killed.", "state", "instance", {},
     [("boot", "running", None), ("crash", "shutoff", "stopped"), ("undefine", None, "undefined")]),
    ("flavor", "Its flavor changes while it runs.", "flavor", "instance", {},
     [("boot", "m1.test", None), ("another_flavor", "m1.big", "metadata"), ("destroy", "m1.big", "stopped"),
      ("undefine", None, "undefined")]),
    ("project", "It goes over to another project while it runs.", "project", "vcpus", {},
     [("boot", "meadow", None), ("another_project", "orchard", "metadata"), ("destroy", "orchard", "stopped"),
      ("undefine", None, "undefined")]),
    ("resized", "It is resized, and held with its size of then.", "flavor", "memory", {"m1.test": 8, "m1.big": 24},
     [("define", "m1.test", None), ("resize", "m1.big", "defined"), ("start", "m1.big", "started"),
      ("destroy", "m1.big", "stopped"), ("undefine", None, "undefined")]),
    ("migrated", "It moves to another host.", "state", "instance", {},
     [("boot", "running", None), ("migrate", "running", "migrated"), ("destroy", "shutoff", "stopped"),
      ("undefine", None, "undefined")]),
]


class Lifecycle(Scene):
    lives = {}

    @classmethod
    def setUpClass(cls):
        with ThreadPoolExecutor(len(LIVES)) as pool:
            lives = pool.map(lambda n: Life(cls.world, n).live(LIVES[n][5]), range(len(LIVES)))
            cls.lives = {row[0]: life for row, life in zip(LIVES, lives)}

    def records(self, life, event):
        return [r for r in self.world.records(life.uuid) if r.get("event") == event]

    def judge(self, group, meter, sizes, acts):
        life = self.lives[next(row[0] for row in LIVES if row[5] is acts)]
        for value, event, before, after in life.acts:
            if event:
                times = until(f"a record that says {event}", lambda e=event: [seconds(r["event_time"])
                                                                              for r in self.records(life, e)])
                self.assertTrue([t for t in times if before <= t <= after + SLACK_S], f"{event}: {before}, {times}")
        bounds = life.expected_ms(sizes)

        def reached():
            self.held = {value: ms for value, ms in self.world.held(life.uuid, meter, group).items() if ms}
            if "paused" not in bounds and "paused" in self.held:  # libvirt starts a guest so
                self.held["running"] += self.held.pop("paused")
            return self.held.keys() == bounds.keys() and all(
                least <= self.held[value] <= most for value, (least, most) in bounds.items())
        until(lambda: f"held {self.held}, bounds {bounds}", reached, 20)
        self.world.audit()

    # ---- nobody was told ----

    def reading(self, life, event, since):
        """The record that says what must have happened."""
        return until(f"{life.name}: {event}", lambda: [
            r for r in self.records(life, event) if seconds(r["event_time"]) >= since])[0]

    def missed(self, number, acts, away, back, event, state):
        """It ran until somebody saw it, and what happened unseen is told then."""
        life = Life(self.world, 20 + number)
        life.boot()
        until("it to be known", lambda: self.world.held(life.uuid).get("running"))
        getattr(self, away)()
        for act in acts:
            getattr(life, act)()
        since = time.time()
        getattr(self, back)()
        record = self.reading(life, event, since)
        self.assertEqual(record["attributes"]["host.id"], life.uuid)
        until(f"{life.name} to be {state}", lambda: self.world.resources(entity=life.uuid, kind="instance")[0]["state"] == state)
        self.world.audit()

    def poller_goes(self):
        self.world.poller.kill()

    def poller_comes(self):
        os.remove(os.path.join(self.world.poller.state, "pluvio-poller.prom"))
        self.world.poller.start()
        until("its first reading", lambda: os.path.exists(os.path.join(self.world.poller.state, "pluvio-poller.prom")))

    def libvirtd_goes(self):
        self.world.host("stop-daemon")

    def libvirtd_comes(self):
        self.world.host("start-daemon")

    def test_90_what_was_deleted_unseen_is_held_no_longer(self):
        """Absence ends nothing, but vouches for nothing either."""
        life = Life(self.world, 40)
        life.define()
        until("it to be known", lambda: self.world.resources(entity=life.uuid, kind="instance"))
        another_reading(self.world)
        until("it to be held", lambda: self.world.held(life.uuid))
        self.poller_goes()
        held = self.world.held(life.uuid)
        life.undefine()
        self.poller_comes()
        for _ in range(2):
            another_reading(self.world)
        self.assertEqual(self.world.held(life.uuid), held)


MISSED = [
    ("a_pause_while_the_poller_was_away", "A pause that happened while the poller was away is told when it is back.",
     1, ["suspend"], "poller_goes", "poller_comes", "paused", "paused"),
    ("a_stop_while_the_poller_was_away", "So is a stop.",
     2, ["destroy"], "poller_goes", "poller_comes", "stopped", "shutoff"),
    ("a_new_process_while_the_poller_was_away", "A stop and a start are a start of another process.",
     3, ["destroy", "start"], "poller_goes", "poller_comes", "started", "running"),
    ("an_end_while_libvirtd_was_away", "A process that ended while libvirtd was away is told to have stopped.",
     4, ["kill_process"], "libvirtd_goes", "libvirtd_comes", "stopped", "shutoff"),
]
rows([(name, sentence, *arguments) for name, sentence, *arguments in LIVES], "judge")(Lifecycle)
rows(MISSED, "missed")(Lifecycle)


OWNERS = [
    ("nova_1_1", "nova's element, version 1.1, says project, user and flavor.",
     "n11", 61, nova("1.1", "p-11", "m1.nova", "u-11"), ("p-11", "u-11", "m1.nova")),
    ("nova_1_0", "So does version 1.0.", "n10", 62, nova("1.0", "p-10", "m1.old", "u-10"), ("p-10", "u-10", "m1.old")),
    ("nova_wins", "nova's word wins over mappings.",
     "web-1", 63, nova("1.1", "p-11", "m1.nova", "u-11") + "<t:tenant xmlns:t='urn:example:tenants'>never</t:tenant>",
     ("p-11", "u-11", "m1.nova")),
    ("element", "An element of the metadata that the configuration names.",
     "plain", 64, "<t:tenant xmlns:t='urn:example:tenants'> harbour </t:tenant>", ("harbour", "", "")),
    ("element_wins", "It wins over the name.",
     "web-2", 65, "<t:tenant xmlns:t='urn:example:tenants'>harbour</t:tenant>", ("harbour", "", "")),
    ("name", "The first pattern that fits the domain's name.", "web-7", 66, "", ("shop", "", "")),
    ("nobody", "Whose owner cannot be found is metered, under a name of its own.", "stray", 67, "", ("unassigned", "", "")),
]


class Owners(Scene):
    def whose(self, name, number, metadata, expected):
        define(self.world, name, number, metadata)
        uuid = uuid_of(number)
        found = until(f"{name} to be known", lambda: self.world.resources(entity=uuid, kind="instance"))[0]
        self.assertEqual((found["project"], found["user"], found["flavor"]), expected)
        self.assertEqual({key: found["metadata"].get(key) for key in ("cloud.region", "rack")},
                         {"cloud.region": "north", "rack": "12"})
        another_reading(self.world)
        until("its time to be held", lambda: self.world.held(uuid, "instance", "project").get(expected[0]))

    def test_90_who_has_no_owner_is_listed_until_a_project_is_given(self):
        """A reload of the configuration gives it one, and its time is the new project's from then on."""
        uuid = uuid_of(67)
        strays = [r["id"] for r in self.world.resources(project="unassigned", kind="instance")]
        self.assertIn(uuid, strays)
        self.assertEqual(self.world.poller.figures()["unassigned_vms"], len(strays))
        with open(self.world.path("poller.yaml"), "a") as out:
            out.write("default_project: attic\n")
        self.world.poller.signal(signal.SIGHUP)
        until("another owner", lambda: self.world.resources(entity=uuid, kind="instance")[0]["project"] == "attic")
        until("the figures", lambda: self.world.poller.figures()["unassigned_vms"] == 0)
        another_reading(self.world)
        until("its time to be held", lambda: self.world.held(uuid, "instance", "project").get("attic"))
        self.assertGreater(self.world.held(uuid, "instance", "project")["unassigned"], 0)


rows(OWNERS, "whose")(Owners)

PASSED_THROUGH = """<interface type='hostdev' managed='yes'><mac address='52:54:00:99:00:01'/>
<source><address type='pci' domain='0x0000' bus='0x3f' slot='0x1f' function='0x7'/></source></interface>"""


class Parts(Scene):
    """Partial is partial."""

    def latest(self, uuid, **attributes):
        """The newest whole reading."""
        found = [r for r in self.world.records(uuid) if "libvirt.domain.name" in r["attributes"] and
                 all(r["attributes"].get(k.replace("_", ".")) == v for k, v in attributes.items())]
        return found[-1] if found else None

    def test_1_devices_are_told_with_network_and_serial(self):
        """Also after a stop, of which the event tells no devices."""
        life = Life(self.world, 80)
        life.boot()
        wanted = {"disk.vda.serial": "serial-l80", "interface.52:54:00:00:00:80.network": "br0"}

        def metadata():
            found = self.world.resources(entity=life.uuid, kind="instance")
            return {key: found[0]["metadata"].get(key) for key in wanted} if found else None
        until(lambda: f"have {metadata()}", lambda: metadata() == wanted)
        life.destroy()
        until("it to be off", lambda: self.world.resources(entity=life.uuid, kind="instance")[0]["state"] == "shutoff")
        self.assertEqual(metadata(), wanted)

    def test_2_an_interface_that_cannot_be_counted_is_listed_as_such(self):
        """A passed-through interface is named, and is no resource with usage of zero."""
        uuid = uuid_of(81)
        define(self.world, "sriov", 81, "", PASSED_THROUGH)
        found = until("it to be known", lambda: self.world.resources(entity=uuid, kind="instance"))[0]
        self.assertEqual(found["metadata"]["interface.52:54:00:99:00:01.uncounted"], "true")
        self.assertEqual(self.world.resources(entity=uuid, kind="interface"), [])
        self.assertIn("cannot be counted", self.world.host("exec", os.environ["POLLER"], "--once", "--explain"))

    def test_3_what_is_off_uses_no_processor(self):
        """What libvirt says of a domain's processor after its end is not usage."""
        life = Life(self.world, 82)
        life.boot()
        life.host.order(life.name, "burn", 300)
        life.host.virsh("metadata", life.name, "--live", "--uri", "urn:x", "--key", "x", "--set", "<x/>")  # a reading
        until("its time to be billed", lambda: self.world.used(life.uuid, "cpu") > 250_000_000)
        life.poweroff()
        until("its end", lambda: [r for r in self.world.records(life.uuid) if r.get("event") == "stopped"])
        life.define()
        reading = until("a reading of it", lambda: self.latest(life.uuid, libvirt_domain_state="shutoff"))
        self.assertNotIn("cpu", {p["meter"] for p in reading["points"]})
        until("it to be in the ledger", lambda: self.world.resources(entity=life.uuid, kind="instance")[0]["state"] == "shutoff")
        used = self.world.used(life.uuid, "cpu")
        another_reading(self.world)
        self.assertEqual(self.world.used(life.uuid, "cpu"), used)

    def test_4_memory_without_a_balloon_driver_is_absent(self):
        """The size is known, how much of it is in use is not, and is not zero either."""
        life = Life(self.world, 83)
        life.boot()
        reading = until("a reading of it", lambda: self.latest(life.uuid, libvirt_domain_state="running"))
        meters = {p["meter"] for p in reading["points"]}
        self.assertIn("memory", meters)
        self.assertFalse({"memory.usage", "memory.available", "memory.swap.in"} & meters)

    def test_5_a_device_that_vanishes_ends_its_streams(self):
        """The last reading of each says so, and what it was is not told again."""
        life = Life(self.world, 84)
        life.boot()
        until("its disk", lambda: self.world.resources(entity=life.uuid, kind="disk"))
        life.host.order(life.name, "write", 7)
        life.host.virsh("detach-disk", life.name, "vda")
        wanted = {"disk.device.write.bytes", "disk.device.write.requests", "disk.device.capacity"}
        until("the last readings", lambda: wanted <= {
            p["meter"] for r in self.world.records(life.uuid) for p in r["points"] if p.get("device") == "vda" and p.get("ended")})
        another_reading(self.world)
        self.assertNotIn("vda", {p.get("device") for p in self.latest(life.uuid)["points"]})

    def test_6_memory_that_the_balloon_no_longer_tells_is_absent(self):
        """Libvirt repeats the last figures for ever; what is in use is told only while they are fresh."""
        life = Life(self.world, 85)
        life.boot()
        life.host.virsh("dommemstat", life.name, "--period", 1, "--live")
        life.host.order(life.name, "memory", 7168, 3072)

        def told():
            another_reading(self.world)
            return {p["meter"]: p["value"] for p in self.latest(life.uuid)["points"]}
        until("fresh figures", lambda: {"memory.usage": 4, "memory.available": 7}.items() <= told().items())
        life.host.order(life.name, "memory")
        until("them to be old", lambda: "memory.usage" not in told())
        for _ in range(3):
            self.assertFalse({"memory.usage", "memory.available"} & told().keys())
        self.assertEqual(life.host.counted(life.name, usable="balloon.usable"), {"usable": 3072})

    def test_7_a_size_that_changes_while_it_runs_is_held_from_then_on(self):
        """Memory by the event; processors, of which libvirt tells no event, by the next reading."""
        world, life = self.world, Life(self.world, 86)
        life.options = ("--vcpus", 2)
        life.define()
        life.host.virsh("setvcpus", life.name, 1, "--config")
        since = time.time()
        life.start()
        time.sleep(HOLD_S)
        life.host.virsh("setmem", life.name, "4M", "--live")
        until("its event", lambda: [r for r in world.records(life.uuid) if r.get("event") == "resized"])
        resized = time.time()
        until("another size", lambda: self.latest(life.uuid) and 4 in self.sizes(life, "memory"))
        life.host.virsh("setvcpus", life.name, 2, "--live")
        another_reading(world)
        until("more processors", lambda: 2 in self.sizes(life, "vcpus"))
        time.sleep(HOLD_S)
        before = time.time()
        life.destroy()
        after = time.time()
        until("its end", lambda: world.resources(entity=life.uuid, kind="instance")[0]["state"] == "shutoff")
        held = sum(ms for state, ms in world.held(life.uuid, "memory").items() if state != "shutoff") / 1000
        self.assertGreater(held, 8 * HOLD_S + 4 * (before - resized) - 8 * SLACK_S)
        self.assertLess(held, 8 * (resized - since) + 4 * (after - resized) + 8 * SLACK_S)

    def sizes(self, life, meter):
        return {p["value"] for p in self.latest(life.uuid)["points"] if p["meter"] == meter}


if __name__ == "__main__":
    sys.exit(play(hosts=2, interval=f"{INTERVAL_S}s", poller=CONFIG))
