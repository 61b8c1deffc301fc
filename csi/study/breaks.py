"""The breaks of a study's series, with their links estimated from the overlap files the study names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.study.settings import LinkSaid
from csi.tracking.breaks import Break
from csi.tracking.link import Link, link

if TYPE_CHECKING:
    from csi.study.study import Study


def breaks_of(study: Study) -> tuple[Break, ...]:
    """The breaks of a study, linked as it says.

    Raises:
        Problems: E-FILE, E-COLUMN of an overlap file; E-LINK.
    """
    return tuple(Break(one.wave, one.what, one.text, _linked(study, one.link)) for one in study.breaks)


def _linked(study: Study, said: LinkSaid | None) -> Link | Mapping[str, Link] | None:
    """The link; of one construct where the study says whose it is, else of the study's target."""
    if said is None:
        return None
    known: dict[str, Any] = {"shift": said.shift, "slope": said.slope, "std_error": said.std_error}
    if said.file is not None:
        frame = _overlap(said)
        known |= {"old": frame[said.old].to_numpy(), "new": frame[said.new].to_numpy()}
        known |= {"weight": frame[said.weight].to_numpy()} if said.weight else {}
    made = link(method=said.method, scales=said.scales, **known)
    return {said.construct or study.settings.target: made}


def _overlap(said: LinkSaid) -> pl.DataFrame:
    """The respondents who answered both forms: numbers in the columns that the study names."""
    where = str(said.file)
    try:
        frame = pl.read_csv(where)
    except (OSError, pl.exceptions.PolarsError):
        en, zh = "the overlap sample cannot be read.", "无法读取重叠样本文件。"
        do, do_zh = "Give a CSV file with the scores of both forms.", "请给出含两种形式得分的 CSV 文件。"
        raise Problems([problem("E-FILE", where, en, zh, do, do_zh)]) from None
    named = [c for c in (said.old, said.new, said.weight) if c]
    found: list[Problem] = []
    for name in named:
        if name not in frame.columns:
            hint = did_you_mean(name, frame.columns)
            found.append(problem("E-COLUMN", where, f'no column "{name}".', f"没有“{name}”列。", hint.en, hint.zh))
        elif not frame.schema[name].is_numeric():
            en, zh = f'"{name}" holds text.', f"“{name}”列含文字。"
            found.append(problem("E-COLUMN", where, en, zh, "Give numbers.", "请给出数值。"))
    if found:
        raise Problems(found)
    return frame.select(pl.col(dict.fromkeys(named)).cast(pl.Float64))
