"""One node under test: made by `eye init`, served on a free port, driven over HTTP and by its own command line.

    with Node() as node:
        node.taxii("POST", "/objects/", {"objects": [note()]})
        node.eye("verify")

The binary is $EYE_BIN, else target/debug/eye, else target/release/eye. Standard library only.
Nothing outside the node's own scratch folder is written, but for logs in artefacts/ when a check fails.
"""
import base64
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARTEFACTS = pathlib.Path(os.environ.get("EYE_ARTEFACTS", ROOT / "artefacts"))
SHARED = pathlib.Path(os.environ.get("EYE_SHARED", ROOT.parent / "shared"))
MEDIA = "application/taxii+json;version=2.1"
INTAKE = "4d1c3a5e-5c0f-4f0e-9b52-6d2f6f0a7e10"
API_ROOT = "/taxii2/api"
READY_S = 10.0  # the promise: /ready within 10 s of start, whatever was killed before
TWO_WORDS = {"token", "user", "world", "reference", "import", "money", "lures", "grant"}  # commands whose second word is a command too
SKIPPED = 77  # exit code of a script whose input is not on this machine


# Of every backup that a test makes and says nothing else about.
PASSPHRASE = "EXERCISE several words"


def binary():
    """Path of the `eye` under test; exits with one line when there is none."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    tried = [os.environ.get("EYE_BIN"), target / "debug/eye", target / "release/eye"]
    for path in filter(None, tried):
        if os.access(path, os.X_OK):
            return str(pathlib.Path(path).resolve())
    sys.exit("no `eye` binary: run `cargo build -p eye`, or set EYE_BIN")


def seed():
    """The seed of this run: $EYE_SEED, else 7; printed so that a failure can be repeated."""
    value = int(os.environ.get("EYE_SEED", "7"))
    print(f"seed {value} (EYE_SEED={value} repeats this run)", flush=True)
    return value


def skip(why):
    """Ends the script as skipped, saying why."""
    print(f"skipped: {why}", flush=True)
    sys.exit(SKIPPED)


def stamp(dt=None):
    """RFC 3339 with milliseconds, as STIX timestamps want."""
    dt = dt or datetime.datetime.now(datetime.timezone.utc)
    return dt.strftime("%Y-%m-%dT%H:%M:%S.") + f"{dt.microsecond // 1000:03d}Z"


def note(content="EXERCISE note", object_id=None, modified="2026-01-02T03:04:05.000Z", **more):
    """A STIX 2.1 note about itself: the smallest object with versions."""
    object_id = object_id or f"note--{uuid.uuid4()}"
    return {"type": "note", "spec_version": "2.1", "id": object_id, "created": "2026-01-02T03:04:05.000Z",
            "modified": modified, "content": content, "object_refs": [object_id], **more}


class Checks:
    """Counts what held and what did not; `finish` exits 1 when anything failed."""

    def __init__(self):
        self.held, self.failed = 0, []

    def __call__(self, rule, ok, seen=""):
        if ok:
            self.held += 1
            print(f"  ok    {rule}", flush=True)
        else:
            self.failed.append(rule)
            print(f"  FAIL  {rule}" + (f"\n        saw: {str(seen)[:600]}" if seen != "" else ""), flush=True)
        return bool(ok)

    def finish(self):
        print(f"{self.held} checks held, {len(self.failed)} broken", flush=True)
        sys.exit(1 if self.failed or not self.held else 0)


class Response:
    """Status, headers, bytes and (where it is JSON) the parsed body of one answer."""

    def __init__(self, raw):
        self.status, self.headers, self.bytes = raw.status, raw.headers, raw.read()
        try:
            self.json = json.loads(self.bytes)
        except ValueError:
            self.json = None


class Node:
    """A node in a scratch folder. `served=False` makes it without starting it."""

    def __init__(self, served=True, data=None, init=True, name="Exercise Agency", country="XA", checked=True):
        self.checked = checked  # False: the test itself damages the folder
        self.bin = binary()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="eye-test-"))
        self.data = pathlib.Path(data) if data else self.scratch / "data"
        self.log_path = self.scratch / "server.log"
        self.process, self.base, self.host, self.port, self.ready_after = None, None, None, None, None
        self._tokens = {}
        self._served, self._init, self._name, self._country = served, init, name, country

    def __enter__(self):
        try:
            if self._init:
                self.eye("init", "--name", self._name, "--country", self._country, "--exercise")
            if self._served:
                self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        self.kill()
        if kind is None and self.checked and (self.data / "log.db").exists():
            done = self.run("verify", timeout=300)  # after every test that writes, the ledger checker runs
            if done.returncode:
                kind = AssertionError
                print(f"the ledger checker after the test: {done.stdout[-600:]}{done.stderr[-600:]}", flush=True)
        broken = kind is not None and not (kind is SystemExit and value.code in (0, SKIPPED))
        if broken and self.log_path.exists():
            ARTEFACTS.mkdir(parents=True, exist_ok=True)
            kept = ARTEFACTS / f"{pathlib.Path(sys.argv[0]).stem}-server.log"
            shutil.copy(self.log_path, kept)
            print(f"the server's log is kept in {kept}", flush=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        if kind is AssertionError and value is None:
            raise AssertionError("the ledger checker found damage after the test")

    # -- the command line ------------------------------------------------------------------------------------------
    def run(self, *args, stdin=None, timeout=120, data=True):
        """One `eye` command, whatever its exit code. `--data` is put after the command's words when `data`."""
        words = [str(a) for a in args]
        if data:
            verb = 2 if words[0] in TWO_WORDS else 1
            words[verb:verb] = ["--data", str(self.data)]
        return subprocess.run([self.bin, *words], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env=dict({"EYE_BACKUP_PASSPHRASE": PASSPHRASE}, **os.environ, NO_COLOR="1"))

    def eye(self, *args, **how):
        """One `eye` command that must succeed; its stdout."""
        done = self.run(*args, **how)
        if done.returncode != 0:
            raise AssertionError(f"eye {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout[-800:]}{done.stderr[-800:]}")
        return done.stdout

    def json(self, *args, **how):
        """One JSON document from a reading command."""
        return json.loads(self.eye(*args, "--json", **how))

    def lines(self, *args, **how):
        """JSON Lines from a reading command. `--json` stands before the words that are asked for."""
        return [json.loads(line) for line in self.eye(args[0], "--json", *args[1:], **how).splitlines() if line.strip()]

    def export(self, *args):
        """All objects that `eye export` writes, as a list."""
        return json.loads(self.eye("export", *args, "--format", "stix", timeout=300)).get("objects", [])

    def token(self, role="analyst"):
        """A bearer token of that role (made once a role)."""
        if role not in self._tokens:
            out = self.eye("token", "create", "--role", role, "--name", f"{role}-test").strip()
            if not out or len(out.split()) != 1:
                raise AssertionError("`eye token create` must print the bearer token alone")
            self._tokens[role] = out
        return self._tokens[role]

    # -- the server ------------------------------------------------------------------------------------------------
    def start(self, ready=True):
        """Serves on a free port of loopback; returns when `/ready` says yes (or raises after 10 s)."""
        began = time.monotonic()
        log = open(self.log_path, "ab")
        mark = self.log_path.stat().st_size
        self.process = subprocess.Popen([self.bin, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"],
                                        stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        log.close()
        while True:
            text = self.log_path.read_bytes()[mark:].decode("utf-8", "replace")
            at = text.find("listening on http")
            if at >= 0 and "\n" in text[at:]:
                self.base = text[at:].split("\n", 1)[0].split("listening on ", 1)[1].split()[0].rstrip("/")
                break
            if self.process.poll() is not None:
                raise AssertionError(f"`eye serve` ended with {self.process.returncode}:\n{text[-1500:]}")
            if time.monotonic() - began > READY_S:
                raise AssertionError(f"`eye serve` did not say `listening on` within {READY_S} s:\n{text[-1500:]}")
            time.sleep(0.01)
        where = urllib.parse.urlsplit(self.base)
        self.host, self.port = where.hostname, where.port
        while ready:
            try:
                if self.http("GET", "/ready", auth=None).status == 200:
                    break
            except OSError:
                pass
            if time.monotonic() - began > READY_S:
                raise AssertionError(f"/ready did not answer 200 within {READY_S} s of start")
            time.sleep(0.01)
        self.ready_after = time.monotonic() - began
        return self

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.process = None

    def stop(self, timeout=20):
        """SIGTERM, and the exit code it ends with."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self.process = None
        return code

    # -- HTTP ------------------------------------------------------------------------------------------------------
    def connect(self, timeout=60):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def headers(self, auth="analyst", accept=None):
        given = {"Accept": accept} if accept else {}
        if isinstance(auth, tuple):
            given["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        elif auth:
            given["Authorization"] = "Bearer " + self.token(auth)
        return given

    def http(self, method, path, body=None, auth="analyst", accept=None, content=None, timeout=60):
        """One request. `auth` is a role (bearer), a (name, password) pair (basic), or None."""
        headers = self.headers(auth, accept)
        if body is not None:
            headers["Content-Type"] = content or "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            return Response(connection.getresponse())
        finally:
            connection.close()

    def taxii(self, method, path, body=None, collection=INTAKE, auth="analyst", **how):
        """One request below a collection (`path` starts with /objects/, /manifest/, ...)."""
        return self.http(method, f"{API_ROOT}/collections/{collection}{path}", body, auth, MEDIA, MEDIA, **how)

    def post(self, objects, **how):
        """POSTs objects; the status resource, which must be `complete` with nothing failed."""
        answer = self.taxii("POST", "/objects/", {"objects": objects}, **how)
        status = answer.json or {}
        if answer.status != 202 or status.get("status") != "complete" or status.get("failure_count"):
            raise AssertionError(f"POST of {len(objects)} objects: {answer.status} {answer.bytes[:400]!r}")
        return status

    def pages(self, query="", limit=1000, collection=INTAKE, resource="objects"):
        """Every object of a collection, page by page; comes again when the node is catching up and says so (503)."""
        following, patience = "", time.monotonic() + 60
        while True:
            answer = self.taxii("GET", f"/{resource}/?limit={limit}{query}{following}", collection=collection)
            if answer.status == 503 and answer.headers.get("Retry-After") and time.monotonic() < patience:
                time.sleep(min(5.0, float(answer.headers["Retry-After"])))
                continue
            if answer.status != 200:
                raise AssertionError(f"page: {answer.status} {answer.bytes[:300]!r}")
            yield answer.json.get("objects", [])
            if not answer.json.get("more"):
                return
            following = "&next=" + urllib.parse.quote(answer.json["next"], safe="")


class Listener(threading.Thread):
    """Reads a live stream and keeps each event as (id, event, data); `wait` looks for one."""

    def __init__(self, node, position="0", stream="live"):
        super().__init__(daemon=True)
        self.connection = node.connect(timeout=60)
        self.connection.request("GET", f"/stream/{stream}?from={position}&listen-delete=true",
                                headers={**node.headers(), "Accept": "text/event-stream", "listen-delete": "true"})
        self.answer = self.connection.getresponse()
        self.status, self.events, self._news = self.answer.status, [], threading.Condition()
        self.start()

    def run(self):
        frame = {}
        try:
            for raw in self.answer:
                line = raw.decode("utf-8").rstrip("\r\n")
                if line:
                    key, _, value = line.partition(":")
                    frame[key] = frame.get(key, "") + value.removeprefix(" ")
                elif frame:
                    with self._news:
                        self.events.append((frame.get("id"), frame.get("event"), frame.get("data", "")))
                        self._news.notify_all()
                    frame = {}
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # the server was killed or the test closed the stream

    def wait(self, found, seconds=20):
        """The first event for which `found(id, event, data)` holds, or None after `seconds`."""
        with self._news:
            self._news.wait_for(lambda: any(found(*e) for e in self.events), timeout=seconds)
            return next((e for e in self.events if found(*e)), None)

    def close(self):
        self.connection.close()
