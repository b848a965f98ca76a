# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline."""

import time

DEADLINE = 20


def until(condition, what, seconds=DEADLINE):
    """Waits for a condition that gives something, and gives it."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)
