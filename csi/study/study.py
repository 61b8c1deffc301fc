"""The study file as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self, cast, get_args

from csi.errors import Language, Problems, Text, one_of, problem, whole
from csi.estimate.given import check_kind
from csi.models.model import Model
from csi.study.options import Options
from csi.study.panel import read_study_panel
from csi.study.read import study_fields
from csi.study.settings import BreakSaid, Event, IndexErrors, Settings, TableSaid
from csi.study.tables import events_of
from csi.study.weights import WeighPlan
from csi.survey.codebook import Codebook
from csi.survey.datafile import DataFile
from csi.survey.events import Events
from csi.survey.panel import Panel
from csi.survey.rules import Rules
from csi.tracking.alerts import Alert

__all__ = ["DataFile", "Event", "Rules", "Settings", "Study", "read_study"]


@dataclass(frozen=True, slots=True)
class Study:
    """Everything one study file says.

    `models` are further models on the same answers: a name of the library, a card or a card's file -> its options; None
    where the study wants none of it. `tables` are those beside the answers: kind -> file and how it is written.
    `renamed` are other names of brands in the data -> the name here; `base_place` is where the base wave is named.
    `weighing` is what answers are raked to, and the size of the population.
    `beside` are the files that it names besides its answers: codebook, model, labels of codes.
    `respondents` is "new" where every wave asked new people, so that one respondent name in two waves is two people.
    """

    path: Path
    sha256: str
    name: str
    title: Text
    sector: Text
    language: Language
    codebook: Codebook
    data: tuple[DataFile, ...]
    waves: tuple[str, ...]
    brands: Mapping[str, Text]
    focal: str
    model: Model
    rules: Rules
    settings: Settings
    stages: Mapping[str, Text] = field(default_factory=dict)
    segments: Mapping[str, Text] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    models: Mapping[str, Options | None] = field(default_factory=dict)
    respondents: Literal["", "same", "new"] = ""
    scales: Literal["", "same"] = ""
    breaks: tuple[BreakSaid, ...] = ()
    alerts: tuple[Alert, ...] = ()
    tables: Mapping[str, TableSaid] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    base_place: str = ""
    weighing: WeighPlan | None = None
    beside: tuple[Path, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The study a YAML file describes.

        Parameters:
            path: the study file; the files it names are looked up beside it.

        Raises:
            Problems: every problem of the study file, its codebook and its model at once, with file and line.

        Example:
            >>> Study.read("no/such/study.yaml")
            Traceback (most recent call last):
            ...
            csi.errors.Problems: no/such/study.yaml: there is no file "no/such/study.yaml". Check the path, ...
        """
        return cls(**study_fields(path))

    def panel(self) -> Panel:
        """The answers of the study's files (see `csi.study.panel.read_study_panel`).

        Raises:
            Problems: everything that is wrong with the answers, with file, column, rows and values.
        """
        return read_study_panel(self)

    def table(self, kind: str) -> Events | None:
        """The events of a kind ("purchases", "contacts" ...) that the study names; None where it names none.

        Raises:
            Problems: E-EVENT for what is wrong with the table, in the study's language.
        """
        return events_of(self, kind)


def read_study(path: str | Path) -> Study:
    """The study a YAML file describes; the same as `Study.read`.

    Raises:
        Problems: every problem at once, with file and line.
    """
    return Study.read(path)


def given_study(study: Study | str | Path) -> Study:
    """The study itself, read where its file's path was given.

    Raises:
        Problems: E-SETTING for something else; what is wrong with the file.

    Example:
        >>> given_study(3)
        Traceback (most recent call last):
        csi.errors.Problems: study: a study or the path of its file was expected, not int. Give "study.yaml".
    """
    wanted = Text("a study or the path of its file", "研究或其文件路径")
    check_kind("study", study, (Study, str, Path), wanted, Text('Give "study.yaml".', '请给出 "study.yaml"。'))
    return study if isinstance(study, Study) else read_study(study)


LEAST = 100
"""Resamples below which an interval is not drawn."""


def with_errors(study: Study, replicates: int | None = None, errors: str | None = None) -> Study:
    """The study with other resamples and standard errors of the index than its own, where they are given.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> study = Study.read("data/telecom/study.yaml")
        >>> with_errors(study, 200, "fixed").settings.replicates
        200
    """
    own = study.settings
    count = own.replicates if replicates is None else replicates
    kind = own.index_errors if errors is None else errors
    found = [*whole("replicates", count), *one_of("errors", kind, get_args(IndexErrors))]
    if not whole("replicates", count) and count != own.replicates and (count < 0 or 0 < count < LEAST):
        en, zh = f"{count} resamples are too few for an interval.", f"{count} 次重抽样不足以给出区间。"
        do, do_zh = f"Use 0 for none, or {LEAST} and more.", f"请用 0（不重抽样），或至少 {LEAST} 次。"
        found.append(problem("E-SETTING", "replicates", en, zh, do, do_zh))
    if found:
        raise Problems(found)
    return replace(study, settings=replace(own, index_errors=cast("IndexErrors", kind), replicates=int(count)))
