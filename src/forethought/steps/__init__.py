"""One function for each step of a study: read, call, write. The command line and the flows call these."""
