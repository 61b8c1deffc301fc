"""Who answered in which waves: cross-sections, panels and rotating panels told apart by the respondents' names.

Letters: `n` respondents, `w` waves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.errors import Text

Kind = Literal["single", "unnamed", "cross-sections", "restarted", "untold", "overlapping", "rotating", "panel"]

KINDS: Final = {
    "single": Text("one wave", "单期"),
    "unnamed": Text("waves without names of respondents", "无受访者编号的多期"),
    "cross-sections": Text("repeated cross-sections", "重复横截面"),
    "restarted": Text("repeated cross-sections whose numbers start again", "编号逐期重新开始的重复横截面"),
    "untold": Text(
        "waves under the same numbers, and whether these are the same people cannot be told",
        "编号逐期相同的多期，无法判断是否为同一批人",
    ),
    "overlapping": Text("repeated cross-sections with an overlap", "部分重叠的重复横截面"),
    "rotating": Text("a rotating panel", "轮换追踪样本"),
    "panel": Text("a panel", "追踪样本"),
}

HALF: Final = 0.5
"""From this share of the smaller of two neighbouring waves that answered in both, the same people are followed."""

ONE_STAY: Final = 0.8
"""From this share of people of known entry and exit who stayed equally long, their stay was planned."""

FEWEST: Final = 30
"""Fewer common names say nothing about whether they are the same people."""

DENSE: Final = 0.5
"""Names that are numbers, of which a wave uses this share of its range or more, may have been counted anew."""

NEAR: Final = 0.1
"""Numbers of two waves begin alike where their lowest are no further apart than this share of a wave's people."""

STRANGERS: Final = 0.1
"""Answers of one person on two occasions correlate more than this; 95 % limits below it are those of strangers."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the names of respondents say about the design of the waves.

    Attributes:
        kind: see `KINDS`. said: what the study file says ("same", "new" or nothing).
        table: wave, n (people), entered (never seen before), stayed (of the wave before), came_back (seen before, not
            in the wave before), left (of the wave before, not in this one), retention (stayed / people of the wave
            before).
        overlap: earlier, later, both (people in both), share (of the smaller wave's people).
        share: of all names, those in more than one wave. agreement: correlation of the mean answers of one name on
            two occasions, None where too few; pairs: how many; low, high: its 95 % limits.
        evidence: what told the kind. follows: what it means for a test of change.
    """

    kind: Kind
    said: str
    table: pl.DataFrame
    overlap: pl.DataFrame
    share: float
    evidence: Text
    follows: Text
    agreement: float | None = None
    pairs: int = 0
    low: float | None = None
    high: float | None = None


def repeats_of(frame: pl.DataFrame, items: Sequence[str], waves: Sequence[str], said: str = "") -> Repeats:
    """The design of the waves from who answered in which of them.

    Parameters:
        frame: answers with `respondent`, `wave`, perhaps `brand`, and the items; names that bear their wave before a
            slash, as a `Panel` of new people has them, are read without it. waves: oldest first. said: "same" or "new"
            where the study says so.

    Example:
        >>> rows = {"respondent": ["a", "b", "a", "c"], "wave": ["1", "1", "2", "2"], "q": [1.0, 2.0, 1.0, 2.0]}
        >>> found = repeats_of(pl.DataFrame(rows), ["q"], ["1", "2"])
        >>> found.kind, found.table["stayed"].to_list()
        ('panel', [None, 1])
    """
    if len(waves) < 2:
        return _plain("single", said, waves)
    if "respondent" not in frame.columns:
        return _plain("unnamed", said, waves)
    whole = frame.drop_nulls("respondent")
    whole = _plain_names(whole)
    people = [set(whole.filter(pl.col("wave") == w)["respondent"].to_list()) for w in waves]
    table, overlap = _table(people, waves), _overlap(people, waves)
    seen = Counter(chain.from_iterable(people))
    share = sum(1 for times in seen.values() if times > 1) / len(seen) if seen else 0.0
    r, pairs, low, high = _agreement(whole, items, waves)
    numbered = _numbered(whole)
    kind = _kind(people, overlap, waves, share, (low, high), said, numbered=numbered)
    evidence = _evidence(kind, people, overlap, share, (r, pairs, low, high))
    return Repeats(kind, said, table, overlap, share, evidence, _follows(kind, said, low), r, pairs, low, high)


