# Rscript anova.R: simulates terms.csv and writes anova.json beside it. R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2, car 3.1-1.
suppressMessages({library(lme4); library(lmerTest); library(car); library(jsonlite)})

set.seed(20261123)
n <- 260
d <- data.frame(g = sample(sprintf("g%02d", 1:26), n, TRUE), h = sample(sprintf("h%02d", 1:13), n, TRUE),
                a = sample(c("p", "q", "r"), n, TRUE, c(.5, .3, .2)), b = sample(c("i", "j", "k"), n, TRUE),
                c = sample(c("u", "v"), n, TRUE, c(.6, .4)), x = round(rnorm(n, 2, 1.5), 3), z = round(runif(n), 3))
d$e <- ifelse(d$a == "r" & d$b == "k", "i", d$b)                # no cell r:k
d$twin <- c(p = "one", q = "two", r = "two")[d$a]               # says no more than a
u <- rnorm(26); v <- rnorm(13, 0, .7); s <- .2 * u + rnorm(26, 0, .4)
gi <- as.integer(factor(d$g)); hi <- as.integer(factor(d$h))
d$y <- round(3 + (d$a == "q") * .8 + (d$c == "v") * .5 + (d$a == "r" & d$c == "v") * .9 + .3 * d$x + (d$b == "j") * .4 +
             u[gi] + v[hi] + s[gi] * d$x + rnorm(n, 0, 1.2), 4)
d$flat <- round(2 + .5 * (d$a == "q") + rnorm(n), 4)            # nothing random: a singular fit
write.csv(d, "terms.csv", row.names = FALSE, quote = FALSE)
d <- read.csv("terms.csv", stringsAsFactors = TRUE)

tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000))
rows <- function(table) cbind(term = rownames(table), as.data.frame(table))
coded <- function(contrast) { old <- options(contrasts = c(contrast, "contr.poly")); function() options(old) }

mixed <- function(formula, kr = TRUE, contrast = "contr.treatment", REML = TRUE) {
  back <- coded(contrast); on.exit(back())
  m <- suppressMessages(lmerTest::lmer(as.formula(formula), d, control = tight, REML = REML))
  out <- list(formula = formula, contrast = contrast, REML = REML, sigma = sigma(m), theta = getME(m, "theta"), singular = isSingular(m))
  for (type in 1:3) out[[paste0("anova", type)]] <- rows(suppressMessages(anova(m, type = type)))
  if (kr) {
    for (type in 1:3) out[[paste0("kr", type)]] <- rows(suppressMessages(anova(m, type = type, ddf = "Kenward-Roger")))
    out$kr <- unname(coef(summary(m, ddf = "Kenward-Roger")))
  }
  out
}
linear <- function(formula) {
  back <- coded("contr.sum"); on.exit(back())
  m <- lm(as.formula(formula), d)
  list(formula = formula, anova1 = rows(anova(m)), anova2 = rows(car::Anova(m, type = 2)), anova3 = rows(car::Anova(m, type = 3)))
}
compared <- function(...) {
  fits <- lapply(c(...), function(f) lme4::lmer(as.formula(f), d, control = tight))
  list(formulas = c(...), table = as.data.frame(suppressMessages(do.call(anova, fits))),
       AIC = sapply(fits, AIC), BIC = sapply(fits, BIC))
}

out <- list(
  factors = mixed("y ~ a * c + (1 | g) + (1 | h)"),
  factors_ml = mixed("y ~ a * c + (1 | g) + (1 | h)", kr = FALSE, REML = FALSE),
  factors_sum = mixed("y ~ a * c + (1 | g) + (1 | h)", contrast = "contr.sum"),
  factors_helmert = mixed("y ~ a * b + (1 | g) + (1 | h)", contrast = "contr.helmert"),
  empty_cell = mixed("y ~ a * e + (1 | g) + (1 | h)"),
  empty_cell_sum = mixed("y ~ a * e + (1 | g) + (1 | h)", contrast = "contr.sum"),
  three_factors = mixed("y ~ a * b * c + (1 | g)"),
  covariate = mixed("y ~ a * x + c + (1 | g) + (1 | h)"),
  covariate_sum = mixed("y ~ a * x + c + (1 | g) + (1 | h)", contrast = "contr.sum"),
  covariates = mixed("y ~ x * z + a:x + c + (1 | g)"),
  nested = mixed("y ~ a + a:c + (1 | g)"),
  cells = mixed("y ~ a:c + (1 | g)"),
  one_factor = mixed("y ~ a + (1 | g)"),
  one_factor_sum = mixed("y ~ a + (1 | g)", contrast = "contr.sum"),
  no_intercept = mixed("y ~ 0 + a + x + (1 | g)"),
  twin = mixed("y ~ a + twin + c + (1 | g)"),
  polynomial = mixed("y ~ a * poly(x, 2) + (1 | g)"),
  scaled = mixed("y ~ a * scale(x) + (1 | g)"),
  quadratic = mixed("y ~ a * I(x^2) + x + (1 | g)"),
  slopes = mixed("y ~ a * x + (x | g) + (1 | h)"),
  slopes_apart = mixed("y ~ a + x + (x || g) + (1 | h)"),
  slopes_crossed = mixed("y ~ a * c + x + (x | g) + (x | h)"),
  intercept = mixed("y ~ 1 + (1 | g)"),
  singular = mixed("flat ~ a * x + (1 | g) + (1 | h)"),
  linear = linear("y ~ a * c"),
  linear_three = linear("y ~ a * b * c"),
  linear_covariate = linear("y ~ a * x + c"),
  compare_fixed = compared("y ~ a + (1 | g)", "y ~ a + x + (1 | g)", "y ~ a * x + (1 | g)"),
  compare_random = compared("y ~ x + (1 | g)", "y ~ x + (x | g)", "y ~ x + (x | g) + (1 | h)")
)
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", force = TRUE, matrix = "rowmajor"), "anova.json")
