# SPDX-License-Identifier: Apache-2.0
"""
Whether a machine was this test's alone: a bound in milliseconds holds where nothing else wants the cores.

    others = Others()
    ...
    assert others.cores() < 0.1
"""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")


def _processes():
    """Of each process its parent and the ticks of processor time that it took."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended
        found[int(name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    return found


def _is_ours(process, processes):
    while process in processes and process != os.getpid():
        process = processes[process][0]
    return process == os.getpid()


class Others:
    """Processes that are not below this one, from now on."""

    def __init__(self):
        self.before, self.start = _processes(), time.monotonic()

    def cores(self):
        """How many cores they took, on average."""
        now = _processes()
        others = (process for process in now if not _is_ours(process, now))
        ticks = sum(now[process][1] - self.before.get(process, (0, 0))[1] for process in others)
        return ticks / TICKS / (time.monotonic() - self.start)
