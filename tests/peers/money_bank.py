"""bank statements from the command line: CAMT.053 of two versions, against an independent reader; legs once; erased to the last byte; through an exchange's return onto a chain
`eye money bank load|list|legs|erase` beside a running server and without one. The statements are made here, EXERCISE, with the
IBAN registry's example accounts; Python's own XML reader adds the same files up by paths."""
import gzip
import json
import xml.etree.ElementTree as tree
import zipfile
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


RETURN = """institution = "EXERCISE-EXCHANGE"
zone = "Asia/Bangkok"
accounts = ["NL91ABNA0417164300"]
networks.TEST = "exercise-chain"
assets.USDT = { decimals = 6, contracts = { exercise-chain = "EXERCISE-contract" } }
[[table]]
rows = "deposits"
asset = "EUR"
columns = { account = "user", amount = "eur", time = "day", reference = "ref" }
[[table]]
rows = "withdrawals"
sheet = "Withdrawals"
columns = { account = "user", amount = "qty", asset = "coin", time = "at", tx = "txid", network = "net", address = "to" }
[[table]]
rows = "logins"
columns = { account = "user", time = "at", ip = "ip" }
"""
ROWS = [["user", "qty", "coin", "at", "txid", "net", "to"], ["U1", "1290", "USDT", "2026-03-03 10:00:00", "EXERCISE-tx", "TEST", "EXERCISE-scammer"]]


def workbook(path, sheet, rows):
    """An .xlsx of one sheet, texts in its cells: no library of the reader's kind."""
    base = "http://schemas.openxmlformats.org"
    main, rels, package = f"{base}/spreadsheetml/2006/main", f"{base}/officeDocument/2006/relationships", f"{base}/package/2006/relationships"
    cells = "".join(f'<row r="{r}">' + "".join(f'<c r="{chr(65 + c)}{r}" t="inlineStr"><is><t>{text}</t></is></c>' for c, text in enumerate(row)) + "</row>"
                    for r, row in enumerate(rows, 1))
    link = '<Relationships xmlns="' + package + '"><Relationship Id="r1" Type="' + rels + '/{}" Target="{}"/></Relationships>'
    parts = {"_rels/.rels": link.format("officeDocument", "xl/workbook.xml"), "xl/_rels/workbook.xml.rels": link.format("worksheet", "worksheets/sheet1.xml"),
             "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rels}"><sheets><sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
             "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)


def through_an_exchange(node):
    folder = node.scratch / "returns"
    folder.mkdir()
    (folder / "return.toml").write_text(RETURN)
    (folder / "mule.xml").write_text(MULE_PAGE)
    (folder / "deposits.csv").write_text("user,eur,day,ref\nU1,1200.00,2026-03-02,EX-2\n")
    (folder / "logins.csv").write_text("user,at,ip\nU1,2026-03-02 08:00:00,192.0.2.1\n")
    (folder / "wrong.csv").write_text("user,eur,day,ref\nU1,12.001,2026-03-02,EX-3\nU1,5.00,2026-03-02,EX-4\n")
    workbook(folder / "withdrawals.xlsx", "Withdrawals", ROWS)
    load = ("money", "bank", "load", "--collection", "intake", "--zone", "Europe/Berlin")
    mapped = (*load, "--mapping", folder / "return.toml")
    done = node.run(*load, folder / "mule.xml")
    check("the statement loads", done.returncode == 0, said(done))
    done = node.run(*mapped, folder / "deposits.csv", folder / "withdrawals.xlsx", folder / "logins.csv")
    check("an exchange's return loads as CSV and as a workbook", done.returncode == 0 and not done.stderr and "1 logins" in done.stdout, said(done))
    first = [leg for leg in legs(node, MULE)["legs"] if leg["to"] == "EXERCISEEXCHANGE/U1"]
    check("the bank's debit and the exchange's credit are one leg of two sources", len(first) == 1 and len(first[0]["sources"]) == 2 and first[0]["class"] == "recorded", first)
    out = [leg for leg in legs(node, "EXERCISEEXCHANGE/U1")["legs"] if leg["on_chain"]]
    check("a withdrawal goes on to the chain's address and transaction",
          [(leg["to"], leg["amount"], leg["on_chain"]["tx"], leg["on_chain"]["recorded"]) for leg in out]
          == [("exercise-chain:EXERCISE-scammer", "1290000000", "EXERCISE-tx", "chain-not-loaded")], out)
    text = node.eye("money", "bank", "legs", "EXERCISEEXCHANGE/U1")
    check("legs for people say so", "on exercise-chain in transaction EXERCISE-tx: the chain is not loaded here" in text, text)
    (folder / "chain.toml").write_text('from="from"\nto="to"\namount="amount"\ntime="time"\ntx="tx"\nasset_is="EXERCISE-contract"')
    (folder / "chain.csv").write_text("from,to,amount,time,tx\nhot,EXERCISE-scammer,1290000000,2026-03-03 03:00:00,EXERCISE-tx\n")
    done = node.run("money", "load", "--chain", "exercise-chain", "--mapping", folder / "chain.toml", folder / "chain.csv")
    out = [leg["on_chain"]["recorded"] for leg in legs(node, "EXERCISEEXCHANGE/U1")["legs"] if leg["on_chain"]]
    check("and once the chain is loaded, the transaction is on record", out == ["on-record"], (out, said(done)))
    logins = json.loads(node.eye("money", "bank", "logins", "--json", "EXERCISEEXCHANGE/U1"))
    check("logins are listed", [one["login"]["ip"] for one in logins["logins"]] == ["192.0.2.1"] and logins["next"] is None, logins)
    done = node.run(*mapped, folder / "wrong.csv")
    check("a wrong row is named by row and column, the rest is kept", done.returncode == 0 and 'row 2 column "eur"' in done.stderr and "12.001" not in done.stderr, said(done))
    loads = [one["id"] for one in json.loads(node.eye("money", "bank", "list", "--json"))["loads"]]
    for load in loads:
        done = node.run("expunge", f"bank-load--{load}", "--reason", "EXERCISE")
        check(f"expunge reaches load {load}", done.returncode == 0 and "erased load" in done.stdout, said(done))
    left = [word for word in ("EXERCISEEXCHANGE", "192.0.2.1", MULE) if everywhere(node, word)]
    check("and no file of the node has a byte of them", not left, left)
    done = node.run("expunge", "bank-load--99", "--reason", "EXERCISE")
    check("a load that is none is said", done.returncode == 1 and "eye money bank list" in done.stderr, said(done))


with Node(served=False) as node:
    everything(node, "without a server")
    through_an_exchange(node)
    node.start()
    everything(node, "beside a server")
    mode = (node.data / "money/_bank").stat().st_mode & 0o777
    check("nobody but the node's user looks into the statements", mode == 0o700, oct(mode))
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
