"""How chance is made and spent: secret streams, permuted blocks, the placebo allocation, orders of materials.

    streams    64-bit words from a secret seed and a purpose; drawing below n; shuffling
    strata     the stratum of a participant, or why there is none
    blocks     permuted blocks: the arm, and the probability it had, of each arrival
    placebo    a new draw from the registered design, for reports before unblinding
    order      each participant's own order of the materials
    records    assignments as rows of the table `allocations`
    replay     the rows of recorded allocations that the revealed seed does not give

Nothing here reads a file, a clock or the operating system's randomness: seeds and arrivals are arguments.
"""
