"""`run_card`: a model card on a panel, and all that a competent analyst reports of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from csi.claims.blocks import blocks_of
from csi.claims.chains import chain_sentences, contrast_sentences, contrasts, hypotheses
from csi.claims.checks import asked_of, groups_of, only_asked, too_few_items, unknown_reliability, wrong_engine
from csi.claims.contests import Contests, contests
from csi.claims.reported import Measured, Scored, fit_table, measured, scored
from csi.claims.run_words import lines_of, r2_sentences, told_of_card
from csi.claims.signs import sign_notes, sign_sentences, signed_paths
from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.protocol import Estimator
from csi.inference.bootstrap import bootstrap
from csi.measures.admissible import Diagnosis, verify
from csi.measures.effects import Effects, effects
from csi.measures.mediation import Mediation, mediation
from csi.measures.validity import Validity, validity
from csi.models.card import Card
from csi.models.card_parts import Engine
from csi.models.cards import read_card
from csi.models.model import Covariance, Model, Modifier, Path, Term
from csi.pls.composites import Composites
from csi.pls.estimator import PLS
from csi.sem.estimator import SEM
from csi.survey.panel import Panel
from csi.tracking.index import Index

REPLICATES = 1000
"""Resamples of a composite model where none are asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class CardRun(Shown):
    """A card on a panel. Every frame starts with the cells' key columns.

    Attributes:
        card, model, estimate: what was claimed, with which items, and how it came out.
        table: paths: outcome, predictor, expected ("+", "-", "" no side taken, "0" claimed to be zero), estimate
            (standardised), std_error, conf_low, conf_high, verdict ("as expected", "against", "open": not
            distinguishable from 0, "free": no side taken), optional, withheld (code where it must not be read).
        measurement: construct, item, loading, conf_low, conf_high, weight. reliability: construct, n_items, alpha,
            rho_a, rho_c, ave. validity: HTMT with its gate. diagnosis: what `csi.verify` found.
        r2: construct, r2, r2_adjusted, conf_low, conf_high. effects: direct, indirect and total effects.
        hypotheses: chains that the card names: hypothesis, chain, expected, estimate, ..., kind, verdict.
        mediation: every mediated pair, None where nothing is mediated.
        contrasts: contrast, formula, estimate, std_error, conf_low, conf_high.
        index: 0-100 of every construct, None where it cannot be. impact: target, construct, importance (points of the
            target per point), gain (points per 5 points), importance_std, performance and intervals.
        fit: measure, value, reason; and of composites q2_predict of every outcome construct (`q2`).
        rivals: see `csi.claims.contests.Contests`.
        left_out: optional constructs without items. labels, level, sentences, notes.
    """

    card: Card
    model: Model
    estimate: Estimate
    table: pl.DataFrame
    measurement: pl.DataFrame
    reliability: pl.DataFrame
    validity: Validity
    diagnosis: Diagnosis
    r2: pl.DataFrame
    effects: Effects
    hypotheses: pl.DataFrame
    mediation: Mediation | None
    contrasts: pl.DataFrame
    index: Index | None
    impact: pl.DataFrame
    fit: pl.DataFrame
    q2: pl.DataFrame
    rivals: pl.DataFrame
    left_out: tuple[str, ...]
    labels: dict[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: CardRun, lang: str = "en") -> str:
    """Sentences, paths with their signs, reliability, chains, contrasts, index, fit, rivals, notes."""
    frames = {
        "table": value.table,
        "r2": value.r2,
        "reliability": value.reliability,
        "hypotheses": value.hypotheses,
        "contrasts": value.contrasts,
        "index": pl.DataFrame() if value.index is None else value.index.table,
        "impact": value.impact,
        "fit": value.fit,
        "q2": value.q2,
        "rivals": value.rivals,
    }
    return lines_of(value.card, frames, value.sentences, value.notes, lang)


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
    one = read_card(card) if isinstance(card, str) else card
    engine = estimator or PLS()
    items, left_out, notes, panel = _prepared(one, panel, engine, constructs, without, by, where, stages, reliability)
    cells = _cells(one, by)
    covariance = not isinstance(engine, Composites)
    gone = tuple(without)
    model = Model.card.of(one, items, optional if isinstance(optional, bool) else tuple(optional), gone,
                          covariance=covariance)  # fmt: skip
    model = _with_reliability(model, items, panel, reliability or {})
    many = (0 if covariance and not one.contrasts else REPLICATES) if replicates is None else replicates
    own = partial(_fitted, panel=panel, estimator=engine, by=cells, where=where, many=many, seed=seed, level=level)
    est = own(model)
    diagnosis = verify(est)
    withheld = {} if anyway else dict(diagnosis.withheld)
    found = effects(est)
    table = _with_zeros(one, model, signed_paths(est, found, withheld), own, withheld)
    mediated = _mediation(est)
    chains, differences = hypotheses(one, model, mediated), contrasts(one, est)
    if withheld:
        chains, differences, mediated = pl.DataFrame(), pl.DataFrame(), None
    contested = _contests(one, items, gone, own, engine, panel, cells, where, covariance=covariance) if rivals else None
    of_items, of_points = measured(est), scored(est, one.index.target)
    fitted, q2 = fit_table(est)
    return CardRun(
        card=one,
        model=model,
        estimate=est,
        table=table,
        measurement=of_items.loadings,
        reliability=of_items.reliability,
        validity=validity(est),
        diagnosis=diagnosis,
        r2=found.r2,
        effects=found,
        hypotheses=chains,
        mediation=mediated,
        contrasts=differences,
        index=of_points.index,
        impact=pl.DataFrame() if withheld else of_points.impact,
        fit=fitted,
        q2=q2,
        rivals=contested.table if contested else pl.DataFrame(),
        left_out=left_out,
        labels=dict(one.labels),
        level=level,
        sentences=_sentences(model, table, found, of_points, chains, differences, contested, withheld),
        notes=_notes(one, model, items, left_out, notes, table, est, of_items, of_points, diagnosis, contested),
    )


