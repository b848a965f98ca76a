# SPDX-License-Identifier: Apache-2.0
"""Sessions of other principals than the program itself, through libweir.so."""

import ctypes
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import weir_ctypes  # noqa: E402
from weir_ctypes import Option, Session, WeirError, encoded, options_of  # noqa: E402,F401

PROGRAM = os.path.abspath(os.environ.get("WEIR_PROGRAM") or ROOT / "build" / "weir")
LIBRARY = pathlib.Path(PROGRAM).parent / "src" / "libweir.so"

NONE, PASSWORD, API_KEY, TOKEN, CERTIFICATE = range(5)
NOT_FOUND, UNAUTHENTICATED, UNAUTHORIZED = 3, 13, 14


class Credential(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("type", ctypes.c_int32),
        ("user", ctypes.c_char_p),
        ("secret", ctypes.c_char_p),
    ]


class SessionOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("settings", ctypes.POINTER(Option)),
        ("n_settings", ctypes.c_size_t),
        ("functions", ctypes.c_char_p),
        ("principal", ctypes.c_void_p),
        ("door", ctypes.c_char_p),
        ("peer", ctypes.c_char_p),
    ]


class Entry(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("type", ctypes.c_int32),
        ("name", ctypes.c_char_p),
        ("table", ctypes.c_char_p),
        ("n_bytes", ctypes.c_int64),
        ("modified_ns", ctypes.c_int64),
    ]


TAKE_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Entry))


class Principal(Session):
    """A session in another one's workspace, opened with a credential. Close it first."""

    def __init__(self, host, type=NONE, user=None, secret=None, settings=None):
        self.library = host.library
        self.workspace = host.workspace
        self.session = ctypes.c_void_p()
        self.library.weir_principal_free.restype = None
        self.library.weir_principal_name.restype = ctypes.c_char_p
        principal = ctypes.c_void_p()
        credential = Credential(ctypes.sizeof(Credential), type, encoded(user), encoded(secret))
        self._call("weir_authenticate", self.workspace, ctypes.byref(credential), ctypes.byref(principal))
        try:
            self.name = self.library.weir_principal_name(principal).decode()
            options = SessionOptions(size=ctypes.sizeof(SessionOptions), principal=principal, door=b"test")
            options.settings, options.n_settings = options_of(settings or {})
            self._call("weir_session_open", self.workspace, ctypes.byref(options), ctypes.byref(self.session))
        finally:
            self.library.weir_principal_free(principal)

    def close(self):
        self.library.weir_session_close(self.session)
        self.session = None

    def prepare(self, sql):
        return Statement(self, sql)

    def entries(self, path):
        """The names of a directory of the tree."""
        found = []

        def take(_, entry):
            found.append(entry.contents.name.decode())
            return 0

        with self.node(path) as node:
            self._call("weir_node_list", node.handle, TAKE_ENTRY(take), None)
        return found

    def copy(self, source, target):
        self._call("weir_copy", self.session, encoded(source), encoded(target), ctypes.c_int(1))

    def move(self, source, target):
        self._call("weir_move", self.session, encoded(source), encoded(target), ctypes.c_int(1))

    def remove(self, path):
        self._call("weir_remove", self.session, encoded(path), ctypes.c_int(1))

    def make_directory(self, path):
        self._call("weir_make_directory", self.session, encoded(path), ctypes.c_int(1))


class Statement:
    def __init__(self, session, sql):
        self.session = session
        self.handle = ctypes.c_void_p()
        session._call("weir_prepare", session.session, encoded(sql), ctypes.byref(self.handle))

    def rows(self):
        import pyarrow

        stream = (ctypes.c_byte * 40)()
        self.session._call("weir_statement_execute", self.handle, ctypes.byref(stream), None)
        reader = pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
        return [tuple(row.values()) for row in reader.read_all().to_pylist()]

    def close(self):
        self.session.library.weir_statement_close(self.handle)


def answer(call):
    """What a call answers, as (code, sqlstate, message); None when it succeeds."""
    try:
        call()
    except WeirError as error:
        return error.code, error.sqlstate, error.message
    return None
