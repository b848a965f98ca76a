# SPDX-License-Identifier: Apache-2.0
"""The Flight SQL JDBC driver with the door: java/FlightJdbc.java does what tools do; here its checks are read."""

import pathlib
import subprocess

import pytest
from flight import door

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def jar():
    name, _, value = subprocess.run([ROOT / "scripts" / "jdbc"], capture_output=True, text=True).stdout.strip().partition("=")
    if name != "jdbc":
        pytest.skip(value)
    return value


def test_the_jdbc_driver_gets_right_answers_to_everything(jar, tmp_path):
    with door() as address:
        result = subprocess.run(
            [
                "java",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "-cp",
                jar,
                ROOT / "tests" / "e2e" / "java" / "FlightJdbc.java",
                f"jdbc:arrow-flight-sql://{address}/?useEncryption=false",
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=300,
        )
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == ["done"], result.stdout + result.stderr[-2000:]
    assert len(lines) > 190
