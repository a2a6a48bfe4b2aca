"""Whether a rule's examples prove enough: every reason hit, every threshold and exclusion defended."""

from __future__ import annotations

from collections.abc import Iterator

from mingcha.rules.book import Rule
from mingcha.rules.problems import Problem


def problems(*, rule: Rule) -> Iterator[Problem]:
    """Yield every proof that is missing from a rule's examples."""
    where = f"{rule.name}/examples.yaml"
    examples = rule.examples.examples
    kinds = {example.kind for example in examples}
    for kind in ("hit", "innocent", "lacking"):
        if kind not in kinds:
            yield Problem(where, "examples", f"has none of kind {kind}", f"add an example of kind {kind}")
    seen = {
        row.get("reason")
        for example in examples
        for row in [*(example.expect or []), *(example.expect_exit or [])]
    }
    for reason in rule.sheet.reasons:
        if reason not in seen:
            mend = "add an example whose expected row states it"
            yield Problem(where, "examples", f"none gives reason {reason}", mend)
    shown = {row.get("band") for example in examples for row in example.expect or []}
    for band in rule.sheet.bands:
        if band not in shown:
            yield Problem(where, "examples", f"none gives band {band}", "add an example whose hit states it")
    yield from _defended(rule, where)


def _defended(rule: Rule, where: str) -> Iterator[Problem]:
    examples = rule.examples.examples
    missed = {example.of for example in examples if example.kind == "near_miss"}
    excluded = {example.of for example in examples if example.kind == "exclusion"}
    for name, parameter in rule.sheet.parameters.items():
        if parameter.threshold and parameter.type in ("int", "decimal") and name not in missed | excluded:
            mend = "add a near_miss `of` it, or say `threshold: false` where it decides no hit"
            yield Problem(where, "examples", f"no near miss on parameter {name}", mend)
    for code in rule.sheet.exclusions:
        if code not in excluded and code not in ("src", "up"):
            yield Problem(where, "examples", f"no exclusion `of: {code}`", "add an example it explains away")
    for example in examples:
        if example.kind == "near_miss" and example.of not in rule.sheet.parameters:
            known = ", ".join(rule.sheet.parameters) or "none"
            mend = f"name a parameter: {known}"
            yield Problem(where, f"examples.{example.name}", f"near miss of {example.of}", mend)
