"""Whether constructs are distinct, go with what they should, and owe nothing to how they were asked."""
