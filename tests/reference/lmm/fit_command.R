# Usage: Rscript fit_command.R, in this folder. Writes fit_command.json: what `forethought fit` is asked in its tests.
suppressMessages({library(lme4); library(lmerTest); library(emmeans); library(performance); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(
  xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
small <- read.csv("small.csv", stringsAsFactors = TRUE)
small$arm <- relevel(small$arm, ref = "B_warm")
frame <- function(grid, ...) as.data.frame(summary(grid, infer = c(TRUE, TRUE), ...))
table <- function(fit, ddf) {
  found <- coef(summary(fit, ddf = ddf))
  list(terms = rownames(found), values = unname(as.matrix(found)))
}
terms <- function(tests) cbind(term = rownames(tests), as.data.frame(tests))

kr <- lmer(y ~ arm * tnum + (1 | pid) + (1 | scenario), small, control = tight)
by_time <- emmeans(kr, ~ arm | tnum, at = list(tnum = c(0, 1)), lmer.df = "kenward-roger")
weighted <- lmer(y ~ arm + tnum + (1 | pid), small, REML = FALSE, weights = yord, control = tight,
  contrasts = list(arm = "contr.sum"))
out <- list(
  kr = list(coefficients = table(kr, "Kenward-Roger"), anova = terms(anova(kr, type = 2, ddf = "Kenward-Roger")),
    AIC = AIC(kr), BIC = BIC(kr), marginal = as.numeric(r2_nakagawa(kr, tolerance = 1e-12)$R2_marginal),
    conditional = as.numeric(r2_nakagawa(kr, tolerance = 1e-12)$R2_conditional),
    icc = icc(kr, tolerance = 1e-12)$ICC_adjusted, means = frame(by_time),
    contrasts = frame(contrast(by_time, "trt.vs.ctrl"), adjust = "holm")),
  weighted = list(coefficients = table(weighted, "Satterthwaite"), AIC = AIC(weighted),
    pairs = frame(pairs(emmeans(weighted, ~ arm, lmer.df = "satterthwaite")), adjust = "tukey")))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null"), "fit_command.json")
