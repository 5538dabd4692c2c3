"""The command line: run the server, and what must be done on the machine itself."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pharmq import __version__
from pharmq.access import SYSTEM
from pharmq.backup import back_up
from pharmq.base.config import Config, default_data_dir, sqlite_url
from pharmq.base.errors import PharmqError
from pharmq.base.messages import Language, language_of, render
from pharmq.base.secret import Secret
from pharmq.bootstrap import ROUTES, Ground, House, open_ground
from pharmq.doctor import examine
from pharmq.rekeying import rotate_keys
from pharmq.server import serve as run_server
from pharmq.vault.rotation import GRACE_S
from pharmq.web.app import ApiDocument

T = TypeVar("T")
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
user_app = typer.Typer(no_args_is_help=True, help="Users of this installation.")
token_app = typer.Typer(no_args_is_help=True, help="API tokens.")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
key_app = typer.Typer(no_args_is_help=True, help="Encryption keys.")
app.add_typer(key_app, name="key")
audit_app = typer.Typer(no_args_is_help=True, help="The journal's proof.")
app.add_typer(audit_app, name="audit")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the database and the key live.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url", envvar="PHARMQ_DATABASE_URL", help="postgresql://...; SQLite in the data directory otherwise."
    ),
]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", envvar="PHARMQ_KEY_FILE", help="The master key; best not beside the data.")
]


@app.callback()
def program() -> None:
    """Central manager for many Proxmox VE hosts."""
    # The database, its log, keys, witness, copies: for this account alone, whatever folder they lie in.
    os.umask(0o077)


def _config(data_dir: Path | None, database_url: str | None, key_file: Path | None) -> Config:
    folder = (data_dir or default_data_dir()).absolute()
    return Config(data_dir=folder, database_url=database_url or sqlite_url(folder), key_file=key_file or _default_key())


def _default_key() -> Path:
    """Beside the user's configuration, not beside the data: whoever copies the data directory copies no key."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "pharmq" / "master.key"


def explain(error: PharmqError) -> None:
    """What happened, why, what to do: on standard error."""
    message = render(error.code, error.params, language_of(os.environ))
    err.print(f"[bold red]{message.title}[/]")
    for line in (message.why, message.remedy):
        if line:
            err.print(line)


def _run(config: Config, work: Callable[[Ground], Awaitable[T]]) -> T:
    """Do one thing with the database and the vault open; explain a failure and exit with 1."""

    async def go() -> T:
        async with open_ground(config) as ground:
            return await work(ground)

    try:
        return asyncio.run(go())
    except PharmqError as error:
        explain(error)
        raise typer.Exit(1) from None


@app.command()
def serve(
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    host: Annotated[str, typer.Option(help="The only address listened on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8420,
    public_url: Annotated[
        str | None,
        typer.Option(envvar="PHARMQ_PUBLIC_URL", help="Where browsers reach us, e.g. https://pharmq.example.kr"),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="Address or network of a reverse proxy whose X-Forwarded-* is believed.")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="PEM, leaf first; SIGHUP reads it again.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="PEM.")] = None,
    log_level: Annotated[str, typer.Option()] = "info",
) -> None:
    """Run PharmQ."""
    if (tls_certificate is None) != (tls_key is None):
        raise typer.BadParameter("--tls-certificate and --tls-key belong together")
    base = _config(data_dir, database_url, key_file)
    config = Config(
        data_dir=base.data_dir,
        database_url=base.database_url,
        key_file=base.key_file,
        host=host,
        port=port,
        public_url=public_url,
        trusted_proxies=tuple(trusted_proxy or ()),
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        log_level=log_level,
    )
    try:
        run_server(config)
    except PharmqError as error:
        explain(error)
        raise typer.Exit(1) from None


@app.command()
def doctor(
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    public_url: Annotated[str | None, typer.Option(envvar="PHARMQ_PUBLIC_URL")] = None,
    lang: Annotated[Language | None, typer.Option(help="As LC_ALL, LC_MESSAGES or LANG say, else English.")] = None,
) -> None:
    """Tell what is wrong with this installation, why, and what to do; exit with 1 when something is."""
    base = _config(data_dir, database_url, key_file)
    config = Config(
        data_dir=base.data_dir, database_url=base.database_url, key_file=base.key_file, public_url=public_url
    )
    findings = asyncio.run(examine(config))
    table = Table(box=None, show_header=False, pad_edge=False)
    signs = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "failed": "[red]failed[/]"}
    for finding in findings:
        message = finding.message(lang or language_of(os.environ))
        parts = filter(None, (message.title, message.why, message.remedy))
        table.add_row(signs[finding.result], Text("\n".join(parts)))
    out.print(table)
    if any(finding.result == "failed" for finding in findings):
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where the copy goes; must not exist.")],
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
) -> None:
    """Copy the SQLite database, also while the server runs. The master key is not in the copy."""
    config = _config(data_dir, database_url, key_file)
    try:
        size = asyncio.run(back_up(config, file.absolute()))
    except PharmqError as error:
        explain(error)
        raise typer.Exit(1) from None
    out.print(f"{file}: {size} bytes.", soft_wrap=True)
    if config.key_file is not None and config.key_file.exists():
        out.print(
            f"Without {config.key_file} its credentials cannot be read: keep a copy of that, elsewhere.", soft_wrap=True
        )


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__)


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    sys.stdout.write(ApiDocument(ROUTES, House.SERVICES).body.decode())


