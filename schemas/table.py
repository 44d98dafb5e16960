"""What the models of all tables share."""

import pandera.pandas as pa

NAME = {"min_value": 1}
"""The length of a text that names something."""


class Table(pa.DataFrameModel):
    """A table: exactly the named columns, in their types."""

    class Config:
        strict = True
        coerce = True
