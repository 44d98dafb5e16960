# Rscript insteval.R: writes InstEval.csv.gz, the data of lme4, and insteval.json beside it. R 4.2.2, lme4 1.1-31, lmerTest 3.1-3.
suppressMessages({library(lme4); library(lmerTest); library(jsonlite)})

formula <- "y ~ service + (1|s) + (1|d) + (1|dept)"
d <- InstEval[c("s", "d", "service", "dept", "y")]
file <- gzfile("InstEval.csv.gz", "w"); write.csv(d, file, row.names = FALSE, quote = FALSE); close(file)

# Wider than fit.R's: nearer the optimum the criterion of 73,421 rows moves by rounding alone
tight <- lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
                     optCtrl = list(xtol_abs = 1e-9, xtol_rel = 1e-12, ftol_abs = 1e-10, ftol_rel = 1e-14, maxeval = 1000))
m <- lmerTest::lmer(as.formula(formula), d, control = tight)
table <- coef(summary(m))
out <- list(
  name = "insteval", formula = formula, REML = TRUE, R = R.version.string, lme4 = as.character(packageVersion("lme4")),
  tight = list(theta = getME(m, "theta"), beta = as.list(fixef(m)), se = sqrt(diag(as.matrix(vcov(m)))), sigma = sigma(m),
               crit = as.numeric(REMLcrit(m)), logLik = as.numeric(logLik(m)), singular = isSingular(m), nobs = nobs(m),
               ngrps = as.list(ngrps(m)), vc = as.data.frame(VarCorr(m))),
  satt = list(names = rownames(table), cols = colnames(table), tab = unname(as.matrix(table))))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "string", force = TRUE), "insteval.json")
