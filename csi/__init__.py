"""Satisfaction indices: from a survey export to a report with uncertainty."""
