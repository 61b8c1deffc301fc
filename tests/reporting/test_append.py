"""Moments added day by day against all rows together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.tracking.store import added, read_store, sums_of, to_bytes

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "data/telecom"
DAYS = 4


@pytest.fixture(scope="module")
def panel():
    """Two brands, four quarters; the rows of a quarter are spread over the days."""
    frame = pl.read_csv(SOURCE / "panel.csv", infer_schema=False)
    waves = ["2023Q4", "2024Q1", "2024Q2", "2024Q3"]
    return frame.filter(pl.col("quarter").is_in(waves) & pl.col("operator").is_in(["ZX", "YA"])).with_row_index("_i")


@pytest.fixture(scope="module")
def made(tmp_path_factory, panel):
    """A study whose file holds the first day, without weights; days 1 to 3 beside it."""
    path = tmp_path_factory.mktemp("days")
    text = (SOURCE / "study.yaml").read_text(encoding="utf-8").replace(", weight: weight", "")
    (path / "study.yaml").write_text(text, encoding="utf-8")
    (path / "codebook.yaml").write_bytes((SOURCE / "codebook.yaml").read_bytes())
    for day in range(DAYS):
        name = "panel.csv" if day == 0 else f"day{day}.csv"
        panel.filter(pl.col("_i") % DAYS == day).drop("_i").write_csv(path / name)
    return path


@pytest.fixture
def folder(tmp_path, made):
    """A copy of it, to be added to and changed."""
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def whole(folder, panel, weight=False):
    """The index of all rows together."""
    study = csi.Study.read(folder / "study.yaml")
    (folder / "all").mkdir()
    panel.drop("_i").write_csv(folder / "all/panel.csv")
    for name in ("study.yaml", "codebook.yaml"):
        (folder / "all" / name).write_bytes((folder / name).read_bytes())
    study = csi.Study.read(folder / "all/study.yaml")
    est = csi.fit(study.model, study.panel(), csi.PLS(), ["brand", "wave"])
    return csi.index(est, weights="base", base="2023Q4", std_error="fixed"), study


def all_days(folder):
    csi.append(folder / "study.yaml")
    return [csi.append(folder / "study.yaml", folder / f"day{day}.csv") for day in range(1, DAYS)][-1]


def test_day_by_day_is_all_rows_together(folder, panel):
    found = all_days(folder)
    made, study = whole(folder, panel)
    assert found.index.cells.equals(made.cells)
    assert np.abs(found.index.values - made.values).max() < 1e-12 * 100
    moments = csi.fit(study.model, study.panel(), csi.PLS(), ["brand", "wave"]).moments
    kept = found.store.moments()
    assert kept.names == moments.names
    for name in ("n", "mean", "cov"):
        mine, theirs = getattr(kept, name), getattr(moments, name)
        assert np.abs(mine - theirs).max() <= 1e-12 * np.abs(theirs).max(), name
    weights = [w.sort("construct", "item")["weight"].to_numpy() for w in (found.index.weights, made.weights)]
    assert np.abs(weights[0] - weights[1]).max() < 1e-12
    assert found.batches["name"].to_list() == ["panel.csv", "day1.csv", "day2.csv", "day3.csv"]
    assert found.batches["rows"].sum() == study.panel().frame.height


def test_rows_that_are_left_out_are_counted(folder):
    csi.append(folder / "study.yaml")
    rows = pl.read_csv(folder / "day1.csv", infer_schema=False)
    item = csi.Study.read(folder / "study.yaml").model.items[0]
    blank = pl.when(pl.int_range(pl.len()) < 9).then(pl.lit("")).otherwise(pl.col(item)).alias(item)
    rows.with_columns(blank).write_csv(folder / "day1.csv")
    found = csi.append(folder / "study.yaml", folder / "day1.csv")
    left, every = found.left_out
    assert left >= 2
    assert every == left + found.new["added"].sum()
    assert f"({left} of {every} rows left out" in found.sentences[0].en
    assert f"{every} 行中有 {left} 行因缺答未计入" in found.sentences[0].zh


def test_the_earlier_rows_are_not_read_again(folder):
    csi.append(folder / "study.yaml")
    (folder / "panel.csv").write_text((folder / "panel.csv").read_text().split("\n")[0] + "\n")
    found = csi.append(folder / "study.yaml", folder / "day1.csv")
    assert found.new["added"].sum() < found.store.counted["n"].sum()
    assert "added to 8 cells" in found.sentences[0].en


def test_weights_add_as_they_are(folder, panel):
    """Raw weights differ from day to day in their mean; only their ratios may count, over all days."""
    (folder / "study.yaml").write_bytes((SOURCE / "study.yaml").read_bytes())
    found = all_days(folder)
    _, study = whole(folder, panel)
    frame = study.panel().frame.drop_nulls(list(found.store.names))
    kept = found.store.moments()
    for row, mean, cov in zip(kept.cells.iter_rows(named=True), kept.mean, kept.cov, strict=True):
        cell = frame.filter(pl.col("brand") == row["brand"], pl.col("wave") == row["wave"])
        x, w = cell.select(kept.names).to_numpy(), cell["weight"].to_numpy()
        m = np.average(x, axis=0, weights=w)
        v = np.cov(x.T, aweights=w, ddof=0) * len(x) / (len(x) - 1)
        assert np.abs(mean - m).max() < 1e-12 * np.abs(m).max()
        assert np.abs(cov - v).max() < 1e-12 * np.abs(v).max()
    est = csi.fit(study.model, study.panel(), csi.PLS(), ["brand", "wave"])
    made = csi.index(est, weights="base", base="2023Q4", std_error="fixed")
    # a fit rounds weights to 2^-20 of their mean
    assert np.abs(found.index.values - made.values).max() < 100 * 2.0**-20


def test_sums_by_hand():
    rows, weight = np.array([[1.0], [3.0], [8.0]]), np.array([1.0, 2.0, 1.0])
    sums = sums_of(rows, weight, np.array([0, 0, 1]), 2, np.array([5.0]))
    assert sums.n.tolist() == [2, 1]
    assert sums.w.tolist() == [3.0, 1.0]
    assert sums.w2.tolist() == [5.0, 1.0]
    assert sums.first.tolist() == [[-8.0], [3.0]]  # 1 (1 - 5) + 2 (3 - 5); 8 - 5
    assert sums.second.tolist() == [[[24.0]], [[9.0]]]


def refused(*words, **named):
    with pytest.raises(csi.Problems) as caught:
        csi.append(*words, **named)
    assert all(p.what.en and p.what.zh and p.remedy.en and p.remedy.zh for p in caught.value.problems)
    return [p.code for p in caught.value.problems]


def test_the_same_batch_twice_is_refused(folder, panel):
    study = folder / "study.yaml"
    csi.append(study)
    csi.append(study, folder / "day1.csv")
    store = folder / "study.moments.npz"
    before = store.read_bytes()
    assert refused(study, folder / "day1.csv") == ["E-BATCH"]
    (folder / "copy.csv").write_bytes((folder / "day1.csv").read_bytes())
    assert refused(study, folder / "copy.csv") == ["E-BATCH"]
    pl.read_csv(folder / "day1.csv", infer_schema=False).reverse().write_csv(folder / "turned.csv")
    assert refused(study, folder / "turned.csv") == ["E-BATCH"]
    panel.filter(pl.col("_i") % DAYS < 3, pl.col("_i") % DAYS > 0).drop("_i").write_csv(folder / "cumulative.csv")
    assert refused(study, folder / "cumulative.csv") == ["E-BATCH"]
    assert store.read_bytes() == before


def test_the_first_batch_may_not_be_the_study_own_file(folder):
    assert refused(folder / "study.yaml", folder / "panel.csv") == ["E-BATCH"]
    assert not (folder / "study.moments.npz").exists()


def test_no_file_and_no_store(folder):
    assert refused(folder / "study.yaml", folder / "none.csv") == ["E-FILE"]
    (folder / "bad.npz").write_text("no store")
    assert refused(folder / "study.yaml", store=folder / "bad.npz") == ["E-STORE"]
    np.savez(folder / "other.npz", a=np.zeros(3))
    assert refused(folder / "study.yaml", store=folder / "other.npz") == ["E-STORE"]


def test_another_codebook_is_refused(folder):
    csi.append(folder / "study.yaml")
    book = (folder / "codebook.yaml").read_text(encoding="utf-8")
    (folder / "codebook.yaml").write_text(book.replace("max: 10", "max: 11", 1), encoding="utf-8")
    assert "E-STORE" in refused(folder / "study.yaml", folder / "day1.csv")


def test_absent_answers_that_need_all_rows_are_refused(folder):
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    (folder / "study.yaml").write_text(text.replace("missing: listwise", "missing: em", 1), encoding="utf-8")
    assert refused(folder / "study.yaml") == ["E-SETTING"]


def test_a_store_survives_its_file(folder, tmp_path):
    found = csi.append(folder / "study.yaml")
    back = read_store(found.path)
    assert to_bytes(back) == found.path.read_bytes()
    assert back.batches == found.store.batches
    twice = replace(back, batches=(), seen=back.seen[:0])
    assert added(twice, twice).sums.n.sum() == 2 * back.sums.n.sum()


def based(folder, small):
    """The study with another smallest base."""
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    path = folder / f"small{small}.yaml"
    path.write_text(text.replace("small: 30, flagged: 100", f"small: {small}, flagged: {small}"), encoding="utf-8")
    return path


def test_cells_below_the_base_keep_their_row(folder):
    counted = csi.append(folder / "study.yaml").store.counted
    least = counted["n"].min() + 1
    found = csi.append(based(folder, least), store=folder / "other.npz")
    few = counted.filter(pl.col("n") < least)
    assert 0 < few.height < counted.height
    told = found.table.filter(construct="satisfaction")
    assert told.select("brand", "wave", "n").rows() == counted.rows()
    mine = told.join(few, on=["brand", "wave"], how="semi")
    assert mine["index"].null_count() == mine["std_error_fixed"].null_count() == few.height
    assert set(mine["reason"]) == {f"fewer than {least} answers; suppressed."}
    assert set(mine["formula"]) == {"F1"}
    assert told["index"].null_count() == few.height
    assert found.index.cells.join(few, on=["brand", "wave"], how="semi").is_empty()


def test_too_few_answers_everywhere(folder):
    found = csi.append(based(folder, 10_000), store=folder / "other.npz")
    assert found.index is None
    assert found.table["index"].null_count() == found.table.height > 0
    assert found.table.filter(construct="satisfaction")["n"].to_list() == found.store.counted["n"].to_list()
    said = next(n for n in found.notes if n.code == "E-BASE")
    assert (said.say("en"), said.say("zh")) == ("no cell has 10000 answers yet.", "尚无样本量达到 10000 的单元。")
    assert "no cell has 10000 answers yet." in repr(found)


def test_one_answer_a_day(folder, panel):
    """A new wave, an answer a day, each with its name; the same answer twice is refused."""
    csi.append(folder / "study.yaml")
    day = panel.filter((pl.col("_i") % DAYS == 1) & (pl.col("quarter") == "2024Q3") & (pl.col("operator") == "ZX"))
    rows = day.drop("_i").with_columns(quarter=pl.lit("2024Q4"), operator=pl.lit("ZX"))
    for k in range(3):
        rows[k].write_csv(folder / f"one{k}.csv")
        found = csi.append(folder / "study.yaml", folder / f"one{k}.csv")
        told = found.table.filter(construct="satisfaction", brand="ZX", wave="2024Q4")
        assert told.select("n", "index", "reason").rows() == [(k + 1, None, "fewer than 30 answers; suppressed.")]
        assert found.sentences[0].en.startswith("1 answer added to 1 cell")
    rows[1].with_columns(seconds=pl.lit("300")).write_csv(folder / "again.csv")
    assert refused(folder / "study.yaml", folder / "again.csv") == ["E-BATCH"]
    rows[3].with_columns(sat1=pl.lit("")).write_csv(folder / "incomplete.csv")
    found = csi.append(folder / "study.yaml", folder / "incomplete.csv")
    assert found.sentences[0].en.startswith("0 answers added to 0 cells (1 of 1 rows left out, with absent answers);")
    assert found.batches["used"].to_list()[-1] == 0


def test_one_answer_a_day_without_names(folder, panel):
    """The same answers on two days may be two people's; the same file is not."""
    text = (folder / "study.yaml").read_text(encoding="utf-8").replace("respondent: id, ", "")
    (folder / "nameless.yaml").write_text(text, encoding="utf-8")
    csi.append(folder / "nameless.yaml")
    row = panel.filter(pl.col("_i") % DAYS == 1)[0].drop("_i")
    for day in ("300", "301"):
        row.with_columns(seconds=pl.lit(day)).write_csv(folder / f"at{day}.csv")
        assert csi.append(folder / "nameless.yaml", folder / f"at{day}.csv").new["added"].to_list() == [1]
    assert refused(folder / "nameless.yaml", folder / "at300.csv") == ["E-BATCH"]


