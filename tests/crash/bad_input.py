"""any bytes to any door give a clear error, and the node serves on
Truncated gzip, floods of brackets, YAML aliases that explode, XML entities, invalid UTF-8, ids of the wrong type, years out of
reach, ten-megabyte strings, zip slips, seeded noise: to the importer and to each HTTP door. No 5xx, no panic, no growth of memory
past a bound, /ready stays, the ledger verifies, good objects beside bad ones are kept."""
import bz2
import gzip
import http.client
import io
import json
import pathlib
import random
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import API_ROOT, INTAKE, MEDIA, Checks, Node, note, seed  # noqa: E402

MEMORY_MB = 600  # resident; a debug build with a 100 MB body in hand stays well below
chance = random.Random(seed())
check = Checks()


def envelope(*objects):
    return json.dumps({"objects": list(objects)}).encode()


def bundle(*objects):
    return json.dumps({"type": "bundle", "id": "bundle--1c2b7a52-6f63-4a1e-9d5e-3c7a1f0b9e22", "objects": list(objects)}).encode()


def zip_slip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../escaped.json", bundle(note("EXERCISE slip")))
    return out.getvalue()


FILES = {
    "truncated.json.gz": gzip.compress(bundle(*(note() for _ in range(50))))[:-20],
    "truncated.xml.bz2": b"BZh91AY&SY\x00\x00\x00",
    "brackets.json": b"[" * 5_000_000,
    "braces.json": b'{"a":' * 1_000_000,
    "aliases.yaml": b"title: x\ncreator: x\ntags:\n- a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
                    + b"".join(b"- a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)),
    "entities.xml": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (97 + n, (b"&%c;" % (96 + n)) * 10) for n in range(1, 12)) + b"]><Sanctions>&l;</Sanctions>",
    "external.xml": b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/hostname">]><Sanctions>&x;</Sanctions>',
    "utf8.json": b'{"type":"bundle","objects":[{"type":"note","content":"\xff\xfe\xc3\x28"}]}',
    "utf16.txt": "EXERCISE job offer".encode("utf-16"),
    "nul.txt": b"EXERCISE \x00\x00\x00 job-offer.example \x00",
    "slip.zip": zip_slip(),
    "long.json": bundle(note("x" * 10_000_000)),
    "wrong-types.json": bundle({"type": 7, "id": []}, {"type": "note", "id": "indicator--" + "0" * 36}, 3, None, "x", [], note("EXERCISE good")),
    "empty.json": b"",
    "bomb.json.gz": gzip.compress(b"[" * 300_000_000, 1),
    "bomb.json.bz2": bz2.compress(b'{"objects":[' + b" " * 200_000_000),
    "surrogate.json": bundle(note("EXERCISE")).replace(b"EXERCISE", b"EXERCISE \\ud800"),
    "infinite.json": bundle(dict(note("EXERCISE"), x=0)).replace(b'"x": 0', b'"x": 1e999'),
    "twice.json": bundle(note("EXERCISE")).replace(b'"type": "note"', b'"type": "note", "type": "note"'),
    "year.json": bundle(note("EXERCISE", modified="9999-12-31T23:59:59.999Z"), note("EXERCISE", modified="0000-00-00T00:00:00Z")),
}
BODIES = {
    "malformed": b'{"objects": [',
    "no objects": b'{"x": 1}',
    "brackets": b"[" * 2_000_000,
    "deep": b'{"objects":' + b'[{"a":' * 200_000,
    "invalid UTF-8": b'{"objects":[{"type":"note","id":"\xff"}]}',
    "id of another type": envelope(dict(note(), id="indicator--" + "0" * 36)),
    "year 9999": envelope(note("EXERCISE", modified="9999-12-31T23:59:59.999Z")),
    "year 0000": envelope(note("EXERCISE", modified="0000-01-01T00:00:00Z")),
    "leap second": envelope(note("EXERCISE", modified="2026-06-30T23:59:60Z")),
    "lone surrogate": envelope(note("EXERCISE")).replace(b"EXERCISE", b"EXERCISE \\ud800"),
    "number no double holds": envelope(dict(note("EXERCISE"), x=0)).replace(b'"x": 0', b'"x": 1e999'),
    "a key twice": envelope(note("EXERCISE")).replace(b'"type": "note"', b'"type": "note", "type": "note"'),
    "NUL in a text": envelope(note("EXERCISE \0 x")),
    "nested 70 deep": envelope(dict(note("EXERCISE"), x=0)).replace(b'"x": 0', b'"x": ' + b"[" * 70 + b"]" * 70),
    "ten-megabyte string": envelope(note("x" * 10_000_000)),
    "over the size limit": b" " * 110_000_000,
    "not gzip": b"\x1f\x8b" + b"0" * 100,
    "empty": b"",
}
JUDGED = ("id of another type", "year 9999", "year 0000", "leap second", "lone surrogate", "number no double holds", "a key twice", "NUL in a text",
          "nested 70 deep", "ten-megabyte string")
