"""What a study prints beside its index: rates and the KCSI over the waves and against their targets; events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from csi.behaviour.price_tolerance import price_tolerance
from csi.errors import Note, Text
from csi.study.breaks import behind, breaks_of
from csi.study.settings import Event
from csi.study.study import Study
from csi.survey.bases import COLUMNS as BASES
from csi.survey.bases import Bases
from csi.survey.panel import Panel
from csi.tracking.breaks import break_notes
from csi.tracking.changes import changes
from csi.tracking.gate_items import gate_of_items
from csi.tracking.gate_shown import Comparable
from csi.tracking.index import Index
from csi.tracking.rates import kcsi, rates
from csi.tracking.targets import COLUMNS, aimed, target_note
from csi.tracking.waves import Against

PARTS = ("elements", "overall", "repurchase")
"""The parts of the KCSI, which are not told by themselves."""

CHANGED = ("change", "std_error", "statistic", "p_value", "p_holm", "significant", "evidence", "items", "link")
"""What is taken of the changes of a rate."""


def rated(study: Study, panel: Panel) -> tuple[Index, ...]:
    """The rates of a study, and its KCSI; empty where it asks for none.

    Raises:
        Problems: as `csi.rates`, `csi.kcsi` and `csi.price_tolerance`.
    """
    plan, level = study.settings.rates, study.settings.level
    if plan is None:
        return ()
    out = []
    if plan.kcsi is not None:
        elements, overall, repurchase = plan.kcsi
        out.append(kcsi(panel, elements, overall, repurchase, boxes=plan.boxes, level=level))
    if plan.top_boxes or plan.csat or plan.complaint or plan.nps or plan.tolerance:
        priced = panel
        if plan.tolerance is not None:
            rebuy, higher, lower, likely, most = plan.tolerance
            priced = price_tolerance(panel, rebuy, higher, lower, likely=likely, most=most)
        found = rates(
            priced,
            top_boxes=plan.top_boxes,
            csat=plan.csat,
            complaint=plan.complaint or None,
            nps=plan.nps or None,
            tolerance="price_tolerance" if plan.tolerance else None,
            boxes=plan.boxes,
            level=level,
        )
        told = [n for n in priced.notes if n.code == "N-TOLERANCE-PRICE"]
        out.append(replace(found, notes=(*found.notes, *told)))
    return tuple(out)


def rates_over_waves(
    study: Study,
    found: Sequence[Index],
    waves: Sequence[str],
    panel: Panel | None = None,
    gate: Comparable | None = None,
    *,
    anyway: bool = False,
) -> pl.DataFrame:
    """Every rate of every cell with its changes and its target; cells below the study's base lose their numbers.

    Parameters:
        found: of `rated`. waves: their order; without several there are no changes.
        panel: the answers, where scales that seem to have changed keep changes back. gate: what was found of constructs
            over these waves; a change of a rate of which an item does not measure alike is withheld, unless `anyway`.

    Returns:
        keys, construct, formula, n, n_effective, design_effect, index, std_error, conf_low, conf_high, then
        change_previous ... as in `csi.track` (Holm within each rate and wave; evidence, items and withheld tell whether
        the items measure alike in both waves), target ... attained, flag, reason, reason_zh.
    """
    every = []
    for made in found:
        asked = {item: behind(study, made, name) for name, item in made.weights.select("construct", "item").iter_rows()}
        told = _Told(study, waves, panel, gate_of_items(gate, made, asked), anyway=anyway)
        every += [_one(told, made, name) for name in made.constructs]
    return pl.concat(every, how="diagonal")


def rate_notes(study: Study, found: Sequence[Index], panel: Panel | None = None) -> tuple[Note, ...]:
    """What is said under the rates; with the answers of several waves also which breaks lie between."""
    said = [n for made in found for n in made.notes]
    for made in found if panel is not None else ():
        if "wave" in made.cells.columns and made.cells["wave"].n_unique() > 1:
            said += break_notes(breaks_of(study, made, panel), made.constructs)
    own = {c.casefold() for made in found for c in made.constructs}
    aims = [target_note(study.settings.level)] if any(t.construct in own for t in study.settings.targets) else []
    return tuple(dict.fromkeys((*said, *aims)))


@dataclass(frozen=True, slots=True)
class _Told:
    """How rates are told: in which waves, of whose answers, with what evidence."""

    study: Study
    waves: Sequence[str]
    panel: Panel | None
    gate: Comparable | None
    anyway: bool = False


def _one(told: _Told, made: Index, name: str) -> pl.DataFrame:
    """One rate over cells and waves."""
    settings, waves = told.study.settings, told.waves
    keys = [k for k in made.cells.columns if k != "n"]
    numbers = (
        "n",
        "n_effective",
        "design_effect",
        "index",
        "std_error",
        "conf_low",
        "conf_high",
        "reason",
        "reason_zh",
    )
    table = made.table.filter(pl.col("construct") == name).select(*keys, "construct", "formula", *numbers)
    if "wave" in keys and made.cells["wave"].n_unique() > 1:
        yearly = settings.waves_per_year == 1
        against: tuple[Against, ...] = ("previous",) if yearly else ("previous", "year")
        broken = [b for b in breaks_of(told.study, made, told.panel) if b.wave in waves]
        moved = changes(
            made,
            name,
            against,
            waves=waves,
            per_year=settings.waves_per_year,
            small=settings.small,
            breaks=broken,
            gate=told.gate,
            anyway=told.anyway,
        )
        for kind in against:
            part = moved.table.filter(pl.col("against") == kind)
            why = [pl.col("reason").alias(f"withheld_{kind}"), pl.col("reason_zh").alias(f"withheld_zh_{kind}")]
            part = part.select(*keys, *[pl.col(c).alias(f"{c}_{kind}") for c in CHANGED], *why)
            table = table.join(part, on=keys, how="left", maintain_order="left")
    table = Bases(settings.small, settings.flagged).withheld(table)
    mine = [t for t in settings.targets if t.construct == name]
    if not mine:
        return table
    rest = [c for c in table.columns if c not in BASES]
    return aimed(table, mine).select(*rest, *COLUMNS, *BASES)


AGAINST = ("previous", "year")
"""Which waves changes are from."""


def evidence_sentences(table: pl.DataFrame, names: Mapping[str, Text]) -> tuple[Text, ...]:
    """Of which rates nobody tested whether a change is one of meaning; which changes are withheld as not comparable.

    Parameters:
        table: the rows that are shown, of `rates_over_waves`. names: what rates are called.
    """
    told: dict[str, set[str]] = {"any": set(), "untested": set(), "barred": set()}
    for kind in (k for k in AGAINST if f"change_{k}" in table.columns):
        columns = ("construct", f"change_{kind}", f"evidence_{kind}", f"link_{kind}")
        for name, change, evidence, link in table.select(columns).iter_rows():
            told["any"] |= {name} if change is not None and link is None else set()
            told["untested"] |= {name} if change is not None and link is None and evidence == "not tested" else set()
            told["barred"] |= {name} if change is None and evidence == "not comparable" else set()
    listed = {k: words_of([names.get(c, Text(c, c)) for c in names if c in v]) for k, v in told.items()}
    out = []
    if told["untested"] == told["any"] and told["any"]:
        en = "The changes of these rates are not tested for equal meaning over waves."
        out.append(Text(en, "以上指标的变化未检验各期含义是否相同。"))
    elif told["untested"]:
        some = listed["untested"]
        en = f"Not tested for equal meaning over waves: {some.en}."
        out.append(Text(en, f"未检验各期含义是否相同：{some.zh}。"))
    if told["barred"]:
        some = listed["barred"]
        en = f"Not comparable and withheld, as an item does not measure alike in both waves: changes of {some.en}."
        out.append(Text(en, f"因题项前后测量不等值而不可比、不予给出的变化：{some.zh}。"))
    return tuple(out)


def words_of(listed: Sequence[Text]) -> Text:
    """Names that contain commas and colons, one after the other."""
    return Text("; ".join(t.en for t in listed), "；".join(t.zh for t in listed))


def tested(table: pl.DataFrame, kind: str) -> bool:
    """Whether anything is known of the meaning of rates over waves."""
    column = f"evidence_{kind}"
    return column in table.columns and bool((table[column].drop_nulls() != "not tested").any())


def rate_names(study: Study) -> dict[str, Text]:
    """Names of rates: what they are and of which item."""
    plan, book = study.settings.rates, study.codebook
    out = {
        "kcsi": Text("KCSI", "KCSI"),
        "elements": Text("KCSI: elements", "KCSI：要素"),
        "overall": Text("KCSI: overall", "KCSI：总体"),
        "repurchase": Text("KCSI: repurchase", "KCSI：复购"),
        "complaint_rate": Text("Complaint rate", "抱怨率"),
        "nps": Text("NPS", "净推荐值"),
        "price_tolerance": Text("Price tolerance, percent", "价格容忍度（%）"),
    }
    if plan is None:
        return out
    for prefix, items, what in (
        ("top_box", plan.top_boxes, Text(f"Top {plan.boxes}", f"前 {plan.boxes} 档")),
        ("csat", plan.csat, Text("Satisfied", "满意率")),
    ):
        for item in items:
            said = Text(f"{what.en}: {book.label(item, 'en')}", f"{what.zh}：{book.label(item, 'zh')}")
            out[f"{prefix}_{item}"] = said
    return out


def events_frame(events: Sequence[Event], waves: Sequence[str]) -> pl.DataFrame:
    """What happened in some waves: wave, en, zh."""
    rows = [(e.wave, e.text.en, e.text.zh) for e in events if e.wave in waves]
    return pl.DataFrame(rows, schema=dict.fromkeys(("wave", "en", "zh"), pl.String), orient="row")
