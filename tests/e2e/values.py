# SPDX-License-Identifier: Apache-2.0
"""Rows of Arrow tables as Python values that can be compared across databases, and their comparison."""

import datetime
import decimal
import math
import re
import uuid

import pyarrow as pa
import pyarrow.types as types

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
DAY = 86400 * 10**9


class Moment(int):
    """Nanoseconds since 1970 of a date or timestamp: a date is its midnight."""


class Span(tuple):
    """Months, days and nanoseconds."""


def of_column(array):
    """The values of an array, chunked or not."""
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in of_column(chunk)]
    type = array.type
    if isinstance(type, pa.BaseExtensionType):
        return of_extension(array)
    if types.is_dictionary(type):
        return of_column(array.dictionary_decode())
    if types.is_date32(type):
        return each(array.cast(pa.int32()), lambda v: Moment(v * DAY))
    if types.is_date64(type):
        return each(array.cast(pa.int64()), lambda v: Moment(v * 10**6))
    if types.is_timestamp(type):
        unit = NANOSECONDS[type.unit]
        return each(array.cast(pa.int64()), lambda v: Moment(v * unit))
    if types.is_time(type):
        unit = NANOSECONDS[type.unit]
        width = pa.int32() if types.is_time32(type) else pa.int64()
        return each(array.cast(width), lambda v: Span(("time", v * unit)))
    if types.is_duration(type):
        unit = NANOSECONDS[type.unit]
        return each(array.cast(pa.int64()), lambda v: Span((0, 0, v * unit)))
    if types.is_interval(type):
        return each(array, Span)
    if types.is_list(type) or types.is_large_list(type) or types.is_fixed_size_list(type):
        return [None if not item.is_valid else tuple(of_column(item.values)) for item in array]
    return array.to_pylist()


def each(array, convert):
    return [None if value is None else convert(value) for value in array.to_pylist()]


def of_extension(array):
    name = getattr(array.type, "extension_name", "")
    if name == "arrow.uuid":
        return each(array.storage, lambda v: str(uuid.UUID(bytes=v)))
    if name == "arrow.opaque" and array.type.type_name == "numeric":
        return each(array.storage, lambda v: decimal.Decimal(v))
    return of_column(array.storage)


def rows_of(table):
    """The rows of a table as tuples."""
    return list(zip(*(of_column(column) for column in table.columns))) if table.num_columns else []


# ---- Comparison ----


def is_nan(value):
    return value != value if isinstance(value, (float, decimal.Decimal)) else False


def exactly(a, b):
    """As a value that went two ways through the same engine: sums of floats may add up in any order."""
    if a is None or b is None:
        return a is b
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return is_nan(a) and is_nan(b) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(a, decimal.Decimal):
        return is_nan(a) and is_nan(b) or (a == b and a.as_tuple().exponent == b.as_tuple().exponent)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(exactly, a, b))
    return a == b


def alike(a, b):
    """As values of two systems with types of their own: numbers by value, texts that are moments as these."""
    if a is None or b is None:
        return a is b
    numbers = (int, float, decimal.Decimal)
    if isinstance(a, Moment) and isinstance(b, str):
        return a == moment(b)
    if isinstance(b, (Moment, decimal.Decimal)) and isinstance(a, str):
        return alike(b, a)
    if isinstance(a, decimal.Decimal) and isinstance(b, str):
        # A number of any scale, for which Arrow has no type.
        return b.lower() == "nan" if is_nan(a) else a == number(b)
    if isinstance(a, numbers) and isinstance(b, numbers):
        if is_nan(a) or is_nan(b):
            return is_nan(a) and is_nan(b)
        if isinstance(a, float) or isinstance(b, float):
            return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        if isinstance(a, decimal.Decimal) and isinstance(b, decimal.Decimal) and scale(a) != scale(b):
            # A quotient has as many digits as the system likes.
            coarser = max(scale(a), scale(b), -9)
            return a == b or (coarser < -3 and abs(a - b) <= decimal.Decimal(1).scaleb(coarser))
        return a == b
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == b


def number(text):
    return decimal.Decimal(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def scale(value):
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def moment(text):
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    since = parsed - datetime.datetime(1970, 1, 1)
    return Moment((since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000)


def key(row):
    """Sorts rows of either side in the same order: what may differ in its last digits comes last."""
    exact, rough, fine = [], [], []
    for value in row:
        text = str(value)
        if isinstance(value, str):
            value = next((v for v in (number(value), moment(value)) if v is not None), value)
        if value is None:
            exact.append("")
        elif isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, Moment):
            exact.append("1")
            rough.append("nan" if is_nan(value) else f"{float(value):.6e}".replace("-0.000000e+00", "0.000000e+00"))
            if is_nan(value):
                fine.append(())
            else:
                fine.append((value,) if isinstance(value, float) else (str(decimal.Decimal(value).normalize()), text))
        else:
            exact.append("2" + repr(value))
    return exact, rough, fine


def difference(first, second, equal, is_ordered):
    """None, or what differs between two lists of rows."""
    if len(first) != len(second):
        return f"{len(first)} rows and {len(second)} rows"
    if not is_ordered:
        first, second = sorted(first, key=key), sorted(second, key=key)
    for i, (a, b) in enumerate(zip(first, second)):
        if len(a) != len(b):
            return f"{len(a)} columns and {len(b)} columns"
        for j, (x, y) in enumerate(zip(a, b)):
            if not equal(x, y):
                return f"row {i}, column {j}: {x!r} and {y!r}\n  {a!r}\n  {b!r}"
    return None
