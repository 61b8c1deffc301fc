"""What is doubtful about the answers of a panel: items nobody answered, constant items, items that are copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

import polars as pl

from csi.errors import Note, note
from csi.survey.cells import counted, said
from csi.survey.codebook import Codebook, Item
from csi.survey.columns import FILE, ROW, Picked
from csi.survey.rules import Rules


def item_notes(frame: pl.DataFrame, codebook: Codebook, turned: Collection[str] = ()) -> Iterator[Note]:
    """Items without any answer, with one and the same answer, or equal to another item in every row.

    Parameters:
        turned: items whose answers were turned from another scale, so that they are no whole numbers.
    """
    copies: dict[bytes, list[str]] = defaultdict(list)
    for name in codebook.names:
        answers = frame[name]
        distinct = answers.drop_nulls().n_unique()
        if distinct == 0:
            yield note("N-ALL-MISSING", f"Item {name} has no answer at all.", f"题项 {name} 没有任何回答。")
        elif distinct == 1:
            value = answers.drop_nulls()[0]
            yield note(
                "N-CONSTANT",
                f"Item {name} has the same answer ({value:g}) everywhere; it carries no information.",
                f"题项 {name} 的回答全部相同（{value:g}），不含信息。",
            )
        else:
            yield from _fractions(name, answers.drop_nulls()) if name not in turned else ()
            copies[answers.fill_null(float("-inf")).to_numpy().tobytes()].append(name)
    for names in copies.values():
        if len(names) > 1:
            listed = ", ".join(names)
            yield note(
                "N-IDENTICAL",
                f"Items {listed} are identical in every row; was one column exported twice?",
                f"题项 {'、'.join(names)} 的回答逐行完全相同；是否有一列被重复导出？",
            )


FEW = 0.05
"""Fractions below this share of an item's answers are taken for slips, above it for a scale that has them."""


def _fractions(name: str, answers: pl.Series) -> Iterator[Note]:
    """A few answers between the points of an item that is answered in whole numbers."""
    between = answers.filter(answers % 1 != 0)
    if 0 < between.len() <= FEW * answers.len():
        some = ", ".join(f"{value:g}" for value in between.unique().sort().head(5))
        yield note(
            "N-FRACTION",
            f"Item {name} is answered in whole numbers but for {between.len()} answers ({some}); they are kept.",
            f"题项 {name} 的回答均为整数，仅 {between.len()} 个例外（{some}），已照常保留。",
        )


def wave_notes(frame: pl.DataFrame, codebook: Codebook, waves: Sequence[str]) -> Iterator[Note]:
    """Items that a wave did not answer although another did."""
    if "wave" not in frame.columns or len(waves) < 2:
        return
    counts = frame.group_by("wave").agg(pl.col(name).count() for name in codebook.names)
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in codebook.names:
        unanswered = set(counts.filter(pl.col(name) == 0)["wave"].to_list())
        if unanswered and len(unanswered) < len(waves):
            found[tuple(wave for wave in waves if wave in unanswered)].append(name)
    for listed, items in found.items():
        en = f"Item {items[0]} has" if len(items) == 1 else f"Items {', '.join(items)} have"
        yield note(
            "N-NOT-IN-WAVE",
            f"{en} no answers in {', '.join(listed)}.",
            f"题项 {'、'.join(items)} 在 {'、'.join(listed)} 没有回答。",
        )


LOWER = 2 / 3
"""Answers of a wave that all lie in this part of their scale are hardly on it, where other waves use the rest."""

CHANCE = 1e-6
"""A wave leaves the rest of a scale unused by chance with a smaller probability than this, before it is told."""


Unused = Mapping[tuple[str, float, float], Sequence[tuple[str, float]]]
"""(wave, from, to) of a scale whose upper part nobody used in the wave -> such items, each with its highest answer."""


