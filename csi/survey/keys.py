"""The key columns: known waves, brands and stages, positive weights, a name for every respondent, and their order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl

from csi.errors import Note, Problem, Text, did_you_mean, note, problem
from csi.survey.cells import clean, counted, number, said, seconds, separated, shown
from csi.survey.codebook import KEY_ROLES
from csi.survey.columns import FILE, ROW, Picked
from csi.survey.repeats import KINDS, Repeats
from csi.survey.wave_names import named_order, wave_dates

NUMERIC = ("weight", "duration")
MUST = ("respondent", "wave", "brand")
SECTIONS = {"wave": "waves: order", "brand": "brands", "stage": "stages"}
MOST = 6
"""More unknown names than this are told in one sentence."""

NAMED_ZH = {"respondent": "受访者", "wave": "期", "brand": "品牌", "stage": "阶段"}


def relabelled(frame: pl.LazyFrame, role: str, picked: Picked, known: Sequence[str]) -> pl.LazyFrame:
    """Codes of a key column replaced by the file's value labels, unless the study itself speaks in codes."""
    labels = picked.raw.labels.get(picked.columns.get(role, ""), {})
    swaps = {code: text for code, text in labels.items() if code not in known and (not known or text in known)}
    if role in NUMERIC or role == "respondent" or not swaps:
        return frame
    return frame.with_columns(pl.col(role).replace(swaps))


def under_one_name(frame: pl.DataFrame, renamed: Mapping[str, str]) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Rows of renamed brands under the name the study knows, and a note that counts them.

    Example:
        >>> frame, notes = under_one_name(pl.DataFrame({"brand": ["BX", "BXN", "BXN"]}), {"BXN": "BX"})
        >>> frame["brand"].to_list(), notes[0].text.en
        (['BX', 'BX', 'BX'], '2 answers of "BXN" count as those of BX.')
    """
    if "brand" not in frame.columns or not renamed:
        return frame, ()
    notes = []
    for old, new in renamed.items():
        count = int((frame["brand"] == old).sum())
        if count:
            en, zh = f'{count:,} answers of "{old}" count as those of {new}.', f"“{old}”的 {count:,} 份答卷计入 {new}。"
            notes.append(note("N-BRAND-RENAMED", en, zh))
    return frame.with_columns(pl.col("brand").replace(dict(renamed))), tuple(notes)


def present(frame: pl.DataFrame, role: str, order: Sequence[str]) -> tuple[str, ...]:
    """The values of a key that occur: in the study's order, else waves named after dates in time, others naturally."""
    if role not in frame.columns:
        return ()
    values = set(frame[role].drop_nulls().unique().to_list())
    return tuple(name for name in order if name in values) if order else named_order(role, values)


def key_problems(
    frame: pl.DataFrame,
    roles: Sequence[str],
    known: Mapping[str, Sequence[str]],
    groups: Collection[str] = (),
    wave: str = "",
) -> Iterator[Problem]:
    """Blank respondents, waves, brands; unknown ones; waves that are dates in several ways; bad weights and durations.

    Parameters:
        groups: names of further columns that stay text; other columns beside the roles are replicate weights.
        wave: the column that holds the wave.
    """
    for role in roles:
        if role in MUST:
            yield from _blank(frame, role)
        if known.get(role):
            yield from _unknown(frame, role, known[role])
        elif role == "wave":
            yield from wave_dates(frame, wave)
        if role not in KEY_ROLES and role not in groups:
            yield from _replicates(frame, role)
    if "weight" in roles:
        yield from weight_problems(frame)
    if "duration" in roles:
        text = pl.col("duration")
        yield from _durations(frame.filter(text.is_not_null() & seconds(text).is_null()))


def numeric_keys(roles: Sequence[str], groups: Collection[str] = ()) -> Iterator[pl.Expr]:
    """Weights and duration as numbers."""
    if "weight" in roles:
        yield number(clean(pl.col("weight"))).alias("weight")
    if "duration" in roles:
        yield seconds(pl.col("duration")).alias("duration")
    for role in roles:
        if role not in KEY_ROLES and role not in groups:  # replicate weights bear their own names
            yield number(clean(pl.col(role))).alias(role)


def _blank(frame: pl.DataFrame, role: str) -> Iterator[Problem]:
    rows = frame.filter(pl.col(role).is_null())
    for (name,), part in rows.group_by(FILE, maintain_order=True):
        listed, listed_zh = _rows(part)
        yield problem(
            "E-KEY",
            f"{name}",
            f"{role} is blank in {part.height} rows: {listed}.",
            f"{part.height} 行的{NAMED_ZH[role]}为空：{listed_zh}。",
            "Fill in the cells or remove the rows.",
            "请补全单元格或删去这些行。",
        )


def _unknown(frame: pl.DataFrame, role: str, known: Sequence[str]) -> Iterator[Problem]:
    """A problem per unknown name; one for all when they are many (the wrong column is the likely cause)."""
    rows = frame.filter(pl.col(role).is_not_null() & ~pl.col(role).is_in(list(known)))
    for (name,), part in rows.group_by(FILE, maintain_order=True):
        values = part[role].unique(maintain_order=True).to_list()
        if len(values) > MOST:
            yield _many_unknown(str(name), role, values, known)
            continue
        for value in values:
            yield _one_unknown(str(name), role, value, part.filter(pl.col(role) == value), known)


