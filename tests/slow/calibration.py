"""How the studies of intervals and tests count: coverage, rejections, gates, and tables as Markdown.

A study names its gates in its own docstring; what they are in numbers stands here. Every row bears its gate, and rows
that are not gated say "tabled". A miss that is known, with its reason, is named in the study's `DISCLOSED`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl

from csi.inference.uncertainty import judged

HERE = Path(__file__).parent
PANELS, ALPHAS = 2000, (0.01, 0.05, 0.10)
COVERAGE, RATIO = (0.925, 0.97), (0.95, 1.05)
"""Of gated intervals: coverage of nominal 95 %, mean standard error / Monte Carlo standard deviation."""
LEVEL, ONE_SIDED = (0.04, 0.065), (0.035, 0.065)
"""Of gated tests at 5 %: two-sided; one-sided (within three Monte Carlo errors below)."""
SIDES = ("two-sided", "greater", "less")


def told(boot, quantity, kind, draws=None, accelerations=None, nulls=1):
    """(6, k) of the first cell, see `told_of_cells`."""
    return told_of_cells(boot, quantity, kind, draws, accelerations, nulls)[0]


def told_of_cells(boot, quantity, kind, draws=None, accelerations=None, nulls=1):
    """(b, 6, k): standard error, limits, and p-values: two-sided, and one-sided of the first quantities (else NaN).

    Parameters:
        draws: (B, b, k) the quantity on the replicates. accelerations: (b, k) for "bca". nulls: how many come first.
    """

    def measure(fit):
        return quantity(fit.moments, fit.solution)

    value = measure(boot)
    draws = boot.replicates.over(quantity) if draws is None else draws
    boot = replace(boot, interval=kind)
    both = judged(boot, value, draws, accelerations, measure)
    found = np.full((len(value), 6, value.shape[1]), np.nan)
    found[:, :4] = np.stack([both.std_error, both.conf_low, both.conf_high, both.p_value], axis=1)
    first = None if accelerations is None else accelerations[:, :nulls]
    for row, side in enumerate(SIDES[1:], start=4):
        one = judged(replace(boot, alternative=side), value[:, :nulls], draws[..., :nulls], first, measure)
        found[:, row, :nulls] = one.p_value
    return found


def over(one: Callable[[int], np.ndarray], panels: int, numbers: Sequence[int] = ()) -> np.ndarray:
    """`one(number)` for every panel (or number named), stacked; CSI_STUDY_PROCESSES at a time (one by default)."""
    many, numbers = int(os.environ.get("CSI_STUDY_PROCESSES", "1")), numbers or range(1, panels + 1)
    if many == 1:
        return np.stack([one(number) for number in numbers])
    with ProcessPoolExecutor(many, mp_context=get_context("spawn")) as pool:
        return np.stack(list(pool.map(one, numbers, chunksize=max(1, len(numbers) // 100))))


def coverage_rows(study, labels, interval, truth, point, found, gated: Iterable[str]):
    """One line per quantity: how the estimates spread, and how often the limits miss the truth.

    Parameters:
        labels: (kind, quantity) of k. truth: (k,). point: (panels, k). found: (panels, 3, k) standard error and limits.
        gated: the kinds that are gated.
    """
    rows, gated = [], set(gated)
    for j, (kind, quantity) in enumerate(labels):
        known = np.isfinite(point[:, j]) & np.isfinite(found[:, 0, j])
        value, error = point[known, j], found[known, 0, j]
        below, above = truth[j] < found[known, 1, j], truth[j] > found[known, 2, j]
        spread = value.std(ddof=1)
        rows.append(
            {
                "study": study,
                "kind": kind,
                "quantity": quantity,
                "interval": interval,
                "truth": truth[j],
                "bias": value.mean() - truth[j],
                "mc_sd": spread,
                "se_ratio": error.mean() / spread,
                "coverage": 1 - (below | above).mean(),
                "truth_below": below.mean(),
                "truth_above": above.mean(),
                "panels": len(point),
                "usable": int(known.sum()),
                "gate": "coverage" if kind in gated else "tabled",
            }
        )
    return rows


def null_row(study, test, p, gate: str, tests: int = 1):
    """One line of rejections.

    Parameters:
        p: (panels, m) p-values of the same kind of test, of m hypotheses that are all true; NaN is left out. A rate is
            over panels and hypotheses, its error that of the panels' means.
        gate: "level", "one-sided", "at most" (alpha + 3 errors at every alpha), "conservative" (as "at most"; may be
            lower without limit) or "tabled".
    """
    p = np.asarray(p, dtype=float).reshape(len(p), -1)
    row = {"study": study, "test": test, "tests": p.shape[1]}
    known = np.isfinite(p)
    for alpha in ALPHAS:
        share = np.where(known, p <= alpha + 1e-12, np.nan)
        share = np.nanmean(share, axis=1) if share.size else share
        name = f"at_{round(100 * alpha)}"
        row |= {name: np.nanmean(share), f"{name}_error": np.nanstd(share, ddof=1) / np.sqrt(len(p))}
    return row | {"panels": len(p), "usable": int(known.any(axis=1).sum()), "gate": gate}


def missed(covered: pl.DataFrame | None = None, nulls: pl.DataFrame | None = None) -> dict[str, str]:
    """Place -> what misses its gate there."""
    said = {}
    for r in [] if covered is None else covered.filter(gate="coverage").iter_rows(named=True):
        if not (COVERAGE[0] <= r["coverage"] <= COVERAGE[1] and RATIO[0] <= r["se_ratio"] <= RATIO[1]):
            place = f"{r['study']}: {r['kind']} {r['quantity']} ({r['interval']})"
            said[place] = f"coverage {r['coverage']:.4f}, SE ratio {r['se_ratio']:.4f}"
    for r in [] if nulls is None else nulls.iter_rows(named=True):
        wrong = [f"{r[n]:.4f} at .{n[3:].zfill(2)}" for n, bad in _beyond(r).items() if bad]
        if wrong:
            said[f"{r['study']}: {r['test']}"] = ", ".join(wrong)
    return said


def _beyond(row: Mapping[str, object]) -> dict[str, bool]:
    """Level -> whether the rate there is outside the row's gate."""
    names = {f"at_{round(100 * a)}": a for a in ALPHAS}
    if row["gate"] in ("level", "one-sided"):
        low, high = LEVEL if row["gate"] == "level" else ONE_SIDED
        return {"at_5": not low <= row["at_5"] <= high}
    if row["gate"] in ("at most", "conservative"):
        error = {n: max(row[f"{n}_error"], np.sqrt(a * (1 - a) / (row["panels"] * 1e3))) for n, a in names.items()}
        return {n: row[n] > a + 3 * error[n] for n, a in names.items()}
    return {}


