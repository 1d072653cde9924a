"""a node of Bitcoin's family by RPC, REST and its files: mines, spends, reorganises, has an extension block; all three are one record
litecoind (Debian's litecoind) on regtest, the real program with its real files. Litecoin's blocks have what Bitcoin's have, and MWEB."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from node import Checks, Node, skip

check = Checks()
CHAIN = "ltc-regtest"
#: MWEB begins here on regtest (versionbits: three windows of 144).
MWEB_FROM = 432


def program():
    """litecoind, installed when the machine can; else the test is skipped."""
    if not shutil.which("litecoind"):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            skip("litecoind is not on this machine (apt-get install litecoind)")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "litecoind"]
        if subprocess.run(install, **quiet).returncode != 0:
            subprocess.run(["apt-get", "update"], **quiet)
            if subprocess.run(install, **quiet).returncode != 0:
                skip("litecoind cannot be installed (apt-get install litecoind)")
    return shutil.which("litecoind"), shutil.which("litecoin-cli")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Litecoin:
    """A node on regtest that ends with the test."""

    def __init__(self, daemon, client, *words):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eye-litecoin-"))
        self.port, self.client = free_port(), client
        self.words = [daemon, "-regtest", f"-datadir={self.folder}", "-server", "-rest", "-listen=0", "-connect=0", "-dnsseed=0",
                      f"-rpcport={self.port}", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-fallbackfee=0.001", "-txindex=0", *words]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.run("getblockchaininfo").returncode == 0:
                self.run("loadwallet", "EXERCISE")  # there is none before the story
                return
            if self.process.poll() is not None:
                raise AssertionError(f"litecoind ended with {self.process.returncode}")
            time.sleep(0.1)
        raise AssertionError("litecoind did not answer within 60 s")

    def stop(self):
        self.run("stop")
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words):
        base = [self.client, "-regtest", f"-datadir={self.folder}", f"-rpcport={self.port}"]
        return subprocess.run([*base, *map(str, words)], capture_output=True, text=True)

    def ask(self, *words):
        done = self.run(*words)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stderr}")
        text = done.stdout.strip()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    @property
    def rpc(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def rest(self):
        return f"{self.rpc}/rest"

    @property
    def cookie(self):
        return self.folder / "regtest/.cookie"

    @property
    def blocks(self):
        return self.folder / "regtest/blocks"

    def mine(self, count, to):
        return self.ask("generatetoaddress", count, to)


def load(node, *words):
    done = node.run("money", "load", "--chain", CHAIN, "--json", *map(str, words))
    return done, json.loads(done.stdout) if done.stdout.strip() else {}


def said(done):
    return f"exit {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}"


def columns(node):
    """Every column's bytes, up to the head."""
    folder = pathlib.Path(node.data) / "money" / CHAIN
    kept = json.loads(node.eye("money", "inspect", "--chain", CHAIN, "--json"))
    lens = {part["name"]: part["bytes"] for part in kept["parts"] if not part["derived"]}
    return {name: (folder / f"{name}.col").read_bytes()[:size] for name, size in lens.items()}


def story(coin):
    """Mined, spent to every kind of address, and spent again."""
    coin.ask("createwallet", "EXERCISE")
    to = coin.ask("getnewaddress")
    coin.mine(120, to)
    for kind in ("legacy", "p2sh-segwit", "bech32"):
        for _ in range(3):
            coin.ask("sendtoaddress", coin.ask("getnewaddress", "EXERCISE", kind), "1.25")
        coin.mine(1, to)
    coin.ask("sendtoaddress", coin.ask("getnewaddress"), "300")
    coin.mine(2, to)
    return to


def three_ways(coin, nodes, words=()):
    """Loads by RPC, REST and the node's own files; what each has."""
    by_rpc, by_rest, by_files = nodes
    done, told = load(by_rpc, "--cookie-file", coin.cookie, *words, coin.rpc)
    check("the node's chain loads by RPC, its cookie saying who asks", done.returncode == 0 and told.get("blocks", 0) > 0, said(done))
    done, told = load(by_rest, *words, coin.rest)
    check("and by REST", done.returncode == 0 and told.get("blocks", 0) > 0, said(done))
    height = coin.ask("getblockcount")
    coin.stop()
    done, _ = load(by_files, coin.blocks)
    check("and from its blk and rev files, once it is stopped", done.returncode == 0, said(done))
    coin.start()
    kept = [columns(node) for node in nodes]
    same = [name for name in kept[0] if not kept[0][name] == kept[1][name] == kept[2][name]]
    check("all three make the same record, column by column, to the byte", not same and len(kept[0]) == 15, f"other: {same}")
    heads = [json.loads(node.eye("money", "inspect", "--chain", CHAIN, "--json"))["head"] for node in nodes]
    check("up to the node's own last block", all(head == {"height": height, "hash": coin.ask("getblockhash", height)} for head in heads), heads)


def whole(coin, node):
    kept = json.loads(node.eye("money", "inspect", "--chain", CHAIN, "--json"))
    check("no input's value is unknown where the record begins with the first block", kept["partial"] == 0, kept["partial"])
    rows = {part["name"]: part["rows"] for part in kept["parts"]}
    unspent = rows["out.value"] - rows["in.value"]
    # The first block's coin can be spent by nobody and stands in no node's set; OP_RETURN outputs neither.
    nobody = columns(node)["out.address"]
    nobody = sum(nobody[i:i + 4] == b"\xfe\xff\xff\xff" for i in range(0, len(nobody), 4))
    set_of_node = coin.ask("gettxoutsetinfo")["txouts"]
    check("what is left unspent is as many outputs as the node's own set has", unspent - nobody - 1 == set_of_node, f"{unspent} - {nobody} - 1, node {set_of_node}")


