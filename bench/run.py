# SPDX-License-Identifier: Apache-2.0
"""
weir beside the `datafusion` and `duckdb` packages: bench/run.py BUILD [--scale N] [--threads N]
[--repeats N] [--query N ...]

- TPC-H over the Parquet files that tpchgen-cli writes, one process per system, all tables
  registered beforehand. Each query is run once for warmth and then five times, the systems taking
  turns and taking turns in who is first; the median counts. A run ends when all rows are there as
  Arrow.
- The whole of lineitem into Arrow, likewise, in processes of their own.
- Start-up: a new process that answers `select 1`, median of five, systems taking turns.

Prints Markdown. A ratio is weir's time over the other's: below 1 weir is faster.
"""

import argparse
import importlib.metadata
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SYSTEMS = ["weir", "datafusion", "duckdb"]


class Worker:
    def __init__(self, system, options):
        command = [sys.executable, HERE / "worker.py", system, str(options.threads)]
        command += [options.data, options.build / "src/libweir.so"]
        self.system = system
        self.memory = 0
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TOKIO_WORKER_THREADS": str(options.threads)},
        )

    def run(self, sql):
        self.process.stdin.write(json.dumps(sql) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.system} died with exit code {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"{self.system}: {answer['error']}\n{sql}")
        self.memory = answer["memory"]
        return answer["seconds"], answer["rows"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def turns(repeats):
    """The order of the systems in each repeat: each is first in its turn."""
    for i in range(repeats):
        shift = i % len(SYSTEMS)
        yield SYSTEMS[shift:] + SYSTEMS[:shift]


def measure(workers, sql, repeats):
    rows = {system: workers[system].run(sql)[1] for system in SYSTEMS}
    if len(set(rows.values())) != 1:
        sys.exit(f"the systems differ in the number of rows: {rows}\n{sql}")
    seconds = {system: [] for system in SYSTEMS}
    for order in turns(repeats):
        for system in order:
            seconds[system].append(workers[system].run(sql)[0])
    return {system: statistics.median(times) for system, times in seconds.items()}


def start_up(options):
    # This process has loaded no system itself: what a new process inherits counts towards its peak.
    python = [sys.executable, "-c"]
    commands = {
        "weir": [options.build / "weir", "sql", "select 1"],
        "datafusion": python + ["import datafusion as d; d.SessionContext().sql('select 1').collect()"],
        "duckdb": python + ["import duckdb; duckdb.connect().execute('select 1').fetchall()"],
    }
    seconds = {system: [] for system in SYSTEMS}
    memory = dict.fromkeys(SYSTEMS, 0)
    for order in turns(options.repeats + 1):
        for system in order:
            start = time.perf_counter()
            process = subprocess.Popen(commands[system], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds[system].append(time.perf_counter() - start)
            process.returncode = status
            if status != 0:
                sys.exit(f"{system} cannot answer select 1")
            memory[system] = max(memory[system], usage.ru_maxrss * 1024)
    # The first turn read the programs from the disk.
    return {system: statistics.median(times[1:]) for system, times in seconds.items()}, memory


def row(name, values, unit):
    cells = [f"{values[system] * unit:.1f}" for system in SYSTEMS]
    ratios = [f"{values['weir'] / values[system]:.2f}" for system in SYSTEMS[1:]]
    print(f"| {name} | " + " | ".join(cells + ratios) + " |", flush=True)


def header(title, unit):
    print(f"\n### {title}\n")
    print(f"| | weir {unit} | datafusion {unit} | duckdb {unit} | weir/datafusion | weir/duckdb |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)


def generate(directory, scale):
    if (directory / "complete").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    tool = pathlib.Path(sys.executable).with_name("tpchgen-cli")
    print(f"generating TPC-H, scale factor {scale}, into {directory}", file=sys.stderr)
    subprocess.run(
        [tool, "parquet", "--scale-factor", str(scale), "--output-dir", directory],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (directory / "complete").touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--query", type=int, nargs="*", default=list(range(1, 23)))
    options = parser.parse_args()
    options.build = options.build.resolve()
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    options.data = cache / "weir" / f"tpch-{options.scale}"
    generate(options.data, options.scale)

    versions = subprocess.run(
        [options.build / "weir", "version"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split("\n")
    others = [f"{name} {importlib.metadata.version(name)}" for name in SYSTEMS[1:]]
    print("; ".join([", ".join(filter(None, versions)), *others]))
    print(f"{options.threads} threads, medians of {options.repeats}, TPC-H scale factor {options.scale}, Parquet")

    header(f"TPC-H, scale factor {options.scale}", "ms")
    workers = {system: Worker(system, options) for system in SYSTEMS}
    results = []
    for number in options.query:
        sql = (HERE / f"tpch/q{number:02}.sql").read_text()
        results.append(measure(workers, sql, options.repeats))
        row(f"Q{number}", results[-1], 1e3)
    means = {s: math.exp(statistics.fmean(math.log(r[s]) for r in results)) for s in SYSTEMS}
    row("geometric mean", means, 1e3)
    memory = {system: worker.memory for system, worker in workers.items()}
    for worker in workers.values():
        worker.close()

    header("All of lineitem into Arrow", "ms")
    workers = {system: Worker(system, options) for system in SYSTEMS}
    row("`SELECT * FROM lineitem`", measure(workers, "SELECT * FROM lineitem", options.repeats), 1e3)
    scan_memory = {system: worker.memory for system, worker in workers.items()}
    for worker in workers.values():
        worker.close()

    header("Start-up and `select 1`", "ms")
    seconds, start_memory = start_up(options)
    row("new process", seconds, 1e3)

    header("Peak resident memory", "MiB")
    row("the TPC-H queries", memory, 2**-20)
    row("all of lineitem", scan_memory, 2**-20)
    row("start-up", start_memory, 2**-20)


if __name__ == "__main__":
    main()
