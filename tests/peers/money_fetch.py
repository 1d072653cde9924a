"""money's history on demand: a warning first, another chain refused, nothing asked twice, no key in any message
`eye money fetch` against stand-ins like Esplora, Etherscan and TronGrid, whose transactions are made here (EXERCISE)."""
import hashlib
import http.server
import json
import threading
import urllib.parse

from node import Checks, Node

check = Checks()
FIRST = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"  # regtest's first block
SCRIPT, VALUE, KEY = "0014" + "03" * 20, 4_000_000_000, "EXERCISE-secret-key"


def made():
    """A transaction in Esplora's shape that pays one output."""
    raw = ((2).to_bytes(4, "little") + b"\x01" + bytes([0x11] * 32) + bytes(4) + b"\x01\x51" + b"\xff" * 4 + b"\x01"
           + VALUE.to_bytes(8, "little") + bytes([22]) + bytes.fromhex(SCRIPT) + bytes(4))
    txid = hashlib.sha256(hashlib.sha256(raw).digest()).digest()[::-1].hex()
    vin = {"txid": "11" * 32, "vout": 0, "prevout": {"scriptpubkey": "51", "value": VALUE + 1}, "scriptsig": "51",
           "sequence": 0xFFFFFFFF, "witness": [], "is_coinbase": False}
    status = {"confirmed": True, "block_height": 4, "block_hash": "22" * 32, "block_time": 1_700_000_004}
    return {"txid": txid, "version": 2, "locktime": 0, "vin": [vin], "status": status,
            "vout": [{"scriptpubkey": SCRIPT, "value": VALUE}]}


TX = made()
ASKED, ANSWERS = [], {
    "/blocks/tip/height": "9", "/block-height/0": FIRST, "/block-height/4": "22" * 32, f"/tx/{TX['txid']}": json.dumps(TX),
    f"/tx/{TX['txid']}/outspends": json.dumps([{"spent": False}]), "/blocks/4": json.dumps([{"id": "22" * 32, "height": 4}]),
}


