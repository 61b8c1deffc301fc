"""The doctor of pooled estimates looks over the copies they were pooled from."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

import csi
from csi.measures.admissible import structural, withheld_cells, withholds_paths
from tests.pls.test_parity import REFERENCE

MODEL = csi.Model.parse("f =~ x1 + x2 + x4\ng =~ x7 + x8 + x9\ng ~ f")


def answers(seed: int, *, sick: bool) -> pl.DataFrame:
    """Six items of two constructs; where it is sick, x4 holds x2 three times over."""
    rng = np.random.default_rng(seed)
    f, g = rng.standard_normal((2, 300))
    g += 0.3 * f
    columns = {f"x{k}": 0.7 * f + 0.7 * rng.standard_normal(300) for k in (1, 2, 4)}
    columns |= {f"x{k}": 0.7 * g + 0.7 * rng.standard_normal(300) for k in (7, 8, 9)}
    frame = pl.DataFrame(columns)
    return frame.with_columns(x4=0.4 * pl.col("x4") + 3 * pl.col("x2")) if sick else frame


def fits(*states: str) -> list[csi.Estimate]:
    return [csi.fit(MODEL, answers(k, sick=state == "sick"), csi.SEM()) for k, state in enumerate(states)]


def test_what_is_found_in_the_copies_is_found() -> None:
    copies = fits("sick", "sick")
    each = [csi.verify(copy) for copy in copies]
    found = csi.verify(csi.pool(copies))
    assert "E-HEYWOOD" in found.codes
    assert set(found.codes) == {code for one in each for code in one.codes}
    assert len(found.refits) == sum(len(one.refits) for one in each) == 2
    assert not found.usable
    heywood = next(f for f in found.findings if f.code == "E-HEYWOOD")
    own = [next(f for f in one.findings if f.code == "E-HEYWOOD") for one in each]
    worst = max(own, key=lambda f: f.size)
    assert heywood.what.en == f"In 2 of 2 imputations (numbers of the worst): {worst.what.en}"
    assert heywood.what.zh == f"2 份插补数据中有 2 份（数值取最重的一份）：{worst.what.zh}"
    assert (heywood.cause, heywood.remedy) == (worst.cause, worst.remedy)


def test_one_copy_is_enough() -> None:
    found = csi.verify(csi.pool(fits("sound", "sick", "sound")), refit=False)
    assert "In 1 of 3 imputations: The residual variance of x4 is negative" in str(found)
    assert found.refits == ()


def test_sound_copies_are_sound() -> None:
    assert str(csi.verify(csi.pool(fits("sound", "sound")))) == "Diagnosis: nothing improper was found."


def test_a_model_that_is_not_identified_is_found() -> None:
    copies = [csi.fit("f =~ x1 + x2", answers(k, sick=False), csi.SEM()) for k in (1, 2)]
    found = csi.verify(csi.pool(copies))
    assert found.codes == ("E-IDENT",)
    assert "In 2 of 2 imputations: The model is not identified" in str(found)


def test_paths_of_copies_that_must_not_be_read_are_withheld() -> None:
    """The full ECSI on mobi, where Image and Expectation cannot be told apart."""
    saved = json.loads((REFERENCE / "mobi/moments.json").read_text("utf-8"))
    data = csi.Moments.of(saved["names"], saved["cov"], n=saved["n"], mean=saved["mean"])
    one = csi.fit((REFERENCE / "mobi/model.txt").read_text("utf-8"), data, csi.SEM())
    both = csi.pool([one, one])
    assert withheld_cells(both).keys() == withheld_cells(one).keys() == {0}
    why, own = withholds_paths(both), withholds_paths(one)
    assert why is not None
    assert own is not None
    assert why.code == own.code
    assert structural(both)["estimate"].null_count() == structural(both).height


def test_composites_are_looked_over_copy_by_copy() -> None:
    copies = [csi.bootstrap(csi.fit(MODEL, answers(k, sick=False), csi.PLS()), n=100, seed=1) for k in (1, 2)]
    each = [csi.verify(copy) for copy in copies]
    assert set(csi.verify(csi.pool(copies)).codes) == {code for one in each for code in one.codes}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_tells_it_in_both_languages(lang: str) -> None:
    frame = csi.verify(csi.pool(fits("sick", "sound")), refit=False).frame(lang)
    word = "imputations" if lang == "en" else "插补数据"
    assert all(word in what for what in frame["what"])
