# Chi-square and five standard errors of each of the 200 samples of recipe.py, by ML and MLR, as lavaan prints them.
#
#   python tests/reference/simulated/recipe.py > rows.csv
#   Rscript tests/reference/simulated/saved_samples.R rows.csv tests/reference/simulated/saved_samples.json

suppressMessages({ library(lavaan); library(jsonlite) })
args <- commandArgs(TRUE)
rows <- read.csv(args[1])
text <- "
qua =~ qua1 + qua2 + qua3
val =~ val1 + val2 + val3
sat =~ sat1 + sat2 + sat3
loy =~ loy1 + loy2 + loy3
val ~ qua
sat ~ qua + val
loy ~ sat
"
kept <- c("qua=~qua2", "val~qua", "sat~qua", "sat~val", "loy~sat")
one <- function(data, estimator) {
  fit <- sem(text, data[-1], estimator = estimator)
  stopifnot(lavInspect(fit, "converged"))
  se <- sqrt(diag(vcov(fit)))[kept]
  measures <- fitMeasures(fit)
  c(unname(if (estimator == "MLR") measures["chisq.scaled"] else measures["chisq"]), unname(se))
}
parts <- split(rows, rows$sample)
found <- list(
  software = paste("lavaan", packageVersion("lavaan"), "/ R", getRversion()),
  source = "rows of recipe.py; sem(text, rows, estimator = ...)",
  tolerance = "1e-4, relative (statistics.md 2: on 200 saved samples chi2 and standard errors equal lavaan's)",
  columns = c("chi2 (MLR: scaled)", paste("se", kept)),
  first_mean = unname(colMeans(parts[[1]][-1])),
  ML = unname(lapply(parts, one, "ML")), MLR = unname(lapply(parts, one, "MLR"))
)
write(toJSON(found, digits = 10, auto_unbox = TRUE), args[2])
