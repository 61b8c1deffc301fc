"""What stands over a card's section: what came of the claim that the card is about.

Contradicted signs come first; else the card's own kind of claim decides: an absent arrow, the dimension that carries a
construct, a contrast of indirect effects, a rival, slopes on either side of the mean, mediation; and for an index, or
where a card claims nothing but arrows, how many signs hold, what is explained and what leads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import polars as pl

from csi.claims.absence import absence_sentences
from csi.claims.asymmetries import asymmetry_sentences
from csi.claims.card_run import CardRun
from csi.claims.contests import CLEAR
from csi.claims.run_words import interval
from csi.errors import Text
from csi.importance.drivers import largest_gain
from csi.models.card_faults import chain_of
from csi.reporting import style
from csi.reporting.words.phrases import capital, listed, lowered

INDICES: Final = 4
"""The place of the satisfaction indices among the twelve models."""

MEDIATED: Final = {
    "complementary": Text("{m} carries part of what links {x} to {y}", "{m}承载了{x}与{y}关联的一部分"),
    "competitive": Text(
        "{x} goes with {y} in opposite ways, directly and through {m}", "{x}对{y}的直接作用与经由{m}的作用方向相反"
    ),
    "indirect-only": Text("{m} carries all that is seen to link {x} to {y}", "{x}与{y}可见的关联全部经由{m}"),
    "direct-only": Text(
        "{x} goes with {y} directly; nothing is seen to go through {m}", "{x}与{y}直接相关，未见经由{m}的部分"
    ),
    "no-effect": Text(
        "no link from {x} to {y} is seen, through {m} or beside it", "{x}与{y}之间未见关联，无论是否经由{m}"
    ),
    "seen": Text("{m} links {x} to {y}", "{m}连接{x}与{y}"),
    "unseen": Text("{m} is not seen to link {x} to {y}", "未见{m}连接{x}与{y}"),
}
"""What a kind of mediation comes to."""


def finding(run: CardRun) -> Text:
    """The run's finding in one sentence, without a full stop; the card's title where there is none."""
    if run.diagnosis.withheld and run.table["estimate"].null_count() == run.table.height:
        return _bare(run.sentences[0])
    told = against(run)
    if told is None and not _cells(run):
        told = next((said for said in (tell(run) for tell in _claims(run)) if said is not None), None)
    return told or signs(run) or (_bare(run.sentences[0]) if run.sentences else run.card.title)


def _claims(run: CardRun) -> tuple[Callable[[CardRun], Text | None], ...]:
    """What a card may be about, the most particular first; an index is about its signs."""
    if run.card.number == INDICES:
        return (signs,)
    return absent, carried, contrasted, contested, bent, mediated


def _cells(run: CardRun) -> bool:
    """Whether there are several cells, which no one sentence but that on signs can tell."""
    return len(run.estimate.values) > 1


def _bare(said: Text) -> Text:
    """A sentence as a heading."""
    return Text(said.en.removesuffix("."), said.zh.removesuffix("。"))


def _label(run: CardRun, name: str) -> Text:
    """A construct's label inside a sentence."""
    return lowered(Text(run.model.label(name), run.model.label(name, "zh")))


def against(run: CardRun) -> Text | None:
    """A path that contradicts the card, the largest of them."""
    rows = run.table.filter(pl.col("verdict") == "against", pl.col("expected").is_in(["+", "-"]))
    if not rows.height:
        return None
    row = rows.sort(pl.col("estimate").abs(), descending=True).row(0, named=True)
    x, y = _label(run, row["predictor"]), _label(run, row["outcome"])
    way, way_zh = ("more", "越高") if row["estimate"] > 0 else ("less", "越低")
    others = rows.height - 1
    also = f", and {others} more sign{'s are' if others > 1 else ' is'} reversed" if others else ""
    return Text(
        f"Against the model, more {x.en} goes with {way} {y.en} ({interval(row)}){also}",
        f"与模型相反：{x.zh}越高，{y.zh}{way_zh}（{interval(row)}）"
        + (f"，另有 {others} 条路径符号相反" if others else ""),
    )


