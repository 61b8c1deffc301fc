"""Do groups known to differ differ on a scale: means, standardised differences with intervals, and their direction.

Letters: `n` rows, `g` groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from scipy.special import fdtrc

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, did_you_mean, is_number, problem
from csi.inference.linearised import Design, critical, means, p_of_t
from csi.measures.answered import Answered, answered
from csi.measures.separation.differences import anova, cohen, hedges_interval, small_sample, welch, welch_anova
from csi.measures.separation.scored import Bools, error_of, plain, scored
from csi.measures.shown import told
from csi.moments.stack import Array, Ints, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases

MOST: Final = 25
"""More values of a column are no groups."""

HEADINGS: Final = {
    "construct": Text("construct", "构念"),
    "group": Text("group", "组"),
    "other": Text("other", "对照组"),
    "n": Text("n", "样本量"),
    "mean": Text("mean", "均值"),
    "sd": Text("sd", "标准差"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "difference": Text("difference", "差异"),
    "statistic": Text("t or F", "t 或 F"),
    "df": Text("df", "自由度"),
    "p_value": Text("p", "p 值"),
    "d": Text("d", "d"),
    "g": Text("g", "g"),
    "g_low": Text("g low", "g 下限"),
    "g_high": Text("g high", "g 上限"),
    "as_expected": Text("as expected", "符合预期"),
    "eta2": Text("eta2", "η²"),
    "df_between": Text("df1", "df1"),
    "df_within": Text("df2", "df2"),
}


@dataclass(frozen=True, slots=True, repr=False)
class KnownGroups(Shown):
    """What `known_groups` found.

    Attributes:
        table: construct, group, n, mean, sd, conf_low, conf_high, flag, reason, reason_zh (of few answers).
        pairs: construct, group, other, n (of both), difference (group less other), conf_low, conf_high, statistic,
            df, p_value (Welch's t, or by the design), d (Cohen), g (Hedges) with g_low and g_high, as_expected (whether
            the interval of the difference lies on the expected side of 0; null where nothing was expected).
        tests: construct, statistic, df_between, df_within, p_value (Welch's F, or Wald's by the design), eta2.
        groups: in the order expected, else as they sort. level. sentences, notes.
    """

    table: pl.DataFrame
    pairs: pl.DataFrame
    tests: pl.DataFrame
    groups: tuple[str, ...]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()

    @property
    def reasons(self) -> Mapping[str, Reason]:
        """Why values are withheld: the `reason` columns say it themselves."""
        return {}


@text.register
def _(value: KnownGroups, lang: str = "en") -> str:
    """Means, differences, tests, sentences, notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    shown = value.table.drop("flag", "reason", "reason_zh")
    lines = [Text("Known groups", "已知组比较").say(lang), table(shown, headings=headings)]
    for frame in (value.pairs, value.tests):
        if frame.height:
            lines += ["", table(frame, headings=headings)]
    return "\n".join([*lines, "", *(s.say(lang) for s in value.sentences), *told((), value.notes, lang)])


