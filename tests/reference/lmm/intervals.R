# Rscript intervals.R wrote intervals.json: lme4's ranef(condVar = TRUE), predict, confint (profile, Wald) at a tight optimum.
suppressMessages({library(lme4); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
models <- list(
  sleep_slope = list("sleepstudy", Reaction ~ Days + (Days | Subject)),
  sleep_uncorrelated = list("sleepstudy", Reaction ~ Days + (Days || Subject)),
  penicillin = list("Penicillin", diameter ~ 1 + (1 | plate) + (1 | sample)),
  machines = list("Machines", score ~ Machine + (1 | Worker/Machine)),
  small = list("small", y ~ arm * time + (1 | pid) + (1 | scenario)))
new_rows <- list(
  sleep_slope = data.frame(Days = c(0, 4.5, 20), Subject = c(308, 351, 308)),
  sleep_uncorrelated = data.frame(Days = c(0, 4.5, 20), Subject = c(308, 351, 308)),
  penicillin = data.frame(plate = c("a", "x"), sample = c("B", "F")),
  machines = data.frame(Machine = c("B", "A", "C"), Worker = c("1", "6", "3")))
out <- list()
for (name in names(models)) {
  d <- read.csv(paste0(models[[name]][[1]], ".csv"), stringsAsFactors = TRUE)
  if (name == "machines") d$Worker <- factor(d$Worker)
  if (!is.null(d$Subject)) d$Subject <- factor(d$Subject)
  f <- models[[name]][[2]]
  fit <- lmer(f, d, control = tight)
  re <- ranef(fit, condVar = TRUE)
  sds <- lapply(re, function(b) {
    v <- attr(b, "postVar")
    if (is.list(v)) return(do.call(cbind, lapply(v, function(w) sqrt(apply(w, 3, diag)))))
    s <- sqrt(apply(v, 3, diag)); if (is.null(dim(s))) matrix(s, ncol = 1) else t(s)
  })
  one <- list(formula = deparse1(f), modes = lapply(re, function(b) unname(as.matrix(b))), sds = lapply(sds, unname),
    levels = lapply(re, rownames), fitted = unname(fitted(fit)), population = unname(predict(fit, re.form = NA)))
  if (!is.null(new_rows[[name]])) {
    rows <- new_rows[[name]]
    for (v in intersect(names(rows), c("Subject", "plate", "sample", "Machine", "Worker"))) rows[[v]] <- factor(rows[[v]], levels = levels(d[[v]]))
    one$new <- unname(predict(fit, rows)); one$new_population <- unname(predict(fit, rows, re.form = NA))
  }
  pr <- suppressWarnings(profile(fit, delta = 0.05, maxpts = 400, signames = FALSE))
  ci <- confint(pr); one$profile <- list(names = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2]))
  ci90 <- confint(pr, level = .9); one$profile90 <- list(low = unname(ci90[, 1]), high = unname(ci90[, 2]))
  w <- confint(fit, method = "Wald", parm = "beta_"); one$wald <- list(names = rownames(w), low = unname(w[, 1]), high = unname(w[, 2]))
  out[[name]] <- one
}
s <- read.csv("sleepstudy.csv"); s$Subject <- factor(s$Subject)
fit <- lmer(Reaction ~ Days + (Days | Subject), s, control = tight)
unknown <- data.frame(Days = c(0, 4.5), Subject = c("new", "308"))
out$new_level <- unname(predict(fit, unknown, allow.new.levels = TRUE))
s$known <- s$Days * 2
off <- lmer(Reaction ~ Days + offset(known) + (1 | Subject), s, control = tight)
out$offset <- list(fitted = unname(fitted(off)), new = unname(predict(off, data.frame(Days = c(0, 3), known = c(5, 50), Subject = c("308", "309")))))
s$w <- rep(c(1, 2, 3), length.out = nrow(s))
wf <- lmer(Reaction ~ Days + (1 | Subject), s, weights = w, control = tight)
v <- attr(ranef(wf, condVar = TRUE)$Subject, "postVar")
# lme4's profile of weighted fixed effects is not monotonic and its limits miss; so these are roots of its own deviance
prw <- profile(lmer(Reaction ~ Days + (1 | Subject), s, weights = w), which = "theta_", delta = 0.05, maxpts = 400, signames = FALSE); ci <- confint(prw)
ml <- -2 * as.numeric(logLik(lmer(Reaction ~ Days + (1 | Subject), s, weights = w, REML = FALSE, control = tight)))
without <- list("(Intercept)" = Reaction - value ~ 0 + Days + (1 | Subject), Days = Reaction - value * Days ~ 1 + (1 | Subject))
roots <- sapply(names(without), function(term) sapply(c(-1, 1), function(side) {
  rise <- function(value) { s$value <- value; f <- without[[term]]; environment(f) <- list2env(list(value = value))
    -2 * as.numeric(logLik(lmer(f, s, weights = w, REML = FALSE, control = tight))) - ml - qchisq(.95, 1) }
  at <- fixef(wf)[[term]]; se <- sqrt(diag(as.matrix(vcov(wf))))[[term]]
  uniroot(rise, sort(c(at + side * se, at + side * 4 * se)), tol = 1e-9)$root }))
ci <- rbind(ci, t(roots))
out$weights <- list(fitted = unname(fitted(wf)), modes = ranef(wf)$Subject[[1]], sds = sqrt(v[1, 1, ]),
  profile = list(names = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2])))
zero <- sapply(1:6, function(i) { set.seed(i); isSingular(lmer(y ~ 1 + (1 | g), data.frame(y = rnorm(30), g = factor(rep(1:6, 5))))) })
set.seed(which(zero)[1]); z <- data.frame(y = rnorm(30), g = factor(rep(1:6, 5)))
pz <- profile(lmer(y ~ 1 + (1 | g), z, control = tight), delta = 0.05, maxpts = 400, signames = FALSE); ci <- confint(pz)
out$zero <- list(y = z$y, profile = list(names = rownames(ci), low = unname(ci[, 1]), high = unname(ci[, 2])))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "string", force = TRUE), "intervals.json")
