"""The tools of real targets read and install what the lab makes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
import requests

from bundler.lab import upstream

DEB = "/ubuntu/22.04/prod/pool/main/a/azcmagent/azcmagent_1.68.03532.1399_{}.deb"
RPM = "/rhel/9/prod/Packages/a/azcmagent-1.68.03532-1399.{}.rpm"


def tool(name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not on this machine")
    return name


def run(*command, check=True, **more):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120, **more
    )
    if check:
        assert done.returncode == 0, done.stdout
    return done


def fetched(lab, url, folder):
    answer = requests.get(url, verify=lab.ca_file, timeout=30)
    answer.raise_for_status()
    place = folder / url.rpartition("/")[2]
    place.write_bytes(answer.content)
    return place


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_dpkg_reads_the_deb(shared_lab, tmp_path, architecture):
    deb = fetched(shared_lab, shared_lab.packages_url + DEB.format(architecture), tmp_path)
    fields = run(tool("dpkg-deb"), "-f", deb).stdout
    assert "Package: azcmagent\nVersion: 1.68.03532.1399\n" in fields
    assert "LAB" in fields
    listing = run("dpkg-deb", "-c", deb).stdout
    assert "-rwxr-xr-x root/root" in next(line for line in listing.splitlines() if line.endswith("bin/azcmagent"))
    run("dpkg-deb", "-R", deb, tmp_path / "out")
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", tmp_path / "out" / "DEBIAN" / script)
    said = run("bash", tmp_path / "out/opt/azcmagent/bin/azcmagent", "version").stdout
    assert "1.68.03532.1399" in said
    assert "LAB" in said


def test_gpgv_verifies_the_repository_and_its_package(shared_lab, tmp_path):
    deb = fetched(shared_lab, shared_lab.packages_url + DEB.format("amd64"), tmp_path)
    run(tool("ar"), "x", deb, cwd=tmp_path)
    covered = b"".join((tmp_path / name).read_bytes() for name in ("debian-binary", "control.tar.gz", "data.tar.gz"))
    (tmp_path / "covered").write_bytes(covered)
    (tmp_path / "key.asc").write_text(shared_lab.anchors.package_keys[0].armored)
    run(tool("gpg"), "--homedir", tmp_path, "--dearmor", "-o", tmp_path / "key.gpg", tmp_path / "key.asc")
    said = run(tool("gpgv"), "--keyring", tmp_path / "key.gpg", tmp_path / "_gpgorigin", tmp_path / "covered").stdout
    assert "Good signature" in said


@pytest.fixture
def rpm_root(shared_lab, tmp_path):
    """An empty root with the lab's key in its rpm database."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "key.asc").write_text(shared_lab.anchors.package_keys[0].armored)
    run(tool("rpm"), "--root", root, "--initdb")
    run("rpm", "--root", root, "--import", tmp_path / "key.asc")
    return root


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_rpm_verifies_every_part(shared_lab, tmp_path, rpm_root, architecture):
    package = fetched(shared_lab, shared_lab.packages_url + RPM.format(architecture), tmp_path)
    said = run("rpm", "--root", rpm_root, "-Kv", package).stdout
    for part in ("Header V4 RSA/SHA256 Signature", "Header SHA256 digest", "Payload SHA256 digest"):
        assert any(part in line and line.endswith("OK") for line in said.splitlines()), said


def test_rpm_installs_and_removes_it_with_every_check_on(shared_lab, tmp_path, rpm_root):
    package = fetched(shared_lab, shared_lab.packages_url + RPM.format("x86_64"), tmp_path)
    checks = ("--root", rpm_root, "--define", "_pkgverify_level all", "--noscripts")
    run("rpm", *checks, "-Uvh", package)
    program = rpm_root / "opt/azcmagent/bin/azcmagent"
    assert program.stat().st_mode & 0o777 == 0o755
    assert "LAB" in run("rpm", "--root", rpm_root, "-qi", "azcmagent").stdout
    assert run("rpm", "--root", rpm_root, "-V", "azcmagent").stdout == ""
    run("rpm", "--root", rpm_root, "-e", "--noscripts", "azcmagent")
    assert not program.exists()


