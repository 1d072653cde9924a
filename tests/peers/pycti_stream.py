"""OpenCTI's own client listens to the live stream
pycti's ListenStream is told what happens: create, update and delete arrive, a stopped
listener resumes from the position it kept, nothing is missed and nothing comes twice.
`pycti_stream.py --listen URL STATE` (token on stdin) is the listener itself; the client is made to run for ever, so it is a process of its own."""
import json
import logging
import pathlib
import subprocess
import sys
import threading
import time

from node import Checks, Node, note

EXTENSION = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"


def listen(url, state_path):
    """Prints one JSON line an event; keeps pycti's own state in a file, as a connector would."""
    from pycti.connector.opencti_connector_helper import ListenStream

    class Connector:
        """The part of a connector that ListenStream uses."""
        log_level = "error"
        connector_logger = logging.getLogger("listener")

        def get_state(self):
            path = pathlib.Path(state_path)
            return json.loads(path.read_text()) if path.exists() else None

        def set_state(self, state):
            new = pathlib.Path(state_path + ".new")
            new.write_text(json.dumps(state))
            new.replace(state_path)  # the listener may be killed at any moment

        def date_now_z(self):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def told(message):
        print(json.dumps({"id": message.id, "event": message.event, "data": json.loads(message.data)}), flush=True)

    token = sys.stdin.readline().strip()
    ListenStream(Connector(), told, url, token, False, "0-0", None, True, True, False, False).run()


class Client:
    """The listener's process, and the events it has told so far."""

    def __init__(self, node, state):
        self.process = subprocess.Popen([sys.executable, __file__, "--listen", node.base + "/stream/live", str(state)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(node.token() + "\n")
        self.process.stdin.flush()
        self.events, self.news = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.events.append(json.loads(line))
                self.news.notify_all()

    def wait(self, found, seconds=40):
        with self.news:
            self.news.wait_for(lambda: any(map(found, self.events)), timeout=seconds)
            return next(filter(found, self.events), None)

    def stop(self):
        self.process.kill()
        self.process.wait()


def place(position):
    return tuple(map(int, position.split("-")))


def is_about(object_id, event):
    return lambda e: e["event"] == event and e["data"]["data"]["id"] == object_id


def main():
    check = Checks()
    with Node() as node:
        state = node.scratch / "listener-state.json"
        before = [note(f"EXERCISE before {n}") for n in range(30)]
        node.post(before)
        client = Client(node, state)
        check("a listener that starts at 0 is told what stood before it came", client.wait(is_about(before[-1]["id"], "create")))

        fresh = note("EXERCISE fresh")
        node.post([fresh])
        created = client.wait(is_about(fresh["id"], "create"))
        check("what is posted arrives as create", created)
        if created:
            data = created["data"]
            check("the event is of OpenCTI's version 4 with scope, message, origin",
                  data.get("version") == "4" and data.get("scope") == "external" and "message" in data and "origin" in data, sorted(data))
            extension = data["data"].get("extensions", {}).get(EXTENSION, {})
            check("the object carries OpenCTI's extension with id, type, created_at, updated_at",
                  all(extension.get(k) for k in ("id", "type", "created_at", "updated_at")), extension)
            stripped = {k: v for k, v in data["data"].items() if k != "extensions"}
            check("the object is the one that was posted", stripped == fresh, stripped)
            milliseconds, _, rest = created["id"].partition("-")
            check("a position is <milliseconds>-<sequence>", milliseconds.isdigit() and rest.isdigit(), created["id"])

        newer = dict(fresh, modified="2026-03-04T05:06:07.000Z", content="EXERCISE newer")
        node.post([newer])
        updated = client.wait(is_about(fresh["id"], "update"))
        check("a newer version arrives as update", updated)
        if updated:
            context = updated["data"].get("context") or {}
            check("an update carries patch and reverse_patch", context.get("patch") and context.get("reverse_patch") is not None, context)

        gone = node.taxii("DELETE", f"/objects/{fresh['id']}/")
        check("DELETE over TAXII is accepted", gone.status in (200, 204), gone.status)
        check("what is withdrawn arrives as delete", client.wait(is_about(fresh["id"], "delete")))

        # A client keeps a position after it has told the event: killed in between, it rightly hears that one again.
        heard_last, until = client.events[-1]["id"], time.monotonic() + 30
        while place(json.loads(state.read_text())["start_from"]) < place(heard_last) and time.monotonic() < until:
            time.sleep(0.01)
        client.stop()
        kept = json.loads(state.read_text())["start_from"]
        check("the client kept a position to resume from", kept not in ("", "0", "0-0"), kept)
        missed = [note(f"EXERCISE while away {n}") for n in range(250)]
        for at in range(0, 250, 50):
            node.post(missed[at:at + 50])
        again = Client(node, state)
        again.wait(is_about(missed[-1]["id"], "create"))
        again.stop()
        told = [e["data"]["data"]["id"] for e in again.events if e["event"] == "create"]
        check("a resumed listener misses nothing, hears nothing twice, in order", told == [o["id"] for o in missed],
              f"{len(told)} events for 250, {len(set(told))} distinct")
        def order(events):
            return [place(e["id"]) for e in events]

        heard = client.events + again.events
        told = order(e for e in heard if e["event"] in ("create", "update", "delete"))
        # A heartbeat in a silence says the position again.
        check("positions only grow", told and all(a < b for a, b in zip(told, told[1:]))
              and all(a <= b for a, b in zip(order(heard), order(heard)[1:])),
              [(a["event"], a["id"], b["event"], b["id"]) for a, b in zip(heard, heard[1:]) if order([a]) >= order([b])])
        refused = node.http("GET", "/stream/live", auth=None)
        check("without a token the stream is 401", refused.status == 401, refused.status)
    check.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--listen"]:
        listen(*sys.argv[2:4])
    else:
        main()
