# Exact permutation p-values of R's coin, written to coin.json: Rscript coin.R
# Two arms of six; and two arms within two strata of eight, four in each arm, permuted within strata.
suppressPackageStartupMessages(library(coin))

scores <- c(12.1, 9.4, 15.3, 11.8, 13.9, 10.2, 8.7, 9.9, 12.0, 7.5, 10.8, 6.9)
arms <- factor(rep(c("treated", "control"), each = 6))

stratified_scores <- c(5.1, 7.3, 6.2, 8.8, 4.9, 5.0, 6.6, 4.2, 15.0, 13.1, 16.4, 14.2, 12.9, 13.0, 14.8, 11.7)
stratified_arms <- factor(rep(rep(c("treated", "control"), each = 4), times = 2))
strata <- factor(rep(c("low", "high"), each = 8))

p <- function(formula, alternative) {
  as.numeric(pvalue(independence_test(formula, distribution = exact(), alternative = alternative, teststat = "scalar")))
}
digits <- function(x) formatC(x, digits = 15, format = "g")
sides <- c("two.sided", "less", "greater")   # coin: of the first level of the factor, control
lines <- c(
  sprintf('  "plain %s": %s', sides, sapply(sides, function(s) digits(p(scores ~ arms, s)))),
  sprintf('  "stratified %s": %s', sides, sapply(sides, function(s) digits(p(stratified_scores ~ stratified_arms | strata, s))))
)
versions <- sprintf('  "versions": "R %s, coin %s"', getRversion(), packageVersion("coin"))
writeLines(c("{", paste(c(versions, lines), collapse = ",\n"), "}"), "coin.json")
