# SPDX-License-Identifier: Apache-2.0
"""
Objects of a bucket as a table, read by pyarrow.fs, one partition each:

    path              "bucket/prefix": all objects below it that end in .FORMAT
    format            "parquet" (the default), "csv", "feather": what pyarrow.dataset reads
    endpoint, region, access_key, secret_key
                      of a store that is not Amazon's; without them pyarrow finds its own
"""

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs

NAMES = {"endpoint": "endpoint_override", "region": "region", "access_key": "access_key", "secret_key": "secret_key"}
OPERATORS = {"=": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}


def condition(filters):
    """The filters as pyarrow has them; NULL is no match, as in SQL."""
    found = pa.dataset.scalar(True)
    for column, op, value in filters or ():
        field = pa.dataset.field(column)
        if op in OPERATORS:
            found &= getattr(field, OPERATORS[op])(pa.scalar(value))
        else:
            found &= field.is_null() if op == "is null" else field.is_valid()
    return found


class S3Source:
    def store(self, options):
        given = {NAMES[key]: value for key, value in options.items() if key in NAMES}
        if given.get("endpoint_override", "").startswith("http://"):
            given["scheme"] = "http"
        return pa.fs.S3FileSystem(**given)

    def dataset(self, options, paths):
        return pa.dataset.dataset(paths, format=options.get("format", "parquet"), filesystem=self.store(options))

    def infer_schema(self, options):
        return self.dataset(options, self.plan_partitions(options)[:1]).schema

    def plan_partitions(self, options):
        selector = pa.fs.FileSelector(options["path"], recursive=True)
        ending = f".{options.get('format', 'parquet')}"
        found = sorted(info.path for info in self.store(options).get_file_info(selector) if info.is_file and info.path.endswith(ending))
        if not found:
            raise FileNotFoundError(f"no object of s3://{options['path']} ends in {ending}")
        return found

    def read_partition(self, path, options, projection=None, filters=()):
        schema = self.infer_schema(options)
        dataset = self.dataset(options, [path]).replace_schema(schema)
        return dataset.scanner(columns=projection, filter=condition(filters)).to_reader()
