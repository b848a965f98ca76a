# SPDX-License-Identifier: Apache-2.0
"""
Bytes as other programs read them, and rows in a form in which they compare.

A table is a dictionary of columns, each a list in the order of its column `id`. A value is None, a
bool, an int, a str, bytes, a Decimal, or a tuple that says what it is: ("date", days), ("time",
nanoseconds), ("timestamp", nanoseconds since 1970 of UTC, or of the clock when it has no zone),
("duration", nanoseconds), ("interval", months, days, nanoseconds), ("float", repr), where all NaN are
one. Lists are lists, structures and maps lists of pairs. Which of Arrow's layouts held it (views, 64-bit
offsets, dictionaries, runs) makes no difference here.
"""

import csv
import datetime
import decimal
import io
import json
import math
import re

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
DAY = 86_400_000


def storage(array, bits):
    return array.view(pa.int64() if bits == 64 else pa.int32()).to_pylist()


def column(array):
    """The values of an Arrow array."""
    kind = array.type
    types = pa.types
    if types.is_dictionary(kind):
        return column(array.dictionary_decode())
    if types.is_run_end_encoded(kind):
        return column(pa.compute.run_end_decode(array))
    if types.is_timestamp(kind) or types.is_duration(kind):
        scale, name = NANOSECONDS[kind.unit], "timestamp" if types.is_timestamp(kind) else "duration"
        return [v if v is None else (name, v * scale) for v in storage(array, 64)]
    if types.is_time(kind):
        scale = NANOSECONDS[kind.unit]
        return [v if v is None else ("time", v * scale) for v in storage(array, kind.bit_width)]
    if types.is_date(kind):
        scale = 1 if kind.bit_width == 32 else DAY
        return [v if v is None else ("date", v // scale) for v in storage(array, kind.bit_width)]
    if types.is_floating(kind):
        return [v if v is None else real(v) for v in array.to_pylist()]
    if types.is_interval(kind):
        return [v if v is None else ("interval", *v) for v in array.to_pylist()]
    if types.is_struct(kind):
        fields = [kind.field(i).name for i in range(kind.num_fields)]
        inner = [column(values) for values in array.flatten()]
        valid = array.is_valid().to_pylist()
        return [
            [(name, values[i]) for name, values in zip(fields, inner)] if valid[i] else None
            for i in range(len(array))
        ]
    if types.is_map(kind):
        entries = [v if v is None else list(v) for v in array.to_pylist()]
        keys = iter(column(array.keys))
        items = iter(column(array.items))
        return [v if v is None else [(next(keys), next(items)) for _ in v] for v in entries]
    if isinstance(kind, LISTS):
        values = iter(column(array.flatten()))
        lengths = array.value_lengths().to_pylist()
        valid = array.is_valid().to_pylist()
        return [[next(values) for _ in range(n)] if v else None for n, v in zip(lengths, valid)]
    return array.to_pylist()


LISTS = (pa.ListType, pa.LargeListType, pa.FixedSizeListType, pa.ListViewType, pa.LargeListViewType)


def real(value):
    return ("float", "nan" if math.isnan(value) else repr(float(value)))


def rows(table):
    """A pyarrow.Table in the order of `id`."""
    table = table.combine_chunks()
    order = table["id"].to_pylist()
    order = sorted(range(len(order)), key=order.__getitem__)
    columns = {}
    for field in table.schema:
        chunks = table[field.name].chunks
        values = [value for chunk in chunks for value in column(chunk)]
        columns[field.name] = [values[i] for i in order]
    return columns


def types(schema):
    """Column names with the types that a reader must give them: layouts of one type are the same."""
    return {field.name: plain_type(field.type) for field in schema}


def plain_type(kind):
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "binary"
    if pa.types.is_map(kind):
        return f"map<{plain_type(kind.key_type)}, {plain_type(kind.item_type)}>"
    if isinstance(kind, pa.FixedSizeListType):
        return f"list<{plain_type(kind.value_type)}>[{kind.list_size}]"
    if isinstance(kind, LISTS):
        return f"list<{plain_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{f.name}: {plain_type(f.type)}' for f in kind)}>"
    return str(kind)


# ---- Parquet ----


def parquet_by_pyarrow(path):
    return pq.read_table(path)


def parquet_by_duckdb(path):
    return duckdb.connect().sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()


def parquet_by_polars(path):
    return polars.read_parquet(path).to_arrow()


def parquet_by_pandas(path):
    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    return pa.Table.from_pandas(frame, preserve_index=False)


# ---- Arrow ----


def arrow_by_pyarrow(path):
    return pa.ipc.open_file(path).read_all()


def arrow_by_polars(path):
    return polars.read_ipc(path).to_arrow()


def arrow_by_pandas(path):
    frame = pandas.read_feather(path, dtype_backend="pyarrow")
    return pa.Table.from_pandas(frame, preserve_index=False)


# ---- CSV: texts; nothing and the empty text are the same ----


def csv_by_python(path):
    with open(path, newline="", encoding="utf-8") as file:
        names, *records = csv.reader(file)
    return {name: [record[i] for record in records] for i, name in enumerate(names)}


def csv_by_pyarrow(path):
    names = csv_by_python(path)
    convert = pa.csv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=False)
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    return pa.csv.read_csv(path, convert_options=convert, parse_options=parse).to_pydict()


def csv_by_duckdb(path):
    options = "all_varchar=true, header=true, delim=',', quote='\"', escape='\"', nullstr=''"
    table = duckdb.connect().sql(f"SELECT * FROM read_csv('{path}', {options})").to_arrow_table().to_pydict()
    return {name: [value or "" for value in values] for name, values in table.items()}


def csv_by_polars(path):
    # It leaves doubled quotes in names as they are.
    frame = polars.read_csv(path, infer_schema=False, new_columns=list(csv_by_python(path)))
    return {name: [value or "" for value in values] for name, values in frame.to_dict(as_series=False).items()}


def csv_by_pandas(path):
    frame = pandas.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)
    return frame.to_dict(orient="list")


