"""money's history on demand: a warning first, another chain refused, nothing asked twice, no key in any message
`eye money fetch` against a stand-in like Esplora, whose transaction is made here (regtest, EXERCISE)."""
import hashlib
import http.server
import json
import threading

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
    f"/tx/{TX['txid']}/outspends": json.dumps([{"spent": False}]),
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
    ANSWERS[f"/tx/{TX['txid']}"] = json.dumps({**TX, "vout": [{"scriptpubkey": SCRIPT, "value": VALUE + 1}]})
    done = node.run(*words, "--yes")
    check("a transaction that has not the id asked for names endpoint, call and transaction, and no key",
          done.returncode == 1 and at in done.stderr and f"tx/{TX['txid']}" in done.stderr and KEY not in done.stderr, said(done))
    ANSWERS["/block-height/0"] = "ff" * 32
    done = node.run(*words, "--yes")
    check("another chain is refused", done.returncode == 1 and "another chain" in done.stderr, said(done))
    server.shutdown()

check.finish()
