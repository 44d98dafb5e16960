# Rscript manybabies1.R 03_data_trial_main.csv wrote manybabies1.json (lme4 1.1-31, lmerTest 3.1-3); the model of ManyBabies 1, Table 4
suppressMessages({library(lmerTest); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1])
d <- d[!is.na(d$trial_type) & d$trial_type != "" & d$trial_type != "train", ]
d$log_lt <- log(d$looking_time)
d$age_mo <- d$age_mo - mean(d$age_mo)
d$item <- paste0(d$stimulus_num, d$trial_type)
d$trial_type <- factor(d$trial_type, levels = c("ADS", "IDS"))
d$method <- factor(d$method, levels = c("singlescreen", "eyetracking", "hpp"))
d$nae <- as.logical(toupper(as.character(d$nae)))
d <- d[is.finite(d$log_lt), ]
m <- lmer(log_lt ~ trial_type * method + trial_type * trial_num + age_mo * trial_num + trial_type * age_mo * nae +
            (1 | subid_unique) + (1 | item) + (1 | lab), d,
          control = lmerControl(optimizer = "nloptwrap", optCtrl = list(
            xtol_abs = 1e-10, xtol_rel = 1e-13, ftol_abs = 1e-13, ftol_rel = 1e-15, maxeval = 5000)))
table <- coef(summary(m, ddf = "Satterthwaite"))
out <- list(terms = rownames(table), table = unname(as.matrix(table)), theta = unname(getME(m, "theta")),
            variances = as.data.frame(VarCorr(m))[, c("grp", "vcov")], criterion = as.numeric(REMLcrit(m)), rows = nobs(m))
write(toJSON(out, digits = I(17), auto_unbox = TRUE), "manybabies1.json")
