"""What happens to the respondents of a brand, wave by wave: what moves their answers, and what follows from them.

A wave goes: lifts of what happened before (and of failures now), answers, contacts, complaints, cases, comments. The
first wave also starts purchases, memberships and spells.

Letters: `n` respondents, `p` items, `g` groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from csi.moments.stack import Array, Ints
from csi.simulation.event_parts import EventsPart, PanelPart
from csi.simulation.events_bought import MOST, bought, members, purchases, rates, spells
from csi.simulation.events_said import cases, coded, complained, contacts, severity, texts
from csi.simulation.lifts import lift_of
from csi.simulation.population import Cell, Population
from csi.simulation.recipe import Recipe
from csi.simulation.streams import uniforms
from csi.survey.period import days_of

Flags = np.ndarray


@dataclass
class Lives:
    """The respondents of a brand as waves go by; filled wave by wave.

    Attributes:
        recipe, population, brand, seed: what is drawn from. tables: kind -> frames so far. handled: wave -> (n,)
            whose complaint was handled. complaining: (n,) who complained in the wave at hand. runs: cases so far.
    """

    recipe: Recipe
    population: Population
    brand: str
    seed: int
    tables: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    handled: Flags | None = None
    complaining: Flags | None = None
    runs: pl.DataFrame | None = None
    failed: Flags | None = None
    recovered: Ints | None = None

    @property
    def events(self) -> EventsPart:
        """What happens."""
        return self.recipe.events or EventsPart()

    def draw(self, wave: str, what: str, *shape: int) -> Array:
        """Uniform numbers of a purpose in a wave ("" for what lasts)."""
        return uniforms(self.seed, wave, self.brand, what, shape)

    def lift(self, cell: Cell, group: Ints, ids: list[str]) -> Array:
        """(n, p) what moves the responses of this wave: flags, complaints handled before, open cases, failures.

        Parameters:
            cell: the wave. group, ids: of n respondents.
        """
        n, wave = len(ids), cell.wave
        out = np.zeros((n, len(self.population.items)))
        panel = self.recipe.panel or PanelPart(again=0)
        for k, flag in enumerate(panel.flags):
            if self._since(wave, flag.since):
                out += self._moved(cell, group, flag.lifts, self.flagged(n)[:, k])
        said = self.events.complaints
        if said is not None and self.handled is not None:
            out += self._moved(cell, group, said.lifts, self.handled)
        out += self._waiting(cell, group, ids)
        return out + self._failing(cell, group, n)

    def flagged(self, n: int) -> Flags:
        """(n, flags) who has what was done to customers chosen by lot."""
        panel = self.recipe.panel or PanelPart(again=0)
        share = np.array([f.share for f in panel.flags])
        found: Flags = self.draw("", "flags", n, len(panel.flags)) < share if panel.flags else np.zeros((n, 0), bool)
        return found

    def flags(self, wave: str, n: int) -> Ints:
        """(n, flags) answers of 0 and 1 in a wave."""
        panel = self.recipe.panel or PanelPart(again=0)
        now = np.array([self._since(wave, f.since) for f in panel.flags], dtype=bool)
        return (self.flagged(n) & now).astype(np.int64) if len(now) else np.zeros((n, 0), dtype=np.int64)

    def terms(self, cell: Cell, answers: Ints, ids: list[str]) -> dict[str, Array]:
        """What outcomes may name of this wave's contacts, which are drawn here.

        Parameters:
            cell: the wave. answers: (n, p). ids: n.
        """
        part = self.events.contacts
        if part is None:
            return {}
        u = self.draw(cell.wave, "contacts", len(ids), len(part.touchpoints), 3)
        frame, found = contacts(part, self.score(answers, part.follows), u, ids, _first(cell.wave), cell.wave)
        if not part.waves or cell.wave in part.waves:
            self._keep("contacts", frame)
        return found

    def follow(self, cell: Cell, answers: Ints, ids: list[str]) -> None:
        """What follows from a wave's answers: complaints, cases, comments; in the first wave purchases and spells."""
        self._complain(cell, answers, ids)
        self._write(cell, answers, ids)
        if cell.wave == self.recipe.waves[0]:
            self._buy(answers, ids)
            self._stay(cell, answers, ids)

    def score(self, answers: Ints, name: str) -> Array:
        """(n,) score 0-100 of a construct, an attribute (as perceived) or an item, as it was answered."""
        places = [k for k, i in enumerate(self.recipe.rated) if name in {i.of, i.name}]
        places = places or [k for k, i in enumerate(self.recipe.rated) if i.attribute == name and i.form == "P"]
        low, high = self.population.minimum[places], self.population.maximum[places]
        found: Array = (100 * (answers[:, places] - low) / (high - low)).mean(axis=1)
        return found

    def _since(self, wave: str, since: str) -> bool:
        """Whether a wave is not before another."""
        return self.recipe.waves.index(wave) >= self.recipe.waves.index(since)

    def _moved(self, cell: Cell, group: Ints, lifts: dict[str, float], whom: Flags) -> Array:
        """(n, p) lifts of some respondents."""
        out = np.zeros((len(group), len(self.population.items)))
        for name, points in lifts.items():
            out += lift_of(self.population, cell.shift, name, points)[group] * whom[:, None]
        return out

    def _waiting(self, cell: Cell, group: Ints, ids: list[str]) -> Array:
        """(n, p) points on attributes with a case from an earlier wave that is open at the end of this one."""
        out = np.zeros((len(group), len(self.population.items)))
        part = self.events.cases
        if part is None or self.runs is None:
            return out
        last = _last(cell.wave)
        open_now = self.runs.filter(
            pl.col("opened") < _first(cell.wave), pl.col("closed").is_null() | (pl.col("closed") > last)
        )
        for attribute, own in part.attributes.items():
            if own.lift:
                whom = set(open_now.filter(attribute=attribute)["id"])
                there = np.array([i in whom for i in ids])
                out += self._moved(cell, group, {self._item(attribute): own.lift}, there)
        return out

    def _item(self, attribute: str) -> str:
        """The perception item of an attribute."""
        return next(i.name for i in self.recipe.rated if i.attribute == attribute and i.form == "P")

    def _failing(self, cell: Cell, group: Ints, n: int) -> Array:
        """(n, p) what failures of this wave and their recovery move."""
        out = np.zeros((n, len(self.population.items)))
        part = self.events.failures
        if part is None:
            return out
        u = self.draw(cell.wave, "failures", n, 2)
        self.failed = u[:, 0] < part.rate
        edges = np.cumsum([r.share for r in part.recovery.values()])
        chosen = np.minimum(np.searchsorted(edges, u[:, 1] * edges[-1], side="right"), len(edges) - 1)
        self.recovered = np.asarray(chosen, dtype=np.int64)
        for k, recovery in enumerate(part.recovery.values()):
            out += self._moved(cell, group, recovery.lifts, self.failed & (self.recovered == k))
        return out

    def _complain(self, cell: Cell, answers: Ints, ids: list[str]) -> None:
        """The wave's rows of complaints and failures, and the cases that come of them."""
        part, failures, n = self.events.complaints, self.events.failures, len(ids)
        if part is None and failures is None:
            return
        first = _first(cell.wave)
        u = self.draw(cell.wave, "complaints", n, 5)
        yes, given = np.zeros(n, dtype=bool), np.full(n, np.nan)
        if part is not None:
            yes, given = complained(part, self.score(answers, part.follows), u[:, :3])
            self.handled, self.complaining = np.isfinite(given), yes
        days = [first + timedelta(days=20 + int(60 * v)) if y else None for v, y in zip(u[:, 3], yes, strict=True)]
        columns: dict[str, object] = {"id": ids, "wave": [cell.wave] * n}
        if part is not None:
            score = pl.Series(given, dtype=pl.Float64).fill_nan(None).cast(pl.Int64)
            columns |= {
                "date": pl.Series(days, dtype=pl.Date),
                "complained": yes.astype(np.int64),
                "handled_score": score,
            }
        if failures is not None and self.failed is not None and self.recovered is not None:
            names = list(failures.recovery)
            hard = severity(u[:, 4])
            struck = self.failed.tolist()
            columns |= {
                "failure": self.failed.astype(np.int64),
                "severity": [int(s) if f else None for s, f in zip(hard, struck, strict=True)],
                "recovery": [names[k] if f else None for k, f in zip(self.recovered, struck, strict=True)],
            }
        self._keep("complaints", pl.DataFrame(columns))
        if self.events.cases is not None:
            made = cases(self.events.cases, ids, days, self.draw(cell.wave, "cases", n, 7), self._until(), cell.wave)
            self.runs = made if self.runs is None else pl.concat([self.runs, made])
            self._keep("cases", made)

    def _write(self, cell: Cell, answers: Ints, ids: list[str]) -> None:
        """The wave's comments."""
        part = self.events.texts
        if part is None:
            return
        of = {a: self.score(answers, a) for a in part.attributes}
        u = self.draw(cell.wave, "texts", len(ids), 8)
        self._keep("texts", texts(part, self.score(answers, part.follows), of, u, ids, _first(cell.wave), cell.wave))

    def _buy(self, answers: Ints, ids: list[str]) -> None:
        """Purchases and members."""
        part, club, n = self.events.purchases, self.events.members, len(ids)
        if part is None:
            return
        u = self.draw("", "purchases", n, 3)
        rate, z = rates(part, self.score(answers, part.follows), u[:, :2])
        first = np.floor(u[:, 2] * part.entry)
        days, _ = bought(part, rate, self.draw("", "visits", n, 1 + 2 * MOST), first)
        joined, lift = np.full(n, np.nan), 0.0
        if club is not None:
            joined, lift = members(club, part.start, z, first, self.draw("", "members", n, 2)), club.lift
            who = np.flatnonzero(np.isfinite(joined))
            when = [part.start + timedelta(days=int(joined[k])) for k in who]
            kinds = {"id": pl.String, "joined": pl.Date}
            self._keep("members", pl.DataFrame({"id": [ids[k] for k in who], "joined": when}, schema=kinds))
        amounts = self.draw("", "amounts", n, 2 + MOST)
        self._keep("purchases", purchases(part, ids, days, amounts, joined, lift))

    def _stay(self, cell: Cell, answers: Ints, ids: list[str]) -> None:
        """Spells."""
        part = self.events.spells
        if part is not None:
            u = self.draw("", "spells", len(ids))
            self._keep("spells", spells(part, _first(cell.wave), ids, self.score(answers, part.follows), u))

    def _until(self) -> date:
        """The last day of the last wave."""
        return _last(self.recipe.waves[-1])

    def _keep(self, kind: str, frame: pl.DataFrame) -> None:
        """A frame more of a kind."""
        self.tables.setdefault(kind, []).append(frame)


def tables_of(lives: list[Lives], recipe: Recipe, seed: int) -> dict[str, pl.DataFrame]:
    """The tables of all brands, one frame a kind."""
    out = {}
    for kind in recipe.events.tables if recipe.events else ():
        frame = pl.concat([f for life in lives for f in life.tables.get(kind, [])])
        part = recipe.events.texts if recipe.events else None
        if kind == "texts" and part is not None and part.coded:
            frame = coded(frame, part, uniforms(seed, "", "", "codes", (part.coded, 2, 2)))
        out[kind] = frame
    return out


def _first(wave: str) -> date:
    """The first day of a wave."""
    found = days_of(wave)
    return found[0] if found else date(2026, 1, 1)


def _last(wave: str) -> date:
    """The last day of a wave."""
    found = days_of(wave)
    return found[1] if found else date(2026, 12, 31)
