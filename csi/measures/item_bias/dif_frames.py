"""Differential item functioning as frames: a row per item and comparison, per item over all groups, per point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from csi.errors import Reason, reason
from csi.inference.adjust import holm
from csi.measures.item_bias.compared import Compared
from csi.measures.item_bias.logistic import JODOIN_GIERL, ZUMBO_THOMAS, classed
from csi.measures.item_bias.mantel import classes, generalised
from csi.survey.bases import Bases

_WHY = ("reason", "why_en", "why_zh")

Found = Mapping[tuple[str, str], tuple[list[str], Compared]]

_FRONT = {
    "construct": pl.String, "item": pl.String, "reference": pl.String, "focal": pl.String, "n_reference": pl.Int64,
    "n_focal": pl.Int64,
}  # fmt: skip
_LOGISTIC = {
    "chi2": pl.Float64, "df": pl.Int64, "p": pl.Float64, "p_holm": pl.Float64, "uniform_chi2": pl.Float64,
    "uniform_p": pl.Float64, "nonuniform_chi2": pl.Float64, "nonuniform_p": pl.Float64, "effect": pl.Float64,
    "effect_std_error": pl.Float64, "r2": pl.Float64, "r2_uniform": pl.Float64, "mcfadden": pl.Float64,
    "class_jodoin": pl.String, "class_zumbo": pl.String,
}  # fmt: skip
_MANTEL = {
    "mantel_chi2": pl.Float64, "mantel_p": pl.Float64, "mantel_p_holm": pl.Float64, "smd": pl.Float64,
    "smd_std_error": pl.Float64, "smd_standardised": pl.Float64, "odds_ratio": pl.Float64, "delta": pl.Float64,
    "delta_std_error": pl.Float64, "class_ets": pl.String, "matched": pl.Int64,
    "mantel_reason": pl.String,
}  # fmt: skip
_END = {"flagged": pl.Boolean, "reason": pl.String, "why_en": pl.String, "why_zh": pl.String}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _why(found: Reason | None) -> dict[str, object]:
    return {} if found is None else {"reason": found.code, "why_en": found.say("en"), "why_zh": found.say("zh")}


def withheld(focal: str) -> str:
    """Where the reason of a whole group stands among those of items."""
    return f"\0{focal}"


def item_rows(
    scales: Mapping[str, tuple[str, ...]],
    chosen: Sequence[str],
    found: Found,
    reasons: Mapping[str, Mapping[str, Reason]],
    small: int,
) -> pl.DataFrame:
    """A row per item and focal group, those without a comparison (or with too few answers) with their reason."""
    rows = []
    for construct, items in scales.items():
        why = reasons[construct]
        for focal in chosen[1:]:
            kept, one = found.get((construct, focal), ([], None))
            for name in items:
                row: dict[str, object] = {"construct": construct, "item": name, "reference": chosen[0], "focal": focal}
                if one is not None and name in kept and one.tables.n[kept.index(name)].min() < small:
                    row |= _why(Bases(small=small).reason)
                elif one is not None and name in kept:
                    row |= _item(one, kept.index(name))
                else:
                    row |= _why(why.get(name) or why.get(withheld(focal)))
                rows.append(row)
    return pl.DataFrame(rows, schema=_FRONT | _LOGISTIC | _MANTEL | _END)


def _item(one: Compared, i: int) -> dict[str, object]:
    """The numbers of one item."""
    told, n = one.logistic, one.tables.n[i]
    row: dict[str, object] = {"n_reference": int(n[0]), "n_focal": int(n[1])}
    if one.categories[i] < 2:
        return row | _why(reason("R-CONSTANT", "all answers of these groups are the same.", "这些组的回答全部相同。"))
    p = told.p[i : i + 1]
    row |= {"df": told.df, "chi2": _number(told.chi2[i]), "p": _number(told.p[i])}
    row |= {name: _number(getattr(told, name)[i]) for name in _LOGISTIC if name.startswith(("uni", "non", "r2", "mcf"))}
    row |= {
        "class_jodoin": classed(told.r2[i : i + 1], p, JODOIN_GIERL)[0] or None,
        "class_zumbo": classed(told.r2[i : i + 1], p, ZUMBO_THOMAS)[0] or None,
    }
    if told.separated[i]:
        en = "score or group tell its answers apart; the group's log odds have no finite estimate."
        row |= _why(reason("R-DIF-SEPARATED", en, "总分或组别可将其回答完全分开；组别的对数优势没有有限的估计值。"))
    else:
        row |= {"effect": float(told.effect[i, 0]), "effect_std_error": _number(told.effect_error[i, 0])}
    return row | _mantel(one, i)


def _mantel(one: Compared, i: int) -> dict[str, object]:
    if one.mantel is None:
        return {}
    found = one.mantel
    if not np.isfinite(found.p[i]):
        return {"matched": int(found.matched[i]), "mantel_reason": "R-DIF-APART"}
    return {
        "mantel_chi2": _number(found.chi2[i]),
        "mantel_p": _number(found.p[i]),
        "smd": _number(found.smd[i]),
        "smd_std_error": _number(found.smd_error[i]),
        "smd_standardised": _number(found.smd_standardised[i]),
        "odds_ratio": _number(found.odds_ratio[i]),
        "delta": _number(found.delta[i]),
        "delta_std_error": _number(found.delta_error[i]),
        "class_ets": classes(found, one.categories)[i] or None,
        "matched": int(found.matched[i]),
    }


def with_holm(table: pl.DataFrame, methods: Sequence[str], alpha: float) -> pl.DataFrame:
    """The table with Holm's p over all its rows and flags, and without the columns of a method that was not asked."""
    whole = {
        f"{name}_holm": pl.Series(holm(table[name].fill_null(float("nan")).to_numpy())).fill_nan(None)
        for name in ("p", "mantel_p")
    }
    told = table.with_columns(**whole)
    logistic = (pl.col("p_holm") < alpha) & (pl.col("class_jodoin") != "A")
    mantel = (pl.col("mantel_p_holm") < alpha) & ~pl.col("class_ets").is_in(["A", "AA"])
    flags = [flag.fill_null(value=False) for m, flag in (("logistic", logistic), ("mantel", mantel)) if m in methods]
    tested = pl.col("p").is_not_null()
    told = told.with_columns(flagged=pl.when(tested).then(pl.any_horizontal(flags)))
    if "logistic" not in methods:
        apart = pl.col("reason") == "R-DIF-SEPARATED"
        told = told.with_columns(pl.when(~apart.fill_null(value=False)).then(c).alias(c) for c in _WHY)
    dropped = [c for m, names in (("logistic", _LOGISTIC), ("mantel", _MANTEL)) if m not in methods for c in names]
    return told.drop(dropped)


