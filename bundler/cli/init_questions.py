"""Asks the questions of ``init``, the network first, and checks each answer at once by the definition's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from bundler.cli import told_warnings
from bundler.cli.errors import format_fault
from bundler.cli.held_secrets import redact
from bundler.errors import Fault, UsageError
from bundler.products.question import TARGETS, Question
from bundler.render.escape_control import escape_line

if TYPE_CHECKING:
    from bundler.products.product import AnyProduct, StarterAnswers


@dataclass
class Interview:
    """The answers so far, from options, from the lab, and from a person."""

    product: AnyProduct
    base: StarterAnswers
    """What no question is about: name, outputs and upstream."""
    values: dict[str, str] = field(default_factory=dict)

    def accept(self, question: Question, text: str) -> list[Fault]:
        """Take ``text`` as the answer if the rules allow it; returns what they say, and takes nothing on an error."""
        word = _chosen(question, text)
        former, self.values[question.key] = self.values.get(question.key), word
        found = self._faults(question)
        if any(fault.severity == "error" for fault in found):
            self.values.pop(question.key)
            if former is not None:
                self.values[question.key] = former
        return found

    def _faults(self, question: Question) -> list[Fault]:
        from bundler.flow import init

        word, known = self.values[question.key], [choice.word for choice in question.choices]
        if known and word not in known:
            return [Fault("", f"{word!r} is not one of them", ", ".join(known))]
        try:
            return init.faults(self.product, self.answers(), question.paths) if question.paths else []
        except UsageError as error:
            return [Fault("", error.what, error.do)]

    def answers(self) -> StarterAnswers:
        """All of them, as the product's starter takes them."""
        from bundler.flow import init

        written = [part for part in self.values.get(TARGETS, "").split(",") if part.strip()]
        return replace(self.base, answers=dict(self.values), targets=init.targets(self.product, written))

    def missing(self) -> list[Question]:
        """The questions that have no answer yet, and need one."""
        effective = {**{one.key: one.default for one in self.product.questions}, **self.values}
        return [
            one
            for one in self.product.questions
            if one.asked and one.when(effective) and not (one.optional or effective[one.key])
        ]

    def has_effect(self, question: Question) -> bool:
        """Whether the definition holds the answer to ``question``: one that goes with no other answer is left out."""
        without = {key: text for key, text in self.values.items() if key != question.key}
        starter = self.product.starter
        return starter(self.answers()) != starter(replace(self.answers(), answers=without))


def _chosen(question: Question, text: str) -> str:
    """``text``, or the choice that it numbers or spells."""
    numbers = {str(number): choice.word for number, choice in enumerate(question.choices, 1)}
    if text in numbers:
        return numbers[text]
    same = [choice.word for choice in question.choices if choice.word.casefold() == text.casefold()]
    return same[0] if same else text


def take_options(interview: Interview, given: Mapping[str, str]) -> None:
    """Take the answers that options gave. Raises UsageError for one that the rules refuse, or that nothing needs."""
    questions = {one.key: one for one in interview.product.questions}
    strange = [key for key, text in given.items() if text and key not in questions]
    if strange:
        named = f"the product {interview.product.name} has no question {strange[0]!r}"
        raise UsageError(named, do=f"leave it out; its questions: {', '.join(questions) or 'none'}")
    for question in questions.values():
        text = given.get(question.key, "")
        if text:
            _take_option(interview, question, text)


def _take_option(interview: Interview, question: Question, text: str) -> None:
    interview.values[question.key] = text
    if not (question.choices or question.key == TARGETS or interview.has_effect(question)):
        raise UsageError(
            f"{question.option} does not go with the other answers",
            do="leave it out, or give the answers that it belongs to (`arc-bundler init --help`)",
        )
    found = interview.accept(question, text)
    for fault in found:
        if fault.severity == "error":
            raise UsageError(f"{question.option}: {_reason(fault)}", do="give another value")
    _tell(found)


def require_whole(interview: Interview) -> None:
    """Raise UsageError where the answers contradict each other; what is missing is no contradiction."""
    from bundler.flow import init

    answers, missing = interview.answers(), interview.missing()
    paths = [path for one in missing for path in one.paths]
    found = [fault for fault in init.faults(interview.product, answers) if fault.severity == "error"]
    wrong = [format_fault(fault) for fault in found if not any(init.is_within(fault.path, path) for path in paths)]
    if wrong:
        raise UsageError("the answers do not fit together", details=wrong, do="change one of them")


def take_lab_answers(interview: Interview) -> None:
    """Take the lab's answers where no option gave one."""
    for question in interview.product.questions:
        if question.lab_answer and not interview.values.get(question.key) and question.key != TARGETS:
            interview.values[question.key] = question.lab_answer


def ask(interview: Interview) -> None:
    """Ask a person, on the terminal, for each answer that is not there yet."""
    for question in interview.product.questions:
        if question.asked and not interview.values.get(question.key) and question.when(interview.values):
            _ask_one(interview, question)


def _ask_one(interview: Interview, question: Question) -> None:
    _say(question.prompt)
    for number, choice in enumerate(question.choices, 1):
        _say(f"  {number}  {choice.word:<30} {choice.meaning}")
    while True:
        text = _prompt(question)
        if not text and question.optional:
            return
        if not text:
            _say("  An answer is needed.")
            continue
        found = interview.accept(question, text)
        wrong = [fault for fault in found if fault.severity == "error"]
        if not wrong:
            _tell(found)
            return
        for fault in wrong:
            _say(f"  Not accepted: {_reason(fault)}")


def _prompt(question: Question) -> str:
    shown = f" [{question.default}]" if question.default else ""
    answer: str = click.prompt(f"  >{shown}", default=question.default, show_default=False, prompt_suffix=" ", err=True)
    return answer.strip()


def _say(text: str) -> None:
    click.echo(escape_line(redact(text)), err=True)


def _reason(fault: Fault) -> str:
    return format_fault(replace(fault, path="", source=""))


def _tell(found: Sequence[Fault]) -> None:
    for fault in found:
        if fault.severity == "warning":
            told_warnings.warn(_reason(fault))