def _plain_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Names without their wave before a slash, where all have it."""
    before = pl.concat_str("wave", pl.lit("/"))
    if not frame.height or not frame.select(pl.col("respondent").str.starts_with(before).all()).item():
        return frame
    return frame.with_columns(pl.col("respondent").str.strip_prefix(before).alias("respondent"))


def _numbered(frame: pl.DataFrame) -> bool:
    """Whether names are running numbers that begin alike in every wave, so that each may have been counted anew."""
    parts = frame.select("wave", pl.col("respondent").str.extract_groups(r"^(?<before>\D*)(?<number>\d{1,18})$"))
    found = parts.unnest("respondent").with_columns(pl.col("number").cast(pl.Int64, strict=False))
    if not found.height or found["number"].null_count() or found["before"].n_unique() > 1:
        return False
    number = pl.col("number")
    dense = (number.n_unique() / (number.max() - number.min() + 1)).alias("dense")
    waves = found.group_by("wave").agg(dense, number.min().alias("first"), number.n_unique().alias("n"))
    again = pl.col("first") - pl.col("first").min() <= NEAR * pl.col("n")
    return bool(waves.select(((pl.col("dense") >= DENSE) & again).all()).item())


def counted_apart(frame: pl.DataFrame, items: Sequence[str], waves: Sequence[str]) -> Repeats | None:
    """The design of waves whose recurring names count as different people where the study does not say who they are:
    numbers that start again, or of which that cannot be told; None of other waves.

    Parameters:
        frame: answers with `respondent`, `wave`, perhaps `brand`, and the items. waves: oldest first.
    """
    if len(waves) < 2 or not _recur(frame):
        return None
    found = repeats_of(frame, items, waves)
    return found if found.kind in {"restarted", "untold"} else None


def _recur(frame: pl.DataFrame) -> bool:
    """Whether any name stands in several waves."""
    names = _plain_names(frame.select("wave", "respondent").drop_nulls("respondent")).unique()["respondent"]
    return names.n_unique() < names.len()


def _plain(kind: Literal["single", "unnamed"], said: str, waves: Sequence[str]) -> Repeats:
    """Where names say nothing."""
    why = {
        "single": Text("there is a single wave", "只有一期"),
        "unnamed": Text("the answers have no key respondent", "答卷没有关键列 respondent"),
    }[kind]
    rows = [(w, *[None] * (len(TABLE) - 1)) for w in waves] if kind == "unnamed" else []
    table = pl.DataFrame(rows, TABLE, orient="row")
    return Repeats(kind, said, table, pl.DataFrame(schema=OVERLAP), 0.0, why, _follows(kind, said))


TABLE: Final = {
    "wave": pl.String(), "n": pl.Int64(), "entered": pl.Int64(), "stayed": pl.Int64(), "came_back": pl.Int64(),
    "left": pl.Int64(), "retention": pl.Float64(),
}  # fmt: skip
OVERLAP: Final = {"earlier": pl.String(), "later": pl.String(), "both": pl.Int64(), "share": pl.Float64()}


def _table(people: Sequence[set[str]], waves: Sequence[str]) -> pl.DataFrame:
    """Who came, stayed, came back and left, wave by wave."""
    rows: list[tuple[str, int, int, int | None, int | None, int | None, float | None]] = []
    seen: set[str] = set()
    for t, (wave, now) in enumerate(zip(waves, people, strict=True)):
        before = people[t - 1] if t else set()
        stay, known = len(now & before), bool(t)
        back = len((now & seen) - before)
        left = len(before - now)
        kept = stay / len(before) if before else None
        entered = len(now - seen)
        rows.append((wave, len(now), entered, *((stay, back, left) if known else (None, None, None)), kept))
        seen |= now
    return pl.DataFrame(rows, TABLE, orient="row")


def _overlap(people: Sequence[set[str]], waves: Sequence[str]) -> pl.DataFrame:
    """Common people of every two waves."""
    rows = [
        (waves[i], waves[j], len(people[i] & people[j]), _part(len(people[i] & people[j]), people[i], people[j]))
        for i in range(len(waves))
        for j in range(i + 1, len(waves))
    ]
    return pl.DataFrame(rows, OVERLAP, orient="row")


def _part(both: int, one: set[str], other: set[str]) -> float:
    least = min(len(one), len(other))
    return both / least if least else 0.0


def _agreement(
    frame: pl.DataFrame, items: Sequence[str], waves: Sequence[str]
) -> tuple[float | None, int, float | None, float | None]:
    """Correlation of a name's mean answers in neighbouring waves, within wave and brand, with Fisher's 95 % limits."""
    keys = [k for k in ("wave", "brand") if k in frame.columns]
    who = [k for k in ("respondent", "brand") if k in frame.columns]
    have = [i for i in items if i in frame.columns]
    if not have:
        return None, 0, None, None
    std = [
        ((pl.col(i) - pl.col(i).mean().over(keys)) / pl.col(i).std().over(keys)).fill_nan(None).alias(i) for i in have
    ]
    score = frame.select(*dict.fromkeys([*keys, *who]), *std).with_columns(pl.mean_horizontal(have).alias("_score"))
    score = (
        score.filter(pl.col("_score").is_finite())
        .group_by([*dict.fromkeys([*who, "wave"])])
        .agg(pl.col("_score").mean())
    )
    x, y = [], []
    for before, wave in pairwise(waves):
        then = score.filter(pl.col("wave") == before)
        both = then.join(score.filter(pl.col("wave") == wave), on=who, how="inner", suffix=" now").sort(who)
        x += both["_score"].to_list()
        y += both["_score now"].to_list()
    n = len(x)
    if n < FEWEST:
        return None, n, None, None
    r = float(np.corrcoef(x, y)[0, 1])
    if not math.isfinite(r):
        return None, n, None, None
    z, half = math.atanh(max(min(r, 1 - 1e-12), -1 + 1e-12)), 1.959963984540054 / math.sqrt(n - 3)
    return r, n, math.tanh(z - half), math.tanh(z + half)


def _kind(
    people: Sequence[set[str]],
    overlap: pl.DataFrame,
    waves: Sequence[str],
    share: float,
    limits: tuple[float | None, float | None],
    said: str,
    *,
    numbered: bool,
) -> Kind:
    """The kind of design that the names show."""
    if share == 0.0:
        return "cross-sections"
    if said == "new":
        return "cross-sections"
    low, high = limits
    if high is not None and high < STRANGERS:
        return "restarted"
    if said != "same" and numbered and (low is None or low <= 0):
        return "untold"
    near = overlap.filter(pl.struct("earlier", "later").is_in([{"earlier": a, "later": b} for a, b in pairwise(waves)]))
    shares = near["share"].to_numpy()
    if len(waves) > 2 and _planned(people):
        return "rotating"
    return "panel" if float(np.median(shares)) >= HALF else "overlapping"


def _stays(people: Sequence[set[str]]) -> npt.NDArray[np.int64]:
    """How many waves in a row those answered whose entry and exit are both seen."""
    w, out = len(people), []
    for name in sorted(set().union(*people)):
        at = [t for t in range(w) if name in people[t]]
        if at[0] > 0 and at[-1] < w - 1:
            out.append(at[-1] - at[0] + 1)
    return np.array(out, dtype=np.int64)


def _planned(people: Sequence[set[str]]) -> bool:
    """People enter in every wave, and nearly all whose entry and exit are seen stayed equally long, 2 waves or more."""
    stays = _stays(people)
    if stays.size < FEWEST:
        return _thirds(people)
    count = np.bincount(stays)
    return bool(count.argmax() > 1 and count.max() >= ONE_STAY * stays.size)


def _thirds(people: Sequence[set[str]]) -> bool:
    """Of few waves: a quarter or more of neighbours is common, of others hardly any, and every wave has new people."""
    fresh = [len(now - before) for before, now in pairwise(people)]
    near = [len(a & b) for a, b in pairwise(people)]
    far = [len(people[i] & people[j]) for i in range(len(people)) for j in range(i + 2, len(people))]
    share = min(_part(len(a & b), a, b) for a, b in pairwise(people))
    return share >= HALF / 2 and min(fresh) > 0 and max(far) <= (1 - ONE_STAY) * min(near)


def _evidence(
    kind: Kind,
    people: Sequence[set[str]],
    overlap: pl.DataFrame,
    share: float,
    agreement: tuple[float | None, int, float | None, float | None],
) -> Text:
    """What told the kind."""
    r, pairs, low, high = agreement
    every = len(set().union(*people))
    en = f"{share:.0%} of {every:,} names of respondents occur in more than one wave"
    zh = f"{every:,} 个受访者编号中有 {share:.0%} 出现在不止一期"
    if share == 0.0:
        return Text(
            f"none of {every:,} names of respondents occurs in two waves", f"{every:,} 个受访者编号均只出现一期"
        )
    least, most = float(overlap["share"].min() or 0), float(overlap["share"].max() or 0)  # type: ignore[arg-type]  # a column of numbers
    en += f", of two waves' people {least:.0%} to {most:.0%}"
    zh += f"，任两期之间为 {least:.0%} 至 {most:.0%}"
    if kind == "rotating":
        stays = _stays(people)
        if stays.size >= FEWEST:
            k, n = int(np.bincount(stays).argmax()), stays.size
            en += f"; {np.mean(stays == k):.0%} of the {n:,} whose first and last wave are both seen stayed {k} waves"
            zh += f"；首末两期均可见的 {n:,} 人中 {np.mean(stays == k):.0%} 停留 {k} 期"
    if (r is None or low is None or high is None) and kind == "untold":
        en += f"; {pairs:,} pairs of answers under one number are too few to compare"
        return Text(en, f"{zh}；同一编号的回答仅 {pairs:,} 对，不足以比较")
    if r is None or low is None or high is None:
        return Text(en, zh)
    en += (
        f"; mean answers of one name in neighbouring waves correlate {r:.2f} ({low:.2f} to {high:.2f}, {pairs:,} pairs)"
    )
    zh += f"；同一编号在相邻两期的平均回答相关 {r:.2f}（{low:.2f} 至 {high:.2f}，{pairs:,} 对）"
    if high < STRANGERS:
        en, zh = f"{en}, no more than those of strangers", f"{zh}，与陌生人无异"
    if kind == "untold":
        en, zh = f"{en}, which strangers' may and the same people's may", f"{zh}，陌生人与同一批人均有可能"
    return Text(en, zh)


def _follows(kind: Kind, said: str, low: float | None = None) -> Text:
    """What the kind means for a test of change."""
    if said == "new" and low is not None and low > STRANGERS:
        return Text(
            "the study says that every wave asked new people (respondents: new), yet answers under one name agree: if"
            " they are the same people, write waves: {respondents: same}, and changes are tested with their"
            " covariance.",
            "研究文件注明每期为新受访者（respondents: new），但同一编号的回答彼此一致：若为同一批人，请写"
            " waves: {respondents: same}，变化的检验即计入其协方差。",
        )
    if kind == "restarted" and said == "same":
        return Text(
            "the study says that they are the same people (respondents: same) and one number counts as one person; if"
            " numbers start again, write waves: {respondents: new}: the covariance of two waves is noise.",
            "研究文件注明为同一批人（respondents: same），同一编号按同一人处理；若编号逐期重新开始，请写"
            " waves: {respondents: new}：两期间的协方差只是噪声。",
        )
    return _FOLLOWS[kind]


_FOLLOWS: Final[dict[str, Text]] = {
    "single": Text("nothing has changed yet.", "尚无变化可言。"),
    "unnamed": Text(
        "a change has the variances of both waves added, as of different people; name the key respondent to be sure.",
        "变化的方差为两期方差之和（视为不同的人）；如需确认，请写明关键列 respondent。",
    ),
    "cross-sections": Text(
        "a change has the variances of both waves added; it is of the population, and no person's change can be told.",
        "变化的方差为两期方差之和；所述为总体的变化，不能说明个人的变化。",
    ),
    "restarted": Text(
        "one number in two waves counts as two people, so that a change has the variances of both waves added and no"
        " covariance; write waves: {respondents: new} to say so, or {respondents: same} if they are the same people.",
        "同一编号在两期按两人计，变化的方差为两期方差之和，不含协方差；请写 waves: {respondents: new} 予以确认，"
        "若为同一批人则写 {respondents: same}。",
    ),
    "untold": Text(
        "until the study says so, one number in two waves counts as two people: a change has the variances of both"
        " waves added, no covariance of an overlap is used and no person's change can be told. Write waves:"
        " {respondents: same} if they are the same people, {respondents: new} if every wave asked new ones.",
        "在研究文件注明之前，同一编号在两期按两人计：变化的方差为两期方差之和，不使用重叠样本的协方差，也不能说明个人的"
        "变化。若为同一批人，请写 waves: {respondents: same}；若每期为新受访者，请写 {respondents: new}。",
    ),
    "overlapping": Text(
        "a change has twice the covariance of those who answered both taken off its variance; too few came back for"
        " models of a person's change (csi.change).",
        "变化的方差已减去两期共同受访者协方差的两倍；回访者过少，不宜做个人变化模型（csi.change）。",
    ),
    "rotating": Text(
        "a change against the wave before has the covariance of those who stayed; against waves further back few or"
        " none are common, and its standard error is that of independent samples.",
        "与上期相比的变化含留存者的协方差；与更早各期几乎没有共同受访者，标准误同独立样本。",
    ),
    "panel": Text(
        "a change has twice the covariance of those who answered both taken off its variance; changes of persons"
        " (csi.change) can be told; those who left are told apart under attrition.",
        "变化的方差已减去两期共同受访者协方差的两倍；可分析个人的变化（csi.change）；流失者另见流失表。",
    ),
}