def wrong(coin, node, strangers):
    done, _ = load(node, coin.rpc)
    check("a node that wants to know who asks says so", done.returncode == 1 and "wants to know who asks" in done.stderr, said(done))
    cookie = strangers / "wrong"
    cookie.write_text("__cookie__:EXERCISE\n")
    done, _ = load(node, "--cookie-file", cookie, coin.rpc)
    check("and so with a wrong password, which no message repeats", done.returncode == 1 and "EXERCISE" not in done.stderr, said(done))
    for code in ("btc", "btc-regtest", "ltc", "bch-regtest"):
        done = node.run("money", "load", "--chain", code, "--cookie-file", str(coin.cookie), coin.rpc)
        check(f"{code}: a node of another chain is refused with both first blocks",
              done.returncode == 1 and "it serves another chain: block 0" in done.stderr, said(done))
    check("and nothing was made for it", not (pathlib.Path(node.data) / "money/btc/block.time.col").exists()
          or (pathlib.Path(node.data) / "money/btc/block.time.col").stat().st_size == 0, "a block was kept")


def reorganise(coin, nodes, to):
    before = coin.ask("getblockcount")
    fork = coin.ask("getblockhash", before - 2)
    ours = coin.ask("getbestblockhash")
    coin.ask("invalidateblock", fork)
    # What was in the blocks waits again; another branch takes it up, with a block more.
    coin.mine(4, coin.ask("getnewaddress"))
    node = nodes[0]
    done, _ = load(node, "--cookie-file", coin.cookie, "--keep", 2, coin.rpc)
    hashes = set(re.findall(r"[0-9a-f]{64}", done.stderr))
    theirs = coin.ask("getblockhash", before - 2)
    check("a fork deeper than --keep stops, names both hashes and offers the way back",
          done.returncode == 1 and {fork, theirs} <= hashes and f"eye money unwind --chain {CHAIN} --to {before - 3}" in done.stderr, said(done))
    head = json.loads(node.eye("money", "inspect", "--chain", CHAIN, "--json"))["head"]
    check("and nothing was taken back", head == {"height": before, "hash": ours}, head)
    done, told = load(node, "--cookie-file", coin.cookie, coin.rpc)
    check("with room enough it is unwound and followed", done.returncode == 0 and (told["unwound"], told["blocks"]) == (3, 4), said(done))
    done, told = load(nodes[1], coin.rest)
    check("by REST too", done.returncode == 0 and (told["unwound"], told["blocks"]) == (3, 4), said(done))
    with Node() as fresh:
        load(fresh, "--cookie-file", coin.cookie, coin.rpc)
        kept, anew = columns(node), columns(fresh)
        other = [name for name in anew if kept[name] != anew[name]]
        check("unwound exactly: the record is the one that a load from the first block makes", not other, f"other: {other}")
    coin.ask("reconsiderblock", fork)


def later(coin):
    """A record that begins later: this node tells no spent outputs, so inputs from before stay unknown, and are counted."""
    with Node() as by_rpc, Node() as by_rest:
        done, told = load(by_rpc, "--cookie-file", coin.cookie, "--from", 121, "--to", 124, coin.rpc)
        check("a record may begin later", done.returncode == 0 and told["blocks"] == 4, said(done))
        load(by_rest, "--from", 121, "--to", 124, coin.rest)
        kept = json.loads(by_rpc.eye("money", "inspect", "--chain", CHAIN, "--json"))
        check("then transactions that spend from before are partial", 0 < kept["partial"] < kept["txs"], kept["partial"])
        check("RPC and REST agree there too", columns(by_rpc) == columns(by_rest), "columns differ")


def extension(coin, nodes, to):
    """Coins go into the extension block and out of it again."""
    # The first block with an extension block must take coins in.
    coin.mine(max(0, MWEB_FROM - 1 - coin.ask("getblockcount")), to)
    try:
        hidden = coin.ask("getnewaddress", "EXERCISE", "mweb")
    except AssertionError as error:
        check("the wallet makes addresses of the extension block", False, error)
        return
    coin.ask("sendtoaddress", hidden, "5")
    coin.mine(2, to)
    coin.ask("sendtoaddress", hidden, "7")
    coin.mine(2, to)
    check("the node has an extension block", "mweb" in json.dumps(coin.ask("getblock", coin.ask("getbestblockhash"), 2)), "no mweb in getblock")
    three_ways(coin, nodes)
    node = nodes[0]
    kept = columns(node)
    flags = [int.from_bytes(kept["tx.info"][i:i + 2], "little") for i in range(0, len(kept["tx.info"]), 6)]
    check("each block since has a HogEx, marked so", sum(flag & 64 != 0 for flag in flags) >= 4, sum(flag & 64 != 0 for flag in flags))
    whole(coin, node)


daemon, client = program()
with Litecoin(daemon, client) as coin, Node() as one, Node() as two, Node() as three, tempfile.TemporaryDirectory() as strangers:
    nodes = (one, two, three)
    to = story(coin)
    three_ways(coin, nodes)
    whole(coin, one)
    done, told = load(one, "--cookie-file", coin.cookie, coin.rpc)
    check("a second time there is nothing to load", done.returncode == 0 and told.get("blocks") == 0, said(done))
    wrong(coin, one, pathlib.Path(strangers))
    later(coin)
    reorganise(coin, nodes, to)
    extension(coin, nodes, to)
check.finish()
