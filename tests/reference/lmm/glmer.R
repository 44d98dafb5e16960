# Rscript glmer.R: generalised mixed models by lme4's glmer, to glmer.json. The CSVs lie beside this script.
# `default` is glmer's fit at its own tolerances. `tight` fits it again from there, twice, with PIRLS to 1e-13 and
# BOBYQA to 1e-10; its `se` is from second differences of glmer's own deviance function by (theta, beta), of fourth
# order and extrapolated, and its `se_lme4` from glmer's own differences, those of vcov(), at the same optimum.
suppressMessages({library(lme4); library(jsonlite)})

second_differences <- function(f, x, h) {
  p <- length(x); H <- matrix(0, p, p); f0 <- f(x)
  for (i in 1:p) for (j in i:p) {
    ei <- replace(numeric(p), i, h[i]); ej <- replace(numeric(p), j, h[j])
    H[i, j] <- H[j, i] <- if (i == j) (-f(x + 2 * ei) + 16 * f(x + ei) - 30 * f0 + 16 * f(x - ei) - f(x - 2 * ei)) / (12 * h[i]^2)
      else (f(x + ei + ej) - f(x + ei - ej) - f(x - ei + ej) + f(x - ei - ej)) / (4 * h[i] * h[j])
  }
  H
}
hessian <- function(f, x, h) (4 * second_differences(f, x, h / 2) - second_differences(f, x, h)) / 3

numbers <- function(fit) list(theta = I(as.numeric(getME(fit, "theta"))), beta = I(as.numeric(fixef(fit))),
  names = I(names(fixef(fit))), se = I(as.numeric(sqrt(diag(as.matrix(vcov(fit)))))),
  criterion = as.numeric(-2 * logLik(fit)), AIC = AIC(fit), BIC = BIC(fit), singular = isSingular(fit))

tight <- function(formula, data, family, start, weights, offset) {
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, check.conv.grad = "ignore", check.conv.hess = "ignore",
    optCtrl = list(rhobeg = 2e-3, rhoend = 1e-10, maxfun = 20000), check.conv.singular = "ignore")
  for (time in 1:2) {
    fit <- do.call(glmer, list(formula, data, family, control = control, start = start, weights = weights, offset = offset))
    start <- list(theta = getME(fit, "theta"), fixef = fixef(fit))
  }
  found <- numbers(fit)
  found$se_lme4 <- found$se
  f <- do.call(glmer, list(formula, data, family, control = control, start = start, weights = weights, offset = offset, devFunOnly = TRUE))
  x <- c(found$theta, found$beta)
  H <- hessian(f, x, 4e-3 * pmax(abs(x), 0.2))
  V <- 2 * solve(H)
  own <- -seq_along(found$theta)
  found$se <- I(sqrt(diag(V)[own])); found$vcov <- V[own, own, drop = FALSE]
  found$modes <- lapply(ranef(fit, condVar = FALSE), as.matrix)
  found
}

model <- function(name, formula, data, family, weights = NULL, offset = NULL) {
  seconds <- system.time(fit <- suppressWarnings(do.call(glmer, list(formula, data, family, weights = weights, offset = offset))))[[3]]
  default <- numbers(fit)
  best <- tight(formula, data, family, list(theta = pmax(default$theta, 0), fixef = fixef(fit)), weights, offset)
  cat(name, seconds, "s; criterion", default$criterion, best$criterion, "theta", best$theta, "\n")
  list(formula = deparse1(formula), default = default, tight = best)
}

study <- read.csv("study1.csv", stringsAsFactors = TRUE)
small <- read.csv("small.csv", stringsAsFactors = TRUE)
cbpp <- read.csv("cbpp.csv", colClasses = c(period = "factor", herd = "factor"))
out <- list(
  binary = model("binary", ybin ~ arm * time + (1 | pid) + (1 | scenario), study, binomial),
  counts = model("counts", ycount ~ arm * time + (1 | pid) + (1 | scenario), study, poisson),
  cbpp = model("cbpp", incidence / size ~ period + (1 | herd), cbpp, binomial, weights = cbpp$size),
  binary_slope = model("binary_slope", ybin ~ arm + tnum + (tnum | scenario), study, binomial),
  counts_slopes = model("counts_slopes", ycount ~ arm * tnum + (tnum | pid) + (1 | scenario), study, poisson),
  counts_uncorrelated = model("counts_uncorrelated", ycount ~ arm * tnum + (1 | pid) + (tnum || scenario), study, poisson),
  counts_offset = model("counts_offset", ycount ~ arm + offset(log(conv + 1)) + (1 | pid), study, poisson),
  small_counts = model("small_counts", ycount ~ arm + (1 | pid) + (1 | scenario), small, poisson),
  small_binary = model("small_binary", ybin ~ time + (1 | pid) + (1 | scenario), small, binomial))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, force = TRUE), "glmer.json")
