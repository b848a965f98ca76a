# SPDX-License-Identifier: Apache-2.0
"""
Databases that tests and benchmarks start: PostgreSQL 15 with a server of its own, SQLite and DuckDB as files, each
reached by weir through its ADBC driver and, to know what is right, by the bare driver.

A database has `name`, `attach(catalog)` (the ATTACH statement for weir), `rows(sql)` and `run(sql)` by
the bare driver, and `script(sql)` for many statements.
"""

import contextlib
import importlib.util
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import adbc_driver_manager.dbapi

ROOT = pathlib.Path(__file__).resolve().parents[1]
USER = "weir"
PASSWORD = "s3cret/p@ss w0rd"  # has to be percent-encoded in a URI
PASSWORD_IN_URI = "s3cret%2Fp%40ss%20w0rd"


# ---- Drivers ----


def find_software():
    """What scripts/databases says, as a dictionary: postgresql, duckdb, or NAME-missing."""
    printed = subprocess.run([ROOT / "scripts/databases"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


class Drivers:
    """The ADBC drivers, and a directory with a manifest for each."""

    def __init__(self, directory):
        import adbc_driver_postgresql
        import adbc_driver_sqlite

        self.software = find_software()
        self.directory = pathlib.Path(directory)
        self.libraries = {
            "postgresql": (adbc_driver_postgresql._driver_path(), "AdbcDriverInit"),
            "sqlite": (adbc_driver_sqlite._driver_path(), "AdbcDriverInit"),
        }
        if importlib.util.find_spec("adbc_driver_flightsql"):
            import adbc_driver_flightsql

            self.libraries["flightsql"] = (adbc_driver_flightsql._driver_path(), "AdbcDriverInit")
        if "duckdb" in self.software:
            self.libraries["duckdb"] = (self.software["duckdb"], "duckdb_adbc_init")
        if "odbc" in self.software:
            self.libraries["mysql"] = (self.software["odbc"], "AdbcDriverInit")
        for name, (library, entry) in self.libraries.items():
            (self.directory / f"{name}.toml").write_text(
                f'manifest_version = 1\nname = "{name}"\nversion = "1.0.0"\n\n[ADBC]\nversion = "1.1.0"\n\n'
                f'[Driver]\nentrypoint = "{entry}"\n\n[Driver.shared]\nlinux_amd64 = "{library}"\n'
            )

    def connect(self, name, **options):
        library, entry = self.libraries[name]
        return adbc_driver_manager.dbapi.connect(driver=library, entrypoint=entry, db_kwargs=options, autocommit=True)



# ---- The databases ----


class Database:
    """What all have in common: the bare driver."""

    dialect = None

    def connect(self):
        raise NotImplementedError

    @contextlib.contextmanager
    def cursor(self):
        with self.connect() as connection, connection.cursor() as cursor:
            yield cursor

    def table(self, sql):
        """The rows of a query as the bare driver gives them, as an Arrow table."""
        with self.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def rows(self, sql):
        return [tuple(row.values()) for row in self.table(sql).to_pylist()]

    def value(self, sql):
        ((value,),) = self.rows(sql)
        return value

    def run(self, sql):
        with self.cursor() as cursor:
            cursor.execute(sql)
            return cursor.rowcount

    def ingest(self, table, data, mode="append"):
        with self.cursor() as cursor:
            cursor.adbc_ingest(table, data, mode=mode)


class Server:
    """A PostgreSQL server in a directory of its own, that only this process can leave running, and does not."""

    def __init__(self, drivers, template=None, settings=()):
        self.drivers = drivers
        self.programs = pathlib.Path(drivers.software["postgresql"])
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-pg-", dir="/tmp"))
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.process = None
        # The server refuses to be root.
        self.prefix = ["setpriv", "--pdeathsig", "INT"]
        if os.getuid() == 0:
            self.prefix += ["--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self.directory.chmod(0o755)
        if template:
            subprocess.run(["cp", "-r", template, self.data], check=True)
        self._own(self.directory)
        if not template:
            self._initialise()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.directory,
            "max_connections": 60,
            "shared_buffers": "128MB",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            # Not UTC, so that who relies on the server's time zone is wrong.
            "timezone": "America/New_York",
            "autovacuum": "off",
            **dict(settings),
        }
        self.start()

    def _own(self, path):
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", path], check=True)
        subprocess.run(["chmod", "700", path / "data"], check=False, stderr=subprocess.DEVNULL)

    def _initialise(self):
        """A collation of ICU, which orders texts other than by their bytes, as most databases do."""
        password = self.directory / "password"
        password.write_text(PASSWORD)
        self._own(self.directory)
        subprocess.run(
            [*self.prefix, self.programs / "initdb", "-D", self.data, "-U", USER, "--pwfile", password]
            + ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
            + ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        password.unlink()

    def start(self):
        settings = [word for key, value in self.settings.items() for word in ("-c", f"{key}={value}")]
        # After a kill, the processes that served clients take a moment to notice.
        for _ in range(100):
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    [*self.prefix, self.programs / "postgres", "-D", self.data, *settings],
                    stdout=log,
                    stderr=log,
                    cwd="/",
                )
            if self._wait():
                return
            time.sleep(0.1)
        raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text()[-3000:]}")

    def _wait(self):
        for _ in range(600):
            if self.process.poll() is not None:
                return False
            ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready).returncode == 0:
                return True
            time.sleep(0.05)
        return False

    def stop(self, how=signal.SIGINT):
        """SIGINT ends it at once and cleanly; SIGKILL leaves all as after a power cut."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.directory)

    def database(self, name="postgres"):
        return PostgreSQL(self, name)

    def script(self, sql, database="postgres"):
        """Runs many statements."""
        # Not through a URI: this is the door of the administrator, without a password.
        result = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port)]
            + ["-U", USER, "-d", database],
            input=sql,
            text=True,
            capture_output=True,
        )
        assert result.returncode == 0, result.stderr

    def create(self, name):
        self.script(f'CREATE DATABASE "{name}"')
        return self.database(name)

    def n_connections(self):
        """Clients of TCP, which weir is and `script` is not."""
        sql = "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid()"
        return self.database().value(sql)


class PostgreSQL(Database):
    name = dialect = "postgresql"

    def __init__(self, server, database):
        self.server, self.database = server, database

    def uri(self, password=PASSWORD_IN_URI):
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.server.port}/{self.database}"

    def connect(self):
        return self.server.drivers.connect("postgresql", uri=self.uri())

    def attach(self, catalog, options=""):
        return f"ATTACH '{self.uri()}' AS {catalog} (TYPE adbc, DRIVER postgresql{options})"

    def script(self, sql):
        self.server.script(sql, self.database)

    schema = "public"


class SQLite(Database):
    name = dialect = "sqlite"
    schema = "main"

    def __init__(self, drivers, path):
        self.drivers, self.path = drivers, pathlib.Path(path)

    def connect(self):
        return self.drivers.connect("sqlite", uri=str(self.path))

    def attach(self, catalog, options=""):
        return f"ATTACH '{self.path}' AS {catalog} (TYPE adbc, DRIVER sqlite{options})"

    def script(self, sql):
        import sqlite3

        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(sql)

    def copy(self, path):
        shutil.copyfile(self.path, path)
        return SQLite(self.drivers, path)


class DuckDB(Database):
    """A file belongs to one process at a time, so that direct rows are those of a copy."""

    name = dialect = "duckdb"
    schema = "main"

    def __init__(self, drivers, path):
        self.drivers, self.path = drivers, pathlib.Path(path)

    def connect(self):
        return self.drivers.connect("duckdb", path=str(self.path))

    def attach(self, catalog, options=""):
        return f"ATTACH '{self.path}' AS {catalog} (TYPE adbc, DRIVER duckdb{options})"

    def script(self, sql):
        self.run(sql)  # the driver takes several statements

    def copy(self, path):
        shutil.copyfile(self.path, path)
        return DuckDB(self.drivers, path)
