# SPDX-License-Identifier: Apache-2.0
"""
Data sources in Python beside other ways from Python's memory into an engine: bench/python.py BUILD [--gb N] [--seconds N]

A generator yields batches of 65,536 rows (an int64, a float64) that are there already. weir and Sail (PyPI pysail) read it as a
data source by partitions; DuckDB and DataFusion's package, which have no such sources, as a stream of the same batches (a
RecordBatchReader; a pyarrow dataset of one). The batch is the same one each time, 1 MB, which a processor may keep. "memory" is one thread of numpy that sums as many bytes: how fast this machine reads.
Each system has a process of its own. Two are compared in neighbouring runs, each first in its turn; a ratio is the median of the
pairs' ratios. Batches go into `count(*)`, which need look at none of them, a sum of one column, sums of `all`, and a group-by; then rows as tuples, more partitions, and a source that computes
in Python with threads and with worker processes.

Prints Markdown.
"""

import argparse
import json
import os
import pathlib
import select
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKER = pathlib.Path(__file__).resolve().parent / "python_worker.py"
ROWS, BYTES = 65536, 65536 * 16
DEADLINE = 120  # seconds for one answer


class System:
    def __init__(self, name, site):
        env = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
        self.log = tempfile.TemporaryFile()
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, WORKER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=env, text=True
        )
        self.read()

    def read(self):
        answered, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        line = self.process.stdout.readline() if answered else ""
        if not line:
            self.log.seek(0)
            raise RuntimeError(f"{self.name}: {self.log.read().decode()[-1500:]}")
        return json.loads(line)

    def run(self, case):
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        # Nothing of it is worth an orderly end.
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


def check(case, answer):
    rows = case["partitions"] * case["batches"] * ROWS
    if case["query"] == "group":
        assert answer["row"][0] == 100, answer
    elif case["shape"] != "work":
        assert answer["row"][0] == rows, (answer, rows)


def pairs(first, second, seconds):
    """Both systems' answers to their cases, (system, case) each."""
    for system, case in (first, second):
        system.run(case)
    answers, start = ([], []), time.monotonic()
    while len(answers[0]) < 5 or time.monotonic() - start < seconds:
        for i in (0, 1) if len(answers[0]) % 2 == 0 else (1, 0):
            system, case = (first, second)[i]
            answers[i].append(system.run(case))
            if system.name != "memory":
                check(case, answers[i][-1])
    return answers


def row(*cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def header(title, *columns):
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---|' + '---:|' * (len(columns) - 1)}", flush=True)


def gbs(case, answers):
    n_bytes = case["partitions"] * case["batches"] * BYTES
    return n_bytes / 1e9 / statistics.median(answer["seconds"] for answer in answers)


def compare(label, first, second, seconds):
    ours, theirs = pairs(first, second, seconds)
    speed = gbs(first[1], ours) / gbs(second[1], theirs)
    each = [b["seconds"] / a["seconds"] for a, b in zip(ours, theirs)]
    # Of cases of other sizes the pairs' times say nothing alone.
    ratio = statistics.median(each) if first[1]["batches"] == second[1]["batches"] else speed
    row(label, f"{gbs(first[1], ours):.2f}", f"{gbs(second[1], theirs):.2f}", f"{ratio:.2f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--gb", type=float, default=4, help="bytes of a run of batches")
    parser.add_argument("--seconds", type=float, default=10, help="least time for a comparison")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
        wheel = subprocess.run(
            [ROOT / "scripts/wheel", options.build, directory], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        site = pathlib.Path(directory) / "site"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, "--target", site, wheel], check=True)
        systems = {name: System(name, site) for name in ("memory", "weir", "duckdb", "datafusion", "sail")}
        try:
            report(systems, options)
        finally:
            for system in systems.values():
                system.close()


def report(systems, options):
    weir = systems["weir"]

    def case(query="sum", shape="batches", partitions=8, gb=options.gb, **more):
        batches = max(1, round(gb * 1e9 / BYTES / partitions))
        return {"query": query, "shape": shape, "partitions": partitions, "batches": batches, **more}

    header("Batches of 65,536 rows", "beside", "weir GB/s", "its GB/s", "weir is times as fast")
    for query in ("count", "sum", "all", "group"):
        for name in ("memory", "duckdb", "datafusion", "sail"):
            compare(f"{query}, {name}", (weir, case(query)), (systems[name], case(query)), options.seconds)
    header("Partitions", "partitions", "weir GB/s", "with 1 partition", "ratio")
    for n in (8, 64):
        compare(n, (weir, case(partitions=n)), (weir, case(partitions=1)), options.seconds)
    header("Tuples", "of", "GB/s", "weir's batches GB/s", "ratio")
    for name in ("weir", "sail"):
        tuples = case(shape="tuples", partitions=2, gb=0.02)
        compare(name, (systems[name], tuples), (weir, case()), options.seconds)
    # The figures count the batches as whole ones; the ratio is what matters. Starting the processes is in it.
    header("A source that computes in Python, 8 partitions", "of weir", "batches as GB/s", "threads", "ratio")
    for workers in (1, 2, 4):
        work, threads = case(shape="work", workers=workers), case(shape="work")
        compare(f"{workers} worker processes", (weir, work), (weir, threads), options.seconds)


main()
