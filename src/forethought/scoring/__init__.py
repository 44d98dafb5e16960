"""From raw ratings and answers to the outcomes that the protocol names; see `outcomes`.

What is missing stays missing, and a value outside its scale is refused: nothing is filled in, nothing clipped.
"""
