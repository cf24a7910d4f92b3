"""Which products there are: the built-in ones first, and what other distributions bring, good or bad."""

from __future__ import annotations

import sys

import pytest

from bundler import __version__
from bundler.cli.main import main
from bundler.products import registry
from tests.support import plugins

fresh = pytest.fixture(autouse=True)(plugins.forgotten)


@pytest.fixture
def hello(monkeypatch, tmp_path):
    plugins.install_hello(monkeypatch, tmp_path / "site")


def test_without_plug_ins_there_are_the_built_in_products_alone():
    assert registry.names()[0] == registry.DEFAULT == "arc-server"
    assert registry.find("arc-server").tool == f"arc-bundler {__version__}"
    with pytest.raises(registry.UnknownProduct, match="no installed product is called 'hello'"):
        registry.get("hello")


def test_a_plug_in_is_listed_and_not_loaded(hello, capsys):
    sys.modules.pop("arc_hello", None)
    assert main(["--version", "-v"]) == 0
    assert "product hello: arc-hello 1.0" in capsys.readouterr().out
    assert "arc_hello" not in sys.modules
    assert registry.find("hello").tool == f"arc-bundler {__version__} + arc-hello 1.0"
    assert registry.loaded("hello") is None
    assert registry.get("hello").name == "hello"
    assert registry.loaded("hello") is registry.get("hello")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('boom')", "raises RuntimeError when it is loaded: boom"),
        ("import nothing_like_this", "raises ModuleNotFoundError"),
        ("OTHER = 1", "raises AttributeError"),
        ("HELLO = 'hello'", "is str, not an instance of a subclass of Product"),
        (
            "from bundler.products.arc_server.product import ArcServer\nHELLO = ArcServer()",
            "calls itself 'arc-server'",
        ),
        ("from bundler.products.product import Product\nclass H(Product): pass\nHELLO = H()", "raises TypeError"),
    ],
)
def test_a_plug_in_that_cannot_be_used_names_its_distribution(monkeypatch, tmp_path, code, said, capsys):
    module = f"broken_{abs(hash(said))}"
    plugins.install(
        monkeypatch, tmp_path / "site", product="broken", value=f"{module}:HELLO", distribution="arc-broken", code=code
    )
    with pytest.raises(registry.ProductFault) as caught:
        registry.get("broken")
    assert "arc-broken 1.0" in caught.value.what
    assert said in caught.value.what
    # The built-in products go on working.
    assert registry.get("arc-server").name == "arc-server"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundle.yaml").write_text("product: broken\nname: x\n")
    assert main(["plan"]) == 2
    assert "arc-broken 1.0" in capsys.readouterr().err
    assert main(["init", "--definition", "other.yaml"]) == 0


CODES = """
from bundler.products.product import ExitCode
from arc_hello import Hello
class Coded(Hello):
    name = "coded"
    exit_codes = ({})
HELLO = Coded()
"""


@pytest.mark.parametrize(
    ("codes", "fault"), [("", ""), ("ExitCode(299, 'mine', 'Do.'),", ""), ("ExitCode(200, 'mine', 'Do.'),", "200")]
)
def test_one_number_has_one_meaning_in_every_product_s_table(hello, monkeypatch, tmp_path, codes, fault):
    module = f"coded_{codes[9:12]}"
    code = CODES.format(codes)
    plugins.install(
        monkeypatch, tmp_path / "coded", product="coded", value=f"{module}:HELLO", distribution="arc-coded", code=code
    )
    if not fault:
        assert registry.get("coded").name == "coded"
        return
    with pytest.raises(registry.ProductFault, match="gives exit code 200 another meaning"):
        registry.get("coded")


def test_a_built_in_product_cannot_be_shadowed(monkeypatch, tmp_path, capsys):
    plugins.install(
        monkeypatch, tmp_path, product="arc-server", value="shadow:X", distribution="arc-shadow", code="raise Exception"
    )
    assert type(registry.get("arc-server")).__module__ == "bundler.products.arc_server.product"
    assert main(["--version", "-v"]) == 0
    assert "arc-shadow 1.0 (its name is that of a built-in product: it is never used)" in capsys.readouterr().out


def test_a_name_that_two_distributions_take_is_neither_s(monkeypatch, tmp_path, capsys):
    plugins.install_hello(monkeypatch, tmp_path / "one")
    plugins.install(monkeypatch, tmp_path / "two", product="hello", value="two:X", distribution="arc-second")
    with pytest.raises(registry.ProductFault) as caught:
        registry.get("hello")
    assert all(who in caught.value.what for who in ("arc-hello 1.0", "arc-second 1.0"))
    assert main(["--version", "-v"]) == 0
    assert capsys.readouterr().out.count("its name is taken by another distribution") == 2


def test_a_definition_of_an_unknown_product_is_refused_with_its_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bundle.yaml").write_text("name: x\nproduct: arc-sever\n")
    assert main(["plan"]) == 3
    said = capsys.readouterr().err
    assert "line 2: product: 'arc-sever' is not supported" in said
    assert "did you mean 'arc-server'?" in said


def test_init_and_schema_are_the_product_s(hello, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--product", "hello", "--name", "greeting"]) == 0
    assert "product: hello\nname: greeting\n" in (tmp_path / "bundle.yaml").read_text()
    assert main(["plan"]) == 0
    capsys.readouterr()
    assert main(["schema", "--product", "hello"]) == 0
    assert '"repository"' in capsys.readouterr().out
