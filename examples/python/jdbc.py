# SPDX-License-Identifier: Apache-2.0
"""
A table of a database with an ADBC driver, read by several connections at once, as Spark's JDBC source does it:

    url              of the database, "postgresql://localhost/shop"
    driver           the driver's Python module, "adbc_driver_postgresql"
    dbtable          a table, or a query in parentheses
    partitionColumn, lowerBound, upperBound, numPartitions
                     a column of whole numbers: the rows are cut at equal steps between the bounds; those beyond them,
                     and those without a number, are read too
"""

import importlib

REQUIRED = ("url", "driver", "dbtable")


def folded(options):
    """SQL folds what is not quoted, so that keys mean the same in any case."""
    options = {key.lower(): value for key, value in options.items()}
    for key in REQUIRED:
        if key not in options:
            raise ValueError(f"the option {key} is required")
    return options


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class JdbcSource:
    def query(self, options, what, condition):
        table = options["dbtable"]
        alias = " AS source" if table.lstrip().startswith("(") else ""
        return f"SELECT {what} FROM {table}{alias} WHERE {condition}"

    def connect(self, options):
        return importlib.import_module(f"{options['driver']}.dbapi").connect(options["url"])

    def infer_schema(self, options):
        options = folded(options)
        with self.connect(options) as connection, connection.cursor() as cursor:
            cursor.execute(self.query(options, "*", "1 = 0"))
            return cursor.fetch_arrow_table().schema

    def plan_partitions(self, options):
        options = folded(options)
        column, n = options.get("partitioncolumn"), int(options.get("numpartitions", 1))
        if column is None or n < 2:
            return ["1 = 1"]
        column, low, high = quoted(column), int(options["lowerbound"]), int(options["upperbound"])
        cuts = sorted({low + (high - low) * i // n for i in range(1, n)})
        if not cuts:
            return ["1 = 1"]
        between = [f"{column} >= {a} AND {column} < {b}" for a, b in zip(cuts, cuts[1:])]
        return [f"{column} < {cuts[0]} OR {column} IS NULL", *between, f"{column} >= {cuts[-1]}"]

    def read_partition(self, condition, options, projection=None):
        options = folded(options)
        what = "*" if projection is None else ", ".join(map(quoted, projection))
        with self.connect(options) as connection, connection.cursor() as cursor:
            cursor.execute(self.query(options, what, condition))
            yield from cursor.fetch_record_batch()
