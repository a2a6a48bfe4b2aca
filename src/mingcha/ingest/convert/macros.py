"""SQL functions that read text the way people write it: numbers, dates, months, yes and no.

Each gives NULL for text it does not understand; nothing is guessed. What is accepted is listed in
docs/decisions/0004-intake-conversions.md and held by tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mingcha.ingest.sources import parts
from mingcha.store import duck

if TYPE_CHECKING:
    import duckdb

NULL_WORDS = ("", "NULL", "null", "(null)", "\\N")
_WIDE_SPACES = tuple(mark for mark in parts.SPACES if not mark.isascii())
_WIDE = "０１２３４５６７８９．，－＋：／（）　％"
_NARROW = "0123456789.,-+:/() %"
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
#: Excel counts days from here; 20000 is 1954, 80000 is 2119.
_SERIAL_FROM, _SERIAL_TO = 20_000, 80_000

_DATE = r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
_HAN_DATE = r"(\d{4})年(\d{1,2})月(\d{1,2})日?"
_HAN_CLOCK = r"(\d{1,2})[时点](\d{1,2})分"

# `p` is text already made plain; `zone` the local time of the organisation.
_MACROS = (
    # Full-width digits and signs, as Chinese input methods write them, become plain ones.
    f"mc_plain(x) AS CASE WHEN strlen(x) = length(x) THEN x ELSE translate(x, '{_WIDE}', '{_NARROW}') END",
    # A number as a plain decimal, thousands separators taken out; no exponent, no unit, no underscore.
    r"""mc_number_of(p) AS CASE
        WHEN regexp_full_match(p, '[+-]?(\d+\.?\d*|\.\d+)') THEN p
        WHEN regexp_full_match(p, '[+-]?\d{1,3}(,\d{3})+(\.\d*)?') THEN replace(p, ',', '') END""",
    # Chinese and loose forms of a moment become YYYY-M-D h:m:s.
    rf"""mc_moment_text(p) AS CASE
        WHEN regexp_full_match(p, '\d{{4}}-\d{{2}}-\d{{2}}( \d{{2}}:\d{{2}}:\d{{2}}(\.\d+)?)?') THEN p
        WHEN regexp_full_match(p, '{_DATE}([ T]+{_CLOCK})?')
          THEN trim(regexp_replace(p, '^{_DATE}[ T]*', '\1-\2-\3 '))
        WHEN regexp_full_match(p, '{_HAN_DATE}( *{_CLOCK})?')
          THEN trim(regexp_replace(p, '^{_HAN_DATE} *', '\1-\2-\3 '))
        WHEN regexp_full_match(p, '{_HAN_DATE} *{_HAN_CLOCK}')
          THEN regexp_replace(p, '^{_HAN_DATE} *{_HAN_CLOCK}', '\1-\2-\3 \4:\5')
        WHEN regexp_full_match(p, '{_HAN_DATE} *{_HAN_CLOCK}\d{{1,2}}秒')
          THEN regexp_replace(p, '^{_HAN_DATE} *{_HAN_CLOCK}(\d{{1,2}})秒', '\1-\2-\3 \4:\5:\6') END""",
    f"""mc_serial(d) AS CASE WHEN d BETWEEN {_SERIAL_FROM} AND {_SERIAL_TO} THEN
        TIMESTAMP '1899-12-30' + to_microseconds(CAST(round(d * 86400) AS BIGINT) * 1000000) END""",
    rf"""mc_moment_of(p, zone) AS CASE
        WHEN regexp_full_match(p, '\d{{8}}') THEN try_strptime(p, '%Y%m%d')
        WHEN regexp_full_match(p, '\d{{14}}') THEN try_strptime(p, '%Y%m%d%H%M%S')
        WHEN regexp_full_match(p, '\d{{12}}') THEN try_strptime(p, '%Y%m%d%H%M')
        WHEN regexp_full_match(p, '\d{{5}}(\.\d+)?') THEN mc_serial(TRY_CAST(p AS DOUBLE))
        WHEN regexp_full_match(p, '{_DATE}[ T]+{_CLOCK} *(Z|[+-]\d{{2}}(:?\d{{2}})?)')
          THEN timezone(zone, TRY_CAST(p AS TIMESTAMPTZ))
        ELSE TRY_CAST(mc_moment_text(p) AS TIMESTAMP) END""",
    # A billing month; a whole date stands for its month. 2026.1 may be January or October: refused.
    r"""mc_month_number(p) AS TRY_CAST(regexp_extract(p, '^\d{4}\D?(\d{1,2})', 1) AS INTEGER)""",
    r"""mc_month_of(p, zone) AS CASE
        WHEN regexp_full_match(p, '\d{4}-(0[1-9]|1[0-2])') THEN p
        WHEN regexp_full_match(p, '\d{4}([-/]\d{1,2}|年\d{1,2}月?|\.?\d{2})') THEN
          CASE WHEN mc_month_number(p) BETWEEN 1 AND 12
            THEN left(p, 4) || '-' || lpad(CAST(mc_month_number(p) AS VARCHAR), 2, '0') END
        WHEN NOT regexp_full_match(p, '\d{5}(\.\d+)?') THEN strftime(mc_moment_of(p, zone), '%Y-%m') END""",
    """mc_bool(x) AS CASE
        WHEN lower(mc_plain(x)) IN ('true', 't', 'yes', 'y', '1', '1.0', '是') THEN true
        WHEN lower(mc_plain(x)) IN ('false', 'f', 'no', 'n', '0', '0.0', '否') THEN false END""",
    # A key that a spreadsheet has turned into 1.23457E+11 has lost its digits.
    r"mc_mangled(x) AS (contains(x, 'E+') AND regexp_full_match(x, '\d(\.\d+)?E\+\d+'))",
    # Numbers that serve as names: 1001.0 is 1001.
    r"mc_name_of_number(x) AS regexp_replace(CAST(x AS VARCHAR), '\.0+$', '')",
)


def install(con: duckdb.DuckDBPyConnection, *, empty_words: tuple[str, ...] = ()) -> None:
    """Define the functions on a connection; `mc_clean` knows also `empty_words` of the mapping."""
    words = ", ".join(duck.literal(word) for word in dict.fromkeys((*NULL_WORDS, *empty_words)))
    spaces = duck.literal(parts.SPACES)
    trimmed = f"trim(x, {spaces})"
    for macro in (
        f"mc_clean(x) AS CASE WHEN {trimmed} IN ({words}) THEN NULL ELSE {trimmed} END",
        # Whether cleaning might change a value: cheap, for columns that are clean as a rule.
        f"mc_dirty(x) AS (x < '!' OR right(x, 1) < '!' OR x IN ({words})"
        f" OR (strlen(x) <> length(x) AND ({_ends(*_WIDE_SPACES)} OR {_begins(*_WIDE_SPACES)})))",
        *_MACROS,
    ):
        con.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")


def _ends(*marks: str) -> str:
    return " OR ".join(f"suffix(x, {duck.literal(mark)})" for mark in marks)


def _begins(*marks: str) -> str:
    return " OR ".join(f"prefix(x, {duck.literal(mark)})" for mark in marks)
