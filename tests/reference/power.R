# Noncentrality of a parameter by Satorra & Saris, and of the Wald test, at stated populations.
#
#   Rscript tests/reference/power.R
#
# Writes power.json beside it. Populations are standardised; every residual variance is written out.

suppressMessages({ library(lavaan); library(jsonlite) })
n <- 1000
cases <- list(
  list(text = "x =~ .8*x1 + .8*x2 + .7*x3; y =~ .7*y1 + .7*y2 + .6*y3; y ~ .3*x", parameter = "y ~ x",
       population = "x =~ .8*x1 + .8*x2 + .7*x3; y =~ .7*y1 + .7*y2 + .6*y3; y ~ .3*x; x ~~ 1*x; y ~~ .91*y
                     x1 ~~ .36*x1; x2 ~~ .36*x2; x3 ~~ .51*x3; y1 ~~ .51*y1; y2 ~~ .51*y2; y3 ~~ .64*y3",
       free = "x =~ x1 + x2 + x3; y =~ y1 + y2 + y3; y ~ x", zero = "x =~ x1 + x2 + x3; y =~ y1 + y2 + y3; y ~ 0*x"),
  list(text = "a =~ .8*a1 + .7*a2 + .6*a3; b =~ .7*b1 + .7*b2 + .5*b3; c =~ .8*c1 + .6*c2; a ~~ .4*b; c ~ .2*a + .5*b",
       parameter = "c ~ a",
       population = "a =~ .8*a1 + .7*a2 + .6*a3; b =~ .7*b1 + .7*b2 + .5*b3; c =~ .8*c1 + .6*c2; a ~~ .4*b
                     c ~ .2*a + .5*b; a ~~ 1*a; b ~~ 1*b; c ~~ .63*c
                     a1 ~~ .36*a1; a2 ~~ .51*a2; a3 ~~ .64*a3; b1 ~~ .51*b1; b2 ~~ .51*b2; b3 ~~ .75*b3
                     c1 ~~ .36*c1; c2 ~~ .64*c2",
       free = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2; a ~~ b; c ~ a + b",
       zero = "a =~ a1 + a2 + a3; b =~ b1 + b2 + b3; c =~ c1 + c2; a ~~ b; c ~ 0*a + b")
)
out <- lapply(cases, function(case) {
  cov <- fitted(lavaan(case$population, fixed.x = FALSE))$cov
  fit <- function(text) {
    sem(text, sample.cov = cov, sample.nobs = n, std.lv = TRUE, sample.cov.rescale = FALSE)
  }
  free <- parameterEstimates(fit(case$free))
  own <- free[paste(free$lhs, free$op, free$rhs) == case$parameter, ]
  list(model = case$text, parameter = case$parameter, cov = unclass(cov), names = colnames(cov),
       lrt = unname(fitMeasures(fit(case$zero), "chisq")) / n, wald = own$z^2 / n)
})
write(toJSON(list(
  provenance = list(software = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string),
                    command = "Rscript tests/reference/power.R", data = "none: populations", tolerance = 1e-5),
  cases = out
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/power.json")
