"""First guesses from an export: which column is a key, which is an item, on what scale, of which construct."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from csi.cli.guess_constructs import construct_asked, construct_of
from csi.cli.guess_keys import added, no_answer, roles_of
from csi.cli.guess_kinds import Kind, kind_of
from csi.cli.guess_reverse import candidates, constant
from csi.cli.guess_scales import Seen, answers_of, codes_of, number, prefix, scales_of, seen_in
from csi.cli.guess_words import WordScale, word_scales
from csi.errors import Text
from csi.study.waves import per_year
from csi.survey.cells import shown
from csi.survey.datafile import Raw
from csi.survey.personal import VALUES
from csi.survey.readers.labelled import reason_of

MOST_WAVES = 120
"""A column with more periods than this is a date of interview, not a wave."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What the columns probably are.

    `roles` {role: column}, `items` {column: construct or ""}, `scales` {column: (min, max)}, `codes` {scale: {code:
    reason}} as they occur, `unused` {column: why} for every other column, `wording` {column: the question as asked}
    where the export says it, `kinds` {column: what it is} of the questions that are no items, `against` {column:
    (correlation, answers)} of the items that run against the rest of their block, `labels` {scale: {code: label}},
    `constant`: columns to which everybody gave one answer, `words`: the scales of questions answered in words, `ends`
    {scale: where its ends come from} where the answers alone do not tell.
    """

    roles: Mapping[str, str]
    items: Mapping[str, str]
    scales: Mapping[str, tuple[int, int]]
    codes: Mapping[tuple[int, int], Mapping[str, str]]
    unused: Mapping[str, Text]
    wording: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    against: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    labels: Mapping[tuple[int, int], Mapping[str, str]] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    words: tuple[WordScale, ...] = ()
    ends: Mapping[tuple[int, int], Text] = field(default_factory=dict)

    def spoken(self, column: str) -> WordScale | None:
        """The scale in words of a column, where the order of its words is known."""
        return next((one for one in self.words if one.known and column in one.columns), None)


def guess(frame: pl.DataFrame, constructs: Iterable[str], raw: Raw | None = None) -> Guess:
    """What the columns of an export (all text) probably are.

    Parameters:
        frame: every column as text. constructs: those of the model, in order. raw: what its reader knows beside: the
            wording of questions, value labels, codes that the file itself declares missing.

    Example:
        >>> frame = pl.DataFrame({"id": ["1", "2"], "sat1": ["7", "98"], "q": ["3", "-3"], "sex": ["f", "m"]})
        >>> found = guess(frame, ["satisfaction"])
        >>> found.roles, found.items, found.scales["sat1"], found.codes[1, 5]
        ({'respondent': 'id'}, {'sat1': 'satisfaction', 'q': ''}, (1, 7), {'-3': 'skipped'})
        >>> found.unused["sex"].en
        'not numbers: "f", "m"'
    """
    known = raw or Raw("", "", frame)
    named, platform = list(constructs), known.platform.name if known.platform else ""
    roles = {**periods_in(frame, platform), **roles_of(frame.columns, platform)}
    left = [c for c in frame.columns if c not in roles.values()]
    unused = {c: why for c in left if (why := no_answer(c, platform) or choice_of(c, frame.columns))}
    asked = [c for c in left if c not in unused]
    spoken = word_scales(frame.select(asked), known.wording, known.labels, absent(known, asked))
    frame, sure = coded(frame, spoken), {c: s for s in spoken if s.known for c in s.columns}
    seen = {c: seen_in(frame[c], declared(known, c), labelled(known, c)) for c in asked}
    plain = {c: s for c, s in seen.items() if c not in sure}
    told, ends = scales_of(plain, known.wording, frame)
    scales = {c: sure[c].bounds if c in sure else told[c] for c in asked if c in sure or c in told}
    cells = {c: answered(frame[c], absent(known, [c])) for c in asked if c not in scales}
    kinds = {c: kind_of(c, known.wording.get(c, ""), given) for c, given in cells.items()}
    unused |= {c: why_not(seen[c], quoted=bool(seen[c].numbers) or kind == "segment") for c, kind in kinds.items()}
    unused |= {c: ONE for c, given in cells.items() if given.n_unique() == 1 and kinds[c] == "other"}
    kinds = {c: "other" if any(c in s.columns for s in spoken) else kind for c, kind in kinds.items()}
    items = {
        c: construct_of(c, named) or construct_asked(known.wording.get(c, c), named) or construct_asked(c, named)
        for c in scales
    }
    return Guess(
        roles,
        items,
        scales,
        codes_of(plain, told),
        {c: unused[c] for c in left if c in unused},
        dict(known.wording),
        kinds,
        candidates(frame, blocks_of(items), scales),
        labels_of(known, told),
        constant(frame, scales),
        tuple(spoken),
        ends,
    )


def coded(frame: pl.DataFrame, spoken: Iterable[WordScale]) -> pl.DataFrame:
    """The frame with answers in words as codes, where the order of the words is known."""
    return frame.with_columns(scale.coded(frame[c]) for scale in spoken if scale.known for c in scale.columns)


def absent(raw: Raw, columns: Iterable[str]) -> dict[str, str]:
    """The entries that mean no answer in any of the columns, by the word of the export."""
    return {code: why for c in columns for code, why in raw.missing.get(c, {}).items()}


def answered(cells: pl.Series, none: Mapping[str, str]) -> pl.Series:
    """The answers of a column, without blank cells and the entries that mean no answer."""
    said = cells.drop_nulls().str.strip_chars()
    return said.filter((said != "") & ~said.is_in(list(none)))


ONE = Text("everybody gave one answer", "所有回答相同")
"""Why a column with a single value is no segment."""


def choice_of(column: str, columns: Iterable[str]) -> Text | None:
    """That a column is one choice of a question with several: `ways/shop` beside `ways`."""
    question = column.rpartition("/")[0]
    if not question or question not in set(columns):
        return None
    return Text(f"a choice of {question}", f"“{question}”的一个选项")


def declared(raw: Raw, column: str) -> dict[str, str]:
    """The codes of a column that mean no answer: declared by the file, or said by their labels."""
    said = {code: reason_of(label) for code, label in raw.labels.get(column, {}).items()}
    return {**{c: why for c, why in said.items() if why and c not in SURELY}, **raw.missing.get(column, {})}


SURELY = frozenset(["0", "1", "2", "3", "4", "5"])
"""Codes that are answers though their label speaks of none, unless the file declares them missing."""


def labelled(raw: Raw, column: str) -> frozenset[int]:
    """The codes that bear a label and are answers: whole numbers that nobody need have given."""
    none = declared(raw, column)
    codes = [number(code) for code in raw.labels.get(column, {}) if code not in none]
    return frozenset(round(c) for c in codes if c is not None and c == round(c))


def labels_of(raw: Raw, scales: Mapping[str, tuple[int, int]]) -> dict[tuple[int, int], dict[str, str]]:
    """The value labels of each scale, where all columns that bear some bear the same."""
    found: dict[tuple[int, int], dict[str, str]] = {}
    several: set[tuple[int, int]] = set()
    for column, scale in scales.items():
        none = declared(raw, column)
        pairs = {code: label for code, label in raw.labels.get(column, {}).items() if code not in none}
        if pairs:
            several |= {scale} if found.setdefault(scale, pairs) != pairs else set()
    return {scale: pairs for scale, pairs in found.items() if scale not in several}


def blocks_of(items: Mapping[str, str]) -> dict[str, list[str]]:
    """The items of each construct, and those of none by the beginning of their names."""
    blocks: dict[str, list[str]] = {}
    for column, construct in items.items():
        blocks.setdefault(construct or f"?{prefix(column)}", []).append(column)
    return blocks


def periods_in(frame: pl.DataFrame, platform: str = "") -> dict[str, str]:
    """The wave, when no column is called so but the entries of one name quarters, months or half-years.

    Example:
        >>> periods_in(pl.DataFrame({"date": ["2024Q1", "2024Q2", "2024Q1"], "age": ["31", "45", "28"]}))
        {'wave': 'date'}
    """
    for column in (c for c in frame.columns if not added(c, platform)):
        names = frame[column].drop_nulls().unique(maintain_order=True).head(MOST_WAVES + 1).to_list()
        if 2 <= len(names) <= MOST_WAVES and (per_year(names) or 0) > 1:
            return {"wave": column}
    return {}


def why_not(seen: Seen, *, quoted: bool = True) -> Text:
    """Why a column is no question on a scale; entries are quoted where asked, and never one that may name a person."""
    if seen.odd and not (quoted and all(_harmless(entry) for entry in seen.odd)):
        return Text("not numbers", "不是数字")
    if seen.odd:
        listed = ", ".join(f'"{shown(entry)}"' for entry in seen.odd)
        kind = ("not whole numbers", "不是整数") if all(map(number, seen.odd)) else ("not numbers", "不是数字")
        return Text(f"{kind[0]}: {listed}", f"{kind[1]}：{'、'.join(f'“{shown(entry)}”' for entry in seen.odd)}")
    if not seen.numbers or not answers_of(seen.numbers):
        return Text("no answer at all", "没有任何回答")
    low, high = min(seen.numbers), max(seen.numbers)
    return Text(f"{low} to {high} is no usual scale", f"取值 {low} 到 {high}，不是常见量表")


def _harmless(entry: str) -> bool:
    """Whether an entry is short and no address or number of a person."""
    return len(entry) <= LONGEST and not re.search(VALUES, entry)


LONGEST = 24
"""Longer entries are people's own words."""
