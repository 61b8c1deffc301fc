"""Answers to scales, item by item: what every measure that needs the rows themselves starts from.

Letters: `n` rows with any answer, `p` items, `k` items of one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, Text, did_you_mean, problem
from csi.estimate.given import check_kind
from csi.models.model import Model
from csi.models.nouns import Claim
from csi.moments.assembled import frame_of
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Ints, Sample
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to the items of some scales.

    Attributes:
        names: p items, in the order of the scales. rows: (n, p) answers, NaN where absent; what a codebook
            reverses is turned over. weight: (n,) with a mean near 1. minimum, maximum: (p,) theoretical bounds, NaN
            where unknown. scales: construct -> its items. labels: of items and constructs.
        reversed: items that were turned over. reasons: item -> reason -> how many of the rows do not answer for it.
        keys: (n) rows of the key columns asked for. sample: the rows with their design, for resampling. notes: what is
            doubtful. weighted: whether the data have weights.
    """

    names: tuple[str, ...]
    rows: Array
    weight: Array
    minimum: Array
    maximum: Array
    scales: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, Text]
    reversed: frozenset[str]
    reasons: Mapping[str, Mapping[str, int]]
    keys: pl.DataFrame
    sample: Sample
    notes: tuple[Note, ...] = ()
    weighted: bool = False
    _place: Mapping[str, int] = field(default_factory=dict)

    def of(self, scale: str) -> Array:
        """(n, k) answers to the items of one scale."""
        return self.rows[:, self.columns(self.scales[scale])]

    def columns(self, items: Sequence[str]) -> Ints:
        """Places of items in `names`."""
        return np.array([self._place[i] for i in items], dtype=np.int64)

    def label(self, name: str) -> Text:
        """The label of an item or a construct; its name where it has none."""
        return self.labels.get(name) or Text(name, name)


def answered(
    data: object,
    scales: object = None,
    *,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    where: Mapping[str, str] | None = None,
    keys: Sequence[str] = (),
) -> Answered:
    """The answers to the items of `scales`; rows without any answer leave.

    Parameters:
        data: a Panel or a frame (polars, pandas, ...).
        scales: {construct: items}, a list of items (one scale), a model or its text; by default every construct of a
            panel's codebook.
        na, scale, weight, unit, stratum, where: as in `csi.fit`. keys: columns whose values are wanted beside the rows.

    Raises:
        Problems: no scales, unknown or doubled items, what `csi.fit` refuses of the data.

    Example:
        >>> frame = pl.DataFrame({"q1": [1, 2, None], "q2": [3, 4, None], "sex": ["m", "f", "f"]})
        >>> found = answered(frame, {"trust": ["q1", "q2"]}, keys=["sex"])
        >>> found.of("trust").shape, found.keys["sex"].to_list()
        ((2, 2), ['m', 'f'])
    """
    wanted = scales_of(data, scales)
    items = tuple(dict.fromkeys(i for of in wanted.values() for i in of))
    sample = sample_of(
        data, items, missing="pairwise", weight=weight, unit=unit, stratum=stratum, na=na, scale=scale, where=where
    )
    frame, roles = frame_of(data, {"weight": weight})
    _check_keys(frame, keys)
    place = sample.place if sample.place is not None else np.arange(sample.rows.shape[0])
    book = data.codebook if isinstance(data, Panel) else None
    known = {} if book is None else {i.name: i for i in book.items if i.name in items}
    constructs = {} if book is None else dict(book.constructs)
    return Answered(
        names=items,
        rows=sample.rows,
        weight=sample.weight,
        minimum=sample.minimum,
        maximum=sample.maximum,
        scales=wanted,
        labels={**constructs, **{name: item.label for name, item in known.items()}},
        reversed=frozenset(name for name, item in known.items() if item.reverse),
        reasons=_reasons(data, items, place, sample.rows),
        keys=frame.select(list(keys))[place] if keys else pl.DataFrame(),
        sample=sample,
        notes=tuple(note for note in sample.notes if not note.code.startswith("N-MISSING")),
        weighted="weight" in roles,
        _place={name: k for k, name in enumerate(items)},
    )


