"""OASIS's validator reads what `eye export` writes
stix2-validator finds no error in what `eye export` writes: objects that came in over TAXII, the
EXERCISE world, and a free-text note that the node itself turned into STIX. An export gives each object byte for byte as it came."""
import json

from stix2validator import ValidationOptions, validate_instance

from node import Checks, Node, note

check = Checks()
with Node(served=False) as node:
    sent = [
        note("EXERCISE ünïcødé 中文 ไทย"),
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--2f4b1a52-6f63-4a1e-9d5e-3c7a1f0b9e11",
         "created": "2026-01-02T03:04:05.000Z", "modified": "2026-01-02T03:04:05.000Z", "name": "EXERCISE indicator",
         "pattern": "[domain-name:value = 'job-offer.example']", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05Z",
         "indicator_types": ["malicious-activity"]},
        {"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--6b9d7f3e-91a5-5cde-8c55-0f1ce9df6a01", "value": "198.51.100.7"},
    ]
    bundle = node.scratch / "bundle.json"
    bundle.write_text(json.dumps({"type": "bundle", "id": "bundle--1c2b7a52-6f63-4a1e-9d5e-3c7a1f0b9e22", "objects": sent}))
    node.eye("ingest", "--collection", "intake", bundle)
    text = node.scratch / "note.txt"
    text.write_text("EXERCISE. Caller says the recruiter used https://job-offer.example and wrote from hr@job-offer.example, +1 202 555 0142.\n")
    node.eye("ingest", "--collection", "intake", text)
    node.eye("world", "load", timeout=300)

    out = node.eye("export", "--format", "stix", timeout=300)
    exported = json.loads(out)
    objects = exported.get("objects", [])
    check("the export is one bundle", exported.get("type") == "bundle" and len(objects) > len(sent), out[:200])
    by_id = {o["id"]: o for o in objects}
    check("what came in over a file goes out unchanged", all(by_id.get(o["id"]) == o for o in sent))

    errors = []
    for position in range(0, len(objects), 500):
        part = {"type": "bundle", "id": exported["id"], "objects": objects[position:position + 500]}
        errors += map(str, validate_instance(part, ValidationOptions(version="2.1")).errors)
    check(f"stix2-validator finds no error in {len(objects)} objects", not errors, errors[:8])
check.finish()
