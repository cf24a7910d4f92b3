"""Builds the stand-in agent's Windows installer."""

from __future__ import annotations

import uuid
from datetime import datetime

from bundler.lab import agents, cabinet, msi
from bundler.lab.agent import DESCRIPTION, SUMMARY, bulk
from bundler.lab.authenticode_signer import Signing, Stamp, sign_msi
from bundler.lab.authority import Authority
from bundler.lab.cabinet import CabinetFile
from bundler.lab.certificate_forms import ORGANIZATION
from bundler.lab.msi import Column, Table

PRODUCT_NAME = "Azure Connected Machine Agent (LAB)"
HOME = "AzureConnectedMachineAgent"
"""Folder below ``%ProgramFiles%``."""

_NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "arc-bundler:lab:windows")
UPGRADE_CODE = uuid.uuid5(_NAMES, "upgrade")

_CABINET = "agent.cab"
_64_BIT = 256
"""msidbComponentAttributes64bit."""
_ONLY_DETECT, _WITH_OLDEST, _WITH_NEWEST = 2, 256, 512
"""msidbUpgradeAttributes."""


def windows_agent(version: str, built: datetime, authority: Authority, *, stuffing: int = 0, remark: str = "") -> bytes:
    """Make the MSI of one build, signed and timestamped when it was built."""
    plain = unsigned(version, built, stuffing=stuffing, remark=remark)
    return sign_msi(plain, Signing(authority.code_signing, Stamp(authority.timestamping, built)))


def unsigned(version: str, built: datetime, *, stuffing: int = 0, remark: str = "") -> bytes:
    """Make the MSI of one build, unsigned."""
    files = [
        CabinetFile("azcmagent.exe", agents.windows(version), built),
        CabinetFile("LAB.txt", f"{DESCRIPTION}\r\n{remark}\r\n".encode(), built),
    ]
    if stuffing:
        files.append(CabinetFile("LAB.bin", bulk(stuffing, version), built))
    summary = msi.Summary(
        title="Installation Database (LAB)",
        subject=PRODUCT_NAME,
        author=ORGANIZATION,
        comments=f"{SUMMARY}; for tests only. {remark}".strip(),
        template="x64;1033",
        package_code=uuid.uuid5(_NAMES, f"{version} {built.isoformat()} {stuffing} {remark}"),
        created=built,
    )
    return msi.write(_tables(version, summary.package_code, files), {_CABINET: cabinet.write(files)}, summary)


def _tables(version: str, product: uuid.UUID, files: list[CabinetFile]) -> list[Table]:
    return [
        _properties(version, product),
        *_upgrade(version),
        _directories(),
        _components(files),
        *_features(files),
        *_files(files),
        *_sequences(),
    ]


def _properties(version: str, product: uuid.UUID) -> Table:
    """Name the product. Its code differs between builds; else an installed build blocks all others (error 1638)."""
    held = {
        "ProductCode": _guid(product),
        "UpgradeCode": _guid(UPGRADE_CODE),
        "ProductName": PRODUCT_NAME,
        "ProductVersion": version,
        "ProductLanguage": "1033",
        "Manufacturer": ORGANIZATION,
        "ALLUSERS": "1",
        "ARPCOMMENTS": "LAB material, not Microsoft's",
        "SecureCustomProperties": "OLDERFOUND;NEWERFOUND",
    }
    return Table("Property", (Column("Property", "s72", key=True), Column("Value", "l0")), tuple(held.items()))


def _upgrade(version: str) -> tuple[Table, Table]:
    """Have older builds removed first, and refuse where there is a newer one (SDK, "Upgrade Table")."""
    columns = (
        Column("UpgradeCode", "s38", key=True),
        Column("VersionMin", "S20", key=True),
        Column("VersionMax", "S20", key=True),
        Column("Language", "S255", key=True),
        Column("Attributes", "i4", key=True),
        Column("Remove", "S255"),
        Column("ActionProperty", "s72"),
    )
    code = _guid(UPGRADE_CODE)
    rows = (
        (code, "1.0.0", version, None, _WITH_OLDEST | _WITH_NEWEST, None, "OLDERFOUND"),
        (code, version, None, None, _ONLY_DETECT, None, "NEWERFOUND"),
    )
    conditions = (Column("Condition", "s255", key=True), Column("Description", "l255"))
    refused = ("NOT NEWERFOUND", f"A newer {PRODUCT_NAME} is installed. Uninstall it first.")
    return Table("Upgrade", columns, rows), Table("LaunchCondition", conditions, (refused,))