class Esplora(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ASKED.append(self.path)
        body = ANSWERS.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def told(address):
    return "0x" + bytes([address] * 20).hex()


def base58(address):
    raw = bytes([0x41] + [address] * 20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return text


# A victim (1) pays 900 of a token (200) to a mule (2), who pays 600 on to a pool (3).
TOKEN, PAYMENTS = 200, [("0a" * 32, 100, 1, 2, 900), ("0b" * 32, 101, 2, 3, 600)]
TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
TRON_FIRST = "00000000000000001ebf88508a03865c71d452e25f4d51194196a1d22b6653dc"


def padded(address):
    return "00" * 12 + bytes([address] * 20).hex()


def held(address):
    return sum(n * ((to == address) - (who == address)) for _, _, who, to, n in PAYMENTS) + (900 if address == 1 else 0)


def etherscan(query):
    """What an API like Etherscan's answers (shapes made after docs.etherscan.io, V2)."""
    block = lambda height: "0x" + f"{height:064x}"
    tx = next((one for one in PAYMENTS if "0x" + one[0] == query.get("txhash")), None)
    action, rpc = query["action"], lambda result: {"jsonrpc": "2.0", "id": 1, "result": result}
    if action == "eth_blockNumber":
        return rpc("0x3e8")
    if action == "eth_getBlockByNumber":
        height = int(query["tag"], 16)
        return rpc({"number": hex(height), "hash": block(height), "parentHash": block(height - 1), "timestamp": hex(1_700_000_000 + height)})
    if action == "eth_getTransactionByHash":
        return rpc({"hash": "0x" + tx[0], "blockHash": block(tx[1]), "transactionIndex": "0x0", "from": told(tx[2]), "to": told(TOKEN),
                    "value": "0x0", "gasPrice": "0x1", "input": "0xa9059cbb", "chainId": "0x7a69"})
    if action == "eth_getTransactionReceipt":
        log = {"address": told(TOKEN), "topics": ["0x" + TOPIC, "0x" + padded(tx[2]), "0x" + padded(tx[3])],
               "data": "0x" + f"{tx[4]:064x}", "logIndex": "0x4"}
        return rpc({"transactionHash": "0x" + tx[0], "blockHash": block(tx[1]), "blockNumber": hex(tx[1]), "transactionIndex": "0x0",
                    "status": "0x1", "gasUsed": "0x15", "effectiveGasPrice": "0x1", "logs": [log]})
    if action == "tokenbalance":
        return {"status": "1", "message": "OK", "result": str(held(int(query["address"][2:4], 16)))}
    rows = [{"blockNumber": str(height), "timeStamp": str(1_700_000_000 + height), "hash": "0x" + name, "blockHash": block(height),
             "transactionIndex": "0", "from": told(who), "to": told(to), "value": str(n), "contractAddress": told(TOKEN),
             "tokenSymbol": "EXERCISE"} for name, height, who, to, n in PAYMENTS
            if action == "tokentx" and query.get("address") in (told(who), told(to)) and height >= int(query["startblock"])]
    if rows:
        return {"status": "1", "message": "OK", "result": rows}
    return {"status": "0", "message": "No transactions found", "result": []}


def trongrid(path, query, body):
    """What an API like TronGrid's answers (shapes made after developers.tron.network)."""
    parts = path.strip("/").split("/")
    tx = next((one for one in PAYMENTS if one[0] == body.get("value")), None)
    time = lambda height: 1000 * (1_700_000_000 + height)
    if parts[-1] == "getblockbynum":
        return {"blockID": TRON_FIRST}
    if parts[-1] == "getnowblock":
        return {"blockID": f"{1000:016x}" + "0" * 48}
    if parts[-1] == "gettransactionbyid":
        value = {"owner_address": "41" + told(tx[2])[2:], "contract_address": "41" + told(TOKEN)[2:], "data": "a9059cbb"}
        return {"txID": tx[0], "ret": [{"contractRet": "SUCCESS"}],
                "raw_data": {"contract": [{"type": "TriggerSmartContract", "parameter": {"value": value}}]}}
    if parts[-1] == "gettransactioninfobyid":
        log = {"address": told(TOKEN)[2:], "topics": [TOPIC, padded(tx[2]), padded(tx[3])], "data": f"{tx[4]:064x}"}
        return {"id": tx[0], "fee": 21, "blockNumber": tx[1], "blockTimeStamp": time(tx[1]), "log": [log]}
    account = next(n for n in range(1, 9) if base58(n) == parts[2])
    if parts[-1] == "trc20":
        rows = [{"transaction_id": name, "block_timestamp": time(height), "from": base58(who), "to": base58(to), "type": "Transfer",
                 "value": str(n), "token_info": {"symbol": "EXERCISE", "address": base58(TOKEN)}}
                for name, height, who, to, n in PAYMENTS
                if account in (who, to) and time(height) >= int(query.get("min_timestamp", 0))]
    else:
        rows = [{"address": "41" + told(account)[2:], "balance": 5, "trc20": [{base58(TOKEN): str(held(account))}]}]
    return {"data": rows, "success": True, "meta": {"at": 1, "page_size": len(rows)}}


class Accounts(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        ASKED.append(self.path)
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        found = trongrid(parts.path, query, body) if "chainid" not in query else etherscan(query)
        text = json.dumps(LIMITED.pop() if LIMITED and "tokentx" in self.path else found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *words):
        pass


LIMITED = []


def accounts(node):
    """The same of chains of accounts."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Accounts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"127.0.0.1:{server.server_port}"
    key = node.scratch / "key"
    key.write_text(f"apikey={KEY}\n")
    for chain, name in [("evm-31337", told), ("trx", base58)]:
        ASKED.clear()
        words = ["money", "fetch", "--chain", chain, "--endpoint", f"http://{at}", "--tx", PAYMENTS[0][0], "--json", "--rate", "100",
                 "--key-file", str(key)]
        done = node.run(*words)
        check(f"{chain}: nothing is asked before --yes", done.returncode == 1 and "--yes" in done.stderr and not ASKED, said(done))
        LIMITED.append({"status": "0", "message": "NOTOK", "result": f"Max rate limit reached {KEY}"})
        done = node.run(*words, "--yes")
        line = json.loads(done.stdout) if done.returncode == 0 else {}
        ends = sorted((end["address"].lower(), end["why"], end["at_most"]) for end in line.get("ends", []))
        wanted = sorted((name(who).lower(), "holds", n) for who, n in [(2, "300"), (3, "600")])
        check(f"{chain}: the frontier is who holds what", ends == wanted and line["whole"], said(done))
        check(f"{chain}: the key is in each question, and in no output", KEY not in done.stdout + done.stderr
              and ASKED and all(f"apikey={KEY}" in path for path in ASKED), said(done))
        stored = b"".join(path.read_bytes() for path in (node.data / "money" / f"{chain}~partial").rglob("*") if path.is_file())
        check(f"{chain}: the key is in no stored file", stored and KEY.encode() not in stored)
        calls = len(ASKED)
        node.run(*words, "--yes")
        check(f"{chain}: a second fetch asks where the chain stands and no more", len(ASKED) - calls <= 3, str(ASKED[calls:]))
        done = node.run("money", "inspect", "--json")
        check(f"{chain}: inspect shows it as partial", f'"chain":"{chain}~partial"' in done.stdout, said(done))
        LIMITED.clear()
    done = node.run(*words[:4], "--endpoint", "http://endpoint.example", *words[6:], "--yes")
    check("a key goes over https alone", done.returncode == 1 and "https only" in done.stderr and KEY not in done.stderr, said(done))
    key.write_text("EXERCISE no pair\n")
    done = node.run(*words, "--yes")
    check("a key file that is none is named by its line", done.returncode == 1 and "line 1 of the key file" in done.stderr, said(done))
    done = node.run("money", "fetch", "--chain", "thai-bank", "--endpoint", f"http://{at}", "--tx", PAYMENTS[0][0], "--yes")
    check("a chain that no endpoint tells is refused", done.returncode == 1 and "cannot be fetched" in done.stderr, said(done))
    server.shutdown()


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


with Node() as node:
    server = http.server.HTTPServer(("127.0.0.1", 0), Esplora)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"127.0.0.1:{server.server_port}"
    header = node.scratch / "header"
    header.write_text(f"Authorization: Bearer {KEY}\n")
    words = ["money", "fetch", "--chain", "btc-regtest", "--endpoint", f"http://{at}", "--tx", TX["txid"], "--json",
             "--rate", "100", "--header-file", str(header)]
    done = node.run(*words)
    check("without a terminal nothing is asked before --yes, and the error says so",
          done.returncode == 1 and "--yes" in done.stderr and at in done.stderr and not ASKED, said(done))
    done = node.run(*words, "--yes")
    line = json.loads(done.stdout) if done.returncode == 0 else {}
    ends = line.get("ends", [{}])
    check("the frontier is there with its reason", done.returncode == 0 and len(ends) == 1 and ends[0]["why"] == "unspent"
          and ends[0]["amount"] == str(VALUE) and line["whole"] and line["calls"] == 4, said(done))
    done = node.run(*words, "--yes")
    line = json.loads(done.stdout) if done.returncode == 0 else {}
    check("a second fetch adds nothing and asks for no page again",
          line.get("calls") == 3 and line.get("transactions") == 1, said(done))
    done = node.run("money", "inspect", "--json")
    check("inspect shows it as partial, apart from every chain", '"chain":"btc-regtest~partial"' in done.stdout, said(done))
    ANSWERS["/block-height/4"] = "33" * 32
    ANSWERS["/blocks/4"] = json.dumps([{"id": "33" * 32, "height": 4}])
    ANSWERS[f"/tx/{TX['txid']}"] = json.dumps({**TX, "vout": [{"scriptpubkey": SCRIPT, "value": VALUE + 1}]})
    done = node.run(*words, "--yes")
    check("a transaction that has not the id asked for names endpoint, call and transaction, and no key",
          done.returncode == 1 and at in done.stderr and f"tx/{TX['txid']}" in done.stderr and KEY not in done.stderr, said(done))
    ANSWERS["/block-height/0"] = "ff" * 32
    done = node.run(*words, "--yes")
    check("another chain is refused", done.returncode == 1 and "another chain" in done.stderr, said(done))
    server.shutdown()
    accounts(node)

check.finish()
