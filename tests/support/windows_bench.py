"""A Windows of folders to run install.ps1 on: a registry in a file, stand-ins for programs."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import bundler.lab.agents
from bundler.render import quoting
from bundler.render.environment import templates
from tests.support import powershell_hosts, receipts
from tests.support import sample_bundles as sample

HOST = platform.node().partition(".")[0]
"""This machine, and therefore the resource of a connection that is its own."""

CANARY = "cAn4ry-$(x)`x`'\"\\\u2019 &<> 東京"
WINDOWS_NT = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
FRAMEWORK = "HKLM\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full"
UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{5454DFD0-1F38-4EA2-9ECF-AFD6634E1917}"

REDACTION = tuple(f"runtime/windows/{name}.ps1" for name in ("secret_forms", "secret_patterns", "redaction"))
"""The runtime's files that hide secrets."""

# Where a file says so, a stand-in kills everybody of its run, itself too, at that point of its deed: once.
DIE = """
die() {{
    [[ -e '{root}/die' && $(<'{root}/die') == "$1" ]] || return 0
    rm '{root}/die'
    kill -KILL 0
}}
"""
# Windows' rights, which the bench lacks: every folder belongs to whom a file names, otherwise to Administrators.
# Lines of another file say more of one path: PATH|owner|SID, or PATH|SID|access mask|propagation flags.
RIGHTS = """
function Get-Acl([string]$LiteralPath) {{
    $owner = 'S-1-5-32-544'
    if ([IO.File]::Exists('{root}/owner')) {{ $owner = [IO.File]::ReadAllText('{root}/owner') }}
    $rules = @()
    foreach ($line in @(if ([IO.File]::Exists('{root}/rights')) {{ [IO.File]::ReadAllLines('{root}/rights') }})) {{
        $path, $who, $mask, $flags = $line.Split('|')
        if ($path -cne $LiteralPath) {{ continue }}
        if ($who -ceq 'owner') {{ $owner = $mask; continue }}
        $rules += [pscustomobject]@{{
            AccessControlType = 'Allow'; FileSystemRights = [int]$mask; PropagationFlags = [int]$flags
            IdentityReference = [pscustomobject]@{{ Value = $who }}
        }}
    }}
    $made = [pscustomobject]@{{ Owner = $owner; Rules = $rules }}
    $made | Add-Member -MemberType ScriptMethod -Name GetOwner -Value {{
        param($As)
        if ([string]$As -ne 'System.Security.Principal.SecurityIdentifier') {{ throw 'what is asked for is no SID' }}
        [pscustomobject]@{{ Value = $this.Owner }}
    }}
    $made | Add-Member -MemberType ScriptMethod -Name GetAccessRules -Value {{
        param($Explicit, $Inherited, $As)
        $this.Rules
    }}
    $made
}}
"""
# A stand-in notes how it was started. {root} is filled in.
MSIEXEC = (
    "#!/bin/bash"
    + DIE
    + """
if [[ $1 == /x ]]; then
    printf '%s\\n' "$@" >'{root}/removed'
    rm -rf "$ProgramW6432/AzureConnectedMachineAgent"
    mkdir "$ProgramW6432/AzureConnectedMachineAgent"
    die 'msiexec removed'
    exit 0
fi
die 'msiexec before'
printf '%s\\n' "$@" >'{root}/msiexec'
env >>'{root}/environments'
sha256sum <"$2" >'{root}/installed-sum'
[[ ! -e '{root}/msi-code' ]] || code=$(<'{root}/msi-code')
case ${{code:-0}} in 0 | 3010 | 1641)
    cp '{root}/stand-in/lab-agent' "$ProgramW6432/AzureConnectedMachineAgent"
    die 'msiexec half'
    cp -r '{root}/stand-in/.' "$ProgramW6432/AzureConnectedMachineAgent" ;;
esac
printf 'MSI log\\n' >"$6"
die 'msiexec after'
exit $((${{code:-0}} & 255))
"""
)
ICACLS = """#!/bin/bash
printf '%s|' "$@" >>'{root}/icacls'
echo >>'{root}/icacls'
"""
AGENT = (
    "#!/bin/bash"
    + DIE
    + """
env >>'{root}/environments'
printf '%s|' "$@" >>'{root}/arguments'
if [[ $1 == disconnect ]]; then
    [[ $2 != --config ]] || cp "$3" '{root}/left'
    rm -f '{root}/shown'
fi
if [[ $1 == show && -e '{root}/shown' ]]; then
    cat '{root}/shown'
    exit
fi
if [[ $1 == connect ]]; then
    cp "$3" '{root}/arrived'
    [[ ! -e '{root}/slow' ]] || {{ : >'{root}/connecting'; sleep 30; }}
fi
die "$1 before"
[[ -e '{root}/die' ]] || exec "${{BASH_SOURCE[0]%/*}}/lab-agent" "$@"
code=0
"${{BASH_SOURCE[0]%/*}}/lab-agent" "$@" || code=$?
die "$1 after"
exit $code
"""
)


@dataclass
class Ended:
    code: int
    out: str


