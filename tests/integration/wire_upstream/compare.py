#!/usr/bin/env python3
"""Our OTLP codec against upstream's generated classes, field by field, both ways.

    compare.py WIRE_FILES FOLDER

WIRE_FILES is our side (wire_files.c). What a message means here (which attribute is which field, what is skipped) is
said a second time below, from the headers' words; upstream's classes do the reading and the writing of bytes.
"""
import json
import os
import random
import struct
import subprocess
import sys

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2

FIELDS = {
    "host.id": "entity", "host.name": "name", "host.type": "flavor", "cloud.account.id": "project",
    "openstack.user.id": "user", "libvirt.domain.state": "state", "libvirt.domain.name": "domain",
    "hypervisor.host.name": "host", "hypervisor.host.id": "host_id", "pluvio.event": "event",
}
SPECIAL = ("pluvio.kind", "pluvio.event.time")
YEAR_2200_NS = 7258118400000000000
REQUESTS = 600
SEED = 20261124


class Refused(Exception):
    pass


# ---- what a request says ----


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def text_of(value):
    """An attribute's value as text: numbers and truths too; lists, maps and bytes have none."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "int_value":
        return str(value.int_value)
    return "%.17g" % value.double_value if kind == "double_value" else ""


def string_of(value):
    return value.string_value if value.WhichOneof("value") == "string_value" else ""


def read_resource(attributes):
    record = dict.fromkeys(FIELDS.values(), "")
    record.update(event_time_ns=0, is_host=False, attributes=[[a.key, text_of(a.value)] for a in attributes], points=[])
    service = ""
    for a in attributes:
        if a.key in FIELDS:
            record[FIELDS[a.key]] = string_of(a.value)
        elif a.key == "pluvio.kind":
            record["is_host"] = string_of(a.value) == "host"
        elif a.key == "pluvio.event.time":
            record["event_time_ns"] = a.value.int_value if a.value.WhichOneof("value") == "int_value" else 0
        elif a.key == "service.instance.id":
            service = string_of(a.value)
    record["entity"] = record["entity"] or service
    return record


def type_of(metric):
    if metric.WhichOneof("data") == "gauge" or not metric.sum.is_monotonic:
        return "gauge"
    return "delta" if metric.sum.aggregation_temporality == metrics_pb2.AGGREGATION_TEMPORALITY_DELTA else "cumulative"


def read_devices(point, attributes):
    for a in attributes:
        value = string_of(a.value)
        if a.key == "pluvio.stream":
            kind = a.value.WhichOneof("value")
            point["stream"] = a.value.int_value % (1 << 64) if kind == "int_value" else 0
        elif a.key == "pluvio.end":
            point["ended"] = a.value.WhichOneof("value") == "bool_value" and a.value.bool_value
        elif a.key == "disk.name" and value:
            point.update(device=value, kind="disk")
        elif a.key == "network.interface.mac" and value:
            point.update(device=value, kind="interface")
        elif a.key == "network.interface.name":
            point["device_name"] = value
    if not point["device"] and point["device_name"]:
        point.update(device=point["device_name"], kind="interface")


def check_point(point, value):
    time, start = point["time_ns"], point["start_ns"]
    if time <= 0 or time > YEAR_2200_NS or start < 0 or start > time:
        raise Refused("bad time")
    if point["type"] != "gauge" and not value >= 0:
        raise Refused("negative counter")


def read_point(metric, p, meters):
    is_double = p.WhichOneof("value") == "as_double"
    point = dict(name=metric.name, unit=metric.unit, type=type_of(metric), kind="other", device="", device_name="",
                 known=metric.name in meters, ended=False, is_double=is_double, stream=0,
                 value=0 if is_double else p.as_int,
                 bits=struct.unpack("<Q", struct.pack("<d", p.as_double))[0] if is_double else 0,
                 start_ns=signed(p.start_time_unix_nano), time_ns=signed(p.time_unix_nano))
    read_devices(point, p.attributes)
    point["kind"] = meters.get(metric.name, point["kind"])
    check_point(point, p.as_double if is_double else p.as_int)
    return point


def read_metric(metric, said, record, meters):
    kind = metric.WhichOneof("data")
    if kind not in ("gauge", "sum"):
        said["skipped_metrics"] += 1
        return
    for p in getattr(metric, kind).data_points:
        if p.WhichOneof("value") is None or p.flags & 1:
            said["skipped_points"] += 1
        else:
            record["points"].append(read_point(metric, p, meters))


def read_request(request, meters):
    said = dict(refusal="fine", skipped_fields=0, skipped_metrics=0, skipped_points=0, records=[])
    try:
        for part in request.resource_metrics:
            record = read_resource(part.resource.attributes)
            for scope in part.scope_metrics:
                for metric in scope.metrics:
                    read_metric(metric, said, record, meters)
            if not record["entity"]:
                raise Refused("no host.id and no service.instance.id")
            if record["event"] and not 0 <= record["event_time_ns"] <= YEAR_2200_NS:
                raise Refused("bad time")
            if not record["event"]:
                record["event_time_ns"] = 0
            said["records"].append(record)
    except Refused as refused:
        return dict(refusal=str(refused), records=[])
    return said


# ---- requests as upstream writes them, with what we skip ----

NAMES = ["", "a", "web-1", "\u00e4\u20ac\U0001f327", 'x y\n"z\\', "\x7f\x01", "n" * 300]
COUNTS = [0, 1, 127, 128, 2**31 - 1, 2**53 + 1, 2**63 - 1]


def fill_any(r, value, depth=0):
    pick = r.randrange(8 if depth < 6 else 4)
    if pick == 0:
        value.string_value = r.choice(NAMES)
    elif pick == 1:
        value.bool_value = r.random() < 0.5
    elif pick == 2:
        value.int_value = r.choice([1, -1]) * r.choice(COUNTS)
    elif pick == 3:
        value.double_value = r.choice([0.1, -1e300, 5e-324, float("inf"), 12345.0])
    elif pick == 4:
        value.bytes_value = bytes(r.randrange(256) for _ in range(r.randrange(9)))
    elif pick == 5:
        value.array_value.SetInParent()
        for _ in range(r.randrange(3)):
            fill_any(r, value.array_value.values.add(), depth + 1)
    elif pick == 6:
        value.kvlist_value.SetInParent()
        for _ in range(r.randrange(3)):
            pair = value.kvlist_value.values.add(key=r.choice(NAMES))
            fill_any(r, pair.value, depth + 1)


def add_attributes(r, attributes, keys, count):
    for _ in range(count):
        pair = attributes.add(key=r.choice(keys))
        if r.random() < 0.6:
            pair.value.string_value = r.choice(NAMES)
        else:
            fill_any(r, pair.value)


def fill_resource(r, resource):
    if r.random() < 0.97:
        resource.attributes.add(key=r.choice(["host.id", "service.instance.id"])).value.string_value = "vm"
    others = [k for k in FIELDS if k != "host.id"] + ["label", "cloud.region", "pluvio.kind"]
    add_attributes(r, resource.attributes, others, r.randrange(6))
    if r.random() < 0.3:
        resource.attributes.add(key="pluvio.event.time").value.int_value = r.choice(COUNTS[:6])
    resource.dropped_attributes_count = r.randrange(3)


def fill_point(r, p, counter):
    p.time_unix_nano = r.randrange(1, YEAR_2200_NS)
    if r.random() < 0.7:
        p.start_time_unix_nano = r.randrange(p.time_unix_nano + 1)
    count = r.choice(COUNTS) * (1 if counter and r.random() < 0.998 else r.choice([1, -1]))
    pick = r.random()
    if pick < 0.6:
        p.as_int = count
    elif pick < 0.9:
        p.as_double = count / 3
    if r.random() < 0.1:
        p.flags = r.choice([1, 2, 3])
    if r.random() < 0.2:
        exemplar = p.exemplars.add(time_unix_nano=5, as_int=7, span_id=b"12345678")
        exemplar.filtered_attributes.add(key="k").value.string_value = "v"
    keys = ["disk.name", "network.interface.mac", "network.interface.name", "pluvio.stream", "pluvio.end", "other"]
    add_attributes(r, p.attributes, keys, r.randrange(4))
    if r.random() < 0.5:
        p.attributes.add(key="pluvio.stream").value.int_value = signed(r.randrange(1 << 64))
    if r.random() < 0.2:
        p.attributes.add(key="pluvio.end").value.bool_value = True


def fill_histogram(r, metric):
    metric.histogram.aggregation_temporality = 2
    p = metric.histogram.data_points.add(time_unix_nano=5, count=3, sum=1.5, bucket_counts=[1, 2], min=0.5, max=1)
    p.explicit_bounds.append(1.0)


def fill_exponential(r, metric):
    p = metric.exponential_histogram.data_points.add(time_unix_nano=5, count=3, scale=-2, zero_count=1)
    p.positive.bucket_counts.extend([1, 2, 3])
    p.negative.offset = -7


def fill_summary(r, metric):
    p = metric.summary.data_points.add(time_unix_nano=5, count=3, sum=1.5)
    p.quantile_values.add(quantile=0.5, value=0.1)


def fill_metric(r, metric, meters):
    metric.name = r.choice(sorted(meters) + NAMES + ["http.server.requests"] * 5)
    metric.unit = r.choice(NAMES)
    metric.description = r.choice(NAMES)
    add_attributes(r, metric.metadata, ["note"], r.choice([0, 0, 2]))
    pick = r.randrange(12)
    if pick < 3:
        r.choice([fill_histogram, fill_exponential, fill_summary])(r, metric)
    elif pick == 3:
        return  # no data at all
    elif pick < 7:
        metric.gauge.SetInParent()
        for _ in range(r.randrange(4)):
            fill_point(r, metric.gauge.data_points.add(), False)
    else:
        metric.sum.aggregation_temporality = r.randrange(3)
        metric.sum.is_monotonic = r.random() < 0.8
        for _ in range(r.randrange(4)):
            fill_point(r, metric.sum.data_points.add(), metric.sum.is_monotonic)


def any_request(r, meters):
    request = ExportMetricsServiceRequest()
    for _ in range(r.choice([0, 1, 1, 1, 2, 5])):
        part = request.resource_metrics.add(schema_url=r.choice(NAMES))
        fill_resource(r, part.resource)
        for _ in range(r.randrange(3)):
            scope = part.scope_metrics.add(schema_url=r.choice(NAMES))
            scope.scope.name = r.choice(NAMES)
            scope.scope.version = "1"
            add_attributes(r, scope.scope.attributes, ["a"], r.randrange(2))
            for _ in range(r.randrange(6)):
                fill_metric(r, scope.metrics.add(), meters)
    return request


# ---- comparing ----


def difference(path, wants, got):
    """Where the two differ first; None: nowhere."""
    if isinstance(wants, dict) and isinstance(got, dict) and wants.keys() == got.keys():
        steps = [(f"{path}.{k}", wants[k], got[k]) for k in wants]
    elif isinstance(wants, list) and isinstance(got, list) and len(wants) == len(got):
        steps = [(f"{path}[{i}]", w, g) for i, (w, g) in enumerate(zip(wants, got))]
    else:
        return None if type(wants) is type(got) and wants == got else f"{path}: wanted {wants!r}, got {got!r}"
    return next((d for step in steps if (d := difference(*step))), None)


def file_of(folder, number, suffix):
    return os.path.join(folder, f"{number:03d}.{suffix}")


def load(folder, number):
    with open(file_of(folder, number, "json"), encoding="utf-8") as f:
        return json.load(f)


def compare_ours(program, folder, meters):
    """Upstream reads what we write, and would have written the same bytes."""
    os.mkdir(folder)
    subprocess.run([program, "encode", folder], check=True)
    count = 0
    while os.path.exists(file_of(folder, count, "bin")):
        with open(file_of(folder, count, "bin"), "rb") as f:
            content = f.read()
        request = ExportMetricsServiceRequest.FromString(content)
        said = read_request(request, meters)
        for record in said["records"]:
            record["attributes"] = [a for a in record["attributes"] if a[0] not in FIELDS and a[0] not in SPECIAL]
        wants = dict(said, refusal="fine", skipped_metrics=0, skipped_points=0, records=[load(folder, count)])
        yield difference(f"ours {count:03d}", wants, said)
        yield None if request.SerializeToString() == content else f"ours {count:03d}: upstream writes other bytes"
        count += 1


def compare_theirs(program, folder, meters):
    """We read what upstream writes."""
    os.mkdir(folder)
    r = random.Random(SEED)
    requests = [any_request(r, meters) for _ in range(REQUESTS)]
    for i, request in enumerate(requests):
        with open(file_of(folder, i, "bin"), "wb") as f:
            f.write(request.SerializeToString())
    subprocess.run([program, "decode", folder], check=True)
    for i, request in enumerate(requests):
        wants, got = read_request(request, meters), load(folder, i)
        if wants["refusal"] != "fine":  # what was counted before is of no interest
            got = {k: got[k] for k in wants}
        yield difference(f"theirs {i:03d}", wants, got)


def covered(requests_folder):
    """What the requests had in them: a comparison of nothing proves nothing."""
    total = dict(refused=0, skipped_metrics=0, skipped_points=0, points=0, records=0)
    for i in range(REQUESTS):
        got = load(requests_folder, i)
        total["refused"] += got["refusal"] != "fine"
        total["records"] += len(got["records"])
        total["points"] += sum(len(r["points"]) for r in got["records"])
        for key in ("skipped_metrics", "skipped_points"):
            total[key] += got[key]
    return total


def main():
    program, folder = sys.argv[1:3]
    table = subprocess.run([program, "meters"], check=True, capture_output=True, text=True).stdout
    meters = dict(line.split() for line in table.splitlines())
    ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
    results = list(compare_ours(program, ours, meters)) + list(compare_theirs(program, theirs, meters))
    wrong = [d for d in results if d]
    for d in wrong[:20]:
        print(d)
    total = covered(theirs)
    print(f"{len(results)} compared, {len(wrong)} differ; theirs: {total}")
    return 1 if wrong or min(total.values()) < 10 or len(results) < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
