# SPDX-License-Identifier: Apache-2.0
"""Types, structs and rows, with the constructors of PySpark 4."""


class DataType:
    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        arguments = ", ".join(repr(value) for key, value in self.__dict__.items() if not key.startswith("_"))
        return f"{type(self).__name__}({arguments})"

    @classmethod
    def typeName(cls):
        return cls.__name__[:-4].lower()

    def simpleString(self):
        return self.typeName()


class AtomicType(DataType):
    pass


class NumericType(AtomicType):
    pass


class IntegralType(NumericType):
    pass


class FractionalType(NumericType):
    pass


class NullType(DataType):
    pass


class BooleanType(AtomicType):
    pass


class ByteType(IntegralType):
    pass


class ShortType(IntegralType):
    pass


class IntegerType(IntegralType):
    pass


class LongType(IntegralType):
    pass


class FloatType(FractionalType):
    pass


class DoubleType(FractionalType):
    pass


class DecimalType(FractionalType):
    def __init__(self, precision=10, scale=0):
        self.precision = precision
        self.scale = scale


class StringType(AtomicType):
    def __init__(self, collation="UTF8_BINARY"):
        self._collation = collation


class CharType(AtomicType):
    def __init__(self, length):
        self.length = length


class VarcharType(AtomicType):
    def __init__(self, length):
        self.length = length


class BinaryType(AtomicType):
    pass


class DateType(AtomicType):
    pass


class TimestampType(AtomicType):
    pass


class TimestampNTZType(AtomicType):
    pass


class TimeType(AtomicType):
    def __init__(self, precision=6):
        self.precision = precision


class DayTimeIntervalType(AtomicType):
    DAY, HOUR, MINUTE, SECOND = range(4)

    def __init__(self, startField=None, endField=None):
        self.startField = 0 if startField is None else startField
        self.endField = (3 if startField is None else startField) if endField is None else endField


class ArrayType(DataType):
    def __init__(self, elementType, containsNull=True):
        self.elementType = elementType
        self.containsNull = containsNull


class MapType(DataType):
    def __init__(self, keyType, valueType, valueContainsNull=True):
        self.keyType = keyType
        self.valueType = valueType
        self.valueContainsNull = valueContainsNull


class StructField(DataType):
    def __init__(self, name, dataType, nullable=True, metadata=None):
        self.name = name
        self.dataType = dataType
        self.nullable = nullable
        self.metadata = metadata or {}


class StructType(DataType):
    def __init__(self, fields=None):
        self.fields = list(fields or [])

    @property
    def names(self):
        return [field.name for field in self.fields]

    def fieldNames(self):
        return self.names

    def add(self, field, data_type=None, nullable=True, metadata=None):
        if not isinstance(field, StructField):
            if isinstance(data_type, str):
                data_type = _parse(f"{field} {data_type}").fields[0].dataType
            field = StructField(field, data_type, nullable, metadata)
        self.fields.append(field)
        return self

    @classmethod
    def fromDDL(cls, ddl):
        return _parse(ddl)

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)

    def __getitem__(self, key):
        if isinstance(key, str):
            for field in self.fields:
                if field.name == key:
                    return field
            raise KeyError(f"No StructField named {key}")
        return StructType(self.fields[key]) if isinstance(key, slice) else self.fields[key]


def _parse(ddl):
    import sys

    from _weir_python import types

    return types.struct_type(types.Schema(types.Ddl(ddl).columns()), sys.modules[__name__])


class Row(tuple):
    """Row(a=1, b=2), or Row("a", "b") as a maker of rows with these names."""

    def __new__(cls, *args, **kwargs):
        if args and kwargs:
            raise ValueError("Can not use both args and kwargs to create Row")
        if kwargs:
            row = tuple.__new__(cls, list(kwargs.values()))
            row.__fields__ = list(kwargs)
            return row
        return tuple.__new__(cls, args)

    def asDict(self, recursive=False):
        def plain(value):
            return value.asDict(True) if recursive and isinstance(value, Row) else value

        return {name: plain(value) for name, value in zip(self.__fields__, self)}

    def __contains__(self, item):
        return item in self.__fields__ if hasattr(self, "__fields__") else super().__contains__(item)

    def __call__(self, *args):
        if len(args) > len(self):
            raise ValueError(f"Can not create Row with fields {self}, expected {len(self)} values but got {args}")
        row = tuple.__new__(Row, args)
        row.__fields__ = list(self)
        return row

    def __getitem__(self, item):
        if isinstance(item, (int, slice)):
            return super().__getitem__(item)
        try:
            return super().__getitem__(self.__fields__.index(item))
        except (AttributeError, ValueError):
            raise KeyError(item) from None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[self.__fields__.index(name)]
        except (AttributeError, ValueError):
            raise AttributeError(name) from None

    def __reduce__(self):
        if hasattr(self, "__fields__"):
            return (_make_row, (self.__fields__, tuple(self)))
        return tuple.__reduce__(self)

    def __repr__(self):
        if hasattr(self, "__fields__"):
            return "Row(%s)" % ", ".join(f"{name}={value!r}" for name, value in zip(self.__fields__, self))
        return "<Row(%s)>" % ", ".join(map(repr, self))


def _make_row(fields, values):
    row = tuple.__new__(Row, values)
    row.__fields__ = fields
    return row
