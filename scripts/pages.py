"""Serves EXERCISE nodes on free ports and looks at their pages in Chromium as each role has them.
    pages.py OUT [--only NAME,NAME] [--readme]
tests/pages/run.mjs looks at each page of scripts/pages.json (which node, which role, which address); tests/pages/story.mjs does
what people do. Afterwards every route of the program's pages must have been visited: a new page cannot be forgotten.
Nodes: `full` holds the EXERCISE world and a reference list, `empty` nothing, `one` one object, `many` 1,200 that share a
wallet, with titles in many scripts and without a space. `--readme` writes the README's pictures into docs/img."""
import argparse
import html.parser
import http.cookiejar
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/peers"))
from node import INTAKE, Node, note  # noqa: E402

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # a test vector of EIP-55
WITHDRAWN, TWICE = "note--00000000-0000-4000-8000-0000000000a1", "note--00000000-0000-4000-8000-0000000000a2"
TITLES = [
    "EXERCISE تقرير عن وظيفة في الخارج مع رقم +44 7700 900123", "EXERCISE דיווח על הצעת עבודה", "EXERCISE 海外招聘广告举报", "EXERCISE รายงานเรื่องงานต่างประเทศที่ไม่มีช่องว่างระหว่างคำยาวมากๆ",
    "EXERCISE របាយការណ៍អំពីការងារនៅក្រៅប្រទេសដែលគ្មានចន្លោះរវាងពាក្យ", "EXERCISE နိုင်ငံခြားအလုပ်အကြောင်းအစီရင်ခံစာ", "EXERCISE " + "Donaudampfschifffahrtsgesellschaft" * 6,
    "EXERCISE https://golden-crane.example/" + "a" * 180, "EXERCISE <b>not bold</b> & \"quoted\"", "EXERCISE",
]


class Form(html.parser.HTMLParser):
    """The first form of a page that posts: its action and hidden fields."""

    def __init__(self):
        super().__init__()
        self.action, self.fields, self._open = None, {}, False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form" and self.action is None and given.get("method", "").lower() == "post":
            self.action, self._open = given.get("action") or "", True
        elif tag == "input" and self._open and given.get("type") == "hidden":
            self.fields[given.get("name")] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = False


def link(node, role):
    return node.eye("user", "link", "--role", role).strip()


