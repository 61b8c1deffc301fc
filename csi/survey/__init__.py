"""What was asked and answered: codebook, panel, readers, rules."""

from csi.survey.datafile import DataFile
from csi.survey.read import read_panel
from csi.survey.rules import Rules

__all__ = ["DataFile", "Rules", "read_panel"]
