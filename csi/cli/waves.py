"""`csi waves STUDY`: cross-sections or a panel, what changed in the questionnaire, who left, what overlap does."""

from __future__ import annotations

import argparse

import polars as pl

from csi.cli.answer import Answer, Grid
from csi.cli.grids import each, grid
from csi.cli.progress import working
from csi.cli.studied import names, provenance, study_argument
from csi.cli.to import check_to, to_argument, write_to
from csi.errors import Language, Text
from csi.reporting.section import Kind
from csi.reporting.usable import completed
from csi.reporting.waves import (
    Waves,
    change_frame,
    design_sentences,
    grouped,
    study_changes,
    study_repeats,
    waves_of,
)
from csi.study import Study, read_study, read_study_panel
from csi.survey.panel import Panel
from csi.survey.wave_changes import COLUMNS, WHAT

COMPARING = Text("Comparing waves", "比较各期")
EVERYBODY = Text("all", "全体")
CHANGES = Text("Changes of the questionnaire", "问卷的变化")
PEOPLE = Text("People in the waves", "各期人员")
LEAVERS = Text("Leavers and stayers", "流失者与留存者")
OVERLAP = Text("Overlap of waves", "各期重叠")
HEADINGS = {
    "before": Text("before", "上期"),
    "item": Text("item", "题项"),
    "what": Text("change", "变化"),
    "was": Text("was", "原为"),
    "now": Text("is", "现为"),
    "declared": Text("declared", "已声明"),
    "evidence": Text("shown by", "依据"),
    "evidence_zh": Text("shown by", "依据"),
    "entered": Text("entered", "新进"),
    "stayed": Text("stayed", "留存"),
    "came_back": Text("came back", "返回"),
    "left": Text("left", "流失"),
    "retention": Text("retention", "留存率"),
    "reason_zh": Text("reason", "原因"),
    "later": Text("next wave", "下期"),
    "n_stayed": Text("n stayed", "留存人数"),
    "n_left": Text("n left", "流失人数"),
    "difference": Text("difference", "差异"),
    "p_holm": Text("p (Holm)", "p 值（Holm）"),
    "reference": Text("against", "对照期"),
    "common": Text("in both", "两期均有"),
    "correlation": Text("correlation", "相关"),
    "std_error_apart": Text("SE if apart", "独立时标准误"),
    "saved": Text("variance saved", "方差节省"),
    "earlier": Text("earlier", "前期"),
    "both": Text("in both", "两期均有"),
    "share": Text("share", "占比"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, and where its tables go."""
    study_argument(parser)
    to_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """The design with its evidence, the changes, what to write, and of a panel attrition and overlap."""
    check_to(args.to)
    study = read_study(args.study)
    study, panel = completed(study, read_study_panel(study))
    with working(COMPARING.say(lang), quiet=args.quiet):
        found = waves_of(study, panel)
    frames = {name: (title, frame) for name, title, frame in _frames(found) if frame.height}
    files = write_to(args.to, found.sentences[0], frames, lang, HEADINGS)
    return Answer(
        blocks=(*(t.say(lang) for t in found.sentences), *_blocks(study, found, lang), *files),
        data={
            "design": {
                "kind": found.repeats.kind,
                "said": found.repeats.said,
                "share": found.repeats.share,
                "agreement": found.repeats.agreement,
                "agreement_low": found.repeats.low,
                "agreement_high": found.repeats.high,
                "pairs": found.repeats.pairs,
                "evidence": found.repeats.evidence,
                "follows": found.repeats.follows,
            },
            "people": found.repeats.table,
            "pairs": found.repeats.overlap,
            "changes": found.changes,
            "proposed": found.proposed,
            **({} if found.attrition is None else {"attrition": found.attrition.table}),
            **({} if found.attrition is None else {"leavers": found.attrition.leavers}),
            **({} if found.overlap is None else {"overlap": found.overlap.table}),
        },
        notes=found.notes,
        record={
            **provenance(study, panel),
            "design": found.repeats.kind,
            "changes": found.changes,
            "proposed": found.proposed,
        },
    )


def wave_blocks(study: Study, panel: Panel, lang: Language) -> tuple[str | Grid, ...]:
    """The design of the waves in a sentence and what changed in the questionnaire, for `csi check`."""
    if len(panel.waves) < 2:
        return ()
    said = ("" if lang == "zh" else " ").join(t.say(lang) for t in design_sentences(study_repeats(study, panel)))
    changes = change_frame([c for c in study_changes(study, panel) if c.what not in COLUMNS])
    return (said, change_grid(changes, lang)) if changes.height else (said,)


def _frames(found: Waves) -> list[tuple[str, Text, pl.DataFrame]]:
    """The tables of a file."""
    people = found.repeats.table if found.attrition is None else found.attrition.table
    frames = [("changes", CHANGES, found.changes), ("people", PEOPLE, people)]
    if found.attrition is not None:
        frames.append(("leavers", LEAVERS, found.attrition.leavers))
    if found.overlap is not None:
        frames.append(("overlap", OVERLAP, found.overlap.table))
    return frames


def _blocks(study: Study, found: Waves, lang: Language) -> tuple[str | Grid, ...]:
    """The tables in a reader's words, and the entry to paste."""
    out: list[str | Grid] = []
    if found.changes.height:
        out.append(change_grid(found.changes, lang))
    elif found.repeats.kind != "single":
        out.append(Text("No change of the questionnaire is seen.", "未发现问卷变化。").say(lang))
    if found.proposed:
        head = Text(
            "If these changed what is measured, write in the study file (and link where you can):",
            "若其改变了测量内容，请写入研究文件（并尽可能给出衔接）：",
        )
        out.append("\n".join([head.say(lang), "waves:", "  breaks:", *(f"    {line}" for line in found.proposed)]))
    if found.attrition is None:
        return tuple(out)
    texts = {**names(study, lang), "": EVERYBODY}
    out.append(people_grid(found.attrition.table, texts, lang))
    if found.attrition.leavers.height:
        out.append(leaver_grid(found.attrition.leavers, texts, lang))
    if found.overlap is not None and found.overlap.table.height:
        out.append(overlap_grid(found.overlap.table, texts, lang))
    return tuple(out)


def change_grid(changes: pl.DataFrame, lang: Language) -> Grid:
    """The changes, columns under another name in one line a wave."""
    why = "evidence_zh" if lang == "zh" else "evidence"
    yes, no = Text("yes", "是").say(lang), Text("no", "否").say(lang)
    kept = ["wave", "before", "what", "item", "was", "now", "declared", why]
    said = pl.when("declared").then(pl.lit(yes)).otherwise(pl.lit(no)).alias("declared")
    frame = grouped(changes, lang).with_columns(said)
    texts = [parted(was, now) for was, now in frame.select("was", "now").iter_rows()]
    cut = [pl.Series(name, [pair[i] for pair in texts], dtype=pl.String) for i, name in enumerate(("was", "now"))]
    return grid(frame.with_columns(cut), each(kept, "text"), lang, CHANGES, WHAT, HEADINGS)


WIDE = 36
"""Characters of a wording that a grid has room for."""


def parted(was: str, now: str) -> tuple[str, str]:
    """Two wordings cut to the room of a grid, from a little before where they part.

    Example:
        >>> parted("Taking everything together, how content are you?", "Taking everything together, how happy are you?")
        ('…ing together, how content are you?', '…ing together, how happy are you?')
    """
    same = next((i for i, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    start = max(same - WIDE // 2, 0) if max(len(was), len(now)) > WIDE and was and now else 0
    return _cut(was, start), _cut(now, start)


def _cut(text: str, start: int) -> str:
    """A piece of a text, with an ellipsis where it was cut."""
    piece = text[start : start + WIDE]
    return ("…" if start else "") + piece + ("…" if start + WIDE < len(text) else "")


def _keyed(frame: pl.DataFrame) -> list[str]:
    """The brand, where there are several."""
    return ["brand"] if "brand" in frame.columns and frame["brand"].n_unique() > 1 else []


def _why(frame: pl.DataFrame, lang: Language) -> dict[str, Kind]:
    """The reasons, where there are any."""
    name = "reason_zh" if lang == "zh" else "reason"
    return {name: "text"} if frame[name].null_count() < frame.height else {}


def people_grid(table: pl.DataFrame, texts: dict[str, Text], lang: Language) -> Grid:
    """Who came, stayed, came back and left."""
    kinds: dict[str, Kind] = {**each([*_keyed(table), "wave"], "text"), "n": "count"}
    kinds |= {**each(["entered", "stayed", "came_back", "left"], "count"), "retention": "share", **_why(table, lang)}
    return grid(table, kinds, lang, PEOPLE, texts, HEADINGS)


def leaver_grid(table: pl.DataFrame, texts: dict[str, Text], lang: Language) -> Grid:
    """The index of leavers beside that of stayers."""
    kinds: dict[str, Kind] = {
        **each([*_keyed(table), "wave", "later"], "text"),
        **each(["n_stayed", "n_left"], "count"),
    }
    kinds |= {**each(["stayed", "left"], "score"), "difference": "change", "std_error": "number", "p_holm": "p"}
    return grid(table, {**kinds, **_why(table, lang)}, lang, LEAVERS, texts, HEADINGS)


def overlap_grid(table: pl.DataFrame, texts: dict[str, Text], lang: Language) -> Grid:
    """What common respondents do to the standard error of a change."""
    kinds: dict[str, Kind] = {**each([*_keyed(table), "wave", "reference"], "text"), "common": "count"}
    kinds |= {"correlation": "coefficient", "std_error": "number", "std_error_apart": "number", "saved": "share"}
    return grid(table, {**kinds, **_why(table, lang)}, lang, OVERLAP, texts, HEADINGS)
