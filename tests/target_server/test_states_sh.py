"""Whatever install.sh finds on a server has one answer: the rows of the table in docs/on-the-server.md."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tarfile
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.script_parameters import CarriedCertificate, Identity, NeededRoot, Setting
from tests.support import sample_bundles as sample
from tests.support import small_root
from tests.support.receipts import problems
from tests.support.small_root import put

CANARY = "cAn4ry-s3cret"
OLDER, SAME, NEWER = "1.66.03471.1262", sample.LINUX_VERSION, "1.100.00001.1"
STATE = "var/opt/azcmagent"


@pytest.fixture
def server(tmp_path, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(root / "bundle")
    put(root / "root/secret", CANARY + "\n", 0o600)
    return root


def go(server, *arguments, secret=True, **more):
    given = ("--secret-file", "/root/secret") if secret else ()
    return server.run(*arguments, *given, "--connect-tries", "1", **more)


def installed(server, version) -> None:
    put(server / "dpkg-version", version, 0o644)
    for name in ("lab-agent", "azcmagent"):
        source = "stand-in/agent" if name == "lab-agent" else "stand-in/wrapper"
        put(server / "opt/azcmagent/bin" / name, (server / source).read_text())


def connected(server, group="rg-arc") -> None:
    words = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": group, "resourceName": "srv"}
    put(server / STATE / "agentconfig.json", json.dumps(words), 0o644)


def receipts(server) -> list[dict]:
    found = sorted((server / "var/log/arc-bundler").glob("receipt-*.json"), key=lambda path: path.stat().st_mtime_ns)
    read = [json.loads(path.read_bytes()) for path in found]
    assert [problems(receipt) for receipt in read] == [[]] * len(read)
    return read


def outcomes(ended):
    return [line.split()[2] for line in ended.out.splitlines() if line.startswith("[")]


def group(server) -> str:
    return json.loads(server.agent("show", "-j"))["resourceGroup"]


def packages(server) -> str:
    return (server / "packages").read_text() if (server / "packages").exists() else ""


# state, arguments, exit code, what install and connect say, what the package manager was asked for
ROWS = {
    "nothing installed": ((), (), 0, "ok ok", "install"),
    "same version, not connected": ((SAME,), (), 0, "skip ok", ""),
    "same version, connected": ((SAME, "rg-arc"), (), 0, "skip skip", ""),
    "older, not connected": ((OLDER,), (), 0, "ok ok", "install"),
    "older, connected": ((OLDER, "rg-arc"), (), 0, "ok skip", "install"),
    "newer": ((NEWER, "rg-arc"), (), 0, "skip skip", ""),
    "newer, downgrade allowed": ((NEWER, "rg-arc"), ("--allow-downgrade",), 0, "ok skip", "--allow-downgrades"),
    "connected elsewhere": ((SAME, "rg-other"), (), 67, "", ""),
    "connected elsewhere, to move": ((SAME, "rg-other"), ("--reconnect",), 0, "skip ok", ""),
    "installed, its program missing": ((SAME, "rg-arc", "no program"), (), 0, "ok skip", "--reinstall"),
    "half-configured": ((SAME, "", "half-configured"), (), 0, "skip ok", "dpkg --configure --force-confold azcmagent"),
    "unpacked, older": ((OLDER, "", "unpacked"), (), 0, "ok ok", "dpkg --configure --force-confold azcmagent"),
    "half-installed": ((SAME, "", "half-installed"), (), 0, "ok ok", "install"),
}


def found(server, version="", where="", how=""):
    if version:
        installed(server, version)
    if where:
        connected(server, where)
    if how == "no program":
        (server / "opt/azcmagent/bin/azcmagent").unlink()
    elif how:
        put(server / "dpkg-status", how, 0o644)
        if how == "half-installed":
            text = small_root.APT_GET.replace("#!/bin/bash\n", "#!/bin/bash\nrm -f /dpkg-status\n")
            put(server / "usr/bin/apt-get", text)


@pytest.mark.parametrize("row", ROWS)
def test_every_state_has_its_answer(server, row):
    state, arguments, code, said, asked = ROWS[row]
    found(server, *state)
    ended = go(server, *arguments)
    assert ended.code == code, ended.out
    assert asked in packages(server)
    assert bool(asked) == bool(packages(server))
    if code == 0:
        assert " ".join([outcomes(ended)[2], outcomes(ended)[4]]) == said
        assert group(server) == "rg-arc"
        assert receipts(server)[-1]["outcome"] == "connected"
        assert receipts(server)[-1]["switches"] == list(arguments)
        # Whatever it was, now it is the quiet state.
        again = go(server, secret=False)
        assert again.code == 0, again.out
        assert outcomes(again)[2:5] == ["skip", "skip", "skip"]
    else:
        assert receipts(server)[-1]["outcome"] == "failed"
        assert group(server) == state[1]


def test_an_expired_identity_is_made_anew(server):
    installed(server, SAME)
    connected(server)
    # The stand-in knows no expiry: between the two, show says it as long as the old connection is there.
    put(server / "opt/azcmagent/bin/azcmagent", small_root.WRAPPER.replace("exec ", """