def _read_password(from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\n"))
    return Secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


@user_app.command("create")
def user_create(
    name: str,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    administrator: Annotated[bool, typer.Option("--administrator")] = False,
) -> None:
    """Add a user."""
    password = _read_password(password_stdin)
    _run(
        _config(data_dir, database_url, key_file),
        lambda ground: ground.access.create_user(SYSTEM, name, password, administrator=administrator, lang="ko"),
    )
    out.print(f"User {name} created.")


@user_app.command("reset")
def user_reset(
    name: str,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin")] = False,
) -> None:
    """Let somebody in again who cannot come in: a new password, no second factor, enabled; earlier sessions end."""
    password = _read_password(password_stdin)
    _run(
        _config(data_dir, database_url, key_file),
        lambda ground: ground.access.reset_password(SYSTEM, name, password),
    )
    out.print(f"{name} has a new password and no second factor; earlier sessions have ended.")


@user_app.command("list")
def user_list(data_dir: DataDir = None, database_url: DatabaseUrl = None, key_file: KeyFile = None) -> None:
    """List users."""
    users = _run(_config(data_dir, database_url, key_file), lambda ground: ground.access.users(SYSTEM))
    for user in users:
        out.print(f"{user.id}\t{user.name}\t{'disabled' if user.disabled else 'active'}")


@token_app.command("create")
def token_create(
    user: str,
    name: str,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never by default.")] = None,
) -> None:
    """Make an API token for a user and print it, this once."""
    life = timedelta(days=days) if days else None
    token = _run(
        _config(data_dir, database_url, key_file),
        lambda ground: ground.access.create_token(SYSTEM, user, name, life),
    )
    sys.stdout.write(token.reveal() + "\n")


@audit_app.command("verify")
def audit_verify(data_dir: DataDir = None, database_url: DatabaseUrl = None, key_file: KeyFile = None) -> None:
    """Follow the journal's chain from the first row to its head; exit with 1 when anything was changed."""
    report = _run(_config(data_dir, database_url, key_file), lambda ground: ground.proof.check_and_record(SYSTEM))
    language = language_of(os.environ)
    for found in report.findings:
        message = render(found.code, {"first": found.first, "last": found.last, "detail": found.detail}, language)
        err.print(f"[red]{message.title}[/]")
    sys.stdout.write(
        f"{report.rows} rows, {report.checkpoints} checkpoints, head {report.head_seq}:{report.head_hash}\n"
    )
    if not report.whole:
        message = render("audit.not_whole", {}, language)
        err.print(f"{message.title} {message.remedy}")
        raise typer.Exit(1)
    out.print("The journal is whole.")


@audit_app.command("accept-restore")
def audit_accept_restore(
    reason: str, data_dir: DataDir = None, database_url: DatabaseUrl = None, key_file: KeyFile = None
) -> None:
    """Record that the database was put back from a backup on purpose."""
    _run(_config(data_dir, database_url, key_file), lambda ground: ground.proof.accept_restore(SYSTEM, reason))
    out.print("Recorded.")


@key_app.command("rotate")
def key_rotate(
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    key_file: KeyFile = None,
    master: Annotated[
        bool, typer.Option(help="Replace the master key in its file too; --no-master: the data key only.")
    ] = True,
    wait: Annotated[
        bool, typer.Option(help="Give running servers time to learn the new key; --no-wait when none runs.")
    ] = True,
) -> None:
    """Seal everything with new keys. May run beside the server, be interrupted, and be run again."""
    config = _config(data_dir, database_url, key_file)
    with err.status("Sealing ...") as status:

        async def work(ground: Ground) -> tuple[int, bool]:
            return await rotate_keys(
                ground,
                config,
                master=master,
                grace_s=GRACE_S if wait else 0.0,
                progress=lambda count: status.update(f"Sealed {count} values ..."),
            )

        cells, replaced = _run(config, work)
    out.print(f"{cells} values have been sealed with a new data key.")
    if replaced:
        out.print(f"{config.key_file} holds a new master key. Put it into your backup: the old one opens nothing now.")
    elif master:
        out.print("The master key does not come from a file and stays what it is.")