def _directories() -> Table:
    columns = (Column("Directory", "s72", key=True), Column("Directory_Parent", "S72"), Column("DefaultDir", "l255"))
    rows = (
        ("TARGETDIR", None, "SourceDir"),
        ("ProgramFiles64Folder", "TARGETDIR", "."),
        ("INSTALLDIR", "ProgramFiles64Folder", f"AZURECON|{HOME}"),
    )
    return Table("Directory", columns, rows)


def _components(files: list[CabinetFile]) -> Table:
    """Make one component a file, as the installer's rules want it."""
    columns = (
        Column("Component", "s72", key=True),
        Column("ComponentId", "S38"),
        Column("Directory_", "s72"),
        Column("Attributes", "i2"),
        Column("Condition", "S255"),
        Column("KeyPath", "S72"),
    )
    rows = tuple(
        (_component(file), _guid(uuid.uuid5(_NAMES, file.name)), "INSTALLDIR", _64_BIT, None, file.name)
        for file in files
    )
    return Table("Component", columns, rows)


def _features(files: list[CabinetFile]) -> tuple[Table, Table]:
    columns = (
        Column("Feature", "s38", key=True),
        Column("Feature_Parent", "S38"),
        Column("Title", "L64"),
        Column("Description", "L255"),
        Column("Display", "I2"),
        Column("Level", "i2"),
        Column("Directory_", "S72"),
        Column("Attributes", "i2"),
    )
    feature = ("Agent", None, "Agent (LAB)", SUMMARY, 1, 1, "INSTALLDIR", 0)
    links = (Column("Feature_", "s38", key=True), Column("Component_", "s72", key=True))
    linked = tuple(("Agent", _component(file)) for file in files)
    return Table("Feature", columns, (feature,)), Table("FeatureComponents", links, linked)


def _files(files: list[CabinetFile]) -> tuple[Table, Table]:
    """List the files in the cabinet's order, and the cabinet. A file's key is its name in the cabinet."""
    columns = (
        Column("File", "s72", key=True),
        Column("Component_", "s72"),
        Column("FileName", "l255"),
        Column("FileSize", "i4"),
        Column("Version", "S72"),
        Column("Language", "S20"),
        Column("Attributes", "I2"),
        Column("Sequence", "i2"),
    )
    rows = tuple(
        (file.name, _component(file), _short_and_long(file.name), len(file.content), None, None, 0, place)
        for place, file in enumerate(files, start=1)
    )
    media = (
        Column("DiskId", "i2", key=True),
        Column("LastSequence", "i2"),
        Column("DiskPrompt", "L64"),
        Column("Cabinet", "S255"),
        Column("VolumeLabel", "S32"),
        Column("Source", "S72"),
    )
    return Table("File", columns, rows), Table("Media", media, ((1, len(files), None, f"#{_CABINET}", None, None),))


_EXECUTE = {
    "FindRelatedProducts": 25,
    "LaunchConditions": 100,
    "ValidateProductID": 700,
    "CostInitialize": 800,
    "FileCost": 900,
    "CostFinalize": 1000,
    "InstallValidate": 1400,
    "RemoveExistingProducts": 1401,
    "InstallInitialize": 1500,
    "ProcessComponents": 1600,
    "UnpublishFeatures": 1800,
    "RemoveFiles": 3500,
    "InstallFiles": 4000,
    "RegisterUser": 6000,
    "RegisterProduct": 6100,
    "PublishFeatures": 6300,
    "PublishProduct": 6400,
    "InstallFinalize": 6600,
}
"""The suggested sequence of the SDK ("Suggested InstallExecuteSequence"), what this package needs of it."""
_INTERFACE = {
    "ValidateProductID": 700,
    "CostInitialize": 800,
    "FileCost": 900,
    "CostFinalize": 1000,
    "ExecuteAction": 1300,
}


def _sequences() -> list[Table]:
    columns = (Column("Action", "s72", key=True), Column("Condition", "S255"), Column("Sequence", "I2"))
    tables = []
    for name, sequence in (("InstallExecuteSequence", _EXECUTE), ("InstallUISequence", _INTERFACE)):
        rows = tuple((action, None, place) for action, place in sequence.items())
        tables.append(Table(name, columns, rows))
    return tables


def _component(file: CabinetFile) -> str:
    return f"C_{file.name}"


def _short_and_long(name: str) -> str:
    """Give a name of more than eight letters an MS-DOS name too."""
    stem, _, ending = name.partition(".")
    return name if len(stem) <= 8 else f"{stem[:6].upper()}~1.{ending.upper()}|{name}"


def _guid(code: uuid.UUID) -> str:
    return f"{{{code}}}".upper()
