# Usage: Rscript effect_sizes.R, in this folder. Writes effect_sizes.json.
suppressMessages({library(lme4); library(performance); library(emmeans); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(
  xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
fitted <- function(csv, formula) {
  data <- read.csv(paste0(csv, ".csv"), stringsAsFactors = TRUE)
  if (csv == "sleepstudy") data$Subject <- factor(data$Subject)
  if (csv == "Machines") data$Worker <- factor(data$Worker)
  lme4::lmer(as.formula(formula), data, control = tight)
}
sizes <- function(csv, formula) {
  fit <- fitted(csv, formula)
  r2 <- r2_nakagawa(fit, tolerance = 1e-12)
  all <- icc(fit, tolerance = 1e-12)
  groups <- suppressWarnings(icc(fit, by_group = TRUE, tolerance = 1e-12))
  list(csv = csv, formula = formula,
    marginal = unname(as.numeric(r2$R2_marginal)), conditional = unname(as.numeric(r2$R2_conditional)),
    adjusted = all$ICC_adjusted, unadjusted = all$ICC_unadjusted,
    by_group = setNames(as.list(groups$ICC), groups$Group))
}
contrasts_by_sigma <- function(csv, formula, specs) {
  fit <- fitted(csv, formula)
  cells <- emmeans(fit, as.formula(specs), lmer.df = "satterthwaite")
  list(csv = csv, formula = formula, divisor = sigma(fit),
    pairs = as.data.frame(pairs(cells)),
    eff_size = as.data.frame(eff_size(cells, sigma = sigma(fit), edf = Inf)))
}
out <- list(
  versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")),
    performance = as.character(packageVersion("performance")), emmeans = as.character(packageVersion("emmeans"))),
  models = list(
    sleep_slope = sizes("sleepstudy", "Reaction ~ Days + (Days|Subject)"),
    sleep_int = sizes("sleepstudy", "Reaction ~ Days + (1|Subject)"),
    sleep_uncorrelated = sizes("sleepstudy", "Reaction ~ Days + (Days||Subject)"),
    small = sizes("small", "y ~ arm*time + (1|pid) + (1|scenario)"),
    penicillin = sizes("Penicillin", "diameter ~ 1 + (1|plate) + (1|sample)"),
    machines = sizes("Machines", "score ~ Machine + (1|Worker/Machine)"),
    study1 = sizes("study1", "y ~ arm*time + (1|pid) + (1|scenario)"),
    study1_slope = sizes("study1", "y ~ arm*tnum + (1+tnum|pid) + (1+tnum|scenario)")),
  contrasts = list(machines = contrasts_by_sigma("Machines", "score ~ Machine + (1|Worker/Machine)", "~ Machine")))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "string"), "effect_sizes.json")
