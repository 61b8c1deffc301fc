"""Sections of a paper: what a reviewer asks for beside the numbers - sample, settings, methods, works, checklist."""
