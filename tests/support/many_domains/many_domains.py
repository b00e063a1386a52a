"""Thousands of VMs without a guest, for a poller started with ManyDomains.environment: see many_domains.h.

What a test sets in `vms[n]` (a PlanDomain) holds from the next call on; `extra` says what it adds to the law.
"""
import ctypes
import mmap
import os

MAGIC = 0x70616d64
CYCLES = 64
FIRST_TICK = 1000  # what stands in counters before Pluvio's first look
PROJECTS = 7
CALLS = ("all_stats", "some_stats", "list", "lookup", "xml", "cpu", "state", "control", "capabilities", "host")
RUNNING, SHUTOFF = 1, 5

# VIR_DOMAIN_STATS_*
STATE, CPU, BALLOON, VCPU, INTERFACE, BLOCK = 1, 2, 4, 8, 16, 32

# Of counters that are billed: what one step of one tick is worth.
WEIGHTS = {"cpu": 10_000_000, "vcpu.wait": 3000, "vcpu.delay": 5000, "memory.swap.in": 4, "memory.swap.out": 8,
           "disk.device.read.bytes": 12288, "disk.device.read.requests": 3, "disk.device.read.latency": 30000,
           "disk.device.write.bytes": 20480, "disk.device.write.requests": 5, "disk.device.write.latency": 50000,
           "network.incoming.bytes": 1500, "network.incoming.packets": 2, "network.outgoing.bytes": 900,
           "network.outgoing.packets": 1}


class PlanCycle(ctypes.Structure):
    _fields_ = [("wall_ns", ctypes.c_int64), ("boot_ns", ctypes.c_int64), ("lasted_ns", ctypes.c_int64),
                ("tick", ctypes.c_uint64), ("groups", ctypes.c_uint64)]


class PlanDomain(ctypes.Structure):
    _fields_ = [("state", ctypes.c_uint32), ("reason", ctypes.c_uint32), ("generation", ctypes.c_uint32),
                ("omitted", ctypes.c_uint32), ("hangs", ctypes.c_uint32), ("delay_us", ctypes.c_uint32),
                ("since", ctypes.c_uint64), ("step", ctypes.c_uint64), ("occupied_ms", ctypes.c_int64)]


class Plan(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_uint64), ("count", ctypes.c_uint64), ("frozen", ctypes.c_uint64),
                ("tick", ctypes.c_uint64), ("calls", ctypes.c_uint64 * len(CALLS)), ("groups_ever", ctypes.c_uint64),
                ("flags_last", ctypes.c_uint64), ("cycles", ctypes.c_uint64), ("cycle", PlanCycle * CYCLES),
                ("host_uuid", ctypes.c_char * 40)]


def domain_xml(n, uuid):
    return f"""<domain type='test'><name>vm{n:05d}</name><uuid>{uuid}</uuid><memory>524288</memory><vcpu>2</vcpu>
<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'><nova:name>server {n}</nova:name>
<nova:flavor name='m1.many'><nova:memory>512</nova:memory><nova:disk>10</nova:disk><nova:swap>0</nova:swap>
<nova:ephemeral>0</nova:ephemeral><nova:vcpus>2</nova:vcpus></nova:flavor><nova:owner><nova:user uuid='user-{n}'>u</nova:user>
<nova:project uuid='project-{n % PROJECTS}'>p</nova:project></nova:owner></nova:instance></metadata>
<os><type arch='x86_64'>hvm</type></os><devices>
<disk type='file' device='disk'><source file='/images/vm{n:05d}.img'/><target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><mac address='52:54:00:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}'/>
<source bridge='br0'/><target dev='tap{n:05d}'/><model type='virtio'/></interface></devices></domain>
"""


class ManyDomains:
    def __init__(self, folder, count):
        """Each of a machine is another host: a second poller of one would refuse to run."""
        os.makedirs(folder, exist_ok=True)
        self.count, self.host_uuid = count, f"da117000-0000-4000-8000-{os.getpid():012d}"
        self.uuids = [f"da117001-0000-4000-8000-{n:012d}" for n in range(count)]
        self.document, self.path = os.path.join(folder, "domains.xml"), os.path.join(folder, "plan")
        with open(self.document, "w") as out:
            out.write("<node>" + "".join(map(domain_xml, range(count), self.uuids)) + "</node>")
        self.uri = "test://" + self.document
        self.write()
        self.extra = {}

    def write(self):
        size = ctypes.sizeof(Plan) + self.count * ctypes.sizeof(PlanDomain)
        with open(self.path, "w+b") as file:
            file.truncate(size)
            self.map = mmap.mmap(file.fileno(), size)
        self.plan = Plan.from_buffer(self.map)
        self.vms = (PlanDomain * self.count).from_buffer(self.map, ctypes.sizeof(Plan))
        self.plan.count, self.plan.tick, self.plan.host_uuid = self.count, FIRST_TICK, self.host_uuid.encode()
        for n, vm in enumerate(self.vms):
            vm.state, vm.reason, vm.step = RUNNING, 1, 1 + n % 9
        self.plan.magic = MAGIC

    @property
    def environment(self):
        """For env(1)."""
        return ["LD_PRELOAD=" + os.environ["MANY_DOMAINS_LIBRARY"], "MANY_DOMAINS=" + self.path,
                "ASAN_OPTIONS=verify_asan_link_order=0"]

    def calls(self):
        return dict(zip(CALLS, self.plan.calls))

    def cycles(self):
        """The newest bulk calls that are over, oldest first."""
        total = self.plan.cycles
        return [self.plan.cycle[n % CYCLES] for n in range(max(0, total - CYCLES), total)
                if self.plan.cycle[n % CYCLES].lasted_ns]

    # ---- acts; what they make of the bill stands beside each ----

    def freeze(self, still=True):
        self.plan.frozen = still

    def reset(self, n):
        """Its counters begin again at 0, in the same process: nothing is lost of the bill, nothing gained. Between two
        cycles only, as start_again."""
        self.vms[n].since = self.plan.tick

    def start_again(self, n, ticks_ago):
        """Another process, which has done that many ticks' work already, unseen."""
        self.vms[n].since = self.plan.tick - ticks_ago
        self.vms[n].generation += 1
        self.extra[n] = self.extra.get(n, 0) + ticks_ago

    def hang(self, n, hangs=True):
        """Its monitor answers nobody: nothing is lost of the bill, it only comes later."""
        self.vms[n].hangs = hangs
