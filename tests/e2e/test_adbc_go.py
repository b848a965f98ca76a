# SPDX-License-Identifier: Apache-2.0
"""libweir through Go's driver manager; skipped where Go, a C++ compiler or the modules cannot be had."""

import os
import shutil
import subprocess

import pytest
from conftest import PROGRAM, ROOT

LIBRARY = os.path.join(os.path.dirname(PROGRAM), "src/libweir.so")


@pytest.fixture(scope="module")
def tests(tmp_path_factory):
    """The compiled tests. Compiling them takes minutes the first time, seconds with Go's cache."""
    for tool in ("go", "c++"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    source = ROOT / "tests/e2e/adbc_go"
    modules = subprocess.run(["go", "mod", "download"], cwd=source, capture_output=True, text=True, timeout=300)
    if modules.returncode != 0:
        pytest.skip(f"Go's modules cannot be had: {modules.stderr.strip()}")
    program = tmp_path_factory.mktemp("go") / "adbc_go.test"
    subprocess.run(["go", "test", "-mod=readonly", "-c", "-o", program, "."], cwd=source, check=True, timeout=1200)
    return program


def test_go(tests):
    run = subprocess.run(
        [tests, "-test.v"], env={**os.environ, "WEIR_LIBRARY": LIBRARY}, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("--- PASS") == 4, run.stdout
