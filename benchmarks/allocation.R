# Seconds that randomizr takes to allocate people in blocks: median of several runs.
# Arguments: a file with one block number per line, how many arms, how often.
suppressMessages(library(randomizr))
given <- commandArgs(trailingOnly = TRUE)
blocks <- scan(given[1], integer(), quiet = TRUE)
arms <- as.integer(given[2])
seconds <- replicate(as.integer(given[3]), system.time(block_ra(blocks = blocks, num_arms = arms))["elapsed"])
cat(median(seconds), "\n")
