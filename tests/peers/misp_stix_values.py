"""MISP events: every value that misp-stix finds, this node finds
PyPI's misp-stix converts each event of ../shared/data/misp/events; each value it writes (observables, hashes, accounts, patterns,
its custom objects) stands in what the node exports after `eye ingest`, and the node invents no value of its own."""
import contextlib
import io
import json
import logging
import re

from misp_stix_converter import MISPtoSTIX21Parser

from node import SHARED, Checks, Node, skip

EVENTS = sorted((SHARED / "data/misp/events").glob("*.json"))
if not EVENTS:
    skip("no MISP events on this machine (../shared/data/misp/events)")

LITERAL = re.compile(r"([\w\[\]*.'-]+)\s*=\s*'((?:[^'\\]|\\.)*)'")  # one comparison of a STIX pattern
VALUE_KEYS = {"value", "x_misp_value", "user_id", "account_login", "serial_number", "iban", "account_number"}
logging.disable(logging.CRITICAL)


def values(objects):
    """Values that tell one thing from another: in observables, hashes, patterns and custom objects."""
    found = set()

    def walk(node, hashes=False):
        if isinstance(node, dict):
            for key, inner in node.items():
                if isinstance(inner, str) and (key in VALUE_KEYS or hashes):
                    found.add(inner)
                walk(inner, key == "hashes")
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    for entry in objects:
        walk(entry)
        for path, literal in LITERAL.findall(entry.get("pattern", "") if entry.get("pattern_type") == "stix" else ""):
            if path.rsplit(".", 1)[-1] in VALUE_KEYS or ".hashes" in path:
                found.add(re.sub(r"\\(.)", r"\1", literal))
    return found


def strings(node):
    """Every string of a JSON value, and every literal of its patterns."""
    if isinstance(node, str):
        yield node
        yield from (re.sub(r"\\(.)", r"\1", literal) for _, literal in LITERAL.findall(node))
    elif isinstance(node, dict):
        for inner in node.values():
            yield from strings(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from strings(inner)


def theirs(path):
    """What misp-stix makes of one event."""
    parser = MISPtoSTIX21Parser()
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        parser.parse_misp_event(json.loads(path.read_text()))
    return [json.loads(entry.serialize()) for entry in parser.stix_objects]


check = Checks()
missing, expected, untaken, exported = {}, 0, [], []
for path in EVENTS:
    # A node for each: the events re-use ids, and a version that stands is never replaced by other content.
    with Node(served=False) as node:
        done = node.run("ingest", "--format", "misp", "--collection", "intake", path, timeout=300)
        if done.returncode != 0:
            untaken.append(f"{path.name}: {done.stderr[-200:]}")
        objects = node.export()
    ours = {text.casefold() for text in strings(objects)}
    wanted = values(theirs(path))
    expected += len(wanted)
    lost = sorted(v for v in wanted if v.casefold() not in ours)
    if lost:
        missing[path.name] = lost
    exported += objects
check(f"{len(EVENTS)} events are taken", not untaken, untaken)
check(f"each of the {expected} values that misp-stix writes is there", not missing and expected > 100,
      json.dumps(missing, ensure_ascii=False)[:1500])
raw = "\n".join(json.dumps(json.loads(path.read_text()), ensure_ascii=False) for path in EVENTS).casefold()
digits = re.sub(r"[^0-9\"]", "", raw)  # phone numbers are written as E.164
invented = sorted(v for v in values(exported) if json.dumps(v, ensure_ascii=False)[1:-1].casefold() not in raw
                  and not (v.startswith("+") and v[1:] in digits))
check("no value is there that stands in no event", not invented, invented[:20])
check.finish()