def csv_texts(columns):
    """Columns of text in the order of `id`."""
    order = sorted(range(len(columns["id"])), key=lambda i: int(columns["id"][i]))
    return {name: [values[i] for i in order] for name, values in columns.items()}


# ---- JSON Lines ----


def jsonl_by_python(path):
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line, parse_float=decimal.Decimal) for line in file]
    return {name: [record[name] for record in records] for name in (records[0] if records else [])}


def jsonl_by_duckdb(path):
    names = jsonl_by_python(path)
    columns = "{" + ", ".join(f"'{name}': 'JSON'" for name in names) + "}"
    sql = f"SELECT * FROM read_json('{path}', format='newline_delimited', columns={columns})"
    table = duckdb.connect().sql(sql).to_arrow_table().to_pydict()
    parse = lambda text: None if text is None else json.loads(text, parse_float=decimal.Decimal)
    return {name: [parse(value) for value in values] for name, values in table.items()}


def jsonl_values(columns):
    order = sorted(range(len(columns["id"])), key=columns["id"].__getitem__)
    return {name: [values[i] for i in order] for name, values in columns.items()}


# ---- What a text stands for, as a value of a type of SQL's ----


def clock(text):
    """Nanoseconds of "hh:mm:ss.fraction"."""
    hours, minutes, seconds = text.split(":")
    seconds = decimal.Decimal(seconds) * 10**9
    return (int(hours) * 3600 + int(minutes) * 60) * 10**9 + int(seconds)


def days(text):
    return datetime.date.fromisoformat(text).toordinal() - datetime.date(1970, 1, 1).toordinal()


def moment(text):
    day, _, rest = text.partition("T")
    match = re.fullmatch(r"([0-9:.]+)(Z|[+-]\d\d:\d\d)?", rest)
    offset = 0
    if match[2] and match[2] != "Z":
        offset = clock(match[2][1:] + ":00") * (-1 if match[2][0] == "-" else 1)
    return days(day) * 86400 * 10**9 + clock(match[1]) - offset


def interval(text):
    """ "1 mons 2 days 3 hours 4 mins 5.6 secs", each with its sign or left out."""
    parts = dict.fromkeys(("mons", "days", "hours", "mins", "secs"), decimal.Decimal(0))
    words = text.split()
    for number, unit in zip(words[::2], words[1::2]):
        parts[unit] = decimal.Decimal(number)
    seconds = parts["hours"] * 3600 + parts["mins"] * 60 + parts["secs"]
    return ("interval", int(parts["mons"]), int(parts["days"]), int(seconds * 10**9))


def value_of(text, kind):
    """The value that `text`, a text or what JSON made of one, stands for as an Arrow type."""
    is_ = pa.types
    if text is None:
        return None
    if is_.is_dictionary(kind) or is_.is_run_end_encoded(kind):
        return value_of(text, kind.value_type)
    if is_.is_boolean(kind):
        return text if isinstance(text, bool) else {"true": True, "false": False}[text]
    if is_.is_integer(kind):
        return int(text)
    if is_.is_floating(kind):
        return real(rounded(float(text), kind))
    if is_.is_decimal(kind):
        return decimal.Decimal(text)
    if is_.is_date(kind):
        return ("date", days(text.partition("T")[0]))
    if is_.is_time(kind):
        return ("time", clock(text))
    if is_.is_timestamp(kind):
        return ("timestamp", moment(text))
    if is_.is_duration(kind):
        match = re.fullmatch(r"(-?)PT([0-9.]+)S", text)
        return ("duration", int(decimal.Decimal(match[1] + match[2]) * 10**9))
    if is_.is_interval(kind):
        return interval(text)
    if is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_binary_view(kind) or is_.is_fixed_size_binary(kind):
        return bytes.fromhex(text)
    if is_.is_map(kind):
        return [(value_of(k, kind.key_type), value_of(v, kind.item_type)) for k, v in text.items()]
    if is_.is_struct(kind):
        return [(field.name, value_of(text[field.name], field.type)) for field in kind]
    if isinstance(kind, LISTS):
        return [value_of(value, kind.value_type) for value in text]
    return text


def rounded(value, kind):
    """The nearest number of a narrower float: a text is as short as that one needs."""
    return value if kind == pa.float64() else pa.scalar(value, pa.float64()).cast(kind).as_py()


def shown(value, kind):
    """A list, structure or map as the text that CSV has for it."""
    if value is None:
        return "NULL"
    if pa.types.is_map(kind):
        return "{" + ", ".join(f"{k}: {shown(v, kind.item_type)}" for k, v in value) + "}"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(f"{f.name}: {shown(v, f.type)}" for f, (_, v) in zip(kind, value)) + "}"
    if isinstance(kind, LISTS):
        return "[" + ", ".join(shown(v, kind.value_type) for v in value) + "]"
    return str(value)


def written(path, data):
    """A file of these bytes."""
    path.write_bytes(data)
    return path


def schema_of(encoding, data):
    """The schema that Parquet or Arrow bytes carry."""
    source = io.BytesIO(data)
    return pq.read_schema(source) if encoding == "parquet" else pa.ipc.open_file(source).schema