if [[ $1 == show && ! -e /renewed ]]; then
    /opt/azcmagent/bin/lab-agent "$@" | sed 's/"status":"Connected"/"status":"Expired"/'
    exit
fi
[[ $1 != disconnect ]] || { printf '%s' "$*" >/renewed; }
exec """))  # fmt: skip
    ended = go(server)
    assert ended.code == 0, ended.out
    assert (server / "renewed").read_text() == "disconnect --force-local-only"
    assert "identity has expired" in ended.out
    assert outcomes(ended)[4] == "ok"


def test_what_dpkg_cannot_configure_is_214(server):
    found(server, SAME, "", "half-configured")
    (server / "dpkg-breaks").touch()
    ended = go(server)
    assert ended.code == 214, ended.out


def test_two_at_once(server):
    (server / "slow").touch()
    first = server.start("--secret-file", "/root/secret")
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert time.monotonic() < waited
        time.sleep(0.02)
    second = go(server)
    assert second.code == 212, second.out
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(30)
    first.stdout.close()
    (server / "slow").unlink()
    # The lock of the dead is no lock.
    assert go(server).code == 0


def test_killed_it_leaves_a_receipt_all_the_same(server):
    (server / "slow").touch()
    first = server.start("--secret-file", "/root/secret")
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(30)
    first.stdout.close()
    (written,) = receipts(server)
    assert (written["outcome"], written["code"]) == ("interrupted", 207)
    assert [step["name"] for step in written["steps"]] == ["verify", "preflight", "install", "configure"]


# Ends the whole run in place of one of its own renames: the file is whole then, and has no name yet.
MV = """#!/bin/bash
[[ " $*" != *" /var/opt/azcmagent/"* ]] || exec /bin/busybox mv "$@"
left=0
[[ ! -e /renames ]] || left=$(</renames)
echo $((left - 1)) >/renames
[[ $left -ne 1 ]] || kill -KILL 0
exec /bin/busybox mv "$@"
"""
HOSTS = "127.0.0.1 localhost\n"
OUR_HOSTS = "# BEGIN arc-bundler arc-tokyo\n10.0.0.4 gbl.his.arc.azure.com\n# END arc-bundler arc-tokyo\n"


def nothing_is_partial(server, carried) -> None:
    """Whatever has its final name is whole, however a run ended."""
    receipts(server)
    assert (server / "etc/hosts").read_text() in (HOSTS, HOSTS + OUR_HOSTS)
    backup = server / "etc/hosts.arc-bundler.bak"
    assert not backup.exists() or backup.read_text() == HOSTS
    for path in (server / "usr/local/share/ca-certificates").glob("*.crt"):
        assert path.read_bytes() == (server / "bundle" / carried.path).read_bytes()
    for name, form in (("changes", r"[a-z]+=.+\n"), ("serials", r"[0-9]+ .+\n")):
        path = server / "var/lib/arc-bundler" / name
        assert not path.exists() or re.fullmatch(f"({form})+", path.read_text()), name


@pytest.mark.slow
def test_killed_at_fifty_points_it_ends_well(server, carried):
    """SIGKILL after ever more of a run, always on the same server; one that came to its end begins anew."""
    parameters = replace(sample.SECRET, certificates=(carried,), hosts_records=RECORDS)
    pem = (server / "bundle" / carried.path).read_bytes()
    sample.write(server / "bundle", parameters, extra={carried.path: pem})
    put(server / "etc/hosts", HOSTS, 0o644)
    (server / "bin/mv").unlink()
    put(server / "bin/mv", MV)
    switches = ("--write-hosts", "--install-certificates")
    ends = []
    for point in range(50):
        # Every other one ends in place of a rename, the others after a time.
        put(server / "renames", str(point // 2 + 1 if point % 2 else 0), 0o644)
        process = server.start("--secret-file", "/root/secret", *switches)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30 if point % 2 else 0.03 * point)
        ended = process.poll() == 0
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        ends.append(process.wait(30))
        process.stdout.close()
        nothing_is_partial(server, carried)
        if ended:
            (server / STATE / "agentconfig.json").unlink()
            (server / "dpkg-version").unlink()
    assert set(ends) <= {0, -signal.SIGKILL}
    assert ends[1::2].count(-signal.SIGKILL) > 8
    ended = go(server, *switches)
    assert ended.code == 0, ended.out
    nothing_is_partial(server, carried)
    assert group(server) == "rg-arc"
    assert {receipt["outcome"] for receipt in receipts(server)} <= {"connected", "interrupted"}
    assert list((server / "run").glob("arc-bundler*")) + list((server / "var/tmp").iterdir()) == []
    assert list((server / "var/log/arc-bundler").glob("*.part")) == []
    (server / "root/secret").unlink()
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == []


@pytest.mark.parametrize(
    ("code", "why"), [("42", "role assignment takes some minutes"), ("61", "service is not up yet")]
)
def test_a_first_failure_that_is_usual_is_tried_again(server, code, why):
    put(server / STATE / "lab.json", json.dumps({"fail-once": code}), 0o644)
    (server / "bin/sleep").unlink()
    put(server / "bin/sleep", '#!/bin/bash\necho "$1" >>/slept\n')
    ended = server.run("--secret-file", "/root/secret")
    assert ended.code == 0, ended.out
    assert why in ended.out
    assert "15" in (server / "slept").read_text().split()


def test_it_does_not_try_for_ever(server):
    put(server / STATE / "lab.json", json.dumps({"fail": "42"}), 0o644)
    (server / "bin/sleep").unlink()
    put(server / "bin/sleep", "#!/bin/bash\nexit 0\n")
    ended = server.run("--secret-file", "/root/secret")
    assert ended.code == 42, ended.out
    assert ended.out.count("\n        azcmagent connect ended with 42: a new role") == 3


def test_who_left_one_resource_and_reached_no_other_is_told_so(server):
    installed(server, SAME)
    connected(server, "rg-other")
    # The agent's disconnect takes the failure first.
    agent = server / "opt/azcmagent/bin/azcmagent"
    agent.write_text(
        agent.read_text().replace("\n", f'\n[[ $1 != connect ]] || echo \'{{"fail": "20"}}\' >/{STATE}/lab.json\n', 1)
    )
    ended = server.run("--reconnect", "--secret-file", "/root/secret")
    assert ended.code == 20, ended.out
    assert "/resourceGroups/rg-other/" in ended.out.partition("ended with 20; this machine is no longer ")[2]


def test_a_proxy_of_an_earlier_bundle_goes_with_it(server):
    assert go(server).code == 0
    assert server.agent("config", "get", "proxy.url") == "http://proxy.example:3128\n"
    sample.write(server / "bundle", replace(sample.SECRET, settings=()))
    ended = go(server)
    assert ended.code == 0, ended.out
    assert "proxy.url cleared" in ended.out
    assert server.agent("config", "get", "proxy.url") == "\n"


def test_a_proxy_that_somebody_else_set_stays(server):
    installed(server, SAME)
    server.agent("config", "set", "proxy.url", "http://theirs.example:8080")
    sample.write(server / "bundle", replace(sample.SECRET, settings=()))
    assert go(server).code == 0
    assert server.agent("config", "get", "proxy.url") == "http://theirs.example:8080\n"


def test_a_setting_that_does_not_stay_is_told(server):
    settings = (Setting(key="guestconfiguration.enabled", value="false"), Setting(key="config.mode", value="monitor"))
    contrary = (*settings, Setting(key="config.mode", value="full"))
    sample.write(server / "bundle", replace(sample.SECRET, settings=contrary))
    ended = go(server)
    assert ended.code == 69, ended.out
    assert "guestconfiguration.enabled was set to false, but the agent reports true" in ended.out


@pytest.mark.parametrize(
    "form",
    ["proxy.url : %s", "  %s", "Local\nincomingconnections.ports (preview)   : %s", "[%s]"],
)
def test_a_value_is_read_in_whatever_form(server, form):
    """How the real agent's "config get" prints is in no document."""
    shown = {"proxy.url": "http://proxy.example:3128", "incomingconnections.ports": "[6516 22]"}
    cases = "".join(f"{key}) printf '{form}\\n' '{value}' ;; " for key, value in shown.items())
    wrapper = small_root.WRAPPER.replace(
        "exec ", f'[[ "$1 $2" != "config get" ]] || {{ case $3 in {cases} esac; exit; }}\nexec '
    )
    put(server / "stand-in/wrapper", wrapper)
    ended = go(server)
    wrong = form.startswith(("proxy", "Local"))
    # The value behind another setting's name is not this one's.
    assert ended.code == (69 if wrong else 0), ended.out


