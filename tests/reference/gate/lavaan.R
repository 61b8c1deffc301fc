# Rscript lavaan.R answers.csv : the answers that tests/tracking/test_gate_lavaan.py draws, written as CSV
suppressMessages(library(lavaan))
d <- read.csv(commandArgs(TRUE)[1])
base <- "joy =~ a + b + c"
fitted <- function(equal) cfa(base, d, group = "wave", estimator = "MLR", meanstructure = TRUE, group.equal = equal)
configural <- fitted("")
metric <- fitted("loadings")
scalar <- fitted(c("loadings", "intercepts"))
bias <- function(text) {
  e <- parameterEstimates(cfa(text, d, group = "wave", estimator = "MLR"))
  as.numeric(unlist(e[e$op == ":=", c("est", "se")]))
}
intercept <- "joy =~ c(1, 1)*a + c(l2, l2)*b + c(l3, l3)*c
  a ~ c(n1, n1)*1
  b ~ c(nb1, nb2)*1
  c ~ c(n3, n3)*1
  joy ~ c(0, NA)*1
  bias := nb2 - nb1"
loading <- "joy =~ c(1, 1)*a + c(lb1, lb2)*b + c(l3, l3)*c
  a ~ c(n1, n1)*1
  b ~ c(nb1, nb2)*1
  c ~ c(n3, n3)*1
  joy ~ c(0, NA)*1 + c(k1, k2)*1
  bias := (nb2 - nb1) + (lb2 - (lb1 + lb2) / 2) * k2"
out <- list(
  metric = as.numeric(lavTestLRT(configural, metric)[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")]),
  scalar = as.numeric(lavTestLRT(metric, scalar)[2, c("Chisq diff", "Df diff", "Pr(>Chisq)")]),
  intercept = bias(intercept), loading = bias(loading)
)
cat(jsonlite::toJSON(out, digits = 12), "\n")
