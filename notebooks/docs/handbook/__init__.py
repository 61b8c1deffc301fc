"""The documentation site: prose in two languages, and pages made from the catalogue, cards, parsers and docstrings."""
