# Factor correlations, their intervals, and difference tests against fixed ones.
#
#   Rscript tests/reference/distinct.R
#
# Writes distinct.json beside it, from the moments committed in tests/reference.

suppressMessages({ library(lavaan); library(jsonlite) })
home <- "tests/reference"
models <- list(
  holzinger = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9",
  democracy = "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8"
)
cases <- list()
for (name in names(models)) {
  m <- fromJSON(file.path(home, name, "moments.json"))
  cov <- m$cov; dimnames(cov) <- list(m$names, m$names)
  cfa_of <- function(text) cfa(text, sample.cov = cov, sample.nobs = m$n, std.lv = TRUE, sample.cov.rescale = TRUE)
  free <- cfa_of(models[[name]])
  est <- parameterEstimates(free)
  rows <- est[est$op == "~~" & est$lhs != est$rhs, ]
  for (k in seq_len(nrow(rows))) {
    r <- rows[k, ]
    one <- list(case = name, model = models[[name]], construct = r$lhs, other = r$rhs, correlation = r$est,
                std_error = r$se, conf_low = r$ci.lower, conf_high = r$ci.upper)
    for (fixed in c(1, 0.9)) {
      narrow <- suppressWarnings(cfa_of(paste0(models[[name]], "\n", r$lhs, " ~~ ", fixed * sign(r$est), "*", r$rhs)))
      test <- lavTestLRT(free, narrow)
      one[[paste0("chi2_", fixed)]] <- test[["Chisq diff"]][2]
    }
    cases <- c(cases, list(one))
  }
}
write(toJSON(list(
  provenance = list(
    software = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string),
    command = "Rscript tests/reference/distinct.R", data = "moments.json of tests/reference/holzinger and democracy",
    tolerance = 1e-4
  ), cases = cases
), digits = NA, auto_unbox = TRUE, pretty = TRUE), file.path(home, "distinct.json"))
