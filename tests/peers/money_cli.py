"""the money's record from the command line: blocks, tables, stops, forks, damaged files
`eye money load|inspect|unwind` beside a running server and without one. Blocks are made here, regtest and EXERCISE; the real
one comes from the shared data where that is present."""
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess

from node import ROOT, SHARED, Checks, Node

check = Checks()
REAL = SHARED / "data/blocks/mainnet_block_702861.raw"
EASIEST = 0x207FFFFF  # regtest's target: every second hash will do
MAGIC = bytes.fromhex("fabfb5da")
MAPPING = """# EXERCISE
from = "payer"
to = "payee"
amount = "sum"
time = "booked"
zone = "Asia/Bangkok"
asset_is = "THB"
unit = { decimals = 2 }
"""
BY_HEIGHT = """from = "payer"
to = "payee"
amount = "sum"
time = "booked"
height = "block"
asset_is = "EXERCISE"
"""


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def made_block(height, parent, mark):
    """A regtest block with a coinbase alone; its bytes and its hash. `mark` makes branches differ."""
    number = height.to_bytes(max(1, (height.bit_length() + 8) // 8), "little")
    begin = bytes([0x50 + height]) if 1 <= height <= 16 else bytes([0]) if height == 0 else bytes([len(number)]) + number
    script = begin + bytes([len(mark)]) + mark
    pay = b"\x76\xa9\x14" + hashlib.sha256(mark).digest()[:20] + b"\x88\xac"
    coinbase = (b"\x01\x00\x00\x00\x01" + bytes(32) + b"\xff" * 4 + bytes([len(script)]) + script + b"\xff" * 4
                + b"\x01" + (50 * 10**8).to_bytes(8, "little") + bytes([len(pay)]) + pay + bytes(4))
    for nonce in range(10_000):
        header = (b"\x01\x00\x00\x00" + parent + sha256d(coinbase) + (1_700_000_000 + height).to_bytes(4, "little")
                  + EASIEST.to_bytes(4, "little") + nonce.to_bytes(4, "little"))
        if int.from_bytes(sha256d(header), "little") <= 0x7FFFFF << (8 * 29):
            return header + b"\x01" + coinbase, sha256d(header)
    raise AssertionError("no nonce will do")


def made_chain(count, mark, start=0, parent=bytes(32)):
    blocks = []
    for height in range(start, start + count):
        block, parent = made_block(height, parent, mark)
        blocks.append((block, parent))
    return blocks


def blk(folder, blocks):
    """A folder with one file as Bitcoin Core writes it."""
    folder.mkdir()
    (folder / "blk00000.dat").write_bytes(b"".join(MAGIC + len(b).to_bytes(4, "little") + b for b, _ in blocks))
    return folder


def said(done):
    return f"exit {done.returncode}: {done.stdout[-400:]} {done.stderr[-600:]}"


def load(node, chain, *words):
    """`eye money load --json`: what ended, and its document if there is one."""
    done = node.run("money", "load", "--chain", chain, "--json", *words)
    return done, json.loads(done.stdout) if done.stdout.strip() else {}


def inspected(node, chain):
    return json.loads(node.eye("money", "inspect", "--json", "--chain", chain))


def real(node, how, chain_folder):
    if not REAL.exists():
        print("  (the real block 702861 is not on this machine)")
        return
    done, told = load(node, "btc", REAL)
    check(f"{how}: block 702861 loads whole", done.returncode == 0 and (told["blocks"], told["rows"], told["faults"]) == (1, 6517 + 6015, []), said(done))
    check(f"{how}: its height is the head", told.get("head", {}).get("height") == 702861, told)
    kept = inspected(node, "btc")
    check(f"{how}: inspect counts transactions and those that are partial", kept["txs"] == 2500 and 2000 < kept["partial"] < 2500, kept)
    rows = {part["name"]: part["milli_bytes_a_row"] for part in kept["parts"]}
    check(f"{how}: inspect prints bytes a row", rows["in.out"] + rows["in.address"] + rows["in.value"] == 16_000, rows)
    done = node.run("money", "inspect")
    check(f"{how}: inspect for people is a table", done.returncode == 0 and "bytes a row" in done.stdout and "partial" in done.stdout, said(done))
    done, told = load(node, "btc", REAL)
    check(f"{how}: a second time it is known", done.returncode == 0 and (told["blocks"], told["known"]) == (0, 1), said(done))
    cut = node.scratch / "cut.raw"
    cut.write_bytes(REAL.read_bytes()[:-100_000])
    shutil.rmtree(chain_folder / "btc")
    done, _ = load(node, "btc", cut)
    check(f"{how}: a cut block is refused with file, block and transaction",
          done.returncode == 1 and all(w in done.stderr for w in ("cut.raw", "block 0000000000", "transaction 2", "breaks off")), said(done))
    flipped = bytearray(REAL.read_bytes())
    flipped[700_000] ^= 1
    cut.write_bytes(flipped)
    done, _ = load(node, "btc", cut)
    check(f"{how}: so is one with a flipped bit, and nothing of it is kept", done.returncode == 1 and "nothing of btc is kept" in done.stderr, said(done))
    shutil.rmtree(chain_folder / "btc")


def blocks(node, how):
    folder = node.scratch / how.split()[0]
    folder.mkdir()
    trunk = made_chain(30, b"EXERCISE")
    ours = trunk + made_chain(8, b"EXERCISE ours", 30, trunk[-1][1])
    theirs = made_chain(12, b"EXERCISE theirs", 30, trunk[-1][1])
    chain = ("btc-regtest", blk(folder / "ours", ours))
    done, told = load(node, *chain)
    check(f"{how}: a folder of blk files loads", done.returncode == 0 and told["blocks"] == 38, said(done))
    other = blk(folder / "theirs", theirs)
    done, _ = load(node, "btc-regtest", "--keep", "7", other)
    check(f"{how}: a fork deeper than kept stops, names both hashes and what to do",
          done.returncode == 1 and ours[30][1][::-1].hex() in done.stderr and theirs[0][1][::-1].hex() in done.stderr
          and "eye money unwind --chain btc-regtest --to 29" in done.stderr, said(done))
    check(f"{how}: nothing was taken back", inspected(node, "btc-regtest")["head"]["height"] == 37)
    done, told = load(node, "btc-regtest", "--keep", "8", other)
    check(f"{how}: kept deep enough, the branch with more work wins", done.returncode == 0 and (told["unwound"], told["blocks"]) == (8, 12), said(done))
    done = node.run("money", "unwind", "--chain", "btc-regtest", "--to", "29", "--json")
    check(f"{how}: unwind says the head", done.returncode == 0 and json.loads(done.stdout)["head"] == {"height": 29, "hash": trunk[29][1][::-1].hex()}, said(done))
    done, told = load(node, *chain)
    check(f"{how}: and ours loads again", done.returncode == 0 and (told["known"], told["blocks"]) == (30, 8), said(done))
    done = node.run("money", "unwind", "--chain", "btc-regtest", "--to", "99")
    check(f"{how}: unwind to a block that is not kept is refused", done.returncode == 1 and "no block at height 99" in done.stderr, said(done))

    whole = (other / "blk00000.dat").read_bytes()
    (other / "blk00000.dat").write_bytes(whole[:-20])
    shutil.rmtree(node.data / "money/btc-regtest")
    (folder / "ours/blk00001.dat").write_bytes(whole[:-20])
    done, told = load(node, "btc-regtest", folder / "ours")
    check(f"{how}: a cut file is named, all before the cut is kept, and the exit code says so",
          done.returncode == 1 and told["head"]["height"] == 40 and "blk00001.dat" in told["faults"][0] and "breaks off" in done.stderr, said(done))
    done, _ = load(node, "btc", folder / "theirs")
    check(f"{how}: another network's file is refused by name", done.returncode == 1 and "btc-regtest" in done.stderr and "blk00000.dat at byte 0" in done.stderr, said(done))
    shutil.rmtree(node.data / "money/btc-regtest")
    shutil.rmtree(node.data / "money/btc", ignore_errors=True)


def tables(node, how):
    folder = node.scratch / f"{how.split()[0]}-tables"
    folder.mkdir()
    table, mapping = folder / "EXERCISE-statement.csv", folder / "EXERCISE-mapping.toml"
    mapping.write_text(MAPPING)
    lines = [f"EXERCISE payer {n % 7},EXERCISE mule,{n}.50,2026-03-{n:02d} 09:00:00\n" for n in range(1, 29)]
    table.write_text("payer,payee,sum,booked\n" + "".join(lines))
    words = ("exercise-bank", "--mapping", mapping, table)
    done, told = load(node, *words)
    check(f"{how}: a table loads, a block a day", done.returncode == 0 and (told["blocks"], told["rows"]) == (28, 28), said(done))
    done = node.run("money", "unwind", "--chain", "exercise-bank", "--to", str(told["head"]["height"] - 9))
    check(f"{how}: nine days are taken back", done.returncode == 0 and str(told["head"]["height"] - 9) in done.stdout, said(done))
    done, told = load(node, *words)
    check(f"{how}: and loaded again", (told["blocks"], told["known"]) == (9, 19), said(done))
    listed = [json.loads(line) for line in node.eye("money", "inspect", "--json").splitlines()]
    check(f"{how}: inspect of all is one line a chain", [line["chain"] for line in listed] == ["exercise-bank"] and listed[0]["partial"] is None, listed)

    table.write_text(table.read_text() + "EXERCISE payer 1,EXERCISE mule,1.005,2026-03-29 09:00:00\n")
    done, _ = load(node, *words)
    check(f"{how}: a wrong row names the line and not the cell, and says what is kept",
          done.returncode == 1 and "line 30" in done.stderr and "1.005" not in done.stderr and "kept up to block" in done.stderr, said(done))
    for what, words, wanted in (
            ("a table without its mapping", ("exercise-bank", table), "--mapping"),
            ("a table as Bitcoin's", ("btc", "--mapping", mapping, table), "no mapping"),
            ("a chain that cannot be read yet", ("doge", table), "cannot be read yet"),
            ("a file that is not there", ("btc", folder / "absent.dat"), "absent.dat"),
            ("a table called blocks", ("btc", table), "EXERCISE-statement.csv"),
            ("a mapping that is none", ("exercise-bank", "--mapping", table, table), "EXERCISE-statement.csv")):
        done, _ = load(node, *words)
        check(f"{how}: {what} is refused and says why", done.returncode == 1 and wanted in done.stderr and not done.stdout, said(done))
    check(f"{how}: a name that no chain has is refused", node.run("money", "load", "--chain", "../x", table).returncode == 2)
    done = node.run("money", "inspect", "--chain", "nothing")
    check(f"{how}: a chain that was never loaded is said so", done.returncode == 1 and "nothing of nothing" in done.stderr, said(done))
    shutil.rmtree(node.data / "money/exercise-bank")
    shutil.rmtree(node.data / "money/btc", ignore_errors=True)


def dump(node, how):
    """A dump of an account chain, made here: two transactions that the blocks name, one of them there, and a Transfer of each shape."""
    folder = node.scratch / f"{how.split()[0]}-dump"
    folder.mkdir()
    h, a, pad = (lambda n: "0x" + f"{n:02x}" * 32), (lambda n: "0x" + f"{n:02x}" * 20), (lambda n: "0x" + "00" * 12 + f"{n:02x}" * 20)
    (folder / "blocks.csv").write_text("number,hash,parent_hash,miner,timestamp,transaction_count,base_fee_per_gas,difficulty\n"
                                       f"7,{h(1)},{h(0)},{a(9)},1700000000,2,2,0\n")
    (folder / "transactions.csv").write_text("hash,nonce,block_hash,block_number,transaction_index,from_address,to_address,value,gas_price,input\n"
                                             f"{h(2)},0,{h(1)},7,0,{a(1)},{a(2)},5e17,5,0x\n")
    (folder / "receipts.csv").write_text("transaction_hash,block_hash,block_number,cumulative_gas_used,gas_used,status,effective_gas_price\n"
                                         f"{h(2)},{h(1)},7,100,100,1,5\n")
    topics = ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", pad(1), pad(2)]
    logs = [{"blockId": 7, "blockHash": h(1), "txHash": h(2), "transactionIndex": 0, "logIndex": 0, "address": a(3), "topics": topics, "data": "0x" + "ff" * 32},
            {"blockId": 7, "blockHash": h(1), "txHash": h(2), "transactionIndex": 0, "logIndex": 1, "address": a(4), "topics": [*topics, h(5)], "data": "0x"}]
    (folder / "logs.json").write_text("".join(json.dumps(log) + "\n" for log in logs))
    done, told = load(node, "eth", folder)
    check(f"{how}: a dump's folder loads, partial, n of m, its NFT no amount",
          done.returncode == 0 and (told["blocks"], told["rows"], told["partial"], told["nfts"]) == (1, 4, {"have": 1, "of": 2}, 1), said(done))
    kept = inspected(node, "eth")
    check(f"{how}: inspect says what the blocks lack", kept["blocks_without"] == {"logs": 0, "traces": 1, "rewards": 0} and kept["txs_said"] == 2, kept)
    line = json.loads(node.eye("money", "balance", "--chain", "eth", "--asset", "ETH", "--json", a(1)))
    check(f"{how}: a balance that nobody asked the chain about is unproven",
          (line["received"], line["spent"], line["sum"], line["closed"], line["untraceable"]) == ("0", str(5 * 10**17 + 500), None, False, "negative"), line)
    done = node.run("money", "balance", "--chain", "eth", a(2))
    check(f"{how}: for people it says unproven", done.returncode == 0 and "balance unproven" in done.stdout and "received 500000000000000000" in done.stdout, said(done))
    done = node.run("money", "inspect", "--chain", "eth")
    check(f"{how}: inspect for people names what is missing", "1 blocks without traces" in done.stdout and "2 by their own count" in done.stdout, said(done))
    done, told = load(node, "eth", folder)
    check(f"{how}: a second time it is known", done.returncode == 0 and (told["blocks"], told["known"]) == (0, 1), said(done))
    for what, chain, words, wanted in (
            ("a dump of a chain that is not known", "exercise-bank", ("--format", "dump", folder), "dumps and nodes are read of eth"),
            ("an address among files", "eth", (folder / "logs.json", "http://127.0.0.1:1/key"), "asked alone"),
            ("a node that is not there", "eth", ("http://127.0.0.1:1/secret-key",), "127.0.0.1:1"),
            ("an account that is none", "eth", None, "40 hex digits")):
        done = node.run("money", "load", "--chain", chain, *words) if words else node.run("money", "balance", "--chain", chain, "0x12")
        check(f"{how}: {what} is refused and says why, and no key", done.returncode == 1 and wanted in done.stderr and "secret" not in done.stderr, said(done))
    shutil.rmtree(node.data / "money/eth")


def guide(node):
    """The example of docs/money.md, as it stands there."""
    text = (ROOT / "docs/money.md").read_text().replace("\n    ", "\n\t")
    parts = [part for part in text.split("\n\n") if part.startswith("\t")]
    table, mapping = node.scratch / "EXERCISE-statement.csv", node.scratch / "EXERCISE-mapping.toml"
    for path, begin in ((table, "\tbooked,"), (mapping, "\tfrom =")):
        path.write_text(next(part for part in parts if part.startswith(begin)).replace("\t", "") + "\n")
    done, told = load(node, "thai-bank", "--mapping", mapping, table)
    check("the guide's example loads", done.returncode == 0 and (told["blocks"], told["rows"]) == (1, 2), said(done))
    shutil.rmtree(node.data / "money/thai-bank")


def row(n):
    return f"EXERCISE {n % 97},EXERCISE {n % 89},{n},{1_700_000_000 + n},{n}\n".encode()


def stopped(node, how):
    """Ctrl-C in the midst of a load: the table comes through a pipe that never ends, so the load cannot either."""
    folder = node.scratch / f"{how.split()[0]}-stopped"
    folder.mkdir()
    pipe, table, mapping = folder / "pipe.csv", folder / "table.csv", folder / "mapping.toml"
    mapping.write_text(BY_HEIGHT)
    os.mkfifo(pipe)
    words = ["money", "load", "--data", node.data, "--chain", "exercise-log", "--mapping", mapping, "--json"]
    child = subprocess.Popen([node.bin, *map(str, words), str(pipe)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    written, asked = b"payer,payee,sum,booked,block\n", False
    with open(pipe, "wb", buffering=0) as end:
        end.write(written)
        try:
            for start in range(1, 5_000_000, 1_000):
                part = b"".join(map(row, range(start, start + 1_000)))
                end.write(part)
                written += part
                if start > 9_000 and not asked:  # more than a pipe holds: the first rows are through
                    asked = True
                    busy = node.run("money", "load", "--chain", "exercise-log", "--mapping", mapping, table_of(folder))
                    check(f"{how}: a second load of the chain is told who has it", busy.returncode == 1 and f"process {child.pid} writes" in busy.stderr, said(busy))
                    check(f"{how}: inspect reads beside it", inspected(node, "exercise-log")["chain"] == "exercise-log")
                    child.send_signal(signal.SIGINT)
        except BrokenPipeError:
            pass
    out, err = child.communicate(timeout=60)
    told = json.loads(out or "{}")
    check(f"{how}: Ctrl-C stops at a whole block with 130 and says so", child.returncode == 130 and told.get("stopped") is True and "same command" in err, (child.returncode, out, err))
    height = inspected(node, "exercise-log")["head"]["height"]
    check(f"{how}: all that was told is kept", height == told["head"]["height"] >= 1_000 and told["rows"] == height, (height, told))
    more = height + 500
    table.write_bytes(b"payer,payee,sum,booked,block\n" + b"".join(map(row, range(1, more + 1))))
    done, told = load(node, "exercise-log", "--mapping", mapping, table)
    check(f"{how}: the next run goes on from there", done.returncode == 0 and (told["known"], told["blocks"], told["head"]["height"]) == (height, 500, more), said(done))
    shutil.rmtree(node.data / "money/exercise-log")


def table_of(folder):
    path = folder / "other.csv"
    path.write_bytes(b"payer,payee,sum,booked,block\n" + row(1))
    return path


def logged(node):
    """Rows of the access log: command, how it ended."""
    with contextlib.closing(sqlite3.connect(f"file:{node.data}/state.db?mode=ro", uri=True)) as state:
        return state.execute("SELECT method, status FROM access ORDER BY n").fetchall()


def everything(node, how):
    before = len(logged(node))
    node.eye("money", "inspect")
    failed = node.run("money", "unwind", "--chain", "exercise-none", "--to", "1")
    rows = logged(node)[before:]
    check(f"{how}: each command leaves its row in the access log, also one that failed",
          failed.returncode != 0 and rows == [("money", 200), ("money", 400)], (rows, said(failed)))
    real(node, how, node.data / "money")
    blocks(node, how)
    tables(node, how)
    dump(node, how)
    stopped(node, how)


with Node(served=False) as node:
    done = node.run("money", "inspect")
    check("before any load inspect says what to do", done.returncode == 0 and "eye money load" in done.stderr, said(done))
    everything(node, "without a server")
    guide(node)
    node.start()
    everything(node, "beside a server")
    load(node, "btc-regtest", blk(node.scratch / "kept", made_chain(3, b"EXERCISE")))
    mode = (node.data / "money/btc-regtest").stat().st_mode & 0o777
    check("nobody but the node's user looks into a chain's folder", mode == 0o700, oct(mode))
    node.eye("backup", "--to", node.scratch / "backup")
    check("a backup holds no chain", not (node.scratch / "backup/money").exists())
    check("SIGTERM ends the server with 0", node.stop() == 0)
    nowhere = node.run("money", "inspect", "--data", node.scratch / "nowhere", data=False)
    check("a folder without a node: fails and names `eye init`", nowhere.returncode != 0 and "eye init" in nowhere.stderr, said(nowhere))
check.finish()
