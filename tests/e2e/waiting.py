# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline, and statements of a server that wait and are ended."""

import contextlib
import threading
import time

DEADLINE = 20
SECONDS = 3  # in which work ends: a second on a machine that is busy with other things


def until(condition, what, seconds=DEADLINE):
    """Waits for a condition that gives something, and gives it."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


# ---- Who waits, and how that ends ----


class Waiting(threading.Thread):
    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.ended = call, None
        self.start()

    def run(self):
        try:
            self.call()
        except Exception as error:  # what is asserted is that it ends
            self.answer = error
        self.ended = time.monotonic()

    def ends(self, since):
        self.join(20)
        assert self.ended, "it goes on"
        print(f"ended after {self.ended - since:.2f} s")
        assert self.ended - since < SECONDS


def under_way(house, *states):
    """The ids of the statements that are, but for the question itself."""
    answer = house.rows("SELECT query_id, sql, state FROM system.queries WHERE finished_at IS NULL AND sql NOT LIKE '%finished_at%'")
    return [query_id for query_id, sql, state in answer if state in (states or ("planning", "queued", "running"))]


def ends(is_over):
    since = time.monotonic()
    until(is_over, "it ends", SECONDS)
    print(f"ended after {time.monotonic() - since:.2f} s")


def waits(house, *states):
    """It is under way, and stays so."""
    found = until(lambda: under_way(house, *states), "it waits")
    time.sleep(0.3)
    return until(lambda: under_way(house, *states), "it waits still") and found[0]


@contextlib.contextmanager
def repeatedly(call, seconds):
    """Calls it again and again, so far apart, while the body runs."""
    ended = threading.Event()

    def run():
        while not ended.wait(seconds):
            call()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
