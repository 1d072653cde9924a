"""what newcomers bring: folders, spreadsheets, broken files, countries, lists that go again
`eye ingest FOLDER`, `eye import`, `eye reference remove`, beside a running server and without one."""
import json
import signal
import subprocess

from node import Checks, Node, note

check = Checks()
MAPPING = """delimiter = ";"
key = ["case"]
[object.report]
type = "incident"
columns.case = { to = "name" }
columns.story = { to = "description" }
[object.site]
type = "auto"
columns.site = { to = "value" }
related_to = "report"
"""


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-900:]}"


def countries(node):
    elsewhere = node.scratch / "elsewhere"
    done = node.run("init", "--data", elsewhere, "--name", "EXERCISE", "--country", "Thailand", data=False)
    check("init refuses what is no country and says what was meant", done.returncode != 0 and "TH (Thailand)" in done.stderr and not elsewhere.exists(), said(done))
    done = node.run("init", "--data", elsewhere, "--name", "EXERCISE", "--country", "th", data=False)
    check("init takes a country in any case", done.returncode == 0 and (elsewhere / "country").read_text() == "TH", said(done))
    done = node.run("ingest", "--country", "UK", node.scratch / "none.txt")
    check("so does ingest", done.returncode != 0 and "GB (United Kingdom)" in done.stderr, said(done))


def folder(node, how):
    """A folder as it comes: data, what describes it, what nobody can read."""
    root = node.scratch / ("folder-" + how.split()[0])
    (root / "sub").mkdir(parents=True)
    mark = how.split()[0]
    (root / "complaints.csv").write_text(f"case;story;site\n{mark}1;EXERCISE called;{mark}-one.example\n{mark}2;EXERCISE wrote;no site at all\n")
    (root / "mapping.toml").write_text(MAPPING)
    (root / "README.md").write_text("# EXERCISE our lists\n")
    (root / "LICENSE").write_text("free\n")
    (root / "empty.json").write_text("")
    (root / "schema.yaml").write_text("header:\n  title: text\n")
    (root / "thai.txt").write_text(f"EXERCISE {mark} ผู้เสียหายโทรมาบอกว่าถูกหลอกให้ไปทำงาน ติดต่อ {mark}-two.example\n")
    (root / "chinese.txt").write_text(f"EXERCISE {mark} 受害人说有人联系他，网站是 {mark}-three.example\n", encoding="utf-16")
    (root / "sub/objects.jsonl").write_text(json.dumps(note(f"EXERCISE {mark}")) + "\n" + json.dumps(note("EXERCISE two")) + "\n")
    (root / "noise.bin").write_bytes(bytes(range(256)) * 20)
    done = node.run("ingest", root)
    passed = [line for line in done.stderr.splitlines() if "passed by" in line]
    check(f"{how}: a folder: what is no data is passed by with a line", all(any(n in line for line in passed) for n in ("README.md", "LICENSE", "empty.json", "schema.yaml", "mapping.toml")) and len(passed) == 5, said(done))
    check(f"{how}: its CSV is read with the mapping beside it", "complaints.csv: read with the mapping" in done.stderr and "as csv: 3 new" in done.stdout, said(done))
    check(f"{how}: notes in Thai and in Chinese come in, whatever Windows wrote them in", all(node.lines("search", f"{mark}-{n}.example") for n in ("two", "three")), said(done))
    check(f"{how}: what nobody can read fails and is named, the rest is in", done.returncode == 1 and "noise.bin" in done.stderr and "as stix-lines: 2 new" in done.stdout, said(done))
    number = next(r["import"] for r in map(json.loads, node.eye("import", "list", "--json").splitlines()) if r["source"] == "complaints.csv")
    return number, mark


def quarantine(node, how, number, mark):
    """A row set aside is mended alone, with its header and mapping."""
    told = node.run("import", "quarantine", str(number))
    check(f"{how}: the quarantine says how rows are mended", "--raw > rows.csv" in told.stderr and "no-selector" not in told.stdout, said(told))
    rows = node.scratch / f"{mark}-rows.csv"
    raw = node.eye("import", "quarantine", "--raw", str(number))
    check(f"{how}: raw rows stand below their header", raw.splitlines() == ["\ufeffcase;story;site", f"{mark}2;EXERCISE wrote;no site at all"], raw)
    line = json.loads(node.eye("import", "quarantine", "--json", str(number)))
    check(f"{how}: --json gives the header with the row", line["header"] == "case;story;site" and mark in line["record"], line)
    rows.write_text(raw.replace("no site at all", f"{mark}-mended.example"))
    rows.with_suffix(".toml").write_text(node.eye("import", "quarantine", "--mapping", str(number)))
    done = node.run("ingest", rows)
    check(f"{how}: mended it comes in", done.returncode == 0 and "3 new, 0 known, 0 set aside" in done.stdout, said(done))
    done = node.run("import", "quarantine", "--mapping", str(number + 10_000))
    check(f"{how}: an import that is none is said so", done.returncode != 0 and "import list" in done.stderr, said(done))


