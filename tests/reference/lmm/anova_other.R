# Rscript anova_other.R: Wald tests of terms, likelihood ratios and information criteria of models other than linear mixed
# ones, on terms.csv and cbpp.csv, to anova_other.json beside it. R 4.2.2; the packages' versions are inside.
# Factors have contr.sum where the type is 3, so that a term's own coefficients are its hypothesis.
suppressMessages({library(lme4); library(car); library(ordinal); library(sandwich); library(jsonlite)})

d <- read.csv("terms.csv", stringsAsFactors = TRUE)
d <- d[order(d$g), ]
d$seen <- as.integer(d$y > 4); d$count <- round(pmax(d$y, 0)); d$grade <- pmin(pmax(floor(d$y / 2), 0), 3)
d$positive <- d$y - min(d$y) + 1
d$many <- round(exp(d$y / 2)); d$row <- factor(seq_len(nrow(d)))
cbpp <- read.csv("cbpp.csv", colClasses = c(period = "factor", herd = "factor"))
exact <- glm.control(epsilon = 1e-14, maxit = 100)
tight <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, check.conv.grad = "ignore", check.conv.hess = "ignore",
                      optCtrl = list(rhobeg = 2e-3, rhoend = 1e-9, maxfun = 20000))

coded <- function(type, work) {
  old <- options(contrasts = c(if (type == 3) "contr.sum" else "contr.treatment", "contr.poly")); on.exit(options(old))
  work()
}
rows <- function(table) {
  table <- as.data.frame(table); table <- table[!rownames(table) %in% c("(Intercept)", "Residuals"), ]
  statistic <- intersect(c("Chisq", "F", "F value"), names(table))[1]
  list(term = rownames(table), df = table$Df, statistic = table[[statistic]], p = table[[ncol(table)]])
}
# Wald's chi-squared of each term's own coefficients
own <- function(formula, beta, V) {
  X <- model.matrix(formula, d); labels <- attr(terms(formula), "term.labels"); of <- attr(X, "assign")
  chisq <- sapply(seq_along(labels), function(k) { at <- which(of == k); sum(beta[at] * solve(V[at, at], beta[at])) })
  df <- as.integer(table(factor(of, seq_along(labels))))
  list(term = labels, df = df, statistic = chisq, p = pchisq(chisq, df, lower.tail = FALSE))
}
criteria <- function(m) list(formula = deparse1(formula(m)), n_parameters = attr(logLik(m), "df"), AIC = AIC(m), BIC = BIC(m))
ratio <- function(small, large) {
  chisq <- as.numeric(2 * (logLik(large) - logLik(small))); df <- attr(logLik(large), "df") - attr(logLik(small), "df")
  list(formulas = c(deparse1(formula(small)), deparse1(formula(large))), chisq = chisq, df = df,
       p = pchisq(chisq, df, lower.tail = FALSE))
}
glm_ <- function(formula, family, type) coded(type, function() {
  m <- glm(formula, family, d, control = exact)
  list(formula = deparse1(formula), type = type, table = rows(Anova(m, type = type, test.statistic = "Wald")))
})
clustered <- function(formula, fit) coded(3, function() {
  m <- fit(formula)
  list(formula = deparse1(formula), type = 3, table = own(formula, coef(m), vcovCL(m, cluster = d$g, type = "HC1")))
})
clustered_2 <- function(formula, fit) coded(2, function() {
  m <- fit(formula)
  V <- vcovCL(m, cluster = d$g, type = "HC1")
  list(formula = deparse1(formula), type = 2, table = rows(car:::Anova.default(m, type = 2, vcov. = V, test.statistic = "Chisq")))
})
equations <- function(formula, family) coded(3, function() {
  invisible(capture.output(m <- suppressMessages(gee::gee(formula, id = g, data = d, family = family, corstr = "exchangeable",
                                                          tol = 1e-13, maxiter = 200, scale.fix = FALSE))))
  list(formula = deparse1(formula), type = 3, table = own(formula, coef(m), m$robust.variance))
})
mixed <- function(formula, family, type) coded(type, function() {
  m <- glmer(formula, d, family, control = tight)
  list(formula = deparse1(formula), type = type, table = rows(Anova(m, type = type)))
})
exactly <- clm.control(gradTol = 1e-12, maxIter = 200)
# Type 3 by hand: that of anova.clm 2022.11-16 is not the one of equally weighted cell means, whose F joint_tests of emmeans gives
grades <- function(formula, type) coded(type, function() {
  m <- clm(formula, data = d, control = exactly)
  slopes <- names(m$beta)
  table <- if (type < 3) rows(anova(m, type = type)) else own(formula, c(NA, m$beta), rbind(NA, cbind(NA, vcov(m)[slopes, slopes])))
  list(formula = deparse1(formula), type = type, table = table)
})
least_squares <- function(formula, type) coded(type, function() {
  m <- lm(formula, d)
  table <- as.data.frame(if (type == 1) anova(m) else Anova(m, type = type))
  c(list(formula = deparse1(formula), type = type, table = rows(table)),
    list(sum_sq = table[!rownames(table) %in% c("(Intercept)", "Residuals"), "Sum Sq"]))
})