def test_rpm_refuses_it_without_the_key(shared_lab, tmp_path):
    package = fetched(shared_lab, shared_lab.packages_url + RPM.format("x86_64"), tmp_path)
    (tmp_path / "bare").mkdir()
    done = run(
        tool("rpm"), "--root", tmp_path / "bare", "--define", "_pkgverify_level all", "-Uvh", package, check=False
    )
    assert done.returncode != 0
    assert "does not verify" in done.stdout


@pytest.mark.parametrize(("distribution", "codename"), [("ubuntu/22.04", "jammy"), ("debian/13", "trixie")])
def test_apt_gets_it_over_https(shared_lab, tmp_path, distribution, codename):
    tool("apt-get")
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "status").touch()
    key = shared_lab.anchors.package_keys[distribution == "debian/13"]
    (tmp_path / "key.asc").write_text(key.armored)
    source = (
        f"deb [signed-by={tmp_path}/key.asc arch=amd64] {shared_lab.packages_url}/{distribution}/prod {codename} main"
    )
    (tmp_path / "sources.list").write_text(source + "\n")
    settings = {
        "Dir::Etc::SourceList": tmp_path / "sources.list",
        "Dir::Etc::SourceParts": tmp_path / "parts",
        "Dir::Etc::Preferencesparts": tmp_path / "parts",
        "Dir::State::Lists": tmp_path / "lists",
        "Dir::State::status": tmp_path / "status",
        "Dir::Cache": tmp_path / "cache",
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
        "Acquire::https::CAInfo": shared_lab.ca_file,
        "Acquire::https::Proxy": "DIRECT",
        "APT::Update::Error-Mode": "any",
    }
    options = [word for name, held in settings.items() for word in ("-o", f"{name}={held}")]
    run("apt-get", "update", *options)
    run("apt-get", "download", "azcmagent=1.68*", *options, cwd=tmp_path)
    assert len(list(tmp_path.glob("azcmagent_1.68.03532.1399_amd64.deb"))) == 1


@pytest.mark.parametrize(("distribution", "key"), [("rhel/9", 0), ("rhel/9.0", 0), ("rhel/10", 1), ("sles/15", 0)])
def test_dnf_verifies_the_metadata_and_the_package(shared_lab, tmp_path, distribution, key):
    tool("dnf")
    (tmp_path / "repos").mkdir()
    (tmp_path / "log").mkdir()
    (tmp_path / "key.asc").write_text(shared_lab.anchors.package_keys[key].armored)
    (tmp_path / "repos" / "lab.repo").write_text(
        f"[lab]\nname=LAB\nbaseurl={shared_lab.packages_url}/{distribution}/prod\ngpgcheck=1\nrepo_gpgcheck=1\n"
        f"gpgkey=file://{tmp_path}/key.asc\nsslcacert={shared_lab.ca_file}\nproxy=_none_\n"
    )
    options = ["-y", "--forcearch=x86_64", f"--installroot={tmp_path}/root", "--releasever=9"]
    options += [f"--setopt={name}={tmp_path}/{place}" for name, place in {"reposdir": "repos", "cachedir": "c"}.items()]
    options += [f"--setopt=logdir={tmp_path}/log", "--setopt=tsflags=noscripts", "--setopt=cacheonly=0"]
    run("dnf", *options, "makecache")
    listed = run("dnf", *options, "-q", "list", "--showduplicates", "azcmagent").stdout
    assert "1.66.03471-1262" in listed
    run("dnf", *options, "install", "azcmagent-1.67*")
    assert (tmp_path / "root/opt/azcmagent/bin/azcmagent").is_file()
    assert "1.67.03504" in run("rpm", "--root", tmp_path / "root", "-q", "azcmagent").stdout


