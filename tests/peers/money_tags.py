"""tags from the command line: packs, OFAC's list, signed addresses, what is said of an address, doctor
`eye money tags load|list|show|remove` and `eye money doctor` beside a running server and without one. Packs are made here, EXERCISE;
the public ones come from the shared data where they are present."""
import json
import os
import signal
import subprocess

from node import INTAKE, SHARED, Checks, Node

check = Checks()
BTC, TRX, EVM = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
# A published signature (Bitcoin Core's tests), whose message is "Trust no one".
SIGNED = ("15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs", "Trust no one",
          "IPojfrX2dfPnH26UegfbGQQLrdK844DlHq5157/P6h57WyuS/Qsl+h/WSVGDF4MUi4rWSswW38oimDYfNNUBUOk=")
HEAD = "title: EXERCISE pack\ncreator: EXERCISE bureau\nconfidence: forensic\nsource: https://tags.example/\n"
PACK = HEAD + f"""label: EXERCISE desk
category: otc_desk
tags:
- address: {BTC}
  currency: BTC
- address: '{EVM}'
  currency: USDT
- address: {TRX}
  currency: USDT
- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyU
  currency: BTC
- address: '0x0000000000000000000000000000000000000001'
  currency: ETH
"""
OTHER = HEAD + f"label: EXERCISE exchange\nactor: exercise_exchange\ncategory: exchange\ncurrency: BTC\ntags:\n- address: {BTC}\n"
ACTORS = "title: EXERCISE actors\ncreator: EXERCISE bureau\nactors:\n- id: exercise_exchange\n  label: EXERCISE exchange\n  categories: [exchange]\n  jurisdictions: [TH]\n"


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def shown(node, address):
    return json.loads(node.eye("money", "tags", "show", "--json", address))


def doctor(node):
    return json.loads(node.eye("money", "doctor", "--json"))["coverage"]


def everything(node, how):
    folder = node.scratch / f"{how.split()[0]}-packs"
    (folder / "more").mkdir(parents=True)
    files = {"desk.yaml": PACK, "more/exchange.yaml": OTHER, "actors.yml": ACTORS, "notes.txt": "not a pack"}
    for name, text in files.items():
        (folder / name).write_text(text)
    done = node.run("money", "tags", "load", "--collection", "intake", "--marking", "amber", "--uri", "https://packs.example/", "--json", folder)
    batches = lines(done.stdout)
    check(f"{how}: a folder loads, a batch a YAML file of it, folders in it included",
          done.returncode == 0 and [b["pack"] for b in batches] == ["actors.yml", "desk.yaml", "exchange.yaml"], said(done))
    counts = batches[1]["counts"]
    check(f"{how}: what is refused and left out is counted and named",
          (counts["tags"], counts["refused"], counts["placeholders"]) == (3, 1, 1) and "tag 4: the address's checksum" in done.stderr, said(done))
    check(f"{how}: a batch says for whom it is", (batches[1]["collection"], batches[1]["marking"]) == (INTAKE, "TLP:AMBER"), batches[1])
    again = node.run("money", "tags", "load", "--collection", "intake", folder / "desk.yaml")
    check(f"{how}: the same file again is known", again.returncode == 0 and "loaded before, as batch" in again.stdout, said(again))
    check(f"{how}: list has a line a batch", [b["id"] for b in lines(node.eye("money", "tags", "list", "--json"))] == [b["id"] for b in batches])

    answer = shown(node, BTC)
    check(f"{how}: both statements stand there, each with its source",
          {s["label"] for s in answer["statements"]} == {"EXERCISE desk", "EXERCISE exchange"}
          and all(s["said_by"][0]["source"] == "https://tags.example/" for s in answer["statements"]), answer)
    check(f"{how}: contradictions are shown, not averaged", [c["about"] for c in answer["conflicts"]] == ["category"], answer["conflicts"])
    check(f"{how}: a token names no chain", [shown(node, a)["statements"][0]["network"] for a in (EVM.lower(), TRX)] == ["evm", "trx"])
    look = node.run("money", "tags", "show", EVM[:8] + "1" * 30 + EVM[-4:])
    check(f"{how}: an address that looks like a tagged one is warned of", "compare every character" in look.stdout and EVM.lower() in look.stdout, said(look))
    text = node.eye("money", "tags", "show", BTC)
    check(f"{how}: show for people names pack, author, batch", all(w in text for w in ("EXERCISE bureau", "desk.yaml tag 1", "conflict, category", "otc_desk")), text)
    nothing = node.run("money", "tags", "show", "1BoatSLRHtKNngkdXEeobR76b53LETtpyU")
    check(f"{how}: a wrong checksum is said, and that no tag says nothing", "checksum" in nothing.stdout and "says nothing" in nothing.stdout, said(nothing))

    coverage = doctor(node)
    check(f"{how}: doctor counts", (coverage["read"], coverage["tags"], coverage["repeats"], coverage["placeholders"], coverage["refused"]) == (6, 4, 0, 1, 1), coverage)
    text = node.eye("money", "doctor")
    check(f"{how}: doctor says which rules find nothing for want of tags", "rule sanctions" in text or "fewer than" in text, text)

    table = folder / "EXERCISE-reserves.csv"
    address, message, signature = SIGNED
    table.write_text(f"coin,amount\nBTC,1\n\ncoin,network,address,message,signature1\nBTC,BTC,{address},{message},{signature}\nBTC,BTC,{BTC},{message},{signature}\n")
    done = node.run("money", "tags", "load", table)
    check(f"{how}: signed addresses need their signer", done.returncode == 1 and "--actor" in done.stderr, said(done))
    done = node.run("money", "tags", "load", "--actor", "exercise_exchange", "--signs-as", "trust", "--json", table)
    batch = lines(done.stdout)[0]
    check(f"{how}: a signature that holds tags, one that does not is refused by line",
          (batch["counts"]["tags"], batch["counts"]["refused"]) == (1, 1) and "line 6" in done.stderr, said(done))
    saying = shown(node, address)["statements"][0]["said_by"][0]
    check(f"{how}: its class is recorded, its confidence ownership", (saying["class"], saying["confidence"], saying["actor_name"]) == ("recorded", "ownership", "EXERCISE exchange"), saying)

    for what, words, wanted in (
            ("a file that is not there", (folder / "absent.yaml",), "absent.yaml"),
            ("a file that holds no tags", (folder / "notes.txt",), "notes.txt"),
            ("a collection that is none", ("--collection", "nobody", folder), "eye collections")):
        done = node.run("money", "tags", "load", *words)
        check(f"{how}: {what} is refused and says why", done.returncode == 1 and wanted in done.stderr and not done.stdout, said(done))
    check(f"{how}: a marking that is none is refused", node.run("money", "tags", "load", "--marking", "blue", folder).returncode == 2)
    kept = lines(node.eye("money", "tags", "list", "--json"))
    done = node.run("money", "tags", "remove", *[str(b["id"]) for b in kept])
    check(f"{how}: batches go whole", done.returncode == 0 and node.run("money", "tags", "list").stdout == "" and shown(node, BTC)["statements"] == [], said(done))
    check(f"{how}: and leave no file", sorted(p.name for p in (node.data / "money/_tags").iterdir()) == ["lock", "manifest"])
    done = node.run("money", "tags", "remove", "1")
    check(f"{how}: a batch that is not there is said so", done.returncode == 1 and "eye money tags list" in done.stderr, said(done))


