"""Values of a bundle's seal for templates: who signs, and the forms that their signatures can have."""

from __future__ import annotations

from bundler.formats import fingerprint_words
from bundler.model.seal import SealPolicy, Signer
from bundler.render.escape_control import escape_control


def seal_values(seal_policy: SealPolicy) -> dict[str, object]:
    """Who signs, each with a role and the forms of their signatures; the sealer's fingerprint as it is read aloud."""
    sealers = [("sealer", seal_policy.sealer)] if seal_policy.sealer else []
    people = [*sealers, *(("approver", one) for one in seal_policy.approvers)]
    fingerprint = seal_policy.sealer.signer.sha256 if seal_policy.sealer else ""
    return {
        "people": people,
        "sealer": fingerprint,
        "openpgp": seal_policy.openpgp.lower(),
        "required": seal_policy.required,
        "serial": seal_policy.serial,
        "signers": [_signer_row(role, one.signer) for role, one in people],
        "forms": [
            (str(at), str(form.size), str(form.prefix_size), form.prefix_sha256)
            for at, (_, one) in enumerate(people)
            for form in one.forms
        ],
        "not_after": int(seal_policy.not_after.timestamp()) if seal_policy.not_after else 0,
        "not_after_text": f"{seal_policy.not_after:%Y-%m-%d %H:%M} UTC" if seal_policy.not_after else "",
        "digit_lines": fingerprint_words.lines(fingerprint_words.digits(fingerprint)),
        "word_lines": fingerprint_words.lines(fingerprint_words.words(fingerprint)) if fingerprint else [],
    }


def _signer_row(role: str, signer: Signer) -> tuple[str, ...]:
    # On a server's screen a line break in a name would begin a line that the bundle's maker wrote.
    begins, ends = (str(int(moment.timestamp())) for moment in (signer.not_before, signer.not_after))
    return role, signer.sha256, escape_control(signer.name), begins, ends, f"{signer.not_after:%Y-%m-%d %H:%M} UTC"
