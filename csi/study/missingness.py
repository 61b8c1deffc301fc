"""What is missing in the answers, why, whether by chance, and what each treatment of it makes of the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Language, Note, Problems, Text, did_you_mean, note, problem, whole
from csi.estimate.given import check_kind
from csi.moments.expectation import em_moments
from csi.moments.little import little
from csi.moments.stack import Array
from csi.study.absent_reasons import absent_reasons
from csi.study.fitted import CELLS
from csi.study.panel import read_study_panel
from csi.study.study import Study, given_study
from csi.study.treated import treatment_table
from csi.study.weighing import Weighing, weighing
from csi.survey.disclosure import below, pooled, together
from csi.survey.panel import Panel
from csi.survey.readers.frames import to_polars
from csi.tracking.show import shown

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

SMALL: Final = 30
NOT_ASKED: Final = "not_asked"
TESTED = {
    "n": pl.Int64, "items": pl.Int64, "patterns": pl.Int64, "statistic": pl.Float64, "df": pl.Int64,
    "p_value": pl.Float64, "reason": pl.String, "reason_zh": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Missingness(Shown):
    """Absent answers.

    Attributes:
        items: of each item rows asked, answers, share unanswered, mean and sd of the answers there are and those by
            maximum likelihood (EM) of all rows.
        reasons: brand, wave (those there are), item, reason (skipped, dont_know, refused, not_asked, empty ...), rows
            of the cell, answers absent for it, share; first of all cells together (null keys). Numbers of fewer than
            `small` people are not told, nor those that would tell them (null of all cells, no line of single ones).
        patterns: absent (the items that a row leaves out), items (how many), rows, share; patterns of few rows stand
            together.
        tests: Little's test per cell and of all rows (null keys): n, items, patterns, statistic, df, p_value, reason.
        treatments: of a study the target's index under each treatment (see `csi.study.treated`).
        steps: what the study does about absences, in words.
    """

    items: pl.DataFrame
    reasons: pl.DataFrame
    patterns: pl.DataFrame
    tests: pl.DataFrame
    treatments: pl.DataFrame
    steps: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()


def missingness(
    data: object,
    items: Sequence[str] | str = (),
    *,
    imputations: int = 0,
    small: int | None = None,
) -> Missingness:
    """Patterns and reasons of absent answers, Little's test, and the index under each treatment.

    Parameters:
        data: a study or its path, a `Panel`, or a frame of numbers. items: which ones; of a study those of its model,
            of a panel all, of a frame its numeric columns. imputations: copies for the index of a study by multiple
            imputation (its own number by default; 0: none).
        small: rows below which nothing is told (the study's, else 30; of a frame 1).

    Returns:
        Missingness.

    Raises:
        Problems: what is wrong with the study or the answers; unknown items.

    Source:
        Little (1988), Journal of the American Statistical Association 83:1198-1202; Little & Rubin (2002), Statistical
        Analysis with Missing Data, 1.

    Example:
        >>> frame = pl.DataFrame({"a": [1.0, 2, 3, None], "b": [1.0, 3, 2, 4]})
        >>> missingness(frame).patterns.select("absent", "rows").rows()
        [('', 3), ('a', 1)]
    """
    named = (items,) if isinstance(items, str) and items else tuple(items)
    if found := whole("imputations", imputations):
        raise Problems(found)
    if isinstance(data, Panel):
        return _of_panel(data, _chosen(named, data.codebook.names), SMALL if small is None else small)
    if not isinstance(data, (Study, str, Path)):
        return _of_frame(data, named, 1 if small is None else small)
    study = given_study(data)
    panel = read_study_panel(study)
    names = _chosen(named or study.model.observed, panel.codebook.names)
    level = study.settings.small if small is None else small
    many = imputations or study.settings.imputations
    how = weighing(study, panel)
    return _of_panel(panel, names, level, (study, how, many))


def _of_frame(data: object, named: Sequence[str], small: int) -> Missingness:
    """Of a frame without keys."""
    wanted = Text("a study, the path of its file, a Panel or a frame", "研究、其文件路径、Panel 或数据框")
    do = Text(
        'Give "study.yaml", csi.read_panel(...) or a frame.', '请给出 "study.yaml"、csi.read_panel(...) 或数据框。'
    )
    if data is None or isinstance(data, (int, float, list, tuple)):
        check_kind("data", data, Panel, wanted, do)
    frame = data if isinstance(data, pl.DataFrame) else to_polars(cast("IntoFrame", data), "data")
    numeric = [n for n, kind in frame.schema.items() if kind.is_numeric()]
    names = _chosen(named, numeric)
    rows = _matrix(frame, names)
    tests = pl.DataFrame([_tested(rows, small)], _schema([]), orient="row")
    nothing = pl.DataFrame()
    return Missingness(_items(rows, names, None, small), nothing, _patterns(rows, names, small), tests, nothing)


def _of_panel(
    panel: Panel, names: Sequence[str], small: int, asked: tuple[Study, Weighing, int] | None = None
) -> Missingness:
    """Of a panel; of a study with what it does about absences."""
    keys = [k for k in CELLS if k in panel.frame.columns]
    rows, aligned = _matrix(panel.frame, names), panel.reasons.height == panel.frame.height
    reasons = panel.reasons.select(list(names)) if aligned else None
    may = _may_stand(panel.frame, keys, small)
    skipped = [n for n in names if reasons is not None and (reasons[n] == NOT_ASKED).any()]
    tested = [k for k, n in enumerate(names) if n not in skipped]
    notes = [_left(skipped)] if skipped else []
    told, few = absent_reasons(panel.frame.select(keys), reasons, keys, may, small)
    notes += [_few(few, small)] if few else []
    treatments = pl.DataFrame()
    steps: tuple[Text, ...] = ()
    if asked is not None:
        study, how, many = asked
        treatments = treatment_table(study, panel, how, small, many)
        notes += copies_notes(treatments["missing_information"].drop_nulls().to_list(), many)
        steps = _steps(study, rows)
    return Missingness(
        items=_items(rows[may], names, None if reasons is None else reasons.filter(pl.Series(may)), small),
        reasons=told,
        patterns=_patterns(rows[may], names, small),
        tests=_tests(panel.frame, rows[:, tested], keys, may, small),
        treatments=treatments,
        steps=steps,
        notes=tuple(notes),
    )


def _few(lines: int, small: int) -> Note:
    """How many reasons are not told."""
    en = f"{lines} counts of a reason are not told: fewer than {small} people gave it, or it would tell such a number."
    zh = f"有 {lines} 个缺失原因的计数不予发布：不足 {small} 人，或可据以推算出此类数值。"
    return note("N-MISSING-FEW", en, zh)


def _chosen(named: Sequence[str], have: Sequence[str]) -> tuple[str, ...]:
    """The items asked for, or all.

    Raises:
        Problems: E-ITEMS for one that is not there, or where there is none at all.
    """
    found = []
    for name in named:
        if name not in have:
            hint = did_you_mean(name, have)
            en, zh = f'there is no item "{name}".', f"没有题项“{name}”。"
            found.append(problem("E-ITEMS", "items", en, zh, hint.en, hint.zh))
    if not (named or have):
        en, zh = "there is no column of numbers.", "没有数值列。"
        found.append(problem("E-ITEMS", "items", en, zh, "Give answers as numbers.", "请给出数值型回答。"))
    if found:
        raise Problems(found)
    return tuple(dict.fromkeys(named)) or tuple(have)


def _matrix(frame: pl.DataFrame, names: Sequence[str]) -> Array:
    """(n, p) answers, NaN where absent."""
    rows = np.empty((frame.height, len(names)))
    for k, name in enumerate(names):
        rows[:, k] = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(rows), rows, np.nan)


def _may_stand(frame: pl.DataFrame, keys: Sequence[str], small: int) -> np.ndarray:
    """(n,) rows of cells that may stand in a total beside the cells that are told singly."""
    if not keys:
        return np.full(frame.height, frame.height >= small)
    counts = frame.group_by(keys, maintain_order=True).len("_n")
    told = counts.filter(pl.Series(pooled(counts["_n"].to_numpy().astype(np.int64), small))).with_columns(_told=True)
    joined = frame.select(keys).join(told, on=list(keys), how="left", nulls_equal=True, maintain_order="left")
    return joined["_told"].fill_null(value=False).to_numpy()


def _items(rows: Array, names: Sequence[str], reasons: pl.DataFrame | None, small: int) -> pl.DataFrame:
    """A line per item."""
    n = len(rows)
    mean, sd = np.full(len(names), np.nan), np.full(len(names), np.nan)
    if n > 1 and np.isnan(rows).any():
        answered = rows[np.isfinite(rows).any(axis=1)]
        mu, cov = em_moments(answered, np.ones((1, len(answered))))
        mean, sd = mu[0], np.sqrt(np.maximum(np.diagonal(cov[0]), 0.0) * n / (n - 1))
    lines: list[tuple[object, ...]] = []
    for k, name in enumerate(names):
        x = rows[np.isfinite(rows[:, k]), k]
        asked = n if reasons is None else n - int((reasons[name] == NOT_ASKED).sum())
        if x.size < max(small, 2):
            lines.append((name, asked, x.size, None, None, None, None, None))
            continue
        own = (float(x.mean()), float(x.std(ddof=1)))
        em = (float(mean[k]), float(sd[k])) if np.isfinite(mean[k]) else (None, None)
        em = own if x.size == n else em
        lines.append((name, asked, x.size, 1 - x.size / asked if asked else None, *own, *em))
    schema = {"item": pl.String, "asked": pl.Int64, "n": pl.Int64, "share": pl.Float64, "mean": pl.Float64,
              "sd": pl.Float64, "mean_em": pl.Float64, "sd_em": pl.Float64}  # fmt: skip
    return pl.DataFrame(lines, schema, orient="row")


def _patterns(rows: Array, names: Sequence[str], small: int) -> pl.DataFrame:
    """The patterns of enough rows, most frequent first; the others as one line where they may be told."""
    absent = np.isnan(rows)
    seen, counts = np.unique(absent, axis=0, return_counts=True) if len(rows) else (absent, np.zeros(0, dtype=int))
    order = np.lexsort((seen.sum(axis=1), -counts))
    lines: list[tuple[object, ...]] = []
    rest: list[int] = []
    for j in order.tolist():
        if counts[j] < small:
            rest.append(int(counts[j]))
            continue
        gone = [names[k] for k in np.flatnonzero(seen[j]).tolist()]
        lines.append((", ".join(gone), len(gone), 1, int(counts[j]), counts[j] / len(rows)))
    if rest and together(np.array(rest), small):
        lines.append((None, None, len(rest), sum(rest), sum(rest) / len(rows)))
    schema = {"absent": pl.String, "items": pl.Int64, "patterns": pl.Int64, "rows": pl.Int64, "share": pl.Float64}
    return pl.DataFrame(lines, schema, orient="row")


def _schema(keys: Sequence[str]) -> dict[str, Any]:
    return {**dict.fromkeys(keys, pl.String), **TESTED}


def _tests(frame: pl.DataFrame, rows: Array, keys: Sequence[str], may: np.ndarray, small: int) -> pl.DataFrame:
    """Little's test of all rows that may stand together, then of each cell."""
    lines: list[tuple[object, ...]] = [(*(None,) * len(keys), *_tested(rows[may], small))]
    cells = frame.select(pl.col(k).cast(pl.String) for k in keys)
    known = cells.unique(maintain_order=True).rows() if keys else []
    at = cells.with_row_index("_at").group_by(keys, maintain_order=True).agg("_at")["_at"].to_list() if keys else []
    lines += [(*key, *_tested(rows[place], small)) for key, place in zip(known, at, strict=True)]
    return pl.DataFrame(lines, _schema(keys), orient="row")


def _tested(rows: Array, small: int) -> tuple[object, ...]:
    """The columns of `TESTED`; a reason where there is no test."""
    n = int(np.isfinite(rows).any(axis=1).sum())
    if n < small:
        why = below(n, small)
        return (n, rows.shape[1], None, None, None, None, why.en, why.zh)
    found = little(rows)
    if np.isfinite(found.p_value):
        return (found.n, found.items, found.patterns, found.statistic, found.df, found.p_value, None, None)
    why = Text("the means by maximum likelihood cannot be found", "无法求得极大似然均值")
    if found.patterns <= 1:
        why = Text("all rows leave out the same items", "各行缺失的题项相同")
    return (found.n, found.items, found.patterns, None, None, None, why.en, why.zh)


def copies_notes(missing: Sequence[float], many: int) -> list[Note]:
    """How imputed copies come about, and whether they are enough for what is missing.

    Parameters:
        missing: shares of missing information. many: copies.

    Source: White, Royston & Wood (2011), Statistics in Medicine 30:377-399 (copies: 100 times the share or more).

    Example:
        >>> [one.text.en[-53:] for one in copies_notes([0.02, 0.11], 5)]
        ['100 times that share, 11 copies or more, is the rule.']
    """
    if not missing or many < 2:
        return []
    most, enough = max(missing), max(2, int(np.ceil(100 * max(missing))))
    en = f"{many} copies, each drawn from the maximum likelihood moments (EM) of a bootstrap resample of its own: they "
    en += "are independent, and no chain has to converge. Standard errors hold the variance within and between copies "
    en += f"(Rubin); the largest share of missing information is {100 * most:.1f} %"
    zh = f"共 {many} 份插补，每份取自一次自助重抽样的极大似然矩（EM），彼此独立，不存在链的收敛问题。"
    zh += f"标准误含份内与份间方差（Rubin）；缺失信息比例最高为 {100 * most:.1f}%"
    if many >= enough:
        return [note("N-MISSING-COPIES", f"{en}, for which they are enough.", f"{zh}，份数足够。")]
    en += f": 100 times that share, {enough} copies or more, is the rule."
    return [note("N-MISSING-COPIES", en, f"{zh}：按经验应不少于其 100 倍，即 {enough} 份。")]


def _left(skipped: Sequence[str]) -> Note:
    """Items that were not asked of everyone take no part in the test."""
    some = ", ".join(skipped[:6]) + (", ..." if len(skipped) > 6 else "")
    en = f"Little's test leaves out items that were not asked of everyone: {some}."
    return note("N-MISSING-ASKED", en, f"Little 检验不含并非人人被问到的题项：{some}。")


def _steps(study: Study, rows: Array) -> tuple[Text, ...]:
    """What the study does about absences."""
    n, complete = len(rows), int(np.isfinite(rows).all(axis=1).sum())
    how, many = study.settings.missing, study.settings.imputations
    said = {
        "listwise": Text(
            f"missing: listwise. Rows with an absent answer to an item of the model leave: {n - complete:,} of {n:,}.",
            f"missing: listwise。模型题项有缺失的答卷不参与估计：{n:,} 份中 {n - complete:,} 份。",
        ),
        "pairwise": Text(
            f"missing: pairwise. Each pair of items uses the rows that answer both; {complete:,} of {n:,} rows are "
            "complete.",
            f"missing: pairwise。每对题项使用同时作答的答卷；{n:,} 份中 {complete:,} 份完整。",
        ),
        "mean": Text(
            f"missing: mean. An absent answer is its item's mean; {complete:,} of {n:,} rows are complete.",
            f"missing: mean。缺失以题项均值替代；{n:,} 份中 {complete:,} 份完整。",
        ),
        "em": Text(
            f"missing: em. Means and covariances by maximum likelihood of all {n:,} rows ({complete:,} complete); what "
            "is absent may depend on what is answered.",
            f"missing: em。以全部 {n:,} 份答卷（完整 {complete:,} 份）作极大似然估计；缺失可依赖于已答内容。",
        ),
        "fiml": Text(
            f"missing: fiml. The model is fitted by the likelihood of all {n:,} rows ({complete:,} complete).",
            f"missing: fiml。以全部 {n:,} 份答卷（完整 {complete:,} 份）的似然拟合模型。",
        ),
        "two-stage": Text(
            f"missing: two-stage. EM moments of all {n:,} rows ({complete:,} complete), then the model.",
            f"missing: two-stage。先以全部 {n:,} 份答卷（完整 {complete:,} 份）求 EM 矩，再拟合模型。",
        ),
    }[how]
    if not many:
        return (said,)
    done = Text(
        f"imputations: {many}. Absent answers are drawn {many} times from the normal model within each brand and wave; "
        "the fits are pooled by Rubin's rules.",
        f"imputations: {many}。各品牌各期内由正态模型抽取缺失回答 {many} 次，结果按 Rubin 规则合并。",
    )
    return (said, done)


@text.register
def _(value: Missingness, lang: Language = "en") -> str:
    """The items and the notes."""
    return shown(Text("Absent answers", "缺失回答").say(lang), value.items, value.notes, lang)
