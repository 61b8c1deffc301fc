# Rscript lavaan.R complete.csv absent.csv > lavaan.json     (the files by tests/tracking/link_population.py: written)
suppressMessages(library(lavaan))
model <- "
  f =~ c(NA, NA)*a + c(l1, l1)*a + c(l2, l2)*b + c(l3, l3)*c + c(d1, d2)*d
  a ~ c(na, na)*1
  b ~ c(nb, nb)*1
  c ~ c(nc, nc)*1
  d ~ c(nd1, nd2)*1
  f ~ c(0, NA)*1 + c(k1, k)*1
  f ~~ c(1, NA)*f + c(v1, v2)*f
  A1 := 100 / 9 / 4 * (na + nb + nc + nd1 - 4)
  A2 := 100 / 9 / 4 * (na + nb + nc + nd2 - 4)
  B1 := 100 / 9 / 4 * (l1 + l2 + l3 + d1)
  B2 := 100 / 9 / 4 * (l1 + l2 + l3 + d2)
  slope := B2 / B1
  at0 := A2 - B2 / B1 * A1
  at50 := A2 + B2 / B1 * (50 - A1)
  at100 := A2 + B2 / B1 * (100 - A1)
"
out <- function(file) {
  rows <- read.csv(file)
  missing <- if (anyNA(rows)) "ml" else "listwise"
  fit <- cfa(model, rows, group = "form", estimator = "MLR", missing = missing)
  metric <- cfa("f =~ c(1, 1)*a + c(l2, l2)*b + c(l3, l3)*c + d", rows, group = "form", estimator = "MLR",
                missing = missing, meanstructure = TRUE)
  config <- cfa("f =~ a + b + c + d", rows, group = "form", estimator = "MLR", missing = missing,
                meanstructure = TRUE)
  p1 <- lavTestLRT(config, metric)[2, "Pr(>Chisq)"]
  p2 <- lavTestLRT(metric, fit)[2, "Pr(>Chisq)"]
  e <- parameterEstimates(fit)
  pick <- function(n) { r <- e[e$label == n, ][1, ]; sprintf("\"%s\": [%.10f, %.10f]", n, r$est, r$se) }
  body <- paste(sapply(c("k", "slope", "at0", "at50", "at100"), pick), collapse = ", ")
  sprintf("{%s, \"metric\": %.12f, \"scalar\": %.12f}", body, p1, p2)
}
files <- commandArgs(trailingOnly = TRUE)
cat(sprintf("{\"lavaan\": \"%s\", \"complete\": %s,\n \"absent\": %s}\n", packageVersion("lavaan"), out(files[1]), out(files[2])))
