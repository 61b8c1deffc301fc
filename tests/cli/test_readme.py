"""What README.md shows runs: its commands and its Python, as written."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from csi.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [row for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for row in block.splitlines()]


def test_there_is_something_to_run():
    assert len(PYTHON) == 3
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("code", PYTHON, ids=["researcher", "covariance", "validator"])
def test_python_blocks_run(code, monkeypatch):
    monkeypatch.chdir(ROOT)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - the reader's own first lines
    shown = said.getvalue().splitlines()
    assert len(shown) > 20, "a session shows its results"


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)
    assert words[0] == "csi"
    if words[1] == "report":
        words += ["--out", str(tmp_path)]
    if words[1] in ("index", "track"):
        words += ["--bootstrap", "100"]
    assert main(words[1:]) == 0
    assert capsys.readouterr().out


def test_the_two_commands_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"report", "test", "setup", "check", "check-slow", "bench"} <= targets
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_pip_lines_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for piece in ("--use-pep517 --require-hashes -r requirements.lock", "--no-deps"):
        assert piece in makefile
        assert piece in README


def test_every_test_folder_named_in_the_table_exists():
    named = set(re.findall(r"`(tests/\w+)/?`", README))
    assert len(named) >= 6
    assert not [n for n in named if not list((ROOT / n).glob("*.py"))]