def test_a_value_that_is_not_shown_is_told(server):
    wrapper = small_root.WRAPPER.replace("exec ", '[[ "$1 $2" != "config "[gl]* ]] || exit 1\nexec ')
    put(server / "stand-in/wrapper", wrapper)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert "does not report its value of proxy.url incomingconnections.ports" in ended.out


RECORDS = (HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),)


def test_hosts_lines_come_once_and_go_again(server):
    before = "127.0.0.1 localhost\n# ours\n10.9.9.9 other"
    put(server / "etc/hosts", before, 0o644)
    sample.write(server / "bundle", replace(sample.SECRET, hosts_records=RECORDS))
    for _ in range(2):
        assert go(server, "--write-hosts").code == 0
    text = (server / "etc/hosts").read_text()
    assert text.splitlines()[-3:] == [
        "# BEGIN arc-bundler arc-tokyo", "10.0.0.4 gbl.his.arc.azure.com", "# END arc-bundler arc-tokyo",
    ]  # fmt: skip
    assert text.count("BEGIN") == 1
    assert (server / "etc/hosts.arc-bundler.bak").read_text() == before
    assert oct((server / "etc/hosts").stat().st_mode)[-3:] == "644"
    assert go(server, "--uninstall").code == 0
    assert (server / "etc/hosts").read_text().rstrip("\n") == before
    assert not (server / "etc/hosts.arc-bundler.bak").exists()