def markdown(frame: pl.DataFrame, digits: int = 3) -> str:
    """A table."""
    head = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * frame.width]
    cells = ((f"{v:.{digits}f}" if isinstance(v, float) else str(v) for v in row) for row in frame.iter_rows())
    return "\n".join([*head, *("| " + " | ".join(row) + " |" for row in cells)])


def spans(covered: pl.DataFrame) -> pl.DataFrame:
    """The rows of each study, kind and interval in one line: lowest, median and highest coverage, tails, ratios."""
    return covered.group_by("study", "kind", "interval", "gate", maintain_order=True).agg(
        quantities=pl.len(),
        coverage_lowest=pl.col("coverage").min(),
        coverage_median=pl.col("coverage").median(),
        coverage_highest=pl.col("coverage").max(),
        truth_below=pl.col("truth_below").max(),
        truth_above=pl.col("truth_above").max(),
        se_ratio_lowest=pl.col("se_ratio").min(),
        se_ratio_highest=pl.col("se_ratio").max(),
    )


def rates(nulls: pl.DataFrame) -> pl.DataFrame:
    """Rejections with their errors in brackets, as text."""
    shown = [pl.format("{} ({})", *(pl.col(c).round(4) for c in (n, f"{n}_error"))).alias(n) for n in _RATES]
    return nulls.select("study", "test", "tests", *shown, "gate")


_RATES = tuple(f"at_{round(100 * a)}" for a in ALPHAS)


def disclosed_section(misses: Mapping[str, str], reasons: Mapping[str, str]) -> str:
    """What misses its gate, and why, as Markdown."""
    lines = [f"- {place}: {what}. {reasons.get(place, 'Not explained.')}" for place, what in misses.items()]
    return "\n".join(lines) if lines else "None."


