"""An attacker with the sealer's key: changes files of a built bundle, and makes every hash, list and seal fit again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bundler.formats import json_codec
from bundler.formats.script_runtime import END
from bundler.model.manifest import Manifest
from bundler.signing.seal import seals
from bundler.signing.signing_key import Sealer
from tests.support.sealed_bundles import Signer
from tests.support.sealers import Identity


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def reseal(bundle: Path, sealer: Identity, files: Mapping[str, bytes], **stated: Any) -> None:
    """Write ``files`` into the bundle, let its manifest say what is ``stated``, and seal it again."""
    described = json.loads((bundle / "manifest.json").read_bytes()) | stated
    listed = {entry["path"]: entry for entry in described["files"]}
    for name, content in files.items():
        (bundle / name).write_bytes(content)
        entry = listed.setdefault(name, {"path": name, "mode": "0755" if name.endswith(".sh") else "0644"})
        (bundle / name).chmod(int(entry["mode"], 8))
        entry |= {"sha256": digest(content), "size": len(content)}
    described["files"] = [listed[name] for name in sorted(listed, key=str.encode)]
    manifest = json_codec.from_json(Manifest, json.dumps(described).encode())
    (bundle / "manifest.json").write_bytes(json_codec.to_json(manifest))
    names = sorted((*listed, "manifest.json"), key=str.encode)
    sums = "".join(f"{digest((bundle / name).read_bytes())}  {name}\n" for name in names)
    (bundle / "SHA256SUMS").write_bytes(sums.encode())
    key = Signer("p256", sealer.key, (sealer.certificate,))
    documents = {name: (bundle / name).read_bytes() for name in ("SHA256SUMS", "manifest.json")}
    for name, content in seals(documents, Sealer(key, None)).items():
        (bundle / name).write_bytes(content)


def parts(script: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, marker line with its line end, and runtime."""
    start = script.index(b"\n# ==== arc-bundler ") + 1
    end = script.index(b"\n", start) + 1
    return script[:start], script[start:end], script[end:]


def with_runtime(script: bytes, runtime: bytes) -> bytes:
    """The script with another runtime, which its marker line states."""
    header, marker, old = parts(script)
    assert digest(old).encode() in marker
    return header + marker.replace(digest(old).encode(), digest(runtime).encode()) + runtime


def restated(bundle: Path, name: str, script: bytes) -> list[dict[str, str]]:
    """The runtimes that the manifest names, with the one of ``script`` as it is now."""
    rows: list[dict[str, str]] = json.loads((bundle / "manifest.json").read_bytes())["runtimes"]
    return [row | {"digest": digest(parts(script)[2])} if row["script"] == name else row for row in rows]


def with_command(script: bytes, command: bytes) -> bytes:
    """The script with one more line in its runtime, before the end line; the marker line states the new digest."""
    runtime = parts(script)[2]
    end = b"\r\n" if b"\r\n" in runtime else b"\n"
    last = END.encode() + end
    assert runtime.endswith(last)
    return with_runtime(script, runtime.removesuffix(last) + command + end + last)
