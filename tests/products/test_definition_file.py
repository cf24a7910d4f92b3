"""A definition's faults of shape: all at once, each with its line, path, what is allowed and the nearest spelling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.definition.common import digest, version
from bundler.definition.load import Loaded, describe
from bundler.errors import DefinitionError, Fault
from bundler.formats import json_codec
from bundler.products import definition_file
from bundler.products.arc_server import rules
from bundler.products.arc_server.canonical import canonical
from bundler.products.arc_server.definition import Definition

FILE = Path("site") / "bundle.yaml"
TODAY = date(2026, 11, 23)

GOOD = """\
name: arc-tokyo
version: "{date}"
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resource_group: rg-arc
location: japaneast
authentication:
  method: device-code
targets:
  - os: windows
    version: "2022"
  - os: ubuntu
    version: "22.04"
"""

GATEWAY = (
    "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/g/providers/Microsoft.HybridCompute/gateways/n"
)
BEFORE_TARGETS = GOOD.partition("targets:")[0]


def faults_of(text: str, **options) -> list[Fault]:
    with pytest.raises(DefinitionError) as caught:
        definition_file.load(FILE, text.encode(), **options)
    assert caught.value.exit_code == 3
    return others(caught.value.faults)


def load(text: str, **options) -> Loaded:
    return definition_file.load(FILE, text.encode(), **options)


def others(faults: Sequence[Fault]) -> list[Fault]:
    """All but the warning that a Windows target without a word about SQL Server has."""
    return [fault for fault in faults if not (fault.path == "tags" and "SQL Server" in fault.message)]


def test_a_good_definition():
    loaded = load(GOOD, today=TODAY)
    assert others(loaded.warnings) == []
    assert loaded.folder == Path("site")
    assert loaded.definition.name == "arc-tokyo"
    assert [str(wanted.target) for wanted in loaded.definition.targets] == ["windows/2022/x64", "ubuntu/22.04/x64"]
    assert loaded.definition.cloud == "AzureCloud"
    assert [(out.format, out.archives) for out in loaded.definition.outputs] == [("zip", "together")]


def also(more: str) -> tuple[str, str]:
    """``more`` as line 7 of the good definition."""
    return "location: japaneast", f"location: japaneast\n{more}"


PORTS = "agent.incoming_connections.ports"


@pytest.mark.parametrize(
    ("change", "line", "path", "words", "allowed"),
    [
        (("arc-tokyo", "5"), 1, "name", 'write "5"', "text"),
        (('"{date}"', "1.60"), 2, "version", 'would become 1.6: write "1.60"', "text"),
        (('"{date}"', "1.67"), 2, "version", '1.67 without quotes is a number: write "1.67"', "text"),
        (('"22.04"', "22.10"), 13, "targets.1.version", 'would become 22.1: write "22.10"', ""),
        (('"22.04"', "9"), 13, "targets.1.version", 'write "9"', "text"),
        (("arc-tokyo", "true"), 1, "name", "true without quotes is true or false", "text"),
        (("name:", "nmae:"), 1, "nmae", "did you mean 'name'?", "name"),
        (("name:", "nmae:"), 1, "name", "is missing", "text"),
        (("device-code", "device"), 8, "authentication.method", "did you mean 'device-code'?", "interactive"),
        (("ubuntu", "Ubunto"), 12, "targets.1.os", "did you mean 'ubuntu'?", "ubuntu, debian"),
        (("ubuntu", "ubuntu\n    arch: x64"), 13, "targets.1.arch", "there is no key 'arch' here", "architecture"),
        (("japaneast", ""), 6, "location", "is empty", "text"),
        (("japaneast", "[a]"), 6, "location", "is a list, not text", "text"),
        (("method: device-code", "- device-code"), 7, "authentication", "is a list, not a mapping", "method"),
        (also("tags: {a: 1}"), 7, "tags.a", 'write "1"', "text"),
        (also("tags: [a]"), 7, "tags", "is a list", "a mapping"),
        (also("outputs: []"), 7, "outputs", "is an empty list", "a list"),
        (also("agent: {guest_configuration: no}"), 7, "agent.guest_configuration", "is text", "true or false"),
        (also("agent: {incoming_connections: {ports: [22, 70000]}}"), 7, f"{PORTS}.1", "out of range", "1 to 65535"),
        (also("agent: {incoming_connections: {ports: [0]}}"), 7, f"{PORTS}.0", "0 is out of range", "1 to 65535"),
        (also('agent: {incoming_connections: {ports: ["22"]}}'), 7, f"{PORTS}.0", "is text", "whole number"),
        (also("network: {proxy: {}}"), 7, "network.proxy.url", "is missing", "text"),
        (also("network: {proxy: {url: 'http://p:1', bypass: [arc]}}"), 7, "network.proxy.bypass.0", "'Arc'?", "AAD"),
        (also("outputs: [{format: tgz}]"), 7, "outputs.0.format", "is not supported", "tar.gz"),
        (also("product: asr-appliance"), 7, "product", "is not supported", "arc-server"),
        (also("cloud: AzurePublic"), 7, "cloud", "is not supported", "AzureUSGovernment"),
    ],
)
def test_a_fault_of_shape(change, line, path, words, allowed):
    old, new = change
    assert old in GOOD
    found = faults_of(GOOD.replace(old, new, 1))
    told = [fault for fault in found if fault.path == path]
    assert len(told) == 1, found
    assert (told[0].line, words in told[0].message, allowed in told[0].allowed) == (line, True, True), told[0]
    assert told[0].severity == "error"


@pytest.mark.parametrize("text", ["5", "text", "[1]", "true", "- a: 1"])
def test_a_definition_is_a_mapping(text):
    fault = faults_of(text)[0]
    assert (fault.path, fault.line) == ("", 1)
    assert "not a mapping" in fault.message


def test_faults_of_shape_and_sense_come_together_in_the_order_of_lines():
    text = GOOD.replace("tenant: 11111111", "tenant: 1111").replace("  - os: ubuntu", "  - os: ubunto")
    text = (
        text.replace('version: "2022"', 'version: "2022"\n  - os: rhel\n    version: "6"')
        + "outputs: [{format: zip, encrypted: true}]\n"
    )
    found = [(fault.line, fault.path) for fault in faults_of(text)]
    assert found == [(3, "tenant"), (13, "targets.1.version"), (14, "targets.2.os"), (16, "outputs.0.encrypted")]


def test_a_broken_item_moves_no_other():
    """A target that is taken out while the others are judged leaves them their numbers."""
    lines = [f"  - {{os: rhel, version: {v}}}" for v in ('"6"', "7", '"5"', "8", "x: {}", '"4"')]
    text = BEFORE_TARGETS + "targets:\n" + "\n".join(lines[:4] + lines[5:]) + "\n"
    assert [fault.path for fault in faults_of(text)] == [f"targets.{i}.version" for i in range(5)]


def test_what_rests_on_a_broken_part_is_not_judged():
    text = GOOD + f"network: {{profile: gatway, gateway_id: {GATEWAY}}}\n"
    assert [fault.path for fault in faults_of(text)] == ["network.profile"]


def test_broken_targets_say_nothing_of_what_needs_them():
    """The target that stands in for broken ones is a Linux: it must not be held against an interactive login."""
    text = BEFORE_TARGETS.replace("device-code", "interactive") + "targets: [{os: window}]\n"
    assert [fault.path for fault in faults_of(text)] == ["targets.0.os"]


def test_without_targets_only_that_is_said():
    assert [f.path for f in faults_of(BEFORE_TARGETS)] == ["targets"]
    assert [f.path for f in faults_of(BEFORE_TARGETS + "targets: []\n")] == ["targets"]
    assert [f.path for f in faults_of(BEFORE_TARGETS + "targets: [1, 2]\n")] == ["targets.0", "targets.1"]


def test_a_syntax_error_has_its_line():
    fault = faults_of(GOOD + "network: {profile: public\n")[0]
    assert fault.line == 15
    assert "not YAML" in fault.message


def test_strict_makes_warnings_errors():
    text = GOOD.replace("japaneast", "japannorth")
    loaded = load(text)
    assert [(w.path, w.severity, w.line) for w in others(loaded.warnings)] == [("location", "warning", 6)]
    assert "are known here (table of 2026-05-16)" in others(loaded.warnings)[0].message
    assert [fault.path for fault in faults_of(text, strict=True)] == ["location"]


def test_a_fault_is_described_as_compilers_do():
    fault = Fault(path="a.b", message="is wrong", allowed="right", source="doc.md", line=3)
    assert describe(Path("b.yaml"), fault) == "b.yaml:3: a.b: is wrong; allowed: right; source: doc.md"


# --- secrets ---------------------------------------------------------------------------------------------------------

SECRET_KEYS = [
    "secret",
    "client_secret",
    "service_principal_secret",
    "Password",
    "proxyPassword",
    "passphrase",
    "token",
]
SECRET_KEYS += ["access_token", "pwd", "api_key", "private-key", "sasKey", "credentials", "clientSecret"]


@pytest.mark.parametrize("key", SECRET_KEYS)
@pytest.mark.parametrize(
    "place",
    [
        "{}: x",
        "tags: {{ {}: x }}",
        "network: {{ proxy: {{ url: 'http://p:1', {}: x }} }}",
        "outputs: [{{format: 7z, {}: x}}]",
    ],
)
def test_a_key_named_like_a_secret_is_refused(key, place):
    found = [fault for fault in faults_of(GOOD + place.format(key) + "\n") if fault.path.split(".")[-1] == key]
    assert len(found) == 1
    assert "named like a secret" in found[0].message
    assert "the script on the server asks for it" in found[0].allowed


@settings(max_examples=30)
@given(
    before=st.text("abcxyz_-", max_size=8),
    word=st.sampled_from(["secret", "password", "token"]),
    after=st.text("abc_", max_size=5),
)
def test_every_key_with_a_secret_word_is_refused(before, word, after):
    found = faults_of(GOOD + f'"{before}{word}{after}": "x"\n')
    assert any("named like a secret" in fault.message for fault in found)


@pytest.mark.parametrize(
    "secret",
    [
        "Abc8Q~" + "x" * 34,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "https://x.blob.core.windows.net/c/f?sv=1&sig=abcdefghijklmnopqrst%3D",
    ],
)
def test_a_value_that_looks_like_a_secret_is_refused_and_not_shown(secret):
    for text in (GOOD + f"tags: {{note: '{secret}'}}\n", GOOD.replace("name: arc-tokyo", f"name: '{secret}'")):
        found = faults_of(text)
        assert any("looks like a secret" in fault.message for fault in found)
        assert not any(secret in describe(FILE, fault) for fault in found)


def test_no_field_can_hold_a_secret():
    """Every key of the schema is free of the words that the check for secrets looks for."""
    shapes = [definition_file.schema(), *definition_file.schema()["$defs"].values()]
    # One that takes a few given words is a policy, and holds nothing of the author's own.
    keys = [key for shape in shapes for key, field in shape["properties"].items() if "enum" not in field]
    assert "service_principal_id" in keys
    assert not [key for key in keys if any(word in key for word in ("secret", "password", "token", "key"))]


# --- schema ----------------------------------------------------------------------------------------------------------

SCHEMA = jsonschema.Draft202012Validator(definition_file.schema())


def test_the_schema_is_a_schema_of_2020_12():
    jsonschema.Draft202012Validator.check_schema(definition_file.schema())
    assert definition_file.schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_takes_a_good_definition_and_describes_every_key():
    assert SCHEMA.is_valid(yaml.safe_load(GOOD))
    shapes = [definition_file.schema(), *definition_file.schema()["$defs"].values()]
    for shape in shapes:
        for key, part in shape.get("properties", {}).items():
            assert part.get("description"), key


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "[]",
        GOOD + "x: 1\n",
        GOOD + "tags: {a: 1}\n",
        GOOD + "targets: []\n",
        GOOD + "agent: {version: 1.6}\n",
        GOOD + "agent: {mode: none}\n",
        GOOD + "network: {proxy: {}}\n",
        GOOD + "outputs: [{format: rar}]\n",
        GOOD.replace("name: arc-tokyo\n", ""),
        GOOD.replace("arc-tokyo", "5"),
        GOOD + "cloud: x\n",
        GOOD + "agent: {incoming_connections: {ports: [65536]}}\n",
        GOOD + "upstream: {packages: [{path: x}]}\n",
    ],
)
def test_the_schema_refuses_what_the_shape_refuses(text):
    tree = yaml.safe_load(text)
    assert not SCHEMA.is_valid(tree)
    with pytest.raises(json_codec.RecordError):
        json_codec.from_tree(Definition, tree)


_scalars = st.none() | st.booleans() | st.integers(-2, 70000) | st.text("abc.-19", max_size=6) | st.just(1.5)


def _around(inner):
    return st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2)


_trees = st.recursive(_scalars, _around, max_leaves=4)


@st.composite
def spoiled(draw):
    """A definition of which one part, at any depth, was replaced by anything."""
    tree = yaml.safe_load(GOOD)
    tree["agent"] = {"extensions": {"allowlist": ["a/b"]}, "incoming_connections": {"ports": [22]}}
    tree["network"] = {"proxy": {"url": "http://p:1"}}
    tree["outputs"] = [{"format": "7z"}]
    tree["upstream"] = {"packages": [{"target": "windows/2022/x64", "path": "x"}], "repositories": {"rhel/9": "x"}}
    here = tree
    while True:
        key = draw(st.sampled_from(list(here) if isinstance(here, dict) else list(range(len(here)))))
        if not (isinstance(here[key], (dict, list)) and here[key] and draw(st.booleans())):
            break
        here = here[key]
    here[key] = draw(_trees)
    return tree


@settings(max_examples=100)
@given(spoiled())
def test_what_the_shape_refuses_the_schema_refuses(tree):
    try:
        json_codec.from_tree(Definition, tree)
        shaped = True
    except json_codec.RecordError:
        shaped = False
    assert SCHEMA.is_valid(tree) == shaped


@settings(max_examples=60)
@given(spoiled(), spoiled())
def test_anything_anywhere_is_loaded_or_refused(one, two):
    tree = {**one, "targets": two["targets"], "network": two["network"], "upstream": two["upstream"]}
    try:
        load(json.dumps(tree), today=TODAY)
    except DefinitionError as error:
        found = error.faults
    else:
        return
    assert any(fault.severity == "error" for fault in found)
    assert len({(fault.path, fault.message) for fault in found}) == len(found)


# --- meaning ---------------------------------------------------------------------------------------------------------


def test_the_digest_is_of_the_meaning():
    base = digest(load(GOOD).definition)
    commented = "# hello\n" + GOOD.replace("name: arc-tokyo\n", "") + "name: 'arc-tokyo'  # quoted\ncloud: AzureCloud\n"
    assert digest(load(commented).definition) == base
    assert digest(load(GOOD.replace("japaneast", "Japan East")).definition) == base
    assert digest(load(GOOD + "agent: {version: latest}\n").definition) == base
    assert digest(load(GOOD.replace("rg-arc", "rg-arc2")).definition) != base
    assert digest(load(GOOD + "agent: {mode: monitor}\n").definition) != base


def test_tags_in_another_order_are_the_same_tags():
    one, two = (digest(load(GOOD + f"tags: {tags}\n").definition) for tags in ("{a: x, b: y}", "{b: y, a: x}"))
    assert one == two


def test_identifiers_are_normalised():
    text = GOOD.replace("11111111-1111-4111-8111-111111111111", "ABCDEFAB-1111-4111-8111-111111111111")
    text = text.replace(
        "method: device-code",
        "method: service-principal-certificate\n  certificate_thumbprint: 'aa:bb cc"
        + "dd" * 17
        + "'\n  service_principal_id: 33333333-3333-4333-8333-33333333AAAA",
    )
    text = text.replace('  - os: ubuntu\n    version: "22.04"\n', "")
    definition = load(text).definition
    assert definition.tenant.startswith("abcdefab-")
    assert definition.authentication.certificate_thumbprint == "AABBCC" + "DD" * 17
    assert definition.authentication.service_principal_id.endswith("aaaa")


def test_the_version_is_filled():
    definition = load(GOOD).definition
    agents = {"windows/x64": "1.67.03504.3207", "ubuntu/22.04/amd64": "1.67.03504.1320"}
    assert version(definition, TODAY, {}, agents) == "2026.11.23"


_words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_guids = st.uuids(version=4).map(str)
_linux = st.sampled_from([("ubuntu", "22.04"), ("debian", "12"), ("rhel", "8"), ("sles", "15.5"), ("amazon", "2023")])


@st.composite
def definitions(draw):
    targets = [
        {"os": os, "version": version} for os, version in draw(st.lists(_linux, min_size=1, max_size=4, unique=True))
    ]
    tree = {
        "name": draw(_words),
        "tenant": draw(_guids),
        "subscription": draw(_guids),
        "resource_group": draw(_words),
        "location": "japaneast",
        "tags": draw(st.dictionaries(_words.map("t-{}".format), st.text("abc é日 .", max_size=10), max_size=3)),
        "authentication": {"method": "service-principal-secret", "service_principal_id": draw(_guids)},
        "targets": targets,
        "agent": {
            "version": draw(st.sampled_from(["latest", "1.67", "1.60"])),
            "extensions": {
                "enabled": draw(st.none() | st.just(True)),
                "blocklist": draw(st.lists(_words.map("P/{}".format), unique=True, max_size=3)),
            },
        },
    }
    if draw(st.booleans()):
        tree["network"] = {"profile": "microsoft-peering", "proxy": {"url": "http://proxy:8080", "bypass": ["Arc"]}}
    return tree


class _Quoting(yaml.SafeDumper):
    """Puts every text in quotes: PyYAML leaves them off where its own YAML 1.1 sees no number (0e0), and we see one."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def written(tree, **how) -> str:
    return yaml.dump(tree, Dumper=_Quoting, **how)


