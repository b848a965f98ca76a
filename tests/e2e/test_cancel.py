# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends any statement within a second, with exit code 130, and leaves nothing behind."""

import random
import signal
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

STATEMENTS = {
    "cross join": "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.value + b.value = 7",
    "sort": "SELECT value FROM range(200000000) ORDER BY md5(CAST(value AS VARCHAR))",
    "aggregate": "SELECT count(*) FROM (SELECT value % 50000000 AS k, sum(value) FROM range(1000000000) GROUP BY 1)",
    "scan": "SELECT count(*) FROM 'data/*.parquet' a, 'data/*.parquet' b WHERE a.text || b.text LIKE '%zzz%'",
    "window": "SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY -value) AS r FROM range(200000000))",
    "copy": "COPY (SELECT value, md5(CAST(value AS VARCHAR)) FROM range(500000000)) TO 'out.parquet'",
    "copy of partitions": "COPY (SELECT value, value % 50 AS p FROM range(500000000)) TO 'out/' (FORMAT csv, PARTITION_BY (p))",
    "output": "SELECT value, value * 2 AS two FROM range(2000000000)",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_interrupt_ends_it_within_a_second(db, name):
    (db.directory / "data").mkdir()
    table = pa.table({"text": [f"text {i}" for i in range(100000)]})
    for i in range(3):
        pq.write_table(table, db.directory / "data" / f"{i}.parquet")
    before = db.left()
    args = ["-o", "/dev/null", "--format", "csv"] if name == "output" else []
    result, seconds = db.interrupt("sql", *args, "--memory-limit", "1GiB", STATEMENTS[name])
    assert result.returncode == 130, result.stderr
    assert seconds < 1.0, f"it took {seconds:.2f} s"
    assert "cancel" in result.stderr.lower() or "interrupt" in result.stderr.lower(), result.stderr
    assert db.left() == before


def test_copies_that_are_interrupted_while_they_begin_files_leave_nothing(db):
    """Many at the same time, so that writes take long, and of many files, so that there is one to be made at any moment."""
    chance = random.Random()
    for _ in range(6):
        copies = [
            db.start("sql", "--memory-limit", "1GiB", f"COPY (SELECT value, value % 3000 AS p FROM range(500000000)) TO 'out{i}/' (FORMAT csv, PARTITION_BY (p))")
            for i in range(10)
        ]
        try:
            time.sleep(chance.uniform(0.3, 1.0))
            for copy in copies:
                copy.send_signal(signal.SIGINT)
            ends = [copy.communicate(timeout=60) for copy in copies]
        finally:
            for copy in copies:
                copy.kill()
        assert [copy.returncode for copy in copies] == [130] * len(copies), ends
        assert list(db.directory.glob("**/.weir-*")) == [] and db.left() == []


def test_interrupted_script_runs_no_further_statement(db):
    result, _ = db.interrupt("sql", STATEMENTS["cross join"] + "; COPY (SELECT 1) TO 'late.csv'")
    assert result.returncode == 130
    assert db.left() == []


def test_timeout_ends_a_statement(db):
    message = db.fail(STATEMENTS["cross join"], args=["--timeout", "300ms"], timeout=10)
    assert "time" in message.lower()
