"""bank statements from the command line: CAMT.053 of two versions, against an independent reader; legs once; erased to the last byte
`eye money bank load|list|legs|erase` beside a running server and without one. The statements are made here, EXERCISE, with the
IBAN registry's example accounts; Python's own XML reader adds the same files up by paths."""
import gzip
import json
import xml.etree.ElementTree as tree
from decimal import Decimal

from node import INTAKE, Checks, Node

check = Checks()
VICTIM, MULE, EXCHANGE = "GB29NWBK60161331926819", "DE89370400440532013000", "NL91ABNA0417164300"
SECRET = "EXERCISE-secret-7319"


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


def entry(version, way, amount, day, other, reference):
    role = "Dbtr" if way == "CRDT" else "Cdtr"
    name = f"<Nm>EXERCISE &amp; {role}</Nm>"
    party = f"<{role}>{name}</{role}>" if version < 8 else f"<{role}><Pty>{name}</Pty></{role}>"
    status = "BOOK" if version < 8 else "<Cd>BOOK</Cd>"
    return (f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts>{status}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>'
            f"<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><RltdPties>{party}<{role}Acct><Id><IBAN>{other}</IBAN></Id>"
            f"</{role}Acct></RltdPties><RmtInf><Ustrd>{SECRET} {reference}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>")


def statement(version, own, number, opening, closing, entries):
    def balance(code, amount):
        return (f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
                "<Dt><Dt>2026-03-02</Dt></Dt></Bal>")
    return (f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02}"><BkToCstmrStmt>'
            f"<Stmt><Id>EX-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{own}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
            + balance("OPBD", opening) + balance("CLBD", closing) + "".join(entry(version, *e) for e in entries) + "</Stmt></BkToCstmrStmt></Document>")


def independent(text):
    """What a statement's entries come to and how many there are, by another reader and by paths."""
    root = tree.fromstring(text)
    space = {"c": root.tag[1:].partition("}")[0]}
    entries = root.findall(".//c:Ntry", space)
    cents = [int(Decimal(e.find("c:Amt", space).text) * 100) * (1 if e.find("c:CdtDbtInd", space).text == "CRDT" else -1) for e in entries]
    names = [e.find(".//c:IBAN", space).text for e in entries]
    return sorted(zip(cents, names))


MULE_PAGE = statement(2, MULE, 1, "10.00", "60.00", [("CRDT", "1250.00", "2026-03-02", VICTIM, "EX-1"), ("DBIT", "1200.00", "2026-03-02", EXCHANGE, "EX-2")])
VICTIM_PAGE = statement(8, VICTIM, 7, "1250.00", "0.00", [("DBIT", "1250.00", "2026-03-01", MULE, "EX-1")])
LATER_PAGE = statement(8, MULE, 3, "99.00", "100.00", [("CRDT", "1.00", "2026-03-09", VICTIM, "EX-9")])


def legs(node, account, *words):
    return json.loads(node.eye("money", "bank", "legs", "--json", *words, account))


def everywhere(node, word):
    return [str(p) for p in node.data.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]


def everything(node, how):
    folder = node.scratch / f"{how.split()[0]}-statements"
    folder.mkdir()
    files = {"mule.xml": MULE_PAGE.encode(), "victim.xml.gz": gzip.compress(VICTIM_PAGE.encode()), "later.xml": LATER_PAGE.encode(), "half.xml": MULE_PAGE[:-60].encode()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    load = ("money", "bank", "load", "--collection", "intake")
    done = node.run(*load, "--zone", "Europe/Berlin", "--json", folder / "mule.xml", folder / "victim.xml.gz")
    loads = [json.loads(line) for line in done.stdout.splitlines()]
    check(f"{how}: statements load, plain and compressed, each with its collection",
          done.returncode == 0 and [one["load"]["collection"] for one in loads] == [INTAKE] * 2 and not done.stderr, said(done))
    answer = legs(node, MULE)["legs"]
    own = [leg for leg in answer if leg["kind"] == "transfer"]
    told = sorted((int(leg["amount"]) * (1 if leg["to"] == MULE else -1), leg["from"] if leg["to"] == MULE else leg["to"]) for leg in own)
    check(f"{how}: legs and other sides are those that an independent reader finds", told == independent(MULE_PAGE), (told, independent(MULE_PAGE)))
    check(f"{how}: a transfer that both banks tell is one with two sources", [len(leg["sources"]) for leg in own] == [2, 1], own)
    check(f"{how}: a day is an interval in the zone named", (own[1]["earliest"], own[1]["latest"]) == ("2026-03-01T23:00:00Z", "2026-03-02T22:59:59Z"), own[1])
    line = json.loads(node.eye("money", "balance", "--json", "--chain", "bank-legs", MULE))
    check(f"{how}: the balance is what the bank says", (line["sum"], line["closed"]) == ("6000", True), line)
    parts = json.loads(node.eye("money", "inspect", "--json", "--chain", "bank-legs"))
    check(f"{how}: inspect has the chain of bank legs", parts["txs"] == 4, parts)
    text = node.eye("money", "bank", "legs", MULE)
    check(f"{how}: legs for people name banks and references", all(w in text for w in ("the payer's bank", "the payee's bank", "EX-1", EXCHANGE)), text)
    page = legs(node, MULE, "--limit", "1")
    check(f"{how}: legs come in pages", len(page["legs"]) == 1 and legs(node, MULE, "--from", str(page["next"]))["legs"] == answer[1:], page)

    again = node.run(*load, "--zone", "Europe/Berlin", folder / "mule.xml")
    check(f"{how}: the same file again is known", again.returncode == 0 and "loaded before, as load" in again.stdout, said(again))
    done = node.run(*load, folder / "later.xml")
    check(f"{how}: a missing page is named, a missing zone warned of", done.returncode == 0 and "a page is missing between them" in done.stderr and "--zone" in done.stderr, said(done))
    listed = json.loads(node.eye("money", "bank", "list", "--json"))
    check(f"{how}: list has loads and findings", len(listed["loads"]) == 3 and len(listed["findings"]) == 1, listed)
    for what, words, wanted in (
            ("a file that breaks off", (*load, folder / "half.xml"), "half.xml: the XML at byte"),
            ("a collection that is none", ("money", "bank", "load", "--collection", "nobody", folder / "mule.xml"), "eye collections"),
            ("a zone that is none", (*load, "--zone", "Nowhere/None", folder / "mule.xml"), "is not known")):
        done = node.run(*words)
        check(f"{how}: {what} is refused and says why", done.returncode == 1 and wanted in done.stderr and SECRET not in done.stderr, said(done))

    check(f"{how}: the statements' words stand in the node's files", everywhere(node, SECRET) and everywhere(node, EXCHANGE))
    done = node.run("money", "bank", "erase", *[str(one["id"]) for one in listed["loads"]])
    check(f"{how}: loads are erased", done.returncode == 0 and "is erased with its 2 legs" in done.stdout, said(done))
    left = [word for word in (SECRET, VICTIM, MULE, EXCHANGE, "EXERCISE &") if everywhere(node, word)]
    check(f"{how}: and no file of the node has a byte of them", not left, left)
    done = node.run("money", "bank", "legs", MULE)
    check(f"{how}: afterwards legs says that nothing is loaded", done.returncode == 1 and "eye money bank load" in done.stderr, said(done))


with Node(served=False) as node:
    everything(node, "without a server")
    node.start()
    everything(node, "beside a server")
    mode = (node.data / "money/_bank").stat().st_mode & 0o777
    check("nobody but the node's user looks into the statements", mode == 0o700, oct(mode))
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
