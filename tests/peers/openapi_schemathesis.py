"""Schemathesis attacks every operation of the API
It reads /api/openapi.json and tries every operation in it: no answer may be a 5xx, and each must be of a
status and shape that the document names. EYE_SEED repeats a run."""
import os
import pathlib
import subprocess
import sys

from node import Checks, Node, note, seed

check = Checks()
start = str(seed())
with Node() as node:
    node.post([note("EXERCISE")])
    document = node.http("GET", "/api/openapi.json")
    check("the OpenAPI document is served", document.status == 200 and document.json, document.status)
    done = subprocess.run([str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", f"{node.base}/api/openapi.json",
                           "--header", f"Authorization: Bearer {node.token()}", "--max-examples", os.environ.get("EYE_EXAMPLES", "20"),
                           "--seed", start, "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                           "--no-color"], cwd=node.scratch, capture_output=True, text=True, timeout=900)
    check("schemathesis finds nothing", done.returncode == 0, (done.stdout + done.stderr)[-3000:])
    check("the node serves on", node.http("GET", "/ready", auth=None).status == 200)
    check("the ledger verifies afterwards", node.run("verify").returncode == 0)
check.finish()
