#!/usr/bin/env python3
"""Who includes whom: the rules of the house, checked against what the compiler really read.

    walls_includes.py --source DIR --build DIR --rooms FILE --make PROGRAM
    walls_includes.py --planted      each rule catches a violation that is planted for it

The rooms, their files and their neighbours come from CMake (rooms.txt). Rules:
  - one top-level folder includes of another what stands in include/pluvio only;
  - a header in include/pluvio belongs to a room, and only that room and those that have it as a neighbour, near or far,
    include it; so common/ includes nothing above it;
  - a header beside its sources is included by its room, and outside common/ by rooms that name that room as a
    neighbour; x_private.h by its room only; programs' own sources may include any other of their top-level folder;
  - neighbours form no circle, and those of rooms in common/ are in common/;
  - each library is included by the rooms of LIBRARIES, by few files; a library that is not in the table is a violation.
Tests are excepted.
"""
import argparse
import json
import os
import re
import subprocess
import sys

# A library's headers (below an include folder, with those that it includes itself), the rooms whose files may include
# it, and how many files at most.
LIBRARIES = [
    ("SQLite", r"sqlite3\.h", ("store",), 2),
    ("librdkafka", r"librdkafka/.*", ("kafka",), 6),
    ("libvirt", r"libvirt/.*", ("inspector",), 5),
    ("librrd", r"rrd(_\w+)?\.h", ("archive",), 2),
    ("libmicrohttpd", r"microhttpd\.h", ("http",), 2),
    ("libyaml", r"yaml\.h", ("config",), 1),
    ("jansson", r"jansson(_config)?\.h", ("cli", "http"), 6),
    ("libcurl", r"curl/.*", ("cli", "alarm"), 2),
    ("libxml2", r"(libxml2|unicode)/.*", ("inspector",), 1),
]

# What the C library, the kernel and the compiler bring.
SYSTEM_FOLDERS = r"(asm|asm-generic|bits|gnu|linux|sys|netinet|net|arpa|rpc)/.*"
SYSTEM_HEADERS = set(
    """aio alloca assert complex cpio ctype dirent dlfcn endian err errno error execinfo fcntl features
    features-time64 fenv float fnmatch ftw getopt glob grp iconv ifaddrs inttypes langinfo libgen libintl limits locale
    malloc math memory netdb nl_types poll pthread pwd regex sched search semaphore setjmp sigaction signal spawn
    stdalign stdatomic stdarg stdbool stdc-predef stddef stdint stdio stdlib stdnoreturn string strings sysexits syslog
    tar termios tgmath threads time uchar ucontext unistd utime utmp wait wchar wctype wordexp""".split()
)
INCLUDE_FOLDERS = r"^/usr(/local)?/include/(?:[\w]+-linux-gnu/)?(?P<rest>.+)$"


class Room:
    def __init__(self, name, sources, headers, neighbours):
        self.name, self.sources, self.headers, self.neighbours = name, sources, headers, neighbours


class House:
    """The rooms, and which file is whose. Paths are relative to the source folder where they are below it."""

    def __init__(self, rooms):
        self.rooms = {r.name: r for r in rooms}
        self.owner = {f: r for r in rooms for f in r.sources + r.headers}

    def reach(self, room):
        """The rooms that @room may call: its neighbours and theirs."""
        seen, todo = set(), list(room.neighbours)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.rooms[name].neighbours
        return seen


def top(path):
    return path.split("/")[0]


def is_public(path):
    return path.startswith("include/pluvio/")


def in_common(room):
    return any(top(f) == "common" for f in room.sources)


def check_public(house, room, dependency):
    owner = house.owner.get(dependency)
    if not owner:
        return f"includes {dependency}, which is no room's HEADERS"
    if room and owner is not room and owner.name not in house.reach(room):
        return f"includes {dependency} of room {owner.name}, which is no neighbour of {room.name}"
    return None


