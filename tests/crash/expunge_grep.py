"""an expunge leaves no trace in any file
An object with words that stand nowhere else is searched for in every
byte of the data folder (databases, WALs, quarantine, everything) in UTF-8 and both UTF-16, before and after, while a
stream listener and a TAXII pager are reading. Every tree still verifies; the object is gone from every door and refused when it comes again."""
import json
import pathlib
import sys
import time
from urllib.parse import quote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import Checks, Listener, Node, note  # noqa: E402

# Words of the body that stand nowhere else: plain, in another script, inside selectors (domain, e-mail, phone digits).
WORDS = ["zwirblefink", "กขลฟ้ามรกต", "gnorvelblatt", "12025550177"]
TEXT = ("EXERCISE. Zwirblefink said: กขลฟ้ามรกต. Write to hr@gnorvelblatt.example or see "
        "https://www.gnorvelblatt.example/offer, call +1 202 555 0177 or +12025550177.")
check = Checks()


def traces(folder):
    """(file, word, encoding) of every trace. ASCII is compared without regard to case: full text stores folded words."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        folded = raw.lower()
        for word in WORDS:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                if word.encode(encoding) in (folded if word.isascii() else raw):
                    found.append((path.name, word, encoding))
            # Bodies are kept byte for byte: a client that writes \\uXXXX leaves that form.
            if json.dumps(word)[1:-1].lower().encode() in folded and not word.isascii():
                found.append((path.name, word, "json"))
    return found


with Node() as node:
    others = [note(f"EXERCISE other {n}") for n in range(60)]
    node.post(others[:30])
    secret = note(TEXT, abstract="Zwirblefink's abstract")
    node.post([secret])
    node.post([dict(secret, modified="2026-02-02T00:00:00.000Z", content=TEXT + " Again.")])
    node.post(others[30:])

    # a version that cannot be taken stands in the quarantine with its text
    broken = node.scratch.parent / f"{node.scratch.name}-broken.json"
    broken.write_text(json.dumps({"type": "bundle", "id": "bundle--1c2b7a52-6f63-4a1e-9d5e-3c7a1f0b9e22",
                                  "objects": [dict(secret, modified="never", content=TEXT + " Set aside.")]}))
    set_aside = node.run("ingest", broken)
    broken.unlink()
    check("the quarantine holds the words before", any(f.startswith("quarantine.db") for f, _, _ in traces(node.data)), set_aside.stdout + set_aside.stderr)

    # readers that hold something open: a listener that has heard all, and a pager in the middle
    listener = Listener(node, "0")
    heard = listener.wait(lambda i, event, data: others[-1]["id"] in data)
    check("the listener heard everything", listener.status == 200 and heard)
    first = node.taxii("GET", "/objects/?limit=5&match[version]=all")
    following = (first.json or {}).get("next")
    check("the pager is in the middle of the collection", first.status == 200 and following, first.bytes[:200])
    hits = node.lines("search", "zwirblefink")
    check("the word is found before", any(h["id"] == secret["id"] for h in hits), hits)
    check("the words stand in files before (the search below can find them)", {w for _, w, _ in traces(node.data)} >= set(WORDS[:3]),
          traces(node.data))

    began = time.monotonic()
    done = node.run("expunge", secret["id"], "--reason", "EXERCISE wrong person", timeout=60)
    print(f"  expunge answered after {time.monotonic() - began:.2f} s")
    check("expunge succeeds beside the running server", done.returncode == 0, done.stdout + done.stderr)
    left = traces(node.data)
    check("no file holds a trace once it has answered", not left, left)

    check("the listener is told with a delete that carries none of the words",
          (gone := listener.wait(lambda i, event, data: event == "delete" and secret["id"] in data)) and not any(w in gone[2].lower() for w in WORDS),
          gone)
    rest = node.taxii("GET", f"/objects/?limit=1000&match[version]=all&next={quote(following, safe='')}") if following else None
    check("the pager goes on, without the object", rest and rest.status == 200 and not any(w in rest.bytes.decode().lower() for w in WORDS),
          rest and (rest.status, rest.bytes[:200]))
    check("TAXII: the object is 404", node.taxii("GET", f"/objects/{secret['id']}/").status == 404)
    check("TAXII: it is in no manifest", secret["id"] not in str([page for page in node.pages(resource="manifest")]))
    check("search finds nothing", node.lines("search", "zwirblefink") == [] and node.lines("search", "gnorvelblatt.example") == [])
    check("links know its selectors no more", not any("gnorvelblatt" in str(l) for l in node.lines("links")))
    shown = node.run("show", "--json", secret["id"])
    check("show repeats no word of it", not any(w in (shown.stdout + shown.stderr).lower() for w in WORDS), shown.stdout + shown.stderr)
    check("the export has the others and not this one",
          (ids := {o["id"] for o in node.export()}) >= {o["id"] for o in others} and secret["id"] not in ids)
    again = node.taxii("POST", "/objects/", {"objects": [secret]})
    check("the same object is refused when it comes again", again.status == 202 and again.json["failure_count"] == 1, again.bytes[:300])
    left = traces(node.data)
    check("and that attempt leaves no trace either", not left, left)
    beside = node.run("verify")
    check("every tree verifies beside the server", beside.returncode == 0, beside.stdout + beside.stderr)
    listener.close()
    check("the server stops cleanly", node.stop() == 0)
    left = traces(node.data)
    check("no trace after the server has stopped", not left, left)
    check("no trace in the server's log", not traces(node.scratch), traces(node.scratch))
    rebuilt = node.run("rebuild", timeout=300)
    check("rebuild succeeds without the body", rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr)
    left = traces(node.data)
    check("no trace after a rebuild", not left, left)
    check("the ledger and its views verify", node.run("verify", "--views", timeout=300).returncode == 0)
check.finish()