def omnibus_rows(found: Mapping[str, tuple[list[str], Compared]], methods: Sequence[str], small: int) -> pl.DataFrame:
    """All groups at once: a row per item that each of them answered often enough."""
    rows = []
    for construct, (items, one) in found.items():
        told, (chi2, df, p) = one.logistic, generalised(one.tables.counts)
        for i, name in enumerate(items):
            if one.tables.n[i].min() < small:
                continue
            row: dict[str, object] = {"construct": construct, "item": name, "groups": one.tables.n.shape[1]}
            if "logistic" in methods:
                row |= {
                    "chi2": _number(told.chi2[i]),
                    "df": told.df,
                    "p": _number(told.p[i]),
                    "r2": _number(told.r2[i]),
                }
            if "mantel" in methods:
                row |= {"gmh_chi2": _number(chi2[i]), "gmh_df": int(df[i]) or None, "gmh_p": _number(p[i])}
            rows.append(row)
    frame = pl.DataFrame(rows, schema=_OMNIBUS)
    return frame.with_columns(
        p_holm=pl.Series(holm(frame["p"].fill_null(float("nan")).to_numpy())).fill_nan(None),
        gmh_p_holm=pl.Series(holm(frame["gmh_p"].fill_null(float("nan")).to_numpy())).fill_nan(None),
    )


_OMNIBUS = {
    "construct": pl.String, "item": pl.String, "groups": pl.Int64, "chi2": pl.Float64, "df": pl.Int64, "p": pl.Float64,
    "r2": pl.Float64, "gmh_chi2": pl.Float64, "gmh_df": pl.Int64, "gmh_p": pl.Float64,
}  # fmt: skip


def expected_rows(found: Found, reference: str, small: int) -> pl.DataFrame:
    """Mean answer of the fitted model along the matching score, in the middle 96 % of each group's scores."""
    blank: dict[str, Any] = {
        "construct": pl.String, "item": pl.String, "reference": pl.String, "focal": pl.String, "group": pl.String,
        "score": pl.Float64, "expected": pl.Float64,
    }  # fmt: skip
    parts = [pl.DataFrame(schema=blank)]
    for (construct, focal), (items, one) in found.items():
        for i, name in enumerate(items):
            n = one.tables.counts[i].sum(axis=2)
            if n.sum(axis=0).min() < small:
                continue
            for g, group in enumerate((reference, focal)):
                passed = n[:, g].cumsum() / max(n[:, g].sum(), 1)
                score = np.flatnonzero((passed >= 0.02) & (passed <= 0.98))
                same = {"construct": construct, "item": name, "reference": reference, "focal": focal, "group": group}
                told = {"score": score.astype(np.float64), "expected": one.logistic.expected[i, score, g]}
                parts.append(pl.DataFrame({**{k: [v] * score.size for k, v in same.items()}, **told}, schema=blank))
    return pl.concat(parts)
