#!/usr/bin/env bash
# Two studies from protocol to report: sleepstudy (real data) and Lend an Ear (simulated participants).
# Run by `make demo`; needs the environment that make builds. Everything lands in demo/, made anew.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

rm -rf demo
mkdir demo

step() { printf '\n== %s\n' "$*" >&2; }

step "sleepstudy: a mixed model on real data, its numbers beside lme4's"
forethought init demo/sleepstudy --from sleepstudy
forethought import demo/sleepstudy demo/sleepstudy/inbox/sleepstudy.csv --as responses
forethought analyze demo/sleepstudy
forethought report demo/sleepstudy

# One Prefect server serves the three launches; without it, each would start its own.
step "Starting a Prefect server on this machine"
export PREFECT_HOME="${XDG_CACHE_HOME:-$HOME/.cache}/forethought/prefect"
export DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false PREFECT_SERVER_LOGGING_LEVEL=CRITICAL
mkdir -p "$PREFECT_HOME"
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
prefect server start --host 127.0.0.1 --port "$port" --no-ui >demo/server.log 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
export PREFECT_API_URL="http://127.0.0.1:$port/api"
python - "$PREFECT_API_URL/health" <<'PYTHON'
import sys, time, urllib.error, urllib.request

deadline = time.monotonic() + 90
while True:
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=2):
            break
    except (urllib.error.URLError, OSError):
        if time.monotonic() > deadline:
            sys.exit("The Prefect server did not answer within 90 seconds; see demo/server.log.")
        time.sleep(0.5)
PYTHON

study=demo/lend_an_ear
step "Lend an Ear: the plan, locked with a committed seed"
forethought init "$study" --from lend_an_ear
printf '%s\n' 6c656e64616e6561722d64656d6f2d736565642d6e6f742d612d736563726574 >demo/seed.txt
forethought lock "$study" --seed-file demo/seed.txt

step "Recruits arrive; the first launch imports, allocates and schedules them"
forethought simulate "$study" --seed 15245
forethought launch "$study"
forethought assignments "$study" demo/assignments.csv

step "They hold their conversations; the second launch scores and analyses them, blinded"
forethought simulate "$study" --seed 15245
forethought launch "$study"

step "The gate: tables frozen, arms unblinded; the third launch reports them"
forethought freeze "$study"
forethought unblind "$study" --by "demo" --reason "All planned participants have finished."
forethought launch "$study"
