# lme4 and lmerTest with prior weights and an offset; writes weighted.csv (small.csv with w and o) and weighted.json
library(lme4); library(lmerTest); library(jsonlite)
d <- read.csv("small.csv"); set.seed(3)
d$w <- round(runif(nrow(d), .2, 3), 3); d$o <- round(rnorm(nrow(d)), 3)
write.csv(d, "weighted.csv", row.names = FALSE)
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-14, maxeval = 1e5))
fitted <- function(reml) {
  f <- lmer(y ~ arm * time + (tnum | pid) + (1 | scenario), d, weights = w, offset = o, REML = reml, control = tight)
  s <- summary(f)$coefficients
  list(logLik = as.numeric(logLik(f)), theta = getME(f, "theta"), sigma = sigma(f), beta = fixef(f),
       se = sqrt(diag(as.matrix(vcov(f)))), df = s[, "df"])
}
writeLines(toJSON(list(reml = fitted(TRUE), ml = fitted(FALSE)), digits = 17, auto_unbox = TRUE), "weighted.json")
