# SPDX-License-Identifier: Apache-2.0
"""
Stands in for the build back end of nanoarrow's Python package while pip downloads its archive.

pip asks the back end for the package's metadata even when it is only to hand over the archive;
the real one would configure a build for that, with Cython, for minutes. Only the C source in the
archive is wanted.
"""

import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    fields = dict(
        line.split(": ", 1)
        for line in pathlib.Path("PKG-INFO").read_text().split("\n\n", 1)[0].splitlines()
        if ": " in line
    )
    name = f"{fields['Name']}-{fields['Version']}.dist-info"
    directory = pathlib.Path(metadata_directory, name)
    directory.mkdir()
    (directory / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {fields['Name']}\nVersion: {fields['Version']}\n"
    )
    return name
