# SPDX-License-Identifier: Apache-2.0
"""PySpark's DataSource (4.x), read and written as Spark itself does it."""

import importlib
import pickle
import sys

from .methods import wanted
from .types import schema_of, struct_type


def is_spark(what):
    return hasattr(what, "reader") and hasattr(what, "schema") and not hasattr(what, "infer_schema")


def package(what):
    """The pyspark that the source's class came from, or any that is there, or ours."""
    from .glue import import_module

    for name in ("pyspark.sql", "pyspark.sql.types", "pyspark.sql.datasource"):
        import_module(name)
    return sys.modules["pyspark.sql"], sys.modules["pyspark.sql.types"], sys.modules["pyspark.sql.datasource"]


class Options(dict):
    """Options whose keys are found in any case, as Spark hands them over."""

    def __init__(self, options):
        super().__init__()
        self.spelled = {}
        for key, value in options.items():
            self[key] = value

    def _key(self, key):
        return self.spelled.get(key.lower(), key) if isinstance(key, str) else key

    def __setitem__(self, key, value):
        key = self.spelled.setdefault(key.lower(), key)
        super().__setitem__(key, value)

    def __getitem__(self, key):
        return super().__getitem__(self._key(key))

    def __delitem__(self, key):
        super().__delitem__(self._key(key))
        del self.spelled[key.lower()]

    def __contains__(self, key):
        return super().__contains__(self._key(key))

    def get(self, key, default=None):
        return super().get(self._key(key), default)

    def pop(self, key, *default):
        value = super().pop(self._key(key), *default)
        self.spelled.pop(key.lower(), None)
        return value

    def copy(self):
        return Options(self)


class SparkSource:
    is_exact = False  # Spark has no word for it

    def __init__(self, what, options, declared):
        self.source = what(Options(options)) if isinstance(what, type) else what
        self.pyspark, self.types, self.api = package(what)
        self.name = type(self.source).__name__
        self.schema = declared if declared is not None else schema_of(self.ask_schema())
        self.struct = struct_type(self.schema, self.types)
        self.takes_filters = self._reader_overrides("pushFilters")

    def ask_schema(self):
        try:
            return self.source.schema()
        except NotImplementedError as error:
            raise NotImplementedError(
                f"{self.name} has no schema of its own: declare the columns, CREATE TABLE t (id BIGINT, ...) USING ..."
            ) from error

    def reader(self):
        return self.source.reader(self.struct)

    def _reader_overrides(self, method):
        """Whether a reader has a method that is not the base class's, which takes nothing."""
        try:
            reader = self.reader()
        except NotImplementedError:
            return False  # a source that is only written
        own = getattr(type(reader), method, None)
        return own is not None and own is not getattr(self.api.DataSourceReader, method, None)

    def statistics(self):
        return None

    def scan(self, columns, all_columns, filters, limit, plan=None):
        return SparkScan(self, wanted(self, columns, all_columns), filters, limit, plan)

    def write(self, rows, overwrite):
        from .batches import Batches

        writer = self.source.writer(self.struct, bool(overwrite))
        batches, count = Batches(rows), Counter()
        arrow = getattr(self.api, "DataSourceArrowWriter", None)
        if arrow is not None and isinstance(writer, arrow):
            pyarrow = importlib.import_module("pyarrow")
            items = count.batches(pyarrow.RecordBatchReader.from_stream(batches))
        else:
            row = self.pyspark.Row(*[field.name for field in self.struct.fields])
            items = count.rows(row(*values) for values in batches)
        try:
            message = writer.write(items)
            for _ in items:
                pass  # what it left: a failure behind it is one all the same
        except BaseException:
            writer.abort([None])
            raise
        writer.commit([message])
        return count.n


class Counter:
    def __init__(self):
        self.n = 0

    def rows(self, items):
        for item in items:
            self.n += 1
            yield item

    def batches(self, items):
        for item in items:
            self.n += item.num_rows
            yield item


class SparkScan:
    def __init__(self, source, projection, filters, limit, plan):
        self.reader = source.reader()
        self.is_projected = False
        if filters:
            list(self.reader.pushFilters([spark_filter(source.api, *f) for f in filters]) or ())
        if projection is not None and hasattr(self.reader, "pruneColumns"):
            fields = {field.name: field for field in source.struct.fields}
            kept = source.types.StructType([fields[name] for name in projection])
            self.is_projected = self.reader.pruneColumns(kept) is not False
        if limit >= 0 and hasattr(self.reader, "pushLimit"):
            self.reader.pushLimit(limit)
        self.partitions = pickle.loads(plan) if plan is not None else self.ask_partitions()

    def ask_partitions(self):
        try:
            partitions = self.reader.partitions()
        except NotImplementedError:
            partitions = []
        return list(partitions) or [None]  # an empty list is one partition, as Spark has it

    def plan(self):
        return pickle.dumps(self.partitions)

    def read(self, index):
        rows = self.reader.read(self.partitions[index])
        return () if rows is None else rows


def spark_filter(api, column, op, value):
    path = (column,)
    if op == "is null":
        return api.IsNull(path)
    if op == "is not null":
        return api.IsNotNull(path)
    if op == "!=":
        return api.Not(api.EqualTo(path, value))
    names = {"=": "EqualTo", "<": "LessThan", "<=": "LessThanOrEqual", ">": "GreaterThan", ">=": "GreaterThanOrEqual"}
    return getattr(api, names[op])(path, value)
