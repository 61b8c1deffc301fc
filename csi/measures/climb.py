"""Climbing the ladder: each step is fitted, tested against the last that stands, and released where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csi.errors import Note, note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.measures.invariance_words import Verdict
from csi.measures.ladder import NEEDS, Key, Step, continuous_step, exempt
from csi.measures.nested import WORSE, lrt
from csi.measures.ordinal_ladder import ordinal_step
from csi.measures.partial import Release, next_release
from csi.models.model import Model
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """A step that was fitted: what is in force, what may differ, how it compares with the last that stands."""

    step: Step
    verdict: Verdict
    est: Estimate | None
    held: frozenset[Step]
    free: frozenset[Key]
    below: Rung | None = None
    difference: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    releases: tuple[Release, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether what the next steps rest on is rejected (equal residual variances carry nothing)."""
        return self.verdict == "void" or (self.verdict in {"rejected", "unsettled"} and self.step != "strict")


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """What all steps share.

    Attributes:
        model: the measurement model. settings: without exceptions. first: the configural fit.
        partial, alpha, limit: as in `invariance`.
    """

    model: Model
    settings: SEM
    first: Estimate
    partial: bool
    alpha: float
    limit: int

    @property
    def thresholds(self) -> dict[str, int]:
        """Thresholds of the ordinal items."""
        return dict(fitted(self.first).layout.table.rules.ordered)

    def fit(self, held: frozenset[Step], free: frozenset[Key], *, std_lv: bool = False) -> Estimate:
        """A step's estimate, the first where the step asks for nothing.

        Parameters:
            std_lv: in the equivalent form in which every loading can be tested.
        """
        if self.settings.ordered:
            groups = len(self.first.moments.groups)
            model, settings = ordinal_step(self.model, self.settings, self.thresholds, groups, held, free)
        else:
            settings = replace(self.settings, std_lv=self.settings.std_lv or std_lv)
            if not (self.first.moments.known_means or "scalar" in held):
                settings = replace(settings, meanstructure=False)
            model, settings = continuous_step(self.model, settings, held, free)
        if (model, settings) == (self.model, self.settings):
            return self.first
        return replace(fit(model, self.first.moments, settings), sample=self.first.sample)

    def climb(self, order: Sequence[Step], free: frozenset[Key]) -> list[Rung]:
        """All steps, one above the other."""
        stands = Rung("configural", "baseline", self.fit(frozenset(), free), frozenset(), free)
        rungs, broken = [stands], False
        for step in order[1:]:
            if broken:
                rungs.append(Rung(step, "not tested", None, frozenset(), stands.free))
                continue
            found = self.step(step, stands)
            rungs += found
            if found[-1].est is None or (found[-1].verdict == "rejected" and self.partial):
                broken = found[-1].broken
            else:
                stands = found[-1]
        return rungs

    def step(self, step: Step, below: Rung) -> list[Rung]:
        """A step, and its partial form where it fails and releases are wanted."""
        held = below.held | {step, *NEEDS[step]}
        whole = self.rung(step, below, held, below.free)
        if whole.verdict != "rejected" or not self.partial or step == "means":
            return [whole]
        now = whole
        done: list[Release] = []
        while now.verdict == "rejected" and now.est is not None and len(done) < self.limit:
            twin = None if self.settings.std_lv else self.fit(held, now.free, std_lv=True)
            found = next_release(twin or now.est, step, self.model, self.settings.ordered, exempt(now.free))
            if found is None or found.p_value >= self.alpha:
                break
            done.append(found)
            now = self.rung(step, below, held, now.free | {found.key})
        if not done:
            return [whole]
        verdict: Verdict = "rejected" if now.verdict == "rejected" else "partial"
        return [whole, replace(now, verdict=verdict, releases=tuple(done))]

    def rung(self, step: Step, below: Rung, held: frozenset[Step], free: frozenset[Key]) -> Rung:
        """A step against the last that stands."""
        est = self.fit(held, free)
        if not est.convergence.converged.all() or below.est is None:
            return Rung(step, "unsettled", None, held, free, below)
        if fitted(est).df == fitted(below.est).df:
            return Rung(step, "equivalent", est, held, free, below)
        difference, notes = _difference(below.est, est)
        if difference is None:
            return Rung(step, "unsettled", None, held, free, below)
        verdict: Verdict = "rejected" if difference[2] < self.alpha else "not rejected"
        if below.broken and step != "configural":
            verdict = "void"
        return Rung(step, verdict, est, held, free, below, difference, (), notes)


def _difference(wide: Estimate, narrow: Estimate) -> tuple[tuple[float, float, float] | None, tuple[Note, ...]]:
    """chi2, df and p of the (scaled) difference; None where a search stopped early (the wider is worse)."""
    found = lrt(wide, narrow).table.row(1, named=True)
    notes: tuple[Note, ...] = ()
    if found["chi2_diff"] is None:
        found = lrt(wide, narrow, method="satorra2000").table.row(1, named=True)
        en = "a scaling factor of the difference was not positive; the test of Satorra (2000) stands in its place."
        notes = (note("N-SATORRA2000", en, "差异的校正因子非正，改用 Satorra（2000）的检验。"),)
    if found["reason"] == WORSE.code:
        return None, notes
    return (found["chi2_diff"], found["df_diff"], found["p_value"]), notes