REFUSED = ("id of another type", "year 9999", "year 0000", "lone surrogate", "number no double holds", "a key twice", "nested 70 deep")
PATHS = ["/taxii2/api/collections/%2e%2e%2f%2e%2e/", "/taxii2/api/collections/" + "a" * 20_000 + "/", "/search?q=" + "%F0%9F" * 500,
         "/search?q=%00", "/search?q=job%00offer", "/api/search?q=job%00offer", "/stream/live?from=-9999999999999999999-1", "/stream/nope", "/objects/" + "9" * 5000, "/api/" + "%ff" * 30,
         f"{API_ROOT}/collections/{INTAKE}/objects/?limit=99999999999999999999", f"{API_ROOT}/collections/{INTAKE}/objects/?next=%00",
         f"{API_ROOT}/collections/{INTAKE}/objects/?match[version]=%27%3B--", f"{API_ROOT}/collections/{INTAKE}/objects/?added_after=9999-99-99"]


def memory_mb(node):
    """Resident memory of the server in MB (10^6 bytes)."""
    for line in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def door(node, rule, method, path, body=None, kinds=(MEDIA, MEDIA), bad=True):
    """One hostile request: answered in words, never 5xx (a closed connection counts as refused for bodies over the limit)."""
    try:
        answer = node.http(method, path, body, accept=kinds[0], content=kinds[1], timeout=60)
        right = 400 <= answer.status < 500 or (not bad and answer.status < 300)
        check(f"{rule}: refused in words" if bad else f"{rule}: answered", right and (answer.bytes or not bad), (answer.status, answer.bytes[:200]))
    except (OSError, http.client.HTTPException) as error:
        check(f"{rule}: refused", body is not None and len(body) > 100_000_000, error)


with Node() as node:
    good = note("EXERCISE stands")
    node.post([good])
    for name, content in FILES.items():
        path = node.scratch / name
        path.write_bytes(content)
        done = node.run("ingest", path, timeout=120)
        words = done.stdout + done.stderr
        check(f"ingest {name}: ends by itself and says something", done.returncode in (0, 1, 2) and words.strip() and "panicked" not in words,
              f"exit {done.returncode}: {words[-300:]}")
        if done.returncode:
            check(f"ingest {name}: the error names the file", name in words, words[-300:])
    check("the good object among wrong ones was kept", any(o.get("content") == "EXERCISE good" for o in node.export()))
    check("nothing was written beside the data folder", not list(node.scratch.parent.glob("escaped.json")) and not (node.scratch / "escaped.json").exists())

    objects = f"{API_ROOT}/collections/{INTAKE}/objects/"
    for name, body in BODIES.items():
        answered_202 = name in JUDGED  # taken as a request, the object a failure or kept
        door(node, f"POST {name}", "POST", objects, body, bad=not answered_202)
    for name in REFUSED:
        status = node.http("POST", objects, BODIES[name], accept=MEDIA, content=MEDIA).json or {}
        check(f"POST {name}: the object is a failure, and nothing of it stands", (status.get("failure_count"), status.get("success_count")) == (1, 0), status)
    theirs = note("EXERCISE somebody else's", object_id=good["id"], modified="2026-01-03T00:00:00.000Z", created_by_ref="identity--7a1d1b1e-4a55-4b6e-8a67-0f2f1f0c9d11")
    answer = node.taxii("POST", "/objects/", {"objects": [theirs]})
    check("somebody else's version of an object is answered", answer.status == 202, answer.bytes[:200])
    versions = (node.taxii("GET", f"/objects/{good['id']}/?match[version]=all").json or {}).get("objects", [])
    check("and the version that stood before still stands", good in versions, versions)
    stats = node.json("stats")
    check("whatever was taken, every view could read", node.run("doctor").returncode == 0 and node.http("GET", "/ready", auth=None).status == 200, stats)
    for _ in range(40):
        door(node, "POST noise", "POST", objects, chance.randbytes(chance.randrange(1, 4000)))
    for path in PATHS:
        connection = node.connect(timeout=20)
        try:
            connection.request("GET", path, headers=node.headers())
            status = connection.getresponse().status  # the body stays unread: a stream's would not end
        except (OSError, http.client.HTTPException) as error:
            status = error
        connection.close()
        check(f"GET {path[:60]}: no 5xx", isinstance(status, int) and status < 500, status)
    used = memory_mb(node)
    check(f"memory stays below {MEMORY_MB} MB", used < MEMORY_MB, f"{used:.0f} MB")
    check("the node still says it is ready", node.http("GET", "/ready", auth=None).status == 200)
    check("a good object is still there", good in (node.taxii("GET", f"/objects/{good['id']}/?match[version]=all").json or {}).get("objects", []))
    check("no handler panicked", b"panicked" not in node.log_path.read_bytes())
    verified = node.run("verify", "--views", timeout=300)
    check("the ledger and its views verify", verified.returncode == 0, verified.stdout[-300:] + verified.stderr[-300:])
check.finish()
