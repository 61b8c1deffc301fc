"""Third-party numerics, one adapter each; the third party is imported inside its adapter and nowhere else."""
