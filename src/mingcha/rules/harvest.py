"""From a rule's answer to finding rows: ids, episodes, evidence as exact JSON, and the other exits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mingcha.contract import ddl
from mingcha.findings import columns, jsontext
from mingcha.kernel import ids
from mingcha.rules import model
from mingcha.rules.asking import Answer, columns_of
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

FINDINGS, TRIAL, EXITS = "run_findings", "run_trial", "run_exits"


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the empty temporary tables a run's findings, trial findings and other exits are put in."""
    for name in (FINDINGS, TRIAL):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {columns.empty_run_relation()}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {EXITS} (rule_id VARCHAR, period VARCHAR, subject_kind VARCHAR, "
        "subject_id VARCHAR, customer_id VARCHAR, org_id VARCHAR, exit VARCHAR, reason VARCHAR)"
    )


def gather(
    *, con: duckdb.DuckDBPyConnection, answer: Answer, version: int, not_applied: tuple[str, ...]
) -> None:
    """Put an answer's hits into the findings (or the trial) of the run and its other rows into the exits.

    Wants the temporary table `episode` of this answer; run and snapshot are filled in by the store.
    """
    sheet = answer.rule.sheet
    target = TRIAL if sheet.status == "trial" else FINDINGS
    con.execute(f"INSERT INTO {target} BY NAME {_findings_sql(answer, version, not_applied)}")
    _mend_odd_ids(con, target, sheet)
    con.execute(
        f"INSERT INTO {EXITS} SELECT {duck.literal(sheet.id)}, period, {duck.literal(sheet.subject)}, "
        f"subject_id, customer_id, org_id, exit, reason FROM {answer.table} WHERE exit <> 'hit'"
    )


def mark_upstream(*, con: duckdb.DuckDBPyConnection, sql: str, table: str) -> int:
    """Set `known_upstream` on the findings whose ids `sql` gives; return how many."""
    found = con.execute(
        f"UPDATE {table} SET known_upstream = TRUE, "
        "evidence = replace(evidence, '\"known_upstream\":false', '\"known_upstream\":true') "
        f"WHERE finding_id IN ({sql})"
    ).fetchall()
    return int(found[0][0])


def _findings_sql(answer: Answer, version: int, not_applied: tuple[str, ...]) -> str:
    sheet = answer.rule.sheet
    fixed = {
        "finding_id": _id_sql(sheet),
        "rule_id": duck.literal(sheet.id),
        "rule_version": str(version),
        "subject_kind": duck.literal(sheet.subject),
        "severity": duck.literal(sheet.severity),
        "evidence": _evidence_sql(answer, not_applied),
        "episode_key": "e.episode_key",
        "known_upstream": "FALSE",
        "status": duck.literal(sheet.status),
        "period_start": "e.starts",
        "period_end": "e.ends",
        "snapshot_id": "CAST(NULL AS VARCHAR)",
        "run_id": "CAST(NULL AS VARCHAR)",
    }
    given = ("subject_id", "customer_id", "org_id", "band", "reason", "energy_kwh", *model.MONEY)
    values = fixed | {name: f"h.{name}" for name in given}
    wanted = ", ".join(f"{values[column.name]} AS {column.name}" for column in columns.RUN_COLUMNS)
    rank = "CASE h.band WHEN 'urgent' THEN 0 WHEN 'order' THEN 1 ELSE 2 END"
    # One row per fact: the newest month tells it; of two rows of one month, the graver, then the first.
    return (
        f"SELECT {wanted} FROM {answer.table} AS h "
        "JOIN (SELECT DISTINCT * FROM episode) AS e ON e.subject_id = h.subject_id AND e.period = h.period "
        "WHERE h.exit = 'hit' QUALIFY row_number() OVER (PARTITION BY h.subject_id, e.episode_key "
        f"ORDER BY h.period DESC, {rank}, h.reason, h.period_start) = 1"
    )


