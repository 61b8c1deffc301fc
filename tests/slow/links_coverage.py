"""Do changes through links cover, by common items and where respondents of an overlap sample answered in a wave?

    python tests/slow/links_coverage.py [PANELS]        (about eight minutes on one core for 2,000)

Common items: two waves of n = 250, a construct of four items and one that it drives. In the second wave the fourth item
has another loading and intercept, and the factor's mean is .3 higher. PLS weights of the first wave, linearised errors.
Truth: .3 times the slope of the new form's index in the factor, at the weights of 400,000 respondents. The link's test
that the three common items measure alike (min of two p-values, Bonferroni) is a true null.

Parallel run: all 300 respondents of the second wave answer the old form too (correlation .5), those of the first the
old one alone; mean and linear link. Truth: no change. Counted as they are, and as if the link were independent.

Gated: coverage of nominal 95 % within 92.5-97 %, mean standard error over Monte Carlo standard deviation .95-1.05; the
test rejects at most alpha + 3 Monte Carlo errors. Tabled: the link counted as independent, which misses.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import calibration as cal
import numpy as np
import polars as pl

import csi
from csi.tracking.link_curve import Link

SEED, PANELS, SIZE, RUN, LARGE = 20261122, 2000, 250, 300, 400_000
MODEL = csi.Model.parse("joy =~ a + b + c + d\nuse =~ e + f\njoy ~ use")
LOADING = np.array([[1.5, 1.3, 1.6, 1.2], [1.5, 1.3, 1.6, 1.7]])
INTERCEPT = np.array([[6.2, 6.0, 6.4, 6.6], [6.2, 6.0, 6.4, 5.1]])
NOISE, SHIFT, SCALE = np.array([1.1, 1.2, 1.0, 1.3]), 0.3, (-20, 30)
GATED = ("items", "counted")


def wave(rng: np.random.Generator, rows: int, form: int) -> pl.DataFrame:
    """Answers of one wave, not rounded: the factor's truth is exact."""
    use = rng.standard_normal((rows, 1))
    joy = 0.6 * use + 0.8 * rng.standard_normal((rows, 1)) + SHIFT * form
    own = INTERCEPT[form] + LOADING[form] * joy + NOISE * rng.standard_normal((rows, 4))
    other = 6 + 1.4 * use + rng.standard_normal((rows, 2))
    made = pl.DataFrame(np.column_stack([own, other]), schema=[*"abcdef"])
    return made.with_columns(wave=pl.lit(f"w{form + 1}"))


def indexed(rng: np.random.Generator, rows: int) -> csi.Index:
    """The index of two waves by the weights of the first."""
    frame = pl.concat([wave(rng, rows, form) for form in (0, 1)])
    return csi.index(csi.fit(MODEL, frame, csi.PLS(), by=["wave"], scale=SCALE))


def truth() -> float:
    """The change of the new form's index."""
    made = indexed(np.random.default_rng([SEED, 1]), LARGE)
    weights = made.weights.filter(construct="joy")["weight"].to_numpy()
    return float(SHIFT * 100 * weights @ LOADING[1] / (SCALE[1] - SCALE[0]))


def by_items(number: int) -> np.ndarray:
    """Change, standard error, limits and the p-value of the common items."""
    made = indexed(np.random.default_rng([SEED, 2, number]), SIZE)
    link = csi.item_link(made, "w2", "joy", anchors=["a", "b", "c"], alpha=1e-300)
    found = changed(made, link)
    return np.array([*found, link.p_value])


def changed(made: csi.Index, link: Link) -> tuple[float, ...]:
    """The change through a link with its error and limits."""
    row = csi.changes(made, "joy", ["previous"], breaks=[csi.Break("w2", link=link)]).table.row(0, named=True)
    return row["change"], row["std_error"], row["conf_low"], row["conf_high"]


def parallel(number: int) -> np.ndarray:
    """(2, 2, 4): mean and linear link, counted and as if independent."""
    rng = np.random.default_rng([SEED, 3, number])
    factor = rng.standard_normal(RUN)
    new = 60 + 12 * (np.sqrt(0.5) * factor + np.sqrt(0.5) * rng.standard_normal(RUN))
    old = 66 + 15 * (np.sqrt(0.5) * factor + np.sqrt(0.5) * rng.standard_normal(RUN))
    before = 66 + 15 * rng.standard_normal(RUN)
    scores = np.clip(np.concatenate([before, new]), 0, 100)
    names = [f"r{i}" for i in range(2 * RUN)]
    frame = pl.DataFrame({"a": scores, "b": np.roll(scores, 1), "id": names}).with_columns(
        wave=pl.Series(np.repeat(["w1", "w2"], RUN))
    )
    model = csi.Model.parse("joy =~ a\nuse =~ b\njoy ~ use")
    made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(0, 100), unit="id"))
    out = []
    for method in ("mean", "linear"):
        link = csi.link(np.clip(old, 0, 100), scores[RUN:], method, who=names[RUN:], among=names)
        out.append([changed(made, link), changed(made, replace(link, behind=None))])
    return np.array(out)


def tables(panels: int) -> dict[str, pl.DataFrame]:
    """Coverage and rejections."""
    items, runs = cal.over(by_items, panels), cal.over(parallel, panels)
    both = (("mean", "linear"), ("counted", "as if independent"))
    labels = [(kind, f"{method} link, {kind}") for method in both[0] for kind in both[1]]
    flat = runs.reshape(panels, 4, 4)
    covered = [
        *cal.coverage_rows(
            "common items", [("items", "linked change")], "t", [truth()], items[:, :1], items[:, 1:4, None], GATED
        ),
        *cal.coverage_rows("parallel run", labels, "t", [0.0] * 4, flat[:, :, 0], flat[:, :, 1:].swapaxes(1, 2), GATED),
    ]
    nulls = [cal.null_row("common items", "common items measure alike", items[:, 4:], "at most")]
    return {"links_coverage": pl.DataFrame(covered), "links_nulls": pl.DataFrame(nulls)}


def page(covered: pl.DataFrame, nulls: pl.DataFrame) -> str:
    """The tables as Markdown."""
    return cal.page("Changes through links", __doc__, covered, nulls, {}, ranges=False)


def failures(covered: pl.DataFrame, nulls: pl.DataFrame) -> list[str]:
    """What misses a gate."""
    return cal.failures(cal.missed(covered, nulls), {})


if __name__ == "__main__":
    sys.exit(cal.run(tables, page, failures, "links_coverage", PANELS))
