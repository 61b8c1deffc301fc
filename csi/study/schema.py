"""The keys of a study file, with their types: what pydantic holds them to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from csi.study.schema_estimate import BootstrapForm, EstimateForm, ModelForm, OptionsForm, _switched
from csi.study.schema_survey import (
    BrandForm,
    FileForm,
    KeysForm,
    Label,
    Labelled,
    Part,
    ReplicatesForm,
    RulesForm,
    StageForm,
    TableForm,
    WavesForm,
    _named_file,
)
from csi.study.schema_telling import (
    AlertForm,
    ComparabilityForm,
    IndexForm,
    RatesForm,
    ReportForm,
    TargetForm,
    TreeForm,
    ValidationForm,
    ViewForm,
)
from csi.study.schema_weights import WeightsForm


class StudyForm(Part):
    """A whole study file, but for the codebook, which may stand in a file of its own."""

    csi: Literal["1"]
    study: str
    title: Labelled = Label()
    sector: Labelled = Label()
    language: Literal["zh", "en"] = "en"
    data: list[FileForm] = Field(min_length=1)
    keys: KeysForm = KeysForm()
    waves: WavesForm = WavesForm()
    brands: list[BrandForm] = []
    stages: list[StageForm] = []
    segments: list[StageForm] = []
    model: ModelForm
    models: dict[str, Annotated[OptionsForm | None, BeforeValidator(_switched)]] = {}
    tables: dict[str, Annotated[TableForm, BeforeValidator(_named_file)]] = {}
    estimate: EstimateForm = EstimateForm()
    rules: RulesForm = RulesForm()
    index: IndexForm = IndexForm()
    rates: RatesForm | None = None
    tree: TreeForm | None = None
    bootstrap: BootstrapForm = BootstrapForm()
    replicate_weights: ReplicatesForm | None = None
    weights: WeightsForm | None = None
    comparability: ComparabilityForm = ComparabilityForm()
    report: ReportForm = ReportForm()
    validation: ValidationForm = ValidationForm()
    targets: list[TargetForm] = []
    views: ViewForm = ViewForm()
    alerts: list[AlertForm] = []
