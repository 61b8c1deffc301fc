"""What a batch of answers must not do unseen: enter a closed wave, come on another scale or with other weights."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Note, Problem, Problems, did_you_mean, note, problem
from csi.survey.panel import Panel
from csi.tracking.store import Store
from csi.tracking.waves import wave_order

LEAST = 30
"""Fewer rows say nothing about scale or size of weights."""

TIMES = 5.0
"""Mean weights of two batches that differ by this factor are hardly on one scale."""


def check_batch(store: Store | None, part: Store, panel: Panel, *, late: bool, anyway: bool) -> None:
    """Nothing of what a batch must not do unseen.

    Parameters:
        store: what is counted so far. part: the batch's sums. panel: its answers. late: answers of closed waves are
            wanted. anyway: scale and weights are right as they are.

    Raises:
        Problems: E-CLOSED, E-SCALE, E-WEIGHT.
    """
    place = part.batches[0].name
    found = [] if late or store is None else _closed(store, part, place)
    if not anyway:
        found += _scale(panel, part.names, place)
        found += [] if store is None else _weights(store, part, place)
    if found:
        raise Problems(found)


def _closed(store: Store, part: Store, place: str) -> list[Problem]:
    """Answers of waves that are closed."""
    counts = _by_wave(part)
    found = []
    for wave in store.closed:
        if counts.get(wave):
            en = f"wave {wave} is closed, and {counts[wave]} answers of this batch are of it; nothing was added."
            zh = f"{wave} 期已关闭，而本批有 {counts[wave]} 份答卷属于该期，未作任何追加。"
            do = "Leave them out, or add them as late answers with --late: published numbers of the wave then change."
            do_zh = "请去掉这些答卷；或用 --late 作为迟到答卷追加，该期已公布的数值将随之改变。"
            found.append(problem("E-CLOSED", place, en, zh, do, do_zh))
    return found


def _scale(panel: Panel, items: Sequence[str], place: str) -> list[Problem]:
    """Items of one scale whose every answer lies in its lower half: a shorter scale, most likely."""
    if panel.frame.height < LEAST:
        return []
    scales: dict[tuple[float, float], list[str]] = {}
    for item in items:
        one = panel.codebook[item]
        if not one.reverse and one.scale.maximum - one.scale.minimum >= 4:
            scales.setdefault((one.scale.minimum, one.scale.maximum), []).append(item)
    found = []
    for (low, high), names in scales.items():
        most = panel.frame.select(pl.max_horizontal(pl.col(names).max())).item()
        if most is not None and most <= (low + high) / 2 and len(names) > 1:
            en = f"no answer to {len(names)} items of the scale {low:g}-{high:g} is above {most:g}: another scale?"
            zh = f"量表 {low:g}-{high:g} 的 {len(names)} 个题项没有高于 {most:g} 的回答，是否用了另一量表？"
            do = "Turn the answers into the scale of the codebook first, or add them with --anyway if they are right."
            do_zh = "请先换算到编码簿的量表；若确实无误，请用 --anyway 追加。"
            found.append(problem("E-SCALE", place, en, zh, do, do_zh))
    return found


def _weights(store: Store, part: Store, place: str) -> list[Problem]:
    """Weights whose mean is many times that of the weights so far."""
    n, before = part.sums.n.sum(), store.sums.n.sum()
    if min(n, before) < LEAST:
        return []
    new, old = float(part.sums.w.sum() / n), float(store.sums.w.sum() / before)
    if max(new / old, old / new) < TIMES:
        return []
    en = f"the mean weight is {new:.3g}, that of the answers so far {old:.3g}: they would not count alike."
    zh = f"本批权重均值为 {new:.3g}，已有答卷为 {old:.3g}，二者计入的分量将不相称。"
    do = "Bring the weights to one size, or add them with --anyway if they are right."
    do_zh = "请统一权重的尺度；若确实无误，请用 --anyway 追加。"
    return [problem("E-WEIGHT", place, en, zh, do, do_zh)]


def _by_wave(store: Store) -> dict[str, int]:
    """Answers by wave."""
    if "wave" not in store.cells.columns:
        return {}
    counted = store.counted.group_by("wave", maintain_order=True).agg(pl.col("n").sum())
    return {wave: int(n) for wave, n in counted.iter_rows() if n}


def check_close(store: Store, waves: Sequence[str]) -> None:
    """The waves to be closed have answers.

    Raises:
        Problems: E-WAVE with the closest name.
    """
    have, found = list(_by_wave(store)), []
    for wave in waves:
        if wave not in have:
            hint = did_you_mean(wave, have)
            en, zh = f'no answers of wave "{wave}" are counted.', f"尚未计入“{wave}”期的答卷。"
            found.append(problem("E-WAVE", "--close", en, zh, hint.en, hint.zh))
    if found:
        raise Problems(found)


def late_notes(before: Store | None, after: Store, base: str | None) -> tuple[Note, ...]:
    """Answers of waves before the latest one that was counted: numbers that were told change."""
    if before is None or "wave" not in before.cells.columns:
        return ()
    was, now = _by_wave(before), _by_wave(after)
    order = [w for w in wave_order(after.cells) if w in was]
    grown = {w: now[w] - was[w] for w in order[:-1] if now[w] > was[w]}
    if not grown:
        return ()
    en = ", ".join(f"{w} (+{k})" for w, k in grown.items())
    zh = "、".join(f"{w}（+{k}）" for w, k in grown.items())
    moved = base in grown
    more = " The base wave is among them, so weights and every index change." if moved else ""
    more_zh = "其中包括基期，因此权重与全部指数都会改变。" if moved else ""
    said = f"Late answers of earlier waves: {en}; numbers of those waves change.{more}"
    return (note("W-STORE-LATE", said, f"较早期次的迟到答卷：{zh}；这些期次的数值随之改变。{more_zh}"),)


def closed_with(store: Store, waves: Sequence[str]) -> tuple[str, ...]:
    """The closed waves of a store and further ones, each once.

    Example:
        >>> import types
        >>> closed_with(types.SimpleNamespace(closed=("1",)), ["2", "1"])
        ('1', '2')
    """
    return tuple(dict.fromkeys([*store.closed, *waves]))
