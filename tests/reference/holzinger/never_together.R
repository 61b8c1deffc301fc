# Holzinger & Swineford: x1 is asked of every other row, x6 of the rows between. Run in the folder of the data.
suppressMessages(library(lavaan))
rows <- read.csv("holzinger_swineford.csv")
odd <- (seq_len(nrow(rows)) - 1) %% 2 == 1
rows$x1[odd] <- NA
rows$x6[!odd] <- NA
model <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
mlr <- cfa(model, rows, estimator = "MLR", missing = "fiml")
ml <- cfa(model, rows, missing = "fiml")
names <- c("chisq", "df", "chisq.scaled", "cfi", "cfi.scaled", "rmsea", "rmsea.scaled", "srmr", "logl",
           "unrestricted.logl")
print(fitMeasures(mlr)[names], digits = 10)
table <- parameterEstimates(mlr)
options(digits = 10)
print(data.frame(table[c("lhs", "op", "rhs", "est", "se")])[table$op == "=~", ])
print(lavResiduals(ml)$cov.z[lower.tri(diag(6))], digits = 10)
