"""Starts, controls and stops the lab's upstream."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from bundler.errors import UsageError, WriteError
from bundler.lab import agent, announcement, authority, tls_chains, upstream
from bundler.lab.agent import Release
from bundler.lab.authority import Authority
from bundler.lab.behaviour import Behaviour, Certificate, Slow
from bundler.lab.key_store import KeyStore
from bundler.lab.server import Request, Server
from bundler.lab.upstream import Upstream
from bundler.model.anchor import Anchors


class Lab:
    """An upstream over HTTPS on this machine; a context manager that serves from entry to exit.

    ``root`` keeps keys and anchors, so that a second lab on it serves the same trust and the same bytes.
    """

    def __init__(
        self,
        root: Path,
        now: datetime,
        port: int = 0,
        *,
        releases: Iterable[Release] = agent.RELEASES,
        stuffing: int = 0,
        index_stuffing: int = 0,
        certificate: Certificate = "good",
    ) -> None:
        """Prepare a lab below ``root`` at the time ``now`` (with a time zone) on ``port`` (0: any free one).

        ``stuffing`` makes every package that many bytes larger, with bytes that do not compress; ``index_stuffing``
        every repository's index, with bytes that compress to nothing: properly signed bombs.

        Raises:
            UsageError: the port is not available.
            WriteError: ``root`` cannot be written.
        """
        self.authority = _established(root / "authority", now)
        self._upstream = Upstream(self.authority, releases, stuffing=stuffing, index_stuffing=index_stuffing)
        context = _context(self.authority, root / "authority", certificate)
        self._server = _listening(port, context, self._upstream)
        self._thread = threading.Thread(target=self._server.serve_forever, name="lab", kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()

    @property
    def host(self) -> str:
        """``localhost:PORT``, as a definition's list of allowed hosts names it."""
        return f"localhost:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Base URL; each real host is a folder below it. No slash at its end."""
        return f"https://{self.host}"

    @property
    def ca_file(self) -> Path:
        """PEM of the lab's TLS root."""
        return self.authority.ca_file

    @property
    def anchors_file(self) -> Path:
        """The lab's anchors as JSON."""
        return self.authority.anchors_file

    @property
    def anchors(self) -> Anchors:
        """The trust anchors of the lab's packages."""
        return self.authority.anchors

    @property
    def packages_url(self) -> str:
        """Replaces ``https://packages.microsoft.com``."""
        return f"{self.url}/{upstream.PACKAGES_HOST}"

    @property
    def windows_url(self) -> str:
        """Replaces ``https://gbl.his.arc.azure.com``."""
        return f"{self.url}/{upstream.HIS_HOSTS[0]}"

    @property
    def download_url(self) -> str:
        """Replaces ``https://download.microsoft.com``."""
        return f"{self.url}/{upstream.DOWNLOAD_HOST}"

    @property
    def short_url(self) -> str:
        """Replaces ``https://aka.ms``."""
        return f"{self.url}/{upstream.SHORT_HOST}"

    @property
    def releases(self) -> tuple[Release, ...]:
        """Releases that are published now, oldest first."""
        return self._upstream.releases

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order of arrival."""
        return list(self._server.requests)

    def publish(self, version: str) -> Release:
        """Publish a further build (``1.69.03560.1450``) for all systems, and return it."""
        release = agent.release(version)
        self._upstream.publish(release)
        return release

    def replace(self, version: str) -> None:
        """Serve other bytes under a build that is already published.

        Raises:
            KeyError: there is no such build.
        """
        self._upstream.replace(version)

    def republish_older(self) -> None:
        """Serve an older, properly signed state: the one before the last change, or one a month before the first."""
        self._upstream.step_back()

    def republish_newest(self) -> None:
        """Serve the newest state again."""
        self._upstream.step_forward()

    def misbehave(self, path_pattern: str, behaviour: Behaviour, times: int | None = None) -> None:
        """Misbehave on paths (``/host/…``) that match, ``times`` times or always; ``*`` goes over slashes too."""
        self._server.instruct(path_pattern, behaviour, times)

    def behave(self) -> None:
        """Stop misbehaving."""
        self._server.behave()


def serve(
    root: Path,
    port: int,
    now: datetime,
    say: Callable[[str], None],
    *,
    stuffing: int = 0,
    speed: int = 0,
    certificate: Certificate = "good",
) -> None:
    """Run a lab until interrupted (KeyboardInterrupt ends it quietly); ``say`` receives where everything is.

    ``stuffing`` makes each package that many bytes larger, and leaves the newest release alone, because everything
    served is held in memory; ``speed`` is the most bytes a second on one connection (0: no limit); ``certificate`` is
    the chain that the server presents. Raises as :class:`Lab`.
    """
    releases = agent.RELEASES[-1:] if stuffing else agent.RELEASES
    with Lab(root, now, port, releases=releases, stuffing=stuffing, certificate=certificate) as lab:
        if speed:
            lab.misbehave("*", Slow(speed))
        for line in describe(lab):
            say(line)
        say(f"next: in another terminal, arc-bundler init --lab {root}    (Ctrl-C ends the lab)")
        announcement.write(root, announce(lab, root))
        try:
            while True:
                # With a limit, because Windows cannot interrupt a wait that has none.
                threading.Event().wait(1)
        except KeyboardInterrupt:
            say("LAB: stopped")
        finally:
            announcement.withdraw(root)


def announce(lab: Lab, root: Path) -> announcement.Announcement:
    """The announcement of the lab in the folder ``root``."""
    return announcement.Announcement(
        windows=f"{lab.windows_url}/azcmagent",
        linux=lab.packages_url,
        hosts=(lab.host,),
        ca=lab.ca_file.relative_to(root).as_posix(),
        anchors=lab.anchors_file.relative_to(root).as_posix(),
        seal_key=lab.authority.seal_key_file.relative_to(root).as_posix(),
        seal_certificate=lab.authority.seal_certificate_file.relative_to(root).as_posix(),
    )


def describe(lab: Lab) -> list[str]:
    """Lines that tell a person how to use the lab."""
    versions = ", ".join(
        sorted({release.minor for release in lab.releases}, key=lambda minor: int(minor.split(".")[1]))
    )
    return [
        "LAB: a lab upstream. Nothing in it is Microsoft's, and its agent connects to nothing.",
        f"address   {lab.url}",
        f"windows   {lab.windows_url}/azcmagent/latest/{upstream.MSI_NAME}",
        f"linux     {lab.packages_url}",
        f"agents    {versions}",
        f"CA        {lab.ca_file}",
        f"anchors   {lab.anchors_file}",
        f"seal      {lab.authority.seal_key_file}, {lab.authority.seal_certificate_file.name}",
        *(f"approver  {key}, {certificate.name}" for key, certificate in lab.authority.approver_files),
    ]


def _established(folder: Path, now: datetime) -> Authority:
    try:
        return authority.establish(folder, now)
    except OSError as error:
        raise WriteError(
            f"the lab cannot write its keys to {folder}: {error.strerror or error}",
            do="name another folder with --dir",
        ) from error


def _listening(port: int, context: ssl.SSLContext, served: Upstream) -> Server:
    try:
        return Server(port, context, served.find)
    except OSError as error:
        raise UsageError(
            f"the lab cannot listen on port {port} of 127.0.0.1: {error.strerror or error}",
            do="choose another port with --port; 0 takes any free one",
        ) from error


def _context(made: Authority, folder: Path, kind: Certificate) -> ssl.SSLContext:
    """Make the server's TLS settings, with a certificate of that kind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if kind == "good":
        context.load_cert_chain(folder / "tls-leaf.crt.pem", folder / "tls-leaf.key.pem")
        return context
    keys, root = KeyStore(folder), made.server.root
    made.new_root_file.write_text(tls_chains.new_root(root, made.since, keys).root.pem(), encoding="ascii")
    place = folder / f"server-{kind}.both.pem"
    place.write_bytes(tls_chains.served(kind, root, made.since, keys, authority.HERE))
    context.load_cert_chain(place)
    return context
