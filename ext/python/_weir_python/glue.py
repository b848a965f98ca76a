# SPDX-License-Identifier: Apache-2.0
"""What the C half of the host calls. Nothing here knows about Arrow's memory, or about SQL."""

import atexit
import contextlib
import importlib
import os
import sys
import traceback

import _weir_native

from . import registry
from .methods import MethodSource
from .registry import is_registered  # noqa: F401  called by C
from .spark import SparkSource, is_spark
from .times import *  # noqa: F401, F403  called by C
from .types import Schema

HERE = os.path.dirname(os.path.abspath(__file__))


class Left(BaseException):
    """Nobody waits any more for what is being asked of a source."""


def start(is_embedded):
    """Called once. In a process of weir's own, standard output belongs to results."""
    atexit.register(_weir_native.shutdown)
    if is_embedded:
        sys.stdout = sys.stderr
        if not hasattr(sys, "argv"):
            sys.argv = [""]
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())


def describe_error(error):
    """'ValueError: text', and below it the traceback without the host's own lines."""
    if isinstance(error, SystemExit):
        first = f"SystemExit: the source called sys.exit({error.code if error.code is not None else ''})"
    else:
        first = "".join(traceback.format_exception_only(type(error), error)).strip()
    trace = traceback.TracebackException.from_exception(error, limit=-20)
    trace.stack[:] = [frame for frame in trace.stack if not is_machinery(frame.filename)]
    if not trace.stack:
        return first
    return first + "\nTraceback (most recent call last):\n" + "".join(trace.stack.format()).rstrip()


def is_machinery(filename):
    """Whether a line is the host's or the import system's own."""
    if filename.startswith("<frozen importlib") or filename == importlib.__file__:
        return True
    return os.path.abspath(filename).startswith(HERE + os.sep)


def import_module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "pyspark":
            raise
    # Without PySpark its classes for data sources are ours.
    sys.path.append(os.path.join(HERE, "shim"))
    importlib.invalidate_caches()
    return importlib.import_module(name)


def load_class(module, class_name):
    found = import_module(module)
    for part in class_name.split("."):
        found = getattr(found, part)
    return found


def warm_up():
    """
    Makes pyarrow import now what it imports when it first makes an array, pandas: a worker process that starts is
    given time, and one that answers is not.
    """
    pyarrow = sys.modules.get("pyarrow")
    with contextlib.suppress(Exception):
        pyarrow and pyarrow.array(range(1))


def open_source(kind, module, class_name, path, options, columns):
    for directory in reversed((path or "").split(os.pathsep)):
        if directory and os.path.abspath(directory) not in sys.path:
            sys.path.insert(0, os.path.abspath(directory))
    what = load_class(module, class_name) if module else registry.find(kind)
    declared = Schema(columns[3]) if columns else None
    if is_spark(what):
        return SparkSource(what, options, declared)
    return MethodSource(what, options, declared)
