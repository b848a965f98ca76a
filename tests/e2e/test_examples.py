# SPDX-License-Identifier: Apache-2.0
"""The programs of examples/, as they are built beside the program."""

import pathlib
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
from conftest import PROGRAM

EXAMPLES = pathlib.Path(PROGRAM).parent / "examples"


def run(name, *arguments):
    return subprocess.run(
        [EXAMPLES / name, *arguments], capture_output=True, text=True, timeout=60
    )


def test_query_parquet_counts_and_averages_a_column(tmp_path):
    path = tmp_path / "delays.parquet"
    pq.write_table(pa.table({"delay": pa.array([1, 2, None, 6], pa.int16())}), path)
    result = run("query_parquet", path, "delay")
    assert (result.returncode, result.stdout) == (0, "3 values, 3 on average\n"), result.stderr


def test_query_parquet_names_a_missing_file(tmp_path):
    result = run("query_parquet", tmp_path / "none.parquet", "delay")
    assert (result.returncode, result.stdout) == (1, "")
    assert "none.parquet" in result.stderr and "58P01" in result.stderr


def test_register_arrow_queries_an_array_of_the_process():
    result = run("register_arrow")
    squares = "".join(f"{p} squared is {p * p}\n" for p in (11, 13, 17, 19, 23, 29))
    assert (result.returncode, result.stdout) == (0, squares), result.stderr


def test_own_kind_is_scanned_by_the_engine():
    result = run("own_kind")
    expected = f"the odd numbers below 100000 add up to {sum(range(1, 100000, 2))}\n"
    assert (result.returncode, result.stdout) == (0, expected), result.stderr
