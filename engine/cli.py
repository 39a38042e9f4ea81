"""`platekey-engine`: the engine's command line.

Exit codes: 0 stopped as asked, or idle; 1 an unexpected fault; 2 options that cannot be; 3 the address or a file is not
to be had; 4 no such device. A command imports what is heavy when it runs, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from importlib import import_module
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Any

import typer

import engine
from engine.errors import EngineError
from engine.service.binding import Address
from engine.service.build import WIRE, build_hash
from engine.service.handshake import find_token
from engine.service.limits import MIB, Limits
from engine.service.options import ServeOptions
from engine.training.adaptation.command_line import adapt

app = typer.Typer(help="PlateKey's engine.", no_args_is_help=True, add_completion=False)
models_app = typer.Typer(help="The networks and their weights.", invoke_without_command=True)
app.add_typer(models_app, name="models")

_EXIT_CODES = {"BAD_REQUEST": 2, "MODEL_UNKNOWN": 2, "FILE_MISSING": 3, "DEVICE_UNAVAILABLE": 4}
_EXIT_OS = 3


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Interface to listen at; off loopback only with TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 finds a free one.")] = 0,
    uds: Annotated[Path | None, typer.Option(help="Unix socket to listen at instead.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with the token that calls must bear.")] = None,
    handshake: Annotated[Path | None, typer.Option(help="File to leave address and token in.")] = None,
    root: Annotated[list[Path] | None, typer.Option(help="Folder whose files may be read; repeatable.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Arithmetic threads on the CPU; 0: torch's choice.")] = 0,
    idle_stop: Annotated[float, typer.Option(min=0, help="Seconds without a call before it stops; 0: never.")] = 0,
    store_bytes: Annotated[int, typer.Option(min=1, help="Memory for files.")] = Limits.store_bytes,
    plate_cache_bytes: Annotated[int, typer.Option(min=0, help="Memory for plates.")] = Limits.plate_cache_bytes,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM private key.")] = None,
    log_file: Annotated[Path | None, typer.Option(help="Log here too; kept below 16 MiB.")] = None,
) -> None:
    """Answer gRPC calls until stopped. The token may also come in the environment variable PLATEKEY_TOKEN."""
    with _errors_as_exit_codes():
        _start_logging(log_file)
        options = ServeOptions(
            token=find_token(token_file, os.environ.get("PLATEKEY_TOKEN", ""), handshake),
            address=Address(host, port, uds, _tls(tls_key, tls_cert)),
            handshake=handshake,
            roots=tuple(root or ()),
            device=device,
            threads=threads,
            idle_stop=idle_stop,
            limits=Limits(store_bytes=store_bytes, plate_cache_bytes=plate_cache_bytes),
        )
        _run(options)


@app.command()
def train(
    config: Annotated[Path, typer.Option(help="TOML file of the run, or the name of an example: platenet.")],
    fresh: Annotated[bool, typer.Option("--fresh/--resume", help="Begin anew, or go on with the run there.")] = False,
    override: Annotated[list[str] | None, typer.Option("--set", help="table.key=value; repeatable.")] = None,
) -> None:
    """Train a network; may be interrupted and started again at any time."""
    with _errors_as_exit_codes():
        _start_logging(None)
        import_module("engine.training.commands").run_training(config, override or (), fresh)


@app.command()
def export(
    folder: Annotated[Path, typer.Option(help="The run.")],
    to: Annotated[Path | None, typer.Option(help="Folder for weights and card; the shipped ones if left out.")] = None,
) -> None:
    """Make a run's averaged weights the ones that ship; those of a guest network a file for `models add`."""
    with _errors_as_exit_codes():
        _start_logging(None)
        import_module("engine.training.commands").run_export(folder, to)


@models_app.callback()
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the networks: size, licence, where their weights are to be had."""
    if context.invoked_subcommand is None:
        listing = import_module("engine.network.listing")
        listed = listing.entries()
        typer.echo(json.dumps([asdict(entry) for entry in listed], indent=2) if as_json else listing.as_table(listed))


@models_app.command("add")
def add_model(
    file: Annotated[Path, typer.Argument(help="Weights: .pth, .pt or .safetensors.")],
    name: Annotated[str | None, typer.Option("--as", help="Name for the model; else that of its architecture.")] = None,
    licence: Annotated[str | None, typer.Option(help="SPDX name; else that of the public weights.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="How to run it, name=value; repeatable.")] = None,
) -> None:
    """Check weights and keep them in PlateKey's folder. Nothing in the file is run."""
    with _errors_as_exit_codes():
        options = import_module("engine.network.options").parsed(option or ())
        card = import_module("engine.network.library").add(file, name, licence, options)
        use = "commercial use allowed" if card.commercial_use else "not for commercial use"
        typer.echo(f"{card.name}: {card.parameters:,} parameters, {card.licence} ({use}), {card.path}")


