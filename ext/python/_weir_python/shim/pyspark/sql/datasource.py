# SPDX-License-Identifier: Apache-2.0
"""The classes that a data source derives from, with the names and defaults of PySpark 4."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Tuple

ColumnPath = Tuple[str, ...]


def _not_implemented(what):
    raise NotImplementedError(f"{what} is not implemented")


class DataSource(ABC):
    def __init__(self, options):
        self.options = options

    @classmethod
    def name(cls):
        return cls.__name__

    def schema(self):
        _not_implemented("schema")

    def reader(self, schema):
        _not_implemented("reader")

    def writer(self, schema, overwrite):
        _not_implemented("writer")

    def streamReader(self, schema):
        _not_implemented("streamReader")

    def simpleStreamReader(self, schema):
        _not_implemented("simpleStreamReader")

    def streamWriter(self, schema, overwrite):
        _not_implemented("streamWriter")


class InputPartition:
    def __init__(self, value):
        self.value = value

    def __repr__(self):
        attributes = ", ".join(f"{key}={value!r}" for key, value in self.__dict__.items())
        return f"{type(self).__name__}({attributes})"


class DataSourceReader(ABC):
    def pushFilters(self, filters):
        return filters

    def partitions(self):
        _not_implemented("partitions")

    @abstractmethod
    def read(self, partition): ...


class DataSourceStreamReader(ABC):
    pass


class SimpleDataSourceStreamReader(ABC):
    pass


@dataclass
class WriterCommitMessage:
    pass


class DataSourceWriter(ABC):
    @abstractmethod
    def write(self, iterator): ...

    def commit(self, messages):
        pass

    def abort(self, messages):
        pass


class DataSourceArrowWriter(DataSourceWriter):
    pass


class DataSourceStreamWriter(ABC):
    pass


class DataSourceStreamArrowWriter(DataSourceStreamWriter):
    pass


# ---- Filters ----


class Filter(ABC):
    pass


@dataclass(frozen=True)
class EqualTo(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class EqualNullSafe(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class GreaterThan(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class GreaterThanOrEqual(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class LessThan(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class LessThanOrEqual(Filter):
    attribute: ColumnPath
    value: Any


@dataclass(frozen=True)
class In(Filter):
    attribute: ColumnPath
    value: Tuple[Any, ...]


@dataclass(frozen=True)
class IsNull(Filter):
    attribute: ColumnPath


@dataclass(frozen=True)
class IsNotNull(Filter):
    attribute: ColumnPath


@dataclass(frozen=True)
class Not(Filter):
    child: Filter


@dataclass(frozen=True)
class StringStartsWith(Filter):
    attribute: ColumnPath
    value: str


@dataclass(frozen=True)
class StringEndsWith(Filter):
    attribute: ColumnPath
    value: str


@dataclass(frozen=True)
class StringContains(Filter):
    attribute: ColumnPath
    value: str
