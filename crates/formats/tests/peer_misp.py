#!/usr/bin/env python3
"""Compares the values we read out of MISP events with those of PyPI misp-stix.

    python peer_misp.py CONVERT_BINARY EVENT.json...

CONVERT_BINARY is the example `convert`. For each event the multiset of values of indicators (literals of STIX
patterns, whole rules of other languages) and of observables (every scalar but ids, references and types) is
compared. Ours may have more in one way: wallets, phones, accounts, cards and passports, which misp-stix leaves
in `x-misp-*` objects. Prints one line an event that differs; exit status 1 when one does.
"""
import collections
import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys

OURS = {"cryptocurrency-wallet", "phone-number", "bank-account", "payment-card", "identity-document"}
OBSERVABLES = {
    "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr",
    "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account",
    "windows-registry-key", "x509-certificate",
}
LITERAL = re.compile(r"= '((?:\\.|[^'\\])*)'", re.S)


def leaves(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.endswith(("_ref", "_refs")) or name in ("id", "type", "spec_version", "extension_type",
                                                            "object_marking_refs", "is_multipart"):
                continue
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        # Times and numbers are spelled in more than one way.
        text = str(value)
        yield re.sub(r"(\d\d:\d\d:\d\d)\.0+Z", r"\1Z", text)


def values(objects):
    found, extra = collections.Counter(), collections.Counter()
    seen = set()
    for thing in objects:
        kind = thing["type"]
        if kind == "indicator":
            if thing.get("pattern_type") == "stix":
                # misp-stix escapes % as LIKE would need it; under = that backslash belongs to nothing.
                literals = (re.sub(r"\\(.)", r"\1", text, flags=re.S).replace("\\%", "%") for text in LITERAL.findall(thing["pattern"]))
                found.update("pattern " + literal for literal in literals)
            else:
                found["pattern " + thing["pattern"]] += 1
        elif kind in OBSERVABLES:
            # Deterministic ids make one object of an observable that several attributes share.
            key = (kind, tuple(sorted(leaves(thing))))
            if key in seen and kind not in ("email-message", "network-traffic", "process"):
                continue
            seen.add(key)
            found.update("observable " + leaf for leaf in leaves(thing))
        elif kind == "x-misp-attribute":
            extra[thing["x_misp_value"]] += 1
        elif kind == "x-misp-object":
            extra.update(str(inner["value"]) for inner in thing.get("x_misp_attributes", []))
        elif kind in OURS:
            extra.update(str(thing[name]) for name in ("value", "iban", "account_number") if name in thing)
    return found, extra


def peer(path):
    from misp_stix_converter import MISPtoSTIX21Parser
    parser = MISPtoSTIX21Parser()
    with open(path) as file:
        event = json.load(file)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        parser.parse_misp_event(event.get("response", event))
    return [json.loads(thing.serialize()) if hasattr(thing, "serialize") else thing for thing in parser.bundle.objects]


def main(binary, paths):
    logging.disable(logging.CRITICAL)
    agree = compared = 0
    for path in paths:
        answer = subprocess.run([binary, "--format", "misp", path], capture_output=True, text=True, check=True)
        ours, ours_extra = values([json.loads(line) for line in answer.stdout.splitlines()])
        theirs, theirs_extra = values(peer(path))
        compared += 1
        missing, more = theirs - ours, ours - theirs
        lost = set(theirs_extra) - set(ours_extra)
        if missing or more or lost:
            print(f"{os.path.basename(path)}: missing {dict(missing)} more {dict(more)} lost {lost}"[:1500])
        else:
            agree += 1
    print(f"{agree} of {compared} events agree")
    return 0 if agree == compared else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
