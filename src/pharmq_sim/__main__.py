"""``python -m pharmq_sim demo`` and ``python -m pharmq_sim fleet``."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from pharmq.base.clock import SystemClock
from pharmq_sim import demo as demo_run
from pharmq_sim.faults import CATALOGUE, UnknownFault
from pharmq_sim.fleet import Fleet, FleetFailed
from pharmq_sim.manager import DemoFailed
from pharmq_sim.mix import troubles
from pharmq_sim.plan import GUESTS_PER_HOST

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Simulated Proxmox VE hosts.")
console = Console()

Hosts = Annotated[int, typer.Option("--hosts", min=1, max=5000, help="How many hosts (one per pharmacy).")]
DataDir = Annotated[
    Path, typer.Option("--data-dir", file_okay=False, help="Certificates, worlds and the demo's database.")
]
ControlPort = Annotated[int, typer.Option("--control-port", help="Port to break hosts from; 0 takes a free one.")]

GuestsPerHost = Annotated[
    float, typer.Option("--guests-per-host", min=1, max=50, help="On the first start: guests of a host, on average.")
]


def _explain(what: str, error: Exception) -> None:
    console.print(what, style="bold red")
    console.print(str(error), markup=False, highlight=False, soft_wrap=True)


def _default_dir() -> Path:
    return Path.home() / ".local" / "share" / "pharmq-demo"


@app.command()
def demo(
    hosts: Hosts = 100,
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8420,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", file_okay=False)] = None,
    qemu: Annotated[int, typer.Option("--qemu", min=0, max=16, help="So many guests are real QEMU.")] = 0,
    faults: Annotated[
        str | None, typer.Option("--faults", help="Faults to set, one host each, instead of the mix; none for none.")
    ] = None,
    control_port: ControlPort = 0,
    guests_per_host: GuestsPerHost = GUESTS_PER_HOST,
) -> None:
    """Start a simulated fleet and PharmQ against it."""
    logging.basicConfig(level="WARNING")
    names = [name.strip() for name in faults.split(",") if name.strip()] if faults is not None else None
    directory = (data_dir or _default_dir()).absolute()
    options = demo_run.Options(hosts, port, directory, qemu, names, control_port, guests_per_host)
    try:
        uvloop.run(demo_run.run(options, console))
    except (DemoFailed, FleetFailed, UnknownFault) as error:
        _explain("The demo could not start.", error)
        raise typer.Exit(1) from None


@app.command()
def fleet(
    hosts: Hosts = 100,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", file_okay=False)] = None,
    faults: Annotated[str | None, typer.Option("--faults")] = None,
    control_port: ControlPort = 0,
    guests_per_host: GuestsPerHost = GUESTS_PER_HOST,
) -> None:
    """Start the simulated hosts alone."""
    logging.basicConfig(level="WARNING")
    names = [name.strip() for name in faults.split(",") if name.strip()] if faults is not None else ["none"]
    try:
        uvloop.run(
            _fleet(hosts, ((data_dir or _default_dir()) / "sim").absolute(), names, control_port, guests_per_host)
        )
    except (FleetFailed, UnknownFault) as error:
        _explain("The fleet could not start.", error)
        raise typer.Exit(1) from None


async def _fleet(hosts: int, directory: Path, names: list[str], control_port: int, guests_per_host: float) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with Fleet(
        directory, hosts, clock=SystemClock(), control_port=control_port, guests_per_host=guests_per_host
    ) as running:
        for trouble in troubles(hosts, names):
            running.hosts[trouble.index].faults.set(trouble.name, **trouble.params)
        console.print(
            f"{hosts} hosts listen on {running.specs[0].address}:8006 and up, root@pam / {running.password}",
            highlight=False,
        )
        console.print(f"Enrolment file: {running.csv_path}", highlight=False)
        console.print(f"Break hosts: http://127.0.0.1:{running.control.port}/hosts", highlight=False)
        await ended.wait()


@app.command("faults")
def list_faults() -> None:
    """List the faults there are."""
    for name, words in CATALOGUE.items():
        console.print(f"[bold]{name:<28}[/]{words}", highlight=False)


if __name__ == "__main__":
    app()
