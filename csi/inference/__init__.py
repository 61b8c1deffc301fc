"""Resampling, intervals and tests over stacks."""
