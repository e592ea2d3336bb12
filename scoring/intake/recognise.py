"""Decides which one package format an unpacked entry is; looks at names, never at code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scoring.contracts import FORMAT_FACTS, Finding, Format, Mismatch, Package, PackageFormat, Unpacked
from scoring.errors import Rejected, reject


def recognise(
    unpacked: Unpacked, *, allowed: tuple[Format, ...], formats: Mapping[Format, PackageFormat]
) -> Package:
    """Return the entry as a package of the one allowed format that it matches, or raise `Rejected`."""
    answers = {format_: rules.match(unpacked) for format_, rules in formats.items()}
    packages = {format_: answer for format_, answer in answers.items() if isinstance(answer, Package)}
    accepted = _narrowest({format_: package for format_, package in packages.items() if format_ in allowed})
    if len(accepted) == 1:
        (package,) = accepted.values()
        return replace(package, not_formats=_not_formats(answers, package.format))
    if accepted:
        # Two readings of one entry: the checks could see one model and the score another.
        raise reject("ambiguous_format", formats=", ".join(accepted))
    mismatches = {
        format_: answer
        for format_, answer in answers.items()
        if format_ in allowed and isinstance(answer, Mismatch)
    }
    if packages:
        facts = {"found": ", ".join(_narrowest(packages)), "allowed": ", ".join(allowed)}
        # A package that lacks one file may look like another format: what it lacks is said too.
        raise Rejected(Finding(code="format_not_allowed", facts=facts), *_details(mismatches))
    raise _unrecognised(mismatches)


def _narrowest(packages: Mapping[Format, Package]) -> dict[Format, Package]:
    """Leave out what only matches because entries of another matching format hold such files too."""
    wider = {format_ for narrow in packages for format_ in FORMAT_FACTS[narrow].narrows}
    return {format_: package for format_, package in packages.items() if format_ not in wider}


def _not_formats(answers: Mapping[Format, Package | Mismatch], found: Format) -> dict[str, str]:
    """Say of each other format why it is not the one."""
    return {
        format_.value: answer.why if isinstance(answer, Mismatch) else "this track does not accept it"
        for format_, answer in answers.items()
        if format_ is not found
    }


def _unrecognised(mismatches: Mapping[Format, Mismatch]) -> Rejected:
    why = " ".join(f"{format_}: {mismatch.why}." for format_, mismatch in mismatches.items())
    return Rejected(Finding(code="unrecognised_format", facts={"why": why}), *_details(mismatches))


def _details(mismatches: Mapping[Format, Mismatch]) -> list[Finding]:
    return [finding for mismatch in mismatches.values() for finding in mismatch.findings]
