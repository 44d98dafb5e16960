"""How chance is made and spent: who gets which arm, by every method, from a secret seed; and what follows from a design.

Chance:
    streams, words            64-bit words from a secret seed and a purpose; a few, or many at once
Who comes:
    strata, arrivals          the stratum of a participant; all that a method may look at
What decides:
    weights, minimization     from counts to the arms' weights, which are whole numbers
    block_contents            what a block may hold, and how likely that is
    margins, caps, open_places, stratum_state    what a stratum and a wave hold so far
    replicates                the engine: many courses of a design side by side, weights out, arms in
Who gets which arm:
    allocating                one function for every design: `allocate`, and exact `probabilities`
    sequence                  one unit after the other, each draw with all that it followed from
    permuted_blocks           the blocks of many strata at once
    rerandomization, covariates, closeness    those who wait, together, until the arms are alike
    first_blocks              the first release's blocks, which its studies go on with
    sealed_list               a list drawn ahead, each place sealed by itself
    placebo                   a new draw from the design, for reports before unblinding
    order                     each participant's own order of the materials
Afterwards:
    replay, explanation       what the revealed seed gives, beside what was recorded; and why
    recorded, walk, redraws, block_redraws, rerandomization_redraws, enumeration
                              every other allocation that the design could have given
    balance, imbalance        whether the arms' numbers are what the design lets them be
    predictability, guesses   how often the next arm is guessed

Nothing here reads a file, a clock or the operating system's randomness: seeds and arrivals are arguments.
"""
