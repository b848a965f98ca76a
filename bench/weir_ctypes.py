# SPDX-License-Identifier: Apache-2.0
"""libweir.so from Python, as little of it as the benchmarks and the end-to-end tests need."""

import ctypes

import pyarrow


class Error(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_int32),
        ("vendor_code", ctypes.c_int32),
        ("position", ctypes.c_int64),
        ("sqlstate", ctypes.c_char * 8),
        ("message", ctypes.c_char * 4072),
    ]


class Option(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class WorkspaceOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("path", ctypes.c_char_p),
        ("memory_limit", ctypes.c_int64),
        ("threads", ctypes.c_int32),
        ("spill_path", ctypes.c_char_p),
        ("spill_limit", ctypes.c_int64),
        ("catalog", ctypes.c_char_p),
        ("schema", ctypes.c_char_p),
        ("config", ctypes.c_char_p),
        ("settings", ctypes.POINTER(Option)),
        ("n_settings", ctypes.c_size_t),
    ]


class NodeInfo(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("type", ctypes.c_int32),
        ("is_table", ctypes.c_int32),
        ("path", ctypes.c_char_p),
        ("catalog", ctypes.c_char_p),
        ("schema", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("kind", ctypes.c_char_p),
        ("encoding", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("n_bytes", ctypes.c_int64),
        ("modified_ns", ctypes.c_int64),
    ]


class FileInfo(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("n_bytes", ctypes.c_int64),
        ("modified_ns", ctypes.c_int64),
        ("version", ctypes.c_char_p),
        ("encoding", ctypes.c_char_p),
        ("is_own", ctypes.c_int32),
    ]


WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class WeirError(RuntimeError):
    """What a call answered: its category, its SQLSTATE and its message."""

    def __init__(self, error):
        self.code = error.code
        self.sqlstate = error.sqlstate.decode()
        self.message = error.message.decode()
        super().__init__(f"{self.message} ({self.sqlstate})")


def encoded(text):
    return None if text is None else str(text).encode()


def options_of(values):
    """An array of struct weir_option, and how many."""
    pairs = [Option(encoded(key), encoded(value)) for key, value in values.items()]
    return (Option * len(pairs))(*pairs), len(pairs)


class Session:
    """A workspace with one session: in memory, or that of the directory `path`."""

    def __init__(self, library, threads=0, path=None, settings=None):
        self.library = ctypes.CDLL(str(library))
        self.library.weir_workspace_close.restype = None
        self.library.weir_session_close.restype = None
        self.workspace = ctypes.c_void_p()
        self.session = ctypes.c_void_p()
        options = WorkspaceOptions(
            size=ctypes.sizeof(WorkspaceOptions), threads=threads, path=encoded(path)
        )
        options.settings, options.n_settings = options_of(settings or {})
        self._call("weir_workspace_open", ctypes.byref(options), ctypes.byref(self.workspace))
        self._call("weir_session_open", self.workspace, None, ctypes.byref(self.session))

    def _call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)) != 0:
            raise WeirError(error)

    def close(self):
        self.library.weir_session_close(self.session)
        self.library.weir_workspace_close(self.workspace)
        self.session = self.workspace = None

    def set(self, key, value):
        self._call("weir_session_set", self.session, key.encode(), value.encode())

    def register(self, name, path):
        self._call("weir_register_path", self.session, name.encode(), str(path).encode())

    def _stream(self, sql):
        stream = (ctypes.c_byte * 40)()  # struct ArrowArrayStream: five pointers
        self._call("weir_query", self.session, sql.encode(), ctypes.byref(stream), None)
        return stream

    def query(self, sql):
        """A pyarrow.RecordBatchReader of the rows."""
        stream = self._stream(sql)
        return pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))

    def rows(self, sql):
        """The rows as tuples."""
        return [tuple(row.values()) for row in self.query(sql).read_all().to_pylist()]

    def run(self, sql):
        """Runs a statement to its end."""
        self.query(sql).close()

    def encode(self, sql, encoding, write, **options):
        """Encodes a query's rows; `write` takes the bytes as a memoryview."""

        def take(_, data, length):
            write(memoryview((ctypes.c_char * length).from_address(data)))
            return 0

        stream = self._stream(sql)
        array, count = options_of(options)
        self._call(
            "weir_encode", ctypes.byref(stream), encoding.encode(), array, ctypes.c_size_t(count), WRITE(take), None
        )

    def interrupt(self):
        """Ends what another thread does with nodes and files."""
        self.library.weir_session_interrupt(self.session)

    def node(self, path):
        return Node(self, path)

    def metrics(self):
        """The counters of the process: system.metrics as a dictionary."""
        return {row["name"]: row["value"] for row in self.query("SELECT name, value FROM system.metrics").read_all().to_pylist()}


class Node:
    """A node of the tree, for `with`."""

    def __init__(self, session, path):
        self.session = session
        self.handle = ctypes.c_void_p()
        session._call("weir_node_open", session.session, encoded(path), ctypes.byref(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.library.weir_node_close(self.handle)

    def describe(self):
        info = NodeInfo(size=ctypes.sizeof(NodeInfo))
        self.session.library.weir_node_describe(self.handle, ctypes.byref(info))
        return info

    def schema(self):
        schema = (ctypes.c_byte * 72)()  # struct ArrowSchema
        self.session._call("weir_node_schema", self.handle, ctypes.byref(schema))
        return pyarrow.Schema._import_from_c(ctypes.addressof(schema))

    def version(self):
        text = ctypes.c_char_p()
        self.session._call("weir_node_version", self.handle, ctypes.byref(text))
        try:
            return text.value and text.value.decode()
        finally:
            self.session.library.weir_free(text)

    def open(self, encoding=None):
        return File(self, encoding)

    def is_ready(self, encoding=None):
        """The number of bytes when they are there without work, else None."""
        n_bytes = ctypes.c_int64()
        ready = self.session.library.weir_file_is_ready(self.handle, encoded(encoding), ctypes.byref(n_bytes))
        return n_bytes.value if ready else None


class File:
    """A node's bytes, for `with`."""

    def __init__(self, node, encoding):
        self.session = node.session
        self.handle = ctypes.c_void_p()
        self.session._call("weir_file_open", node.handle, encoded(encoding), ctypes.byref(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.library.weir_file_close(self.handle)

    def describe(self):
        info = FileInfo(size=ctypes.sizeof(FileInfo))
        self.session.library.weir_file_describe(self.handle, ctypes.byref(info))
        return info

    def read(self, offset=0, length=None):
        """Bytes from `offset` on: `length` of them, or all."""
        if length is None:
            length = max(0, self.describe().n_bytes - offset)
        data = ctypes.create_string_buffer(length or 1)
        n_read = ctypes.c_size_t()
        self.session._call(
            "weir_file_read", self.handle, ctypes.c_int64(offset), data, ctypes.c_size_t(length), ctypes.byref(n_read)
        )
        return data.raw[: n_read.value]
