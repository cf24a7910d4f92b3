"""The product's files of one bundle, and what the manifest says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bundler.formats import json_codec
from bundler.products.arc_server import scripts
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.endpoints import endpoints
from bundler.products.arc_server.network_requirements import requirements
from bundler.products.arc_server.parameters import from_definition
from bundler.products.arc_server.script_parameters import Attachments, ScriptParameters
from bundler.products.arc_server.support import support
from bundler.products.product import BundlePart, Contents

Part = BundlePart[Definition, Attachments]


def contents(part: Part) -> Contents:
    """Scripts, settings, endpoints and certificates of ``part``. Raises DefinitionError."""
    wanted = script_parameters(part)
    definition, attachments = part.definition, part.attachments
    files = {
        "config/endpoints.json": json_codec.to_json(endpoints(definition)),
        **part.files,
        **{held.described.path: held.pem for held in attachments.certificates},
    }
    entries = scripts.entries(
        wanted,
        part.pins,
        name=part.name,
        version=part.version,
        lab=part.lab,
        tool=part.tool,
        seal_policy=part.seal_policy,
        scripts_signed_by=part.scripts_signed_by,
        extra=files,
    )
    return Contents(
        entries=entries,
        parameters=flat_parameters(wanted),
        unusual=tuple(_unusual(wanted)),
        network_requirements=requirements(definition, attachments).allow,
        support=support(part.pins),
    )


def script_parameters(part: Part) -> ScriptParameters:
    """What the scripts have baked in. A lab signs its MSI itself: the root of Microsoft's signature is not needed."""
    wanted = from_definition(part.definition, part.attachments)
    if not part.lab:
        return wanted
    return replace(wanted, roots=tuple(root for root in wanted.roots if root.needed_for != "msi-signature"))


def flat_parameters(parameters: ScriptParameters) -> Mapping[str, str]:
    """The script parameters by dotted name, for a reviewer and for ``inspect``."""
    bare = replace(parameters, settings=(), tags={}, checks=(), untested=(), roots=())
    flat = {name: text for name, text in json_codec.to_tree(bare).items() if isinstance(text, str) and text}
    flat |= {f"tags.{name}": text for name, text in parameters.tags.items()}
    flat |= {f"settings.{setting.key}": setting.value for setting in parameters.settings}
    flat |= {f"untested.{one.host}": one.why for one in parameters.untested}
    flat |= {f"hosts.{record.host}": record.address for record in parameters.hosts_records}
    flat |= {f"certificates.{one.sha1}": one.name for one in parameters.certificates}
    if parameters.identity.members:
        flat["identity.members"] = ",".join(parameters.identity.members)
    flat |= {f"identity.{key}": "true" for key in ("environment", "prove") if getattr(parameters.identity, key)}
    return dict(sorted(flat.items()))


def _unusual(parameters: ScriptParameters) -> Iterable[str]:
    """What a reviewer should look at twice: a secret, and CAs, which can impersonate any host to the servers."""
    if parameters.embedded_secret:
        yield f"HOLDS A SECRET: {parameters.embedded_secret}; anyone who opens the archive can read it"
    for one in parameters.certificates:
        kind = "root" if one.store == "root" else "intermediate"
        yield f"carries the {kind} {one.name} ({one.sha1}), which the scripts install only with the switch for it"