@dataclass
class Server:
    """A Windows made of folders."""

    root: Path
    powershell: str

    def __truediv__(self, path: str) -> Path:
        return self.root / path

    def registry(self, **changes) -> None:
        keys = {
            WINDOWS_NT: {
                "ProductName": "Windows Server 2022 Standard",
                "CurrentBuildNumber": "20348",
                "InstallationType": "Server",
            },
            FRAMEWORK: {"Release": 528449},
        }
        keys[WINDOWS_NT].update(changes.pop("windows", {}))
        keys.update(changes)
        (self / "registry.json").write_text(json.dumps(keys))

    def start(
        self,
        *arguments: str,
        environment=None,
        stdin=subprocess.DEVNULL,
        script="install.ps1",
        prelude="",
        options=(),
        piped="",
    ):
        """A prelude is a script that runs before: what the bench lacks, or what a test does from inside.

        ``piped`` comes by a pipe of PowerShell's own, as `powershell.exe -File` hands its standard input over, too.
        """
        folders = {
            "ProgramW6432": self / "Programs",
            "ProgramFiles": self / "Programs",
            "ProgramData": self / "Data",
            "SystemRoot": self / "Windows",
            "BENCH_REGISTRY": self / "registry.json",
            "AZCMAGENT_LAB_ROOT": self / "lab",
            "HOME": os.environ.get("HOME", "/"),
            "XDG_CACHE_HOME": powershell_hosts.CACHE,
            "PATH": os.environ["PATH"],
            "PROCESSOR_ARCHITECTURE": "AMD64",
            "AZCMAGENT_LAB_ELEVATED": "1",
        }
        preludes = ["-Prelude", self / "rights.ps1", *(["-Prelude", self / prelude] if prelude else [])]
        started = ["-File", self / "bundle" / script, *arguments]
        if piped:
            call = " ".join([quoting.powershell(str(self / "bundle" / script)), *arguments])
            started = ["-Command", f"{quoting.powershell(piped)} | & {call}; exit $LASTEXITCODE"]
        return subprocess.Popen(
            [self.powershell, "-NoProfile", "-NonInteractive", *options, *preludes, *started],
            env={**{name: str(value) for name, value in folders.items()}, **(environment or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str, stdin: bytes | None = None, **more) -> Ended:
        process = self.start(*arguments, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, **more)
        out, _ = process.communicate(stdin, timeout=60)
        return Ended(process.returncode, out.decode(errors="replace"))

    def secret(self, content: bytes = CANARY.encode() + b"\r\n") -> tuple[str, str]:
        (self / "secret.txt").write_bytes(content)
        return "-SecretFile", str(self / "secret.txt")

    def receipt(self):
        found = sorted((self / "Data/arc-bundler").glob("receipt-*.json"))
        assert found, "there is no receipt"
        receipt = json.loads(found[-1].read_bytes())
        receipts.validator().validate(receipt)
        return receipt

    def install_agent(self, version: str) -> None:
        """As if the agent were there from before."""
        for file in (self / "stand-in").iterdir():
            target = self / "Programs/AzureConnectedMachineAgent" / file.name
            target.write_text(file.read_text())
            target.chmod(0o755)
        self.registry(**{UNINSTALL: {"DisplayName": "Azure Connected Machine Agent", "DisplayVersion": version}})

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


def write_bundle(folder: Path, *arguments, lab=True, **more) -> None:
    """A bundle whose script does not wait long between two tries."""
    sample.write(folder, *arguments, lab=lab, **more)
    script = (folder / "install.ps1").read_text()
    for pause in ("$script:ConnectPause = 15000", "$script:ConfirmPause = 3000"):
        assert pause in script
        script = script.replace(pause, f"{pause.partition('=')[0]}= 50")
    (folder / "install.ps1").write_text(script, newline="\r\n")


def source(*parts: str) -> str:
    """PowerShell that takes the runtime's files, named from ``templates``, into a script as they are.

    The comparisons of ``text.ps1`` come first: most files need them.
    """
    with_text = ("runtime/windows/text.ps1", *parts)
    return "".join(f". {quoting.powershell(str(templates() / part))}\n" for part in with_text)


def outcomes(ended):
    return [line.split()[2] for line in ended.out.splitlines() if line.startswith("[")]


def make(root: Path, powershell: str) -> Server:
    """A fresh one below ``root``, with the sample bundle."""
    for folder in ("Windows/System32", "Programs/AzureConnectedMachineAgent", "Data", "lab", "stand-in"):
        (root / folder).mkdir(parents=True)
    agent = (Path(bundler.lab.agents.__file__).parent / "azcmagent.sh").read_text()
    for path, text in {
        "Windows/System32/msiexec.exe": MSIEXEC.format(root=root),
        "Windows/System32/icacls.exe": ICACLS.format(root=root),
        "rights.ps1": RIGHTS.format(root=root),
        "stand-in/azcmagent.exe": AGENT.format(root=root),
        "stand-in/lab-agent": agent.replace("@LAB-AGENT-VERSION@", sample.WINDOWS_VERSION),
    }.items():
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    write_bundle(root / "bundle")
    made = Server(root, powershell)
    made.registry()
    return made
