"""The wave as Prefect flows: each reads, calls a step, and returns counts. A flow does not think."""
