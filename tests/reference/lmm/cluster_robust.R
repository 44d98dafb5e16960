# Rscript cluster_robust.R wrote cluster_robust.json (sandwich 3.0-2)
library(sandwich)
d <- read.csv("study1.csv", stringsAsFactors = TRUE)
m <- lm(y ~ arm * time, d)
robust <- vcovCL(m, cluster = ~pid, type = "HC1", cadjust = TRUE)
out <- list(estimate = unname(coef(m)), classical_se = unname(coef(summary(m))[, 2]),
            classical_p = unname(coef(summary(m))[, 4]), df = df.residual(m), sigma = sigma(m),
            log_likelihood = as.numeric(logLik(m)), cluster_se = unname(sqrt(diag(robust))),
            cluster_covariance = unname(robust), clusters = nlevels(d$pid))
write(jsonlite::toJSON(out, digits = I(17), auto_unbox = TRUE), "cluster_robust.json")
