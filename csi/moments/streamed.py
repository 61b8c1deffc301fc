"""Answers whose rows are never all here: what passes over them say, as moments that every engine takes.

A pass reads the items a model needs, in batches, wherever the rows are (Parquet files here, a process pool, a Spark
cluster), and only sums of whole numbers come back. They add up to the same bits however the rows were divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Final, Protocol

import numpy as np
import polars as pl

from csi.errors import Language, Note, Problem, Problems, Text, note, problem
from csi.moments.design import GRID
from csi.moments.doubts import skipped_note
from csi.moments.stack import Missing, Moments
from csi.moments.stream_batch import HEAVIEST, WIDEST, Coding, Tally, total
from csi.moments.sums import CellSums, moments_of_sums
from csi.survey.codebook import Codebook
from csi.survey.panel import Source as Origin
from csi.survey.wave_names import name_problem, named_order

KNOWN: Final = ("brand", "wave")
"""Keys whose values a study may know."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a pass does to every batch; small, and the same wherever the rows are.

    Attributes:
        codings: of the items. keys: that make cells. scale: the weights' power of two; None without weights.
        missing: "listwise" or "pairwise". where: only rows with these key values.
    """

    codings: tuple[Coding, ...]
    keys: tuple[str, ...]
    scale: float | None
    missing: Missing = "listwise"
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*(c.name for c in self.codings), *self.keys, *(() if self.scale is None else ("weight",)))

    def tally(self) -> Tally:
        """Sums that are still empty."""
        return Tally(self.codings, self.keys, 1.0 if self.scale is None else self.scale, self.missing)

    def of(self, batches: Iterable[pl.DataFrame]) -> CellSums:
        """The sums of some batches."""
        tally = self.tally()
        for batch in batches:
            tally.take(batch)
        return tally.sums()


@dataclass(frozen=True, slots=True)
class Weights:
    """What is to be known of weights before their sums: rows, their sum, the largest, how many are no weights."""

    rows: int
    total: float
    largest: float
    bad: int


class Distant(Protocol):
    """Where rows are: files here, a frame of a cluster."""

    @property
    def place(self) -> str:
        """Its name in messages."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The key columns there are."""

    def fractions(self, item: str) -> bool:
        """Whether a column may hold fractions."""

    def weights(self, where: Mapping[str, str]) -> Weights:
        """The weights of the rows with these key values."""

    def sums(self, task: Task) -> CellSums:
        """The sums of one pass."""

    def words(self, codes: Mapping[str, Sequence[str]]) -> list[Problem]:
        """Text in columns of items, other than the codes of no answer."""

    def coded(self, codes: Mapping[str, Sequence[float]], where: Mapping[str, str]) -> dict[str, int]:
        """How many answers to each item are one of its codes."""

    def repeated(self, keys: Sequence[str]) -> list[Problem]:
        """Who answers twice under these keys."""

    def outside(self, task: Task) -> list[Problem]:
        """Which answers lie outside their scale, with their rows."""

    def blank(self, key: str) -> list[Problem]:
        """Which rows have a blank key."""

    def heavy(self, where: Mapping[str, str]) -> list[Problem]:
        """Which rows have no positive weight."""

    def origins(self) -> tuple[Origin, ...]:
        """What was read, for the record."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Answers with their codebook, of which every fit reads what it needs in one pass; no row is kept.

    `csi.fit` and `csi.index` take it as they take a panel, from moments alone: absent answers listwise over the model's
    items, or pairwise; standard errors of an index from the covariances of each cell (simple random sampling with
    unequal weights), with the outer weights held fixed. What needs rows (resampling, robust errors, quality rules,
    scores) says so.

    Attributes:
        rows: where they are. codebook: what was asked. stop: whether an answer outside its scale stops a pass (else it
            is no answer). words: whether text among numbers does. waves, brands: those the study knows, in its order.
            renamed: other names of brands. lang: of the messages. looked: filled by the first pass, which looks for
            respondents who answer twice in a wave (and brand).
    """

    rows: Distant
    codebook: Codebook
    stop: bool = True
    words: bool = True
    waves: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    lang: Language = "en"
    looked: set[str] = field(default_factory=set, compare=False, repr=False)

    @property
    def refusal(self) -> Problem:
        """Why it cannot stand in for a panel."""
        en, zh = "the answers are streamed: no row of them is here.", "数据以流式读取，此处没有原始数据行。"
        do = "csi.fit and csi.index take them; for this, read the file whole (without stream), or some of its cells."
        do_zh = "csi.fit 与 csi.index 可用；此分析请整体读取文件（不写 stream），或只读取部分单元。"
        return problem("E-ROWS", self.rows.place, en, zh, do, do_zh)

    def moments(
        self,
        items: Sequence[str],
        by: Sequence[str] = (),
        where: Mapping[str, str] | None = None,
        missing: Missing = "listwise",
    ) -> Moments:
        """Moments of every cell, the same as of a panel of these rows.

        Parameters:
            items: p items. by: key columns that make cells. where: only rows with these key values.
            missing: "listwise" over these items, or "pairwise".

        Raises:
            Problems: unknown items or keys, answers outside their scale, bad weights, unknown brands or waves, no row
                left; a damaged file.
        """
        where = dict(where or {})
        self._check(items, by, where, missing)
        task = Task(self._codings(items), tuple(by), self._scale(where), missing, where)
        _check_range(task, self.rows.place)
        if self.words and (found := self.rows.words({i: tuple(self.codebook[i].scale.missing) for i in items})):
            raise Problems(found, self.lang)
        self._check_repeated()
        made = self._moments(self.rows.sums(task), task)
        return replace(made, notes=(*made.notes, *self._skipped(items, where, missing, int(made.n.sum()))))

    def _check_repeated(self) -> None:
        """Raise where a respondent answers twice, as a panel does; looked for once."""
        keys = [role for role in ("respondent", "brand", "wave") if role in self.rows.roles]
        if "respondent" in keys and "repeated" not in self.looked:
            if found := self.rows.repeated(keys):
                raise Problems(found, self.lang)
            self.looked.add("repeated")

    def _skipped(self, items: Sequence[str], where: Mapping[str, str], missing: Missing, n: int) -> list[Note]:
        """A note on questions that were not asked, by their codes."""
        codes = {i: [*_not_asked(self.codebook[i].scale.missing)] for i in items}
        codes = {i: found for i, found in codes.items() if found}
        counts = [(i, many) for i, many in self.rows.coded(codes, where).items() if many] if codes else []
        return skipped_note(counts, None, missing) if n else []

    def _moments(self, sums: CellSums, task: Task) -> Moments:
        """The sums of a pass, checked, as moments of cells in the study's order."""
        if self.stop and sums.outside.any():
            raise Problems(self.rows.outside(task), self.lang)
        sums = self._named(sums)
        blank = [k for k, key in enumerate(sums.keys) if key in KNOWN and any(not cell[k] for cell in sums.cells)]
        found = [p for k in blank for p in self.rows.blank(sums.keys[k])]
        found += [p for k, key in enumerate(sums.keys) for p in self._unknown(key, {c[k] for c in sums.cells if c[k]})]
        found += self._dates(sums)
        if not found and not (sums.counted > 0).any():
            found = [_nothing(int(sums.rows.sum()), self.rows.place)]
        if found:
            raise Problems(found, self.lang)
        sums = self._ordered(sums)
        low, high = self.codebook.bounds(sums.names)
        made = moments_of_sums(sums, (np.array(low), np.array(high)))
        return replace(made, notes=(*_told(sums), *_design(self.rows.roles)))

    def _check(self, items: Sequence[str], by: Sequence[str], where: Mapping[str, str], missing: Missing) -> None:
        found = []
        have = self.codebook.names
        for name in items:
            if name not in have:
                en, zh = f'there is no item "{name}".', f"没有题项“{name}”。"
                do, do_zh = f"Items: {', '.join(have[:8])} ...", f"题项：{'、'.join(have[:8])}……"
                found.append(problem("E-ROLE", f'column "{name}"', en, zh, do, do_zh))
        for key in dict.fromkeys([*by, *where]):
            if key not in self.rows.roles:
                en, zh = f'there is no key "{key}".', f"没有键“{key}”。"
                do, do_zh = (
                    f"Keys: {', '.join(self.rows.roles) or 'none'}.",
                    f"键：{'、'.join(self.rows.roles) or '无'}。",
                )
                found.append(problem("E-BY", "by", en, zh, do, do_zh))
        if missing not in {"listwise", "pairwise"}:
            en = f'"{missing}" needs rows, and no row of streamed answers is here.'
            zh = f"“{missing}”需要原始数据行，而流式数据没有。"
            found.append(
                problem("E-ROWS", "missing", en, zh, 'Use "listwise" or "pairwise".', "请用 listwise 或 pairwise。")
            )
        if found:
            raise Problems(found, self.lang)

    def _codings(self, items: Sequence[str]) -> tuple[Coding, ...]:
        """How the items are read."""
        made = []
        for name in items:
            item = self.codebook[name]
            codes = tuple(c for code in item.scale.missing if (c := _number(code)) is not None)
            made.append(
                Coding(
                    name,
                    item.scale.minimum,
                    item.scale.maximum,
                    codes,
                    reverse=item.reverse,
                    stop=self.stop,
                    fine=self.rows.fractions(name),
                )
            )
        return tuple(made)

    def _scale(self, where: Mapping[str, str]) -> float | None:
        """The power of two nearest to the mean weight, as a panel's weights are divided by; None without weights."""
        if "weight" not in self.rows.roles:
            return None
        found = self.rows.weights(where)
        if found.bad:
            raise Problems(self.rows.heavy(where), self.lang)
        if not found.rows:
            raise Problems([_nothing(0, self.rows.place)], self.lang)
        scale = float(2.0 ** np.round(np.log2(found.total / found.rows)))
        if found.largest / scale * GRID >= HEAVIEST:
            en = f"the largest weight, {found.largest:g}, is over a million times the mean."
            zh = f"最大的权重 {found.largest:g} 超过均值的一百万倍。"
            raise Problems(
                [problem("E-WEIGHT", self.rows.place, en, zh, "Trim the weights.", "请截尾权重。")], self.lang
            )
        return scale

    def _named(self, sums: CellSums) -> CellSums:
        """Cells of renamed brands under the name the study knows."""
        if not self.renamed or "brand" not in sums.keys:
            return sums
        k = sums.keys.index("brand")
        cells = tuple((*c[:k], self.renamed.get(c[k], c[k]), *c[k + 1 :]) for c in sums.cells)
        return replace(sums, cells=cells).added([])

    def _unknown(self, key: str, values: set[str]) -> Iterator[Problem]:
        """Brands and waves that the study does not know."""
        known = {"wave": self.waves, "brand": self.brands}.get(key, ())
        new = sorted(values - set(known)) if known else []
        if new:
            few, zh_few = ", ".join(f'"{v}"' for v in new[:6]), "、".join(f"“{v}”" for v in new[:6])
            word, word_zh = ("brand", "品牌") if key == "brand" else ("wave", "期")
            section = "brands" if key == "brand" else "waves: order"
            en, zh = f"{word} {few} is not in the study.", f"{word_zh}{zh_few}不在研究文件中。"
            do, do_zh = (
                f"Add it to {section} in the study file, or name the right column.",
                f"请加入研究文件的 {section}，或改正列名。",
            )
            yield problem(f"E-{key.upper()}", self.rows.place, en, zh, do, do_zh)

    def _dates(self, sums: CellSums) -> Iterator[Problem]:
        """Waves that are dates in several ways, where no order is stated."""
        if not self.waves and "wave" in sums.keys:
            k, rows = sums.keys.index("wave"), dict[str, int]()
            for cell, n in zip(sums.cells, sums.rows.tolist(), strict=True):
                rows[cell[k]] = rows.get(cell[k], 0) + n
            yield from name_problem({wave: (n, Text("", "")) for wave, n in rows.items() if wave}, self.rows.place)

    def _ordered(self, sums: CellSums) -> CellSums:
        """Cells in the order of a panel: the study's, else of dates in time or of names, and by text for other keys."""
        orders = {"wave": self.waves, "brand": self.brands}
        ranks = []
        for k, key in enumerate(sums.keys):
            values = {c[k] for c in sums.cells}
            known = list(orders.get(key, ()) or (named_order(key, values) if key in orders else sorted(values)))
            ranks.append({v: known.index(v) if v in known else len(known) for v in values})
        order = sorted(range(len(sums.cells)), key=lambda c: [r[v] for r, v in zip(ranks, sums.cells[c], strict=True)])
        return replace(sums, cells=tuple(sums.cells[c] for c in order), limbs=sums.limbs[order])


