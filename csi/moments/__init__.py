"""What the answers say together: stacks of first and second moments."""
