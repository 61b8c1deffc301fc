"""Reports of bad input: odd names of brands, sixty of them, too little of everything, folders, interrupts."""

from __future__ import annotations

import os
import re
import zipfile
from html import escape
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.cli import main
from csi.reporting import write as writing
from csi.reporting.sheets import to_csv

NAMES = {
    "markup": "<b>Bold</b>",
    "formula": "=1+1",
    "long": "一家名字足有四十个汉字那么长的电信运营公司它的名称无论如何也不可能在一张图中完整显示",
    "emoji": "📱 App",
    "turned": "شركة \u202eabc",
    "glyph": "㐂牌",
}
ONE = ("2025Q1",)


def quick(text, brands=(), waves=("2025Q1", "2025Q2")):
    """The small study without resamples, with other waves, and other brands of which the first is the focal one."""
    text = text[: text.index("bootstrap:")] + "bootstrap: {n: 0}\nreport: {small: 30, flagged: 40}\n"
    text = re.sub(r"order: \[.*?\]", f"order: [{', '.join(waves)}]", text)
    focal = [", focal: yes", *[""] * (len(brands) - 1)]
    listed = [f"  - {{name: '{b}', zh: '{b}', en: '{b}'{mark}}}\n" for b, mark in zip(brands, focal, strict=False)]
    return re.sub(r"brands:\n(  - .*\n)+", f"brands:\n{''.join(listed)}", text) if brands else text


@pytest.fixture(scope="module")
def sixty(tmp_path_factory, make_study, answers, study_text):
    """Page and workbook of one wave of sixty brands, six of them with hostile names and the long one in focus."""
    folder = tmp_path_factory.mktemp("sixty")
    one = answers(30, 1).filter(pl.col("brand") == "A")
    order = [NAMES["long"], *(n for n in NAMES.values() if n != NAMES["long"]), *(f"N{k:02}" for k in range(54))]
    cells = [
        one.with_columns(brand=pl.lit(n), id=pl.col("id") + str(k), s1=(pl.col("s1") - k // 10).clip(1, 10))
        for k, n in enumerate(order)
    ]
    path = make_study(folder, pl.concat(cells), quick(study_text, order, ONE))
    assert main(["report", str(path), "--out", str(folder / "out"), "--to", "html,xlsx", "--lang", "zh,en"]) == 0
    with zipfile.ZipFile(folder / "out/2025Q1/tables.xlsx") as book:
        sheets = "".join(book.read(n).decode() for n in book.namelist() if n.endswith(".xml"))
    return (folder / "out/2025Q1/report.html").read_text(encoding="utf-8"), sheets


def drawn(page):
    """The words in the drawings of a page."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", page)


@pytest.mark.parametrize("which", NAMES)
def test_any_name_of_a_brand_is_text(sixty, which):
    page, sheets = sixty
    name = NAMES[which].replace("\u202e", "")
    assert escape(name) in page
    assert escape(name, quote=False) in sheets
    assert "<f>" not in sheets
    assert "<b>Bold" not in page
    assert "\u202e" not in page + sheets


def test_a_name_too_long_for_a_figure_is_cut_there_and_whole_in_the_tables(sixty):
    page, sheets = sixty
    assert not [word for word in drawn(page) if NAMES["long"] in word]
    assert [word for word in drawn(page) if word.startswith(NAMES["long"][:6])]
    assert NAMES["long"] in sheets


def test_characters_that_no_font_holds_are_named(sixty):
    for mark in ("㐂 (U+3402, in ", "📱 (U+1F4F1, in "):
        assert mark in sixty[0]
    assert "U+202E" not in sixty[0]


def test_sixty_brands_leave_the_figures_room(sixty):
    page, sheets = sixty
    assert "the 11 brands with the highest index; all 60 stand in the tables." in page
    assert all(f">N{k:02}<" in sheets for k in range(54))
    assert drawn(page).count("N50") < drawn(page).count("N00")  # the league has all, the heat table the highest


def test_words_that_look_like_formulas_are_quoted_in_csv():
    assert to_csv(pl.DataFrame({"brand": ["=1+1", "a"], "x": [-1, 2]})) == b"brand,x\n'=1+1,-1\na,2\n"


def test_a_study_without_brands_in_one_wave(tmp_path, make_study, answers, study_text):
    frame = answers(35, 1).filter(pl.col("brand") == "A").drop("brand")
    text = re.sub(r"brands:\n(  - .*\n)+", "", quick(study_text, waves=ONE)).replace(", brand: brand", "")
    found = csi.report(make_study(tmp_path, frame, text), lang="en")
    assert {"chain", "model"} <= {*found.keys}
    assert not {"trend", "league"} & {*found.keys}
    assert found.headline.changes == ()
    assert "None" not in found.headline.sentence.en + found.title.en


def test_a_construct_without_drivers_is_told(tmp_path, make_study, answers, study_text):
    text = quick(study_text, waves=ONE).replace("satisfaction ~ image + quality", "image ~ satisfaction")
    text = text.replace("    quality ~ image\n", "    quality ~ satisfaction\n")
    found = csi.report(make_study(tmp_path, answers(35, 1), text), lang="en")
    assert "priorities" not in found.keys
    assert "nothing in the model leads to Satisfaction, so it has no drivers" in found.sections[0].notes[0].text.en


def test_constructs_that_cannot_be_told_apart_have_no_priorities(tmp_path, make_study, answers, study_text):
    k = pl.int_range(pl.len())
    same = {"q1": pl.col("i1") + k % 2, "q2": pl.col("i2") + k // 2 % 2, "q3": pl.col("i1") + k // 3 % 2}
    frame = answers(40, 1).with_columns(**{item: value.clip(1, 10) for item, value in same.items()})
    found = csi.report(make_study(tmp_path, frame, quick(study_text, waves=ONE)), lang="en")
    assert "priorities" not in found.keys
    assert "image, quality are not separable here" in found.sections[0].notes[0].text.en


def test_a_wave_in_which_everything_is_suppressed_tells_no_number_of_it(tmp_path, make_study, answers, study_text):
    frame = answers(35, 2).with_row_index("k").filter((pl.col("wave") == "2025Q1") | (pl.col("k") % 5 == 0)).drop("k")
    found = csi.report(make_study(tmp_path, frame, quick(study_text)), lang="en")
    assert found.headline.sentence.en == "Alpha: no index this quarter"
    league = found.section("league").tables[0].frame
    assert league["index"].null_count() == league.height
    assert not {"model", "priorities"} & {*found.keys}


def test_a_folder_that_may_only_be_read_is_named(tmp_path, make_study, answers, study_text, capsys, monkeypatch):
    path = make_study(tmp_path, answers(30, 1), quick(study_text, waves=ONE))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(["report", str(path), "--out", str(tmp_path / "out"), "--lang", "zh"]) == 1
    assert "不能写入" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("late", [False, True], ids=["while writing", "while renaming"])
def test_an_interrupt_leaves_whole_files_of_one_run(tmp_path, monkeypatch, late):
    names = ["report.html", "numbers.json", "record.json"]
    writing.written(tmp_path, dict.fromkeys(names, b"old"))
    own, calls = (Path.replace if late else Path.write_bytes), []

    def stopped(self, *given):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return own(self, *given)

    monkeypatch.setattr(Path, "replace" if late else "write_bytes", stopped)
    with pytest.raises(KeyboardInterrupt):
        writing.written(tmp_path, dict.fromkeys(names, b"new"))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == dict.fromkeys(names, b"new" if late else b"old")
