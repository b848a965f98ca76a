# SPDX-License-Identifier: Apache-2.0
"""Other programs read tables by their URLs."""

import io
import shutil
import subprocess
import urllib.request

import duckdb
import pandas
import polars
import pyarrow.parquet
import pytest

from http_server import HttpServer

N = 50000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with HttpServer(tmp_path_factory.mktemp("readers")) as server:
        sql = f"SELECT i, i * 0.5 AS x, CASE WHEN i % 7 = 0 THEN NULL ELSE 'row ' || i END AS s, date '2026-01-01' + CAST(i % 365 AS INT) AS d FROM generate_series(1, {N}) t(i)"
        assert server.sql(f"COPY ({sql}) TO 'data/t.parquet'").status == 200
        (server.directory / "data" / "derived.sql").write_text("SELECT i, x * 2 AS y, s, d FROM t WHERE i > 10 ORDER BY i")
        yield server


def test_polars_reads_a_derived_table(server):
    url = f"{server.url}/v1/files/lake/derived.parquet"
    frame = polars.read_parquet(url)
    assert frame.shape == (N - 10, 4) and frame["y"].sum() == sum(range(11, N + 1)) and frame["s"].null_count() == N // 7 - 1
    found = polars.scan_parquet(url).filter(polars.col("i") <= 20).select("i", "y").collect()
    assert found["i"].to_list() == list(range(11, 21))
    assert polars.read_csv(f"{server.url}/v1/files/lake/derived.csv").shape == (N - 10, 4)


def test_pandas_reads_a_derived_table(server):
    frame = pandas.read_parquet(f"{server.url}/v1/files/lake/derived.parquet")
    assert frame.shape == (N - 10, 4) and frame["y"].sum() == sum(range(11, N + 1))
    assert pandas.read_csv(f"{server.url}/v1/files/lake/derived.csv").shape == (N - 10, 4)
    assert pandas.read_json(f"{server.url}/v1/files/lake/derived.jsonl", lines=True).shape == (N - 10, 4)


def test_pyarrow_reads_a_derived_table(server):
    class Ranges(io.RawIOBase):
        """A file of whose bytes each part is asked for by itself."""

        def __init__(self, url):
            self.url, self.place = url, 0
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD")) as response:
                self.size, self.etag = int(response.headers["Content-Length"]), response.headers["ETag"]

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, offset, whence=0):
            self.place = offset + (0, self.place, self.size)[whence]
            return self.place

        def tell(self):
            return self.place

        def read(self, n=-1):
            end = self.size if n < 0 else min(self.place + n, self.size)
            if end <= self.place:
                return b""
            headers = {"Range": f"bytes={self.place}-{end - 1}", "If-Match": self.etag}
            with urllib.request.urlopen(urllib.request.Request(self.url, headers=headers)) as response:
                assert response.status == 206
                data = response.read()
            self.place += len(data)
            return data

    file = pyarrow.parquet.ParquetFile(Ranges(f"{server.url}/v1/files/lake/derived.parquet"))
    table = file.read(columns=["y"])
    assert table.num_rows == N - 10 and sum(table["y"].to_pylist()) == sum(range(11, N + 1))


def test_duckdb_reads_a_derived_table(server):
    connection = duckdb.connect()
    try:
        connection.execute("INSTALL httpfs; LOAD httpfs")
    except duckdb.Error as error:
        pytest.skip(f"DuckDB's extension httpfs cannot be had: {str(error).splitlines()[0]}")
    url = f"{server.url}/v1/files/lake/derived.parquet"
    assert connection.execute(f"SELECT count(*), sum(y) FROM '{url}' WHERE i > 100").fetchone() == (N - 100, sum(range(101, N + 1)))


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_gets_rows_files_and_parts(server):
    def curl(*arguments):
        return subprocess.run(["curl", "-sSf", *arguments], capture_output=True, check=True).stdout

    assert curl(server.url + "/v1/sql", "-H", "Accept: text/csv", "-d", "SELECT i, s FROM lake.t WHERE i IN (6, 7) ORDER BY i") == b"i,s\n6,row 6\n7,\n"
    assert curl(server.url + "/v1/sql", "--json", '{"sql": "SELECT $1 + 1 AS a", "params": [41]}') == b'{"columns":[{"name":"a","type":"int64","nullable":false}],"rows":[\n{"a":42}\n],"row_count":1}\n'
    whole = curl(server.url + "/v1/files/lake/derived.csv")
    assert whole.startswith(b"i,y,s,d\n11,11.0,row 11,2026-01-12\n") and whole.count(b"\n") == N - 9
    assert curl("-r", "100-199", server.url + "/v1/files/lake/derived.csv") == whole[100:200]
    assert curl("--compressed", "-L", server.url + "/v1/files/lake/derived.csv") == whole
    sent = subprocess.run(["curl", "-sS", "-T", "-", server.url + "/v1/sql", "-X", "POST", "-H", "Accept: text/csv"], input=b"SELECT 1 AS a", capture_output=True)
    assert sent.stdout == b"a\n1\n"