def signs(run: CardRun) -> Text | None:
    """How many signs hold, how much of the target is explained, and what leads."""
    told = run.table.filter(pl.col("expected").is_in(["+", "-"]), pl.col("verdict").is_not_null())
    parts = []
    if told.height:
        held = told.filter(pl.col("verdict") == "as expected").height
        all_ = held == told.height
        parts.append(
            Text(
                f"All {held} expected signs hold" if all_ else f"{held} of {told.height} expected signs hold",
                f"{held} 个预期符号全部成立" if all_ else f"{told.height} 个预期符号中 {held} 个成立",
            )
        )
    if len(run.estimate.values) == 1:
        parts[:1] = [Text(p.en + o.en, p.zh + o.zh) for p, o in zip(parts[:1], [_open(run, told)], strict=False)]
    share = _explained(run)
    if share is not None:
        parts.append(share)
    return Text(capital("; ".join(p.en for p in parts)), "；".join(p.zh for p in parts)) if parts else None


def _open(run: CardRun, told: pl.DataFrame) -> Text:
    """The signs that do not hold: the first of them, and how many more."""
    rows = told.filter(pl.col("verdict") == "open")
    if not rows.height:
        return Text("", "")
    names = {n: Text(run.model.label(n), run.model.label(n, "zh")) for n in run.model.names}
    x, y = (names[n] for n in rows.select("predictor", "outcome").row(0))
    more = rows.height - 1
    return Text(
        f", not {x.en} → {y.en}" + (f" and {more} more" if more else ""),
        f"，{x.zh} → {y.zh}" + (f"等 {rows.height} 个" if more else "") + "未定",
    )


def _explained(run: CardRun) -> Text | None:
    """R2 of the target and of the last outcome; what the target moves with most, point for point; of a single cell."""
    target = run.card.index.target
    rows = run.r2.filter(pl.col("r2").is_not_null()) if run.r2.height else run.r2
    known = dict(rows.select("construct", "r2").iter_rows()) if rows.height else {}
    if _cells(run) or target not in known:
        return None
    y = _label(run, target)
    en = f"{style.share(known[target], 0)} of {y.en} is explained"
    zh = f"{y.zh}的解释比例为 {style.share(known[target], 0)}"
    starts = {p.predictor.name for p in run.model.paths}
    last = [n for n in known if n != target and n not in starts]
    if last:
        end = max(last, key=lambda n: known[n])
        z = _label(run, end)
        en, zh = f"{en}, and {style.share(known[end], 0)} of {z.en}", f"{zh}，{z.zh}为 {style.share(known[end], 0)}"
    first = _first(run, target, y)
    return Text(en + first.en, zh + first.zh)


def _first(run: CardRun, target: str, y: Text) -> Text:
    """The driver a point of which goes with most points of the target; that is no share of what is explained."""
    gains = run.impact.filter(pl.col("target") == target, pl.col("gain").is_not_null()) if run.impact.height else None
    if gains is None or gains.height < 2:
        return Text("", "")
    x = _label(run, gains.sort("gain", descending=True).row(0, named=True)["construct"])
    firm = run.estimate.replicates is None or largest_gain(run.estimate, target) is not None
    en, zh = f"; point for point, {y.en} goes most with {x.en}", f"；按每变动 1 分计，{y.zh}随{x.zh}的变动最大"
    return Text(en, zh) if firm else Text(f"{en}, though not clearly", f"{zh}（但不明确）")


def absent(run: CardRun) -> Text | None:
    """What came of an arrow that the card claims to be absent."""
    said = absence_sentences(run.table, run.model)
    if not said:
        return None
    head_en, head_zh = said[0].en.split(": ", 1)[0], said[0].zh.split("：", 1)[0]
    row = run.table.filter(pl.col("expected") == "0").row(0, named=True)
    return Text(f"{head_en} ({interval(row)})", f"{head_zh}（{interval(row)}）")


