# SPDX-License-Identifier: Apache-2.0
"""Data sources known by a name: SELECT * FROM NAME(key => 'value'), CREATE TABLE t USING NAME."""

import importlib.metadata
import re

GROUP = "weir.datasources"

# What register_datasource was given; also read by the host, so that it stays a plain dict.
sources = {}


def register_datasource(name, source=None):
    """
    Makes `source` known as `name`: a class or an object with infer_schema, plan_partitions and
    read_partition, or a PySpark DataSource class, whose own name() serves when `name` is the class.
    A later one of the same name replaces it. Gives the source, so that it is a decorator too.
    """
    if source is None and isinstance(name, str):
        return lambda source: register_datasource(name, source)
    if source is None:
        name, source = name.name(), name
    if not isinstance(name, str) or not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(
            f"a data source's name is a lower case letter, then lower case letters, digits and underscores, not {name!r}"
        )
    sources[name] = source
    return source


def entry_points():
    try:
        return importlib.metadata.entry_points(group=GROUP)
    except TypeError:  # Python 3.9
        return importlib.metadata.entry_points().get(GROUP, ())


def is_registered(name):
    return name in sources or any(point.name == name for point in entry_points())


def find(name):
    if name in sources:
        return sources[name]
    for point in entry_points():
        if point.name == name:
            return point.load()
    raise LookupError(f"no data source is registered as {name!r} any more")