def _one_unknown(file: str, role: str, value: str, part: pl.DataFrame, known: Sequence[str]) -> Problem:
    hint, place = did_you_mean(clean_name(value), known), SECTIONS[role]
    new = Text(
        f"; if a brand got this name, write `was: [{shown(value)}]` beside that brand",
        f"；如果某个品牌改为此名，请在该品牌处写 was: [{shown(value)}]",
    )
    renamed = new if role == "brand" else Text("", "")
    listed, listed_zh = _rows(part)
    return problem(
        f"E-{role.upper()}",
        file,
        f'{role} "{shown(value)}" is not in the study ({part.height} rows: {listed}).',
        f"{NAMED_ZH[role]}“{shown(value)}”不在研究文件中（{part.height} 行：{listed_zh}）。",
        f"{hint.en} Or add it to {place} in the study file{renamed.en}.",
        f"{hint.zh} 或把它加入研究文件的 {place}{renamed.zh}。",
    )


def _many_unknown(file: str, role: str, values: Sequence[str], known: Sequence[str]) -> Problem:
    few = [shown(value) for value in values[:MOST]]
    return problem(
        f"E-{role.upper()}",
        file,
        f"{len(values)} values of {role} are not in the study: {', '.join(few)}, ...",
        f"{NAMED_ZH[role]}有 {len(values)} 个取值不在研究文件中：{'、'.join(few)}……",
        f"Is it the right column? {SECTIONS[role]} in the study file: {', '.join(known[:MOST])}.",
        f"列名是否正确？研究文件的 {SECTIONS[role]}：{'、'.join(known[:MOST])}。",
    )


def clean_name(name: str) -> str:
    """A name with full-width letters and digits narrowed, to find what was meant.

    Example:
        >>> clean_name("２０２４Ｑ１")
        '2024Q1'
    """
    return "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else char for char in name)


def weight_problems(frame: pl.DataFrame) -> Iterator[Problem]:
    """A problem per file with weights that are no positive numbers."""
    value = number(clean(pl.col("weight")))
    rows = frame.filter(value.is_null() | (value <= 0))
    for (name,), part in rows.group_by(FILE, maintain_order=True):
        listed, listed_zh = said(part[ROW], part["weight"])
        why = separated(part["weight"])
        yield problem(
            "E-WEIGHT",
            f"{name}",
            f"{counted(part.height, 'weight is not a positive number', 'weights are not positive numbers')}: {listed}.",
            f"{part.height} 个权重不是正数：{listed_zh}。",
            f"{why.en}Correct them, or leave out the key `weight` to weigh all respondents alike.",
            f"{why.zh}请更正；如各受访者等权，请删去关键列 weight。",
        )


def _replicates(frame: pl.DataFrame, column: str) -> Iterator[Problem]:
    """Replicate weights that are no numbers from 0, or all zero."""
    value = number(clean(pl.col(column)))
    rows = frame.filter(value.is_null() | (value < 0))
    for (name,), part in rows.group_by(FILE, maintain_order=True):
        listed, listed_zh = said(part[ROW], part[column])
        what = counted(part.height, "replicate weight is not a number", "replicate weights are not numbers")
        en = f"{what} from 0: {listed}."
        zh = f"{part.height} 个重复权重不是非负数：{listed_zh}。"
        yield problem("E-WEIGHT", f"{name}, column {column}", en, zh, *_CORRECT)
    if frame.height and rows.is_empty() and not frame.select((value > 0).any()).item():
        names = ", ".join(frame[FILE].unique(maintain_order=True))
        en, zh = "every replicate weight in the column is zero.", "该列的重复权重全为零。"
        yield problem("E-REPWEIGHTS", f"{names}, column {column}", en, zh, *_CORRECT)


_CORRECT = ("Correct them, or name only the columns of replicate weights.", "请更正，或只写重复权重的列。")


def _durations(rows: pl.DataFrame) -> Iterator[Problem]:
    for (name,), part in rows.group_by(FILE, maintain_order=True):
        listed, listed_zh = said(part[ROW], part["duration"])
        yield problem(
            "E-NUMBER",
            f"{name}",
            f"{counted(part.height, 'duration is', 'durations are')} not seconds: {listed}.",
            f"{part.height} 个答题时长不是秒数：{listed_zh}。",
            "Give seconds, or leave out the key `duration`.",
            "请填写秒数，或删去关键列 duration。",
        )


def _rows(part: pl.DataFrame, most: int = 5) -> tuple[str, str]:
    numbers = ", ".join(str(row) for row in part[ROW].head(most)) + (", ..." if part.height > most else "")
    return f"rows {numbers}" if part.height > 1 else f"row {numbers}", f"第 {numbers} 行"


def recurring(frame: pl.DataFrame, apart: Repeats | None = None) -> Iterator[Note]:
    """A note when one respondent name occurs in several waves and nobody said whether that is one person.

    Parameters:
        apart: the design of waves in which such names count as different people.
    """
    if apart is not None:
        kind, why, then = KINDS[apart.kind], apart.evidence, apart.follows
        en = f"The waves are {kind.en}: {why.en}; {then.en}"
        yield note("N-RESPONDENTS-APART", en, f"各期为{kind.zh}：{why.zh}；{then.zh}")
        return
    if not {"respondent", "wave"} <= set(frame.columns):
        return
    waves = frame.group_by("respondent").agg(pl.col("wave").n_unique().alias("waves"))
    share = (waves["waves"] > 1).mean()
    if isinstance(share, float) and share > 0:
        yield note(
            "N-RESPONDENTS",
            f"{share:.0%} of the respondent names occur in more than one wave and are taken as the same people. "
            "If every wave asked new people, say `waves: {respondents: new}`.",
            f"{share:.0%} 的受访者编号出现在不止一期，按同一批人处理。"
            "如果每期是新的受访者，请写 waves: {respondents: new}。",
        )
