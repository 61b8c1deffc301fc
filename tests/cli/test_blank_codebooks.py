"""`csi models NAME --blank`: what is written reads when filled in, and `csi check` then allows the model."""

import json

import numpy as np
import polars as pl
import pytest
import yaml

from csi.cli import main
from csi.models.cards import card_names, read_card
from csi.reporting.methods import METHODS, method_of, methods_of
from csi.reporting.methods.blanks import BLANKS, blank_of

NAMES = [*METHODS]
STAGES = ("never", "first", "long")
WAVES = ("first", "second")
CELLS = {
    "id": "1", "date": "2026-01-05", "amount": "20", "start": "2026-01-05", "end": "2026-02-05", "event": "1",
    "touchpoint": "shop", "seq": "1", "time": "2026-01-05 10:00", "score": "5", "stage": "use", "joined": "2026-01-05",
    "complained": "1", "handled_score": "5", "failure": "1", "severity": "2", "recovery": "top", "wave": "first",
    "text": "fine", "lang": "en", "human_score": "0.5", "coder": "a", "attribute": "speed", "opened": "2026-01-05",
    "closed": "2026-01-09", "status": "closed", "duration": "3", "case": "1", "source": "app", "brand": "Alpha",
}  # fmt: skip
"""A cell of every column of a table of events."""
COLUMNS = {"respondent": "id", "wave": "period", "stage": "phase"}


def filled(text):
    """The codebook with wordings, its items, and answers within their scales."""
    book = yaml.safe_load(text)
    for item in book["items"]:
        item["zh"], item["en"] = f"题项 {item['name']}", f"Item {item['name']}"
        item.pop("column")
    rng, n = np.random.default_rng(1), 330
    scales = {s: (int(v["min"]), int(v["max"])) for s, v in book["scales"].items()}
    answers = {i["name"]: rng.integers(scales[i["scale"]][0], scales[i["scale"]][1] + 1, n) for i in book["items"]}
    people = [k % (n // 2) for k in range(n)]
    waves = [WAVES[2 * k // n] for k in range(n)]
    keys = {"id": people, "period": waves, "phase": [STAGES[k % 3] for k in people]}
    return book, pl.DataFrame({**keys, **answers})


def studied(folder, name, text, keys=()):
    """A study of a filled codebook, with the tables that the model wants."""
    book, frame = filled(text)
    (folder / "codebook.yaml").write_text(yaml.safe_dump(book, allow_unicode=True), encoding="utf-8")
    frame.write_csv(folder / "answers.csv")
    blank = BLANKS.get(name)
    first, second = [i["name"] for i in book["items"]][:2]
    model = {"text": f"one =~ {first}; two =~ {second}; two ~ one"}
    study = {
        "csi": 1, "study": "blank", "language": "en", "data": [{"file": "answers.csv"}], "codebook": "codebook.yaml",
        "keys": {"respondent": "id", **{k: COLUMNS[k] for k in ("wave", *keys, *(blank.keys if blank else ()))}},
        "waves": {"order": list(WAVES), "respondents": "same"},
        "model": {"card": blank.card} if blank and blank.card else model,
        "index": {"target": "satisfaction" if blank and blank.card else "two"}, "bootstrap": {"n": 0},
    }  # fmt: skip
    own = {option: f"{option}.csv" for option in blank.files} if blank else {}
    for option, columns in (blank.files if blank else {}).items():
        (folder / f"{option}.csv").write_text(columns.replace(" ", "") + "\n", encoding="utf-8")
    own |= blank.items if blank else {}
    for kind, columns in (blank.tables if blank else {}).items():
        names = columns.replace(" ", "").split(",")
        (folder / f"{kind}.csv").write_text(f"{','.join(names)}\n{','.join(CELLS[n] for n in names)}\n")
        study["tables"] = study.get("tables", {}) | {kind: f"{kind}.csv"}
    if own:
        study["models"] = {name: own}
    (folder / "study.yaml").write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder / "study.yaml"


def allows(path, name, capsys):
    """What `csi check` says a model lacks."""
    code = main(["check", str(path), "--json", "--lang", "en"])
    seen = capsys.readouterr()
    assert code == 0, seen.out + seen.err
    return {m["name"]: m["lacks"] for m in json.loads(seen.out)["models"]}[name]


def test_every_model_with_code_of_its_own_has_a_blank():
    assert set(BLANKS) == set(NAMES)


TWICE = NAMES[:2]
"""Both languages are read through the same code: of the others the Chinese is left to the slow tests."""


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        *((name, "en") for name in NAMES),
        *(pytest.param(name, "zh", marks=() if name in TWICE else pytest.mark.slow) for name in NAMES),
    ],
)
def test_a_blank_codebook_reads_when_filled_and_allows_its_model(name, lang, tmp_path, capsys):
    target = tmp_path / "codebook.yaml"
    assert main(["models", name, "--blank", str(target), "--lang", lang]) == 0
    said = capsys.readouterr().out
    assert str(target) in said
    text = target.read_text(encoding="utf-8")
    assert {"en": "Fill in the wording", "zh": "请填写题项措辞"}[lang] in text
    assert allows(studied(tmp_path, name, text), name, capsys) == []


@pytest.mark.parametrize("name", card_names())
def test_a_blank_codebook_of_a_card_allows_the_card(name, tmp_path, capsys):
    text, group = read_card(name).codebook_text("en"), read_card(name).requires.group
    key = next(m.name for m in methods_of() if m.name in (name, f"{name}_card") and m.name not in NAMES)
    assert group in text
    assert allows(studied(tmp_path, key, text, (group,) if group else ()), key, capsys) == []


def test_servqual_asks_22_attributes_twice_and_points_of_five_dimensions():
    book = yaml.safe_load(blank_of("servqual", method_of("servqual").title))
    forms = [i["form"] for i in book["items"]]
    assert {f: forms.count(f) for f in ("Es", "I")} == {"Es": 22, "I": 5}
    sizes = [sum(i["construct"] == c and i["form"] == "P" for i in book["items"]) for c in list(book["constructs"])[:5]]
    assert sizes == [4, 5, 4, 4, 5]


def test_a_file_of_the_models_name_is_written_where_none_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["models", "kano", "--blank", "--lang", "zh"]) == 0
    assert "已写入：kano_codebook.yaml" in capsys.readouterr().out
    assert (tmp_path / "kano_codebook.yaml").exists()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_cards_and_other_models_stand_in_one_list_by_their_number(lang, capsys):
    assert main(["models", "--lang", lang]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    names = {m.name: m.number for m in methods_of()}
    shown = [(int(r[0]) if r[0].isdecimal() else 99, n) for r in rows for n in r[:2] if n in names]
    assert {n for _, n in shown} == set(names)
    numbers = [number for number, _ in shown]
    assert numbers == sorted(numbers)
    assert all(names[n] == (0 if number == 99 else number) for number, n in shown)
