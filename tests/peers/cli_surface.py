"""every command of the stable surface, with and without a running server
Each command that other programs rely on, beside a running server and without one: exit codes,
what stands on stdout, the shape of each `--json`, and that errors say what to do. Read it as the surface's documentation."""
import contextlib
import gzip
import http.server
import json
import re
import subprocess
import threading
import uuid

from node import INTAKE, Checks, Node, note

check = Checks()
WALLET = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"  # BIP 173's example address


def holder(source, text):
    """A note of one agency that names selectors."""
    return note(f"EXERCISE {source}: {text}", abstract=f"EXERCISE {source} report")


def write_bundle(path, objects):
    """A STIX bundle file; the path again."""
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}))
    return path


def ingest_files(node):
    """The files that the ingest checks use: one good bundle, a list, a free text, one that is cut off."""
    good = [holder("north", f"victim paid {WALLET}, told to see https://job-offer.example"),
            holder("south", f"recruiter gave {WALLET} and hr@job-offer.example")]
    files = {name: node.scratch / name for name in ("good.json", "list.txt", "free.txt", "broken.json")}
    write_bundle(files["good.json"], good)
    files["list.txt"].write_text("scam-one.example\nscam-two.example\n")
    files["free.txt"].write_text("EXERCISE. The caller was told to write to +1 202 555 0142 on Telegram and pay on job-offer.example.\n")
    files["broken.json"].write_text('{"type": "bundle", "objects": [')
    return good, files


