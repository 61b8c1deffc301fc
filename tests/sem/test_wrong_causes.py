"""What is wrong is named by its own cause, in both languages."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems
from tests.sem.lavaan_cases import moments_of

MODEL = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9"
NAMES = tuple(f"x{i}" for i in range(1, 10))


ITEMS = ("u1", "u2", "u3", "u4")


def answers(n=300, items=4):
    draw = np.random.default_rng(7)
    f = draw.normal(size=n)
    return pl.DataFrame({f"u{i}": f + draw.normal(size=n) for i in range(1, items + 1)})


def told(make):
    """Both texts of the only problem."""
    with pytest.raises(Problems) as raised:
        make()
    (one,) = raised.value.problems
    return one.code, one.say("en"), one.say("zh")


@pytest.mark.parametrize(
    ("at", "value", "en", "zh"),
    [
        ((0, 1), 5.0, "the correlation of items x1 and x2 is 3.6", "题项 x1 与 x2 的相关为 3.6"),
        ((2, 2), np.nan, "the variance of item x3 is not a number.", "题项 x3 的方差不是数值。"),
        ((2, 2), -1.0, "the variance of item x3 is negative (-1).", "题项 x3 的方差为负（-1）。"),
    ],
)
def test_a_matrix_that_is_none_of_covariances_is_called_so(at, value, en, zh):
    moments = moments_of("holzinger")
    cov = moments.cov[0].copy()
    cov = cov[np.ix_(*([[moments.names.index(n) for n in NAMES]] * 2))]
    cov[at] = cov[at[::-1]] = value
    code, said, said_zh = told(lambda: csi.fit(MODEL, csi.Moments.of(NAMES, cov, 301), csi.SEM()))
    assert code == "E-MOMENTS"
    assert en in said
    assert zh in said_zh


def test_items_that_repeat_each_other_are_still_called_so():
    code, *_ = told(
        lambda: csi.fit(
            "f =~ a + b + c", csi.Moments.of("abc", [[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]], 99), csi.SEM()
        )
    )
    assert code == "E-COLLINEAR"


def test_an_ordinal_item_that_nobody_in_a_group_answered():
    frame = answers().select((1.0 + (pl.col(c) > -1) + (pl.col(c) > 0) + (pl.col(c) > 1)).alias(c) for c in ITEMS)
    frame = frame.with_columns(g=pl.Series(["m", "f"] * 150))
    frame = frame.with_columns(u1=pl.when(pl.col("g") == "m").then(None).otherwise(pl.col("u1")))
    settings = csi.SEM(groups="g", ordered=ITEMS, missing="pairwise")
    code, said, said_zh = told(lambda: csi.fit("f =~ u1 + u2 + u3 + u4", frame, settings))
    assert code == "E-NO-ANSWERS"
    assert "nobody answered it." in said
    assert "无人作答。" in said_zh


def test_a_variance_fixed_below_zero_is_stated_not_estimated():
    est = csi.fit("f =~ u1 + u2 + u3 + u4; f ~~ -1*f", answers(), csi.SEM())
    found = {f.code: f.text() for f in csi.verify(est).findings}
    assert "The model fixes the variance of f at -1.00" in found["E-HEYWOOD"].en
    assert "模型将 f 的方差固定为 -1.00" in found["E-HEYWOOD"].zh
    assert "interval" not in found["E-HEYWOOD"].en
    assert "The model fixes a negative variance (f ~~ -1*f)." in found["E-CONVERGE"].en


def test_no_complete_row_names_what_each_estimator_takes():
    hole = pl.int_range(pl.len()) % 4
    frame = answers().with_columns(
        pl.when(hole == i).then(None).otherwise(pl.col(f"u{i + 1}")).alias(f"u{i + 1}") for i in range(4)
    )
    _, said, said_zh = told(lambda: csi.fit("f =~ u1 + u2 + u3 + u4", frame, csi.SEM()))
    assert 'With csi.SEM: missing="fiml" or "two-stage" for ML and MLR' in said
    assert 'ML 与 MLR 可用 missing="fiml" 或 "two-stage"' in said_zh


def test_an_item_cannot_make_the_groups():
    code, said, said_zh = told(lambda: csi.fit("f =~ u1 + u2 + u3", answers(), csi.SEM(groups="u1")))
    assert code == "E-SETTING"
    assert "u1 is an item of the model" in said
    assert "u1 是模型中的题项" in said_zh


@pytest.mark.parametrize(
    ("constraint", "en", "zh"),
    [
        ("a ==", "nothing stands on one side of `==`", "`==` 的一侧没有内容"),
        ("a == 0 b", '"0 b" cannot be read', "无法读取“0 b”"),
    ],
)
def test_a_wald_constraint_that_cannot_be_read_is_quoted_as_written(constraint, en, zh):
    est = csi.fit("f =~ u1 + a*u2 + u3 + u4", answers(), csi.SEM())
    code, said, said_zh = told(lambda: csi.wald(est, constraint))
    assert code == "E-WALD"
    assert en in said
    assert zh in said_zh
    assert "indirect" not in said


def test_equalities_that_the_ladder_tests_are_not_held_from_the_start():
    frame = answers().with_columns(g=pl.Series(["m", "f"] * 150))
    settings = csi.SEM(groups="g", equal=("loadings",))
    code, said, said_zh = told(lambda: csi.invariance("f =~ u1 + u2 + u3 + u4", frame, "g", settings))
    assert code == "E-SETTING"
    assert "equal= holds loadings equal from the start" in said
    assert "equal= 从一开始就令 loadings 相等" in said_zh
