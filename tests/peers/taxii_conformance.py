"""TAXII 2.1 corner cases, 69 of 69
The checks themselves stand beside the checkout, in ../shared/bench/taxii/taxii_conformance.py; absent there, this is skipped."""
import subprocess
import sys

from node import API_ROOT, INTAKE, SHARED, Checks, Node, skip

SUITE = SHARED / "bench/taxii/taxii_conformance.py"
if not SUITE.exists():
    skip(f"the conformance checks are not on this machine ({SUITE.name} is looked for in ../shared/bench/taxii)")

check = Checks()
with Node() as node:
    node.eye("user", "add", "--name", "basic-client", "--role", "analyst", "--password-stdin", stdin="correct horse 4 Battery\n")
    ways = {"bearer": ["--bearer", node.token()], "basic": ["--user", "basic-client", "--password", "correct horse 4 Battery"]}
    for way, credentials in ways.items():
        done = subprocess.run([sys.executable, str(SUITE), "--api-root", node.base + API_ROOT, "--collection", INTAKE,
                               "--bulk", "100", *credentials], capture_output=True, text=True, timeout=600)
        verdict = done.stdout.strip().splitlines()[-1:] or ["nothing was printed"]
        broken = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        print(f"  {way}: {verdict[0]}")
        check(f"{way}: every TAXII 2.1 corner case passes", done.returncode == 0 and verdict[0] == "69/69 passed",
              "\n".join(broken) or done.stderr[-600:])
    check("the ledger verifies afterwards", node.run("verify").returncode == 0)
check.finish()
