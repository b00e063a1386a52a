"""Hypervisors as they are met: sockets of libvirt's daemons, other drivers, other hosts, and what is missing on a host."""
import os
import re
import signal
import sys
import time

from world import Program, Scene, play, rows, run, until

SMBIOS_UUID = "/sys/class/dmi/id/product_uuid"
BRIDGE = '''import os, select, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
while True:
    for ready in select.select([0, s], [], [])[0]:
        data = os.read(0, 65536) if ready == 0 else s.recv(65536)
        if not data:
            sys.exit()
        s.sendall(data) if ready == 0 else os.write(1, data)
'''


CONTAINER = """<domain type='lxc'><name>box</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>{script}</initarg></os>
<devices><interface type='bridge'><source bridge='br0'/><target dev='box0'/></interface><console type='pty'/></devices>
</domain>"""
BURN = "i=0; while [ $i -lt {rounds} ]; do i=$((i + 1)); done; exec sleep 1000"


def uuid_of(number):
    return f"7e1d0000-0000-4000-8000-{number:012d}"


class Others(Scene):
    @classmethod
    def setUpClass(cls):
        cls.world.guest("calm", uuid_of(1), "meadow")
        cls.world.host("guest", "stray", uuid_of(2), "--no-nova")

    def once(self, *options):
        return run(os.environ["POLLER"], "--once", *options)

    def inside(self, *command):
        """In the host's namespaces, where libvirt's sockets are at their usual places."""
        return run(self.world.host.script, "exec", self.world.host.folder, *command)

    # ---- daemons ----

    def finds(self, sockets):
        """With libvirt's default URI, without a word in the configuration."""
        folder = "/run/libvirt/"
        names = {"libvirt-sock": sockets, "libvirt-sock-ro": sockets + "-ro"}
        for old, new in names.items():
            self.inside("mv", "-n", folder + old, folder + new)
        try:
            done = self.inside(os.environ["POLLER"], "--once")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(uuid_of(1), done.stdout)
            self.assertRegex(done.stdout, r"calm +vda +\d+")
        finally:
            for old, new in names.items():
                self.inside("mv", "-n", folder + new, folder + old)

    # ---- what is missing ----

    def explains(self, *words):
        done = self.once("--explain", "--libvirt", self.world.host("uri"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in words:
            self.assertIn(word, done.stdout)
        return done.stdout

    def explains_who_the_host_is(self):
        self.assertEqual("no UUID in its firmware" in self.explains(), not os.path.exists(SMBIOS_UUID))

    def explains_a_hung_guest(self):
        self.world.host.signal("calm", signal.SIGSTOP)
        try:
            until("it to hang", lambda: self.world.poller.figures()["hung_vms"] == 1)
            self.world.poller.await_cycles(1)  # for longer than a command may take
            self.explains("1 of 2 VMs do not answer their monitor", "VMs: calm", "look at the QEMU process")
        finally:
            self.world.host.signal("calm", signal.SIGCONT)

    def says(self, what, *arguments):
        getattr(self, what)(*arguments)

    # ---- other drivers, other hosts ----

    def test_90_the_test_driver_is_metered_domain_by_domain(self):
        """Its bulk call gives states only; the poller says which evidence it has to do without."""
        world = self.world
        poller = Program(world.path("driver.log"), os.environ["POLLER"], "--state", world.path("driver"), "--libvirt",
                         "test:///default", "--kafka", world.kafka, "--interval", "1s")
        poller.start()
        uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f"
        try:
            for meter in ("cpu", "disk.device.read.bytes", "network.incoming.bytes"):
                until(lambda m=meter: f"usage of {m}; the poller says: {poller.text()}",
                      lambda m=meter: world.used(uuid, m) > 0)
            until("its time to be held", lambda: world.held(uuid).get("running", 0) > 1000)
            self.assertEqual(world.resources(entity=uuid, kind="instance")[0]["project"], "unassigned")
            until(lambda: "it to be said: " + poller.text(), lambda: "start of its process cannot be seen" in poller.text())
            self.assertEqual(poller.text().count("cannot be seen"), 1)
        finally:
            poller.stop()
        done = self.once("--explain", "--libvirt", "test:///default")
        for word in ("have a process whose start cannot be seen", "have a tap whose index cannot be seen"):
            self.assertIn(word, done.stdout)
        world.audit()

    def test_91_another_host_is_read_once_and_not_metered(self):
        """Boot, processes and taps are seen on a host alone; a look at it from elsewhere is possible."""
        script = self.world.path("transport")
        with open(script, "w") as out:
            out.write(f"#!{sys.executable}\n{BRIDGE}")
        os.chmod(script, 0o755)
        socket = self.world.path("host/run/libvirt-sock-ro")
        uri = f"qemu+ext:///system?command={script}&socket={socket}"
        wrapper = self.world.path("wrapper")
        with open(wrapper, "w") as out:
            out.write(f"#!/bin/sh\nexec {script} {socket}\n")
        os.chmod(wrapper, 0o755)
        done = self.once("--libvirt", uri.replace(script, wrapper))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"calm +vda +\d+")
        refused = run(os.environ["POLLER"], "--state", self.world.path("remote"), "--kafka", self.world.kafka, "--libvirt",
                      uri.replace(script, wrapper))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("only --once reads it", refused.stderr)

    def test_92_only_what_the_meters_need_is_asked_for(self):
        """Statistics of disks are not there where no meter of theirs is chosen."""
        done = self.once("--libvirt", self.world.host("uri"), "--config", self.config("meters: [cpu, 'network.*']\n"))
        self.assertRegex(done.stdout, r"calm +tap-calm +\d+")
        self.assertNotRegex(done.stdout, r"calm +vda +\d+")

    def test_93_containers_are_metered_domain_by_domain(self):
        """Processor time to the unit over a start of another process; memory is what it may use."""
        world = self.world
        host = world.make_host("containers")
        host("up", "--containers")
        uri = host("uri").replace("qemu:", "lxc:")
        poller = world.make_poller("of-containers", host, "", "--libvirt", uri)
        try:
            poller.start()
            poller.await_cycles(1)
            poller.kill()
            first = self.run_container(uri, 400_000)
            poller.start()
            world.await_used(uuid_of(9), {"cpu": first})
            host.virsh("-c", uri, "destroy", "box")
            until("its end", lambda: world.resources(entity=uuid_of(9), kind="instance")[0]["state"] == "shutoff")
            second = self.run_container(uri, 600_000)
            self.assertGreater(second, first)
            world.await_used(uuid_of(9), {"cpu": first + second})
            self.judge_memory(uuid_of(9))
            self.assertNotIn("cannot be seen", poller.text())
        finally:
            poller.kill()
        world.audit()

    def run_container(self, uri, rounds):
        """It works, then rests: the CPU time that libvirt counts of it."""
        with open(self.world.path("box.xml"), "w") as out:
            out.write(CONTAINER.format(uuid=uuid_of(9), script=BURN.format(rounds=rounds).replace("<", "&lt;")))
        for words in (("define", self.world.path("box.xml")), ("start", "box")):
            done = run("virsh", "-q", "-c", uri, *words)
            self.assertEqual(done.returncode, 0, done.stderr)

        def counted():
            text = run("virsh", "-q", "-c", uri, "cpu-stats", "box", "--total").stdout
            return int("".join(re.search(r"cpu_time +(\d+)\.(\d{9}) seconds", text).groups()))

        def rests():
            before = counted()
            time.sleep(0.2)
            return before if counted() == before else 0
        return until("the container to rest", rests)

    def judge_memory(self, uuid):
        reading = [r for r in self.world.records(uuid) if "libvirt.domain.name" in r["attributes"]][-1]
        told = {p["meter"]: p["value"] for p in reading["points"]}
        self.assertEqual(told["memory"], 64)
        self.assertLess(told["memory.resident"], 64)

    def config(self, text):
        with open(self.world.path("some.yaml"), "w") as out:
            out.write(text)
        return self.world.path("some.yaml")


ROWS = [
    ("the_monolithic_daemons_socket", "libvirtd's read-only socket is found by itself.", "finds", "libvirt-sock"),
    ("the_modular_daemons_socket", "So is virtqemud's.", "finds", "virtqemud-sock"),
    ("a_vm_without_a_project", "A VM that nobody owns is named, and how to give it a project.",
     "explains", "1 of 2 VMs have no project", "VMs: stray", "default_project:"),
    ("memory_that_is_not_told", "Guests without a balloon driver are named, and what they lack.",
     "explains", "2 of 2 VMs give no memory.available", "dommemstat NAME --period 10"),
    ("each_meter", "Each meter with its group, and how many give it.", "explains", "GIVEN BY", "disk.device.write.bytes"),
    ("a_machine_without_a_uuid", "Where libvirt draws one at each start, it says so.", "explains_who_the_host_is"),
    ("a_guest_that_hangs", "One that does not answer is named too.", "explains_a_hung_guest"),
]
rows(ROWS, "says")(Others)

if __name__ == "__main__":
    sys.exit(play())
