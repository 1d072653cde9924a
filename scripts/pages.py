"""Serves an EXERCISE node on a free port, signs in with one-time links, and lets tests/pages/run.mjs look at its pages in
Chromium: screenshots at three widths in both themes, WCAG 2.2 AA by axe, script errors, sideways scrolling.
    pages.py OUT        screenshots go to the folder OUT; which pages, by role: scripts/pages.json
`{object}` in a path is an object of the exercise that links to others."""
import html.parser
import http.cookiejar
import json
import pathlib
import subprocess
import sys
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/peers"))
from node import Node  # noqa: E402


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


def sign_in(node, role):
    """Follows a one-time link (and presses its button, where it has one); the session's cookies as NAME=VALUE."""
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(secure_protocols=("https", "http")))
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    link = node.base + node.eye("user", "link", "--role", role).strip()
    page = browser.open(link)
    form = Form()
    form.feed(page.read().decode())
    if form.action is not None and urllib.parse.urlsplit(page.url).path == urllib.parse.urlsplit(link).path:
        request = urllib.request.Request(urllib.parse.urljoin(page.url, form.action), urllib.parse.urlencode(form.fields).encode(),
                                         {"Origin": node.base, "Referer": page.url})
        browser.open(request)
    cookies = [f"{cookie.name}={cookie.value}" for cookie in jar]
    if not cookies:
        sys.exit(f"the one-time link of {role} led to no session")
    return cookies


def main(out):
    faults = 0
    with Node() as node:
        node.eye("world", "load", timeout=300)
        linked = json.dumps(node.lines("links")[:1])
        some_object = next((o["id"] for o in node.export() if o["id"] in linked), None)
        if some_object is None:
            sys.exit("no object of the exercise links to another")
        for role, pages in json.loads((ROOT / "scripts/pages.json").read_text()).items():
            cookies = [] if role == "nobody" else sign_in(node, role)
            chosen = node.scratch / f"{role}.json"
            chosen.write_text(json.dumps([{**p, "path": p["path"].replace("{object}", some_object)} for p in pages]))
            given = [part for cookie in cookies for part in ("--cookie", cookie)]
            print(f"as {role}:", flush=True)
            done = subprocess.run(["node", str(ROOT / "tests/pages/run.mjs"), node.base, str(out), str(chosen), *given], check=False)
            faults += done.returncode != 0
        if faults:
            sys.exit(f"faults in the pages of {faults} role(s); screenshots: {out}")


folder = pathlib.Path(sys.argv[1]).resolve()
folder.mkdir(parents=True, exist_ok=True)
main(folder)
