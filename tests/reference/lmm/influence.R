# Usage: Rscript influence.R, in this folder. Writes influence.json.
# Each level of a grouping factor is left out and the model refitted from its own start, at a tight tolerance.
# `lme4` holds what lme4's influence.merMod and its cooks.distance and dfbeta give at lme4's default tolerance.
suppressMessages({library(lme4); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(
  xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
refits <- function(csv, formula, group) {
  data <- read.csv(paste0(csv, ".csv"), stringsAsFactors = TRUE)
  for (name in c("Subject", "Worker")) if (name %in% names(data)) data[[name]] <- factor(data[[name]])
  full <- lme4::lmer(as.formula(formula), data, control = tight)
  beta <- fixef(full); V <- as.matrix(vcov(full)); p <- length(beta)
  levels <- levels(data[[group]])
  left_out <- lapply(levels, function(level) {
    part <- droplevels(data[data[[group]] != level, ])
    fit <- lme4::lmer(as.formula(formula), part, control = tight)
    change <- fixef(fit) - beta; W <- as.matrix(vcov(fit))
    list(level = level, change = unname(change), dfbetas = unname(change / sqrt(diag(W))),
      cook = as.numeric(change %*% solve(V, change)) / p, mdffits = as.numeric(change %*% solve(W, change)) / p,
      theta = unname(getME(fit, "theta")), sigma = sigma(fit))
  })
  own <- influence(full, groups = group, data = data)
  list(csv = csv, formula = formula, group = group, terms = names(beta), refits = left_out,
    lme4 = list(levels = rownames(own[[2]]), cook = unname(cooks.distance(own)),
      change = unname(dfbeta(own))))
}
out <- list(versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4"))),
  models = list(
    sleep_slope = refits("sleepstudy", "Reaction ~ Days + (Days|Subject)", "Subject"),
    penicillin = refits("Penicillin", "diameter ~ 1 + (1|plate) + (1|sample)", "sample"),
    machines = refits("Machines", "score ~ Machine + (1|Worker/Machine)", "Worker"),
    small = refits("small", "y ~ arm*time + (1|pid) + (1|scenario)", "scenario")))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "string"), "influence.json")
