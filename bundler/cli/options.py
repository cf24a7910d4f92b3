"""Options that several commands share, and the objects that are made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler.cli import told_warnings
from bundler.cli.console import Console, option
from bundler.formats import shell_words

if TYPE_CHECKING:
    from bundler.fetch.download import Downloader
    from bundler.fetch.store import Store
    from bundler.flow.project import Project
    from bundler.model.progress import Progress

_F = TypeVar("_F", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

anchors_option = option(
    "--anchors",
    type=FILE,
    multiple=True,
    section="Trust",
    help="Trust these only: PEM, OpenPGP key, JSON; repeatable.",
)

strict_option = option("--strict", is_flag=True, section="Definition", help="Treat warnings as errors.")

definition_option = option(
    "-d",
    "--definition",
    type=FILE,
    default=Path("bundle.yaml"),
    show_default=True,
    section="Definition",
    help="The definition.",
)


def option_group(name: str, settings: type[Any], *decorators: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Give a command several options, and pass their values to it as one object.

    Args:
        name: the command's parameter.
        settings: the object's class, with a field for each option.
        decorators: the options, last one first.
    """

    def decorate(function: _F) -> _F:
        @wraps(function)
        def wrapped(*args: Any, **given: Any) -> Any:
            collected = {field.name: given.pop(field.name) for field in fields(settings)}
            return function(*args, **{name: settings(**collected)}, **given)

        for decorator in decorators:
            wrapped = decorator(wrapped)  # type: ignore[arg-type,assignment]
        return wrapped  # type: ignore[return-value]

    return decorate


@dataclass(frozen=True)
class ProjectSettings:
    """The values of :data:`project_options`."""

    definition: Path
    lock_path: Path | None
    anchors: tuple[Path, ...]
    strict: bool

    @property
    def lock(self) -> Path:
        """The lock that belongs to the definition."""
        return self.lock_path or self.definition.with_name("bundle.lock")

    @property
    def flags(self) -> str:
        """The same options for the next command, with a blank before each."""
        named = [("--definition", self.definition), ("--lock", self.lock_path)]
        named += [("--anchors", path) for path in self.anchors]
        own = [(flag, path) for flag, path in named if path and (flag, path) != ("--definition", Path("bundle.yaml"))]
        return "".join(f" {shell_words.command(flag, path)}" for flag, path in own)


project_options = option_group(
    "chosen",
    ProjectSettings,
    anchors_option,
    strict_option,
    option(
        "--lock", "lock_path", type=FILE, section="Definition", help="The lock.  [default: bundle.lock, next to it]"
    ),
    definition_option,
)


store_option = option(
    "--store", "store_path", type=FOLDER, section="Network", help="Cache folder.  [default: the user's cache]"
)


@dataclass(frozen=True)
class FetchSettings:
    """The values of :data:`fetch_options`."""

    store_path: Path | None
    offline: bool
    proxy: str | None
    ca: Path | None
    timeout: float
    """Seconds."""
    min_rate: int
    """KiB a minute."""


fetch_options = option_group(
    "fetching",
    FetchSettings,
    option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        section="Network",
        help="Retry after SECONDS without data.",
    ),
    option(
        "--min-rate",
        type=click.IntRange(min=1),
        default=64,
        show_default=True,
        metavar="KIB",
        section="Network",
        help="Retry below so many KiB a minute.",
    ),
    option("--ca", type=FILE, section="Network", help="PEM file of further CAs to trust for HTTPS."),
    option("--proxy", metavar="URL", section="Network", help="HTTP proxy.  [default: HTTPS_PROXY, NO_PROXY]"),
    option("--offline", is_flag=True, section="Network", help="Do not use the network."),
    store_option,
)


def output_option(help_text: str) -> Callable[[_F], _F]:
    """The option for the folder of bundles."""
    return option(
        "-o", "--output", type=FOLDER, default=Path("bundles"), show_default=True, section="Output", help=help_text
    )


password_option = option(
    "--password-file",
    type=FILE,
    section="Output",
    help="File with the password of an encrypted 7z.",
)


def read_project(console: Console, chosen: ProjectSettings) -> Project:
    """Read the definition and show its warnings. Raises what :func:`bundler.flow.project.read` raises."""
    from bundler.flow import project as projects

    read = projects.read(chosen.definition, anchors_file=chosen.anchors, today=console.now.date(), strict=chosen.strict)
    console.warn(read.warnings, chosen.definition)
    if read.anchors.lab:
        console.info(f"{read.anchors.name}: lab anchors. Bundles built with them are not for production servers.")
    return read


def open_store(console: Console, store_path: Path | None) -> Store:
    """The store at ``store_path``, or in the user's cache folder. Raises UsageError where there is none."""
    from bundler.cli.cache_folder import cache_folder
    from bundler.fetch.store import Store

    return Store(store_path or cache_folder(console.environment) / "store")


@contextmanager
def open_downloader(
    console: Console, settings: FetchSettings, project: Project | None
) -> Iterator[tuple[Downloader, Store, Progress]]:
    """Open a downloader with its store and progress; all end with the block.

    Args:
        console: for progress and the environment.
        settings: the options for the network.
        project: names a certificate authority where no option does; None without a definition.
    """
    from bundler.cli.progress import progress
    from bundler.fetch.download import Downloader
    from bundler.fetch.network import Network
    from bundler.flow.project import resolve_relative

    named = settings.ca
    if named is None and project is not None:
        named = resolve_relative(project.path, project.definition.upstream.ca)
    network = Network(
        proxy=settings.proxy,
        ca_file=named,
        stall_timeout=settings.timeout,
        min_rate=settings.min_rate,
        environment=console.environment,
        detail=lambda text: console.info(text) if console.verbose else None,
        warn=told_warnings.warn,
    )
    store = open_store(console, settings.store_path)
    with (
        progress(wanted=console.progress, quiet=console.quiet, each=console.verbose > 0) as shown,
        Downloader(store, network, shown, offline=settings.offline) as downloader,
    ):
        yield downloader, store, shown


def password_source(console: Console, password_file: Path | None) -> Callable[[], str]:
    """A function that reads the password of an encrypted archive when it is needed, and once.

    It raises :class:`UsageError` where there is none, or it is not text.
    """
    from bundler.cli.secrets import SecretSource, is_encodable, prompt_once

    source = SecretSource("ARC_BUNDLER_PASSWORD", "Password of the 7z archive")
    ask = prompt_once(console, password_file, source, what="the password file")

    def password() -> str:
        from bundler.errors import UsageError

        text = ask()
        if not text:
            raise UsageError(
                "this archive is encrypted, but no password was given",
                do="give it with `--password-file FILE`, in ARC_BUNDLER_PASSWORD, or at the prompt of a terminal",
            )
        if not is_encodable(text):
            raise UsageError("the password is not UTF-8 text", do="give UTF-8 text in the file or the variable")
        return text

    return password


def told_if_weak(password: Callable[[], str]) -> Callable[[], str]:
    """As ``password``, with a warning where it is soon guessed; it is not shown."""

    def told() -> str:
        from bundler.formats.password_strength import is_weak

        text = password()
        if is_weak(text):
            told_warnings.warn(
                "the password of the 7z is weak: a program that has the file can guess it; use five random words, or "
                "12 random characters"
            )
        return text

    return told
