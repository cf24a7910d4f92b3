"""The parts of install.sh that can be asked alone, in a real bash: JSON out, JSON in, versions."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.render import quoting
from bundler.render.template_files import templates

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


def asked(bash: str, part: str, script: str) -> list[bytes]:
    """What each call printed, apart from each other by a NUL."""
    source = "".join((templates() / "runtime/linux" / f"{name}.sh").read_text() for name in part.split())
    text = f"set -u\nexport LC_ALL=C\n{source}\n{script}"
    done = subprocess.run([bash, "-s"], input=text.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.split(b"\0")[:-1]


def each(function: str, calls) -> str:
    return "".join(f"{function} {' '.join(map(quoting.bash, call))}; printf '\\0'\n" for call in calls)


@settings(max_examples=15, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=30))
def test_text_becomes_json(bash, values):
    printed = asked(bash, "json", each("json_string", [[value] for value in values]))
    assert [json.loads(text) for text in printed] == values


# As Go writes it, which is what the agent is made of: it escapes <, > and & and leaves the rest.
GO_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


def go_json(value, indent):
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            GO_TEXT,
            st.recursive(GO_TEXT | st.booleans() | st.integers(), lambda inner: st.lists(inner, max_size=3)),
            st.dictionaries(st.sampled_from(["status", "Name", "x"]), GO_TEXT, max_size=3),
            st.sampled_from([None, 1, 4]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_only_the_outermost_value_of_a_key_is_read(bash, cases):
    calls = []
    for status, other, nested, indent in cases:
        value = {"a": other, "nested": nested, "list": [nested, "status"], "Status": status, "last": nested}
        calls.append([go_json(value, indent), "status"])
    printed = asked(bash, "json", each("json_value", calls))
    assert [text.decode() for text in printed] == [status for status, *_ in cases]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "}",
        "[]",
        '{"a": {"status": "x"}}',
        '{"a": "status"}',
        '{"a": ["status", "x"]}',
        "no json",
        '{"status"',
        "'",
    ],
)
def test_what_has_no_such_key_gives_nothing(bash, text):
    # In a condition as in the script, so that a non-zero return is no error.
    script = f"if json_value {quoting.bash(text)} status; then printf found; fi; printf '\\0'"
    assert asked(bash, "json", script) == [b""]


ORDERED = ["1.9", "1.10.0", "1.66.03471.1262", "1.67.03504.809", "1.67.03504.1320", "1.100.00008.09", "2"]


def test_versions_are_compared_by_their_numbers(bash):
    pairs = [(a, b) for a in ORDERED for b in ORDERED]
    printed = asked(bash, "versions", each("compare_versions", pairs))
    wanted = [(ORDERED.index(a) > ORDERED.index(b)) - (ORDERED.index(a) < ORDERED.index(b)) for a, b in pairs]
    assert [int(text) for text in printed] == wanted


def test_an_rpm_and_a_deb_write_the_same_version_differently(bash):
    calls = [("1.67.03504-1320", "1.67.03504.1320"), ("", "1"), ("1.0", "1")]
    assert [int(text) for text in asked(bash, "versions", each("compare_versions", calls))] == [0, -1, 0]


DATES = ["Mon, 23 Nov 2026 22:02:18 GMT", "Thu, 29 Feb 2024 00:00:00 GMT", "Wed, 01 Jan 2025 23:59:59 GMT",
         "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 01 Mar 2026 08:09:09 GMT"]  # fmt: skip


def test_the_date_of_an_answer_is_read(bash):
    wanted = [int(parsedate_to_datetime(date).timestamp()) for date in DATES]
    assert [int(text) for text in asked(bash, "clock", each("http_seconds", [[date] for date in DATES]))] == wanted


ADDRESSES = [
    "10.0.0.1", "172.15.0.1", "172.16.0.1", "172.31.255.255", "172.32.0.1", "192.168.1.1", "192.169.1.1", "100.63.0.1",
    "100.64.0.1", "100.127.0.1", "100.128.0.1", "169.254.1.1", "127.0.0.1", "20.190.1.1", "1.10.0.1", "fd00::1",
    "fc00::1", "fe80::1", "::1", "2603:1040::1", "::ffff:10.0.0.1", "::ffff:20.1.1.1",
]  # fmt: skip


def test_an_address_is_private_or_public(bash):
    def kind(text):
        address = ipaddress.ip_address(text)
        address = getattr(address, "ipv4_mapped", None) or address
        shared = address.version == 4 and address in ipaddress.ip_network("100.64.0.0/10")
        return b"private\n" if address.is_private or shared else b"public\n"

    assert asked(bash, "verdicts", each("address_kind", [[one] for one in ADDRESSES])) == [
        kind(one) for one in ADDRESSES
    ]


@pytest.mark.parametrize(
    ("text", "organisation"),
    [
        ("C = US, O = Microsoft Corporation, CN = Microsoft Azure RSA TLS Issuing CA 04", "Microsoft Corporation"),
        ("C=US, O=DigiCert Inc, CN=DigiCert Global G2 TLS RSA SHA256 2020 CA1", "DigiCert Inc"),
        ("/C=US/O=Microsoft Corporation/CN=Microsoft Azure TLS Issuing CA 01", "Microsoft Corporation"),
        ('C = DE, O = "Contoso, Ltd.", CN = Inspect', "Contoso, Ltd."),
        ("C=US; O=Microsoft Corporation; CN=x", "Microsoft Corporation"),
        ("CN = proxy.local", "CN = proxy.local"),
    ],
)
def test_who_issued_a_certificate(bash, text, organisation):
    assert asked(bash, "network_table", each("issuer_text", [[text]])) == [organisation.encode()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:pass@proxy:3128/", "http://***@proxy:3128/"),
        ("http://user@proxy:3128", "http://***@proxy:3128"),
        ("http://us%40er:p@s:s@[fd00::1]:3128 and https://a:b@c", "http://***@[fd00::1]:3128 and https://***@c"),
        ("HTTPS_PROXY=user:pass@proxy:3128", "HTTPS_PROXY=***@proxy:3128"),
        ('{"proxy":"user:p@ss@proxy"}', '{"proxy":"***@proxy"}'),
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("12:30:00 mail to root@example", "12:30:00 mail to root@example"),
        ("https://host/path@x:1", "https://host/path@x:1"),
        ("set proxy.url=http://u:p@h proxy.bypass=Arc", "set proxy.url=http://***@h proxy.bypass=Arc"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_password(bash, text, shown):
    """On screen and in the receipt by bash itself, in what programs say by sed: both hide the same."""
    quoted = quoting.bash(text)
    script = f"hide {quoted}; printf '%s\\0' \"$HIDDEN\"\n"
    script += f"printf '%s\\0' \"$(printf '%s\\n' {quoted} | hide_lines)\"\n"
    assert [part.decode() for part in asked(bash, "secret_forms held_secrets text hide", script)] == [shown, shown]


# What begins a line or turns the order of letters, and what stands beside it in Unicode.
MARKS = "\x80\x85\x9b\x9f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069"
NO_MARKS = "\xa0\u061b\u061d\u200d\u2010\u2027\u202f\u2065\u206a\u00e9\u6771\U0001f600"


def test_marks_that_begin_a_line_or_turn_letters_are_not_shown(bash):
    text = quoting.bash("".join(f"a{mark}b" for mark in MARKS + NO_MARKS))
    wanted = "a?b" * len(MARKS) + "".join(f"a{mark}b" for mark in NO_MARKS)
    script = f"readable {text}; printf '%s\\0' \"$READABLE\"\n"
    script += f"hide {text}; printf '%s\\0' \"$HIDDEN\"\n"
    script += f"printf '%s\\0' \"$(printf '%s\\n' {text} | hide_lines)\"\n"
    printed = asked(bash, "secret_forms held_secrets text hide", script)
    assert [part.decode() for part in printed] == [wanted] * 3


def test_text_is_taken_apart_without_a_file(bash):
    script = "for text in '' a $'a\\n' $'a\\nb' $'\\n\\nb'; do\n"
    script += "lines_of \"$text\"; printf '<%s>' \"${TEXT_LINES[@]}\"; printf '\\0'; done"
    assert asked(bash, "text", script) == [b"<>", b"<a>", b"<a><>", b"<a><b>", b"<><><b>"]