def unused_scales(
    frame: pl.DataFrame, codebook: Codebook, waves: Sequence[str], known: Collection[tuple[str, str]] = ()
) -> Unused:
    """Waves in which nobody used the upper part of a scale that other waves use: another scale, most likely.

    Parameters:
        known: (wave, item) whose scale is stated, so that it is not doubted.
    """
    if "wave" not in frame.columns or len(waves) < 2:
        return {}
    found: dict[tuple[str, float, float], list[tuple[str, float]]] = defaultdict(list)
    long = [item for item in codebook.items if item.scale.maximum - item.scale.minimum >= FEWEST_STEPS]
    for item, rows in zip(long, _above_by_wave(frame, long), strict=True):
        for wave, most in _short(rows):
            if (wave, item.name) not in known:
                found[wave, item.scale.minimum, item.scale.maximum].append((item.name, most))
    return {key: items for key, items in found.items() if not _in_use(frame, codebook, key, len(items))}


def _in_use(frame: pl.DataFrame, codebook: Codebook, of: tuple[str, float, float], short: int) -> bool:
    """Whether most items of a scale that a wave answered go above its lower part there: the scale is the same, and the
    others are low by themselves.
    """
    wave, low, high = of
    names = [i.name for i in codebook.items if (i.scale.minimum, i.scale.maximum) == (low, high)]
    most = frame.filter(pl.col("wave") == wave).select(pl.col(names).max()).row(0)
    above = sum(1 for x in most if x is not None and x > low + LOWER * (high - low))
    return above > short


def unlike(found: Unused) -> dict[str, tuple[str, ...]]:
    """Wave -> such items."""
    out: dict[str, tuple[str, ...]] = {}
    for (wave, _, _), items in found.items():
        out[wave] = (*out.get(wave, ()), *(name for name, _ in items))
    return out


def scale_notes(found: Unused, waves: Sequence[str]) -> Iterator[Note]:
    """What is said of such waves, in their order."""
    for wave, low, high in sorted(found, key=lambda key: waves.index(key[0])):
        items = found[wave, low, high]
        yield _other_scale(wave, [name for name, _ in items], (low, high), max(most for _, most in items))


def _above_by_wave(frame: pl.DataFrame, items: Sequence[Item]) -> list[list[_Used]]:
    """Per item the waves that answered it: how many did, how many above the lower part of its scale, the highest."""
    asked = []
    for place, item in enumerate(items):
        answer, low, high = pl.col(item.name), item.scale.minimum, item.scale.maximum
        above = (answer > low + LOWER * (high - low)).sum()
        asked += [
            answer.count().alias(f"{place} n"),
            above.alias(f"{place} above"),
            answer.max().alias(f"{place} most"),
        ]
    if not asked:
        return []
    rows = frame.drop_nulls("wave").group_by("wave", maintain_order=True).agg(asked).rows()
    return [[(w, n[3 * k], n[3 * k + 1], n[3 * k + 2]) for w, *n in rows if n[3 * k]] for k in range(len(items))]


_Used = tuple[str, int, int, float]
"""A wave, its answers, those above the lower part of the scale, the highest."""


def _short(rows: Sequence[_Used]) -> Iterator[tuple[str, float]]:
    """The waves without any answer above the lower part although other waves have many, and their highest answer."""
    full = [(n, above) for _, n, above, _ in rows if above]
    share = sum(above for _, above in full) / (sum(n for n, _ in full) + 1)  # of a few, all above are not everybody
    yield from ((wave, most) for wave, n, above, most in rows if not above and (1 - share) ** n < CHANCE)


FEWEST_STEPS = 4
"""Shorter scales are not looked at."""


def _other_scale(wave: str, names: Sequence[str], scale: tuple[float, float], most: float) -> Note:
    """That a wave seems to be on another scale."""
    named, of = (f"item {names[0]}", "题项 " + names[0]) if len(names) == 1 else (f"{len(names)} items", "")
    of = of or f"{len(names)} 个题项"
    low, high = scale
    en = f"In {wave} no answer to {named} asked from {low:g} to {high:g} is above {most:g}, in other waves many are:"
    en += " was the scale changed? Declare it under waves, breaks, with the former scale (what: scale, scale: [1, 5]),"
    en += " or turn the answers into the scale of the codebook; if it is the same, write waves: {scales: same}."
    en += " Until then no change is printed across."
    zh = f"{wave} 期 {of}（量表 {low:g}–{high:g}）的回答均不超过 {most:g}，而其他期有许多更高的回答：量表是否改变？"
    zh += "请在 waves 的 breaks 中声明，并写明原量表（what: scale, scale: [1, 5]），或将回答换算到编码簿的量表；"
    zh += "量表未变则写 waves: {scales: same}。此前不跨越该处给出变化。"
    return note("W-SCALE-WAVE", en, zh)


