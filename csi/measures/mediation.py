"""Mediation: specific, serial and total indirect effects, their kind after Zhao, and what moderates them.

Letters: `b` slices of a stack, `m` effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, did_you_mean, note, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.estimate.later import known
from csi.estimate.shown import least_of
from csi.measures.effects import Effects, effects
from csi.measures.findings import number
from csi.measures.moderated_mediation import moderated
from csi.measures.shown import part, told

NO_DIRECT = Text("the direct path is not in the model", "模型未设直接路径")
"""Why a mediation is of no kind: whether there is a direct effect beside it was not asked."""

Kind = Literal["complementary", "competitive", "indirect-only", "direct-only", "no-effect"]

KINDS: dict[str, Text] = {
    "complementary": Text("complementary", "互补中介"),
    "competitive": Text("competitive", "竞争中介"),
    "indirect-only": Text("indirect-only", "仅间接效应"),
    "direct-only": Text("direct-only", "仅直接效应"),
    "no-effect": Text("no-effect", "无效应"),
}
ORDER = {"specific": 0, "indirect": 1, "direct": 2, "total": 3}


def kind_of(indirect: float, direct: float, *, indirect_differs: bool, direct_differs: bool) -> Kind:
    """The kind of a mediation: whether each effect differs from 0, and whether they point the same way.

    Source:
        Zhao, Lynch & Chen (2010), Journal of Consumer Research 37(2), figure 2.

    Example:
        >>> kind_of(0.2, -0.3, indirect_differs=True, direct_differs=True)
        'competitive'
    """
    if indirect_differs and direct_differs:
        return "complementary" if indirect * direct > 0 else "competitive"
    if indirect_differs:
        return "indirect-only"
    return "direct-only" if direct_differs else "no-effect"


@dataclass(frozen=True, slots=True, repr=False)
class Mediation(Shown):
    """Mediated effects in every cell. Each frame starts with the cell's key columns (and `group`, where there is one).

    Attributes:
        table: outcome, predictor, effect ("specific", "indirect": all of them together, "direct", "total"), chain
            ("a -> b -> c" of a specific effect), estimate and, where errors are known, std_error, p_value,
            conf_low, conf_high; kind (after Zhao, of specific and total indirect effects: "complementary",
            "competitive", "indirect-only", "direct-only", "no-effect"); vaf (indirect / total, a legacy measure, null
            where their signs differ).
        conditional: outcome, predictor, chain, moderator, at, estimate, ...: specific effects at -1, 0 and +1 standard
            deviations of a moderator of one of their arrows (composite models with products).
        moderated: outcome, predictor, chain, moderator, estimate, ...: the index of moderated mediation, the change
            of the specific effect per standard deviation of the moderator, where that is one number.
        sentences: what one reads of it. level, notes. reasons: code -> Reason. least: the least p that the draws can
            give; one there is printed as a bound.
    """

    table: pl.DataFrame
    conditional: pl.DataFrame
    moderated: pl.DataFrame
    level: float
    sentences: tuple[Text, ...]
    reasons: Mapping[str, Reason]
    notes: tuple[Note, ...] = ()
    least: float = 0.0


@text.register
def _(value: Mediation, lang: str = "en") -> str:
    """Effects with their kinds, conditional effects, sentences, notes."""
    said = {k: t.say(lang) for k, t in KINDS.items()} | {k: t.say(lang) for k, t in EFFECTS.items()}
    shown = value.table.with_columns(pl.col("kind", "effect").replace(said)).drop("vaf")
    lines = part(Text("Mediation", "中介效应"), shown, lang, ".table", least=value.least)
    for title, frame, place in (
        (
            Text("Specific effects along the moderator", "不同调节水平下的特定间接效应"),
            value.conditional,
            ".conditional",
        ),
        (Text("Index of moderated mediation", "有调节的中介指数"), value.moderated, ".moderated"),
    ):
        found = part(title, frame.drop("outcome", "predictor", strict=False), lang, place, least=value.least)
        lines += ["", *found] if found else []
    lines += ["", *(s.say(lang) for s in value.sentences)] if value.sentences else []
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


EFFECTS = {
    "specific": Text("specific", "特定间接"),
    "indirect": Text("indirect", "总间接"),
    "direct": Text("direct", "直接"),
    "total": Text("total", "总效应"),
}


def mediation(
    est: Estimate, predictor: str | None = None, outcome: str | None = None, *, standardised: bool = True
) -> Mediation:
    """Indirect effects of every mediated pair, with intervals, and the kind of each mediation.

    An effect "differs from 0" where its interval (of the replicates, or by the delta method after `csi.SEM`) excludes
    0; without intervals, or with one-sided ones, no kind is given, nor for a pair without an arrow of its own: whether
    there is a direct effect was not asked. What a product leads to is told by `conditional` and `moderated`.

    Parameters:
        est: a fitted model; after `bootstrap` with intervals. predictor, outcome: only pairs that start or end there.
        standardised: False gives effects in the variables' own units, for fits by `csi.SEM`.

    Returns:
        A `Mediation`.

    Raises:
        Problems: nothing is mediated, or not between what was asked for.

    Source:
        Zhao, Lynch & Chen (2010); Hayes (2015), Multivariate Behavioral Research 50(1) (index of moderated mediation).
        Agrees with seminr 2.3.4 (specific and total indirect effects, mobile data) and lavaan 0.6-14 (defined effects).

    Example:
        >>> import csi, numpy as np
        >>> x, e, u = np.random.default_rng(2).normal(size=(3, 200))
        >>> frame = pl.DataFrame({"x1": x, "m1": 0.6 * x + e, "y1": 0.5 * (0.6 * x + e) + u})
        >>> est = csi.fit("x =~ x1; m =~ m1; y =~ y1; m ~ x; y ~ m + x", frame, csi.PLS())
        >>> csi.mediation(csi.bootstrap(est, 200)).table["kind"].drop_nulls().to_list()
        ['indirect-only', 'indirect-only']
    """
    check_estimate(est)
    found = effects(est, standardised=standardised)
    products = [c.name for c in est.model.constructs if c.product_of]
    real = found.chains.filter(~pl.col("predictor").is_in(products))
    found = replace(found, frames=known(found.frames.value._replace(chains=real)))
    table = _table(found, predictor, outcome)
    if not table.height:
        raise Problems([_nothing(found, predictor, outcome)])
    conditional, change = moderated(est, _chains_of(table))
    return Mediation(
        table=table,
        conditional=conditional,
        moderated=change,
        level=found.level,
        sentences=(*_sentences(est, table), *_moderated_sentences(est, change)),
        reasons=found.reasons if est.alternative == "two-sided" else {**found.reasons, ONE_SIDED.code: ONE_SIDED},
        notes=(*found.notes, *_notes(table), *(n for n in est.notes if n.code == "W-LEVEL")),
        least=least_of(est),
    )


ONE_SIDED = reason(
    "R-ONE-SIDED",
    "no kinds of mediation: they rest on two-sided intervals, those here are one-sided; csi.bootstrap(est) gives them.",
    "无法判断中介类型：类型须依据双侧区间，而此处为单侧区间；请用 csi.bootstrap(est) 的双侧区间。",
)


def _nothing(found: Effects, predictor: str | None, outcome: str | None) -> Problem:
    """No chain of arrows through a third construct."""
    names = dict.fromkeys(n for row in found.chains.select("predictor", "outcome").iter_rows() for n in row)
    wrong = next((n for n in (predictor, outcome) if n is not None and n not in names), None)
    if not names:
        en, zh = "no chain of arrows runs through a third construct.", "没有经过第三个构念的路径链。"
        do, do_zh = "Add arrows such as m ~ x and y ~ m.", "请加入 m ~ x 与 y ~ m 这样的路径。"
        return problem("E-MEDIATION", "mediation", en, zh, do, do_zh)
    pairs = list(dict.fromkeys(f"{x} -> {y}" for x, y in found.chains.select("predictor", "outcome").iter_rows()))
    there = ", ".join(pairs[:8])
    stranger = next((n for n in (predictor, outcome) if n is not None and n not in found.constructs), None)
    if stranger is not None and not _observed(found, stranger):
        hint = did_you_mean(stranger, list(found.constructs))
        en, zh = f'"{stranger}" is not a construct of this model.', f"模型中没有构念“{stranger}”。"
        return problem(
            "E-MEDIATION", "mediation", en, zh, f"{hint.en} There is: {there}.", f"{hint.zh}现有中介：{there}。"
        )
    hint = Text("", "") if wrong is None else did_you_mean(wrong, list(names))
    asked = " -> ".join(n or "..." for n in (predictor, outcome))
    en, zh = f"nothing mediates {asked}.", f"{asked} 之间没有中介。"
    return problem(
        "E-MEDIATION", "mediation", en, zh, f"{hint.en} There is: {there}.".lstrip(), f"{hint.zh}现有：{there}。"
    )


def _observed(found: Effects, name: str) -> bool:
    """Whether an observed variable has effects under this name."""
    return any(name in found.table[end].to_list() for end in ("outcome", "predictor"))


def _table(found: Effects, predictor: str | None, outcome: str | None) -> pl.DataFrame:
    """Specific, indirect, direct and total effects of mediated pairs, pair by pair."""
    chains = found.chains.with_columns(effect=pl.lit("specific"))
    keys = [c for c in chains.columns if c not in (*_NUMBERS, "outcome", "predictor", "chain", "effect", "reason")]
    pair = ["outcome", "predictor"]
    mediated = chains.select(pair).unique(maintain_order=True)
    rest = found.table.join(mediated, on=pair, how="semi", maintain_order="left")
    rest = rest.with_columns(chain=pl.lit(None, dtype=pl.String))
    columns = [*keys, *pair, "effect", "chain", *(c for c in _NUMBERS if c in chains.columns), "reason"]
    frame = pl.concat([chains.select(columns), rest.select(columns)])
    frame = frame.filter(
        pl.lit(predictor is None) | (pl.col("predictor") == (predictor or "")),
        pl.lit(outcome is None) | (pl.col("outcome") == (outcome or "")),
    )
    at = {row: k for k, row in enumerate(mediated.rows())}
    place = [at[row] for row in frame.select(pair).iter_rows()]
    frame = frame.with_columns(
        pl.Series("_pair", place, dtype=pl.Int64), pl.col("effect").replace_strict(ORDER).alias("_order")
    )
    cells = {key: k for k, key in enumerate(dict.fromkeys(frame.select(keys).rows()))} if keys else {(): 0}
    frame = frame.with_columns(pl.Series("_cell", [cells[row] for row in _rows(frame, keys)], dtype=pl.Int64))
    frame = frame.sort("_cell", "_pair", "_order", maintain_order=True).drop("_order")
    kinds, shares = _judged(frame)
    return frame.with_columns(
        pl.Series("kind", kinds, dtype=pl.String), pl.Series("vaf", shares, dtype=pl.Float64)
    ).select(*[c for c in columns if c != "reason"], "kind", "vaf", "reason")


_NUMBERS = ("estimate", "std_error", "p_value", "conf_low", "conf_high")


def _rows(frame: pl.DataFrame, keys: list[str]) -> list[tuple[Any, ...]]:
    return frame.select(keys).rows() if keys else [()] * frame.height


def _judged(frame: pl.DataFrame) -> tuple[list[str | None], list[float | None]]:
    """The kind and the legacy share of every indirect effect."""
    rows = frame.to_dicts()
    others: dict[tuple[int, int, str], dict[str, Any]] = {
        (r["_cell"], r["_pair"], r["effect"]): r for r in rows if r["effect"] in ("direct", "total")
    }
    kinds: list[str | None] = []
    shares: list[float | None] = []
    for row in rows:
        direct, total = (others.get((row["_cell"], row["_pair"], e)) for e in ("direct", "total"))
        kinds.append(_kind(row, direct))
        shares.append(_share(row, total))
    return kinds, shares


def _kind(row: Mapping[str, Any], direct: Mapping[str, Any] | None) -> str | None:
    """The kind of an indirect effect; None without intervals that have both limits or without a direct path."""
    if row["effect"] not in ("specific", "indirect") or not _bounded(row):
        return None
    if direct is None or not _bounded(direct):
        return None
    differs = _differs(row), _differs(direct)
    return kind_of(row["estimate"], direct["estimate"], indirect_differs=differs[0], direct_differs=differs[1])


def _bounded(row: Mapping[str, Any]) -> bool:
    """Whether an interval has both limits."""
    return row.get("conf_low") is not None and row.get("conf_high") is not None


def _differs(row: Mapping[str, Any]) -> bool:
    """Whether an interval excludes 0."""
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


def _share(row: Mapping[str, Any], total: Mapping[str, Any] | None) -> float | None:
    """Indirect / total, where they point the same way."""
    if row["effect"] not in ("specific", "indirect") or total is None or not total["estimate"]:
        return None
    if row["estimate"] is None:
        return None
    share = float(row["estimate"] / total["estimate"])
    return share if 0 <= share <= 1 else None


def _chains_of(table: pl.DataFrame) -> list[tuple[str, ...]]:
    """Every chain, once."""
    return [tuple(c.split(" -> ")) for c in dict.fromkeys(table["chain"].drop_nulls().to_list())]


def _sentences(est: Estimate, table: pl.DataFrame) -> tuple[Text, ...]:
    """One per specific effect with a kind, or without a direct effect beside it."""
    keys = table.columns[: table.columns.index("outcome")]
    rows = table.to_dicts()
    made = []
    for row in (r for r in rows if r["effect"] == "specific" and _bounded(r)):
        same = [r for r in rows if all(r[k] == row[k] for k in (*keys, "outcome", "predictor"))]
        direct = next((r for r in same if r["effect"] == "direct"), None)
        if row["kind"] or direct is None:
            made.append(_sentence(est, row, direct, " ".join(str(row[k]) for k in keys)))
    return tuple(made)


def _sentence(est: Estimate, row: Mapping[str, Any], direct: Mapping[str, Any] | None, cell: str) -> Text:
    """Which kind of mediation, by which numbers."""
    names = row["chain"].split(" -> ")
    chain = Text(" -> ".join(est.model.label(n) for n in names), " → ".join(est.model.label(n, "zh") for n in names))
    indirect, place = _interval(row), Text(f"{cell}: " if cell else "", f"{cell}：" if cell else "")
    if direct is None:
        en = f"{place.en}{chain.en}: indirect {indirect.en}; of no kind, as {NO_DIRECT.en}."
        return Text(en, f"{place.zh}{chain.zh}：间接 {indirect.zh}；{NO_DIRECT.zh}，不判断中介类型。")
    own = _interval(direct)
    said = {
        "complementary": Text(
            "complementary mediation: both differ from 0 and point the same way", "互补中介：二者均显著且方向一致"
        ),
        "competitive": Text(
            "competitive mediation: both differ from 0 and point opposite ways", "竞争中介：二者均显著但方向相反"
        ),
        "indirect-only": Text(
            "indirect-only mediation: no direct effect is seen beside it", "仅间接效应：未见直接效应"
        ),
        "direct-only": Text("direct-only: no mediation is seen", "仅直接效应：未见中介"),
        "no-effect": Text("neither is seen", "二者均不显著"),
    }[row["kind"]]
    en = f"{place.en}{chain.en}: {said.en} (indirect {indirect.en}, direct {own.en})."
    return Text(en, f"{place.zh}{chain.zh}：{said.zh}（间接 {indirect.zh}，直接 {own.zh}）。")


def _interval(row: Mapping[str, Any]) -> Text:
    """Estimate and interval."""
    shown = f"{number(row['estimate'])} [{number(row['conf_low'])}, {number(row['conf_high'])}]"
    return Text(shown, shown)


def _moderated_sentences(est: Estimate, change: pl.DataFrame) -> Iterable[Text]:
    """Whether a specific effect changes along its moderator."""
    if "conf_low" not in change.columns:
        return
    for row in change.drop_nulls(["estimate", "conf_low", "conf_high"]).iter_rows(named=True):
        z, chain = row["moderator"], row["chain"]
        seen = Text("changes with", "随之变化") if _differs(row) else Text("is not seen to change with", "未见随之变化")
        shown = _interval(row)
        en = f"{chain} {seen.en} {est.model.label(z)}: index of moderated mediation {shown.en}."
        zh = f"{chain.replace(' -> ', ' → ')} 对{est.model.label(z, 'zh')}{seen.zh}：有调节的中介指数 {shown.zh}。"
        yield Text(en, zh)


def _notes(table: pl.DataFrame) -> tuple[Note, ...]:
    """What the kinds and the legacy share rest on."""
    notes = []
    if "conf_low" not in table.columns:
        en = "no intervals, so no kinds of mediation: csi.bootstrap(est) first."
        notes.append(note("N-NO-REPLICATES", en, "没有区间，无法判断中介类型：请先运行 csi.bootstrap(est)。"))
    if table["vaf"].drop_nulls().len():
        en = "vaf (indirect / total) is a legacy measure; the kinds after Zhao et al. (2010) are what to report."
        notes.append(note("N-VAF", en, "vaf（间接/总效应）为旧指标，建议报告 Zhao 等（2010）的中介类型。"))
    return tuple(notes)