def scales_of(data: object, scales: object) -> dict[str, tuple[str, ...]]:
    """Construct -> items, from any of the ways in which scales are named.

    Raises:
        Problems: E-SETTING, E-SCALES.

    Example:
        >>> scales_of(None, ["q1", "q2"]), scales_of(None, "trust =~ q1 + q2 + q3")
        ({'scale': ('q1', 'q2')}, {'trust': ('q1', 'q2', 'q3')})
    """
    if scales is None:
        wanted = Text("a panel, or scales for a frame,", "面板，或数据框与量表")
        do = Text('Write scales={"trust": ["t1", "t2", "t3"]}.', '请写 scales={"trust": ["t1", "t2", "t3"]}。')
        check_kind("data", data, Panel, wanted, do)
        return _of_codebook(data) if isinstance(data, Panel) else {}
    if isinstance(scales, str):
        scales = Model.parse(scales)
    if isinstance(scales, Claim):
        found = {c.name: tuple(c.items) for c in scales.constructs if c.items}
    elif isinstance(scales, Mapping):
        found = {str(name): _listed(items) for name, items in scales.items()}
    else:
        kinds = Text("construct -> items, a list of items or a model", "构念与题项的对应、题项列表或模型")
        do = Text('Write {"trust": ["t1", "t2", "t3"]}.', '请写 {"trust": ["t1", "t2", "t3"]}。')
        check_kind("scales", scales, (list, tuple), kinds, do)
        found = {"scale": _listed(scales)}
    problems = [p for name, items in found.items() for p in _faults(name, items)]
    if not found:
        en, zh = "no scale was named.", "没有给出任何量表。"
        do = Text('Write {"trust": ["t1", "t2", "t3"]}.', '请写 {"trust": ["t1", "t2", "t3"]}。')
        problems = [problem("E-SCALES", "scales", en, zh, do.en, do.zh)]
    if problems:
        raise Problems(problems)
    return found


def _of_codebook(panel: Panel) -> dict[str, tuple[str, ...]]:
    """Every construct that the answers hold; the forms of a construct (expected, perceived) are scales of their own."""
    found: dict[str, tuple[str, ...]] = {}
    have = set(panel.frame.columns)
    for construct in dict.fromkeys(i.construct for i in panel.codebook.items):
        mine = [i for i in panel.codebook.items if i.construct == construct and i.name in have]
        forms = list(dict.fromkeys(i.form for i in mine))
        for form in forms:
            name = construct if len(forms) == 1 or form == "P" else f"{construct} ({form})"
            found[name] = tuple(i.name for i in mine if i.form == form)
    return found


def _listed(items: object) -> tuple[str, ...]:
    if isinstance(items, str):
        return (items,)
    return tuple(items) if isinstance(items, list | tuple) else (str(items),)


def _faults(name: str, items: Sequence[str]) -> list[Problem]:
    """What is wrong with one scale: no items, something else than names, an item twice."""
    at = f'scales "{name}"'
    if not items or not all(isinstance(i, str) for i in items):
        en, zh = "its items must be named.", "须给出题项名称。"
        return [problem("E-SCALES", at, en, zh, 'Write ["t1", "t2", "t3"].', '请写 ["t1", "t2", "t3"]。')]
    twice = sorted({i for i in items if items.count(i) > 1})
    if twice:
        en, zh = f"{', '.join(twice)} stands twice.", f"{'、'.join(twice)} 出现了两次。"
        return [problem("E-SCALES", at, en, zh, "Name each item once.", "每个题项只写一次。")]
    return []


def _check_keys(frame: pl.DataFrame, keys: Sequence[str]) -> None:
    found = []
    for key in keys:
        if key not in frame.columns:
            hint = did_you_mean(key, frame.columns)
            en, zh = "the data have no such column.", "数据中没有这一列。"
            found.append(problem("E-ROLE", f'column "{key}"', en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)


def _reasons(data: object, items: Sequence[str], place: Ints, rows: Array) -> dict[str, dict[str, int]]:
    """Item -> reason -> rows; a frame knows no reasons: everything absent is "missing"."""
    if isinstance(data, Panel):
        told = data.reasons[place]
        counts = {i: told[i].drop_nulls().value_counts() for i in items if i in told.columns}
        return {i: {str(reason): int(n) for reason, n in counted.rows()} for i, counted in counts.items()}
    absent = np.isnan(rows).sum(axis=0)
    return {i: {"missing": int(n)} if n else {} for i, n in zip(items, absent, strict=True)}
