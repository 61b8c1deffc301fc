"""`csi report STUDY --wave W --lang zh,en`: the page, the notebook, the tables, every number, and the record."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

from csi.cli.answer import FINE, INADMISSIBLE, PROBLEMS, Answer
from csi.cli.progress import working
from csi.cli.studied import STUDY, bootstrap_argument, errors_argument, resampled
from csi.display import text
from csi.errors import Language, Problems, Text, problem
from csi.reporting.formats import FORMATS, USUAL, check_formats, names_of
from csi.reporting.rebuild import rebuild
from csi.reporting.sections import KINDS
from csi.reporting.sections.paper.references import FILE as BIBTEX
from csi.reporting.write import report_in
from csi.study import read_study

TELLING = Text("Writing the report", "正在生成报告")
WHAT = {
    "report.html": Text("the page; open it in a browser", "报告页面，用浏览器打开"),
    "notebook.ipynb": Text("the same sections, executed", "同样的各节，已运行"),
    "tables.xlsx": Text("every table", "全部表格"),
    "report.docx": Text("the report for Word", "Word 版报告"),
    "tables.tex": Text("every table for LaTeX", "全部表格（LaTeX）"),
    "slides.pptx": Text("the findings as slides", "各项结论的幻灯片"),
    "references.bib": Text("the works cited", "引用文献（BibTeX）"),
    "report.pdf": Text("the report on A4", "A4 版报告"),
    "numbers.json": Text("every number in full precision", "全部数值（完整精度）"),
    "record.json": Text("what was read and how it was computed", "数据来源与计算设置"),
    "manifest.json": Text("to verify it all: csi report --from", "供核对之用：csi report --from"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, a wave, a folder and the kind of report."""
    parser.add_argument("study", metavar="STUDY", type=Path, nargs="?", help=STUDY)
    again = "make a report again from its record and verify it: same inputs, same bytes, same numbers"
    parser.add_argument("--from", metavar="RECORD", type=Path, dest="again", help=again)
    parser.add_argument("--wave", help="the report's wave (the latest with answers by default)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("reports"), help="folder of reports (reports/)")
    parser.add_argument("--kind", default="quarterly", choices=list(KINDS), help="the report's reader")
    several = f"comma-separated: {', '.join(FORMATS)} ({','.join(USUAL)} by default)"
    parser.add_argument("--to", metavar="KINDS", type=kinds, default=USUAL, help=several)
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Write the report and say where to look."""
    if args.again is not None:
        return verified(args, lang)
    if args.study is None:
        en, zh = "a report needs its study file.", "生成报告需要研究文件。"
        do = "Write csi report STUDY, or csi report --from RECORD."
        do_zh = "请写 csi report STUDY，或 csi report --from RECORD。"
        raise Problems([problem("E-REBUILD", "STUDY", en, zh, do, do_zh)])
    start = time.perf_counter()
    study = resampled(read_study(args.study), args.bootstrap, args.errors)
    with working(TELLING.say(lang), quiet=args.quiet):
        languages = args.languages or (study.language,)
        folder, told = report_in(study, args.out, args.wave, languages, kind=args.kind, to=args.to)
    works = [BIBTEX] if any(s.key == "references" for s in told.sections) else []
    files = [folder / name for name in (*names_of(args.to, languages), *works)]
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    numbers = json.loads((folder / "numbers.json").read_text(encoding="utf-8"))
    took = time.perf_counter() - start
    done = Text(f"Report written in {took:.1f} s. Look at:", f"报告已生成，用时 {took:.1f} 秒。请看：")
    spoken = args.languages or (lang,)
    wide = max(len(str(path)) for path in files)
    listed = [f"  {str(path).ljust(wide)}  {both(what(path), spoken)}" for path in files]
    return Answer(
        blocks=(*(numbers["headline"]["sentence"][a] for a in spoken), "", both(done, spoken), *listed),
        data={"files": [str(path) for path in files], "headline": numbers["headline"], "seconds": took},
        notes=told.absent,
        code=INADMISSIBLE if told.absent else FINE,
        record=record,
    )


def verified(args: argparse.Namespace, lang: Language) -> Answer:
    """Make a report again from its record, and say whether it is the same."""
    with working(TELLING.say(lang), quiet=args.quiet):
        made = rebuild(args.again, args.study)
    data = {
        "verified": made.verified,
        "largest": None if made.largest == inf else made.largest,
        "where": made.where,
        "files": made.files.to_dicts(),
        "inputs": made.inputs.to_dicts(),
    }
    return Answer(blocks=(text(made, lang),), data=data, code=FINE if made.verified else PROBLEMS)


def both(text: Text, languages: Sequence[Language]) -> str:
    """A text in every language asked for."""
    return " / ".join(text.say(lang) for lang in languages)


def kinds(said: str) -> tuple[str, ...]:
    """What was typed after --to, checked before any work.

    Raises:
        Problems: E-REPORT-TO, E-PACKAGE.
    """
    return check_formats(said)


def what(path: Path) -> Text:
    """What a file holds; those of one language are called by it, such as report.zh.docx."""
    stem, *_ = path.name.split(".")
    return WHAT[stem + path.suffix]