def day_of(folder, panel, name, change):
    """Day 1 with something else about it, as a file."""
    rows = panel.filter(pl.col("_i") % DAYS == 1).drop("_i")
    change(rows).write_csv(folder / name)
    return folder / name


def test_a_closed_wave_takes_late_answers_only_when_asked(folder, panel):
    study = folder / "study.yaml"
    csi.append(study, close=["2024Q1"])
    assert refused(study, folder / "day1.csv") == ["E-CLOSED"]
    found = csi.append(study, folder / "day1.csv", late=True)
    late = next(n.text for n in found.notes if n.code == "W-STORE-LATE")
    assert "2023Q4 (+" in late.en
    assert "The base wave is among them" in late.en
    assert "迟到答卷" in late.zh
    only = folder / "last.csv"
    panel.filter(pl.col("_i") % DAYS == 2, pl.col("quarter") == "2024Q3").drop("_i").write_csv(only)
    found = csi.append(study, only)  # the closed wave is not touched, nor is any but the latest
    assert "W-STORE-LATE" not in {n.code for n in found.notes}
    assert found.store.closed == read_store(found.path).closed == ("2024Q1",)
    assert refused(study, close=["2019Q1"]) == ["E-WAVE"]


def test_answers_on_a_shorter_scale_are_refused(folder, panel):
    study = folder / "study.yaml"
    csi.append(study)
    store = (folder / "study.moments.npz").read_bytes()
    items = [c for c in panel.columns if c[-1].isdigit()]
    halved = [
        pl.when(pl.col(c).is_in([str(k) for k in range(1, 11)]))
        .then(((pl.col(c).cast(pl.Int64, strict=False) + 1) // 2).cast(pl.String))
        .otherwise(c)
        .alias(c)
        for c in items
    ]
    five = day_of(folder, panel, "five.csv", lambda rows: rows.with_columns(halved))
    assert refused(study, five) == ["E-SCALE"]
    hundred = [(pl.col(c) + "0").alias(c) for c in ("sat1", "sat2")]
    assert set(refused(study, day_of(folder, panel, "long.csv", lambda rows: rows.with_columns(hundred)))) == {
        "E-RANGE"
    }
    assert (folder / "study.moments.npz").read_bytes() == store
    assert csi.append(study, five, anyway=True).new["added"].sum() > 0


def test_weights_of_another_size_are_refused(folder, panel):
    study = folder / "study.yaml"
    study.write_bytes((SOURCE / "study.yaml").read_bytes())
    csi.append(study)
    large = (pl.col("weight").cast(pl.Float64) * 1000).cast(pl.String)
    heavy = day_of(folder, panel, "heavy.csv", lambda rows: rows.with_columns(large))
    assert refused(study, heavy) == ["E-WEIGHT"]
    assert refused(study, day_of(folder, panel, "none.csv", lambda rows: rows.drop("weight"))) == ["E-COLUMN"]
    assert csi.append(study, heavy, anyway=True).new["added"].sum() > 0


def test_a_brand_or_a_wave_that_the_study_does_not_know_is_refused(folder, panel):
    study = folder / "study.yaml"
    csi.append(study)
    other = day_of(folder, panel, "brand.csv", lambda rows: rows.with_columns(operator=pl.lit("QQ")))
    assert refused(study, other) == ["E-BRAND"]
    later = day_of(folder, panel, "wave.csv", lambda rows: rows.with_columns(quarter=pl.lit("2031Q1")))
    assert refused(study, later) == ["E-WAVE"]
    assert refused(study, day_of(folder, panel, "no.csv", lambda rows: rows.drop("sat1"))) == ["E-COLUMN"]


def test_some_respondents_of_an_earlier_day_are_counted_and_named(folder, panel):
    study = folder / "study.yaml"
    csi.append(study)
    twice = panel.filter(pl.col("_i") % DAYS == 0).drop("_i")[:3]
    mixed = day_of(folder, panel, "mixed.csv", lambda rows: pl.concat([rows, twice]))
    with pytest.raises(csi.Problems) as caught:
        csi.append(study, mixed)
    said = caught.value.problems[0]
    assert said.code == "E-BATCH"
    assert said.what.en.startswith("3 of its ")
    assert "3 位已计入" in said.what.zh
