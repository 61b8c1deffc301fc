"""How many dimensions answers have, and which items belong together: correlations, adequacy, number of factors, EFA."""
