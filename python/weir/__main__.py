# SPDX-License-Identifier: Apache-2.0
"""`weir` and `python -m weir`: the program, with this interpreter for data sources."""

import os
import sys

from ._native import environment, program_path


def main() -> None:
    program = program_path()
    os.execve(program, ["weir", *sys.argv[1:]], environment())


if __name__ == "__main__":
    main()
