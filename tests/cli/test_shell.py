"""The command line's promises: exit codes, one line per problem in the right language, JSON, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from csi.cli import shell
from csi.cli.answer import Answer
from csi.cli.shell import language, languages, main
from csi.cli.verbs import VERBS
from csi.errors import MissingPackage, NotConverged, Problems, note, problem

ROOT = Path(__file__).parents[2]


@pytest.fixture
def verb(monkeypatch):
    """Put a verb in the place of `models` and return a function that sets what it does."""

    def does(action):
        module = SimpleNamespace(arguments=lambda parser: parser.add_argument("study", nargs="?"), run=action)
        monkeypatch.setattr(shell.importlib, "import_module", lambda name: module)

    return does


def raising(error):
    def action(args, lang):
        raise error

    return action


def test_help_names_every_verb(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in VERBS)


def test_help_speaks_chinese(capsys):
    assert main(["--help", "--lang", "zh"]) == 0
    assert "退出码" in capsys.readouterr().out


def test_nothing_typed_is_a_usage_error_with_help(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().out


def test_an_unknown_verb_gets_a_hint(capsys):
    assert main(["chek", "--lang", "en"]) == 2
    assert capsys.readouterr().err == 'csi: there is no verb "chek". Did you mean "check"?\n'


def test_every_verb_has_its_file_and_help(capsys):
    for name in VERBS:
        assert (ROOT / f"csi/cli/{name}.py").exists()
        assert main([name, "--help"]) == 0
        assert f"csi {name}" in capsys.readouterr().out


def test_a_missing_argument_is_a_usage_error(capsys):
    assert main(["check", "--lang", "zh"]) == 2
    assert capsys.readouterr().err == "csi check：缺少参数：STUDY。见 csi check --help。\n"


def test_an_unknown_option_gets_a_hint(capsys):
    assert main(["index", "study.yaml", "--wav", "2026Q3", "--lang", "en"]) == 2
    assert 'Did you mean "--wave"?' in capsys.readouterr().err


def test_an_unknown_language_is_a_usage_error(capsys):
    assert main(["models", "--lang", "fr"]) == 2
    assert "fr" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Problems([problem("E-X", "a:1", "bad.", "坏。", "Mend it.", "请修。")]), 1, "a:1: bad. Mend it."),
        (NotConverged("no settling"), 3, "no settling"),
        (MissingPackage("pip install csi[pdf]"), 1, "csi[pdf]"),
        (FileNotFoundError(2, "No such file", "x.csv"), 1, "x.csv: no such file or folder. Check the path."),
        (PermissionError(13, "Permission denied", "/x"), 1, "/x: no permission."),
        (ValueError("odd\nthing"), 70, "unexpected: ValueError: odd thing."),
        (KeyboardInterrupt(), 130, "stopped."),
    ],
    ids=lambda v: type(v).__name__,
)
def test_every_exception_is_one_line_and_a_code(verb, capsys, error, code, said):
    verb(raising(error))
    assert main(["models", "--lang", "en"]) == code
    seen = capsys.readouterr()
    assert said in seen.err
    assert len(seen.err.splitlines()) == 1
    assert not seen.out


def test_all_problems_come_at_once(verb, capsys):
    found = [problem("E-X", f"a:{i}", "bad.", "坏。", "Mend it.", "请修。") for i in range(3)]
    verb(raising(Problems(found)))
    assert main(["models", "--lang", "zh"]) == 1
    assert capsys.readouterr().err.splitlines() == [f"a:{i}: 坏。请修。" for i in range(3)]


def test_problems_as_json(verb, capsys):
    verb(raising(Problems([problem("E-X", "a:1", "bad.", "坏。", "Mend it.", "请修。")])))
    assert main(["models", "--json", "--lang", "zh"]) == 1
    seen = capsys.readouterr()
    assert not seen.err
    assert json.loads(seen.out) == {
        "exit": 1,
        "problems": [{"code": "E-X", "where": "a:1", "what": "坏。", "remedy": "请修。"}],
    }


def test_debugging_shows_the_traceback(verb, monkeypatch):
    verb(raising(ValueError("odd")))
    monkeypatch.setenv("CSI_DEBUG", "1")
    with pytest.raises(ValueError, match="odd"):
        main(["models"])


def test_an_answer_is_printed_with_notes_and_code(verb, capsys):
    verb(lambda args, lang: Answer(("done",), {"x": 1 / 3}, notes=(note("N-X", "doubtful.", "存疑。"),), code=3))
    assert main(["models", "--lang", "zh"]) == 3
    assert capsys.readouterr().out == "done\n注：存疑。\n"


def test_json_is_one_object_in_full_precision(verb, capsys):
    verb(lambda args, lang: Answer(("done",), {"x": 1 / 3, "y": float("nan")}))
    assert main(["models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["x"] == 1 / 3
    assert found["y"] is None
    assert found["exit"] == 0


def test_quiet_prints_nothing(verb, capsys):
    verb(lambda args, lang: Answer(("done",), {}))
    assert main(["models", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_a_record_is_written(verb, tmp_path):
    verb(lambda args, lang: Answer(("done",), {"x": 1}, record={"seed": 7}))
    path = tmp_path / "record.json"
    assert main(["models", "--quiet", "--record", str(path)]) == 0
    assert json.loads(path.read_text(encoding="utf-8")) == {"verb": "models", "seed": 7, "notes": []}


def test_a_record_that_cannot_be_written_is_a_problem(verb, tmp_path, capsys):
    verb(lambda args, lang: Answer(("done",), {}))
    assert main(["models", "--lang", "en", "--record", str(tmp_path / "no/record.json")]) == 1
    assert "no such file or folder" in capsys.readouterr().err


def test_language_comes_from_the_option_then_the_study_then_the_machine(tmp_path, monkeypatch):
    study = tmp_path / "study.yaml"
    study.write_text("csi: 1\nlanguage: zh\n", encoding="utf-8")
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert language(["check", str(study), "--lang=en"]) == "en"
    assert language(["check", str(study)]) == "zh"
    assert language(["models"]) == "en"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert language(["models"]) == "zh"


def test_two_languages_with_any_comma():
    assert languages("zh，en") == ("zh", "en")
    assert languages(None) == ()


def run(*words: str, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "csi", *words],
        cwd=ROOT,
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
    )


def test_a_terminal_without_chinese_still_gets_its_answer():
    done = run("models", "--lang", "zh", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error():
    words = [sys.executable, "-m", "csi", "explain", "--json"]
    first = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first.stdout.close()
    said = first.stderr.read()
    first.stderr.close()
    first.wait()
    assert said == b""
