"""where a payment's money went: every method side by side, to the last unit, from the command line
`eye money trace` on a small EXERCISE table whose answers are worked out by hand: a victim pays 100 into an account that holds 50."""
import json

from node import Checks, Node

check = Checks()
MAPPING = 'from="from"\nto="to"\namount="amount"\ntime="time"\ntx="tx"\nkind="kind"\nasset_is="EXERCISE-contract"\n'
ROWS = """from,to,amount,time,tx,kind
,victim,100,2026-03-01 00:00:00,t0,mint
,mixer,50,2026-03-01 00:01:00,t1,mint
victim,mixer,100,2026-03-01 01:00:00,t2,transfer
mixer,left,60,2026-03-01 02:00:00,t3,transfer
mixer,right,90,2026-03-01 03:00:00,t4,transfer
right,far,30,2026-03-01 04:00:00,t5,transfer
right,burnt,10,2026-03-01 05:00:00,t6,burn
left,a,1,2026-03-01 06:00:00,t7,transfer
left,b,1,2026-03-01 06:00:00,t7,transfer
"""


def trace(node, tx, *more):
    return {line["method"]: line for line in map(json.loads, node.eye("money", "trace", "--chain", "exercise-chain", "--json", *more, tx).splitlines())}


def of(lines, account):
    return next(((int(p["lo"]), int(p["hi"])) for p in lines if p["account"] == account), (0, 0))


def total(line):
    parts = [*line["held"], *line["stopped"], *line["cut"].values(), line["fees"], line["destroyed"]]
    return sum(int(p["hi"]) for p in parts)


def everything(node, where):
    all_of = trace(node, "t2")
    check(f"{where}: all methods stand side by side", list(all_of) == ["fifo", "lifo", "haircut", "libr", "bounds"], list(all_of))
    for method in ("fifo", "lifo", "haircut", "libr"):
        line = all_of[method]
        check(f"{where}: {method} sums up to the source", total(line) == 100 and line["not_computable"] is None, line)
    left = {name: of(line["held"], "left")[1] + of(line["held"], "a")[1] + of(line["held"], "b")[1] for name, line in all_of.items()}
    check(f"{where}: what went left, by hand", (left["fifo"], left["lifo"], left["haircut"], left["libr"]) == (10, 60, 40, 10), left)
    bounds = all_of["bounds"]
    inside = all(of(bounds["held"], p["account"])[0] <= int(p["hi"]) <= of(bounds["held"], p["account"])[1]
                 for name, line in all_of.items() if name != "bounds" for p in line["held"])
    check(f"{where}: every method lies within the bounds", inside, bounds["held"])
    check(f"{where}: what was burnt is told apart", int(all_of["fifo"]["destroyed"]["hi"]) == 10, all_of["fifo"]["destroyed"])
    hops = trace(node, "t2", "--method", "lifo", "--hops", "2")["lifo"]
    check(f"{where}: what lies beyond the hops is cut and listed", int(hops["cut"]["hops"]["hi"]) > 0 and total(hops) == 100, hops)
    stop = trace(node, "t2", "--method", "fifo", "--stop", "right")["fifo"]
    check(f"{where}: a stop is named with why", [(p["account"], p["hi"], p["why"]) for p in stop["stopped"]] == [("right", "90", "asked for")], stop["stopped"])
    done = node.run("money", "trace", "--chain", "exercise-chain", "t7")
    check(f"{where}: of several transfers one must be named", done.returncode == 1 and "--transfer N" in done.stderr and "1: left pays b 1" in done.stderr, done.stderr)
    text = node.eye("money", "trace", "--chain", "exercise-chain", "--transfer", "1", "--method", "haircut", "t7")
    check(f"{where}: the text says what, where and in which transaction", "1 of EXERCISE-contract from t7 (transfer 1)" in text and "held       1  b" in text, text)
    for words, says in ((("t99",), "not on record"), (("--method", "guess", "t2"), "fifo, lifo"), (("--stop", "nobody", "t2"), "nobody is not on record")):
        done = node.run("money", "trace", "--chain", "exercise-chain", *words)
        check(f"{where}: {says}", done.returncode in (1, 2) and says in done.stderr, done.stderr)


