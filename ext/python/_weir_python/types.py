# SPDX-License-Identifier: Apache-2.0
"""
Schemas, however they are written, as objects with __arrow_c_schema__: those that have it already,
PySpark's StructType, and DDL ("id INT, tags ARRAY<STRING>"). In between a type is a tuple
(format, name, nullable, [children]) with Arrow's format strings.
"""

import re

import _weir_native


class Schema:
    """What the Arrow PyCapsule interface asks of a schema."""

    def __init__(self, columns):
        self.columns = columns

    def __arrow_c_schema__(self):
        return _weir_native.schema_capsule(("+s", "", 0, self.columns))


def schema_of(what):
    """A schema in any of these forms as an object with __arrow_c_schema__."""
    if hasattr(what, "__arrow_c_schema__"):
        return what
    if isinstance(what, str):
        return Schema(Ddl(what).columns())
    if hasattr(what, "fields"):
        return Schema([_field(field) for field in what.fields])
    raise TypeError(
        "a schema is an object with __arrow_c_schema__ (pyarrow.schema, ...), a StructType or a text "
        f'like "id BIGINT, name STRING", not {type(what).__name__}'
    )


# ---- PySpark's types, by the names of their classes, which the real ones and ours share ----

PLAIN = {
    "NullType": "n",
    "BooleanType": "b",
    "ByteType": "c",
    "ShortType": "s",
    "IntegerType": "i",
    "LongType": "l",
    "FloatType": "f",
    "DoubleType": "g",
    "StringType": "u",
    "CharType": "u",
    "VarcharType": "u",
    "BinaryType": "z",
    "DateType": "tdD",
    "TimestampType": "tsu:UTC",
    "TimestampNTZType": "tsu:",
    "TimeType": "ttn",
    "DayTimeIntervalType": "tDu",
    "YearMonthIntervalType": "tiM",
}


def _field(field):
    return _type(field.dataType, field.name, field.nullable)


def _type(type_, name, nullable):
    kind = type(type_).__name__
    if kind in PLAIN:
        return (PLAIN[kind], name, int(nullable), [])
    if kind == "DecimalType":
        return (f"d:{type_.precision},{type_.scale}", name, int(nullable), [])
    if kind == "ArrayType":
        return ("+l", name, int(nullable), [_type(type_.elementType, "element", type_.containsNull)])
    if kind == "MapType":
        return _map(name, nullable, _type(type_.keyType, "key", False), _type(type_.valueType, "value", type_.valueContainsNull))
    if kind == "StructType":
        return ("+s", name, int(nullable), [_field(field) for field in type_.fields])
    raise TypeError(f'column "{name}": the type {kind} has no form in Arrow')


def _map(name, nullable, key, value):
    return ("+m", name, int(nullable), [("+s", "entries", 0, [key, value])])


# ---- And back: the StructType that a PySpark reader is given ----


def struct_type(schema, types):
    """The StructType of an object with __arrow_c_schema__, of the module `types`."""
    return _spark_type(_weir_native.schema_tuple(schema), types)


SPARK_NAMES = {format: name for name, format in reversed(PLAIN.items())}
SPARK_NAMES.update({"u": "StringType", "U": "StringType", "vu": "StringType", "Z": "BinaryType", "vz": "BinaryType"})
SPARK_NAMES.update({"C": "ShortType", "S": "IntegerType", "I": "LongType", "e": "FloatType"})


def _spark_type(node, types):
    format, name, _, children = node
    if format == "+s":
        return types.StructType([types.StructField(c[1], _spark_type(c, types), bool(c[2])) for c in children])
    if format in ("+l", "+L") or format.startswith("+w:"):
        return types.ArrayType(_spark_type(children[0], types), bool(children[0][2]))
    if format == "+m":
        key, value = children[0][3]
        return types.MapType(_spark_type(key, types), _spark_type(value, types), bool(value[2]))
    if format.startswith("d:"):
        return types.DecimalType(*map(int, format[2:].split(",")[:2]))
    if format == "L":
        return types.DecimalType(20, 0)
    if format.startswith("ts"):
        return types.TimestampType() if format[4:] else types.TimestampNTZType()
    if format.startswith("tD"):
        return types.DayTimeIntervalType()
    if format in SPARK_NAMES and hasattr(types, SPARK_NAMES[format]):
        return getattr(types, SPARK_NAMES[format])()
    raise TypeError(f'column "{name}": Arrow\'s type "{format}" has no form in PySpark')


