"""How consistently people answer the items of a scale, at two times, or as several raters."""
