"""`csi groups MODEL DATA --by g`: may groups be compared, and which paths differ; `csi groups STUDY --by brand` too."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from csi.cli.answer import FINE, INADMISSIBLE, Answer
from csi.cli.fit_model import as_written, read_model
from csi.cli.fit_options import codes, listed
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.studied import chosen, names, opened, provenance
from csi.errors import Language, Note, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.measures.group_differences import mga
from csi.measures.groups_shown import Differences, found_lines, labelled
from csi.pls.estimator import PLS
from csi.study.fitted import fitted
from csi.survey.panel import Panel
from csi.survey.plain_file import PlainFile, read_plain

PERMUTING = Text("Permuting", "置换")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or a model text with a data file; the column of the groups; the tests."""
    add = parser.add_argument
    add("study", metavar="STUDY|MODEL", type=Path, help="the study file, or a model in lavaan's language beside DATA")
    add("data", metavar="DATA", nargs="?", type=Path, help="CSV, Parquet, Excel or SPSS file of a MODEL")
    add("--by", metavar="COLUMN", required=True, help="the groups: a column of DATA, or brand, wave ... of a study")
    add("--permutations", type=int, default=1000, metavar="N", help="exchanges of rows between groups (1000)")
    add("--bootstrap", type=int, default=1000, metavar="N", help="resamples of the other tests (1000; 0: none)")
    add("--seed", type=int, default=1, metavar="N", help="of permutations and resamples")
    add("--alpha", type=float, default=0.05, metavar="P", help="level of the tests (0.05)")
    add("--anyway", action="store_true", help="give what rests on constructs that fail MICOM's step 2")
    add("--brand", help="of a study: one brand, when waves are compared")
    add("--wave", help="of a study: one wave (the latest by default, when brands are compared)")
    of_model = parser.add_argument_group("a model text with a data file").add_argument
    of_model("--weighting", default="path", metavar="NAME", help="inner weights: path, factorial or centroid")
    of_model("--consistent", action="store_true", help="PLSc: factors corrected for unreliability")
    of_model("--missing", default="listwise", metavar="HOW", help="listwise, pairwise or mean")
    of_model("--na", action="append", type=codes, metavar="CODES", help="codes that mean no answer, such as 97,98")
    of_model("--weight", metavar="COLUMN", help="sampling weights; they travel with their rows")
    of_model("--unit", "--cluster", metavar="COLUMN", help="respondents or clusters; they change places as a whole")
    of_model("--stratum", metavar="COLUMN", help="strata; rows change places within them")
    of_model("--where", action="append", metavar="COLUMN=VALUE", help="only these rows")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Invariance of the composites first, then what differs."""
    is_study = args.study.suffix.lower() in {".yaml", ".yml"} or args.study.is_dir()
    if is_study and args.data is not None:
        raise UsageError("a study names its own data; DATA goes with a model text")
    if not is_study and args.data is None:
        raise UsageError("the following arguments are required: DATA")
    return _of_study(args, lang) if is_study else _of_model(args, lang)


def _of_study(args: argparse.Namespace, lang: Language) -> Answer:
    """Groups among the answers of a study."""
    study, panel = opened(args.study)
    by = _key(panel, args.by)
    asked = chosen(study, panel, args.brand, args.wave)
    if by != "wave" and "wave" not in asked and panel.waves and panel.waves[-1]:
        asked["wave"] = panel.waves[-1]
    asked.pop(by, None)
    est = fitted(study, panel, (by,), asked or None, errors=False)
    place = " · ".join([study.name, *(v for v in asked.values() if v)])
    texts = {name: text.say(lang) for name, text in names(study, lang).items()}
    return _answer(est, args, lang, (place, texts), panel.notes, provenance(study, panel))


def _key(panel: Panel, by: str) -> str:
    """The key column that makes the groups."""
    keys = [k for k in ("brand", "wave", "segment", "stage") if k in panel.frame.columns]
    if by in panel.frame.columns:
        return by
    hint = did_you_mean(by, keys)
    en, zh = f'the answers have no column "{by}".', f"数据中没有“{by}”这一列。"
    raise Problems([problem("E-BY", "--by", en, zh, hint.en, hint.zh)])


def _of_model(args: argparse.Namespace, lang: Language) -> Answer:
    """Groups among the rows of a file."""
    model = read_model(args.study, lang)
    settings = PLS(weighting=args.weighting, missing=args.missing, consistent=args.consistent)
    where = dict(_pair(one) for one in args.where or ())
    keys = [k for k in (args.by, *where, args.unit, args.stratum) if k]
    numeric = [*model.items, *([args.weight] if args.weight else [])]
    file = read_plain(args.data, numeric, keys, listed(args.na))
    where = {column: as_written(file.frame[column], value) for column, value in where.items()}
    est = fit(
        model, file.frame, settings, args.by,
        where=where or None, weight=args.weight, unit=args.unit, stratum=args.stratum,
    )  # fmt: skip
    return _answer(est, args, lang, (_heading(args, file, est), {}), file.notes, {})


def _pair(text: str) -> tuple[str, str]:
    """Column and value of `--where`."""
    column, sign, value = text.partition("=")
    if not sign:
        en, zh = f'"{text}" names no value.', f"“{text}”没有写明取值。"
        do, do_zh = "Write --where wave=2024.", "请写作 --where wave=2024。"
        raise Problems([problem("E-WHERE", "--where", en, zh, do, do_zh)])
    return column.strip(), value.strip()


def _heading(args: argparse.Namespace, file: PlainFile, est: Estimate) -> str:
    """Model, data, estimator."""
    model = [] if "~" in str(args.study) else [args.study.name]
    return " · ".join([*model, file.name, est.settings.name])


def _answer(
    est: Estimate,
    args: argparse.Namespace,
    lang: Language,
    told: tuple[str, Mapping[str, str]],
    notes: tuple[Note, ...],
    record: Mapping[str, object],
) -> Answer:
    """The printed blocks, names by their labels, and the numbers in full precision.

    Parameters:
        told: the heading, and the labels of names.
    """
    heading, texts = told
    with working(PERMUTING.say(lang), quiet=args.quiet) as tell:
        found = mga(
            est, args.permutations, args.seed,
            bootstraps=args.bootstrap, alpha=args.alpha, anyway=args.anyway, progress=tell,
        )  # fmt: skip
    why = tuple(Note(r.code, r.text) for r in found.reasons.values())
    data = _numbers(found)
    return Answer(
        blocks=(heading, "", "\n".join(found_lines(labelled(found, texts), lang))),
        data=data,
        notes=(*notes, *est.notes, *why, *found.notes),
        code=FINE if bool(est.convergence.converged.all()) else INADMISSIBLE,
        record={**record, **data} if record else {},
    )


def _numbers(found: Differences) -> dict[str, object]:
    """Everything in full precision, for machines; the invariance stands before what rests on it."""
    gate = found.micom
    checks = [{"en": c.what.en, "zh": c.what.zh, "holds": c.holds} for c in gate.configural]
    verdicts = [{"construct": name, "en": t.en, "zh": t.zh} for name, t in gate.sentences.items()]
    return {
        "groups": [{"group": g, "n": n} for g, n in zip(gate.groups, gate.sizes, strict=True)],
        "permutations": found.permutations,
        "resamples": found.replicates,
        "seed": found.seed,
        "alpha": found.alpha,
        "micom": {"configural": checks, "verdicts": verdicts, "constructs": gate.omnibus, "pairs": gate.table},
        "differences": found.table,
        "over_all_groups": found.omnibus,
        "distances": found.distances,
        "sentences": [{"en": t.en, "zh": t.zh} for t in found.sentences],
    }
