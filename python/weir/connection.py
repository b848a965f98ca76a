# SPDX-License-Identifier: Apache-2.0
"""weir.connect(): a connection of Python's DB-API (PEP 249), through ADBC."""

import os
from typing import Any, Mapping, Optional, Union

import adbc_driver_manager.dbapi

from ._native import add_host, library_path


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def connect(
    workspace: Union[str, "os.PathLike[str]", None] = None,
    *,
    config: Union[str, "os.PathLike[str]", None] = None,
    settings: Optional[Mapping[str, Any]] = None,
    engine_settings: Optional[Mapping[str, Any]] = None,
    extensions: Mapping[str, Mapping[str, Any]] = {"python": {}},
    autocommit: bool = True,
) -> "adbc_driver_manager.dbapi.Connection":
    """
    Opens a workspace of this process: a directory, or without one in memory.

    config: a configuration file; by default the workspace's weir.yaml.
    settings: keys of the configuration, {"memory_limit": "2GiB", "mounts.lake.url": "s3://bucket"}.
    engine_settings: as SQL's SET has them, {"datafusion.execution.batch_size": 16384}.
    extensions: what to load, with its options: a name that comes with weir, or the path of a library.

    The cursors' fetch_arrow_table and fetch_record_batch give Arrow without a copy; adbc_ingest takes it.
    """
    options = {}
    if workspace is not None:
        options["adbc.weir.workspace"] = os.fspath(workspace)
    if config is not None:
        options["adbc.weir.config"] = os.fspath(config)
    options.update({f"adbc.weir.config.{key}": _text(value) for key, value in (settings or {}).items()})
    options.update({f"adbc.weir.setting.{key}": _text(value) for key, value in (engine_settings or {}).items()})
    connection = adbc_driver_manager.dbapi.connect(
        driver=library_path(), entrypoint="AdbcWeirInit", db_kwargs=options, autocommit=autocommit
    )
    try:
        for name, given in extensions.items():
            _load(connection, name, given)
    except BaseException:
        connection.close()
        raise
    return connection


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark + mark) + mark


def _load(connection: "adbc_driver_manager.dbapi.Connection", name: str, options: Mapping[str, Any]) -> None:
    if name == "python":
        add_host()
    given = ", ".join(f"{_quoted(key, chr(34))} {_quoted(_text(value), chr(39))}" for key, value in options.items())
    with connection.cursor() as cursor:
        cursor.execute(f"LOAD {_quoted(name, chr(39))}" + (f" ({given})" if given else ""))
