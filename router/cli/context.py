"""What every command needs: the configuration, its data folder, the running service, a client.

The command reads each of them at the first use, so `waggle ask --url` works beside a broken file.
"""

import datetime as dt
import functools
import inspect
import os
import pwd
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from router.audit_log import Act, AuditLog
from router.cli.client import ServiceClient
from router.cli.terminal import CommandRefused, InputRefused
from router.config.config import Config
from router.config.environment import environment
from router.config.load import EMBEDDED, at_home, find, load
from router.config.made_stores import with_made_stores
from router.config.values import NAME_PATTERN, NAME_RULE
from router.deployment.local_service import RunningService, find_running
from router.keys import Key, load_keys

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file. Default: ./waggle.yaml, else the embedded default.",
    ),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="The data folder; overrides server.data.")
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of the service. Default: the service that runs here."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class CommandContext:
    """The configuration and the service that the options --config and --data select."""

    def __init__(self, config_file: Path | None = None, data: Path | None = None) -> None:
        self.config_file = config_file
        self.data = data

    @cached_property
    def config(self) -> Config:
        return self.config_with()

    def config_with(self, **server: Any) -> Config:
        """The configuration, with some settings of its `server` section replaced by options."""
        return self._load(self.source, {"data": self.data and str(self.data), **server})

    @property
    def source(self) -> Path:
        """The configuration's path: --config, else ./waggle.yaml, else the embedded default."""
        return find(self.config_file)

    def config_of(self, running: RunningService) -> Config:
        """The configuration of a running service, from the present content of its file.

        A service that started without a file takes the file that was written here since.
        """
        path, server = Path(running.config), {"data": self.config.server.data}
        path = self.source if path == EMBEDDED else path
        return self._load(path, server) if path.is_file() else self.config

    @property
    def config_in_force(self) -> Config:
        """The configuration of --config, else the configuration of the running service."""
        running = self.running
        return self.config if self.config_file or not running else self.config_of(running)

    def _load(self, path: Path, overrides: dict[str, Any]) -> Config:
        config = load(path)
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            server = type(config.server).model_validate(config.server.model_dump() | given)
        except ValidationError as error:
            raise InputRefused(mistakes(error)) from None
        return at_home(with_made_stores(config.model_copy(update={"server": server})))

    @property
    def running(self) -> RunningService | None:
        return find_running(self.config.data)

    @property
    def service(self) -> RunningService:
        running = self.running
        if running is None:
            mend = "start one with `waggle serve`"
            raise CommandRefused(f"no service runs on {self.config.data}", mend)
        return running

    def url(self, given: str | None) -> str:
        """The address from --url, or else the address of the service that runs here."""
        return given or self.service.url

    @property
    def key(self) -> str:
        return environment("WAGGLE_API_KEY")

    def record(
        self,
        what: str,
        subject: str,
        *,
        before: Mapping[str, Any] = MappingProxyType({}),
        after: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Write an administrative act of this user to the audit log, before it is carried out."""
        who = {"user": pwd.getpwuid(os.getuid()).pw_name, "sudo": environment("SUDO_USER")}
        who = {name: text for name, text in who.items() if text}
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        try:
            AuditLog(self.config.data).record(Act(what, subject, who, before, after), at)
        except OSError as error:
            wrong = f"the audit log cannot be written, so nothing was done: {error}"
            raise CommandRefused(wrong) from None

    def client(self, url: str | None) -> ServiceClient:
        return ServiceClient(self.url(url), self.key)


def in_context(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --config and --data to a command, and pass both as one CommandContext."""

    @functools.wraps(command)
    def run(*, config_file: Path | None, data: Path | None, **arguments: Any) -> None:
        command(CommandContext(config_file, data), **arguments)

    _, *parameters = inspect.signature(command).parameters.values()
    for name, annotation in (("config_file", ConfigOption), ("data", DataOption)):
        kind = inspect.Parameter.KEYWORD_ONLY
        option = inspect.Parameter(name, kind, default=None, annotation=annotation)
        parameters.append(option)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def telemetry_catalog(config: Config) -> Path:
    """The DuckDB file whose views cover all telemetry; refuse if nothing was recorded."""
    from router.telemetry.store.catalog import CATALOG_FILE  # loads DuckDB

    path = config.telemetry_folder / CATALOG_FILE
    if not path.is_file():
        wrong = f"there is no telemetry in {config.telemetry_folder}"
        raise CommandRefused(wrong, "start with `waggle serve`")
    return path


def stored_keys(config: Config) -> tuple[Key, ...]:
    try:
        return load_keys(config.keys_file)
    except ValueError as error:
        raise InputRefused(str(error)) from None


def keys_to_serve(config: Config) -> tuple[Key, ...]:
    """The keys for a service. A service that the network can reach needs at least one key."""
    keys = stored_keys(config)
    for key in keys:
        if key.team and not key.revoked and key.team not in config.keys.teams:
            wrong = f"key {key.name} is of team {key.team}, and keys.teams has no such team"
            mend = f"add the team, or `waggle keys change {key.name} --team NAME`"
            raise InputRefused(wrong, mend)
    if not keys and not config.loopback:
        wrong = f"server.host = {config.server.host} is open to the network, and there is no key"
        mend = "make one with `waggle keys new NAME`, or set server.host to 127.0.0.1"
        raise InputRefused(wrong, mend)
    return keys


def mistakes(error: ValidationError) -> str:
    """Each wrong value with its name and the broken rule, in one line."""
    rows = ((".".join(map(str, row["loc"])), row) for row in error.errors())
    return "; ".join(f"{name} = {row['input']!r}: {_rule(row)}" for name, row in rows)


def _rule(row: Mapping[str, Any]) -> str:
    is_name = row.get("ctx", {}).get("pattern") == NAME_PATTERN
    return NAME_RULE if is_name else str(row["msg"])