def _check_range(task: Task, place: str) -> None:
    """Answers and weights that sums of whole numbers can hold."""
    found = []
    for one in task.codings:
        if not np.isfinite([one.low, one.high]).all() or one.most >= WIDEST:
            most = f"{WIDEST / one.unit:,.0f}"
            en = f"the scale {one.low:g}-{one.high:g} is too wide for exact sums (at most {most} from its middle)."
            zh = f"量表 {one.low:g}–{one.high:g} 过宽，无法精确求和（距中点至多 {most}）。"
            do, do_zh = (
                "Correct the scale in the codebook, or read the file whole.",
                "请更正编码簿中的量表，或整体读取文件。",
            )
            found.append(problem("E-STREAM", f"{place}, item {one.name}", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _not_asked(missing: Mapping[str, str]) -> Iterator[float]:
    """The codes of a scale that say that a question was not asked."""
    for code, reason in missing.items():
        if reason == "not_asked" and (found := _number(code)) is not None:
            yield found


def repeated_problem(place: str, keys: Sequence[str], many: int, listed: tuple[str, str]) -> Problem:
    """That respondents answer twice.

    Parameters:
        keys: under which. many: how many do. listed: the first few, in English and Chinese.
    """
    within, within_zh = (" in a wave", "同一期内") if "wave" in keys else ("", "")
    more, more_zh = ("; ...", "……") if many > 5 else (".", "。")
    who = "1 respondent answers" if many == 1 else f"{many} respondents answer"
    en = f"{who} more than once{within} ({' / '.join(keys)}): {listed[0]}{more}"
    zh = f"{within_zh}有 {many} 位受访者重复出现（{' / '.join(keys)}）：{listed[1]}{more_zh}"
    do = "Remove the repeated rows, or read the file whole with rules: duplicates: first (or last). "
    do += "If several brands were rated, name the key `brand`."
    do_zh = "请删去重复的行，或整体读取文件并设置 rules 中的 duplicates: first（或 last）。"
    do_zh += "如果同一人评价了多个品牌，请写出关键列 brand。"
    return problem("E-DUPLICATE", place, en, zh, do, do_zh)


def _number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None


def _nothing(rows: int, place: str) -> Problem:
    en, zh = f"no row is left to analyse ({rows} were read).", f"没有可供分析的行（共读取 {rows} 行）。"
    do, do_zh = "Check the missing codes and the cells asked for.", "请检查缺失值编码与所选单元。"
    return problem("E-EMPTY", place, en, zh, do, do_zh)


def _told(sums: CellSums) -> Iterator[Note]:
    """What is said of a pass: its rows, those that left, cells without any, answers between whole numbers."""
    rows, counted = int(sums.rows.sum()), int(sums.counted.sum())
    en = (
        f"{rows:,} rows were read in one pass and none is kept; standard errors come from moments: the covariances of a"
    )
    en += " cell over its effective number of answers (Kish), with the outer weights held fixed, neither linearised nor"
    en += " resampled."
    zh = f"共 {rows:,} 行，一次流式读取，不保留原始数据；标准误由矩得出：各单元的协方差除以 Kish 有效样本量，"
    yield note("N-STREAM", en, f"{zh}外部权重视为固定，既非线性化也非重抽样。")
    if rows > counted and sums.missing == "listwise":
        has = "has an absent answer and is" if rows - counted == 1 else "have an absent answer and are"
        en = f"{rows - counted} of {rows} rows {has} left out (listwise)."
        yield note("N-LISTWISE", en, f"{rows} 行中有 {rows - counted} 行含缺失，已按行删除。")
    for cell, n, of in zip(sums.cells, sums.counted.tolist(), sums.rows.tolist(), strict=True):
        if not n:
            named = " ".join(cell)
            en, zh = f"{named}: none of its {of} rows is complete", f"{named}：{of} 行中没有完整的行"
            yield note("W-CELL-EMPTY", f"{en}, so this cell has no result.", f"{zh}，该单元没有结果。")
    if (off := float(sums.rounded.max(initial=0.0))) > 0:
        en = f"answers between whole numbers are rounded to 1/1024, by at most {off:.2g}."
        yield note("N-STREAM-GRID", en, f"非整数回答按 1/1024 取整，误差至多 {off:.2g}。")


def _design(roles: Sequence[str]) -> Iterator[Note]:
    """That clusters and strata are in no moments."""
    have = [role for role in ("cluster", "stratum") if role in roles]
    if have:
        en = f"moments know no {' and no '.join(have)}: standard errors are those of independent answers"
        zh = "矩不含抽样设计（整群、分层）：标准误按独立样本计算"
        en += ", too small where answers of a cluster are alike." if "cluster" in have else "."
        zh += "，群内相似时偏小。" if "cluster" in have else "。"
        yield note("W-STREAM-DESIGN", en, zh)


def threaded(task: Task, batches: Iterable[pl.DataFrame], threads: int) -> CellSums:
    """The sums of batches, several at a time; few batches are held at once."""
    free: SimpleQueue[Tally] = SimpleQueue()
    tallies = [task.tally() for _ in range(threads)]
    for one in tallies:
        free.put(one)

    def take(batch: pl.DataFrame) -> None:
        tally = free.get()
        try:
            tally.take(batch)
        finally:
            free.put(tally)

    with ThreadPoolExecutor(threads) as pool:
        waiting: set[Future[None]] = set()
        for batch in batches:
            waiting.add(pool.submit(take, batch))
            if len(waiting) > threads:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for one_done in done:
                    one_done.result()
        for last in waiting:
            last.result()
    return total([one.sums() for one in tallies])
