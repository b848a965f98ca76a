# SPDX-License-Identifier: Apache-2.0
"""
SQL over tables wherever they live: files, databases, object stores, and data sources written in Python.

    import weir

    class Squares(weir.DataSource):
        def infer_schema(self, options):
            return "n BIGINT, square BIGINT"

        def plan_partitions(self, options):
            return [range(0, 500), range(500, 1000)]

        def read_partition(self, spec, options):
            for n in spec:
                yield n, n * n

    weir.register_datasource("squares", Squares)
    with weir.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT max(square) FROM squares()")
        print(cursor.fetchone())
"""

from ._native import include_path, library_path, program_path, version
from .connection import connect
from .sources import DataSource, Filter, Statistics, datasource, register_datasource

__version__ = version()

__all__ = [
    "DataSource",
    "Filter",
    "Statistics",
    "__version__",
    "connect",
    "datasource",
    "include_path",
    "library_path",
    "program_path",
    "register_datasource",
]
