# Rscript machines.R wrote Machines.csv (Pinheiro and Bates 2000, from nlme 3.1-162)
d <- as.data.frame(nlme::Machines)
d$Worker <- as.character(d$Worker)
write.csv(d, "Machines.csv", row.names = FALSE)
