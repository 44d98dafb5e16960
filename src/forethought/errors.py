"""The error tree. Every error a user can cause is a sentence of three parts: where, what, what to do.

    ForethoughtError
    ├── WrongUsage             2   the command line asks for something that is not there
    ├── ProtocolInvalid       10   the protocol says something impossible, or not enough
    │   └── InvalidFormula    10   a model formula that does not parse
    ├── NotLocked             11   no registration, or one that does not fit protocol or materials
    ├── DataRefused           12   an input file or row that cannot be taken
    ├── GateClosed            13   blinded, not allocated yet, simulated rows for a real study
    ├── DatabaseInUse         14   another process holds the database
    ├── ModelNotFitted        15   a model could not be fitted
    └── VerificationFailed    20   what was checked is not what was claimed

Anything else that is raised is our own fault and ends with exit code 1.
"""

from typing import ClassVar


class ForethoughtError(Exception):
    """A user's mistake or a closed gate: `where: what. What to do.`

    `where` is a path, a `file:line` or a noun of the study; `what` and `remedy` are sentences without
    their full stop.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, where: str, what: str, remedy: str) -> None:
        super().__init__(where, what, remedy)
        self.where = where
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}."


class WrongUsage(ForethoughtError):
    """The command line names something that does not exist or cannot be done."""

    exit_code = 2


class ProtocolInvalid(ForethoughtError):
    """The protocol cannot be used; `problems` holds every problem found, one line each."""

    exit_code = 10

    def __init__(self, where: str, what: str, remedy: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(where, what, remedy)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems) if self.problems else super().__str__()


class InvalidFormula(ProtocolInvalid):
    """A model formula that the grammar does not know; `where` shows it with a caret, and ends with the column."""

    def __str__(self) -> str:
        """The formula last, on lines of its own: a traceback has the error's name before the first."""
        *marked, place = self.where.split("\n")
        return "\n".join((f"{place}: {self.what}. {self.remedy}.", *marked))


class NotLocked(ForethoughtError):
    """The study has no registration, or its protocol or materials are not those registered."""

    exit_code = 11


class DataRefused(ForethoughtError):
    """An input file that cannot be imported; nothing of it was written."""

    exit_code = 12


class GateClosed(ForethoughtError):
    """The step would open something that is still closed: arms, allocation, enrolment, real data."""

    exit_code = 13


class DatabaseInUse(ForethoughtError):
    """Another process holds the study's database."""

    exit_code = 14


class ModelNotFitted(ForethoughtError):
    """A model could not be fitted to the data."""

    exit_code = 15


class VerificationFailed(ForethoughtError):
    """A check of the study's integrity found something that is not as claimed."""

    exit_code = 20
