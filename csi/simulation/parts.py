"""The parts of a recipe: what each entry of the YAML file may say."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from csi.survey.codebook import Form, MissingReason


class Part(BaseModel):
    """A part of a recipe: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScalePart(Part):
    """An answer scale and its missing codes."""

    min: int
    max: int
    missing: dict[str, MissingReason] = {}


class TopicPart(Part):
    """Labels of a heading in the questionnaire that is no construct of the population."""

    zh: str = ""
    en: str = ""


class ConstructPart(TopicPart):
    """Labels of a construct; `within` is the correlation between its items in a composite population.

    `listed` (written `as` in the file) is the construct under which the codebook lists its items, where that differs:
    what is expected of reliability is another variable than reliability as perceived, and the same construct's item.
    """

    within: float = Field(default=0.5, gt=-1, lt=1)
    listed: str = Field(default="", alias="as")


class QuestionPart(Part):
    """A question as the codebook lists it; `of` (written `construct` in the file) is what it measures."""

    name: str
    of: str = Field(default="", alias="construct")
    attribute: str = ""
    form: Form = "P"
    scale: str = ""
    reverse: bool = False
    zh: str = ""
    en: str = ""
    column: str = ""
    facet: str = ""


class ItemPart(QuestionPart):
    """An item: its question, its loading (factor) or relative weight (composite), and the shape of its answers.

    `mean` and `sd` are those of the answers where nothing moves the construct; `skew` bends the responses (.2 gives the
    long lower tail of satisfaction data, 0 none).
    """

    of: str = Field(alias="construct")
    loading: float = Field(default=0.8, gt=0, le=1)
    weight: float = Field(default=1.0, gt=0)
    mean: float
    sd: float = Field(gt=0)
    skew: float = Field(default=0.0, ge=-1, le=1)


class FormPart(Part):
    """How one form of an attribute is answered: its construct, mean and sd; the rest is the attribute's."""

    of: str = Field(alias="construct")
    mean: float
    sd: float = Field(gt=0)
    loading: float | None = Field(default=None, gt=0, le=1)


class AttributePart(TopicPart):
    """An attribute asked in several forms on one scale: an item `name_form` for each."""

    name: str
    scale: str = ""
    loading: float = Field(default=0.8, gt=0, le=1)
    skew: float = Field(default=0.0, ge=-1, le=1)
    facet: str = ""
    forms: dict[Form, FormPart] = Field(min_length=1)

    @property
    def items(self) -> tuple[ItemPart, ...]:
        """One item for every form."""
        return tuple(
            ItemPart(
                name=f"{self.name}_{form}", construct=part.of, attribute=self.name, form=form, scale=self.scale,
                zh=self.zh, en=self.en, loading=part.loading or self.loading, mean=part.mean, sd=part.sd,
                skew=self.skew, facet=self.facet,
            )
            for form, part in self.forms.items()
        )  # fmt: skip


class KanoPart(TopicPart):
    """Two questions about a feature, if it were there and if not: shares of Kano's classes (M, O, A, I, R, Q).

    Items `name_Kf` and `name_Kd`, codes 1 (like) to 5 (dislike); `of` (written `construct`) heads them.
    """

    name: str
    of: str = Field(default="", alias="construct")
    scale: str
    classes: dict[Literal["M", "O", "A", "I", "R", "Q"], float] = Field(min_length=1)


class PointsPart(Part):
    """A total shared out in steps: mean `shares` of constructs (or topics), respondents differing.

    Every step goes to a construct in proportion to `concentration` x share + steps it has already: respondents agree
    the more the larger the concentration, and the means are the shares exactly. Items `name_I`, attribute `name`.
    """

    scale: str
    total: int = Field(default=100, ge=1)
    step: int = Field(default=5, ge=1)
    concentration: float = Field(default=10.0, gt=0)
    shares: dict[str, float] = Field(min_length=2)


class ScorePart(Part):
    """A respondent's own score: the mean, over constructs, of the mean answer to their items, less `centre`."""

    constructs: tuple[str, ...] = Field(min_length=1)
    centre: float = 0.0


class OutcomePart(QuestionPart):
    """An answer that follows from other answers: `constant` plus `slopes` times scores or products of scores.

    `link` identity: plus a normal error of standard deviation `sd`, rounded into the scale. logit: 1 with the
    probability 1 / (1 + exp(-x)), else 0.
    """

    link: Literal["identity", "logit"] = "identity"
    constant: float
    slopes: dict[str, float] = {}
    sd: float = Field(default=1.0, gt=0)


class RoutePart(Part):
    """Constructs or items asked only of those for whom every condition holds.

    Conditions: a stage, a segment, a wave, `complained` (1 or 0, as the table of complaints of that wave says), a code
    answered to a question. `blank`: who is not asked has an empty cell, not the scale's code for "not_asked".
    """

    ask: tuple[str, ...] = Field(min_length=1)
    when: dict[str, tuple[str, ...]] = Field(alias="if", min_length=1)
    blank: bool = False


class MentionPart(Part):
    """How often an attribute is named unaided, and (by those who did not) when aided; shares of valence -1, 0, 1."""

    unaided: float = Field(ge=0, le=1)
    aided: float = Field(default=0.0, ge=0, le=1)
    valence: tuple[float, float, float]


class MentionsPart(Part):
    """Interviews coded by several people: how many a cell, and who codes.

    Every coder sees a mention with probability `notice`, and notes its true valence with probability `agreement`.
    """

    respondents: int = Field(ge=1)
    coders: tuple[str, ...] = Field(min_length=1)
    notice: float = Field(default=1.0, gt=0, le=1)
    agreement: float = Field(default=1.0, gt=0, le=1)
    attributes: dict[str, MentionPart] = Field(min_length=1)


class BrandPart(TopicPart):
    """A brand as it stands in the data, with its labels."""

    name: str
    focal: bool = False


class GroupPart(TopicPart):
    """A stage or a segment: population `share`, share in the `sample` (default: the same), `shift` in index points.

    `paths` (of stages) replace those of the recipe, outcome by outcome.
    """

    name: str
    share: float = Field(gt=0, le=1)
    sample: float | None = Field(default=None, gt=0, le=1)
    shift: dict[str, float] = {}
    paths: dict[str, dict[str, float]] = {}


class SizePart(Part):
    """Respondents of a cell: a whole number drawn between `least` and `most`."""

    least: int = Field(ge=1)
    most: int = Field(ge=1)


class CarelessPart(Part):
    """Shares of careless respondents: one answer throughout, clicking through in seconds, leaving at once."""

    straight_liners: float = Field(default=0.0, ge=0, lt=0.5)
    speeders: float = Field(default=0.0, ge=0, lt=0.5)
    break_offs: float = Field(default=0.0, ge=0, lt=0.5)
    seconds: int = Field(default=420, ge=90)
    speeder_seconds: int = Field(default=60, ge=20)


class MissingPart(Part):
    """Answers that are missing completely at random: `rate` per cell (`together`: of all `items` at once), and why.

    `items` are names of items or constructs; none for all.
    """

    reason: MissingReason
    rate: float = Field(ge=0, lt=1)
    items: tuple[str, ...] = ()
    together: bool = False
