"""a full disk, a read-only folder, damaged files, and folders of another make are said, and lose nothing
The data folder stands on a file system of 48 MB that the test mounts; where it may not, the test says so and passes by. What does not
need one (damaged view, damaged state, absent and open keys, a newer layout) runs everywhere."""
import contextlib
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import Checks, Node, note  # noqa: E402

check = Checks()


def refused(node, what, *words):
    """`eye` ends with an error that names what is wrong, and does not panic."""
    done = node.run("stats", timeout=60)
    said = done.stdout + done.stderr
    check(f"{what}: refused, and the error says what", done.returncode != 0 and "panicked" not in said and any(w in said for w in words), said[-400:])


def damaged_files():
    with Node(checked=False) as node:
        objects = [note(f"EXERCISE damaged {n}") for n in range(300)]
        node.post(objects)
        node.stop()
        whole = node.scratch / "whole"
        shutil.copytree(node.data, whole)

        def afresh():
            shutil.rmtree(node.data)
            shutil.copytree(whole, node.data)

        for part, start in {"head": 0, "middle": 0.5, "everything after the first page": -1}.items():
            for path in sorted((node.data / "views").glob("*.db")):
                raw = bytearray(path.read_bytes())
                at = 4096 if start < 0 else int(len(raw) * start) // 4096 * 4096
                end = len(raw) if start < 0 else at + 4096
                raw[at:end] = b"\xa5" * (end - at)
                path.write_bytes(raw)
            node.start()
            stored = {o["id"] for page in node.pages() for o in page} if node.http("GET", "/health", auth=None).status == 200 else set()
            if not stored:  # the reader met the damage: folded anew, the next request is right
                stored = {o["id"] for page in node.pages() for o in page}
            found = node.lines("search", "damaged")
            node.stop()
            verified = node.run("verify", "--views", timeout=300)
            if verified.returncode:  # damage that no reader met: found by the comparison, and mended
                verified = node.run("verify", "--views", timeout=300)
            check(f"views damaged ({part}): folded anew, right answers",
                  {o["id"] for o in objects} <= stored and len(found) >= 100 and verified.returncode == 0, (len(stored), len(found), verified.stdout[-300:] + verified.stderr[-300:]))
            afresh()

        state = node.data / "state.db"
        state.write_bytes(b"\xa5" * 8192 + state.read_bytes()[8192:])
        refused(node, "state.db damaged", "state.db")
        afresh()
        (node.data / "keys/cookie").unlink()
        refused(node, "a key is missing", "cookie")
        afresh()
        (node.data / "keys/signing").chmod(0o644)
        refused(node, "a key that others can read", "chmod 600")
        afresh()
        log = sqlite3.connect(node.data / "log.db")
        with log:
            log.execute("UPDATE meta SET value = 2 WHERE key = 'layout'")
        log.close()
        refused(node, "a log of a newer layout", "layout 2")
        afresh()
        (node.data / "log.db").write_bytes(b"\xa5" * 20_000)
        refused(node, "log.db is no database", "log.db")


def access_rows(node):
    with contextlib.closing(sqlite3.connect(f"file:{node.data}/state.db?mode=ro", uri=True)) as state:
        return state.execute("SELECT count(*) FROM access").fetchone()[0]


def unbroken(node):
    with contextlib.closing(sqlite3.connect(f"file:{node.data}/state.db?mode=ro", uri=True)) as state:
        return state.execute("SELECT count(*) = max(n) FROM access").fetchone()[0] == 1


def wait_for(done, seconds=20):
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def full_disk():
    point = pathlib.Path(tempfile.mkdtemp(prefix="eye-full-"))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", point], capture_output=True).returncode:
        print("  passed by: this user may not mount a small file system")
        point.rmdir()
        return
    try:
        with Node(data=point / "data", served=False) as node:
            node.log_path = point / "server.log"  # what the server logs finds no room either
            node.start()
            node.token()
            acknowledged, refusals, ballast = set(), [], None
            for n in range(200):
                if n == 3:
                    ballast = point / "ballast"
                    free = shutil.disk_usage(point).free
                    ballast.write_bytes(b"\0" * max(0, free - 3_000_000))
                objects = [note("EXERCISE full " + "x" * 3000) for _ in range(40)]
                answer = node.taxii("POST", "/objects/", {"objects": objects}, timeout=60)
                status = answer.json or {}
                if answer.status == 202 and status.get("success_count") == len(objects):
                    acknowledged.update(o["id"] for o in objects)
                else:
                    refusals.append((answer.status, answer.bytes[:200]))
                    if len(refusals) >= 3:
                        break
            check("a full disk is answered with an error, in words", refusals and all(s in (500, 503, 507) and said for s, said in refusals), refusals)
            check("the node still answers", node.http("GET", "/health", auth=None).status == 200)
            page = node.taxii("GET", "/objects/?limit=10", timeout=60)
            # A view that finds no room to fold answers 503 rather than something older than what was acknowledged.
            read = page.status == 200 and page.json.get("objects") or page.status == 503 and page.headers.get("Retry-After")
            check("what is there can be read, or the answer says when", read, (page.status, page.bytes[:200]))
            ballast.unlink()
            later = note("EXERCISE there is room again")
            node.post([later])
            stored = {o["id"] for p in node.pages() for o in p}
            check("with room again it takes and nothing acknowledged is lost", acknowledged | {later["id"]} <= stored, len(acknowledged - stored))
            ready = node.http("GET", "/ready", auth=None)
            check("every thread lives, though the log found no room either", ready.status == 200, ready.bytes)
            noted = node.run("doctor", timeout=60)
            check("commands work again", "panicked" not in noted.stdout + noted.stderr, noted.stderr[-300:])
            before = access_rows(node)
            node.taxii("GET", "/objects/?limit=1", timeout=60)
            check("the access log takes rows again, none is missing", before and wait_for(lambda: access_rows(node) > before) and unbroken(node), before)
            check("no handler panicked", b"panicked" not in node.log_path.read_bytes())
            check("the server stops cleanly", node.stop() == 0)
            verified = node.run("verify", "--views", timeout=300)
            check("the ledger and its views verify", verified.returncode == 0, verified.stdout[-300:] + verified.stderr[-300:])
            subprocess.run(["mount", "-o", "remount,ro", point], check=True)
            refused(node, "a read-only folder", "ead-only", "readonly")
            subprocess.run(["mount", "-o", "remount,rw", point], check=True)
    finally:
        subprocess.run(["umount", point], capture_output=True)
        point.rmdir()


damaged_files()
full_disk()
check.finish()
