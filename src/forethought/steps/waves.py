"""The wave that a command names."""

from forethought.errors import WrongUsage
from forethought.protocol.protocol import Protocol


def check_wave(protocol: Protocol, wave: int) -> None:
    """WrongUsage where the protocol has no such wave."""
    numbers = [one.number for one in protocol.waves]
    if wave not in numbers:
        listed = ", ".join(str(number) for number in numbers)
        raise WrongUsage(f"--wave {wave}", "the protocol has no such wave", f"Choose one of {listed}")