def absent_notes(picked: Sequence[Picked], frame: pl.DataFrame, groups: Collection[str] = ()) -> Iterator[Note]:
    """Keys that some files lack: missing weights count as 1, other keys stay blank."""
    for role in ("weight", "stratum", "cluster", "stage", "segment", "duration", *groups):
        without = [p.raw.name for p in picked if role in p.absent]
        if not without or len(without) == len(picked):
            continue
        listed, listed_zh = ", ".join(without), "、".join(without)
        if role != "weight":
            yield note("N-KEY", f"{role} is absent in {listed}.", f"{listed_zh} 中没有 {role} 列。")
            continue
        mean = frame.filter(~pl.col(FILE).is_in(without)).select(pl.col("weight").mean()).item()
        yield note(
            "N-WEIGHT",
            f"{listed} without weights: each of their respondents counts as 1 "
            f"(the mean weight of the other files is {mean:.3g}).",
            f"{listed_zh} 没有权重：其中每位受访者按 1 计（其余文件的平均权重为 {mean:.3g}）。",
        )


def same_file_notes(picked: Sequence[Picked]) -> Iterator[Note]:
    """Files that hold the very same bytes."""
    seen: dict[str, str] = {}
    for one in picked:
        other = seen.setdefault(one.raw.sha256, one.raw.name)
        if other != one.raw.name:
            yield note(
                "N-SAME-FILE",
                f"{other} and {one.raw.name} hold the very same bytes.",
                f"{other} 与 {one.raw.name} 的内容完全相同。",
            )


def wide_notes(picked: Sequence[Picked], wide: Sequence[Mapping[str, pl.DataFrame]]) -> Iterator[Note]:
    """A note per file on answers typed with full-width digits, with their columns and rows.

    Parameters:
        wide: per file, item -> its cells.
    """
    for one, found in zip(picked, wide, strict=True):
        if not found:
            continue
        told = [(one.columns.get(name, name), said(rows[ROW], rows["typed"], TOLD)) for name, rows in found.items()]
        en = "; ".join(f"{column}: {listed}" for column, (listed, _) in told[:TOLD])
        zh = "；".join(f"{column}：{listed}" for column, (_, listed) in told[:TOLD])
        more, more_zh = ("; ...", "……") if len(told) > TOLD else ("", "")
        count = sum(rows.height for rows in found.values())
        answers = counted(count, "answer is", "answers are")
        yield note(
            "N-FULLWIDTH",
            f"{one.raw.name}: {answers} typed with full-width digits, read as numbers ({en}{more}).",
            f"{one.raw.name}：{count} 个回答使用了全角数字，已按数字读取（{zh}{more_zh}）。",
        )


TOLD = 3
"""Columns, and cells of each, that a note names."""


def idle_rules(codebook: Codebook, roles: Sequence[str], rules: Rules) -> Iterator[Note]:
    """Rules that cannot find anything here."""
    if "respondent" not in roles:
        yield note(
            "N-NO-RESPONDENT",
            "No key `respondent`: duplicates were not looked for.",
            "没有关键列 respondent：未检查重复答卷。",
        )
    longest = max(len(list(run)) for _, run in groupby(codebook.items, key=lambda item: item.scale.name))
    if rules.straight_lining != "off" and longest < rules.straight_lining_items:
        yield note(
            "N-STRAIGHT-LINING",
            f"Straight-lining was not looked for: the rule needs {rules.straight_lining_items} items of one scale "
            f"in a row, the codebook has {longest}.",
            f"未检查直线作答：规则要求同一量表连续 {rules.straight_lining_items} 个题项，编码簿中只有 {longest} 个。",
        )
