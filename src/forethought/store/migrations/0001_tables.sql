-- The tables of a study. Times are UTC. Primary keys make every write safe to repeat.
-- No foreign keys: DuckDB refuses to alter a table that one points to; `relations.py` checks them.

CREATE TABLE meta (
    key VARCHAR PRIMARY KEY,
    value VARCHAR NOT NULL
);

CREATE TABLE waves (
    wave INTEGER PRIMARY KEY,
    opens_at TIMESTAMP NOT NULL,
    target INTEGER NOT NULL CHECK (target >= 1),
    closed_at TIMESTAMP
);

CREATE TABLE participants (
    participant_id VARCHAR PRIMARY KEY,
    wave INTEGER NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('eligible', 'excluded', 'observed')),
    service_status VARCHAR,
    arrived_at TIMESTAMP
);

CREATE TABLE exclusions (
    participant_id VARCHAR,
    stage VARCHAR CHECK (stage IN ('eligibility')),
    position INTEGER NOT NULL,
    criterion VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    excluded_at TIMESTAMP NOT NULL,
    PRIMARY KEY (participant_id, stage)
);

CREATE TABLE allocations (
    participant_id VARCHAR PRIMARY KEY,
    wave INTEGER NOT NULL,
    arm VARCHAR NOT NULL,
    probability DOUBLE NOT NULL CHECK (probability > 0 AND probability <= 1),
    stratum VARCHAR NOT NULL,
    block INTEGER NOT NULL,
    position INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    algorithm VARCHAR NOT NULL,
    allocated_at TIMESTAMP NOT NULL,
    UNIQUE (wave, stratum, block, position)
);

CREATE TABLE sessions (
    participant_id VARCHAR,
    session VARCHAR,
    position INTEGER NOT NULL,
    stimulus VARCHAR,
    opens_at TIMESTAMP NOT NULL,
    target_at TIMESTAMP NOT NULL,
    closes_at TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('planned', 'done', 'out_of_window', 'missed')),
    held_at TIMESTAMP,
    PRIMARY KEY (participant_id, session)
);

CREATE TABLE responses (
    record_id VARCHAR,
    item VARCHAR,
    participant_id VARCHAR,
    session VARCHAR,
    value VARCHAR NOT NULL,
    raw_row_id VARCHAR NOT NULL,
    PRIMARY KEY (record_id, item)
);

CREATE TABLE conversations (
    conversation_id VARCHAR PRIMARY KEY,
    participant_id VARCHAR NOT NULL,
    session VARCHAR NOT NULL,
    stimulus VARCHAR,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    messages INTEGER NOT NULL
);

CREATE TABLE messages (
    conversation_id VARCHAR,
    number INTEGER,
    role VARCHAR NOT NULL CHECK (role IN ('participant', 'partner')),
    text VARCHAR NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    PRIMARY KEY (conversation_id, number)
);

CREATE TABLE ratings (
    conversation_id VARCHAR,
    rater VARCHAR,
    outcome VARCHAR,
    value DOUBLE NOT NULL,
    PRIMARY KEY (conversation_id, rater, outcome)
);

CREATE TABLE scores (
    participant_id VARCHAR,
    session VARCHAR,
    outcome VARCHAR,
    scorer VARCHAR,
    version VARCHAR,
    value DOUBLE NOT NULL,
    PRIMARY KEY (participant_id, session, outcome, scorer, version)
);

CREATE TABLE findings (
    analysis VARCHAR,
    number INTEGER,
    hypothesis VARCHAR,
    model VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    contrast VARCHAR NOT NULL,
    estimate DOUBLE,
    se DOUBLE,
    df DOUBLE,
    statistic DOUBLE,
    p DOUBLE,
    p_adjusted DOUBLE,
    ci_low DOUBLE,
    ci_high DOUBLE,
    effect_size DOUBLE,
    ci_level DOUBLE,
    smallest_effect DOUBLE,
    n INTEGER,
    n_by_arm VARCHAR,
    population VARCHAR NOT NULL,
    estimand VARCHAR,
    family VARCHAR,
    role VARCHAR NOT NULL,
    registered BOOLEAN NOT NULL,
    confirmatory BOOLEAN NOT NULL,
    blinded BOOLEAN NOT NULL,
    simulated BOOLEAN NOT NULL,
    wave INTEGER,
    verdict VARCHAR,
    warnings VARCHAR NOT NULL,
    PRIMARY KEY (analysis, number)
);

CREATE TABLE deviations (
    deviation_id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    planned VARCHAR NOT NULL,
    done VARCHAR NOT NULL,
    class VARCHAR NOT NULL,
    detected_at TIMESTAMP NOT NULL
);

CREATE TABLE raw_rows (
    raw_row_id VARCHAR PRIMARY KEY,
    file_sha256 VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    row_number INTEGER NOT NULL,
    imported_at TIMESTAMP NOT NULL,
    disposition VARCHAR NOT NULL CHECK (disposition IN ('kept', 'quarantined')),
    row_hash VARCHAR NOT NULL
);

CREATE TABLE payloads (
    raw_row_id VARCHAR PRIMARY KEY,
    participant_id VARCHAR,
    nonce BLOB NOT NULL,
    ciphertext BLOB NOT NULL
);

CREATE TABLE quarantine (
    raw_row_id VARCHAR,
    column_name VARCHAR,
    value VARCHAR,
    reason VARCHAR NOT NULL,
    quarantined_at TIMESTAMP NOT NULL,
    PRIMARY KEY (raw_row_id, column_name)
);

-- `recorded_at`, not `at`: that is a keyword of DuckDB 2.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    recorded_at TIMESTAMP NOT NULL,
    actor VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    previous VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);
