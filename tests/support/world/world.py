"""A small cloud of a test's own: a libvirtd with QEMU guests, a broker, a collector, a poller, all real.

Everything lives below one folder and ends with the World. Nothing sleeps to wait: `until` polls with a deadline.
"""
import calendar
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

PATIENCE_S = 60
SKIPPED = 77


class Skip(unittest.SkipTest):
    """This machine cannot offer it."""


def until(what, condition, seconds=PATIENCE_S):
    """The first true answer of condition(); fails with its last answer after so long."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"gave up waiting: {what() if callable(what) else what}")
        time.sleep(0.05)


def run(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=180, **more)


class Program:
    """One of ours, restarted as often as the test wants, its log kept."""

    def __init__(self, log, *command):
        self.command, self.log, self.process = [str(c) for c in command], log, None
        open(log, "a").close()

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, stderr=log, stdout=subprocess.DEVNULL)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As by kill -9, or a power cut of this program alone."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, seconds=2):
        """By SIGTERM; it must be gone within that time, with exit status 0."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        took, self.process = time.monotonic() - started, None
        assert status == 0, f"{self.command[0]} ended with {status}"
        assert took <= seconds, f"{self.command[0]} took {took:.2f} s to stop"

    def text(self):
        with open(self.log) as file:
            return file.read()


class Poller(Program):
    """One that reads a host, whose /sys it sees: its state folder, and its own figures as node_exporter would find them."""

    def __init__(self, folder, host, kafka, options):
        self.state = folder
        with open(os.path.join(host.folder, "keeper.pid")) as file:
            keeper = file.read().strip()
        super().__init__(folder + ".log", "nsenter", "-m", "-r", "-t", keeper, os.environ["POLLER"], "--state", folder, "--libvirt", host("uri"), "--kafka", kafka,
                         *options)

    def figures(self):
        """{name, or name{labels}: value}"""
        with open(os.path.join(self.state, "pluvio-poller.prom")) as file:
            lines = [line.rsplit(" ", 1) for line in file if not line.startswith("#")]
        return {name.replace("pluvio_poller_", ""): int(value) for name, value in lines}

    def await_cycles(self, count):
        """Until so many more readings were taken."""
        until("the poller's figures", lambda: os.path.exists(os.path.join(self.state, "pluvio-poller.prom")))
        before = self.figures()["cycles"]
        until(lambda: f"{count} cycles after {before}, {self.figures()}", lambda: self.figures()["cycles"] >= before + count)


class Host:
    """A libvirtd with guests: see tests/support/host/host."""

    def __init__(self, script, folder):
        self.script, self.folder = script, folder
        os.makedirs(folder, exist_ok=True)

    def __call__(self, verb, *arguments):
        done = run(self.script, verb, self.folder, *arguments)
        if done.returncode == SKIPPED:
            raise Skip((done.stdout + done.stderr).strip())
        assert done.returncode == 0, f"host {verb} {arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def order(self, guest, *words):
        return self("order", guest, *words)

    def virsh(self, *arguments):
        return self("virsh", *arguments)

    def signal(self, guest, number):
        """To its QEMU."""
        os.kill(int(self("pid", guest)), number)

    def daemon(self):
        """The process of its libvirtd."""
        with open(os.path.join(self.folder, "libvirtd.pid")) as file:
            return int(file.read())

    def counted(self, guest, **keys):
        """{meter: what libvirt counts of a guest that rests}, meter=key of virsh domstats."""
        lines = self.virsh("domstats", guest).splitlines()
        figures = dict(line.strip().split("=", 1) for line in lines if "=" in line)
        return {meter: int(figures[key]) for meter, key in keys.items()}


class Broker:
    """Apache Kafka: see tests/support/kafka/broker."""

    def __init__(self, script, folder):
        self.script, self.folder = script, folder
        self.address = self("up").splitlines()[-1]

    def __call__(self, verb, *arguments):
        done = run(self.script, verb, self.folder, *arguments)
        if done.returncode == SKIPPED:
            raise Skip((done.stdout + done.stderr).strip())
        assert done.returncode == 0, f"broker {verb}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


