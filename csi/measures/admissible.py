"""Whether a solution may be read: `verify(est)` looks for what makes it improper, says why, and what to do.

Letters: `b` slices (cells), `g` groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Reason, Text, reason
from csi.estimate.estimate import Estimate
from csi.estimate.fit import UNSETTLED
from csi.estimate.given import check_estimate
from csi.inference.pooled import copies_of
from csi.measures import admissible_identification as identification
from csi.measures.admissible_changes import changes_of
from csi.measures.admissible_composites import of_solution
from csi.measures.admissible_copies import of_copies
from csi.measures.admissible_freed import freed
from csi.measures.admissible_items import of_items, weakest
from csi.measures.admissible_matrices import of_matrices
from csi.measures.admissible_paths import of_equation, of_pairs
from csi.measures.admissible_replicates import of_replicates
from csi.measures.admissible_search import of_search
from csi.measures.admissible_trial import settled
from csi.measures.admissible_variances import negative, of_variances
from csi.measures.bounded import Refit, of_bounds, of_refit, refits
from csi.measures.findings import Finding, listed
from csi.measures.gathered import Gathered, gathered
from csi.measures.symptoms import equations_of, pairs_of, rows_of
from csi.measures.tidy import NO_SOLUTION, cells_of
from csi.sem.fitted import Fitted

WITHHOLD = frozenset({"E-IDENT", "E-EMPIRICAL", "E-CONVERGE", "E-NPD", "E-COLL"})
"""Findings after which the structural paths are not shown unless asked for; beside them, cells without a solution."""

HIDDEN = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "std_lv", "std_all")
"""Columns of the table of parameters that are blanked where paths are withheld."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Diagnosis(Shown):
    """What is wrong, doubtful or worth knowing about a solution, cell by cell.

    Attributes:
        findings: errors first, then warnings, then notes. withheld: cell -> why its structural paths are not to be
            shown (empty where the model has no paths). refits: bounded refits (of a pooled estimate those of every
            copy, in the order of the copies). cells: key columns of each slice.
    """

    findings: tuple[Finding, ...]
    withheld: Mapping[int, Reason]
    refits: tuple[Refit, ...]
    cells: pl.DataFrame

    @property
    def usable(self) -> bool:
        """Whether no cell has an error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings after which numbers must not be read."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings to read with care."""
        return tuple(f for f in self.findings if f.severity == "warning")

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the findings, each once, in their order."""
        return tuple(dict.fromkeys(f.code for f in self.findings))

    @property
    def gathered(self) -> tuple[Gathered, ...]:
        """The findings, each told once for all the cells it was found in."""
        return gathered(self.findings)

    @property
    def table(self) -> pl.DataFrame:
        """One row per finding: key columns, severity, code, place, parameters, what, cause, remedy (in English)."""
        return self.frame("en")

    def frame(self, lang: str = "en") -> pl.DataFrame:
        """The table in `lang`."""
        rows = [
            (f.severity, f.code, f.place, listed(f.parameters, lang, most=99), *(t.say(lang) for t in _texts(f)))
            for f in self.findings
        ]
        names = ("severity", "code", "place", "parameters", "what", "cause", "remedy")
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
        keys = self.cells.select(pl.exclude("n"))
        if not keys.width:
            return frame
        return pl.concat([keys[[f.cell for f in self.findings]], frame], how="horizontal")


def _texts(finding: Finding) -> tuple[Text, Text, Text]:
    """Its three sentences."""
    return finding.what, finding.cause, finding.remedy


def verify(est: Estimate, *, refit: bool = True) -> Diagnosis:
    """Look a solution over: identification, negative variances, impossible covariances, separability, convergence.

    Parameters:
        est: a fit, or a pooled one, whose copies are looked over each. refit: whether to fit again with bounds where a
            variance is negative or the search did not settle.

    Returns:
        A `Diagnosis`: findings with their likely cause and remedy, computed from the numbers; which cells' structural
        paths are withheld; what a bounded refit changes.

    Source:
        Chen, Bollen, Paxton, Curran & Kirby (2001), Sociological Methods & Research 29 (improper solutions);
        Rothenberg (1971) (identification); Henseler, Ringle & Sarstedt (2015) (HTMT).

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]]
        >>> moments = csi.Moments.of(["a", "b", "c"], cov, n=200)
        >>> found = verify(csi.fit(csi.Model.parse("f =~ a + b + c"), moments, csi.SEM()))
        >>> [(f.code, f.parameters) for f in found.errors]
        [('E-HEYWOOD', ('a ~~ a',))]
    """
    check_estimate(est)
    found, tried = _looked_over(est, refit=refit)
    order = {"error": 0, "warning": 1, "fine": 2}
    ranked = tuple(sorted(found, key=lambda f: (order[f.severity], "-ITEM-" not in f.code)))
    return Diagnosis(ranked, _withheld(est, ranked), tuple(tried), cells_of(est))


def _looked_over(est: Estimate, *, refit: bool) -> tuple[list[Finding], list[Refit]]:
    """Findings of an estimate, or of the copies that it was pooled from, and the bounded refits."""
    if copies_of(est):
        each = [_looked_over(copy, refit=refit) for copy in copies_of(est)]
        return of_copies([found for found, _ in each]), [one for _, tried in each for one in tried]
    found = _findings(est)
    if not refit:
        return found, []
    tried = [*refits(est, _curable(est, found), "pos.var"), *refits(est, _lost(found), "standard")]
    for one in tried:
        had = {f.code for f in found if f.cell == one.cell and f.severity == "error"}
        left = {f.code for f in _improper(one.estimate) if f.severity == "error"}
        left |= {code for code in had if "-ITEM-" in code}
        found.append(of_refit(one, _place(est, one.cell), left & had))
    return found, tried


def withholds_paths(est: Estimate) -> Reason | None:
    """Why the structural paths of an estimate are not to be shown unless asked for; None where they may be.

    For several cells: the reason of the first; `withheld_cells` has them all.

    Example:
        >>> import csi
        >>> moments = csi.Moments.of(["x", "y"], [[1.0, 0.4], [0.4, 1.0]], n=100)
        >>> withholds_paths(csi.fit(csi.Model.parse("y ~ x"), moments, csi.SEM())) is None
        True
    """
    found = withheld_cells(est)
    return found[min(found)] if found else None


def withheld_cells(est: Estimate, among: Iterable[int] | None = None) -> dict[int, Reason]:
    """Cell -> why its structural paths are not to be shown; of the cells named only, where some are."""
    if among is None:
        return dict(_withheld(est, tuple(_findings(est))))
    return dict(_withheld(est, tuple(f for cell in among for f in _findings(est, cell))))


def structural(est: Estimate, *, anyway: bool = False) -> pl.DataFrame:
    """The `~` rows of an estimate's table, numbers blanked and a `withheld` code where they must not be read.

    Parameters:
        anyway: show the numbers all the same; the code stays beside them.

    Returns:
        The rows of `est.table` with op "~" and a column `withheld` (null where they may be read).
    """
    found = withheld_cells(est)
    b, k = est.values.shape
    codes = [found[i].code if i in found else None for i in range(b) for _ in range(k)]
    table = est.table.with_columns(pl.Series("withheld", codes, dtype=pl.String)).filter(pl.col("op") == "~")
    if anyway:
        return table
    shown = pl.col("withheld").is_null()
    return table.with_columns(pl.when(shown).then(pl.col(name)).otherwise(None).alias(name) for name in HIDDEN)


def _findings(est: Estimate, only: int | None = None, *, trial: bool = True) -> list[Finding]:
    """Findings of all cells, or of one; without a trial, findings about items are left out."""
    if copies_of(est):
        return of_copies([_findings(copy, only, trial=trial) for copy in copies_of(est)])
    cells = range(len(est.values)) if only is None else (only,)
    fit = est.extra.get("sem")
    out: list[Finding] = []
    for cell in cells:
        why = _unsolved(est, cell)
        if why is not None:
            out.append(why)
        elif isinstance(fit, Fitted):
            out += _of_cell(est, fit, cell, trial=trial)
        else:
            out += of_solution(est, cell, _place(est, cell))
        out += of_replicates(est, cell, _place(est, cell))
    return out


def _unsolved(est: Estimate, cell: int) -> Finding | None:
    """A cell without any numbers."""
    why = est.convergence.reasons.get(cell)
    if why is None and np.isfinite(est.values[cell]).any():
        return None
    if why is not None and why.code in UNSETTLED and "sem" in est.extra:
        return None
    told = why or NO_SOLUTION
    remedy = Text("Mend the data of this cell, or leave it out.", "请修正该单元的数据，或将其排除。")
    code = told.code.replace("R-", "E-", 1)
    return Finding(code, "error", cell, _place(est, cell), (), told.text, Text("", ""), remedy)


def _of_cell(est: Estimate, fit: Fitted, cell: int, *, trial: bool) -> list[Finding]:
    """Findings of one slice of a covariance fit.

    Where the model is not identified its numbers are one choice of many, and nothing else is said about them. Moments
    do not tell whether LMS is identified: it looks at more than them.
    """
    place = _place(est, cell)
    beyond = getattr(est.settings, "interaction", "") == "lms" and any(c.product_of for c in est.model.constructs)
    unknown = [] if beyond else identification.of_model(fit, cell, place)
    if unknown:
        return unknown + identification.of_size(fit, cell, place)
    lost = None if est.convergence.converged[cell] else est.convergence.reasons.get(cell, NO_SOLUTION)
    out = of_search(fit, lost, cell, place)
    out += identification.of_data(fit, cell, place) if lost is None and not beyond else []
    rows = rows_of(fit, cell)
    for g in range(len(fit.groups)):
        here = _place(est, cell, fit.groups[g].name)
        pairs = pairs_of(fit, cell, g)
        out += of_variances(fit, rows, cell, g, here)
        out += of_matrices(fit, rows, pairs, cell, g, here)
        for e in equations_of(fit, rows, cell, g):
            out += of_equation(e, cell, here, partial(weakest, fit, cell, g, (e.outcome, *e.predictors)))
        out += of_pairs(pairs, cell, here)
    out += of_bounds(fit, cell, place)
    out = _with_items(est, fit, cell, out) if trial and not beyond else out
    return out + identification.of_size(fit, cell, place)


def _with_items(est: Estimate, fit: Fitted, cell: int, found: list[Finding]) -> list[Finding]:
    """Findings of a cell with the items that bring them about, and what the model leaves out."""
    ill = any(f.severity != "fine" for f in found)
    groups = range(len(fit.groups))
    changes = [changes_of(est, cell, g) for g in groups]
    places = [_place(est, cell, group.name) for group in fit.groups]
    culprits = [c for g in groups for c in of_items(fit, cell, g, places[g], changes[g], ill=ill)]
    out = settled(est, cell, found, culprits, _improper)
    at = {place: g for g, place in enumerate(places)}
    spared = {id(f) for f in found}
    return [
        freed(est, cell, at[f.place], f, changes[at[f.place]], _improper)
        if "HEYWOOD" in f.code and id(f) in spared
        else f
        for f in out
    ]


def _improper(est: Estimate) -> list[Finding]:
    """Findings of the first cell without those about items."""
    return _findings(est, 0, trial=False)


def _curable(est: Estimate, found: list[Finding]) -> set[int]:
    """Cells in which a free variance is negative."""
    fit = est.extra.get("sem")
    if not isinstance(fit, Fitted):
        return set()
    cells = {f.cell for f in found if f.code in {"E-HEYWOOD", "W-HEYWOOD"}}
    free = fit.layout.table.index
    return {
        c
        for c in cells
        if any(free[at] >= 0 for g in range(len(fit.groups)) for at in negative(fit, rows_of(fit, c), c, g))
    }


def _lost(found: list[Finding]) -> set[int]:
    """Cells whose search did not settle although the model is identified."""
    cells = {f.cell for f in found if f.code == "E-CONVERGE"}
    return cells - {f.cell for f in found if f.code == "E-IDENT"}


def _withheld(est: Estimate, found: tuple[Finding, ...]) -> dict[int, Reason]:
    """Cell -> why its paths are withheld."""
    if not est.model.paths:
        return {}
    out: dict[int, Reason] = {}
    for f in found:
        if f.severity == "error" and (f.code in WITHHOLD or not np.isfinite(est.values[f.cell]).any()):
            said = Text(f"{f.what.en} {f.cause.en}".strip(), f"{f.what.zh}{f.cause.zh}")
            out.setdefault(f.cell, reason(f.code, said.en, said.zh))
    return out


def _place(est: Estimate, cell: int, group: str = "") -> str:
    """Cell and group in words."""
    cells = cells_of(est)
    named = [str(cells[name][cell]) for name in cells.columns if name != "n"]
    return ", ".join([*named, group] if group else named)


@text.register
def _(value: Diagnosis, lang: str = "en") -> str:
    """One paragraph per finding, told once for all its cells."""
    title = Text("Diagnosis", "解的诊断").say(lang)
    if not value.findings:
        fine = Text("nothing improper was found.", "未发现异常。").say(lang)
        return f"{title}: {fine}" if lang == "en" else f"{title}：{fine}"
    return "\n".join([title, *(f"{g.code}  {g.say(lang)}" for g in value.gathered)])
