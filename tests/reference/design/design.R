# Weighted, clustered and incomplete rows fitted by lavaan. The rows follow from a formula (no random numbers), which
# tests/sem/test_design.py repeats.
#
#   Rscript tests/reference/design/design.R
#
# Writes design.json beside this script.

suppressMessages({ library(lavaan); library(jsonlite) })
clusters <- 60; size <- 8; n <- clusters * size; i <- seq_len(n)
even <- function(k, prime) (k * sqrt(prime)) %% 1
normal <- function(k, prime) qnorm(even(k, prime))
cluster <- (i - 1) %/% size + 1
u <- normal(cluster, 2); v <- normal(cluster, 3)
f <- 0.5 * u + normal(i, 5)
g <- 0.5 * f + 0.4 * v + normal(i, 7)
primes <- c(11, 13, 17, 19, 23, 29); loading <- c(1, 0.8, 0.9, 1, 0.7, 1.1)
d <- sapply(1:6, function(j) round(loading[j] * (if (j < 4) f else g) - log(even(i, primes[j])) - 1 + 0.3 * u, 3))
d <- data.frame(d); names(d) <- paste0("x", 1:6)
d$cluster <- cluster; d$w <- 1 + (7 * i) %% 5; d$school <- ifelse(cluster %% 2 == 0, "p", "q")
holes <- d
holes$x2[i %% 7 == 0] <- NA; holes$x5[d$x4 > 2 & i %% 3 == 0] <- NA

model <- "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f"
fitted_as <- function(...) {
  said <- vapply(as.list(substitute(list(...)))[-(1:2)], function(a) paste(deparse(a), collapse = ""), "")
  fit <- sem(model, ..., estimator = "MLR")
  p <- parameterEstimates(fit, remove.nonfree = FALSE)
  wanted <- c("chisq", "df", "chisq.scaled", "chisq.scaling.factor", "scaling.factor.h1", "scaling.factor.h0", "logl",
              "cfi.scaled", "cfi.robust", "rmsea.scaled", "rmsea.robust")
  list(call = paste0('sem(m, d, estimator = "MLR", ', paste(names(said), said, sep = " = ", collapse = ", "), ")"),
       name = paste(p$lhs, p$op, p$rhs), group = if (is.null(p$group)) rep(1, nrow(p)) else p$group,
       est = p$est, se = p$se, fit = as.list(fitMeasures(fit, wanted)))
}
cases <- list(
  weights = fitted_as(d, sampling.weights = "w"),
  clusters = fitted_as(d, cluster = "cluster"),
  both = fitted_as(d, sampling.weights = "w", cluster = "cluster"),
  groups = fitted_as(d, sampling.weights = "w", cluster = "cluster", group = "school"),
  equal = fitted_as(d, sampling.weights = "w", cluster = "cluster", group = "school",
                    group.equal = c("loadings", "intercepts")),
  fiml_weights = fitted_as(holes, sampling.weights = "w", missing = "fiml"),
  fiml_clusters = fitted_as(holes, cluster = "cluster", missing = "fiml"),
  fiml_both = fitted_as(holes, sampling.weights = "w", cluster = "cluster", missing = "fiml")
)
out <- list(
  source = "tests/reference/design/design.R",
  software = paste0("lavaan ", packageVersion("lavaan"), " (R ", getRversion(), ")"),
  command = "Rscript tests/reference/design/design.R",
  data = "made by the formula in the script; no rows are stored",
  tolerance = 1e-05,
  why = "lavaan's own stop; estimates and standard errors relative to 1, test statistics relative",
  check = list(sum_x1 = sum(d$x1), sum_x6 = sum(d$x6), holes = sum(is.na(holes))),
  model = model, cases = cases)
writeLines(toJSON(out, digits = 14, auto_unbox = TRUE, null = "null", na = "null", pretty = 1), "tests/reference/design/design.json")