class Gives(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "image/png")  # what an answer calls itself decides nothing
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def feed(body):
    """A server on a free port that gives these bytes; the address of a list on it."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Gives)
    server.body = body
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/list.txt"
    finally:
        server.shutdown()
        server.server_close()


def said(done):
    return f"exit {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}"


def reading(node, how, good):
    """The commands that change nothing."""
    listed = node.lines("collections")
    check(f"{how}: collections lists the intake with its fixed id", INTAKE in json.dumps(listed), listed)

    found = node.lines("search", WALLET)
    check(f"{how}: search finds both holders of a wallet, with id, type, name",
          {o["id"] for o in good} <= {f["id"] for f in found} and all({"id", "type", "name"} <= f.keys() for f in found), found)
    both = node.lines("search", "south recruiter")
    check(f"{how}: several words mean AND", {f["id"] for f in both} == {good[1]["id"]}, both)
    check(f"{how}: a word that nobody wrote gives no line and exit 0", node.lines("search", "nobodywrotethis") == [])

    cut = subprocess.Popen([node.bin, "search", "--data", str(node.data), "recruiter"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    cut.stdout.close()  # as `eye search ... | head` does when it has read enough
    check(f"{how}: a reader that stops reading is no error to talk about", b"pipe" not in cut.stderr.read().lower() and cut.wait(60) in (0, 1, 141), cut.returncode)

    script = subprocess.Popen([node.bin, "completions", "bash"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    script.stdout.close()
    check(f"{how}: nor is it one of completions", b"panicked" not in script.stderr.read() and script.wait(60) in (0, 1, 141), script.returncode)

    shown = node.json("show", good[0]["id"])
    check(f"{how}: show gives the object", good[0]["content"] in json.dumps(shown, ensure_ascii=False), shown)
    absent = node.run("show", "--json", "note--00000000-0000-4000-8000-000000000000")
    check(f"{how}: show of an unknown id fails and says so on stderr", absent.returncode != 0 and absent.stderr.strip() and not absent.stdout.strip(), said(absent))

    human = node.eye("show", good[0]["id"])
    check(f"{how}: show without --json is for people: fields, versions, selectors, links",
          "TLP:TLP" not in human and good[0]["content"] in human and all(w in human for w in ("versions", "selectors", "links", WALLET)) and not human.lstrip().startswith("{"), human[:300])
    proof = node.scratch / f"proof-{how.split()[0]}.json"
    done = node.run("verify", good[0]["id"], "--to", proof)
    check(f"{how}: verify of one object proves it and writes the proof", done.returncode == 0 and "proved" in done.stdout and proof.exists(), said(done))
    done = node.run("verify", "--json", str(proof), "--data", node.scratch / "nowhere", data=False)
    check(f"{how}: the proof file is proved without a node", done.returncode == 0 and json.loads(done.stdout)["ok"] is True, said(done))
    key = json.loads(done.stdout)["key"]
    nowhere = ("--data", node.scratch / "nowhere")
    done = node.run("verify", str(proof), "--public-key", key, *nowhere, data=False)
    check(f"{how}: with nothing but the file and the agency's public key", done.returncode == 0 and "the key is the one you named" in done.stdout, said(done))
    done = node.run("verify", str(proof), "--public-key", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", *nowhere, data=False)
    check(f"{how}: under another key it is not proved", done.returncode == 1 and "not proved" in done.stderr, said(done))
    check(f"{how}: what is no key is refused", node.run("verify", str(proof), "--public-key", "12", *nowhere, data=False).returncode == 1)
    proof.write_text(proof.read_text().replace("EXERCISE", "EXERCISF"))
    check(f"{how}: a changed proof file is not", (done := node.run("verify", str(proof), "--data", node.scratch / "nowhere", data=False)).returncode == 1 and "not proved" in done.stderr, said(done))

    of_wallet = node.lines("links", WALLET)
    check(f"{how}: links of a wallet name both holders", all(o["id"] in json.dumps(of_wallet) for o in good), of_wallet)
    every = node.lines("links")
    check(f"{how}: links without a selector lists all, the wallet too", WALLET in json.dumps(every), every[:3])

    stats = node.json("stats")
    check(f"{how}: stats has objects, entries, collections, behind as numbers",
          all(isinstance(stats.get(k), int) for k in ("objects", "entries", "collections", "behind")) and stats["objects"] >= 2, stats)
    bundle = json.loads(node.eye("export", "--format", "stix"))
    check(f"{how}: export without a collection is one bundle of everything",
          bundle["type"] == "bundle" and {o["id"] for o in good} <= {o["id"] for o in bundle["objects"]}, str(bundle)[:200])
    check(f"{how}: export of a collection is a bundle too", {o["id"] for o in good} <= {o["id"] for o in node.export("--collection", "intake")})
    check(f"{how}: verify", (done := node.run("verify", timeout=300)).returncode == 0, said(done))
    done = node.run("verify", "--views", "--json", timeout=300)
    told = json.loads(done.stdout)
    check(f"{how}: verify --views --json tells of each view", told["ok"] is True and {v["view"] for v in told["views"]} >= {"intel", "people"} and all(v["equal"] for v in told["views"]), said(done))
    check(f"{how}: verify --views", (done := node.run("verify", "--views", timeout=300)).returncode == 0, said(done))
    check(f"{how}: doctor", (done := node.run("doctor")).returncode == 0, said(done))
    check(f"{how}: reference list", (done := node.run("reference", "list")).returncode == 0, said(done))


def writing(node, how, files):
    """The commands that write, each in a form that can be told apart."""
    before = node.json("stats")
    mixed_file = write_bundle(node.scratch / "mixed.json", [holder(how, "one good record"), {"type": "note", "id": "not-an-id"}])
    mixed = node.run("ingest", mixed_file)
    after = node.json("stats")
    check(f"{how}: a bad record is set aside, counted and told, the good one kept, exit 0",
          mixed.returncode == 0 and re.search(r"\b1\b", mixed.stdout + mixed.stderr) and after["entries"] > before["entries"], said(mixed))
    check(f"{how}: ingest returns when the views are level", after["behind"] == 0, after)
    number = json.loads(node.eye("import", "list", "--json").splitlines()[0])["import"]
    aside = [json.loads(line) for line in node.eye("import", "quarantine", "--json", str(number)).splitlines()]
    check(f"{how}: import quarantine gives the record with its reason", len(aside) == 1 and "not-an-id" in aside[0]["record"] and aside[0]["why"], aside)
    raw = node.eye("import", "quarantine", "--raw", str(number))
    check(f"{how}: import quarantine --raw gives the record alone, to be mended", json.loads(raw)["id"] == "not-an-id", raw)
    check(f"{how}: import show", json.loads(node.eye("import", "show", "--json", str(number)))["set_aside"] == 1)
    path = node.scratch / "wrong.txt"
    path.write_text(f"wrong-{how.split()[0]}-one.example\nwrong-{how.split()[0]}-two.example\n")
    node.eye("ingest", path)
    wrong = json.loads(node.eye("import", "list", "--json").splitlines()[0])
    node.eye("import", "withdraw", str(wrong["import"]), "--reason", "EXERCISE the wrong file")
    gone = next(r for r in map(json.loads, node.eye("import", "list", "--json").splitlines()) if r["import"] == wrong["import"])
    check(f"{how}: import list says what was withdrawn", (wrong["withdrawn_versions"], gone["withdrawn_versions"]) == (0, 2)
          and "withdrawn: all of it" in node.eye("import", "list"), gone)
    check(f"{how}: import show of none fails and says so", (done := node.run("import", "show", "999999999")).returncode != 0 and "import list" in done.stderr, said(done))
    with feed(gzip.compress(b"fetched-" + how.split()[0].encode() + b".example\nfetched-two.example\n")) as address:
        done = node.run("ingest", address + "?key=zwirblefink")
        check(f"{how}: ingest of an address, packed", done.returncode == 0 and "as list" in done.stdout and "zwirblefink" not in done.stdout + done.stderr, said(done))
    check(f"{how}: what was fetched is found", node.lines("search", f"fetched-{how.split()[0]}.example"))
    strict = node.run("ingest", "--strict", mixed_file)
    check(f"{how}: --strict refuses the whole file and says which record", strict.returncode != 0 and "not-an-id" in strict.stdout + strict.stderr, said(strict))
    broken = node.run("ingest", files["broken.json"])
    check(f"{how}: a file that is cut off is named in what is said", "broken.json" in broken.stdout + broken.stderr, said(broken))
    check(f"{how}: a file that is not there fails and is named",
          (done := node.run("ingest", node.scratch / "absent.json")).returncode != 0 and "absent.json" in done.stderr, said(done))
    check(f"{how}: a plain list", (done := node.run("ingest", files["list.txt"])).returncode == 0, said(done))
    check(f"{how}: the listed domain is found", any("scam-one" in json.dumps(f) for f in node.lines("search", "scam-one.example")))
    check(f"{how}: free text with its collection and marking",
          (done := node.run("ingest", "--collection", "intake", "--marking", "AMBER+STRICT", files["free.txt"])).returncode == 0, said(done))
    check(f"{how}: the phone number in the free text links it", node.lines("search", "+12025550142") or node.lines("links", "+12025550142"))

    marked = note(f"EXERCISE withdraw {how.replace(' ', '-')}")
    path = node.scratch / "one.json"
    node.eye("ingest", write_bundle(path, [marked]))
    check(f"{how}: withdraw needs a reason", node.run("withdraw", marked["id"]).returncode != 0)
    check(f"{how}: withdraw", (done := node.run("withdraw", marked["id"], "--reason", "EXERCISE mistaken")).returncode == 0, said(done))
    gone, told = node.run("show", marked["id"]), node.run("show", "--json", marked["id"])
    check(f"{how}: show of what was withdrawn says when, by whom and why, fails, and says nothing that it said",
          gone.returncode != 0 and "EXERCISE mistaken" in gone.stdout and marked["content"] not in said(gone) + said(told)
          and json.loads(told.stdout)["withdrawn"][0]["reason"] == "EXERCISE mistaken" and told.returncode != 0, said(gone))
    check(f"{how}: what was withdrawn is in no export", marked["id"] not in {o["id"] for o in node.export()})
    gone = note(f"EXERCISE expunge {how}")
    node.eye("ingest", write_bundle(path, [gone]))
    check(f"{how}: expunge", (done := node.run("expunge", gone["id"], "--reason", "EXERCISE wrong person")).returncode == 0, said(done))
    check(f"{how}: what was expunged is in no export", gone["id"] not in {o["id"] for o in node.export()})
    check(f"{how}: withdraw of an unknown id fails and says so",
          (done := node.run("withdraw", "note--00000000-0000-4000-8000-000000000001", "--reason", "EXERCISE")).returncode != 0 and done.stderr.strip(), said(done))

    check(f"{how}: rebuild", (done := node.run("rebuild", timeout=300)).returncode == 0, said(done))
    token = node.run("token", "create", "--role", "reader", "--name", f"reader {how}")
    check(f"{how}: token create prints the token alone", token.returncode == 0 and len(token.stdout.split()) == 1, said(token))
    check(f"{how}: a role that does not exist is refused, with the roles that do",
          (done := node.run("token", "create", "--role", "emperor")).returncode != 0 and "analyst" in done.stderr, said(done))
    check(f"{how}: user add takes its password from stdin",
          (done := node.run("user", "add", "--name", "officer-" + how.split()[0], "--role", "analyst", "--password-stdin", stdin="correct horse 4 Battery\n")).returncode == 0, said(done))
    link = node.run("user", "link", "--role", "analyst")
    check(f"{how}: user link prints one path with a one-time token", link.returncode == 0 and re.fullmatch(r"/\S{20,}\n", link.stdout), said(link))
    check(f"{how}: user link says role and how long it is valid", "analyst" in link.stderr and "minute" in link.stderr, said(link))
    mine = "rin-" + how.split()[0]
    once, again = node.run("user", "link", "--user", mine, "--role", "reader"), node.run("user", "link", "--user", mine)
    check(f"{how}: a link names its person, who comes in again as themselves", mine in once.stderr and mine in again.stderr and "reader" in again.stderr, said(again))
    check(f"{how}: and makes them nothing more", (done := node.run("user", "link", "--user", mine, "--role", "supervisor")).returncode != 0 and "reader" in done.stderr, said(done))
    people = [u["name"] for u in listed(node, "user", "list")]
    node.eye("user", "link")
    check(f"{how}: a link without a name is an account of its own", len(listed(node, "user", "list")) == len(people) + 1 and people.count(mine) == 1, people)
    grants(node, how)
    collections(node, how)
    access(node, how)
    check(f"{how}: world load", (done := node.run("world", "load", timeout=300)).returncode == 0, said(done))
    check(f"{how}: world load a second time changes nothing", node.run("world", "load", timeout=300).returncode == 0)
    linked = node.lines("links")
    check(f"{how}: the EXERCISE world links at first sight", len(linked) > 3, linked[:3])
    check(f"{how}: world remove", (done := node.run("world", "remove", timeout=300)).returncode == 0, said(done))
    blocklist = node.scratch / "block.txt"
    blocklist.write_text("listed.example\n")
    check(f"{how}: reference add", (done := node.run("reference", "add", "--kind", "blocklist", blocklist)).returncode == 0, said(done))
    done = node.run("links", "--overrule", "nothing", "--reason", "EXERCISE everybody's", WALLET)
    check(f"{how}: links --overrule with a reason", done.returncode == 0, said(done))
    told = [l["suppressed"] for l in node.lines("links")]
    check(f"{how}: what links stands first, then what is suppressed and why", told == sorted(told, key=lambda why: why is not None) and told[0] is None
          and any("everybody" in why for why in told if why), told[-3:])
    check(f"{how}: and it is shown with that reason", "everybody" in json.dumps(node.lines("links", WALLET)))
    check(f"{how}: and undone", node.run("links", "--overrule", "undo", "--reason", "EXERCISE", WALLET).returncode == 0 and "everybody" not in json.dumps(node.lines("links", WALLET)))
    tokens = node.eye("token", "list")
    check(f"{how}: token list shows names and roles", f"reader {how}" in tokens and "reader" in tokens, tokens)
    target = node.scratch / ("backup-" + how.split()[0])
    check(f"{how}: backup, with a word on what it holds", (done := node.run("backup", "--to", target, timeout=300)).returncode == 0 and "keys are sealed; passphrase opens them" in done.stderr, said(done))
    check(f"{how}: a second backup says that it brought the first up to date", (done := node.run("backup", "--to", target, timeout=300)).returncode == 0 and "brought up to date: " in done.stdout, said(done))
    restored = node.scratch / ("restored-" + how.split()[0])
    check(f"{how}: a backup under a short passphrase is refused", (done := node.run("backup", "--to", target, "--passphrase-stdin", stdin="EXERCISE\n")).returncode == 1 and "12 characters" in done.stderr, said(done))
    check(f"{how}: one for no key is refused", (done := node.run("backup", "--to", target, "--recipient", "eyerecovery1qqqq")).returncode == 1 and "eyerecovery1qqqq is no public key" in done.stderr, said(done))
    check(f"{how}: a wrong passphrase restores nothing and says so", (done := node.run("restore", "--from", target, "--passphrase-stdin", "--data", restored, data=False, stdin="EXERCISE other words\n")).returncode == 1
          and "the passphrase does not open" in done.stderr and not restored.exists(), said(done))
    check(f"{how}: restore", (done := node.run("restore", "--from", target, "--data", restored, data=False, timeout=300)).returncode == 0, said(done))
    check(f"{how}: the restored folder verifies", (done := node.run("verify", "--data", restored, data=False, timeout=300)).returncode == 0, said(done))


def listed(node, *words):
    """The JSON lines of a command of two words."""
    return [json.loads(line) for line in node.eye(*words, "--json").splitlines()]


def collections(node, how):
    """A collection is made for nobody, named, closed and opened again."""
    title = f"EXERCISE harbour {how}"
    done = node.run("collections", "create", title, "--marking", "AMBER", "--default", "GREEN", "--listed")
    made = done.stdout.strip()
    now = lambda: next((c for c in listed(node, "collections") if c["id"] == made), None)
    check(f"{how}: collections create prints the id alone and says on stderr what is still to do",
          done.returncode == 0 and len(made) == 36 and "eye grant" in done.stderr and now()["title"] == title, said(done))
    check(f"{how}: with its markings", (now()["highest"], now()["default"], now()["listed"]) == ("TLP:AMBER", "TLP:GREEN", True), now())
    check(f"{how}: and nobody in it", listed(node, "grant", "list", "--collection", made) == [])
    for words in ((title.upper(),), ("intake",), ("EXERCISE x", "--marking", "PURPLE"), ("EXERCISE x", "--marking", "GREEN", "--default", "RED")):
        done = node.run("collections", "create", *words)
        check(f"{how}: collections create {words[-1]} is refused and says why", done.returncode == 1 and done.stderr.strip(), said(done))
    done = node.run("collections", "rename", title, f"EXERCISE quay {how}")
    check(f"{how}: collections rename", done.returncode == 0 and now()["title"] == f"EXERCISE quay {how}", said(done))
    done = node.run("collections", "close", f"EXERCISE quay {how}")
    check(f"{how}: collections close: it is listed as closed, and nothing is told of what it holds",
          done.returncode == 0 and now()["closed"] is True and "objects" not in now() and f"{made}\tEXERCISE quay {how}\tclosed" in node.eye("collections"), said(done))
    done = node.run("collections", "--json", "open", made)
    check(f"{how}: collections open brings it back", done.returncode == 0 and json.loads(done.stdout)["closed"] is False and now()["closed"] is False and now()["title"] == f"EXERCISE quay {how}", said(done))
    check(f"{how}: what every node has stays open", (done := node.run("collections", "close", "Intake")).returncode == 1 and done.stderr.strip(), said(done))


def grants(node, how):
    """Another node sees what it was granted, and nothing before or after."""
    peer = "neighbour-" + how.split()[0]
    token = node.run("token", "create", "--role", "peer", "--name", peer)
    check(f"{how}: token create --role peer prints the token alone, and says on stderr what is still to do", token.returncode == 0 and len(token.stdout.split()) == 1 and "eye grant" in token.stderr, said(token))
    check(f"{how}: it may nothing yet", listed(node, "grant", "list", "--account", peer) == [])
    done = node.run("grant", "add", "--collection", "intake", "--account", peer, "--write")
    reach = listed(node, "grant", "list", "--account", peer)
    check(f"{how}: grant add --write", done.returncode == 0 and [(r["read"], r["write"], r["by_name"]) for r in reach] == [(True, True, True)], (said(done), reach))
    node.eye("grant", "add", "--collection", "intake", "--account", peer)
    members = [m for m in listed(node, "grant", "list", "--collection", "intake") if m["name"] == peer]
    check(f"{how}: granted again, the last word holds", [m["write"] for m in members] == [False], members)
    check(f"{how}: grant list for people", peer in node.eye("grant", "list") and "role analyst" in node.eye("grant", "list"))
    check(f"{how}: grant remove", (done := node.run("grant", "remove", "--collection", "intake", "--account", peer)).returncode == 0 and listed(node, "grant", "list", "--account", peer) == [], said(done))
    for words in (("--account", peer), ("--account", "nobody at all"), ("--account", "importer"), ("--role", "emperor")):
        done = node.run("grant", "remove", "--collection", "intake", *words)
        check(f"{how}: grant remove {words[1]} fails and says so", done.returncode == 1 and done.stderr.strip(), said(done))
    check(f"{how}: a reader is not granted writing", (done := node.run("grant", "add", "--collection", "intake", "--role", "reader", "--write")).returncode == 1 and "only reads" in done.stderr, said(done))
    check(f"{how}: a grant wants an account or a role", node.run("grant", "add", "--collection", "intake").returncode == 2)


def access(node, how):
    """The access log, filtered."""
    node.run("search", "EXERCISE +44 7700 900999")
    rows = node.lines("access", "--kind", "command", "--limit", "5")
    check(f"{how}: access --json tells the newest rows first", [r["n"] for r in rows] == sorted((r["n"] for r in rows), reverse=True) and rows[0]["name"] == "local", rows[:2])
    check(f"{how}: the search just made is found by its very words, and they stand nowhere in the answer",
          (found := node.lines("access", "--about", "EXERCISE +44 7700 900999"))[0]["method"] == "search" and "7700" not in json.dumps(found), found[:1])
    check(f"{how}: access by outcome and by command", all(r["status"] >= 400 for r in node.lines("access", "--outcome", "wrong")) and {r["method"] for r in node.lines("access", "--method", "grant")} == {"grant"})
    check(f"{how}: access by time", node.lines("access", "--until", "2020-01-01") == [] and len(node.lines("access", "--since", "2020-01-01")) > 0)
    older = node.run("access", "--limit", "1")
    check(f"{how}: access says where to go on", len(older.stdout.splitlines()) == 1 and "--before" in older.stderr, said(older))
    for words in (("--since", "yesterday"), ("--kind", "thing"), ("--outcome", "good")):
        check(f"{how}: access {' '.join(words)} is refused with what to write", (done := node.run("access", *words)).returncode == 2 and "write" in done.stderr, said(done))
    check(f"{how}: access --account of nobody known fails and says so", (done := node.run("access", "--account", "nobody at all")).returncode == 1 and "eye user list" in done.stderr, said(done))
    check(f"{how}: access --verify", "every row holds" in node.eye("access", "--verify"))


def doors(node):
    """The paths that other programs ask for."""
    for path, status, kind in (("/health", 200, ""), ("/ready", 200, ""), ("/metrics", 200, "application/openmetrics-text"), ("/api/openapi.json", 200, "application/json")):
        answer = node.http("GET", path, auth="administrator" if path == "/metrics" else "analyst")
        check(f"GET {path} is {status}", answer.status == status and kind in answer.headers.get("Content-Type", ""), (answer.status, answer.headers.get("Content-Type")))
    document = node.http("GET", "/api/openapi.json").json or {}
    check("the OpenAPI document describes paths", str(document.get("openapi", "")).startswith("3.") and document.get("paths"), str(document)[:120])
    metrics = node.http("GET", "/metrics", auth="administrator").bytes.decode()
    check("/metrics is OpenMetrics text", re.search(r"^# (HELP|TYPE) ", metrics, re.M), metrics[:200])
    small = node.taxii("GET", "/objects/?limit=1000")
    check("TAXII pages of 1,000 are allowed", small.status == 200, small.status)
    big = [note("EXERCISE " + "x" * 900_000) for _ in range(12)]
    check("a body of 11 MB is taken", node.taxii("POST", "/objects/", {"objects": big}, timeout=120).status == 202)
    first = node.http("GET", "/", auth=None)
    check("a page without a session leads to sign-in", first.status in (200, 302, 303, 401), first.status)


with Node(served=False) as node:
    good, files = ingest_files(node)
    again = node.run("init", "--name", "Second", "--country", "XA")
    check("init on a node that stands is refused and says so", again.returncode != 0 and again.stderr.strip(), said(again))
    check("ingest of a good bundle", (done := node.run("ingest", "--collection", "intake", files["good.json"])).returncode == 0, said(done))
    first = node.json("stats")
    node.eye("ingest", "--collection", "intake", files["good.json"])
    check("the same file again makes no second objects", node.json("stats")["objects"] == first["objects"], node.json("stats"))
    reading(node, "without a server", good)
    writing(node, "without a server", files)
    node.start()
    reading(node, "beside a server", good)
    writing(node, "beside a server", files)
    doors(node)
    check("a second server on the folder is refused and says so",
          (done := node.run("serve", "--listen", "127.0.0.1:0", timeout=20)).returncode != 0 and done.stderr.strip(), said(done))
    check("SIGTERM ends the server with 0", node.stop() == 0)

    check("an unknown command fails with 2", node.run("frobnicate", data=False).returncode == 2)
    check("--version", re.match(r"eye \d+\.\d+\.\d+", node.run("--version", data=False).stdout or ""))
    done = node.run("world", "--seed", "7", "--agencies", "6", "--months", "12", "--objects", "300", node.scratch / "world", data=False)
    check("world writes a world in the promised form", done.returncode == 0 and "EXERCISE" in done.stdout, said(done))
    settings = node.data / "eye.toml"
    settings.write_text("[import]\nrecords = 5\nrecord = 1\n")
    check("an unknown key of eye.toml is refused with its line", (done := node.run("stats")).returncode != 0 and "line 3" in done.stderr, said(done))
    settings.write_text("[import]\nrecords = 5\n")
    check("doctor prints the bounds that hold", "import.records = 5" in node.eye("doctor"))
    settings.unlink()
    nowhere = node.run("stats", "--data", node.scratch / "nowhere", data=False)
    check("a folder without a node: fails and names `eye init`", nowhere.returncode != 0 and "eye init" in nowhere.stderr, said(nowhere))
check.finish()
