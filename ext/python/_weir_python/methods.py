# SPDX-License-Identifier: Apache-2.0
"""The three-method class: infer_schema, plan_partitions, read_partition."""

import inspect
import pickle
from typing import Any, NamedTuple

import _weir_native

from .types import schema_of

REQUIRED = ("plan_partitions", "read_partition")
HINTS = ("projection", "filters", "limit")


class Filter(NamedTuple):
    """column op value: op is one of =, !=, <, <=, >, >=, "is null", "is not null"."""

    column: str
    op: str
    value: Any


def hints_of(function):
    """Which of the extra keywords a function takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return HINTS
    return tuple(p.name for p in parameters if p.name in HINTS and p.kind is not p.POSITIONAL_ONLY)


def wanted(source, columns, all_columns):
    """The projection: None for all columns, and the first one for none, since rows of no column have no number."""
    if all_columns:
        return None
    return columns or [_weir_native.schema_tuple(source.schema)[3][0][1]]


class MethodSource:
    def __init__(self, what, options, declared):
        self.source = what() if isinstance(what, type) else what
        self.options = options
        missing = [name for name in REQUIRED if not callable(getattr(self.source, name, None))]
        if declared is None and not callable(getattr(self.source, "infer_schema", None)):
            missing.insert(0, "infer_schema")
        if missing:
            name = type(self.source).__name__
            raise TypeError(
                f"{name} is no data source: it has no {', '.join(missing)}; a source has infer_schema, "
                "plan_partitions and read_partition, or is a PySpark DataSource with schema and reader"
            )
        self.schema = declared if declared is not None else schema_of(self.source.infer_schema(dict(options)))
        self.plan_hints = hints_of(self.source.plan_partitions)
        self.read_hints = hints_of(self.source.read_partition)
        self.takes_filters = "filters" in self.plan_hints + self.read_hints
        self.is_exact = bool(getattr(self.source, "exact_filters", False))

    def statistics(self):
        """(rows, bytes, exact), -1 for what is not known; None for nothing."""
        ask = getattr(self.source, "statistics", None)
        known = ask(dict(self.options)) if callable(ask) else None
        if known is None:
            return None
        if isinstance(known, int):
            return (known, -1, 0)
        unknown = set(known) - {"rows", "bytes", "exact"}
        if unknown:
            raise ValueError(f"statistics() gives rows, bytes and exact, not {', '.join(sorted(map(str, unknown)))}")
        return (int(known.get("rows", -1)), int(known.get("bytes", -1)), int(bool(known.get("exact", False))))

    def scan(self, columns, all_columns, filters, limit, plan=None):
        return MethodScan(self, wanted(self, columns, all_columns), filters, limit, plan)

    def write(self, rows, overwrite):
        write = getattr(self.source, "write", None)
        if not callable(write):
            raise NotImplementedError(f"{type(self.source).__name__} has no write: the table is read only")
        from .batches import Batches

        return write(Batches(rows), dict(self.options), overwrite=bool(overwrite))


class MethodScan:
    def __init__(self, source, projection, filters, limit, plan):
        self.source = source
        self.hints = {
            "projection": projection,
            "filters": [Filter(*f) for f in filters],
            "limit": None if limit < 0 else limit,
        }
        self.is_projected = projection is not None and "projection" in source.read_hints
        if plan is None:
            extra = {name: self.hints[name] for name in source.plan_hints}
            partitions = source.source.plan_partitions(dict(source.options), **extra)
            if partitions is None or isinstance(partitions, (str, bytes)):
                raise TypeError(f"plan_partitions must give a list, not {type(partitions).__name__}")
            self.partitions = list(partitions)
        else:
            self.partitions = pickle.loads(plan)

    def plan(self):
        return pickle.dumps(self.partitions)

    def read(self, index):
        extra = {name: self.hints[name] for name in self.source.read_hints}
        rows = self.source.source.read_partition(self.partitions[index], dict(self.source.options), **extra)
        if rows is None:
            raise TypeError("read_partition gave None; it gives an iterator of batches")
        return rows
