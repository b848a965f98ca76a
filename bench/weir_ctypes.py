# SPDX-License-Identifier: Apache-2.0
"""libweir.so from Python, as little of it as the benchmark needs."""

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
    ]


class Session:
    """A workspace in memory with one session."""

    def __init__(self, library, threads):
        self.library = ctypes.CDLL(library)
        # The workspace and session of the process: closed with it.
        self.workspace = ctypes.c_void_p()
        self.session = ctypes.c_void_p()
        options = WorkspaceOptions(size=ctypes.sizeof(WorkspaceOptions), threads=threads)
        self._call("weir_workspace_open", ctypes.byref(options), ctypes.byref(self.workspace))
        self._call("weir_session_open", self.workspace, None, ctypes.byref(self.session))

    def _call(self, name, *arguments):
        error = Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)) != 0:
            raise RuntimeError(f"{error.message.decode()} ({error.sqlstate.decode()})")

    def set(self, key, value):
        self._call("weir_session_set", self.session, key.encode(), value.encode())

    def register(self, name, path):
        self._call("weir_register_path", self.session, name.encode(), str(path).encode())

    def query(self, sql):
        """A pyarrow.RecordBatchReader of the rows."""
        stream = (ctypes.c_byte * 40)()  # struct ArrowArrayStream: five pointers
        self._call("weir_query", self.session, sql.encode(), ctypes.byref(stream), None)
        return pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
