"""Composite-based estimation over a stack of moments."""
