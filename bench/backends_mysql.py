# SPDX-License-Identifier: Apache-2.0
"""
MariaDB with a server of its own, as backends.py has PostgreSQL: reached by weir through the ADBC driver for ODBC and
MariaDB's ODBC driver, and by these alone to know what is right. Its name is that of the dialect, mysql.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from backends import PASSWORD, PASSWORD_IN_URI, USER, Database
from backends_tpch import INDEXES, TPCH, cached, plain, tpch_ddl

# Equal without regard to case, accents and blanks at the end, as it is when nobody chooses another one.
COLLATION = "utf8mb4_general_ci"
# The tables of the bare driver's side have this one, so that its answers are what weir's SQL means.
BY_BYTES = "utf8mb4_nopad_bin"
# In which texts of weir's SQL are mostly MySQL's.
ANSI = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', time_zone = '+00:00', collation_connection = " + BY_BYTES


class MySQLServer:
    """A server in a directory of its own, that only this process can leave running, and does not."""

    def __init__(self, drivers, template=None):
        self.drivers = drivers
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-my-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.data, self.log, self.socket = (self.directory / name for name in ("data", "log", "socket"))
        self.process = None
        self.user = ["--user=root"] if os.getuid() == 0 else []
        if template:
            subprocess.run(["cp", "-r", template, self.data], check=True)
        else:
            subprocess.run(
                ["mariadb-install-db", "--no-defaults", *self.user, f"--datadir={self.data}"]
                + ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()
        if not template:
            self.script(f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER}@'127.0.0.1'")

    def start(self):
        settings = {
            "datadir": self.data,
            "socket": self.socket,
            "port": self.port,
            "bind-address": "127.0.0.1",
            "pid-file": self.directory / "pid",
            "skip-name-resolve": 1,
            "character-set-server": "utf8mb4",
            "collation-server": COLLATION,
            # Not UTC, so that who relies on the server's time zone is wrong.
            "default-time-zone": "-05:00",
            "innodb-flush-log-at-trx-commit": 0,
            "innodb-buffer-pool-size": "256M",
            "innodb-log-file-size": "64M",
            "local-infile": 1,
            "performance-schema": 0,
            "net-read-timeout": 600,  # on a machine that is busy with other things
            "net-write-timeout": 600,
        }
        words = [f"--{key}={value}" for key, value in settings.items()]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", self.drivers.software["mysql"], "--no-defaults", *self.user, *words],
                stdout=log,
                stderr=log,
            )
        for _ in range(600):
            if self.process.poll() is not None:
                break
            if self._client(["-e", "SELECT 1"], None).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError(f"MariaDB does not start:\n{self.log.read_text()[-3000:]}")

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def close(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)

    def _client(self, words, sql):
        return subprocess.run(
            ["mariadb", "--no-defaults", "-S", self.socket, "-u", "root", "--local-infile=1", "--default-character-set=utf8mb4", *words],
            input=sql,
            text=True,
            capture_output=True,
        )

    def script(self, sql, database="mysql"):
        """Runs many statements, through the administrator's door."""
        result = self._client(["-D", database, "-N"], f"{ANSI};\n{sql}")
        assert result.returncode == 0, result.stderr[-2000:]
        return result.stdout

    def database(self, name="mysql"):
        return MySQL(self, name)

    def create(self, name, collation=COLLATION):
        self.script(f'CREATE DATABASE "{name}" CHARACTER SET utf8mb4 COLLATE {collation}')
        return self.database(name)

    def n_connections(self):
        return int(self.script(f"SELECT count(*) FROM information_schema.processlist WHERE user = '{USER}'"))


class MySQL(Database):
    name = dialect = "mysql"

    def __init__(self, server, database):
        self.server, self.schema = server, database

    def uri(self, password=PASSWORD_IN_URI):
        return f"mysql://{USER}:{password}@127.0.0.1:{self.server.port}/{self.schema}"

    def connect(self):
        text = f"Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={self.server.port};Database={self.schema};Charset=utf8mb4;"
        connection = self.server.drivers.connect("mysql", uri=text, username=USER, password=PASSWORD)
        with connection.cursor() as cursor:
            cursor.execute(ANSI)
        return connection

    def attach(self, catalog, options=""):
        return f"ATTACH '{self.uri()}' AS {catalog} (TYPE adbc{options})"

    def script(self, sql):
        return self.server.script(sql, self.schema)


# ---- TPC-H ----


def load_tpch(server, data):
    """With the collation of most databases, by which texts are not equal by their bytes."""
    database = server.create("tpch")
    # With its key from the beginning, since a table lies in the order of its key; indexes of one table are made together.
    for statement, (key, _) in zip(tpch_ddl(has_char=False), TPCH.values()):
        database.script(f"{statement[:-1]}, PRIMARY KEY ({key}))")
    for name in TPCH:
        table = plain(pq.read_table(data / f"{name}.parquet"))
        path = server.directory / f"{name}.csv"
        pa.csv.write_csv(table, path, pa.csv.WriteOptions(include_header=False))
        database.script(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {name} FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY ''")
        path.unlink()
    for name in {on.split()[0]: None for on in INDEXES}:
        indexes = [on.split(" ", 1)[1] for on in INDEXES if on.split()[0] == name]
        database.script(f"ALTER TABLE {name} " + ", ".join(f"ADD INDEX {columns}" for columns in indexes))
    database.script("ANALYZE TABLE " + ", ".join(TPCH))


def mysql_template(drivers, data):
    """The data directory of a server with the database `tpch`, stopped."""
    key = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]

    def make(path):
        server = MySQLServer(drivers)
        try:
            load_tpch(server, data)
            server.stop()
            subprocess.run(["cp", "-r", server.data, path], check=True)
        finally:
            server.close()

    return cached(f"mysql-{key}-tpch-0.1", make)
