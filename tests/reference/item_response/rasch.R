# Rasch models as generalised linear mixed models: intercepts of items, one normal deviation of people.
# Rscript rasch.R lsat.json  (R with lme4 and jsonlite); prints what stands under "lme4" there.
library(lme4)
library(jsonlite)
told <- fromJSON(commandArgs(TRUE)[1])
grid <- expand.grid(rep(list(0:1), 5))[, 5:1]
one <- function(count) {
  rows <- as.matrix(grid)[rep(1:32, count), ]
  long <- data.frame(y = c(t(rows)), item = factor(rep(1:5, nrow(rows))), id = factor(rep(seq_len(nrow(rows)), each = 5)))
  fit <- glmer(y ~ 0 + item + (1 | id), long, family = binomial, nAGQ = 25,
               control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.1, rhoend = 1e-8)))
  list(loglik = as.numeric(logLik(fit)), easiness = unname(fixef(fit)), deviation = as.numeric(sqrt(VarCorr(fit)$id)),
       std_error = unname(sqrt(diag(vcov(fit)))))
}
cat(toJSON(lapply(told$counts, one), digits = 12, auto_unbox = TRUE))
