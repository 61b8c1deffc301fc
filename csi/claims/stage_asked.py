"""What slopes by stage are asked of: the stages and their rows, the model, what is claimed of its paths; refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import polars as pl

from csi.claims.blocks import blocks_of
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.models.model import Model
from csi.survey.panel import Panel

Trend = Literal["falls", "rises"]
"""What is claimed of a slope along the stages."""

LEAST: Final = 100
"""Respondents that a stage needs."""

FEWEST: Final = 2
"""Stages that a trend needs."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Rows of the stages.

    Attributes:
        panel: rows of the stages alone, those of earlier stages first. stages: in order. sizes: rows of each.
        model: constructs with items, and paths. claims: (outcome, predictor) -> what its slope does. labels: names of
            constructs in words. notes.
    """

    panel: Panel
    stages: tuple[str, ...]
    sizes: Mapping[str, int]
    model: Model
    claims: Mapping[tuple[str, str], Trend]
    labels: Mapping[str, Text]
    notes: tuple[Note, ...]


def staged(
    model: Model | Card | str,
    panel: Panel,
    stages: Sequence[str],
    claims: Mapping[str, str] | None,
    where: Mapping[str, str] | None,
    least: int,
    *,
    covariance: bool,
) -> Staged:
    """The rows, the model and the claims.

    Parameters:
        model: a model, text, a card or its name. claims: "outcome~predictor" -> "falls" or "rises"; the card's without.
        covariance: whether it is fitted as a covariance model.

    Raises:
        Problems: E-STAGE (no column, one stage, unknown stages, too few respondents), E-WHERE, E-ORDER (a claim of no
            path), all at once; what reading a card finds.
    """
    card = model if isinstance(model, Card) else None
    if isinstance(model, str) and "~" not in model:
        card = _card(model)
    book = panel.codebook
    if card is not None:
        claim = Model.card.of(card, blocks_of(card, book), covariance=covariance)
    else:
        claim = Model.parse(model) if isinstance(model, str) else _known(model)
    wanted = dict(card.trends) if card is not None and claims is None else dict(claims or {})
    rows, found = _rows(panel, stages, where, least)
    found += _claims(wanted, claim)
    if found:
        raise Problems(found)
    names = {n: Text(book.label(n, "en"), book.label(n, "zh")) for n in claim.names}
    labels = {**names, **(card.labels if card is not None else {})}
    said: dict[tuple[str, str], Trend] = {_path(c): "falls" if t == "falls" else "rises" for c, t in wanted.items()}
    sizes = dict(rows.frame.group_by("stage").len().rows())
    return Staged(rows, tuple(stages), sizes, claim, said, labels, _left(panel, rows, stages))


def _known(model: object) -> Model:
    """A model that is one.

    Raises:
        Problems: E-SETTING.
    """
    if isinstance(model, Model):
        return model
    en, zh = f"model is {type(model).__name__}.", f"model 的类型为 {type(model).__name__}。"
    do, do_zh = "Give a model, its text, a card or its name.", "请给出模型、模型文本、模型卡或其名称。"
    raise Problems([problem("E-SETTING", "model", en, zh, do, do_zh)])


def _card(name: str) -> Card:
    """The card of a name or file.

    Raises:
        Problems: E-METHOD.
    """
    if name in card_names() or name.endswith((".yaml", ".yml")):
        return read_card(name)
    hint = did_you_mean(name, card_names())
    en, zh = f'there is no card "{name}".', f"没有模型卡“{name}”。"
    raise Problems([problem("E-METHOD", "model", en, zh, hint.en, hint.zh)])


def _path(claim: str) -> tuple[str, str]:
    """Outcome and predictor of `outcome~predictor`.

    Example:
        >>> _path("int ~ val")
        ('int', 'val')
    """
    outcome, _, predictor = claim.partition("~")
    return outcome.strip(), predictor.strip()


def _claims(claims: Mapping[str, str], model: Model) -> list[Problem]:
    """Claims of no path, or that say neither."""
    paths = [(p.outcome, t) for p in model.paths for t in [p.predictor.name]]
    wrong = [c for c, said in claims.items() if _path(c) not in paths or said not in ("falls", "rises")]
    if not wrong:
        return []
    listed = [f"{y}~{x}" for y, x in paths]
    en = f"{', '.join(wrong)}: no path of the model, or neither falls nor rises."
    zh = f"{'、'.join(wrong)}：不是模型中的路径，或未写 falls、rises。"
    return [problem("E-ORDER", "claims", en, zh, f"Paths: {', '.join(listed)}.", f"路径：{'、'.join(listed)}。")]


def _rows(
    panel: Panel, stages: Sequence[str], where: Mapping[str, str] | None, least: int
) -> tuple[Panel, list[Problem]]:
    """The rows of the stages, in their order; what is wrong."""
    frame = panel.frame
    if "stage" not in frame.columns:
        en, zh = "the panel has no column in the role stage.", "面板中没有角色为 stage 的列。"
        do, do_zh = "Name it in the study under keys: {stage: COLUMN}.", "请在研究文件的 keys 中写 {stage: 列名}。"
        return panel, [problem("E-STAGE", "stage", en, zh, do, do_zh)]
    found: list[Problem] = []
    for key, value in (where or {}).items():
        have = frame[key].cast(pl.String).unique().drop_nulls().to_list() if key in frame.columns else []
        if value not in have:
            hint = did_you_mean(value, have)
            en, zh = f'no row has {key} "{value}".', f"没有 {key} 为“{value}”的行。"
            found.append(problem("E-WHERE", "where", en, zh, hint.en, hint.zh))
        else:
            frame = frame.filter(pl.col(key).cast(pl.String) == value)
    counts = dict(frame.drop_nulls("stage").group_by("stage").len().sort("stage").rows())
    unknown = [s for s in stages if s not in counts]
    if len(set(stages)) < FEWEST or len(set(stages)) < len(stages):
        en = f"stages are {', '.join(stages) or 'not named'}; a trend needs two or more."
        zh = f"阶段为 {'、'.join(stages) or '（未指定）'}；趋势至少需要两个阶段。"
        do, do_zh = (
            f"Name stages in order; the panel has {', '.join(counts)}.",
            f"请按次序写出；面板中有 {'、'.join(counts)}。",
        )
        found.append(problem("E-STAGE", "stages", en, zh, do, do_zh))
    elif unknown:
        hint = did_you_mean(unknown[0], counts)
        en, zh = f"no respondents at {', '.join(unknown)}.", f"没有处于 {'、'.join(unknown)} 的受访者。"
        found.append(problem("E-STAGE", "stages", en, zh, hint.en, hint.zh))
    few = {s: counts[s] for s in stages if counts.get(s, least) < least}
    if few:
        en = f"too few respondents: {', '.join(f'{s} {n}' for s, n in few.items())}; {least} are needed at each stage."
        zh = f"样本过少：{'、'.join(f'{s} {n} 人' for s, n in few.items())}；每个阶段至少需要 {least} 人。"
        do, do_zh = "Join stages, leave them out, or ask more of them.", "请合并或去掉这些阶段，或补充样本。"
        found.append(problem("E-STAGE", "stages", en, zh, do, do_zh))
    if found:
        return panel, found
    place = {s: i for i, s in enumerate(stages)}
    kept = frame.filter(pl.col("stage").is_in(list(stages)))
    order = kept.select(pl.col("stage").replace_strict(place, return_dtype=pl.Int64)).to_series().arg_sort()
    return replace(panel, frame=kept.select(pl.all().gather(order))), []


def _left(panel: Panel, rows: Panel, stages: Sequence[str]) -> tuple[Note, ...]:
    """Stages that take no part."""
    seen = panel.frame["stage"].drop_nulls().unique().sort().to_list()
    other = [s for s in seen if s not in stages]
    if not other:
        return ()
    del rows
    en = f"stages that take no part: {', '.join(other)}."
    return (note("N-STAGE-LEFT", en, f"未参与比较的阶段：{'、'.join(other)}。"),)
