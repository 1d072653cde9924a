"""Serves an EXERCISE node on a free port and lets the browser tests (tests/pages/run.mjs) walk over its pages.
    pages.py OUT    writes screenshots and reports to the folder OUT
The browser finds in its environment: EYE_LINK (one-time sign-in path of an analyst), EYE_LINK_READER, EYE_LINK_SUPERVISOR,
EYE_LINK_ADMINISTRATOR, EYE_LINK_AUDITOR, and EYE_BIN with EYE_DATA for what only the command line can make."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/peers"))
from node import Node  # noqa: E402

out = pathlib.Path(sys.argv[1]).resolve()
out.mkdir(parents=True, exist_ok=True)
with Node() as node:
    node.eye("world", "load", timeout=300)
    links = {role: node.base + node.eye("user", "link", "--role", role).strip()
             for role in ("reader", "analyst", "supervisor", "administrator", "auditor")}
    env = dict(os.environ, EYE_LINK=links["analyst"], EYE_BIN=node.bin, EYE_DATA=str(node.data),
               **{f"EYE_LINK_{role.upper()}": link for role, link in links.items()})
    sys.exit(subprocess.run(["node", str(ROOT / "tests/pages/run.mjs"), node.base, str(out)], env=env).returncode)