def check_private(house, source, room, dependency):
    if top(dependency) != top(source):
        return f"includes {dependency} of another top-level folder"
    owner = house.owner.get(dependency)
    if owner is None or owner is room:
        return None
    if dependency.endswith("_private.h"):
        return f"includes {dependency}, which is room {owner.name}'s alone"
    if top(source) == "common":
        return f"includes {dependency} of room {owner.name}: in common/ rooms meet in include/pluvio"
    if room and owner.name not in room.neighbours:
        return f"includes {dependency} of room {owner.name}, which {room.name} does not name as a neighbour"
    return None


def check_rooms(house):
    for room in house.rooms.values():
        if room.name in house.reach(room):
            yield f"room {room.name}: its neighbours form a circle"
        if in_common(room):
            for name in room.neighbours:
                if not in_common(house.rooms[name]):
                    yield f"room {room.name}: stands in common/, but has {name} above it as a neighbour"


def check_files(house, files):
    """@files: source -> what the compiler read for it; both relative where they are below the source folder."""
    for source, dependencies in sorted(files.items()):
        room = house.owner.get(source)
        if top(source) == "tests" or (os.path.isabs(source) and room is None):
            continue
        folder = room.sources[0] if room and os.path.isabs(source) else source  # made by the build, of that room
        for dependency in sorted(dependencies):
            if os.path.isabs(dependency):
                continue
            wrong = (
                check_public(house, room, dependency)
                if is_public(dependency)
                else check_private(house, folder, room, dependency)
            )
            if wrong:
                yield f"{source}: {wrong}"


def library_of(dependency):
    """The row of LIBRARIES; None: not a library's; a text: a library that has no row."""
    match = re.match(INCLUDE_FOLDERS, dependency)
    if not match:
        return None
    rest = match.group("rest")
    for row in LIBRARIES:
        if re.fullmatch(row[1], rest):
            return row
    if re.fullmatch(SYSTEM_FOLDERS, rest) or (rest.endswith(".h") and rest[:-2] in SYSTEM_HEADERS):
        return None
    return rest


def check_libraries(house, files):
    users = {row[0]: set() for row in LIBRARIES}
    for source, dependencies in sorted(files.items()):
        room = house.owner.get(source)
        if os.path.isabs(source) or top(source) == "tests":
            continue
        for row in {library_of(d) for d in dependencies} - {None}:
            if isinstance(row, str):
                yield f"{source}: includes <{row}> of a library that has no row in {os.path.basename(__file__)}"
                continue
            users[row[0]].add(source)
            if not room or room.name not in row[2]:
                yield f"{source}: includes {row[0]}, which is for {', '.join(sorted(row[2]))} only"
    for name, _, _, limit in LIBRARIES:
        if len(users[name]) > limit:
            yield f"{name} is included by {len(users[name])} files, more than {limit}: {', '.join(sorted(users[name]))}"


def check(house, files):
    return list(check_rooms(house)) + list(check_files(house, files)) + list(check_libraries(house, files))


# ---- what the build left ----


def relative(path, source, build):
    """What the build made is nobody's, wherever its folder is: it stays absolute."""
    path = os.path.realpath(path)
    if path.startswith(build + "/"):
        return path
    return path[len(source) + 1 :] if path.startswith(source + "/") else path


def read_rooms(path, place):
    rooms = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            name, sources, headers, neighbours = (part.split(";") for part in line.rstrip("\n").split("|"))
            files = ([place(f) for f in part if f] for part in (sources, headers))
            rooms.append(Room(name[0], *files, [n for n in neighbours if n]))
    return rooms


def parse_ninja(text):
    """ninja -t deps: "OBJECT: #deps N, ...", then a dependency a line, indented."""
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith(" "):
            current.append(line.strip())
        elif ": #deps" in line:
            current = found.setdefault(line.split(": #deps")[0], [])
    return found


def parse_make(text):
    """A .d file: "OBJECT: dependency dependency \\ ..."."""
    rule = text.replace("\\\n", " ").split("\n")[0]
    target, _, rest = rule.partition(": ")
    return {target: rest.split()}


