"""Does the split of a change recover planted causes within its intervals, and do links cover?

    python tests/slow/decompose_coverage.py [PANELS]        (about five minutes on one core for 2,000)

Two waves of n = 400 respondents, two constructs (three and two items, 1 to 10), two classes a point apart, weights of
each wave's own, linearised errors. Planted between the waves: nothing; means (the second class gains .5); weights (the
loadings of two items change places); composition (the class shares go from .3, .7 to .5, .5); all three. Truth is the
same split of a draw of 1,000,000 respondents per wave.

Links: 600 respondents answer both forms, the new one (x / 100)^1.1 of the old with noise of its own; the true link is
that of 1,000,000. The change from a wave of 400 in the old form, five points lower, to one of 400 in the new is held
against the truth.

Gated: coverage of nominal 95 % within 92.5-97 %, mean standard error over Monte Carlo standard deviation .95-1.05.
Tabled: the weights' part where nothing changes it (second order: both its factors are near zero), each cause planted
alone (400 panels) and equipercentile links (500).
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.tracking.link import _quantiles
from csi.tracking.shapley import State, split

HERE = Path(__file__).parent
SIZE, PANELS, CHUNK, LARGE, SEED = 400, 2000, 100, 1_000_000, 20261122
MODEL = "use =~ u1 + u2\njoy =~ j1 + j2 + j3\njoy ~ use"
PARTS = ("means", "weights", "composition")
PLANTED = {
    "nothing": (),
    "means": ("means",),
    "weights": ("weights",),
    "composition": ("composition",),
    "all": PARTS,
}
ALONE = 400
"""Panels of a cause planted alone."""
OVERLAP, LINK_PANELS = 600, {"mean": 2000, "linear": 2000, "equipercentile": 500}


def wave(rng: np.random.Generator, rows: int, planted: tuple[str, ...]) -> pl.DataFrame:
    """Answers of one wave, with what is planted in it."""
    new = rng.random(rows) < (0.5 if "composition" in planted else 0.3)
    level = 5.5 + new * (1.5 if "means" in planted else 1.0)
    use = rng.standard_normal(rows)
    joy = 0.7 * use + 0.71 * rng.standard_normal(rows)
    loads = np.array([1.0, 0.6, 1.3]) if "weights" in planted else np.array([1.0, 1.3, 0.6])
    lifts = np.array([0.0, 0.8, -0.8])
    u = level[:, None] + use[:, None] * 1.2 + rng.standard_normal((rows, 2))
    j = level[:, None] + lifts + joy[:, None] * loads * 1.2 + rng.standard_normal((rows, 3))
    answers = np.clip(np.round(np.column_stack([u, j])), 1, 10)
    frame = pl.DataFrame(answers, schema=["u1", "u2", "j1", "j2", "j3"])
    return frame.with_columns(who=pl.Series(np.where(new, "new", "old")))


def split_of(rng: np.random.Generator, panels: int, size: int, planted: tuple[str, ...]) -> pl.DataFrame:
    """The split of each panel's change, and its total."""
    two = [
        wave(rng, panels * size, p).with_columns(
            panel=pl.Series(np.repeat(np.arange(panels), size)).cast(pl.String).str.zfill(4), wave=pl.lit(name)
        )
        for name, p in (("1", ()), ("2", planted))
    ]
    rows = pl.concat(two)
    est = csi.fit(csi.Model.parse(MODEL), rows, csi.PLS(), by=["panel", "wave"], scale=(1, 10))
    made = csi.index(est, weights="own")
    return csi.decompose(made, by="who", construct="joy", data=rows).table


def truth(planted: tuple[str, ...]) -> dict[str, float]:
    """The parts in a draw of a million per wave."""
    states = []
    for number, what in enumerate(((), planted)):
        rows = wave(np.random.default_rng([SEED, 1, number]), LARGE, what)
        fitted = csi.fit(csi.Model.parse(MODEL), rows, csi.PLS(), scale=(1, 10))
        sol, items = fitted.solution, ("j1", "j2", "j3")
        places = [sol.items.index(i) for i in items]
        weights = sol.weights[0, places] / fitted.moments.sd[0, [fitted.moments.names.index(i) for i in items]]
        by_class = rows.group_by("who").agg(pl.col(items).mean(), pl.len()).sort("who")
        shares = np.repeat(by_class["len"].to_numpy()[:, None] / LARGE, 3, axis=1)
        states.append(State(weights / weights.sum(), shares, 100 * (by_class.select(items).to_numpy() - 1) / 9))
    parts = dict(zip(PARTS, split(*states).parts.tolist(), strict=True))
    return {**parts, "total": sum(parts.values())}