@models_app.command("verify")
def verify_models() -> None:
    """Hash the weights of every model here, and compare them to their cards."""
    verdicts = list(import_module("engine.network.library").verify())
    for verdict in verdicts:
        typer.echo(f"{verdict.name}: {verdict.fault or 'as it should be'}")
    if any(verdict.fault for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def bench(
    models: Annotated[str, typer.Option(help="Names, with commas between.")] = "platenet,bgmv2-mobilenetv2",
    sizes: Annotated[str, typer.Option(help="Pictures, with commas between.")] = "1920x1080,3840x2160",
    threads: Annotated[int, typer.Option(min=0, help="Arithmetic threads; 0: torch's choice.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Frames of each model and size.")] = 5,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 or mps.")] = "cpu",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here too.")] = None,
) -> None:
    """Measure what networks cost, by turns: seconds, multiplications, memory."""
    with _errors_as_exit_codes():
        room = import_module("engine.benchmark.bench")
        names = [name.strip() for name in models.split(",") if name.strip()]
        plan = room.Plan(names, room.parse_sizes(sizes), threads, rounds, device)
        lines = list(room.bench(plan))
        typer.echo(room.as_table(lines))
        if json_file is not None:
            json_file.write_text(room.as_json(lines, plan), encoding="utf-8")


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Shots with their truth: frame.####.exr, plate.exr, gt.####.exr.")],
    models: Annotated[str, typer.Option(help="Networks, separated by commas.")] = "platenet",
    opponents: Annotated[str, typer.Option(help="Classical keyers beside them.")] = "difference,closed-form",
    out: Annotated[Path | None, typer.Option(help="Folder of the report; FOLDER/evaluation if left out.")] = None,
    robustness: Annotated[bool, typer.Option(help="Measure the curves too, one fault at a time.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda:0 or mps.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="Arithmetic threads on the CPU; 0: torch's choice.")] = 0,
) -> None:
    """Measure mattes against their truth, beside classical opponents; docs/evaluation.md says how."""
    with _errors_as_exit_codes():
        _start_logging(None)
        commands = import_module("engine.evaluation.commands")
        names = [[name.strip() for name in listed.split(",") if name.strip()] for listed in (models, opponents)]
        commands.run_evaluation(commands.Options(folder, out, *names, robustness, device, threads))


@app.command()
def validation_set(
    out: Annotated[Path, typer.Argument(help="New or empty folder to write the shots to.")],
    assets: Annotated[Path, typer.Option(help="Photographs, from packaging/fetch_training_assets.py.")],
    renders: Annotated[Path | None, typer.Option(help="Held-out rendered subjects, *.npy.")] = None,
    small: Annotated[bool, typer.Option(help="Four small shots, to try things out.")] = False,
) -> None:
    """Make the shots that the shipped weights are measured on, of what training never sees."""
    with _errors_as_exit_codes():
        _start_logging(None)
        made = import_module("engine.training.validation_set")
        made.write_validation_set(out, assets, renders, made.SMALL if small else made.FULL)


@app.command()
def version() -> None:
    """Say which engine this is."""
    typer.echo(f"platekey-engine {engine.__version__}, build {build_hash()}, wire {WIRE}")


@app.command("adapt")
@wraps(adapt)
def _adapt(**options: Any) -> None:  # noqa: ANN401 - the wrapped command's own
    with _errors_as_exit_codes():
        _start_logging(None)
        adapt(**options)


def main() -> None:
    """Run the command line."""
    app()


def _run(options: ServeOptions) -> None:
    server = import_module("engine.service.server").EngineServer(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.ask_to_stop())
    server.start()
    try:
        server.wait()
    finally:
        if not server.stop():
            # A frame that never looks up would keep Python waiting for its thread.
            logging.shutdown()
            os._exit(0)


def _tls(key: Path | None, chain: Path | None) -> tuple[Path, Path] | None:
    if key and chain:
        return key, chain
    if key or chain:
        raise EngineError("BAD_REQUEST", "TLS needs a key and a certificate.", "Give both --tls-key and --tls-cert.")
    return None


def _start_logging(file: Path | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if file is not None:
        handlers.append(RotatingFileHandler(file, maxBytes=8 * MIB, backupCount=1, encoding="utf-8"))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=handlers)


@contextmanager
def _errors_as_exit_codes() -> Iterator[None]:
    """Turn what a user can put right into one sentence and an exit code."""
    try:
        yield
    except EngineError as error:
        typer.echo(f"platekey-engine: {error}", err=True)
        raise typer.Exit(_EXIT_CODES.get(error.reason, 1)) from error
    except OSError as error:
        typer.echo(f"platekey-engine: {error}", err=True)
        raise typer.Exit(_EXIT_OS) from error