def read_dependencies(build, make):
    if os.path.exists(os.path.join(build, "build.ninja")):
        command = [make, "-C", build, "-t", "deps"]
        return parse_ninja(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    found = {}
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".o.d"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found.update(parse_make(f.read()))
    return found


def read_build(build, source, make):
    """(source -> what it read, sources that are not built)."""
    place = lambda path: relative(os.path.join(build, path), source, build)
    dependencies = read_dependencies(build, make)
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        commands = json.load(f)
    files, missing = {}, []
    for command in commands:
        name = place(command["file"])
        output = command.get("output") or re.search(r" -o (\S+)", command["command"]).group(1)
        if output in dependencies:
            files.setdefault(name, set()).update(place(d) for d in dependencies[output])
        elif not os.path.isabs(name) and top(name) != "tests":
            missing.append(name)
    return files, sorted(set(missing) - set(files))


def main_check(args):
    source, build = os.path.realpath(args.source), os.path.realpath(args.build)
    rooms = read_rooms(args.rooms, lambda path: relative(path, source, build))
    files, missing = read_build(build, source, args.make)
    wrong = check(House(rooms), files)
    for line in wrong:
        print(line)
    print(f"{len(rooms)} rooms, {len(files)} files, {len(wrong)} violations")
    if wrong:
        return 1
    if missing or not files:
        print(f"SKIPPED: {len(missing)} files are not built: {', '.join(missing[:5])} ...")
        return 77
    return 0


# ---- each rule, planted ----

PLANTED_ROOMS = [
    Room("base", ["common/base/buf.c"], ["include/pluvio/base/buf.h"], []),
    Room("store", ["common/store/db.c"], ["include/pluvio/store/db.h", "common/store/db_private.h"], ["base"]),
    Room("wire", ["common/wire/otlp.c"], ["include/pluvio/wire/otlp.h", "common/wire/protobuf.h"], ["base"]),
    Room("series", ["collector/series/series.c"], ["collector/series/series.h"], ["base"]),
    Room("ledger", ["collector/ledger/ledger.c", "/build/schema.c"],
         ["collector/ledger/ledger.h", "collector/ledger/ledger_private.h", "include/pluvio/ledger/ledger_query.h"],
         ["series", "store"]),
    Room("ingest", ["collector/ingest/ingest.c"], ["collector/ingest/ingest.h"], ["ledger", "wire"]),
    Room("http", ["api/http/server.c"], ["api/http/server.h"], ["base"]),
    Room("v1", ["api/v1/routes.c"], ["api/v1/routes.h"], ["http", "ledger"]),
]
SYSTEM = "/usr/include/stdio.h"

# (sentence, file, what it includes beside the system's, the violation's words or None)
PLANTED = [
    ("a room includes its own headers", "collector/ledger/ledger.c", ["collector/ledger/ledger_private.h"], None),
    ("a neighbour's header", "collector/ledger/ledger.c", ["collector/series/series.h"], None),
    ("a neighbour's neighbour in include/pluvio", "collector/ingest/ingest.c", ["include/pluvio/store/db.h"], None),
    ("what another top-level folder publishes", "api/v1/routes.c", ["include/pluvio/ledger/ledger_query.h"], None),
    ("a program of the folder takes any room's header", "collector/main.c", ["collector/ingest/ingest.h"], None),
    ("a test takes anything", "tests/unit/x.c", ["collector/ledger/ledger_private.h", "/usr/include/sqlite3.h"], None),
    ("a source that the build made", "/build/schema.c", ["collector/ledger/ledger.h"], None),
    ("another top-level folder's header", "api/v1/routes.c", ["collector/ledger/ledger.h"], "another top-level folder"),
    ("the same from a source that the build made", "/build/schema.c", ["api/http/server.h"], "another top-level"),
    ("a program across the yard", "collector/main.c", ["api/http/server.h"], "another top-level folder"),
    ("a neighbour's private header", "collector/ingest/ingest.c", ["collector/ledger/ledger_private.h"], "alone"),
    ("a program takes a private header", "collector/main.c", ["collector/ledger/ledger_private.h"], "alone"),
    ("a room that is no neighbour", "collector/series/series.c", ["collector/ledger/ledger.h"], "does not name"),
    ("a neighbour's neighbour's header", "collector/ingest/ingest.c", ["collector/series/series.h"], "does not name"),
    ("a public header of no neighbour", "collector/series/series.c", ["include/pluvio/store/db.h"], "no neighbour"),
    ("common looks up", "common/store/db.c", ["include/pluvio/ledger/ledger_query.h"], "no neighbour"),
    ("common looks up past include", "common/store/db.c", ["collector/series/series.h"], "another top-level folder"),
    ("rooms of common meet elsewhere", "common/store/db.c", ["common/wire/protobuf.h"], "meet in include/pluvio"),
    ("a public header of no room", "collector/series/series.c", ["include/pluvio/lost.h"], "no room's HEADERS"),
    ("a library in the wrong room", "collector/series/series.c", ["/usr/include/sqlite3.h"], "for store only"),
    ("a library in a program", "collector/main.c", ["/usr/include/librdkafka/rdkafka.h"], "for kafka only"),
    ("a library without a row", "api/http/server.c", ["/usr/include/openssl/ssl.h"], "has no row"),
    ("a library without a row beside one with", "common/store/db.c", ["/usr/include/sqlite3.h", "/usr/include/zlib.h"],
     "zlib.h"),
    ("a library without a row, of one architecture", "api/http/server.c", ["/usr/include/x86_64-linux-gnu/foo.h"],
     "has no row"),
]


def planted_rows():
    for sentence, source, dependencies, wants in PLANTED:
        got = check(House(PLANTED_ROOMS), {source: set(dependencies) | {SYSTEM}})
        yield sentence, got, wants


def planted_houses():
    circle = [Room("a", ["x/a.c"], [], ["b"]), Room("b", ["x/b.c"], [], ["a"])]
    yield "two neighbours in a circle", check(House(circle), {}), "circle"
    above = PLANTED_ROOMS + [Room("kafka", ["common/kafka/log.c"], [], ["ledger"])]
    yield "a room of common with a neighbour above", check(House(above), {}), "above it"
    rooms = [Room("config", [f"common/config/{n}.c" for n in "ab"], [], [])]
    files = {f"common/config/{n}.c": {"/usr/include/yaml.h"} for n in "ab"}
    yield "a library in more files than its row says", check(House(rooms), files), "more than 1"


def planted_parsers():
    ninja = "a/b.c.o: #deps 2, deps mtime 1 (VALID)\n    ../b.c\n    /usr/include/stdio.h\n\nc.o: #deps 1, x\n    c.c\n"
    right = parse_ninja(ninja) == {"a/b.c.o": ["../b.c", "/usr/include/stdio.h"], "c.o": ["c.c"]}
    yield "ninja's dependencies are read", [] if right else ["wrong"], None
    right = parse_make("a.o: a.c \\\n /x/y.h z.h\n\n/x/y.h:\n") == {"a.o": ["a.c", "/x/y.h", "z.h"]}
    yield "make's dependencies are read", [] if right else ["wrong"], None


def main_planted():
    failed = count = 0
    for rows in (planted_rows(), planted_houses(), planted_parsers()):
        for sentence, got, wants in rows:
            count += 1
            if (wants is None and got) or (wants and not (got and all(wants in line for line in got))):
                print(f"{sentence}: wanted {wants!r}, got {got}")
                failed += 1
    print(f"{count} planted, {failed} wrong")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--planted", action="store_true")
    for name in ("--source", "--build", "--rooms", "--make"):
        parser.add_argument(name)
    args = parser.parse_args()
    return main_planted() if args.planted else main_check(args)


if __name__ == "__main__":
    sys.exit(main())
