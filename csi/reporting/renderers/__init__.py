"""Office documents, PDF and LaTeX of a report: each a function from a `Report` and a language to the file's bytes."""
