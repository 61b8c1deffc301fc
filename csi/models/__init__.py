"""What we claim: constructs, models, lavaan text, model cards."""
