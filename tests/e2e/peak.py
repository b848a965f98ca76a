# SPDX-License-Identifier: Apache-2.0
"""The peak resident set size of a process."""

import pathlib
import re
import threading


class Peak(threading.Thread):
    """
    Watches a subprocess.Popen until it is waited for. The ru_maxrss of wait4 will not do: it also
    counts what this process had when it forked.
    """

    def __init__(self, process):
        super().__init__(daemon=True)
        self.status = pathlib.Path(f"/proc/{process.pid}/status")
        self.ended = threading.Event()
        self.n_bytes = 0
        self.start()

    def run(self):
        while not self.ended.wait(0.005):
            try:
                text = self.status.read_text()
            except OSError:
                return
            # Of a process that ended there is none.
            found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.M)
            self.n_bytes = max(self.n_bytes, int(found[1]) * 1024 if found else 0)

    def bytes(self):
        """After the process's end."""
        self.ended.set()
        self.join()
        return self.n_bytes
