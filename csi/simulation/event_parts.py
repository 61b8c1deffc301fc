"""The parts of a recipe about people who answer again and about what happens to them: tables of events.

Scores are 0-100, the mean of a construct's items as they were answered; days are those of the waves (2026Q1).
"""

from __future__ import annotations

from datetime import date

from pydantic import Field

from csi.simulation.parts import Part, TopicPart


class FlagPart(TopicPart):
    """A question answered 0 or 1 about something done to customers chosen by lot, such as a training.

    `share` of the customers have it from the wave `since` on; `lifts`: points on a construct or item from then on.
    """

    name: str
    of: str = Field(default="", alias="construct")
    scale: str
    share: float = Field(gt=0, lt=1)
    since: str
    lifts: dict[str, float] = Field(default_factory=dict)


class PanelPart(Part):
    """The same people in every wave.

    `again`: correlation of a person's responses between waves, beyond what moves their levels. `returning`: share of
    the people who answer in each wave after the first. `moves`: stage -> shares of the stages a wave later.
    """

    again: float = Field(ge=0, lt=1)
    returning: float = Field(default=1.0, gt=0, le=1)
    moves: dict[str, dict[str, float]] = Field(default_factory=dict)
    flags: tuple[FlagPart, ...] = ()


class TouchpointPart(Part):
    """A touchpoint: share of customers who meet it (`reach`), mean score, stage of the journey."""

    reach: float = Field(gt=0, le=1)
    mean: float
    stage: str = ""


class ContactsPart(Part):
    """Contacts in the order of the touchpoints; scores rounded into `min` to `max`.

        score = mean of the touchpoint + pull x (score of `follows` - centre) / 10 + normal error of `sd`

    `waves`: those that the table holds (all, without). What a recipe's outcomes may name: `contact_mean`,
    `contact_peak`, `contact_end` (0-100; `centre` without contact).
    """

    follows: str
    centre: float = 70.0
    pull: float = 0.3
    sd: float = Field(default=1.5, gt=0)
    min: int = 1
    max: int = 10
    waves: tuple[str, ...] = ()
    touchpoints: dict[str, TouchpointPart] = Field(min_length=1)


class RecoveryPart(Part):
    """A recovery after a failure: its share, and points that failure and recovery together move in the same wave."""

    share: float = Field(gt=0, le=1)
    lifts: dict[str, float] = Field(default_factory=dict)


class FailuresPart(Part):
    """Failures that strike customers by lot in a wave; `recovery` by lot among them; severity 1 to 5 alike often."""

    rate: float = Field(gt=0, lt=1)
    recovery: dict[str, RecoveryPart] = Field(min_length=1)


class ComplaintsPart(Part):
    """Who complains: logit P = constant + slope x score of `follows`. `handled`: share handled, by lot.

    Handling is scored `mean` plus a normal error of `sd`, rounded into `min` to `max`. `lifts`: points a wave later
    where the complaint was handled.
    """

    follows: str
    constant: float
    slope: float
    handled: float = Field(default=1.0, ge=0, le=1)
    mean: float = 6.0
    sd: float = Field(default=1.5, gt=0)
    min: int = 1
    max: int = 10
    lifts: dict[str, float] = Field(default_factory=dict)


class CasePart(Part):
    """Cases on an attribute: share of all, mean days until closed, points on it while a case stays open."""

    share: float = Field(gt=0, le=1)
    days: float = Field(gt=0)
    lift: float = 0.0


class CasesPart(Part):
    """Cases from complaints: `share` of complaints becomes one, `reopened` of the closed are opened again once.

    `sources`: where they come in. The points of an attribute hold in waves after the opening that end with it open.
    """

    share: float = Field(default=1.0, gt=0, le=1)
    reopened: float = Field(default=0.0, ge=0, le=1)
    sources: dict[str, float] = Field(default_factory=dict)
    attributes: dict[str, CasePart] = Field(min_length=1)


class TextsPart(Part):
    """Comments: logit P(writes) = constant + slope x score of `follows`; an attribute by its share, tone by its score.

    The tone is 1 with the probability expit((score - centre) / spread), else -1 (`neutral`: share without a tone).
    `english`: share in English. `coded`: how many two people scored, each off by 1 with probability `miss`.
    """

    follows: str
    constant: float
    slope: float
    english: float = Field(default=0.3, ge=0, le=1)
    neutral: float = Field(default=0.1, ge=0, lt=1)
    centre: float = 65.0
    spread: float = Field(default=8.0, gt=0)
    coded: int = Field(default=0, ge=0)
    miss: float = Field(default=0.1, ge=0, lt=1)
    attributes: dict[str, float] = Field(min_length=1)


class PurchasesPart(Part):
    """Purchases by BG/NBD from `start` to `until`: weekly rates gamma (r, alpha), leaving after each beta (a, b).

    `a: 0` nobody leaves. Customers come within `entry` days of the start. Amounts are gamma (p, v), v gamma (q, gamma).
    `tie`: correlation of the rate's normal score with that of the score of `follows` in the first wave.
    """

    start: date
    until: date
    entry: int = Field(default=90, ge=1)
    r: float = Field(gt=0)
    alpha: float = Field(gt=0)
    a: float = Field(default=0.0, ge=0)
    b: float = Field(default=1.0, gt=0)
    p: float = Field(default=6.0, gt=0)
    q: float = Field(default=4.0, gt=1)
    gamma: float = Field(default=60.0, gt=0)
    follows: str
    tie: float = Field(default=0.0, gt=-1, lt=1)


class MembersPart(Part):
    """Who joins a programme: logit P = constant + slope x normal score of the purchase rate; between two days.

    `lift`: from the day of joining on amounts are this share higher.
    """

    constant: float
    slope: float = 0.0
    first: date
    last: date
    lift: float = 0.0


class SpellsPart(Part):
    """How long customers stay, from the first day of the first wave: hazard a month exp(constant + slope x score / 10).

    The score is that of `follows` in the first wave, less `centre`.
    """

    follows: str
    constant: float
    slope: float = 0.0
    centre: float = 70.0
    until: date


class EventsPart(Part):
    """Tables of events that happen to the respondents; those that stand here are written."""

    contacts: ContactsPart | None = None
    failures: FailuresPart | None = None
    complaints: ComplaintsPart | None = None
    cases: CasesPart | None = None
    texts: TextsPart | None = None
    purchases: PurchasesPart | None = None
    members: MembersPart | None = None
    spells: SpellsPart | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        """The kinds of tables that are written."""
        asked = {k: getattr(self, k) is not None for k in type(self).model_fields if k != "failures"}
        asked["complaints"] = asked["complaints"] or self.failures is not None
        return tuple(k for k, there in asked.items() if there)
