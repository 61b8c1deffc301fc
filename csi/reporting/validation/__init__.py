"""The report of a questionnaire's validation: a function per section, from a `Validation` to a `Section`."""
