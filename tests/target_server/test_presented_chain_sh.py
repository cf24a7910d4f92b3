"""What install.sh reads in the output of openssl's s_client: the chain's end, serial numbers, a missing root."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bundler.formats import certificate, presented_chain
from bundler.lab import tls_chains
from bundler.lab.behaviour import Certificate
from bundler.lab.certificate_forms import describe
from bundler.lab.key_store import Identity, KeyStore
from bundler.lab.tls_chains import NEW_ISSUER, NEW_ROOT
from bundler.render import quoting
from bundler.render.template_files import templates

PARTS = (
    "runtime/linux/rows.sh", "runtime/linux/der.sh", "runtime/linux/versions.sh", "runtime/linux/presented_chain.sh",
    "arc-server/runtime/linux/certificate_verdicts.sh", "runtime/linux/verdicts.sh", "runtime/linux/network_table.sh",
    "runtime/linux/probes.sh", "arc-server/runtime/linux/network_step.sh",
)  # fmt: skip
SINCE = datetime.now(timezone.utc)
MICROSOFT = "says it is of Microsoft Corporation"
LOCAL, IN_CHAIN = "20 (unable to get local issuer certificate)", "19 (self-signed certificate in certificate chain)"


@pytest.fixture(scope="module")
def chains(tmp_path_factory) -> dict[str, list[bytes]]:
    """The lab's chains by kind, in DER."""
    keys = KeyStore(tmp_path_factory.mktemp("keys"))
    key = keys.curve("root")
    described = describe("LAB TLS Root", key, None, SINCE, timedelta(days=99), path_length=2)
    root = Identity(keys.certificate("root", described, key), key)
    kinds: tuple[Certificate, ...] = (
        "good", "new-root", "new-root-unbridged", "new-root-impostor", "negative-serial",
    )  # fmt: skip
    served = {kind: tls_chains.served(kind, root, SINCE, keys, ("localhost",)) for kind in kinds}
    return {kind: list(certificate.in_pem(document)) for kind, document in served.items()}


def name(text: str, form: str) -> str:
    """An RFC 4514 name as openssl prints it: ``old`` before 1.1, ``new`` to 3.1, ``newest`` from 3.2 on."""
    parts = list(reversed(text.split(",")))
    if form == "old":
        return "".join(f"/{part}" for part in parts)
    return ", ".join(parts) if form == "newest" else ", ".join(part.replace("=", " = ", 1) for part in parts)


def said(chain: list[bytes], code: str, form: str = "new", line_end: str = "\n") -> str:
    """The output of ``openssl s_client -showcerts``."""
    links = presented_chain.read(chain)
    lines = [
        "depth=1 " + name(links[-1].subject, form),
        f"verify error:num={code.split(maxsplit=1)[0]}:words",
        "CONNECTED(00000003)",
    ]
    lines += ["---", "Certificate chain"]
    for at, (link, der) in enumerate(zip(links, chain, strict=True)):
        text = base64.encodebytes(der).decode().split()
        lines += [f" {at} s:{name(link.subject, form)}", f"   i:{name(link.issuer, form)}"]
        if form != "old":
            lines += ["   a:PKEY: id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256", "   v:NotBefore: Nov 30"]
        lines += ["-----BEGIN CERTIFICATE-----", *text, "-----END CERTIFICATE-----"]
    lines += ["---", "Server certificate", f"subject={name(links[0].subject, form)}", ""]
    lines += [f"issuer={name(links[0].issuer, form)}", "", "---", "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"]
    lines += [f"Verify return code: {code}", "---", ""]
    return line_end.join(lines)


