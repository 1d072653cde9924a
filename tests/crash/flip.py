"""a flipped bit in the log is found and named
Each stored cell of each table of the log (a sample of rows, seeded), the
bytes of a body in the file itself, tiles, heads and checkpoint. After each flip `eye verify` fails and says where.
Every flip is made in a copy of the data folder, through SQLite or in the file's bytes."""
import pathlib
import random
import shutil
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from node import Checks, Node, note, seed  # noqa: E402

# (table, column) of log.db whose value says nothing about what was acknowledged, and why. Keep this empty if you can.
NOTHING_TO_PROVE = {}
# Words of which a finding has at least one, beside the table's own name.
PARTS = ("entry", "entries", "leaf", "body", "commit", "tile", "head", "checkpoint", "node log", "epoch", "signature", "tree", "layout", "name")
ROWS_A_TABLE = 3
WORD = "quernstone"
chance = random.Random(seed())
check = Checks()


def flipped(value):
    """The value with one bit changed, of the same SQLite type."""
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, float):
        return value + 1.0
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[chance.randrange(len(data))] ^= 1  # the lowest bit keeps ASCII text text
    return data.decode("utf-8", "replace") if isinstance(value, str) else bytes(data)


def tables(path):
    """Name, rowid or key expression, and columns of each table that holds rows."""
    log = sqlite3.connect(path)
    for (name,) in log.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").fetchall():
        info = log.execute(f'PRAGMA table_info("{name}")').fetchall()
        keys = [c[1] for c in sorted(info, key=lambda c: c[5]) if c[5]] or ["rowid"]
        yield name, keys, [c[1] for c in info]
    log.close()


def cells(path):
    """A seeded sample of (table, keys, row's key values, column, value) over the whole log."""
    log = sqlite3.connect(path)
    for name, keys, columns in tables(path):
        key_sql = ", ".join(f'"{k}"' for k in keys)
        rows = log.execute(f'SELECT {key_sql} FROM "{name}"').fetchall()
        for key in chance.sample(rows, min(ROWS_A_TABLE, len(rows))):
            where = " AND ".join(f'"{k}" IS ?' for k in keys)
            row = log.execute(f'SELECT * FROM "{name}" WHERE {where}', key).fetchone()
            for column, value in zip(columns, row):
                if value is not None and value not in ("", b"") and (name, column) not in NOTHING_TO_PROVE:
                    yield name, keys, key, column, value
    log.close()


with Node(served=False) as node:
    node.start()
    for _ in range(6):
        node.post([note(f"EXERCISE {WORD}") for _ in range(60)])  # over 256 leaves: one full tile
    node.stop()
    sound = node.run("verify")
    check("before any flip the ledger verifies", sound.returncode == 0, sound.stdout + sound.stderr)
    log_db = node.data / "log.db"
    check("the log is SQLite in log.db", log_db.exists(), sorted(p.name for p in node.data.iterdir()))
    sqlite3.connect(log_db).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    copy = node.scratch / "copy"

    def verify_copy():
        """`eye verify` of the copy: exit code and everything it said."""
        done = node.run("verify", "--data", copy, data=False)
        return done.returncode, (done.stdout + done.stderr).strip()

    def fresh_copy():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(node.data, copy, ignore=lambda _, names: [n for n in names if n.endswith((".sock", ".lock"))])
        return copy / "log.db"

    fresh_copy()
    code, said = verify_copy()
    check("an unchanged copy verifies", code == 0, said)

    missed, silent, unnamed, crashed, made = [], [], [], [], 0
    for table, keys, key, column, value in list(cells(log_db)):
        path = fresh_copy()
        changed = sqlite3.connect(path)
        try:
            with changed:
                changed.execute("PRAGMA ignore_check_constraints = ON")
                changed.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE ' + " AND ".join(f'"{k}" IS ?' for k in keys),
                                (flipped(value), *key))
        except sqlite3.IntegrityError:
            continue  # the changed key is taken by another row: no flip of this cell is possible
        finally:
            changed.close()
        made += 1
        code, said = verify_copy()
        where = f"{table}.{column} of {dict(zip(keys, key))}"
        if code == 0:
            missed.append(where)
        elif not said:
            silent.append(where)
        elif code < 0 or "panicked" in said:
            crashed.append(f"{where}: {code} {said[-200:]}")
        # an entry is named by its pos, or (arrived, body_of) by the commit that covers it; the rest by the part of the proof
        elif keys == ["pos"] and column != "pos" and str(key[0]) not in said and "commit" not in said.lower():
            unnamed.append(f"{where}: {said[:160]}")
        elif not any(word in said.lower() for word in (*PARTS, table.lower())):
            unnamed.append(f"{where}: {said[:160]}")
    check(f"each of {made} flipped cells is found", made > 20 and not missed, missed[:12])
    check("each finding is told in words", not silent, silent[:5])
    check("each finding names the entry or the part of the proof", not unnamed, unnamed[:6])
    check("a flip never crashes the verifier", not crashed, crashed[:4])

    path = fresh_copy()
    raw = bytearray(path.read_bytes())
    places = [i for i in range(len(raw)) if raw.startswith(WORD.encode(), i)]
    check("bodies stand in the log as they were received", places)
    for at in chance.sample(places, min(5, len(places))):
        path = fresh_copy()
        raw = bytearray(path.read_bytes())
        raw[at + chance.randrange(len(WORD))] ^= 1 << chance.randrange(7)
        path.write_bytes(raw)
        code, said = verify_copy()
        check("a bit flipped in the file, in the middle of a body, is found", code > 0 and said, f"exit {code}: {said[:200]}")

    # A damaged body costs its own entry alone, and nothing once it is mended.
    path = fresh_copy()
    log = sqlite3.connect(path)
    pos, body = log.execute("SELECT pos, body FROM bodies WHERE body LIKE ? ORDER BY pos LIMIT 1 OFFSET 180", (f"%{WORD}%",)).fetchone()

    def on_copy(*args):
        done = node.run(*args, "--data", copy, data=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def body_is(text):
        with log:
            log.execute("UPDATE bodies SET body = ? WHERE pos = ?", (text, pos))

    def found():
        return len(node.run("search", WORD, "--json", "--limit", "1000", "--data", copy, data=False).stdout.splitlines())

    body_is(body.replace(WORD, WORD.upper()))
    code, said = on_copy("rebuild")
    check("a rebuild goes on past a damaged body and says so", code == 0 and "eye doctor" in said, said)
    code, said = on_copy("doctor")
    check("doctor names entry and log", code == 1 and f"entry {pos} " in said and f"log.db, bodies, pos {pos}" in said, said)
    check("every other object is there", found() == 359, found())
    body_is(body)
    code, said = on_copy("rebuild")
    check("a rebuild takes a mended body up", code == 0 and "eye doctor" not in said and found() == 360, f"{found()} {said}")
    code, said = on_copy("doctor")
    check("then nothing is wrong", code == 0, said)
    code, said = on_copy("verify", "--views")
    check("and views and log verify", code == 0, said)
    log.close()

    path = fresh_copy()
    cut = sqlite3.connect(path)
    with cut:
        last = cut.execute("SELECT max(pos) FROM entries").fetchone()[0]
        cut.execute("DELETE FROM entries WHERE pos = ?", (last,))
    cut.close()
    code, said = verify_copy()
    check("a removed last entry is found", code > 0 and said, f"exit {code}: {said[:200]}")
check.finish()
