# SPDX-License-Identifier: Apache-2.0
"""Where weir's own files are: the library, the program, the headers and the extensions of this package."""

import os
import pathlib
import sys

_ROOT = pathlib.Path(__file__).resolve().parent / "native"


def _path(*parts: str) -> pathlib.Path:
    path = _ROOT.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: this is not the package that `make wheel` builds")
    return path


def library_path() -> str:
    """libweir, which is a driver of ADBC too."""
    for path in _path("lib").glob("**/libweir.so.*"):
        return str(path)
    raise FileNotFoundError(f"{_ROOT}/lib has no libweir.so")


def program_path() -> str:
    """The program `weir`."""
    return str(_path("bin", "weir"))


def include_path() -> str:
    """The directory of weir.h and weir_extension.h, for extensions in C and C++."""
    return str(_path("include"))


def version() -> str:
    return _path("VERSION").read_text().strip()


def add_host() -> None:
    """Makes the Python half of the extension `python` importable; it is the same for both halves."""
    directory = str(pathlib.Path(library_path()).parent / "weir" / "extensions")
    if directory not in sys.path:
        sys.path.append(directory)


def environment() -> dict:
    """What the program needs to run sources with this interpreter rather than with another one."""
    return {**os.environ, "WEIR_PYTHON": os.environ.get("WEIR_PYTHON") or sys.executable}