BEGIN = """
CHECK_HOST=(a.example) CHECK_PORT=(443) CHECK_REQUIRED=(yes) CHECK_EXPECTS=(any) CHECK_WAY=(direct)
PACKAGE_VERSION=1.67.03504.1320 NEGATIVE_SERIALS_REFUSED=1.73 TRUSTED='' CERTIFICATES=()
ROOTS=('LAB TLS RSA Root G2' ABCD soon)
LAB='' NOTES=''
note() { NOTES+="$1|"; }
warning() { NOTES+="WARNING: $1|"; }
untested() { NOTES+="untested: $1|"; }
openssl() { cat "$SAID"; }
each() {
    SAID=$1
    ABSENT_ROOTS=() NEGATIVE_AT=() SERIALS_UNREAD='' NOTES=''
    { echo resolved=127.0.0.1; echo tcp=ok; tls_by_openssl a.example 443 direct "$PROBES/0.tls"; } >"$PROBES/0"
    read_probe 0
    report_certificates
    printf '%s\\n%s\\n%s\\0' "${FOUND_VERDICT[0]}" "${FOUND_MESSAGE[0]}" "$NOTES"
}
"""


def rated(bash: str, folder: Path, cases: list[tuple[str, str]]) -> list[list[str]]:
    """Verdict, message and notes of each case: what openssl says, and what bash is told before."""
    source = "".join((templates() / part).read_text() for part in PARTS)
    script = f"set -u\nexport LC_ALL=C\nTRUST_BUNDLE=''\n{source}\n{BEGIN}\nPROBES={quoting.bash(str(folder))}\n"
    for at, (text, before) in enumerate(cases):
        (folder / f"said-{at}").write_bytes(text.encode())
        script += f"({before}\neach {quoting.bash(str(folder / f'said-{at}'))})\n"
    done = subprocess.run([bash, "-s"], input=script.encode(), capture_output=True, check=False)
    assert done.stderr.decode() == ""
    return [part.decode().split("\n") for part in done.stdout.split(b"\0")[:-1]]


def test_what_a_chain_means(bash, chains, tmp_path):
    new, negative = chains["new-root-unbridged"], chains["negative-serial"]
    missing = f"{MICROSOFT}; its root {NEW_ROOT} is missing here"
    cases: list[tuple[str, str, str, str, str]] = [
        (said(chains["good"], "0 (ok)"), "", "ok", "", ""),
        (said(new, "0 (ok)"), "", "ok", "", ""),
        *((said(new, LOCAL, form), "", "failed", missing, f"to add {NEW_ROOT}: let the bundle carry it")
          for form in ("old", "new", "newest")),
        (said(new, LOCAL, line_end="\r\n"), "", "failed", missing, ""),
        (said([chains["new-root"][at] for at in (0, 2, 1)], LOCAL), "", "failed",
         f"{MICROSOFT}; its root LAB TLS Root is missing here", ""),
        (said(new[:1], "21 (unable to verify the first certificate)"), "", "failed",
         f"{MICROSOFT}; the root of its issuer {NEW_ISSUER} is missing here", ""),
        (said(chains["new-root"], LOCAL), "", "failed", f"{MICROSOFT}; its root LAB TLS Root is missing here", ""),
        (said(chains["new-root-impostor"], IN_CHAIN), "", "failed", missing, ""),
        (said(chains["new-root-impostor"], IN_CHAIN), "TRUSTED=' ABCD '", "failed",
         f"{MICROSOFT}, but not issued by the root {NEW_ROOT}: TLS is inspected", ""),
        (said(new, LOCAL), f"CERTIFICATES=(s s root s '{NEW_ROOT}')", "failed", missing,
         "start with --install-certificates"),
        (said(chains["good"], LOCAL), "", "failed",
         f"the certificate by LAB - not Microsoft is not trusted here: {LOCAL}", ""),
        (said(new, "10 (certificate has expired)"), "", "failed", "not trusted here: 10 (certificate has expired)", ""),
        (said(new, "62 (hostname mismatch)"), "", "failed", "not trusted here: 62 (hostname mismatch)", ""),
        (said(new, "18 (self-signed certificate)"), "", "failed", "not trusted here: 18", ""),
        (said(negative, "0 (ok)"), "", "ok", "",
         "WARNING: certificates with negative serial numbers: a.example (by LAB TLS Root)"),
        (said(negative, "0 (ok)"), "PACKAGE_VERSION=1.73.03600.1", "failed",
         "a negative serial number by LAB TLS Root, which agent 1.73.03600.1 refuses", "WARNING"),
        (said(negative, "0 (ok)"), "PACKAGE_VERSION=1.72.9", "ok", "", "WARNING"),
        (said(negative, "0 (ok)"), "PACKAGE_VERSION=2.0", "failed", "which agent 2.0 refuses", ""),
        (said(negative, LOCAL), "PACKAGE_VERSION=1.73", "failed", "not trusted here", "WARNING"),
        (said([new[0], negative[0]], "0 (ok)"), "", "ok", "", "WARNING"),
        (said(negative, "0 (ok)"), "command() { [[ $2 != od ]]; }", "ok", "", "untested: serial numbers"),
    ]  # fmt: skip
    found = rated(bash, tmp_path, [(text, before) for text, before, *_ in cases])
    assert len(found) == len(cases)
    for (_, before, verdict, message, note), (ended, told, notes) in zip(cases, found, strict=True):
        assert ended == verdict, (before, told)
        assert message in told
        assert bool(message) == bool(told)
        assert note in notes
    assert [notes for _, _, notes in found[:2]] == ["", ""]


