"""The models of expectation a study can run, one file each: from answers to a section, printed by the verb as well."""

from csi.reporting.methods.blanks import blank_of
from csi.reporting.methods.library import METHODS, allowed, method_of, methods_of, own_methods, run_method
from csi.reporting.methods.method import Method, Need, Tell

__all__ = [
    "METHODS",
    "Method",
    "Need",
    "Tell",
    "allowed",
    "blank_of",
    "method_of",
    "methods_of",
    "own_methods",
    "run_method",
]
