"""`csi groups MODEL DATA --by g`: may groups be compared, and which paths differ; `csi groups STUDY --by brand` too."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from csi.cli.answer import FINE, INADMISSIBLE, Answer
from csi.cli.progress import working
from csi.cli.shell import UsageError
from csi.cli.source import Source, source_arguments, source_of
from csi.cli.studied import resamples
from csi.errors import Language, Note, Text
from csi.estimate.estimate import Estimate
from csi.measures.group_differences import mga
from csi.measures.groups_shown import Differences, found_lines, labelled

PERMUTING = Text("Permuting", "置换")


def arguments(parser: argparse.ArgumentParser) -> None:
    """A study, or a model text with a data file; the column of the groups; the tests."""
    how = "the groups: a column of DATA, or brand, wave, stage, segment of a study"
    source_arguments(parser, by=how)
    add = parser.add_argument
    add("--permutations", type=int, metavar="N", help="exchanges of rows between groups (1000, or what the pairs need)")
    add("--bootstrap", type=resamples, default=1000, metavar="N", help="resamples of the other tests (1000; 0: none)")
    add("--alpha", type=float, default=0.05, metavar="P", help="level of the tests (0.05)")
    add("--anyway", action="store_true", help="give what rests on constructs that fail MICOM's step 2")
    add("--weighting", default="path", metavar="NAME", help="of a model text: path, factorial or centroid")
    add("--consistent", action="store_true", help="of a model text: PLSc, factors corrected for unreliability")


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Invariance of the composites first, then what differs."""
    if not args.by:
        raise UsageError("the following arguments are required: --by")
    source = source_of(args, lang)
    est = source.fit()
    texts = {name: text.say(lang) for name, text in source.texts.items()}
    return _answer(est, args, lang, (source, texts))


def _answer(
    est: Estimate,
    args: argparse.Namespace,
    lang: Language,
    told: tuple[Source, Mapping[str, str]],
) -> Answer:
    """The printed blocks, names by their labels, and the numbers in full precision.

    Parameters:
        told: where the estimate comes from, and the labels of names.
    """
    source, texts = told
    with working(PERMUTING.say(lang), quiet=args.quiet) as tell:
        found = mga(
            est, args.permutations, source.seed,
            bootstraps=args.bootstrap, alpha=args.alpha, anyway=args.anyway, progress=tell,
        )  # fmt: skip
    why = tuple(Note(r.code, r.text) for r in found.reasons.values())
    data = _numbers(found)
    return Answer(
        blocks=(source.heading(est), "", "\n".join(found_lines(labelled(found, texts), lang))),
        data={**source.origin, **data},
        notes=(*source.notes, *est.notes, *why, *found.notes),
        code=FINE if bool(est.convergence.converged.all()) else INADMISSIBLE,
        record={**source.record, **data} if source.record else {},
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