def known_groups(
    data: object,
    by: str,
    scales: object = None,
    *,
    expected: Sequence[str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> KnownGroups:
    """Differences of scale scores between groups that are known to differ, and whether they differ as expected.

    Scores are means of complete answers. Of a simple random sample: Welch's t and F, Cohen's d with the pooled standard
    deviation, Hedges' g with its interval by the noncentral t. With weights, clusters, strata or margins the errors are
    the design's and the interval of g is normal.

    Parameters:
        data: a Panel or frame. by: the column of groups.
        scales: construct -> items, a model, or a panel's own.
        expected: all groups from the lowest expected mean to the highest; None: nothing is expected.
        level: of intervals. small, flagged: groups of fewer answers are withheld, or marked.
        where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        A `KnownGroups`.

    Raises:
        Problems: unknown columns or groups, fewer than two groups, more than 25.

    Source:
        Cronbach & Meehl (1955), Psychological Bulletin 52; Welch (1947, 1951), Biometrika 34 and 38; Hedges (1981), J.
        of Educational Statistics 6; Steiger & Fouladi (1997) (interval).

    Example:
        >>> frame = pl.DataFrame({"a": [1, 2, 3, 4, 5, 3, 5, 6, 6, 7], "b": [2, 2, 3, 5, 4, 4, 5, 7, 6, 6],
        ...                       "kind": ["new"] * 5 + ["loyal"] * 5})
        >>> found = known_groups(frame, "kind", {"trust": ["a", "b"]}, expected=["new", "loyal"], small=0)
        >>> found.pairs.select(pl.col("difference", "d", "g").round(3), "as_expected").row(0)
        (2.4, 1.801, 1.626, True)
    """
    bases = Bases(small, flagged)
    problems = _asked(by, expected, level)
    if problems:
        raise Problems(problems)
    answers = answered(
        data, scales, na=na, scale=scale, weight=weight, unit=unit, stratum=stratum, where=where, keys=(by,)
    )
    labels = [None if v is None else str(v) for v in answers.keys[by].to_list()]
    groups = _groups(labels, by, expected)
    code = np.array([groups.index(v) if v in groups else -1 for v in labels], dtype=np.int64)
    tables, pairs, tests = [], [], []
    for construct in answers.scales:
        score = scored(answers, construct).score
        seen = np.isfinite(score) & (code >= 0)
        own = _means(score, code, seen, groups, answers.sample, level)
        count = np.bincount(code[seen], minlength=len(groups))
        told_ = [k for k in range(len(groups)) if count[k] >= max(small, 2)]
        tables.append(own.insert_column(0, pl.lit(construct).alias("construct")))
        found = [_pair(score, code, seen, (b, a), answers.sample, level) for a, b in combinations(told_, 2)]
        pairs += [{"construct": construct, **_named(row, groups, expected)} for row in found]
        tests += [{"construct": construct, **row} for row in _test(score, code, seen, told_, found, answers.sample)]
    frame = bases.withheld(pl.concat(tables))
    beside = pl.DataFrame(pairs, schema=PAIRS)
    notes = (*answers.notes, *bases.notes(frame, ["construct"]))
    said = (*bases.sentences(frame), *_sentences(beside, by, answers))
    return KnownGroups(frame, beside, pl.DataFrame(tests, schema=TESTS), groups, level, said, notes)


PAIRS: Final = {
    "construct": pl.String,
    "group": pl.String,
    "other": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(
        ("difference", "conf_low", "conf_high", "statistic", "df", "p_value", "d", "g", "g_low", "g_high"), pl.Float64
    ),
    "as_expected": pl.Boolean,
}
TESTS: Final = {
    "construct": pl.String,
    **dict.fromkeys(("statistic", "df_between", "df_within", "p_value", "eta2"), pl.Float64),
}


def _asked(by: object, expected: object, level: object) -> list[Problem]:
    """What is wrong with the request."""
    found = []
    if not isinstance(by, str):
        en, zh = f"the column of groups is expected, not {by!r}.", f"应为分组列的列名，而不是 {by!r}。"
        found.append(problem("E-KNOWN-GROUPS", "by", en, zh, 'Write by="kind".', '请写 by="kind"。'))
    if expected is not None and (isinstance(expected, str) or not isinstance(expected, list | tuple)):
        en, zh = "all groups from the lowest to the highest are expected.", "应按预期从低到高列出所有组。"
        found.append(
            problem(
                "E-KNOWN-GROUPS",
                "expected",
                en,
                zh,
                'Write expected=["new", "loyal"].',
                '请写 expected=["new", "loyal"]。',
            )
        )
    if not is_number(level) or not 0 < float(str(level)) < 1:
        en, zh = f"a number between 0 and 1 is expected, not {level}.", f"应为 0 与 1 之间的数，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Write level=0.95, say.", "例如 level=0.95。"))
    return found


