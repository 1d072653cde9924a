"""clusters from the command line: who is one party, why, what parts two, contradictions, decisions and their undoing, erasure
`eye money cluster|why|apart|contradictions|decide|decisions` beside a running server and without one, as text and as JSON. Both
chains are made here, EXERCISE: coins on regtest, and a Safe of an account chain whose owner is stated twice."""
import hashlib
import json
import os

from node import Checks, Node

check = Checks()
EASIEST = 0x207FFFFF  # regtest's target: every second hash will do
COINS, ACCOUNTS = "btc-regtest", "evm-31337"
NOT_ON_RECORD = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
SAFE_SETUP = "0x141df868a6331af528e38c83b7aa03edc19be66e37ae67f9285bf4f8e3c6a1a8"
ADDED_OWNER = "0x9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26"
HEAD = "title: EXERCISE pack\ncreator: EXERCISE bureau\nconfidence: forensic\nsource: https://tags.example/\n"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
UNTOLD = "EXERCISE reason that is to be erased 5f0c"


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def coin(n):
    """The regtest address of a key hash of n's."""
    raw = b"\x6f" + bytes([n] * 20)
    number, text = int.from_bytes(raw + sha256d(raw)[:4], "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = ALPHABET[rest] + text
    return text


def transaction(inputs, outputs):
    """Plain bytes; inputs are (id, place) or a coinbase's script, outputs (key, value)."""
    raw = b"\x02\x00\x00\x00" + bytes([len(inputs)])
    for given in inputs:
        where, place, script = (bytes(32), 0xFFFFFFFF, given) if isinstance(given, bytes) else (given[0], given[1], b"\x01\x01")
        raw += where + place.to_bytes(4, "little") + bytes([len(script)]) + script + b"\xff" * 4
    raw += bytes([len(outputs)])
    for key, value in outputs:
        raw += value.to_bytes(8, "little") + b"\x19\x76\xa9\x14" + bytes([key] * 20) + b"\x88\xac"
    return raw + bytes(4)


def block(height, parent, txs):
    layer = [sha256d(tx) for tx in txs]
    while len(layer) > 1:
        layer += layer[-1:] * (len(layer) % 2)
        layer = [sha256d(a + b) for a, b in zip(layer[::2], layer[1::2])]
    for nonce in range(10_000):
        header = (b"\x01\x00\x00\x00" + parent + layer[0] + (1_700_000_000 + height).to_bytes(4, "little")
                  + EASIEST.to_bytes(4, "little") + nonce.to_bytes(4, "little"))
        if int.from_bytes(sha256d(header), "little") <= 0x7FFFFF << (8 * 29):
            return header + bytes([len(txs)]) + b"".join(txs), sha256d(header)
    raise AssertionError("no nonce will do")


def coins(folder):
    """Raw blocks; the ids of: two that spend keys 1 and 2 together, one of keys 2 and 3, a CoinJoin of 11 to 15, a payment of 21's."""
    folder.mkdir()
    base = lambda height, outputs: transaction([bytes([0x50 + height]) + b"\x01\x07" if height else b"\x00\x01\x07"], outputs)
    first = base(0, [(key, 1_000_100) for key in (1, 2, 1, 2, 2, 3, 11, 12, 13, 14, 15, 21)])
    of = lambda *places: [(sha256d(first), place) for place in places]
    spends = [transaction(of(0, 1), [(30, 2_000_000)]), transaction(of(2, 3), [(31, 1_500_000)]), transaction(of(4, 5), [(32, 1_900_000)]),
              transaction(of(6, 7, 8, 9, 10), [(key, 1_000_000) for key in range(41, 46)]),
              transaction(of(11), [(22, 600_000), (23, 400_000)])]
    parent = bytes(32)
    for height, txs in enumerate(([first], [base(1, [(99, 1)]), *spends])):
        raw, parent = block(height, parent, txs)
        (folder / f"{height}.raw").write_bytes(raw)
    return [sha256d(tx)[::-1].hex() for tx in spends]


def account(n):
    return "0x" + bytes([n] * 20).hex()


def word(n):
    return "0x" + n.to_bytes(32, "big").hex()


def padded(n):
    return "0x" + "00" * 12 + bytes([n] * 20).hex()


def accounts(folder):
    """A dump: Safe 9 of key 4 is set up, names the key as owner again, and pays; account 1 is emptied to 7. Ids of the first two."""
    folder.mkdir()
    heads = {"blocks": "number,hash,parent_hash,miner,difficulty,timestamp,transaction_count,base_fee_per_gas,withdrawals",
             "transactions": "hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas,gas_price,input,block_timestamp",
             "receipts": "transaction_hash,transaction_index,block_hash,block_number,cumulative_gas_used,gas_used,status,effective_gas_price",
             "logs": "log_index,transaction_hash,transaction_index,block_hash,block_number,address,data,topics",
             "traces": "block_number,transaction_hash,transaction_index,from_address,to_address,value,trace_type,call_type,trace_address,status"}
    rows = {name: [head] for name, head in heads.items()}
    setup = "0x" + "".join(word(n)[2:] for n in (128, 1, 0, 0, 1)) + padded(4)[2:]
    story = [  # signer, called, value, log, inner payment
        (4, 9, 0, (9, setup, f"{SAFE_SETUP},{padded(4)}"), None),
        (4, 9, 0, (9, "0x", f"{ADDED_OWNER},{padded(4)}"), None),
        (4, 9, 0, None, (9, 3, 5)),
        (5, 1, 900, None, None),
        (1, 7, 900, None, None),
    ]
    for height, (signer, called, value, log, inner) in enumerate(story, 1):
        own, before, tx = word(height), word(height - 1), word(1000 + height)
        rows["blocks"].append(f'{height},{own},{before},{account(8)},0,{1000 + 60 * height},1,0,"[]"')
        rows["transactions"].append(f"{tx},0,{own},{height},0,{account(signer)},{account(called)},{value},21000,0,0x,{1000 + 60 * height}")
        rows["receipts"].append(f"{tx},0,{own},{height},0,0,1,0")
        rows["traces"].append(f"{height},{tx},0,{account(signer)},{account(called)},{value},call,call,,1")
        if log:
            rows["logs"].append(f'0,{tx},0,{own},{height},{account(log[0])},{log[1]},"{log[2]}"')
        if inner:
            rows["traces"].append(f'{height},{tx},0,{account(inner[0])},{account(inner[1])},{inner[2]},call,call,"[0]",1')
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return [word(1001), word(1002)]


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


def ask(node, what, chain, *words):
    return json.loads(node.eye("money", what, "--chain", chain, "--json", *words))


def contradicted(node, chain):
    return [json.loads(line) for line in node.eye("money", "contradictions", "--chain", chain, "--json").splitlines()]


def decided(node, chain, *words):
    return node.run("money", "decide", *words[:1], "--chain", chain, "--reason", "EXERCISE reason", *words[1:])


def standing(node):
    return [json.loads(line) for line in node.eye("money", "decisions", "--json").splitlines()]


def number(done):
    return done.stdout.split(":")[0].split()[-1]


def refused(node, how, what, wanted, chain, *words):
    before = len(standing(node))
    done = decided(node, chain, *words)
    check(f"{how}: {what} is refused, says why, and nothing is written",
          done.returncode == 1 and wanted in done.stderr and not done.stdout and len(standing(node)) == before, said(done))


def loaded(node):
    folder = node.scratch / "given"
    folder.mkdir()
    ids = coins(folder / "coins"), accounts(folder / "accounts")
    node.eye("money", "load", "--chain", COINS, *sorted((folder / "coins").glob("*.raw")))
    node.eye("money", "load", "--chain", ACCOUNTS, folder / "accounts")
    service = HEAD + "label: EXERCISE exchange\nactor: exercise_exchange\ncategory: exchange\ncurrency: USDT\ntags:\n"
    (folder / "service.yaml").write_text(service + f"- address: '{account(7)}'\n")
    done = node.run("money", "tags", "load", "--json", folder / "service.yaml")
    check("tags load", done.returncode == 0, said(done))
    return ids, json.loads(done.stdout)["id"]


def asked(node, how, ids):
    (first, second, third, join, _), (setup, again) = ids
    told = ask(node, "cluster", COINS)
    check(f"{how}: a chain's clusters in numbers", told["largest"] == 3 and sum(told["apart"].values()) == 1, told)
    told = ask(node, "cluster", COINS, coin(2))
    check(f"{how}: one address's cluster, a page of it", told["size"] == 3 and coin(1) in told["members"], told)
    page = ask(node, "cluster", COINS, "--from", "2", "--limit", "2", coin(2))
    check(f"{how}: the last page says that it is", len(page["members"]) == 1 and page["next"] is None, page)
    why = ask(node, "why", COINS, coin(1), coin(3))
    steps = [(s["class"], s["rule"]) for s in why["chain"]]
    check(f"{how}: why gives each step's class and the weakest", why["class"] == "inferred" and steps == [("inferred", "multi-input")] * 2, why)
    check(f"{how}: each inferred step has the measured error with its data set", all("seeds" in s["measured"] for s in why["chain"]), why)
    text = node.eye("money", "why", "--chain", COINS, coin(1), coin(3))
    check(f"{how}: why for people names the transactions", first in text or second in text and third in text, text)
    apart = ask(node, "apart", COINS, coin(1), coin(2))
    check(f"{how}: apart names both transactions, and that none is too many",
          apart["fewest"] and sorted(w["transaction"] for w in apart["without"]) == sorted([first, second]), apart)
    apart = ask(node, "apart", ACCOUNTS, account(9), account(4))
    check(f"{how}: an owner that was stated twice needs both statements, and no more is claimed",
          [w["transaction"] for w in apart["without"]] == sorted([setup, again]) and not apart["fewest"], apart)
    text = node.eye("money", "apart", "--chain", ACCOUNTS, account(9), account(4))
    check(f"{how}: apart for people says so", setup in text and again in text and "a shorter one may" in text, text)
    why = ask(node, "why", ACCOUNTS, account(9), account(4))
    check(f"{how}: a Safe and its owner are bound", (why["class"], why["chain"][0]["rule"]) == ("bound", "controls"), why)
    for what, words, wanted in (
            ("an address that is not on record", ("why", COINS, NOT_ON_RECORD, coin(1)), "not on record"),
            ("no address at all", ("cluster", COINS, "nobody"), "no address"),
            ("two clusters' addresses", ("why", COINS, coin(1), coin(21)), "different clusters"),
            ("what is apart already", ("apart", COINS, coin(11), coin(12)), "different clusters"),
            ("a chain that was not loaded", ("cluster", "eth"), "nothing of eth")):
        done = node.run("money", words[0], "--chain", words[1], *words[2:])
        check(f"{how}: {what} is an error that says so", done.returncode == 1 and wanted in done.stderr and not done.stdout, said(done))


def mistakes(node, how, ids):
    (first, _, _, join, pays), (setup, _) = ids
    for what, wanted, chain, words in (
            ("to include a CoinJoin's transaction", "shape", COINS, ("include", "--transaction", join)),
            ("to exclude a CoinJoin's transaction", "shape", COINS, ("exclude", "--transaction", join)),
            ("to include what nothing excludes", "no decision excludes", COINS, ("include", "--transaction", first)),
            ("to exclude what unites nobody", "no two addresses", COINS, ("exclude", "--transaction", pays)),
            ("a transaction that is not on record", "not on record", COINS, ("exclude", "--transaction", "ab" * 32)),
            ("a batch that is none", "there is none", COINS, ("exclude", "--tags", "77")),
            ("a decision that is none", "no decision 77", COINS, ("exclude", "--decision", "77")),
            ("a rule that unites nothing", "unites nothing", COINS, ("exclude", "--rule", "tag")),
            ("an output that is none", "no such output", COINS, ("change", pays, "9")),
            ("an address with itself", "are one", COINS, ("merge", coin(1), coin(1))),
            ("an address that is not on record", "not on record", COINS, ("merge", coin(1), NOT_ON_RECORD)),
            ("a split of what is apart", "different clusters", COINS, ("split", coin(11), coin(12))),
            ("a payment as a witness of control", "nothing of control", ACCOUNTS, ("exclude", "--transaction", word(1004)))):
        refused(node, how, what, wanted, chain, *words)
    done = node.run("money", "decide", "merge", "--chain", COINS, "--reason", " ", coin(1), coin(21))
    check(f"{how}: a decision without a reason is refused", done.returncode == 1 and "say why" in done.stderr, said(done))
    done = node.run("money", "decide", "merge", "--chain", COINS, coin(1), coin(21))
    check(f"{how}: so is one that names none at all", done.returncode == 2, said(done))


def decisions(node, how, ids, batch):
    (first, second, third, _, pays), (setup, again) = ids
    size = lambda chain, address: ask(node, "cluster", chain, address)["size"]
    merge = decided(node, COINS, "merge", coin(1), coin(21))
    check(f"{how}: a merge unites as asserted", merge.returncode == 0 and ask(node, "why", COINS, coin(1), coin(21))["class"] == "asserted", said(merge))
    step = ask(node, "why", COINS, coin(1), coin(21))["chain"][0]
    check(f"{how}: its step says who decided and why", step["author"] and step["reason"] == "EXERCISE reason", step)
    refused(node, how, "the same decision twice", "says so already", COINS, "merge", coin(21), coin(1))
    split = decided(node, COINS, "split", coin(1), coin(2))
    check(f"{how}: a split excludes both witnesses", split.returncode == 0 and first in split.stdout and second in split.stdout, said(split))
    check(f"{how}: and parts them", size(COINS, coin(2)) == 2 and node.run("money", "why", "--chain", COINS, coin(1), coin(2)).returncode == 1)
    change = decided(node, COINS, "change", pays, "1")
    check(f"{how}: change joins its payer", change.returncode == 0 and size(COINS, coin(23)) == 3, said(change))
    out = decided(node, COINS, "exclude", "--transaction", third)
    check(f"{how}: an excluded transaction unites nothing", out.returncode == 0 and size(COINS, coin(3)) == 1, said(out))
    refused(node, how, "to exclude it again", "excluded already", COINS, "exclude", "--transaction", third)
    back = decided(node, COINS, "include", "--transaction", third)
    check(f"{how}: an included one does again", back.returncode == 0 and size(COINS, coin(3)) == 2, said(back))
    rule = decided(node, COINS, "exclude", "--rule", "multi-input")
    check(f"{how}: a rule goes whole", rule.returncode == 0 and size(COINS, coin(3)) == 1, said(rule))
    both = decided(node, ACCOUNTS, "split", account(9), account(4))
    check(f"{how}: a split counts every statement of an owner", both.returncode == 0 and setup in both.stdout and again in both.stdout
          and size(ACCOUNTS, account(9)) == 1, said(both))
    told = ask(node, "cluster", ACCOUNTS, account(7))
    check(f"{how}: a tag that names no chain counts, and is told as such",
          told["parties"] == [{"party": "exercise_exchange", "unnamed_chain": True}], told)
    check(f"{how}: for people too", "names no chain" in node.eye("money", "cluster", "--chain", ACCOUNTS, account(7)))
    check(f"{how}: it makes a customer", ask(node, "cluster", ACCOUNTS)["customers"] == 1)
    coverage = {line["network"]: line for line in json.loads(node.eye("money", "doctor", "--json"))["coverage"]["networks"]}
    rules = {rule["rule"]: rule["has"] for rule in coverage[ACCOUNTS]["rules"]}
    check(f"{how}: doctor counts it for the chain's rules, and as its own network's tag", rules["customer-of"] == 1
          and (coverage[ACCOUNTS]["tags"], coverage["evm"]["tags"]) == (0, 1), coverage)
    tags = decided(node, ACCOUNTS, "exclude", "--tags", batch)
    check(f"{how}: an excluded batch names nobody and has no services", tags.returncode == 0 and ask(node, "cluster", ACCOUNTS)["customers"] == 0
          and ask(node, "cluster", ACCOUNTS, account(7))["parties"] == [], said(tags))
    for done in (merge, split, change, rule):
        undo = decided(node, COINS, "exclude", "--decision", number(done))
        check(f"{how}: a decision is undone", undo.returncode == 0 and "is undone" in undo.stdout, said(undo))
    for done in (both, tags):
        decided(node, ACCOUNTS, "exclude", "--decision", number(done))
    check(f"{how}: and everything is as it was", (size(COINS, coin(2)), size(COINS, coin(23)), size(ACCOUNTS, account(9))) == (3, 1, 2)
          and ask(node, "cluster", ACCOUNTS)["customers"] == 1)
    refused(node, how, "to undo it again", "excluded already", COINS, "exclude", "--decision", number(merge))
    listed = {one["number"]: one for one in standing(node)}
    check(f"{how}: the list says what undid what", listed[int(number(merge))]["undone_by"] and listed[int(number(back))]["undone_by"] is None, listed)
    text = node.eye("money", "decisions", "--chain", COINS)
    check(f"{how}: for people too, with reason and author", "undone by decision" in text and "EXERCISE reason" in text and setup not in text, text)


def erased(node, how):
    done = node.run("money", "decide", "merge", "--chain", COINS, "--reason", UNTOLD, coin(11), coin(12))
    one = next(d for d in standing(node) if d["reason"] == UNTOLD)
    check(f"{how}: it stood", ask(node, "cluster", COINS, coin(11))["size"] == 2, said(done))
    done = node.run("expunge", one["id"], "--reason", "EXERCISE")
    check(f"{how}: a decision is erased", done.returncode == 0, said(done))
    check(f"{how}: and clusters are solved without it", ask(node, "cluster", COINS, coin(11))["size"] == 1
          and one["number"] not in [d["number"] for d in standing(node)])
    done = node.run("expunge", one["id"], "--reason", "EXERCISE")
    check(f"{how}: a second time there is none", done.returncode == 1 and "no decision has this id" in done.stderr, said(done))
    holds = [path for folder, _, names in os.walk(node.data) for path in (os.path.join(folder, name) for name in names)
             if os.path.isfile(path) and UNTOLD.encode() in open(path, "rb").read()]
    check(f"{how}: no file has its reason", not holds, holds)
    done = node.run("verify", "--views")
    check(f"{how}: the record still proves itself, views and all", done.returncode == 0, said(done))
    after = decided(node, COINS, "merge", coin(13), coin(14))
    check(f"{how}: its number is not given again", int(number(after)) > one["number"], said(after))
    decided(node, COINS, "exclude", "--decision", number(after))


def everything(node, how, ids, batch):
    asked(node, how, ids)
    mistakes(node, how, ids)
    decisions(node, how, ids, batch)
    erased(node, how)


def contradictions(node):
    pack = node.scratch / "given/two.yaml"
    pack.write_text(HEAD + "currency: USDT\ntags:\n" + "".join(
        f"- address: '{account(n)}'\n  label: EXERCISE {n}\n  actor: exercise_{n}\n" for n in (3, 5)))
    node.eye("money", "tags", "load", pack)
    check("no cluster holds two parties", contradicted(node, ACCOUNTS) == [])
    merge = decided(node, ACCOUNTS, "merge", account(3), account(5))
    told = contradicted(node, ACCOUNTS)
    check("one that a person made of two does, and is told with both",
          [sorted(p["party"] for p in one["parties"]) for one in told] == [["exercise_3", "exercise_5"]], told)
    text = node.eye("money", "contradictions", "--chain", ACCOUNTS)
    check("for people too", "1 clusters hold two parties" in text and "exercise_5 at" in text, text)
    check("a page behind the last holds none", node.eye("money", "contradictions", "--chain", ACCOUNTS, "--json", "--from", "1") == "")
    decided(node, ACCOUNTS, "exclude", "--decision", number(merge))
    check("without the merge there is none", contradicted(node, ACCOUNTS) == [])


with Node(served=False) as node:
    ids, batch = loaded(node)
    everything(node, "without a server", ids, str(batch))
    node.start()
    everything(node, "beside a server", ids, str(batch))
    contradictions(node)
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
