"""A PostgreSQL server of the tests' own: in a temporary folder, on a unix socket, gone with the tests."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import sqlalchemy as sa

from app.db import Database
from app.tools import tool

NOBODY = "nobody"  # PostgreSQL refuses to run as root
START_S = 30.0


class PostgresServer:
    """Started on construction; `url(name)` of a database on it. Raises ToolMissing, which names the remedy.

    `listen` is an address on which it is reached by TCP as well, `buffers` its own cache: little for tests, what an
    installation would give it where its speed is measured. `folder` is where its own folder is made.
    """

    def __init__(self, listen: str = "", buffers: str = "64MB", folder: str | None = None) -> None:
        self._drop = {}
        self.home = Path(tempfile.mkdtemp(prefix="hotline-pg-", dir=folder))
        if os.geteuid() == 0:
            user = pwd.getpwnam(NOBODY)
            self._drop = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.home, user.pw_uid, user.pw_gid)
        data = self.home / "data"
        self._run(
            [_program("initdb"), "-D", str(data), "-U", "hotline", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
        )
        options = {
            "listen_addresses": listen,
            "unix_socket_directories": str(self.home),
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": "150",
            "shared_buffers": buffers,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._log = (self.home / "log").open("wb")
        self._process = subprocess.Popen(
            [_program("postgres"), "-D", str(data), *arguments],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd="/",
            preexec_fn=_die_with_parent,
            **self._drop,
        )
        self._wait()

    def url(self, database: str) -> str:
        """The address of a database for SQLAlchemy."""
        return f"postgresql+psycopg://hotline@/{database}?host={self.home}"

    def create(self, database: str, template: str = "template0") -> None:
        """Make a database, perhaps as a copy of another one."""
        with self._connect("postgres") as connection:
            # To copy the files takes half as long as to write every page to the log, the new way since PostgreSQL 15.
            how = " STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"{how}')

    def drop(self, database: str) -> None:
        """Remove a database and whoever is connected to it."""
        with self._connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.home), user="hotline", dbname=database, autocommit=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            try:
                self._connect("postgres").close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self.home / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{log}") from error
            time.sleep(0.05)

    def _run(self, argv: list[str]) -> None:
        done = subprocess.run(argv, capture_output=True, cwd="/", text=True, check=False, **self._drop)
        if done.returncode:
            raise RuntimeError(f"{argv[0]} failed: {done.stdout}{done.stderr}")


def _program(name: str) -> str:
    # Resolved: another user may not be allowed to walk through the checkout.
    return str(Path(tool(name)[0]).resolve())


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def waits_for_a_lock(db: Database) -> bool:
    """Whether a transaction waits for another one to end."""
    with db.read() as session:
        return bool(session.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())
