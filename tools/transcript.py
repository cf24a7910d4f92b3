"""Run the real path with the lab, and write down what the screens show: docs/transcripts, and the pages' quotes of it.

Run by ``make transcript``, as root, where the tests of tests/target_server can run: a Debian root is the server, a
network namespace provides the endpoints that the agent needs, and PowerShell, if installed, stands in for Windows. Each
command has a terminal of its own. What differs from run to run is replaced, as each transcript says at its top; nothing
else is changed. A page quotes a command's whole screen between the markers that ``QUOTE`` describes.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shlex
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


import pytest  # noqa: E402

from tests.support import network_namespace as world  # noqa: E402
from tests.support import powershell_hosts, windows_bench  # noqa: E402
from tests.support import target_machine as machine  # noqa: E402

FOLDER = ROOT / "docs" / "transcripts"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
COLUMNS, LINES = 110, 40
HOST = "srv-01"
NAME, VERSION = "arc-tokyo", "1.0"
# What is typed where a script asks for the secret. The lab's agent accepts any that does not begin with "wrong".
TYPED = "for-the-lab"
TIME_LIMIT = 180.0  # seconds for one command, and for the lab to start
KEYS = ".lab/authority"
SERVER_PACKAGES = ("ca-certificates", "curl", "openssl")
"""What a usual server has beyond debootstrap's minimum, and the preflight uses."""

# <!-- transcript NAME: COMMAND --> and then a fenced block, which this tool writes: the screen of that command,
# or else of the first one that begins so.
# "#2" behind the command: the second time that it was run. "…": without the table of addresses.
QUOTE = re.compile(
    r"(?P<marker><!-- transcript (?P<name>[\w-]+): (?P<command>.+?)(?: #(?P<time>\d))?(?P<short> …)? -->\n)"
    r"```console\n.*?```\n",
    re.DOTALL,
)

COMMON = f"""\
Captured by `make transcript` on terminals of {COLUMNS} columns, with the lab (a local upstream and a stand-in of the
agent). Replaced, because they differ from run to run: <digest>, <fingerprint>, <time> and the like; colours are left
out. Nothing else was touched. Lines in brackets are not from the screen.
"""
ABOUT = {
    "jump-host": "The jump host, from a definition to a bundle.\n",
    "linux": f"""\
The isolated server, without problems: Debian 12, called {HOST}, with openssl and curl as servers have them; its
network is a namespace in which every address of the table answers. No systemd runs; systemctl is a stand-in.
""",
    "linux-trouble": """\
The same server, with problems: each case says what was changed before it. A lab bundle reports problems of the network
and goes on; any other bundle ends there.
""",
    "windows": f"""\
An isolated Windows Server 2022, called {HOST}: Microsoft's PowerShell engine with the habits of Windows PowerShell 5.1
on folders, a registry in a file, and stand-ins for msiexec, icacls and the agent. Its folders are shown as C:\\.
""",
}


Replaced = list[tuple[re.Pattern[str], "str | Callable[[re.Match[str]], str]"]]

# ---- What the screen shows ----


@dataclass
class Transcript:
    """What was shown, command by command."""

    name: str
    replaced: Replaced
    parts: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """A line about what happens between two commands."""
        self.parts.append(f"({text})\n")

    def shown(self, prompt: str, command: str, screen: str) -> None:
        """One command and its screen."""
        for form, instead in self.replaced:
            command, screen = form.sub(instead, command), form.sub(instead, screen)
        self.parts.append(f"{prompt} {command}\n{screen.rstrip()}\n" if screen.strip() else f"{prompt} {command}\n")

    def write(self) -> None:
        """To docs/transcripts."""
        text = f"{ABOUT[self.name]}{COMMON}{'-' * COLUMNS}\n" + "\n".join(self.parts)
        (FOLDER / f"{self.name}.txt").write_text(text, encoding="utf-8")
        print(f"wrote docs/transcripts/{self.name}.txt")