def test_uninstalling_leaves_what_was_there_before(server):
    assert go(server).code == 0
    ended = go(server, "--uninstall")
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 3 + ["skip", "ok"]
    assert not (server / "opt/azcmagent").exists()
    assert not (server / STATE / "agentconfig.json").exists()
    assert not (server / "var/lib/arc-bundler").exists()
    assert (receipts(server)[-1]["outcome"], receipts(server)[-1]["mode"]) == ("uninstalled", "uninstall")
    again = go(server, "--uninstall", secret=False)
    assert again.code == 0, again.out
    assert outcomes(again)[:4] == ["ok", "skip", "skip", "skip"]


def test_uninstalling_asks_for_what_it_needs(server):
    assert go(server).code == 0
    assert go(server, "--uninstall", secret=False).code == 203
    assert group(server) == "rg-arc"
    ended = go(server, "--uninstall", "--force-local-only", secret=False)
    assert ended.code == 0, ended.out


def test_uninstalling_what_is_connected_elsewhere(server):
    installed(server, SAME)
    connected(server, "rg-other")
    assert go(server, "--uninstall").code == 67
    assert group(server) == "rg-other"
    assert go(server, "--uninstall", "--force-local-only").code == 0


GPASSWD = """#!/bin/bash
text=$(</etc/group)
if [[ $1 == --add ]]; then text=${text/himds:x:900:/himds:x:900:$2}; else text=${text/himds:x:900:$2/himds:x:900:}; fi
printf '%s\\n' "$text" >/etc/group
"""


