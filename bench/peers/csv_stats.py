"""The statistics of labs_csv_stats, asked of polars, DuckDB and qsv: one thread each, CPU of each in turn.

    python3 bench/peers/csv_stats.py ROUNDS FILE...        (pip install polars duckdb; qsvlite and csv-stats in the PATH, or left out)

"simple" is count, empty, least, greatest, sum, mean and variance of every column; "all" adds quartiles, the number of different
values (approximate where the peer has that) and the three most frequent values. Each run is a process of its own, so its peak of memory
is its own (but never less than the 12 MiB of this script, from which it is forked); what a Python peer needs to start is measured by a run
over nothing, and taken off. The peers are told the types of the retail files' columns; csv-stats finds them out.
"""

import json
import os
import statistics
import subprocess
import sys
import shutil

NUMBERS = ("Quantity", "UnitPrice", "CustomerID")


def polars(files, depth):
    import polars as pl

    text = ["InvoiceNo", "StockCode", "Description", "InvoiceDate", "Country"]
    order = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    # The types are given: inferring them would cost another pass.
    schema = {name: pl.String if name in text else pl.Float64 for name in order}
    frame = pl.scan_csv(files, schema=schema)
    every = pl.all()
    simple = [every.count().name.suffix("_count"), every.null_count().name.suffix("_null"), every.min().name.suffix("_min"), every.max().name.suffix("_max")]
    for number in NUMBERS:
        column = pl.col(number)
        simple += [column.sum().alias(number + "_sum"), column.mean().alias(number + "_mean"), column.var().alias(number + "_var")]
    if depth == "all":
        simple += [every.approx_n_unique().name.suffix("_distinct")]
        simple += [pl.col(number).quantile(q).alias(f"{number}_{q}") for number in NUMBERS for q in (0.25, 0.5, 0.75)]
        simple += [every.value_counts(sort=True).head(3).implode().name.suffix("_top")]
    print(frame.select(simple).collect(engine=os.environ.get("POLARS_ENGINE", "auto")).width)


def duckdb(files, depth):
    import duckdb

    base = duckdb.connect(config={"threads": 1})
    names = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    parts = []
    for name in names:
        parts += [f"count({name})", f"count(*) - count({name})", f"min({name})", f"max({name})"]
        if name in NUMBERS:
            parts += [f"sum({name})", f"avg({name})", f"var_samp({name})"]
        if depth == "all":
            parts += [f"approx_count_distinct({name})", f"approx_top_k({name}, 3)"]
            if name in NUMBERS:
                parts += [f"approx_quantile({name}, [0.25, 0.5, 0.75])"]
    types = "{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', 'Quantity': 'BIGINT', 'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DOUBLE', 'CustomerID': 'DOUBLE', 'Country': 'VARCHAR'}"
    print(len(base.execute(f"select {', '.join(parts)} from read_csv({files!r}, header = true, columns = {types})").fetchone()))


def run(command):
    """CPU seconds and peak MiB of a process."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"POLARS_MAX_THREADS": "1"})
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[:3]} failed")
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    if sys.argv[1] in ("polars", "duckdb"):
        import importlib

        if sys.argv[2] == "nothing":
            importlib.import_module(sys.argv[1])
        else:
            globals()[sys.argv[1]](sys.argv[3:], sys.argv[2])
        return
    rounds, files = int(sys.argv[1]), sys.argv[2:]
    me = [sys.executable, os.path.abspath(__file__)]
    peers, idle = {}, {}
    for peer in ("polars", "duckdb"):
        if subprocess.run([*me, peer, "nothing"], capture_output=True).returncode == 0:
            idle[peer] = statistics.median(run([*me, peer, "nothing"])[0] for _ in range(3))
            peers[peer] = lambda depth, peer=peer: [*me, peer, depth, *files]
    if program := shutil.which("csv-stats"):
        peers["csv-stats"] = lambda depth: [program, *(["--simple"] if depth == "simple" else []), *files]
    if qsv := shutil.which("qsvlite"):
        whole = "/tmp/csv_stats_peers.csv" if len(files) > 1 else files[0]
        if len(files) > 1:
            with open(whole, "wb") as out:
                subprocess.run([qsv, "cat", "rows", *files], stdout=out, check=True)
        wanted = {"simple": [], "all": ["--cardinality", "--mode", "--quartiles"]}
        peers["qsv"] = lambda depth: [qsv, "stats", "--force", "--jobs", "1", *wanted[depth], whole]
    for depth in ("simple", "all"):
        seen = {name: [] for name in peers}
        for _ in range(rounds):
            for name, command in peers.items():
                seen[name].append(run(command(depth)))
        for name, runs in seen.items():
            cpu = statistics.median(cpu for cpu, _ in runs) - idle.get(name, 0)
            print(json.dumps({"depth": depth, "peer": name, "cpu_ms": round(cpu * 1000, 1), "peak_mib": round(max(peak for _, peak in runs), 1)}))


main()
