"""The study file: binds panel, codebook, model, settings, waves and report options; validates them together."""
