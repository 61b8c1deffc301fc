"""Items of a questionnaire: how each was answered, how it goes with the others, which can be spared."""
