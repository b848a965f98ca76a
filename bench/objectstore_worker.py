# SPDX-License-Identifier: Apache-2.0
"""
Queries over one S3 store, for bench/objectstore.py: objectstore_worker.py ENGINE ENDPOINT KEY SECRET LIBRARY DIRECTORY,
where weir keeps its workspace. Each line of standard input names a case; its answer is a line of JSON with the seconds that it took and what came of it.
"""

import json
import pathlib
import sys
import time

BUCKET = "lake"
DATA = f"s3://{BUCKET}/t/*.parquet"
MANY = f"s3://{BUCKET}/many/"
CASES = {
    "point lookup": "SELECT s FROM {t} WHERE k = 2000017",
    "selective scan": "SELECT sum(a) AS x, count(*) AS n FROM {t} WHERE k BETWEEN 1000000 AND 1100000",
    "top-k": "SELECT k FROM {t} ORDER BY b DESC, k LIMIT 10",
    "full scan": "SELECT sum(k) AS k, sum(a) AS a, max(b) AS b, max(s) AS s FROM {t}",
    "count": "SELECT count(*) AS n FROM {t}",
}
WRITTEN = 16_000_000  # rows of the COPY, 1 GB in Arrow


class Weir:
    def __init__(self, endpoint, key, secret, library, directory):
        import weir_ctypes

        self.session = weir_ctypes.Session(library, path=directory)
        self.session.run(
            f"CREATE SECRET own (TYPE s3, SCOPE 's3://{BUCKET}/', endpoint '{endpoint}', access_key_id '{key}', secret_access_key '{secret}', region 'us-east-1', allow_http 'true')"
        )

    def query(self, sql):
        return self.session.rows(sql.format(t=f"'{DATA}'"))

    def close(self):
        self.session.close()

    def list(self):
        seen = [0]
        take = self.library_callback(seen)
        self.session._call("weir_store_list", self.session.session, MANY.encode(), 1, None, take, None)
        return seen[0]

    def library_callback(self, seen):
        import ctypes

        def count(*_):
            seen[0] += 1
            return 0

        return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(count)

    def write(self):
        self.session.run(f"COPY (SELECT value AS k, value * 7 % 1000003 AS a, 'row ' || value AS s FROM generate_series(1, {WRITTEN})) TO 's3://{BUCKET}/out/weir.parquet'")


class DuckDB:
    def __init__(self, endpoint, key, secret, library, directory):
        import duckdb
        import duckdb_extension_httpfs

        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        (extension,) = (pathlib.Path(duckdb_extension_httpfs.__file__).parent / "extensions").glob("*/*.duckdb_extension")
        self.connection.execute(f"LOAD '{extension}'")
        host = endpoint.removeprefix("http://")
        self.connection.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{secret}', ENDPOINT '{host}', REGION 'us-east-1', USE_SSL false, URL_STYLE 'path')"
        )

    def query(self, sql):
        return self.connection.execute(sql.format(t=f"'{DATA}'")).fetchall()

    def list(self):
        return self.connection.execute(f"SELECT count(*) FROM glob('{MANY}*')").fetchone()[0]

    def write(self):
        self.connection.execute(
            f"COPY (SELECT i AS k, i * 7 % 1000003 AS a, 'row ' || i AS s FROM range(1, {WRITTEN} + 1) r(i)) TO 's3://{BUCKET}/out/duckdb.parquet'"
        )


class DataFusion:
    def __init__(self, endpoint, key, secret, library, directory):
        import datafusion
        from datafusion.object_store import AmazonS3

        self.context = datafusion.SessionContext()
        store = AmazonS3(bucket_name=BUCKET, region="us-east-1", access_key_id=key, secret_access_key=secret, endpoint=endpoint, allow_http=True)
        self.context.register_object_store("s3://", store, BUCKET)
        self.is_registered = False

    def query(self, sql):
        if not self.is_registered:  # reads footers, which is part of the first query
            self.context.register_parquet("t", f"s3://{BUCKET}/t/")
            self.is_registered = True
        return [tuple(row.values()) for batch in self.context.sql(sql.format(t="t")).collect() for row in batch.to_pylist()]

    list = write = None


class Polars:
    def __init__(self, endpoint, key, secret, library, directory):
        import polars

        self.polars = polars
        self.options = {
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "aws_region": "us-east-1",
            "aws_endpoint_url": endpoint,
            "aws_allow_http": "true",
        }

    def query(self, sql):
        table = self.polars.scan_parquet(DATA, storage_options=self.options)
        return self.polars.SQLContext({"t": table}).execute(sql.format(t="t")).collect().rows()

    list = None

    def write(self):
        polars = self.polars
        k = polars.col("k")
        rows = polars.LazyFrame().select(k=polars.int_range(1, WRITTEN + 1)).with_columns(a=k * 7 % 1000003, s=polars.concat_str(polars.lit("row "), k.cast(polars.String)))
        rows.sink_parquet(f"s3://{BUCKET}/out/polars.parquet", storage_options=self.options)


def main():
    engine = {kind.__name__.lower(): kind for kind in (Weir, DuckDB, DataFusion, Polars)}[sys.argv[1]](*sys.argv[2:])
    print("ready", flush=True)
    for line in sys.stdin:
        case = line.strip()
        call = {"listing": engine.list, "write": engine.write}.get(case) or (lambda: engine.query(CASES[case]))
        start = time.perf_counter()
        try:
            found = call()
            print(json.dumps({"seconds": time.perf_counter() - start, "found": found}, default=str), flush=True)
        except Exception as error:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), flush=True)
    if hasattr(engine, "close"):
        engine.close()


if __name__ == "__main__":
    main()
