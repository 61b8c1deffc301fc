"""Why an index changed: item means, outer weights, who answered; exact, additive, free of order, with intervals.

Letters: `g` classes, `p` items of the construct, `m` numbers of one decomposition, `u` units, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_kind
from csi.models.model import Model
from csi.tracking.breaks import Break
from csi.tracking.cell_pairs import Pair, pairs_of
from csi.tracking.classes import Classes, classes_of, one_class
from csi.tracking.contrasts import Contrast, construct_place
from csi.tracking.decompose_gated import barred, barred_notes, known_of, plain, with_evidence, without_barred
from csi.tracking.decompose_numbers import Numbers, Setting, changes_of, numbers_of, setting_of, through_links
from csi.tracking.decompose_tables import Row, class_rows, few_in_class, framed, item_rows, part_rows
from csi.tracking.decompose_words import sentence
from csi.tracking.gate_applied import check_gate
from csi.tracking.gate_shown import Comparable, Evidence
from csi.tracking.index import Index, index
from csi.tracking.index_weights import Given, Rule
from csi.tracking.show import shown
from csi.tracking.structural import equations_of, structural_rows

Found = tuple[Pair, Numbers | Reason, Contrast]
"""A change: its cells, its numbers or why there are none, its total."""


@dataclass(frozen=True, slots=True, repr=False)
class Decomposition(Shown):
    """Changes of an index, each by its parts.

    Attributes:
        table: tidy; key columns, reference (the earlier wave), construct, part ("total", "means", "weights",
            "composition"), change (index points; the three add up to the total), std_error, statistic, df, p_value,
            p_holm (over the parts of one change), conf_low, conf_high, held (zero by construction), leads, evidence
            ("comparable", "after freeing": no tests, "not comparable": withheld, "not tested"), reason,
            reason_zh (null unless there are no parts). A change through a link has a total alone, with the reason.
        items: parts "means" and "weights" by item; classes: parts "means" and "composition" by class, with the class's
            share and index in both waves. Rows of one part add up to it.
        drivers: on request, the change through the structural model: part ("total", "driver", "effects", "remainder"),
            driver, index_change, own (its change beyond what its own drivers carry), total_effect, change (their
            product; all add up to the total), std_error, statistic, df, p_value, conf_low, conf_high.
        sentences: one per change: what leads, and whether it is beyond sampling error.
        by: the column of the classes ("" for none). level: of the intervals.

    Example:
        >>> import csi
        >>> answers = {"a": [1, 4, 7, 9, 3, 6, 8, 9], "b": [2, 4, 8, 9, 3, 5, 9, 9], "wave": ["1"] * 4 + ["2"] * 4}
        >>> frame = pl.DataFrame(answers).with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> found = csi.decompose(made, construct="joy")
        >>> found.table.select("part", pl.col("change").round(2)).rows()
        [('total', 11.03), ('means', 11.03), ('weights', 0.0), ('composition', 0.0)]
    """

    table: pl.DataFrame
    items: pl.DataFrame
    classes: pl.DataFrame
    drivers: pl.DataFrame
    sentences: tuple[Text, ...]
    by: str
    level: float
    notes: tuple[Note, ...] = ()


def decompose(
    source: Index | Estimate,
    between: tuple[str, str] | None = None,
    by: str | None = None,
    construct: str = "satisfaction",
    cells: Mapping[str, str] | None = None,
    data: object = None,
    *,
    drivers: bool | Model = False,
    centre: float = 50.0,
    small: int = 0,
    waves: Sequence[str] | None = None,
    weights: Rule | None = None,
    base: str | None = None,
    given: Given | None = None,
    labels: Mapping[str, Text] | None = None,
    breaks: Sequence[Break] = (),
    gate: Comparable | None = None,
    anyway: bool = False,
) -> Decomposition:
    """Split changes of an index into item means, outer weights and composition.

    With classes g of share s_gk among the answers to item k, `I = sum_k a_k sum_g s_gk x_gk`. Each of a, s, x gets the
    mean of what switching it from the earlier to the later wave does, over all orders of switching (Shapley): the three
    add up to the change, whatever the data, and no order is preferred. Intervals come from the index's replicates, else
    from the influence of every respondent on means, shares and weights. Shares that the two waves have in common,
    because they are weighted to the same margin, contribute nothing by construction; so do weights both waves share.

    Parameters:
        source: an index by wave, or an estimate whose index is then made with `weights`, `base` and `given`.
        between: (earlier, later) wave; by default every wave with the one before it, for every brand.
        by: a column with the classes of respondents (segment, region, mode ...). None leaves composition out.
        construct: whose index. cells: only these, such as {"brand": "A"}.
        data: the panel or frame that was fitted, where `by` is not among the keys the estimate was fitted by.
        drivers: also through the structural model (given here where the source is an index): each driver's own change
            times its total effect, changed effects, an explicit remainder; see `csi.tracking.structural`.
        centre: of the 0-100 scale, about which effects turn; how effects and remainder share depends on it.
        small: cells with fewer answers are not decomposed. waves: their order, gaps included. labels: of brands and
            constructs in the sentences.
        weights, base, given: as in `index`. breaks: where the measurement changed; nothing is split across one, but a
            link gives the change itself, in points of the later form.
        gate: what `csi.comparable` found of the same cells; a change that is not comparable is then withheld with its
            reason and all its parts, and one that is so after freeing only has no test, unless `anyway`.

    Returns:
        Decomposition.

    Raises:
        Problems: E-WAVE, E-CONSTRUCT, E-CLASS, E-ROWS (an index made from moments or pooled), E-GATE.

    Source:
        Shapley (1953); Shorrocks (2013), Journal of Economic Inequality 11, 99-126.

    Example:
        >>> import csi
        >>> rows = [("1", "old", 3), ("1", "old", 4), ("1", "new", 8), ("2", "old", 3), ("2", "new", 8)]
        >>> frame = pl.DataFrame(rows, schema=["wave", "who", "a"], orient="row").with_columns(b="a")
        >>> model = csi.Model.parse("use =~ a" + chr(10) + "joy =~ b" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["wave"], scale=(1, 10)))
        >>> found = csi.decompose(made, by="who", data=frame, construct="joy")
        >>> found.table.filter(part="composition")["change"].round(2).to_list()
        [8.8]
    """
    made, told = _source(source, by, weights, base, given)
    place = construct_place(made, construct)
    pairs, new = pairs_of(made, place, between, cells, waves, small, breaks)
    classes = _classes(made, source, by, data)
    check_gate(gate, made)
    known = known_of(gate, made, made.constructs[place], pairs)
    pairs = barred(pairs, known, labels or {}, anyway=anyway)
    setting = setting_of(made, place, classes)
    model = _model(source, drivers)
    moved = through_links(made, place, pairs, changes_of(setting, pairs), breaks, waves)
    found = [(p, numbers_of(setting, p, change), change) for p, change in zip(pairs, moved, strict=True)]
    through, driven = _through(model, setting, pairs, gate, centre, anyway=anyway)
    notes = (*told, *classes.notes, *new, *_notes(setting, found, small), *driven, *barred_notes(known, anyway=anyway))
    return _made(setting, found, (known, through, labels or {}), notes, small, anyway=anyway)


def _made(
    setting: Setting,
    found: Sequence[Found],
    beside: tuple[Sequence[Evidence], Sequence[list[Row]], Mapping[str, Text]],
    notes: tuple[Note, ...],
    small: int,
    *,
    anyway: bool,
) -> Decomposition:
    """Numbers as tables and sentences.

    Parameters:
        beside: the evidence of every change, its rows through the structural model, labels.
    """
    known, through, labels = beside

    def rows(of: Sequence[list[Row]]) -> pl.DataFrame:
        every = zip(of, known, strict=True)
        return framed(setting.index, [row for mine, e in every for row in plain(mine, e, anyway=anyway)])

    return Decomposition(
        table=rows([with_evidence(part_rows(setting, *one), e) for one, e in zip(found, known, strict=True)]),
        items=rows([item_rows(setting, pair, n) for pair, n, _ in found]),
        classes=rows([class_rows(setting, pair, n, small) for pair, n, _ in found]),
        drivers=rows(through),
        sentences=tuple(
            sentence(setting, *one, labels, None if anyway else e) for one, e in zip(found, known, strict=True)
        ),
        by=setting.classes.name,
        level=setting.index.level,
        notes=notes,
    )


def _source(
    source: Index | Estimate, by: str | None, weights: Rule | None, base: str | None, given: Given | None
) -> tuple[Index, tuple[Note, ...]]:
    """The index, made where an estimate was given, without the class among its keys."""
    do = Text("Give what csi.index or csi.fit returns.", "请给出 csi.index 或 csi.fit 的结果。")
    check_kind("source", source, (Index, Estimate), Text("an index or an estimate", "指数或估计结果"), do)
    if isinstance(source, Estimate):
        keys = [k for k in source.moments.cells.columns if k not in {"n", by}]
        source = index(source, by=keys, weights=weights, base=base, given=given)
    found: list[Problem] = []
    if "wave" not in source.cells.columns:
        en, zh = "the index has no cells by wave, and a change needs two of them.", "该指数没有按期分组，无从比较两期。"
        do_en, do_zh = 'Fit with by=("brand", "wave").', "请用 by=(“brand”, “wave”) 拟合。"
        found.append(problem("E-WAVE", "decompose", en, zh, do_en, do_zh))
    if source.sample is None or source.estimated is None:
        en, zh = "the parts of a change need the rows behind the index.", "分解变化需要指数所用的数据行。"
        do_en = "Fit from a panel or a frame, one copy at a time."
        found.append(problem("E-ROWS", "decompose", en, zh, do_en, "请由面板或数据框拟合，插补的各份请逐份分解。"))
    if by is not None and by in source.cells.columns:
        en, zh = f'the index has cells of its own by "{by}".', f"该指数已按“{by}”分组。"
        do_en = f"Make the index without it: csi.index(est, by=[...]), then by={by!r}."
        found.append(problem("E-CLASS", "by", en, zh, do_en, f"请先不按它计算指数，再用 by={by!r} 分解。"))
    if found:
        raise Problems(found)
    return source, source.notes


def _classes(made: Index, source: Index | Estimate, by: str | None, data: object) -> Classes:
    """The class of every row behind the index."""
    if made.sample is None:
        raise ValueError("an index without rows")
    if by is None:
        return one_class(made.sample)
    keyed = isinstance(source, Estimate) and by in source.moments.cells.columns
    if data is None and not keyed:
        en, zh = f'where "{by}" stands is not known.', f"不知道“{by}”列在何处。"
        do = f'Give data=, the panel or frame that was fitted, or fit with by=(..., "{by}") and give the estimate.'
        do_zh = f"请用 data= 给出拟合时所用的面板或数据框，或以 by=(…, “{by}”) 拟合后直接给出估计结果。"
        raise Problems([problem("E-CLASS", "data", en, zh, do, do_zh)])
    return classes_of(made.sample, by, data if data is not None else source)


def _model(source: Index | Estimate, drivers: bool | Model) -> Model | None:
    """The structural model to go through, where it is asked for."""
    if isinstance(drivers, Model) or not drivers:
        return drivers or None
    if isinstance(source, Estimate):
        return source.model
    en, zh = "an index does not know its structural model.", "指数不含结构模型。"
    do, do_zh = "Give drivers=model, or the estimate.", "请给出 drivers=模型，或直接给出估计结果。"
    raise Problems([problem("E-SETTING", "drivers", en, zh, do, do_zh)])


def _through(
    model: Model | None,
    setting: Setting,
    pairs: Sequence[Pair],
    gate: Comparable | None,
    centre: float,
    *,
    anyway: bool,
) -> tuple[list[list[Row]], tuple[Note, ...]]:
    """The rows through the structural model, one list for each pair, and what they rest on."""
    if model is None:
        return [[] for _ in pairs], ()
    equations = equations_of(model, setting)
    pairs, notes = without_barred(gate, setting.index, equations.names[:-1], pairs, anyway=anyway)
    return [structural_rows(setting, equations, p, centre) for p in pairs], (*_driver_notes(centre), *notes)


def _driver_notes(centre: float) -> tuple[Note, ...]:
    """What the structural part rests on."""
    en = (
        f"Drivers: least squares among the published indices, weights held fixed; effects turn about {centre:g} points,"
    )
    en += " and the split between effects and remainder depends on that. Associations, not proof of causes."
    zh = f"驱动因素：对已发布指数作最小二乘，权重视为固定；效应以 {centre:g} 分为中心，效应与余项的划分取决于此。"
    return (note("N-STRUCTURAL", en, f"{zh}为关联而非因果证明。"),)


def _few_notes(setting: Setting, found: Sequence[Found], small: int) -> tuple[Note, ...]:
    """How many changes are not told by class, as one of the classes has few answers."""
    name = setting.classes.name
    told = [p for p, n, _ in found if not isinstance(n, Reason)]
    few = sum(few_in_class(setting, p, small) for p in told) if name else 0
    if not few:
        return ()
    are = "is" if few == 1 else "are"
    en = f"{few} of {len(told)} changes {are} not told by {name}: a class has fewer than {small} answers in a wave."
    zh = f"{len(told)} 个变化中有 {few} 个不按 {name} 列出：某一类别在某期的回答少于 {small} 份。"
    return (note("W-CLASS-SMALL", en, zh),)


def _notes(setting: Setting, found: Sequence[Found], small: int) -> tuple[Note, ...]:
    """How the intervals were made, and what is zero by construction."""
    numbers = [n for _, n, _ in found if not isinstance(n, Reason)]
    notes = [setting.basis]
    if numbers and all("weights" in n.held for n in numbers):
        en = "Both waves share one set of outer weights: the weights' part is zero by construction."
        notes.append(note("N-PART-WEIGHTS", en, "两期采用同一套外部权重：权重部分按构造为零。"))
    if setting.classes.name and any("composition" in n.held for n in numbers):
        name = setting.classes.name
        en = f"The shares of {name} are the same in both waves (weighted to one margin): composition"
        en += " contributes nothing by construction."
        zh = f"{name} 的构成在两期相同（加权至同一边际）：构成部分按构造为零。"
        notes.append(note("N-RAKED", en, zh))
    if not setting.classes.name:
        en = "No classes were named: what changed in who answered is inside the means."
        notes.append(note("N-NO-CLASSES", en, "未指定类别：受访者构成的变化包含在均值部分之中。"))
    return (*notes, *_few_notes(setting, found, small))


@text.register
def _(value: Decomposition, lang: str = "en") -> str:
    """The sentences, the table and the notes."""
    said = shown(Text("Why the index changed", "指数变化的分解").say(lang), value.table, value.notes, lang)
    return "\n".join([*(s.say(lang) for s in value.sentences), "", said])