def test_the_identitys_users_and_variables(server):
    put(server / "etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", 0o644)
    put(server / "etc/group", "root:x:0:\nhimds:x:900:\napp:x:1000:\n", 0o644)
    put(server / "usr/bin/gpasswd", GPASSWD)
    identity = Identity(members=("app", "nobody-here"), environment=True)
    sample.write(server / "bundle", replace(sample.SECRET, identity=identity))
    ended = go(server)
    assert ended.code == 0, ended.out
    assert "there is no user nobody-here" in ended.out
    assert "himds:x:900:app" in (server / "etc/group").read_text()
    profile = server / "etc/profile.d/arc-bundler-identity.sh"
    assert "export IMDS_ENDPOINT=http://localhost:40342" in profile.read_text()
    assert oct(profile.stat().st_mode)[-3:] == "644"
    assert oct((server / "etc/systemd/system.conf.d").stat().st_mode)[-3:] == "755"
    assert go(server, "--uninstall").code == 0
    assert "himds:x:900:\n" in (server / "etc/group").read_text()
    assert not profile.exists()
    assert not (server / "etc/systemd/system.conf.d").exists()


def test_killed_while_it_changes_something_it_still_takes_it_back(server):
    """What is done and not remembered would be nobody's to undo."""
    put(server / "etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", 0o644)
    put(server / "etc/group", "root:x:0:\nhimds:x:900:\napp:x:1000:\n", 0o644)
    kill = "[[ ! -e /kill ]] || { rm /kill; kill -KILL $PPID; }\n"
    put(server / "usr/bin/gpasswd", GPASSWD + kill)
    deed = (
        'if [[ $1 == config && $2 == set && -e /kill ]]; then /opt/azcmagent/bin/lab-agent "$@"; '
        + kill.strip()
        + "; fi\n"
    )
    put(server / "stand-in/wrapper", small_root.WRAPPER.replace("exec ", deed + "exec "))
    setting = Setting(key="proxy.url", value="http://proxy.example:3128")
    for changes in ({"settings": (setting,)}, {"settings": (setting,), "identity": Identity(members=("app",))}):
        sample.write(server / "bundle", replace(sample.SECRET, **changes))
        (server / "kill").touch()
        assert go(server).code == -signal.SIGKILL
        assert not (server / "kill").exists()
    assert "himds:x:900:app" in (server / "etc/group").read_text()
    put(server / "usr/bin/apt-get", small_root.APT_GET.replace("rm -rf /opt/azcmagent ", "rm -rf "))
    assert go(server, "--uninstall").code == 0
    assert server.agent("config", "get", "proxy.url") == "\n"
    assert "himds:x:900:\n" in (server / "etc/group").read_text()


GATEWAY = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.HybridCompute/gateways/one"


def test_a_gateway_is_confirmed(server):
    proxied = replace(sample.SECRET, gateway_id=GATEWAY, profile="gateway", proxy_url="http://proxy.example:3128")
    sample.write(server / "bundle", proxied)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert ", through the gateway" in ended.out


def test_a_gateway_that_is_not_used_is_told(server):
    sample.write(server / "bundle", replace(sample.SECRET, gateway_id=GATEWAY, profile="gateway"))
    (server / "bin/sleep").unlink()
    put(server / "bin/sleep", "#!/bin/bash\nexit 0\n")
    wrapper = small_root.WRAPPER.replace(
        "exec ", '[[ $1 != show ]] || { /opt/azcmagent/bin/lab-agent "$@" | sed s/:40343/:1/; exit; }\nexec '
    )
    put(server / "stand-in/wrapper", wrapper)
    ended = go(server)
    assert ended.code == 206, ended.out
    assert "not through the gateway" in ended.out


