# SPDX-License-Identifier: Apache-2.0
"""What the tests of data sources in Python share: a directory with a module, and the program that reads it."""

import sys
import textwrap

import pytest
from conftest import PROGRAM, Weir

BUILD = PROGRAM.rsplit("/", 1)[0]


class Sources(Weir):
    """Runs the program where `sources.py` lies, with the extension loaded."""

    def __init__(self, directory):
        super().__init__(directory)
        self.env.update(WEIR_PYTHON=sys.executable, PYTHONDONTWRITEBYTECODE="1")

    def write(self, text, name="sources.py"):
        (self.directory / name).write_text(textwrap.dedent(text))

    def run(self, *args, **kwargs):
        if args and args[0] == "sql":
            args = (*args[:-1], f"LOAD python; {args[-1]}")
        return super().run(*args, **kwargs)

    def of(self, class_name, **options):
        """A table of a class in FROM, with options."""
        own = "".join(f', "{key}" => \'{value}\'' for key, value in options.items())
        return f"python(python_module => 'sources', python_class => '{class_name}'{own})"


@pytest.fixture
def sources(tmp_path):
    return Sources(tmp_path)
