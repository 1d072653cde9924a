"""SIGKILL at any moment loses nothing that was acknowledged
Clients post over TAXII, the server is killed at seeded
moments, started again, and every object that was answered 202 is there, the ledger verifies, /ready came within 10 s.
EYE_ROUNDS (default 12) kills; EYE_SEED repeats a run."""
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import API_ROOT, INTAKE, MEDIA, Checks, Node, note, seed  # noqa: E402

ROUNDS, CLIENTS = int(os.environ.get("EYE_ROUNDS", "12")), 3
chance = random.Random(seed())
check = Checks()


def keep_posting(node, sizes, acknowledged, headers):
    """Posts batch after batch until the server is gone; notes the ids of each batch that was answered."""
    connection = node.connect(timeout=20)
    try:
        for size in sizes:
            objects = [note(f"EXERCISE {n}") for n in range(size)]
            connection.request("POST", f"{API_ROOT}/collections/{INTAKE}/objects/", json.dumps({"objects": objects}), headers)
            answer = connection.getresponse()
            status = json.loads(answer.read())
            if answer.status == 202 and status["status"] == "complete" and status["success_count"] == size:
                acknowledged.update(o["id"] for o in objects)
            elif answer.status not in (429, 503):  # asked to wait: not acknowledged, no fault
                raise AssertionError(f"POST answered {answer.status}: {status}")
    except (OSError, http.client.HTTPException, ValueError):
        pass  # killed in the middle of an answer: what was not answered was not promised
    finally:
        connection.close()


def one_round(node, acknowledged):
    """Posts from several clients at once and kills the server after a chosen while."""
    headers = {**node.headers(), "Accept": MEDIA, "Content-Type": MEDIA}
    faults = []

    def client(sizes):
        try:
            keep_posting(node, sizes, acknowledged, headers)
        except AssertionError as error:
            faults.append(str(error))

    threads = [threading.Thread(target=client, args=([chance.choice((1, 1, 7, 50, 130)) for _ in range(4000)],)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.02, 1.2))
    node.kill()
    for thread in threads:
        thread.join(30)
    return faults


acknowledged, faults, slowest, unverified = set(), [], 0.0, []
with Node() as node:
    node.token()
    for number in range(ROUNDS):
        faults += one_round(node, acknowledged)
        if number % 3 == 0:  # first thing after the kill is a command without a server: lock and socket must not be in its way
            done = node.run("verify")
            if done.returncode:
                unverified.append(f"kill {number}: {done.stdout[-300:]}{done.stderr[-300:]}")
        node.start()
        slowest = max(slowest, node.ready_after)
    stored = {o["id"] for page in node.pages() for o in page}
    check(f"every object acknowledged before one of {ROUNDS} kills is there", acknowledged <= stored and len(acknowledged) > ROUNDS,
          f"{len(acknowledged - stored)} of {len(acknowledged)} lost")
    check("no request was answered with anything but 202 or wait", not faults, faults[:3])
    check("the ledger verified after each kill, without a server", not unverified, unverified[:2])
    beside = node.run("verify", timeout=300)
    check("the ledger verifies beside the running server", beside.returncode == 0, beside.stdout[-400:] + beside.stderr[-400:])
    views = node.run("verify", "--views", timeout=600)
    check("the views equal a rebuild", views.returncode == 0, views.stdout[-400:] + views.stderr[-400:])
    check("/ready within 10 s of every start", slowest < 10, f"{slowest:.2f} s")
    print(f"  {len(acknowledged)} objects acknowledged, {len(stored)} stored, slowest start to ready {slowest:.2f} s")
check.finish()
