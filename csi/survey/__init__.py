"""What was asked and answered: codebook, panel, readers, rules."""
