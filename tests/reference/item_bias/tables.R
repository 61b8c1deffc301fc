# Mantel-Haenszel tests and proportional-odds models of small tables: R's stats and MASS.
# Rscript tables.R tables.json; prints what stands under "R" there.
library(MASS)
library(jsonlite)
told <- fromJSON(commandArgs(TRUE)[1], simplifyVector = TRUE)
two <- aperm(told$dichotomous, c(2, 3, 1))  # group x answer x stratum
plain <- mantelhaen.test(two[, 2:1, ], correct = FALSE)
corrected <- mantelhaen.test(two[, 2:1, ])
several <- aperm(told$polytomous, c(2, 3, 1))
general <- mantelhaen.test(several)
s <- dim(several)[3]; g <- dim(several)[1]; C <- dim(several)[2]
long <- expand.grid(group = factor(1:g), answer = 1:C, score = 0:(s - 1))
long$n <- c(several)
at <- rowSums(apply(several, 3, sum) * cbind(0:(s - 1))); N <- sum(several)
m <- sum(apply(several, 3, sum) * (0:(s - 1))) / N
v <- sum(apply(several, 3, sum) * (0:(s - 1))^2) / N - m^2
long$z <- (long$score - m) / sqrt(v)
long$answer <- ordered(long$answer)
fit <- function(f) polr(f, long, weights = n, Hess = TRUE, control = list(reltol = 1e-15, maxit = 1000))
models <- list(fit(answer ~ z), fit(answer ~ z + group), fit(answer ~ z * group))
cat(toJSON(list(
  mantelhaen = list(odds_ratio = unname(corrected$estimate), log_limits = log(as.numeric(corrected$conf.int)),
                    corrected = unname(corrected$statistic), plain = unname(plain$statistic)),
  generalised = list(chi2 = unname(general$statistic), df = unname(general$parameter), p = general$p.value),
  polr = list(loglik = sapply(models, function(m) as.numeric(logLik(m))), effect = unname(coef(models[[2]])[-1]),
              std_error = unname(sqrt(diag(vcov(models[[2]])))[2:g]))
), digits = 12, auto_unbox = TRUE))