def carried(run: CardRun) -> Text | None:
    """The dimension that carries a construct made of constructs, where it leads to something."""
    known = run.dimensions.filter(pl.col("share").is_not_null()) if run.dimensions.height else run.dimensions
    if not known.height:
        return None
    whole, outcome = known.select("construct", "outcome").row(0)
    rows = known.filter(pl.col("construct") == whole, pl.col("outcome") == outcome).sort("share", descending=True)
    best, *others = rows.iter_rows(named=True)
    part, of, y = _label(run, best["part"]), _label(run, whole), _label(run, outcome)
    span = ""
    clear = True
    if best.get("conf_low") is not None:
        span = f" ({style.share(best['conf_low'], 0)}–{style.share(best['conf_high'], 0)})"
        clear = all(best["conf_low"] > o["conf_high"] for o in others if o["conf_high"] is not None)
    share = f"{style.share(best['share'], 0)}{span}"
    second = _label(run, others[0]["part"]) if others else None
    en = f"{capital(part.en)} carries most of {of.en}: {share} of what its dimensions explain of {y.en}"
    zh = f"{of.zh}主要由{part.zh}承载：占各维度对{y.zh}解释部分的 {share.replace(' (', '（').replace(')', '）')}"
    if not clear and second is not None:
        en = f"{capital(part.en)} comes first in {of.en} ({style.share(best['share'], 0)}), but not clearly before "
        en += second.en
        zh = f"{of.zh}中{part.zh}占比居首（{style.share(best['share'], 0)}），但与{second.zh}差别不明确"
    return Text(en, zh)


def contrasted(run: CardRun) -> Text | None:
    """Which of two indirect ways is the larger, of the card's first contrast of two."""
    if not run.contrasts.height:
        return None
    row = run.contrasts.row(0, named=True)
    formula = str(row["formula"])
    named = [n for n in run.card.hypotheses if n in formula]
    if row["conf_low"] is None or len(named) != 2 or "-" not in formula:
        return None
    first, second = sorted(named, key=formula.index)
    ways = [chain_of(run.card.hypotheses[n]) for n in (first, second)]
    left, right = _apart(run, *ways)
    y = _label(run, ways[0][-1])
    value = interval(row)
    if row["conf_low"] > 0 or row["conf_high"] < 0:
        more, less = (left, right) if row["conf_low"] > 0 else (right, left)
        if row["conf_low"] < 0:  # told as the larger minus the smaller, whichever the card names first
            value = interval(
                {"estimate": -row["estimate"], "conf_low": -row["conf_high"], "conf_high": -row["conf_low"]}
            )
        return Text(
            f"{capital(more.en)} carries more to {y.en} than {less.en}: the difference of the indirect effects is "
            f"{value}",
            f"通向{y.zh}的间接效应中，{more.zh}大于{less.zh}：差值 {value}",
        )
    return Text(
        f"{capital(left.en)} and {right.en} carry about as much to {y.en}: the indirect effects do not differ clearly "
        f"({value})",
        f"通向{y.zh}的间接效应中，{left.zh}与{right.zh}差别不明确（{value}）",
    )


