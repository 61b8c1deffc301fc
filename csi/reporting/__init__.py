"""Telling: sections, figures, words, renderers. The only place that rounds, colours or writes HTML."""