def latest_msi(lab, folder):
    return fetched(lab, f"{lab.windows_url}/azcmagent/latest/{upstream.MSI_NAME}", folder)


def test_msitools_read_the_msi(shared_lab, tmp_path):
    msi = latest_msi(shared_lab, tmp_path)
    summary = run(tool("msiinfo"), "suminfo", msi).stdout
    assert "Template: x64;1033" in summary
    assert "LAB" in summary
    properties = dict(line.split("\t") for line in run("msiinfo", "export", msi, "Property").stdout.splitlines())
    assert properties["ProductVersion"] == "1.68.03532.3286"
    assert properties["ProductName"] == "Azure Connected Machine Agent (LAB)"
    assert "LAB" in properties["Manufacturer"]
    run(tool("msiextract"), "-C", tmp_path / "out", msi)
    assert (tmp_path / "out/AzureConnectedMachineAgent/azcmagent.exe").read_bytes().startswith(b"MZ")


def test_osslsigncode_verifies_the_msi(shared_lab, tmp_path):
    msi = latest_msi(shared_lab, tmp_path)
    made = shared_lab.authority
    (tmp_path / "code.pem").write_text(made.code_signing.root.pem())
    (tmp_path / "time.pem").write_text(made.timestamping.root.pem())
    anchors = ("-CAfile", tmp_path / "code.pem", "-TSA-CAfile", tmp_path / "time.pem")
    said = run(tool("osslsigncode"), "verify", *anchors, "-in", msi).stdout
    assert "Succeeded" in said


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """Run a Windows command in a fresh prefix."""
    tool("wine")
    prefix = tmp_path_factory.mktemp("wine") / "prefix"
    environment = {**os.environ, "WINEPREFIX": str(prefix), "WINEARCH": "win64", "WINEDEBUG": "-all", "DISPLAY": ""}
    subprocess.run(["wineboot", "-i"], env=environment, check=True, timeout=120, capture_output=True)

    def windows(*command):
        # Into a file: Wine's services inherit the output, and keep a pipe open long after the command has ended.
        with (prefix.parent / "said").open("w+") as said:
            done = subprocess.run(
                ["wine", *command], env=environment, stdout=said, stderr=said, check=False, timeout=120
            )
            said.seek(0)
            done.stdout = said.read()
        return done

    windows.programs = prefix / "drive_c" / "Program Files"
    yield windows
    subprocess.run(["wineserver", "-k"], env=environment, check=False, timeout=30)


@pytest.mark.wine
@pytest.mark.slow
def test_windows_installer_installs_upgrades_refuses_a_downgrade_and_removes(shared_lab, tmp_path, wine):
    home = wine.programs / "AzureConnectedMachineAgent"
    places = {}
    for minor in ("1.67", "1.68"):
        (tmp_path / minor).mkdir()
        url = f"{shared_lab.windows_url}/azcmagent/{minor}/{upstream.MSI_NAME}"
        places[minor] = "Z:" + str(fetched(shared_lab, url, tmp_path / minor)).replace("/", "\\")
    for minor, build in (("1.67", "1.67.03504.3207"), ("1.68", "1.68.03532.3286")):
        log = "Z:" + str(tmp_path / f"{minor}.log").replace("/", "\\")
        done = wine("msiexec", "/i", places[minor], "/qn", "/norestart", "/l*v", log)
        assert done.returncode == 0, done.stdout
        assert (tmp_path / f"{minor}.log").stat().st_size > 1000
        said = wine(r"C:\Program Files\AzureConnectedMachineAgent\azcmagent.exe", "version").stdout
        assert build in said
        assert "LAB" in said
    # 1603, of which a Unix exit code keeps the last byte.
    assert wine("msiexec", "/i", places["1.67"], "/qn").returncode == 1603 % 256
    assert wine("msiexec", "/x", places["1.68"], "/qn").returncode == 0
    assert not home.exists()