def withdrawn(node, how, number, mark):
    """A whole import goes, from every door."""
    before = json.loads(node.eye("import", "show", "--json", str(number)))
    done = node.run("import", "withdraw", str(number), "--reason", "EXERCISE wrong file")
    check(f"{how}: an import is withdrawn whole", done.returncode == 0 and before["stands"] == 3 and "withdrew 3" in done.stdout, said(done))
    doors = {
        "search": node.lines("search", f"{mark}1"),
        "links": [l for l in node.lines("links") if f"{mark}-one.example" in json.dumps(l)],
        "export": [o for o in node.export() if o.get("name") == f"{mark}1"],
        "quarantine": node.eye("import", "quarantine", str(number)).splitlines(),
    }
    if node.process:
        taxii = node.taxii("GET", "/objects/?limit=1000").json or {}
        doors["taxii"] = [o for o in taxii.get("objects", []) if o.get("name") == f"{mark}1"]
    check(f"{how}: and is gone from every door", not any(doors.values()), doors)
    check(f"{how}: show says that nothing of it stands", json.loads(node.eye("import", "show", "--json", str(number)))["stands"] == 0)


def broken_off(node, how, mark):
    """A file that cannot be read to its end."""
    cut = node.scratch / f"{mark}-cut.jsonl.gz"
    lines = b"".join((json.dumps(note(f"EXERCISE {mark} {n}")) + "\n").encode() for n in range(2_000))
    import gzip
    cut.write_bytes(gzip.compress(lines)[:-3_000])
    done = node.run("ingest", "--json", cut)
    told = json.loads(done.stdout)
    check(f"{how}: a file that breaks off fails, and says why and what it took", done.returncode == 1 and told["broken"]["code"] == "file-broken" and told["added"] > 0, said(done))
    done = node.run("ingest", cut)
    number = str(told["import"])
    check(f"{how}: for people with how to go on and how to take it back", done.returncode == 1 and "not read to its end" in done.stdout and "eye import withdraw" in done.stderr, said(done))
    shown = json.loads(node.eye("import", "show", "--json", number))
    check(f"{how}: the import itself says so too", shown["broken"] == "file-broken" and "not read to its end" in node.eye("import", "show", number), shown)
    cut.write_bytes(gzip.compress(lines))
    done = node.run("ingest", "--json", cut)
    told = json.loads(done.stdout)
    check(f"{how}: whole it goes on, and takes nothing twice", done.returncode == 0 and told["added"] + told["same"] == 2_000 and told["same"] > 0, said(done))


def lists(node, how, mark):
    """A list comes, suppresses, goes, and what it suppressed links again."""
    site = f"{mark}-common.example"
    path = node.scratch / f"{mark}-common.txt"
    path.write_text(site + "\n")
    two = node.scratch / f"{mark}-two.jsonl"
    two.write_text("".join(json.dumps(note(f"EXERCISE {n} see {site}")) + "\n" for n in range(2)))
    node.eye("ingest", two)
    why = lambda: node.lines("links", site)[0]["suppressed"]
    check(f"{how}: two holders link", why() is None)
    done = node.run("reference", "add", "--kind", "warninglist", "--name", "not a name", path)
    check(f"{how}: a bad --name is the name's fault", done.returncode != 0 and "--name: `not a name`" in done.stderr and path.name not in done.stderr, said(done))
    name = f"{mark}-common"
    node.eye("reference", "add", "--kind", "warninglist", path)
    listed = [json.loads(line) for line in node.eye("reference", "list", "--json").splitlines()]
    mine = next(l for l in listed if l["name"] == name)
    check(f"{how}: reference list has kind, entries and day", (mine["kind"], mine["entries"]) == ("warninglist", 1) and mine["loaded"].endswith("Z") and f"{name}\twarninglist\t1 entries\tloaded 2" in node.eye("reference", "list"), listed)
    check(f"{how}: what is listed as common does not link", why() is not None)
    done = node.run("reference", "remove", "--json", name)
    told = json.loads(done.stdout)
    check(f"{how}: reference remove says what falls away and how it comes back", told["removed"] and "links from now on" in told["consequence"] and "reference add --kind warninglist" in told["consequence"], said(done))
    check(f"{how}: and it links again", why() is None)
    done = node.run("reference", "remove", name)
    check(f"{how}: a list that is not there is said so", done.returncode != 0 and "reference list" in done.stderr, said(done))


def stopped(node, how, mark):
    """Ctrl-C in the middle, then again."""
    path = node.scratch / f"{mark}-many.jsonl"
    path.write_text("".join(json.dumps(note(f"EXERCISE {mark} many {n}")) + "\n" for n in range(6_000)))
    number = lambda: [r for r in map(json.loads, node.eye("import", "list", "--json").splitlines()) if r["source"] == path.name]
    feed = subprocess.Popen([node.bin, "ingest", "--data", str(node.data), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = path.read_bytes()
    feed.stdin.write(text[: len(text) // 2])
    feed.stdin.flush()
    feed.send_signal(signal.SIGINT)
    feed.stdin.close()
    check(f"{how}: ctrl-C ends the command", feed.wait(120) != 0, feed.returncode)
    feed.stdout.close(), feed.stderr.close()
    done = node.run("ingest", "--json", path, timeout=300)
    told = json.loads(done.stdout)
    check(f"{how}: again, it goes on and takes nothing twice", done.returncode == 0 and told["added"] + told["same"] == 6_000, said(done))
    check(f"{how}: it is one import of its own", len(number()) == 1, number())


def everything(node, how):
    number, mark = folder(node, how)
    quarantine(node, how, number, mark)
    withdrawn(node, how, number, mark)
    broken_off(node, how, mark)
    lists(node, how, mark)
    stopped(node, how, mark)


with Node(served=False) as node:
    countries(node)
    everything(node, "without a server")
    node.start()
    everything(node, "beside a server")
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
