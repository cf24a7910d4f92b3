"""Writes the runtimes of this installation for a reviewer: their source files, and joined as scripts have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from bundler.errors import WriteError
from bundler.fetch.disk import writing
from bundler.flow import runtimes
from bundler.integrity import sums
from bundler.pack.staging import Staging

JOINED: Final = "joined"
"""Folder of the joined runtimes, below it one for each product."""


def files(products: Iterable[str]) -> Mapping[str, bytes]:
    """Every file that is written for ``products``, by its path.

    The sources lie as a script names them (``templates/runtime/linux/secret.sh``), with line feeds; the joined files
    (``joined/<product>/install.sh``) have the bundle's line ends, so that their SHA-256 is the runtime's digest.
    """
    found: dict[str, bytes] = {}
    for product in products:
        scripts = runtimes.scripts_of(product)
        for parts in scripts.parts().values() if scripts else ():
            found |= {part.path: part.text.encode("ascii") for part in parts}
        found |= {f"{JOINED}/{product}/{name}": content for name, content in runtimes.joined(product).items()}
    listed = ((path, runtimes.digest(content)) for path, content in found.items() if path.startswith(f"{JOINED}/"))
    return {**found, sums.SUMS: sums.render(listed)}


def extract(products: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Write :func:`files` into ``folder``, all or nothing; gives their paths, sorted.

    Raises:
        WriteError: ``folder`` is there and not an empty folder, or it cannot be written.
    """
    final = folder.resolve()
    with writing(final):
        taken = final.exists() and (not final.is_dir() or any(final.iterdir()))
    if taken:
        raise WriteError(f"{folder} already exists and is not an empty folder", do="name another folder")
    content = files(products)
    with Staging(final, needed=sum(map(len, content.values()))) as work, writing(final):
        for path, document in content.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(document)
        if final.exists():
            final.rmdir()  # it is empty; Windows lets no folder take the place of another
    return tuple(sorted(content))
