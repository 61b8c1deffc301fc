# Robust maximum likelihood with the Wishart likelihood; the loadings' standard errors of the first group.
library(lavaan)
model <- "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9"
names <- c("chisq.scaled", "chisq.scaling.factor", "baseline.chisq.scaled")
for (groups in list(NULL, "school")) {
  fit <- cfa(model, HolzingerSwineford1939, estimator = "MLR", likelihood = "wishart", group = groups)
  print(fitMeasures(fit, names), digits = 10)
  print(sqrt(diag(vcov(fit)))[1:5], digits = 10)
}