def _groups(labels: Sequence[str | None], by: str, expected: Sequence[str] | None) -> tuple[str, ...]:
    """The groups, in the order expected.

    Raises:
        Problems: E-KNOWN-GROUPS.
    """
    there = sorted({v for v in labels if v is not None})
    found = []
    if len(there) < 2 or len(there) > MOST:
        en = f"{len(there)} different values are no groups; 2 to {MOST} are."
        zh = f"共有 {len(there)} 个不同取值，无法作为分组（应为 2 至 {MOST} 个）。"
        do, do_zh = "Name a column of a few groups.", "请指定只有少数几组的列。"
        found.append(problem("E-KNOWN-GROUPS", f'column "{by}"', en, zh, do, do_zh))
    for name in expected or ():
        if str(name) not in there:
            hint = did_you_mean(str(name), there)
            found.append(
                problem(
                    "E-KNOWN-GROUPS",
                    "expected",
                    f'no row is of group "{name}".',
                    f"没有属于“{name}”组的行。",
                    hint.en,
                    hint.zh,
                )
            )
    if found:
        raise Problems(found)
    kept = [str(name) for name in expected or there]
    return (*kept, *(name for name in there if name not in kept))


def _means(score: Array, code: Ints, seen: Bools, groups: Sequence[str], sample: Sample, level: float) -> pl.DataFrame:
    """One row per group."""
    rows = []
    for k, name in enumerate(groups):
        at = np.flatnonzero(seen & (code == k))
        found = means(score[at, None], *Design.of(sample, at))
        low, high = found.interval(level)
        n = int(at.size)
        numbers = (found.mean[0], found.sd[0], low[0], high[0]) if n else (np.nan,) * 4
        rows.append((name, n, *(float(v) if np.isfinite(v) else None for v in numbers)))
    columns = {"group": pl.String, "n": pl.Int64, **dict.fromkeys(("mean", "sd", "conf_low", "conf_high"), pl.Float64)}
    return pl.DataFrame(rows, schema=columns, orient="row")


@dataclass(frozen=True, slots=True)
class Pair:
    """One difference: places of both groups, its numbers."""

    first: int
    second: int
    n: int
    difference: float
    error: float
    df: float
    d: float
    g: tuple[float, float, float]
    level: float


def _pair(score: Array, code: Ints, seen: Bools, at: tuple[int, int], sample: Sample, level: float) -> Pair:
    """The difference of two groups, by Welch or by the design."""
    parts = [np.flatnonzero(seen & (code == k)) for k in at]
    found = [means(score[p, None], *Design.of(sample, p)) for p in parts]
    (m1, m2), (s1, s2) = ([float(f.mean[0]) for f in found], [float(f.sd[0]) for f in found])
    n1, n2 = (int(p.size) for p in parts)
    d = cohen(m1 - m2, s1, s2, n1, n2)
    if plain(sample):
        error, df = welch(s1, s2, n1, n2)
        g = (small_sample(n1 + n2 - 2) * d, *hedges_interval(d, n1, n2, level))
    else:
        z = np.zeros(len(score))
        for sign, p, m in ((1.0, parts[0], m1), (-1.0, parts[1], m2)):
            z[p] = sign * (score[p] - m) / sample.weight[p].sum()
        error, df = error_of(z, sample, np.isin(np.arange(len(score)), np.concatenate(parts)))
        scale = (m1 - m2) / d if d else np.nan
        wide = np.sqrt((error / scale) ** 2 + d**2 / (2 * (n1 + n2 - 2))) if d else np.nan
        j = small_sample(n1 + n2 - 2)
        reach = float(critical(level, np.array([df]))[0]) * wide
        g = (j * d, j * (d - reach), j * (d + reach))
    return Pair(at[0], at[1], n1 + n2, m1 - m2, error, df, d, g, level)


