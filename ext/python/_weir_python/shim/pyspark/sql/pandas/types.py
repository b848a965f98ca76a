# SPDX-License-Identifier: Apache-2.0
"""Schemas between Spark's types and pyarrow's."""

from .. import types


def from_arrow_schema(arrow_schema, prefer_timestamp_ntz=False):
    from _weir_python.types import struct_type

    return struct_type(arrow_schema, types)


def to_arrow_schema(schema, *_, **__):
    import pyarrow
    from _weir_python.types import schema_of

    return pyarrow.schema(schema_of(schema))
