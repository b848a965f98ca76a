# SPDX-License-Identifier: Apache-2.0
import _weir_native


class Batches:
    """Rows on their way into a source: an Arrow stream for who takes one, tuples for who goes through it."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule

    def __iter__(self):
        while (rows := _weir_native.next_rows(self.capsule)) is not None:
            yield from rows