def _cells(card: Card, by: Sequence[str] | None) -> tuple[str, ...]:
    """The key columns that make cells."""
    if by is None:
        return (card.requires.group,) if card.requires.group else ()
    return (by,) if isinstance(by, str) else tuple(by)


def _prepared(
    card: Card,
    panel: Panel,
    engine: Estimator,
    constructs: Mapping[str, str] | None,
    without: Iterable[str],
    by: Sequence[str] | None,
    where: Mapping[str, str] | None,
    stages: Mapping[str, str] | None,
    reliability: Mapping[str, float] | None,
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], tuple[Note, ...], Panel]:
    """Items of the constructs, optional constructs without any, notes, and the panel with the card's group names.

    Raises:
        Problems: everything that keeps the card from being run, all at once.
    """
    gone = tuple(without)
    items = blocks_of(card, panel.codebook, constructs, gone)
    left_out = tuple(n for n in card.absent(items, gone) if n not in gone)
    chosen = panel.frame.filter(*(pl.col(k) == v for k, v in (where or {}).items() if k in panel.frame.columns))
    kind: Engine = (
        "cb" if not isinstance(engine, Composites) else "plsc" if getattr(engine, "consistent", False) else "pls"
    )
    problems = [*wrong_engine(card, kind)]
    stated = reliability or {}
    problems += unknown_reliability(items, stated)
    if kind == "cb":
        problems += too_few_items(card, items, stated)
    names = {theirs: ours for ours, theirs in (stages or {}).items()}
    problems += groups_of(card, replace(panel, frame=chosen), _cells(card, by), names)
    design, some = asked_of(card, items, chosen)
    problems += design
    if problems:
        raise Problems(problems)
    whole = chosen.select(pl.all_horizontal(pl.col([i for b in items.values() for i in b]).is_not_null())).to_series()
    notes = only_asked(card, some, int(whole.sum()), chosen.height)
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


def _fitted(
    model: Model,
    *,
    panel: Panel,
    estimator: Estimator,
    by: Sequence[str],
    where: Mapping[str, str] | None,
    many: int,
    seed: int,
    level: float,
) -> Estimate:
    """A model fitted, with replicates where asked for."""
    est = fit(model, panel, estimator, by, where=where)
    return bootstrap(est, many, seed, level=level) if many else est


def _with_zeros(
    card: Card, model: Model, table: pl.DataFrame, own: partial[Estimate], withheld: Mapping[int, Reason]
) -> pl.DataFrame:
    """Paths with those below them that the card claims to be zero, estimated in a model that has them."""
    zeros = [(y, x) for y, xs in card.zeros.items() for x in xs if {y, x} <= set(model.names)]
    if not zeros:
        return table
    arrows = tuple(Path(y, Term(x)) for y, x in zeros)
    est = own(replace(model, paths=(*model.paths, *arrows)))
    return pl.concat([table, signed_paths(est, effects(est), withheld, zeros)], how="diagonal_relaxed")


def _mediation(est: Estimate) -> Mediation | None:
    """Mediated effects, None where nothing is mediated."""
    try:
        return mediation(est)
    except Problems:
        return None


def _contests(
    card: Card,
    items: Mapping[str, tuple[str, ...]],
    gone: tuple[str, ...],
    own: partial[Estimate],
    engine: Estimator,
    panel: Panel,
    by: Sequence[str],
    where: Mapping[str, str] | None,
    *,
    covariance: bool,
) -> Contests:
    """The card against its rivals."""
    judge = engine if covariance else SEM(estimator="MLR")
    return contests(
        card,
        items,
        gone,
        partial(fit, data=panel, estimator=judge, by=by, where=where),
        own,
        covariance=covariance,
    )


def _sentences(
    model: Model,
    table: pl.DataFrame,
    found: Effects,
    points: Scored,
    chains: pl.DataFrame,
    differences: pl.DataFrame,
    contested: Contests | None,
    withheld: Mapping[int, Reason],
) -> tuple[Text, ...]:
    """What one reads of a run, the signs first."""
    return (
        *(
            Text(f"Structural paths are withheld: {r.text.en}", f"不展示结构路径：{r.text.zh}")
            for r in withheld.values()
        ),
        *sign_sentences(table, model),
        *(() if withheld else points.sentences),
        *r2_sentences(found.r2, model),
        *chain_sentences(chains, model),
        *contrast_sentences(differences),
        *(contested.sentences if contested else ()),
    )


def _notes(
    card: Card,
    model: Model,
    items: Mapping[str, tuple[str, ...]],
    left_out: tuple[str, ...],
    design: tuple[Note, ...],
    table: pl.DataFrame,
    est: Estimate,
    of_items: Measured,
    of_points: Scored,
    diagnosis: Diagnosis,
    contested: Contests | None,
) -> tuple[Note, ...]:
    """What is doubtful, each once: signs first, then what was left out, the solution, the card."""
    doubts = tuple(Note(f.code, f.text()) for f in (*diagnosis.errors, *diagnosis.warnings))
    every = (
        *sign_notes(table, model),
        *told_of_card(card, items, left_out, model),
        *design,
        *card.doubts(items),
        *doubts,
        *est.notes,
        *of_items.notes,
        *of_points.notes,
        *(contested.notes if contested else ()),
    )
    return tuple(dict.fromkeys(every))