def _apart(run: CardRun, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[Text, Text]:
    """The constructs by which two chains differ: one in the middle, else the first."""
    for at in range(1, min(len(one), len(other)) - 1):
        if one[at] != other[at]:
            return _label(run, one[at]), _label(run, other[at])
    return _label(run, one[0]), _label(run, other[0])


def contested(run: CardRun) -> Text | None:
    """Which rival wins, or that none does."""
    if not run.rivals.height:
        return None
    rows = run.rivals.to_dicts()
    told = [
        (_rival(run, other["rival"]), own, other, wins(own, other))
        for own, other in zip(rows[::2], rows[1::2], strict=True)
    ]
    better = [t for t in told if t[3] == "rival"]
    leaner = [t for t in told if t[3] == "leaner"]
    worse = [t for t in told if t[3] == "card"]
    if better:
        name, own, other, _ = better[0]
        how, said = _cfi(own, other), _quoted(name)
        return Text(f"The rival {said.en} fits better: {how.en}", f"竞争模型{said.zh}拟合更好：{how.zh}")
    if leaner:
        name, own, other, _ = leaner[0]
        beaten, fewer = _beaten([t[0] for t in worse]), f"{other['df'] - own['df']:.0f}"
        return Text(
            f"“{capital(name.en)}” fits as well with {fewer} parameters fewer{beaten.en}",
            f"“{name.zh}”以少 {fewer} 个参数达到相当的拟合{beaten.zh}",
        )
    if not worse:
        return None
    names = listed([_quoted(t[0]) for t in worse])
    _, own, other, _ = max(worse, key=lambda t: abs(t[2]["chi2_diff"] or 0))
    how = _cfi(own, other)
    if other["df"] < own["df"]:
        more = own["df"] - other["df"]
        how = Text(f"no better fit with {more:.0f} parameters more", f"后者多 {more:.0f} 个参数，拟合并未更好")
    return Text(f"The model holds against {names.en}: {how.en}", f"模型优于{names.zh}：{how.zh}")


def _quoted(name: Text) -> Text:
    """A claim in quotation marks."""
    return Text(f"“{name.en}”", f"“{name.zh}”")


def _beaten(names: list[Text]) -> Text:
    """Rivals that do worse, behind one that does as well."""
    if not names:
        return Text("", "")
    every = listed([_quoted(n) for n in names])
    return Text(f"; {every.en} {'fit' if len(names) > 1 else 'fits'} worse", f"；{every.zh}拟合较差")


def wins(own: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Which of card and rival wins by the test of their difference; "leaner": the rival, by fewer parameters.

    Example:
        >>> test = {"df": 20.0, "p_value": 0.3, "df_diff": 2.0}
        >>> wins({"df": 18.0}, test), wins({"df": 22.0}, test), wins({"df": 18.0}, {**test, "p_value": 0.01})
        ('leaner', 'card', 'card')
    """
    p = other["p_value"]
    if p is None or other["df_diff"] is None or own["df"] is None or other["df"] is None:
        return None
    narrower = other["df"] > own["df"]
    if p < CLEAR:
        return "card" if narrower else "rival"
    return "leaner" if narrower else "card"


def _rival(run: CardRun, name: str) -> Text:
    """What a rival claims, inside a sentence."""
    rival = run.card.rivals[name]
    return lowered(Text(rival.en, rival.zh))


def _cfi(own: Mapping[str, Any], other: Mapping[str, Any]) -> Text:
    """CFI of the card and of the rival; where either has none, the test."""
    if own["cfi"] is None or other["cfi"] is None:
        return Text(f"p = {other['p_value']:.3f}", f"p = {other['p_value']:.3f}")
    mine, its = (style.coefficient(row["cfi"], "en", 3) for row in (own, other))
    return Text(f"CFI {mine} against the rival's {its}", f"CFI {own['cfi']:.3f}，竞争模型为 {other['cfi']:.3f}")


def bent(run: CardRun) -> Text | None:
    """Slopes on either side of the mean, of the first outcome that they were asked for."""
    said = asymmetry_sentences(run.asymmetry, run.model)
    return _bare(said[0]) if said else None


def mediated(run: CardRun) -> Text | None:
    """The first chain that the card names: how much goes through its middle."""
    known = run.hypotheses.filter(pl.col("conf_low").is_not_null()) if run.hypotheses.height else run.hypotheses
    if not known.height:
        return None
    own = known.filter(pl.col("kind").is_not_null())
    row = (own if own.height else known).row(0, named=True)
    chain = chain_of(run.card.hypotheses[row["hypothesis"]])
    x, y = _label(run, chain[0]), _label(run, chain[-1])
    middle = listed([_label(run, n) for n in chain[1:-1]])
    seen = row["conf_low"] > 0 or row["conf_high"] < 0
    kind = MEDIATED[row["kind"] or ("seen" if seen else "unseen")]
    en, zh = (kind.say(lang).format(x=x.say(lang), y=y.say(lang), m=middle.say(lang)) for lang in ("en", "zh"))
    return Text(f"{capital(en)}: indirect effect {interval(row)}", f"{zh}：间接效应 {interval(row)}")
