"""How an estimate reads at the prompt."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import csi
from csi.display import html, text
from csi.errors import reason

MODEL = "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f"


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """150 rows by a formula: two correlated latents, six items."""
    i = np.arange(150)
    f = np.sin(i)
    latent = [f, f, f, *[0.5 * f + np.cos(2.3 * i)] * 3]
    items = {f"x{j + 1}": z + 0.8 * np.sin((3 + j) * 1.7 * i + j) for j, z in enumerate(latent)}
    return pl.DataFrame({**items, "town": np.resize(["p", "q", "q"], 150)})


def test_one_cell_says_engine_rows_test_and_parameters(frame):
    est = csi.fit(MODEL, frame, csi.SEM())
    lines = repr(est).splitlines()
    assert lines[0] == "SEM (ML): n = 150"
    assert lines[1].startswith("converged after ")
    fit = est.extra["sem"]
    assert lines[2].startswith(f"chi-square {fit.test.statistic[0]:.4g}, df ")
    assert ", df 8, p " in lines[2]
    assert lines[4].split() == ["estimate", "std_error", "p", "std_all"]
    path = next(line.split() for line in lines if line.split()[:3] == ["g", "~", "f"])
    assert float(path[3]) == pytest.approx(est.table.filter(op="~")["estimate"][0], rel=1e-3)
    assert len(lines) == 6 + len(est.rows)


def test_many_rows_are_counted_and_paths_come_before_variances(frame):
    est = csi.fit(MODEL + "\nx1 ~~ x4\nx2 ~~ x5\nq := 1*1\n", frame, csi.SEM(meanstructure=True))
    lines = repr(est).splitlines()
    rows = [line.split() for line in lines[6:21]]
    assert [r[1] for r in rows] == ["=~"] * 6 + ["~", ":="] + ["~~"] * 7
    left = len(est.rows) - 15
    assert lines[21] == f"... {left} more rows (variances, intercepts) in .table"


def test_a_negative_variance_is_told(frame):
    cov = [[1, 0.8, 0.7], [0.8, 1, 0.3], [0.7, 0.3, 1.0]]
    est = csi.fit("f =~ a + b + c", csi.Moments.of("abc", cov, n=200), csi.SEM())
    assert "! negative variance: a (see csi.verify)" in repr(est).splitlines()
    assert "! 方差为负：a（见 csi.verify）" in text(est, "zh").splitlines()
    assert repr(est).splitlines()[2] == "chi-square 0, df 0, p -"
    held = csi.fit("f =~ a + b + c\na ~~ v*a\nv > 0", csi.Moments.of("abc", cov, n=200), csi.SEM())
    assert "! at its bound: v" in repr(held).splitlines()


TWINS = csi.Moments.of("xzy", [[1, 0.95, 0.5], [0.95, 1, 0.3], [0.5, 0.3, 1]], n=200)
"""Standardised paths of y by hand: (.5 - .95 x .3) / (1 - .95^2) = 2.2051 and (.3 - .95 x .5) / .0975 = -1.7949."""


@pytest.mark.parametrize("settings", [csi.SEM(), csi.SEM(estimator="GLS"), csi.PLS(), csi.SumScores()])
def test_standardised_paths_beyond_one_are_told(settings):
    blocks = "" if isinstance(settings, csi.SEM) else "X =~ x\nZ =~ z\nY =~ y\n"
    x, z, y = "xzy" if isinstance(settings, csi.SEM) else "XZY"
    est = csi.fit(f"{blocks}{y} ~ {z} + {x}", TWINS, settings)
    named, named_zh = (f"{y} ~ {x} 2.21{comma}{y} ~ {z} -1.79" for comma in (", ", "、"))
    assert f"! standardised path beyond 1: {named} (see csi.verify)" in repr(est).splitlines()
    assert f"! 标准化路径超过 1：{named_zh}（见 csi.verify）" in text(est, "zh").splitlines()


def test_standardised_paths_beyond_one_of_other_cells_and_of_groups_are_counted_and_named(frame):
    twins = frame.with_columns(
        x2=pl.col("x1") + 0.1 * pl.col("x5"), y=0.3 * pl.col("x1") + pl.col("x5") + 0.2 * pl.col("x6")
    )
    whole = pl.concat([twins.with_columns(b=pl.lit(b)) for b in "AB"])
    by = csi.fit("y ~ x1 + x2", whole, csi.SEM(), by=["b"])
    assert "! standardised paths beyond 1 in 1 more cells (see csi.verify)" in repr(by).splitlines()
    assert "! 另有 1 个单元的标准化路径超过 1（见 csi.verify）" in text(by, "zh").splitlines()
    groups = csi.fit("y ~ x1 + x2", whole, csi.SEM(groups="b"))
    told = next(line for line in repr(groups).splitlines() if line.startswith("! standardised path"))
    assert "y ~ x2 (A) " in told
    assert told.endswith(" ... (4) (see csi.verify)")


def test_paths_within_one_are_not_told(frame):
    assert "beyond 1" not in repr(csi.fit(MODEL, frame, csi.SEM()))
    wide = frame.with_columns(x4=20 * pl.col("x4"), x5=20 * pl.col("x5"), x6=20 * pl.col("x6"))
    est = csi.fit(MODEL, wide, csi.SEM())
    assert est.table.filter(op="~")["estimate"].item() > 1
    assert "beyond 1" not in repr(est)


def test_a_model_that_is_not_identified_is_told_once_before_the_numbers():
    est = csi.fit("f =~ a + b", csi.Moments.of("ab", [[1, 0.8], [0.8, 1]], n=200), csi.SEM())
    told = [i for i, line in enumerate(repr(est).splitlines()) if "not identified" in line]
    assert told == [3]
    assert "no test of fit" in repr(est)


def test_without_convergence_there_is_no_test(frame):
    est = csi.fit(MODEL, frame, csi.SEM())
    why = reason("R-NOT-CONVERGED", "it did not settle.", "未能收敛。")
    ended = replace(est.convergence, converged=np.array([False]), reasons={0: why})
    lines = repr(replace(est, convergence=ended)).splitlines()
    assert lines[:4] == [
        "SEM (ML): n = 150",
        "no solution",
        "* it did not settle.",
        "! not converged: numbers are not a solution",
    ]
    assert lines[5].split() == ["estimate"]
    assert not any("chi-square" in line for line in lines)


def test_it_is_short_whatever_the_size(frame):
    est = csi.fit("f =~ " + " + ".join(f"x{j}" for j in range(1, 7)), frame, csi.SEM(), ["town"])
    wide = csi.fit(MODEL, frame, csi.SEM(groups="town"))
    assert len(repr(est)) < 3000
    lines = repr(wide).splitlines()
    assert lines[0] == "SEM (ML): n = 150 (p 50, q 100)"
    assert len(wide.rows) == 46
    assert "... 31 more rows (intercepts, 1 more group) in .table" in lines


def test_a_stack_counts_its_cells_and_shows_the_first(frame):
    constant = frame.with_columns(x2=pl.when(pl.col("town") == "q").then(1.0).otherwise("x2"))
    est = csi.fit(MODEL, constant, csi.SEM(), ["town"])
    lines = repr(est).splitlines()
    assert lines[:3] == [
        "SEM (ML): 2 cells (town), n = 50 to 100",
        "1 of 2 cells converged",
        "* q: all answers to x2 are the same (n = 100).",
    ]
    assert "First cell: p" in lines
    assert f"... {len(est.rows)} more rows (1 more cell) in .table" in lines


def test_the_first_cell_with_a_solution_is_shown(frame):
    constant = frame.with_columns(x2=pl.when(pl.col("town") == "p").then(1.0).otherwise("x2"))
    lines = repr(csi.fit(MODEL, constant, csi.SEM(), ["town"])).splitlines()
    alone = repr(csi.fit(MODEL, frame.filter(pl.col("town") == "q"), csi.SEM())).splitlines()
    at = lines.index("First cell with a solution: q")
    assert lines[at + 1].startswith("chi-square ")
    assert lines[at + 1] == alone[2]


def test_notes_and_scaled_tests_are_told_in_both_languages(frame):
    est = csi.fit(MODEL, frame.with_columns(x1=pl.col("x1").clip(-1, 1).round()), csi.SEM(estimator="MLR"))
    assert "; yuan.bentler.mplus " in repr(est)
    zh = text(est, "zh").splitlines()
    assert zh[0] == "SEM (MLR)：n = 150"
    assert zh[1].startswith("迭代 ")
    assert zh[2].startswith("卡方 ")
    assert zh[4].split() == ["估计值", "标准误", "p", "值", "标准化"]
    assert any(line.startswith("* ") and "x1" in line for line in zh)


def test_other_engines_show_the_columns_they_have(frame):
    pls = csi.fit(MODEL, frame, csi.PLS())
    assert repr(pls).splitlines()[3].split() == ["estimate"]
    boot = csi.bootstrap(pls, 100, seed=4)
    assert repr(boot).splitlines()[1].endswith("; 100 resamples, seed 4")
    assert repr(boot).splitlines()[3].split() == ["estimate", "std_error", "p", "conf_low", "conf_high"]


def test_a_notebook_shows_a_table(frame):
    assert "<table" in html(csi.fit(MODEL, frame, csi.SEM()))


def test_paths_that_must_not_be_read_are_not_printed():
    est = csi.fit("y ~ z + x; double := 2", TWINS, csi.SEM())
    assert csi.verify(est).withheld
    for lang, told in (("en", "! paths withheld (E-COLL): "), ("zh", "! 路径不予显示（E-COLL）：")):
        lines = text(est, lang).splitlines()
        (line,) = (one for one in lines if one.startswith(told))
        assert ".table" in line
        paths = [one for one in lines if one.startswith("y  ") and "  ~  " in one[:14]]
        assert len(paths) == 2
        assert not any(character.isdigit() for one in paths for character in one)
    assert est.table.filter(op="~")["estimate"].is_finite().all()


def test_effects_that_must_not_be_read_are_not_printed():
    found = csi.effects(csi.fit("y ~ z + x", TWINS, csi.SEM()))
    assert repr(found).startswith("R2") or "Effects" not in repr(found)
    assert "* effects withheld (E-COLL): " in repr(found)
    assert "* 效应不予显示（E-COLL）：" in text(found, "zh")
    assert found.table["estimate"].is_finite().all()


def test_effects_of_the_cells_that_may_be_read_stay(frame):
    twins = frame.with_columns(x2=pl.col("x1") + 0.1 * pl.col("x5"), y=0.3 * pl.col("x1") + pl.col("x5") + pl.col("x6"))
    fine = frame.with_columns(y=0.3 * pl.col("x1") + pl.col("x5") + pl.col("x6"))
    whole = pl.concat([twins.with_columns(b=pl.lit("A")), fine.with_columns(b=pl.lit("B"))])
    found = csi.effects(csi.fit("y ~ x1 + x2", whole, csi.SEM(), by=["b"]))
    rows = [line for line in repr(found).splitlines() if "direct" in line]
    assert len(rows) == 4
    assert [any(c.isdigit() for c in row.split("direct")[1]) for row in rows] == [False, False, True, True]


def test_a_sound_fit_withholds_nothing(frame):
    est = csi.fit("y ~ x1 + x2", frame.with_columns(y=pl.col("x1") + pl.col("x5")), csi.SEM())
    assert "withheld" not in repr(est) + repr(csi.effects(est))
