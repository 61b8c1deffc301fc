"""Satisfaction indices: from a survey export to a report with uncertainty.

Every public name is loaded when it is first used (PEP 562), so `import csi` loads neither numpy nor polars nor an
engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from csi.display import doctor_from, html_from, tables_from

if TYPE_CHECKING:
    from csi.behaviour.attitude import attitude as attitude
    from csi.behaviour.bgnbd import bgnbd
    from csi.behaviour.comments import comments as comments
    from csi.behaviour.complaints import complaints as complaints
    from csi.behaviour.emotion_patterns import emotion_patterns as emotion_patterns
    from csi.behaviour.emotion_waves import emotion_waves as emotion_waves
    from csi.behaviour.feedback import feedback as feedback
    from csi.behaviour.hazard import hazard as hazard
    from csi.behaviour.journey import journey as journey
    from csi.behaviour.lifecycle import lifecycle as lifecycle
    from csi.behaviour.loyalty_curve import loyalty_curve as loyalty_curve
    from csi.behaviour.loyalty_types import loyalty_types as loyalty_types
    from csi.behaviour.nps import nps as nps
    from csi.behaviour.price_tolerance import price_tolerance as price_tolerance
    from csi.behaviour.programme import programme as programme
    from csi.behaviour.recovery import recovery as recovery
    from csi.behaviour.repurchase import repurchase as repurchase
    from csi.behaviour.survival import survival as survival
    from csi.behaviour.text_indicator import text_indicator as text_indicator
    from csi.claims.run import run_card as run_card
    from csi.claims.stage_slopes import stage_slopes as stage_slopes
    from csi.engines.semopy import Semopy as Semopy
    from csi.errors import Problems as Problems
    from csi.estimate.estimate import Estimate as Estimate
    from csi.estimate.fit import fit as fit
    from csi.expectation.adjustment import adjustment as adjustment
    from csi.expectation.balance import balance as balance
    from csi.expectation.change import change as change
    from csi.expectation.dynamic import dynamic_expectation as dynamic_expectation
    from csi.expectation.formation import formation as formation
    from csi.expectation.gap import gap as gap
    from csi.expectation.intervention import intervention as intervention
    from csi.expectation.kano import kano as kano
    from csi.expectation.kinds import kinds as kinds
    from csi.expectation.mentions import mentions as mentions
    from csi.expectation.penalty_reward import penalty_reward as penalty_reward
    from csi.expectation.promise import promise as promise
    from csi.expectation.reasonable import reasonable as reasonable
    from csi.expectation.requirements import requirements as requirements
    from csi.expectation.servqual import servqual as servqual
    from csi.expectation.stages import formation_by_stage as formation_by_stage
    from csi.expectation.stakeholders import stakeholders as stakeholders
    from csi.expectation.surface import surface as surface
    from csi.expectation.tolerance import tolerance as tolerance
    from csi.importance.cipma import cipma as cipma
    from csi.importance.driver_shares import driver_shares as driver_shares
    from csi.importance.drivers import drivers as drivers
    from csi.importance.ipa import ipa as ipa
    from csi.importance.key_drivers import key_drivers as key_drivers
    from csi.importance.nca import nca as nca
    from csi.importance.plan import plan as plan
    from csi.importance.what_if import whatif as whatif
    from csi.inference.adjust import adjust as adjust
    from csi.inference.bollen_stine import bollen_stine as bollen_stine
    from csi.inference.bootstrap import bootstrap as bootstrap
    from csi.inference.family import family as family
    from csi.inference.impute import impute as impute
    from csi.inference.jackknife import jackknife as jackknife
    from csi.inference.make_replicates import make_replicates as make_replicates
    from csi.inference.order import order as order
    from csi.inference.rake import rake as rake
    from csi.inference.replicate_weights import replicate_weights as replicate_weights
    from csi.inference.simultaneous import simultaneous as simultaneous
    from csi.measures.admissible import verify as verify
    from csi.measures.alignment import alignment as alignment
    from csi.measures.blindfold import blindfolding as blindfolding
    from csi.measures.collinearity import vif as vif
    from csi.measures.consistency.occasions import retest as retest
    from csi.measures.consistency.of_categories import agreement as agreement
    from csi.measures.consistency.of_model import omega as omega
    from csi.measures.consistency.of_raters import icc as icc
    from csi.measures.consistency.of_scales import consistency as consistency
    from csi.measures.copula import copula as copula
    from csi.measures.cvpat import cvpat as cvpat
    from csi.measures.effects import effects as effects
    from csi.measures.eigenvalue_tests import eigenvalue_tests as eigenvalue_tests
    from csi.measures.exact_fit import exact_fit as exact_fit
    from csi.measures.factor_scores import factor_scores as factor_scores
    from csi.measures.factors.adequacy import adequacy as adequacy
    from csi.measures.factors.correlations import correlations as correlations
    from csi.measures.factors.efa import efa as efa
    from csi.measures.factors.n_factors import n_factors as n_factors
    from csi.measures.fimix import fimix as fimix
    from csi.measures.fit_measures import fit_measures as fit_measures
    from csi.measures.group_differences import mga as mga
    from csi.measures.implied_moments import implied as implied
    from csi.measures.invariance import invariance as invariance
    from csi.measures.item_analysis.items import items as items
    from csi.measures.item_analysis.short_form import short_form as short_form
    from csi.measures.item_bias.dif import dif as dif
    from csi.measures.johnson_neyman import johnson_neyman as johnson_neyman
    from csi.measures.mediation import mediation as mediation
    from csi.measures.micom import micom as micom
    from csi.measures.modification import modification_indices as modification_indices
    from csi.measures.nested import lrt as lrt
    from csi.measures.nested import wald as wald
    from csi.measures.nonlinear import nonlinear as nonlinear
    from csi.measures.pos import pos as pos
    from csi.measures.predict import predict as predict
    from csi.measures.redundancy import redundancy as redundancy
    from csi.measures.reliability import reliability as reliability
    from csi.measures.residuals import residuals as residuals
    from csi.measures.response.irt import irt as irt
    from csi.measures.score_tests import score_tests as score_tests
    from csi.measures.scores import predictions as predictions
    from csi.measures.scores import scores as scores
    from csi.measures.selection import selection as selection
    from csi.measures.separation.common_method import common_method as common_method
    from csi.measures.separation.criterion import criterion as criterion
    from csi.measures.separation.discriminant import discriminant as discriminant
    from csi.measures.separation.known_groups import known_groups as known_groups
    from csi.measures.separation.mtmm import mtmm as mtmm
    from csi.measures.sizing.model_power import power_model as power_model
    from csi.measures.sizing.path_power import power_path as power_path
    from csi.measures.sizing.pls_power import power_pls as power_pls
    from csi.measures.sizing.reliability_power import power_alpha as power_alpha
    from csi.measures.sizing.reliability_power import power_icc as power_icc
    from csi.measures.sizing.rmsea_power import power_invariance as power_invariance
    from csi.measures.sizing.rmsea_power import power_rmsea as power_rmsea
    from csi.measures.slopes import simple_slopes as simple_slopes
    from csi.measures.standardised import r2 as r2
    from csi.measures.standardised import standardised as standardised
    from csi.measures.tetrads import cta as cta
    from csi.measures.validity import validity as validity
    from csi.models.model import Model as Model
    from csi.moments.stack import Moments as Moments
    from csi.pls.estimator import PLS as PLS
    from csi.pls.gsca import GSCA as GSCA
    from csi.pls.sum_scores import SumScores as SumScores
    from csi.reporting.append import append as append
    from csi.reporting.batch import batch as batch
    from csi.reporting.build import report as report
    from csi.reporting.coding import coding as coding
    from csi.reporting.diff import diff as diff
    from csi.reporting.rebuild import rebuild as rebuild
    from csi.reporting.waves import waves as waves
    from csi.sem.estimator import SEM as SEM
    from csi.simulation.simulate import simulate as simulate
    from csi.study.missingness import missingness as missingness
    from csi.study.panel import read_panel as read_panel
    from csi.study.quality import quality as quality
    from csi.study.study import Study as Study
    from csi.study.validation import validate as validate
    from csi.survey.codebook import Codebook as Codebook
    from csi.survey.events import Events, read_events
    from csi.survey.panel import Panel as Panel
    from csi.survey.query import Query as Query
    from csi.tracking.alerts import Alert as Alert
    from csi.tracking.alerts import alerts as alerts
    from csi.tracking.attrition import attrition as attrition
    from csi.tracking.breaks import Break as Break
    from csi.tracking.changes import changes as changes
    from csi.tracking.compare import compare as compare
    from csi.tracking.decompose import decompose as decompose
    from csi.tracking.gate import comparable as comparable
    from csi.tracking.index import Index as Index
    from csi.tracking.index import index as index
    from csi.tracking.league import medals as medals
    from csi.tracking.league import pairwise as pairwise
    from csi.tracking.link import link as link
    from csi.tracking.link_waves import item_link as item_link
    from csi.tracking.overlap import overlap as overlap
    from csi.tracking.pool import pool as pool
    from csi.tracking.ranks import rank_probabilities as rank_probabilities
    from csi.tracking.rates import kcsi as kcsi
    from csi.tracking.rates import rates as rates
    from csi.tracking.shrunken import shrunken as shrunken
    from csi.tracking.smooth import control as control
    from csi.tracking.smooth import smooth as smooth
    from csi.tracking.targets import Target as Target
    from csi.tracking.targets import targets as targets
    from csi.tracking.track import track as track
    from csi.tracking.tree import tree as tree

html_from("csi.reporting.cell_html")
doctor_from("csi.measures.admissible")
tables_from("csi.reporting.exported")

__version__ = "0.2.0"

_HOMES = {
    "omega": "csi.measures.consistency.of_model",
    "agreement": "csi.measures.consistency.of_categories",
    "icc": "csi.measures.consistency.of_raters",
    "retest": "csi.measures.consistency.occasions",
    "Alert": "csi.tracking.alerts",
    "alerts": "csi.tracking.alerts",
    "Target": "csi.tracking.targets",
    "targets": "csi.tracking.targets",
    "batch": "csi.reporting.batch",
    "append": "csi.reporting.append",
    "GSCA": "csi.pls.gsca",
    "PLS": "csi.pls.estimator",
    "SEM": "csi.sem.estimator",
    "Codebook": "csi.survey.codebook",
    "Estimate": "csi.estimate.estimate",
    "Index": "csi.tracking.index",
    "Model": "csi.models.model",
    "Moments": "csi.moments.stack",
    "Panel": "csi.survey.panel",
    "Problems": "csi.errors",
    "Query": "csi.survey.query",
    "Semopy": "csi.engines.semopy",
    "Study": "csi.study.study",
    "SumScores": "csi.pls.sum_scores",
    "alignment": "csi.measures.alignment",
    "blindfolding": "csi.measures.blindfold",
    "adjust": "csi.inference.adjust",
    "bollen_stine": "csi.inference.bollen_stine",
    "bootstrap": "csi.inference.bootstrap",
    "Break": "csi.tracking.breaks",
    "changes": "csi.tracking.changes",
    "link": "csi.tracking.link",
    "item_link": "csi.tracking.link_waves",
    "decompose": "csi.tracking.decompose",
    "run_card": "csi.claims.run",
    "cipma": "csi.importance.cipma",
    "comparable": "csi.tracking.gate",
    "compare": "csi.tracking.compare",
    "cta": "csi.measures.tetrads",
    "cvpat": "csi.measures.cvpat",
    "copula": "csi.measures.copula",
    "consistency": "csi.measures.consistency.of_scales",
    "diff": "csi.reporting.diff",
    "rebuild": "csi.reporting.rebuild",
    "waves": "csi.reporting.waves",
    "coding": "csi.reporting.coding",
    "attrition": "csi.tracking.attrition",
    "overlap": "csi.tracking.overlap",
    "driver_shares": "csi.importance.driver_shares",
    "drivers": "csi.importance.drivers",
    "effects": "csi.measures.effects",
    "eigenvalue_tests": "csi.measures.eigenvalue_tests",
    "exact_fit": "csi.measures.exact_fit",
    "factor_scores": "csi.measures.factor_scores",
    "fimix": "csi.measures.fimix",
    "adequacy": "csi.measures.factors.adequacy",
    "correlations": "csi.measures.factors.correlations",
    "efa": "csi.measures.factors.efa",
    "n_factors": "csi.measures.factors.n_factors",
    "fit": "csi.estimate.fit",
    "fit_measures": "csi.measures.fit_measures",
    "implied": "csi.measures.implied_moments",
    "impute": "csi.inference.impute",
    "index": "csi.tracking.index",
    "invariance": "csi.measures.invariance",
    "items": "csi.measures.item_analysis.items",
    "jackknife": "csi.inference.jackknife",
    "johnson_neyman": "csi.measures.johnson_neyman",
    "complaints": "csi.behaviour.complaints",
    "feedback": "csi.behaviour.feedback",
    "programme": "csi.behaviour.programme",
    "recovery": "csi.behaviour.recovery",
    "emotion_patterns": "csi.behaviour.emotion_patterns",
    "emotion_waves": "csi.behaviour.emotion_waves",
    "lifecycle": "csi.behaviour.lifecycle",
    "journey": "csi.behaviour.journey",
    "loyalty_curve": "csi.behaviour.loyalty_curve",
    "loyalty_types": "csi.behaviour.loyalty_types",
    "lrt": "csi.measures.nested",
    "mediation": "csi.measures.mediation",
    "mga": "csi.measures.group_differences",
    "micom": "csi.measures.micom",
    "missingness": "csi.study.missingness",
    "modification_indices": "csi.measures.modification",
    "gap": "csi.expectation.gap",
    "kano": "csi.expectation.kano",
    "promise": "csi.expectation.promise",
    "servqual": "csi.expectation.servqual",
    "surface": "csi.expectation.surface",
    "penalty_reward": "csi.expectation.penalty_reward",
    "change": "csi.expectation.change",
    "stage_slopes": "csi.claims.stage_slopes",
    "dynamic_expectation": "csi.expectation.dynamic",
    "adjustment": "csi.expectation.adjustment",
    "intervention": "csi.expectation.intervention",
    "tolerance": "csi.expectation.tolerance",
    "nps": "csi.behaviour.nps",
    "comments": "csi.behaviour.comments",
    "text_indicator": "csi.behaviour.text_indicator",
    "price_tolerance": "csi.behaviour.price_tolerance",
    "kcsi": "csi.tracking.rates",
    "rates": "csi.tracking.rates",
    "ipa": "csi.importance.ipa",
    "key_drivers": "csi.importance.key_drivers",
    "nca": "csi.importance.nca",
    "plan": "csi.importance.plan",
    "whatif": "csi.importance.what_if",
    "nonlinear": "csi.measures.nonlinear",
    "pos": "csi.measures.pos",
    "predict": "csi.measures.predict",
    "medals": "csi.tracking.league",
    "pairwise": "csi.tracking.league",
    "pool": "csi.tracking.pool",
    "rank_probabilities": "csi.tracking.ranks",
    "predictions": "csi.measures.scores",
    "rake": "csi.inference.rake",
    "make_replicates": "csi.inference.make_replicates",
    "quality": "csi.study.quality",
    "r2": "csi.measures.standardised",
    "read_panel": "csi.study.panel",
    "attitude": "csi.behaviour.attitude",
    "bgnbd": "csi.behaviour.bgnbd",
    "hazard": "csi.behaviour.hazard",
    "repurchase": "csi.behaviour.repurchase",
    "survival": "csi.behaviour.survival",
    "read_events": "csi.survey.events",
    "Events": "csi.survey.events",
    "redundancy": "csi.measures.redundancy",
    "reliability": "csi.measures.reliability",
    "replicate_weights": "csi.inference.replicate_weights",
    "report": "csi.reporting.build",
    "residuals": "csi.measures.residuals",
    "irt": "csi.measures.response.irt",
    "dif": "csi.measures.item_bias.dif",
    "score_tests": "csi.measures.score_tests",
    "selection": "csi.measures.selection",
    "scores": "csi.measures.scores",
    "simple_slopes": "csi.measures.slopes",
    "simulate": "csi.simulation.simulate",
    "family": "csi.inference.family",
    "simultaneous": "csi.inference.simultaneous",
    "standardised": "csi.measures.standardised",
    "short_form": "csi.measures.item_analysis.short_form",
    "shrunken": "csi.tracking.shrunken",
    "control": "csi.tracking.smooth",
    "smooth": "csi.tracking.smooth",
    "track": "csi.tracking.track",
    "tree": "csi.tracking.tree",
    "validity": "csi.measures.validity",
    "mtmm": "csi.measures.separation.mtmm",
    "known_groups": "csi.measures.separation.known_groups",
    "criterion": "csi.measures.separation.criterion",
    "common_method": "csi.measures.separation.common_method",
    "power_model": "csi.measures.sizing.model_power",
    "power_path": "csi.measures.sizing.path_power",
    "power_pls": "csi.measures.sizing.pls_power",
    "power_icc": "csi.measures.sizing.reliability_power",
    "power_alpha": "csi.measures.sizing.reliability_power",
    "power_invariance": "csi.measures.sizing.rmsea_power",
    "power_rmsea": "csi.measures.sizing.rmsea_power",
    "discriminant": "csi.measures.separation.discriminant",
    "verify": "csi.measures.admissible",
    "validate": "csi.study.validation",
    "vif": "csi.measures.collinearity",
    "wald": "csi.measures.nested",
    "order": "csi.inference.order",
    "formation": "csi.expectation.formation",
    "formation_by_stage": "csi.expectation.stages",
    "mentions": "csi.expectation.mentions",
    "reasonable": "csi.expectation.reasonable",
    "balance": "csi.expectation.balance",
    "stakeholders": "csi.expectation.stakeholders",
    "requirements": "csi.expectation.requirements",
    "kinds": "csi.expectation.kinds",
}

__all__ = [
    "GSCA",
    "PLS",
    "SEM",
    "Alert",
    "Break",
    "Codebook",
    "Estimate", "Events",
    "Index",
    "Model", "Moments",
    "Panel", "Problems",
    "Query",
    "Semopy", "Study", "SumScores",
    "Target",
    "adequacy", "adjust", "adjustment", "agreement", "alerts", "alignment", "append", "attitude", "attrition",
    "balance", "batch", "bgnbd", "blindfolding", "bollen_stine", "bootstrap",
    "change", "changes", "cipma", "coding", "comments", "common_method", "comparable", "compare", "complaints",
    "consistency", "control", "copula", "correlations", "criterion", "cta", "cvpat",
    "decompose", "dif", "diff", "discriminant", "driver_shares", "drivers", "dynamic_expectation",
    "efa", "effects", "eigenvalue_tests", "emotion_patterns", "emotion_waves", "exact_fit",
    "factor_scores", "family", "feedback", "fimix", "fit", "fit_measures", "formation", "formation_by_stage",
    "gap",
    "hazard",
    "icc", "implied", "impute", "index", "intervention", "invariance", "ipa", "irt", "item_link", "items",
    "jackknife", "johnson_neyman", "journey",
    "kano", "kcsi", "key_drivers", "kinds", "known_groups",
    "lifecycle", "link", "loyalty_curve", "loyalty_types", "lrt",
    "make_replicates", "medals", "mediation", "mentions", "mga", "micom", "missingness", "modification_indices",
    "mtmm",
    "n_factors", "nca", "nonlinear", "nps",
    "omega", "order", "overlap",
    "pairwise", "penalty_reward", "plan", "pool", "pos", "power_alpha", "power_icc", "power_invariance", "power_model",
    "power_path", "power_pls", "power_rmsea", "predict", "predictions", "price_tolerance", "programme", "promise",
    "quality",
    "r2", "rake", "rank_probabilities", "rates", "read_events", "read_panel", "reasonable", "rebuild", "recovery",
    "redundancy", "reliability", "replicate_weights", "report", "repurchase", "requirements", "residuals", "retest",
    "run_card",
    "score_tests", "scores", "selection", "servqual", "short_form", "shrunken", "simple_slopes", "simulate",
    "simultaneous", "smooth", "stage_slopes", "stakeholders", "standardised", "surface", "survival",
    "targets", "text_indicator", "tolerance", "track", "tree",
    "validate", "validity", "verify", "vif",
    "wald", "waves", "whatif",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name from the room where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'csi' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names first; nothing is loaded for it."""
    return sorted({*globals(), *__all__})
