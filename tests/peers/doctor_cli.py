"""what `eye doctor` sees, on a stopped node and beside a server, and that it never writes
Each check is broken on purpose: rights, bounds, lists, views, erasures, the clock, the log."""
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import time

from node import Checks, Node, note

check = Checks()
CHECKS = {"server", "disk", "folder", "keys", "owner", "settings", "log", "view", "erasures", "clock", "backup", "lists"}


def said(done):
    return f"exit {done.returncode}: {done.stdout[-1500:]} {done.stderr[-300:]}"


def doctor(node):
    """Exit code, and each check's worst state with its finding."""
    done = node.run("doctor", "--json")
    told = json.loads(done.stdout)
    worst = {}
    for f in told["checks"]:
        order = ("ok", "look", "broken")
        if f["check"] not in worst or order.index(f["state"]) > order.index(worst[f["check"]]["state"]):
            worst[f["check"]] = f
    return done.returncode, worst, told


def state(node, name):
    code, worst, _ = doctor(node)
    return code, worst[name]["state"], worst[name]["says"] + " -> " + worst[name]["do"]


def everything_of(folder):
    """Every file with its mode, time and content."""
    out = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(root, name)
            about = os.lstat(path)
            content = hashlib.sha256(open(path, "rb").read()).hexdigest() if name in files and not name.endswith(".sock") else ""
            out[path] = (about.st_mode, about.st_mtime_ns, about.st_size, content)
    return out


def damage(path):
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    path.write_bytes(data)