def victims(node, folder):
    """Two victims' payments into one account: what comes together, how it is divided, and whether a claim holds."""
    rows = ["from,to,amount,time,tx,kind", ",v1,100,2026-03-01 00:00:00,m1,mint", ",v2,100,2026-03-01 00:00:01,m2,mint",
            ",mule,50,2026-03-01 00:00:02,m3,mint", "v1,mule,100,2026-03-01 01:00:00,p1,transfer", "v2,mule,100,2026-03-01 01:00:01,p2,transfer",
            "mule,pool,120,2026-03-01 02:00:00,o1,transfer", "mule,other,30,2026-03-01 02:00:01,o2,transfer"]
    (folder / "victims.csv").write_text("\n".join(rows) + "\n")
    node.eye("money", "load", "--chain", "exercise-victims", "--mapping", folder / "chain.toml", folder / "victims.csv")
    on = ("--chain", "exercise-victims")
    text = node.eye("money", "collector", *on, "--method", "haircut", "p1", "p2")
    check("the collector is the pool behind the mule", "mule  200 by 2 of them" in text and "pool  96 by 2 of them" in text, text)
    line = json.loads(node.eye("money", "restitution", *on, "--account", "mule", "--json", "p1", "p2"))
    shares = {m["method"]: [s["share"] for s in m["shares"]] for m in line["methods"]}
    check("a frozen balance is divided by each method", shares["fifo"] == ["0", "100"] and shares["lifo"] == ["50", "0"]
          and shares["haircut"] == ["40", "40"] and shares["libr"] == ["50", "50"], shares)
    text = node.eye("money", "restitution", *on, "--account", "mule", "p1", "p2")
    check("and the text says what was cut", "libr: 200 claimed, cut in equal proportion" in text, text)
    claim = folder / "claim.csv"
    claim.write_text("tx,from,to,amount\np1,v1,mule,100\no1,mule,pool,70\no2,mule,other,30\n")
    done = node.run("money", "check", *on, claim)
    check("a claim made first in, first out is found to be that", done.returncode == 0 and "fifo: gives the claim" in done.stdout
          and "departs first at row 3" in done.stdout, done.stdout + done.stderr)
    claim.write_text("tx,from,to,amount\np1,v1,mule,100\no1,mule,pool,110\n")
    done = node.run("money", "check", *on, claim)
    check("one that pays on more than came does not conserve", done.returncode == 1 and "DOES NOT CONSERVE" in done.stdout
          and "row 3" in done.stdout, done.stdout + done.stderr)
    done = node.run("money", "trace", *on, "--past", "pool", "p1")
    check("going on past a service wants a name and a reason", done.returncode == 2 and "--by" in done.stderr and "--reason" in done.stderr, done.stderr)
    line = json.loads(node.eye("money", "trace", *on, "--past", "pool", "--by", "EXERCISE analyst", "--reason", "EXERCISE order", "--method", "fifo", "--json", "p1"))
    check("and both stand in the result", line["decided"] == {"by": "EXERCISE analyst", "reason": "EXERCISE order"} and line["past"] == ["pool"], line)


with Node(served=False) as node:
    folder = node.scratch / "EXERCISE-traces"
    folder.mkdir()
    (folder / "chain.toml").write_text(MAPPING)
    (folder / "chain.csv").write_text(ROWS)
    node.eye("money", "load", "--chain", "exercise-chain", "--mapping", folder / "chain.toml", folder / "chain.csv")
    everything(node, "without a server")
    victims(node, folder)
    # What anybody had before is not known: a payer that the table never shows receiving.
    (folder / "part.csv").write_text("from,to,amount,time,tx,kind\nsomebody,mixer,5,2026-03-01 00:00:00,p0,transfer\nmixer,left,7,2026-03-02 00:00:00,p1,transfer\n")
    node.eye("money", "load", "--chain", "exercise-part", "--mapping", folder / "chain.toml", folder / "part.csv")
    lines = map(json.loads, node.eye("money", "trace", "--chain", "exercise-part", "--json", "p0").splitlines())
    part = {line["method"]: line for line in lines}
    check("with an unknown opening the methods say so", all("not known" in part[m]["not_computable"] for m in ("fifo", "lifo", "haircut", "libr")), part)
    check("and the bounds still answer", part["bounds"]["not_computable"] is None and of(part["bounds"]["held"], "left") == (0, 5), part["bounds"])
    node.start()
    everything(node, "beside a server")
    check("SIGTERM ends the server with 0", node.stop() == 0)
check.finish()
