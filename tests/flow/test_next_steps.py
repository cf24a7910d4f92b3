"""The next step that a command prints can be copied, and works."""

from __future__ import annotations

import shlex
import subprocess

from tests.support.lab_project import Project, Ran


def next_line(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    (line,) = (line for line in ran.out.splitlines() if line.startswith("next: "))
    return line.removeprefix("next: ")


def next_step(ran: Ran) -> list[str]:
    program, *arguments = shlex.split(next_line(ran))
    assert program == "arc-bundler"
    return arguments


def test_each_next_step_works_up_to_a_verified_bundle(project: Project) -> None:
    build = next_step(project.run("lock"))
    assert build[0] == "build"
    verify = next_step(project.run(*build))
    assert verify[0] == "verify"
    verified = project.run(*verify)
    assert verified.code == 0, verified.err
    assert "is intact" in verified.out


def test_anchors_of_the_command_line_are_named_again(project: Project) -> None:
    anchors = ("--anchors", "lab/authority/anchors.json")
    project.define(
        upstream=f"{{windows: '{project.lab.windows_url}/azcmagent', linux: '{project.lab.packages_url}', "
        f"hosts: ['{project.lab.host}'], ca: lab/authority/ca.pem}}"
    )
    assert project.run("lock", *anchors).code == 0
    verify = next_step(project.run("build", "--locked", *anchors))
    assert project.run(*verify).code == 0


def test_a_definition_and_a_lock_of_other_names_are_named_again(project: Project) -> None:
    project.definition.rename(project.folder / "tokyo's.yaml")
    build = next_step(project.run("lock", "-d", "tokyo's.yaml", "--lock", "tokyo.lock"))
    assert (project.folder / "tokyo.lock").is_file()
    assert project.run(*build).code == 0


def test_names_with_blanks_quotes_and_letters_of_a_shell_are_quoted(project: Project) -> None:
    """Each printed command is read by a shell, not by our own code."""
    folder = project.folder / "50% of $HOME & Tokyo's 東京"
    folder.mkdir()
    name = folder.name
    project.definition.rename(folder / "bundle.yaml")
    text = (folder / "bundle.yaml").read_text().replace("lab/", "../lab/")
    (folder / "bundle.yaml").write_text(text)
    step = ["lock", "-d", f"{name}/bundle.yaml"]
    for command in ("build", "verify"):
        line = next_line(project.run(*step)).removeprefix("arc-bundler ")
        read = subprocess.run(["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
        step = read.stdout.splitlines()
        assert step[0] == command
        if command == "build":
            step += ["-o", name]
    assert f"{name}/" in step[1]
    assert project.run(*step).code == 0