def test_the_table_leaves_the_receipts_reason_alone(bash, tmp_path):
    """A row's reason is a sentence; the receipt's is a word, which a later step may not set."""
    source = "".join((templates() / part).read_text() for part in PARTS)
    script = f"""set -u
        TRUST_BUNDLE=''
        {source}
        {BEGIN}
        log() {{ :; }}
        hide() {{ HIDDEN=$1; }}
        CHECK_REQUIRED=(no) FOUND_KIND=(public) FOUND_TCP=(ok) FOUND_TLS=(TLSv1.2) FOUND_ISSUER=('O = Contoso')
        FOUND_VERDICT=(optional-failed) FOUND_MESSAGE=('TCP port 443: refused') REASON=''
        show_table
        printf '%s|%s' "$REASON" "$NOTES"
    """
    done = subprocess.run([bash, "-s"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout.decode().startswith("|0 of 1 endpoints answer|")
    assert "TCP port 443: refused" in done.stdout.decode()


@pytest.mark.parametrize("number", ["02", "04"])
def test_the_public_intermediates(bash, corpus, tmp_path, number):
    chain = list(certificate.in_pem((corpus / f"roots/microsoft-tls-g2-rsa-ca-ocsp-{number}.pem").read_bytes()))
    ((verdict, message, _),) = rated(bash, tmp_path, [(said(chain, LOCAL), "")])
    assert (verdict, message) == (
        "failed",
        f"{MICROSOFT}; the root of its issuer Microsoft TLS RSA Root G2 is missing here",
    )


def test_openssl_itself(bash, chains, tmp_path, openssl_server):
    """The forms above are those of the openssl that is here."""
    for kind in ("new-root-unbridged", "negative-serial"):
        text = openssl_server(kind)
        ((verdict, message, notes),) = rated(bash, tmp_path, [(text, "")])
        assert verdict == "failed"
        assert ("is missing here" in message) == (kind == "new-root-unbridged")
        assert ("negative serial" in notes) == (kind == "negative-serial")


@pytest.fixture
def openssl_server(tmp_path):
    from bundler.lab.lab import Lab

    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")

    def asked(kind: Certificate) -> str:
        with Lab(tmp_path / "lab", SINCE, certificate=kind) as lab:
            command = ["openssl", "s_client", "-showcerts", "-connect", lab.host, "-servername", "localhost"]
            return subprocess.run(command, input=b"", capture_output=True, check=False, env=os.environ).stdout.decode()

    return asked
