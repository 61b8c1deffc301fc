"""Item response theory: categories along a latent dimension."""
