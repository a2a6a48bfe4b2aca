"""What all commands share: options on both sides, exit codes, three-part failures, a light start."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mingcha import __version__
from mingcha.cli import app, faults, main, progress
from mingcha.kernel import errors

from .conftest import Run, three_parts

# Typer itself reads values with pydantic as soon as a command below the root is named.
OF_TYPER = "pydantic"
HEAVY = ("duckdb", "pyarrow", "sqlglot", "rich", "sqlalchemy", "jinja2", "xlsxwriter", "yaml")


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


class TestLightStart:
    @pytest.mark.parametrize(
        ("arguments", "heavy"),
        [
            (["--help"], (*HEAVY, OF_TYPER)),
            (["rules", "run", "--help"], HEAVY),
            (["findings", "-h"], HEAVY),
            (["--version"], HEAVY),
        ],
    )
    def test_help_loads_nothing_heavy(self, arguments: list[str], heavy: tuple[str, ...]) -> None:
        code = (
            "import sys; from mingcha.cli import main; main.run(sys.argv[1:]); "
            f"print('loaded', [name for name in {heavy!r} if name in sys.modules])"
        )
        assert python(code, *arguments).stdout.splitlines()[-1] == "loaded []"


class TestVersion:
    def test_is_printed(self, mingcha: Run) -> None:
        assert mingcha("--version").out == f"mingcha {__version__}\n"


class TestCommonOptions:
    @pytest.mark.parametrize(
        "order",
        [
            ["-w", "{w}", "--json", "findings", "list"],
            ["findings", "-w", "{w}", "list", "--json"],
            ["findings", "list", "--json", "-w", "{w}"],
            ["--json", "findings", "list", "--workspace", "{w}"],
        ],
    )
    def test_stand_before_and_after_the_command(
        self, mingcha: Run, workspace: Path, order: list[str]
    ) -> None:
        ran = mingcha(*(part.format(w=workspace) for part in order))
        assert ran.code == 0
        assert ran.document == []

    def test_what_is_said_last_counts(self, mingcha: Run, workspace: Path, tmp_path: Path) -> None:
        assert mingcha("-w", tmp_path, "findings", "list", "-w", workspace).code == 0
        assert mingcha("-w", workspace, "findings", "list", "-w", tmp_path).code == 2

    def test_the_environment_names_the_workspace(
        self, mingcha: Run, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MINGCHA_WORKSPACE", str(workspace))
        assert mingcha("findings", "list").code == 0
        assert mingcha("findings", "list", "-w", tmp_path).code == 2
        monkeypatch.setenv("MINGCHA_WORKSPACE", str(tmp_path))
        assert mingcha("-w", workspace, "findings", "list").code == 0

    def test_the_current_folder_is_the_default(
        self, mingcha: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(workspace)
        assert mingcha("findings", "list").code == 0


class TestFailures:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["nonsense"],
            ["rules", "rnu"],
            ["findings", "show"],
            ["findings", "list", "--limit", "many"],
            ["rules", "run", "-w", "/nowhere/at all"],
            ["rules", "run", "--period", "2026-13"],
            ["rules", "run", "--from", "2026-01"],
            ["rules", "run", "--from", "2026-03", "--to", "2026-01"],
            ["rules", "run", "--from", "2026-03", "--to", "2026-04", "--period", "2026-01"],
            ["rules", "show", "XXX-999"],
            ["data", "contract", "--table", "nonsense"],
            ["data", "contract", "--format", "pdf"],
            ["data", "contract", "--format", "csv-template"],
            ["data", "contract", "--format", "xlsx-template"],
        ],
    )
    def test_are_told_in_three_parts_on_standard_error(self, mingcha: Run, arguments: list[str]) -> None:
        ran = mingcha(*arguments)
        assert ran.code == 2
        assert ran.out == ""
        assert three_parts(ran.err)

    @pytest.mark.parametrize(
        "arguments",
        [
            ["findings", "show", "F1"],
            ["findings", "list", "--run", "r0001-00000000"],
            ["findings", "list", "--run", "latest"],
            ["findings", "list", "--band", "purple"],
            ["findings", "list", "--lang", "fr"],
            ["findings", "export", "--format", "pdf", "--out", "x.pdf"],
            ["findings", "export", "--out", "/nowhere/x.csv"],
            ["rules", "run"],
            ["rules", "run", "--snapshot", "s0009-00000000"],
            ["data", "coverage"],
            ["data", "quarantine"],
            ["report"],
            ["init"],
        ],
    )
    def test_in_an_empty_workspace_are_told_and_change_nothing(
        self, mingcha: Run, workspace: Path, arguments: list[str]
    ) -> None:
        before = sorted(workspace.rglob("*"))
        ran = mingcha(*arguments, "-w", workspace)
        assert ran.code == 2
        assert ran.out == ""
        assert three_parts(ran.err)
        assert sorted(path for path in workspace.rglob("*") if "tmp" not in path.parts) == [
            path for path in before if "tmp" not in path.parts
        ]

    def test_a_group_without_command_shows_its_help(self, mingcha: Run) -> None:
        ran = mingcha("rules")
        assert ran.code == 2
        assert "Usage: mingcha rules" in ran.err

    @pytest.mark.parametrize(("debug", "shown"), [([], False), (["--debug"], True)])
    def test_what_nobody_expected_has_a_trace_only_with_debug(
        self, mingcha: Run, monkeypatch: pytest.MonkeyPatch, debug: list[str], shown: bool
    ) -> None:
        from mingcha.rules import book

        def break_(*, root: Path | None = None) -> None:
            raise ZeroDivisionError("boom\nsecond line")

        monkeypatch.setattr(book, "load", break_)
        ran = mingcha("rules", "list", *debug)
        assert ran.code == 2
        assert "mingcha rules list: something nobody expected: ZeroDivisionError: boom\n" in ran.err
        assert ("Traceback" in ran.err) is shown

    def test_a_full_disk_and_too_little_memory_have_their_own_advice(self) -> None:
        full = faults.told(OSError(28, "No space left on device"), command="mingcha x")
        assert "disk is full" in full.what
        assert "memory_limit" in faults.told(MemoryError(), command="mingcha x").mend

    def test_a_failure_of_ours_is_told_as_it_is(self) -> None:
        error = errors.DataError("a", why="b", mend="c")
        assert faults.told(error, command="mingcha x") is error


class TestBrokenPipe:
    def test_a_reader_that_leaves_is_no_failure(self) -> None:
        command = f"'{sys.executable}' -m mingcha.cli rules list --json | head -c 10; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert done.stdout.endswith("0\n")
        assert done.stderr == ""


class TestInterrupt:
    def test_ctrl_c_leaves_with_130_and_one_line(self) -> None:
        code = (
            # A process started in the background ignores the signal; the one a person sits at does not.
            "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from mingcha.cli import main; from mingcha.rules import book\n"
            "def wait(*, root=None):\n    print('waiting', flush=True); time.sleep(60)\n"
            "book.load = wait; sys.exit(main.run(['rules', 'list']))"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "waiting\n"
            child.send_signal(signal.SIGINT)
            _, err = child.communicate(timeout=20)
        assert child.returncode == 130
        assert err.count("\n") == 1
        assert err.startswith("Interrupted.")


class TestProgress:
    def test_quick_work_shows_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        with progress.showing("working") as show:
            show("step")
        assert capsys.readouterr().err == ""

    def test_long_work_writes_plain_lines_now_and_then_where_there_is_no_terminal(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = iter([0.0, 1.0, 3.0, 4.0, 14.0])
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        show = progress.Progress("working")
        for step in ("early", "first", "too soon", "second"):
            show(step)
        assert capsys.readouterr().err == "working: first (3 s)\nworking: second (14 s)\n"


class TestHelp:
    def test_every_command_has_a_help_with_the_common_options(self, mingcha: Run) -> None:
        seen = 0
        for names in commands():
            ran = mingcha(*names, "--help")
            assert ran.code == 0
            for option in ("--workspace", "--json", "--debug"):
                assert option in ran.out
            seen += 1
        assert seen > 15


def commands() -> list[list[str]]:
    found: list[list[str]] = []

    def walk(command: object, names: list[str]) -> None:
        found.append(names)
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, [*names, name])

    walk(app.command(), [])
    return found


def test_json_documents_are_one_line_of_json(mingcha: Run) -> None:
    for arguments in (
        ["rules", "list"],
        ["data", "contract", "--table", "bill"],
        ["rules", "show", "REA-003"],
    ):
        ran = mingcha("--json", *arguments)
        assert ran.code == 0
        assert json.loads(ran.out)
        assert ran.err == ""


def test_main_leaves_with_the_code_of_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["mingcha", "nonsense"])
    with pytest.raises(SystemExit) as left:
        main.main()
    assert left.value.code == 2