def _named(pair: Pair, groups: Sequence[str], expected: Sequence[str] | None) -> dict[str, object]:
    """One row of the pairs."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.array([np.divide(pair.difference, pair.error)])
    reach = float(critical(pair.level, np.array([pair.df]))[0]) * pair.error
    low, high = pair.difference - reach, pair.difference + reach
    known = expected is not None and {groups[pair.first], groups[pair.second]} <= {str(e) for e in expected}
    numbers = (
        pair.difference, low, high, float(t[0]), pair.df, float(p_of_t(t, np.array([pair.df]))[0]), pair.d, *pair.g,
    )  # fmt: skip
    values = (groups[pair.first], groups[pair.second], pair.n, *(v if np.isfinite(v) else None for v in numbers))
    return dict(zip(list(PAIRS)[1:], (*values, bool(low > 0) if known else None), strict=True))


def _test(
    score: Array,
    code: Ints,
    seen: Bools,
    told_: Sequence[int],
    pairs: Sequence[Pair],
    sample: Sample,
) -> list[dict[str, float | None]]:
    """All groups at once; nothing for fewer than two."""
    if len(told_) < 2:
        return []
    at = [np.flatnonzero(seen & (code == k)) for k in told_]
    found = [means(score[p, None], *Design.of(sample, p)) for p in at]
    m, s = (np.array([getattr(f, name)[0] for f in found]) for name in ("mean", "sd"))
    n, w = np.array([float(p.size) for p in at]), np.array([sample.weight[p].sum() for p in at])
    share = anova(m, s, n, w)
    if plain(sample):
        F, between, within = welch_anova(m, s, n)
    else:
        F, between, within = _wald(m, found, pairs, told_)
    p = float(fdtrc(between, within, F)) if np.isfinite(F) and within > 0 else np.nan
    return [
        {k: v if np.isfinite(v) else None for k, v in zip(list(TESTS)[1:], (F, between, within, p, share), strict=True)}
    ]


def _wald(m: Array, found: Sequence[object], pairs: Sequence[Pair], told_: Sequence[int]) -> tuple[float, float, float]:
    """Wald's F of equal means; covariances of means follow from the errors of their differences."""
    variance = np.array([getattr(f, "std_error")[0] ** 2 for f in found])  # noqa: B009 - a Means of linearised
    V = np.diag(variance)
    place = {k: i for i, k in enumerate(told_)}
    for pair in pairs:
        i, j = place[pair.first], place[pair.second]
        V[i, j] = V[j, i] = (variance[i] + variance[j] - pair.error**2) / 2
    k = len(m)
    C = np.eye(k)[1:] - np.eye(k)[0]
    df = min(pair.df for pair in pairs)
    try:
        chi2 = float((C @ m) @ np.linalg.solve(C @ V @ C.T, C @ m))
    except np.linalg.LinAlgError:
        return np.nan, float(k - 1), df
    within = df - (k - 1) + 1
    return chi2 / (k - 1) * max(within, 0.0) / df, float(k - 1), within


def _sentences(pairs: pl.DataFrame, by: str, answers: Answered) -> tuple[Text, ...]:
    """How many expected differences there are; the largest of each construct."""
    found = []
    asked = pairs.drop_nulls("as_expected")
    if asked.height:
        met = asked.filter("as_expected").height
        found.append(
            Text(
                f"{met} of {asked.height} differences between groups of {by} are as expected (interval beyond 0).",
                f"按 {by} 分组的 {asked.height} 个差异中，有 {met} 个符合预期（区间在预期一侧）。",
            )
        )
    for construct in pairs["construct"].unique(maintain_order=True).to_list():
        own = pairs.filter(pl.col("construct") == construct).drop_nulls("g")
        if not own.height:
            continue
        row = own.sort(pl.col("g").abs(), descending=True).row(0, named=True)
        ends = f"{row['g']:.2f} [{row['g_low']:.2f}, {row['g_high']:.2f}]"
        label = answers.label(construct)
        found.append(
            Text(
                f'"{label.en}": {row["group"]} and {row["other"]} differ most, g = {ends}.',
                f"“{label.zh}”：{row['group']} 与 {row['other']} 差异最大，g = {ends}。",
            )
        )
    return tuple(found)
