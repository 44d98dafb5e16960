-- Allocation by any method. Probability, block and position are told once a wave is unblinded: before that they would
-- tell the next arm. That a wave's arrivals are 1, 2, ... is seen to by whoever adds some (`store.allocations`): a second
-- index takes as long as all the rest of a million rows. A table that is altered is copied, since DuckDB does not alter
-- columns under an index.

CREATE TABLE allocations_2 (
    participant_id VARCHAR PRIMARY KEY,
    wave INTEGER NOT NULL,
    arm VARCHAR NOT NULL,
    probability DOUBLE CHECK (probability > 0 AND probability <= 1),
    stratum VARCHAR NOT NULL,
    block INTEGER,
    position INTEGER,
    arrival INTEGER NOT NULL,
    algorithm VARCHAR NOT NULL,
    allocated_at TIMESTAMP NOT NULL,
    unit VARCHAR,
    batch INTEGER,
    replaces VARCHAR
);

INSERT INTO allocations_2
SELECT participant_id, wave, arm, probability, stratum, block, position, arrival, algorithm, allocated_at,
       NULL, NULL, NULL
FROM allocations;

DROP TABLE allocations;

ALTER TABLE allocations_2 RENAME TO allocations;

-- From the allocation with this arrival number of the wave on, a person's place counts towards balance, or does not.
CREATE TABLE counting (
    participant_id VARCHAR,
    wave INTEGER NOT NULL,
    from_arrival INTEGER,
    counts BOOLEAN NOT NULL,
    reason VARCHAR NOT NULL,
    decided_at TIMESTAMP NOT NULL,
    PRIMARY KEY (participant_id, from_arrival)
);

-- What was found to be wrong, beside what was recorded: nothing is overwritten.
CREATE TABLE corrections (
    correction_id VARCHAR PRIMARY KEY,
    participant_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('randomised_in_error', 'wrong_value', 'randomised_twice', 'not_counted')),
    item VARCHAR,
    original VARCHAR,
    corrected VARCHAR,
    first_participant VARCHAR,
    made_by VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    corrected_at TIMESTAMP NOT NULL
);

-- A list drawn ahead: each record sealed by itself, its key in `secrets/`.
CREATE TABLE sealed_list (
    wave INTEGER,
    stratum VARCHAR,
    place INTEGER,
    nonce BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    PRIMARY KEY (wave, stratum, place)
);