d$yord <- factor(d$grade, ordered = TRUE)
packages <- c("car", "ordinal", "lme4", "gee", "sandwich")
out <- list(
  versions = lapply(setNames(packages, packages), function(p) as.character(packageVersion(p))),
  ols = lapply(1:3, function(type) least_squares(y ~ a * c, type)),
  ols_clustered = list(clustered(y ~ a * c + x, function(f) lm(f, d))),
  glm_gaussian = lapply(1:3, function(type) least_squares(y ~ a * c, type)),
  glm_binomial = list(glm_(seen ~ a * c + x, binomial, 3), glm_(seen ~ a + c + x, binomial, 2), glm_(seen ~ a * c + x, binomial, 2)),
  glm_poisson = list(glm_(count ~ a * x, poisson, 3), glm_(count ~ a + b + x, poisson, 2), glm_(count ~ a * c, poisson, 2)),
  glm_clustered = list(clustered(seen ~ a * c + x, function(f) glm(f, binomial, d, control = exact)),
                       clustered_2(seen ~ a * c + x, function(f) glm(f, binomial, d, control = exact))),
  gee_binomial = list(equations(seen ~ a * c + x, binomial)),
  gee_poisson = list(equations(count ~ a * x, poisson)),
  ordinal = lapply(1:3, function(type) grades(yord ~ a * c + x, type)),
  glmer_poisson = list(mixed(count ~ a * c + (1 | g), poisson, 3), mixed(count ~ a + c + (1 | g), poisson, 2)),
  criteria = list(
    ols = criteria(lm(y ~ a * c, d)),
    glm_gaussian = criteria(glm(y ~ a * c, gaussian, d)),
    glm_gamma = criteria(glm(positive ~ a + x, Gamma("log"), d, control = exact)),
    glm_binomial = criteria(glm(seen ~ a * c, binomial, d, control = exact)),
    glm_poisson = criteria(glm(count ~ a * x, poisson, d, control = exact)),
    ordinal = criteria(clm(yord ~ a * c, data = d, control = exactly)),
    glmer_poisson = criteria(glmer(count ~ a + (1 | g), d, poisson, control = tight)),
    glmer_overdispersed = criteria(glmer(many ~ a + (1 | g) + (1 | row), d, poisson, control = tight))),
  ratios = list(
    glm_binomial = ratio(glm(seen ~ a, binomial, d, control = exact), glm(seen ~ a * c, binomial, d, control = exact)),
    ordinal = ratio(clm(yord ~ a, data = d, control = exactly), clm(yord ~ a * c, data = d, control = exactly)),
    glmer_poisson = ratio(glmer(count ~ a + (1 | g), d, poisson, control = tight),
                          glmer(count ~ a * c + (1 | g), d, poisson, control = tight)),
    glmer_binomial = ratio(glmer(cbind(incidence, size - incidence) ~ 1 + (1 | herd), cbpp, binomial, control = tight),
                           glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial, control = tight))))
write(toJSON(out, digits = I(17), auto_unbox = TRUE, na = "null", force = TRUE), "anova_other.json")
