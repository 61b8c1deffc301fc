"""A model card run on a panel: everything a competent analyst reports of it."""
