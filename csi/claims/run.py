"""`run_card`: a model card on a panel, and all that a competent analyst reports of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from csi.claims.absence import absence_sentences, tested
from csi.claims.asymmetries import asymmetries, asymmetry_sentences
from csi.claims.based import base_sentences, based, bases_of, gone
from csi.claims.blocks import blocks_of, other_forms
from csi.claims.card_run import CardRun
from csi.claims.chains import chain_sentences, contrast_sentences, contrasts, hypotheses
from csi.claims.checks import (
    asked_of,
    groups_of,
    no_target,
    only_asked,
    too_few_items,
    unknown_reliability,
    without_small,
    wrong_engine,
)
from csi.claims.contests import NONE, Contests, contests
from csi.claims.dimensions import dimension_sentences, dimensions
from csi.claims.occasions import occasions
from csi.claims.reported import fit_table, measured, scored
from csi.claims.run_words import r2_sentences, told_of_card
from csi.claims.signs import sign_notes, sign_sentences, signed_paths, unjudged
from csi.errors import Note, Problems, Reason, Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import check_kind, check_panel
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.measures.admissible import verify
from csi.measures.effects import effects
from csi.measures.mediation import Mediation, mediation
from csi.measures.validity import validity
from csi.models.card import Card
from csi.models.card_parts import Engine, Rival
from csi.models.card_rivals import contest
from csi.models.cards import read_card
from csi.models.model import Covariance, Model, Modifier, Path, Term
from csi.pls.composites import Composites
from csi.pls.estimator import PLS
from csi.sem.estimator import SEM
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.panel import Panel

REPLICATES = 1000
"""Resamples of a composite model where none are asked for."""


def run_card(
    card: str | Card,
    panel: Panel,
    *,
    estimator: Estimator | None = None,
    constructs: Mapping[str, str] | None = None,
    without: Iterable[str] = (),
    optional: bool | Iterable[str] = True,
    by: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    stages: Mapping[str, str] | None = None,
    reliability: Mapping[str, float] | None = None,
    replicates: int | None = None,
    seed: int = 1,
    level: float = 0.95,
    rivals: bool = True,
    anyway: bool = False,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> CardRun:
    """Run a model card on a panel: measurement, signed paths, mediation, index, fit, rivals.

    Parameters:
        card: a card's name, the path of a card file, or a card. panel: answers with a codebook.
        estimator: `csi.PLS()` where none is given; `csi.SEM(...)` for a covariance model.
        constructs: {the card's construct: the codebook's}, where their names differ. without: constructs left out.
        optional: which optional arrows are in: all, none, or their names ("loyalty~image").
        by: key columns that make cells; None takes the groups that the card is about. where: only rows with these keys.
        stages: {the card's group: the data's}, where their names differ.
        reliability: {construct with one item: its reliability}, for covariance models.
        replicates: bootstrap resamples; None takes 1000 for composites and for cards with contrasts, and none for
            other covariance models, whose errors are analytic. seed: of the resampling. level: of intervals.
        rivals: whether the card's rivals are fitted. anyway: show structural paths that the gate withholds.
        small, flagged: all numbers of cells with fewer answers are withheld, or marked (asymmetries by their own
            answers).

    Returns:
        A `CardRun`.

    Raises:
        Problems: E-ROLE (constructs without items, and what may be done instead), E-CONSTRUCT, E-ITEMS (one item in a
            covariance model), E-STAGE (groups absent, unknown or small), E-DESIGN (answers of those not asked),
            E-ENGINE; as `csi.fit`.

    Example:
        >>> import csi
        >>> from csi.simulation import recipe_of_card, simulate
        >>> made = simulate(recipe_of_card(read_card("ecm"), n=200))
        >>> panel = csi.read_panel(made.frame, made.codebook)
        >>> run_card("ecm", panel, replicates=200).table["verdict"].to_list()[:2]
        ['as expected', 'as expected']
    """
    one = _card(card)
    asked = Asked(
        estimator=estimator or PLS(),
        constructs=dict(constructs or {}),
        without=tuple(one.named(name) for name in without),
        optional=optional if isinstance(optional, bool) else tuple(optional),
        by=by,
        where=where,
        stages=dict(stages or {}),
        reliability={one.named(name): value for name, value in (reliability or {}).items()},
        replicates=replicates,
        seed=seed,
        level=level,
        rivals=rivals,
        anyway=anyway,
        bases=Bases(small, flagged),
    )
    return _run(one, panel, asked)


def _card(card: str | Card) -> Card:
    """The card, read where it is named."""
    wanted = Text("a card's name or a card", "模型卡的名称或模型卡")
    check_kind(
        "card", card, (str, Card), wanted, Text('Write run_card("ecm", panel).', '请写 run_card("ecm", panel)。')
    )
    return read_card(card) if isinstance(card, str) else card


@dataclass(frozen=True, slots=True)
class Asked:
    """What `run_card` was asked for; see there."""

    estimator: Estimator
    constructs: Mapping[str, str]
    without: tuple[str, ...]
    optional: bool | tuple[str, ...]
    by: Sequence[str] | None
    where: Mapping[str, str] | None
    stages: Mapping[str, str]
    reliability: Mapping[str, float]
    replicates: int | None
    seed: int
    level: float
    rivals: bool
    anyway: bool
    bases: Bases

    @property
    def engine(self) -> Engine:
        """The family of the estimator."""
        if not isinstance(self.estimator, Composites):
            return "cb"
        return "plsc" if getattr(self.estimator, "consistent", False) else "pls"

    def cells(self, card: Card) -> tuple[str, ...]:
        """The key columns that make cells."""
        if self.by is None:
            return (card.requires.group,) if card.requires.group else ()
        return (self.by,) if isinstance(self.by, str) else tuple(self.by)

    def many(self, card: Card) -> int:
        """How many resamples."""
        if self.replicates is not None:
            return self.replicates
        return 0 if self.engine == "cb" and not card.contrasts else REPLICATES


def _run(card: Card, panel: Panel, asked: Asked) -> CardRun:
    """The card on the panel."""
    check_panel(panel)
    panel, when = occasions(card, panel, asked.constructs, asked.where)
    renamed = any(n.code == "N-OCCASIONS" for n in when)
    return _run_rows(card, panel, replace(asked, constructs={}) if renamed else asked, when)


def _run_rows(card: Card, panel: Panel, asked: Asked, when: tuple[Note, ...]) -> CardRun:
    """The card on rows that hold all it speaks of."""
    items, left_out, design, panel = _prepared(card, panel, asked)
    model = Model.card.of(card, items, asked.optional, asked.without, covariance=asked.engine == "cb")
    model = _with_reliability(model, items, panel, asked.reliability)
    own = partial(_fitted, panel=panel, asked=asked, by=asked.cells(card), many=asked.many(card))
    est = own(model)
    diagnosis = verify(est)
    cells = bases_of(est, asked.bases)
    few, told = gone(cells), partial(based, cells=cells, why=asked.bases.reason)
    withheld = {} if asked.anyway else dict(diagnosis.withheld)
    found = effects(est)
    table = told(_with_zeros(card, model, signed_paths(est, found, withheld), own, withheld))
    mediated = None if withheld else _mediation(est)
    chains = told(hypotheses(card, model, mediated))
    differences = pl.DataFrame() if withheld else told(contrasts(card, est))
    contested = _contests(card, items, panel, asked, own, told) if asked.rivals else NONE
    of_parts, apart = (pl.DataFrame(), ()) if withheld else _of_parts(card, items, model, est, asked, own)
    of_parts, r2 = told(of_parts), told(found.r2)
    bends = _bends(card, items, panel, asked)
    of_items, of_points = measured(est), scored(est, card.index.target, told)
    fitted, q2 = fit_table(est)
    distinct = validity(est)
    notes = (
        *sign_notes(table, model),
        *unjudged(est),
        *when,
        *told_of_card(card, items, left_out, model),
        *other_forms(card, panel.codebook, items),
        *design,
        *card.doubts(items),
        *(Note(f.code, f.text()) for f in (*diagnosis.errors, *diagnosis.warnings) if f.cell not in few),
        *distinct.notes,
        *est.notes,
        *of_items.notes,
        *of_points.notes,
        *apart,
        *contested.notes,
        *_few(asked.bases, bends),
        *asked.bases.notes(cells, cells.columns[: cells.columns.index("n")]),
    )
    run = CardRun(
        card=card,
        model=model,
        estimate=est,
        table=table,
        measurement=told(of_items.loadings),
        reliability=told(of_items.reliability),
        validity=distinct,
        diagnosis=diagnosis,
        r2=r2,
        effects=found,
        hypotheses=chains,
        mediation=mediated,
        contrasts=differences,
        dimensions=of_parts,
        asymmetry=bends,
        index=of_points.index,
        impact=pl.DataFrame() if withheld else of_points.impact,
        fit=told(fitted),
        q2=told(q2),
        rivals=contested.table,
        cells=cells.drop("reason", "reason_zh"),
        few=asked.bases.reason,
        left_out=left_out,
        labels=dict(card.labels),
        level=asked.level,
        sentences=(),
        # which cells have few answers is told by the limits asked for, not by those of the fit
        notes=tuple(n for n in dict.fromkeys(notes) if n not in _small(est)),
    )
    lost = {c: r for c, r in withheld.items() if c not in few}
    points = () if withheld else of_points.sentences
    return replace(
        run, sentences=(*base_sentences(cells, asked.bases), *_told(run, lost, points), *contested.sentences)
    )


def _told(run: CardRun, withheld: Mapping[int, Reason], points: tuple[Text, ...]) -> tuple[Text, ...]:
    """What a run says of its paths, impact, shares, chains and slopes."""
    return (
        *_withheld(withheld),
        *sign_sentences(run.table, run.model),
        *absence_sentences(run.table, run.model),
        *points,
        *r2_sentences(run.r2, run.model),
        *dimension_sentences(run.dimensions, run.model),
        *chain_sentences(run.hypotheses, run.model),
        *contrast_sentences(run.contrasts),
        *asymmetry_sentences(run.asymmetry, run.model),
    )


def _bends(card: Card, items: Mapping[str, tuple[str, ...]], panel: Panel, asked: Asked) -> pl.DataFrame:
    """Slopes below and above the means, of cells with enough answers."""
    small, flagged, cells = asked.bases.small, asked.bases.flagged, asked.cells(card)
    return asymmetries(card, items, panel, by=cells, where=asked.where, level=asked.level, small=small, flagged=flagged)


def _few(bases: Bases, bends: pl.DataFrame) -> tuple[Note, ...]:
    """Cells with few answers behind their asymmetries."""
    return bases.notes(bends, bends.columns[: bends.columns.index("outcome")]) if bends.height else ()


def _small(est: Estimate) -> tuple[Note, ...]:
    """What fitting says of cells with few answers."""
    return tuple(n for n in est.notes if n.code == "W-BASE")


def _withheld(why: Mapping[int, Reason]) -> tuple[Text, ...]:
    """That paths are not shown, and why."""
    return tuple(
        Text(f"Structural paths are withheld: {r.text.en}", f"不展示结构路径：{r.text.zh}") for r in why.values()
    )


def _prepared(
    card: Card, panel: Panel, asked: Asked
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], tuple[Note, ...], Panel]:
    """Items of the constructs, optional constructs without any, notes, and the panel with the card's group names.

    Raises:
        Problems: everything that keeps the card from being run, all at once.
    """
    items = blocks_of(card, panel.codebook, asked.constructs, asked.without)
    left_out = tuple(n for n in card.absent(items, asked.without) if n not in asked.without)
    keys = (asked.where or {}).items()
    chosen = panel.frame.filter(*(pl.col(k) == v for k, v in keys if k in panel.frame.columns))
    problems = [*wrong_engine(card, asked.engine), *unknown_reliability(items, asked.reliability)]
    problems += no_target(card, asked.without)
    if asked.engine == "cb":
        problems += too_few_items(card, items, asked.reliability)
    names = {theirs: ours for ours, theirs in asked.stages.items()}
    answered = pl.all_horizontal(pl.any_horizontal(pl.col(b).is_not_null()) for b in items.values())
    problems += groups_of(card, replace(panel, frame=chosen.filter(answered)), asked.cells(card), names)
    design, some = asked_of(card, items, chosen)
    problems += design
    if problems:
        raise Problems(problems)
    panel, left = without_small(card, panel, chosen.filter(answered), asked.cells(card))
    whole = chosen.select(pl.all_horizontal(pl.col([i for b in items.values() for i in b]).is_not_null())).to_series()
    notes = (*only_asked(card, some, int(whole.sum()), chosen.height), *left)
    key = card.requires.group
    if names and key in panel.frame.columns:
        panel = replace(panel, frame=panel.frame.with_columns(pl.col(key).replace(names)))
    return items, left_out, notes, panel


def _with_reliability(
    model: Model, items: Mapping[str, tuple[str, ...]], panel: Panel, reliability: Mapping[str, float]
) -> Model:
    """The model with error variances (1 - reliability) var(item) of single items."""
    fixed = []
    for name, value in reliability.items():
        item = items[name][0]
        spread = float(np.nanvar(panel.frame[item].cast(pl.Float64).fill_null(np.nan).to_numpy()))
        fixed.append(Covariance(item, Term(item, (Modifier(fixed=(1 - value) * spread),))))
    return replace(model, covariances=(*model.covariances, *fixed)) if fixed else model


def _fitted(model: Model, *, panel: Panel, asked: Asked, by: Sequence[str], many: int) -> Estimate:
    """A model fitted, with replicates where asked for."""
    est = fit(model, panel, asked.estimator, by, where=asked.where)
    return bootstrap(est, many, asked.seed, level=asked.level) if many else est


def _with_zeros(
    card: Card, model: Model, table: pl.DataFrame, own: partial[Estimate], withheld: Mapping[int, Reason]
) -> pl.DataFrame:
    """Paths with those below them that the card claims to be zero, estimated in a model that has them."""
    zeros = [(y, x) for y, xs in card.zeros.items() for x in xs if {y, x} <= set(model.names)]
    if not zeros:
        return table
    est = own(replace(model, paths=(*model.paths, *(Path(y, Term(x)) for y, x in zeros))))
    return pl.concat([table, tested(signed_paths(est, effects(est), withheld, zeros))], how="diagonal_relaxed")


def _mediation(est: Estimate) -> Mediation | None:
    """Mediated effects, None where nothing is mediated."""
    try:
        return mediation(est)
    except Problems:
        return None


def _of_parts(
    card: Card,
    items: Mapping[str, tuple[str, ...]],
    model: Model,
    est: Estimate,
    asked: Asked,
    own: partial[Estimate],
) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Shares of the parts of constructs; of a covariance model from one in which the parts stand apart."""
    whole = tuple(name for name, block in card.constructs.items() if block.of and name in model.names)
    if asked.engine != "cb" or not whole:
        return dimensions(est), ()
    rival = Rival("各维度分列", "dimensions apart", apart=whole)
    _, apart = contest(replace(card, rivals={"apart": rival}), "apart")
    gone = tuple(n for n in asked.without if n in apart.constructs)
    blocks = {n: b for n, b in items.items() if n in apart.constructs and n not in gone}
    try:
        fitted = own(Model.card.of(apart, blocks, without=gone, covariance=True))
        why = next(iter(verify(fitted, refit=False).withheld.values()), None)
        said = why.text if why else Text("", "")
    except Problems as found:
        said = found.problems[0].what
    if said.en:
        en = f"no shares of dimensions: with the dimensions apart the model cannot be read. {said.en}"
        return pl.DataFrame(), (note("N-RIVAL", en, f"不给出各维度占比：维度分列时模型不可用。{said.zh}"),)
    return dimensions(fitted, model), ()


def _contests(
    card: Card,
    items: Mapping[str, tuple[str, ...]],
    panel: Panel,
    asked: Asked,
    own: partial[Estimate],
    told: Callable[[pl.DataFrame], pl.DataFrame],
) -> Contests:
    """The card against its rivals."""
    judge = asked.estimator if asked.engine == "cb" else SEM(estimator="MLR")
    return contests(
        card,
        items,
        asked.without,
        partial(fit, data=panel, estimator=judge, by=asked.cells(card), where=asked.where),
        own,
        covariance=asked.engine == "cb",
        told=told,
    )