with Node(served=False, checked=False) as node:
    path = node.scratch / "one.jsonl"
    path.write_text(json.dumps(note("EXERCISE one")) + "\n" + json.dumps(note("EXERCISE two")) + "\n")
    node.eye("ingest", path)
    before = everything_of(node.data)
    code, worst, told = doctor(node)
    check("a whole node: every check is there and none is broken, exit 0", code == 0 and CHECKS <= worst.keys() and told["ok"] and not told["problems"], told)
    check("a node without reference lists or backup is to be looked at", worst["lists"]["state"] == worst["backup"]["state"] == "look", worst)
    check("whatever is not ok says what to do", all(f["do"] for f in told["checks"] if f["state"] != "ok"), told["checks"])
    check("every bound is in the document", told["limits"]["import.records"] == 50_000_000, told["limits"])
    human = node.run("doctor")
    check("for people a line a check and a last one", len(human.stdout.splitlines()) == len(told["checks"]) + 1 and human.stdout.splitlines()[-1].startswith("nothing is broken; "), said(human))
    check("it wrote nothing: every file is as it was, to the nanosecond", everything_of(node.data) == before)

    os.chmod(node.data / "keys", 0o755)
    code, keys, says = state(node, "keys")
    check("keys that others may read are broken, exit 1, with what to do", (code, keys) == (1, "broken") and "chmod" in says, says)
    os.chmod(node.data / "keys", 0o700)
    key = next(p for p in (node.data / "keys").iterdir())
    os.chmod(key, 0o640)
    check("one key alone too", state(node, "keys")[1] == "broken")
    os.chmod(key, 0o600)
    os.chmod(node.data, 0o755)
    check("so is a folder that others may look into", state(node, "folder")[1] == "broken")
    os.chmod(node.data, 0o700)
    if os.geteuid() == 0:
        os.chown(node.data / "state.db", 12345, -1)
        code, owner, says = state(node, "owner")
        check("a file of another user is named", owner == "broken" and "state.db" in says, says)
        os.chown(node.data / "state.db", 0, -1)

    settings = node.data / "eye.toml"
    settings.write_text("[import]\nrecord = 5\n")
    check("bounds that cannot be read are broken, and told without opening the node", state(node, "settings")[:2] == (1, "broken"))
    settings.write_text("[import]\nrecords = 5\n")
    check("a bound that was moved is shown", "import.records = 5" in node.eye("doctor"))
    settings.unlink()
    country = (node.data / "country").read_text()
    (node.data / "country").write_text("Siam")
    check("a country that is none is to be looked at", state(node, "country")[1] == "look")
    (node.data / "country").write_text(country)

    words = node.scratch / "words.txt"
    words.write_text("listed.example\n")
    node.eye("reference", "add", "--kind", "warninglist", words)
    check("a fresh list is fine", state(node, "lists")[1] == "ok", state(node, "lists"))
    listed = node.data / "reference/warninglists/words/list.json"
    os.utime(listed, (time.time() - 40 * 86_400,) * 2)
    check("an old one is to be looked at", state(node, "lists")[1] == "look" and "words" in state(node, "lists")[2], state(node, "lists"))
    whole = listed.read_text()
    listed.write_text("{")
    check("a damaged one is broken", state(node, "lists")[1] == "broken")
    listed.write_text(whole.replace('"entries":1', '"entries":0'))
    check("an empty one is to be looked at", "empty" in state(node, "lists")[2], state(node, "lists"))
    listed.write_text(whole)

    view = max((node.data / "views").glob("intel.*.db"))
    kept = view.read_bytes()
    damage(view)
    code, found, says = state(node, "view")
    check("a damaged view is broken and named, with what to do", (code, found) == (1, "broken") and "intel" in says and "eye rebuild" in says, says)
    view.write_bytes(kept[:2000])
    check("so is one that was cut off", state(node, "view")[1] == "broken")
    view.unlink()
    check("one that is gone is folded anew at the next start", state(node, "view")[1] == "look")
    node.eye("stats")
    check("as it is", state(node, "view")[1] == "ok", state(node, "view"))

    with contextlib.closing(sqlite3.connect(node.data / "state.db")) as held:
        held.execute("INSERT INTO expunges(targets, object, reason, author) VALUES ('[1]', 'note--EXERCISE', 'EXERCISE', 0)")
        held.commit()
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    code, found, says = state(node, "erasures")
    check("an erasure that was broken off is broken", (code, found) == (1, "broken"), says)
    with contextlib.closing(sqlite3.connect(node.data / "state.db")) as held:
        held.execute("DELETE FROM expunges")
        held.commit()
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    log = (node.data / "log.db").read_bytes()
    with contextlib.closing(sqlite3.connect(node.data / "log.db")) as held:
        held.execute("UPDATE entries SET arrived = arrived + 7200000000 WHERE pos = (SELECT max(pos) FROM entries)")
        held.commit()
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    code, found, says = state(node, "clock")
    check("a clock two hours behind the last entry is broken, with what to do", (code, found) == (1, "broken") and "--accept-clock" in says, says)
    done = node.run("doctor", "--accept-clock")
    check("accepted it goes on, and is still told", done.returncode == 0 and "behind the last entry" in done.stdout and node.run("ingest", path).returncode == 0, said(done))
    for part in ("log.db", "log.db-wal", "log.db-shm"):
        (node.data / part).unlink(missing_ok=True)
    (node.data / "log.db").write_bytes(log)
    (node.data / "log.db").write_bytes(b"\0" * 8192 + log[8192:])
    code, found, says = state(node, "log")
    check("a log that cannot be read is broken, and the rest is still told", (code, found) == (1, "broken") and "backup" in says, says)

with Node() as node:
    node.post([note("EXERCISE served")])
    code, worst, told = doctor(node)
    check("beside a server: nothing broken, exit 0", code == 0 and told["ok"], told)
    check("the server answers for itself", worst["server"]["says"].startswith("a server runs") and {"open files", "access log", "quarantine"} <= worst.keys(), worst)
    (node.data / "eye.toml").write_text("[import]\nrecords = 5\n")
    check("bounds that were changed since it started are to be looked at", state(node, "settings")[1] == "look")
    (node.data / "eye.toml").unlink()
    os.chmod(node.data / "keys", 0o755)
    check("keys that others may read are broken here too", state(node, "keys")[:2] == (1, "broken"))
    os.chmod(node.data / "keys", 0o700)
    copy = node.scratch / "backup"
    node.eye("backup", "--to", copy)
    check("a backup that was made is fine", state(node, "backup")[1] == "ok", state(node, "backup"))
    node.kill()
    code, worst, told = doctor(node)
    check("after a kill it looks at the files and breaks nothing", code == 0 and worst["server"]["says"] == "no server runs", told)
    shutil.rmtree(copy)
    node.start()
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