@pytest.fixture
def carried(server):
    """A root that the bundle carries, and a Debian's way to trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LAB root")])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9)).sign(
        key, hashes.SHA256()
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    sha1, sha256 = (made.fingerprint(kind()).hex() for kind in (hashes.SHA1, hashes.SHA256))
    path = f"payload/certificates/{sha256}.pem"
    root = CarriedCertificate(path=path, name="LAB root", sha1=sha1.upper(), sha256=sha256, store="root")
    middle = replace(root, path=f"payload/certificates/{'0' * 64}.pem", store="ca", name="LAB middle", sha256="0" * 64)
    needed = NeededRoot(name="LAB root", sha1=sha1.upper(), needed_for="azure-tls", required=True)
    parameters = replace(sample.SECRET, certificates=(root, middle), roots=(needed,))
    sample.write(server / "bundle", parameters, extra={path: pem})
    put(
        server / "usr/sbin/update-ca-certificates",
        "#!/bin/bash\nmkdir -p /etc/ssl/certs\n"
        "cat /nothing /usr/local/share/ca-certificates/*.crt >/etc/ssl/certs/ca-certificates.crt 2>/dev/null; :\n",
    )
    return root


def test_a_carried_root_is_trusted_on_demand_and_goes_again(server, carried):
    refused = go(server)
    assert refused.code == 210, refused.out
    assert carried.sha1 in refused.out
    ended = go(server, "--install-certificates")
    assert ended.code == 0, ended.out
    assert receipts(server)[-1]["switches"] == ["--install-certificates"]
    (file,) = (server / "usr/local/share/ca-certificates").iterdir()
    assert oct(file.stat().st_mode)[-3:] == "644"
    assert "LAB middle is an intermediate" in ended.out
    again = go(server, "--install-certificates")
    assert "LAB root is already trusted" in again.out
    assert go(server, "--uninstall").code == 0
    assert list((server / "usr/local/share/ca-certificates").iterdir()) == []
    assert (server / "etc/ssl/certs/ca-certificates.crt").read_text() == ""


def test_a_certificate_that_was_exchanged_is_not_trusted(server, carried):
    (server / "bundle" / carried.path).write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    ended = go(server, "--install-certificates")
    assert ended.code == 200, ended.out
    assert not (server / "usr/local/share/ca-certificates").exists()


def test_a_certificate_that_is_exchanged_after_it_was_looked_at_is_not_trusted(server, carried):
    """Whatever carries the bundle, a share or a stick, may be somebody else's to write all the time."""
    put(server / "evil.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0o644)
    (server / "bin/base64").unlink()
    exchange = f"cat /evil.pem >/bundle/{carried.path}"
    put(server / "bin/base64", f'#!/bin/bash\n/bin/busybox base64 "$@"\n{exchange}\n')
    ended = go(server, "--install-certificates")
    assert f"LAB root ({carried.sha1}) is now trusted" in ended.out
    (file,) = (server / "usr/local/share/ca-certificates").iterdir()
    assert file.read_bytes() != (server / "evil.pem").read_bytes()


PASSWORD = "cAn4ry@p:ss"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("form", [f"http://user:{PASSWORD}@proxy:3128", f"user:{PASSWORD}@proxy:3128"])
def test_a_proxys_password_is_not_told(server, form, fails):
    """A definition refuses one; the shell that starts this, or whoever set up the agent before, may have one."""
    theirs = f"http://user:{PASSWORD}@proxy:3128"
    sample.write(server / "bundle", replace(sample.SECRET, settings=(Setting(key="proxy.url", value=theirs),)))
    put(server / "root/secret", "other\n", 0o600)
    says = f'printf \'INFO Using %s, "proxy":"%s"\\n\' "$HTTPS_PROXY" \'{theirs}\'\n'
    # The stand-in takes no such proxy; an agent may.
    held = """if [[ $1 == config && $3 == proxy.url ]]; then
    [[ $2 != set ]] || printf '%s' "$4" >/held
    cat /held; exit
fi
"""
    wrapper = small_root.WRAPPER.replace("exec ", f"{held}[[ $1 != connect ]] || {says}exec ")
    put(server / "stand-in/wrapper", wrapper)
    if fails:
        put(server / STATE / "lab.json", json.dumps({"fail": "62"}), 0o644)
    ended = go(server, environment={"HTTPS_PROXY": form})
    assert ended.code == (62 if fails else 0), ended.out
    assert "***@proxy:3128" in ended.out
    assert "cAn4ry" not in ended.out
    assert "p:ss" not in ended.out
    folder = server / "var/log/arc-bundler"
    (log,) = folder.glob("*.log")
    assert "+ /opt/azcmagent/bin/azcmagent config set proxy.url " in log.read_text()
    assert "INFO Using " in log.read_text()
    assert receipts(server)[-1]["code"] == ended.code
    for path in folder.iterdir():
        assert "cAn4ry" not in path.read_text()
        assert "p:ss" not in path.read_text()
    # Where it belongs: in the agent's own settings.
    assert (server / "held").read_text() == theirs


def test_the_last_words_of_a_killed_run_are_kept(server):
    """They pass through memory; the next run finds them there."""
    put(server / "stand-in/wrapper", small_root.WRAPPER.replace("sleep", "echo http://u:cAn4ry@p last words; sleep"))
    (server / "slow").touch()
    first = server.start("--secret-file", "/root/secret")
    waited = time.monotonic() + 30
    while not [path for path in (server / "run").glob("*/said") if "last" in path.read_text()]:
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(30)
    first.stdout.close()
    (server / "slow").unlink()
    assert go(server).code == 0
    logs = [path.read_text() for path in sorted((server / "var/log/arc-bundler").glob("*.log"))]
    assert "http://***@p last words" in "".join(logs)
    assert "cAn4ry@" not in "".join(logs)
    assert list((server / "run").glob("*/said")) == []


def test_collected_logs_hold_no_secret(server):
    assert go(server).code == 0
    log = server / STATE / "log/azcmagent.log"
    put(
        log,
        'level=info msg="ok" service-principal-secret="cAn4ry one" x\nAuthorization: Bearer cAn4ry-two-two\n'
        "proxy http://user:cAn4ry3@proxy:3128/ {\"access_token\":\"cAn4ry4\"}\nplain line\n"
        "AccountName=a;AccountKey=cAn4ry5==;x\nSharedAccessKey=cAn4ry6\npwd=cAn4ry7 passwd: cAn4ry8\n"
        '{"client_secret": "x\\"cAn4ry10", "x": 1} "{\\"password\\": \\"cAn4ry11 cAn4ry12\\"}"\n',
        0o644,
    )  # fmt: skip
    put(server / "var/lib/GuestConfig/extension_logs/Some.Extension-1.0/one.log", "token=cAn4ry9 kept too\n", 0o644)
    ended = go(server, "--collect-logs", "/carry", secret=False)
    assert ended.code == 0, ended.out
    (archive,) = (server / "carry").glob("arc-logs-srv-*.tar.gz")
    with tarfile.open(archive) as packed:
        texts = {one.name: packed.extractfile(one).read() for one in packed if one.isfile()}
    assert b"plain line" in texts["arc-logs/azcmagent/azcmagent.log"]
    assert any("receipt-" in name for name in texts)
    assert "arc-logs/agent/show.json" in texts
    assert b"kept too" in texts["arc-logs/extension_logs/Some.Extension-1.0/one.log"]
    assert [name for name, text in texts.items() if b"cAn4ry" in text] == []


@pytest.mark.parametrize(
    "arguments", [("--force-local-only",), ("--check", "--uninstall"), ("--lock-wait", "x"), ("--connect-tries", "0")]
)
def test_what_makes_no_sense_is_told(server, arguments):
    assert server.run(*arguments).code == 205
