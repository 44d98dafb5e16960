"""Every SQL statement, the DuckDB file and the secrets beside it.

One process writes at a time, for as short as it can: `with writing(folder) as con:` is one transaction.
"""