@settings(max_examples=40)
@given(definitions(), st.booleans())
def test_a_good_definition_survives_being_written_and_read(tree, sorting):
    from hypothesis import assume

    assume(not (tree["name"].startswith(("con", "prn", "aux", "nul")) and len(tree["name"]) <= 4))
    text = written(tree, allow_unicode=True, sort_keys=sorting)
    try:
        loaded = load(text, today=TODAY)
    except DefinitionError as error:
        raise AssertionError([describe(FILE, fault) for fault in error.faults]) from None
    again = json_codec.from_json(Definition, json_codec.to_json(loaded.definition))
    assert again == loaded.definition == canonical(json_codec.from_tree(Definition, tree))
    assert digest(load(written(json_codec.to_tree(loaded.definition))).definition) == digest(loaded.definition)


_LINES = GOOD.splitlines(keepends=True)


@given(st.data())
def test_any_mutation_is_loaded_or_refused_with_faults(data):
    lines = list(_LINES)
    extra = [
        "agent:\n",
        "  mode: monitor\n",
        "network: {profile: gateway}\n",
        "tags: {a: b}\n",
        "outputs: [1, {format: zip}]\n",
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "swap", "indent", "insert", "garble"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "swap":
                lines[at], lines[0] = lines[0], lines[at]
            case "indent":
                lines[at] = "  " + lines[at]
            case "insert":
                lines.insert(at, data.draw(st.sampled_from(extra)))
            case _:
                lines[at] = lines[at].partition(":")[0] + ": " + data.draw(st.text("0.1[]{}ab,:-'~", max_size=6)) + "\n"
    try:
        load("".join(lines), today=TODAY)
    except DefinitionError as error:
        found = error.faults
    else:
        return
    assert found
    assert all(1 <= fault.line <= len(lines) + 1 for fault in found)


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_the_documented_error(document):
    with pytest.raises(DefinitionError):
        definition_file.load(FILE, document)


def test_the_sample_that_stands_in_is_right():
    assert load(yaml.safe_dump(rules.SAMPLE), today=TODAY).warnings == ()
