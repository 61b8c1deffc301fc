# A partial credit model by conditional maximum likelihood: no distribution of people is assumed.
# Rscript partial_credit.R partial_credit.json  (R with eRm and jsonlite); prints what stands under "eRm" there.
suppressMessages({library(eRm); library(jsonlite)})
count <- fromJSON(commandArgs(TRUE)[1])$counts
every <- as.matrix(expand.grid(rep(list(0:2), 4)))[, 4:1]
fit <- PCM(every[rep(1:81, count), ])
told <- thresholds(fit)
cat(toJSON(list(threshold = unname(told$threshpar), std_error = unname(told$se.thresh)), digits = 10))