def part_rows(name: str, planted: tuple[str, ...], panels: int) -> list[dict[str, object]]:
    """How often the intervals of every part hold the truth."""
    exact = truth(planted)
    chunks = [
        split_of(np.random.default_rng([SEED, 2, list(PLANTED).index(name), k]), min(CHUNK, panels - k), SIZE, planted)
        for k in range(0, panels, CHUNK)
    ]
    found = pl.concat(chunks)
    rows = []
    for part in ("total", *PARTS):
        mine = found.filter(part=part)
        right = exact[part]
        inside = (mine["conf_low"] <= right) & (right <= mine["conf_high"])
        tabled = len(planted) == 1 or (part == "weights" and "weights" not in planted)
        rows.append(counted(f"{name}: {part}", right, mine, inside, gate="tabled" if tabled else "gated"))
    return rows


def counted(name: str, right: float, mine: pl.DataFrame, inside: pl.Series, gate: str) -> dict[str, object]:
    """One row of the table."""
    spread = float(mine["change"].std())
    return {
        "quantity": name,
        "truth": right,
        "bias_in_sd": (float(mine["change"].mean()) - right) / spread,
        "se_ratio": float(mine["std_error"].mean()) / spread,
        "coverage": float(inside.mean()),
        "below": float((mine["conf_low"] > right).mean()),
        "above": float((mine["conf_high"] < right).mean()),
        "panels": mine.height,
        "gate": gate,
    }


def forms(rng: np.random.Generator, rows: int, level: float = 62.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of both forms."""
    old = np.clip(level + 15 * rng.standard_normal(rows), 0, 100)
    new = np.clip(100 * (old / 100) ** 1.1 + 8 * rng.standard_normal(rows), 0, 100)
    return np.round(old / 5) * 5, np.round(new / 5) * 5


def linked_change(method: str, k: int) -> dict[str, float]:
    """The change from a wave in the old form to one in the new, through a link."""
    rng = np.random.default_rng([SEED, 3, k])
    made = csi.link(*forms(rng, OVERLAP), method)
    before, after = forms(rng, SIZE, 57)[0], forms(rng, SIZE)[1]
    columns = {"a": np.concatenate([before, after]), "b": np.concatenate([after, before])}
    frame = pl.DataFrame(columns).with_columns(wave=pl.Series(np.repeat(["1", "2"], SIZE)))
    model = csi.Model.parse("use =~ b\njoy =~ a\njoy ~ use")
    index = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(0, 100)))
    return csi.changes(index, "joy", ["previous"], breaks=[csi.Break("2", link=made)]).table.row(0, named=True)


def link_row(method: str, panels: int) -> dict[str, object]:
    """How often the interval of a linked change holds the truth."""
    rng = np.random.default_rng([SEED, 4])
    (old, new), before = forms(rng, LARGE), forms(rng, LARGE, 57)[0]
    slope = new.std() / old.std() if method == "linear" else 1.0
    mapped = new.mean() + slope * (before - old.mean())
    if method == "equipercentile":
        mapped = np.interp(before, np.arange(101), _quantiles(old, new, np.ones(LARGE)))
    right = float(new.mean() - mapped.mean())
    columns = ["change", "std_error", "conf_low", "conf_high"]
    made = map(partial(linked_change, method), range(panels))
    mine = pl.DataFrame([{c: row[c] for c in columns} for row in made])
    inside = (mine["conf_low"] <= right) & (right <= mine["conf_high"])
    gate = "tabled" if method == "equipercentile" else "gated"
    return counted(f"link: {method}", right, mine, inside, gate)


def study(panels: int = PANELS) -> pl.DataFrame:
    """One row per quantity."""
    parts = [
        row
        for name, planted in PLANTED.items()
        for row in part_rows(name, planted, min(panels, ALONE) if len(planted) == 1 else panels)
    ]
    links = [link_row(method, min(panels, most)) for method, most in LINK_PANELS.items()]
    return pl.DataFrame([*parts, *links])


def failures(table: pl.DataFrame) -> list[str]:
    """What misses a gate, in words."""
    return [
        f"{r['quantity']}: coverage {r['coverage']:.3f}, SE ratio {r['se_ratio']:.3f}"
        for r in table.filter(gate="gated").iter_rows(named=True)
        if not (0.925 <= r["coverage"] <= 0.97 and 0.95 <= r["se_ratio"] <= 1.05)
    ]


if __name__ == "__main__":
    table = study(int(sys.argv[1]) if len(sys.argv) > 1 else PANELS)
    table.write_csv((Path(sys.argv[2]) if len(sys.argv) > 2 else HERE / "decompose_coverage.csv"), float_precision=4)
    sys.stdout.write(f"{table}\n{failures(table)}\n")
    sys.exit(1 if failures(table) else 0)
