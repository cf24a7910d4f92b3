"""Debian's squid as the proxy of a network of the tests: a real one, with a real one's answers.

It listens at :data:`~network_namespace.PROXY`, and knows every name by a hosts file, because no name server is there.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import network_namespace as world

OPEN, LOCKED = 3130, 3131
"""Ports: everybody may connect; only who has a password may."""
HELPER = Path("/usr/lib/squid/basic_fake_auth")
"""Debian's place of a program that believes every password; nobody here gives one."""

SETTINGS = """\
http_port {proxy}:{open}
http_port {proxy}:{locked}
visible_hostname squid.example
hosts_file {folder}/hosts
dns_nameservers 127.0.0.1
auth_param basic program {helper}
acl refused dstdomain {refused}
acl somebody proxy_auth REQUIRED
acl locked localport {locked}
http_access deny refused
http_access deny locked !somebody
http_access allow all
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
cache deny all
pid_filename none
coredump_dir {folder}
shutdown_lifetime 0 seconds
"""


def missing() -> str:
    """Why it cannot be used here; empty where it can."""
    if shutil.which("squid") is None or not HELPER.is_file():
        return "needs squid (apt install squid)"
    return ""


@dataclass
class Squid:
    """One, in the namespace of ``network``."""

    network: world.Network
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="arc-bundler-squid-")))
    process: subprocess.Popen | None = None

    def start(self, hosts: list[str], refused: str) -> None:
        """It finds ``hosts`` at the public address, and connects to all of them but ``refused``."""
        lines = [f"{world.PUBLIC} {host}\n" for host in hosts]
        (self.folder / "hosts").write_text("".join(lines))
        settings = SETTINGS.format(
            proxy=world.PROXY, open=OPEN, locked=LOCKED, folder=self.folder, helper=HELPER, refused=refused
        )
        (self.folder / "squid.conf").write_text(settings)
        # It leaves root as soon as it runs.
        shutil.chown(self.folder, "proxy")
        command = ["nsenter", f"--net={self.network.path}", "squid", "-N", "-f", self.folder / "squid.conf"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waited = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "cache.log").read_text()
            assert time.monotonic() < waited
            time.sleep(0.05)

    def _answers(self) -> bool:
        probe = f"exec 3<>/dev/tcp/{world.PROXY}/{LOCKED}"
        command = ["nsenter", f"--net={self.network.path}", "bash", "-c", probe]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def connected(self) -> dict[str, str]:
        """What it did for each host, by its own log: ``TCP_TUNNEL/200``, ``TCP_DENIED/403``."""
        words = [line.split() for line in (self.folder / "access.log").read_text().splitlines()]
        return {word[6].partition(":")[0]: word[3] for word in words if word[5] == "CONNECT"}

    def stop(self) -> None:
        """It and what it wrote are gone."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def remove(self) -> None:
        """Also its folder."""
        self.stop()
        shutil.rmtree(self.folder)
