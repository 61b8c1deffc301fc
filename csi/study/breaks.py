"""The breaks of a study's series, linked from the overlap files or the common items that the study names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from csi.errors import Problem, Problems, Reason, Text, did_you_mean, problem, reason
from csi.models.model import Model
from csi.study.schema import StudyForm
from csi.study.schema_survey import BreakForm, LinkForm
from csi.study.settings import BreakSaid, LinkSaid
from csi.survey.panel import Panel
from csi.tracking.breaks import Break
from csi.tracking.index import Index
from csi.tracking.link import link
from csi.tracking.link_curve import Link
from csi.tracking.link_items import check_anchors
from csi.tracking.link_waves import item_link
from csi.tracking.waves import wave_order

if TYPE_CHECKING:
    from csi.study.positions import Document
    from csi.study.study import Study

REFUSED = ("E-LINK-ITEMS", "E-LINK-ANCHORS")
"""What the data say against a link; the break then stays without one, and says why."""


def breaks_of(study: Study, index: Index | None = None, panel: Panel | None = None) -> tuple[Break, ...]:
    """The breaks of a study, linked as it says; of an index those at its waves.

    Parameters:
        index: the index whose waves common items link; without one such breaks have no link. panel: the answers behind
            it, by whose respondents an overlap sample is known.

    Raises:
        Problems: E-FILE, E-COLUMN of an overlap file; E-LINK.
    """
    if index is None:
        return tuple(Break(one.wave, one.what, one.text) for one in _by_wave(study.breaks))
    present = set(index.cells["wave"].to_list())
    order = [w for w in (study.waves or wave_order(index.cells)) if w in present]
    shown = [one for one in _by_wave(study.breaks) if study.waves or one.wave in present]
    said = tuple(_broken(study, one, index, panel, order) for one in shown)
    return (*said, *(doubted(study, index, panel, order) if panel is not None else ()))


def _by_wave(breaks: Sequence[BreakSaid]) -> tuple[BreakSaid, ...]:
    """One break a wave, also where the former scales of several groups of items are said apart."""
    out: dict[str, BreakSaid] = {}
    for one in breaks:
        first = out.get(one.wave)
        if first is None:
            out[one.wave] = one
            continue
        en, zh = ([t for t in texts if t] for texts in ((first.text.en, one.text.en), (first.text.zh, one.text.zh)))
        text = Text("; ".join(dict.fromkeys(en)), "；".join(dict.fromkeys(zh)))
        out[one.wave] = replace(first, text=text, link=first.link or one.link)
    return tuple(out.values())


def doubted(study: Study, index: Index, panel: Panel, order: Sequence[str]) -> Iterator[Break]:
    """Where a wave leaves the upper part of a scale unused and its neighbour does not, and no break is declared: the
    scale was changed, most likely, so that nothing is compared across until the study says what happened.

    Parameters:
        order: the waves of the index, oldest first.
    """
    items = {c.name: set(c.items) for c in study.model.constructs}
    if not set(items) >= set(index.constructs):  # rates, each of items of its own
        items = {c: {*behind(study, index, c)} for c in index.constructs}
    for before, wave in pairwise(order):
        there, then = (set(panel.unlike.get(w, ())) for w in (wave, before))
        names = [name for name in study.codebook.names if name in there ^ then]
        of = frozenset(c for c, mine in items.items() if mine & set(names))
        if names and of and wave not in {one.wave for one in study.breaks}:
            yield Break(
                wave,
                "scale",
                doubt=_doubt(names, before, wave, wave if there - then else before),
                only=of,
            )


def scale_doubted(study: Study, panel: Panel, table: pl.DataFrame, construct: str = "") -> pl.DataFrame:
    """A table of levels whose `flag` says "scale" where a wave leaves the upper part of the construct's scale unused
    although other waves use it: the level stands on another scale than the rest, most likely.

    Parameters:
        table: with `wave`, `flag` and perhaps `construct`. construct: whose levels stand in a table without it.
    """
    if not panel.unlike or not {"wave", "flag"} <= set(table.columns):
        return table
    items = {c.name: set(c.items) for c in study.model.constructs}
    pairs = [{"wave": w, "construct": c} for w, n in panel.unlike.items() for c, mine in items.items() if mine & set(n)]
    of = pl.col("construct") if "construct" in table.columns else pl.lit(construct)
    at = pl.struct("wave", of.alias("construct")).is_in(pairs) if pairs else pl.lit(value=False)
    told = at & pl.col("flag").ne_missing("suppressed")
    return table.with_columns(pl.when(told).then(pl.lit("scale")).otherwise("flag").alias("flag"))


def behind(study: Study, index: Index, name: str) -> tuple[str, ...]:
    """The items of a rate as they were asked: three questions behind price tolerance."""
    plan = study.settings.rates
    made = {} if plan is None or plan.tolerance is None else {"price_tolerance": plan.tolerance[:3]}
    return tuple(i for item in index.weights.filter(construct=name)["item"] for i in made.get(item, (item,)))


def _doubt(names: Sequence[str], before: str, wave: str, short: str) -> Reason:
    """Why nothing is compared."""
    more = len(names) - SHOWN
    en = ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    zh = "、".join(names[:SHOWN]) + (f" 等 {len(names)} 个题项" if more > 0 else "")
    en = f"between {before} and {wave} the answer scale of {en} seems to have changed: nobody in {short} used its upper"
    en += " part. Declare the break (waves: {breaks: [{wave: " + wave + ", what: scale, scale: [1, 5]}]}, with"
    en += " the scale before it) or, if the scale is the"
    en += " same, write waves: {scales: same}."
    zh = f"{before} 与 {wave} 之间 {zh} 的答题量表似有改变：{short} 期无人使用其上段。请声明断点"
    zh += (
        "（waves: {breaks: [{wave: "
        + wave
        + ", what: scale, scale: [1, 5]}]}，写明此前的量表）；量表未变则写 waves: {scales: same}。"
    )
    return reason("R-SCALE-WAVE", en, zh)


SHOWN = 4
"""Items that are named."""


def _broken(study: Study, one: BreakSaid, index: Index, panel: Panel | None, order: Sequence[str]) -> Break:
    """One break with its link, or with what the data say against it."""
    said = one.link
    if said is None:
        return Break(one.wave, one.what, one.text)
    name = said.construct or study.settings.target
    if name not in index.constructs:
        return Break(one.wave, one.what, one.text)
    try:
        made = _by_items(study, one, said, index, name, order) if said.method == "items" else _linked(said, panel)
    except Problems as found:
        if any(p.code not in REFUSED for p in found.problems):
            raise
        first = found.problems[0]
        return Break(one.wave, one.what, one.text, refused=Reason(first.code, first.what))
    return Break(one.wave, one.what, one.text, None if made is None else {name: made})


def _by_items(
    study: Study, one: BreakSaid, said: LinkSaid, index: Index, name: str, order: Sequence[str]
) -> Link | None:
    """The link by common items; none where the index has no wave on one of the sides."""
    waves = study.waves or tuple(order)
    at = waves.index(one.wave) if one.wave in waves else 0
    if not (set(waves[:at]) & set(order) and set(waves[at:]) & set(order)):
        return None
    return item_link(
        index,
        one.wave,
        name,
        anchors=said.anchors,
        changed=said.changed,
        waves=waves,
        where=f"waves.breaks, {one.wave}",
    )


def _linked(said: LinkSaid, panel: Panel | None) -> Link:
    """The link of an overlap sample, or the one that is stated or given."""
    known: dict[str, Any] = {"shift": said.shift, "slope": said.slope, "std_error": said.std_error}
    if said.file is not None:
        frame = _overlap(said)
        known |= {"old": frame[said.old].to_numpy(), "new": frame[said.new].to_numpy()}
        known |= {"weight": frame[said.weight].to_numpy()} if said.weight else {}
        known |= {key: frame[name].to_list() for key, name in said.design.items()}
        if said.respondent and panel is not None and "respondent" in panel.frame.columns:
            known |= {"who": frame[said.respondent].to_list(), "among": panel.frame["respondent"].to_list()}
    return link(method=said.method, scales=said.scales, **known)


def _overlap(said: LinkSaid) -> pl.DataFrame:
    """The respondents who answered both forms: numbers in the columns that the study names."""
    where = str(said.file)
    asked = (said.respondent, *said.design.values())
    names = {name: pl.String() for name in asked if name}
    try:
        frame = pl.read_csv(where, schema_overrides=names)
    except (OSError, pl.exceptions.PolarsError):
        en, zh = "the overlap sample cannot be read.", "无法读取重叠样本文件。"
        do, do_zh = "Give a CSV file with the scores of both forms.", "请给出含两种形式得分的 CSV 文件。"
        raise Problems([problem("E-FILE", where, en, zh, do, do_zh)]) from None
    numbers = [c for c in (said.old, said.new, said.weight) if c]
    found: list[Problem] = []
    for name in [*numbers, *names]:
        if name not in frame.columns:
            hint = did_you_mean(name, frame.columns)
            found.append(problem("E-COLUMN", where, f'no column "{name}".', f"没有“{name}”列。", hint.en, hint.zh))
        elif name in numbers and not frame.schema[name].is_numeric():
            en, zh = f'"{name}" holds text.', f"“{name}”列含文字。"
            found.append(problem("E-COLUMN", where, en, zh, "Give numbers.", "请给出数值。"))
    if found:
        raise Problems(found)
    return frame.select(pl.col(dict.fromkeys(numbers)).cast(pl.Float64), *(pl.col(c) for c in names))


def break_problems(
    form: StudyForm, model: Model | None, target: str, document: Document, folder: Path, unsure: Sequence[int] = ()
) -> Iterator[Problem]:
    """What is wrong with how breaks and links are said: the first wave, the same wave twice, a link without what its
    method needs, an overlap file that is not there.

    Parameters:
        folder: where files stand. unsure: breaks whose link has no known method.
    """
    waves = [one.wave for one in form.waves.breaks]
    items = {c.name: c.items for c in model.constructs} if model is not None else {}
    for i, one in enumerate(form.waves.breaks):
        place = document.place(("waves", "breaks", i, "wave"))
        if one.wave in waves[:i] and not _scales_apart([b for b in form.waves.breaks if b.wave == one.wave]):
            en, zh = f"two breaks at {one.wave}.", f"{one.wave} 期写有两个断点。"
            do = "Join them to one break with one link; only former scales of different items may stand apart"
            do, do_zh = (
                f"{do} (what: scale, scale: [1, 5], items: [...]).",
                "请合并为一个断点，只写一个衔接；仅不同题项的原量表可分写（what: scale, scale: [1, 5], items: …）。",
            )
            yield problem("E-BREAK", place, en, zh, do, do_zh)
        if form.waves.order and one.wave == form.waves.order[0]:
            en, zh = f"a break at {one.wave}, the first wave.", f"断点 {one.wave} 为首期。"
            do, do_zh = "Name the first wave of the new form.", "请写明新形式的首期。"
            yield problem("E-BREAK", place, en, zh, do, do_zh)
        if one.link is not None and one.link.file and not (folder / one.link.file).is_file():
            hint = did_you_mean(one.link.file, [p.name for p in folder.iterdir()] if folder.is_dir() else [])
            en, zh = f'there is no file "{one.link.file}".', f"文件“{one.link.file}”不存在。"
            at = document.place(("waves", "breaks", i, "link", "file"))
            yield problem("E-FILE", at, en, zh, hint.en, hint.zh)
        if one.link is not None and i not in unsure:
            there = document.place(("waves", "breaks", i, "link"))
            yield from _link_problems(
                one.link,
                items,
                one.link.construct_ or target,
                there,
                known=model is not None,
                rated=form.rates is not None,
            )


def _scales_apart(breaks: Sequence[BreakForm]) -> bool:
    """Whether breaks of one wave say the former scales of different items, with one link at most."""
    items = [name for one in breaks for name in one.items]
    scaled = all(one.what == "scale" and one.scale and one.items for one in breaks)
    return scaled and len(set(items)) == len(items) and sum(one.link is not None for one in breaks) <= 1


def _link_problems(
    said: LinkForm, items: Mapping[str, Sequence[str]], construct: str, place: str, *, known: bool, rated: bool
) -> Iterator[Problem]:
    """What is wrong with how a link is said."""
    if known and said.construct_ and construct not in items and not rated:
        hint = did_you_mean(construct, list(items))
        en, zh = f'there is no construct "{construct}".', f"没有构念“{construct}”。"
        yield problem("E-CONSTRUCT", place, en, zh, hint.en, hint.zh)
    elif said.method == "items" and known and construct in items:
        yield from check_anchors(items[construct], said.anchors, said.changed, place)
    elif said.method in {"mean", "linear", "equipercentile"} and not said.file:
        en = f'"{said.method}" needs the file of an overlap sample, respondents who answered both forms.'
        zh = f"“{said.method}”需要重叠样本文件，即同时回答两种形式的受访者。"
        do = "Write file: both.csv with the columns old and new, or method: items, stated or given."
        do_zh = "请写 file: both.csv（含 old、new 两列），或改用 items、stated、given。"
        yield problem("E-LINK", place, en, zh, do, do_zh)
