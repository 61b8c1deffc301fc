"""What customers say they will do, and do: recommendation and its kin."""
