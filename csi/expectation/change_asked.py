"""What change is asked of: items of a series, the models that the waves allow, rows per person; refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import polars as pl

from csi.errors import Problem, Problems, Text, did_you_mean, note, one_of, problem
from csi.expectation.change_fit import MODELS, PAIRED
from csi.expectation.wide import Wide, wide
from csi.survey.codebook import Form
from csi.survey.panel import Panel

FLAG: Final = "z_0"
"""The flag among the columns of a model; no item in a wave is called so."""

Asked = Mapping[str, tuple[str | None, Form | None]]
"""Letter of a series -> its construct or item, and the form of items."""


def series_of(panel: Panel, asked: Asked, model: str | None, flag: str | None) -> dict[str, tuple[str, ...]]:
    """The items of each series that is asked for.

    Raises:
        Problems: E-ROLE (no such construct, item or flag; a model of two series with one), E-FORM (items in several
            forms), E-SCALE (a flag that is not 0 or 1), E-SETTING (no such model); all at once.
    """
    found: list[Problem] = list(one_of("model", model, MODELS)) if model is not None else []
    series = {}
    for letter, (name, form) in asked.items():
        if name is not None:
            series[letter], wrong = _items(panel, name, form)
            found += wrong
    if model in PAIRED and "B" not in series:
        en = f'model "{model}" follows two constructs beside each other.'
        zh = f"模型“{model}”需同时追踪两个构念。"
        found.append(
            problem("E-ROLE", "change", en, zh, "Name the other: --beside NAME.", "请给出另一构念：--beside 名称。")
        )
    if not found and "B" in series and set(series["A"]) & set(series["B"]):
        en, zh = "both series have an item in common.", "两个序列有共同题项。"
        found.append(problem("E-ROLE", "change", en, zh, "Name another: --beside NAME.", "请另选：--beside 名称。"))
    found += _flag(panel, flag, [i for names in series.values() for i in names])
    if found:
        raise Problems(found)
    return series


def _items(panel: Panel, name: str, form: Form | None) -> tuple[tuple[str, ...], list[Problem]]:
    """The items of a construct in one form, or an item; what is wrong."""
    book = panel.codebook
    items = book.items_of(name, form) or ((name,) if name in book.names else ())
    if not items:
        hint = did_you_mean(name, [*book.constructs, *book.names])
        of, of_zh = (f" with items of form {form}", f"（形式 {form}）") if form and book.items_of(name) else ("", "")
        en, zh = f'"{name}" is no construct or item{of}.', f"“{name}”不是构念或题项{of_zh}。"
        return (), [problem("E-ROLE", "change", en, zh, hint.en, hint.zh)]
    forms = sorted({book[i].form for i in items})
    if len(forms) > 1:
        listed, listed_zh = ", ".join(forms), "、".join(forms)
        en, zh = f"the items of {name} have the forms {listed}.", f"{name} 的题项含多种形式：{listed_zh}。"
        do = f"Name one, such as form={forms[0]!r} (--expected {forms[0]})."
        do_zh = f"请指定其一，如 form={forms[0]!r}（--expected {forms[0]}）。"
        return (), [problem("E-FORM", "change", en, zh, do, do_zh)]
    return items, []


def _flag(panel: Panel, flag: str | None, taken: Sequence[str]) -> list[Problem]:
    """What is wrong with a flag: it is an item, answered 0 or 1."""
    if flag is None:
        return []
    book = panel.codebook
    if flag not in book.names or flag in taken:
        hint = did_you_mean(flag, [n for n in book.names if n not in taken])
        en, zh = f'flag "{flag}" is no item of its own.', f"标记“{flag}”不是单独的题项。"
        return [problem("E-ROLE", "flag", en, zh, hint.en, hint.zh)]
    values = set(panel.frame[flag].drop_nulls().unique().to_list())
    if values <= {0.0, 1.0}:
        return []
    en = f"{flag} has answers other than 0 and 1."
    do, do_zh = "Code who had the intervention 1, the others 0.", "请将接受干预者编码为 1，其余为 0。"
    return [problem("E-SCALE", "flag", en, f"{flag} 含 0、1 以外的取值。", do, do_zh)]


def scale_of(panel: Panel, items: Sequence[str]) -> Text:
    """What a change of a series is counted in: points of the answer scale of its items, the first of them."""
    scale = panel.codebook[items[0]].scale
    return Text(f"points of {scale.minimum:g}–{scale.maximum:g}", f"分（{scale.minimum:g}–{scale.maximum:g} 分制）")


def models_of(model: str | None, series: Mapping[str, object], waves: int) -> tuple[str, ...]:
    """The models asked for: all that the waves allow where none is named; the two of lags always together.

    Example:
        >>> models_of(None, {"A": 0}, 2), models_of(None, {"A": 0}, 4), models_of(None, {"A": 0, "B": 0}, 3)
        (('difference',), ('growth', 'dual'), ('growth', 'lagged', 'within'))
    """
    if model in ("lagged", "within"):
        return ("lagged", "within")
    if model is not None:
        return (model,)
    if waves < 3:
        return ("difference",)
    able = [m for m in ("growth", "dual") if MODELS[m][0] <= waves]
    return (*able, *(("lagged", "within") if "B" in series else ()))


def rows_of(
    panel: Panel,
    series: Mapping[str, Sequence[str]],
    model: str | None,
    waves: Sequence[str] | None,
    where: Mapping[str, str] | None,
    returning: float,
    flag: str | None,
) -> Wide:
    """A row per person, of the waves that the model takes; a difference takes the first and the last.

    Raises:
        Problems: see `csi.expectation.wide.wide`.
    """
    items = [i for names in series.values() for i in names]
    also = [flag] if flag else []
    least = MODELS[model][0] if model else 2
    data = wide(panel, items, waves=waves, where=where, least=least, returning=returning, also=also)
    if model == "difference" and len(data.waves) > 2:
        ends = (data.waves[0], data.waves[-1])
        data = wide(panel, items, waves=ends, where=where, least=least, returning=returning, also=also)
    return data if flag is None else _flagged(data, flag)


def _flagged(data: Wide, flag: str) -> Wide:
    """With the flag under its name; people of whom it is not known leave."""
    kept = data.frame.rename({flag: FLAG}).filter(pl.col(FLAG).is_not_null())
    lost = data.people - kept.height
    if not lost:
        return replace(data, frame=kept)
    en = f"{lost} people of whom {flag} is not known are left out."
    told = note("N-FLAG", en, f"有 {lost} 名受访者缺少 {flag}，未纳入。")
    return replace(data, frame=kept, people=kept.height, notes=(*data.notes, told))


def times_of(times: Sequence[float] | None, waves: int) -> tuple[float, ...]:
    """The times of the waves.

    Raises:
        Problems: E-SETTING: as many as waves, rising.
    """
    if times is None:
        return tuple(float(t) for t in range(waves))
    if len(times) == waves and all(a < b for a, b in pairwise(times)):
        return tuple(float(t) for t in times)
    en = f"times= has {len(times)} values for {waves} waves; they must rise."
    zh = f"times= 有 {len(times)} 个值，而期次为 {waves} 期；须依次递增。"
    raise Problems([problem("E-SETTING", "times", en, zh, "Write times=(0, 1, 3), say.", "例如 times=(0, 1, 3)。")])


def _check_groups(data: Wide, small: int) -> None:
    """Enough people with and without a flag answered in every wave; their difference would tell of fewer.

    Raises:
        Problems: E-BASE.
    """
    if FLAG not in data.frame.columns:
        return
    found = []
    for t, wave in enumerate(data.waves, start=1):
        columns = [c for c in data.frame.columns if c.endswith(f"_{t}")]
        here = data.frame.filter(~pl.all_horizontal(pl.col(columns).is_null()))
        least = min(here.filter(pl.col(FLAG) == value).height for value in (0, 1))
        found += [(wave, least)] if least < small else []
    if not found:
        return
    named, named_zh = ", ".join(f"{w} ({n})" for w, n in found), "、".join(f"{w}（{n}）" for w, n in found)
    en = f"fewer than {small} people with the flag, or without it, answered in {named}."
    zh = f"以下期次中，有标记者或无标记者不足 {small} 人：{named_zh}。"
    do, do_zh = "Leave the flag out, or choose other waves.", "请去掉标记，或另选期次。"
    raise Problems([problem("E-BASE", "change", en, zh, do, do_zh)])


def check_base(data: Wide, small: int) -> None:
    """Enough people answered in every wave.

    Raises:
        Problems: E-BASE.
    """
    few = [(w, n) for w, n in zip(data.waves, data.seen, strict=True) if n < small]
    if not few:
        _check_groups(data, small)
        return
    named, named_zh = ", ".join(f"{w} ({n})" for w, n in few), "、".join(f"{w}（{n}）" for w, n in few)
    en = f"fewer than {small} people answered in {named}."
    zh = f"以下期次的受访者不足 {small} 人：{named_zh}。"
    do, do_zh = "Ask more people again, or choose other waves (waves=).", "请增加回访样本，或另选期次（waves=）。"
    raise Problems([problem("E-BASE", "change", en, zh, do, do_zh)])
