"""bars of long work on a real terminal: as wide as it is, gone at the end, none for a file, a pipe or JSON
A pseudo-terminal of 80 and of 40 columns; each command alone and beside a server, whose bar is drawn by the caller."""
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import uuid

from node import PASSPHRASE, Checks, Node, note

check = Checks()
ERASED = "\x1b[2K"
BLOCKS = re.compile("[█░]+")


def on_a_terminal(node, columns, *words):
    """Runs `eye` with all three streams on a terminal; exit code and every byte that it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI")} | {"TERM": "xterm-256color", "EYE_BACKUP_PASSPHRASE": PASSPHRASE}
    words = [node.bin, words[0], "--data", str(node.data), *map(str, words[1:])]
    child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    drawn = b""
    while True:
        if select.select([ours], [], [], 120)[0]:
            try:
                part = os.read(ours, 1 << 16)
            except OSError:  # the other end is closed: Linux says EIO
                break
            if not part:
                break
            drawn += part
        else:
            child.kill()
            break
    os.close(ours)
    return child.wait(60), drawn.decode(errors="replace")


def screen(drawn):
    """The lines that are left: erasing and carriage returns done as a terminal does them."""
    lines, line, at = [], "", 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", drawn):
        if part == "\n":
            lines, line, at = [*lines, line], "", 0
        elif part == "\r":
            at = 0
        elif part == ERASED:
            line = ""
        elif not part.startswith("\x1b"):
            line = line[:at].ljust(at) + part + line[at + len(part):]
            at += len(part)
    return [*lines, line]


def bars(drawn):
    """Each state of a bar, without what steers the terminal."""
    parts = re.split(r"[\r\n]|\x1b\[2K", drawn)
    plain = (re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part) for part in parts)
    return [part for part in plain if BLOCKS.search(part)]


def looked_at(node, where, columns, words):
    code, drawn = on_a_terminal(node, columns, *words)
    shown, name = bars(drawn), f"{words[0]} {where}, {columns} columns"
    check(f"{name}: a bar is drawn", code == 0 and shown, (code, drawn[-300:]))
    widths = {len(bar) for bar in shown}
    check(f"{name}: never wider than the terminal", max(widths, default=0) <= columns, widths)
    check(f"{name}: the bar itself has room", all(len(BLOCKS.search(bar)[0]) >= 8 for bar in shown), shown[:3])
    left = [line for line in screen(drawn) if BLOCKS.search(line)]
    check(f"{name}: it is gone at the end", not left and "".join(screen(drawn)).strip(), left or drawn[-300:])
    return shown


def silent(node, where, words):
    _, drawn = on_a_terminal(node, 80, *words, "--json")
    check(f"{words[0]} --json {where}: no bar on a terminal", not bars(drawn) and ERASED not in drawn, drawn[-200:])
    done = node.run(*words)
    check(f"{words[0]} {where}: nothing is drawn into a pipe", not bars(done.stdout + done.stderr) and "\x1b" not in done.stdout + done.stderr, done.stderr[-200:])


def bundle(node, number):
    objects = [note(f"EXERCISE progress {number} {n} on shop-{n}.example") for n in range(4_000)]
    path = node.scratch / f"EXERCISE-a-name-longer-than-its-column-{number}.json"
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}))
    return path


def table(node):
    """A table of many small blocks with its mapping; the words that load it."""
    path, mapping = node.scratch / "EXERCISE-table.csv", node.scratch / "EXERCISE-mapping.toml"
    rows = "".join(f"EXERCISE payer,EXERCISE mule,{n},{1_700_000_000 + n},{n}\n" for n in range(1, 20_001))
    path.write_text("payer,payee,sum,booked,block\n" + rows)
    mapping.write_text('from = "payer"\nto = "payee"\namount = "sum"\ntime = "booked"\nheight = "block"\nasset_is = "EXERCISE"\n')
    return "--mapping", mapping, path


with Node() as node:
    for number, where in enumerate(("beside a server", "without one")):
        if number == 1:
            node.stop()
        for columns in (80, 40):
            shown = looked_at(node, where, columns, ("ingest", bundle(node, f"{number}-{columns}")))
            wide = any(re.search(r"-%s\.json .* of [0-9.]+ [kM]B" % columns, bar) for bar in shown)
            check(f"ingest {where}, {columns} columns: names the file's end and its bytes where there is room", wide == (columns == 80), shown[:2])
            for words in (("verify",), ("rebuild",), ("backup", "--to", node.scratch / f"backup-{number}-{columns}")):
                looked_at(node, where, columns, words)
            looked_at(node, where, columns, ("money", "load", "--chain", "exercise-bars", *table(node)))
            node.eye("money", "unwind", "--chain", "exercise-bars", "--to", "1")
        silent(node, where, ("verify",))
        silent(node, where, ("ingest", bundle(node, f"{number}-pipe")))
check.finish()
