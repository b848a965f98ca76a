# SPDX-License-Identifier: Apache-2.0
"""A paged JSON service as a table: GET url?page=1, 2, ... each a list of objects, until one is empty."""

import json
import urllib.request

import pyarrow as pa


class RestSource:
    def page(self, options, number):
        with urllib.request.urlopen(f"{options['url']}?page={number}", timeout=30) as answer:
            return json.load(answer)

    def infer_schema(self, options):
        return pa.Table.from_pylist(self.page(options, 1)).schema

    def plan_partitions(self, options):
        return [None]  # how many pages there are is known at the end

    def read_partition(self, spec, options):
        schema, number = self.infer_schema(options), 1
        while rows := self.page(options, number):
            yield pa.RecordBatch.from_pylist(rows, schema)
            number += 1
