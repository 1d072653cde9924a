"""backup while serving, restore to a new epoch
A backup taken while the node serves and is being written to restores to a node that verifies, in a new epoch, with
everything acknowledged before the backup began; what was expunged afterwards stays expunged in the restored node."""
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import Checks, Node, note  # noqa: E402

check = Checks()
with Node() as node:
    before = [note(f"EXERCISE before {n}") for n in range(300)]
    for at in range(0, 300, 50):
        node.post(before[at:at + 50])
    secret = note("EXERCISE mumblequop")
    node.post([secret])

    posted, stop = [], threading.Event()

    def keep_posting():
        while not stop.is_set():
            objects = [note("EXERCISE meanwhile") for _ in range(5)]
            node.post(objects)
            posted.extend(o["id"] for o in objects)

    writer = threading.Thread(target=keep_posting)
    writer.start()
    target = node.scratch / "backup"
    recovery = node.scratch / "recovery.key"
    made = node.run("recovery-key", recovery, data=False)
    public = made.stdout.strip()
    check("a recovery key is made for its owner alone", made.returncode == 0 and public.startswith("eyerecovery1")
          and oct(recovery.stat().st_mode & 0o777) == "0o600", made.stdout + made.stderr)
    check("and never overwritten", node.run("recovery-key", recovery, data=False).returncode == 1)
    backed = node.run("backup", "--to", target, "--recipient", public, timeout=120)
    stop.set()
    writer.join(60)
    check("a backup succeeds while the node is being written to", backed.returncode == 0 and target.is_dir(), backed.stdout + backed.stderr)
    check("the writer was not held up", posted)

    expunged = node.run("expunge", secret["id"], "--reason", "EXERCISE after the backup")
    check("expunge succeeds after the backup", expunged.returncode == 0, expunged.stdout + expunged.stderr)
    node.stop()

    restored_data = node.scratch / "restored"
    keys = {path.name: path.read_bytes() for path in (node.data / "keys").iterdir()}
    files = [path for path in target.rglob("*") if path.is_file()]
    holding = [f"{name} in {path.name}" for path in files for name, key in keys.items()
               if key[:16] in path.read_bytes() or key[16:] in path.read_bytes() or key.hex().encode() in path.read_bytes()]
    check("no file of the backup holds a key of the node", len(keys) == 4 and not holding, holding)
    offline = node.run("verify", "--data", target, data=False)
    check("the backup verifies, signatures too, without any key", offline.returncode == 0, offline.stdout + offline.stderr)
    sealed = node.run("restore", "--from", target, "--data", restored_data, data=False)
    check("without its key it does not restore, and says what opens it", sealed.returncode == 1 and public in sealed.stderr
          and not restored_data.exists(), sealed.stdout + sealed.stderr)
    wrong = node.run("restore", "--from", target, "--passphrase-stdin", "--data", restored_data, data=False, stdin="EXERCISE words\n")
    check("nor with a passphrase that it is not under", wrong.returncode == 1 and "recovery key" in wrong.stderr, wrong.stderr)
    restored = node.run("restore", "--from", target, "--recovery-key", recovery, "--data", restored_data, data=False)
    check("restore into a new folder succeeds", restored.returncode == 0, restored.stdout + restored.stderr)
    again = node.run("restore", "--from", target, "--recovery-key", recovery, "--data", restored_data, data=False)
    check("restore onto a node that stands there is refused", again.returncode != 0 and again.stderr.strip(), again.stdout + again.stderr)
    check("restore says that a new epoch begins", "epoch" in (restored.stdout + restored.stderr).lower(), restored.stdout + restored.stderr)

    with Node(init=False, data=restored_data) as fresh:
        there = {o["id"] for page in fresh.pages() for o in page}
        lost = {o["id"] for o in before} - there
        check("everything acknowledged before the backup began is there", not lost, f"{len(lost)} of {len(before)} lost")
        check("nothing is there that was never posted", there <= {o["id"] for o in before} | set(posted))
        check("what was expunged after the backup stays expunged", secret["id"] not in there
              and fresh.taxii("GET", f"/objects/{secret['id']}/").status == 404)
        later = note("EXERCISE after the restore")
        fresh.post([later])
        check("the restored node takes new objects", fresh.taxii("GET", f"/objects/{later['id']}/").status == 200)
        verified = fresh.run("verify", "--views", timeout=300)
        check("the restored ledger and its views verify", verified.returncode == 0, verified.stdout + verified.stderr)
    word = b"mumblequop"
    holds = [p.name for p in restored_data.rglob("*") if p.is_file() and word in p.read_bytes().lower()]
    check("no file of the restored node holds a word of it", not holds, holds)
check.finish()
