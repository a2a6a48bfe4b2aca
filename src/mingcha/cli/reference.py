"""The reference page of the command line, made of the help texts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mingcha.cli import app
from mingcha.findings import columns

_WIDTH = 100
_HEAD = """# Command line

<!-- Made from the help texts by `make docs`; a test fails when it is behind them. -->

Every command is a noun and a verb. The options `-w/--workspace`, `--json` and `--debug` stand before or
after the command alike.

* `--json` prints one JSON document on standard output; everything meant for people goes to standard error.
* Exit codes: `0` done · `1` ran, and found something that needs attention, where the command is a check
  (`rules lint`, `rules test`, `rules lock --check`, `tariffs check`, `tariffs stale`) · `2` could not run.
* A failure says three things: what is wrong and where, why it matters, how to put it right. `--debug` adds
  the trace.
"""


_DOCUMENTS = """## JSON documents

Keys may be added; those below stay. Numbers are exact decimals: read them as such where a fen counts.

| command | document |
| --- | --- |
| `init` | `workspace`, `settings` |
| `data ingest` | `snapshot_id`, `source`, `mapping`, `data_date`, `tables: [{table, delivered, accepted, quarantined, reasons: {code: n}, added, corrected, unchanged, …}]`, `files`, `orphans`, `warnings` |
| `data quarantine` | `snapshot_id`, `rows: [{table, file, line, column, reason, value, row, message}]` |
| `data coverage` | `snapshot_id`, `period`, `rules: [{rule_id, title, status, can_run, missing, without, notes}]` |
| `data contract` | `contract`, `tables` |
| `data map-suggest` | `out`, `mapping` |
| `rules list` | `rules: [{rule_id, title, area, subject, severity, priority, status, needs, parameters}]` |
| `rules show` | the rule's sheet, `version`, `query` |
| `rules lint` | `mistakes`, `problems: [{where, field, what, mend}]` |
| `rules test` | `rules`, `examples`, `failures: [{rule_id, example, said}]`, `seconds` |
| `rules new` | `rule_id`, `folder` |
| `rules lock` | `differences: [{rule_id, what, mend}]`, `written` |
| `rules run` | `run_id`, `snapshot_id`, `periods`, `data_date`, `rules_run`, `rules_skipped: [{rule_id, because}]`, `rules_failed`, `findings`, `trial_findings`, `amount_cny`, `money`, `seconds`, `per_rule: [{rule_id, hits, findings, bands, examined, clear, exits, amount_cny, money, parameters, not_applied, notes, seconds, …}]`, `relations`, `derived: {month: key}` |
| `bills rerate` | `snapshot_id`, `months: [{period, bills, rated, not_rated, reasons: {code: n}, amount_cny, billed_cny, difference_cny, differing, provisional, own_prices, seconds, kept}]`, `without`; with `--customer`: `bills: [{customer_id, billing_period, seq, bill_ids, billed_amount, rerated_amount, difference, evidence, reason, detail}]` |
| `bills explain` | `bill`, `live`, `rated`, `settlement`, `not_rated: [{reason, detail}]`, `contracts`, `readings`, `points`, `energy`, `losses`, `power_factor`, `demand`, `capacity`, `lines: [{…, prices}]`, `billed_lines`, `differences`, `totals` |
| `bills compare` | `snapshot_id`, `tolerance_cny`, `months` (as `bills rerate`), `by_cause: [{component, cause, bills, difference, too_much, too_little}]`, `over_tolerance`, `bills: [{bill_id, customer_id, billing_period, seq, billed_amount, rerated_amount, difference, component, cause, components, evidence}]`; with `--out`: `out`, `format`, `rows` |
| `tariffs list` | `tariffs: [{code, book, title, usage_categories, voltage_kv, parts, time_of_use, tiered, price_basis, in_force_from, in_force_to, known_as, fictional, evidence, provisional}]` |
| `tariffs show` | as one of `tariffs list`, `power_factor_base`, `entitlement`, `prices: [{component, item, period, tier, price, unit, in_force_from, in_force_to, known_on, document, clause, evidence, provisional}]`, `programme`, `demand_programmes`, `tiers` |
| `tariffs check` | `files`, `mistakes`, `problems: [{file, place, what, mend}]` |
| `tariffs stale` | `on`, `days`, `stale: [{book, reason, name, document, day, facts}]` |
| `recover KIND` | `kind`, `title`, `customer`, `case`, `act`, `window`, `inputs: [{key, name, value, unit, source}]`, `articles`, `steps: [{name, formula, working, result, unit, rounding, law}]`, `parts: [{period, article, steps, kwh, cny, penalty_min_cny, penalty_max_cny, penalty_own_cny}]`, `charged`, `back_kwh`, `back_cny`, `penalty_min_cny`, `penalty_max_cny`, `penalty_own_cny`, `refund_kwh`, `refund_cny`, `not_covered`, `provisional`, `warnings`, `made_on`, `version`; with `--out` also `out`, `format` |
| `findings list` | an array of findings, columns below |
| `findings show` | one finding, columns below, and `story` |
| `findings export` | with `--out`: `out`, `format`, `findings`; without: the export itself |
| `report` | `out`, `run_id`, `language` |
| `synth` | `out`, `rows`, `cases` |
| `demo build` | `workspace`, `report`, `rerated` (a month as in `bills rerate`), `run` (as `rules run`), `recall: [{rule_id, planted, found, innocent, accused}]` |

`amount_cny` is what is to be set right: back payments plus refunds. Penalties are upper limits and exposure is no recovery, so
neither is in it; `money` has the four amounts apart. `hits` counts answers of the query, `findings` facts: a fact found in several
months is one finding.

## Columns of a finding

Days are ISO dates; `period_start` is in, `period_end` is not. Amounts are CNY, empty where not estimated. `evidence` holds the
rule's own values, `known_upstream`, and `_rows` (table and key of each source row), `_parameters` (values the run used),
`_not_applied` (exclusions whose tables were missing), `_periods` (first and last month).
"""  # noqa: E501 - lines of a table cannot be broken


def page() -> str:
    """Return the page as Markdown: every command with its help, in the order of the tree."""
    parts = [_HEAD]
    for names, text in _helps(app.command(), ("mingcha",)):
        parts.append(f"## {' '.join(names)}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join([*parts, _DOCUMENTS, *_columns()]) + "\n"


def _columns() -> Iterator[str]:
    """Yield the lines of the table of export columns."""
    yield "| column | type | 中文 | English |"
    yield "| --- | --- | --- | --- |"
    for column in columns.EXPORT_COLUMNS:
        kind = "JSON object" if column.kind == "json" else column.sql_type
        yield f"| `{column.name}` | {kind} | {column.zh} | {column.en} |"


def _helps(command: Any, names: tuple[str, ...], above: Any = None) -> Iterator[tuple[tuple[str, ...], str]]:
    context = command.make_context(names[-1], [], parent=above, resilient_parsing=True, terminal_width=_WIDTH)
    yield names, command.get_help(context)
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, (*names, name), context)