def _id_sql(sheet: model.RuleSheet) -> str:
    """Return SQL for `kernel.ids.finding_id`: the digest of the same JSON text."""
    parts = (
        f"'[' || {duck.literal(_json(sheet.id))} || ',' || {duck.literal(_json(sheet.subject))} || ',' || "
    )
    text = f"{parts}{_json_text('h.subject_id')} || ',' || {_json_text('e.episode_key')} || ']'"
    return f"'F' || substr(sha256({text}), 1, 16)"


def _mend_odd_ids(con: duckdb.DuckDBPyConnection, table: str, sheet: model.RuleSheet) -> None:
    """Give subjects with control characters the id the kernel gives: there, JSON writers differ."""
    odd = con.execute(
        f"SELECT finding_id, subject_id, episode_key FROM {table} "
        r"WHERE rule_id = ? AND regexp_matches(subject_id || episode_key, '[\x00-\x1f]')",
        [sheet.id],
    ).fetchall()
    for old, subject, key in odd:
        new = ids.finding_id(
            rule_id=sheet.id, subject_kind=sheet.subject, subject_id=subject, episode_key=key
        )
        con.execute(f"UPDATE {table} SET finding_id = ? WHERE finding_id = ?", [new, old])


def _evidence_sql(answer: Answer, not_applied: tuple[str, ...]) -> str:
    kinds = columns_of(answer.rule)
    pairs = [_pair_sql(column.name, column.name, column.type, kinds) for column in answer.rule.sheet.evidence]
    pairs.append("'\"known_upstream\":false'")
    pairs.append(f"'\"_rows\":[' || {_rows_sql(answer)} || ']'")
    pairs.append(f"'\"_parameters\":' || {_parameters_sql(answer)}")
    pairs.append(duck.literal(f'"_not_applied":{jsontext.dumps(list(not_applied))}'))
    pairs.append("'\"_periods\":[\"' || e.first_period || '\",\"' || e.last_period || '\"]'")
    return "'{' || " + " || ',' || ".join(pairs) + " || '}'"


def _parameters_sql(answer: Answer) -> str:
    cases = " ".join(
        f"WHEN {number} THEN {duck.literal(jsontext.dumps(values))}"
        for number, values in enumerate(answer.sets)
    )
    return f"CASE h.set_number {cases} END" if cases else "'{}'"


def _rows_sql(answer: Answer) -> str:
    """Return SQL for the keys of the source rows; a row whose key is not known is left out."""
    entries = []
    kinds = columns_of(answer.rule)
    types = {column.name: column.type for column in answer.rule.sheet.evidence}
    for entry in answer.rule.sheet.rows:
        there = " AND ".join(f"h.{ddl.quote(column)} IS NOT NULL" for column in entry.key.values())
        pairs = " || ',' || ".join(
            _pair_sql(key, column, types.get(column, "text"), kinds) for key, column in entry.key.items()
        )
        head = duck.literal(f'{{"table":{_json(entry.table)},"key":{{')
        entries.append(f"CASE WHEN {there} THEN {head} || {pairs} || '}}}}' END")
    return f"concat_ws(',', {', '.join(entries)})" if entries else "''"


def _pair_sql(key: str, column: str, logical: str, kinds: dict[str, str]) -> str:
    value = _value_sql(f"h.{ddl.quote(column)}", logical, kinds[column])
    return f"{duck.literal(_json(key) + ':')} || {value}"


def _value_sql(name: str, logical: str, kind: str) -> str:
    """Return SQL for a value as JSON: numbers by their digits, days and moments as ISO text."""
    if model.SQL_FAMILY[logical] in ("DECIMAL", "INTEGER", "BOOLEAN"):
        return f"coalesce(CAST({name} AS VARCHAR), 'null')"
    if kind == "TIMESTAMP":
        return f"coalesce('\"' || strftime({name}, '%Y-%m-%dT%H:%M:%S') || '\"', 'null')"
    if kind == "DATE":
        return f"coalesce('\"' || CAST({name} AS VARCHAR) || '\"', 'null')"
    return f"coalesce({_json_text(name)}, 'null')"


def _json_text(name: str) -> str:
    return f"CAST(to_json({name}) AS VARCHAR)"


def _json(value: Any) -> str:
    return jsontext.dumps(value)