class World:
    def __init__(self, kafka=False, hosts=1, interval="1s", poller=""):
        """kafka: a real broker, else the collector's embedded one. poller: configuration of each host's poller, YAML."""
        self.folder = tempfile.mkdtemp(prefix="pluvio-road.", dir=os.environ.get("TMPDIR", "/tmp"))
        self.hosts, self.pollers = [], []
        self.broker = self.collector = None
        self.interval = interval
        try:
            for _ in range(hosts):
                self.add_host()
            if kafka:
                self.broker = Broker(os.environ["BROKER_SCRIPT"], self.path("broker"))
            self.begin(poller)
        except BaseException:
            self.end()
            raise

    host = property(lambda self: self.hosts[0])
    poller = property(lambda self: self.pollers[0])

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_host(self, name):
        self.hosts.append(Host(os.environ["HOST_SCRIPT"], self.path(name)))
        return self.hosts[-1]

    def add_host(self):
        number = len(self.hosts) + 1
        self.make_host("host" if number == 1 else f"host{number}")("up")
        return self.hosts[-1]

    def begin(self, poller):
        config = self.path("collector.yaml")
        with open(config, "w") as file:
            file.write("archive: {step: 5s}\ngrace: 5s\noutbox_takeover: 5s\n")
        kafka = ["--kafka", self.broker.address] if self.broker else []
        self.collector = Program(self.path("collector.log"), os.environ["COLLECTOR"], "--config", config, "--state",
                                 self.path("collector"), "--listen", "127.0.0.1:0", *kafka)
        self.start_collector()
        for host in list(self.hosts):
            self.add_poller(host, poller).start()
        until("the hosts' first records", lambda: len(self.resources(kind="host")) == len(self.hosts))

    @property
    def kafka(self):
        """Where a poller sends to."""
        return self.broker.address if self.broker else "file:" + self.path("collector/kafka")

    def make_poller(self, name, host, config="", *options):
        """One that nobody ends but the test."""
        file = self.path(name + ".yaml")
        with open(file, "w") as out:
            out.write(config)
        config = ["--config", file] if config else []
        return Poller(self.path(name), host, self.kafka, [*config, "--interval", self.interval, *options])

    def add_poller(self, host, config=""):
        name = os.path.basename(host.folder).replace("host", "poller")
        self.pollers.append(self.make_poller(name, host, config))
        return self.pollers[-1]

    def start_collector(self):
        before = self.collector.text().count("answering at port")
        self.collector.start()
        until(lambda: "the collector to start:\n" + self.collector.text(),
              lambda: self.collector.text().count("answering at port") > before)
        self.api = "http://127.0.0.1:" + re.findall(r"answering at port (\d+)", self.collector.text())[-1]

    def end(self):
        for program in (*self.pollers, self.collector):
            if program:
                program.kill()
        if self.broker:
            run(self.broker.script, "down", self.broker.folder)
        for host in self.hosts:
            run(host.script, "down", host.folder)
        if os.environ.get("KEEP"):
            print("kept:", self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- asking ----

    def get(self, path, **parameters):
        query = urllib.parse.urlencode({k.rstrip("_"): v for k, v in parameters.items()})
        with urllib.request.urlopen(f"{self.api}{path}?{query}", timeout=10) as answer:
            return json.load(answer)

    def pages(self, path, key, **parameters):
        rows, after = [], {}
        while True:
            page = self.get(path, **parameters, **after)
            rows += page[key]
            if not page.get("next"):
                return rows
            after = {"after": page["next"]}

    def resources(self, **parameters):
        return self.pages("/v1/resources", "resources", **parameters)

    def usage(self, **parameters):
        """{(project, meter): quantity} since the beginning, or what `group` and the filters ask for."""
        rows = self.pages("/v1/usage", "usage", from_="2026-01-01", **{"group": "project", **parameters})
        return {(r.get("project", ""), r["meter"]): int(r["quantity"]) for r in rows}

    def used(self, uuid, meter):
        rows = self.pages("/v1/usage", "usage", from_="2026-01-01", group="entity", entity=uuid, meter=meter)
        return sum(int(r["quantity"]) for r in rows)

    def held(self, uuid, meter="instance", group="state"):
        """{state, or what is grouped by: allocated ms}"""
        rows = self.pages("/v1/usage", "usage", from_="2026-01-01", group="entity," + group, entity=uuid, meter=meter)
        return {r[group]: int(r["quantity"]) for r in rows}

    def records(self, entity=None):
        """What stands on the topic, of one VM or host or of all, as `pluvio decode` prints it; of each in order."""
        done = run(os.environ["PLUVIO"], "decode", "--kafka", self.kafka)
        assert done.returncode == 0, f"decode: {done.stderr}"
        records = [json.loads(line) for line in done.stdout.splitlines()]
        return [r for r in records if entity in (None, r.get("entity"))]

    def command(self, *arguments):
        return run(os.environ["PLUVIO"], "--api", self.api, *arguments)

    def audit(self):
        done = self.command("audit")
        assert done.returncode == 0, f"audit: {done.stdout}{done.stderr}"
        return done.stdout

    # ---- doing ----

    def guest(self, name, uuid, project, *options, host=None):
        (host or self.host)("guest", name, uuid, "--project", project, *options)
        until(f"{name} to be known", lambda: self.resources(entity=uuid, kind="instance"))

    def await_used(self, uuid, expected):
        """Until the ledger says exactly that of each meter; more than that at any time is a failure."""
        def reached():
            self.have = {meter: self.used(uuid, meter) for meter in expected}
            for meter, quantity in self.have.items():
                assert quantity <= expected[meter], f"{meter}: {quantity} is more than the {expected[meter]} that was done"
            return self.have == expected
        until(lambda: f"wanted {expected}, have {self.have}", reached)


def seconds(text):
    """Of a time in a record, since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))


class Scene(unittest.TestCase):
    """Tests that share one world, in the order of their names."""
    world = None


def play(**options):
    """Run the caller's scenes in a world; the program's exit status."""
    try:
        Scene.world = World(**options)
    except Skip as why:
        print("SKIPPED:", why)
        return SKIPPED
    try:
        done = unittest.main(exit=False, verbosity=2, failfast="KEEP" in os.environ)
        for test, why in done.result.skipped:
            print(f"SKIPPED: {test}: {why}")
        return 0 if done.result.wasSuccessful() else 1
    finally:
        Scene.world.end()


def rows(table, method):
    """Gives a scene a test of each row: (name, what must be true in a sentence, arguments of that method ...)."""
    def add(scene):
        def test_of(sentence, arguments):
            def test(self):
                getattr(self, method)(*arguments)
            test.__doc__ = sentence
            return test
        first = len([name for name in dir(scene) if name.startswith("test_")])
        for number, (name, sentence, *arguments) in enumerate(table, first):
            setattr(scene, f"test_{number:02d}_{name}", test_of(sentence, arguments))
        return scene
    return add
