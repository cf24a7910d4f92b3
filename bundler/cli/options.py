"""The flags that several commands share, and the objects that follow from them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler.cli.console import Console, option

if TYPE_CHECKING:
    from bundler.fetch.download import Downloader
    from bundler.fetch.store import Store
    from bundler.flow.project import Project
    from bundler.model.progress import Progress

_F = TypeVar("_F", bound=Callable[..., Any])

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)

_INSTEAD = "Believe these anchors instead of Microsoft's: a mirror's own, or a lab's."

anchors_option = option("--anchors", type=_FILE, help=_INSTEAD)

strict_option = option("--strict", is_flag=True, help="Take warnings for errors.")

definition_option = option(
    "-d", "--definition", type=_FILE, default=Path("bundle.yaml"), show_default=True, help="The definition."
)


def option_group(name: str, settings: type[Any], *decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Give a command the options of ``decorators``, shown in reverse, and their values as one ``settings``."""

    def decorate(function: _F) -> _F:
        @wraps(function)
        def wrapped(*args: Any, **given: Any) -> Any:
            collected = {field.name: given.pop(field.name) for field in fields(settings)}
            return function(*args, **{name: settings(**collected)}, **given)

        for shown in decorators:
            wrapped = shown(wrapped)  # type: ignore[arg-type,assignment]
        return wrapped  # type: ignore[return-value]

    return decorate


@dataclass(frozen=True)
class ProjectSettings:
    """What ``project_options`` collected: which definition, which lock, whose anchors, how strict."""

    definition: Path
    lock_path: Path | None
    anchors: Path | None
    strict: bool

    @property
    def lock(self) -> Path:
        """The lock that belongs to the definition."""
        return self.lock_path or self.definition.with_name("bundle.lock")

    @property
    def flags(self) -> str:
        """The flags that name the same ones to the command that comes next, with a blank before each."""
        named = {"--definition": self.definition, "--lock": self.lock_path, "--anchors": self.anchors}
        if self.definition == Path("bundle.yaml"):
            del named["--definition"]
        return "".join(f" {flag} {shlex.quote(str(path))}" for flag, path in named.items() if path)


project_options = option_group(
    "chosen",
    ProjectSettings,
    option("--anchors", type=_FILE, help=f"{_INSTEAD} It is recorded."),
    strict_option,
    option("--lock", "lock_path", type=_FILE, help="The lock.  [default: bundle.lock beside the definition]"),
    definition_option,
)


store_option = option(
    "--store", "store_path", type=_FOLDER, help="Where fetched files rest.  [default: the user's cache]"
)


@dataclass(frozen=True)
class FetchSettings:
    """What ``fetch_options`` collected: where bytes come from and rest."""

    store_path: Path | None
    offline: bool
    proxy: str | None
    ca: Path | None
    timeout: float


fetch_options = option_group(
    "fetching",
    FetchSettings,
    option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Give a silent connection up after this long, and try again.",
    ),
    option("--ca", type=_FILE, help="A PEM file of further certificate authorities to believe for HTTPS."),
    option("--proxy", metavar="URL", help="HTTP proxy.  [default: HTTPS_PROXY and NO_PROXY]"),
    option("--offline", is_flag=True, help="Use what the store has; ask no network."),
    store_option,
)


def output_option(help_text: str) -> Callable[[_F], _F]:
    """Where bundles go."""
    return option("-o", "--output", type=_FOLDER, default=Path("bundles"), show_default=True, help=help_text)


password_option = option(
    "--password-file",
    type=_FILE,
    help="File with the password of an encrypted 7z; otherwise ARC_BUNDLER_PASSWORD, or a prompt.",
)


def read_project(console: Console, chosen: ProjectSettings) -> Project:
    """Read the definition and show its warnings."""
    from bundler.flow import project as projects

    read = projects.read(chosen.definition, anchors_file=chosen.anchors, today=console.now.date(), strict=chosen.strict)
    console.warn(read.warnings, chosen.definition)
    if read.anchors.lab:
        console.info(f"{read.anchors.name}: lab anchors. Bundles built with them are not for production servers.")
    return read


def open_store(store_path: Path | None) -> Store:
    """The store at ``store_path``, or in the user's cache folder."""
    from platformdirs import user_cache_path

    from bundler.fetch.store import Store

    return Store(store_path or user_cache_path("arc-bundler", appauthor=False) / "store")


@contextmanager
def open_downloader(
    console: Console, settings: FetchSettings, project: Project | None
) -> Iterator[tuple[Downloader, Store, Progress]]:
    """A downloader with its store and progress, ended with the block."""
    from bundler.cli.progress import progress
    from bundler.fetch.download import Downloader
    from bundler.fetch.network import Network
    from bundler.flow.project import resolve_relative

    named = settings.ca
    if named is None and project is not None:
        named = resolve_relative(project.path, project.definition.upstream.ca)
    network = Network(
        proxy=settings.proxy, ca_file=named, stall_timeout=settings.timeout, environment=console.environment
    )
    store = open_store(settings.store_path)
    with (
        progress(wanted=console.progress, quiet=console.quiet, each=console.verbose > 0) as shown,
        Downloader(store, network, shown, offline=settings.offline) as downloader,
    ):
        yield downloader, store, shown


def password_source(console: Console, password_file: Path | None) -> Callable[[], str]:
    """Where a password comes from: its file, its variable, or a prompt; asked for once."""
    asked: list[str] = []

    def password() -> str:
        if not asked:
            asked.append(_password(console, password_file))
        return asked[0]

    return password


def _password(console: Console, password_file: Path | None) -> str:
    import sys

    from bundler.cli.secrets import is_encodable, line
    from bundler.errors import UsageError

    if password_file:
        text = line(password_file, "the password file")
    else:
        text = console.environment.get("ARC_BUNDLER_PASSWORD", "")
        if not text and sys.stdin.isatty():
            text = click.prompt("Password of the 7z archive", hide_input=True, err=True)
    if not text:
        raise UsageError(
            "this archive is encrypted, and there is no password",
            do="give it with `--password-file FILE`, in ARC_BUNDLER_PASSWORD, or at the prompt of a terminal",
        )
    if not is_encodable(text):
        raise UsageError("the password is not UTF-8 text", do="give one that is, by its file or its variable")
    return text