def stopped(node):
    """Ctrl-C in the midst of a load; a second load is told who has the store. The pack is one that takes seconds to read."""
    pack = node.scratch / "EXERCISE-many.yaml"
    with open(pack, "w") as file:
        file.write(HEAD + "label: EXERCISE\ncurrency: EOS\ntags:\n")
        file.writelines(f"- address: exercise{n}\n" for n in range(400_000))
    child = subprocess.Popen([node.bin, "money", "tags", "load", "--data", node.data, pack], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    rows = node.data / "money/_tags"
    while child.poll() is None and not list(rows.glob("*.rows")):
        os.sched_yield()
    busy = node.run("money", "tags", "load", pack)
    check("a second load is told who has the store", busy.returncode == 1 and f"process {child.pid} loads" in busy.stderr, said(busy))
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    check("Ctrl-C ends with 130 and keeps nothing of its file", child.returncode == 130 and "nothing of" in err and not out, (child.returncode, out, err))
    check("no file of it is left", not list(rows.glob("*.rows")) and node.run("money", "tags", "list").stdout == "")


def real(node):
    packs = SHARED / "data/wallets/tagpacks/packs"
    if not packs.exists():
        print("  (the public packs are not on this machine)")
        return
    done = node.run("money", "tags", "load", packs / "usdt_blacklist.yaml", packs / "wasabi_collector.yaml")
    check("public packs load", done.returncode == 0 and "15 placeholders left out" in done.stdout and "1 of CoinJoin users" in done.stdout, said(done))


with Node(served=False) as node:
    done = node.run("money", "tags", "list")
    check("before any load list says what to do", done.returncode == 0 and "eye money tags load" in done.stderr, said(done))
    check("and doctor that there is nothing", doctor(node)["tags"] == 0)
    everything(node, "without a server")
    stopped(node)
    node.start()
    everything(node, "beside a server")
    real(node)
    mode = (node.data / "money/_tags").stat().st_mode & 0o777
    check("nobody but the node's user looks into the tags", mode == 0o700, oct(mode))
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
