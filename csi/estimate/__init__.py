"""The contract of engines: a model and moments in, an estimate out."""
