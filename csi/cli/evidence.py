"""The evidence of comparability that verbs print beside differences: `--no-gate`, `--anyway`, one line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from csi.cli.progress import working
from csi.cli.studied import names
from csi.errors import Language, Note, Text
from csi.study import Study
from csi.study.gate import composed, gated
from csi.tracking.contrasts import construct_place
from csi.tracking.gate_lines import evidence_line
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_words import KEYS, VERDICTS
from csi.tracking.index import Index

GATING = Text("Testing comparability", "检验可比性")
SWITCHED_OFF = Text(
    "Comparability: not tested (--no-gate).",
    "可比性：未检验（--no-gate）。",
)
NOT_ASKED = Text(
    "Comparability: not tested (comparability: {gate: no}); ask with gate: yes or csi comparable STUDY.",
    "可比性：未检验（comparability: {gate: no}）；可改为 gate: yes 或运行 csi comparable STUDY。",
)
TOO_MANY = Text(
    "Comparability: not tested unasked over so many cells; ask with csi comparable STUDY.",
    "可比性：单元过多，未自动检验；可运行 csi comparable STUDY。",
)
REFITS = Text(
    "Comparability: not tested here, as MICOM refits every cell; csi track and csi comparable STUDY test it.",
    "可比性：MICOM 需对各单元重新拟合，此处未检验；csi track 与 csi comparable STUDY 会检验。",
)


def gate_arguments(parser: argparse.ArgumentParser, *, anyway: bool = True) -> None:
    """Whether comparability is tested, and what becomes of what fails."""
    parser.add_argument("--no-gate", action="store_true", help="print differences without testing comparability")
    if anyway:
        parser.add_argument("--anyway", action="store_true", help="print differences that are not comparable, too")


def evidence(
    study: Study, found: Index, args: argparse.Namespace, construct: str, lang: Language
) -> tuple[Comparable | None, tuple[Note, ...]]:
    """The gate of one construct, unless the study or the call switches it off."""
    if args.no_gate:
        return None, ()
    with working(GATING.say(lang), quiet=args.quiet):
        return gated(study, found, [construct])


def light_evidence(
    study: Study, found: Index, args: argparse.Namespace, construct: str, lang: Language
) -> tuple[Comparable | None, tuple[Note, ...]]:
    """As `evidence`, where no refits are needed: not by MICOM."""
    if composed(study, found, [construct]):
        return None, ()
    return evidence(study, found, args, construct, lang)


def evidence_blocks(
    study: Study,
    found: Index,
    gate: Comparable | None,
    args: argparse.Namespace,
    construct: str,
    cells: Mapping[str, str],
    lang: Language,
    *,
    changes: bool = True,
    light: bool = False,
) -> tuple[str, ...]:
    """The line under a table; nothing where its index is of one cell.

    Parameters:
        cells: what the table shows. changes: whether it shows changes from other waves, too. light: whether refits are
            left to other verbs.
    """
    if found.cells.height < 2:
        return ()
    if gate is None and args.no_gate:
        return (SWITCHED_OFF.say(lang),)
    if gate is None and not study.settings.gating.gate:
        return (NOT_ASKED.say(lang),)
    if gate is None and light and composed(study, found, [construct]):
        return (REFITS.say(lang),)
    if gate is None and found.cells.height > 100:
        return (TOO_MANY.say(lang),)
    texts = {**names(study, lang), **KEYS, **study.settings.gating.labels}
    return (evidence_line(gate, construct, cells, texts, changes=changes).say(lang),)


YES = {"comparable": Text("yes", "可比"), "not tested": Text("not tested", "未检验")}
"""The evidence in a column headed `comparable`."""


def rank_evidence(verdict: str | None, lang: Language) -> str | None:
    """The least favourable evidence of a brand's differences within the wave."""
    return None if verdict is None else (YES | VERDICTS | PARTLY)[verdict].say(lang)


PARTLY = {
    "after freeing": Text("in part", "部分"),
    "not comparable": Text("not with all", "与部分品牌不可比"),
}
"""The evidence of several differences together."""


def construct_of(found: Index, name: str) -> str:
    """The construct as the index names it.

    Raises:
        Problems: E-CONSTRUCT.
    """
    return found.constructs[construct_place(found, name)]
