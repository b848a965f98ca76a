# SPDX-License-Identifier: Apache-2.0
"""
Data sources: classes that make rows. A base class is a help to the reader and to type checkers; any class with these
methods is a source, and so is a PySpark DataSource.
"""

from typing import Any, Callable, Dict, Iterable, NamedTuple, TypedDict, TypeVar, Union

from ._native import add_host

add_host()

from _weir_python import registry as _registry  # noqa: E402

Options = Dict[str, str]
S = TypeVar("S")


class Filter(NamedTuple):
    """`column op value`: op is one of =, !=, <, <=, >, >=, "is null", "is not null". All of a list hold together."""

    column: str
    op: str
    value: Any


class Statistics(TypedDict, total=False):
    """What statistics() may tell. exact: the number of rows is right, and count(*) need not read them."""

    rows: int
    bytes: int
    exact: bool


class DataSource:
    """
    A source of three methods. One object serves a table; its methods are called from several threads, or in worker
    processes, so it keeps nothing that changes.

    The keywords projection (names, None for all), filters (a list of Filter) and limit (None: all) are passed to
    plan_partitions and read_partition if their signatures have them. What a source leaves out by filters may be more
    than what it was asked to leave out only if none of the rows would pass; weir filters again, unless the class says
    `exact_filters = True`.
    """

    exact_filters: bool = False

    def infer_schema(self, options: Options) -> Any:
        """The columns: a pyarrow.Schema or anything with __arrow_c_schema__, or a text: "id BIGINT, name STRING"."""
        raise NotImplementedError

    def plan_partitions(self, options: Options) -> Iterable[Any]:
        """What read_partition is called with, once for each; they are read in parallel. No partitions, no rows."""
        raise NotImplementedError

    def read_partition(self, spec: Any, options: Options) -> Iterable[Any]:
        """The rows of one: batches of Arrow, or tuples, lists, dicts, Rows."""
        raise NotImplementedError

    # Those that a class may have besides:
    #   statistics(self, options) -> Optional[Union[int, Statistics]]
    #   write(self, rows, options, overwrite) -> Optional[int]


def register_datasource(name: Union[str, type], source: Any = None) -> Any:
    """
    Makes a class (or an object) known in SQL: SELECT * FROM name(key => 'value'), CREATE TABLE t USING name OPTIONS
    (key 'value'). A later one of the same name replaces it. Of a PySpark DataSource class the name may be left out.
    """
    return _registry.register_datasource(name, source)


def datasource(name: str) -> Callable[[S], S]:
    """The same as a decorator of a class."""

    def register(source: S) -> S:
        _registry.register_datasource(name, source)
        return source

    return register
