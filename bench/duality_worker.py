# SPDX-License-Identifier: Apache-2.0
"""
One process of bench/duality.py: duality_worker.py LIBRARY THREADS [WORKSPACE]

Reads one JSON object per line and answers with one per line. `steps` are done in order, and the last
one's rows count:

    ["sql", TEXT]                      to the end, all rows into Arrow
    ["encode", TEXT, PATH, OPTIONS]    by weir_encode, through a callback that writes to PATH
    ["scan", TEXT]                     to the end, without keeping the rows
    ["untimed", TEXT], ["remove", PATH]
    ["schema", PATH]                   of a node

The answer: seconds, CPU seconds and rows; `digest` of the rows, order aside, when they are few; bytes
that the process read (/proc/self/io); and with `sample`, a directory, the highest sum of resident
memory and of the bytes in that directory's files, sampled every two milliseconds.
"""

import hashlib
import json
import os
import pathlib
import resource
import sys
import threading
import time

import weir_ctypes

PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def bytes_read():
    lines = pathlib.Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


class Sampler(threading.Thread):
    """The highest sum of this process's memory and of the files in a directory."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory = directory
        self.peak = 0
        self.stopped = threading.Event()

    def now(self):
        total = int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * PAGE
        for parent, _, names in os.walk(self.directory):
            for name in names:
                try:
                    total += os.stat(os.path.join(parent, name)).st_blocks * 512
                except FileNotFoundError:  # renamed meanwhile
                    pass
        return total

    def run(self):
        while not self.stopped.wait(0.002):
            self.peak = max(self.peak, self.now())

    def stop(self):
        self.stopped.set()
        self.join()
        return max(self.peak, self.now())


def digest(table):
    if table.num_rows > 1000:
        return None
    rows = sorted(str(tuple(row.values())) for row in table.to_pylist())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def encode(session, text, path, options):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        session.encode(text, "parquet", lambda data: os.write(descriptor, data), **options)
    finally:
        os.close(descriptor)


def work(session, steps):
    """Seconds, CPU seconds and the rows of the last step."""
    seconds, cpu, table = 0.0, 0.0, None
    for what, *arguments in steps:
        start, start_cpu = time.perf_counter(), cpu_seconds()
        if what == "sql":
            table = session.query(*arguments).read_all()
        elif what == "encode":
            encode(session, *arguments)
        elif what == "schema":
            with session.node(*arguments) as node:
                node.schema()
        elif what == "scan":
            for _ in session.query(*arguments):
                pass
        elif what == "remove":
            pathlib.Path(*arguments).unlink(missing_ok=True)
            continue
        elif what == "untimed":
            session.run(*arguments)
            continue
        seconds += time.perf_counter() - start
        cpu += cpu_seconds() - start_cpu
    return seconds, cpu, table


def answer(session, request):
    sampler = None
    if request.get("sample"):
        sampler = Sampler(request["sample"])
        sampler.start()
    before = bytes_read()
    seconds, cpu, table = work(session, request["steps"])
    result = {"seconds": seconds, "cpu": cpu, "read": bytes_read() - before}
    if sampler:
        result["memory"] = sampler.stop()
    if table is not None:
        result.update(rows=table.num_rows, digest=digest(table))
    if request.get("metrics"):
        result["metrics"] = session.metrics()
    return result


def main():
    library, threads, *path = sys.argv[1:]
    session = weir_ctypes.Session(library, int(threads), *path)
    for line in sys.stdin:
        try:
            result = answer(session, json.loads(line))
        except Exception as error:  # reported by the parent, with the steps it belongs to
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)
    session.close()


main()
