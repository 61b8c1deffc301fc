"""`csi report STUDY --wave W --lang zh,en`: the page, the notebook, the tables, every number, and the record."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

from csi.cli.answer import FINE, INADMISSIBLE, PROBLEMS, Answer
from csi.cli.fit_options import given
from csi.cli.progress import working
from csi.cli.studied import STUDY, bootstrap_argument, errors_argument, resampled
from csi.display import text
from csi.errors import Language, Problems, Text, problem
from csi.reporting.formats import BIBTEX, FORMATS, USUAL, check_formats, names_of
from csi.reporting.rebuild import rebuild
from csi.reporting.sections import KINDS
from csi.reporting.write import report_in
from csi.study import read_study

TELLING = Text("Writing the report", "正在生成报告")
WHAT = {
    "report.html": Text("the page; open it in a browser", "报告页面，用浏览器打开"),
    "notebook.ipynb": Text("the same sections, executed", "同样的各节，已运行"),
    "notebook.py": Text("the same cells as a script", "同样的单元格，脚本形式"),
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
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of reports (reports/)")
    parser.add_argument("--kind", choices=list(KINDS), help="the report's reader")
    several = f"comma-separated: {', '.join(FORMATS)} ({','.join(USUAL)} by default)"
    parser.add_argument("--to", metavar="KINDS", type=kinds, help=several)
    bootstrap_argument(parser, "the standard errors")
    errors_argument(parser)


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Write the report and say where to look."""
    if args.again is not None:
        refuse_settings(args)
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
        out, kind, to = args.out or Path("reports"), args.kind or "quarterly", args.to or USUAL
        folder, told = report_in(study, out, args.wave, languages, kind=kind, to=to)
    works = [BIBTEX] if any(s.key == "references" for s in told.sections) else []
    files = [folder / name for name in (*names_of(to, languages), *works)]
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


def refuse_settings(args: argparse.Namespace) -> None:
    """A report is made again as its record says: what says otherwise is refused, all of it at once.

    Raises:
        Problems: E-REBUILD.
    """
    usual = dict.fromkeys(("wave", "out", "kind", "to", "bootstrap", "errors"))
    asked = [*given(args, usual), *(["--lang with two languages"] if len(args.languages) > 1 else [])]
    if asked:
        named = ", ".join(asked)
        zh = "、".join(asked).replace("--lang with two languages", "--lang（两种语言）")
        en = f"the record says what the report was asked for; it is not made again with {named}."
        zh = f"报告按其记录重建，不能另行指定 {zh}。"
        do = "Leave these out to verify it, or write csi report STUDY with them for another report."
        do_zh = "核对时请去掉这些选项；如需另一份报告，请写 csi report STUDY 并带上它们。"
        raise Problems([problem("E-REBUILD", "--from", en, zh, do, do_zh)])


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
