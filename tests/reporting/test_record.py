"""record.json: the same for the same input, different for different input, silent about the machine."""

import getpass
import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from csi.errors import Text
from csi.reporting.analysis import analyse
from csi.reporting.numbers import to_json
from csi.reporting.record import codebook_hash, data_hash, record
from csi.study import read_study, read_study_panel


def test_the_record_names_what_is_needed_to_repeat(analysis):
    made = record(analysis)
    assert made["seed"] == 5
    assert made["index"] == {
        "rule": "base", "base": "2025Q1", "scheme": "PLS (path)", "level": 0.95, "covers": "sampling error only",
    }  # fmt: skip
    assert made["answers"] == {"A": 78, "B": 78, "C": 3}
    assert set(made["hashes"]) == {"data", "study", "codebook", "files"}
    assert {"python", "csi", "numpy", "polars", "scipy"} == set(made["versions"])
    assert made["settings"]["replicates"] == 200
    assert any(effect["rule"] == "refused" and effect["cells"] > 0 for effect in made["effects"])
    assert "satisfaction ~" in made["model"]["text"]


def test_no_path_name_or_clock_of_this_machine(analysis):
    text = to_json(record(analysis))
    assert str(Path.home()) not in text
    assert str(analysis.study.path.parent) not in text
    assert getpass.getuser() not in re.findall(r"/(\w+)/", text)
    assert not re.search(r"\d{2}:\d{2}:\d{2}", text)


def test_the_same_input_gives_the_same_record(analysis, small_study):
    study = read_study(small_study)
    assert to_json(record(analyse(study, read_study_panel(study)))) == to_json(record(analysis))


def test_hashes_follow_what_they_stand_for(tmp_path, make_study, answers, small_study):
    frame = answers()
    changed = frame.with_columns(s1=pl.when(pl.int_range(pl.len()) == 0).then(1).otherwise("s1"))
    study = read_study(make_study(tmp_path, changed))
    before = read_study(small_study)
    assert data_hash(read_study_panel(study)) != data_hash(read_study_panel(before))
    assert codebook_hash(study.codebook) == codebook_hash(before.codebook)
    other = replace(study.codebook.items[0], label=Text("other", "另"))
    assert codebook_hash(replace(study.codebook, items=(other, *study.codebook.items[1:]))) != codebook_hash(
        study.codebook
    )


def test_a_panel_without_files_is_hashed_by_its_answers(analysis):
    bare = replace(analysis.panel, sources=())
    fewer = replace(bare, frame=bare.frame.head(10))
    assert data_hash(bare) == data_hash(bare) != data_hash(fewer)
