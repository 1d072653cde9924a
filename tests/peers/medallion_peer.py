"""OASIS's own server (medallion) under the same corner cases, for comparison
medallion 3.0.0 under the same corner cases: the number to stand beside ours.
It fails only when medallion no longer runs, or no longer passes most of them: then our own 69 would prove little."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import uuid

from node import MEDIA, SHARED, Checks, skip

SUITE = SHARED / "bench/taxii/taxii_conformance.py"
if not SUITE.exists():
    skip(f"the conformance checks are not on this machine ({SUITE.name} is looked for in ../shared/bench/taxii)")

collection = str(uuid.uuid4())
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
root = f"http://127.0.0.1:{port}/api/"
store = {
    "/discovery": {"title": "peer", "default": root, "api_roots": [root]},
    "api": {
        "information": {"title": "peer", "versions": [MEDIA], "max_content_length": 104857600},
        "status": [],
        "collections": [{"id": collection, "title": "peer", "can_read": True, "can_write": True,
                         "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}],
    },
}
check = Checks()
with tempfile.TemporaryDirectory(prefix="eye-test-") as scratch:
    scratch = pathlib.Path(scratch)
    (scratch / "data.json").write_text(json.dumps(store))
    (scratch / "config.json").write_text(json.dumps({
        "backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                    "filename": str(scratch / "data.json")},
        "users": {"admin": "Password0"}, "taxii": {"max_page_size": 1000}}))
    medallion = pathlib.Path(sys.executable).with_name("medallion")
    if not medallion.exists():
        sys.exit("medallion is not installed: pip install -r tests/peers/requirements.txt")
    log = open(scratch / "log", "w+")
    server = subprocess.Popen([str(medallion), "--host", "127.0.0.1", "--port", str(port), str(scratch / "config.json")],
                              stdout=log, stderr=log)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        done = subprocess.run([sys.executable, str(SUITE), "--api-root", root.rstrip("/"), "--collection", collection,
                               "--user", "admin", "--password", "Password0", "--bulk", "100",
                               "--json", str(scratch / "result.json")], capture_output=True, text=True, timeout=600)
        result = json.loads((scratch / "result.json").read_text()) if (scratch / "result.json").exists() else {}
        print(f"  medallion 3.0.0: {result.get('passed')} of {result.get('total')} (this node must pass all)")
        for name, verdict, seen in result.get("results", []):
            if verdict != "PASS":
                print(f"  medallion fails: {name} (saw {seen[:80]})")
        check("medallion answers the same checks and passes most of them",
              result.get("passed", 0) >= 60 and result.get("total") == 69, done.stderr[-400:] or done.stdout[-400:])
    finally:
        server.kill()
        server.wait()
        log.close()
check.finish()
