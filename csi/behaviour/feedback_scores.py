"""What customers score an attribute while their cases on it are open, and after they were closed.

Rows: a respondent in a wave and an attribute. A state holds at the end of the wave: a case open, cases that are all
closed, none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import scored
from csi.behaviour.feedback_cases import Cases, Span
from csi.behaviour.transitions import design_of
from csi.inference.linearised import critical, means, p_of_t
from csi.inference.sandwich import robust_slopes
from csi.moments.stack import Array
from csi.survey.panel import Panel

STATES: Final = ("open", "closed", "none")
"""At the end of a wave: a case open, cases but none open, no case so far."""

GROUPS: Final = ("closed", "open", "new", "none")
"""Between two waves: open at the first and closed at the second; open at both; none open at the first and a case since;
no case open at the first and none since."""

DESIGN: Final = ("weight", "cluster", "stratum")
PAIRS: Final = (("closed", "open"), ("closed", "none"), ("open", "none"))


@dataclass(frozen=True, slots=True)
class Rows:
    """Scores with the state of cases.

    Attributes:
        frame: attribute, respondent, wave, brand and design where there are, score (0-100), state, opened (days a case
            was opened since the last wave's end: whether any).
    """

    frame: pl.DataFrame

    @property
    def attributes(self) -> list[str]:
        """Those that anybody scored, in order."""
        return self.frame["attribute"].unique(maintain_order=True).to_list()


def items_of(panel: Panel, attribute: str) -> tuple[str, ...]:
    """The perceptions of an attribute, else the items of a construct of that name, else the item."""
    book = panel.codebook
    own = tuple(i.name for i in book.items if i.attribute == attribute and i.form == "P")
    return own or book.items_of(attribute, "P") or ((attribute,) if attribute in book.names else ())


def rows_of(
    cases: Cases, panel: Panel, spans: Sequence[Span], attributes: Sequence[str], where: Mapping[str, str] | None,
    level: float,
) -> Rows:  # fmt: skip
    """Every answer about an attribute with the state of the respondent's cases on it.

    Parameters:
        cases: with ids. panel: with respondents. spans: the days of its waves. attributes: those with items.
    """
    whole = panel.frame if "wave" in panel.frame.columns else panel.frame.with_columns(wave=pl.lit(spans[0].name))
    keys = [c for c in ("respondent", "wave", "brand", *DESIGN) if c in whole.columns]
    on = ["id", *(["brand"] if "brand" in cases.frame.columns and "brand" in keys else [])]
    parts = []
    for name in attributes:
        found = scored(panel, items_of(panel, name), (), where, level)
        place = np.arange(len(found.scores)) if found.sample.place is None else found.sample.place
        seen = np.isfinite(found.scores)
        with np.errstate(invalid="ignore", divide="ignore"):
            score = np.where(seen, found.scores, 0).sum(axis=1) / seen.sum(axis=1)
        own = whole.select(keys)[place.tolist()].with_columns(
            pl.col("respondent", "wave").cast(pl.String), pl.Series("score", score), attribute=pl.lit(name)
        )
        own = own.filter(pl.col("score").is_finite(), pl.col("wave").is_in([s.name for s in spans]))
        parts.append(_stated(own, cases.frame.filter(attribute=name), spans, on, cases.last))
    return Rows(pl.concat(parts))


def _stated(own: pl.DataFrame, runs: pl.DataFrame, spans: Sequence[Span], on: list[str], last: date) -> pl.DataFrame:
    """The answers with `state` and `opened`."""
    made = []
    keys = ["respondent", *on[1:]]
    for span in spans:
        end = min(span.last, last)
        waiting = pl.col("closed").is_null() | (pl.col("closed") > end)
        state = (
            runs.filter(pl.col("opened") <= end)
            .group_by(on)
            .agg(waiting.any().alias("_open"), (pl.col("opened") >= span.first).any().alias("opened"))
        )
        state = state.rename({"id": "respondent"}).with_columns(pl.col(keys).cast(pl.String))
        here = own.filter(wave=span.name).with_columns(pl.col(keys).cast(pl.String))
        made.append(here.join(state, on=keys, how="left", maintain_order="left"))
    frame = pl.concat(made)
    told = pl.when(pl.col("_open")).then(pl.lit("open")).when(pl.col("_open").not_()).then(pl.lit("closed"))
    return frame.with_columns(
        told.otherwise(pl.lit("none")).alias("state"), pl.col("opened").fill_null(value=False)
    ).drop("_open")


def standing(rows: Rows, attributes: Sequence[str], level: float) -> pl.DataFrame:
    """Mean scores by state, all waves together.

    Returns:
        attribute ("" for all), group, n (customers), answers, mean, std_error, conf_low, conf_high.
    """
    made = []
    for name in attributes:
        own = rows.frame.filter(attribute=name) if name else rows.frame
        for state in STATES:
            part = own.filter(state=state)
            made.append((name, state, part["respondent"].n_unique(), part.height, *_mean(part, "score", level)))
    numbers = dict.fromkeys(("mean", "std_error", "conf_low", "conf_high"), pl.Float64)
    schema = {"attribute": pl.String, "group": pl.String, "n": pl.Int64, "answers": pl.Int64, **numbers}
    return _clean(pl.DataFrame(made, schema=schema, orient="row"))


def pairs_of(rows: Rows, spans: Sequence[Span]) -> pl.DataFrame:
    """Respondents who scored an attribute in two successive waves: `change`, `before`, `group`."""
    who = [c for c in ("attribute", "respondent", "brand") if c in rows.frame.columns]
    parts = [rows.frame.clear().with_columns(after=pl.lit(0.0), then=pl.lit(""), since=pl.lit(value=False))]
    for first, second in pairwise(spans):
        later = rows.frame.filter(wave=second.name).select(
            *who, pl.col("score").alias("after"), pl.col("state").alias("then"), pl.col("opened").alias("since")
        )
        here = rows.frame.filter(wave=first.name)
        parts.append(here.join(later, on=who, how="inner", maintain_order="left"))
    frame = pl.concat(parts)
    was = pl.col("state") == "open"
    group = (
        pl.when(was & (pl.col("then") != "open")).then(pl.lit("closed"))
        .when(was).then(pl.lit("open"))
        .when(pl.col("since")).then(pl.lit("new"))
        .otherwise(pl.lit("none"))
    )  # fmt: skip
    return frame.with_columns(group.alias("group"), (pl.col("after") - pl.col("score")).alias("change"))


def changes(pairs: pl.DataFrame, attributes: Sequence[str], level: float) -> pl.DataFrame:
    """Mean change of a score from a wave to the next, by what became of the cases.

    Returns:
        attribute ("" for all), group, n (customers), answers (pairs), before, after, change, std_error, conf_low,
        conf_high.
    """
    made = []
    for name in attributes:
        own = pairs.filter(attribute=name) if name else pairs
        for group in GROUPS:
            part = own.filter(group=group)
            before, after = (_mean(part, c, level)[0] for c in ("score", "after"))
            told = _mean(part, "change", level)
            made.append((name, group, part["respondent"].n_unique(), part.height, before, after, *told))
    numbers = dict.fromkeys(("before", "after", "change", "std_error", "conf_low", "conf_high"), pl.Float64)
    schema = {"attribute": pl.String, "group": pl.String, "n": pl.Int64, "answers": pl.Int64, **numbers}
    return _clean(pl.DataFrame(made, schema=schema, orient="row"))


def differences(pairs: pl.DataFrame, attributes: Sequence[str], small: int, level: float) -> pl.DataFrame:
    """How far the changes of groups differ, plain and at the same score before.

    Returns:
        attribute, group, other, adjusted (whether at the same score before), n (customers of the smaller group),
        difference, std_error, conf_low, conf_high, p_value.
    """
    made = []
    for name in attributes:
        own = pairs.filter(attribute=name) if name else pairs
        for group, other in PAIRS:
            two = own.filter(pl.col("group").is_in([group, other]))
            least = min(two.filter(group=g)["respondent"].n_unique() for g in (group, other))
            if least < max(small, 3):
                continue
            flag = (two["group"] == group).cast(pl.Float64).to_numpy()
            before = two["score"].to_numpy()
            for adjusted in (False, True) if np.ptp(before) > 0 else (False,):
                columns = [np.ones(two.height), flag, *([before - before.mean()] if adjusted else [])]
                found = robust_slopes(np.column_stack(columns), two["change"].to_numpy(), *design_of(two))
                made.append(
                    (
                        name,
                        group,
                        other,
                        adjusted,
                        least,
                        *_judged(found.slopes[1], found.std_error[1], found.df[1], level),
                    )
                )
    numbers = dict.fromkeys(("difference", "std_error", "conf_low", "conf_high", "p_value"), pl.Float64)
    texts = dict.fromkeys(("attribute", "group", "other"), pl.String)
    return _clean(pl.DataFrame(made, schema={**texts, "adjusted": pl.Boolean, "n": pl.Int64, **numbers}, orient="row"))


def touchpoints(frame: pl.DataFrame, level: float) -> pl.DataFrame:
    """Contacts while a case is open beside all others.

    Parameters:
        frame: contacts with id, touchpoint, score (NaN without), waiting (whether a case was open that day).

    Returns:
        touchpoint, least (customers on the side of fewer), contacts (while a case was open), n (customers who scored
        them), mean, others (mean of the other contacts), difference, std_error, conf_low, conf_high.
    """
    made = []
    named = frame.filter("waiting").group_by("touchpoint").len().sort(["len", "touchpoint"], descending=[True, False])
    for touchpoint, count in named.rows():
        own = frame.filter(pl.col("touchpoint") == touchpoint, pl.col("score").is_finite())
        during = own.filter("waiting")
        n, rest = during["id"].n_unique(), own.filter(~pl.col("waiting"))["id"].n_unique()
        told: tuple[float | None, ...] = (None,) * 6
        if min(n, rest) > 2:
            X = np.column_stack([np.ones(own.height), own["waiting"].cast(pl.Float64).to_numpy()])
            design = design_of(own.rename({"id": "respondent"}))
            found = robust_slopes(X, own["score"].to_numpy(), *design)
            level_of, gap = float(found.slopes[0]), float(found.slopes[1])
            told = (level_of + gap, level_of, *_judged(gap, found.std_error[1], found.df[1], level)[:4])
        made.append((touchpoint, min(n, rest), count, n, *told))
    numbers = dict.fromkeys(("mean", "others", "difference", "std_error", "conf_low", "conf_high"), pl.Float64)
    schema = {"touchpoint": pl.String, **dict.fromkeys(("least", "contacts", "n"), pl.Int64), **numbers}
    return _clean(pl.DataFrame(made, schema=schema, orient="row"))


def _mean(part: pl.DataFrame, column: str, level: float) -> tuple[float, float, float, float]:
    """Mean, standard error and limits by the design; NaN where nothing is there."""
    if not part.height:
        return (np.nan,) * 4
    found = means(part[column].to_numpy()[:, None], *design_of(part))
    low, high = found.interval(level)
    return float(found.mean[0]), float(found.std_error[0]), float(low[0]), float(high[0])


def _judged(estimate: float, error: float, df: float, level: float) -> tuple[float, float, float, float, float]:
    """Estimate, error, limits and p by t."""
    reach = float(critical(level, np.array([df]))[0]) * error
    p: Array = p_of_t(np.array([estimate / error]) if error > 0 else np.array([np.nan]), np.array([df]))
    return float(estimate), float(error), float(estimate - reach), float(estimate + reach), float(p[0])


def _clean(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
