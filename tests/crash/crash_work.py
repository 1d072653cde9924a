"""SIGKILL in the middle of expunge, backup, restore, rebuild and import, at seeded moments
After each kill: what was answered is there, what was expunged is in no file, the next start is ready within 10 s, and the ledger
verifies. Without a server the command itself is killed; beside one the server is. EYE_ROUNDS (default 3) kills of each work;
EYE_SEED repeats a run."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import Checks, Node, note, seed  # noqa: E402

ROUNDS = int(os.environ.get("EYE_ROUNDS", "3"))
chance = random.Random(seed())
check = Checks()


def begin(node, *words, data=True):
    """An `eye` command that is not waited for."""
    words = [str(w) for w in words]
    if data:
        words[1:1] = ["--data", str(node.data)]
    return subprocess.Popen([node.bin, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, NO_COLOR="1"))


def interrupted(node, beside, *words, data=True, most=0.8):
    """Begins a command and kills it, or the server beside it, at a seeded moment. True: it had answered before."""
    if beside:
        node.start()
    done = begin(node, *words, data=data)
    time.sleep(chance.uniform(0.0, most))
    answered = done.poll() == 0
    if beside:
        node.kill()
    else:
        done.send_signal(signal.SIGKILL)
    return done.wait(60) == 0 or answered


def holders(folder, word):
    return [p.name for p in folder.rglob("*") if p.is_file() and word.encode() in p.read_bytes().lower()]


def whole(node, what, known):
    """The next start is ready, everything known is there, the ledger and the views are whole."""
    node.start()
    stored = {o["id"] for page in node.pages() for o in page}
    node.stop()
    verified = node.run("verify", "--views", timeout=300)
    check(f"{what}: whole, ready in {node.ready_after:.1f} s, nothing lost",
          verified.returncode == 0 and known <= stored, (len(known - stored), verified.stdout[-300:] + verified.stderr[-300:]))
    return stored


with Node() as node:
    objects = [note(f"EXERCISE work {n}") for n in range(1500)]
    for at in range(0, len(objects), 500):
        node.post(objects[at:at + 500])
    known = {o["id"] for o in objects}
    secrets = [note(f"EXERCISE flumberwort{n}") for n in range(2 * ROUNDS)]
    node.post(secrets)
    node.stop()

    for number in range(2 * ROUNDS):  # expunge, by turns beside a server and alone
        beside, secret = number % 2 == 0, secrets[number]
        interrupted(node, beside, "expunge", secret["id"], "--reason", "EXERCISE")
        whole(node, f"expunge killed {number}", known)
        again = node.run("expunge", secret["id"], "--reason", "EXERCISE")  # begun and finished at the start, or never begun
        left = holders(node.data, f"flumberwort{number}\"")
        check(f"expunge killed {number}: repeated, in no file", not left, (again.stdout + again.stderr, left))

    for number in range(ROUNDS):
        answered = interrupted(node, number % 2 == 0, "rebuild", most=1.5)
        whole(node, f"rebuild killed {number} (answered: {answered})", known)

    target = node.scratch / "backup"
    for number in range(ROUNDS):
        interrupted(node, number % 2 == 0, "backup", "--to", target)
        whole(node, f"backup killed {number}", known)
    finished = node.run("backup", "--to", target, timeout=120)
    check("the backup after the kills is finished by the next", finished.returncode == 0, finished.stdout + finished.stderr)

    for number in range(ROUNDS):
        to = node.scratch / f"restored{number}"
        answered = interrupted(node, False, "restore", "--from", target, "--data", to, data=False, most=1.2)
        there = (to / "log.db").exists()
        check(f"restore killed {number}: a whole node or none (answered: {answered})", there or not answered)
        if not there:
            again = node.run("restore", "--from", target, "--data", to, data=False)
            check(f"restore killed {number}: repeated, it succeeds", again.returncode == 0, again.stdout + again.stderr)
        with Node(init=False, data=to, served=False) as other:
            stored = whole(other, f"restore killed {number}", known)
            check(f"restore killed {number}: nothing expunged came back", not {s["id"] for s in secrets} & stored)
        shutil.rmtree(to)

    file = node.scratch / "bundle.json"
    for number in range(2 * ROUNDS):
        news = [note(f"EXERCISE import {number} {n}") for n in range(1200)]
        file.write_text(json.dumps({"type": "bundle", "id": "bundle--1c2b7a52-6f63-4a1e-9d5e-3c7a1f0b9e22", "objects": news}))
        if interrupted(node, number % 2 == 0, "ingest", file, most=2.0):
            known |= {o["id"] for o in news}
        whole(node, f"import killed {number}", known)
        again = node.run("ingest", file, timeout=120)
        known |= {o["id"] for o in news}
        check(f"import killed {number}: repeated, everything is there once", again.returncode == 0, again.stderr[-300:])
    stored = [o["id"] for o in node.export()]
    check("at the end everything is there, once", known <= set(stored) and len(stored) == len(set(stored)), len(known - set(stored)))
check.finish()
