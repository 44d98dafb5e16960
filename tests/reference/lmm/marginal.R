# Rscript marginal.R wrote marginal.json (gee 4.13, geepack, sandwich, clubSandwich, MASS, ordinal: versions inside)
suppressMessages({library(sandwich); library(geepack); library(MASS)})
d <- read.csv("study1.csv", stringsAsFactors = TRUE)
d$ynum <- d$y - min(d$y) + 1
d <- d[order(d$pid, d$conv), ]
d <- d[-seq(7, nrow(d), by = 11), ]   # unequal clusters: without them a working correlation changes no estimate
tight <- glm.control(epsilon = 1e-14, maxit = 100)
small <- droplevels(d[d$pid %in% levels(d$pid)[1:24], ])

generalised <- function(formula, family, data = d) {
  m <- glm(formula, family, data, control = tight)
  list(formula = deparse1(formula), beta = unname(coef(m)), se = unname(coef(summary(m))[, 2]),
       p = unname(coef(summary(m))[, 4]), log_likelihood = as.numeric(logLik(m)),
       dispersion = summary(m)$dispersion, cr1 = unname(vcovCL(m, cluster = data$pid, type = "HC1")))
}
liang_zeger <- function(formula, family, corstr = "exchangeable", data = d) {
  invisible(capture.output(m <- suppressMessages(gee::gee(formula, id = pid, data = data, family = family,
    corstr = corstr, tol = 1e-13, maxiter = 200, scale.fix = FALSE))))
  list(formula = deparse1(formula), beta = unname(coef(m)), vcov = unname(m$robust.variance),
       alpha = if (corstr == "independence") NA else m$working.correlation[1, 2], phi = m$scale)
}
packed <- function(formula, family, corstr, data = d) {
  m <- geeglm(formula, id = pid, data = data, family = family, corstr = corstr, std.err = "san.se",
              control = geese.control(epsilon = 1e-13, maxit = 200))
  list(formula = deparse1(formula), beta = unname(coef(m)), se = summary(m)$coefficients[, 2],
       alpha = unname(m$geese$alpha))
}
# Mancl and DeRouen 2001, equation 6, written out for gee's estimates
mancl_derouen <- function(formula, family, data = small) {
  g <- liang_zeger(formula, family, data = data)
  X <- model.matrix(formula, data); y <- model.response(model.frame(formula, data))
  fam <- family(); eta <- drop(X %*% g$beta); mu <- fam$linkinv(eta)
  D <- fam$mu.eta(eta) * X; bread <- 0; pieces <- list()
  for (id in unique(data$pid)) {
    at <- which(data$pid == id)
    A <- diag(sqrt(fam$variance(mu[at])), length(at))
    V <- A %*% (g$alpha + (1 - g$alpha) * diag(length(at))) %*% A
    W <- t(D[at, , drop = FALSE]) %*% solve(V)
    bread <- bread + W %*% D[at, , drop = FALSE]
    pieces[[as.character(id)]] <- list(at = at, W = W)
  }
  inverse <- solve(bread); meat <- 0
  for (piece in pieces) {
    H <- D[piece$at, , drop = FALSE] %*% inverse %*% piece$W
    u <- piece$W %*% solve(diag(length(piece$at)) - H, (y - mu)[piece$at]); meat <- meat + u %*% t(u)
  }
  c(g, list(mancl_derouen = unname(inverse %*% meat %*% inverse)))
}
# The sandwich of polr from second derivatives: bread and scores by sandwich's methods for polr
cumulative <- function(formula, method, clm_link) {
  m <- polr(formula, d, method = method, Hess = TRUE, control = list(reltol = 1e-15, maxit = 1000))
  k <- ordinal::clm(formula, data = d, link = clm_link, control = list(gradTol = 1e-12, maxIter = 200))
  list(formula = "yord ~ arm * time", beta = unname(k$beta), thresholds = unname(k$alpha),
       se = unname(sqrt(diag(vcov(k)))), log_likelihood = as.numeric(logLik(k)), names = names(k$alpha),
       polr_beta = unname(coef(m)), polr_se = unname(sqrt(diag(vcov(m)))),
       cr1 = unname(vcovCL(m, cluster = d$pid, type = "HC1")), means = latent(k))
}
# Marginal means on the latent scale, whose zero is the mean threshold
latent <- function(k) {
  found <- as.data.frame(emmeans::emmeans(k, ~ arm * time, mode = "latent"))
  list(arm = as.character(found$arm), time = as.character(found$time), mean = found$emmean, se = found$SE)
}
d$yfactor <- factor(d$yord)
out <- list(
  versions = lapply(c(gee = "gee", geepack = "geepack", sandwich = "sandwich", clubSandwich = "clubSandwich",
                      MASS = "MASS", ordinal = "ordinal"), function(p) as.character(packageVersion(p))),
  rows = nrow(d), clusters = nlevels(droplevels(d$pid)),
  glm = list(
    binomial_logit = generalised(ybin ~ arm * time, binomial()),
    binomial_probit = generalised(ybin ~ arm * time, binomial("probit")),
    binomial_cloglog = generalised(ybin ~ arm * time, binomial("cloglog")),
    poisson_log = generalised(ycount ~ arm * time, poisson()),
    gaussian_identity = generalised(y ~ arm * time, gaussian()),
    gaussian_log = generalised(ynum ~ arm * time, gaussian("log")),
    gamma_log = generalised(ynum ~ arm * time, Gamma("log")),
    gamma_inverse = generalised(ynum ~ arm * time, Gamma())),
  gee = list(
    binomial_exchangeable = liang_zeger(ybin ~ arm * time, binomial),
    binomial_independence = liang_zeger(ybin ~ arm * time, binomial, "independence"),
    poisson_exchangeable = liang_zeger(ycount ~ arm * time, poisson),
    gaussian_exchangeable = liang_zeger(y ~ arm * time, gaussian),
    gamma_exchangeable = liang_zeger(ynum ~ arm * time, Gamma("log"))),
  geepack = list(
    binomial_exchangeable = packed(ybin ~ arm * time, binomial, "exchangeable"),
    poisson_exchangeable = packed(ycount ~ arm * time, poisson, "exchangeable"),
    gaussian_exchangeable = packed(y ~ arm * time, gaussian, "exchangeable"),
    binomial_independence = packed(ybin ~ arm * time, binomial, "independence"),
    binomial_ar1 = packed(ybin ~ arm * time, binomial, "ar1")),
  small = list(binomial = mancl_derouen(ybin ~ arm + time, binomial), poisson = mancl_derouen(ycount ~ arm + time, poisson)),
  cr3 = local({
    m <- glm(ybin ~ arm + time, binomial, small, control = tight)
    unname(as.matrix(clubSandwich::vcovCR(m, cluster = small$pid, type = "CR3")))
  }),
  ordinal = list(logit = cumulative(yfactor ~ arm * time, "logistic", "logit"),
                 probit = cumulative(yfactor ~ arm * time, "probit", "probit")))
write(jsonlite::toJSON(out, digits = I(17), auto_unbox = TRUE), "marginal.json")
