# Called by mixed_models.py.
# Rscript mixed_models.R export FILE: InstEval of lme4 as CSV.
# Rscript mixed_models.R fit FILE FORMULA TIMES: median processor seconds of lme4's fit.
suppressMessages(library(lme4))
a <- commandArgs(TRUE)
if (a[1] == "export") {
  write.csv(InstEval[c("s", "d", "service", "dept", "y")], a[2], row.names = FALSE, quote = FALSE)
} else {
  d <- read.csv(a[2], stringsAsFactors = TRUE)
  for (v in intersect(c("s", "d", "dept", "service"), names(d))) d[[v]] <- factor(d[[v]])
  seconds <- replicate(as.integer(a[4]), sum(system.time(lmer(as.formula(a[3]), d))[c(1, 2)]))
  cat(median(seconds))
}