def sign_in(node, role):
    """Follows a one-time link and presses its button; the session's cookies as NAME=VALUE."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(secure_protocols=("https", "http")))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = node.base + link(node, role)
    page = browser.open(address)
    form = Form()
    form.feed(page.read().decode())
    if form.action is not None:
        request = urllib.request.Request(urllib.parse.urljoin(page.url, form.action), urllib.parse.urlencode(form.fields).encode(),
                                         {"Origin": node.base, "Referer": page.url})
        browser.open(request)
    cookies = [f"{cookie.name}={cookie.value}" for cookie in jar]
    if not cookies:
        sys.exit(f"the one-time link of {role} led to no session")
    return cookies


def links_of(node, role_cookies, path):
    """The addresses that a page links to."""
    request = urllib.request.Request(node.base + path, headers={"Cookie": "; ".join(role_cookies), "Accept": "text/html"})
    return re.findall(r'href="([^"]+)"', urllib.request.urlopen(request).read().decode())


# -- what the nodes hold ---------------------------------------------------------------------------------------------
def full(node):
    node.eye("world", "load", timeout=300)
    config = node.scratch / "EXERCISE-list.json"
    config.write_text(json.dumps({"version": 2, "tolerance": 1, "fuzzylist": [], "whitelist": [], "blacklist": ["listed-crane.example"]}))
    node.eye("reference", "add", "--kind", "blocklist", "--name", "EXERCISE-block-list", config)
    text = node.scratch / "EXERCISE note.txt"
    text.write_text(f"EXERCISE: they wrote from +44 7700 900123 and asked for {WALLET}\n")
    node.eye("ingest", text)
    node.post([note("EXERCISE entered twice", object_id=WITHDRAWN), note(f"EXERCISE in two collections {WALLET}", object_id=TWICE)])
    node.eye("withdraw", WITHDRAWN, "--reason", "EXERCISE entered twice")
    again = node.scratch / "EXERCISE-again.json"
    again.write_text(json.dumps({"type": "bundle", "id": f"bundle--{TWICE[6:]}", "objects": [note(f"EXERCISE in two collections, told better {WALLET}",
                                                                                                  object_id=TWICE, modified="2026-02-02T03:04:05.000Z")]}))
    node.eye("ingest", "--collection", "EXERCISE world", again)


def one(node):
    node.post([note("EXERCISE the only note: 0xde709f2102306220921060314715629080e2fb77")])


def many(node):
    # A scan of `report`s and `note`s that share one wallet: more than 200 make a hub.
    titled = [{"type": "report", "spec_version": "2.1", "id": f"report--{i:08d}-0000-4000-8000-000000000000", "created": "2026-01-02T03:04:05.000Z",
               "modified": "2026-01-02T03:04:05.000Z", "name": title, "published": "2026-01-02T03:04:05.000Z", "description": f"EXERCISE wallet {WALLET} {title}",
               "object_refs": [f"report--{i:08d}-0000-4000-8000-000000000000"]} for i, title in enumerate(TITLES)]
    for begin in range(0, 1200, 400):
        node.post([note(f"EXERCISE {i} {WALLET}") for i in range(begin, begin + 400)])
    node.post(titled)


NODES = {"full": full, "empty": lambda node: None, "one": one, "many": many}


def places(node, cookies):
    """What stands in braces in scripts/pages.json."""
    found = {}
    linked = json.dumps(node.lines("links")[:40])
    objects = node.export()
    best = [o["id"] for o in objects if o["id"] in linked and o["type"] == "report"] or [o["id"] for o in objects if o["type"] in ("report", "note")]
    if best:
        about = urllib.request.quote(best[-1], safe="-")
        hits = [a for a in links_of(node, cookies["analyst"], f"/search?q={about}") if a.startswith("/objects/")]
        found["object"] = hits[0].removeprefix("/objects/") if hits else best[-1]
    said = next((o for o in objects if o["type"] == "relationship" and o["relationship_type"] == "attributed-to"), None)
    for name, id in (("party", said["source_ref"]), ("relationship", said["id"])) if said else ():
        found[name] = next(a for a in links_of(node, cookies["analyst"], f"/search?q={id}") if a.startswith("/objects/"))
    found["selector"] = next((html.unescape(a) for a in links_of(node, cookies["analyst"], "/") if a.startswith("/selectors")), "/selectors")
    found |= {"withdrawn": WITHDRAWN, "twice": TWICE}
    found["import"] = next((a for a in links_of(node, cookies["analyst"], "/import") if re.match(r"/import/[^?]", a)), "/import/0")
    if "nobody" in cookies:
        found["link"] = link(node, "reader")
    if "administrator" in cookies:
        users = [a for a in links_of(node, cookies["administrator"], "/users") if a.startswith("/users/")]
        found["user"] = users[-1].removeprefix("/users/") if users else "0"
    return found


def level(node, seconds=120):
    """Returns when every view has what the log has: until then a page may answer that it is not ready yet."""
    until = time.monotonic() + seconds
    while node.json("stats")["behind"]:
        if time.monotonic() > until:
            sys.exit(f"the views were not level within {seconds} s")


# -- every route is visited -------------------------------------------------------------------------------------------
ROUTE = re.compile(r'\.(route|get|post|upload)\(\s*"(/[^"]*)"([^\n]*)')


def routes():
    """Method and pattern of every page, read from the sources of the two crates that have pages."""
    for source in [ROOT / "crates/intel/src/http.rs", ROOT / "crates/office/src/lib.rs"]:
        for how, pattern, rest in ROUTE.findall(source.read_text()):
            methods = {"get": ["GET"], "post": ["POST"], "upload": ["POST"]}.get(how) or [m.upper() for m in ("get", "post") if f"{m}(" in rest]
            yield from ((method, pattern) for method in methods)


def unvisited(visited):
    seen = [line.split(" ", 1) for line in set(visited.read_text().splitlines())]
    for method, pattern in sorted(set(routes())):
        shape = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(pattern)) + "$")
        if not any(m == method and shape.match(path) for m, path in seen):
            yield f"{method} {pattern}"


# -- running ------------------------------------------------------------------------------------------------------------
def look(node, group, out, only):
    roles = {"analyst", *group}
    cookies = {role: [] if role == "nobody" else sign_in(node, role) for role in roles}
    found, broken = places(node, cookies), 0
    for role, pages in group.items():
        chosen = [{**p, "path": re.sub(r"\{(\w+)\}", lambda m: found.get(m[1], "0"), p["path"])} for p in pages if not only or p["name"] in only]
        if not chosen:
            continue
        listed = node.scratch / f"{role}.json"
        listed.write_text(json.dumps(chosen))
        given = [part for cookie in cookies[role] for part in ("--cookie", cookie)]
        print(f"as {role}:", flush=True)
        done = subprocess.run(["node", str(ROOT / "tests/pages/run.mjs"), node.base, str(out), str(listed), *given], check=False)
        broken += done.returncode != 0
    return broken


def story(node, out):
    told = {"base": node.base, "token": node.token("analyst"), "collection": INTAKE, "link": link(node, "analyst"),
            "cookies": {role: sign_in(node, role) for role in ("analyst", "supervisor", "administrator", "auditor", "reader")},
            "party": places(node, {"analyst": sign_in(node, "analyst")})["party"],
            "notes": json.loads((ROOT / "tests/pages/notes.json").read_text()), "listed": "listed-crane.example", "corrects": True}
    path = node.scratch / "story.json"
    path.write_text(json.dumps(told))
    print("the story:", flush=True)
    return subprocess.run(["node", str(ROOT / "tests/pages/story.mjs"), str(path), str(out)], check=False).returncode != 0


def main(out, only, readme):
    broken = 0
    with tempfile.TemporaryDirectory() as scratch:
        visited = pathlib.Path(scratch) / "visited"
        visited.touch()
        os.environ["VISITED"] = str(visited)
        for name, group in json.loads((ROOT / "scripts/pages.json").read_text()).items():
            if only and only.isdisjoint({"story", *(p["name"] for pages in group.values() for p in pages)}):
                continue
            with Node() as node:
                NODES[name](node)
                level(node)
                broken += look(node, group, out, only)
                if name == "full" and (not only or "story" in only):
                    broken += story(node, out)
        forgotten = [] if only else list(unvisited(visited))
        for route in forgotten:
            print(f"✗ no test visits {route}: add it to scripts/pages.json or tests/pages/story.mjs", flush=True)
    if readme:
        pictures = ROOT / "docs/img"
        pictures.mkdir(parents=True, exist_ok=True)
        for name in ("overview", "object", "report-preview"):
            (pictures / f"{name}.png").write_bytes((out / f"{name}-readme.png").read_bytes())
    if broken or forgotten:
        sys.exit(f"faults; screenshots: {out}")


asked = argparse.ArgumentParser()
asked.add_argument("out", type=pathlib.Path)
asked.add_argument("--only", default="")
asked.add_argument("--readme", action="store_true")
asked = asked.parse_args()
asked.out.mkdir(parents=True, exist_ok=True)
main(asked.out.resolve(), {name for name in asked.only.split(",") if name}, asked.readme)
