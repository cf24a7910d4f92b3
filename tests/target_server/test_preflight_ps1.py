"""What install.ps1 says of a network: real TLS servers and proxies on this machine, and their faults."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.script_parameters import EndpointCheck, NeededRoot, UntestedEndpoint
from tests.support import sample_bundles as sample
from tests.support.windows_bench import HOST, Server, write_bundle

MICROSOFT = "Microsoft Corporation"


def name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


class Issuer:
    """A certificate authority of the test's own."""

    def __init__(self, folder, organisation: str, common: str):
        self.folder, self.name, self.key = folder, name(organisation, common), ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self.name, self.key, ca=True)
        self.pem = folder / f"{common}.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, *, ca: bool, host: str = "ca.invalid", ended: bool = False) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3))
            .not_valid_after(now + timedelta(days=-1 if ended else 3))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def context(self, host: str = "localhost", *, ended: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(name("LAB", host), key, ca=False, host=host, ended=ended)
        file = self.folder / f"{host}-{made.serial_number}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    @property
    def sha1(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()


@contextmanager
def listening(answer):
    """A port of this machine; each connection is given to ``answer`` in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=quietly, args=(answer, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def quietly(answer, connection) -> None:
    with connection, suppress(OSError):
        answer(connection)


def tls(context: ssl.SSLContext, ahead: int = 0):
    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(4096)
            date = format_datetime(datetime.now(timezone.utc) - timedelta(seconds=ahead), usegmt=True)
            stream.sendall(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())

    return answer


def silent(connection) -> None:
    threading.Event().wait(20)


STEERING = "\x1b]0;yours\x07\x1b[2J\x9b1A"
"""What a terminal would obey."""


def proxy(code: int, to: int, asked: list[str]):
    """An HTTP proxy that leads every CONNECT to one port, or refuses it."""

    def answer(connection):
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            got += connection.recv(1)
        asked.append(got.split(b"\r\n")[0].decode())
        connection.sendall(f"HTTP/1.1 {code} so it is{STEERING if code == 403 else ''}\r\n\r\n".encode("latin-1"))
        if code != 200:
            return
        with socket.create_connection(("127.0.0.1", to)) as there:
            other = threading.Thread(target=quietly, args=(lambda _: copy(there, connection), socket.socket()))
            other.start()
            copy(connection, there)
            other.join()

    return answer


def copy(source, sink) -> None:
    while content := source.recv(65536):
        sink.sendall(content)
    sink.shutdown(socket.SHUT_WR)


def check(port: int, host="localhost", **changes) -> EndpointCheck:
    return EndpointCheck(
        **{
            "host": host,
            "port": port,
            "required": True,
            "expects": "any",
            "way": "direct",
            "phase": "always",
            "feature": "agent",
            **changes,
        }
    )


def believing(authority: Path) -> dict[str, str]:
    """What has .NET on Linux believe this authority alone."""
    return {"SSL_CERT_FILE": str(authority), "SSL_CERT_DIR": str(authority.parent / "none")}


def look(server: Server, parameters, *more: str, trusted=None, quick=True):
    """Check only, and the receipt's table by port and host."""
    write_bundle(server / "bundle", parameters, lab=False)
    script = server / "bundle/install.ps1"
    if quick:
        script.write_text(
            script.read_text().replace("$script:NetworkWait = 5000", "$script:NetworkWait = 1500"), newline="\r\n"
        )
    environment = believing(trusted) if trusted else {}
    records = str(server / "records")
    ended = server.run("-CheckOnly", "-RecordDirectory", records, *server.secret(), *more, environment=environment)
    receipt = json.loads(max((server / "records").glob("receipt-*.json")).read_bytes())
    return ended, receipt, {(row["host"], row["port"]): row for row in receipt["preflight"]}


@pytest.fixture
def azure(tmp_path) -> Issuer:
    return Issuer(tmp_path, MICROSOFT, "LAB Azure TLS Issuing CA")


def test_what_old_frameworks_lack_is_not_asked_for(server):
    """The linter knows 4.6.2; who has 4.5 is to be told so. There TcpClient has no Dispose (documented from 4.6 on)."""
    assert ".Client.Dispose(" not in (server / "bundle/install.ps1").read_text()


def test_each_fault_is_told_by_its_row(server, azure, tmp_path):
    inspecting = Issuer(tmp_path, "Contoso", "Contoso Inspection")
    trusted = tmp_path / "both.pem"
    trusted.write_bytes(azure.pem.read_bytes() + inspecting.pem.read_bytes())
    strange = Issuer(tmp_path, "Stranger", "Stranger Root")
    with (
        listening(tls(azure.context(), ahead=600)) as good,
        listening(tls(azure.context("other.invalid"))) as other,
        listening(tls(strange.context())) as untrusted,
        listening(tls(inspecting.context())) as inspected,
        listening(tls(azure.context(ended=True))) as old,
        listening(silent) as mute,
        socket.create_server(("127.0.0.1", 0)) as held,
    ):
        closed = held.getsockname()[1]
        held.close()
        checks = (
            check(good),
            check(other),
            check(untrusted),
            check(inspected),
            check(old),
            check(mute),
            check(closed),
            check(closed, host="127.0.0.1", required=False),
            check(443, host="no-such-name.invalid"),
            check(443, host="192.0.2.1", expects="private", way="private-endpoint"),
            check(443, host="gateway.invalid", way="gateway"),
        )
        ended, receipt, rows = look(server, replace(sample.SECRET, checks=checks), trusted=trusted)
    assert ended.code == receipt["code"] == 208, ended.out
    assert (receipt["mode"], receipt["outcome"]) == ("check", "failed")

    def row(port, host="localhost"):
        found = rows[host, port]
        return found["verdict"], found["message"]

    assert row(good) == ("ok", "")
    assert rows["localhost", good]["tls"] in {"TLSv1.2", "TLSv1.3"}
    assert "LAB Azure TLS Issuing CA" in rows["localhost", good]["issuer"]
    assert (rows["localhost", good]["kind"], rows["localhost", good]["tcp"]) == ("private", "ok")
    assert row(other)[0] == "failed"
    assert "another name" in row(other)[1]
    assert row(untrusted)[0] == "failed"
    assert "Stranger Root, which this machine does not trust" in row(untrusted)[1]
    assert row(inspected)[0] == "ok"
    assert "inspected" in row(inspected)[1]
    assert "look at the clock" in row(old)[1]
    assert "TLS handshake failed" in row(mute)[1]
    assert "TCP connection failed" in row(closed)[1]
    assert row(closed, "127.0.0.1")[0] == "optional-failed"
    assert row(443, "no-such-name.invalid") == ("failed", "the name does not resolve")
    assert row(443, "192.0.2.1") == ("failed", "resolves to 192.0.2.1, which is public; expected private")
    assert row(443, "gateway.invalid")[0] == "untested"
    assert "WARNING: this machine's clock is 60" in ended.out
    assert "ENDPOINT" in ended.out
    assert f"2 of {len(rows)} endpoints answer" in ended.out
    assert f"1 of {len(rows)} endpoints were not tested: goes through the gateway" in ended.out
    # Of those that answer, only what is inspected is shown.
    table = ended.out.partition("ENDPOINT")[2]
    assert f"https://localhost:{good}" not in table
    assert f"https://localhost:{inspected} " in table
    assert "(optional)" in table
    assert max(map(len, table.partition("TLS uses")[0].splitlines())) <= 100
    assert not (server / "msiexec").exists()


def test_a_cipher_is_told_as_far_as_it_is_known(server, azure):
    """.NET Framework has the algorithm alone."""
    with listening(tls(azure.context())) as port:
        ended, _, _ = look(server, replace(sample.SECRET, checks=(check(port),)), trusted=azure.pem)
    assert ended.code == 0, ended.out
    (line,) = (line for line in ended.out.splitlines() if "TLS uses" in line)
    assert "Aes" in line
    assert ".NET does not report the cipher suite's name: azcmagent check tests it" in line


def test_where_net_takes_no_tls_1_3_the_same_connection_does_for_1_2(server, azure):
    """As some .NET Framework on Windows Server 2022: refused before anything was sent."""
    with listening(tls(azure.context())) as port:
        write_bundle(server / "bundle", replace(sample.SECRET, checks=(check(port),)), lab=False)
        script = server / "bundle/install.ps1"
        text = script.read_text()
        call = "$tls.AuthenticateAsClient("
        problem = "New-Object System.ComponentModel.Win32Exception ([int]-2146893007)"
        refusing = f"if ([int](Get-TlsVersions) -eq 15360) {{ throw ({problem}) }}"
        assert text.count(call) == 1
        script.write_text(text.replace(call, f"{refusing}\n        {call}"), newline="\r\n")
        records = str(server / "records")
        ended = server.run(
            "-CheckOnly", "-RecordDirectory", records, *server.secret(), environment=believing(azure.pem)
        )
    assert ended.code == 0, ended.out
    assert "1 of 1 endpoints answer" in ended.out
    (row,) = json.loads(max((server / "records").glob("receipt-*.json")).read_bytes())["preflight"]
    assert (row["verdict"], row["tls"]) == ("ok", "TLSv1.2")


@pytest.mark.parametrize("ahead", [600, -600])
def test_a_wrong_clock_is_a_warning_and_stands_in_the_receipt(server, azure, ahead):
    with listening(tls(azure.context(), ahead=ahead)) as port:
        ended, receipt, _ = look(server, replace(sample.SECRET, checks=(check(port),)), trusted=azure.pem)
    assert ended.code == 0, ended.out
    step = receipt["steps"][1]
    assert (step["name"], step["outcome"], step["code"]) == ("preflight", "warned", 0)
    assert ("s ahead" if ahead > 0 else "s behind") in step["message"].partition("this machine's clock is ")[2]


def test_a_clock_that_nobody_tells_is_said(server):
    ended, _, _ = look(server, replace(sample.SECRET, checks=(check(443, host="gateway.invalid", way="gateway"),)))
    assert ended.code == 0, ended.out
    assert "not tested: this machine's clock" in ended.out


def test_an_address_without_a_name_is_said_to_be_untested(server):
    why = "the code of japanwest in CODE.his.arc.azure.com is not known"
    untested = (UntestedEndpoint(host="*.his.arc.azure.com", why=why),)
    gateway = (check(443, host="gateway.invalid", way="gateway"),)
    ended, _, _ = look(server, replace(sample.SECRET, checks=gateway, untested=untested))
    assert ended.code == 0, ended.out
    said = f"not tested: *.his.arc.azure.com, which is required: {why}; the agent's own check decides"
    assert said in " ".join(ended.out.split())


def test_private_addresses_need_a_scope(server, azure):
    host = "gbl.his.arc.azure.com"
    parameters = replace(
        sample.SECRET,
        hosts_records=(HostRecord(host=host, address="127.0.0.1"),),
        checks=(check(443, host=host, expects="public"),),
    )
    ended, receipt, _ = look(server, parameters, "-WriteHosts")
    assert ended.code == receipt["code"] == 209, ended.out
    with listening(tls(azure.context(host))) as port:
        scoped = replace(
            parameters,
            private_link_scope="/subscriptions/s/scope",
            checks=(check(port, host=host, expects="private", way="private-endpoint"),),
        )
        ended, receipt, _ = look(server, scoped, "-WriteHosts", trusted=azure.pem)
    assert ended.code == 0, ended.out
    assert receipt["outcome"] == "checked"


def test_a_practice_bundle_tells_and_goes_on(server):
    write_bundle(server / "bundle", replace(sample.SECRET, checks=(check(443, host="no-such-name.invalid"),)))
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == 0, ended.out
    assert re.search(r"https://no-such-name\.invalid +\|false .*\n +the name does not resolve\n", ended.out)
    said = "1 required endpoints failed (table above) (a LAB bundle continues; otherwise exit code 208)"
    assert said in ended.out


@pytest.mark.parametrize(
    ("code", "ended_with", "said"), [(200, 0, ""), (407, 208, "password"), (403, 208, "refuses it: HTTP/1.1 403")]
)
def test_a_proxy_is_asked_to_connect(server, azure, code, ended_with, said):
    asked: list[str] = []
    with listening(tls(azure.context("far.invalid"))) as port, listening(proxy(code, port, asked)) as way:
        parameters = replace(
            sample.SECRET,
            proxy_url=f"http://localhost:{way}",
            checks=(check(443, host="far.invalid", way="proxy", expects="public"),),
        )
        ended, _, rows = look(server, parameters, trusted=azure.pem)
    assert ended.code == ended_with, ended.out
    assert asked == ["CONNECT far.invalid:443 HTTP/1.1"]
    assert said in rows["far.invalid", 443]["message"]
    assert not set("\x07\x1b\x9b") & set(ended.out)


def root(sha1="0" * 40, *, required=True) -> NeededRoot:
    return NeededRoot(name="LAB Needed", sha1=sha1, needed_for="azure-tls", required=required)


def test_a_missing_root_is_named(server, azure):
    parameters = replace(sample.SECRET, roots=(root(),))
    ended, _, _ = look(server, parameters)
    assert ended.code == 210, ended.out
    assert "LAB Needed (" + "0" * 40 in ended.out
    ended, receipt, _ = look(server, parameters, "-SkipNetworkCheck")
    assert ended.code == 0, ended.out
    assert receipt["switches"] == ["-SkipNetworkCheck"]
    with listening(tls(azure.context())) as port:
        ended, _, _ = look(server, replace(parameters, checks=(check(port),)), trusted=azure.pem)
    assert ended.code == 0, ended.out
    assert "work without it" in ended.out


def test_nothing_waits_for_the_network_where_it_is_connected(server):
    """The second run is quiet, and looks at the network only where it is asked to."""
    parameters = replace(sample.SECRET, checks=(check(9, host="no-such-name.invalid"),))
    write_bundle(server / "bundle", parameters, lab=False)
    assert server.run(*server.secret()).code == 208
    assert not (server / "msiexec").exists()
    assert server.run("-SkipNetworkCheck", *server.secret()).code == 0
    assert server.receipt()["switches"] == ["-SkipNetworkCheck"]
    again = server.run(*server.secret())
    assert again.code == 0, again.out
    assert server.receipt()["preflight"] == []


@pytest.mark.parametrize(("status", "code"), [("Disconnected", 208), ("Connected", 0)])
def test_who_has_lost_contact_is_told_why(server, status, code):
    """The agent knows its resource and does not reach Azure. What connecting alone needs may be closed again."""
    shown = {"status": status, "subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": HOST}
    (server / "shown").write_text(json.dumps(shown))
    server.install_agent(sample.WINDOWS_VERSION)
    gone = check(443, host="no-such-name.invalid")
    write_bundle(
        server / "bundle",
        replace(sample.SECRET, settings=(), checks=(gone, replace(gone, host="arm.invalid", phase="connect"))),
        lab=False,
    )
    ended = server.run()
    assert ended.code == code, ended.out
    assert [row["host"] for row in server.receipt()["preflight"]] == (["no-such-name.invalid"] if code else [])


def test_the_agents_own_check_has_the_last_word(server, azure):
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/lab.json").write_text(json.dumps({"unreachable": "gbl.his.arc.azure.com"}))
    trust = {"SSL_CERT_FILE": str(azure.pem), "SSL_CERT_DIR": str(server / "none")}
    with listening(tls(azure.context())) as port:
        write_bundle(server / "bundle", replace(sample.SECRET, settings=(), checks=(check(port),)))
        ended = server.run(*server.secret(), environment=trust)
        assert ended.code == 26, ended.out
        assert "azcmagent check does not reach gbl.his.arc.azure.com" in ended.out
        assert "connect" not in (server / "arguments").read_text().split("|")
        receipt = server.receipt()
        assert (receipt["code"], receipt["outcome"], receipt["preflight"][0]["verdict"]) == (26, "failed", "ok")
        (server / "lab/var/opt/azcmagent/lab.json").unlink()
        assert server.run(*server.secret(), environment=trust).code == 0


ENVIRONMENT = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"


def test_the_machines_variable_is_the_way_that_is_tested_and_a_stale_one_is_told(server, azure):
    asked: list[str] = []
    checks = (check(443, host="gbl.his.arc.azure.com"), check(443, host="login.example"))
    with listening(tls(azure.context("gbl.his.arc.azure.com"))) as arc, listening(proxy(200, arc, asked)) as by:
        server.registry(**{ENVIRONMENT: {"HTTPS_PROXY": f"http://u:cAn4ry@127.0.0.1:{by}", "NO_PROXY": "example"}})
        ended, receipt, rows = look(server, replace(sample.SECRET, checks=checks, settings=()), trusted=azure.pem)
    assert ended.code == 208, ended.out
    assert asked == ["CONNECT gbl.his.arc.azure.com:443 HTTP/1.1"]
    assert {host: (row["way"], row["verdict"]) for (host, _), row in rows.items()} == {
        "gbl.his.arc.azure.com": ("proxy", "ok"),
        "login.example": ("direct", "failed"),
    }
    assert f"goes through the proxy of HTTPS_PROXY (127.0.0.1:{by}, in the machine's environment)" in ended.out
    assert "cAn4ry" not in ended.out + json.dumps(receipt)
    with listening(tls(azure.context())) as good, socket.create_server(("127.0.0.1", 0)) as held:
        closed = held.getsockname()[1]
        held.close()
        server.registry(**{ENVIRONMENT: {"HTTPS_PROXY": f"127.0.0.1:{closed}"}})
        ended, receipt, _ = look(server, replace(sample.SECRET, checks=(check(good),)), trusted=azure.pem)
    assert ended.code == 0, ended.out
    (warning,) = receipt["warnings"]
    assert f"(127.0.0.1:{closed}, in the machine's environment) does not answer" in warning
    assert "set network.proxy" in warning


def test_check_only_without_a_secret_reports_the_network(server):
    with socket.create_server(("127.0.0.1", 0)) as held:
        closed = held.getsockname()[1]
        held.close()
        write_bundle(server / "bundle", replace(sample.SECRET, checks=(check(closed),)), lab=False)
        ended = server.run("-CheckOnly")
    assert ended.code == 208, ended.out
    assert "not looked at: the secret (" in ended.out
