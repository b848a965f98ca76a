# SPDX-License-Identifier: Apache-2.0
"""
licences.py WHEEL OUT: the wheel with the licence texts of the shared libraries that auditwheel put into it, as the packages of this
machine have them, below *.dist-info/licenses. One whose text is not found is an error: it must not be passed on.
"""

import pathlib
import re
import subprocess
import sys
import zipfile

import backend

# "libcurl-gnutls-0d2c0e3f.so.4.8.0": auditwheel puts a hash into the name.
BUNDLED = re.compile(r"weir\.libs/(.+)-[0-9a-f]{8}(\.so[.0-9]*)$")


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def files():
    """Where each shared library of this machine lies, by its names."""
    found = {}
    for place in re.findall(r"=> (\S+)", run("/sbin/ldconfig", "-p")):
        path = pathlib.Path(place)
        found.setdefault(path.name, path)
        found.setdefault(path.resolve().name, path)
    return found


def package_of(path):
    """The Debian package that a file came with."""
    for candidate in (path, path.resolve(), pathlib.Path("/lib", *path.resolve().parts[3:])):
        package = run("dpkg", "-S", candidate).partition(":")[0]
        if package:
            return package
    return None


def texts_of(wheel):
    known, found = files(), {}
    for match in filter(None, map(BUNDLED.match, wheel.namelist())):
        name = match[1] + match[2]
        package = package_of(known[name]) if name in known else None
        text = pathlib.Path(f"/usr/share/doc/{package}/copyright")
        if not package or not text.is_file():
            sys.exit(f"weir: {name} is in the wheel, and no licence text of it is known here (/usr/share/doc/PACKAGE/copyright)")
        found[f"{package}/copyright"] = text.read_bytes()
    return found


def main(path, out):
    with zipfile.ZipFile(path) as old:
        new, texts = backend.Wheel(out), texts_of(old)
        (info,) = {name.partition("/")[0] for name in old.namelist() if ".dist-info/" in name}
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == f"{info}/METADATA":
                lines = "".join(f"License-File: {name}\n" for name in sorted(texts))
                data = data.replace(b"License-File: LICENSE\n", b"License-File: LICENSE\n" + lines.encode(), 1)
            if not entry.is_dir() and entry.filename != f"{info}/RECORD":
                new.add(entry.filename, data, executable=bool(entry.external_attr >> 16 & 0o100))
        for name in sorted(texts):
            new.add(f"{info}/licenses/{name}", texts[name])
        new.close(f"{info}/RECORD")


main(*sys.argv[1:])
