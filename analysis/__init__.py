"""The registered analysis: models, contrasts, multiplicity, verdicts. Imported where it is used."""
