"""The practice: the published index, its waves, changes and tests."""
