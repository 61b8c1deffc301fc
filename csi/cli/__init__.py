"""The command line: the only place that parses arguments, prints or exits. One file per verb, loaded when asked for."""

from __future__ import annotations

from csi.cli.shell import main

__all__ = ["main"]
