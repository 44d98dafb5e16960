# usage: Rscript emmeans.R    writes emmeans.csv and emmeans.json into the folder where it runs
suppressMessages({library(lme4); library(lmerTest); library(emmeans); library(mvtnorm); library(jsonlite)})
emm_options(lmer.df = "satterthwaite", lmerTest.limit = 1e6)
set.seed(20261123)
n <- 180
d <- data.frame(
  a = factor(sample(c("a1", "a2", "a3", "a4", "a5"), n, TRUE, c(.3, .25, .2, .15, .1))),
  b = factor(sample(c("low", "mid", "top"), n, TRUE, c(.5, .3, .2)), levels = c("low", "mid", "top")),
  g = factor(sprintf("g%02d", sample(1:15, n, TRUE))),
  x = round(rnorm(n, 1, 2), 3), z = round(exp(rnorm(n)), 3), o = round(runif(n, -1, 3), 3), w = round(runif(n, .4, 2.5), 2))
d$y <- round(.5 * as.integer(d$a) + .7 * (d$b == "mid") + .3 * d$x - .2 * log(d$z) + rnorm(15)[as.integer(d$g)] + rnorm(n), 4)
d$has_hole <- d$a == "a5" & d$b == "top"
write.csv(d, "emmeans.csv", row.names = FALSE, quote = FALSE)

tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
frame <- function(e, ...) { set.seed(1); as.data.frame(summary(e, infer = c(TRUE, TRUE), ...)) }
out <- list()

m <- lm(y ~ a + b + x + log(z), d)
e <- emmeans(m, ~ a)
out$additive <- list(
  emm = frame(e), proportional = frame(emmeans(m, ~ a, weights = "proportional")), at = frame(emmeans(m, ~ a, at = list(x = 2.5, b = c("mid", "top")))),
  covariate = frame(emmeans(m, ~ x, at = list(x = c(-1, 0, 2)))), covariate_pairs = frame(pairs(emmeans(m, ~ x, at = list(x = c(-1, 0, 2))))),
  poly = frame(contrast(e, "poly")), consec = frame(contrast(e, "consec")), eff = frame(contrast(e, "eff")),
  custom = frame(contrast(e, list(ends = c(-1, 0, 0, 0, 1), first = c(1, -.25, -.25, -.25, -.25)))),
  reference = frame(contrast(e, "trt.vs.ctrl", ref = 3), adjust = "none"), revpairwise = frame(contrast(e, "revpairwise")),
  joint = as.data.frame(test(contrast(e, "eff"), joint = TRUE)), not_pairs = frame(contrast(e, "consec"), adjust = "tukey"))
for (adjust in c("none", "tukey", "sidak", "bonferroni", "holm", "hochberg", "hommel", "BH", "BY", "scheffe"))
  out$additive[[paste0("pairs_", adjust)]] <- frame(pairs(e), adjust = adjust)
for (adjust in c("none", "sidak", "holm", "bonferroni")) {
  out$additive[[paste0("equivalence_", adjust)]] <- as.data.frame(test(pairs(e), delta = 1.2, side = "equivalence", adjust = adjust))
  out$additive[[paste0("noninferiority_", adjust)]] <- as.data.frame(test(pairs(e), delta = .8, side = "noninferiority", adjust = adjust))
  out$additive[[paste0("nonsuperiority_", adjust)]] <- frame(pairs(e), delta = .8, side = "nonsuperiority", adjust = adjust) }
out$additive$equivalence_tukey <- as.data.frame(test(pairs(e), delta = 1.2, side = "equivalence", adjust = "tukey"))

# the multivariate t at a tight tolerance: for each t the probability that none of the family goes beyond it
exact <- function(e, algorithm = GenzBretz(maxpts = 2e7, abseps = 1e-7)) {
  s <- as.data.frame(e); R <- cov2cor(vcov(e)); set.seed(2)
  found <- lapply(abs(s$t.ratio), function(t) pmvt(rep(-t, nrow(R)), rep(t, nrow(R)), df = s$df[1], corr = R, algorithm = algorithm))
  list(contrast = as.character(s$contrast), t = s$t.ratio, df = s$df[1], p = 1 - sapply(found, as.numeric), error = sapply(found, attr, "error")) }
three <- emmeans(m, ~ b)
four <- emmeans(m, ~ a, at = list(a = c("a1", "a2", "a3", "a4")))
out$mvt <- list(control3 = exact(contrast(three, "trt.vs.ctrl")), control4 = exact(contrast(four, "trt.vs.ctrl")), control5 = exact(contrast(e, "trt.vs.ctrl")),
  pairs3 = exact(pairs(three)), pairs4 = exact(pairs(four)), pairs5 = exact(pairs(e)), consec5 = exact(contrast(e, "consec")))
one_way <- lm(y ~ a, d)
out$mvt$one_way <- exact(contrast(emmeans(one_way, ~ a), "trt.vs.ctrl"))
set.seed(3); out$mvt$one_way$quantile <- qmvt(.95, tail = "both.tails", df = one_way$df.residual, corr = cov2cor(vcov(contrast(emmeans(one_way, ~ a), "trt.vs.ctrl"))), algorithm = GenzBretz(maxpts = 1e6, abseps = 1e-6))$quantile

h <- lm(y ~ a * b + x, d[!d$has_hole, ])
out$hole <- list(a = frame(emmeans(h, ~ a)), b = frame(emmeans(h, ~ b)), ab = frame(emmeans(h, ~ a | b)), pairs_a = frame(pairs(emmeans(h, ~ a)), adjust = "sidak"),
  pairs_ab = frame(pairs(emmeans(h, ~ a | b)), adjust = "holm"), proportional = frame(emmeans(h, ~ a, weights = "proportional")))

off <- lm(y ~ a + b + offset(o), d)
out$offset <- list(emm = frame(emmeans(off, ~ a)), pairs = frame(pairs(emmeans(off, ~ a))))

mixed <- lmer(y ~ a * x + b + (1 | g), d, control = tight)
out$mixed <- list(at_mean = frame(emmeans(mixed, ~ a)), at_zero = frame(emmeans(mixed, ~ a, at = list(x = 0))), by_x = frame(emmeans(mixed, ~ a | x, at = list(x = c(-1, 2)))),
  pairs_by_x = frame(pairs(emmeans(mixed, ~ a | x, at = list(x = c(-1, 2))))), dunnett = frame(contrast(emmeans(mixed, ~ a), "trt.vs.ctrl"), adjust = "mvt"),
  interaction_by = frame(contrast(emmeans(mixed, ~ a * b | x, at = list(x = c(-1, 2), a = c("a1", "a2", "a3"))), interaction = c("consec", "pairwise"))),
  scheffe = frame(contrast(emmeans(mixed, ~ a), "trt.vs.ctrl"), adjust = "scheffe"))
weighted <- lmer(y ~ a + b + (1 | g), d, weights = w, control = tight)
out$weighted <- list(emm = frame(emmeans(weighted, ~ a)), proportional = frame(emmeans(weighted, ~ a, weights = "proportional")))
mixed_offset <- lmer(y ~ a + b + (1 | g) + offset(o), d, control = tight)
out$mixed_offset <- frame(emmeans(mixed_offset, ~ b))
out$versions <- list(R = R.version.string, emmeans = as.character(packageVersion("emmeans")), mvtnorm = as.character(packageVersion("mvtnorm")))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "string", force = TRUE), "emmeans.json")
