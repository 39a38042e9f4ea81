"""``platekey install`` and ``uninstall``: the node into a host's own folder, and out of it again."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

import host_bridge
from host_bridge.cli.door import shown_errors
from host_bridge.cli.services import stop
from host_bridge.connection.engines import running_engines
from host_bridge.errors import BridgeError
from host_bridge.files import home
from host_bridge.install.host_file import remove_host_file, write_host_file
from host_bridge.install.hosts import HOSTS, Host
from host_bridge.install.installation import Installation
from host_bridge.install.machine import Machine
from host_bridge.install.own_folder import own_files, purge, tidy
from host_bridge.install.receipt import Receipt, receipt_of, receipts
from host_bridge.install.removal import Removal
from host_bridge.link.control import stop_link

HostName = Enum("HostName", {name: name for name in HOSTS}, type=str)  # type: ignore[misc]

_STOP_SECONDS = 20.0
"""An engine finishes the frame in work before it stops; one frame takes seconds."""
_POLL_SECONDS = 0.2

_Which = Annotated[HostName, typer.Argument(help="The host.")]
_Folder = Annotated[str, typer.Option("--path", help="The host's own folder, where it is not the usual one.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def install(
    name: _Which,
    path: _Folder = "",
    dry_run: _DryRun = False,
    edit_startup: Annotated[
        bool, typer.Option("--edit-startup", help="Add PlateKey's line to a start-up script of your own.")
    ] = False,
) -> None:
    """Put the node where a host looks for nodes; a newer version replaces an older one."""
    with shown_errors():
        host = HOSTS[name.value]
        planned = [Installation(host, folder, edit_startup) for folder in _folders(host, path)]
        for installation in planned:
            _show_plan(host, installation, dry_run)
            if not dry_run:
                installation.apply()
        if not dry_run:
            write_host_file()
            typer.echo(host.next_step)


def uninstall(
    name: _Which,
    path: _Folder = "",
    dry_run: _DryRun = False,
    everything: Annotated[
        bool, typer.Option("--purge", help="After the last host, also PlateKey's cache and logs.")
    ] = False,
) -> None:
    """Take a host's node away again; files that were changed since stay, and are named."""
    with shown_errors():
        host = HOSTS[name.value]
        for receipt in _installed(host, path):
            removal = Removal(receipt)
            _show_removal(host, receipt, removal, dry_run)
            if not dry_run:
                removal.apply()
        if not dry_run and not receipts():
            remove_host_file()
            tidy()
        if everything:
            _purge(dry_run)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (install, uninstall):
        app.command()(command)


def _folders(host: Host, path: str) -> list[Path]:
    return [Path(path).expanduser().absolute()] if path else host.folders(Machine.this())


def _installed(host: Host, path: str) -> list[Receipt]:
    if not path:
        found = receipts(host.name)
    else:
        receipt = receipt_of(host.name, Path(path).expanduser().absolute())
        found = [receipt] if receipt else []
    if not found:
        typer.echo(f"PlateKey is not installed for {host.title}{f' in {path}' if path else ''}.")
    return found


def _show_plan(host: Host, installation: Installation, dry_run: bool) -> None:
    typer.echo(f"PlateKey {host_bridge.__version__} for {host.title}, {installation.folder}")
    if dry_run:
        for path in installation.files:
            typer.echo(f"  would write {path}")
    else:
        typer.echo(f"  writes {len(installation.files)} files")
    if installation.edited:
        typer.echo(f"  {'would add' if dry_run else 'adds'} one line to {installation.edited}")
    for advice in installation.advice:
        typer.echo(f"  {advice}")


def _show_removal(host: Host, receipt: Receipt, removal: Removal, dry_run: bool) -> None:
    verb = "would remove" if dry_run else "removes"
    typer.echo(f"PlateKey {receipt.version} for {host.title}, {receipt.folder}")
    typer.echo(f"  {verb} {len(removal.files)} files")
    if removal.edited:
        typer.echo(f"  {verb} its line from {removal.edited}")
    for path in removal.kept:
        typer.echo(f"  keeps {path}: it was changed since")


def _purge(dry_run: bool) -> None:
    left = receipts()
    if left and not dry_run:
        titles = ", ".join(sorted({HOSTS[receipt.host].title for receipt in left}))
        raise BridgeError("BAD_REQUEST", f"PlateKey is still installed for {titles}.", "Uninstall it there first.")
    typer.echo(f"PlateKey's own folder {home.home()}")
    typer.echo(f"  {'would remove' if dry_run else 'removes'} {len(own_files())} files")
    if not dry_run:
        _stop_everything()
        purge()


def _stop_everything() -> None:
    stop()
    deadline = time.monotonic() + _STOP_SECONDS
    while stop_link() is not None or running_engines():
        if time.monotonic() > deadline:
            raise BridgeError("BAD_REQUEST", "PlateKey is still at work for a host.", "Close the host, then try again.")
        time.sleep(_POLL_SECONDS)
