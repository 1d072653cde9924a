"""an Ethereum node followed by JSON-RPC: a token is made, moved, frozen, and the chain reorganises
anvil (npm @foundry-rs/anvil) with OpenZeppelin's token (npm @openzeppelin/contracts): real receipts, logs, traces and reorganisations."""
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request

from node import ROOT, Checks, Node, skip

check = Checks()
PACKAGES = ["@foundry-rs/anvil@1.7.1", "@openzeppelin/contracts@4.9.6"]
FOLDER = ROOT / ".cache/anvil"
CHAIN = "evm-31337"
ETHER = 10**18


def tools():
    """The node's program and the folder of contracts; npm brings them once."""
    if not (FOLDER / "node_modules/@openzeppelin/contracts/build/contracts").is_dir():
        if not shutil.which("npm"):
            skip("npm is not on this machine, and anvil comes from it")
        FOLDER.mkdir(parents=True, exist_ok=True)
        words = ["npm", "install", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
        if subprocess.run(words, capture_output=True).returncode != 0:
            skip("npm cannot fetch " + " and ".join(PACKAGES))
    found = [path for path in FOLDER.glob("node_modules/@foundry-rs/anvil-*/bin/anvil") if os.access(path, os.X_OK)]
    if not found:
        skip("anvil has no program for this machine")
    return found[0], FOLDER / "node_modules/@openzeppelin/contracts/build/contracts"


class Anvil:
    """A node on a free port that ends with the test."""

    def __init__(self, program, *words):
        self.process = subprocess.Popen([program, "--port", "0", *words], stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if listening := re.search(r"Listening on (\S+)", line):
                self.url = "http://" + listening[1]
                break
        self.accounts = self.ask("eth_accounts")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ask(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = json.load(answer)
        if "error" in told:
            raise AssertionError(f"{method}: {told['error']}")
        return told["result"]

    def send(self, sender, to=None, data="0x", value=0, gas=5_000_000):
        """Mines a transaction, also one that fails; its receipt."""
        tx = {"from": sender, "data": data, "value": hex(value), "gas": hex(gas)} | ({"to": to} if to else {})
        sent, until = self.ask("eth_sendTransaction", tx), time.monotonic() + 30
        while not (receipt := self.ask("eth_getTransactionReceipt", sent)) and time.monotonic() < until:
            time.sleep(0.02)
        return receipt

    def height(self):
        return int(self.ask("eth_blockNumber"), 16)


def word(what):
    return (what[2:] if isinstance(what, str) else f"{what:x}").rjust(64, "0")


def call(selector, *words):
    return "0x" + selector + "".join(word(w) for w in words)


def deploy(anvil, contracts, name, *texts):
    """Makes a contract whose constructor takes texts."""
    code = json.loads((contracts / f"{name}.json").read_text())["bytecode"]
    heads, tails = [], ""
    for text in texts:
        heads.append(32 * len(texts) + len(tails) // 2)
        raw = text.encode().hex()
        tails += word(len(text.encode())) + raw + "0" * (-len(raw) % 64)
    receipt = anvil.send(anvil.accounts[0], data=code + "".join(word(h) for h in heads) + tails, gas=10_000_000)
    assert receipt["status"] == "0x1", receipt
    return receipt["contractAddress"]


def load(node, anvil, *words):
    done = node.run("money", "load", "--chain", CHAIN, "--json", *words, anvil.url)
    return done, json.loads(done.stdout) if done.stdout.strip() else {}


def balance(node, account, asset, *words):
    done = node.run("money", "balance", "--chain", CHAIN, "--asset", asset, "--json", *words, account)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


def story(node, anvil, contracts):
    maker, ana, ben, cyd = anvil.accounts[:4]
    fresh = "0x00000000000000000000000000000000000e5e01"
    token = deploy(anvil, contracts, "ERC20PresetMinterPauser", "EXERCISE coin", "EXC")
    thing = deploy(anvil, contracts, "ERC721PresetMinterPauserAutoId", "EXERCISE thing", "EXT", "https://example.invalid/")
    anvil.send(maker, token, call("40c10f19", ana, 1000))                 # mint
    anvil.send(ana, token, call("a9059cbb", ben, 300))                    # transfer
    anvil.send(ana, token, call("095ea7b3", cyd, 200))                    # approve
    anvil.send(cyd, token, call("23b872dd", ana, ben, 150))               # transferFrom by a spender
    anvil.send(cyd, token, call("23b872dd", ana, ben, 0))                 # a zero-value transferFrom by anybody: address poisoning
    anvil.send(ben, token, call("42966c68", 50))                          # burn
    anvil.send(maker, thing, call("6a627842", ana))                       # an NFT: the same topic, no amount
    anvil.send(maker, token, call("8456cb59"))                            # pause: everything is frozen
    frozen = anvil.send(ana, token, call("a9059cbb", ben, 100), gas=200_000)
    anvil.send(ana, fresh, value=ETHER)
    check("a transfer of the frozen token fails on the chain", frozen["status"] == "0x0", frozen["status"])

    done, told = load(node, anvil)
    check("the node's chain loads whole", done.returncode == 0 and told.get("head", {}).get("height") == anvil.height()
          and told["partial"]["have"] == told["partial"]["of"] == 12, said(done))
    check("the NFT's Transfer is no amount", told.get("nfts") == 1, told)
    expected = {ana: (1000, 450), ben: (450, 50)}
    for account, (received, spent) in expected.items():
        line = balance(node, account, token, "--node", anvil.url)
        check(f"{account[:6]}: received and spent of the token, and the chain says the same: closed",
              (line.get("received"), line.get("spent"), line.get("closed")) == (str(received), str(spent), True), line)
    line = balance(node, fresh, "COIN", "--node", anvil.url)
    check("a new account's coins are closed", (line.get("sum"), line.get("closed")) == (str(ETHER), True), line)
    line = balance(node, maker, "COIN")
    check("a balance that nobody asked the chain about is unproven", line.get("closed") is False and line.get("proven_at") is None, line)
    line = balance(node, maker, "COIN", "--node", anvil.url)
    check("one that began with coins which no block gave it is unproven, and what the chain says stands beside",
          line.get("closed") is False and line.get("sum") is None and int(line.get("chain_says") or 0) > 9000 * ETHER, line)
    done, told = load(node, anvil)
    check("a second time there is nothing to load", done.returncode == 0 and told["blocks"] == 0, said(done))
    return token


def traces(node, anvil):
    kept = json.loads(node.eye("money", "inspect", "--chain", CHAIN, "--json"))
    rows = {part["name"]: part for part in kept["parts"]}
    check("no transaction of the record is known by its logs alone", kept["partial"] == 0 and kept["txs"] == 12, kept)
    check("allowances are on record: one given, and what each transferFrom left of it", rows["allowance"]["rows"] == 3, rows["allowance"])
    check("every block has logs, traces and rewards but the first, which cannot be traced",
          kept["blocks_without"] == {"logs": 0, "traces": 0, "rewards": 0}, kept["blocks_without"])
    wide = sum(rows[f"transfer.{part}"]["milli_bytes_a_row"] for part in ("from", "to", "asset", "amount"))
    check("a transfer takes twenty bytes", wide == 20_000, wide)


def reorganise(node, anvil, token):
    maker, ana, ben = anvil.accounts[:3]
    snapshot = anvil.ask("evm_snapshot")
    anvil.send(maker, token, call("3f4ba83a"))                            # unpause
    anvil.send(ana, token, call("a9059cbb", ben, 100))
    done, told = load(node, anvil)
    before = balance(node, ben, token, "--node", anvil.url)
    check("two more blocks are followed", done.returncode == 0 and told["blocks"] == 2 and before.get("sum") == "500", before)
    anvil.ask("evm_revert", snapshot)
    anvil.ask("evm_mine", "0x7fffffff")
    anvil.send(ana, "0x00000000000000000000000000000000000e5e02", value=7)
    anvil.ask("evm_mine")
    done, told = load(node, anvil, "--keep", "1")
    hashes = re.findall(r"[0-9a-f]{64}", done.stderr)
    check("a fork deeper than --keep stops, names both hashes and offers the way back",
          done.returncode == 1 and len(set(hashes)) >= 2 and f"eye money unwind --chain {CHAIN} --to" in done.stderr, said(done))
    still = balance(node, ben, token)
    check("nothing was taken back", still.get("sum") == "500", still)
    done, told = load(node, anvil)
    after = balance(node, ben, token)
    check("with enough room the reorganisation is unwound exactly",
          done.returncode == 0 and (told["unwound"], told["blocks"]) == (2, 3) and after.get("sum") == "400", f"{said(done)} {after}")
    check("what was proven of blocks that are gone is proven no more", after.get("proven_at", 0) < told["head"]["height"] - 2, after)
    line = balance(node, ben, token, "--node", anvil.url)
    check("and the chain says the same", line.get("closed") is True, line)
    node.eye("money", "unwind", "--chain", CHAIN, "--to", "3")
    done, told = load(node, anvil)
    again = balance(node, ben, token)
    check("unwound by hand and loaded again it is the same record", done.returncode == 0 and again.get("sum") == "400", again)


def others(node, program, anvil):
    done = node.run("money", "load", "--chain", "eth", anvil.url)
    check("a node of another chain is refused", done.returncode == 1 and "serves chain 31337" in done.stderr, said(done))
    with Anvil(program, "--timestamp", "1000000000") as other:
        other.ask("evm_mine")
        done, _ = load(node, other)
        check("so is one whose first block differs, or that is behind", done.returncode == 1 and "the node at" in done.stderr, said(done))
    done, _ = load(node, other)
    check("a node that is gone is named by host and port alone", done.returncode == 1 and "the node at 127.0.0.1" in done.stderr, said(done))
    done = node.run("money", "load", "--chain", "trx", anvil.url)
    check("a node of Ethereum's kind is none of TRON's", done.returncode == 1 and "wallet/getblockbynum" in done.stderr, said(done))


def fakes(node, program, contracts):
    """On Ethereum's own id: a contract that calls itself USDT and is not. The node is asked for its symbol."""
    with Anvil(program, "--chain-id", "1") as anvil:
        maker, ana, ben = anvil.accounts[:3]
        fake = deploy(anvil, contracts, "ERC20PresetMinterPauser", "Tether USD", "USD\u0422")
        own = deploy(anvil, contracts, "ERC20PresetMinterPauser", "EXERCISE coin", "EXC")
        for token in (fake, own):
            anvil.send(maker, token, call("40c10f19", ana, 1000))
            anvil.send(ana, token, call("a9059cbb", ben, 300))
        done = node.run("money", "load", "--chain", "eth", "--json", anvil.url)
        check("a chain with a fake loads whole", done.returncode == 0, said(done))
        held = [json.loads(line)["asset"].lower() for line in node.eye("money", "balance", "--chain", "eth", "--json", ben).splitlines()]
        check("a token that spells itself as USDT moves nothing, another one does", own in held and fake not in held, held)


program, contracts = tools()
with Node() as node, Anvil(program) as anvil:
    token = story(node, anvil, contracts)
    traces(node, anvil)
    reorganise(node, anvil, token)
    others(node, program, anvil)
    fakes(node, program, contracts)
check.finish()
