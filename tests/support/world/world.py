"""A small cloud of a test's own: a libvirtd with QEMU guests, a broker, a collector, a poller, all real.

Everything lives below one folder and ends with the World. Nothing sleeps to wait: `until` polls with a deadline.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

PATIENCE_S = 60
SKIPPED = 77


class Skip(Exception):
    pass


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
    def __init__(self, kafka):
        """kafka: a real broker, else the collector's embedded one."""
        self.folder = tempfile.mkdtemp(prefix="pluvio-road.", dir=os.environ.get("TMPDIR", "/tmp"))
        self.host = Host(os.environ["HOST_SCRIPT"], self.path("host"))
        self.broker = None
        self.collector = self.poller = None
        try:
            self.host("up")
            if kafka:
                self.broker = Broker(os.environ["BROKER_SCRIPT"], self.path("broker"))
            self.begin()
        except BaseException:
            self.end()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def begin(self):
        config = self.path("collector.yaml")
        with open(config, "w") as file:
            file.write("archive: {step: 5s}\ngrace: 5s\n")
        kafka = ["--kafka", self.broker.address] if self.broker else []
        self.collector = Program(self.path("collector.log"), os.environ["COLLECTOR"], "--config", config, "--state",
                                 self.path("collector"), "--listen", "127.0.0.1:0", *kafka)
        self.start_collector()
        where = self.broker.address if self.broker else "file:" + self.path("collector/kafka")
        self.poller = Program(self.path("poller.log"), os.environ["POLLER"], "--state", self.path("poller"), "--libvirt",
                              self.host("uri"), "--kafka", where, "--interval", "1s")
        self.poller.start()
        until("the host's first record", lambda: self.resources(kind="host"))

    def start_collector(self):
        before = self.collector.text().count("answering at port") if os.path.exists(self.collector.log) else 0
        self.collector.start()
        until(lambda: "the collector to start:\n" + self.collector.text(),
              lambda: os.path.exists(self.collector.log) and self.collector.text().count("answering at port") > before)
        self.api = "http://127.0.0.1:" + re.findall(r"answering at port (\d+)", self.collector.text())[-1]

    def end(self):
        for program in (self.poller, self.collector):
            if program:
                program.kill()
        if self.broker:
            run(self.broker.script, "down", self.broker.folder)
        run(self.host.script, "down", self.host.folder)
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

    def command(self, *arguments):
        return run(os.environ["PLUVIO"], "--api", self.api, *arguments)

    def audit(self):
        done = self.command("audit")
        assert done.returncode == 0, f"audit: {done.stdout}{done.stderr}"
        return done.stdout

    # ---- doing ----

    def guest(self, name, uuid, project, *options):
        self.host("guest", name, uuid, "--project", project, *options)
        until(f"{name} to be known", lambda: self.resources(entity=uuid, kind="instance"))

    def await_used(self, uuid, expected):
        """Until the ledger says exactly that of each meter; more than that at any time is a failure."""
        def reached():
            self.have = {meter: self.used(uuid, meter) for meter in expected}
            for meter, quantity in self.have.items():
                assert quantity <= expected[meter], f"{meter}: {quantity} is more than the {expected[meter]} that was done"
            return self.have == expected
        until(lambda: f"wanted {expected}, have {self.have}", reached)