def because(misses: Mapping[str, str], reasons: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Place -> why it misses, by the first pattern that the whole place matches."""
    found = {}
    for place in misses:
        said = next((why for pattern, why in reasons if re.fullmatch(pattern, place)), None)
        found |= {} if said is None else {place: said}
    return found


def grouped_section(misses: Mapping[str, str], reasons: Sequence[tuple[str, str]]) -> str:
    """What misses its gate, reason by reason, as Markdown."""
    known, parts = because(misses, reasons), []
    for why in dict.fromkeys(w for _, w in reasons):
        lines = [f"  - {place}: {misses[place]}" for place, said in known.items() if said == why]
        parts.append("\n".join([f"- {why}", *lines]))
    parts += [f"- Not explained: {place}: {what}" for place, what in misses.items() if place not in known]
    return "\n".join(parts)


def page(
    heading: str,
    doc: str,
    covered: pl.DataFrame,
    nulls: pl.DataFrame | None,
    disclosed: Mapping[str, str],
    *,
    ranges: bool = True,
) -> str:
    """A study's tables as Markdown: coverage, rejections, what misses its gate.

    Parameters:
        doc: the script's docstring, whose first paragraph is left out. nulls: None where nothing is tested. ranges:
            lowest and highest coverage by kind too.
    """
    columns = ["study", "kind", "quantity", "truth", "coverage", "truth_below", "truth_above", "se_ratio", "usable"]
    parts = [
        f"# {heading}",
        doc.strip().split("\n\n", 1)[1].replace("    python", "python", 1),
        "## Coverage of 95 % intervals",
        *([markdown(spans(covered))] if ranges else []),
        markdown(covered.select(*columns, "gate")),
        *([] if nulls is None else ["## Rejections of true claims", markdown(rates(nulls))]),
        "## Missed gates",
        disclosed_section(missed(covered, nulls), disclosed),
    ]
    return "\n\n".join(parts) + "\n"


def check_committed(name: str, study: ModuleType, panels: int = PANELS) -> None:
    """The tables of a study hold its panels and gates, miss none unsaid, and the gates would see a miss.

    Parameters:
        name: of the tables, NAME_coverage and NAME_nulls. study: its script, with GATED and failures().
    """
    covered, nulls = read(f"{name}_coverage"), read(f"{name}_nulls")
    assert covered["panels"].unique().to_list() == [panels]
    assert set(covered.filter(gate="coverage")["kind"]) == set(study.GATED)
    assert study.failures(covered, nulls) == []
    low = covered.with_columns(coverage=pl.lit(0.8))
    assert len(missed(low)) == covered.filter(gate="coverage").height
    wild = nulls.with_columns(at_5=pl.lit(0.2))
    assert len(missed(None, wild)) == nulls.filter(pl.col("gate") != "tabled").height


def failures(misses: Mapping[str, str], reasons: Mapping[str, str]) -> list[str]:
    """Misses that are not disclosed, and disclosed ones that no longer miss."""
    found = [f"{place}: {what}" for place, what in misses.items() if place not in reasons]
    return found + [f"{place}: disclosed as missed, but meets its gate" for place in reasons if place not in misses]


def saved(name: str, table: pl.DataFrame) -> None:
    """Write a table beside the scripts."""
    text = table.with_columns(pl.col(pl.Float64).round(6)).write_csv()
    (HERE / f"{name}.csv").write_text(text, encoding="utf-8", newline="\n")


def read(name: str) -> pl.DataFrame:
    """A table that was written."""
    return pl.read_csv(HERE / f"{name}.csv")


def run(
    tables: Callable[[int], Mapping[str, pl.DataFrame]],
    page: Callable[..., str],
    failed: Callable[..., Sequence[str]],
    title: str,
    full: int = PANELS,
) -> int:
    """Make a study's tables and page, write them where the number of panels is the full one, say what is missed."""
    panels = int(sys.argv[1]) if len(sys.argv) > 1 else full
    made = {n: t.with_columns(pl.col(pl.Float64).round(6)) for n, t in tables(panels).items()}
    text = page(*made.values())
    print(text)
    if panels == full:
        for name, table in made.items():
            saved(name, table)
        (HERE / f"{title}.md").write_text(text, encoding="utf-8", newline="\n")
    wrong = failed(*made.values())
    print("\n".join(wrong) if wrong else "Every gate is met, or its miss disclosed.")
    return 1 if wrong else 0