def on_a_terminal(command: list[str], environment: Mapping[str, str], folder: Path, typed: str = "") -> tuple[int, str]:
    """Run a command on a terminal of its own, typing one line where it asks; its exit code and what it showed."""
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command, env={"TERM": "xterm-256color", **environment}, cwd=folder, stdin=its, stdout=its, stderr=its,
        start_new_session=True,
    )  # fmt: skip
    os.close(its)
    shown, until = b"", time.monotonic() + TIME_LIMIT
    while time.monotonic() < until:
        if not select.select([mine], [], [], 0.2)[0]:
            continue
        try:
            more = os.read(mine, 65536)
        except OSError:  # the last one has closed its side
            break
        shown += more
        if typed and shown.endswith(b"(not shown): "):
            os.write(mine, typed.encode() + b"\n")
            typed = ""
    os.close(mine)
    return process.wait(10), plain(shown.decode(errors="replace"))


def plain(text: str) -> str:
    """Without colours, and with the line ends of a file."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", text).replace("\r\n", "\n")


def replacements(digests: dict[str, str]) -> Replaced:
    """What differs from run to run."""
    found: Replaced = [(re.compile(re.escape(digest)), f"<{name}>") for digest, name in digests.items()]
    return [
        *found,
        # A fingerprint as it is read over a telephone: digits in fours, and words.
        (re.compile(r"(?m)(?<=: {2})([0-9a-f]{4} ?){4,}(\n {14}([0-9a-f]{4} ?){4,})*$"), "<digits in fours>"),
        (re.compile(r"(?m)(?<=In words: {5})[a-z ]+(\n {14}[a-z ]+)*$"), "<words>"),
        (re.compile(r"(?m)(?<=sha256:<fingerprint>\n)(?: {2}[a-z]+(?: [a-z]+){7}\n)+"), "  <words>\n"),
        (re.compile(r"(?<=sha256:)[0-9a-f]{64}(?= {2}(?:unreleased|runtime of))"), "<digest of the runtime>"),
        (re.compile(r"(?<= until )\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?"), "<day>"),
        (re.compile(r"(?<=Serial:)( +)\d{14}\b"), r"\1<serial>"),
        (re.compile(r"(?<=-)[0-9a-f]{8}(?=-\d{8}T\d{6}Z\b)"), "<machine>"),
        (re.compile(r"\b\d{8}T\d{6}Z-\d+\b"), "<time>-<pid>"),
        (re.compile(r"\b\d{8}T\d{6}Z\b|\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
        (re.compile(r"arc-bundler-\d+-\w{6}\b"), "arc-bundler-<pid>"),
        (re.compile(r"\blocalhost:\d+"), "localhost:<port>"),
    ]


# ---- The jump host ----


def build(site: Path) -> tuple[Path, Transcript]:
    """From nothing to the folder of the archives, as a person would."""
    environment = {**os.environ, "ARC_BUNDLER_STORE": str(site / "store")}
    shell = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    init = f"arc-bundler init --lab .lab --name {NAME} --target windows --target debian/12 --target rhel/9"
    sealing = f"--seal-key {KEYS}/seal-key.pem --seal-certificate {KEYS}/seal-certificate.pem"
    trust = f"--signer {KEYS}/seal-certificate.pem --anchors {KEYS}/anchors.json"
    commands = (
        f"{init} --output-format directory --output-format zip --output-format tar.gz",
        f"sed -i 's/{{date}}/{VERSION}/' bundle.yaml",
        "arc-bundler lock",
        f"arc-bundler build --locked {sealing}",
        f"arc-bundler verify bundles/{NAME}/{VERSION}/{NAME}-{VERSION}.zip {trust}",
    )
    screens = []
    with lab(site, environment):
        for command in commands:
            # No terminal: progress bars would be what is left of them here.
            done = subprocess.run(
                ["bash", "-c", command], cwd=site, env={**environment, **shell, "COLUMNS": str(COLUMNS)},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}")
            screens.append(done.stdout)
    made = site / "bundles" / NAME / VERSION
    jump_host = Transcript("jump-host", replacements(digests(made)))
    jump_host.note("in another terminal: arc-bundler lab. Here without a terminal, so there are no progress bars.")
    for command, screen in zip(commands, screens, strict=True):
        jump_host.shown("$", command, screen)
    return made, jump_host


@contextmanager
def lab(site: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The lab, in the folder where a person would have it."""
    command = [sys.executable, "-m", "bundler", "lab", "--dir", ".lab", "--port", "0"]
    process = subprocess.Popen(command, cwd=site, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + TIME_LIMIT
        while not (site / ".lab/lab.json").exists():
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the lab did not start: run `arc-bundler lab` to see why")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(10)


def digests(made: Path) -> dict[str, str]:
    """The digests that every run has anew, with what to show instead."""
    bundle = made / f"{NAME}-{VERSION}"
    found = {sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest(): "digest", fingerprint(made): "fingerprint"}
    found[fingerprint(made)[:16]] = "fingerprint's begin"
    for archive in (*made.glob("*.zip"), *made.glob("*.tar.gz")):
        found[sha256(archive.read_bytes()).hexdigest()] = "digest of the archive"
    return found


def fingerprint(made: Path) -> str:
    """Of the certificate that sealed it, as it reaches the isolated server on another way."""
    text = (made.parents[2] / KEYS / "seal-certificate.pem").read_text(encoding="ascii")
    return sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


# ---- The network and the Linux server ----


def addresses(bundle: Path) -> list[str]:
    """Every name that the preflight of this bundle tries."""
    listed = json.loads((bundle / "config/endpoints.json").read_text(encoding="utf-8"))
    script = (bundle / "install.sh").read_text(encoding="utf-8")
    table = re.search(r"^ENDPOINTS=\(\n(.*?)^\)", script, re.DOTALL | re.MULTILINE)
    assert listed
    assert table
    return [shlex.split(line)[0].split()[0] for line in table[1].splitlines() if line.strip()]


def make_server(root: Path, debian: Path) -> None:
    """Debian's minimal root with what a usual server has."""
    machine.unpack(debian, root)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for command in (
        ["update", "-q"],
        ["install", "-q", "--yes", "--no-install-recommends", *SERVER_PACKAGES],
        ["clean"],
    ):
        subprocess.run(
            ["chroot", root, "apt-get", *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    shutil.rmtree(root / "var/lib/apt/lists")
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)


@dataclass
class Server:
    """A Debian root in the network that plays Azure."""

    root: Path
    network: world.Network
    names: list[str]
    at: str = f"/opt/{NAME}-{VERSION}"

    def resolve(self, **other: str) -> None:
        """Every name to the address that answers well, but for ``other``, by the first label of the name."""
        lines = [f"{other.get(name.split('.')[0], world.PUBLIC)} {name}\n" for name in self.names]
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n" + "".join(lines))

    def trust(self, organisation: str) -> None:
        """Put the authority of the played Azure into the trust store, as Microsoft's is."""
        place = self.root / "usr/local/share/ca-certificates/played-azure.crt"
        shutil.copy(self.network.folder / f"{organisation}.ca.pem", place)
        subprocess.run(["chroot", self.root, "update-ca-certificates"], check=True, capture_output=True)

    def run(self, command: str, typed: str = "") -> tuple[int, str]:
        """A command line of the server's root shell, in the bundle's folder."""
        inside = f'hostname {HOST} && {machine.MOUNTS} exec chroot "$1" bash -c "cd \\"$2\\" && $3"'
        enter = [
            "nsenter",
            f"--net={self.network.path}",
            "unshare",
            "--mount",
            "--uts",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        return on_a_terminal(
            [*enter, "sh", "-c", inside, "sh", str(self.root), self.at, command],
            {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"},
            Path("/"),
            typed,
        )


def linux(made: Path, root: Path, network: world.Network, names: list[str]) -> tuple[Server, Transcript]:
    """Where all is well."""
    server = Server(root, network, names)
    server.resolve()
    server.trust(world.MICROSOFT)
    (archive,) = made.glob("*.tar.gz")
    shutil.copy(archive, root / "media")
    page = Transcript("linux", replacements(digests(made)))
    show(page, server, f"tar -xzf /media/{archive.name} -C /opt", at="/media")
    show(page, server, f"bash verify.sh --signer {fingerprint(made)}")
    show(page, server, "bash install.sh --check")
    show(page, server, "bash install.sh", typed=TYPED)
    page.note("once more: nothing is left to do, and no secret is needed")
    show(page, server, "bash install.sh")
    page.note("uninstalling")
    show(page, server, "bash install.sh --uninstall", typed=TYPED)
    return server, page


def trouble(made: Path, root: Path, network: world.Network, names: list[str]) -> Transcript:
    """Where something is not well."""
    server = Server(root, network, names)
    server.trust(world.MICROSOFT)
    (archive,) = made.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", root / "opt"], check=True)
    page = Transcript("linux-trouble", replacements(digests(made)))
    page.note("a firewall drops one required address, and a proxy opens the TLS of another")
    server.resolve(gbl=world.DROPPED, login=world.INSPECTED)
    show(page, server, "bash install.sh --check")
    page.note("names resolve to private addresses, as with a private link that this bundle does not know")
    server.resolve(gbl=world.PRIVATE, je=world.PRIVATE, agentserviceapi=world.PRIVATE)
    show(page, server, "bash install.sh --check")
    server.resolve()
    page.note("no signer is given")
    show(page, server, "bash verify.sh </dev/null", 201)
    page.note("no terminal to ask for the secret, as in a fleet tool's run")
    show(page, server, "bash install.sh </dev/null", 203)
    page.note("the secret is mistyped")
    show(page, server, "bash install.sh", 41, typed="wrong-secret")
    page.note("a package was damaged on the way")
    package = next((root / server.at.lstrip("/") / "payload/debian").rglob("*.deb"))
    package.write_bytes(package.read_bytes()[:-1])
    show(page, server, f"bash verify.sh --signer {fingerprint(made)}", 200)
    show(page, server, "bash install.sh --check", 200)
    return page


def show(page: Transcript, server: Server, command: str, code: int = 0, typed: str = "", at: str = "") -> None:
    """Run it and write it down; stop where it does not end as it should, for then the transcript would mislead."""
    server.at, kept = at or server.at, server.at
    ended, screen = server.run(command, typed)
    server.at = kept
    if ended != code:
        sys.exit(f"{page.name}: {command} ended with {ended} and not with {code}:\n{screen}")
    page.shown("#", command, screen)


# ---- Windows ----


def windows(made: Path, folder: Path, network: world.Network, server: Server, powershell: str) -> Transcript:
    """The same on Windows, as far as it can be played."""
    played = windows_bench.make(folder / "windows", powershell)
    shutil.rmtree(played / "bundle")
    shutil.copytree(made / f"{NAME}-{VERSION}", played / "bundle")
    version = re.search(r"PackageVersion = '([\d.]+)'", (played / "bundle/install.ps1").read_text(encoding="utf-8-sig"))
    assert version
    agent = (played / "stand-in/lab-agent").read_text(encoding="utf-8")
    (played / "stand-in/lab-agent").write_text(agent.replace(windows_bench.sample.WINDOWS_VERSION, version[1]))
    hosts, roots = folder / "hosts", folder / "roots.pem"
    shutil.copy(server.root / "etc/hosts", hosts)
    shutil.copy(server.root / "etc/ssl/certs/ca-certificates.crt", roots)
    page = Transcript(
        "windows", [(re.compile(re.escape(str(played.root)) + r"\S*"), _windows_path), *replacements(digests(made))]
    )
    environment = {**windows_environment(played), "SSL_CERT_FILE": str(roots)}
    inside = 'hostname "$1" && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"'
    enter = [
        "nsenter",
        f"--net={network.path}",
        "unshare",
        "--mount",
        "--uts",
        "sh",
        "-c",
        inside,
        "sh",
        HOST,
        str(hosts),
    ]
    for script, typed in (
        (f"verify.ps1 -Signer {fingerprint(made)}", ""),
        ("install.ps1 -CheckOnly", ""),
        ("install.ps1", TYPED),
        ("install.ps1", ""),
    ):
        name, *words = script.split()
        command = [*enter, powershell, "-NoProfile", "-ExecutionPolicy", "Bypass"]
        command += ["-Prelude", str(played / "rights.ps1"), "-File", name, *words]
        given = {"ARC_BUNDLER_SECRET": typed} if typed else {}
        code, screen = on_a_terminal(command, {**environment, **given}, played / "bundle", typed)
        if typed:
            page.note("the secret comes from the variable ARC_BUNDLER_SECRET")
        if code != 0:
            sys.exit(f"windows: {script} ended with {code}:\n{screen}")
        page.shown("PS>", f"powershell -NoProfile -ExecutionPolicy Bypass -File {script}", screen)
    return page


def windows_environment(played: windows_bench.Server) -> dict[str, str]:
    """The folders of the played Windows."""
    return {
        "ProgramW6432": str(played / "Programs"),
        "ProgramFiles": str(played / "Programs"),
        "ProgramData": str(played / "Data"),
        "SystemRoot": str(played / "Windows"),
        "BENCH_REGISTRY": str(played / "registry.json"),
        "AZCMAGENT_LAB_ROOT": str(played / "lab"),
        "AZCMAGENT_LAB_ELEVATED": "1",
        "PROCESSOR_ARCHITECTURE": "AMD64",
        "HOME": os.environ.get("HOME", "/"),
        "PATH": os.environ["PATH"],
    }


def _windows_path(found: re.Match[str]) -> str:
    names = {"Data": "ProgramData", "Programs": "Program Files"}
    _, first, *rest = re.split(r"/", found[0].partition("/windows")[2])
    return "\\".join(["C:", names.get(first, first), *rest])


# ---- The pages ----


def quote(page: str) -> str:
    """The page with each of its quotes as the transcripts have it now."""
    return QUOTE.sub(lambda found: f"{found['marker']}```console\n{quoted(found)}```\n", page)


def quoted(found: re.Match[str]) -> str:
    """The screen that a marker asks for."""
    text = (FOLDER / f"{found['name']}.txt").read_text(encoding="utf-8").partition("-" * COLUMNS + "\n")[2]
    parts = [part.rstrip("\n") + "\n" for part in re.split(r"\n(?=(?:[$#(]|PS>) ?)", text)]
    commands = [re.sub(r"^(?:[$#]|PS>) ", "", part.partition("\n")[0]) for part in parts]
    matching = [part for part, command in zip(parts, commands, strict=True) if command == found["command"]] or [
        part for part, command in zip(parts, commands, strict=True) if command.startswith(f"{found['command']} ")
    ]
    if len(matching) < int(found["time"] or 1):
        sys.exit(f"docs/transcripts/{found['name']}.txt has no {found['command']}")
    screen = matching[int(found["time"] or 1) - 1]
    return without_table(screen) if found["short"] else screen


def without_table(screen: str) -> str:
    """With one line in place of the table of addresses."""
    return re.sub(r"(?m)^( {8})ENDPOINT .*\n(?: {8}https?://.*\n)+", r"\1…\n", screen)


def main() -> int:
    """Capture everything, then renew the quotes."""
    why = world.possible()
    if why:
        sys.exit(why)
    try:
        machine.need_roots()
    except pytest.skip.Exception as missing:
        sys.exit(str(missing))
    scratch = Path(tempfile.mkdtemp(prefix="arc-bundler-transcript-", dir=machine.fast_folder()))
    try:
        captured = capture(scratch)
    finally:
        shutil.rmtree(scratch)
    # All or none: what belongs together was captured together.
    FOLDER.mkdir(exist_ok=True)
    for transcript in captured:
        transcript.write()
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = quote(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"renewed the quotes in {page.relative_to(ROOT)}")
    return 0


def capture(scratch: Path) -> list[Transcript]:
    """All transcripts."""
    (scratch / "site").mkdir()
    (scratch / "network").mkdir()
    made, jump_host = build(scratch / "site")
    names = addresses(made / f"{NAME}-{VERSION}")
    debian = machine.base_archive("debian", machine.make_debian, scratch)
    archive = machine.base_archive("server", lambda root: make_server(root, debian), scratch)
    network = world.Network(f"arc-transcript-{os.getpid()}", scratch / "network")
    captured = [jump_host]
    try:
        network.start(names, plain=True)
        server, well = linux(made, machine.unpack(archive, scratch / "server"), network, names)
        captured += [well, trouble(made, machine.unpack(archive, scratch / "troubled"), network, names)]
        powershell = powershell_hosts.find()
        if powershell:
            captured.append(windows(made, scratch, network, server, powershell))
        else:
            print(f"docs/transcripts/windows.txt stays as it is: {powershell_hosts.REASON}")
    finally:
        network.stop()
    return captured


if __name__ == "__main__":
    sys.exit(main())
