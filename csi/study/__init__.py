"""The study file: binds panel, codebook, model, settings, waves and report options; validates them together."""

from csi.study.panel import read_panel, read_study_panel
from csi.study.study import Study, read_study

__all__ = ["Study", "read_panel", "read_study", "read_study_panel"]