# ---- DDL ----

WORDS = {
    "void": "n",
    "boolean": "b",
    "tinyint": "c",
    "byte": "c",
    "smallint": "s",
    "short": "s",
    "int": "i",
    "integer": "i",
    "bigint": "l",
    "long": "l",
    "float": "f",
    "real": "f",
    "double": "g",
    "string": "u",
    "char": "u",
    "character": "u",
    "varchar": "u",
    "binary": "z",
    "date": "tdD",
    "timestamp": "tsu:UTC",
    "timestamp_ltz": "tsu:UTC",
    "timestamp_ntz": "tsu:",
    "time": "ttn",
}
TOKEN = re.compile(r"\s*(?:(`(?:[^`]|``)+`)|(\w+)|('(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")|([<>(),:]))")


class Ddl:
    """Spark's column lists: `name TYPE [NOT NULL] [COMMENT 'text'], ...`, also with a colon, also one struct."""

    def __init__(self, text):
        self.text = text
        self.tokens = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if not match:
                raise ValueError(f"schema {text!r}: unexpected {text[at:].strip()[0]!r}")
            quoted, word, string, sign = match.groups()
            kind = "name" if quoted else "word" if word else "string" if string else sign
            self.tokens.append((kind, quoted[1:-1].replace("``", "`") if quoted else word or string or sign))
            at = match.end()
        self.at = 0

    def kind(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def fail(self, wanted):
        got = self.tokens[self.at][1] if self.at < len(self.tokens) else "its end"
        raise ValueError(f"schema {self.text!r}: expected {wanted} and found {got!r}")

    def take(self, kind, wanted):
        if self.kind() != kind:
            self.fail(wanted)
        self.at += 1
        return self.tokens[self.at - 1][1]

    def word(self):
        return self.tokens[self.at][1].lower() if self.kind() == "word" else None

    def columns(self):
        if self.word() == "struct" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1][0] == "<":
            columns = self.type("", True)[3]
        else:
            columns = self.fields("end")
        if self.kind() != "end":
            self.fail("a comma or the end")
        return columns

    def fields(self, end):
        fields = [self.field()]
        while self.kind() == ",":
            self.at += 1
            fields.append(self.field())
        if self.kind() != end:
            self.fail("a comma")
        return fields

    def field(self):
        if self.kind() not in ("name", "word"):
            self.fail("a column's name")
        name = self.tokens[self.at][1]
        self.at += 1
        if self.kind() == ":":
            self.at += 1
        format, _, nullable, children = self.type(name, True)
        if self.word() == "not":
            self.at += 1
            if self.word() != "null":
                self.fail("NULL")
            self.at += 1
            nullable = 0
        if self.word() == "comment":
            self.at += 1
            self.take("string", "a comment in quotes")
        return (format, name, nullable, children)

    def numbers(self):
        numbers = []
        if self.kind() == "(":
            self.at += 1
            numbers.append(int(self.take("word", "a number")))
            while self.kind() == ",":
                self.at += 1
                numbers.append(int(self.take("word", "a number")))
            self.take(")", "a closing parenthesis")
        return numbers

    def type(self, name, nullable):
        word = self.take("word", "a type").lower()
        nullable = int(nullable)
        if word in ("decimal", "dec", "numeric"):
            numbers = self.numbers() or [10]
            precision, scale = numbers[0], numbers[1] if len(numbers) > 1 else 0
            return (f"d:{precision},{scale}", name, nullable, [])
        if word == "array":
            self.take("<", "<")
            element = self.type("element", True)
            self.take(">", ">")
            return ("+l", name, nullable, [element])
        if word == "map":
            self.take("<", "<")
            key = self.type("key", False)
            self.take(",", "a comma")
            value = self.type("value", True)
            self.take(">", ">")
            return _map(name, nullable, key, value)
        if word == "struct":
            self.take("<", "<")
            fields = self.fields(">")
            self.take(">", ">")
            return ("+s", name, nullable, fields)
        if word == "interval":
            while self.word() in ("day", "hour", "minute", "second", "to"):
                self.at += 1
            return ("tDu", name, nullable, [])
        if word not in WORDS:
            self.at -= 1
            self.fail("a type")
        self.numbers()
        return (WORDS[word], name, nullable, [])
