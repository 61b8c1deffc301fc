"""What is to be said of a batch as a whole: cells left aside, records made anew and why, records taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csi.errors import Note, Text, note
from csi.reporting.batch_records import said_of_runs
from csi.reporting.batch_run import Ran, Run
from csi.survey.panel import Panel
from csi.tracking.gate_lines import evidence_line


def notes_of(run: Run, ran: Ran) -> list[Note]:
    """Everything that is to be said."""
    return [*_aside(run.panel), *_gone(run, ran), *_again(run, ran), *_evidence(ran)]


def _evidence(ran: Ran) -> list[Note]:
    """That a batch tests no comparability, where there is more than one cell to set beside another."""
    if len(ran.names) < 2:
        return []
    said = evidence_line(None, "")
    return [note("N-EVIDENCE", said.en, said.zh)]


def _aside(panel: Panel) -> list[Note]:
    """What to do about cells left aside."""
    if not panel.aside:
        return []
    k, rows = len(panel.aside), sum(one.rows for one in panel.aside)
    do = dict.fromkeys(p.remedy for one in panel.aside for p in one.problems)
    first = next(iter(do))
    who = "1 cell" if k == 1 else f"{k} cells"
    are = "is" if k == 1 else "are"
    en = f"{who} ({rows} rows) cannot be read and {are} left out, of the weights of others too. {first.en}"
    zh = f"{k} 个单元（{rows} 行）无法读取，已排除，也不参与其他单元的权重估计。{first.zh}"
    return [note("W-BATCH-ASIDE", en, zh)]


def _gone(run: Run, ran: Ran) -> list[Note]:
    """Records of an earlier run whose cells are no more."""
    lost = len(set(run.before) - set(ran.names))
    if not lost:
        return []
    many = "1 record" if lost == 1 else f"{lost} records"
    en = f"{many} of an earlier run: the study has no such cell now; taken away."
    return [note("N-BATCH-GONE", en, f"此前运行的 {lost} 条记录所属的单元已不在研究中，已移除。")]


def _again(run: Run, ran: Ran) -> list[Note]:
    """Why records of an earlier run were made anew."""
    pairs = [
        (run.before[n].mark, one.mark)
        for c, (n, one) in enumerate(zip(ran.names, ran.places, strict=True))
        if c not in ran.old and n in run.before and run.before[n].mark != one.mark
    ]
    if not pairs:
        return []
    settings = sum(a[0] != b[0] for a, b in pairs)
    data = sum(a[0] == b[0] and a[1] != b[1] for a, b in pairs)
    weights = len(pairs) - settings - data
    en, zh = [], []
    if settings:
        which = _settings(run, [a[0] for a, b in pairs if a[0] != b[0]])
        en.append(f"{settings} because of settings ({', '.join(which) or 'unknown'})")
        zh.append(f"设置改变（{'、'.join(which) or '未知'}）{settings} 个")
    if data:
        en.append(f"{data} because of their own answers or weights")
        zh.append(f"自身答卷或权重改变 {data} 个")
    if weights:
        en.append(f"{weights} because of the answers that their outer weights come from")
        zh.append(f"外部权重所依据的答卷改变 {weights} 个")
    said = Text(f"Made anew: {'; '.join(en)}.", f"重新计算：{'；'.join(zh)}。")
    return [note("N-BATCH-AGAIN", said.en, said.zh)]


def _settings(run: Run, names: Sequence[str]) -> list[str]:
    """The settings that differ from those of earlier runs."""
    runs = said_of_runs(run.folder)
    found: dict[str, None] = {}
    for name in dict.fromkeys(names):
        was = runs.get(name, {}).get("settings")
        was = was if isinstance(was, Mapping) else {}
        now = run.marks.settings
        found |= dict.fromkeys(k for k in dict.fromkeys([*was, *now]) if was.get(k) != now.get(k))
    return list(found)
