"""`mingcha recover`: options and files give the same sheet, in every form; mistakes have three parts."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest

from mingcha.cli import main
from mingcha.recovery import catalogue

Run = Callable[..., tuple[int, str, str]]
METER = (
    "--from", "2023-01-01", "--to", "2024-01-01", "--recorded-kwh", "900000", "--error-pct", "-10",
    "--meter-class", "2", "--price", "0.5",
)  # fmt: skip


@pytest.fixture
def recover(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Run:
    monkeypatch.delenv("MINGCHA_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main.run(["recover", *map(str, arguments)])
        captured = capfdbinary.readouterr()
        return code, captured.out.decode("utf-8", "surrogateescape"), captured.err.decode()

    return run


def read(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_help_lists_every_kind_with_a_line(recover: Run) -> None:
    code, out, _ = recover("--help")
    assert code == 0
    for kind, one in catalogue.CALCULATORS.items():
        line = next(line for line in out.splitlines() if line.split()[:1] == [kind])
        assert one.title.en.split(" (")[0][:30] in line


@pytest.mark.parametrize("kind", list(catalogue.CALCULATORS))
def test_help_of_every_kind_explains_its_options(recover: Run, kind: str) -> None:
    code, out, _ = recover(kind, "--help")
    assert code == 0
    for option in ("--customer", "--case", "--input", "--format", "--out", "--lang", "--json"):
        assert option in out
    assert catalogue.CALCULATORS[kind].title.zh in out


def test_a_sheet_for_people_is_chinese_without_a_workspace(recover: Run) -> None:
    code, out, err = recover("meter-error", *METER)
    assert (code, err) == (0, "")
    assert out.startswith("退补电费计算书 · 计量装置误差退补\n")
    assert "50,000.00 kWh" in out
    assert "25,000.00 元" in out
    _, english, _ = recover("meter-error", *METER, "--lang", "en")
    assert english.startswith("Recovery worksheet · Error of meter")


def test_one_json_document(recover: Run) -> None:
    for arguments in (("--json",), ("--format", "json")):
        code, out, err = recover("meter-error", *METER, *arguments)
        assert (code, err) == (0, "")
        document = read(out)
        assert document["back_kwh"] == Decimal("50000.00")
        assert document["kind"] == "meter-error"
        assert document["made_on"]


def test_a_file_of_inputs_gives_the_same_sheet_and_options_win(recover: Run, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(
        "kind: meter-error\nfrom: 2023-01-01\nto: 2024-01-01\nrecorded_kwh: 900000\nerror_pct: -10\n"
        'meter-class: 2\nprice: ["0.5"]\ncustomer: 某厂\nsources: {recorded_kwh: 抄表卡第 3 页}\n',
        encoding="utf-8",
    )
    _, by_options, _ = recover("meter-error", *METER, "--json")
    _, by_file, _ = recover("meter-error", "--input", file, "--json")
    assert read(by_file)["parts"] == read(by_options)["parts"]
    assert "抄表卡第 3 页" in by_file
    _, mixed, _ = recover(
        "meter-error", "--input", file, "--error-pct", "10", "--source", "error-pct=证书", "--json"
    )
    assert read(mixed)["refund_kwh"] == Decimal("40909.09")
    assert "证书" in mixed
    as_json = tmp_path / "case.json"
    as_json.write_text(
        '{"from": "2023-01-01", "to": "2024-01-01", "recorded_kwh": 900000, "error_pct": -10.0, '
        '"meter_class": "2", "price": 0.5}'
    )
    _, by_json, _ = recover("meter-error", "--input", as_json, "--json")
    assert read(by_json)["back_cny"] == Decimal("25000.00")


def test_files_beside_the_input_file_are_found(recover: Run, tmp_path: Path) -> None:
    folder = tmp_path / "case 7"
    folder.mkdir()
    (folder / "e.csv").write_text("from,to,kwh\n2025-01-01,2025-02-01,310\n")
    (folder / "case.yaml").write_text("from: 2025-01-01\nto: 2025-02-01\nk: 2\nenergy: e.csv\n")
    _, out, err = recover("wiring", "--input", folder / "case.yaml", "--json")
    assert err == ""
    assert read(out)["back_kwh"] == Decimal("310.00")
    _, out, _ = recover(
        "wiring",
        "--from",
        "2025-01-01",
        "--to",
        "2025-02-01",
        "--k",
        "3",
        "--energy",
        folder / "e.csv",
        "--json",
    )
    assert read(out)["back_kwh"] == Decimal("620.00")


@pytest.mark.parametrize("name", ["sheet.docx", "sheet.pdf", "sheet.json", "sheet.txt"])
def test_the_form_follows_the_name_of_the_file(recover: Run, tmp_path: Path, name: str) -> None:
    code, out, err = recover("meter-error", *METER, "--out", name, "--customer", "某厂")
    assert (code, out) == (0, "")
    assert f"Worksheet: {name}" in err
    content = (tmp_path / name).read_bytes()
    begins = {"docx": b"PK", "pdf": b"%PDF", "json": b"{", "txt": "退补".encode()}
    assert content.startswith(begins[name.partition(".")[2]])


def test_word_and_pdf_go_through_a_pipe_and_json_says_where_a_file_went(recover: Run, tmp_path: Path) -> None:
    _, out, _ = recover("meter-error", *METER, "--format", "docx")
    document = docx.Document(io.BytesIO(out.encode("utf-8", "surrogateescape")))
    assert "计量装置误差退补" in document.paragraphs[0].text
    _, out, _ = recover("meter-error", *METER, "--out", tmp_path / "a.pdf", "--json")
    assert read(out)["out"] == str(tmp_path / "a.pdf")
    assert read(out)["format"] == "pdf"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["magic"], "No such command"),
        (["meter-error"], "not given: --error-pct"),
        (["meter-error", *METER, "--recorded-kwh", "many"], "--recorded-kwh 'many' is not a number"),
        (["meter-error", *METER, "--meter-class", "7"], "choose one of 0.2S, 0.5S, 1, 2, 3"),
        (["meter-error", *METER, "--format", "xls"], "--format xls"),
        (["meter-error", *METER, "--lang", "fr"], "--lang fr"),
        (["meter-error", *METER, "--out", "no/such/folder.pdf"], "cannot be written"),
        (["meter-error", *METER, "--source", "nothing"], "does not say key and text"),
        (["meter-error", "--input", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["meter-error", "--input", "list.yaml"], "not a mapping"),
        (["meter-error", "--input", "twice.yaml"], "stands twice"),
        (["meter-error", "--input", "broken.json"], "broken.json:1:"),
        (["meter-error", "--input", "other.yaml"], "is for theft, not for meter-error"),
        (["meter-error", "--input", "odd.yaml"], "unknown input colour"),
        (["wiring", "--from", "2025-01-01", "--to", "2025-02-01", "--energy", "nowhere.csv"], "nowhere.csv"),
        (
            ["multiplier", *METER[:4], "--units", "9" * 15, "--used", "1", "--true", "9" * 15],
            "too large to be computed",
        ),
        (["moved", "--on", "1990-01-01", "--customer-kind", "other"], "no law for 1990-01-01"),
    ],
)
def test_mistakes_are_told_in_three_parts(
    recover: Run, tmp_path: Path, arguments: list[str], said: str
) -> None:
    for name, text in (
        ("list.yaml", "- 1\n"),
        ("twice.yaml", "k: 1\nk: 2\n"),
        ("broken.json", "{"),
        ("other.yaml", "kind: theft\n"),
        ("odd.yaml", "colour: red\n"),
    ):
        (tmp_path / name).write_text(text)
    code, out, err = recover(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Why it matters: " in err
    assert "How to put it right: " in err
    assert "Traceback" not in err


def test_a_workspaces_own_tariffs_are_known(recover: Run, tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    assert main.run(["init", str(workspace)]) == 0
    (workspace / "tariffs").mkdir()
    (workspace / "tariffs" / "own.yaml").write_text(
        "book: own\ntitle: {zh: 自有, en: Own}\ncountry: CN\ncurrency: CNY\n"
        "documents:\n  - {id: d, number: 一号, title: {zh: 文, en: Doc}, known_on: 2024-01-01, "
        'evidence: "[O]"}\n'
        "tariffs:\n  - code: own.flat\n    title: {zh: 平价, en: Flat}\n    usage_categories: [general]\n"
        '    voltage_kv: ["0", null]\n    parts: single\n    in_force_from: 2024-01-01\n'
        "    price_basis: utility\n"
        "    components:\n      - component: energy\n        unit: CNY/kWh\n        entries:\n"
        '          - {in_force_from: 2024-01-01, document: d, values: "0.7"}\n',
        encoding="utf-8",
    )
    asked = ("wiring", "--from", "2025-01-01", "--to", "2025-02-01", "--recorded-kwh", "100", "--k", "2")
    code, out, err = recover(*asked, "--tariff", "own.flat", "--json", "-w", workspace)
    assert (code, err) == (0, "")
    assert read(out)["back_cny"] == Decimal("70.00")
    code, _, err = recover(*asked, "--tariff", "own.flat")
    assert code == 2
    assert "no tariff own.flat" in err
