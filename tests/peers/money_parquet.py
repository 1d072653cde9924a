"""a dump of Ethereum as Parquet, written by pyarrow, is the same record as the dump in CSV and JSON lines
The real extract from the shared data: ../shared/data/chains/eth-tokens. Skipped where that is not on this machine."""
import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
from node import SHARED, Checks, Node, skip

check = Checks()
REAL = SHARED / "data/chains/eth-tokens"
TABLES = ("blocks.csv", "transactions.csv", "traces.csv")
TEXT = pa.string()
LIST = pa.list_(pa.string())

if not REAL.is_dir():
    skip(f"{REAL} is not here")


def written(rows, path, packed, group):
    """Whole numbers as such, lists as lists, everything else as text."""
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    kinds = {}
    for name, values in columns.items():
        present = [value for value in values if value is not None]
        if present and all(isinstance(value, int) and abs(value) < 2**63 for value in present):
            kinds[name] = pa.int64()
        elif present and all(isinstance(value, list) for value in present):
            kinds[name] = LIST
        else:
            kinds[name] = TEXT
            columns[name] = [None if value is None else str(value) for value in values]
    table = pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()})
    pq.write_table(table, path, compression=packed, row_group_size=group)


def numbered(text):
    """A cell as what it is: a whole number, nothing, or text."""
    if text == "":
        return None
    return int(text) if text.isdigit() and len(text) < 19 and not (text.startswith("0") and text != "0") else text


def record(node, chain):
    """What the record holds, whichever files it was read from."""
    line = json.loads(node.eye("money", "inspect", "--chain", chain, "--json").splitlines()[0])
    rows = {part["name"]: part["rows"] for part in line["parts"] if not part["derived"]}
    return line["head"], line["first"], line["blocks"], line["txs"], line["txs_said"], line["blocks_without"], rows


with Node(served=False) as node:
    node.eye("money", "load", "--chain", "eth", *[REAL / name for name in TABLES], REAL / "logs.json")
    expected = record(node, "eth")
    check("the extract is on record", expected[2] > 0 and expected[3] > 0, expected)
    for number, packed in enumerate(("snappy", "zstd", "gzip")):
        folder = node.scratch / f"EXERCISE-{packed}"
        folder.mkdir()
        for name in TABLES:
            with open(REAL / name, newline="") as file:
                rows = [{key: numbered(value) for key, value in row.items()} for row in csv.DictReader(file)]
            written(rows, folder / name.replace(".csv", ".parquet"), packed, (100, 1_000, 1_000_000)[number])
        with open(REAL / "logs.json") as file:
            written([json.loads(line) for line in file if line.strip()], folder / "logs.parquet", packed, 500)
        with Node(served=False) as other:
            other.eye("money", "load", "--chain", "eth", folder)
            check(f"{packed}: the same record, to the last row and the head's hash", record(other, "eth") == expected, record(other, "eth"))
check.finish()
