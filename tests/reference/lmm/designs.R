# usage: Rscript designs.R   (in this directory; writes designs.json)
# Mixed models whose designs are out of the ordinary: lme4's optimum at a tolerance of about 1e-13, lmerTest's df.
suppressMessages({library(lme4); library(lmerTest); library(jsonlite)})
tight <- lmerControl(optimizer = "nloptwrap",
  optCtrl = list(xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
small <- read.csv("small.csv", stringsAsFactors = TRUE)
sleep <- read.csv("sleepstudy.csv", stringsAsFactors = TRUE)
machines <- read.csv("Machines.csv", stringsAsFactors = TRUE)
small$w <- 0.5 + (seq_len(nrow(small)) %% 5) / 2
small$known <- sin(seq_len(nrow(small)))
sleep$w <- 1 + sleep$Days %% 3
sleep$known <- sleep$Days^2
sleep$tiny <- sleep$Days * 1e-4
sleep$late <- factor(ifelse(sleep$Days > 4, "late", "early"))
sleep$phase <- factor(c("a", "b", "c")[1 + sleep$Days %% 3])
holes <- sleep
holes$Reaction[c(3, 50, 51)] <- NA
holes$Days[c(10, 120)] <- NA
holes$w[77] <- NA
empty <- subset(small, !(arm == levels(small$arm)[2] & time == levels(small$time)[2]))

fit <- function(formula, data, ...) {
  arguments <- list(formula = as.formula(formula), data = data, control = tight, ...)
  m <- suppressMessages(suppressWarnings(do.call(lmerTest::lmer, arguments)))
  full <- attr(getME(m, "X"), "col.dropped")
  table <- coef(summary(m, ddf = "Satterthwaite"))
  list(formula = formula, names = I(rownames(table)), dropped = I(as.character(names(full))), crit = if (isREML(m)) as.numeric(REMLcrit(m)) else as.numeric(-2 * logLik(m)),
    logLik = as.numeric(logLik(m)), beta = I(unname(table[, 1])), se = I(unname(table[, 2])), df = I(unname(table[, 3])),
    theta = I(as.numeric(getME(m, "theta"))), sigma = sigma(m), nobs = nobs(m), singular = isSingular(m))
}
models <- list(
  sum = fit("y ~ arm*time + (1|pid) + (1|scenario)", small, contrasts = list(arm = "contr.sum", time = "contr.sum")),
  helmert = fit("y ~ C(arm, contr.helmert)*time + (1|pid) + (1|scenario)", small),
  poly = fit("y ~ C(arm, contr.poly)*time + (1|pid) + (1|scenario)", small),
  weights = fit("Reaction ~ Days + (Days|Subject)", sleep, weights = sleep$w),
  weights_ml = fit("Reaction ~ Days + (Days|Subject)", sleep, weights = sleep$w, REML = FALSE),
  weights_crossed = fit("y ~ arm*time + (1|pid) + (1|scenario)", small, weights = small$w),
  offset = fit("Reaction ~ Days + offset(2*known) + (Days|Subject)", sleep),
  offset_both = fit("y ~ arm + offset(known) + (1|pid)", small, offset = small$tnum, weights = small$w),
  slopes_of_levels = fit("Reaction ~ late + (late|Subject)", sleep),
  cells_of_levels = fit("Reaction ~ late + (0+late|Subject)", sleep),
  slopes_of_three_levels = fit("Reaction ~ phase*late + (phase|Subject)", sleep),
  interacting_slopes = fit("Reaction ~ Days*late + (0+late:Days|Subject)", sleep),
  uncorrelated_levels = fit("Reaction ~ late + (late||Subject)", sleep),
  nested = fit("score ~ Machine + (1|Worker/Machine)", machines),
  joined = fit("score ~ Machine + (1|Worker:Machine)", machines),
  nested_slopes = fit("Reaction ~ Days + (Days|Subject/late)", sleep),
  uncorrelated = fit("Reaction ~ Days + (Days||Subject)", sleep),
  badly_scaled = fit("Reaction ~ tiny + (1|Subject)", sleep),
  empty_cell = fit("y ~ arm*time + (1|pid) + (1|scenario)", empty),
  no_main_effects = fit("y ~ arm:time + (1|pid)", small),
  no_intercept = fit("y ~ 0 + time + time:arm + (1|pid)", small),
  dependent = fit("Reaction ~ Days + I(2*Days + 1) + late*phase + I(Days - 1):late + (1|Subject)", sleep),
  missing = fit("Reaction ~ Days + (Days|Subject)", holes, weights = holes$w)
)
trial <- expand.grid(a = c("a1", "a2", "a3"), b = c("b1", "b2"), c = c("c1", "c2"), r = 1:2)
trial$x <- seq_len(nrow(trial))^1.3
columns <- list()
for (f in c("0+x+x:a", "0+x+x:a+b", "1+a:b", "1+a:b+a:c", "0+a:b+a:c", "x+a:x", "a:b:x+a", "0+a+b", "0+x+a+a:x",
            "a:b+a:c+b:c", "a+a:b:c", "0+a:x+b", "a:x+b:x", "0+x:a+x:b+x", "a*b*c", "(a+b+c)^2 - a", "a/b", "a*x - x"))
  columns[[f]] <- I(colnames(model.matrix(as.formula(paste("~", f)), trial)))
contrasts <- list(sum = contr.sum(4), helmert = contr.helmert(4), poly = contr.poly(5), treatment = contr.treatment(4, base = 3))
write(toJSON(list(R = R.version.string, lme4 = as.character(packageVersion("lme4")), models = models, columns = columns,
  contrasts = lapply(contrasts, function(m) unname(unclass(m)))), digits = I(17), auto_unbox = TRUE, na = "string"), "designs.json")
