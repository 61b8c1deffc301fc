"""Whether brands and waves may be compared, and by how many points items that differ would move a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl

from csi.errors import Note, Text, note
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.tracking.gate_lines import evidence_line
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_words import KEYS, VERDICTS, kind_of, set_sentence, together

Z95 = 1.959964
"""Half a 95 % interval in standard errors."""

NOT_RUN = note(
    "N-NOT-TESTED",
    "Whether waves and brands are comparable (measurement invariance) was not tested.",
    "未检验各期与各品牌之间的可比性（测量不变性）。",
)


def evidence_notes(a: Analysis, where: Mapping[str, str] | None = None, *, changes: bool = True) -> tuple[Note, ...]:
    """What stands under a table or figure of differences of the target: whether they are comparable.

    Parameters:
        where: key values of the cells shown. changes: whether changes from other waves are shown, too.
    """
    if len(a.brands) < 2 and len(a.waves) < 2:
        return ()
    if not a.study.settings.gating.gate:
        return (OFF,)
    said = evidence_line(a.gate, a.target, where, gate_labels(a), changes=changes)
    return (note("N-EVIDENCE", said.en, said.zh),)


OFF = note(
    "N-EVIDENCE",
    "Comparability: not tested (comparability: {gate: no} in the study file).",
    "可比性：未检验（研究文件中 comparability: {gate: no}）。",
)


def gate_labels(a: Analysis) -> dict[str, Text]:
    """What constructs, items, brands, waves and further groups are called."""
    own = a.study.settings.gating.labels
    waves = {w: words.wave_name(w) for w in a.waves}
    return {**a.construct_labels, **_items(a), **a.group_labels, **a.brand_labels, **waves, **own}


def comparability(a: Analysis) -> Section:
    """The verdict, the effect of every set of cells in points, the tests, a sentence per set that is rejected."""
    gate = a.gate
    if gate is None and a.gate_groups:
        gate, others = a.gate_groups[0], a.gate_groups[1:]
    else:
        others = a.gate_groups
    if gate is None:
        title = Text("Comparability was not tested", "未检验可比性")
        return Section(key="comparability", title=title, subtitle=Text("", ""), notes=(NOT_RUN,))
    labels = gate_labels(a)
    title = _title(a, (gate, *others))
    drawn = _drawn(gate, labels)
    names = {r["row"]: Text(r["row"], r["row_zh"]) for r in drawn.iter_rows(named=True)}
    headings = {k: Text(t.en.capitalize(), t.zh) for k, t in KEYS.items()}
    series = {"effect": Text("effect", "影响")}
    draw = partial(figures.forest, drawn, labels={**names, **headings}, series=series, bounded=False)
    told = [set_sentence(one, labels) for part in (gate, *others) for one in part.judged if one.rejected]
    weights = any(one.composed is not None for one in gate.judged)
    return Section(
        key="comparability",
        title=title,
        subtitle=_by_weights(a)
        if weights
        else Text(
            f"{a.label(a.target).en}: the largest effect of unequal items on a difference, index points with 95% "
            "intervals; red where equality is rejected, else that of the item that differs most",
            f"{a.label(a.target).zh}：题项不等值对差异的最大影响（分）与 95% 区间；"
            "红色者为等值被拒绝，其余为差异最大的题项",
        ),
        figures=(figure("comparability", title, draw),) if drawn.height else (),
        tables=(_table(gate, labels), *_groups_table(others, labels)),
        paragraphs=tuple(told),
        notes=tuple(dict.fromkeys((*gate.notes, *(n for part in others for n in part.notes)))),
        data={
            "comparability": pl.concat([gate.sets, *(p.sets for p in others)], how="diagonal"),
            "comparability_pairs": pl.concat([gate.pairs, *(p.pairs for p in others)], how="diagonal"),
        },
    )


def _by_weights(a: Analysis) -> Text:
    """What the figure shows of composites."""
    what = a.label(a.target)
    en = f"{what.en}: the largest effect of pooled instead of own weights on a difference, points with 95% intervals"
    zh = f"{what.zh}：以合并权重代替自身权重对差异的最大影响（分）与 95% 区间"
    return Text(f"{en}; red where equal composition is rejected", f"{zh}；红色者为构成相同被拒绝")


def _items(a: Analysis) -> dict[str, Text]:
    """Items by their labels."""
    book = a.study.codebook
    return {name: Text(book.label(name, "en"), book.label(name, "zh")) for name in book.names}


def _title(a: Analysis, parts: Sequence[Comparable]) -> Text:
    """What may be compared."""
    run = [one for part in parts for one in part.judged if one.tested]
    rejected = [one for one in run if one.rejected]
    what = a.target_name
    more = any(one.cells.between not in {"brand", "wave"} for one in run)
    kinds, kinds_zh = ("brands, waves or groups", "品牌、期次或分组") if more else ("brands or waves", "品牌或期次")
    if not run:
        return Text(f"Whether {what.en} is comparable could not be tested", f"{what.zh}的可比性无法检验")
    if not rejected:
        en = f"No difference of {what.en} between {kinds} is found to come from how the items work"
        return Text(en, f"未见{kinds_zh}间{what.zh}的差异源于题项功能不同")
    barred = sum("not comparable" in one.verdict for one in rejected)
    if barred:
        of = f"{barred} of {len(run)} sets" if len(run) > 1 else "the one set"
        en = f"In {of} of {kinds}, {what.en} is not comparable throughout"
        return Text(en, f"{len(run)} 组{kinds_zh}中有 {barred} 组的{what.zh}存在不可比的差异")
    of = f"{len(rejected)} of {len(run)} sets" if len(run) > 1 else "the one set"
    en = f"In {of} of {kinds} an item differs; the others carry the comparison"
    return Text(en, f"{len(run)} 组{kinds_zh}中有 {len(rejected)} 组存在相异题项，其余题项仍支持比较")


def _named(row: Mapping[str, object], labels: Mapping[str, Text]) -> Text:
    """The cells that a set shares: a wave for its brands, a brand for its waves."""
    shared = [str(row[k]) for k in ("brand", "wave") if row.get(k)]
    return together(shared, labels)


def _drawn(gate: Comparable, labels: Mapping[str, Text]) -> pl.DataFrame:
    """A row per set with an effect: its size without a sign, and its interval."""
    rows = []
    for r in gate.sets.drop_nulls("bias").iter_rows(named=True):
        size, error, name = abs(r["bias"]), r["std_error"], _named(r, labels)
        rejected = r["verdict"] in {"after freeing", "not comparable"}
        ends = {"conf_low": size - Z95 * error, "conf_high": size + Z95 * error}
        row = {"heading": r["between"], "row": name.en or labels_of(r), "row_zh": name.zh or labels_of(r)}
        rows.append({**row, "value_effect": size, **ends, "differs": rejected})
    schema: dict[str, pl.DataType] = dict.fromkeys(("heading", "row", "row_zh"), pl.String())
    schema |= dict.fromkeys(("value_effect", "conf_low", "conf_high"), pl.Float64()) | {"differs": pl.Boolean()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def labels_of(row: Mapping[str, object]) -> str:
    """The name of a set that shares nothing: its construct."""
    return str(row["construct"])


def _groups_table(others: Sequence[Comparable], labels: Mapping[str, Text]) -> tuple[Table, ...]:
    """The further groups: a row per set; which cells they are compared in, the verdict and its effect."""
    if not others:
        return ()
    tables = [_table(one, labels) for one in others]
    frame = pl.concat([t.frame for t in tables], how="diagonal")
    columns = max((t.columns for t in tables), key=len)
    emphasis: Emphasis = {
        (i, "verdict"): "warn" for i, v in enumerate(frame["verdict"]) if v in {"after freeing", "not comparable"}
    }
    texts = {name: said for t in tables for name, said in t.texts.items()}
    title = Text("Further groups, set by set", "其他分组，逐组检验")
    return (Table("comparability_groups", title, frame, columns, emphasis, texts),)


def _table(gate: Comparable, labels: Mapping[str, Text]) -> Table:
    """A row per set: what is compared, the tests, the verdict, the item and its effect."""
    sets = gate.sets
    where = [_named(r, labels) for r in sets.iter_rows(named=True)]
    items = [together([i for i in str(r["items"]).split(", ") if i], labels) for r in sets.iter_rows(named=True)]
    frame = sets.with_columns(where=pl.Series([t.en for t in where]), items=pl.Series([t.en for t in items]))
    by_ladder = any(one.climbed is not None for one in gate.judged)
    by_weights = any(one.composed is not None for one in gate.judged)
    ladder = (
        Column("p_metric", Text("p, loadings", "载荷 p"), "p"),
        Column("p_scalar", Text("p, intercepts", "截距 p"), "p"),
        Column("delta_cfi_scalar", Text("ΔCFI", "ΔCFI"), "index"),
    )
    weights = (
        Column("c", Text("c", "c"), "index"),
        Column("p_composition", Text("p, weights", "构成 p"), "p", gate.least),
    )
    columns = (
        Column("between", Text("Compared", "比较")),
        Column("where", Text("Of", "范围")),
        Column("cells", Text("Cells", "单元数"), "count"),
        *(ladder if by_ladder or not by_weights else ()),
        *(weights if by_weights else ()),
        Column("p_holm", Text("p, Holm", "Holm p"), "p", gate.least, "p_value"),
        Column("verdict", Text("Verdict", "判断")),
        Column("items", Text("Item", "题项")),
        Column("bias", Text("Effect", "影响"), "change"),
        Column("std_error", Text("SE", "标准误"), "number"),
    )
    emphasis: Emphasis = {
        (i, "verdict"): "warn" for i, v in enumerate(sets["verdict"]) if v in {"after freeing", "not comparable"}
    }
    kinds = {k: kind_of(k, labels) for k in (*KEYS, *sets["between"])}
    texts = {t.en: t for t in (*where, *items)} | {k: Text(t.en.capitalize(), t.zh) for k, t in kinds.items()}
    title = Text("Equal loadings and intercepts, set by set", "逐组检验：载荷与截距相等")
    if by_weights:
        title = Text("Equal composition, set by set", "逐组检验：构成相同")
    if by_weights and by_ladder:
        title = Text("Equal measurement, set by set", "逐组检验：测量等值")
    return Table("comparability", title, frame, columns, emphasis, {**texts, **VERDICTS})
