# Rscript manybabies1.R trials.csv: seconds of one fit, and of its Satterthwaite table, each on a line of its own.
# Called by manybabies1.py, which prepares the trials.
suppressMessages(library(lmerTest))
d <- read.csv(commandArgs(TRUE)[1])
d$trial_type <- factor(d$trial_type, levels = c("ADS", "IDS"))
d$method <- factor(d$method, levels = c("singlescreen", "eyetracking", "hpp"))
seconds <- function(expression) system.time(expression)[["elapsed"]]
fitting <- seconds(m <- lmer(
  log_lt ~ trial_type * method + trial_type * trial_num + age_mo * trial_num + trial_type * age_mo * nae +
    (1 | subid_unique) + (1 | item) + (1 | lab), d))
inference <- seconds(coef(summary(m, ddf = "Satterthwaite")))
cat(fitting, inference, sep = "\n")
