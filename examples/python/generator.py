# SPDX-License-Identifier: Apache-2.0
"""Rows that are computed: a walk at random for each of several sensors. Shows partitions, filters, limit and statistics."""

import numpy as np
import pyarrow as pa

BATCH = 65536


class Sensors:
    """Options: sensors (10), rows of each (1000000), seed (0)."""

    exact_filters = False  # whole sensors are left out; weir filters the rest

    def infer_schema(self, options):
        return pa.schema([("sensor", pa.int32()), ("tick", pa.int64()), ("value", pa.float64())])

    def statistics(self, options):
        rows = int(options.get("sensors", 10)) * int(options.get("rows", 1_000_000))
        return {"rows": rows, "bytes": rows * 20, "exact": True}

    def plan_partitions(self, options, filters=()):
        sensors = range(int(options.get("sensors", 10)))
        for column, op, value in filters:
            if column == "sensor" and op == "=":
                sensors = [sensor for sensor in sensors if sensor == value]
        return list(sensors)

    def read_partition(self, sensor, options, limit=None):
        rows, random = int(options.get("rows", 1_000_000)), np.random.default_rng([int(options.get("seed", 0)), sensor])
        rows = rows if limit is None else min(rows, limit)
        value = 0.0
        for start in range(0, rows, BATCH):
            n = min(BATCH, rows - start)
            walk = value + np.cumsum(random.standard_normal(n))
            value = walk[-1]
            yield pa.record_batch(
                [pa.array(np.full(n, sensor, np.int32)), pa.array(np.arange(start, start + n)), pa.array(walk)],
                schema=self.infer_schema(options),
            )
