"""The whole road on real parts: what guests were told to do is what /v1/usage says, to the byte, by project.

    test_road.py embedded|kafka

One world for all tests, in the order of their names; each has guests of its own. HOST_SCRIPT, GUEST_KERNEL,
BROKER_SCRIPT, COLLECTOR, POLLER and PLUVIO name the parts.
"""
import os
import subprocess
import sys
import unittest

from world import SKIPPED, Skip, World, run, until

BLOCK = 512
FRAME = 600
TICK_NS = 10_000_000


def uuid(n):
    return f"0a1d0000-0000-4000-8000-{n:012d}"


class Road(unittest.TestCase):
    """Orders become bytes and requests of the right project, whatever happens to guest, host and programs."""

    def work(self, name, reads, writes, sends):
        if reads:
            world.host.order(name, "read", reads)
        if writes:
            world.host.order(name, "write", writes)
        if sends:
            world.host.order(name, "send", sends, FRAME)

    def expect(self, vm, reads, writes, sends):
        world.await_used(vm, {"disk.device.read.bytes": reads * BLOCK, "disk.device.read.requests": reads,
                              "disk.device.write.bytes": writes * BLOCK, "disk.device.write.requests": writes,
                              "network.outgoing.bytes": sends * FRAME, "network.outgoing.packets": sends})

    def tearDown(self):
        world.audit()

    def test_01_orders_are_billed_to_the_byte_by_project(self):
        world.guest("rain", uuid(1), "meadow")
        world.guest("dew", uuid(2), "orchard")
        self.work("rain", 21, 37, 11)
        self.work("dew", 5, 300, 2)
        self.expect(uuid(1), 21, 37, 11)
        self.expect(uuid(2), 5, 300, 2)
        usage = world.usage(meter="disk.device.*")
        self.assertEqual(usage["meadow", "disk.device.write.bytes"], 37 * BLOCK)
        self.assertEqual(usage["orchard", "disk.device.write.bytes"], 300 * BLOCK)
        self.assertEqual(usage["orchard", "disk.device.read.requests"], 5)

    def test_02_a_guest_hears_what_another_sends(self):
        before = world.used(uuid(2), "network.incoming.bytes")
        world.host.order("rain", "send", 7, FRAME)
        until("the frames to arrive", lambda: world.used(uuid(2), "network.incoming.bytes") == before + 7 * FRAME)

    def test_03_counting_goes_on_over_a_reboot_of_the_guest(self):
        world.guest("mist", uuid(3), "meadow")
        self.work("mist", 3, 4, 5)
        world.host.virsh("reset", "mist")
        self.work("mist", 10, 20, 30)
        self.expect(uuid(3), 13, 24, 35)

    def test_04_a_destroyed_and_started_guest_is_billed_for_both_runs(self):
        world.guest("hail", uuid(4), "meadow")
        self.work("hail", 1, 50, 2)
        self.expect(uuid(4), 1, 50, 2)  # what is done after the last reading of a process is nobody's
        world.host.virsh("destroy", "hail")
        world.host.virsh("start", "hail")
        self.work("hail", 2, 60, 3)
        self.expect(uuid(4), 3, 110, 5)

    def test_05_also_where_domain_ids_begin_again(self):
        world.guest("snow", uuid(5), "meadow")
        self.work("snow", 9, 9, 9)
        self.expect(uuid(5), 9, 9, 9)
        world.host.virsh("destroy", "snow")
        world.host("restart")
        world.host.virsh("start", "snow")
        self.work("snow", 30, 30, 30)  # past the old values: only the incarnation tells them apart
        self.expect(uuid(5), 39, 39, 39)

    def test_06_a_disk_plugged_again_under_its_name_counts_anew(self):
        world.guest("sleet", uuid(6), "meadow")
        self.work("sleet", 4, 6, 0)
        self.expect(uuid(6), 4, 6, 0)
        image = world.path("host/sleet.img")
        world.host.virsh("detach-disk", "sleet", "vda")
        until("the disk to go", lambda: "vda" not in world.host.virsh("domblklist", "sleet"))
        world.host.virsh("attach-disk", "sleet", image, "vda", "--driver", "qemu", "--subdriver", "raw",
                         "--targetbus", "virtio")
        self.work("sleet", 10, 10, 0)
        self.expect(uuid(6), 14, 16, 0)

    def test_07_processor_time_is_what_the_kernel_says_of_its_process(self):
        world.guest("thaw", uuid(7), "meadow")
        world.host.order("thaw", "burn", 700)
        world.host.virsh("suspend", "thaw")
        pid = world.host("pid", "thaw")

        def kernel_ns():
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) * TICK_NS

        def together():
            before, billed, after = kernel_ns(), world.used(uuid(7), "cpu"), kernel_ns()
            return billed if before == after and abs(billed - before) <= TICK_NS else None

        billed = until(lambda: f"billed {world.used(uuid(7), 'cpu')}, kernel {kernel_ns()}", together)
        self.assertGreater(billed, 500_000_000)
        world.host.virsh("resume", "thaw")

    def test_08_sizes_are_held_for_as_long_as_the_guest_was_there(self):
        held = world.pages("/v1/usage", "usage", from_="2026-01-01", group="entity,state", entity=uuid(4), meter="instance")
        states = {r["state"]: int(r["quantity"]) for r in held}
        self.assertGreater(states["running"], 1000)
        vcpus = world.used(uuid(4), "vcpus")
        self.assertAlmostEqual(vcpus, sum(states.values()), delta=sum(states.values()) / 10)

    def test_09_the_archives_area_is_the_ledgers_usage(self):
        for n, meter in ((1, "disk.device.write.bytes"), (2, "disk.device.read.requests")):
            resource = f"{uuid(n)}-vda"
            booked = world.used(uuid(n), meter)

            def area():
                points = world.get(f"/v1/series/{resource}/{meter}", from_="-1h", step="5s")["points"]
                self.points = [p[1] if isinstance(p, list) else p["value"] for p in points]
                total = sum(p for p in self.points if p is not None)
                return abs(total - booked) <= 1e-9 * booked
            until(lambda: f"{meter}: {booked} booked, points {self.points}", area)

    def test_10_bytes_that_are_no_record_are_kept_with_their_reason(self):
        if subprocess.run(["sh", "-c", "command -v kcat"], capture_output=True).returncode:
            self.skipTest("no kcat")
        with open(world.path("collector/kafka")) if not world.broker else open(os.devnull) as file:
            address = file.read().strip() or world.broker.address
        run("kcat", "-P", "-b", address, "-t", "otlp_metrics", "-k", "stranger", input="\xff\xff not a record")
        until("the dead letter", lambda: [r for r in world.get("/v1/dead-letters")["dead_letters"] if r["reason"]])
        self.assertIn("stranger", world.command("dead-letter").stdout + world.command("dead-letter", "--json").stdout)
        self.work("rain", 1, 0, 0)
        until("reading to go on", lambda: world.used(uuid(1), "disk.device.read.requests") == 22)

    def test_11_outsiders_tools_open_our_files(self):
        archives = world.path("collector/archives")
        names = until("an archive", lambda: [os.path.join(d, f) for d, _, files in os.walk(archives) for f in files
                                             if f.endswith(".rrd")])
        self.assertIn("rrd_version", run("rrdtool", "info", names[0]).stdout)
        count = run("sqlite3", world.path("collector/ledger.db"), "SELECT count(*) FROM stream").stdout
        self.assertGreater(int(count), 10)

    def test_12_both_programs_stop_within_two_seconds_and_lose_nothing(self):
        world.guest("fog", uuid(12), "meadow")
        self.work("fog", 2, 2, 2)
        self.expect(uuid(12), 2, 2, 2)
        world.poller.stop()
        world.collector.stop()
        self.assertEqual(run(os.environ["PLUVIO"], "audit", "--ledger", world.path("collector/ledger.db")).returncode, 0)
        self.work("fog", 5, 5, 5)
        world.start_collector()
        world.poller.start()
        self.expect(uuid(12), 7, 7, 7)

    def test_13_a_guest_that_began_while_the_poller_was_down_is_billed_from_zero(self):
        world.poller.stop()
        world.host("guest", "rime", uuid(13), "--project", "orchard")
        self.work("rime", 6, 7, 8)
        world.poller.start()
        self.expect(uuid(13), 6, 7, 8)

    def test_14_the_host_itself_is_metered(self):
        """Its processors, their time and its memory, as the kernel counts them."""
        uuid = world.resources(kind="host")[0]["entity"]
        for meter in ("host.cpu.user.time", "host.cpu.kernel.time", "host.cpu.idle.time"):
            until(f"{meter} to be used", lambda m=meter: world.used(uuid, m) > 0)
        with open("/proc/meminfo") as file:
            memory = int(file.readline().split()[1]) // 1024
        for meter, size in (("host.vcpus", os.cpu_count()), ("host.memory.total", memory)):
            points = world.get(f"/v1/series/{uuid}/{meter}", from_="-5min", step="5s")["points"]
            self.assertEqual({p["value"] for p in points} - {None}, {size})


if __name__ == "__main__":
    try:
        world = World(kafka=sys.argv.pop() == "kafka")
    except Skip as why:
        print("SKIPPED:", why)
        sys.exit(SKIPPED)
    try:
        failed = not unittest.main(exit=False, verbosity=2, failfast="KEEP" in os.environ).result.wasSuccessful()
    finally:
        world.end()
    sys.exit(failed)
